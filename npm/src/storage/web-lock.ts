import { AtomicDBError } from '../errors.js'

/**
 * How long a call waits for the lock, in milliseconds. It is held for a few milliseconds; to compact a large database,
 * for seconds.
 */
const timeout = 30_000

/**
 * Runs `work` while no other tab holds the lock of that name. Rejects with
 * `timeout`, and without running `work`, if another tab keeps the lock: its
 * thread stands still in the middle of a call. The lock is not taken from such
 * a tab, because it would go on with its call. Browsers do not freeze a tab
 * that holds a lock, and release the locks of a tab that crashes.
 *
 * @param storage What the error calls the storage.
 */
export async function withLock<R>(locks: LockManager, name: string, storage: string, work: () => R | Promise<R>): Promise<R> {
  const waiting = new AbortController()
  const timer = setTimeout(() => waiting.abort(), timeout)
  let isHeld = false
  try {
    return (await locks.request(name, { signal: waiting.signal }, () => {
      isHeld = true
      clearTimeout(timer)
      return work()
    })) as R
  } catch (error) {
    if (isHeld || !waiting.signal.aborted) throw error
    throw new AtomicDBError('timeout', `${storage}: another tab holds the lock of the database and stands still; nothing was done`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
