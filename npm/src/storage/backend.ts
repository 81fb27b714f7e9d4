import { describe, invalid } from '../errors.js'
import type { StorageBackend } from '../types.js'
import { ensured, Neighbours } from './same-page-listeners.js'

const needed = ['read', 'append', 'compact', 'destroy', 'close'] as const

/** By how many databases each storage is used now: the last one closes it. */
const users = new WeakMap<StorageBackend, number>()

/** Who of them wants to hear what the others append: a storage need not tell itself. */
const listeners = new WeakMap<StorageBackend, Set<(seq: number) => void>>()

/**
 * @internal A storage of the user's as one database may call it: with the engine off the
 * stack, because it must not be entered again, which a storage that uses a
 * database of its own would do; and closed with the last database that uses it.
 */
export function deferred(storage: StorageBackend): StorageBackend {
  if (typeof storage !== 'object' || storage === null) throw invalid(`options.storage: expected a storage, not ${describe(storage)}`)
  const missing = needed.filter((method) => typeof storage[method] !== 'function')
  if (missing.length > 0) throw invalid(`options.storage: it has no method ${missing.join(', ')}`)
  const neighbours = new Neighbours(ensured(listeners, storage, () => new Set()))
  const count = (change: number) => {
    const left = (users.get(storage) ?? 0) + change
    users.set(storage, left)
    return left
  }
  let isUsed = false
  let isLeft = false
  /** Whether nobody uses the storage any more. */
  const leave = () => {
    if (isLeft) return false
    isLeft = true
    neighbours.close()
    return count(isUsed ? -1 : 0) === 0
  }
  const soon = async <R>(work: () => Promise<R>): Promise<R> => {
    if (!isUsed && !isLeft) {
      isUsed = true
      count(1)
    }
    await undefined
    try {
      return await work()
    } catch (error) {
      throw readable(error)
    }
  }
  return {
    read: (after) => soon(() => storage.read(after)),
    append: (seq, bytes, durability) => soon(async () => {
      const stored = await storage.append(seq, bytes, durability)
      if (stored === true) neighbours.tell(seq)
      return stored
    }),
    compact: (seq, snapshot) => soon(() => storage.compact(seq, snapshot)),
    destroy: () => soon(() => (leave(), storage.destroy())),
    close: () => soon(async () => {
      if (leave()) await storage.close()
    }),
    ...(storage.compactEvery !== undefined && { compactEvery: storage.compactEvery }),
    ...(storage.salvage && { salvage: () => soon(() => storage.salvage!()) }),
    ...(storage.watch && {
      watch: (listener) => watchSoon(storage, neighbours, listener),
    }),
  }
}

/** What the engine may read: where that throws, it would die of it. */
function readable(error: unknown): unknown {
  try {
    const { name, message, code } = Object(error) as Partial<Error & { code: unknown }>
    void [name, message, code]
    return error
  } catch (cause) {
    return new Error('the storage has rejected with an object that does not say what it is', { cause })
  }
}

function watchSoon(storage: StorageBackend, neighbours: Neighbours, listener: (seq: number) => void): () => void {
  let stopped = false
  const own = (seq: number) => {
    if (!stopped) listener(seq) // which is no longer there when the watching has ended, while somebody is about to tell
  }
  const leave = neighbours.watch(own)
  let stop: (() => void) | undefined
  queueMicrotask(() => {
    if (!stopped) stop = storage.watch!(own)
  })
  return () => {
    stopped = true
    leave()
    queueMicrotask(() => stop?.())
  }
}
