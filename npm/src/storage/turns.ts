/**
 * Who may write, where no call may wait for what another has begun. In a
 * stateless Cloudflare Worker a request that does so is ended as hung, and one
 * that a client cuts off never ends what it has begun. So a caller looks at
 * plain memory, by timers of its own. A turn lasts while a timer of its owner
 * renews it, for ten seconds at most; the timers of a request end with it, and
 * then the turn is free.
 */
export class Turns {
  private current: Turn | undefined

  /** Whether somebody has the turn. */
  get isTaken(): boolean {
    return this.current !== undefined && this.current.until > performance.now()
  }

  /** Takes the turn, which must be free. The caller ends it. */
  take(): Turn {
    return (this.current = new Turn(() => (this.current = undefined), (turn) => this.current === turn))
  }

  /** Takes the turn when it is free. */
  async next(): Promise<Turn> {
    for (let n = 0; this.isTaken; n++) await ownPause(n)
    return this.take()
  }

  /** Runs `work` while nobody else has the turn. */
  async alone<R>(work: () => Promise<R>): Promise<R> {
    const turn = await this.next()
    try {
      return await work()
    } finally {
      turn.end()
    }
  }
}

/** One turn of {@link Turns}. */
export class Turn {
  /** Until when it lasts, if its owner does not renew it. */
  until = performance.now() + maxSilence
  private readonly timer: ReturnType<typeof setInterval>
  private readonly last = performance.now() + maxTurn

  constructor(
    private readonly onEnd: () => void,
    private readonly isCurrent: (turn: Turn) => boolean,
  ) {
    this.timer = setInterval(() => (this.until = Math.min(performance.now() + maxSilence, this.last)), maxSilence / 4)
  }

  /** Whether it has lasted as long as a turn may. */
  get isOver(): boolean {
    return performance.now() >= this.last
  }

  /** Whether nobody has taken it from its owner, who seemed to be gone. */
  get isHeld(): boolean {
    return this.isCurrent(this)
  }

  end(): void {
    clearInterval(this.timer)
    if (this.isHeld) this.onEnd()
  }
}

/** Waits before the look number `n`, by a timer of the caller's own. */
export function ownPause(n: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(2 ** n, maxPause)))
}

/** After how many milliseconds without a sign of its owner a turn is free. */
const maxSilence = 1_000

/** How many milliseconds a turn may last while others wait. */
export const maxTurn = 10_000

/** How many milliseconds pass at most until a caller looks again. */
const maxPause = 16
