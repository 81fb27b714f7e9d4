import type { EngineCalls } from '../connection/engine-calls.js'
import { Op } from '../engine/ops.js'
import { encoding, type Encoder } from '../msgpack/encode.js'
import { aggregation } from '../operations/aggregate.js'
import { collectionName } from '../operations/collection-name.js'
import * as reads from '../operations/reads.js'
import { selecting } from '../operations/sql.js'
import type { Query } from '../query/find-options.js'
import { checkPath } from '../query/paths.js'
import { predicateOf, prepared, writeWhere, type Predicate } from '../query/where.js'
import type { Stored, Value } from '../types.js'
import type { LiveQuestion, Question } from './live-question.js'
import { mergeRows } from './rows.js'
import { same } from './same.js'

/** A live question whose answer is one value. */
export function ofValue<V>(ask: Question<V>, empty: V): LiveQuestion<V> {
  return { ask, empty, merge: (before, answer) => (same(before, answer) ? null : undefined) }
}

/** A live question whose answer is rows, which need not be documents. */
export function ofRows<R extends unknown[]>(ask: Question<R>, empty: R): LiveQuestion<R> {
  return { ask, empty, merge: (before, answer) => (mergeRows(before, answer) ? undefined : null) }
}

/** Writes the arguments of an op, whose condition is `where`, which is anything but a function. */
type WriteArguments = (encoder: Encoder, where: unknown) => void

/** The documents that match. */
export function found(collection: unknown, where: unknown, query: Query): Question<Stored<any>[]> {
  if (predicateOf(where) && !query.populate) {
    collectionName(collection)
    return (engine) => {
      const into: Stored<any>[] = []
      reads.find(engine, collection, where, query, into)
      return into
    }
  }
  return rows(query.populate ? Op.populated : Op.find, collection, where, (encoder, condition) => reads.writeFind(encoder, collection, condition, query))
}

/** The document of an id, or the first that matches. */
export function one(collection: unknown, where: unknown, query: Query): Question<Stored<any> | undefined> {
  const own = typeof where === 'string' || typeof where === 'number' ? where : prepared(where)
  collectionName(collection)
  return (engine) => reads.get(engine, collection, own, query)
}

/** How many documents match. */
export function counted(collection: unknown, where: unknown): Question<number> {
  const own = prepared(where)
  collectionName(collection)
  return (engine) => reads.count(engine, collection, own, -1)
}

/** The distinct values at a path. */
export function distinct(collection: unknown, path: unknown, where: unknown): Question<Value[]> {
  checkPath('path', path)
  return value(Op.distinct, collection, where, (encoder, condition) => {
    encoder.array(3).string(collectionName(collection)).value(path, 'path')
    writeWhere(encoder, condition)
  })
}

/** The rows of an aggregate. */
export function aggregated(collection: unknown, pipeline: unknown): Question<any[]> {
  const { where, writeGroups } = aggregation(pipeline)
  const groups = encoding('arguments', (encoder) => writeGroups(encoder).taken())
  return rows(Op.aggregate, collection, where, (encoder, condition) => {
    encoder.array(8).string(collectionName(collection))
    writeWhere(encoder, condition)
    encoder.raw(groups)
  })
}

/** The rows of a SELECT, given as text and parameters or as a tagged template. */
export function selected(text: unknown, params: readonly unknown[]): Question<any[]> {
  const args = selecting(text, params)
  return (engine) => engine.rows(Op.sql, args)
}

function rows(op: Op, collection: unknown, where: unknown, write: WriteArguments): Question<any[]> {
  return asked(collection, where, write, (engine, args) => engine.rows(op, args))
}

function value<V>(op: Op, collection: unknown, where: unknown, write: WriteArguments): Question<V> {
  return asked(collection, where, write, (engine, args) => engine.value(op, args) as V)
}

/** A function as a condition stands for the ids of the documents for which it holds, each time anew. */
function asked<A>(collection: unknown, where: unknown, write: WriteArguments, ask: (engine: EngineCalls, args: Encoder | Uint8Array) => A): Question<A> {
  const args = (condition: unknown) => encoding('arguments', (encoder) => (write(encoder, condition), encoder.taken()))
  const predicate: Predicate | undefined = predicateOf(where)
  const first = args(predicate ? undefined : where) // now, to find what is wrong with them
  if (!predicate) return (engine) => ask(engine, first)
  return (engine) => ask(engine, args(reads.conditionOf(engine, collection, predicate)))
}
