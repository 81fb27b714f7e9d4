import { className, describe, invalid } from './errors.js'
import { patternOf } from './pattern.js'

/**
 * Writes JavaScript values as MessagePack, into a buffer that it keeps for the
 * next value.
 *
 * What JSON can say is stored as JSON would (properties that are undefined are
 * left out, holes in arrays are null, an instance of a class is its own
 * properties or what its toJSON returns), and besides: NaN, the infinities,
 * Date, Uint8Array, and bigint in the range of int64. -0 is stored as 0.
 * Everything else is `invalid`, and the message names the place:
 * "documents[3].tags[1] is a function".
 *
 * msgpackr is not used for this. It writes integers from 2^32 on as floats,
 * long strings with a lone surrogate changed, undefined, Set, RegExp and Error
 * as extensions of its own, and runs out of stack in a cycle; checking for all
 * of that first costs more than the encoding. Measured on 150-byte documents,
 * Node 20: this 0.45 us, msgpackr 2.1 0.75 us, with such a check 1.2 us.
 */
export class Encoder {
  /** How many bytes have been written. */
  length = 0

  private bytes = new Uint8Array(firstCapacity)
  private view = new DataView(this.bytes.buffer)
  private name = '' // of the argument being written, for messages
  private readonly path: (string | number)[] = [] // to the value being written
  private depth = 0 // how much of path is in use
  private root: unknown
  private inFilter = false // where a RegExp has a meaning

  /** Starts again; what is written now is the argument of that name. */
  begin(name: string): this {
    this.length = 0
    this.depth = 0
    this.name = name
    this.inFilter = false
    return this
  }

  /** The bytes written since begin, borrowed until the next begin. */
  borrowed(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  /** Copies the bytes written since begin to `target`, from `at` on. */
  copyTo(target: Uint8Array, at: number): void {
    const { bytes, length } = this
    if (length > 64) {
      target.set(this.borrowed(), at)
      return
    }
    // Faster than the view that set needs.
    for (let i = 0; i < length; i++) target[at + i] = bytes[i]!
  }

  /** The bytes written since begin, for the caller to keep. */
  taken(): Uint8Array {
    if (this.length < handOver) return this.bytes.slice(0, this.length)
    const taken = this.borrowed()
    this.bytes = new Uint8Array(Math.min(this.bytes.length, keptCapacity))
    this.view = new DataView(this.bytes.buffer)
    return taken
  }

  /** Writes any value. The argument is called `name` in messages. */
  value(value: unknown, name = this.name): this {
    this.name = name
    this.root = value
    this.depth = 0
    this.write(value)
    return this
  }

  /** Writes a filter, in which a RegExp becomes {$regex, $options}. */
  filter(filter: object, name: string): this {
    this.inFilter = true
    this.value(filter, name)
    this.inFilter = false
    return this
  }

  /** Writes a value that must be an object, as documents and updates are. */
  object(value: unknown, name: string): this {
    const start = this.length
    this.value(value, name)
    this.needMap(start, value)
    return this
  }

  /** Writes `list[i]`, which must be an object. The list is called `name` in messages. */
  element(list: readonly unknown[], i: number, name: string): this {
    const start = this.length
    this.name = name
    this.root = list
    this.path[0] = i
    this.depth = 1
    const value = list[i]
    this.write(value)
    this.needMap(start, value)
    return this
  }

  /** Writes the header of an array whose length is not known yet, and returns what closeArray needs. */
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

  /** Writes values that are MessagePack already. */
  raw(values: Uint8Array): this {
    this.room(values.length)
    this.bytes.set(values, this.length)
    this.length += values.length
    return this
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

  number(value: number): this {
    this.room(9)
    const { bytes } = this
    let at = this.length
    if ((value | 0) === value) {
      if (value >= 0) {
        if (value < 0x80) {
          bytes[at++] = value
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

  /** Puts the header before a string that has been written at `start`, and moves it if the header is longer than expected. */
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

  /** Refuses `value`, written at `start`, if that has not made it a map. */
  private needMap(start: number, value: unknown): void {
    const code = this.bytes[start]!
    if ((code & 0xf0) !== 0x80 && code !== 0xde && code !== 0xdf) this.refuse(`must be an object, not ${describe(value)}`)
  }

  private write(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.string(value)
        return
      case 'number':
        this.number(value)
        return
      case 'boolean':
        this.boolean(value)
        return
      case 'object':
        if (value === null) this.nil()
        else this.writeObject(value)
        return
      case 'bigint':
        this.bigint(value)
        return
      case 'function':
        this.refuse('is a function')
        break
      case 'symbol':
        this.refuse('is a symbol')
    }
    if (this.depth === 0) this.refuse('is undefined')
    this.nil() // a hole of an array
  }

  private writeObject(value: object): void {
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) this.map(value as Record<string, unknown>)
    else if (Array.isArray(value)) this.list(value)
    else if (prototype === null) this.map(value as Record<string, unknown>)
    else this.instance(value)
  }

  private list(list: readonly unknown[]): void {
    this.descend()
    const { length } = list
    this.array(length)
    const at = this.depth++
    for (let i = 0; i < length; i++) {
      this.path[at] = i
      this.write(list[i])
    }
    this.depth = at
  }

  private map(object: Record<string, unknown>): void {
    this.descend()
    const keys = Object.keys(object)
    let count = keys.length
    const start = this.length
    this.room(5)
    if (count < 0x10) this.bytes[this.length++] = 0x80 | count
    else this.header(0xde, count)

    const at = this.depth++
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      const value = object[key]
      if (value === undefined) {
        count--
        continue
      }
      this.path[at] = key
      if (key === '__proto__') this.refuse('is a field that objects cannot hold safely')
      this.string(key)
      this.write(value)
    }
    this.depth = at
    if (count < keys.length) this.setCount(start, count)
  }

  /** Changes the count of the map that starts at `start`, leaving the width of its header. */
  private setCount(start: number, count: number): void {
    const code = this.bytes[start]!
    if (code === 0xdf) this.view.setUint32(start + 1, count)
    else if (code === 0xde) this.view.setUint16(start + 1, count)
    else this.bytes[start] = 0x80 | count
  }

  /**
   * Writes what is neither a plain object nor an array.
   *
   * @param answered Whether `value` is what a toJSON has returned, and is not asked again.
   */
  private instance(value: object, answered = false): void {
    // The tag and not instanceof: a value may come from another realm, such as a frame.
    const tag = Object.prototype.toString.call(value)
    switch (tag) {
      case '[object Date]':
        this.date((value as Date).getTime())
        return
      case '[object Uint8Array]':
        this.binary(value as Uint8Array)
        return
      case '[object RegExp]':
        if (!this.inFilter) break
        this.map({ $regex: patternOf(value as RegExp) })
        return
    }
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON === 'function' && !answered) {
      const json: unknown = toJSON.call(value, '')
      if (typeof json === 'object' && json !== null && !isPlain(json)) this.instance(json, true)
      else this.write(json)
      return
    }
    if (tag !== '[object Object]') this.refuse(`is ${describe(value)}${instead[className(value)] ?? ''}`)
    this.map(value as Record<string, unknown>)
  }

  private bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) this.refuse(`is ${value}, outside the range of a 64-bit integer`)
    const number = Number(value)
    if (Number.isSafeInteger(number)) {
      this.number(number)
      return
    }
    this.room(9)
    this.bytes[this.length] = value > 0 ? 0xcf : 0xd3
    this.view.setBigInt64(this.length + 1, value)
    this.length += 9
  }

  /** A timestamp in the shortest of its three encodings. */
  private date(millis: number): void {
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

  private binary(value: Uint8Array): void {
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

  private grow(least: number): void {
    if (least > maxCapacity) this.refuse(`makes the argument larger than ${maxCapacity >> 20} MiB`)
    const bytes = new Uint8Array(Math.min(maxCapacity, Math.max(least, 2 * this.bytes.length)))
    bytes.set(this.borrowed())
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
  }

  /** Stops what never ends. Depth that does end is the engine's to judge. */
  private descend(): void {
    if (this.depth < maxDepth) return
    const seen = new Map<unknown, number>()
    let value = this.root
    for (let i = 0; i < this.depth; i++) {
      const above = seen.get(value)
      if (above !== undefined) {
        this.depth = i
        this.refuse(`is a cycle: it is ${this.place(above)} itself`)
      }
      seen.set(value, i)
      value = (value as Record<string | number, unknown>)[this.path[i]!]
    }
    this.depth = 4
    this.refuse(`goes on for more than ${maxDepth} levels`)
  }

  private refuse(why: string): never {
    throw invalid(`${this.place(this.depth)} ${why}`)
  }

  /** The first `depth` steps of the path as JavaScript would write them. */
  private place(depth: number): string {
    let text = this.name
    for (const step of this.path.slice(0, depth)) {
      if (typeof step === 'number') text += `[${step}]`
      else text += /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
    }
    return text
  }
}

const firstCapacity = 8 << 10
const keptCapacity = 1 << 20
/** From here on it is cheaper to give the buffer away than to copy it. */
const handOver = 64 << 10
/** The most that one call of the engine takes. */
const maxCapacity = 256 << 20
/** Deeper than any document the engine can be told to accept. */
const maxDepth = 1000
/** UTF-16 units from which encodeInto is faster than a loop. */
const shortString = 40

const loneSurrogate = 'holds a lone surrogate, half of a character, which UTF-8 cannot hold'

const instead: Record<string, string> = {
  Map: '; Object.fromEntries makes an object of it',
  Set: '; spread it into an array',
  ArrayBuffer: '; wrap it in a Uint8Array',
  RegExp: '; matches(pattern) and $regex take one',
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}

const utf8 = new TextEncoder()

/** Whether every surrogate of `text` is half of a pair. */
const isWellFormed: (text: string) => boolean =
  'isWellFormed' in String.prototype
    ? (text) => (text as string & { isWellFormed(): boolean }).isWellFormed()
    : (text) => !/\p{Surrogate}/u.test(text)

let idle: Encoder | undefined

/**
 * Lends `use` an encoder. A toJSON or a getter may start another encoding in
 * the middle of it, so the idle one is taken away meanwhile.
 */
export function encoding<R>(name: string, use: (encoder: Encoder) => R): R {
  const encoder = idle ?? new Encoder()
  idle = undefined
  try {
    return use(encoder.begin(name))
  } finally {
    idle = encoder
  }
}
