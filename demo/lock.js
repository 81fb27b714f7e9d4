let last = Promise.resolve()

/**
 * The page's lock. Runs `work` when every `work` given before has ended, so
 * that the page never shows half of one answer and half of the next, and so
 * that a change of this tab is drawn before the page looks for changes of
 * other tabs.
 *
 * @returns What `work` returns.
 */
export function withLock(work) {
  const result = last.then(work)
  last = result.catch(() => {}) // the caller gets the error; the next work runs all the same
  return result
}
