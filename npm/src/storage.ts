import { startBridge } from './bridge.js'
import { describe, invalid, unsupported } from './errors.js'
import type { StorageBackend } from './types.js'

/** One batch, or a snapshot that stands for all batches up to its number. */
type Batch = { seq: number; snapshot: boolean; bytes: Uint8Array }

/**
 * Keeps batches in memory, for tests and for data that may be lost. Every
 * database opened with the same MemoryStorage is the same database, as tabs on
 * one IndexedDB are.
 *
 * It is also the example to follow for a storage of your own.
 */
export class MemoryStorage implements StorageBackend {
  private batches: Batch[] = []
  private readonly listeners = new Set<(seq: number) => void>()

  async read(after: number): Promise<Batch[]> {
    return this.batches.filter((batch) => batch.seq > after)
  }

  async append(seq: number, bytes: Uint8Array): Promise<boolean> {
    // This comparison and the push happen in one step: nobody can come between. That is all that keeps writers apart.
    const last = this.batches.at(-1)?.seq ?? 0
    if (seq !== last + 1) return false
    this.batches.push({ seq, snapshot: false, bytes })
    for (const listener of this.listeners) queueMicrotask(() => listener(seq))
    return true
  }

  async compact(seq: number, snapshot: Uint8Array): Promise<void> {
    const replaced = this.batches.findIndex((batch) => batch.seq === seq)
    if (replaced < 0) return // a newer snapshot has been faster
    this.batches.splice(0, replaced + 1, { seq, snapshot: true, bytes: snapshot })
  }

  watch(listener: (seq: number) => void): () => void {
    // Wrapped, so that the same function may watch twice.
    const own = (seq: number) => listener(seq)
    this.listeners.add(own)
    return () => this.listeners.delete(own)
  }

  async destroy(): Promise<void> {
    this.batches = []
  }

  /** Does nothing: what is stored stays, for the next open(). */
  async close(): Promise<void> {}
}

/**
 * Keeps batches in IndexedDB: where databases live in browsers by default, so
 * `open('notes')` and `open('x', { storage: new IndexedDBStorage('notes') })`
 * are the same database.
 */
export class IndexedDBStorage implements StorageBackend {
  readonly name: string
  private opened: Promise<StorageBackend> | undefined

  /** @param name Of the IndexedDB database. */
  constructor(name: string)
  constructor(name: string, ...more: unknown[]) {
    if (typeof name !== 'string' || name === '') throw invalid(`name: expected a name, not ${describe(name)}`)
    if (more[0] !== undefined) throw unsupported('options: compression and encryption are not supported yet')
    this.name = name
  }

  async read(after: number): Promise<Batch[]> {
    return this.call((log) => log.read(after))
  }

  async append(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict' = 'relaxed'): Promise<boolean> {
    return this.call((log) => log.append(seq, bytes, durability))
  }

  async compact(seq: number, snapshot: Uint8Array): Promise<void> {
    return this.call((log) => log.compact(seq, snapshot))
  }

  watch(listener: (seq: number) => void): () => void {
    let stopped = false
    let stop: (() => void) | undefined
    const watching = this.call(async (log) => {
      if (!stopped) stop = log.watch?.(listener)
    })
    watching.catch(() => {}) // the next read or append tells what is wrong
    return () => {
      stopped = true
      stop?.()
    }
  }

  async destroy(): Promise<void> {
    await this.call((log) => log.destroy())
    this.opened = undefined
  }

  async close(): Promise<void> {
    if (!this.opened) return
    await this.call((log) => log.close())
    this.opened = undefined
  }

  /** Calls the adapter, which is in the engine. */
  private async call<R>(work: (log: StorageBackend) => Promise<R>): Promise<R> {
    const bridge = await startBridge(undefined)
    this.opened ??= bridge.wait((host) => host.log({ kind: 'indexeddb', name: this.name }))
    const log = await this.opened
    return bridge.wait(() => work(log))
  }
}

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
