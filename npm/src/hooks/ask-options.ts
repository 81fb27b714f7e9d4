import type { Collection, FindOptions, Stored, Where } from '../index.js'

/** What all hooks that ask have as options. */
export interface AskOptions<V> {
  /**
   * What `data` is until the database has answered: on a server, while the page takes over what a server has rendered, and
   * while the database is being opened.
   */
  initialData?: V | undefined
  /** false: nothing is asked, `data` is as before the first answer, and `isLoading` is false. Default true. */
  enabled?: boolean | undefined
  /** Whether `data` stays what it was while another question has no answer yet; `isLoading` is true then. Default false. */
  keepPrevious?: boolean | undefined
}

/** The options of a query. */
export interface LiveQueryOptions<T = any, S extends string = never, F extends string = never>
  extends Omit<FindOptions<T, S, F>, 'collection'>, AskOptions<readonly Stored<T>[]> {}

/** The options of what asks for one document. */
export interface DocumentOptions<T = any, F extends string = never>
  extends Pick<FindOptions<T, never, F>, 'fields' | 'populate'>, AskOptions<Stored<T>> {}

/** A collection, or the name of one in the database of the components. */
export type Of<T extends object> = Collection<T> | string

/** A condition that is no function: where a function may be given, it is one that returns the condition. */
export type PlainWhere<T> = Exclude<Where<T>, (document: any) => boolean>
