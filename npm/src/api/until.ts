/** Settles as `run` does, or rejects once `signal` is aborted. */
export function until<R>(signal: AbortSignal, run: () => Promise<R>): Promise<R> {
  if (signal.aborted) return aborted(signal)
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    void run().then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** Rejects as the signal, which is aborted, says. */
export const aborted = (signal: AbortSignal) => Promise.reject<never>(signal.reason as Error)
