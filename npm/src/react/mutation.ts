import { useCallback, useInsertionEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { AtomicDBError, WriteStatus } from '../index.js'
import { subscribeToNothing, useOpened, useOpening } from './provider.js'
import type { RegisteredDB } from './types.js'

/** What {@link useMutation} returns. */
export interface Mutation<A extends unknown[], R> {
  /** Does it. What goes wrong is in `error`. It is the same function in each render. */
  readonly mutate: (...args: A) => void
  /** Does it, and resolves to what the function has returned; rejects with what it has thrown. */
  readonly mutateAsync: (...args: A) => Promise<R>
  /** What the last call has resolved to. */
  readonly data: R | undefined
  /** Why the last call has failed: an AtomicDBError, unless a function of yours has thrown something else. */
  readonly error: AtomicDBError | undefined
  /** Whether the last call is on its way. */
  readonly isPending: boolean
  /** Forgets the last call: there is no data, no error, and nothing pending. */
  readonly reset: () => void
}

interface Progress<R> {
  readonly data: R | undefined
  readonly error: AtomicDBError | undefined
  readonly isPending: boolean
}

const unused: Progress<never> = { data: undefined, error: undefined, isPending: false }
const pending: Progress<never> = { ...unused, isPending: true }

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
  const latest = useRef({ work, opening, calls: 0 })
  useInsertionEffect(() => {
    Object.assign(latest.current, { work, opening })
  })
  const { mutate, mutateAsync, reset } = useMemo(() => {
    const of = latest.current
    const mutateAsync = async (...args: A): Promise<R> => {
      const call = ++of.calls
      const become = (next: Progress<R>) => {
        if (call === of.calls) setProgress(next)
      }
      become(pending)
      try {
        // Without waiting, if it can be: the page shows the write then before it renders again.
        const db = of.opening.current().data ?? (await of.opening.ready())
        const data = await of.work(db as RegisteredDB, ...args)
        become({ ...unused, data })
        return data
      } catch (error) {
        become({ ...unused, error: error as AtomicDBError })
        throw error
      }
    }
    return {
      mutateAsync,
      mutate: (...args: A) => void mutateAsync(...args).catch(() => {}),
      reset: () => {
        of.calls++
        setProgress(unused)
      },
    }
  }, [])
  return { mutate, mutateAsync, reset, ...progress }
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
