import type { EngineCalls } from '../connection/engine-calls.js'
import { Op } from '../engine/ops.js'
import { encoding } from '../msgpack/encode.js'
import { everything, type Query } from '../query/find-options.js'
import { collatedWhere, predicateOf, prepared, writeWhere } from '../query/where.js'
import type { Stored } from '../types.js'
import { collectionName } from './collection-name.js'

/** Runs a read of the engine. */
type Read = <R>(work: (engine: EngineCalls) => R) => Promise<R>

/**
 * The documents that match, in portions of 256 KiB. First the engine tells the ids of all that match now. Then it is asked
 * for the documents of one portion after the other; each of them is tested again, since anything may be written in
 * between. So what is held is the ids that are left and one portion of documents, and the engine holds nothing between
 * two calls. With a condition that is a function, `skip` and `limit` are left to the caller.
 *
 * `collection` and `where` are checked, and copied, when this is called.
 */
export function portionsOf(read: Read, collection: unknown, where: unknown, query: Query): AsyncGenerator<Stored<any>[], undefined> {
  const name = collectionName(collection)
  const condition = prepared(collatedWhere(where, query))
  const predicate = predicateOf(condition)

  /** The ids of what matches. What a function is to choose from is everything. */
  function matching(engine: EngineCalls): Uint8Array[] {
    return encoding('arguments', (encoder) => {
      encoder.array(5).string(name)
      writeWhere(encoder, predicate ? undefined : condition)
      const { sort, skip, limit } = predicate ? { ...everything, sort: query.sort } : query
      encoder.value(sort, 'options.sort').number(skip).number(limit)
      return engine.rows(Op.matching, encoder)
    })
  }

  function among(engine: EngineCalls, ids: Uint8Array, where: unknown, { fields, populate }: Query): Stored<any>[] {
    return encoding('arguments', (encoder) => {
      encoder.array(5).string(name).value(ids)
      writeWhere(encoder, where)
      encoder.value(fields, 'options.fields').value(populate)
      return engine.rows(Op.among, encoder)
    })
  }

  function documentsOf(engine: EngineCalls, ids: Uint8Array): Stored<any>[] {
    if (!predicate) return among(engine, ids, condition, query)
    const chosen = among(engine, ids, undefined, everything).filter((document) => engine.callback('where', predicate, document))
    return query.fields || query.populate ? among(engine, idsOf(chosen), undefined, query) : chosen
  }

  async function* run(): AsyncGenerator<Stored<any>[], undefined> {
    if (query.limit === 0) return
    const portions = (await read(matching)).reverse()
    for (let ids; (ids = portions.pop()); ) {
      const portion = ids
      yield await read((engine) => documentsOf(engine, portion))
    }
  }
  return run()
}

/**
 * The documents of {@link portionsOf}, one by one.
 *
 * @param check Called before each document; what it throws ends the iteration.
 */
export function iterate(read: Read, collection: unknown, where: unknown, query: Query, check: () => void): AsyncGenerator<Stored<any>, undefined> {
  const counts = predicateOf(where) ? query : everything
  const portions = portionsOf(read, collection, where, query)

  async function* run(): AsyncGenerator<Stored<any>, undefined> {
    let { skip, limit } = counts
    for await (const portion of portions) {
      for (const document of portion) {
        check()
        if (skip-- > 0) continue
        yield document
        if (--limit === 0) return
      }
    }
  }
  return run()
}

/** The ids of documents as Op.among takes them. */
function idsOf(documents: readonly Stored<any>[]): Uint8Array {
  return encoding('ids', (encoder) => {
    for (const { _id } of documents) encoder.value(_id)
    return encoder.taken()
  })
}
