import { AtomicDBError } from '../errors.js'

/** A write that is not stored yet. */
interface Request {
  /** Does the write in the engine. It may run again, when what it did has been undone. */
  readonly run: () => unknown
  readonly resolve: (value: any) => void
  readonly reject: (error: unknown) => void
  /** What the last run returned. */
  value: unknown
  /** Writes nothing: it resolves when all before it are stored, and fails with any of them. */
  readonly barrier: boolean
}

/** What the storage did with what it was given: kept it, or undid it because another writer was faster. */
export type Flush = () => Promise<0 | 1>

/**
 * Group commit. A write runs in the engine at once, so that later reads see
 * it; all writes of a tick are stored as one batch, one batch at a time, and
 * each resolves when it is stored.
 *
 * When the storage has taken another writer's batch instead, the engine has
 * undone everything that is not stored, and every write runs again, in order.
 * When the storage fails, the writes of that batch fail, and later ones, which
 * were undone with them, run again.
 */
export class Writer {
  private requests: Request[] = [] // in order; those of the batch on its way first
  private onItsWay = 0 // how many of them
  private scheduled = false
  private undone = false // the engine holds none of the requests
  private conflicts = 0 // in a row
  private waiting: (() => void)[] = [] // for undone to end
  private end: AtomicDBError | undefined

  constructor(private readonly flushEngine: Flush) {}

  /** Does a write; resolves to what `run` returns once that is stored. */
  write<R>(run: () => R): Promise<R> {
    return this.add(run, false)
  }

  /** Resolves when every write so far is stored; rejects with the first that is not. */
  flush(): Promise<void> {
    if (!this.end && this.requests.length === 0) return Promise.resolve()
    return this.add(() => {}, true)
  }

  /** Resolves when nothing is left to be stored. The writes that fail meanwhile tell whoever asked for them. */
  async drained(): Promise<void> {
    while (this.requests.length > 0) await this.flush().catch(() => {})
  }

  /**
   * While the engine holds none of the writes that it should, a promise of the
   * time when it does; otherwise undefined.
   */
  settled(): Promise<void> | undefined {
    if (!this.undone || this.end) return undefined
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  /** To be called as the engine undoes everything that is not stored. */
  noteUndone(): void {
    this.undone = true
  }

  /** Fails all that is not stored, and everything later. */
  stop(error: AtomicDBError): void {
    this.end = error
    for (const request of this.requests.splice(0)) request.reject(error)
    this.release()
  }

  private add<R>(run: () => R, barrier: boolean): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (this.end) {
        reject(this.end)
        return
      }
      const request: Request = { run, resolve, reject, value: undefined, barrier }
      // What comes before it has to run again first.
      if (!this.undone) request.value = run()
      this.requests.push(request)
      this.schedule()
    })
  }

  private schedule(): void {
    if (this.scheduled || this.onItsWay > 0 || this.requests.length === 0) return
    this.scheduled = true
    queueMicrotask(() => {
      this.scheduled = false
      this.send()
    })
  }

  private send(): void {
    if (this.end) return
    this.onItsWay = this.requests.length
    this.flushEngine().then(
      (outcome) => {
        if (outcome === 0) this.stored()
        else this.conflicted()
      },
      (error: unknown) => this.failed(error),
    )
  }

  private stored(): void {
    this.conflicts = 0
    for (const request of this.requests.splice(0, this.onItsWay)) request.resolve(request.value)
    this.goOn()
  }

  private conflicted(): void {
    if (++this.conflicts < mostConflicts) {
      this.goOn()
      return
    }
    this.failed(new AtomicDBError('conflict', `another writer was faster ${mostConflicts} times in a row`))
  }

  private failed(error: unknown): void {
    this.conflicts = 0
    for (const request of this.requests.splice(0, this.onItsWay)) request.reject(error)
    this.failBarriers(this.requests, error)
    this.goOn()
  }

  /** Brings the engine up to date, if it has been set back, and sends what there is. */
  private goOn(): void {
    this.onItsWay = 0
    if (this.undone) {
      this.undone = false
      this.runAgain()
    }
    this.release()
    this.schedule()
  }

  private runAgain(): void {
    const again = this.requests
    this.requests = []
    for (const [i, request] of again.entries()) {
      try {
        request.value = request.run()
        this.requests.push(request)
      } catch (error) {
        request.reject(error)
        this.failBarriers(again.slice(i + 1), error)
      }
    }
  }

  /** Fails the barriers among `requests`, which come after a write that has failed. */
  private failBarriers(requests: Request[], error: unknown): void {
    const failed = requests.filter((request) => request.barrier)
    for (const barrier of failed) barrier.reject(error)
    // A settled Promise takes no notice of being resolved later.
  }

  private release(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}

/** A writer that loses this often is not unlucky: something keeps it from winning. */
const mostConflicts = 1000
