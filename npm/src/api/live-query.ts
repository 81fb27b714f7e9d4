import type { Calls } from '../connection/calls.js'
import type { LiveQuestion } from '../connection/live.js'
import type { Delta } from '../live/rows.js'
import { DocumentsView, RowsView } from '../live/views.js'
import { LiveValue } from '../live/live-value.js'
import type { AtomicDBError } from '../errors.js'
import type { FindOptions } from '../query/types.js'
import type { StopSignal, Stored } from '../types.js'
import { resultOf, type Origin, type QueryResult } from './result.js'

/** What has changed in the result of a live query. */
export type LiveDelta<T = any> = Delta<Stored<T>>

/** The options of a live query: those of `search`, and a signal. */
export interface LiveOptions<T = any, S extends string = never, F extends string = never> extends FindOptions<T, S, F> {
  /** Closes the live query when it is aborted. */
  signal?: StopSignal
}

/**
 * The result of a query, kept current. Documents that a commit did not change are the same objects in the next result.
 * They are shared by all that use this live query: do not change them. `tracked()` and `updateAll()` of a result change
 * what is stored, and the next result has it. They are not frozen, because that takes longer than to read them: 0.8 us
 * for a document of 8 values (Node 20).
 *
 * @example
 * ```ts
 * const adults = db.live('age >= 18', { sort: 'name' })
 * const unsubscribe = adults.subscribe((people, delta) => render(people))
 * ```
 */
export class LiveQuery<T = any> extends LiveValue<QueryResult<T>> {
  /** @internal @param origin Null if the answers are rows that are no documents. */
  constructor(calls: Calls, question: LiveQuestion<Stored<any>[]>, origin: Omit<Origin, 'calls' | 'isShared'> | null, signal?: StopSignal) {
    const from = origin ? { calls, ...origin, isShared: true } : undefined
    const view = origin ? new DocumentsView((documents: Stored<T>[]) => resultOf(documents, from), true) : new RowsView((rows) => resultOf(rows.slice() as Stored<T>[], from))
    super(calls, question, view, signal)
  }

  /**
   * As in {@link LiveValue}. The listener also gets what has changed: the documents that are new, those that were in the
   * result with other contents, the ids of those that have left it, and the ids of those that have another place among
   * the others. The first time, and with `liveSql`, it is undefined.
   */
  override subscribe(listener: (result: QueryResult<T>, delta: LiveDelta<T> | undefined) => void, onError?: (error: AtomicDBError) => void): () => void {
    return this.add(listener, onError)
  }
}
