/** Reports an error as one that nobody caught: the host shows it, and tells its handlers of such errors. */
export function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error)
  else {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** Calls a function of the user. What it throws is reported. */
export function guarded(call: () => void): void {
  try {
    call()
  } catch (error) {
    report(error)
  }
}
