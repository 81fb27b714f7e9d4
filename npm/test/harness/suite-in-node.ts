import { describe, test } from 'node:test'
import * as atomicdb from '../../src/index.js'
import { runTest, type Suite } from '../suites/suite.js'
import { testWasm } from './node.js'

/**
 * Runs a suite with the engine's test build and databases in MemoryStorage: on
 * the sources, or on `lib`, with these options for every database.
 */
export function runSuite(name: string, suite: Suite, lib: typeof atomicdb = atomicdb, options: atomicdb.OpenOptions = {}): void {
  const storages = new Map<string, atomicdb.MemoryStorage>()
  const defaults = (name: string) => {
    if (!storages.has(name)) storages.set(name, new lib.MemoryStorage())
    return { storage: storages.get(name)!, wasm: testWasm, ...options }
  }
  describe(name, { timeout: 360_000 }, () => {
    for (const one of suite) test(one.name, () => runTest(one, lib, defaults))
  })
}
