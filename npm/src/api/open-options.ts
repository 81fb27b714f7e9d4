import type { NativeBackend } from '../engine/async-engine.js'
import { checkCount, checkKnown } from '../checks.js'
import { describe, invalid } from '../errors.js'
import { deferredStorage } from '../storage/backend.js'
import { traitsOf } from '../storage/traits.js'
import type { OpenOptions, StorageBackend } from '../types.js'

/** Refuses options of open that are wrong, unknown, or of a later version. */
export function checkOptions(options: OpenOptions): void {
  checkKnown(options, ['storage', 'inMemory', 'durability', 'persist', 'worker', 'wasm', 'maxDocumentBytes', 'maxDepth', 'onProgress'])
  const { inMemory, durability, persist, worker, maxDocumentBytes, maxDepth, onProgress } = options
  for (const [name, value] of Object.entries({ inMemory, persist, worker })) {
    if (value !== undefined && typeof value !== 'boolean') throw invalid(`options.${name}: expected true or false, not ${describe(value)}`)
  }
  for (const [name, value, most] of [['maxDocumentBytes', maxDocumentBytes, 2 ** 30], ['maxDepth', maxDepth, 1000]] as const) {
    if (value !== undefined) checkCount(`options.${name}`, value, 1, most)
  }
  if (durability !== undefined && durability !== 'relaxed' && durability !== 'strict') {
    throw invalid(`options.durability: expected 'relaxed' or 'strict', not ${describe(durability)}`)
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalid(`options.onProgress: expected a function, not ${describe(onProgress)}`)
  }
}

/** Where a database of that name is kept; null is in memory alone. */
export function backendOf(name: string, { storage, inMemory }: Pick<OpenOptions, 'storage' | 'inMemory'>): NativeBackend | StorageBackend | null {
  if (inMemory && storage === undefined) return null
  if (storage !== undefined) return traitsOf(storage).native ?? deferredStorage(storage)
  return hasIndexedDB() ? { kind: 'indexeddb', name } : null
}

function hasIndexedDB(): boolean {
  try {
    return typeof indexedDB !== 'undefined'
  } catch {
    return true // denied, which open() says: a page that expects its documents to be kept must not lose them in silence
  }
}
