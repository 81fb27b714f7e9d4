import type { Calls, Write } from '../connection/calls.js'
import { EngineConnection, type Keeping, type OwnOptions } from '../connection/connection.js'
import type { EngineCall, EngineCalls } from '../connection/engine-calls.js'
import type { LiveListener, LiveQuestion } from '../connection/live.js'
import { closedError, insideTransactionError, readArguments, transactionEndedError } from '../connection/errors.js'
import { FeedListeners, type EarlierState, type Feed, type FeedListener } from '../connection/feeds.js'
import { Progress } from '../connection/progress.js'
import { onReturn } from '../connection/wake.js'
import type { FileType, NativeBackend, ParsedFile, Sealer } from '../engine/async-engine.js'
import { writingOps, type Op } from '../engine/ops.js'
import { EngineEndError, type AtomicDBError } from '../errors.js'
import type { Program, SentProgram } from '../program.js'
import { programOf, wasmAddress } from '../load.js'
import { Decoder } from '../msgpack/decode.js'
import type { Encoder } from '../msgpack/encode.js'
import { traitsOf } from '../storage/traits.js'
import { hasSharedThreads, shareThread, startThread, type Thread } from '../thread.js'
import type { HostStorage } from '../storage/appending-log.js'
import type { OpenOptions, Report } from '../types.js'
import { sealerHandlers } from './remote-sealer.js'
import { storageHandlers } from './remote-storage.js'
import { RemoteLives, type LiveReply } from './remote-live.js'
import { Replay, type Outcome, type RunEnd } from './replay.js'
import { RpcChannel } from './rpc.js'
import { sharedName } from './shared-name.js'
import type { Reply } from './database-server.js'
import type { Opening } from './server.js'

/** Sends an engine call to the other thread. */
type SendCall = (call: EngineCall) => Promise<Reply>

/** The newest batch that a reply was of. Later reads see it and all before it, on each connection that shares this. */
export class Seen {
  head = 0
  private readonly listeners = new Map<RemoteConnection, () => void>()

  /** Calls `listener` when a connection other than `connection` has seen a newer batch. */
  listen(connection: RemoteConnection, listener: () => void): void {
    this.listeners.set(connection, listener)
  }

  ignore(connection: RemoteConnection): void {
    this.listeners.delete(connection)
  }

  /** Notes a batch that `connection` has seen. */
  note(head: number, connection: RemoteConnection): void {
    if (head <= this.head) return
    this.head = head
    for (const [other, listener] of this.listeners) if (other !== connection) listener()
  }
}

/** A database whose engine runs in a thread of its own. */
export class RemoteConnection extends EngineConnection {
  private readonly channel: RpcChannel
  private readonly decoder = new Decoder()
  private readonly runs = new Map<number, () => Promise<boolean>>() // of the functions of transactions, by transaction
  private readonly writing = new Set<Promise<unknown>>() // the writes whose promises have not settled
  private lastTransaction = 0
  private readonly feeds = new FeedListeners()
  private lastFeed = 0
  private openTransactions = 0 // of the user's, which may read while they run
  // Until the writes are done that take several engine calls: later reads see them.
  private changing: Promise<void> | undefined
  private replay: Replay | undefined // of the call that is running now
  private readonly lives = new RemoteLives(this)
  // The function of a transaction runs, and has not waited yet: calls that arrive now are its own.
  private isStarting = false
  private closing: Promise<void> | undefined
  private stopWatching: (() => void) | undefined
  private stopLooking: (() => void) | undefined
  private isTerminated = false // the thread
  private calledToWrite = 0 // how often
  private committed = 0 // how many of these calls; with inMemory
  program: Program | undefined
  ended: EngineEndError | undefined

  private constructor(
    private readonly thread: Thread,
    private readonly keeping: Keeping,
    private readonly seen: Seen,
    storage: HostStorage | undefined,
    sealer: Sealer | undefined,
    onProgress: OpenOptions['onProgress'],
    /** Whether the thread serves other pages too. */
    override readonly isShared: boolean,
  ) {
    super()
    const handlers = {
      runTransaction: (id: number) => this.runs.get(id)!(),
      lives: (lock: string) => thread.onRelease(lock, (error) => this.end(error)),
      ended: (reason: string) => this.end(new EngineEndError(reason)),
      told: (reply: LiveReply) => this.told(reply),
      stored: (head: number) => this.stored(head),
      progress: ([done, total]: [number, number]) => onProgress?.(done, total),
      ...(storage && storageHandlers(storage)),
      ...(sealer && sealerHandlers(sealer)),
    }
    this.channel = new RpcChannel(thread, handlers, (busy) => thread.setBusy(busy))
    this.stopWatching = storage?.watch?.((seq) => this.channel.notify('storageChanged', seq))
    thread.onExit((error) => this.end(error))
  }

  get isUnstored(): boolean {
    return this.keeping === 'never' || (this.keeping === 'on commit' && this.calledToWrite > this.committed)
  }

  /** Ends the connection with its thread: also one whose engine alone has ended, or that has thrown what nobody catches. */
  private end(error: EngineEndError): void {
    if (this.isTerminated) return
    this.ended = error
    void this.terminate(error)
    this.lives.end(error)
    this.feeds.end(error)
    this.onEnd?.()
  }

  /**
   * Opens what `backend` holds, in a new thread, or in that of all pages; null is a database in memory
   * alone. Connections that share `seen` see what any of them has stored.
   */
  static async open(name: string, backend: NativeBackend | HostStorage | null, options: OpenOptions & OwnOptions, seen = new Seen()): Promise<RemoteConnection> {
    const { inMemory, durability, maxDocumentBytes, maxDepth, maxQueryMemory, maxQueryTime, version, group } = options
    const progress = new Progress(options.onProgress)
    const own = traitsOf(options.storage).inWorker
    const storage = isStorage(backend) && !own ? backend : undefined
    const native = isStorage(backend) ? null : backend
    const where = own ?? (storage ? 'other thread' : native && { kind: native.kind, name: native.name })
    const shared = options.worker === 'shared' && hasSharedThreads() ? await shareThread(sharedName(where, options)) : undefined
    const program = shared ? undefined : options.program ?? programOf(options.wasm)
    if (program instanceof Promise) program.catch(() => {}) // it is awaited below
    const thread = shared ?? (await startThread())
    const keeping = backend === null ? 'never' : inMemory ? 'on commit' : 'always'
    const connection = new RemoteConnection(thread, keeping, seen, storage, native?.sealer, progress.listener, shared !== undefined)
    try {
      const opening: Opening = {
        name,
        backend: where,
        storage: storage && { watches: storage.watch !== undefined, salvages: storage.salvage !== undefined, tears: storage.cutTail !== undefined, compactEvery: storage.compactEvery },
        isSealed: native?.sealer !== undefined,
        wasm: sent((connection.program = await program)) ?? (await wasmAddress(options.wasm as string | URL | undefined)),
        group,
        options: {
          ...(inMemory !== undefined && { inMemory }),
          ...(durability !== undefined && { durability }),
          ...(maxDocumentBytes !== undefined && { maxDocumentBytes }),
          ...(maxDepth !== undefined && { maxDepth }),
          ...(maxQueryMemory !== undefined && { maxQueryMemory }),
          ...(maxQueryTime !== undefined && { maxQueryTime }),
          ...(version !== undefined && { version }),
        },
        reportsProgress: options.onProgress !== undefined,
        ...(shared && { lock: shared.lock }),
      }
      await connection.channel.call('open', opening)
      await progress.check(() => connection.channel.call('close'))
      return connection
    } catch (error) {
      const { ended } = connection
      await connection.terminate(closedError())
      if (ended) await storage?.close().catch(() => {}) // as the engine would have done
      throw ended && error === ended ? ended.ofCulprit() : error
    }
  }

  /** The database that `thread` serves, which has it open already. */
  static async over(thread: Thread): Promise<RemoteConnection> {
    const connection = new RemoteConnection(thread, 'always', new Seen(), undefined, undefined, undefined, true)
    await connection.channel.call('open')
    return connection
  }

  /**
   * A read whose engine calls found two versions of the database runs again.
   * After three such runs, it runs while nobody writes.
   */
  read<R>(work: (engine: EngineCalls) => R, signal?: AbortSignal): Promise<R> {
    return this.readOf(undefined, work, signal)
  }

  /** @param state Which earlier state is to be read. */
  private async readOf<R>(state: number | undefined, work: (engine: EngineCalls) => R, signal?: AbortSignal): Promise<R> {
    const stop = signal && !this.isShared ? stopOf(signal) : undefined // pages share no memory with a shared worker
    this.checkUsable()
    if (this.changing && this.openTransactions === 0 && state === undefined) await this.changing
    for (let tries = 0; tries < 3; tries++) {
      let version: number | undefined
      let hasChanged = false
      const result = await this.perform(new Replay(), () => work(this), async (call) => {
        const reply = await this.send('read', { call, after: this.seen.head, stop, state })
        if (version !== undefined && version !== reply.version) hasChanged = true
        version = reply.version
        return reply
      })
      if (!hasChanged) return result
    }
    return this.exclusive((calls) => calls.read(work))
  }

  write<R>(prepare: () => Write<R>): Promise<R> {
    this.calledToWrite++
    const write = this.writeOnce(prepare)
    const settled: Promise<void> = write.then(() => {}, () => {}).then(() => void this.writing.delete(settled))
    this.writing.add(settled)
    return write
  }

  private async writeOnce<R>(prepare: () => Write<R>): Promise<R> {
    this.checkOutsideTransaction()
    const write = readArguments(prepare)
    const work = () => write(this)
    const replay = new Replay()
    const first = this.runOnce(replay, work)
    if ('result' in first) return first.result
    const { call } = first
    // The write has several engine calls, or depends on what is stored: nobody may write between them.
    if (!writingOps.has(call.op)) return this.change(work)
    replay.add(await outcomeOf(this.send('write', { call, after: this.seen.head })))
    return this.perform(replay, work, (call) => this.send('read', { call, after: this.seen.head }))
  }

  private async change<R>(work: () => R): Promise<R> {
    const change = this.exclusive((calls) => calls.write(() => work))
    const settled = change.then(() => {}, () => {})
    this.changing = settled
    try {
      return await change
    } finally {
      if (this.changing === settled) this.changing = undefined
    }
  }

  async transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    this.checkOutsideTransaction()
    this.calledToWrite++
    this.openTransactions++
    try {
      return await this.exclusive(work)
    } finally {
      this.openTransactions--
    }
  }

  live<A>(question: LiveQuestion<A>, listener: LiveListener<A>): () => void {
    this.checkUsable()
    const close = this.lives.open(question, listener, this.seen.head)
    this.heed()
    return () => {
      close()
      this.heed()
    }
  }

  /** While somebody waits for it, has the other thread look for what others have stored: not every storage tells of it. */
  private heed(): void {
    if (this.lives.isEmpty && this.feeds.isEmpty) this.stopHeeding()
    else if (!this.stopLooking) {
      this.seen.listen(this, () => this.notify('reach', this.seen.head))
      this.stopLooking = onReturn(() => this.notify('goOn', undefined), () => this.notify('pause', undefined))
    }
  }

  private stopHeeding(): void {
    this.seen.ignore(this)
    this.stopLooking?.()
    this.stopLooking = undefined
  }

  private told(reply: LiveReply): void {
    this.seen.note(reply.head, this)
    this.lives.told(reply)
  }

  callThread(name: string, argument: unknown): Promise<unknown> {
    return this.channel.call(name, argument)
  }

  notify(name: string, argument: unknown): void {
    this.channel.notify(name, argument)
  }

  feed(since: number | undefined, listener: FeedListener): Feed {
    this.checkUsable()
    const id = ++this.lastFeed
    const remove = this.feeds.add(listener)
    this.heed()
    const after = this.channel.call<number>('openFeed', { id, since })
    after.catch(() => {}) // next() says it too
    return {
      after,
      next: async () => {
        await after
        return this.channel.call('nextChanges', { id, after: this.seen.head })
      },
      close: () => {
        remove()
        this.heed()
        this.channel.notify('closeFeed', id)
      },
    }
  }

  private stored(head: number): void {
    this.seen.note(head, this)
    this.feeds.stored()
  }

  async at(seq: number): Promise<EarlierState> {
    this.checkUsable()
    const id = await this.channel.call<number>('at', { seq, after: Math.max(seq, this.seen.head) })
    return {
      read: (work, signal) => this.readOf(id, work, signal),
      close: async () => {
        if (!this.hasEnded) await this.channel.call('closeState', id)
      },
    }
  }

  /** Runs `work`, perhaps several times, while nobody else writes; what it did is stored as one batch. */
  private async exclusive<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    const id = ++this.lastTransaction
    let end: { readonly result: R } | { readonly thrown: unknown } | undefined
    this.runs.set(id, async () => {
      const run = new RemoteTransactionRun(this, (call) => this.send('inTransaction', { id, call }))
      try {
        end = { result: await run.run(() => this.starting(() => work(run))) }
        return true
      } catch (thrown) {
        end = { thrown }
        return false
      }
    })
    try {
      await this.send('transaction', { id, after: this.seen.head })
    } catch (error) {
      // The call in it with which the engine has ended knows more.
      if (!(error instanceof EngineEndError && end && 'thrown' in end)) throw error
    } finally {
      this.runs.delete(id)
    }
    if ('thrown' in end!) throw end.thrown
    return end!.result
  }

  private starting<R>(work: () => R): R {
    this.isStarting = true
    try {
      return work()
    } finally {
      this.isStarting = false
    }
  }

  /** Runs `work` again after each engine call that `send` has sent, until it ends. */
  async perform<R>(replay: Replay, work: () => R, send: SendCall): Promise<R> {
    for (;;) {
      const end = this.runOnce(replay, work)
      if ('result' in end) return end.result
      replay.add(await outcomeOf(send(end.call)))
    }
  }

  private runOnce<R>(replay: Replay, work: () => R): RunEnd<R> {
    this.replay = replay
    try {
      return readArguments(() => replay.run(work))
    } finally {
      this.replay = undefined
    }
  }

  private async send(name: string, argument: unknown): Promise<Reply> {
    const reply = await this.channel.call<Reply>(name, argument)
    this.seen.note(reply.head, this)
    return reply
  }

  value(op: Op, args: Encoder | Uint8Array): unknown {
    const [bytes] = this.pieces(op, args, false)
    return bytes!.length === 0 ? undefined : this.decode(bytes!).value()
  }

  cachedValue(op: Op, args: Encoder): unknown {
    return this.value(op, args)
  }

  rows(op: Op, args: Encoder | Uint8Array): any[] {
    return this.cachedRows(op, args)
  }

  cachedRows(op: Op, args: Encoder | Uint8Array, rows: any[] = []): any[] {
    for (const piece of this.pieces(op, args, true)) this.decode(piece).piece(rows)
    return rows
  }

  *inPieces(op: Op, args: Uint8Array): Iterable<unknown[]> {
    for (const piece of this.pieces(op, args, true)) {
      const documents: unknown[] = []
      this.decode(piece).piece(documents)
      yield documents
    }
  }

  private pieces(op: Op, args: Encoder | Uint8Array, pieces: boolean): Uint8Array[] {
    return this.replay!.resultOf(() => ({ op, args: args instanceof Uint8Array ? args : args.taken(), pieces })) as Uint8Array[]
  }

  /** The answer of a call, from the bytes of its pieces. */
  answerOf({ pieces: inPieces }: EngineCall, pieces: readonly Uint8Array[]): unknown {
    if (!inPieces) return pieces[0]!.length === 0 ? undefined : this.decode(pieces[0]!).value()
    const rows: unknown[] = []
    for (const piece of pieces) this.decode(piece).piece(rows)
    return rows
  }

  private decode(bytes: Uint8Array): Decoder {
    return this.decoder.begin(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0)
  }

  override callback(...args: Parameters<EngineConnection['callback']>): unknown {
    return this.replay!.once(() => super.callback(...args))
  }

  async exportFile(type: FileType): Promise<Uint8Array> {
    this.checkOutsideTransaction()
    return this.channel.call('exportFile', type)
  }

  async parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile> {
    this.checkUsable()
    return this.channel.call('parseFile', { file, type })
  }

  async verify(): Promise<Report> {
    this.checkOutsideTransaction()
    return this.channel.call('verify')
  }

  async catchUp(): Promise<void> {
    await this.channel.call('catchUp')
  }

  async flush(): Promise<void> {
    if (this.closing) throw closedError()
    if (this.isStarting) throw insideTransactionError()
    const writing = [...this.writing]
    await this.channel.call('flush')
    await Promise.all(writing) // so that the promises of the writes have settled too
  }

  async commit(): Promise<void> {
    this.checkOutsideTransaction()
    const { calledToWrite } = this
    await this.channel.call('commit')
    this.committed = calledToWrite
  }

  /** Whether it has been closed, or its thread has ended. */
  get hasEnded(): boolean {
    return this.closing !== undefined || this.isTerminated
  }

  close(): Promise<void> {
    return (this.closing ??= this.closeOnce())
  }

  private async closeOnce(): Promise<void> {
    this.feeds.end(undefined)
    try {
      await this.channel.call('close')
    } finally {
      await this.terminate(closedError())
      this.lives.end()
    }
  }

  /** Ends the thread. Calls in flight and later ones fail. */
  private async terminate(error: AtomicDBError): Promise<void> {
    this.isTerminated = true
    this.stopWatching?.()
    this.stopHeeding()
    this.channel.stop(error)
    await this.thread.terminate()
  }

  checkOutsideTransaction(): void {
    this.checkUsable()
    if (this.isStarting) throw insideTransactionError()
  }

  private checkUsable(): void {
    if (this.closing) throw closedError()
    this.checkNotInCallback()
  }
}

/**
 * The calls of one run of a transaction. They are done one after the other, because each may need several engine calls.
 */
class RemoteTransactionRun implements Calls {
  private last: Promise<unknown> = Promise.resolve()
  private hasEnded = false

  constructor(
    private readonly connection: RemoteConnection,
    private readonly send: SendCall,
  ) {}

  /** Runs the function of the transaction. The run ends after every call of it, also one that was not awaited. */
  async run<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await work()
    } finally {
      this.hasEnded = true
      await this.last
    }
  }

  read<R>(work: (engine: EngineCalls) => R): Promise<R> {
    return this.write(() => work)
  }

  async write<R>(prepare: () => Write<R>): Promise<R> {
    if (this.hasEnded) throw transactionEndedError()
    this.connection.checkNotInCallback()
    const write = readArguments(prepare)
    const done = this.last.then(() => this.connection.perform(new Replay(), () => write(this.connection), this.send))
    this.last = done.catch(() => {})
    return done
  }
}

/**
 * What is 1 once `signal` is aborted, also for a thread that is busy with a call; undefined in pages that are not isolated
 * from other origins, which have no shared memory.
 */
function stopOf(signal: AbortSignal): Int32Array | undefined {
  if (typeof SharedArrayBuffer === 'undefined') return undefined
  const stop = new Int32Array(new SharedArrayBuffer(4))
  signal.addEventListener('abort', () => Atomics.store(stop, 0, 1), { once: true })
  return stop
}

async function outcomeOf(reply: Promise<Reply>): Promise<Outcome> {
  try {
    return { value: (await reply).pieces }
  } catch (error) {
    return { error }
  }
}

/** A program as it is sent to a worker; a shared worker, whose own options have an address or nothing, is told that. */
function sent(program: Program | undefined): SentProgram | undefined {
  return program && { module: program.module, rest: program.rest?.address }
}

function isStorage(backend: NativeBackend | HostStorage | null): backend is HostStorage {
  return backend !== null && 'append' in backend
}
