import { AtomicDBError } from '../errors.js'

/**
 * The messages of a channel as text, with all values that documents hold. JSON lacks some: each is an object with one
 * field, whose name begins with `$`. An object of that shape is sent inside another.
 *
 * @throws `unsupported` if it is longer than a message may be.
 */
export function packedMessage(message: unknown): string {
  const text = JSON.stringify(lowered(message))
  if (text.length > maxMessage) throw new AtomicDBError('unsupported', `connect: the call takes ${text.length >> 20} MiB as a message; the limit is ${maxMessage >> 20} MiB: make several of it`)
  return text
}

/** Cloudflare takes messages of up to 32 MiB. */
const maxMessage = 30 << 20

/** @throws `invalid` if it is no message. */
export function unpackedMessage(text: unknown): any {
  try {
    return raised(JSON.parse(text as string))
  } catch (cause) {
    throw new AtomicDBError('invalid', 'the message is in no format of AtomicDB', { cause })
  }
}

function lowered(value: unknown): unknown {
  switch (typeof value) {
    case 'undefined':
      return { $undefined: 1 }
    case 'bigint':
      return { $bigint: String(value) }
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $number: Object.is(value, -0) ? '-0' : String(value) }
    case 'object':
      break
    default:
      return value
  }
  if (value === null) return null
  if (Array.isArray(value)) return Array.from(value, lowered)
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? null : value.getTime() }
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) }
  const object: Record<string, unknown> = Object.create(null)
  for (const [name, field] of Object.entries(value)) object[name] = lowered(field)
  return isTagged(object) ? { $object: object } : object
}

function raised(value: any): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(raised)
  if (!isTagged(value)) return raisedFields(value)
  const [[tag, inside]] = Object.entries(value) as [[string, any]]
  switch (tag) {
    case '$undefined':
      return undefined
    case '$bigint':
      return BigInt(inside)
    case '$number':
      return Number(inside)
    case '$date':
      return new Date(inside ?? NaN)
    case '$bytes':
      return fromBase64(inside)
    case '$object':
      return raisedFields(inside)
  }
  throw new SyntaxError(`there is no value ${tag}`)
}

function raisedFields(value: object): object {
  const object = {}
  // A field may be named __proto__.
  for (const [name, field] of Object.entries(value)) Object.defineProperty(object, name, { value: raised(field), enumerable: true, configurable: true, writable: true })
  return object
}

function isTagged(value: object): boolean {
  const names = Object.keys(value)
  return names.length === 1 && names[0]!.startsWith('$')
}

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += 0x8000) text += String.fromCharCode(...bytes.subarray(start, start + 0x8000))
  return btoa(text)
}

function fromBase64(text: string): Uint8Array {
  const chars = atob(text)
  const bytes = new Uint8Array(chars.length)
  for (let i = 0; i < chars.length; i++) bytes[i] = chars.charCodeAt(i)
  return bytes
}
