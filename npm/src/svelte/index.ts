/**
 * AtomicDB for Svelte 5: {@link setDatabase} gives components a database, {@link liveQuery} and its like return objects
 * whose properties are as reactive as `$state`, and {@link mutation} writes. What `db.live` returns is a store already:
 * `$todos` works with it as it is.
 *
 * @packageDocumentation
 */
import { getContext, onMount, setContext, untrack } from 'svelte'
import { createSubscriber } from 'svelte/reactivity'
import type { Answer } from '../hooks/answer.js'
import { followWrites, needed, openingFor, saved } from '../hooks/app.js'
import type { AskOptions, DocumentOptions, LiveQueryOptions, Of, PlainWhere } from '../hooks/ask-options.js'
import { askedOf, follow, sameAsked, type Asked, type Kind } from '../hooks/follow.js'
import { mutationOf, unused, type MutationCalls, type Progress } from '../hooks/mutation.js'
import type { Database, DatabaseSource, Opening } from '../hooks/opening.js'
import type { Aggregate, AtomicDB, Id, LiveValue, QueryResult, Stored, Value, Where, WriteStatus } from '../index.js'

export type { Answer, AskOptions, Database, DatabaseSource, DocumentOptions, LiveQueryOptions, MutationCalls, Of, PlainWhere, Progress }

/** An argument: a value, or a function that reads it from what is reactive, as in `() => id`. */
export type Argument<A> = A | (() => A)

/** A condition as an argument. One that is a function of a document is given as `() => (document) => …`. */
export type WhereArgument<T = any> = PlainWhere<T> | undefined | (() => Where<T> | undefined)

/** What {@link mutation} returns. */
export type Mutation<A extends unknown[], R> = MutationCalls<A, R> & Progress<R>

const key = Symbol('atomicdb')

/**
 * Gives a component, and all that are in it, their database. Called while the component is initialised, as setContext is.
 *
 * @param database Open, as a promise, or as a function that opens it: when the component is mounted, until it is destroyed.
 *
 * @example
 * ```ts
 * setDatabase(() => AtomicDB.open('todos'))
 * ```
 */
export function setDatabase(database: DatabaseSource<any>): void {
  const opening = openingFor(database)
  setContext(key, opening)
  onMount(opening.hold)
}

function openingHere(of?: unknown): Opening {
  return needed(contextual(), 'call setDatabase(…) in one around them, and this while a component is initialised', of)
}

function contextual(): Opening | undefined {
  try {
    return getContext<Opening | undefined>(key)
  } catch {
    return undefined // not while a component is initialised
  }
}

/** The database of the components, as `{ data: db, error, isLoading }`. To write, {@link mutation} is enough, which waits for it. */
export function getDatabase<Schema = any>(): Answer<AtomicDB<Schema> | undefined> {
  const opening = openingHere()
  return reactive<Answer<any>>(['data', 'error', 'isLoading'], opening.current, opening.subscribe)
}

/**
 * All documents that match, kept current: `db.live` as an object with `data`, `error` and `isLoading`. `data` has no
 * documents until the database has answered. It is asked while an effect or a template reads it, and asked anew when what
 * its arguments mean has changed. Components that ask the same share one live query, which ends with the last of them.
 *
 * @param of The name of a collection of the components' database, or a collection.
 * @param where As in `search`; without it, all documents.
 *
 * @example
 * ```ts
 * const todos = liveQuery('todos', () => ({ done }), { sort: 'created' })
 * ```
 */
export function liveQuery<T extends object = any, S extends string = never, F extends string = never>(of: Of<T>, where?: WhereArgument<T>, options?: Argument<LiveQueryOptions<T, S, F>>): Answer<QueryResult<T>> {
  return ask('found', [of, where, options])
}

/** The document of an id, kept current; undefined while there is none. A text is an id, also one that reads as a condition. */
export function liveDocument<T extends object = any, F extends string = never>(of: Of<T>, id: Argument<Id | null | undefined>, options?: Argument<DocumentOptions<T, F>>): Answer<Stored<T> | undefined> {
  return ask('one', [of, id, options])
}

/** How many documents match, kept current; 0 until the database has answered. */
export function liveCount<T extends object = any>(of: Of<T>, where?: WhereArgument<T>, options?: Argument<AskOptions<number>>): Answer<number> {
  return ask('counted', [of, where, options])
}

/** The rows of an aggregate, kept current. */
export function liveAggregate<R = any, T extends object = any, G extends string = never, P extends string = never, N extends string = never>(of: Of<T>, pipeline: Argument<Aggregate<T, G, P, N>>, options?: Argument<AskOptions<readonly R[]>>): Answer<R[]> {
  return ask('aggregated', [of, pipeline, options])
}

/** The rows of a SELECT, kept current. Values go in as parameters, as in `db.sql`; in a template, each may be a function. */
export function liveSql<R = any>(text: Argument<string>, params?: Argument<readonly Value[] | Record<string, Value>>, options?: Argument<AskOptions<readonly Stored<R>[]>>): Answer<QueryResult<R>>
export function liveSql<R = any>(strings: TemplateStringsArray, ...params: Argument<Value>[]): Answer<QueryResult<R>>
export function liveSql(...args: unknown[]): Answer<any> {
  return ask('selected', args)
}

/**
 * Any live value of the database, such as `db.liveDistinct` makes; `data` is undefined until there is one.
 *
 * @param make Makes it. It is called again when one of `deps` is another, which are compared by what they say.
 */
export function liveValue<V>(make: (db: Database) => LiveValue<V>, deps?: Argument<readonly unknown[]>, options?: Argument<AskOptions<V>>): Answer<V | undefined> {
  return ask('followed', [() => make, deps, options])
}

/**
 * A function that writes, and how it goes. Called while the database is being opened, it waits for that. Live queries show
 * the write before it is stored, and take it back if it cannot be.
 *
 * @example
 * ```ts
 * const add = mutation((db, text: string) => db.insert({ text, done: false }, 'todos'))
 * ```
 */
export function mutation<A extends unknown[], R>(work: (db: AtomicDB, ...args: A) => Promise<R> | R): Mutation<A, R> {
  let progress: Progress<R> = unused
  const listeners = new Set<() => void>()
  const calls = mutationOf<A, R>(openingHere(), work, (next) => {
    progress = next
    for (const listener of [...listeners]) listener()
  })
  const subscribe = (listener: () => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  return Object.defineProperties(calls as Mutation<A, R>, Object.getOwnPropertyDescriptors(reactive<Progress<R>>(['data', 'error', 'isPending'], () => progress, subscribe)))
}

/**
 * Whether what this database has written is stored: `{ status, error }`, where the status is 'saved', 'saving' or 'failed'.
 * It is about all writes, not about those of {@link mutation} alone; see `db.writeStatus`.
 */
export function writeStatus(): WriteStatus {
  const opening = openingHere()
  const current = () => opening.current().data?.writeStatus.current ?? saved
  return reactive<WriteStatus>(['status', 'error'], current, (changed) => followWrites(opening, changed))
}

/** An object whose properties are those of a state, and as reactive as `$state`. */
function reactive<S extends object>(names: readonly (keyof S)[], current: () => S, subscribe: (changed: () => void) => () => void): S {
  const follow = createSubscriber((changed) => {
    let isNow = true
    const stop = subscribe(() => isNow || changed())
    isNow = false
    return stop
  })
  const get = (name: keyof S) => {
    follow()
    return current()[name]
  }
  return Object.defineProperties({} as S, Object.fromEntries(names.map((name) => [name, { get: () => get(name), enumerable: true }])))
}

/** A question that is asked while somebody follows the answer. Others who read it get the answer of that moment. */
function ask<V>(kind: Kind, args: readonly any[]): Answer<V> {
  const opening = openingHere(args[0])
  let followed: { asked: Asked<V>; stop: () => void } | undefined
  let seen: Answer<V> | undefined
  let changed: (() => void) | undefined

  const follows = (asked: Asked<V>) => {
    followed?.stop()
    let isNow = true
    const stop = follow<V>(asked, opening, (answer) => {
      seen = answer
      if (!isNow) changed?.()
    }, seen)
    isNow = false
    followed = { asked, stop }
  }
  const subscribe = createSubscriber((update) => {
    changed = update
    return () => {
      followed?.stop()
      changed = followed = seen = undefined
    }
  })
  const see = (): Answer<V> => {
    // Who reads it follows what its arguments read.
    const asked = askedOf<V>(kind, () => args.map((each) => (typeof each === 'function' ? each() : each)))
    subscribe()
    if (changed && !(followed && sameAsked(followed.asked, asked))) untrack(() => follows(asked))
    return followed ? seen! : untrack(() => now(asked, opening))
  }
  return {
    get data() {
      return see().data
    },
    get error() {
      return see().error
    },
    get isLoading() {
      return see().isLoading
    },
  }
}

/** What there is to be seen of a question at this moment. */
function now<V>(asked: Asked<V>, opening: Opening): Answer<V> {
  let seen!: Answer<V>
  follow<V>(asked, opening, (answer) => (seen = answer))()
  return seen
}
