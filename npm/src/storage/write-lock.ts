/** A caller in the queue. */
interface Waiting {
  readonly exclusive: boolean
  readonly start: () => void
}

/**
 * Decides who may write: many writers at the same time, or one alone. Callers
 * that have to wait start in the order in which they called.
 */
export class WriteLock {
  private isExclusive = false // one caller has the lock alone
  private queue: Waiting[] = []

  /** How many callers wait. */
  get waiting(): number {
    return this.queue.length
  }

  /**
   * Starts `work` at once, or after every exclusive caller that came before. It does not keep later callers waiting.
   */
  shared<R>(work: () => Promise<R>): Promise<R> {
    if (!this.isExclusive) return work() // the queue is empty then
    return withTimer(new Promise((resolve) => this.queue.push({ exclusive: false, start: () => resolve(work()) })))
  }

  /** Starts `work` as {@link shared} does; later callers wait until it has ended. */
  async exclusive<R>(work: () => Promise<R>): Promise<R> {
    // `work` starts here and not inside release(): in a Cloudflare Worker a request may wait only for what it began
    // itself.
    if (this.isExclusive) await withTimer(new Promise<void>((resolve) => this.queue.push({ exclusive: true, start: resolve })))
    this.isExclusive = true
    try {
      return await work()
    } finally {
      this.release()
    }
  }

  private release(): void {
    this.isExclusive = false
    while (!this.isExclusive && this.queue.length > 0) {
      const next = this.queue.shift()!
      this.isExclusive = next.exclusive
      next.start()
    }
  }
}

/**
 * Resolves as `start` does. A timer runs meanwhile: a Cloudflare Worker ends a request as hung if it only waits for
 * another request.
 */
async function withTimer<R>(start: Promise<R>): Promise<R> {
  const timer = setInterval(() => {}, 1000)
  try {
    return await start
  } finally {
    clearInterval(timer)
  }
}
