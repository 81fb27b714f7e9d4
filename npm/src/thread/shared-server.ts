import { closedError } from '../connection/errors.js'
import type { LocalConnection } from '../connection/local-connection.js'
import { AtomicDBError } from '../errors.js'
import { release } from '../release.js'
import { lockName } from './lock-name.js'
import { RoundRobin, type Start } from './round-robin.js'
import { ThreadServer, type Opening } from './server.js'

/** The first message that a page gets from a shared worker. */
export interface Greeting {
  readonly release: string
  /** The Web Lock that the worker holds as long as it lives. */
  readonly lock: string
}

/** An open database, and the pages that use it. */
interface Shared {
  readonly connection: LocalConnection
  readonly users: Set<PageServer>
}

/**
 * Serves one database to all pages that connect to this worker. A second page finds it open. Some time after the last has
 * closed it, the worker ends, and with it the engine. A page that connects at that moment hears nothing, and connects
 * again.
 */
export class SharedServer {
  private readonly all = new Set<Shared>() // more than one only after the end of an engine, or of the data
  private current: Shared | undefined
  private last: Promise<unknown> = Promise.resolve() // of what opens and closes, one after the other
  private readonly opening = new Set<PageServer>()
  private readonly calls = new RoundRobin()
  private readonly lock = lockName()
  private readonly lives: Promise<void>
  private timer: ReturnType<typeof setTimeout> | undefined

  /** @param end Ends the worker. */
  constructor(private readonly locks: LockManager, private readonly end: () => void) {
    this.lives = new Promise((resolve) => void locks.request(this.lock, () => (resolve(), new Promise(() => {}))))
  }

  /** Serves a page. */
  async connect(port: MessagePort): Promise<void> {
    this.endSoon()
    const { add, drop } = this.calls.caller()
    new PageServer(port, this, this.locks, add, drop, this.usable())
    await this.lives
    port.postMessage({ release, lock: this.lock } satisfies Greeting)
  }

  /**
   * The open database, for one more page.
   *
   * @param found The one that was usable when the page connected: it has all that was stored before.
   */
  open(opening: Opening, page: PageServer, found: Promise<Shared | undefined>): Promise<LocalConnection> {
    this.opening.add(page)
    return this.inTurn(async () => {
      try {
        const before = await found
        const isOpen = before && before === this.current && !before.connection.ended
        const shared = (isOpen ? before : await this.usable()) ?? (await this.opened(opening, page))
        shared.users.add(page)
        return shared.connection
      } finally {
        this.opening.delete(page)
      }
    })
  }

  /** The current database, unless its engine has ended, or its data was deleted. */
  private async usable(): Promise<Shared | undefined> {
    const { current } = this
    if (!current || current.connection.ended) return undefined
    const isThere = await current.connection.catchUp().then(() => true, ({ code }: AtomicDBError) => code !== 'closed')
    return isThere && !current.connection.ended ? current : undefined
  }

  private async opened(opening: Opening, page: PageServer): Promise<Shared> {
    const connection = await page.opened(opening, (done, total) => {
      for (const other of this.opening) other.tellProgress(done, total)
    })
    const shared: Shared = { connection, users: new Set() }
    connection.onEnd = () => {
      for (const user of shared.users) user.tellEnd(connection.ended!.reason)
    }
    this.all.add(shared)
    return (this.current = shared)
  }

  /** Closes the database for one page; for the last, the database. */
  close(page: PageServer): Promise<void> {
    return this.inTurn(async () => {
      for (const shared of this.all) {
        if (!shared.users.delete(page) || shared.users.size > 0) continue
        this.all.delete(shared)
        if (this.current === shared) this.current = undefined
        await shared.connection.close().catch((error: unknown) => {
          if (!shared.connection.ended) throw error
        })
        this.endSoon()
      }
    })
  }

  private endSoon(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      if (this.all.size === 0 && this.opening.size === 0) this.end()
    }, maxIdle)
  }

  private inTurn<R>(work: () => Promise<R>): Promise<R> {
    const done = this.last.then(work)
    this.last = done.catch(() => {})
    return done
  }
}

/** For how many milliseconds a worker that nobody uses stays: a page that is loaded again finds it, and its compiled wasm. */
const maxIdle = 10_000

/** Serves one page. */
class PageServer extends ThreadServer {
  private readonly running: Set<Promise<void>>
  private reportsProgress = false
  private isGone = false

  constructor(
    private readonly port: MessagePort,
    private readonly server: SharedServer,
    private readonly locks: LockManager,
    add: (start: Start) => void,
    private readonly drop: () => void,
    private readonly found: Promise<Shared | undefined>,
  ) {
    const running = new Set<Promise<void>>()
    const own = {
      post: (message: unknown, transfer: Transferable[]) => port.postMessage(message, transfer),
      listen: (listener: (message: unknown) => void) => (port.onmessage = ({ data }) => listener(data)),
    }
    super(own, (start) => add(() => {
      const call = start()
      running.add(call)
      return call.finally(() => running.delete(call))
    }))
    this.running = running
  }

  protected override connect(opening: Opening): Promise<LocalConnection> {
    this.reportsProgress = opening.reportsProgress
    this.locks.request(opening.lock!, () => this.leave()).catch(() => {})
    return this.server.open(opening, this, this.found)
  }

  override tellProgress(done: number, total: number): void {
    if (this.reportsProgress) super.tellProgress(done, total)
  }

  /** Waits for the calls of the page, and for no others, unless it is the last. */
  protected override async close(): Promise<void> {
    await Promise.all(this.running) // without this call, which has not returned yet
    await this.stopListening()
    await this.server.close(this)
  }

  /** The page is gone, or has closed the database: what it has begun ends, and what has not begun is dropped. */
  private async leave(): Promise<void> {
    this.isGone = true
    this.drop()
    this.channel.stop(closedError())
    this.port.close()
    await Promise.all(this.running)
    await this.stopListening()
    await this.server.close(this)
  }

  /** Others wait for the end of a transaction: it has ten seconds in all once they do. */
  protected override limitRun(): () => void {
    let looks = 0
    const timer = setInterval(() => {
      looks = this.connection.waitingCalls > 0 ? looks + 1 : 0
      if (looks < maxLooks || this.isGone) return
      clearInterval(timer)
      this.stopped = new AtomicDBError('timeout', `transaction: it has taken ${maxLooks} seconds while other calls waited, of this tab or of others`)
      this.connection.stopTransaction(this.stopped)
    }, 1000)
    return () => clearInterval(timer)
  }
}

/** For how many seconds others wait for a transaction. */
const maxLooks = 10
