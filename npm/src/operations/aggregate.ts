import { checkNames } from '../checks.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import { Op } from '../engine/ops.js'
import { takenList } from '../checks.js'
import { describe, invalid } from '../errors.js'
import { encoding, type Encoder } from '../msgpack/encode.js'
import { collatedPath, collationOf } from '../query/collation.js'
import { collatedSort, countOf, sortOf } from '../query/find-options.js'
import { namesOf } from '../query/paths.js'
import type { Aggregate } from '../query/types.js'
import { collatedWhere, writeWhere } from '../query/where.js'
import { collectionName } from './collection-name.js'
import { conditionOf } from './reads.js'

/** The operators in `select`. The engine's names are without the $. */
const operators = ['$count', '$sum', '$avg', '$min', '$max', '$first', '$last', '$distinct', '$countDistinct']

/** Those of them that compare values. */
const comparing = ['min', 'max', 'distinct', 'countDistinct']

const known = ['where', 'groupBy', 'select', 'having', 'sort', 'skip', 'limit', 'collation']

/** Groups documents. Calls the engine at once, as the functions of reads.ts do; returns one row for each group. */
export function aggregate(engine: EngineCalls, collection: unknown, pipeline: unknown): any[] {
  const { where, writeGroups } = aggregation(pipeline)
  const condition = conditionOf(engine, collection, where)
  return encoding('arguments', (encoder) => {
    encoder.array(8).string(collectionName(collection))
    writeWhere(encoder, condition)
    return engine.cachedRows(Op.aggregate, writeGroups(encoder))
  })
}

/** An aggregate: which documents it is about, and how the arguments after their condition are checked and written. */
export function aggregation(pipeline: unknown): { readonly where: unknown; readonly writeGroups: (encoder: Encoder) => Encoder } {
  const { where, having, sort, skip, limit, ...given } = checked(pipeline)
  const collation = collationOf('aggregate.collation', given.collation)
  const groupBy = groupsOf(given.groupBy)?.map((path) => collatedPath(path, collation)) ?? null
  const select = outputsOf(given.select).map(([name, op, path]) => [name, op, comparing.includes(op) ? collatedPath(path, collation) : path])
  const writeGroups = (encoder: Encoder) => {
    encoder.value(groupBy).value(select)
    if (typeof having === 'function') throw invalid('aggregate.having: expected a filter on the rows; a function can filter the rows that are returned')
    writeWhere(encoder, collatedWhere(having, { collation }), 'aggregate.having')
    encoder.value(collatedSort(sortOf(sort, 'aggregate'), collation))
    return encoder.number(countOf(skip, 'aggregate.skip', 'rows') ?? 0).number(countOf(limit, 'aggregate.limit', 'rows') ?? -1)
  }
  return { where: collatedWhere(where, { collation }), writeGroups }
}

function checked(pipeline: unknown): Aggregate {
  if (typeof pipeline !== 'object' || pipeline === null || Array.isArray(pipeline)) {
    throw invalid(`aggregate: expected an object as in {groupBy: 'city', select: {n: {$count: true}}}, not ${describe(pipeline)}`)
  }
  checkNames('aggregate', 'property', pipeline, known)
  return pipeline as Aggregate
}

function groupsOf(groupBy: unknown): readonly string[] | null {
  if (groupBy === undefined) return null
  if (!Array.isArray(groupBy)) return [pathAt('aggregate.groupBy', groupBy)]
  return takenList('aggregate.groupBy', groupBy).map((path, i) => pathAt(`aggregate.groupBy[${i}]`, path))
}

/** The outputs as the engine reads them: name, operator, path. */
function outputsOf(select: unknown): [string, string, string][] {
  if (typeof select !== 'object' || select === null || Array.isArray(select)) {
    throw invalid(`aggregate.select: expected an object as in {mean: {$avg: 'age'}}, not ${describe(select)}`)
  }
  return Object.entries(select).map(([name, output]) => {
    const place = `aggregate.select.${name}`
    if (name === '__proto__') throw invalid(`${place} is a field that objects cannot hold safely`)
    if (typeof output !== 'object' || output === null || Array.isArray(output)) {
      throw invalid(`${place}: expected an object as in {$avg: 'age'}, not ${describe(output)}`)
    }
    const entries = Object.entries(output as object)
    if (entries.length !== 1) throw invalid(`${place}: expected one operator, not ${entries.length === 0 ? 'none' : entries.map(([operator]) => operator).join(' and ')}`)
    const [[operator, operand]] = entries as [[string, unknown]]
    if (!operators.includes(operator)) throw invalid(`${place}: there is no operator ${operator}; the operators are ${operators.join(', ')}`)
    const op = operator.slice(1)
    if (operator === '$count' && operand === true) return [name, op, '']
    return [name, op, pathAt(`${place}.${operator}`, operand, operator === '$count' ? 'true or a field path' : `a field path${typeof operand === 'number' ? ' (to count documents: {$count: true})' : ''}`)]
  })
}

function pathAt(place: string, path: unknown, what = 'a field path'): string {
  if (typeof path !== 'string' || path === '') throw invalid(`${place}: expected ${what}, not ${describe(path)}`)
  // MongoDB's $group writes paths with a $. Here that would be a field that no document has, and the result null without a word.
  if (path.startsWith('$')) throw invalid(`${place}: expected ${what} without a $: ${describe(path.slice(1))}`)
  if (namesOf(path).includes('__proto__')) throw invalid(`${place}: __proto__ is a field that objects cannot hold safely`)
  return path
}
