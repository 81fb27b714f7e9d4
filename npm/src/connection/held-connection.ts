import type { FileType, ParsedFile } from '../engine/async-engine.js'
import type { AtomicDBError } from '../errors.js'
import type { Report } from '../types.js'
import type { Calls, Write } from './calls.js'
import type { Connection } from './connection.js'
import type { EngineCalls } from './engine-calls.js'
import { closedError } from './errors.js'
import type { EarlierState, Feed, FeedListener } from './feeds.js'
import type { LiveListener, LiveQuestion } from './live.js'

/** A connection that can be shared. */
export interface Shareable extends Connection {
  /** Applies what others have stored. Rejects if there is nothing to read any more, as when the database was deleted. */
  catchUp(): Promise<void>
}

/** A connection that several databases of this thread hold. It is closed when the last of them is. */
export class HeldConnections<C extends Shareable> {
  private readonly all = new Map<string, Holding<C>>()

  /**
   * A connection of its own for each call; what it calls is the same for the same `key`.
   *
   * @param open Opens what they hold, unless it is open and usable.
   */
  async hold(key: string, open: () => Promise<C>): Promise<{ held: Connection; connection: C }> {
    const joined = this.all.get(key)
    if (joined) {
      const letGo = this.take(key, joined)
      try {
        const connection = await joined.opening
        await connection.catchUp() // as one that is opened sees everything that is stored
        return { held: new HeldConnection(connection, letGo), connection }
      } catch (error) {
        if (letGo()) await joined.opening.then((connection) => connection.close(), () => {})
        if (!joined.isOpen) throw error // it could not be opened for the first either
        if (this.all.get(key) === joined) this.all.delete(key) // those who have it go on as they can
        return this.hold(key, open)
      }
    }
    const own = new Holding(open)
    this.all.set(key, own)
    const letGo = this.take(key, own)
    try {
      const connection = await own.opening
      return { held: new HeldConnection(connection, letGo), connection }
    } catch (error) {
      letGo()
      throw error
    }
  }

  /** Lets the next one of these keys open another connection. Those who have one keep it. */
  forget(isIt: (key: string) => boolean): void {
    for (const key of [...this.all.keys()]) if (isIt(key)) this.all.delete(key)
  }

  /** Counts a holder now: who closes meanwhile is not the last. Returns what it does at its end; see HeldConnection. */
  private take(key: string, holding: Holding<C>): () => boolean {
    holding.holders++
    return () => {
      if (--holding.holders > 0) return false
      if (this.all.get(key) === holding) this.all.delete(key)
      return true
    }
  }
}

class Holding<C extends Connection> {
  holders = 0
  isOpen = false
  readonly opening: Promise<C>

  constructor(open: () => Promise<C>) {
    this.opening = open().then((connection) => {
      this.isOpen = true
      return connection
    })
  }
}

/** What one of several holders has of a connection. */
class HeldConnection implements Connection {
  private closing: Promise<void> | undefined
  private readonly ends = new Set<() => void>() // of its live questions, feeds and earlier states

  /** @param letGo Returns whether nobody else holds the connection. */
  constructor(
    private readonly inner: Connection,
    private readonly letGo: () => boolean,
  ) {}

  read<R>(work: (engine: EngineCalls) => R, signal?: AbortSignal): Promise<R> {
    return this.run(() => this.inner.read(work, signal))
  }

  write<R>(prepare: () => Write<R>): Promise<R> {
    return this.run(() => this.inner.write(prepare))
  }

  transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    return this.run(() => this.inner.transaction(work))
  }

  checkOutsideTransaction(): void {
    if (!this.closing) this.inner.checkOutsideTransaction()
  }

  live<A>(question: LiveQuestion<A>, listener: LiveListener<A>): () => void {
    const { end, own } = this.ending((error) => listener.ended(error))
    const stop = this.inner.live(question, { told: (update) => listener.told(update), ended: end })
    return own(stop)
  }

  feed(since: number | undefined, listener: FeedListener): Feed {
    const { end, own } = this.ending((error) => listener.ended(error))
    const feed = this.inner.feed(since, { stored: () => listener.stored(), ended: end })
    return { after: feed.after, next: () => feed.next(), close: own(() => feed.close()) }
  }

  /**
   * What is over when this is closed, or before.
   *
   * @param ended Called when it ends by itself, which may be while it is made, or because this is closed.
   */
  private ending(ended: (error: AtomicDBError | undefined) => void) {
    if (this.closing) throw closedError()
    let stop: (() => void) | undefined
    let isOver = false
    const atClose = () => {
      stop!()
      end(undefined)
    }
    const end = (error: AtomicDBError | undefined) => {
      if (isOver) return
      isOver = true
      this.ends.delete(atClose)
      ended(error)
    }
    /** Says how it is stopped. Returns what stops it, without telling. */
    const own = (how: () => void): (() => void) => {
      stop = how
      if (!isOver) this.ends.add(atClose)
      return () => {
        this.ends.delete(atClose)
        how()
      }
    }
    return { end, own }
  }

  async at(seq: number): Promise<EarlierState> {
    const state = await this.run(() => this.inner.at(seq))
    const end = () => void state.close().catch(() => {})
    if (this.closing) {
      end()
      throw closedError()
    }
    this.ends.add(end)
    return {
      read: (work, signal) => this.run(() => state.read(work, signal)),
      close: () => {
        this.ends.delete(end)
        return state.close()
      },
    }
  }

  exportFile(type: FileType): Promise<Uint8Array> {
    return this.run(() => this.inner.exportFile(type))
  }

  parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile> {
    return this.run(() => this.inner.parseFile(file, type))
  }

  verify(): Promise<Report> {
    return this.run(() => this.inner.verify())
  }

  flush(): Promise<void> {
    return this.run(() => this.inner.flush())
  }

  commit(): Promise<void> {
    return this.run(() => this.inner.commit())
  }

  close(): Promise<void> {
    return (this.closing ??= this.closeOnce())
  }

  private async closeOnce(): Promise<void> {
    if (this.letGo()) return this.inner.close() // which ends everything
    await this.inner.flush().catch(() => {}) // the writes that fail say so
    for (const end of [...this.ends]) end()
    this.ends.clear()
  }

  private run<R>(call: () => Promise<R>): Promise<R> {
    return this.closing ? Promise.reject(closedError()) : call()
  }
}
