import { describe, invalid } from '../errors.js'
import { checkNames, takenList } from '../checks.js'
import { encoding } from '../msgpack/encode.js'
import { collationOf } from './collation.js'
import { checkSame, collatedSort, sortOf, type Query } from './find-options.js'

/** Which of the documents that match a write changes, and what it answers: the options of `update`, checked. */
export interface UpdateQuery {
  readonly sort: Query['sort']
  /** Whether it changes the first document alone. */
  readonly one: boolean
  readonly upsert: boolean
  /** Whether it answers the documents, as they were or as they are then; null for their number. */
  readonly returned: 'before' | 'after' | null
  /** The conditions on elements, written; null for none. */
  readonly arrayFilters: Uint8Array | null
  /** By which the condition compares; the paths of `sort` have it already. */
  readonly collation?: string | undefined
}

/** Every document that matches, and their number as the answer. */
export const allMatching: UpdateQuery = { sort: null, one: false, upsert: false, returned: null, arrayFilters: null }

/** The options; of a write about one document the first five. */
const known = ['collection', 'upsert', 'sort', 'returnDocuments', 'collation', 'many', 'arrayFilters']

/** Reads the options of a write to `collection`. With `first`, it is about one document whatever they say. */
export function updateQueryOf(options: unknown, collection: unknown, first = false): UpdateQuery {
  if (options === undefined || options === collection) return first ? { ...allMatching, one: true } : allMatching
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(`options: expected an object or a collection's name, not ${describe(options)}`)
  }
  checkNames('options', 'option', options, first ? known.slice(0, 5) : known)
  const given = options as Record<string, unknown>
  checkSame(given.collection, collection)
  const collation = collationOf('options.collation', given.collation)
  return {
    sort: collatedSort(sortOf(given.sort, 'options'), collation),
    collation,
    one: first || !flagOf('many', given.many, true),
    upsert: flagOf('upsert', given.upsert, false),
    returned: returnedOf(given.returnDocuments),
    arrayFilters: filtersOf(given.arrayFilters),
  }
}

function flagOf(name: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise
  if (typeof value !== 'boolean') throw invalid(`options.${name}: expected true or false, not ${describe(value)}`)
  return value
}

function returnedOf(value: unknown): UpdateQuery['returned'] {
  if (value === undefined || value === false) return null
  if (value === true) return 'after'
  if (value === 'before' || value === 'after') return value
  throw invalid(`options.returnDocuments: expected 'before', 'after', true or false, not ${describe(value)}`)
}

function filtersOf(value: unknown): Uint8Array | null {
  if (value === undefined) return null
  const name = 'options.arrayFilters'
  const filters = Array.isArray(value) ? takenList(name, value) : undefined
  if (!filters?.every((filter) => typeof filter === 'object' && filter !== null)) throw invalid(`${name}: expected an array of filters, not ${describe(value)}`)
  return encoding(name, (encoder) => {
    encoder.array(filters.length)
    filters.forEach((filter, i) => encoder.filter(filter as object, `${name}[${i}]`))
    return encoder.taken()
  })
}
