import { checkFunction, checkSeq, takenBytes } from '../checks.js'
import type { SealOptions } from '../security/seal-options.js'
import type { Batch, StorageBackend } from '../types.js'
import { EnvelopeSealer, spoilt } from './envelope-sealer.js'
import { appendTo, newTraits, traits, traitsOf, type Traits } from './traits.js'
import { leftAlone } from '../left-alone.js'

/**
 * A storage that compresses and encrypts batches before another storage keeps
 * them. The storages of this package are made with it, and it does the same
 * for your own.
 *
 * @example
 * ```js
 * const storage = new SealedStorage(new MyStorage(), { compressionLevel: 6, securityManager })
 * ```
 */
export class SealedStorage implements StorageBackend {
  static {
    leftAlone(this)
  }

  private readonly storage: StorageBackend
  private readonly sealer: EnvelopeSealer

  /**
   * @param storage Where batches are kept.
   * @param options How they are compressed and encrypted. Default: not at all.
   */
  constructor(storage: StorageBackend, options?: SealOptions) {
    this.storage = storage
    this.sealer = new EnvelopeSealer(options)
  }

  /** The compactEvery of the storage inside. */
  get compactEvery(): number | undefined {
    return this.storage.compactEvery
  }

  /** @internal Whether batches are compressed or encrypted. */
  get sealed(): boolean {
    return this.sealer.isNeeded
  }

  /** @internal The engine calls seal and open itself where it keeps the batches. */
  get [traits](): Traits {
    const { native, stateless, mayRevoke, cutTail, atOnce: inner } = traitsOf(this.storage)
    const atOnce = { method: SealedStorage.prototype.append, append: (...args: Parameters<StorageBackend['append']>) => appendTo(this.storage, inner, ...args) }
    const own = { bare: this.storage, ...(this.sealed ? { sealer: this.sealer } : { atOnce }), ...(stateless && { stateless }), ...(mayRevoke && { mayRevoke }), ...(cutTail && { cutTail: this.sealed ? (seq: number, torn: Uint8Array) => cutTail(seq, spoilt(torn)) : cutTail }) }
    if (!native || (native.sealer && this.sealed)) return newTraits(own)
    return newTraits({ ...own, native: this.sealed ? { ...native, sealer: this.sealer } : native })
  }

  async read(after: number): Promise<Batch[]> {
    checkSeq('after', after, 0)
    const batches = await this.storage.read(after)
    const canTear = traitsOf(this.storage).cutTail !== undefined
    return withBytes(batches, canTear ? await this.sealer.openTorn(batches) : await this.sealer.open(bytesOfEach(batches)))
  }

  /**
   * As {@link read}, with empty bytes for what is damaged.
   *
   * @throws decrypt if no batch proves that the key is the right one.
   */
  async salvage(): Promise<Batch[]> {
    const batches = await (this.storage.salvage?.() ?? this.storage.read(0))
    return withBytes(batches, await this.sealer.salvage(bytesOfEach(batches)))
  }

  async append(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean> {
    checkSeq('seq', seq)
    return this.storage.append(seq, await this.sealer.seal(takenBytes('bytes', bytes)), durability)
  }

  async compact(seq: number, snapshot: Uint8Array): Promise<void> {
    checkSeq('seq', seq)
    return this.storage.compact(seq, await this.sealer.seal(takenBytes('snapshot', snapshot)))
  }

  watch(listener: (seq: number) => void): () => void {
    checkFunction('listener', listener)
    return this.storage.watch?.(listener) ?? (() => {})
  }

  async destroy(): Promise<void> {
    return this.storage.destroy()
  }

  async close(): Promise<void> {
    return this.storage.close()
  }
}

const bytesOfEach = (batches: readonly Batch[]) => batches.map(({ bytes }) => bytes)
const withBytes = (batches: readonly Batch[], opened: readonly Uint8Array[]) => batches.map((batch, n) => ({ ...batch, bytes: opened[n]! }))
