const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis

/** Clocks and timers of this process that go as fast as there is nothing else to do, and jump when told. */
export class VirtualTime {
  /** What has passed, in milliseconds. */
  passed = 0
  private readonly timers = new Map<number, { at: number; every: number | undefined; call: () => void }>()
  private ids = 1
  private readonly ahead = { date: 0, monotonic: 0 }

  /** Replaces `Date.now`, `performance.now` and the timers, until the returned function is called. */
  install(): () => void {
    const { now } = Date
    const start = now()
    const add = (call: (...args: unknown[]) => void, delay = 0, args: unknown[], every?: number) => {
      const id = this.ids++
      this.timers.set(id, { at: this.passed + Math.max(delay, 1), every, call: () => call(...args) })
      // As Node's timers have.
      return { id, ref: () => {}, unref: () => {}, [Symbol.toPrimitive]: () => id }
    }
    const remove = (timer?: { id: number }) => void (timer && this.timers.delete(timer.id))
    Object.assign(globalThis, {
      setTimeout: (call: () => void, delay?: number, ...args: unknown[]) => add(call, delay, args),
      setInterval: (call: () => void, delay: number, ...args: unknown[]) => add(call, delay, args, Math.max(delay, 1)),
      clearTimeout: remove,
      clearInterval: remove,
    })
    Date.now = () => Math.floor(start + this.passed + this.ahead.date)
    Object.defineProperty(performance, 'now', { configurable: true, value: () => 1e6 + this.passed + this.ahead.monotonic })
    return () => {
      Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval })
      Date.now = now
      delete (performance as { now?: unknown }).now
    }
  }

  /** Moves what the clocks show, by so many milliseconds, and no timer. */
  jump(clock: 'date' | 'monotonic', by: number): void {
    this.ahead[clock] += by
  }

  /** Lets so many milliseconds pass at once, as for a machine that slept: every timer that is due is late. */
  sleep(milliseconds: number): void {
    this.passed += milliseconds
  }

  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => globalThis.setTimeout(resolve, milliseconds))
  }

  /** Runs until the promise is settled, and returns what it is settled with. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    promise.then(() => (isSettled = true), () => (isSettled = true))
    for (;;) {
      // What promises have begun goes on for some turns of the event loop; then only timers can go on.
      for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
      if (isSettled) return promise
      this.fireNext()
    }
  }

  private fireNext(): void {
    let first: number | undefined
    for (const [id, { at }] of this.timers) if (first === undefined || at < this.timers.get(first)!.at) first = id
    if (first === undefined) return // something outside, such as the compiler of WebAssembly, is still at work
    const timer = this.timers.get(first)!
    this.passed = Math.max(this.passed, timer.at)
    if (timer.every === undefined) this.timers.delete(first)
    else timer.at = this.passed + timer.every
    timer.call()
  }
}
