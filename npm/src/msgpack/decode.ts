import { AtomicDBError } from '../errors.js'

/**
 * Reads MessagePack that the engine has written, and trusts it to be well formed.
 *
 * It copies what it returns, because the bytes are the engine's memory. Integers
 * beyond 2^53 become bigints, all others numbers.
 */
export class Decoder {
  private bytes: Uint8Array = new Uint8Array()
  private view: DataView = new DataView(this.bytes.buffer)
  private at = 0

  /** Continues in `bytes` at `at`. */
  begin(bytes: Uint8Array, view: DataView, at: number): this {
    this.bytes = bytes
    this.view = view
    this.at = at
    return this
  }

  /** Reads the next value. */
  value(): unknown {
    const code = this.bytes[this.at++]!
    if (code < 0x80) return code
    if (code < 0x90) return this.map(code & 0x0f)
    if (code < 0xa0) return this.list(code & 0x0f)
    if (code < 0xc0) return this.string(code & 0x1f)
    if (code >= 0xe0) return code - 0x100
    return this.other(code)
  }

  /** Reads a little-endian number of four bytes, which is not MessagePack. */
  private uint32(): number {
    const at = this.at
    this.at = at + 4
    return this.view.getUint32(at, true)
  }

  /** Reads a piece of a result, appends its documents to `documents`, and returns how many are still to come. */
  piece(documents: unknown[]): number {
    const count = this.uint32()
    const left = this.uint32()
    for (let i = 0; i < count; i++) documents.push(this.value())
    return left
  }

  private other(code: number): unknown {
    const { view } = this
    const at = this.at
    switch (code) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
      case 0xd9:
        this.at = at + 1
        return code === 0xc4 ? this.binary(this.bytes[at]!) : this.string(this.bytes[at]!)
      case 0xc5:
      case 0xda:
      case 0xdc:
      case 0xde:
        this.at = at + 2
        return this.sized(code, view.getUint16(at))
      case 0xc6:
      case 0xdb:
      case 0xdd:
      case 0xdf:
        this.at = at + 4
        return this.sized(code - 1, view.getUint32(at))
      case 0xca:
        this.at = at + 4
        return view.getFloat32(at)
      case 0xcb:
        this.at = at + 8
        return view.getFloat64(at)
      case 0xcc:
        this.at = at + 1
        return this.bytes[at]
      case 0xcd:
        this.at = at + 2
        return view.getUint16(at)
      case 0xce:
        this.at = at + 4
        return view.getUint32(at)
      case 0xcf:
        this.at = at + 8
        return this.integer(view.getUint32(at), view.getUint32(at + 4))
      case 0xd0:
        this.at = at + 1
        return view.getInt8(at)
      case 0xd1:
        this.at = at + 2
        return view.getInt16(at)
      case 0xd2:
        this.at = at + 4
        return view.getInt32(at)
      case 0xd3:
        this.at = at + 8
        return this.integer(view.getInt32(at), view.getUint32(at + 4))
      case 0xd6:
        this.at = at + 5
        return new Date(view.getUint32(at + 1) * 1000)
      case 0xd7:
        this.at = at + 9
        return this.date((view.getUint32(at + 1) & 3) * 0x100000000 + view.getUint32(at + 5), view.getUint32(at + 1) >>> 2)
      case 0xc7:
        this.at = at + 14
        return this.date(Number(view.getBigInt64(at + 6)), view.getUint32(at + 2))
    }
    throw new AtomicDBError('internal', `the engine returned the byte ${code}, which starts no value`)
  }

  private sized(code16: number, size: number): unknown {
    switch (code16) {
      case 0xc5:
        return this.binary(size)
      case 0xda:
        return this.string(size)
      case 0xdc:
        return this.list(size)
    }
    return this.map(size)
  }

  private integer(high: number, low: number): number | bigint {
    const number = high * 0x100000000 + low
    return Number.isSafeInteger(number) ? number : (BigInt(high) << 32n) | BigInt(low)
  }

  private date(seconds: number, nanos: number): Date {
    return new Date(seconds * 1000 + Math.floor(nanos / 1e6))
  }

  private binary(size: number): Uint8Array {
    return this.bytes.slice(this.at, (this.at += size))
  }

  private list(length: number): unknown[] {
    const list: unknown[] = []
    for (let i = 0; i < length; i++) list.push(this.value())
    return list
  }

  private map(length: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    for (let i = 0; i < length; i++) {
      const code = this.bytes[this.at]!
      const key = code > 0xa0 && code < 0xc0 ? this.name(code & 0x1f) : (this.value() as string)
      object[key] = this.value()
    }
    return object
  }

  /**
   * Reads a field name of 1 to 31 bytes after its code. Most names have been
   * read before; to compare with such a string is faster than to make a new one.
   */
  private name(size: number): string {
    const { bytes } = this
    const start = this.at + 1
    this.at = start + size
    const slot = (size + bytes[start]! * 31 + bytes[start + (size >> 1)]! * 7 + bytes[start + size - 1]! * 127) & (names.length - 1)
    const known = names[slot]!
    if (known.length === size) {
      let i = 0
      while (i < size && known.charCodeAt(i) === bytes[start + i]) i++
      if (i === size) return known
    }
    const name = this.text(start, size)
    if (name.length === size) names[slot] = name // otherwise it is not ASCII
    return name
  }

  private string(size: number): string {
    const start = this.at
    this.at = start + size
    return this.text(start, size)
  }

  private text(start: number, size: number): string {
    const { bytes } = this
    if (size < units.length) {
      const codes = units[size]!
      let i = 0
      for (; i < size; i++) {
        const c = bytes[start + i]!
        if (c >= 0x80) break
        codes[i] = c
      }
      if (i === size) return String.fromCharCode.apply(null, codes)
    }
    return utf8.decode(bytes.subarray(start, start + size))
  }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** ASCII field names by a hash of three of their bytes; a newer name replaces an older one. */
const names = new Array<string>(1024).fill('')

/**
 * For each length, an array for the codes of a string. Below 40 characters this
 * takes 50 to 100 ns, a TextDecoder 130 to 180.
 */
const units = Array.from({ length: 40 }, (_, length) => new Array<number>(length).fill(0))

/** Reads the value at the start of `bytes`. */
export function decoded(bytes: Uint8Array): unknown {
  return new Decoder().begin(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0).value()
}
