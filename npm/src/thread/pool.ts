import { closedError } from '../connection/connection.js'
import { AtomicDBError } from '../errors.js'

/** One of a pool. */
interface Member<M> {
  readonly item: M
  users: number
  /** Whether its user has it alone. */
  isLent: boolean
}

/** Waits for a member. */
interface Waiting<M> {
  readonly alone: boolean
  readonly grant: (member: Member<M>) => void
  readonly refuse: (error: unknown) => void
}

/**
 * Lends what it makes when it is needed, up to so many: to one user alone, or
 * to several at once. Whoever has to wait is served in the order they asked.
 * One that is over, as after an accident, is lent no more, and another made.
 */
export class Pool<M> {
  private members: Member<M>[] = []
  private making = 0
  private queue: Waiting<M>[] = []
  private closed = false
  private whenIdle: (() => void) | undefined

  /**
   * @param isOver Whether one is of no more use.
   * @param most How many there may be; `mostShared` for those that do not want one alone.
   * @param timeout How long one waits, in milliseconds.
   */
  constructor(
    private readonly make: () => Promise<M>,
    private readonly isOver: (item: M) => boolean,
    private readonly most: number,
    private readonly mostShared: number,
    private readonly timeout: number,
  ) {}

  /** Makes the first. */
  async start(): Promise<void> {
    this.add(await this.make())
  }

  /** Runs `work` with a member that nobody else uses meanwhile. */
  alone<R>(work: (item: M) => Promise<R>): Promise<R> {
    return this.use(true, work)
  }

  /** Runs `work` with the member that the fewest others use. */
  shared<R>(work: (item: M) => Promise<R>): Promise<R> {
    return this.use(false, work)
  }

  /** As {@link shared}, but as long as it can be with one and the same member. */
  async serial<R>(work: (item: M) => Promise<R>): Promise<R> {
    this.drop()
    const [first] = this.usable()
    if (this.closed || !first || first.isLent || this.queue.length > 0) return this.shared(work)
    first.users++
    return this.run(first, work)
  }

  /** Refuses what waits and what comes, waits for those at work, and returns all that are not over. */
  async close(): Promise<M[]> {
    this.closed = true
    for (const { refuse } of this.queue.splice(0)) refuse(closedError())
    if (!this.isIdle()) await new Promise<void>((resolve) => (this.whenIdle = resolve))
    return this.usable().map(({ item }) => item)
  }

  private async use<R>(alone: boolean, work: (item: M) => Promise<R>): Promise<R> {
    return this.run(await this.take(alone), work)
  }

  private async run<R>(member: Member<M>, work: (item: M) => Promise<R>): Promise<R> {
    try {
      return await work(member.item)
    } finally {
      this.giveBack(member)
    }
  }

  private take(alone: boolean): Promise<Member<M>> {
    if (this.closed) return Promise.reject(closedError())
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.queue = this.queue.filter((other) => other !== waiting)
        reject(new AtomicDBError('timeout', `all ${this.members.length} connections were in use for ${this.timeout} ms; inside execute(), use the database that it passes`))
      }, this.timeout)
      const settle = <V>(resolve: (value: V) => void) => (value: V) => (clearTimeout(timer), resolve(value))
      const waiting: Waiting<M> = { alone, grant: settle(resolve), refuse: settle(reject) }
      this.queue.push(waiting)
      this.serve()
    })
  }

  private usable(): Member<M>[] {
    return this.members.filter(({ item }) => !this.isOver(item))
  }

  /** Forgets those that are over, once nobody uses them. */
  private drop(): void {
    this.members = this.members.filter(({ item, users }) => users > 0 || !this.isOver(item))
  }

  private serve(): void {
    this.drop()
    while (this.queue.length > 0) {
      const { alone, grant } = this.queue[0]!
      const free = this.usable().filter((member) => !member.isLent).sort((a, b) => a.users - b.users)[0]
      if (!free || (free.users > 0 && this.members.length + this.making < (alone ? this.most : this.mostShared))) this.grow()
      if (!free || (alone && free.users > 0)) return
      this.queue.shift()
      free.users++
      free.isLent = alone
      grant(free)
    }
  }

  /** Makes one more, of which those have use that wait when it is there. */
  private grow(): void {
    if (this.closed || this.making > 0 || this.members.length >= this.most) return
    this.making++
    this.make().then(
      (item) => {
        this.making--
        this.add(item)
        this.settle()
      },
      (error: unknown) => {
        this.making--
        this.queue.shift()?.refuse(error) // the others may be luckier
        this.settle()
      },
    )
  }

  private add(item: M): void {
    this.members.push({ item, users: 0, isLent: false })
  }

  private giveBack(member: Member<M>): void {
    member.users--
    member.isLent = false
    this.settle()
  }

  private settle(): void {
    this.serve()
    if (this.isIdle()) this.whenIdle?.()
  }

  private isIdle(): boolean {
    return this.making === 0 && this.members.every(({ users }) => users === 0)
  }
}
