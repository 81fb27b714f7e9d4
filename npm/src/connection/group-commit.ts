import { AtomicDBError } from '../errors.js'

/** A write that is not stored yet. */
interface PendingWrite {
  /** Does the write in the engine. It runs again if the engine has undone it. */
  readonly run: () => unknown
  readonly resolve: (value: any) => void
  readonly reject: (error: unknown) => void
  /** What the last run returned. */
  value: unknown
  /**
   * A barrier writes nothing: it resolves when all writes before it are stored, and fails with the first that fails.
   */
  readonly isBarrier: boolean
}

/**
 * What the storage did with a batch. 0: stored it. 1: refused it, because another writer was faster, and the engine has
 * undone it.
 */
export type FlushOutcome = 0 | 1

/**
 * Group commit. A write runs in the engine at once, so that later reads see
 * it. All writes of a tick are stored as one batch, one batch at a time, and
 * the promise of each write resolves when its batch is stored.
 *
 * When another writer's batch was stored first, the engine has undone
 * everything that is not stored, and every pending write runs again, in order.
 * When the storage fails, the writes of that batch fail. Later writes were
 * undone with them, and run again.
 */
export class GroupCommit {
  private pending: PendingWrite[] = [] // in order, those of the batch in flight first
  private inFlight = 0 // how many of them are in the batch that is being stored
  private isScheduled = false
  private isUndone = false // the engine holds none of the pending writes
  private conflicts = 0 // in a row
  private waiting: (() => void)[] = [] // for isUndone to become false
  private stopError: AtomicDBError | undefined

  /** @param flushEngine Stores what the engine holds: at once, where the storage answers at once. */
  constructor(private readonly flushEngine: () => FlushOutcome | Promise<FlushOutcome>) {}

  /** Does a write; resolves to what `run` returns once that is stored. */
  write<R>(run: () => R): Promise<R> {
    return this.add(run, false)
  }

  /** Resolves when every write so far is stored; rejects with the first error of one that is not. */
  flush(): Promise<void> {
    if (!this.stopError && this.pending.length === 0) return Promise.resolve()
    return this.add(() => {}, true)
  }

  /** Resolves when nothing is pending. Writes that fail meanwhile reject their own promises, not this one. */
  async drained(): Promise<void> {
    while (this.pending.length > 0) await this.flush().catch(() => {})
  }

  /** Undefined if the engine holds every pending write. Otherwise a promise that resolves when it does. */
  settled(): Promise<void> | undefined {
    if (!this.isUndone || this.stopError) return undefined
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  /** The connection calls this while the engine undoes everything that is not stored. */
  noteUndone(): void {
    this.isUndone = true
  }

  /** Fails every pending write and every later one. */
  stop(error: AtomicDBError): void {
    this.stopError = error
    for (const write of this.pending.splice(0)) write.reject(error)
    this.releaseWaiting()
  }

  private add<R>(run: () => R, isBarrier: boolean): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (this.stopError) {
        reject(this.stopError)
        return
      }
      const write: PendingWrite = { run, resolve, reject, value: undefined, isBarrier }
      // While undone, the writes before it have to run again first.
      if (!this.isUndone) write.value = run()
      this.pending.push(write)
      this.schedule()
    })
  }

  private schedule(): void {
    if (this.isScheduled || this.inFlight > 0 || this.pending.length === 0) return
    this.isScheduled = true
    queueMicrotask(() => {
      this.isScheduled = false
      this.send()
    })
  }

  private send(): void {
    if (this.stopError) return
    this.inFlight = this.pending.length
    try {
      const outcome = this.flushEngine()
      if (typeof outcome === 'number') this.flushed(outcome)
      else outcome.then((outcome) => this.flushed(outcome), (error: unknown) => this.failed(error))
    } catch (error) {
      this.failed(error)
    }
  }

  private flushed(outcome: FlushOutcome): void {
    if (outcome === 0) this.stored()
    else this.conflicted()
  }

  private stored(): void {
    this.conflicts = 0
    for (const write of this.pending.splice(0, this.inFlight)) write.resolve(write.value)
    this.proceed()
  }

  private conflicted(): void {
    if (++this.conflicts < maxConflicts) this.proceed()
    else this.failed(new AtomicDBError('conflict', tooManyConflicts))
  }

  private failed(error: unknown): void {
    this.conflicts = 0
    for (const write of this.pending.splice(0, this.inFlight)) write.reject(error)
    rejectBarriers(this.pending, error)
    this.proceed()
  }

  /** Runs the pending writes again if the engine has undone them, and sends them. */
  private proceed(): void {
    this.inFlight = 0
    if (this.isUndone) {
      this.isUndone = false
      this.rerun()
    }
    this.releaseWaiting()
    this.schedule()
  }

  private rerun(): void {
    const writes = this.pending
    this.pending = []
    for (const [i, write] of writes.entries()) {
      try {
        write.value = write.run()
        this.pending.push(write)
      } catch (error) {
        write.reject(error)
        rejectBarriers(writes.slice(i + 1), error)
      }
    }
  }

  private releaseWaiting(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}

/**
 * Rejects the barriers among `writes`, which come after a write that has failed. Their promises ignore a later resolve.
 */
function rejectBarriers(writes: readonly PendingWrite[], error: unknown): void {
  for (const write of writes) if (write.isBarrier) write.reject(error)
}

/**
 * How often in a row a write or a transaction may lose to other writers. Of
 * four tabs that do nothing but increment one counter in transactions, one
 * loses up to 50 times in a row; more often than this, something keeps it from winning.
 */
export const maxConflicts = 1000

/** The message of the error after {@link maxConflicts}. */
export const tooManyConflicts = `another writer was faster ${maxConflicts} times in a row`
