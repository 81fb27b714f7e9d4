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
    return new Promise((resolve) => this.queue.push({ alone: false, start: () => resolve(work()) }))
  }

  /** Starts `work` as {@link shared} does; all who ask later wait until it has ended. */
  alone<R>(work: () => Promise<R>): Promise<R> {
    return new Promise((resolve) => {
      const start = () => {
        this.taken = true
        const done = work()
        resolve(done)
        const leave = () => this.leave()
        done.then(leave, leave)
      }
      if (this.taken) this.queue.push({ alone: true, start })
      else start()
    })
  }

  private leave(): void {
    this.taken = false
    while (!this.taken && this.queue.length > 0) this.queue.shift()!.start()
  }
}
