import { release } from '../release.js'
import type { OpenOptions } from '../types.js'
import type { Opening } from './server.js'

/**
 * The name of the shared worker for a database. Pages meet in it if everything is equal that its engine was opened with:
 * the release of this package too, because pages of an older one may still be open. Workers of different names share the
 * log, as tabs do that have an engine each.
 */
export function sharedName(backend: Opening['backend'], { durability = 'relaxed', maxDocumentBytes, maxDepth, maxQueryMemory, maxQueryTime, version, wasm }: OpenOptions): string {
  return `atomicdb ${release} ${JSON.stringify([backend, durability, maxDocumentBytes, maxDepth, maxQueryMemory, maxQueryTime && String(maxQueryTime), version, wasm && String(wasm)])}`
}
