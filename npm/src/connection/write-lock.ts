/** Waits for its turn. */
interface Waiting {
  readonly alone: boolean
  readonly start: () => void
}

/**
 * Who may change the database: every write at once, or one transaction alone.
 * Whoever has to wait is served in the order they asked.
 */
export class Turns {
  private taken = false // by one that is alone
  private queue: Waiting[] = []

  /** How many wait. */
  get waiting(): number {
    return this.queue.length
  }

  /** Starts `work` at once, or when those are done that are alone and asked before. It does not keep others waiting. */
  shared<R>(work: () => Promise<R>): Promise<R> {
    if (!this.taken) return work() // nobody waits then
    return awake(new Promise((resolve) => this.queue.push({ alone: false, start: () => resolve(work()) })))
  }

  /** Starts `work` as {@link shared} does; all who ask later wait until it has ended. */
  async alone<R>(work: () => Promise<R>): Promise<R> {
    // It goes on here, and not where another has left: a Cloudflare Worker lets a request wait only for what it began itself.
    if (this.taken) await awake(new Promise<void>((resolve) => this.queue.push({ alone: true, start: resolve })))
    this.taken = true
    try {
      return await work()
    } finally {
      this.leave()
    }
  }

  private leave(): void {
    this.taken = false
    while (!this.taken && this.queue.length > 0) {
      const next = this.queue.shift()!
      this.taken = next.alone
      next.start()
    }
  }
}

/** Resolves as `turn` does, with a timer running: a Cloudflare Worker takes a request that waits for another one only for hung. */
async function awake<R>(turn: Promise<R>): Promise<R> {
  const timer = setInterval(() => {}, 1000)
  try {
    return await turn
  } finally {
    clearInterval(timer)
  }
}
