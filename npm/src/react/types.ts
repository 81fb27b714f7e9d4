import type { AskOptions } from '../hooks/ask-options.js'
import type { AtomicDB, Collection, FindOptions, Stored } from '../index.js'

export type { AskOptions }

/**
 * Tells the hooks the types of your collections, once for the whole program:
 *
 * @example
 * ```ts
 * declare module 'atomicdb/react' {
 *   interface Register { schema: { todos: Todo } }
 * }
 * ```
 */
export interface Register {}

/** The types of the collections: those that {@link Register} has, otherwise any. */
export type Schema = Register extends { schema: infer S } ? S : any

/** The database that the hooks give. */
export type RegisteredDB = AtomicDB<Schema>

type IsKnown = 0 extends 1 & Schema ? false : true

/** The names of collections that have a type. */
export type TypedName = IsKnown extends true ? keyof Schema & string : never

/** The type of the documents of a collection of that name. */
export type DocumentOf<Name extends TypedName> = Documents<Schema[Name]>

/** What is an object of a type, as editors should show it. */
type Documents<D> = D extends object ? D : D & object

/** A collection, or its name if {@link Register} says nothing of names. */
export type Of<T extends object> = Collection<T> | (IsKnown extends true ? never : string)

/** A condition that is a function cannot be compared with others: see {@link useLiveQuery}. */
export interface DepsOptions {
  /** With a function as condition: what its answer depends on, besides the document. */
  deps?: readonly unknown[] | undefined
}

/** The options of a query: how it returns what it finds, and how the hook does. */
export interface LiveQueryOptions<T = any, S extends string = never, F extends string = never>
  extends Omit<FindOptions<T, S, F>, 'collection'>, AskOptions<readonly Stored<T>[]>, DepsOptions {}

/** The options of `useDocument`. */
export interface DocumentOptions<T = any, F extends string = never>
  extends Pick<FindOptions<T, never, F>, 'fields' | 'populate'>, AskOptions<Stored<T>> {}

/** The options of `useInfiniteQuery`. */
export interface InfiniteQueryOptions<T = any, S extends string = never, F extends string = never>
  extends Omit<LiveQueryOptions<T, S, F>, 'skip' | 'limit' | 'keepPrevious'> {
  /** How many documents there are at first, and how many more each time. Default 20. */
  pageSize?: number | undefined
}
