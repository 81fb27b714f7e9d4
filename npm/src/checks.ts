import { describe, invalid } from './errors.js'

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
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw invalid(`options: there is no option ${name}; the options are ${known.join(', ')}`)
  }
}

/** Throws if `value` is not a whole number from `min` to `max`. */
export function checkCount(what: string, value: unknown, min: number, max: number): asserts value is number {
  if (!(Number.isInteger(value) && (value as number) >= min && (value as number) <= max)) {
    throw invalid(`${what}: expected a whole number from ${min} to ${max}, not ${describe(value)}`)
  }
}

/** Throws if `file` is not the bytes of a file. */
export function checkFile(file: unknown): asserts file is Uint8Array {
  if (!(file instanceof Uint8Array)) throw invalid(`file: expected a Uint8Array, not ${describe(file)}`)
}
