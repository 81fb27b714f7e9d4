import type { Sealer } from '../engine/async-engine.js'
import { AtomicDBError } from '../errors.js'
import { checkUnpacked, inflate, joined, maxUnpacked } from '../security/compress.js'
import { refused } from '../security/fernet.js'
import { takenSealOptions, compressed } from '../security/packing.js'
import type { SealOptions } from '../security/seal-options.js'
import { nameOf, type Derivation, type SecurityManager } from '../security/security-manager.js'
import type { Batch } from '../types.js'
import { identityBytes, identityOf, isForeign } from './identity.js'

/** Compresses and encrypts batches, each into an envelope; see storage/FORMAT.md. */
export class EnvelopeSealer implements Sealer {
  private readonly options: SealOptions
  private readonly manager: SecurityManager | undefined
  /** The one that a batch of the database has proved right. */
  private derivation: Derivation | undefined

  constructor(options: SealOptions = {}) {
    this.options = takenSealOptions(options)
    this.manager = this.options.securityManager
  }

  /** Whether the options ask for anything. */
  get isNeeded(): boolean {
    return !!this.options.compressionLevel || this.manager !== undefined
  }

  async seal(frame: Uint8Array): Promise<Uint8Array> {
    if (!this.isNeeded) return frame
    let content = frame
    let flags = 0
    const packed = await compressed(frame, this.options)
    if (packed && packed.length < frame.length) {
      content = packed
      flags |= isCompressed
    }
    if (!this.manager) return flags === 0 ? frame : joined([headerOf(flags, frame), content])
    const derivation = this.derivation ?? this.manager.derivation()
    const fernet = await this.manager.fernet(derivation)
    return fernet.seal(content, undefined, undefined, headerOf(flags | isEncrypted, frame, derivation))
  }

  /** Opens what seal() has written, at whatever level, and passes on what was never sealed. */
  async open(batches: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return this.openAll(batches, (sealed) => this.openOne(sealed))
  }

  /**
   * As {@link open}, for a storage whose last batch a crash can leave torn. Such a batch is {@link spoilt}: the engine finds
   * that it is damaged, and cuts it off if it is the last.
   */
  async openTorn(batches: readonly Batch[]): Promise<Uint8Array[]> {
    return this.openAll(batches, ({ snapshot, bytes }) => this.openOne(bytes).catch((error: AtomicDBError) => {
      // Its header is damaged, or it is not what another batch has proved the key of.
      const isTorn = error.code === 'corrupt' || (error.code === 'decrypt' && this.derivation && isEnvelope(bytes))
      if (snapshot || !isTorn) throw error
      return spoilt(bytes)
    }))
  }

  private async openAll<T>(batches: readonly T[], open: (batch: T) => Promise<Uint8Array>): Promise<Uint8Array[]> {
    // The first alone, because it shows the derivation of all.
    const first = await Promise.all(batches.slice(0, 1).map(open))
    return first.concat(await Promise.all(batches.slice(1).map(open)))
  }

  async salvage(batches: readonly Uint8Array[]): Promise<Uint8Array[]> {
    let decryptError: unknown
    let opened = 0
    this.derivation ??= mostFrequent(batches.flatMap(derivationOf))
    const salvaged = await Promise.all(batches.map(async (sealed) => {
      try {
        const bytes = await this.openOne(sealed)
        opened++
        return bytes
      } catch (error) {
        const { code } = error as AtomicDBError
        if (code === 'decrypt') decryptError ??= error
        else if (code !== 'corrupt') throw error // a newer version, or a host that cannot: that is no damage
        return new Uint8Array()
      }
    }))
    if (decryptError && !(opened && this.manager)) throw decryptError // another password is no damage
    return salvaged
  }

  private async openOne(sealed: Uint8Array): Promise<Uint8Array> {
    if (!isEnvelope(sealed)) {
      if (!this.manager) return sealed
      if (!isFrame(sealed)) throw corrupt('the stored batch is no envelope')
      throw refused('the stored batch is not encrypted: it was written without a securityManager, or without the key')
    }
    const { version, flags, length, derivation, atContent } = parseEnvelope(sealed)
    let content = sealed.subarray(atContent)
    if (flags & isEncrypted) {
      if (!this.manager) throw refused('the stored batch is encrypted: open the storage with the securityManager that it was written with')
      const fernet = await this.manager.fernet(this.checked(derivation))
      content = version === 1 ? await fernet.open(content) : await fernet.open(sealed, atContent)
      this.derivation = derivation // so that all batches are under one key
    } else if (this.manager) {
      throw refused('the stored batch is compressed and not encrypted: it was written without a securityManager, or without the key')
    }
    if (flags & isCompressed) {
      checkUnpacked(length, maxUnpacked(content.length, this.options.maxUnpackedBytes))
      content = await inflate(content, length)
    }
    if (content.length !== length) throw corrupt(`the envelope says that it holds ${length} bytes, and holds ${content.length}`)
    if (isForeign(sealed, content)) throw corrupt('the envelope is of another database than the batch in it')
    return content
  }

  /** `derivation`, if it is the database's: each other one would cost up to a second, and be none of ours. */
  private checked(derivation: Derivation): Derivation {
    if (this.derivation && nameOf(this.derivation) !== nameOf(derivation)) {
      throw refused('the stored batch is encrypted with another key than the rest: its salt and iterations are not those of the database')
    }
    return derivation
  }
}

/**
 * Bytes that nobody takes for a frame or an envelope; spoilt again, they are the same as before. Zeros stay: the engine
 * knows what they mean.
 */
export function spoilt(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  if (copy[0]) copy[0] ^= 0x80
  return copy
}

/** How the key of a batch is derived; nothing if it is not encrypted, or its header is damaged. */
function derivationOf(sealed: Uint8Array): Derivation[] {
  try {
    const { flags, derivation } = parseEnvelope(sealed)
    return flags & isEncrypted ? [derivation] : []
  } catch {
    return [] // whoever opens the batch says so
  }
}

function mostFrequent(derivations: readonly Derivation[]): Derivation | undefined {
  const counts = new Map<string, number>()
  let most: Derivation | undefined
  let count = 0
  for (const derivation of derivations) {
    const name = nameOf(derivation)
    const times = (counts.get(name) ?? 0) + 1
    counts.set(name, times)
    if (times > count) {
      most = derivation
      count = times
    }
  }
  return most
}

// The envelope is described in storage/FORMAT.md.
const magic = [0x41, 0x74, 0x44, 0x53] // AtDS
const isFrame = (bytes: Uint8Array) => [0x41, 0x74, 0x44, 0x42].every((byte, n) => bytes[n] === byte) // AtDB
const isEnvelope = (bytes: Uint8Array) => magic.every((byte, n) => bytes[n] === byte)
const envelopeVersion = 2
const isCompressed = 1
const isEncrypted = 2
const atVersion = 4
const atFlags = 5
const atSaltLength = 6
const atLength = 8
const atIterations = 12
const atCheck = 16
const atIdentity = 20 // in version 1, the salt begins here

/** The header of the envelope of a frame. What is no frame has no identity, which is zeros. */
function headerOf(flags: number, frame: Uint8Array, { salt, iterations }: Derivation = { salt: new Uint8Array(), iterations: 0 }): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(atIdentity + identityBytes + salt.length)
  const view = new DataView(header.buffer)
  header.set(magic)
  view.setUint8(atVersion, envelopeVersion)
  view.setUint8(atFlags, flags)
  view.setUint8(atSaltLength, salt.length)
  view.setUint32(atLength, frame.length, true)
  view.setUint32(atIterations, iterations, true)
  header.set(identityOf(frame) ?? [], atIdentity)
  header.set(salt, atIdentity + identityBytes)
  view.setUint32(atCheck, checkOf(header), true)
  return header
}

function parseEnvelope(sealed: Uint8Array) {
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  const version = sealed[atVersion]!
  const atSalt = version === 1 ? atIdentity : atIdentity + identityBytes
  const atContent = sealed.length < atIdentity ? Infinity : atSalt + view.getUint8(atSaltLength)
  if (sealed.length < atContent || view.getUint32(atCheck, true) !== checkOf(sealed)) throw corrupt('the header of the envelope is damaged')
  if (version < 1 || version > envelopeVersion) throw new AtomicDBError('unsupported', 'a newer AtomicDB has sealed the stored batch')
  return {
    version,
    flags: view.getUint8(atFlags),
    length: view.getUint32(atLength, true),
    derivation: { salt: sealed.slice(atSalt, atContent), iterations: view.getUint32(atIterations, true) },
    atContent,
  }
}

/**
 * The check of an envelope: FNV-1a (RFC 9923) of bytes 0 to 15, and of as many bytes from 20 on as the salt has. That is
 * the rest of the header in version 1. So every version tells a damaged header from one of a newer version.
 */
function checkOf(sealed: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let n = 0; n < atIdentity + sealed[atSaltLength]!; n++) {
    if (n < atCheck || n >= atIdentity) hash = Math.imul(hash ^ sealed[n]!, 0x01000193)
  }
  return hash >>> 0
}

const corrupt = (message: string) => new AtomicDBError('corrupt', message)
