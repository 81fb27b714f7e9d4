import { describe, invalid } from '../errors.js'
import type { StorageBackend } from '../types.js'

const needed = ['read', 'append', 'compact', 'destroy', 'close'] as const

/**
 * @internal A storage of the user's as the engine may call it: with the engine off the
 * stack, because it must not be entered again, which a storage that uses a
 * database of its own would do.
 */
export function deferred(storage: StorageBackend): StorageBackend {
  if (typeof storage !== 'object' || storage === null) throw invalid(`options.storage: expected a storage, not ${describe(storage)}`)
  const missing = needed.filter((method) => typeof storage[method] !== 'function')
  if (missing.length > 0) throw invalid(`options.storage: it has no method ${missing.join(', ')}`)
  const soon = Promise.resolve()
  return {
    read: (after) => soon.then(() => storage.read(after)),
    append: (seq, bytes, durability) => soon.then(() => storage.append(seq, bytes, durability)),
    compact: (seq, snapshot) => soon.then(() => storage.compact(seq, snapshot)),
    destroy: () => soon.then(() => storage.destroy()),
    close: () => soon.then(() => storage.close()),
    ...(storage.compactEvery !== undefined && { compactEvery: storage.compactEvery }),
    ...(storage.salvage && { salvage: () => soon.then(() => storage.salvage!()) }),
    ...(storage.watch && { watch: (listener) => watchSoon(storage, listener) }),
  }
}

function watchSoon(storage: StorageBackend, listener: (seq: number) => void): () => void {
  let stopped = false
  let stop: (() => void) | undefined
  queueMicrotask(() => {
    if (!stopped) stop = storage.watch!(listener)
  })
  return () => {
    stopped = true
    queueMicrotask(() => stop?.())
  }
}
