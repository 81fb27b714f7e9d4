import { describe, invalid } from '../errors.js'
import type { StorageBackend } from '../types.js'
import { ensured, SamePageListeners } from './same-page-listeners.js'

const requiredMethods = ['read', 'append', 'compact', 'destroy', 'close'] as const

/** How many databases use each storage now: the last one closes it. */
const users = new WeakMap<StorageBackend, number>()

/** The listeners of all databases on a storage: each hears what the others append, which a storage need not tell. */
const listeners = new WeakMap<StorageBackend, Set<(seq: number) => void>>()

/**
 * A user's storage for one database. Its methods are called when the engine is
 * off the stack: a storage may use a database of its own, and the engine must
 * not be entered twice. The last database that uses the storage closes it.
 */
export function deferredStorage(storage: StorageBackend): StorageBackend {
  if (typeof storage !== 'object' || storage === null) throw invalid(`options.storage: expected a storage, not ${describe(storage)}`)
  const missing = requiredMethods.filter((method) => typeof storage[method] !== 'function')
  if (missing.length > 0) throw invalid(`options.storage: it has no method ${missing.join(', ')}`)
  const own = new SamePageListeners(ensured(listeners, storage, () => new Set()))
  const count = (change: number) => {
    const left = (users.get(storage) ?? 0) + change
    users.set(storage, left)
    return left
  }
  let isUsed = false
  let isLeft = false
  /** Ends the use of the storage. Returns whether it was the last. */
  const leave = () => {
    if (isLeft) return false
    isLeft = true
    own.close()
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
      if (stored === true) own.notify(seq)
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
      watch: (listener) => watchSoon(storage, own, listener),
    }),
  }
}

/**
 * For several databases that use one storage object: the returned function
 * makes a storage for each of them. When the last is closed, the object is.
 *
 * @param storage Its methods must not need `this`; those of {@link deferredStorage} do not.
 */
export function sharedStorage(storage: StorageBackend): () => StorageBackend {
  let open = 0
  return () => {
    open++
    let closing: Promise<void> | undefined
    return { ...storage, close: () => (closing ??= --open === 0 ? storage.close() : Promise.resolve()) }
  }
}

/** An error that the engine can read: one whose properties throw would end the engine. */
function readable(error: unknown): unknown {
  try {
    const { name, message, code } = Object(error) as Partial<Error & { code: unknown }>
    void [name, message, code]
    return error
  } catch (cause) {
    return new Error('the storage has rejected with an error that cannot be read', { cause })
  }
}

function watchSoon(storage: StorageBackend, own: SamePageListeners, listener: (seq: number) => void): () => void {
  let isStopped = false
  const whileWatching = (seq: number) => {
    if (!isStopped) listener(seq) // a notification may already be on its way when the watching ends
  }
  const leave = own.watch(whileWatching)
  let stop: (() => void) | undefined
  queueMicrotask(() => {
    if (!isStopped) stop = storage.watch!(whileWatching)
  })
  return () => {
    isStopped = true
    leave()
    queueMicrotask(() => stop?.())
  }
}
