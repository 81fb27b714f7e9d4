import { maxInput } from '../engine/ops.js'

/**
 * Appends MessagePack to a buffer that it keeps: scalars, and the headers of
 * arrays and maps, each in its shortest encoding. See {@link Encoder} for whole
 * values.
 */
export abstract class MessagePackWriter {
  /** How many bytes have been written. */
  length = 0

  /** The buffer. Its first `length` bytes are written, and borrowed until more are written. */
  bytes: Uint8Array = new Uint8Array(firstCapacity)
  private view = new DataView(this.bytes.buffer)

  /** Throws that the value being written cannot be stored. */
  protected abstract refuse(why: string): never

  /** The bytes written so far, borrowed until more are written. */
  borrowed(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  /** Copies the bytes written so far to `target`, from `at` on. */
  copyTo(target: Uint8Array, at: number): void {
    const { bytes, length } = this
    if (length > 64) {
      target.set(this.borrowed(), at)
      return
    }
    // Faster than to make the view that set needs.
    for (let i = 0; i < length; i++) target[at + i] = bytes[i]!
  }

  /** The bytes written so far, for the caller to keep. */
  taken(): Uint8Array {
    if (this.length < handOver) return this.bytes.slice(0, this.length)
    const taken = this.borrowed()
    this.bytes = new Uint8Array(Math.min(this.bytes.length, keptCapacity))
    this.view = new DataView(this.bytes.buffer)
    return taken
  }

  /** Writes the header of an array, whose elements follow. */
  array(length: number): this {
    this.room(5)
    if (length < 0x10) {
      this.bytes[this.length++] = 0x90 | length
    } else {
      this.header(0xdc, length)
    }
    return this
  }

  boolean(value: boolean): this {
    this.room(1)
    this.bytes[this.length++] = value ? 0xc3 : 0xc2
    return this
  }

  nil(): this {
    this.room(1)
    this.bytes[this.length++] = 0xc0
    return this
  }

  /** Writes the header of an array whose length is not known yet. Returns what closeArray needs. */
  openArray(): number {
    this.room(5)
    this.bytes[this.length] = 0xdd
    this.length += 5
    return this.length
  }

  closeArray(opened: number, length: number): this {
    this.view.setUint32(opened - 4, length)
    return this
  }

  /** Leaves room for the header of a map, whose pairs follow. Returns where it is. */
  protected openMap(): number {
    this.room(1)
    return this.length++
  }

  /**
   * Writes the header of the map of `count` pairs that starts at `start`, and moves them if it is longer than expected.
   */
  protected closeMap(start: number, count: number): void {
    if (count < 0x10) {
      this.bytes[start] = 0x80 | count
      return
    }
    const more = count < 0x10000 ? 2 : 4
    this.room(more)
    const end = this.length + more
    this.bytes.copyWithin(start + 1 + more, start + 1, this.length)
    this.length = start
    this.header(0xde, count)
    this.length = end
  }

  /** Whether a map starts at `start`. */
  protected isMapAt(start: number): boolean {
    const code = this.bytes[start]!
    return (code & 0xf0) === 0x80 || code === 0xde || code === 0xdf
  }

  /** Writes bytes that are MessagePack already. */
  raw(values: Uint8Array): this {
    this.room(values.length)
    this.bytes.set(values, this.length)
    this.length += values.length
    return this
  }

  number(value: number): this {
    this.room(9)
    const { bytes } = this
    let at = this.length
    if ((value | 0) === value) {
      if (value >= 0) {
        if (value < 0x80) {
          if (value === 0 && 1 / value < 0) {
            bytes[at] = 0xcb // -0 is no integer
            this.view.setFloat64(at + 1, value)
            at += 8
          } else {
            bytes[at] = value
          }
          at++
        } else if (value < 0x100) {
          bytes[at++] = 0xcc
          bytes[at++] = value
        } else if (value < 0x10000) {
          bytes[at++] = 0xcd
          bytes[at++] = value >> 8
          bytes[at++] = value
        } else {
          bytes[at++] = 0xce
          this.view.setUint32(at, value)
          at += 4
        }
      } else if (value >= -0x20) {
        bytes[at++] = value
      } else if (value >= -0x80) {
        bytes[at++] = 0xd0
        bytes[at++] = value
      } else if (value >= -0x8000) {
        bytes[at++] = 0xd1
        bytes[at++] = value >> 8
        bytes[at++] = value
      } else {
        bytes[at++] = 0xd2
        this.view.setInt32(at, value)
        at += 4
      }
    } else if (Number.isSafeInteger(value)) {
      if (value > 0 && value <= 0xffffffff) {
        bytes[at++] = 0xce
        this.view.setUint32(at, value)
        at += 4
      } else {
        bytes[at++] = value > 0 ? 0xcf : 0xd3
        this.view.setInt32(at, Math.floor(value / 0x100000000))
        this.view.setUint32(at + 4, value >>> 0)
        at += 8
      }
    } else {
      bytes[at++] = 0xcb
      this.view.setFloat64(at, value)
      at += 8
    }
    this.length = at
    return this
  }

  string(value: string): this {
    const units = value.length
    this.room(5 + 3 * units)
    return units < shortString ? this.shortString(value, units) : this.longString(value, units)
  }

  private shortString(value: string, units: number): this {
    const { bytes } = this
    const start = this.length + (units < 0x20 ? 1 : 2)
    let at = start
    for (let i = 0; i < units; i++) {
      let c = value.charCodeAt(i)
      if (c < 0x80) {
        bytes[at++] = c
        continue
      }
      if (c < 0x800) {
        bytes[at++] = 0xc0 | (c >> 6)
        bytes[at++] = 0x80 | (c & 0x3f)
        continue
      }
      if ((c & 0xf800) === 0xd800) {
        const low = c < 0xdc00 && i + 1 < units ? value.charCodeAt(++i) : 0
        if ((low & 0xfc00) !== 0xdc00) this.refuse(loneSurrogate)
        c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff)
        bytes[at++] = 0xf0 | (c >> 18)
        bytes[at++] = 0x80 | ((c >> 12) & 0x3f)
      } else {
        bytes[at++] = 0xe0 | (c >> 12)
      }
      bytes[at++] = 0x80 | ((c >> 6) & 0x3f)
      bytes[at++] = 0x80 | (c & 0x3f)
    }
    this.finishString(start, at - start)
    return this
  }

  private longString(value: string, units: number): this {
    if (!isWellFormed(value)) this.refuse(loneSurrogate)
    const start = this.length + (units < 0x100 ? 2 : units < 0x10000 ? 3 : 5)
    this.finishString(start, utf8.encodeInto(value, this.bytes.subarray(start)).written)
    return this
  }

  /**
   * Puts the header before a string that has been written at `start`, and moves it if the header is longer than
   * expected.
   */
  private finishString(start: number, size: number): void {
    const { bytes } = this
    const header = size < 0x20 ? 1 : size < 0x100 ? 2 : size < 0x10000 ? 3 : 5
    if (start !== this.length + header) bytes.copyWithin(this.length + header, start, start + size)
    if (header === 1) {
      bytes[this.length++] = 0xa0 | size
    } else if (header === 2) {
      bytes[this.length++] = 0xd9
      bytes[this.length++] = size
    } else {
      this.header(0xda, size)
    }
    this.length += size
  }

  bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value) this.refuse(`is ${value}, outside the range of a 64-bit integer`)
    const number = Number(value)
    if (Number.isSafeInteger(number)) {
      this.number(number)
      return
    }
    this.room(9)
    this.bytes[this.length] = value > 0 ? 0xcf : 0xd3
    this.view.setBigInt64(this.length + 1, value) // of a uint64, the same bits
    this.length += 9
  }

  /** A timestamp in the shortest of its three encodings. */
  date(millis: number): void {
    if (Number.isNaN(millis)) this.refuse('is an invalid Date')
    const seconds = Math.floor(millis / 1000)
    const nanos = (millis - seconds * 1000) * 1e6
    this.room(15)
    const { view } = this
    const at = this.length
    if (seconds < 0 || seconds >= 0x400000000) {
      view.setUint32(at, 0xc70cff00)
      view.setUint32(at + 3, nanos)
      view.setBigInt64(at + 7, BigInt(seconds))
      this.length += 15
    } else if (nanos !== 0 || seconds > 0xffffffff) {
      view.setUint16(at, 0xd7ff)
      view.setBigUint64(at + 2, (BigInt(nanos) << 34n) | BigInt(seconds))
      this.length += 10
    } else {
      view.setUint16(at, 0xd6ff)
      view.setUint32(at + 2, seconds)
      this.length += 6
    }
  }

  binary(value: Uint8Array): void {
    const size = value.byteLength
    this.room(5 + size)
    if (size < 0x100) {
      this.bytes[this.length++] = 0xc4
      this.bytes[this.length++] = size
    } else {
      this.header(0xc5, size)
    }
    this.bytes.set(value, this.length)
    this.length += size
  }

  /** Writes a count in 2 bytes after `code16`, or in 4 after the code that follows it. */
  private header(code16: number, count: number): void {
    if (count < 0x10000) {
      this.bytes[this.length] = code16
      this.view.setUint16(this.length + 1, count)
      this.length += 3
    } else {
      this.bytes[this.length] = code16 + 1
      this.view.setUint32(this.length + 1, count)
      this.length += 5
    }
  }

  private room(size: number): void {
    if (this.length + size > this.bytes.length) this.grow(this.length + size)
  }

  private grow(min: number): void {
    if (min > maxInput) this.refuse(`makes the argument larger than ${maxInput >> 20} MiB`)
    const bytes = new Uint8Array(Math.min(maxInput, Math.max(min, 2 * this.bytes.length)))
    bytes.set(this.borrowed())
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
  }

}

const firstCapacity = 8 << 10
const keptCapacity = 1 << 20
/** From this length on, it is cheaper to give the buffer away than to copy it. */
const handOver = 64 << 10
/**
 * From this length on, in UTF-16 units, encodeInto is faster than a loop: it takes 300 ns in Chromium for any text, the
 * loop 2 ns a unit.
 */
const shortString = 160

const loneSurrogate = 'holds a lone surrogate, half of a character, which UTF-8 cannot hold'

const utf8 = new TextEncoder()

/** Whether every surrogate of `text` is half of a pair. */
export const isWellFormed: (text: string) => boolean =
  'isWellFormed' in String.prototype
    ? (text) => (text as string & { isWellFormed(): boolean }).isWellFormed()
    : (text) => !/\p{Surrogate}/u.test(text)
