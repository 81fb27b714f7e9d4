import type { Encoder } from '../msgpack/encode.js'
import { checkNames, takenList } from '../checks.js'
import { describe, invalid } from '../errors.js'
import { collatedPath, collationOf } from './collation.js'
import { isMap, type Shown, type Slice } from './paths.js'
import { collatedWhere } from './where.js'

/** How a query returns what it finds, checked. */
export interface Query {
  /** Pairs of path and whether it descends; null for insertion order. */
  readonly sort: readonly (readonly [path: string, descending: boolean])[] | null
  readonly skip: number
  /** -1 for all. */
  readonly limit: number
  /** Paths, or with dashes those that are left out, and slices; null for whole documents. */
  readonly fields: readonly Shown[] | null
  /** Names of relationships; null for none. */
  readonly populate: readonly string[] | null
  /** By which the condition compares; the paths of `sort` have it already. */
  readonly collation?: string | undefined
}

/** The query without options: whole documents, all of them, in insertion order. */
export const everything: Query = { sort: null, skip: 0, limit: -1, fields: null, populate: null }

/** The largest count that the engine's calls take; no collection is as long. */
const maxCount = 0x7fffffff

const known = ['collection', 'sort', 'skip', 'limit', 'fields', 'populate', 'collation']

/** The collection that `options` name; it need not be a string. */
export function collectionOf(options: unknown): unknown {
  if (options === undefined) return 'default'
  if (typeof options !== 'object' || options === null) return options
  return (options as { collection?: unknown }).collection ?? 'default'
}

/** Reads the last argument of a call that takes a condition and, of options, a collation alone. */
export function matchOf(options: unknown, collection: unknown): { readonly collation?: string | undefined } {
  if (options === undefined || options === collection) return {}
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(`options: expected an object or a collection's name, not ${describe(options)}`)
  }
  checkNames('options', 'option', options, ['collection', 'collation'])
  const given = options as Record<string, unknown>
  checkSame(given.collection, collection)
  return { collation: collationOf('options.collation', given.collation) }
}

/** The condition of such a call, by the collation. */
export const matching = (where: unknown, options: unknown, collection: unknown): unknown => collatedWhere(where, matchOf(options, collection))

/** Throws if options name another collection than a call is about. */
export function checkSame(named: unknown, collection: unknown): void {
  if (named !== undefined && named !== collection) throw invalid(`options.collection: this is the collection ${describe(collection)}, not ${describe(named)}`)
}

/** What `sort` sorts by, by a collation if there is one. */
export function collatedSort(sort: Query['sort'], collation: string | undefined): Query['sort'] {
  return sort && collation ? sort.map(([path, descending]) => [collatedPath(path, collation), descending] as const) : sort
}

/** Reads `options` for a query on `collection`. */
export function queryOf(options: unknown, collection: unknown): Query {
  if (options === undefined || options === collection) return everything
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(`options: expected an object or a collection's name, not ${describe(options)}`)
  }
  const given = options as Record<string, unknown>
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw invalid(`options: there is no option ${name}; the options are ${known.join(', ')}`)
  }
  checkSame(given.collection, collection)
  const collation = collationOf('options.collation', given.collation)
  return {
    sort: collatedSort(sortOf(given.sort, 'options'), collation),
    collation,
    skip: countOf(given.skip, 'options.skip', 'documents') ?? 0,
    limit: countOf(given.limit, 'options.limit', 'documents') ?? -1,
    fields: fieldsOf(given.fields),
    populate: populateOf(given.populate),
  }
}

/** Reads a number of `what`. `name` is what messages call it. */
export function countOf(value: unknown, name: string, what: string): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || value < 0 || (!Number.isInteger(value) && value !== Infinity)) {
    throw invalid(`${name}: expected a whole number of ${what}, not ${describe(value)}`)
  }
  return Math.min(value, maxCount)
}

function fieldsOf(fields: unknown): readonly Shown[] | null {
  if (fields === undefined) return null
  if (isMap(fields)) return projectionOf(fields)
  const paths = namesOf('options.fields', fields, 'an array of field paths')
  const bare = paths.filter((path) => path !== '_id' && path !== '-_id')
  if (paths.includes('-')) throw invalid('options.fields: expected a field path after the dash')
  if (bare.some((path) => path.startsWith('-') !== bare[0]!.startsWith('-')) || (paths.includes('_id') && paths.includes('-_id'))) {
    throw invalid('options.fields: fields are returned or, with a dash, left out, not both')
  }
  return paths.length === 0 ? ['_id'] : paths // to the engine, an empty list means whole documents; _id comes along anyway
}

/** Reads MongoDB's way of naming fields: {name: 1}, {secret: 0}, {comments: {$slice: 3}}. */
function projectionOf(projection: Record<string, unknown>): readonly Shown[] | null {
  const paths: string[] = []
  const slices: Slice[] = []
  for (const [path, shown] of Object.entries(projection)) {
    const what = `options.fields.${path}`
    if (path === '' || path.startsWith('-')) throw invalid(`${what}: expected a field path`)
    if (shown === 1 || shown === true) paths.push(path)
    else if (shown === 0 || shown === false) paths.push(`-${path}`)
    else if (isMap(shown) && Object.keys(shown).join() === '$slice') slices.push(sliceOf(what, path, shown.$slice))
    else throw invalid(`${what}: expected 1, 0 or {$slice: …}, not ${describe(shown)}`)
  }
  const all = [...slices.map(([path]) => path), ...paths.map((path) => path.replace(/^-/, ''))]
  for (const [path] of slices) {
    const other = all.find((other) => other !== path && `${path}.`.startsWith(`${other}.`)) ?? all.find((other) => other.startsWith(`${path}.`))
    if (other !== undefined) throw invalid(`options.fields.${path}: it collides with ${other}`)
  }
  return slices.length > 0 || paths.length > 0 ? [...((paths.length > 0 && fieldsOf(paths)) || []), ...slices] : null
}

function sliceOf(what: string, path: string, value: unknown): Slice {
  const isCount = (n: unknown): n is number => Number.isInteger(n) && Math.abs(n as number) <= maxCount
  if (isCount(value)) return value < 0 ? [path, value, maxCount] : [path, 0, value]
  const [skip, limit, ...rest] = Array.isArray(value) ? (value as unknown[]) : []
  if (!isCount(skip) || !isCount(limit) || limit <= 0 || rest.length > 0) {
    throw invalid(`${what}.$slice: expected a whole number, or [skip, limit] with a limit above 0, not ${describe(value)}`)
  }
  return [path, skip, limit]
}

function namesOf(what: string, value: unknown, expected: string): string[] {
  const names = Array.isArray(value) ? takenList(what, value) : undefined
  if (!names?.every((name) => typeof name === 'string' && name !== '')) throw invalid(`${what}: expected ${expected}, not ${describe(value)}`)
  return names as string[]
}

function populateOf(populate: unknown): readonly string[] | null {
  if (populate === undefined) return null
  const names = namesOf('options.populate', populate, 'an array of names of relationships')
  return names.length === 0 ? null : names
}

/** Reads the option `sort`. `owner` is what has the option, for messages. */
export function sortOf(sort: unknown, owner: string): Query['sort'] {
  if (sort === undefined) return null
  const list = typeof sort === 'string' ? [sort] : sort
  if (Array.isArray(list)) return takenList(`${owner}.sort`, list).map((path) => dashed(path, owner))
  if (typeof list !== 'object' || list === null) {
    throw invalid(`${owner}.sort: expected a path, an array of paths, or an object of paths, not ${describe(sort)}`)
  }
  return Object.entries(list).map(([path, direction]) => {
    const descending = direction === 'desc' || direction === -1
    if (!descending && direction !== 'asc' && direction !== 1) {
      throw invalid(`${owner}.sort.${path}: expected 'asc', 'desc', 1 or -1, not ${describe(direction)}`)
    }
    return [path, descending] as const
  })
}

function dashed(path: unknown, owner: string): readonly [string, boolean] {
  if (typeof path !== 'string' || path === '' || path === '-') {
    throw invalid(`${owner}.sort: expected a field path, with a dash before it for descending, not ${describe(path)}`)
  }
  return path.startsWith('-') ? [path.slice(1), true] : [path, false]
}

/** Writes the arguments that come after the condition of a find: sort, skip, limit, fields. */
export function writeQuery(encoder: Encoder, query: Query): void {
  encoder.value(query.sort, 'options.sort').number(query.skip).number(query.limit).value(query.fields, 'options.fields')
}
