import { AtomicDBError } from '../errors.js'

/** How long one call may look at documents, by default, in milliseconds. */
const defaultMaxQueryTime = 60_000

/**
 * What the engine asks, every few milliseconds, while a call looks at documents: whether the call must end. The clock
 * ends calls alone; nothing that is stored depends on it.
 */
export class Interrupter {
  private stop: Int32Array | undefined
  private start = 0

  constructor(private readonly maxQueryTime = defaultMaxQueryTime) {}

  /** Why the call must end; undefined if it may go on. Go is on the stack, so this must not call the engine. */
  readonly ask = (isFirst: boolean): string | undefined => {
    const now = performance.now()
    if (isFirst) this.start = now
    if (this.stop && Atomics.load(this.stop, 0) !== 0) return 'it was aborted'
    if (now - this.start <= this.maxQueryTime) return undefined
    return `it takes longer than ${this.maxQueryTime} ms; ask for less, create an index, or raise the option maxQueryTime of the database`
  }

  /** Runs `work`, which ends early once another thread has set `stop` to 1. */
  until<R>(stop: Int32Array | undefined, work: () => R): R {
    this.stop = stop
    try {
      const why = this.ask(true) // it may have waited behind others
      if (why) throw new AtomicDBError('timeout', why)
      return work()
    } finally {
      this.stop = undefined
    }
  }
}
