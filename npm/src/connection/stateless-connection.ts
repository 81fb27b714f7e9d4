import type { FileType, NativeBackend } from '../engine/async-engine.js'
import { Interrupter } from './interrupter.js'
import { startBridge, type Bridge } from '../engine/bridge.js'
import { Op } from '../engine/ops.js'
import { sameBytes } from '../checks.js'
import { AtomicDBError, unsupported } from '../errors.js'
import { Encoder } from '../msgpack/encode.js'
import { traitsOf } from '../storage/traits.js'
import { maxTurn, ownPause, Turns, type Turn } from '../storage/turns.js'
import type { Batch, OpenOptions, Report, StorageBackend } from '../types.js'
import type { Calls, Write } from './calls.js'
import type { OwnOptions } from './connection.js'
import { noArguments } from './engine-calls.js'
import { CachingConnection } from './caching-connection.js'
import { closedError, insideTransactionError, readArguments } from './errors.js'
import type { EarlierState, Feed } from './feeds.js'
import { maxConflicts, tooManyConflicts } from './group-commit.js'
import { Progress } from './progress.js'
import { reportOf } from './report.js'
import { TransactionRun } from './transaction-run.js'

/** A write or a transaction that is not stored yet. */
interface Pending {
  /** Does the write in the engine. A transaction has none: its function has run already. */
  readonly run?: () => unknown
  /** What the last run returned. */
  value: unknown
  conflicts: number
  /** Set once: its value is stored, or it has failed, or, for a transaction, another writer was faster. */
  outcome?: { readonly kind: 'stored' } | { readonly kind: 'failed'; readonly error: unknown } | { readonly kind: 'conflict' }
}

/** A batch whose append has begun. */
interface BatchOnItsWay {
  readonly seq: number
  readonly frame: Uint8Array
  readonly writes: readonly Pending[]
}

/** What the engine reads in the place of a storage, so that it never waits for one: batches that were read already. */
class ReadBatches implements StorageBackend {
  constructor(
    public batches: readonly Batch[],
    readonly compactEvery: number | undefined,
    readonly mayRevoke: boolean,
  ) {}

  async read(after: number): Promise<Batch[]> {
    return this.batches.filter(({ seq }) => seq > after)
  }

  async append(): Promise<boolean> {
    throw new AtomicDBError('internal', 'the connection itself appends')
  }

  async compact(): Promise<void> {}

  async destroy(): Promise<void> {}

  async close(): Promise<void> {}
}

/**
 * A database whose calls come from requests that do not wait for each other:
 * for D1 and KV in a Cloudflare Worker, where one database of an isolate serves
 * many requests, and a client may end each of them in the middle.
 *
 * Between two turns of the event loop, the engine holds exactly what is stored.
 * A call that has the turn runs all writes that wait, cuts them as one batch,
 * and rolls them back, at once; then it awaits its own append, and applies what
 * it has stored. The others look by timers of their own whether their write is
 * stored. If the call ends before, the next one appends the same bytes again: if
 * the log holds them already, that is no second batch.
 *
 * So a query sees a write when it is stored, and not before.
 */
export class StatelessConnection extends CachingConnection {
  private readonly turns = new Turns()
  private waiting: Pending[] = []
  private batch: BatchOnItsWay | undefined
  private running: TransactionRun | undefined // whose savepoint is open
  private broken: AtomicDBError | undefined // what every call throws when the log was deleted
  private isClosing = false
  private isClosed = false
  private readonly stopWatching: (() => void) | undefined

  private constructor(
    bridge: Bridge,
    handle: number,
    private readonly log: ReadBatches,
    private readonly storage: StorageBackend,
    private readonly durability: 'relaxed' | 'strict',
  ) {
    super(bridge, handle, 'always')
    // The request that has appended something else reads it here: nobody waits for it.
    this.stopWatching = storage.watch?.((seq) => void this.hear(seq).catch(() => {}))
  }

  static override async open(name: string, backend: NativeBackend | StorageBackend | null, options: OpenOptions & OwnOptions): Promise<StatelessConnection> {
    const storage = backend as StorageBackend
    const { durability = 'relaxed', maxDocumentBytes, maxDepth, maxQueryMemory, version } = options
    const interrupted = new Interrupter(options.maxQueryTime).ask
    const progress = new Progress(options.onProgress)
    const bridge = await startBridge(options.wasm, options.program)
    const log = new ReadBatches(await storage.read(0), storage.compactEvery, traitsOf(options.storage).mayRevoke ?? false)
    const handle = await bridge.wait((engine) => engine.open(name, log, { durability, maxDocumentBytes, maxDepth, maxQueryMemory, version, interrupted, onProgress: progress.listener, onRollback() {}, onPutOff() {} }), true)
    await progress.check(() => bridge.wait((engine) => engine.close(handle)))
    log.batches = []
    return new StatelessConnection(bridge, handle, log, storage, durability)
  }

  override get settling(): undefined {
    return undefined
  }

  /** No timer outlives the request in which it was set. */
  protected override look(): () => void {
    return () => {}
  }

  protected override suspendTransaction(): void {
    this.running?.suspend()
  }

  override async write<R>(prepare: () => Write<R>): Promise<R> {
    this.checkOutsideTransaction()
    const write = readArguments(prepare)
    const pending: Pending = { run: () => write(this), value: undefined, conflicts: 0 }
    this.waiting.push(pending)
    await this.settled(pending)
    return pending.value as R
  }

  /** Resolves when a write has its outcome, and stores it if nobody else does. Throws why it has failed. */
  private async settled(pending: Pending): Promise<NonNullable<Pending['outcome']>> {
    for (let n = 0; !pending.outcome; ) {
      if (this.turns.isTaken) await ownPause(n++)
      else await this.inTurn((turn) => this.storeWaiting(turn))
    }
    if (pending.outcome.kind === 'failed') throw pending.outcome.error
    return pending.outcome
  }

  override async transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    this.checkOutsideTransaction()
    for (let runs = 0; runs < maxConflicts; runs++) {
      const end = await this.alone((turn) => this.runOnce(turn, work))
      if (end) return end.result
    }
    throw new AtomicDBError('conflict', `transaction: ${tooManyConflicts}`)
  }

  /** Resolves to the result of `work` once that is stored; to undefined if another writer was faster. */
  private async runOnce<R>(turn: Turn, work: (calls: Calls) => Promise<R>): Promise<{ result: R } | undefined> {
    const run = (this.running = new TransactionRun(this))
    let result: R
    try {
      result = await run.run(work)
      if (!turn.isHeld) return runAgain(turn)
      run.keep()
    } catch (error) {
      if (!turn.isHeld) return runAgain(turn)
      run.undo()
      throw error
    } finally {
      if (this.running === run) this.running = undefined
    }
    const pending: Pending = { value: undefined, conflicts: 0 }
    this.cut([pending])
    if (this.batch) await this.append(turn)
    return (await this.settled(pending)).kind === 'stored' ? { result } : undefined
  }

  /** Runs `work` with the turn, which must be free. */
  private async inTurn<R>(work: (turn: Turn) => Promise<R>): Promise<R> {
    const turn = this.turns.take()
    // A transaction whose turn was taken runs again; if its request was cut off, it never does.
    this.running?.abandon()
    this.running = undefined
    try {
      return await work(turn)
    } finally {
      turn.end()
    }
  }

  /** Runs `work` when the turn is free and every earlier write is stored or has failed. */
  private async alone<R>(work: (turn: Turn) => Promise<R>): Promise<R> {
    const earlier = this.unsettled()
    for (let n = 0; ; n++) {
      if (this.turns.isTaken) {
        await ownPause(n)
        continue
      }
      const found = await this.inTurn(async (turn) => {
        while (turn.isHeld && (this.batch || earlier.some((write) => !write.outcome && this.waiting.includes(write)))) await this.storeWaiting(turn)
        return turn.isHeld ? { result: await work(turn) } : undefined
      })
      if (found) return found.result
    }
  }

  private unsettled(): Pending[] {
    return [...(this.batch?.writes ?? []), ...this.waiting]
  }

  /** Stores the batch that is on its way, or else a batch of all writes that wait. */
  private async storeWaiting(turn: Turn): Promise<void> {
    if (!this.batch) {
      await undefined // the other writes of this tick come along
      if (!turn.isHeld) return
      this.cut(this.run(this.waiting.splice(0)))
    }
    if (this.batch) await this.append(turn)
  }

  /** Runs writes in the engine. Returns those that have not failed. */
  private run(writes: readonly Pending[]): Pending[] {
    return writes.filter((write) => {
      try {
        write.value = write.run!()
        return true
      } catch (error) {
        write.outcome = { kind: 'failed', error }
        return false
      }
    })
  }

  /** Makes a batch of what the engine holds, which `writes` did, and undoes it there. */
  private cut(writes: readonly Pending[]): void {
    try {
      const seq = this.head + 1
      const frame = this.bridge.resultOf(this.handle, Op.cut, noArguments)
      if (frame.length > 0) this.batch = { seq, frame, writes }
      else settle(writes, { kind: 'stored' })
    } catch (error) {
      settle(writes, { kind: 'failed', error })
    }
  }

  /** Appends the batch that is on its way, and settles its writes unless somebody else has. */
  private async append(turn: Turn): Promise<void> {
    const batch = this.batch!
    try {
      if (await this.storage.append(batch.seq, batch.frame, this.durability)) {
        this.stored(batch)
        await this.compactIfLong(turn)
        return
      }
      await this.readAfterConflict(turn) // the log may hold this very batch
      if (this.batch !== batch) return
      this.batch = undefined
      for (const write of batch.writes) if (!write.run) write.outcome = { kind: 'conflict' }
      else if (++write.conflicts === maxConflicts) write.outcome = { kind: 'failed', error: new AtomicDBError('conflict', tooManyConflicts) }
      this.waiting.unshift(...batch.writes.filter((write) => !write.outcome))
    } catch (error) {
      if (this.batch !== batch || !turn.isHeld) return // another call stores it
      this.batch = undefined
      settle(batch.writes, { kind: 'failed', error: asStorageError(error) })
    }
  }

  /** Applies a batch that is stored. */
  private stored(batch: BatchOnItsWay): void {
    if (this.batch !== batch) return
    this.batch = undefined
    try {
      this.applyRecord({ seq: batch.seq, snapshot: false, bytes: batch.frame })
      settle(batch.writes, { kind: 'stored' })
    } catch (error) {
      settle(batch.writes, { kind: 'failed', error })
    }
  }

  private async readAfterConflict(turn: Turn): Promise<void> {
    const before = this.head
    try {
      this.apply(await this.storage.read(before))
    } catch (error) {
      // The engine finds out whether the whole log is another database by now; then it is `closed`.
      if ((error as AtomicDBError).code === 'corrupt') await this.compare(await this.storage.read(0))
      throw error
    }
    if (this.head !== before) return
    const batches = this.log.mayRevoke ? await this.storage.read(0) : []
    if (batches.length === 0) {
      // Also if somebody creates the log anew: it will be another.
      throw (this.broken = new AtomicDBError('closed', `append: the stored data was deleted: the log no longer holds batch ${before}; open the database again`))
    }
    if (this.head === before && turn.isHeld) await this.compare(batches) // D1 may have gone back to an earlier time
  }

  /** Compares the engine with batches that were read. If the log has lost some, the engine is then as they say. */
  private async compare(batches: readonly Batch[]): Promise<Report> {
    this.log.batches = batches
    try {
      return reportOf(await this.bridge.wait((engine) => engine.verify(this.handle)))
    } finally {
      this.log.batches = []
      this.hub.note()
    }
  }

  /** Applies records that were read. */
  private apply(records: readonly Batch[]): void {
    for (const record of records) {
      const { batch } = this
      if (!record.snapshot && record.seq === batch?.seq && sameBytes(record.bytes, batch.frame)) this.stored(batch)
      else this.applyRecord(record)
    }
  }

  private applyRecord({ seq, snapshot, bytes }: Batch): void {
    if (seq <= this.head) return
    this.value(Op.apply, new Encoder().begin('record').array(2).number(seq).boolean(Boolean(snapshot)).raw(bytes))
    this.hub.note()
  }

  /** Replaces the batches by a snapshot if they are many. The batch is stored even if this fails. */
  private async compactIfLong(turn: Turn): Promise<void> {
    if (!turn.isHeld) return
    const seq = this.head
    const snapshot = this.bridge.resultOf(this.handle, Op.snapshot, noArguments)
    if (snapshot.length > 0) await this.storage.compact(seq, snapshot).catch(() => {})
  }

  override feed(): Feed {
    throw unsupported('changes: not over D1 and KV, where a request may not wait for what another one stores; db.at(seq) reads an earlier state')
  }

  override async at(seq: number): Promise<EarlierState> {
    this.checkOutsideTransaction()
    return this.alone(async () => {
      const batches = await this.storage.read(0)
      this.log.batches = batches
      try {
        return await this.earlierState(seq)
      } finally {
        if (this.log.batches === batches) this.log.batches = []
      }
    })
  }

  /** Reads what another database of this isolate has appended. */
  private async hear(seq: number): Promise<void> {
    if (this.isClosing || (seq > 0 && seq <= this.head)) return
    const batches = await this.storage.read(this.head)
    if (!this.isClosed && !this.running) this.apply(batches)
  }

  override async exportFile(type: FileType): Promise<Uint8Array> {
    this.checkOutsideTransaction()
    return this.alone(() => this.bridge.wait((engine) => engine.exportFile(this.handle, type)))
  }

  override async verify(): Promise<Report> {
    this.checkOutsideTransaction()
    return this.alone(async () => {
      for (;;) {
        const before = this.head
        const batches = await (this.storage.salvage?.() ?? this.storage.read(0))
        if (this.head === before) return this.compare(batches)
      }
    })
  }

  override async flush(): Promise<void> {
    if (this.isClosing) throw closedError()
    if (this.running?.isStarting) throw insideTransactionError()
    const earlier = this.unsettled()
    if (earlier.length === 0 && !this.running) return
    await this.alone(async () => {})
    for (const { outcome } of earlier) if (outcome?.kind === 'failed') throw outcome.error
  }

  override commit(): Promise<void> {
    return this.flush()
  }

  override async close(): Promise<void> {
    this.isClosing = true
    await this.alone(async () => {
      if (this.isClosed) return
      this.isClosed = true
      this.stopListening()
      this.stopWatching?.()
      this.hub.end()
      for (const state of this.earlier) await state.close()
      if (!this.ended) await this.bridge.wait((engine) => engine.close(this.handle))
      await this.storage.close()
    })
  }

  protected override checkUsable(): void {
    if (this.isClosing) throw closedError()
    if (this.broken) throw this.broken
    this.checkNotInCallback()
  }

  override checkOutsideTransaction(): void {
    this.checkUsable()
    if (this.running?.isStarting) throw insideTransactionError()
  }
}

/** Ends a run of a transaction that has lost its turn. */
function runAgain(turn: Turn): undefined {
  if (turn.isOver) throw new AtomicDBError('timeout', `transaction: it took longer than ${maxTurn / 1000} seconds, and other writers waited`)
}

function settle(writes: readonly Pending[], outcome: NonNullable<Pending['outcome']>): void {
  for (const write of writes) write.outcome ??= outcome
}

/** An error of a storage, which may be any value, as an AtomicDBError. */
function asStorageError(error: unknown): AtomicDBError {
  if (error instanceof AtomicDBError) return error
  return new AtomicDBError('storage', error instanceof Error ? error.message : String(error), { cause: error })
}
