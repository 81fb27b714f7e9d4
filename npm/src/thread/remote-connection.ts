import type { Calls, Write } from '../connection/calls.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import type { FileType, NativeBackend, ParsedFile } from '../engine/bridge.js'
import { closedError, Connection } from '../connection/connection.js'
import { Decoder } from '../msgpack/decode.js'
import type { Encoder } from '../msgpack/encode.js'
import { AtomicDBError, invalid } from '../errors.js'
import { moduleOf } from '../load.js'
import { writingOps, type Op } from '../engine/ops.js'
import { startThread, type Thread } from '../thread.js'
import { traitsOf } from '../storage/traits.js'
import type { OpenOptions, Report, StorageBackend } from '../types.js'
import type { Opening, Reply } from './server.js'
import { storageHandlers } from './remote-storage.js'
import { Script, type Answer, type End, type Question } from './replay.js'
import { Wire } from './rpc.js'

/** Asks the engine a question. */
type Ask = (question: Question) => Promise<Reply>

/** The newest batch that an answer has seen; later answers see it, and all before it, too. */
export interface Seen {
  head: number
}

/** A database whose engine runs in a thread of its own. */
export class RemoteConnection extends Connection {
  private readonly wire: Wire
  private readonly decoder = new Decoder()
  private readonly attempts = new Map<number, () => Promise<boolean>>() // by transaction
  private readonly writing = new Set<Promise<unknown>>() // the writes whose promises have not settled
  private transactions = 0
  private inTransactions = 0 // of the user's, which may read while they run
  private changing: Promise<void> | undefined // until the writes are done that take several questions: later reads see them
  private script: Script | undefined // of the call that is running now
  private starting = false // the function of a transaction runs, and has not waited for anything: whoever calls now is part of it
  private closing: Promise<void> | undefined
  private stopWatching: (() => void) | undefined
  private ended = false // and with it the thread

  private constructor(
    private readonly thread: Thread,
    private readonly seen: Seen,
    storage: StorageBackend | undefined,
    onProgress: OpenOptions['onProgress'],
  ) {
    super()
    const handlers = {
      attempt: (id: number) => this.attempts.get(id)!(),
      progress: ([done, total]: [number, number]) => onProgress?.(done, total),
      ...(storage && storageHandlers(storage)),
    }
    this.wire = new Wire(thread, handlers, (busy) => thread.setBusy(busy))
    this.stopWatching = storage?.watch?.((seq) => this.wire.tell('storageChanged', seq))
    thread.onDeath((error) => {
      if (this.ended) return
      this.wire.stop(error)
      storage?.close().catch(() => {}) // which the engine would have done
    })
  }

  /**
   * Opens what `backend` holds, in a new thread; null is a database in memory
   * alone. Connections that have `seen` in common see what any of them has stored.
   */
  static async open(name: string, backend: NativeBackend | StorageBackend | null, options: OpenOptions, seen: Seen = { head: 0 }): Promise<RemoteConnection> {
    const { inMemory, durability, maxDocumentBytes, maxDepth, onProgress } = options
    const own = traitsOf(options.storage).inWorker
    const storage = isStorage(backend) && !own ? backend : undefined
    const module = moduleOf(options.wasm)
    module.catch(() => {}) // it is awaited below
    const thread = await startThread()
    const connection = new RemoteConnection(thread, seen, storage, onProgress)
    try {
      const opening: Opening = {
        name,
        backend: own ?? (isStorage(backend) ? 'other thread' : backend),
        storage: storage && { watches: storage.watch !== undefined, salvages: storage.salvage !== undefined, compactEvery: storage.compactEvery },
        wasm: await module,
        options: {
          ...(inMemory !== undefined && { inMemory }),
          ...(durability !== undefined && { durability }),
          ...(maxDocumentBytes !== undefined && { maxDocumentBytes }),
          ...(maxDepth !== undefined && { maxDepth }),
        },
        reportsProgress: onProgress !== undefined,
      }
      await connection.wire.ask('open', opening)
      return connection
    } catch (error) {
      await connection.end()
      throw error
    }
  }

  /**
   * A call whose answers belong together, but were of two states of the
   * database, is asked again; if that goes on, while nobody writes.
   */
  async read<R>(work: (engine: EngineCalls) => R): Promise<R> {
    this.needFree()
    if (this.changing && this.inTransactions === 0) await this.changing
    for (let tries = 0; tries < 3; tries++) {
      let version: number | undefined
      let moved = false
      const result = await this.perform(new Script(), () => work(this), async (question) => {
        const reply = await this.send('read', { question, after: this.seen.head })
        if (version !== undefined && version !== reply.version) moved = true
        version = reply.version
        return reply
      })
      if (!moved) return result
    }
    return this.alone((calls) => calls.read(work))
  }

  write<R>(prepare: () => Write<R>): Promise<R> {
    const write = this.writeOnce(prepare)
    const settled: Promise<void> = write.then(() => {}, () => {}).then(() => void this.writing.delete(settled))
    this.writing.add(settled)
    return write
  }

  private async writeOnce<R>(prepare: () => Write<R>): Promise<R> {
    this.needOutside()
    const run = prepare()
    const work = () => run(this)
    const script = new Script()
    const first = this.runOnce(script, work)
    if ('result' in first) return first.result
    const { question } = first
    // What is more than one write, or depends on what is stored, nobody may come between.
    if (!writingOps.has(question.op)) return this.change(work)
    script.note(await answered(this.send('write', { question, after: this.seen.head })))
    return this.perform(script, work, (question) => this.send('read', { question, after: this.seen.head }))
  }

  private async change<R>(work: () => R): Promise<R> {
    const change = this.alone((calls) => calls.write(() => work))
    const settled = change.then(() => {}, () => {})
    this.changing = settled
    try {
      return await change
    } finally {
      if (this.changing === settled) this.changing = undefined
    }
  }

  async transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    this.needOutside()
    this.inTransactions++
    try {
      return await this.alone(work)
    } finally {
      this.inTransactions--
    }
  }

  /** Runs `work`, perhaps several times, while nobody else writes; what it did is stored as one batch. */
  private async alone<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    const id = ++this.transactions
    let end: { readonly result: R } | { readonly thrown: unknown } | undefined
    this.attempts.set(id, async () => {
      const attempt = new RemoteAttempt(this, (question) => this.send('inside', { id, question }))
      try {
        end = { result: await attempt.run(() => this.asStarting(() => work(attempt))) }
        return true
      } catch (thrown) {
        end = { thrown }
        return false
      }
    })
    try {
      await this.send('transaction', { id, after: this.seen.head })
    } finally {
      this.attempts.delete(id)
    }
    if ('thrown' in end!) throw end.thrown
    return end!.result
  }

  private asStarting<R>(work: () => R): R {
    this.starting = true
    try {
      return work()
    } finally {
      this.starting = false
    }
  }

  /** Runs `work`, again and again with one answer more, until it ends. */
  async perform<R>(script: Script, work: () => R, ask: Ask): Promise<R> {
    for (;;) {
      const end = this.runOnce(script, work)
      if ('result' in end) return end.result
      script.note(await answered(ask(end.question)))
    }
  }

  private runOnce<R>(script: Script, work: () => R): End<R> {
    this.script = script
    try {
      return script.run(work)
    } finally {
      this.script = undefined
    }
  }

  private async send(name: string, argument: unknown): Promise<Reply> {
    const reply = await this.wire.ask<Reply>(name, argument)
    this.seen.head = Math.max(this.seen.head, reply.head)
    return reply
  }

  value(op: Op, input: Encoder | Uint8Array): unknown {
    const [bytes] = this.pieces(op, input, false)
    return bytes!.length === 0 ? undefined : this.decode(bytes!).value()
  }

  ask(op: Op, question: Encoder): unknown {
    return this.value(op, question)
  }

  rows(op: Op, input: Encoder | Uint8Array): any[] {
    return this.askRows(op, input)
  }

  askRows(op: Op, question: Encoder | Uint8Array, rows: any[] = []): any[] {
    for (const piece of this.pieces(op, question, true)) this.decode(piece).piece(rows)
    return rows
  }

  *inPieces(op: Op, input: Uint8Array): Iterable<unknown[]> {
    for (const piece of this.pieces(op, input, true)) {
      const documents: unknown[] = []
      this.decode(piece).piece(documents)
      yield documents
    }
  }

  private pieces(op: Op, input: Encoder | Uint8Array, pieces: boolean): Uint8Array[] {
    return this.script!.answer(() => ({ op, input: input instanceof Uint8Array ? input : input.taken(), pieces })) as Uint8Array[]
  }

  private decode(bytes: Uint8Array): Decoder {
    return this.decoder.begin(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0)
  }

  override asked(...args: Parameters<Connection['asked']>): unknown {
    return this.script!.once(() => super.asked(...args))
  }

  async exportFile(type: FileType): Promise<Uint8Array> {
    this.needOutside()
    return this.wire.ask('exportFile', type)
  }

  async parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile> {
    this.needFree()
    return this.wire.ask('parseFile', { file, type })
  }

  async verify(): Promise<Report> {
    this.needOutside()
    return this.wire.ask('verify')
  }

  async flush(): Promise<void> {
    if (this.closing) throw closedError()
    const writing = [...this.writing]
    await this.wire.ask('flush')
    await Promise.all(writing) // whose promises are not behind then
  }

  async commit(): Promise<void> {
    this.needOutside()
    return this.wire.ask('commit')
  }

  /** Whether it has been closed, or its thread has died. */
  get isOver(): boolean {
    return this.closing !== undefined || this.wire.isStopped
  }

  close(): Promise<void> {
    return (this.closing ??= this.closeOnce())
  }

  private async closeOnce(): Promise<void> {
    try {
      await this.wire.ask('close')
    } finally {
      await this.end()
    }
  }

  private async end(): Promise<void> {
    this.ended = true
    this.stopWatching?.()
    this.wire.stop(closedError())
    await this.thread.terminate()
  }

  private needOutside(): void {
    this.needFree()
    if (this.starting) throw invalid('transaction: inside it, write with tx.insert() and the like, not with db.insert(), which waits for its end')
  }

  private needFree(): void {
    if (this.closing) throw closedError()
    this.needNotAsking()
  }
}

/** The calls of one run of a transaction. They are done one after the other: one can be several questions. */
class RemoteAttempt implements Calls {
  private last: Promise<unknown> = Promise.resolve()
  private over = false

  constructor(
    private readonly connection: RemoteConnection,
    private readonly ask: Ask,
  ) {}

  /** Runs the function of the transaction; what it has asked for belongs to it, though it did not wait for the answer. */
  async run<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await work()
    } finally {
      this.over = true
      await this.last
    }
  }

  read<R>(work: (engine: EngineCalls) => R): Promise<R> {
    return this.write(() => work)
  }

  async write<R>(prepare: () => Write<R>): Promise<R> {
    if (this.over) throw new AtomicDBError('closed', 'the transaction has ended; was a call of tx not awaited?')
    this.connection.needNotAsking()
    const work = prepare()
    const before = this.last
    const done = before.then(() => this.connection.perform(new Script(), () => work(this.connection), this.ask))
    this.last = done.catch(() => {})
    return done
  }
}

async function answered(reply: Promise<Reply>): Promise<Answer> {
  try {
    return { value: (await reply).pieces }
  } catch (error) {
    return { error }
  }
}

function isStorage(backend: NativeBackend | StorageBackend | null): backend is StorageBackend {
  return backend !== null && 'append' in backend
}
