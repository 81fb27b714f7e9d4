'use client'

/**
 * AtomicDB for React: {@link AtomicDBProvider} gives components a database, {@link useLiveQuery} and its like keep what
 * they show current, and {@link useMutation} writes.
 *
 * @packageDocumentation
 */
export { AtomicDBProvider, useDatabase, useSuspenseDatabase, type AtomicDBProviderProps } from './provider.js'
export {
  useAggregate,
  useCount,
  useDocument,
  useLive,
  useLiveQuery,
  useLiveSql,
  useSuspenseAggregate,
  useSuspenseCount,
  useSuspenseDocument,
  useSuspenseLiveQuery,
  useSuspenseLiveSql,
  type SuspenseOptions,
} from './queries.js'
export { useInfiniteQuery, type InfiniteAnswer } from './infinite.js'
export { useMutation, useWriteStatus, type Mutation } from './mutation.js'
export type { AskOptions, DepsOptions, DocumentOptions, InfiniteQueryOptions, LiveQueryOptions, Register } from './types.js'
export type { Answer, State } from '../hooks/answer.js'
export type { Database, DatabaseSource } from '../hooks/opening.js'
