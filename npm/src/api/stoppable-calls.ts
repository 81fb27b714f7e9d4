import type { ConnectionCalls } from '../connection/calls.js'
import { DatabaseCalls } from './database-calls.js'

/** The calls of a database until a signal is aborted; see {@link AtomicDB.withSignal}. */
export class StoppableCalls extends DatabaseCalls {
  /** @internal */
  constructor(calls: ConnectionCalls, signal: AbortSignal) {
    super({
      read: (work) => until(signal, () => calls.read(work, signal)),
      write: (prepare) => (signal.aborted ? aborted(signal) : calls.write(prepare)),
      live: (question, listener) => calls.live(question, listener),
      signal,
    })
  }
}

/** Settles as `run` does, or rejects once `signal` is aborted. */
function until<R>(signal: AbortSignal, run: () => Promise<R>): Promise<R> {
  if (signal.aborted) return aborted(signal)
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    void run().then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

const aborted = (signal: AbortSignal) => Promise.reject<never>(signal.reason as Error)
