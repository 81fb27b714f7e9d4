// The public API, from the sources, in Node. suites/ has the tests; they also run in a page.
import { runSuite } from './harness/suite-in-node.js'
import { documents } from './suites/api-documents.js'

runSuite('documents', documents)
