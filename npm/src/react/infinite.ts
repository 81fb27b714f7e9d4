import { useMemo, useRef, useState, useEffect } from 'react'
import type { Answer } from '../hooks/answer.js'
import { found } from '../hooks/questions.js'
import { sharedWith } from '../hooks/shared-rows.js'
import type { Collection, QueryResult, Where } from '../index.js'
import { resultOf, split, noDocuments } from './queries.js'
import type { DocumentOf, InfiniteQueryOptions, Of, TypedName } from './types.js'
import { useAnswer } from './use-answer.js'
import { useWhereKey } from './where-key.js'

/** What {@link useInfiniteQuery} returns. */
export interface InfiniteAnswer<T> extends Answer<QueryResult<T>> {
  /** Whether there are more documents than `data` has. */
  readonly hasMore: boolean
  /** Whether {@link loadMore} has been called, and what it asks for is not there yet. */
  readonly isLoadingMore: boolean
  /** Asks for one more page. Without more documents, or while they are loading, it does nothing. */
  loadMore(): void
}

/**
 * The first documents that match, and more of them page by page, as one result that is kept current: a document that is
 * inserted between others moves those after it down, and none is missing or there twice.
 *
 * @param options.pageSize How many documents there are at first, and how many more each time. Default 20.
 *
 * @example
 * ```tsx
 * const { data: posts, hasMore, loadMore } = useInfiniteQuery('posts', undefined, { sort: '-created', pageSize: 50 })
 * ```
 */
export function useInfiniteQuery<Name extends TypedName, S extends string = never, F extends string = never>(of: Name, where?: Where<DocumentOf<Name>>, options?: InfiniteQueryOptions<DocumentOf<Name>, S, F>): InfiniteAnswer<DocumentOf<Name>>
export function useInfiniteQuery<T extends object = any, S extends string = never, F extends string = never>(of: Of<T>, where?: Where<NoInfer<T>>, options?: InfiniteQueryOptions<NoInfer<T>, S, F>): InfiniteAnswer<T>
export function useInfiniteQuery(of: string | Collection, where?: Where, { pageSize = 20, ...options }: InfiniteQueryOptions = {}): InfiniteAnswer<any> {
  const { ask, deps, rest } = split(options)
  const whereKey = useWhereKey(where, deps)
  const { key } = found(of, where, rest, whereKey)
  const [asked, setAsked] = useState({ key, pages: 1 })
  const pages = asked.key === key ? asked.pages : 1
  const limit = pages * pageSize
  // One more than is shown, to know whether there are more.
  const { data: rows, error, isLoading } = useAnswer(found(of, where, { ...rest, limit: limit + 1 }, whereKey), noDocuments, { ...ask, initialData: resultOf(ask.initialData), keepPrevious: pages > 1 })
  const last = useRef<QueryResult>(noDocuments)
  const data = useMemo(() => sharedWith(last.current, rows, limit), [rows, limit])
  useEffect(() => {
    last.current = data
  }, [data])
  const isLoadingMore = isLoading && pages > 1
  const hasMore = rows.length > data.length || isLoadingMore
  return useMemo(() => ({
    data,
    error,
    isLoading: isLoading && !isLoadingMore,
    hasMore,
    isLoadingMore,
    loadMore: () => {
      if (hasMore && !isLoadingMore) setAsked({ key, pages: pages + 1 })
    },
  }), [data, error, isLoading, hasMore, isLoadingMore, key, pages])
}
