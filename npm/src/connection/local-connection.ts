import type { AsyncEngine, FileType, NativeBackend, ParsedFile } from '../engine/async-engine.js'
import { Interrupter } from './interrupter.js'
import { arrivalOf, documentsLeft, startBridge, whenThere, type Bridge } from '../engine/bridge.js'
import { Op } from '../engine/ops.js'
import type { Program } from '../program.js'
import type { Encoder } from '../msgpack/encode.js'
import { isCloudflareWorker } from '../load.js'
import { AppendingLog } from '../storage/appending-log.js'
import { WriteLock } from '../storage/write-lock.js'
import type { AtomicDBError, EngineEndError } from '../errors.js'
import type { OpenOptions, Report, StorageBackend } from '../types.js'
import type { Calls, Write } from './calls.js'
import { EngineConnection, type Keeping, type OwnOptions } from './connection.js'
import { noArguments, type EngineCalls } from './engine-calls.js'
import { closedError, readArguments } from './errors.js'
import { FeedListeners, laterFeed, type EarlierState, type Feed, type FeedListener } from './feeds.js'
import { GroupCommit, type FlushOutcome } from './group-commit.js'
import type { LiveListener, LiveQuestion } from './live.js'
import { LiveHub } from './live-hub.js'
import { Progress } from './progress.js'
import { withUsage } from './quota.js'
import { reportOf } from './report.js'
import { Transactions } from './transactions.js'
import { nowAndThen, onReturn } from './wake.js'

/**
 * A database whose engine runs in this thread: its handle there, and the writes that are not stored yet. A worker needs
 * nothing else: answers leave it as bytes.
 */
export class LocalConnection extends EngineConnection {
  private readonly groupCommit = new GroupCommit(() => this.store())
  private readonly writeLock = new WriteLock()
  private readonly transactions = new Transactions(this, {
    drained: () => this.groupCommit.drained(),
    store: () => this.store(),
    // If it fails, the next call meets the same log.
    catchUp: () => void this.catchUp().catch(() => {}),
  })
  protected readonly hub = new LiveHub(this, () => this.heed())
  protected readonly feeds = new FeedListeners()
  protected readonly earlier = new Set<LocalConnection>() // earlier states of it that are open
  private arrival: Promise<void> | undefined // of what a write waits for
  private stopLooking: (() => void) | undefined
  private source: LocalConnection | undefined // of an earlier state: what it is a state of
  private appending: AppendingLog | undefined // if its storage is called by JavaScript
  /** What may end the calls of the engine. */
  interrupter!: Interrupter
  protected readonly stopListening: () => void
  private versionStored: number // with 'on commit': the version that the storage has
  private versionAcknowledged: number
  protected closing: Promise<void> | undefined

  protected constructor(
    protected readonly bridge: Bridge,
    protected readonly handle: number,
    private readonly keeping: Keeping,
  ) {
    super()
    this.versionStored = this.versionAcknowledged = this.version
    this.stopListening = bridge.onEnd((error) => {
      this.groupCommit.stop(error)
      this.transactions.stop(error)
      this.hub.end(error)
      this.feeds.end(error)
      this.heed()
      this.onEnd?.()
    })
  }

  /** Opens what `backend` holds; null is a database in memory alone. */
  static async open(name: string, backend: NativeBackend | StorageBackend | null, options: OpenOptions & OwnOptions): Promise<LocalConnection> {
    const bridge = await startBridge(options.wasm, options.program)
    let connection: LocalConnection | undefined
    const { durability = 'relaxed', maxDocumentBytes, maxDepth, maxQueryMemory, version, group } = options
    const interrupter = new Interrupter(options.maxQueryTime)
    const progress = new Progress(options.onProgress)
    const onForeign = () => connection?.hub.note()
    const onRollback = () => {
      if (!connection?.transactions.isRunning) connection?.groupCommit.noteUndone()
      connection?.hub.note()
    }
    const onStored = () => connection?.feeds.stored()
    const onPutOff = () => connection?.transactions.notePostponed()
    const log = backend && 'append' in backend ? new AppendingLog(backend, durability) : undefined
    const handle = await bridge.wait((engine) => engine.open(name, log?.backend ?? backend, { durability, maxDocumentBytes, maxDepth, maxQueryMemory, version, interrupted: interrupter.ask, onProgress: progress.listener, onForeign, onRollback, onPutOff, onStored, group }), true)
    await progress.check(() => bridge.wait((engine) => engine.close(handle)))
    connection = new this(bridge, handle, backend === null ? 'never' : options.inMemory ? 'on commit' : 'always')
    connection.interrupter = interrupter
    connection.appending = log
    return connection
  }

  read<R>(work: (engine: EngineCalls) => R): Promise<R> {
    try {
      this.checkUsable()
      const { settling } = this
      if (settling) return settling.then(() => this.read(work))
      this.suspendTransaction()
      return Promise.resolve(readArguments(() => this.bridge.patiently(() => work(this))))
    } catch (error) {
      return whenThere(error, () => this.read(work))
    }
  }

  /** What reads wait for; undefined if there is nothing to wait for. */
  get settling(): Promise<void> | undefined {
    // A transaction that is being stored may still be undone; and while the engine lacks pending writes, a read would
    // miss them.
    return this.transactions.storing ?? this.groupCommit.settled()
  }

  /** Hides what a running transaction did from a read from outside. */
  protected suspendTransaction(): void {
    this.transactions.suspend()
  }

  /** The version that reads from outside a transaction see. The engine is in that state then. */
  get versionOutside(): number {
    if (!this.ended) this.suspendTransaction()
    return this.version
  }

  live<A>(question: LiveQuestion<A>, listener: LiveListener<A>): () => void {
    this.checkUsable()
    return this.hub.open(question, listener)
  }

  write<R>(prepare: () => Write<R>): Promise<R> {
    try {
      this.checkOutsideTransaction()
      const write = readArguments(prepare)
      // Writes are done in the order in which they were called.
      return this.arrival ? this.arrival.then(() => this.doWrite(write)) : this.doWrite(write)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  private doWrite<R>(write: Write<R>): Promise<R> {
    let later: Promise<R> | undefined // the same write, if the engine was not ready for it
    const stored = this.writeLock.shared(() => this.groupCommit.write(() => {
      try {
        return this.writing(write)
      } catch (error) {
        const arrival = arrivalOf(error)
        if (arrival) later = this.whenArrived(arrival, () => this.doWrite(write))
        throw error
      }
    }))
    return this.bridge.isWhole ? stored : stored.catch((error: unknown) => later ?? Promise.reject(error as Error))
  }

  private whenArrived<R>(arrival: Promise<void>, work: () => Promise<R>): Promise<R> {
    if (!this.arrival) {
      const forget = () => (this.arrival = undefined)
      this.arrival = arrival
      arrival.then(forget, forget)
    }
    return this.arrival.then(work)
  }

  transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    try {
      this.checkOutsideTransaction()
      return this.writeLock.exclusive(() => this.runTransaction(work))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  private async runTransaction<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    try {
      return await this.transactions.run(work)
    } finally {
      this.hub.note()
    }
  }

  private writing<R>(write: Write<R>): R {
    this.hub.note()
    return this.bridge.patiently(() => write(this))
  }

  feed(since: number | undefined, listener: FeedListener): Feed {
    this.checkUsable()
    const opening = this.bridge.wait((engine) => engine.openFeed(this.handle, since ?? -1))
    const remove = this.feeds.add(listener)
    this.heed()
    return laterFeed(opening.then(([feed, after]) => ({
      after: Promise.resolve(after),
      next: () => this.bridge.wait((engine) => engine.nextChanges(this.handle, feed)),
      close: () => {
        remove()
        this.heed()
        if (!this.ended) this.bridge.wait((engine) => engine.closeFeed(this.handle, feed)).catch(() => {}) // the database is closed
      },
    })))
  }

  async at(seq: number): Promise<EarlierState> {
    return this.earlierState(seq)
  }

  /** As {@link at}, as a connection. Only its reads are of use. */
  async earlierState(seq: number): Promise<LocalConnection> {
    this.checkUsable()
    await this.bridge.whole()
    const handle = await this.bridge.wait((engine) => engine.at(this.handle, seq), true)
    const state = new LocalConnection(this.bridge, handle, 'never')
    state.interrupter = this.interrupter
    state.source = this
    this.earlier.add(state)
    return state
  }

  private store(): FlushOutcome | Promise<FlushOutcome> {
    if (this.keeping === 'always') return this.appending?.isQuick ? this.storeIn(this.appending) : this.flushEngine()
    if (this.keeping === 'never') this.command(Op.settle)
    else this.versionAcknowledged = this.version
    return 0
  }

  private flushEngine(): Promise<FlushOutcome> {
    return this.storing((engine) => engine.flush(this.handle))
  }

  /** As {@link flushEngine}, without a detour through promises of Go: at once, if the storage answers at once. */
  private storeIn(log: AppendingLog): FlushOutcome | Promise<FlushOutcome> {
    const begun = this.bridge.beginFlush(this.handle)
    if (!begun) return this.flushEngine()
    const { seq, frame } = begun
    if (seq === 0) return 0
    const end = (stored: boolean) => {
      if (!stored) return again(Promise.resolve(false))
      log.noteStored(seq)
      this.bridge.endFlush(this.handle)
      return 0
    }
    // The engine settles everything but success: it is told the same answer.
    const again = (answer: Promise<boolean>) => {
      log.repeat(answer)
      return this.flushEngine()
    }
    let stored: boolean | Promise<boolean>
    try {
      stored = log.append(seq, frame)
    } catch (error) {
      return again(Promise.reject(error))
    }
    if (typeof stored === 'boolean') return end(stored)
    // It ends with the engine too.
    return this.bridge.wait(() => stored.then((stored) => () => end(stored), (error: unknown) => () => again(Promise.reject(error)))).then((go) => go())
  }

  private async storing<R>(work: (engine: AsyncEngine) => Promise<R>): Promise<R> {
    try {
      return await this.bridge.wait(work)
    } catch (error) {
      throw await withUsage(error)
    }
  }

  async exportFile(type: FileType): Promise<Uint8Array> {
    this.checkOutsideTransaction()
    return this.writeLock.shared(async () => {
      await this.groupCommit.settled()
      await this.bridge.whole()
      return this.bridge.wait((engine) => engine.exportFile(this.handle, type), true)
    })
  }

  /** Fails the running transaction, if there is one; what it did is undone. */
  stopTransaction(error: AtomicDBError): void {
    this.transactions.stop(error)
  }

  async parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile> {
    this.checkUsable()
    await this.bridge.whole()
    return this.bridge.wait((engine) => engine.parseFile(file, type), true)
  }

  async verify(): Promise<Report> {
    this.checkOutsideTransaction()
    return this.writeLock.exclusive(async () => {
      await this.groupCommit.drained()
      await this.bridge.whole()
      return reportOf(await this.bridge.wait((engine) => engine.verify(this.handle), true))
    })
  }

  /** Replaces the batches of the log by a snapshot: the next opening reads it faster. */
  async compact(): Promise<void> {
    this.checkOutsideTransaction()
    return this.writeLock.exclusive(async () => {
      await this.groupCommit.drained()
      await this.bridge.whole()
      await this.bridge.wait((engine) => engine.compact(this.handle))
    })
  }

  /** Builds the indexes, or only the unique ones, of collections of at most so many documents, before they are needed. */
  async buildIndexes(documents: number, onlyUnique = false): Promise<void> {
    await this.bridge.whole()
    return this.bridge.wait((engine) => engine.buildIndexes(this.handle, documents, onlyUnique))
  }

  /** Applies the batches that others have stored. */
  catchUp(): Promise<void> {
    return this.bridge.wait((engine) => engine.catchUp(this.handle))
  }

  /** While somebody waits for it, looks now and then whether others have stored something that nobody told of. */
  private heed(): void {
    if (!this.hub.isEmpty || !this.feeds.isEmpty) this.stopLooking ??= this.look()
    else {
      this.stopLooking?.()
      this.stopLooking = undefined
    }
  }

  /** Returns what ends it. */
  protected look(): () => void {
    // In a Durable Object nobody else writes, and a timer would keep it from sleeping.
    if (this.keeping === 'never' || isCloudflareWorker()) return () => {}
    const catchUp = () => void this.catchUp().catch(() => {}) // the next call meets the same log
    const stops = [onReturn(catchUp), nowAndThen(catchUp)]
    return () => {
      for (const stop of stops) stop()
    }
  }

  /** As {@link Bridge.patiently}. */
  patiently<R>(work: () => R): R {
    return this.bridge.patiently(work)
  }

  /** As {@link Bridge.checkThere}. */
  checkThere(op: Op): void {
    this.bridge.checkThere(op)
  }

  get program(): Program {
    return this.bridge.program
  }

  get ended(): EngineEndError | undefined {
    return this.bridge.ended
  }

  get isUnstored(): boolean {
    return this.keeping === 'never' || this.versionStored !== this.versionAcknowledged
  }

  /** How many calls wait for the running transaction to end. */
  get waitingCalls(): number {
    return this.writeLock.waiting
  }

  flush(): Promise<void> {
    try {
      if (this.closing) throw closedError()
      this.transactions.checkOutside()
    } catch (error) {
      return Promise.reject(error as Error)
    }
    const { lastFailure } = this.transactions
    // Now: a transaction may hold the write lock for longer than these writes take.
    const before = this.groupCommit.flush()
    before.catch(() => {})
    return this.writeLock.shared(async () => {
      await before
      const failure = this.transactions.lastFailure // of a transaction that was called before, and so waited for
      if (failure !== lastFailure) throw failure!.error
      await this.groupCommit.flush()
    })
  }

  async commit(): Promise<void> {
    if (this.keeping !== 'on commit') return this.flush()
    this.checkOutsideTransaction()
    return this.writeLock.exclusive(async () => {
      await this.groupCommit.drained()
      await this.storing((engine) => engine.commit(this.handle))
      this.versionStored = this.versionAcknowledged = this.version
    })
  }

  close(): Promise<void> {
    return (this.closing ??= this.closeOnce())
  }

  private async closeOnce(): Promise<void> {
    await this.writeLock.exclusive(() => this.groupCommit.drained())
    this.stopListening()
    this.groupCommit.stop(closedError())
    this.hub.end()
    this.feeds.end(undefined)
    this.heed()
    this.source?.earlier.delete(this)
    for (const state of this.earlier) await state.close()
    if (!this.ended) await this.bridge.wait((engine) => engine.close(this.handle))
  }

  value(op: Op, args: Encoder | Uint8Array): unknown {
    return this.bridge.value(this.handle, op, args)
  }

  rows(op: Op, args: Encoder | Uint8Array): any[] {
    const rows: unknown[] = []
    this.pieces(op, args, rows)
    return rows
  }

  cachedValue(op: Op, args: Encoder): unknown {
    return this.value(op, args)
  }

  cachedRows(op: Op, args: Encoder | Uint8Array, rows: any[] = []): any[] {
    this.pieces(op, args, rows)
    return rows
  }

  /** Appends the pieces of an answer to `rows`, and returns how many bytes they had. */
  protected pieces(op: Op, args: Encoder | Uint8Array, rows: unknown[]): number {
    let left = this.bridge.documents(this.handle, op, args, rows)
    let bytes = this.bridge.resultBytes
    while (left > 0) {
      left = this.bridge.documents(this.handle, Op.more, noArguments, rows)
      bytes += this.bridge.resultBytes
    }
    return bytes
  }

  *inPieces(op: Op, args: Uint8Array): Iterable<unknown[]> {
    const documents: unknown[] = []
    let left = this.bridge.documents(this.handle, op, args, documents)
    for (;;) {
      yield documents
      if (left === 0) return
      documents.length = 0
      left = this.bridge.documents(this.handle, Op.more, noArguments, documents)
    }
  }

  /** Calls `op` and returns the bytes of its result: of all pieces, if the op answers in `pieces`. */
  resultOf(op: Op, args: Uint8Array, pieces: boolean): Uint8Array<ArrayBuffer>[] {
    const result = [this.bridge.resultOf(this.handle, op, args)]
    while (pieces && documentsLeft(result[result.length - 1]!) > 0) result.push(this.bridge.resultOf(this.handle, Op.more, noArguments))
    return result
  }

  /** The version of the database; see {@link Bridge.version}. */
  get version(): number {
    return this.bridge.version(this.handle)
  }

  /** The number of the newest batch that the engine holds. */
  get head(): number {
    return this.bridge.head(this.handle)
  }

  checkOutsideTransaction(): void {
    this.checkUsable()
    this.transactions.checkOutside()
  }

  protected checkUsable(): void {
    if (this.closing) throw closedError()
    this.checkNotInCallback()
  }
}
