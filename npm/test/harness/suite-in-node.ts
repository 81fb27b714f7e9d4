import { describe, test } from 'node:test'
import * as atomicdb from '../../src/index.js'
import { runTest, type Suite } from '../suites/suite.js'
import { testWasm } from './node.js'

/** Runs a suite on the sources, with the engine's test build and databases in MemoryStorage. */
export function runSuite(name: string, suite: Suite): void {
  const storages = new Map<string, atomicdb.MemoryStorage>()
  const defaults = (name: string) => {
    if (!storages.has(name)) storages.set(name, new atomicdb.MemoryStorage())
    return { storage: storages.get(name)!, wasm: testWasm }
  }
  describe(name, { timeout: 120_000 }, () => {
    for (const one of suite) test(one.name, () => runTest(one, atomicdb, defaults))
  })
}
