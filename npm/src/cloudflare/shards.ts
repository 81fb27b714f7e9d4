import { AtomicDB } from '../index.js'
import { AtomicDBError, describe, invalid, messageOf } from '../errors.js'
import { namesOf, pathOf, shownBy } from '../query/paths.js'
import { unpacked, type Packed } from '../thread/rpc.js'

/** What {@link fanOut} uses of the stub of an `AtomicDurableObject`. */
export interface CallableObject {
  call(name: string, args: unknown[]): Promise<any>
}

/** How {@link fanOut} asks. */
export interface FanOutSettings {
  /** How many objects are asked at the same time. Default: all. */
  readonly concurrency?: number
  /**
   * How often an object is asked that cannot be reached, for calls that only read; not if it is overloaded. A write is made
   * once, and so is `sql`. Default: 3.
   */
  readonly attempts?: number
  /**
   * Told of each object that fails; a call then answers without it, and rejects only if no object answers. Default: a call
   * rejects with a {@link FanOutError} if any object fails.
   */
  readonly onFailure?: (failure: FanOutFailure) => void
}

/** An object that has failed. */
export interface FanOutFailure {
  /** Its place in the array that {@link fanOut} was given. */
  readonly object: number
  /** What it has answered; `storage` if it could not be reached, and a write may be stored or not then. */
  readonly error: Error
}

/** Some objects have failed, once all have ended. It has the code of the first of the failures. */
export class FanOutError extends AtomicDBError {
  /**
   * @param failures In the order of the objects.
   * @param values The answers of all objects, in their order; undefined for those that have failed.
   */
  constructor(
    readonly failures: readonly FanOutFailure[],
    readonly values: readonly any[],
  ) {
    const [{ object, error }] = failures as [FanOutFailure]
    const which = failures.length === 1 ? `object ${object}` : `${failures.length} of ${values.length} objects (${named(failures)})`
    super((error as Partial<AtomicDBError>).code ?? 'storage', `${which}: ${error.message}`, { cause: error })
  }
}

/** The first objects of `failures`, in words. */
function named(failures: readonly FanOutFailure[]): string {
  const first = failures.slice(0, 10).map(({ object }) => object).join(', ')
  return failures.length > 10 ? `${first}, …` : first
}

/** How {@link FanOut.find} returns what it finds. */
export interface FanOutOptions {
  /** Default: 'default'. */
  readonly collection?: string
  /** As of `find`: a path, with a dash before it for descending, several, or an object. */
  readonly sort?: string | readonly string[] | Record<string, 'asc' | 'desc' | 1 | -1>
  readonly skip?: number
  readonly limit?: number
  /** As of `find`: the fields to return, or, with dashes, to leave out. The objects send no others, but those of `sort`. */
  readonly fields?: readonly string[]
}

/** Asks many objects at once; see {@link fanOut}. For a failure of an object see {@link FanOutSettings}. */
export interface FanOut {
  /**
   * The documents of all objects that match text or a filter, in the order of `sort` as the engine has it, else in that of
   * the objects. With a `limit`, no object returns more than `skip` and `limit` ask for.
   */
  find<T = any>(condition?: string | object, options?: FanOutOptions): Promise<T[]>
  /** How many documents of all objects match. */
  count(condition?: string | object, collection?: string): Promise<number>
  /** The answers of all objects to a call, in their order; with `onFailure`, undefined for those that have failed. */
  call<R = any>(name: string, args?: unknown[]): Promise<R[]>
}

/**
 * The number of the shard that a key belongs to, from 0 on. The same key has the same shard, everywhere and for ever, and
 * 1 has that of '1'. When there are more shards, no key moves but to a new one.
 *
 * @example
 * ```ts
 * const shard = shardOf(user, 16)
 * const notes = env.NOTES.get(env.NOTES.idFromName(`notes-${shard}`))
 * ```
 */
export function shardOf(key: string | number, count: number): number {
  if (typeof key !== 'string' && !Number.isSafeInteger(key)) throw invalid(`key: expected a string or a safe integer, not ${describe(key)}`)
  if (!Number.isSafeInteger(count) || count < 1 || count > maxShards) throw invalid(`count: expected 1 to ${maxShards}, not ${describe(count)}`)
  let state = 0x811c9dc5 // FNV-1a
  for (const byte of new TextEncoder().encode(String(key))) state = Math.imul(state ^ byte, 0x01000193)
  // Jump consistent hash (Lamping and Veach, 2014), with the random numbers of mulberry32.
  let shard = 0
  for (let next = 0; next < count; ) {
    shard = next
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    next = Math.floor((shard + 1) / ((((mixed ^ (mixed >>> 14)) >>> 0) + 1) / 2 ** 32))
  }
  return shard
}

const maxShards = 1_000_000

/**
 * Asks many objects as if they were one, from a Worker, by their stubs.
 *
 * @param objects Stubs, or functions that return one: after a failure, only a new stub reaches the object again.
 *
 * @example
 * ```ts
 * const shards = Array.from({ length: 16 }, (_, n) => () => env.NOTES.get(env.NOTES.idFromName(`notes-${n}`)))
 * const newest = await fanOut(shards).find('done = false', { sort: '-created', limit: 20 })
 * ```
 */
export function fanOut(objects: readonly (CallableObject | (() => CallableObject))[], settings: FanOutSettings = {}): FanOut {
  if (!Array.isArray(objects)) throw invalid(`objects: expected an array of stubs, not ${describe(objects)}`)
  const { concurrency = Infinity, attempts = 3, onFailure } = settings
  for (const [name, value] of Object.entries({ concurrency, attempts })) {
    if (!(value >= 1) || (value !== Infinity && !Number.isSafeInteger(value))) throw invalid(`settings.${name}: expected a whole number from 1 on, not ${describe(value)}`)
  }
  if (onFailure !== undefined && typeof onFailure !== 'function') throw invalid(`settings.onFailure: expected a function, not ${describe(onFailure)}`)

  const call = async (name: string, args: unknown[] = []): Promise<any[]> => {
    const values = new Array<any>(objects.length).fill(undefined)
    const failures: FanOutFailure[] = []
    let next = 0
    const askInTurn = async () => {
      while (next < objects.length) {
        const object = next++
        try {
          values[object] = await asked(objects[object] as CallableObject, name, args, attempts)
        } catch (error) {
          failures.push({ object, error: error as Error })
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(concurrency, objects.length) }, askInTurn))
    failures.sort((a, b) => a.object - b.object)
    if (failures.length > 0 && (!onFailure || failures.length === objects.length)) throw new FanOutError(failures, values)
    for (const failure of failures) onFailure!(failure)
    return values
  }
  /** The answers of the objects that have answered. */
  const answers = async (name: string, args: unknown[]) => (await call(name, args)).filter((value) => value !== undefined)
  return {
    call,
    async count(condition, collection = 'default') {
      return (await answers('count', [condition, collection])).reduce((sum: number, own: number) => sum + own, 0)
    },
    async find(condition, options = {}) {
      const { collection = 'default', sort, skip = 0, limit = Infinity, fields } = options
      for (const [name, value] of Object.entries({ skip, limit })) if (value !== Infinity && !(Number.isSafeInteger(value) && value >= 0)) throw invalid(`options.${name}: expected a whole number of documents, not ${describe(value)}`)
      const sent = fields && withSorted(fields, sort)
      const found = (await answers('search', [condition, { collection, ...(sort !== undefined && { sort }), limit: skip + limit, ...(sent && { fields: sent }) }])).flat()
      if (sort === undefined) return found.slice(skip, skip + limit)
      const page = await merged(found, { sort, skip, limit })
      return fields ? page.map(shownBy(fields)) : page
    },
  }
}

/** The calls that may be made again when nobody knows what became of them. */
const repeatable = new Set(['get', 'search', 'find', 'findOne', 'count', 'contains', 'all', 'documentIds', 'distinct', 'aggregate', 'metadata', 'explain', 'collections', 'schema', 'relationships', 'usage', 'export', 'verify', 'flush'])

/** Asks one object. */
async function asked(object: CallableObject | (() => CallableObject), name: string, args: unknown[], attempts: number): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    let answer: { value: any } | { error: Packed }
    try {
      const stub = typeof object === 'function' ? object() : object
      answer = (await stub.call(name, args)) as typeof answer
    } catch (cause) {
      // Cloudflare marks an object that has more calls than it can answer.
      const isOverloaded = (cause as { overloaded?: unknown } | null)?.overloaded === true
      if (attempt >= attempts || isOverloaded || !repeatable.has(name)) throw new AtomicDBError('storage', `the object could not be asked: ${messageOf(cause)}`, { cause })
      await new Promise((resolve) => setTimeout(resolve, Math.min(2 ** attempt * 25, 2000)))
      continue
    }
    if ('error' in answer) throw unpacked(answer.error)
    return answer.value
  }
}

/** `fields`, and what of a document tells its place in the order; undefined for whole documents. */
function withSorted(fields: readonly string[], sort: FanOutOptions['sort']): readonly string[] | undefined {
  if (sort === undefined || sort === null || !Array.isArray(fields) || fields.some((path) => typeof path !== 'string')) return fields
  const named = fields.filter((path) => path !== '_id' && path !== '-_id')
  const leavesOut = named.length > 0 ? named[0]!.startsWith('-') : fields.includes('-_id')
  if (named.some((path) => path.startsWith('-') !== leavesOut)) return fields // the objects refuse them
  const paths = typeof sort === 'string' || Array.isArray(sort) ? [sort].flat().map((path) => String(path).replace(/^-/, '')) : Object.keys(sort)
  const sorted = new Set(paths.map((path) => namesOf(path)[0]!))
  if (!leavesOut) return [...fields.filter((path) => path !== '-_id' || !sorted.has('_id')), ...Array.from(sorted).filter(Boolean).map((name) => pathOf(name))]
  const left = fields.filter((path) => !path.startsWith('-') || !sorted.has(namesOf(path.slice(1))[0]!))
  return left.length > 0 ? left : undefined
}

/** Sorts documents of several databases as the engine does, because an engine does. */
async function merged(documents: any[], { sort, ...page }: { sort: NonNullable<FanOutOptions['sort']>; skip: number; limit: number }): Promise<any[]> {
  // Two documents may have the same id, so each is inside another.
  const inside = (path: string) => (path.startsWith('-') ? `-in.${path.slice(1)}` : `in.${path}`)
  const paths = typeof sort === 'string' ? inside(sort) : Array.isArray(sort) ? sort.map(inside) : Object.fromEntries(Object.entries(sort).map(([path, direction]) => [`in.${path}`, direction]))
  const db = await AtomicDB.open('merged', { inMemory: true, maxDepth: 1000, maxDocumentBytes: 64 << 20 })
  try {
    await db.insertMany(documents.map((document) => ({ in: document })))
    return (await db.search(undefined, { sort: paths, ...page } as never)).map((document: any) => document.in)
  } finally {
    await db.close()
  }
}
