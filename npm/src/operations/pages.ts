import type { Calls } from '../connection/calls.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import { Op } from '../engine/ops.js'
import { encoding } from '../msgpack/encode.js'
import { everything, type Query } from '../query/find-options.js'
import { prepared, type Predicate, type Prepared } from '../query/where.js'
import type { Id, Stored } from '../types.js'
import { collectionName } from './collection-name.js'
import { find, idIn, ids, writeFind } from './reads.js'

/** How many documents are read at once. */
const pageSize = 500

/** The documents that match, page by page: those that match now, each as it is when its page is read. */
export function pagesOf(calls: Calls, collection: unknown, where: unknown, query: Query): AsyncGenerator<Stored<any>[]> {
  return pages(calls, collectionName(collection), where === undefined ? undefined : prepared(where), query)
}

async function* pages(calls: Calls, collection: string, matching: Predicate | Prepared | undefined, query: Query): AsyncGenerator<Stored<any>[]> {
  const { sort, skip, limit, fields, populate } = query
  const wanted = await calls.read((engine) => {
    if (matching === undefined && !sort && skip === 0 && limit < 0) return ids(engine, collection)
    const found: Stored<any>[] = []
    find(engine, collection, matching, { ...everything, sort, skip, limit, fields: ['_id'] }, found)
    return found.map(({ _id }) => _id)
  })
  for (let start = 0; start < wanted.length; start += pageSize) {
    const these = wanted.slice(start, start + pageSize)
    const page = await calls.read((engine) => rowsOf(engine, collection, these, { ...everything, fields, populate }))
    yield sort ? inOrder(page, these) : page
  }
}

/** The documents of these ids, past the query cache: nobody asks for them again. */
function rowsOf(engine: EngineCalls, collection: unknown, these: readonly Id[], query: Query): Stored<any>[] {
  return encoding('arguments', (encoder) => {
    writeFind(encoder, collection, idIn(these), query)
    return engine.rows(query.populate ? Op.populated : Op.find, encoder) as Stored<any>[]
  })
}

function inOrder(page: readonly Stored<any>[], ids: readonly Id[]): Stored<any>[] {
  const byId = new Map(page.map((document) => [document._id as Id, document]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}
