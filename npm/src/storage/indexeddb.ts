import { startBridge } from '../engine/bridge.js'
import { checkName } from '../checks.js'
import type { SealOptions } from '../security/seal-options.js'
import type { Batch, StorageBackend } from '../types.js'
import { SealedStorage } from './sealed.js'
import { newTraits, traits, type Traits } from './traits.js'

/**
 * Keeps batches in IndexedDB: where databases live in browsers by default, so
 * `open('notes')` and `open('x', { storage: new IndexedDBStorage('notes') })`
 * are the same database.
 */
export class IndexedDBStorage extends SealedStorage {
  /**
   * @param name Of the IndexedDB database.
   * @param options How batches are compressed and encrypted. Default: not at all.
   */
  constructor(
    readonly name: string,
    options?: SealOptions,
  ) {
    checkName('name', name)
    super(new IndexedDBLog(name), options)
  }
}

/** The adapter of the engine, for callers that are not the engine. */
class IndexedDBLog implements StorageBackend {
  readonly [traits]: Traits
  private opened: Promise<StorageBackend> | undefined

  constructor(private readonly name: string) {
    this[traits] = newTraits({ native: { kind: 'indexeddb', name } })
  }

  async read(after: number): Promise<Batch[]> {
    return this.call((log) => log.read(after))
  }

  async salvage(): Promise<Batch[]> {
    return this.call((log) => log.salvage!())
  }

  async append(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean> {
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
    this.opened ??= bridge.wait((engine) => engine.log({ kind: 'indexeddb', name: this.name }))
    const log = await this.opened
    return bridge.wait(() => work(log))
  }
}
