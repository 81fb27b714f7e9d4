import { createContext, createElement, Suspense, useContext, useEffect, useState, useSyncExternalStore, type ReactElement, type ReactNode } from 'react'
import { loading, type State } from '../hooks/answer.js'
import { Opening, openingOf, type Database, type DatabaseSource } from '../hooks/opening.js'
import { AtomicDBError } from '../index.js'
import type { RegisteredDB } from './types.js'

const context = createContext<Opening | undefined>(undefined)

/** The properties of {@link AtomicDBProvider}. */
export interface AtomicDBProviderProps {
  /**
   * The database: open, as a promise, or as a function that opens it. What the function opens is opened once, when the
   * provider is mounted, and closed when it is unmounted. Another function later changes nothing, but another `key` of the
   * provider does.
   */
  database: DatabaseSource<any>
  /** What is shown while something inside suspends and has no `Suspense` of its own around it. Default: nothing. */
  fallback?: ReactNode
  children?: ReactNode
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
export function AtomicDBProvider({ database, fallback, children }: AtomicDBProviderProps): ReactElement {
  const [own] = useState(() => new Opening(database))
  const opening = typeof database === 'function' ? own : openingOf(database)
  useEffect(() => opening.hold(), [opening])
  // The boundary is here, below the state: React forgets the state of what suspends before it was ever shown.
  return createElement(context.Provider, { value: opening }, createElement(Suspense, { fallback }, children))
}

/** @internal The opening of the provider. It may lack if nobody `needs` it. */
export function useOpening(needs: true): Opening
/** @internal */
export function useOpening(needs: boolean): Opening | undefined
export function useOpening(needs: boolean): Opening | undefined {
  const opening = useContext(context)
  if (needs && !opening) throw new AtomicDBError('invalid', 'there is no <AtomicDBProvider> around this component')
  return opening
}

/** @internal The state on a server, and while the page takes over what a server has rendered. */
export const onServer: State<never> = { ...loading }

/** @internal */
export const getOnServer = (): State<never> => onServer

/** @internal */
export const getLoading = (): State<never> => loading

/** @internal What never tells of anything. */
export const subscribeToNothing = (): (() => void) => () => {}

/** @internal The database of an opening, as far as it is open. */
export function useOpened(opening: Opening | undefined): State<Database> {
  return useSyncExternalStore<State<Database>>(opening?.subscribe ?? subscribeToNothing, opening?.current ?? getLoading, getOnServer)
}

/**
 * The database of the provider, as `{ data: db, error, isLoading }`. It is undefined while it is being opened, and on a
 * server. To write, {@link useMutation} is enough, which waits for the database.
 */
export function useDatabase(): State<RegisteredDB> {
  return useOpened(useOpening(true)) as State<RegisteredDB>
}

/** The database of the provider. Suspends while it is being opened, and throws if it cannot be. */
export function useSuspenseDatabase(): RegisteredDB {
  const opening = useOpening(true)
  const state = useOpened(opening)
  if (!state.data) throw reasonToStop(state, opening.ready)
  return state.data as RegisteredDB
}

/** @internal What to throw where there is nothing to render yet. @param settled Resolves when there is. */
export function reasonToStop(state: State<unknown>, settled: () => PromiseLike<unknown>): unknown {
  if (state === onServer) return new AtomicDBError('unsupported', 'a server has no database to wait for: give initialData, or let the browser render this, inside <Suspense>')
  return state.error ?? settled()
}
