import { checkFunction } from '../checks.js'
import { AtomicDBError, isThrown } from '../errors.js'
import { guarded } from './report.js'
import { leftAlone } from '../left-alone.js'

/** Whether what was written is stored. */
export interface WriteStatus {
  /**
   * 'saving' while a write or a transaction is on its way, 'failed' if one has failed and none that was called later is
   * stored yet, otherwise 'saved'.
   */
  readonly status: 'saved' | 'saving' | 'failed'
  /** Why the last write that failed did; undefined once one that was called later is stored. */
  readonly error: AtomicDBError | undefined
}

type StatusListener = (status: WriteStatus) => void

/**
 * The status of all writes of one database that are called after it is asked for the first time, kept current. Until then
 * nothing is counted: of 10,000 inserts in one tick, that would take a third of the time.
 */
export class LiveWriteStatus {
  static {
    leftAlone(this)
  }

  private readonly listeners = new Set<StatusListener>()
  private now: WriteStatus = { status: 'saved', error: undefined }
  private isAsked = false
  private pending = 0
  private called = 0 // how many writes
  private calledAtFailure = 0

  /** The status now: the same object until it changes. */
  get current(): WriteStatus {
    this.isAsked = true
    return this.now
  }

  /**
   * Calls `listener` now, and whenever the status changes. What a listener throws is reported as an error that nobody
   * caught.
   *
   * @returns What ends it.
   */
  subscribe(listener: (status: WriteStatus) => void): () => void {
    checkFunction('listener', listener)
    this.isAsked = true
    const own: StatusListener = (status) => guarded(() => listener(status)) // one function may listen twice
    this.listeners.add(own)
    own(this.now)
    return () => void this.listeners.delete(own)
  }

  /** @internal Returns a promise that settles as `write` does, once its end is told. */
  track<R>(write: Promise<R>): Promise<R> {
    if (!this.isAsked) return write
    const number = ++this.called
    this.tell(1, this.now.error)
    return write.then(
      (result) => {
        this.tell(-1, number > this.calledAtFailure ? undefined : this.now.error)
        return result
      },
      (thrown: unknown) => {
        // What a function of the user throws, to leave a transaction, is no failure.
        const failed = isThrown(thrown, AtomicDBError)
        if (failed) this.calledAtFailure = this.called
        this.tell(-1, failed ? thrown : this.now.error)
        throw thrown
      },
    )
  }

  private tell(more: number, error: AtomicDBError | undefined): void {
    this.pending += more
    const status = this.pending > 0 ? 'saving' : error ? 'failed' : 'saved'
    if (status === this.now.status && error === this.now.error) return
    this.now = { status, error }
    for (const listener of [...this.listeners]) listener(this.now)
  }
}
