import type { StorageBackend } from '../../src/index.js'
import type { Context } from './suite.js'

/** A MemoryStorage whose append the test controls. */
export function storageOf({ atomicdb }: Context) {
  const memory = new atomicdb.MemoryStorage()
  const controlled = {
    memory,
    batches: 0,
    /** The arguments of each append. */
    durabilities: [] as string[],
    /** Runs instead of append; it calls `store` to store the batch. */
    append: (store: () => Promise<boolean>): Promise<boolean> => store(),
    closed: 0,
  }
  const storage: StorageBackend = {
    read: (after) => memory.read(after),
    append: (seq, bytes, durability) => controlled.append(async () => {
      controlled.durabilities.push(durability)
      const stored = await memory.append(seq, bytes)
      if (stored) controlled.batches++
      return stored
    }),
    compact: (seq, snapshot) => memory.compact(seq, snapshot),
    destroy: () => memory.destroy(),
    close: async () => void controlled.closed++,
  }
  return { storage, controlled }
}

/** A promise that a test settles. */
export function gate<T>() {
  let open!: (value: T) => void
  let fail!: (error: unknown) => void
  const promise = new Promise<T>((resolve, reject) => ([open, fail] = [resolve, reject]))
  return { promise, open, fail }
}
