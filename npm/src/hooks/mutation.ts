import type { AtomicDBError } from '../index.js'
import type { Database, Opening } from './opening.js'

/** How the last call of a write goes. */
export interface Progress<R> {
  /** What it has resolved to. */
  readonly data: R | undefined
  /** Why it has failed: an AtomicDBError, unless a function of yours has thrown something else. */
  readonly error: AtomicDBError | undefined
  /** Whether it is on its way. */
  readonly isPending: boolean
}

/** A write that components make. */
export interface MutationCalls<A extends unknown[], R> {
  /** Does it. What goes wrong is in `error`. */
  readonly mutate: (...args: A) => void
  /** Does it, and resolves to what the function has returned; rejects with what it has thrown. */
  readonly mutateAsync: (...args: A) => Promise<R>
  /** Forgets the last call: there is no data, no error, and nothing pending. */
  readonly reset: () => void
}

/** How it goes before the first call. */
export const unused: Progress<never> = { data: undefined, error: undefined, isPending: false }

/** The calls of a write, which wait while the database is being opened. @param tell Hears how the last one goes. */
export function mutationOf<A extends unknown[], R>(opening: Pick<Opening, 'current' | 'ready'>, work: (db: any, ...args: A) => Promise<R> | R, tell: (progress: Progress<R>) => void): MutationCalls<A, R> {
  let calls = 0
  const mutateAsync = async (...args: A): Promise<R> => {
    const call = ++calls
    const become = (next: Progress<R>) => {
      if (call === calls) tell(next)
    }
    become({ ...unused, isPending: true })
    try {
      // Without waiting, if it can be: the page shows the write then before it is drawn again.
      const db: Database = opening.current().data ?? (await opening.ready())
      const data = await work(db, ...args)
      become({ ...unused, data })
      return data
    } catch (error) {
      become({ ...unused, error: error as AtomicDBError })
      throw error
    }
  }
  return {
    mutateAsync,
    mutate: (...args) => void mutateAsync(...args).catch(() => {}),
    reset: () => {
      calls++
      tell(unused)
    },
  }
}
