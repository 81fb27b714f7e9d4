import type { ConnectionCalls } from '../connection/calls.js'
import { DatabaseCalls } from './database-calls.js'
import { aborted, until } from './until.js'

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
