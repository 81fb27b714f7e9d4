import { noArguments, unsure, type EngineCalls } from '../connection/engine-calls.js'
import { Op } from '../engine/ops.js'
import { AtomicDBError, invalid } from '../errors.js'
import { encoding, type Encoder } from '../msgpack/encode.js'
import { collatedPath } from '../query/collation.js'
import { Condition } from '../query/condition.js'
import { everything, writeQuery, type Query } from '../query/find-options.js'
import { checkPath, shownBy } from '../query/paths.js'
import type { Plan } from '../query/types.js'
import { collatedWhere, predicateOf, writeWhere, type Predicate, type Prepared } from '../query/where.js'
import type { Id, Metadata, Relationship, Stored, Usage, Value } from '../types.js'
import { collectionName } from './collection-name.js'

// Each function calls the engine at once. Only what Calls.read and Calls.write run may call them.

/** Fills `into`, an empty array, with the documents of `collection` that match, as `query` wants them. */
export function find(engine: EngineCalls, collection: unknown, where: unknown, query: Query, into: unknown[]): void {
  if (query.populate) {
    const condition = conditionOf(engine, collection, where)
    encoding('arguments', (encoder) => {
      writeFind(encoder, collection, condition, query)
      for (const document of engine.rows(Op.populated, encoder)) into.push(document)
    })
    return
  }
  const known = lookedUp(engine, collection, where, query)
  if (known !== unsure) {
    if (known !== undefined) into.push(known)
    return
  }
  const predicate = predicateOf(where)
  if (!predicate) {
    encoding('arguments', (encoder) => {
      writeFind(encoder, collection, where, query)
      engine.cachedRows(Op.find, encoder, into)
    })
    return
  }
  if (query.limit === 0) return
  const shown = query.fields && shownBy(query.fields)
  const last = into.length + query.limit
  let { skip } = query
  visit(engine, collection, predicate, query.sort, (document) => {
    if (skip-- > 0) return true
    into.push(shown ? (shown(document) as Stored<any>) : document)
    return into.length !== last
  })
}

/** What a find of one text or whole number at a path finds, if that can be told without a call. */
function lookedUp(engine: EngineCalls, collection: unknown, where: unknown, { sort, skip, limit, fields, collation }: Query): unknown {
  if (sort || skip > 0 || (limit !== -1 && limit !== 1) || fields || collation) return unsure
  const [path, key] = equalityOf(where)
  return path && (typeof key === 'string' || Number.isSafeInteger(key)) ? engine.lookup(collectionName(collection), path, key as Id) : unsure
}

/** The path, a plain name, and the value of a condition that is one equality; otherwise nothing. */
function equalityOf(where: unknown): readonly [path?: string, value?: unknown] {
  if (where instanceof Condition) {
    const { node } = where
    return node[0] === 'eq' && isPlainName(node[1] as string) ? [node[1] as string, node[2]] : []
  }
  if (typeof where !== 'object' || where === null || Object.getPrototypeOf(where) !== Object.prototype) return []
  let only: string | undefined
  for (const name in where) {
    if (only !== undefined) return []
    only = name
  }
  return only !== undefined && isPlainName(only) && Object.hasOwn(where, only) ? [only, (where as Record<string, unknown>)[only]] : []
}

const isPlainName = (path: string) => path !== '' && path !== '__proto__' && !path.startsWith('$') && !path.includes('.') && !path.includes('\\')

/** Writes the arguments of Op.find, or, with a `populate`, of Op.populated. `where` is anything but a function. */
export function writeFind(encoder: Encoder, collection: unknown, where: unknown, query: Query): void {
  encoder.array(query.populate ? 7 : 6).value(collectionName(collection))
  writeWhere(encoder, collatedWhere(where, query))
  writeQuery(encoder, query)
  if (query.populate) encoder.value(query.populate)
}

/** Calls `visit` with each document for which `predicate` holds, in the order of `sort`, until `visit` returns false. */
function visit(engine: EngineCalls, collection: unknown, predicate: Predicate, sort: Query['sort'], visit: (document: Stored<any>) => boolean): void {
  const input = encoding('arguments', (encoder) => {
    encoder.array(6).value(collectionName(collection)).nil()
    writeQuery(encoder, { ...everything, sort })
    return encoder.taken()
  })
  for (const documents of engine.inPieces(Op.find, input)) {
    for (const document of documents as Stored<any>[]) {
      if (engine.callback('where', predicate, document) && !visit(document)) return
    }
  }
}

/** The first document that matches. */
export function first(engine: EngineCalls, collection: unknown, where: unknown, query: Query = everything): Stored<any> | undefined {
  const found: Stored<any>[] = []
  find(engine, collection, where, query.limit === 0 ? query : { ...query, limit: 1 }, found)
  return found[0]
}

/** The document of an id. */
export function byId(engine: EngineCalls, collection: unknown, id: Id): Stored<any> | undefined {
  const name = collectionName(collection)
  const known = engine.lookup(name, '_id', id)
  if (known !== unsure) return known as Stored<any> | undefined
  return encoding('where', (encoder) => {
    encoder.array(2).string(name).value(id)
    return engine.cachedValue(Op.get, encoder) as Stored<any> | undefined
  })
}

/**
 * The document of an id, or the first that matches. Text is an id if a
 * document has it, and otherwise a condition, if it can be read as one.
 */
export function get(engine: EngineCalls, collection: unknown, where: unknown, query: Query): Stored<any> | undefined {
  if (typeof where !== 'string' && typeof where !== 'number') return first(engine, collection, where, query)
  const id = typeof where === 'number' ? checkId(where) : where
  const { fields, populate } = query
  const found = fields || populate
    ? first(engine, collection, new Condition(['eq', '_id', id]), { ...everything, fields, populate })
    : byId(engine, collection, id)
  if (found !== undefined || typeof where === 'number') return found
  try {
    return first(engine, collection, where, query)
  } catch (error) {
    if (error instanceof AtomicDBError && error.code === 'invalid') return undefined
    throw error
  }
}

/** Returns `id`, and 0 for -0, which no document has. Throws if no document can have it. */
export function checkId(id: number): number {
  if (!Number.isSafeInteger(id)) throw invalid(`where: ${id} is not an id: ids are strings and safe integers`)
  return id + 0
}

/** How many documents match. Counting stops at `limit`; -1 is no limit. */
export function count(engine: EngineCalls, collection: unknown, where: unknown, limit: number): number {
  const predicate = predicateOf(where)
  if (predicate) {
    let matches = 0
    visit(engine, collection, predicate, null, () => ++matches !== limit)
    return matches
  }
  return encoding('arguments', (encoder) => {
    writeCount(encoder, collection, where, limit)
    return engine.cachedValue(Op.count, encoder) as number
  })
}

/** Writes the arguments of Op.count. `where` is anything but a function. */
export function writeCount(encoder: Encoder, collection: unknown, where: unknown, limit: number): void {
  encoder.array(3).string(collectionName(collection))
  writeWhere(encoder, where)
  encoder.number(limit)
}

/** The ids of all documents, in insertion order. */
export function ids(engine: EngineCalls, collection: unknown): Id[] {
  return encoding('arguments', (encoder) => {
    return engine.cachedValue(Op.ids, encoder.array(1).string(collectionName(collection))) as Id[]
  })
}

/** The distinct values at `path` in the documents that match, in value order. */
export function distinct(engine: EngineCalls, collection: unknown, path: unknown, where: unknown, collation?: string): Value[] {
  const at = pathBy(path, collation)
  const condition = conditionOf(engine, collection, where)
  return encoding('arguments', (encoder) => {
    writeDistinct(encoder, collection, at, condition)
    return engine.cachedValue(Op.distinct, encoder) as Value[]
  })
}

/** The path of a distinct, checked, by a collation if there is one. */
export function pathBy(path: unknown, collation: string | undefined): string {
  checkPath('path', path)
  return collatedPath(path, collation)
}

/** Writes the arguments of Op.distinct. `where` is anything but a function. */
export function writeDistinct(encoder: Encoder, collection: unknown, path: unknown, where: unknown): void {
  encoder.array(3).string(collectionName(collection)).value(path, 'path')
  writeWhere(encoder, where)
}

/** How a find would run, as the engine tells; a function has to run to tell how many documents match. */
export function explain(engine: EngineCalls, collection: unknown, where: unknown, query: Query): Plan {
  const start = performance.now()
  const predicate = predicateOf(where)
  const [text, index, examined, found, leaves] = encoding('arguments', (encoder) => {
    encoder.array(5).string(collectionName(collection))
    writeWhere(encoder, predicate ? undefined : collatedWhere(where, query))
    encoder.value(query.sort).number(predicate ? 0 : query.skip).number(predicate ? -1 : query.limit)
    return engine.value(Op.explain, encoder) as [string, string[] | null, number, number, [string, string, number, number][]]
  })
  let returned = found
  if (predicate) {
    const matches: unknown[] = []
    find(engine, collection, predicate, query, matches)
    returned = matches.length
  }
  const micros = Math.round((performance.now() - start) * 1000)
  return { text: predicate ? `${text} → function` : text, index, examined, returned, micros, leaves: leaves.map(([condition, by, estimate, actual]) => ({ condition, by, estimate, actual })) }
}

/** All documents that match. */
export function all(engine: EngineCalls, collection: unknown, where: Predicate | Prepared): Stored<any>[] {
  const found: Stored<any>[] = []
  find(engine, collection, where, everything, found)
  return found
}

/** The names of all collections, sorted. */
export function collections(engine: EngineCalls): string[] {
  return engine.value(Op.collections, noArguments) as string[]
}

/** What a collection takes, and what is declared for it. */
export function metadata(engine: EngineCalls, collection: unknown): Metadata {
  return encoding('arguments', (encoder) => {
    const found = engine.value(Op.metadata, encoder.array(1).string(collectionName(collection))) as Metadata
    const { stats } = found
    const date = new Date(Number(stats.lastUpdated)) // a clock may be set beyond what a Date holds
    stats.lastUpdated = +date > 0 ? date.toISOString() : null
    return found
  })
}

/** All relationships. */
export function relationships(engine: EngineCalls): Relationship[] {
  return engine.value(Op.relationships, noArguments) as Relationship[]
}

/** What the whole database takes. */
export function usage(engine: EngineCalls): Usage {
  return engine.value(Op.usage, noArguments) as Usage
}

/** `where` for the engine: a function is replaced by the ids of the documents for which it holds. */
export function conditionOf(engine: EngineCalls, collection: unknown, where: unknown): unknown {
  const predicate = predicateOf(where)
  return predicate ? idIn(all(engine, collection, predicate).map((document) => document._id)) : where
}

/** The condition that a document has one of these ids. */
export function idIn(ids: readonly Id[]): Condition {
  return new Condition(['in', '_id', ids])
}
