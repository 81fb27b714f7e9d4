import type { EngineCall, EngineCalls } from '../connection/engine-calls.js'
import type { LiveQuestion } from '../connection/live.js'
import { Op } from '../engine/ops.js'
import { invalid } from '../errors.js'
import { encoding, type Encoder } from '../msgpack/encode.js'
import { aggregation } from '../operations/aggregate.js'
import { collectionName } from '../operations/collection-name.js'
import * as reads from '../operations/reads.js'
import { selecting } from '../operations/sql.js'
import { Condition } from '../query/condition.js'
import { everything, type Query } from '../query/find-options.js'
import { predicateOf, writeWhere, type Predicate } from '../query/where.js'
import type { Id, Stored, Value } from '../types.js'

// Each function checks its arguments, and copies them.

/** Writes the arguments of an op with a condition, which is anything but a function. */
type WriteArguments = (encoder: Encoder, where: unknown) => void

type Documents = LiveQuestion<Stored<any>[]>

/** The documents that match. */
export function found(collection: unknown, where: unknown, query: Query): Documents {
  if (query.fields?.includes('-_id')) throw invalid('options.fields: a live query tells its documents apart by _id, which is left out')
  const op = query.populate ? Op.populated : Op.find
  const write: WriteArguments = (encoder, condition) => reads.writeFind(encoder, collection, condition, query)
  const predicate = predicateOf(where)
  if (!predicate || query.populate) return asked(op, true, collection, where, write)
  return {
    watch: changesOf(collection),
    ask(engine) {
      const into: Stored<any>[] = []
      reads.find(engine, collection, predicate, query, into)
      return into
    },
  }
}

/** The document of an id, or the first that matches; of none, an empty array. */
export function one(collection: unknown, where: unknown, query: Query): Documents {
  const { fields, populate } = query
  if (typeof where === 'number') return found(collection, withId(reads.checkId(where)), { ...everything, fields, populate })
  if (typeof where !== 'string') return found(collection, where, query.limit === 0 ? query : { ...query, limit: 1 })
  if (!canBeCondition(where)) return found(collection, withId(where), { ...everything, fields, populate })
  const watch = changesOf(collection)
  return {
    watch: populate ? undefined : watch,
    ask(engine) {
      const document = reads.get(engine, collection, where, query)
      return document ? [document] : []
    },
  }
}

const withId = (id: Id) => new Condition(['eq', '_id', id])

/** Whether a text may be a condition. Each of them has a space or a sign, but for two. */
function canBeCondition(text: string): boolean {
  return /[^\p{L}\p{N}_-]/u.test(text) || /^(true|false)$/i.test(text)
}

/** How many documents match. */
export function counted(collection: unknown, where: unknown): LiveQuestion<number> {
  const predicate = predicateOf(where)
  if (predicate) {
    return { watch: changesOf(collection), ask: (engine) => reads.count(engine, collection, predicate, -1) }
  }
  return asked(Op.count, false, collection, where, (encoder, condition) => reads.writeCount(encoder, collection, condition, -1))
}

/** The distinct values at a path. */
export function distinct(collection: unknown, path: unknown, where: unknown, collation?: string): LiveQuestion<Value[]> {
  const at = reads.pathBy(path, collation)
  return asked(Op.distinct, false, collection, where, (encoder, condition) => reads.writeDistinct(encoder, collection, at, condition))
}

/** The rows of an aggregate. */
export function aggregated(collection: unknown, pipeline: unknown): LiveQuestion<any[]> {
  const { where, writeGroups } = aggregation(pipeline)
  const groups = encoding('arguments', (encoder) => writeGroups(encoder).taken())
  return asked(Op.aggregate, true, collection, where, (encoder, condition) => {
    encoder.array(8).string(collectionName(collection))
    writeWhere(encoder, condition)
    encoder.raw(groups)
  })
}

/** The rows of a SELECT, given as text and parameters or as a tagged template. */
export function selected(text: unknown, params: readonly unknown[]): LiveQuestion<any[]> {
  return ofCall({ op: Op.sql, args: selecting(text, params), pieces: true })
}

/** A question that is one call of the engine; with a function as its condition, several, which the engine cannot keep. */
function asked<A>(op: Op, pieces: boolean, collection: unknown, where: unknown, write: WriteArguments): LiveQuestion<A> {
  const call = (condition: unknown): EngineCall => ({ op, args: encoding('arguments', (encoder) => (write(encoder, condition), encoder.taken())), pieces })
  const predicate: Predicate | undefined = predicateOf(where)
  const first = call(predicate ? undefined : where) // now, to find what is wrong with it
  if (!predicate) return ofCall(first)
  return {
    watch: op === Op.populated ? undefined : changesOf(collection),
    ask: (engine) => answerOf(engine, call(reads.conditionOf(engine, collection, predicate))) as A,
  }
}

/** What the engine watches for a question that it cannot keep: the documents of a collection. */
function changesOf(collection: unknown): EngineCall {
  return { op: Op.ids, args: encoding('arguments', (encoder) => encoder.array(1).string(collectionName(collection)).taken()), pieces: false }
}

function ofCall<A>(call: EngineCall): LiveQuestion<A> {
  return { call, ask: (engine) => answerOf(engine, call) as A }
}

function answerOf(engine: EngineCalls, { op, args, pieces }: EngineCall): unknown {
  return pieces ? engine.rows(op, args) : engine.value(op, args)
}
