import type { Write } from '../connection/calls.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import { copyOf } from '../connection/query-cache.js'
import { Op } from '../engine/ops.js'
import { invalid } from '../errors.js'
import { encoding } from '../msgpack/encode.js'
import { everything } from '../query/find-options.js'
import type { UpdateQuery } from '../query/update-options.js'
import { collatedWhere, predicateOf, prepared, writeWhere, type Predicate, type Prepared } from '../query/where.js'
import type { Id, Stored } from '../types.js'
import { collectionName } from './collection-name.js'
import { find, idIn } from './reads.js'
import { changeDocuments, update } from './writes.js'

/** What a change of the documents that match has done. */
export interface Modified {
  readonly changed: number
  /** The id of the document that was added; null if none was. */
  readonly added: Id | null
  /** The documents that were asked for; null if none were. */
  readonly documents: readonly Stored<any>[] | null
}

/** What to do to the documents that match. */
export interface Modification {
  /** As `update` takes it, or the document that replaces the one that matches. */
  readonly change: unknown
  readonly where: unknown
  readonly query: UpdateQuery
  readonly replaces: boolean
}

/** Changes the documents that match, or adds one. Copies its arguments and returns the write; see Write. */
export function modify(collection: unknown, { change, where: given, query, replaces }: Modification): Write<Modified> {
  const { sort, one, upsert, returned, arrayFilters } = query
  const where = collatedWhere(given, query)
  const ask = !replaces && typeof change === 'function' ? (change as (document: Stored<any>) => unknown) : undefined
  const predicate = predicateOf(where)
  if (upsert && (ask || predicate)) throw invalid('options.upsert: a function cannot say what to insert')
  if (arrayFilters && ask) throw invalid('options.arrayFilters: a function sees the elements, and needs no filters')
  if (!replaces && !one && !upsert && !sort && !returned && !arrayFilters) {
    const write = update(collection, change, where)
    return (engine) => ({ changed: write(engine), added: null, documents: null })
  }
  const name = collectionName(collection)
  if (ask) {
    const matching = prepared(where)
    return (engine) => byFunction(engine, name, ask, matching, query)
  }
  const bytes = replaces
    ? encoding('document', (encoder) => encoder.object(change, 'document').taken())
    : encoding('fields', (encoder) => encoder.change(change, 'fields').taken())
  const input = (condition: unknown) => encoding('arguments', (encoder) => {
    writeWhere(encoder.array(9).string(name).raw(bytes), condition)
    encoder.value(sort, 'options.sort').boolean(one).boolean(upsert).boolean(replaces)
    if (arrayFilters) encoder.raw(arrayFilters)
    else encoder.nil()
    return encoder.number(returned === 'before' ? 1 : returned === 'after' ? 2 : 0).taken()
  })
  const run = (engine: EngineCalls, input: Uint8Array): Modified => {
    const [changed, added, documents] = engine.value(Op.modify, input) as [number, Id | null, Stored<any>[] | null]
    return { changed, added, documents }
  }
  if (predicate) return (engine) => run(engine, input(idIn(matched(engine, name, predicate, query).map(({ _id }) => _id))))
  const ready = input(where)
  return (engine) => run(engine, ready)
}

function matched(engine: EngineCalls, collection: string, where: Predicate | Prepared, { sort, one }: UpdateQuery): Stored<any>[] {
  const found: Stored<any>[] = []
  find(engine, collection, where, { ...everything, sort, limit: one ? 1 : everything.limit }, found)
  return found
}

/** Makes the change that a function returns for each document. */
function byFunction(engine: EngineCalls, collection: string, ask: (document: Stored<any>) => unknown, where: Predicate | Prepared, query: UpdateQuery): Modified {
  const documents = matched(engine, collection, where, query)
  const before = query.returned === 'before' ? documents.map(copyOf) : null // the function may change those
  const ids = documents.map(({ _id }) => _id)
  const changed = changeDocuments(engine, collection, 'fields', ask, documents)
  return { changed, added: null, documents: query.returned === 'after' ? theseInOrder(engine, collection, ids) : before }
}

/** The documents of ids, in the order of these. */
export function theseInOrder(engine: EngineCalls, collection: unknown, ids: readonly Id[]): Stored<any>[] {
  if (ids.length === 0) return []
  const found: Stored<any>[] = []
  find(engine, collection, idIn(ids), everything, found)
  const byId = new Map(found.map((document) => [document._id as Id, document]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}
