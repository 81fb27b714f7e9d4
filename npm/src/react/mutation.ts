import { useCallback, useInsertionEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { mutationOf, unused, type MutationCalls, type Progress } from '../hooks/mutation.js'
import type { WriteStatus } from '../index.js'
import { subscribeToNothing, useOpened, useOpening } from './provider.js'
import type { RegisteredDB } from './types.js'

/** What {@link useMutation} returns: how the last call goes, and the calls, which are the same functions in each render. */
export type Mutation<A extends unknown[], R> = Progress<R> & MutationCalls<A, R>

/**
 * A function that writes, and how it goes. Called while the database is being opened, it waits for that. Live queries show
 * the write before it is stored, and take it back if it cannot be.
 *
 * @param work Writes. The function of the last render counts.
 *
 * @example
 * ```tsx
 * const add = useMutation((db, text: string) => db.insert({ text, done: false }, 'todos'))
 * return <button disabled={add.isPending} onClick={() => add.mutate('Buy milk')}>{add.error?.message ?? 'Add'}</button>
 * ```
 */
export function useMutation<A extends unknown[], R>(work: (db: RegisteredDB, ...args: A) => Promise<R> | R): Mutation<A, R> {
  const opening = useOpening(true)
  const [progress, setProgress] = useState<Progress<R>>(unused)
  const latest = useRef({ work, opening })
  useInsertionEffect(() => {
    latest.current = { work, opening }
  })
  const calls = useMemo(() => mutationOf<A, R>(
    { current: () => latest.current.opening.current(), ready: () => latest.current.opening.ready() },
    (db, ...args) => latest.current.work(db as RegisteredDB, ...args),
    setProgress,
  ), [])
  return { ...calls, ...progress }
}

const saved: WriteStatus = { status: 'saved', error: undefined }

/**
 * Whether what this database has written is stored: `{ status, error }`, where the status is 'saved', 'saving' or 'failed'.
 * It is about all writes, not about those of {@link useMutation} alone; see `db.writeStatus`.
 */
export function useWriteStatus(): WriteStatus {
  const status = useOpened(useOpening(true)).data?.writeStatus
  const subscribe = useCallback((listener: () => void) => status?.subscribe(listener) ?? subscribeToNothing(), [status])
  return useSyncExternalStore(subscribe, () => status?.current ?? saved, () => saved)
}
