// {worker: true}: the tests of the public API again, on the built package, with every engine in a thread of its own.
import type * as atomicdb from '../src/index.js'
import { runSuite } from './harness/suite-in-node.js'
import { apiSuites } from './suites/api.js'

// Built, because Node finds a thread's file only as JavaScript.
const lib = (await import(new URL('../dist/index.js', import.meta.url).href)) as typeof atomicdb

const { storages: _, managing: __, ...suites } = apiSuites // of which no database is part
for (const [name, suite] of Object.entries(suites)) runSuite(`${name}, in a worker`, suite, lib, { worker: true })
