import { isField } from './builder.js'
import { Collated } from './collation.js'
import { Condition } from './condition.js'
import { encoding, type Encoder } from '../msgpack/encode.js'
import { describe, invalid } from '../errors.js'
import type { Stored } from '../types.js'

/** A condition that only JavaScript can answer. */
export type Predicate = (document: Stored<any>) => unknown

/** A copy of the condition that a write was called with. The write may run several times. */
export class Prepared {
  constructor(readonly bytes: Uint8Array) {}
}

/** Copies `where`, unless it is a function, which cannot be copied. */
export function prepared(where: unknown): Prepared | Predicate {
  return predicateOf(where) ?? new Prepared(encoding('where', (encoder) => (writeWhere(encoder, where), encoder.taken())))
}

/** The function that `where` is, if it is one. */
export function predicateOf(where: unknown): Predicate | undefined {
  if (typeof where !== 'function') return functionIn(where)
  if (isField(where)) throw invalid('where: expected a condition, not a field: say what must hold for it, as in q.age.gte(18)')
  return where as Predicate
}

/** The function of `{$where: function}`, which is called as MongoDB would call it. */
function functionIn(where: unknown): Predicate | undefined {
  if (typeof where !== 'object' || where === null || !Object.hasOwn(where, '$where') || !isFilter(where)) return undefined
  const { $where: test, ...others } = where as { $where: unknown }
  const [other] = Object.keys(others)
  if (typeof test !== 'function') throw invalid(`where.$where: expected a function of the document, not ${describe(test)}`)
  if (other !== undefined) throw invalid(`where.$where: expected it alone, found ${other} beside it; put that into the function`)
  return (document) => test.call(document, document) as unknown
}

/** Writes `where`, anything but a function, as the engine reads it. The argument is called `name` in messages. */
export function writeWhere(encoder: Encoder, where: unknown, name = 'where'): void {
  if (where === undefined) encoder.nil()
  else if (where instanceof Collated) writeCollated(encoder, where, name)
  else if (where instanceof Prepared) encoder.raw(where.bytes)
  else if (where instanceof Condition) encoder.value(where.node, name)
  else if (typeof where === 'string') encoder.value(where, name)
  else if (isFilter(where)) encoder.filter(where, name)
  else throw invalid(`${name}: expected a condition, text, a filter object or a function, not ${describe(where)}`)
}

function writeCollated(encoder: Encoder, { where, collation }: Collated, name: string): void {
  if (where === undefined) return writeWhere(encoder, where)
  encoder.array(3).string('collate').string(collation)
  writeWhere(encoder, where, name)
}

/** `where`, by a collation if there is one. A function compares as it likes. */
export function collatedWhere(where: unknown, { collation }: { readonly collation?: string | undefined }): unknown {
  return collation && !predicateOf(where) ? new Collated(where, collation) : where
}

/**
 * Throws if the condition of a call, which may be left out, was given as undefined: `given` arguments, of which it is
 * the last. With more arguments after it, undefined leaves it out.
 */
export function checkGiven(where: unknown, place: number, given: number, name = 'where'): void {
  if (where === undefined && given === place) throw invalid(`${name} is undefined; leave it out for all documents`)
}

/** Throws if a call has no condition that must have one. `instead` says what does the same to all documents. */
export function checkWhere(where: unknown, instead: string, name = 'where'): void {
  if (where === undefined) throw invalid(`${name}: expected a condition; ${instead}`)
}

/** Throws if the argument of `find` or `findOne` is not a filter. `any` is the call that takes each kind of condition. */
export function checkFilter(filter: unknown, any: string): void {
  if (filter === undefined || isFilter(filter)) return
  const isCondition = typeof filter === 'string' || typeof filter === 'function' || filter instanceof Condition
  const hint = isCondition ? `; ${any}() takes this` : typeof filter === 'number' || typeof filter === 'bigint' ? '; get() takes an _id' : ''
  throw invalid(`filter: expected a filter object, not ${describe(filter)}${hint}`)
}

function isFilter(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Condition) return false
  return Object.prototype.toString.call(value) === '[object Object]'
}
