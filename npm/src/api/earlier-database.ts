import type { EarlierState } from '../connection/feeds.js'
import { invalid } from '../errors.js'
import { asyncDispose } from './async-dispose.js'
import { DatabaseCalls } from './database-calls.js'

/** A database as it was after a batch, to be read only; see {@link AtomicDB.at}. A write rejects with `invalid`. */
export class EarlierDatabase<Schema = any> extends DatabaseCalls<Schema> implements AsyncDisposable {
  /** The number of the batch. */
  readonly seq: number
  private readonly state: EarlierState

  /** @internal */
  constructor(seq: number, state: EarlierState) {
    super({
      read: (work, signal) => state.read(work, signal),
      write: async () => {
        throw invalid(`at(${seq}): an earlier state can only be read`)
      },
      live: () => {
        throw invalid(`at(${seq}): an earlier state does not change, so it has no live queries`)
      },
    })
    this.seq = seq
    this.state = state
  }

  /** Frees its memory. Closing twice is closing once. */
  close(): Promise<void> {
    return this.state.close()
  }

  /** What `await using` calls: close(). */
  [asyncDispose](): Promise<void> {
    return this.close()
  }
}
