// What the tests of the public API are written against, so that the same list runs in Node and in a page.
import type * as atomicdb from '../../src/index.js'

/** What a test gets. */
export interface Context {
  /** The exports of the package. */
  readonly atomicdb: typeof atomicdb
  /** The engine's test build. */
  readonly wasm: NonNullable<atomicdb.OpenOptions['wasm']>
  /** Whether the engines are in threads of their own: what is asked there takes an event to be answered. */
  readonly threads: boolean
  /**
   * Opens a database that is kept: in Node in a MemoryStorage, in a page in
   * IndexedDB. Opened again under the same name, it is the same one. Without a
   * name it is a new one. All are closed when the test is over.
   */
  open(name?: string, options?: atomicdb.OpenOptions): Promise<atomicdb.AtomicDB>
}

/** A test. Its name reads as a claim. */
export interface Test {
  readonly name: string
  run(context: Context): Promise<void>
}

export type Suite = readonly Test[]

/** Runs one test with the exports of the package, and closes what it opened. Rejects if the test fails. */
export async function runTest(test: Test, lib: typeof atomicdb, defaults: (name: string) => atomicdb.OpenOptions): Promise<void> {
  const opened: atomicdb.AtomicDB[] = []
  const run = ++runs
  let unnamed = 0
  try {
    await test.run({
      atomicdb: lib,
      wasm: defaults('').wasm!,
      threads: Boolean(defaults('').worker),
      open: async (name = `#${++unnamed}`, options = {}) => {
        const all = { ...defaults(`${run} ${name}`), ...options }
        // A shared worker opens the storage itself, and knows no batches of one tab.
        if (all.worker === 'shared' && (options.storage || options.inMemory || options.undoSteps)) all.worker = true
        const db = await lib.AtomicDB.open(`${run} ${name}`, all)
        opened.push(db)
        return db
      },
    })
  } finally {
    await Promise.all(opened.map((db) => db.close()))
  }
}

let runs = 0
