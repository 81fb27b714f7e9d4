import { describe, invalid, readingError } from './errors.js'

/** Throws if `name` is not a name: a string with at least one character. Messages call it `what`, as all the messages here. */
export function checkName(what: string, name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '') throw invalid(`${what}: expected a name, not ${describe(name)}`)
}

/** Throws if `options` is not an object. */
export function checkOptionsObject(options: unknown): asserts options is object {
  if (typeof options !== 'object' || options === null) throw invalid(`options: expected an object, not ${describe(options)}`)
}

/** Throws if `options` has an option that is not `known`. */
export function checkKnown(options: unknown, known: readonly string[]): void {
  checkOptionsObject(options)
  checkNames('options', 'option', options, known)
}

/** Throws if `object` has a name that is not `known`; `kind` is what messages call what has a name. */
export function checkNames(what: string, kind: string, object: object, known: readonly string[]): void {
  for (const name of namesIn(what, object)) {
    if (!known.includes(name)) throw invalid(`${what}: there is no ${kind} ${name}; the ${kind === 'property' ? 'properties' : `${kind}s`} are ${known.join(', ')}`)
  }
}

function namesIn(what: string, object: object): string[] {
  try {
    return Object.keys(object)
  } catch (error) {
    throw readingError(what, error)
  }
}

/** The names in what may be an object, for hints about it. None if it cannot be read: what uses it says why. */
export function namesOf(value: unknown): string[] {
  try {
    return typeof value === 'object' && value !== null ? Object.keys(value) : []
  } catch {
    return []
  }
}

/** A copy of `options`, which must have no others than those that are `known`. Each is read once: a getter may answer twice differently. */
export function takenOptions<O extends object>(options: O, known: readonly (keyof O & string)[]): O {
  checkKnown(options, known)
  const taken = {} as O
  for (const name of known) {
    const value = options[name]
    if (value !== undefined) taken[name] = value
  }
  return taken
}

const maxListed = 100_000

/** A copy of a list of names or paths, of at most 100,000. The length that a proxy tells may be without end. */
export function takenList(what: string, value: readonly unknown[]): unknown[] {
  const { length } = value
  if (!(length <= maxListed)) throw invalid(`${what}: has ${String(length)} elements; the limit is ${maxListed}`)
  return Array.from({ length }, (_, i) => value[i])
}

/** Throws if `value` is not a whole number from `min` to `max`. */
export function checkCount(what: string, value: unknown, min: number, max: number): asserts value is number {
  if (!(Number.isInteger(value) && (value as number) >= min && (value as number) <= max)) {
    throw invalid(`${what}: expected a whole number from ${min} to ${max}, not ${describe(value)}`)
  }
}

/** Throws if `seq` is not the number of a batch. */
export function checkSeq(what: string, seq: unknown, min = 1): asserts seq is number {
  checkCount(what, seq, min, Number.MAX_SAFE_INTEGER)
}

/** Whether `value` is an object of a class. For a proxy that has been revoked, `instanceof` would throw the host's error. */
export function isA(what: string, value: unknown, type: Function): boolean {
  try {
    return value instanceof type
  } catch (error) {
    throw readingError(what, error)
  }
}

/** Throws unless `value` is an AbortSignal. */
export function checkSignal(what: string, value: unknown): asserts value is AbortSignal {
  if (!isA(what, value, AbortSignal)) throw invalid(`${what}: expected an AbortSignal, not ${describe(value)}`)
}

/** Whether `value` is a Uint8Array. Of a proxy, which is none, nothing is read. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && value instanceof Uint8Array
}

const { get: kindOf } = getterOf(Symbol.toStringTag)
const { get: bufferOf } = getterOf('buffer')
const { get: offsetOf } = getterOf('byteOffset')
const { get: lengthOf } = getterOf('byteLength')

function getterOf(name: string | symbol): { get(this: unknown): any } {
  return Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), name) as { get(this: unknown): any }
}

/**
 * A view of the same bytes that has nothing but them: an object may have properties of its own, which would throw in Go.
 * Undefined if `bytes` is no Uint8Array, or its buffer was transferred.
 */
export function plainBytes(bytes: unknown): Uint8Array | undefined {
  if (kindOf.call(bytes) !== 'Uint8Array') return undefined
  try {
    return new Uint8Array(bufferOf.call(bytes), offsetOf.call(bytes), lengthOf.call(bytes))
  } catch {
    return undefined
  }
}

/** A view of the bytes that were given. Throws if they are none, or their buffer was transferred. */
export function takenBytes(what: string, value: unknown): Uint8Array {
  const bytes = plainBytes(value)
  if (!bytes) throw invalid(`${what}: expected a Uint8Array, not ${isBytes(value) ? 'one whose buffer was transferred' : describe(value)}`)
  return bytes
}

/** Throws if `value` is not a function. */
export function checkFunction(what: string, value: unknown): void {
  if (typeof value !== 'function') throw invalid(`${what}: expected a function, not ${describe(value)}`)
}

/** Whether two arrays have the same bytes. The time it takes does not depend on where they differ. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let different = a.length ^ b.length
  for (let i = 0; i < a.length && i < b.length; i++) different |= a[i]! ^ b[i]!
  return different === 0
}
