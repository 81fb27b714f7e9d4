/** Reports an error as one that nobody caught: the host shows it, and tells its handlers of such errors. */
export function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error)
  else {
    queueMicrotask(() => {
      throw error
    })
  }
}
