import { closedError } from '../connection/errors.js'
import { AtomicDBError } from '../errors.js'

/** An item of a pool. */
interface Member<M> {
  readonly item: M
  users: number
  /** Whether its one user has it alone. */
  isExclusive: boolean
}

/** A call in the queue. */
interface Waiting<M> {
  readonly exclusive: boolean
  readonly grant: (member: Member<M>) => void
  readonly refuse: (error: unknown) => void
}

/**
 * Makes items when they are needed, up to a maximum, and gives each to one
 * user alone or to several at once. Users that have to wait are served in the
 * order in which they came. An item that has ended, for example because its
 * thread crashed, is given to nobody, and another may be made.
 */
export class Pool<M> {
  private members: Member<M>[] = []
  private making = 0
  private queue: Waiting<M>[] = []
  /** Whether close was called. */
  isClosed = false
  private whenIdle: (() => void) | undefined

  /**
   * @param hasEnded Whether an item can no longer be used.
   * @param max How many items there may be.
   * @param maxShared How many items may be made for shared users.
   * @param timeout How long a user waits, in milliseconds.
   */
  constructor(
    private readonly make: () => Promise<M>,
    private readonly hasEnded: (item: M) => boolean,
    private readonly max: number,
    private readonly maxShared: number,
    private readonly timeout: number,
  ) {}

  /** Makes the first item. */
  async start(): Promise<void> {
    this.add(await this.make())
  }

  /** Runs `work` with an item that nobody else uses meanwhile. */
  exclusive<R>(work: (item: M) => Promise<R>): Promise<R> {
    return this.use(true, work)
  }

  /** Runs `work` with the item that has the fewest users. */
  shared<R>(work: (item: M) => Promise<R>): Promise<R> {
    return this.use(false, work)
  }

  /** As {@link shared}, but always with the first item, unless somebody has it alone or waits. */
  async serial<R>(work: (item: M) => Promise<R>): Promise<R> {
    this.drop()
    const [first] = this.usable()
    if (this.isClosed || !first || first.isExclusive || this.queue.length > 0) return this.shared(work)
    first.users++
    return this.run(first, work)
  }

  /** Refuses waiting and later users, waits until nobody uses an item, and returns the items that have not ended. */
  async close(): Promise<M[]> {
    this.isClosed = true
    for (const { refuse } of this.queue.splice(0)) refuse(closedError())
    if (!this.isIdle()) await new Promise<void>((resolve) => (this.whenIdle = resolve))
    return this.usable().map(({ item }) => item)
  }

  private async use<R>(exclusive: boolean, work: (item: M) => Promise<R>): Promise<R> {
    return this.run(await this.take(exclusive), work)
  }

  private async run<R>(member: Member<M>, work: (item: M) => Promise<R>): Promise<R> {
    try {
      return await work(member.item)
    } finally {
      this.giveBack(member)
    }
  }

  private take(exclusive: boolean): Promise<Member<M>> {
    if (this.isClosed) return Promise.reject(closedError())
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.queue = this.queue.filter((other) => other !== waiting)
        reject(new AtomicDBError('timeout', `all ${this.members.length} connections were in use for ${this.timeout} ms; inside execute(), use the database that it passes`))
      }, this.timeout)
      const settle = <V>(resolve: (value: V) => void) => (value: V) => (clearTimeout(timer), resolve(value))
      const waiting: Waiting<M> = { exclusive, grant: settle(resolve), refuse: settle(reject) }
      this.queue.push(waiting)
      this.serve()
    })
  }

  private usable(): Member<M>[] {
    return this.members.filter(({ item }) => !this.hasEnded(item))
  }

  /** Forgets the items that have ended and that nobody uses. */
  private drop(): void {
    this.members = this.members.filter(({ item, users }) => users > 0 || !this.hasEnded(item))
  }

  private serve(): void {
    this.drop()
    while (this.queue.length > 0) {
      const { exclusive, grant } = this.queue[0]!
      const free = this.usable().filter((member) => !member.isExclusive).sort((a, b) => a.users - b.users)[0]
      if (!free || (free.users > 0 && this.members.length + this.making < (exclusive ? this.max : this.maxShared))) this.grow()
      if (!free || (exclusive && free.users > 0)) return
      this.queue.shift()
      free.users++
      free.isExclusive = exclusive
      grant(free)
    }
  }

  /** Makes one more item. When it is ready, the users that wait are served. */
  private grow(): void {
    if (this.isClosed || this.making > 0 || this.members.length >= this.max) return
    this.making++
    this.make().then(
      (item) => {
        this.making--
        this.add(item)
        this.settle()
      },
      (error: unknown) => {
        this.making--
        this.queue.shift()?.refuse(error) // the users behind it may succeed
        this.settle()
      },
    )
  }

  private add(item: M): void {
    this.members.push({ item, users: 0, isExclusive: false })
  }

  private giveBack(member: Member<M>): void {
    member.users--
    member.isExclusive = false
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
