import type { StorageBackend } from '../types.js'

/**
 * For several databases that use one storage object: returns what makes a
 * storage for each of them. When the last is closed, the object is.
 *
 * @param storage Its methods need no `this`, as those of `deferred` do not.
 */
export function shared(storage: StorageBackend): () => StorageBackend {
  let open = 0
  return () => {
    open++
    let closing: Promise<void> | undefined
    return { ...storage, close: () => (closing ??= --open === 0 ? storage.close() : Promise.resolve()) }
  }
}
