import { describe, invalid } from './errors.js'

/** Refuses what is no name; `what` says whose. */
export function checkName(what: string, name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '') throw invalid(`${what}: expected a name, not ${describe(name)}`)
}

/** Refuses what has no options. */
export function checkOptionsObject(options: unknown): asserts options is object {
  if (typeof options !== 'object' || options === null) throw invalid(`options: expected an object, not ${describe(options)}`)
}

/** Refuses options of other names. */
export function checkKnown(options: unknown, known: readonly string[]): void {
  checkOptionsObject(options)
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw invalid(`options: there is no option ${name}; the options are ${known.join(', ')}`)
  }
}

/** Refuses what is no whole number from `least` to `most`; `what` says whose. */
export function checkCount(what: string, value: unknown, least: number, most: number): asserts value is number {
  if (!(Number.isInteger(value) && (value as number) >= least && (value as number) <= most)) {
    throw invalid(`${what}: expected a whole number from ${least} to ${most}, not ${describe(value)}`)
  }
}

/** Refuses what is no file. */
export function checkFile(file: unknown): asserts file is Uint8Array {
  if (!(file instanceof Uint8Array)) throw invalid(`file: expected a Uint8Array, not ${describe(file)}`)
}
