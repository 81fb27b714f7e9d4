import { AtomicDB } from '../../src/index.js'

/**
 * The engine's test build. It answers each query a second time, by the definition of its meaning, and fails if the two
 * answers differ.
 */
export const testWasm = new URL('../../.build/atomicdb-test.wasm', import.meta.url)

/** A new database in memory, on the test build. */
export function openInNode(): Promise<AtomicDB> {
  return AtomicDB.open(`test-${++opened}`, { inMemory: true, wasm: testWasm })
}

let opened = 0
