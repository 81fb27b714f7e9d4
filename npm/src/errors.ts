import { AtomicDBError, type ErrorCode } from './atomicdb-error.js'

export { AtomicDBError, type ErrorCode }

/**
 * @internal The engine has ended: it ran out of memory, met a fatal error, or its worker has died. As it is made, it is the
 * error of a call that was in flight, and says that the call may be repeated.
 */
export class EngineEndError extends AtomicDBError {
  constructor(
    readonly reason: string,
    cause?: unknown,
    code: ErrorCode = 'storage',
    what = 'before the call did',
    then = 'a write may be stored or not, and the next call starts the engine again',
  ) {
    super(code, `the engine has ended ${what}: ${reason}; ${then}`, { cause })
  }

  /** The error of the call that ran then. */
  ofCulprit(): EngineEndError {
    return this.as('internal', 'while it ran this call', 'the call is undone, and the next one starts the engine again')
  }

  /** The error of every later call of a database that does not come back. */
  forEver(code: 'internal' | 'closed', what: string): EngineEndError {
    return this.as(code, what, 'open the database again')
  }

  private as(code: ErrorCode, what: string, then: string): EngineEndError {
    return new EngineEndError(this.reason, this.cause, code, what, then)
  }
}

/** @internal The error for an argument that the caller can correct. */
export function invalid(message: string): AtomicDBError {
  return new AtomicDBError('invalid', message)
}

/** @internal The error for what this version cannot do. */
export function unsupported(message: string): AtomicDBError {
  return new AtomicDBError('unsupported', message)
}

/**
 * @internal What reading an argument has thrown: what a getter or a trap of the user throws, unchanged; for a proxy that
 * has been revoked, for which the host throws, an error that says so.
 */
export function readingError(name: string, thrown: unknown): unknown {
  return isThrown(thrown, TypeError) && /revoked/.test(messageOf(thrown)) ? invalid(`${name}: a proxy in it has been revoked`) : thrown
}

/** @internal Whether what a function of the user, which may throw anything, has thrown is an error of a class. */
export function isThrown<E extends Error>(thrown: unknown, type: new (...args: any[]) => E): thrown is E {
  try {
    return thrown instanceof type
  } catch {
    return false // a proxy that has been revoked
  }
}

/** @internal The message of what a function of the user, a storage or the host has thrown, which may be of any type. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown)
  } catch {
    return 'an error that cannot be read'
  }
}

/** @internal Names a value in an error message: "a function", "the number 3.5", `the text "x"`. */
export function describe(value: unknown): string {
  try {
    return described(value)
  } catch {
    return 'an object that cannot be read' // a proxy that was revoked, or whose traps throw
  }
}

function described(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'undefined'
    case 'boolean':
    case 'number':
    case 'bigint':
      return String(value)
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 39)}…` : value)
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
  }
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  const name = className(value as object)
  return name === 'Object' ? 'an object' : `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
}

/** @internal The name of an object's class, "Object" if it has none. */
export function className(value: object): string {
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (tag !== 'Object') return tag
  const { constructor } = value
  return (typeof constructor === 'function' && constructor.name) || 'Object'
}
