/** Starts a call; the promise settles when the call has ended. */
export type Start = () => Promise<void>

/** The calls of one caller that have not started. */
interface Caller {
  readonly waiting: Start[]
}

/**
 * Starts the calls of several callers in turns, those of one caller in their order: one that makes thousands of calls at
 * once holds up nobody. Every few milliseconds it lets new messages in, since calls of others may be among them.
 */
export class RoundRobin {
  private readonly callers: Caller[] = [] // those with calls that wait; the next one first
  private isScheduled = false
  private readonly pause = new MessageChannel()

  constructor() {
    this.pause.port1.onmessage = () => this.run()
  }

  /** Adds a caller. Returns a function that takes its calls, and one that drops those that have not started. */
  caller(): { add(start: Start): void; drop(): void } {
    const own: Caller = { waiting: [] }
    return {
      add: (start) => {
        if (own.waiting.push(start) > 1) return
        this.callers.push(own)
        if (this.isScheduled) return
        this.isScheduled = true
        queueMicrotask(() => this.run()) // when all calls of the message are here
      },
      drop: () => {
        own.waiting.length = 0
        const at = this.callers.indexOf(own)
        if (at >= 0) this.callers.splice(at, 1)
      },
    }
  }

  private run(): void {
    const end = performance.now() + slice
    for (let caller; (caller = this.callers.shift()); ) {
      const start = caller.waiting.shift()!
      if (caller.waiting.length > 0) this.callers.push(caller)
      void start()
      if (performance.now() >= end) break
    }
    this.isScheduled = this.callers.length > 0
    if (this.isScheduled) this.pause.port2.postMessage(null)
  }
}

/** After how many milliseconds new messages are let in. */
const slice = 5
