import { startBridge } from '../engine/bridge.js'
import { checkFunction, checkSeq, takenBytes, takenOptions } from '../checks.js'
import type { Batch, OpenOptions, StorageBackend } from '../types.js'
import { isForeign, newIdentity } from './identity.js'
import { newTraits, traits, type Traits } from './traits.js'

/**
 * Keeps batches in memory, for tests and for data that may be lost. All
 * databases that are opened with the same MemoryStorage are one database, as
 * tabs on one IndexedDB are.
 *
 * It is also the example to follow for a storage of your own.
 */
export class MemoryStorage implements StorageBackend {
  /** @internal */
  readonly [traits]: Traits = newTraits({ atOnce: { method: MemoryStorage.prototype.append, append: (seq, bytes) => this.appendNow(seq, bytes) } })
  private batches: Batch[] = []
  private readonly listeners = new Set<(seq: number) => void>()

  /**
   * A storage that holds what `AtomicDB.exportRaw` has written, as a database of its own; see `AtomicDB.importRaw`.
   *
   * @throws `corrupt` if it is not such a file or not whole, `unsupported` if a newer AtomicDB has written it.
   */
  static async fromRaw(file: Uint8Array, options: Pick<OpenOptions, 'wasm'> = {}): Promise<MemoryStorage> {
    const bytes = takenBytes('file', file)
    const bridge = await startBridge(takenOptions(options, ['wasm']).wasm)
    const storage = new MemoryStorage()
    storage.batches = await bridge.wait((engine) => engine.parseRawFile(bytes, newIdentity()))
    return storage
  }

  async read(after: number): Promise<Batch[]> {
    checkSeq('after', after, 0)
    return this.batches.filter((batch) => batch.seq > after)
  }

  async append(seq: number, bytes: Uint8Array): Promise<boolean> {
    checkSeq('seq', seq)
    return this.appendNow(seq, takenBytes('bytes', bytes))
  }

  private appendNow(seq: number, own: Uint8Array): boolean {
    // No other writer can come between this comparison and the push: nothing else is needed to keep writers apart.
    const last = this.batches.at(-1)
    if (seq !== (last?.seq ?? 0) + 1 || isForeign(last?.bytes, own)) return false
    this.batches.push({ seq, snapshot: false, bytes: own })
    for (const listener of this.listeners) queueMicrotask(() => listener(seq))
    return true
  }

  async compact(seq: number, snapshot: Uint8Array): Promise<void> {
    checkSeq('seq', seq)
    const bytes = takenBytes('snapshot', snapshot)
    const replaced = this.batches.findIndex((batch) => batch.seq === seq)
    if (replaced < 0 || isForeign(this.batches[replaced]!.bytes, bytes)) return // a newer snapshot was faster
    this.batches.splice(0, replaced + 1, { seq, snapshot: true, bytes })
  }

  watch(listener: (seq: number) => void): () => void {
    checkFunction('listener', listener)
    // So that the same function may watch twice.
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
