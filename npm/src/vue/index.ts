/**
 * AtomicDB for Vue: {@link atomicdb} gives an app a database, {@link useLiveQuery} and its like keep refs current, and
 * {@link useMutation} writes.
 *
 * @packageDocumentation
 */
import { computed, hasInjectionContext, inject, onScopeDispose, shallowRef, toValue, watch, type InjectionKey, type MaybeRefOrGetter, type Plugin, type ShallowRef } from 'vue'
import type { Answer } from '../hooks/answer.js'
import { followWrites, isServer, needed, openingFor } from '../hooks/app.js'
import type { AskOptions, DocumentOptions, LiveQueryOptions, Of, PlainWhere } from '../hooks/ask-options.js'
import { askedOf, follow, sameAsked, type Asked, type Kind } from '../hooks/follow.js'
import { mutationOf, unused, type MutationCalls, type Progress } from '../hooks/mutation.js'
import type { Database, DatabaseSource, Opening } from '../hooks/opening.js'
import type { Aggregate, AtomicDB, Id, LiveValue, QueryResult, Stored, Value, Where, WriteStatus } from '../index.js'

export type { AskOptions, Database, DatabaseSource, DocumentOptions, LiveQueryOptions, MutationCalls, Of, PlainWhere }

/** An argument: a value, a ref or a getter. */
export type Argument<A> = MaybeRefOrGetter<A>

/** A condition as an argument. One that is a function of a document is given as `() => (document) => …`. */
export type WhereArgument<T = any> = Argument<PlainWhere<T> | undefined> | (() => Where<T> | undefined)

/** An object with a ref for each property of another. */
export type Refs<O> = { readonly [K in keyof O]: Readonly<ShallowRef<O[K]>> }

/** What the functions that ask return: `data`, `error` and `isLoading`, each a ref. */
export type LiveRefs<V> = Refs<Answer<V>>

/** What {@link useMutation} returns: calls, and `data`, `error` and `isPending`, each a ref. */
export type Mutation<A extends unknown[], R> = MutationCalls<A, R> & Refs<Progress<R>>

const key: InjectionKey<Opening> = Symbol('atomicdb')

/**
 * A plugin that gives an app its database.
 *
 * @param database Open, as a promise, or as a function that opens it: when the app is mounted, until it is unmounted.
 *
 * @example
 * ```ts
 * createApp(App).use(atomicdb(() => AtomicDB.open('todos'))).mount('#app')
 * ```
 */
export function atomicdb(database: DatabaseSource<any>): Plugin {
  const opening = openingFor(database)
  return {
    install(app) {
      app.provide(key, opening)
      if (!isServer()) app.onUnmount(opening.hold())
    },
  }
}

function useOpening(of?: unknown): Opening {
  return needed(hasInjectionContext() ? inject(key, undefined) : undefined, 'give the app one with app.use(atomicdb(…)), and call this in setup()', of)
}

/** The database of the app, as `{ data: db, error, isLoading }`. To write, {@link useMutation} is enough, which waits for it. */
export function useDatabase<Schema = any>(): Refs<Answer<AtomicDB<Schema> | undefined>> {
  const opening = useOpening()
  const refs = refsOf<Answer<any>>(opening.current())
  const stop = opening.subscribe(() => set(refs, opening.current()))
  onScopeDispose(stop, true)
  return refs
}

/**
 * All documents that match, kept current: `db.live` in refs. `data` has no documents until the database has answered. What
 * is asked is compared by its meaning: it is asked anew when that changes, before the component is drawn again. Components
 * that ask the same share one live query, which ends with the last of them.
 *
 * @param of The name of a collection of the app's database, or a collection.
 * @param where As in `search`; without it, all documents.
 *
 * @example
 * ```ts
 * const { data: todos, error, isLoading } = useLiveQuery('todos', () => ({ done: done.value }), { sort: 'created' })
 * ```
 */
export function useLiveQuery<T extends object = any, S extends string = never, F extends string = never>(of: Of<T>, where?: WhereArgument<T>, options?: Argument<LiveQueryOptions<T, S, F>>): LiveRefs<QueryResult<T>> {
  return useAsked('found', [of, where, options])
}

/** The document of an id, kept current; undefined while there is none. A text is an id, also one that reads as a condition. */
export function useDocument<T extends object = any, F extends string = never>(of: Of<T>, id: Argument<Id | null | undefined>, options?: Argument<DocumentOptions<T, F>>): LiveRefs<Stored<T> | undefined> {
  return useAsked('one', [of, id, options])
}

/** How many documents match, kept current; 0 until the database has answered. */
export function useCount<T extends object = any>(of: Of<T>, where?: WhereArgument<T>, options?: Argument<AskOptions<number>>): LiveRefs<number> {
  return useAsked('counted', [of, where, options])
}

/** The rows of an aggregate, kept current. */
export function useAggregate<R = any, T extends object = any, G extends string = never, P extends string = never, N extends string = never>(of: Of<T>, pipeline: Argument<Aggregate<T, G, P, N>>, options?: Argument<AskOptions<readonly R[]>>): LiveRefs<R[]> {
  return useAsked('aggregated', [of, pipeline, options])
}

/**
 * The rows of a SELECT, kept current. Values go in as parameters, as in `db.sql`; in a template, each may be reactive.
 *
 * @example
 * ```ts
 * const { data: rows } = useLiveSql('SELECT name FROM users WHERE age > ?', () => [age.value])
 * const { data: same } = useLiveSql`SELECT name FROM users WHERE age > ${age}`
 * ```
 */
export function useLiveSql<R = any>(text: Argument<string>, params?: Argument<readonly Value[] | Record<string, Value>>, options?: Argument<AskOptions<readonly Stored<R>[]>>): LiveRefs<QueryResult<R>>
export function useLiveSql<R = any>(strings: TemplateStringsArray, ...params: Argument<Value>[]): LiveRefs<QueryResult<R>>
export function useLiveSql(...args: unknown[]): LiveRefs<any> {
  return useAsked('selected', args)
}

/**
 * Any live value of the database, such as `db.liveDistinct` makes; `data` is undefined until there is one.
 *
 * @param make Makes it. It is called again when one of `deps` is another, which are compared by what they say.
 *
 * @example
 * ```ts
 * const { data: tags } = useLive((db) => db.liveDistinct('tags', { done: done.value }, 'todos'), () => [done.value])
 * ```
 */
export function useLive<V>(make: (db: Database) => LiveValue<V>, deps?: Argument<readonly unknown[]>, options?: Argument<AskOptions<V>>): LiveRefs<V | undefined> {
  return useAsked('followed', [() => make, deps, options])
}

/**
 * A function that writes, and how it goes. Called while the database is being opened, it waits for that. Live queries show
 * the write before it is stored, and take it back if it cannot be.
 *
 * @example
 * ```ts
 * const { mutate: add, error } = useMutation((db, text: string) => db.insert({ text, done: false }, 'todos'))
 * ```
 */
export function useMutation<A extends unknown[], R>(work: (db: AtomicDB, ...args: A) => Promise<R> | R): Mutation<A, R> {
  const progress = refsOf<Progress<R>>(unused)
  return { ...mutationOf<A, R>(useOpening(), work, (next) => set(progress, next)), ...progress }
}

/**
 * Whether what this database has written is stored: `{ status, error }`, where the status is 'saved', 'saving' or 'failed'.
 * It is about all writes, not about those of {@link useMutation} alone; see `db.writeStatus`.
 */
export function useWriteStatus(): Refs<WriteStatus> {
  const refs = refsOf<WriteStatus>({ status: 'saved', error: undefined })
  const stop = followWrites(useOpening(), (status) => set(refs, status))
  if (isServer()) stop()
  else onScopeDispose(stop, true)
  return refs
}

function useAsked<V>(kind: Kind, args: readonly any[]): LiveRefs<V> {
  const opening = useOpening(args[0])
  const refs = {} as LiveRefs<V>
  let last: Answer<V> | undefined
  const tell = (answer: Answer<V>) => {
    if (last) set(refs, answer)
    else Object.assign(refs, refsOf(answer))
    last = answer
  }
  const asked = computed((before?: Asked<V>) => {
    const now = askedOf<V>(kind, () => args.map((each) => toValue(each)))
    return before && sameAsked(before, now) ? before : now
  })
  // Before the component is drawn again, and once for all that has changed until then. On a server, it ends at once.
  watch(asked, (now, _before, onCleanup) => onCleanup(follow(now, opening, tell, last)), { immediate: true })
  return refs
}

function refsOf<O extends object>(values: O): Refs<O> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, shallowRef(value)])) as Refs<O>
}

function set<O extends object>(refs: Refs<O>, values: O): void {
  for (const name of Object.keys(values) as (keyof O)[]) (refs[name] as ShallowRef<O[keyof O]>).value = values[name]
}
