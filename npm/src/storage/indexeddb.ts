import { startBridge, type Bridge } from '../engine/bridge.js'
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
  private opened: { readonly bridge: Bridge; readonly log: Promise<StorageBackend> } | undefined
  private readonly watching = new Set<Watching>()

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
    return this.call(async (log) => log.append(seq, bytes, durability))
  }

  async compact(seq: number, snapshot: Uint8Array): Promise<void> {
    return this.call((log) => log.compact(seq, snapshot))
  }

  watch(listener: (seq: number) => void): () => void {
    const own: Watching = { listener }
    this.watching.add(own)
    this.call(async (log) => this.tell(own, log)).catch(() => {}) // the next read or append tells what is wrong
    return () => {
      this.watching.delete(own)
      own.stop?.()
    }
  }

  private tell(own: Watching, log: StorageBackend): void {
    if (this.watching.has(own) && own.log !== log) own.stop = (own.log = log).watch?.(own.listener)
  }

  async destroy(): Promise<void> {
    await this.call((log) => log.destroy())
    this.watching.clear()
    this.opened = undefined
  }

  async close(): Promise<void> {
    if (!this.opened) return
    await this.call((log) => log.close())
    this.watching.clear()
    this.opened = undefined
  }

  /** Calls the adapter, which is in the engine: in another one if that has ended. */
  private async call<R>(work: (log: StorageBackend) => Promise<R>): Promise<R> {
    const bridge = await startBridge(undefined)
    if (this.opened?.bridge !== bridge) this.opened = { bridge, log: bridge.wait((engine) => engine.log({ kind: 'indexeddb', name: this.name })) }
    const log = await this.opened.log
    for (const own of this.watching) this.tell(own, log)
    return bridge.wait(() => work(log))
  }
}

/** A listener, and the adapter that tells it. */
interface Watching {
  readonly listener: (seq: number) => void
  log?: StorageBackend
  stop?: (() => void) | undefined
}
