import type { EngineCalls } from '../connection/engine-calls.js'
import { encoding } from '../msgpack/encode.js'
import { describe, invalid } from '../errors.js'
import { countOf, sortOf } from '../query/find-options.js'
import { Op } from '../engine/ops.js'
import { collectionName } from './collection-name.js'
import { all, idIn } from './reads.js'
import type { Aggregate } from '../query/types.js'
import { predicateOf, writeWhere } from '../query/where.js'

/** The operators by their names in `select`, each with the engine's name for it. */
const operators: Record<string, string> = Object.assign(Object.create(null) as object, {
  $count: 'count',
  $sum: 'sum',
  $avg: 'avg',
  $min: 'min',
  $max: 'max',
  $first: 'first',
  $last: 'last',
  $distinct: 'distinct',
  $countDistinct: 'countDistinct',
})

const known = ['where', 'groupBy', 'select', 'having', 'sort', 'skip', 'limit']

/** Asks the engine at once, as the functions of reads.ts do; answers one row for each group. */
export function aggregate(engine: EngineCalls, collection: unknown, pipeline: Aggregate): any[] {
  const { where, having, sort, skip, limit } = checked(pipeline)
  const groupBy = groupsOf(pipeline.groupBy)
  const select = outputsOf(pipeline.select)
  const predicate = predicateOf(where)
  return encoding('arguments', (encoder) => {
    encoder.array(8).string(collectionName(collection))
    writeWhere(encoder, predicate ? idIn(all(engine, collection, predicate).map((document) => document._id)) : where)
    encoder.value(groupBy).value(select)
    if (typeof having === 'function') throw invalid('aggregate.having: expected a filter on the rows; a function can filter them once they are here')
    writeWhere(encoder, having, 'aggregate.having')
    encoder.value(sortOf(sort, 'aggregate'))
    encoder.number(countOf(skip, 'aggregate.skip', 'rows') ?? 0).number(countOf(limit, 'aggregate.limit', 'rows') ?? -1)
    return engine.cachedRows(Op.aggregate, encoder)
  })
}

function checked(pipeline: unknown): Aggregate {
  if (typeof pipeline !== 'object' || pipeline === null || Array.isArray(pipeline)) {
    throw invalid(`aggregate: expected an object as in {groupBy: 'city', select: {n: {$count: true}}}, not ${describe(pipeline)}`)
  }
  for (const name of Object.keys(pipeline)) {
    if (!known.includes(name)) throw invalid(`aggregate: there is no ${name}; there are ${known.join(', ')}`)
  }
  return pipeline as Aggregate
}

function groupsOf(groupBy: unknown): readonly string[] | null {
  if (groupBy === undefined) return null
  const paths: readonly unknown[] = Array.isArray(groupBy) ? groupBy : [groupBy]
  return paths.map((path, i) => pathAt(Array.isArray(groupBy) ? `aggregate.groupBy[${i}]` : 'aggregate.groupBy', path))
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
    const op = operators[operator]
    if (!op) throw invalid(`${place}: unknown operator ${operator}; the operators are ${Object.keys(operators).join(', ')}`)
    if (operator === '$count' && operand === true) return [name, op, '']
    return [name, op, pathAt(`${place}.${operator}`, operand, operator === '$count' ? 'true or a field path' : `a field path${typeof operand === 'number' ? ' (to count documents: {$count: true})' : ''}`)]
  })
}

function pathAt(place: string, path: unknown, what = 'a field path'): string {
  if (typeof path !== 'string' || path === '') throw invalid(`${place}: expected ${what}, not ${describe(path)}`)
  // What means a field to MongoDB's $group would here be one that nobody has, so null without a word.
  if (path.startsWith('$')) throw invalid(`${place}: expected ${what} without a $: ${describe(path.slice(1))}`)
  if (path.split('.').includes('__proto__')) throw invalid(`${place}: __proto__ is a field that objects cannot hold safely`)
  return path
}
