import { checkCount, checkFunction, namesOf, takenOptions } from '../checks.js'
import type { NativeBackend } from '../engine/async-engine.js'
import { describe, invalid, readingError, unsupported } from '../errors.js'
import { isCloudflareWorker } from '../load.js'
import { hasSharedThreads } from '../thread.js'
import { isNode } from '../node-modules.js'
import { deferredStorage } from '../storage/backend.js'
import { FileStorage } from '../storage/file.js'
import { traitsOf } from '../storage/traits.js'
import type { StorageBackend } from '../types.js'
import type { OpenOptions } from './database-options.js'

/** A copy of the options of open(). Throws if one is wrong, unknown, or of a later version. */
export function checkedOptions(given: OpenOptions): OpenOptions {
  const sealing = namesOf(given).find((name) => name === 'password' || name === 'securityManager')
  if (sealing) throw invalid(`options: there is no option ${sealing}; storage: new IndexedDBStorage(name, { securityManager }) encrypts`)
  const options = takenOptions(given, ['storage', 'inMemory', 'durability', 'persist', 'worker', 'wasm', 'maxDocumentBytes', 'maxDepth', 'maxQueryMemory', 'maxQueryTime', 'version', 'migrations', 'ifNewer', 'undoSteps', 'onProgress'])
  const { inMemory, durability, persist, worker, maxDocumentBytes, maxDepth, maxQueryMemory, maxQueryTime, undoSteps, onProgress } = options
  if (worker !== undefined && typeof worker !== 'boolean' && worker !== 'shared') throw invalid(`options.worker: expected true, false or 'shared', not ${describe(worker)}`)
  for (const [name, value] of Object.entries({ inMemory, persist })) {
    if (value !== undefined && typeof value !== 'boolean') throw invalid(`options.${name}: expected true or false, not ${describe(value)}`)
  }
  for (const [name, value, max] of [['maxDocumentBytes', maxDocumentBytes, 2 ** 30], ['maxDepth', maxDepth, 1000], ['maxQueryMemory', maxQueryMemory, 2 ** 31 - 1]] as const) {
    if (value !== undefined) checkCount(`options.${name}`, value, 1, max)
  }
  if (maxQueryTime !== undefined && !(typeof maxQueryTime === 'number' && maxQueryTime > 0)) {
    throw invalid(`options.maxQueryTime: expected milliseconds above 0, or Infinity, not ${describe(maxQueryTime)}`)
  }
  if (durability !== undefined && durability !== 'relaxed' && durability !== 'strict') {
    throw invalid(`options.durability: expected 'relaxed' or 'strict', not ${describe(durability)}`)
  }
  if (undoSteps !== undefined) {
    checkCount('options.undoSteps', undoSteps, 0, 10_000)
    if (undoSteps > 0 && options.inMemory && options.storage) throw invalid('options.undoSteps: not with inMemory and a storage, where batches are made by commit() alone')
    if (undoSteps > 0 && isStateless(options)) throw unsupported('options.undoSteps: not over D1 and KV')
  }
  checkMigrations(options)
  if (onProgress !== undefined) checkFunction('options.onProgress', onProgress)
  checkHost(options)
  if (worker === 'shared' && hasSharedThreads()) checkShareable(options)
  return options
}

/** Throws for what only one page has, and a worker of all pages cannot use. */
function checkShareable({ storage, inMemory, wasm, undoSteps = 0 }: OpenOptions): void {
  if (inMemory) throw invalid("options.worker: 'shared' is not for inMemory, where commit() would store what other tabs have not committed; use true")
  if (undoSteps > 0) throw invalid("options.worker: 'shared' is not for undoSteps, since a batch may hold writes of several tabs; use true")
  const { native, inWorker, sealer } = traitsOf(storage)
  if (sealer) throw invalid("options.worker: 'shared' is not for a storage that encrypts or compresses: its keys stay in the tab, which may be closed; use true")
  if (storage !== undefined && !native && !inWorker) throw invalid("options.worker: 'shared' needs a storage that the worker opens itself, IndexedDB or OPFS: this one is in the tab, which may be closed; use true")
  if (wasm !== undefined && typeof wasm !== 'string' && !(wasm instanceof URL)) throw invalid(`options.wasm: a shared worker loads the wasm itself: expected its address, not ${describe(wasm)}`)
}

function checkMigrations({ version, migrations, ifNewer }: OpenOptions): void {
  if (version !== undefined) checkCount('options.version', version, 1, 2 ** 31 - 1)
  if (ifNewer !== undefined && ifNewer !== 'refuse' && ifNewer !== 'read') throw invalid(`options.ifNewer: expected 'refuse' or 'read', not ${describe(ifNewer)}`)
  if (migrations === undefined) return
  if (version === undefined) throw invalid('options.migrations: options.version is missing, to which they lead')
  if (typeof migrations !== 'object' || migrations === null) throw invalid(`options.migrations: expected an object of functions, not ${describe(migrations)}`)
  for (const [to, migration] of entriesOf('options.migrations', migrations)) {
    if (!/^[1-9]\d*$/.test(to) || Number(to) > version) throw invalid(`options.migrations: expected versions from 1 to ${version}, not ${describe(to)}`)
    checkFunction(`options.migrations[${to}]`, migration)
  }
}

function entriesOf(what: string, object: object): [string, unknown][] {
  try {
    return Object.entries(object)
  } catch (error) {
    throw readingError(what, error)
  }
}

/**
 * Throws where requests of a Cloudflare Worker would wait for each other: commit() of a database in memory holds the
 * engine until everything is stored.
 */
function checkHost({ storage, inMemory }: OpenOptions): void {
  if (!inMemory || !traitsOf(storage).stateless || !isCloudflareWorker()) return
  throw unsupported('options.inMemory: not with D1 or KV in a Worker, whose requests may not wait for each other; leave it out, or keep the database in a Durable Object')
}

/** Whether the database is for requests that do not wait for each other; see StatelessConnection. */
export function isStateless(given: OpenOptions): boolean {
  try {
    const { storage, inMemory, worker } = given
    return !inMemory && !worker && traitsOf(storage).stateless === true
  } catch {
    return false // checkedOptions says what is wrong
  }
}

/** The options with the storage that they mean: in Node, where there is no IndexedDB, a name that is a path is a file. */
export function withStorage<Options extends Pick<OpenOptions, 'storage' | 'inMemory'>>(name: string, options: Options): Options {
  const isFile = isNode && options.storage === undefined && !options.inMemory && typeof name === 'string' && /[/\\]|\.atomicdb$/.test(name) && !hasIndexedDB()
  return isFile ? { ...options, storage: new FileStorage(name) } : options
}

/** Where the database `name` is stored; null if it is in memory alone. */
export function backendOf(name: string, { storage, inMemory }: Pick<OpenOptions, 'storage' | 'inMemory'>): NativeBackend | StorageBackend | null {
  if (inMemory && storage === undefined) return null
  if (storage !== undefined) return traitsOf(storage).native ?? deferredStorage(storage)
  return hasIndexedDB() ? { kind: 'indexeddb', name } : null
}

/**
 * What databases have in common that can use one engine: all that open() is told, but how far it is and how to come to the
 * version. Undefined for one that needs an engine of its own: a storage that the user has made, memory alone, steps to undo.
 */
export function keyOfSame(name: string, options: OpenOptions, backend: NativeBackend | StorageBackend | null): string | undefined {
  const { storage, inMemory, undoSteps, wasm, onProgress, migrations, ...others } = options
  if (storage !== undefined || inMemory || undoSteps || !backend || !(wasm === undefined || typeof wasm === 'string' || wasm instanceof URL)) return undefined
  return keyStart(name) + JSON.stringify([String(wasm ?? ''), Object.entries(others).sort()])
}

/** How the keys of {@link keyOfSame} start that are of databases of this name. */
export const keyStart = (name: string) => `${JSON.stringify(name)} `

function hasIndexedDB(): boolean {
  try {
    return typeof indexedDB !== 'undefined'
  } catch {
    return true // The browser denies it, and open() will say so: in memory alone, documents would be lost without a word.
  }
}
