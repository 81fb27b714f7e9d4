import { AtomicDBError } from '../errors.js'
import { deflate, inflate } from '../security/compress.js'
import { refused } from '../security/fernet.js'
import { checkSealOptions } from '../security/packing.js'
import type { Derivation, SecurityManager } from '../security/security-manager.js'
import type { SealOptions } from '../security/seal-options.js'
import type { Batch, StorageBackend } from '../types.js'
import { traits, type Traits } from './traits.js'

/**
 * A storage whose batches are compressed and encrypted on their way to
 * another: what the storages of this package are, and what makes your own one so.
 *
 * @example
 * ```js
 * const storage = new SealedStorage(new MyStorage(), { compressionLevel: 6, securityManager })
 * ```
 */
export class SealedStorage implements StorageBackend {
  private readonly storage: StorageBackend
  private readonly level: number
  private readonly manager: SecurityManager | undefined
  private derivation: Derivation | undefined

  /**
   * @param storage Where batches are kept.
   * @param options How they are packed. Default: not at all.
   */
  constructor(storage: StorageBackend, options: SealOptions = {}) {
    checkSealOptions(options)
    this.storage = storage
    this.level = options.compressionLevel ?? 0
    this.manager = options.securityManager
  }

  /** That of the storage. */
  get compactEvery(): number | undefined {
    return this.storage.compactEvery
  }

  /** @internal Whether batches are packed at all. */
  get sealed(): boolean {
    return this.level > 0 || this.manager !== undefined
  }

  async read(after: number): Promise<Batch[]> {
    const batches = await this.storage.read(after)
    return Promise.all(batches.map(async (batch) => ({ ...batch, bytes: await this.open(batch.bytes) })))
  }

  /**
   * As {@link read}, with empty bytes for what is damaged.
   *
   * @throws decrypt if no batch proves that the key is the right one.
   */
  async salvage(): Promise<Batch[]> {
    const batches = await (this.storage.salvage?.() ?? this.storage.read(0))
    let refusal: unknown
    let opened = 0
    const salvaged = await Promise.all(batches.map(async (batch) => {
      try {
        const bytes = await this.open(batch.bytes)
        opened++
        return { ...batch, bytes }
      } catch (error) {
        const { code } = error as AtomicDBError
        if (code === 'decrypt') refusal ??= error
        else if (code !== 'corrupt') throw error // a newer version, or a host that cannot: that is no damage
        return { ...batch, bytes: new Uint8Array() }
      }
    }))
    if (refusal && !(opened && this.manager)) throw refusal // another password is no damage
    return salvaged
  }

  /** @internal */
  get [traits](): Traits {
    return { bare: this.storage }
  }

  async append(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean> {
    return this.storage.append(seq, await this.seal(bytes), durability)
  }

  async compact(seq: number, snapshot: Uint8Array): Promise<void> {
    return this.storage.compact(seq, await this.seal(snapshot))
  }

  watch(listener: (seq: number) => void): () => void {
    return this.storage.watch?.(listener) ?? (() => {})
  }

  async destroy(): Promise<void> {
    return this.storage.destroy()
  }

  async close(): Promise<void> {
    return this.storage.close()
  }

  /** Packs what has not been packed. */
  private async seal(frame: Uint8Array): Promise<Uint8Array> {
    if (!this.sealed) return frame
    let content = frame
    let flags = 0
    if (this.level > 0) {
      const packed = await deflate(frame, this.level)
      if (packed.length < frame.length) {
        content = packed
        flags |= isCompressed
      }
    }
    if (!this.manager) return flags === 0 ? frame : envelope(flags, frame.length, content)
    const derivation = this.derivation ?? this.manager.derivation
    const token = await (await this.manager.fernet(derivation)).seal(content)
    return envelope(flags | isEncrypted, frame.length, token, derivation)
  }

  /** Unpacks what seal() has packed, at whatever level, and what never was. */
  private async open(sealed: Uint8Array): Promise<Uint8Array> {
    if (!startsLike(sealed, magic)) {
      if (this.manager) throw refused('what is stored is not encrypted: somebody has put it there, or it was written without a securityManager')
      return sealed
    }
    const { flags, length, derivation, content: packed } = parseEnvelope(sealed)
    let content = packed
    if (flags & isEncrypted) {
      if (!this.manager) throw refused('what is stored is encrypted: open it with the securityManager that it was written with')
      content = await (await this.manager.fernet(derivation)).open(content)
      this.derivation = derivation // so that everybody's batches are under one key
    } else if (this.manager) {
      throw refused('what is stored is compressed and not encrypted: somebody has put it there, or it was written without a securityManager')
    }
    if (flags & isCompressed) content = await inflate(content, length)
    if (content.length !== length) throw corrupt('an envelope holds another number of bytes than it says')
    return content
  }
}

// The envelope is described in storage/FORMAT.md.
const magic = [0x41, 0x74, 0x44, 0x53] // AtDS
const envelopeVersion = 1
const isCompressed = 1
const isEncrypted = 2
const atVersion = 4
const atFlags = 5
const atSaltLength = 6
const atLength = 8
const atIterations = 12
const atCheck = 16
const atSalt = 20

function envelope(flags: number, length: number, content: Uint8Array, { salt, iterations }: Derivation = { salt: new Uint8Array(), iterations: 0 }): Uint8Array {
  const sealed = new Uint8Array(atSalt + salt.length + content.length)
  const view = new DataView(sealed.buffer)
  sealed.set(magic)
  view.setUint8(atVersion, envelopeVersion)
  view.setUint8(atFlags, flags)
  view.setUint8(atSaltLength, salt.length)
  view.setUint32(atLength, length, true)
  view.setUint32(atIterations, iterations, true)
  sealed.set(salt, atSalt)
  view.setUint32(atCheck, checkOf(sealed), true)
  sealed.set(content, atSalt + salt.length)
  return sealed
}

function parseEnvelope(sealed: Uint8Array) {
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  const atContent = sealed.length < atSalt ? Infinity : atSalt + view.getUint8(atSaltLength)
  if (sealed.length < atContent || view.getUint32(atCheck, true) !== checkOf(sealed)) throw corrupt('the header of an envelope is damaged')
  if (view.getUint8(atVersion) !== envelopeVersion) throw new AtomicDBError('unsupported', 'a newer AtomicDB has packed what is stored')
  return {
    flags: view.getUint8(atFlags),
    length: view.getUint32(atLength, true),
    derivation: { salt: sealed.slice(atSalt, atContent), iterations: view.getUint32(atIterations, true) },
    content: sealed.subarray(atContent),
  }
}

/** What tells a header that is damaged from one of a newer version: FNV-1a (RFC 9923) of the header around it. */
function checkOf(sealed: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let n = 0; n < atSalt + sealed[atSaltLength]!; n++) {
    if (n < atCheck || n >= atSalt) hash = Math.imul(hash ^ sealed[n]!, 0x01000193)
  }
  return hash >>> 0
}

const startsLike = (bytes: Uint8Array, start: ArrayLike<number>) => Array.prototype.every.call(start, (byte, n) => bytes[n] === byte)

const corrupt = (message: string) => new AtomicDBError('corrupt', message)
