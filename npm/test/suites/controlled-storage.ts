import type { StorageBackend } from '../../src/index.js'
import type { Context } from './suite.js'

/** A MemoryStorage whose append is in the test's hands. */
export function storageOf({ atomicdb }: Context) {
  const memory = new atomicdb.MemoryStorage()
  const controlled = {
    memory,
    batches: 0,
    /** What each append was asked for. */
    durabilities: [] as string[],
    /** Called instead of storing; calls `store` to store. */
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
