import { AtomicDB } from '../index.js'
import { describe, invalid } from '../errors.js'
import { unpacked, type Packed } from '../thread/rpc.js'

/** What {@link fanOut} uses of the stub of an `AtomicDurableObject`. */
export interface CallableObject {
  call(name: string, args: unknown[]): Promise<any>
}

/** How {@link FanOut.find} returns what it finds. */
export interface FanOutOptions {
  /** Default: 'default'. */
  readonly collection?: string
  /** As of `find`: a path, with a dash before it for descending, several, or an object. */
  readonly sort?: string | readonly string[] | Record<string, 'asc' | 'desc' | 1 | -1>
  readonly skip?: number
  readonly limit?: number
}

/** Asks many objects at once; see {@link fanOut}. A call rejects as the first object does that fails. */
export interface FanOut {
  /**
   * The documents of all objects that match text or a filter, in the order of `sort` as the engine has it, else in that of
   * the objects. With a `limit`, no object returns more than `skip` and `limit` ask for.
   */
  find<T = any>(condition?: string | object, options?: FanOutOptions): Promise<T[]>
  /** How many documents of all objects match. */
  count(condition?: string | object, collection?: string): Promise<number>
  /** The answers of all objects to a call, in their order. */
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
 * @example
 * ```ts
 * const shards = Array.from({ length: 16 }, (_, n) => env.NOTES.get(env.NOTES.idFromName(`notes-${n}`)))
 * const newest = await fanOut(shards).find('done = false', { sort: '-created', limit: 20 })
 * ```
 */
export function fanOut(objects: readonly CallableObject[]): FanOut {
  if (!Array.isArray(objects)) throw invalid(`objects: expected an array of stubs, not ${describe(objects)}`)
  const call = (name: string, args: unknown[] = []) => Promise.all(objects.map(async (object: CallableObject) => {
    const answer = (await object.call(name, args)) as { value: any } | { error: Packed }
    if ('error' in answer) throw unpacked(answer.error)
    return answer.value
  }))
  return {
    call,
    async count(condition, collection = 'default') {
      return (await call('count', [condition, collection])).reduce((sum: number, own: number) => sum + own, 0)
    },
    async find(condition, options = {}) {
      const { collection = 'default', sort, skip = 0, limit = Infinity } = options
      for (const [name, value] of Object.entries({ skip, limit })) if (value !== Infinity && !(Number.isSafeInteger(value) && value >= 0)) throw invalid(`options.${name}: expected a whole number of documents, not ${describe(value)}`)
      const found = await call('search', [condition, { collection, ...(sort !== undefined && { sort }), limit: skip + limit }])
      return sort === undefined ? found.flat().slice(skip, skip + limit) : merged(found.flat(), { sort, skip, limit })
    },
  }
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
