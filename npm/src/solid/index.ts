/**
 * AtomicDB for Solid: {@link AtomicDBProvider} gives components a database, {@link createLiveQuery} and its like keep
 * stores current, and {@link createMutation} writes. Of a document that changes, only what depends on the fields that
 * change runs again, and `<For>` keeps its elements.
 *
 * @packageDocumentation
 */
import { batch, createComponent, createComputed, createContext, createMemo, createSignal, onCleanup, untrack, useContext, type JSX } from 'solid-js'
import { createStore, reconcile, type SetStoreFunction } from 'solid-js/store'
import type { Answer } from '../hooks/answer.js'
import { followWrites, isServer, needed, openingFor } from '../hooks/app.js'
import type { AskOptions, DocumentOptions, LiveQueryOptions, Of, PlainWhere } from '../hooks/ask-options.js'
import { askedOf, follow, sameAsked, type Asked, type Kind } from '../hooks/follow.js'
import { mutationOf, unused, type MutationCalls, type Progress } from '../hooks/mutation.js'
import type { Database, DatabaseSource, Opening } from '../hooks/opening.js'
import type { Aggregate, AtomicDB, Id, LiveValue, Stored, Value, Where, WriteStatus } from '../index.js'

export type { Answer, AskOptions, Database, DatabaseSource, DocumentOptions, LiveQueryOptions, MutationCalls, Of, PlainWhere, Progress }

/** An argument: a value, or an accessor. */
export type Argument<A> = A | (() => A)

/** A condition as an argument. One that is a function of a document is given as `() => (document) => …`. */
export type WhereArgument<T = any> = PlainWhere<T> | undefined | (() => Where<T> | undefined)

/** What {@link createMutation} returns. */
export type Mutation<A extends unknown[], R> = MutationCalls<A, R> & Progress<R>

const context = createContext<Opening>()

/** The properties of {@link AtomicDBProvider}. */
export interface AtomicDBProviderProps {
  /** The database: open, as a promise, or as a function that opens it, for as long as the provider is there. */
  readonly database: DatabaseSource<any>
  readonly children?: JSX.Element
}

/**
 * Gives the components inside it a database.
 *
 * @example
 * ```tsx
 * <AtomicDBProvider database={() => AtomicDB.open('todos')}>
 *   <App />
 * </AtomicDBProvider>
 * ```
 */
export function AtomicDBProvider(props: AtomicDBProviderProps): JSX.Element {
  const opening = openingFor(untrack(() => props.database))
  if (!isServer()) onCleanup(opening.hold())
  return createComponent(context.Provider, {
    value: opening,
    get children() {
      return props.children
    },
  })
}

function useOpening(of?: unknown): Opening {
  return needed(useContext(context), 'put <AtomicDBProvider database={…}> around them', of)
}

/** The database of the provider, as `{ data: db, error, isLoading }`. To write, {@link createMutation} is enough, which waits for it. */
export function useDatabase<Schema = any>(): Answer<AtomicDB<Schema> | undefined> {
  const opening = useOpening()
  const [state, set] = createStore<Answer<any>>({ ...opening.current() })
  onCleanup(opening.subscribe(() => set({ ...opening.current() })))
  return state
}

/**
 * All documents that match, kept current: `db.live` as a store. `data` has no documents until the database has answered.
 * It is asked anew when what its arguments mean has changed. Components that ask the same share one live query, which ends
 * with the last of them. What the store holds are copies, which it changes in place.
 *
 * @param of The name of a collection of the provider's database, or a collection.
 * @param where As in `search`; without it, all documents.
 *
 * @example
 * ```ts
 * const todos = createLiveQuery('todos', () => ({ done: done() }), { sort: 'created' })
 * ```
 */
export function createLiveQuery<T extends object = any, S extends string = never, F extends string = never>(of: Of<T>, where?: WhereArgument<T>, options?: Argument<LiveQueryOptions<T, S, F>>): Answer<readonly Stored<T>[]> {
  return createAsked('found', [of, where, options])
}

/** The document of an id, kept current; undefined while there is none. A text is an id, also one that reads as a condition. */
export function createDocument<T extends object = any, F extends string = never>(of: Of<T>, id: Argument<Id | null | undefined>, options?: Argument<DocumentOptions<T, F>>): Answer<Stored<T> | undefined> {
  return createAsked('one', [of, id, options])
}

/** How many documents match, kept current; 0 until the database has answered. */
export function createCount<T extends object = any>(of: Of<T>, where?: WhereArgument<T>, options?: Argument<AskOptions<number>>): Answer<number> {
  return createAsked('counted', [of, where, options])
}

/** The rows of an aggregate, kept current. */
export function createAggregate<R = any, T extends object = any, G extends string = never, P extends string = never, N extends string = never>(of: Of<T>, pipeline: Argument<Aggregate<T, G, P, N>>, options?: Argument<AskOptions<readonly R[]>>): Answer<readonly R[]> {
  return createAsked('aggregated', [of, pipeline, options])
}

/** The rows of a SELECT, kept current. Values go in as parameters, as in `db.sql`; in a template, each may be an accessor. */
export function createLiveSql<R = any>(text: Argument<string>, params?: Argument<readonly Value[] | Record<string, Value>>, options?: Argument<AskOptions<readonly Stored<R>[]>>): Answer<readonly R[]>
export function createLiveSql<R = any>(strings: TemplateStringsArray, ...params: Argument<Value>[]): Answer<readonly R[]>
export function createLiveSql(...args: unknown[]): Answer<any> {
  return createAsked('selected', args)
}

/**
 * Any live value of the database, such as `db.liveDistinct` makes; `data` is undefined until there is one.
 *
 * @param make Makes it. It is called again when one of `deps` is another, which are compared by what they say.
 */
export function createLive<V>(make: (db: Database) => LiveValue<V>, deps?: Argument<readonly unknown[]>, options?: Argument<AskOptions<V>>): Answer<V | undefined> {
  return createAsked('followed', [() => make, deps, options])
}

/**
 * A function that writes, and how it goes. Called while the database is being opened, it waits for that. Live queries show
 * the write before it is stored, and take it back if it cannot be.
 *
 * @example
 * ```ts
 * const add = createMutation((db, text: string) => db.insert({ text, done: false }, 'todos'))
 * ```
 */
export function createMutation<A extends unknown[], R>(work: (db: AtomicDB, ...args: A) => Promise<R> | R): Mutation<A, R> {
  const [progress, set] = createSignal<Progress<R>>(unused)
  return {
    ...mutationOf<A, R>(useOpening(), work, set),
    get data() {
      return progress().data
    },
    get error() {
      return progress().error
    },
    get isPending() {
      return progress().isPending
    },
  }
}

/**
 * Whether what this database has written is stored: `{ status, error }`, where the status is 'saved', 'saving' or 'failed'.
 * It is about all writes, not about those of {@link createMutation} alone; see `db.writeStatus`.
 */
export function createWriteStatus(): WriteStatus {
  const [state, set] = createStore<WriteStatus>({ status: 'saved', error: undefined })
  const stop = followWrites(useOpening(), (status) => set({ ...status }))
  if (isServer()) stop()
  else onCleanup(stop)
  return state
}

function createAsked<V>(kind: Kind, args: readonly any[]): Answer<V> {
  const opening = useOpening(args[0])
  const asked = createMemo<Asked<V>>(() => askedOf<V>(kind, () => args.map((each) => (typeof each === 'function' ? each() : each))), undefined as unknown as Asked<V>, { equals: sameAsked })
  const [state, set] = createStore<Answer<any>>({ data: undefined, error: undefined, isLoading: true })
  const rows = new Rows(kind === 'found' ? '_id' : null)
  let last: Answer<V> | undefined
  const tell = (answer: Answer<V>) => {
    batch(() => {
      set({ error: answer.error, isLoading: answer.isLoading })
      if (!last || last.data !== answer.data) rows.put(answer.data, state, set)
    })
    last = answer
  }
  createComputed(() => {
    const now = asked()
    const stop = untrack(() => follow(now, opening, tell, last))
    if (isServer()) stop()
    else onCleanup(stop)
  })
  return state
}

/**
 * Puts data into a store. `reconcile` writes into the objects of the store, and those of a live query are others' too: the
 * store gets copies, which takes 1.5 us for a document of 8 values. Where a row has changed and stands where it was, that
 * row alone is written: of 10,000 that takes 0.8 ms, and `reconcile` of all 79 (Node 20, Solid 1.9).
 */
class Rows {
  private last: readonly any[] | undefined // what the store shows, in its order

  /** @param key The field by which a row is known; null: its place. */
  constructor(private readonly key: string | null) {}

  put(data: unknown, state: { readonly data: any }, set: SetStoreFunction<any>): void {
    if (!Array.isArray(data)) {
      set('data', typeof data === 'object' && data !== null ? reconcile(copyOf(data), { key: '_id' }) : () => data)
      this.last = undefined
      return
    }
    const { key, last } = this
    const options = { key, merge: key === null }
    if (last && data.length === last.length && data.every((row, place) => key === null || row[key] === last[place][key])) {
      for (const [place, row] of data.entries()) if (row !== last[place]) set('data', place, reconcile(copyOf(row), options))
    } else {
      const own = untrack(() => state.data as unknown[] | undefined)
      // As the store hands them out, its rows are its own at once.
      const shown = new Map(key === null || !last ? [] : last.map((row, place) => [row, own![place]]))
      set('data', reconcile(data.map((row) => shown.get(row) ?? copyOf(row)), options))
    }
    this.last = Array.from(data)
  }
}

/** A copy of what the store would write into: plain objects and arrays. */
function copyOf<V>(value: V): V {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Array.from(value, copyOf) as V
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy: Record<string, unknown> = {}
  // A store leaves out a field __proto__.
  for (const name of Object.keys(value)) if (name !== '__proto__') copy[name] = copyOf((value as Record<string, unknown>)[name])
  return copy as V
}
