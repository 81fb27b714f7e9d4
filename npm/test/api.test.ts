// The public API, from the sources, in Node. suites/ has the tests; they also run in a page.
import { runSuite } from './harness/suite-in-node.js'
import { apiSuites } from './suites/api.js'

for (const [name, suite] of Object.entries(apiSuites)) runSuite(name, suite)
