import { checkKnown } from '../checks.js'
import { describe, invalid } from '../errors.js'
import { isMap } from './paths.js'
import type { Collation } from '../types.js'

/** A condition that compares by a collation. */
export class Collated {
  constructor(readonly where: unknown, readonly collation: string) {}
}

/** The name of a collation in the engine; undefined if there is none. `what` is the argument, for messages. */
export function collationOf(what: string, collation: unknown): string | undefined {
  if (collation === undefined) return undefined
  if (!isMap(collation)) throw invalid(`${what}: expected an object such as {strength: 2}, not ${describe(collation)}`)
  checkKnown(collation, ['locale', 'strength', 'numeric'])
  const { locale = 'en', strength = 3, numeric = false } = collation as Collation
  if (locale !== 'en' && (locale as string) !== 'und') throw invalid(`${what}.locale: the engine has the order of 'en' and 'und' alone, not that of ${describe(locale)}`)
  if (strength !== 1 && strength !== 2 && strength !== 3) throw invalid(`${what}.strength: expected 1, 2 or 3, not ${describe(strength)}`)
  if (typeof numeric !== 'boolean') throw invalid(`${what}.numeric: expected true or false, not ${describe(numeric)}`)
  return `strength${strength}${numeric ? 'numeric' : ''}`
}

/** The path that reaches the keys of what `path` reaches, as an index has them. */
export const collatedPath = (path: string, collation: string | undefined) => (collation ? `${path}\\${collation}` : path)
