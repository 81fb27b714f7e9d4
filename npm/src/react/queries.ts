import type { Answer } from '../hooks/answer.js'
import { aggregated, counted, followed, found, one, selected } from '../hooks/questions.js'
import { QueryResult, type Aggregate, type Collection, type Id, type LiveValue, type Stored, type Value, type Where } from '../index.js'
import type { AskOptions, DepsOptions, DocumentOf, DocumentOptions, LiveQueryOptions, Of, RegisteredDB, TypedName } from './types.js'
import { useAnswer, useSuspenseAnswer } from './use-answer.js'
import { useWhereKey, whereKey } from './where-key.js'

/** What a suspense variant has as options: nothing of the others makes sense there. */
export type SuspenseOptions<O extends AskOptions<any>> = Omit<O, 'enabled' | 'keepPrevious' | 'deps'>

export const noDocuments = Object.freeze(new QueryResult<any>()) as QueryResult<any>
const noRows = Object.freeze([]) as unknown as any[]

const results = new WeakMap<readonly unknown[], QueryResult<any>>()

/** Initial data, which may come from JSON, as a result: always the same for the same array. */
export function resultOf<T>(initialData: readonly Stored<T>[] | undefined): QueryResult<T> | undefined {
  if (initialData === undefined || initialData instanceof QueryResult) return initialData
  let result = results.get(initialData)
  if (!result) results.set(initialData, (result = Object.assign(new QueryResult<T>(), initialData)))
  return result
}

/** The options of a hook, and those of the call that it makes. */
export function split<O extends AskOptions<any> & DepsOptions>({ initialData, enabled, keepPrevious, deps, ...rest }: O) {
  return { ask: { initialData: initialData as O['initialData'], enabled: enabled ?? true, keepPrevious: keepPrevious ?? false }, deps, rest }
}

/**
 * All documents that match, kept current: `db.live` as a hook. `data` has no documents until the database has answered.
 *
 * What is asked is compared by its meaning, so the condition and the options may be made anew in each render, and
 * components that ask the same share one live query. A function as condition is compared by identity: make it outside of
 * the component, or with `useCallback`; or give `options.deps`, what it depends on, and it is asked anew when one of these
 * changes. One that is made anew in each render is asked in each: if a worker answers, the answer renders the next one,
 * without end, and a warning in the console says which function it is.
 *
 * @param of The name of a collection of the provider's database, or a collection.
 * @param where As in `search`; without it, all documents.
 *
 * @example
 * ```tsx
 * const { data: todos, error, isLoading } = useLiveQuery('todos', { done: false }, { sort: 'created' })
 * ```
 */
export function useLiveQuery<Name extends TypedName, S extends string = never, F extends string = never>(of: Name, where?: Where<DocumentOf<Name>>, options?: LiveQueryOptions<DocumentOf<Name>, S, F>): Answer<QueryResult<DocumentOf<Name>>>
export function useLiveQuery<T extends object = any, S extends string = never, F extends string = never>(of: Of<T>, where?: Where<NoInfer<T>>, options?: LiveQueryOptions<NoInfer<T>, S, F>): Answer<QueryResult<T>>
export function useLiveQuery(of: string | Collection, where?: Where, options: LiveQueryOptions = {}): Answer<QueryResult> {
  const { ask, deps, rest } = split(options)
  const question = found(of, where, rest, useWhereKey(where, deps))
  return useAnswer(question, noDocuments, { ...ask, initialData: resultOf(ask.initialData) })
}

/** As {@link useLiveQuery}, but returns the documents, suspends until they are there, and throws the error if there is one. */
export function useSuspenseLiveQuery<Name extends TypedName, S extends string = never, F extends string = never>(of: Name, where?: Where<DocumentOf<Name>>, options?: SuspenseOptions<LiveQueryOptions<DocumentOf<Name>, S, F>>): QueryResult<DocumentOf<Name>>
export function useSuspenseLiveQuery<T extends object = any, S extends string = never, F extends string = never>(of: Of<T>, where?: Where<NoInfer<T>>, options?: SuspenseOptions<LiveQueryOptions<NoInfer<T>, S, F>>): QueryResult<T>
export function useSuspenseLiveQuery(of: string | Collection, where?: Where, options: SuspenseOptions<LiveQueryOptions> = {}): QueryResult {
  const { ask, rest } = split(options)
  return useSuspenseAnswer(found(of, where, rest, whereKey(where)), { initialData: resultOf(ask.initialData) })
}

/**
 * The document of an id, kept current; undefined while there is none. A text is an id, also one that reads as a condition.
 *
 * @param id Without one, nothing is asked.
 */
export function useDocument<Name extends TypedName, F extends string = never>(of: Name, id: Id | null | undefined, options?: DocumentOptions<DocumentOf<Name>, F>): Answer<Stored<DocumentOf<Name>> | undefined>
export function useDocument<T extends object = any, F extends string = never>(of: Of<T>, id: Id | null | undefined, options?: DocumentOptions<NoInfer<T>, F>): Answer<Stored<T> | undefined>
export function useDocument(of: string | Collection, id: Id | null | undefined, options: DocumentOptions = {}): Answer<Stored<any> | undefined> {
  const { ask, rest } = split(options)
  return useAnswer(one(of, id!, rest), undefined, id === null || id === undefined ? { enabled: false } : ask)
}

/** As {@link useDocument}, but returns the document, suspends until it is known, and throws the error if there is one. */
export function useSuspenseDocument<Name extends TypedName, F extends string = never>(of: Name, id: Id, options?: SuspenseOptions<DocumentOptions<DocumentOf<Name>, F>>): Stored<DocumentOf<Name>> | undefined
export function useSuspenseDocument<T extends object = any, F extends string = never>(of: Of<T>, id: Id, options?: SuspenseOptions<DocumentOptions<NoInfer<T>, F>>): Stored<T> | undefined
export function useSuspenseDocument(of: string | Collection, id: Id, options: SuspenseOptions<DocumentOptions> = {}): Stored<any> | undefined {
  const { ask, rest } = split(options)
  return useSuspenseAnswer(one(of, id, rest), ask)
}

/** How many documents match, kept current; 0 until the database has answered. A function as condition is as in {@link useLiveQuery}. */
export function useCount<Name extends TypedName>(of: Name, where?: Where<DocumentOf<Name>>, options?: AskOptions<number> & DepsOptions): Answer<number>
export function useCount<T extends object = any>(of: Of<T>, where?: Where<NoInfer<T>>, options?: AskOptions<number> & DepsOptions): Answer<number>
export function useCount(of: string | Collection, where?: Where, options: AskOptions<number> & DepsOptions = {}): Answer<number> {
  return useAnswer(counted(of, where, useWhereKey(where, options.deps)), 0, options)
}

/** As {@link useCount}, but returns the number, suspends until it is known, and throws the error if there is one. */
export function useSuspenseCount<Name extends TypedName>(of: Name, where?: Where<DocumentOf<Name>>, options?: SuspenseOptions<AskOptions<number>>): number
export function useSuspenseCount<T extends object = any>(of: Of<T>, where?: Where<NoInfer<T>>, options?: SuspenseOptions<AskOptions<number>>): number
export function useSuspenseCount(of: string | Collection, where?: Where, options?: SuspenseOptions<AskOptions<number>>): number {
  return useSuspenseAnswer(counted(of, where, whereKey(where)), options)
}

/**
 * The rows of an aggregate, kept current. A function as its condition has to be the same in each render.
 *
 * @example
 * ```tsx
 * const { data: cities } = useAggregate('users', { groupBy: 'city', select: { n: { $count: true } }, sort: '-n' })
 * ```
 */
export function useAggregate<R = any, Name extends TypedName = TypedName, G extends string = never, P extends string = never, N extends string = never>(of: Name, pipeline: Aggregate<DocumentOf<Name>, G, P, N>, options?: AskOptions<readonly R[]>): Answer<R[]>
export function useAggregate<R = any, T extends object = any, G extends string = never, P extends string = never, N extends string = never>(of: Of<T>, pipeline: Aggregate<NoInfer<T>, G, P, N>, options?: AskOptions<readonly R[]>): Answer<R[]>
export function useAggregate(of: string | Collection, pipeline: Aggregate<any, any, any, any>, options?: AskOptions<any>): Answer<any[]> {
  useWhereKey((pipeline as { where?: unknown } | undefined)?.where, undefined) // which warns
  return useAnswer<any[], any[]>(aggregated(of, pipeline), noRows, options)
}

/** As {@link useAggregate}, but returns the rows, suspends until they are there, and throws the error if there is one. */
export function useSuspenseAggregate<R = any, Name extends TypedName = TypedName, G extends string = never, P extends string = never, N extends string = never>(of: Name, pipeline: Aggregate<DocumentOf<Name>, G, P, N>, options?: SuspenseOptions<AskOptions<readonly R[]>>): R[]
export function useSuspenseAggregate<R = any, T extends object = any, G extends string = never, P extends string = never, N extends string = never>(of: Of<T>, pipeline: Aggregate<NoInfer<T>, G, P, N>, options?: SuspenseOptions<AskOptions<readonly R[]>>): R[]
export function useSuspenseAggregate(of: string | Collection, pipeline: Aggregate<any, any, any, any>, options?: SuspenseOptions<AskOptions<any>>): any[] {
  whereKey((pipeline as { where?: unknown } | undefined)?.where)
  return useSuspenseAnswer<any[], any[]>(aggregated(of, pipeline), options)
}

/** The parameters of a statement, by their order or by name. */
type Params = readonly Value[] | Record<string, Value>

/**
 * The rows of a SELECT, kept current. Values go in as parameters, as in `db.sql`.
 *
 * @example
 * ```tsx
 * const { data: rows } = useLiveSql('SELECT name FROM users WHERE age > ?', [18])
 * const { data: same } = useLiveSql`SELECT name FROM users WHERE age > ${18}`
 * ```
 */
export function useLiveSql<R = any>(text: string, params?: Params, options?: AskOptions<readonly Stored<R>[]>): Answer<QueryResult<R>>
export function useLiveSql<R = any>(strings: TemplateStringsArray, ...params: Value[]): Answer<QueryResult<R>>
export function useLiveSql(text: string | TemplateStringsArray, ...given: any[]): Answer<QueryResult> {
  const { params, options } = statement(text, given)
  return useAnswer(selected(text, params), noDocuments, options)
}

/** As {@link useLiveSql}, but returns the rows, suspends until they are there, and throws the error if there is one. */
export function useSuspenseLiveSql<R = any>(text: string, params?: Params, options?: SuspenseOptions<AskOptions<readonly Stored<R>[]>>): QueryResult<R>
export function useSuspenseLiveSql<R = any>(strings: TemplateStringsArray, ...params: Value[]): QueryResult<R>
export function useSuspenseLiveSql(text: string | TemplateStringsArray, ...given: any[]): QueryResult {
  const { params, options } = statement(text, given)
  return useSuspenseAnswer(selected(text, params), options)
}

function statement(text: string | TemplateStringsArray, given: any[]): { params: unknown[]; options: AskOptions<QueryResult> } {
  if (typeof text !== 'string') return { params: given, options: {} }
  const [params, options] = given as [Params | undefined, AskOptions<readonly any[]> | undefined]
  return { params: params === undefined ? [] : [params], options: { ...options, initialData: resultOf(options?.initialData) } }
}

/**
 * Any live value of the database, such as `db.liveDistinct` makes; `data` is undefined until there is one.
 *
 * @param make Makes it. It is called again when one of `deps` is another, which are compared by what they say.
 *
 * @example
 * ```tsx
 * const { data: tags } = useLive((db) => db.liveDistinct('tags', { done }, 'todos'), [done])
 * ```
 */
export function useLive<V>(make: (db: RegisteredDB) => LiveValue<V>, deps: readonly unknown[], options?: AskOptions<V>): Answer<V | undefined> {
  return useAnswer<V | undefined, V>(followed(make as (db: any) => LiveValue<V>, useWhereKey(make, deps)), undefined, options)
}
