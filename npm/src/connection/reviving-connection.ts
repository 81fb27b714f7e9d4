import type { FileType, NativeBackend, ParsedFile } from '../engine/async-engine.js'
import { EngineEndError } from '../errors.js'
import { leaseOf, type Lease } from '../storage/lease.js'
import type { Report, StorageBackend } from '../types.js'
import type { Calls, Write } from './calls.js'
import type { Connection, EngineConnection } from './connection.js'
import type { EngineCalls } from './engine-calls.js'
import { closedError, readArguments } from './errors.js'
import { laterFeed, type EarlierState, type Feed, type FeedListener } from './feeds.js'
import { LastingQuestion, type LiveListener, type LiveQuestion } from './live.js'
import { Opening } from './opening.js'

type Backend = NativeBackend | StorageBackend | null

/** Opens what a backend holds. @param before The connection whose engine has ended, if one has. */
type Open = (backend: Backend, before?: EngineConnection) => Promise<EngineConnection>

/**
 * A connection that outlives its engine: the first call after an engine has ended opens the database again, in a new
 * one. What was in flight has failed then, and is not repeated here: it may be what ends engines.
 */
export class RevivingConnection implements Connection {
  private lease: Lease | undefined // of the engine that has ended last
  private reviving: Promise<EngineConnection> | undefined
  private ends = 0 // of engines in a row, without a call that succeeded in between
  private lost: EngineEndError | undefined // why it does not come back
  private closing: Promise<void> | undefined
  private readonly lasting = new Set<LastingQuestion>()
  private readonly unanswered = new Set<LastingQuestion>() // of these, those that no engine has

  private constructor(
    private current: EngineConnection,
    private readonly backend: Backend,
    private readonly openOnce: Open,
    private readonly isStateless: boolean,
    private readonly repeatsReads: boolean,
  ) {}

  /**
   * @param isStateless Whether no call may wait for what another has begun; see StatelessConnection.
   * @param repeatsReads Whether a read that an end has met is asked again: the end is of a connection then, and no read
   * has caused it.
   */
  static async open(backend: Backend, open: Open, isStateless: boolean, repeatsReads = false): Promise<RevivingConnection> {
    const { connection, lease } = await opened(backend, open)
    const reviving = new RevivingConnection(connection, backend, open, isStateless, repeatsReads)
    reviving.watchEnd(connection, lease)
    return reviving
  }

  /** Whether other tabs use the same engine. */
  get isShared(): boolean {
    return this.current.isShared === true
  }

  /** Applies what others have stored. */
  catchUp(): Promise<void> {
    return this.run((connection) => connection.catchUp())
  }

  private watchEnd(connection: EngineConnection, lease: Lease | undefined): void {
    connection.onEnd = () => {
      this.ends++
      this.lease = lease
      if (this.unanswered.size > 0) this.reviveForQuestions()
    }
  }

  read<R>(work: (engine: EngineCalls) => R, signal?: AbortSignal): Promise<R> {
    return this.run((connection) => connection.read(work, signal).catch((error: unknown) => {
      if (!this.repeatsReads || error !== connection.ended) throw error
      return this.read(work, signal)
    }))
  }

  write<R>(prepare: () => Write<R>): Promise<R> {
    if (!this.current.ended) return this.run((connection) => connection.write(prepare))
    try {
      const write = readArguments(prepare) // now, because the caller may change the arguments later
      return this.run((connection) => connection.write(() => write))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    return this.run((connection) => connection.transaction(work))
  }

  live<A>(question: LiveQuestion<A>, listener: LiveListener<A>): () => void {
    if (this.closing) throw closedError()
    const own = new LastingQuestion(question, listener, () => void this.unanswered.add(own))
    this.lasting.add(own)
    if (!this.current.ended) own.openIn(this.current)
    else {
      this.unanswered.add(own)
      this.reviveForQuestions()
    }
    return () => {
      this.lasting.delete(own)
      this.unanswered.delete(own)
      own.stop()
    }
  }

  /** Opens the database again for the sake of live questions, which do not call. */
  private reviveForQuestions(): void {
    this.run(async () => {}).catch((error: unknown) => {
      if (this.closing) return // which ends them
      for (const own of [...this.unanswered]) {
        if (this.lost) own.end(this.lost)
        else own.fail(error)
      }
    })
  }

  feed(since: number | undefined, listener: FeedListener): Feed {
    if (this.closing) throw closedError()
    if (!this.current.ended) return this.current.feed(since, listener)
    return laterFeed(this.run(async (connection) => connection.feed(since, listener)))
  }

  /** The state ends with its engine, and is then read again in the next one. */
  async at(seq: number): Promise<EarlierState> {
    let state: Promise<EarlierState> | undefined
    let of: EngineConnection | undefined
    const opened = () => this.run((connection) => {
      if (of !== connection) state = undefined
      of = connection
      return (state ??= connection.at(seq))
    })
    await opened()
    return {
      read: async (work, signal) => (await opened()).read(work, signal),
      close: async () => {
        if (!of!.ended) await (await state!).close()
      },
    }
  }

  exportFile(type: FileType): Promise<Uint8Array> {
    return this.run((connection) => connection.exportFile(type))
  }

  parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile> {
    return this.run((connection) => connection.parseFile(file, type))
  }

  verify(): Promise<Report> {
    return this.run((connection) => connection.verify())
  }

  checkOutsideTransaction(): void {
    if (!this.current.ended) this.current.checkOutsideTransaction()
  }

  flush(): Promise<void> {
    return this.run((connection) => connection.flush())
  }

  commit(): Promise<void> {
    return this.run((connection) => connection.commit())
  }

  close(): Promise<void> {
    return (this.closing ??= this.closeOnce())
  }

  private async closeOnce(): Promise<void> {
    await this.reviving?.then((connection) => (this.current = connection), () => {})
    const { current, backend } = this
    if (!current.ended) {
      await current.close().catch((error: unknown) => {
        if (!current.ended) throw error
      })
    }
    for (const own of [...this.lasting]) own.end()
    if (current.ended && isStorage(backend)) await backend.close() // which the engine could not do
  }

  private run<R>(call: (connection: EngineConnection) => Promise<R>): Promise<R> {
    if (this.closing) return Promise.reject(closedError())
    const { current } = this
    if (!current.ended) return this.ends === 0 ? call(current) : this.watched(call)
    this.reviving ??= this.isStateless ? new Opening(() => this.revive(), (connection) => connection.close()) : this.revive()
    const { reviving } = this
    const over = () => {
      if (this.reviving === reviving) this.reviving = undefined
    }
    return reviving.then(
      (connection) => {
        // Each call does this, because the request of the first may be gone.
        if (this.reviving === reviving) this.goOnWith(connection)
        over()
        return this.watched(call)
      },
      (error: unknown) => {
        over()
        throw error
      },
    )
  }

  private goOnWith(connection: EngineConnection): void {
    this.current = connection
    const unanswered = [...this.unanswered]
    this.unanswered.clear()
    for (const own of unanswered) own.openIn(connection)
  }

  /** Notes whether a call succeeds. */
  private async watched<R>(call: (connection: EngineConnection) => Promise<R>): Promise<R> {
    const { current } = this
    const result = await call(current)
    if (!current.ended) this.ends = 0
    return result
  }

  /** Opens the database in a new engine. */
  private async revive(): Promise<EngineConnection> {
    const { current } = this
    await this.lease?.end()
    let end = current.ended!
    while (!this.lost) {
      if (current.isUnstored) this.lost = end.forEver('closed', 'with what was in memory alone')
      else if (this.ends >= maxEnds) this.lost = end.forEver('internal', `${maxEnds} times in a row`)
      else {
        try {
          const { connection, lease } = await opened(this.backend, this.openOnce, current)
          this.watchEnd(connection, lease)
          return connection
        } catch (error) {
          if (!(error instanceof EngineEndError)) throw error // of the storage: the next call tries again
          end = error
          this.ends++
        }
      }
    }
    throw this.lost
  }
}

/**
 * Opens what a backend holds.
 *
 * @param before The connection whose engine has ended, if one has. The storage then stays open if this fails.
 */
async function opened(backend: Backend, open: Open, before?: EngineConnection): Promise<{ connection: EngineConnection; lease: Lease | undefined }> {
  let mayClose = !before
  const lease = isStorage(backend) ? leaseOf(backend, () => mayClose) : undefined
  try {
    const connection = await open(lease?.storage ?? backend, before)
    mayClose = true
    return { connection, lease }
  } catch (error) {
    if (error instanceof EngineEndError) await lease?.storage.close().catch(() => {}) // as the engine would have done
    await lease?.end()
    throw error
  }
}

function isStorage(backend: Backend): backend is StorageBackend {
  return backend !== null && 'append' in backend
}

/** After so many ends of engines in a row, a database does not come back: it may be too large for the memory. */
const maxEnds = 3
