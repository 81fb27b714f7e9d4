import { className, describe, invalid, readingError } from '../errors.js'
import { maxInput } from '../engine/ops.js'
import { MessagePackWriter } from './writer.js'
import { isRegExp, patternOf } from './regexp.js'

/**
 * Writes JavaScript values as MessagePack.
 *
 * Values of JSON are stored as JSON stores them: properties that are undefined
 * are left out, holes in arrays are null, and an instance of a class is its own
 * properties or what its toJSON returns. It also stores NaN, the infinities, -0,
 * Date, bigint in the range of int64 and uint64, and the bytes of an ArrayBuffer
 * or of any view of one, which come back as a Uint8Array. Every other value is
 * `invalid`, and the message names the place: "documents[3].tags[1] is a function".
 *
 * msgpackr would need a second walk through each value for the same: it writes
 * integers from 2^32 on as floats, changes long text with a lone surrogate, has
 * extensions of its own for undefined, Set, RegExp and Error, and runs out of
 * stack in a cycle. For 170-byte and 90-byte documents in Node 20, msgpackr 2.1
 * takes 0.77 and 0.47 us to write one without that walk, and 2.0 and 0.55 us to
 * read one of many. This and {@link Decoder} take 0.61 and 0.35, 0.64 and 0.40,
 * in 25 kB less source.
 */
export class Encoder extends MessagePackWriter {
  private name = '' // of the argument being written, for messages
  private readonly path: (string | number)[] = [] // to the value being written
  private depth = 0 // how much of path is in use
  private root: unknown
  private inFilter = false // where a RegExp has a meaning
  private withoutUndefined: string | undefined // undefined is refused; what to do instead, for messages
  private polluted = false // Object.prototype has enumerable properties, which are not fields

  /** Starts again. `name` is the argument that is written now. */
  begin(name: string): this {
    this.length = 0
    this.depth = 0
    this.name = name
    this.inFilter = false
    this.withoutUndefined = undefined
    this.polluted = isPolluted()
    return this
  }

  /** Writes any value. The argument is called `name` in messages. */
  value(value: unknown, name = this.name): this {
    this.name = name
    this.root = value
    this.depth = 0
    this.write(value)
    return this
  }

  /**
   * Writes a filter, in which a RegExp becomes {$regex, $options}. A property
   * that is undefined is refused: without it, `{owner: undefined}` would mean
   * every document.
   */
  filter(filter: object, name: string): this {
    this.inFilter = true
    this.operand(filter, name)
    this.inFilter = false
    return this
  }

  /** Writes a value that is asked for, in which undefined is refused at every depth: as null, it would ask for null. */
  operand(value: unknown, name: string): this {
    return this.strictly('', () => this.value(value, name))
  }

  /** Does `write`, refusing undefined at every depth. `instead` is the end of the message. */
  private strictly(instead: string, write: () => this): this {
    this.withoutUndefined = instead
    write()
    this.withoutUndefined = undefined
    return this
  }

  /** Writes a value that must be an object, as documents and updates are. */
  object(value: unknown, name: string): this {
    const start = this.length
    this.value(value, name)
    this.checkMap(start, value)
    return this
  }

  /**
   * Writes a change, as update takes it. Undefined in it is refused: left out,
   * it would change nothing, without a word. Its $pull is a filter, and is
   * written as one first.
   */
  change(change: unknown, name: string): this {
    const pulled = typeof change === 'object' && change !== null ? (change as { $pull?: unknown }).$pull : undefined
    if (typeof pulled === 'object' && pulled !== null) encoding(name, (encoder) => encoder.filter(pulled, `${name}.$pull`))
    return this.strictly('; $unset removes a field', () => this.object(change, name))
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
    this.checkMap(start, value)
    return this
  }

  /** Throws if `value`, which is written at `start`, has not become a map. */
  private checkMap(start: number, value: unknown): void {
    if (!this.isMapAt(start)) this.refuse(`must be an object, not ${describe(value)}`)
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
    if (this.depth === 0 || this.withoutUndefined !== undefined) this.refuseUndefined()
    this.nil() // a hole of an array
  }

  private writeObject(value: object): void {
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) this.map(this.polluted ? ownFields(value) : (value as Record<string, unknown>))
    else if (Array.isArray(value)) this.list(value)
    else if (prototype === null) this.map(value as Record<string, unknown>)
    else this.instance(value)
  }

  private list(list: readonly unknown[]): void {
    this.descend()
    const { length } = list
    if (!(length <= maxInput)) this.refuse(`has ${String(length)} elements; the limit is ${maxInput}`) // a proxy may say anything
    this.array(length)
    const at = this.depth++
    for (let i = 0; i < length; i++) {
      this.path[at] = i
      this.write(list[i])
    }
    this.depth = at
  }

  /**
   * Writes an object that inherits no enumerable property. To read a property
   * by the name that for-in has just given takes no look-up, so this is a third
   * faster than a loop over Object.keys.
   */
  private map(object: Record<string, unknown>): void {
    this.descend()
    const start = this.openMap()
    let count = 0
    const at = this.depth++
    for (const key in object) {
      const value = object[key]
      if (value === undefined) {
        if (this.withoutUndefined === undefined) continue
        this.path[at] = key
        this.refuseUndefined()
      }
      count++
      this.path[at] = key
      if (key === '__proto__') this.refuse('is a field that objects cannot hold safely')
      this.string(key)
      this.write(value)
    }
    this.depth = at
    this.closeMap(start, count)
  }

  /**
   * Writes an object that is neither plain nor an array.
   *
   * @param isJSON Whether `value` is the result of a toJSON; its own toJSON is not called then.
   */
  private instance(value: object, isJSON = false): void {
    if (ArrayBuffer.isView(value)) {
      if (value.byteLength === 0 && isDetached(value.buffer)) this.refuse(`is ${describe(value)} whose buffer was transferred`)
      this.binary(value instanceof Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
      return
    }
    // Not instanceof: a value may come from another realm, such as a frame.
    const tag = Object.prototype.toString.call(value)
    switch (tag) {
      case '[object Date]':
        if (!isDate(value)) break
        this.date(timeOf.call(value))
        return
      case '[object ArrayBuffer]':
      case '[object SharedArrayBuffer]':
        if (!isBuffer(value)) break
        if (value.byteLength === 0 && isDetached(value)) this.refuse(`is ${describe(value)} that was transferred`)
        this.binary(new Uint8Array(value))
        return
      case '[object RegExp]':
        if (!this.inFilter || !isRegExp(value)) break
        this.writeObject({ $regex: patternOf(value) })
        return
    }
    const { toJSON } = value as { toJSON?: unknown }
    if (toJSON === Date.prototype.toJSON) this.refuse('is a proxy of a Date')
    if (typeof toJSON === 'function' && !isJSON) {
      const json: unknown = toJSON.call(value, '')
      if (typeof json === 'object' && json !== null && !isPlain(json)) this.instance(json, true)
      else this.write(json)
      return
    }
    if (tag !== '[object Object]') this.refuse(`is ${describe(value)}${instead[className(value)] ?? ''}`)
    this.map(ownFields(value))
  }

  /** Throws for a cycle, and for an object without end. The engine checks the depth of other values. */
  private descend(): void {
    if (this.depth < maxDepth) return
    const seen = new Map<unknown, number>()
    let value = this.root
    for (let i = 0; i < this.depth; i++) {
      const above = value === undefined ? undefined : seen.get(value)
      if (above !== undefined) {
        this.depth = i
        this.refuse(`is a cycle: it is ${this.place(above)} itself`)
      }
      seen.set(value, i)
      value = (value as Record<string | number, unknown> | undefined)?.[this.path[i]!] // undefined behind a toJSON
    }
    this.depth = 4
    this.refuse(`goes on for more than ${maxDepth} levels`)
  }

  private refuseUndefined(): never {
    this.refuse(`is undefined${this.depth === 0 ? '' : (this.withoutUndefined ?? '')}`)
  }

  protected override refuse(why: string): never {
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

/** The engine accepts no document as deep as this, whatever its options. */
const maxDepth = 1100

/** By class: what to store instead of an instance. */
const instead: Record<string, string> = {
  Map: '; Object.fromEntries makes an object of it',
  Set: '; spread it into an array',
  Blob: '; await bytesOf(it) makes bytes of it',
  File: '; await bytesOf(it) makes bytes of it',
  RegExp: '; matches(pattern) and $regex take one',
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}

/** An object that has the own enumerable properties of `value` and inherits none. */
function ownFields(value: object): Record<string, unknown> {
  const fields = Object.create(null) as Record<string, unknown>
  for (const key of Object.keys(value)) fields[key] = (value as Record<string, unknown>)[key]
  return fields
}

function isPolluted(): boolean {
  for (const _ in Object.prototype) return true
  return false
}

function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    return new Uint8Array(buffer).length < 0
  } catch {
    return true
  }
}

/** Whether `value` is an ArrayBuffer, and not an object that calls itself one. */
function isBuffer(value: object): value is ArrayBufferLike {
  try {
    return new Uint8Array(value as ArrayBuffer).buffer === value
  } catch {
    return true // it was transferred
  }
}

const timeOf = Date.prototype.getTime

/** Whether `value` is a Date, and not an object that calls itself one. */
function isDate(value: object): value is Date {
  try {
    timeOf.call(value)
    return true
  } catch {
    return false
  }
}

let idle: Encoder | undefined

/**
 * Lends an encoder to `use`. A toJSON or a getter may start another encoding
 * meanwhile, which then gets another encoder.
 */
export function encoding<R>(name: string, use: (encoder: Encoder) => R): R {
  const encoder = idle ?? new Encoder()
  idle = undefined
  try {
    return use(encoder.begin(name))
  } catch (error) {
    throw readingError(name, error)
  } finally {
    idle = encoder
  }
}
