import type { Host } from './host.js'

/** What is used of node:worker_threads. */
interface Threads {
  readonly Worker: new (code: string, options: object) => {
    once(event: 'online' | 'error', listener: () => void): void
    unref(): void
  }
}

/** How many files a process may keep locked between calls. */
const slots = 32

/** How long a lock is kept at most while nothing uses it, in milliseconds, if the thread that has it is blocked. */
const keptFor = 150

/** In memory that both threads share: a number that counts up when there is something to look at, a state of each slot, and which lock that is of. */
const shared = new Int32Array(new SharedArrayBuffer(4 * (1 + 2 * slots)))
const free = 0
const busy = 1
const idle = (fd: number) => fd + 2

/**
 * The thread. A state that is idle is a file that nobody uses now: whoever changes it first, this thread to free or the other
 * one to busy, has the file. So no call can be in the middle of what it does with a file that is closed here.
 */
const code = `
const { workerData: { shared, slots, keptFor } } = require('node:worker_threads')
const { closeSync } = require('node:fs')
const seen = new Map()
for (;;) {
  const wake = Atomics.load(shared, 0)
  for (let slot = 1; slot <= slots; slot++) {
    const state = Atomics.load(shared, slot)
    const lock = Atomics.load(shared, slots + slot)
    if (state === ${free}) seen.delete(slot)
    else if (seen.get(slot)?.lock !== lock) seen.set(slot, { lock, since: performance.now() })
    else if (state > ${busy} && performance.now() - seen.get(slot).since >= keptFor && Atomics.compareExchange(shared, slot, state, ${free}) === state) {
      closeSync(state - 2)
      seen.delete(slot)
    }
  }
  Atomics.wait(shared, 0, wake, seen.size > 0 ? keptFor / 3 : Infinity)
}`

let starting: Promise<boolean> | undefined
let taken = 0

/** Starts the thread, once for all files. Resolves to whether it runs. */
function start(host: Host): Promise<boolean> {
  return (starting ??= host.nodeModule<Threads>('node:worker_threads').then(({ Worker }) => new Promise<boolean>((resolve) => {
    const worker = new Worker(code, { eval: true, workerData: { shared, slots, keptFor }, execArgv: [], env: {}, name: 'atomicdb-lock' })
    worker.unref()
    worker.once('online', () => resolve(true))
    worker.once('error', () => resolve(false))
  })).catch(() => false))
}

/**
 * Gives a file back that a thread has locked and does not use, although the thread is blocked: a program may wait, as with
 * execSync, for a process that waits for the file.
 */
export class LockKeeper {
  /** Whether the lock may be kept between calls. */
  isReady = false
  private readonly slot = taken < slots ? ++taken : 0
  private state = free // where there is no thread

  /** Begins to get ready. */
  prepare(host: Host): void {
    // Without the thread, timers give the file back, which do not run while the thread is blocked.
    if (!this.isReady) void start(host).then(() => (this.isReady = true))
  }

  /** Says that the lock of `fd` is kept, and not used now. */
  keep(fd: number): void {
    if (this.slot === 0) {
      this.state = idle(fd)
      return
    }
    Atomics.store(shared, this.slot, idle(fd))
    Atomics.add(shared, 0, 1)
    Atomics.notify(shared, 0)
  }

  /** Says that a call uses the lock of `fd` that is kept. Returns false if it has been given back, and the file is closed. */
  use(fd: number): boolean {
    if (this.slot > 0) return Atomics.compareExchange(shared, this.slot, idle(fd), busy) === idle(fd)
    const isKept = this.state === idle(fd)
    if (isKept) this.state = busy
    return isKept
  }

  /** Says that the file has been locked anew, and is in use. */
  locked(): void {
    if (this.slot === 0) this.state = busy
    else {
      Atomics.add(shared, slots + this.slot, 1)
      Atomics.store(shared, this.slot, busy)
    }
  }

  /** Says that the file is closed. */
  freed(): void {
    if (this.slot === 0) this.state = free
    else Atomics.store(shared, this.slot, free)
  }
}
