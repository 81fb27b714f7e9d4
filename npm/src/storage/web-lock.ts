import { AtomicDBError } from '../errors.js'

/** How long a call waits for its turn, in milliseconds. A turn takes a few of them; a compaction of a large database, seconds. */
const timeout = 30_000

/**
 * Runs `work` while no other tab holds the lock. Rejects with `timeout`, and
 * without `work`, where one keeps it: a tab whose thread stands still in the
 * middle of its turn. The lock is not taken from it, since it would go on with its
 * turn. Browsers do not freeze a tab that holds one, and take it from one that dies.
 *
 * @param storage What the error calls it.
 */
export async function withLock<R>(locks: LockManager, name: string, storage: string, work: () => R | Promise<R>): Promise<R> {
  const waiting = new AbortController()
  const timer = setTimeout(() => waiting.abort(), timeout)
  let isTurn = false
  try {
    return (await locks.request(name, { signal: waiting.signal }, () => {
      isTurn = true
      clearTimeout(timer)
      return work()
    })) as R
  } catch (error) {
    if (isTurn || !waiting.signal.aborted) throw error
    throw new AtomicDBError('timeout', `${storage}: another tab is in the middle of a turn at the database and stands still; nothing was done`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
