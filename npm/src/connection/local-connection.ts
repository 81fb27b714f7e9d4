import { Answers, copyOf, type Kept } from './query-cache.js'
import type { Calls, Write } from './calls.js'
import { nothing, type EngineCalls } from './engine-calls.js'
import { documentsLeft, startBridge, type Bridge, type FileType, type Host, type NativeBackend, type ParsedFile } from '../engine/bridge.js'
import { closedError, Connection } from './connection.js'
import { Encoder } from '../msgpack/encode.js'
import { Op } from '../engine/ops.js'
import { reportOf } from '../api/repair.js'
import { Transactions } from './transactions.js'
import { Turns } from './write-lock.js'
import type { Id, OpenOptions, Report, StorageBackend } from '../types.js'
import { withUsage } from './quota.js'
import { Writer } from './group-commit.js'

/** When what is written is stored: at once, never, or when it is committed. */
type Keeping = 'always' | 'never' | 'on commit'

/** A database whose engine runs in this thread: its handle there, and the writes that are not stored yet. */
export class LocalConnection extends Connection {
  private readonly writer = new Writer(() => this.store())
  private readonly turns = new Turns()
  private readonly transactions = new Transactions(this, {
    drained: () => this.writer.drained(),
    store: () => this.store(),
    // If it fails, the next call meets the same log.
    catchUp: () => void this.catchUp().catch(() => {}),
  })
  private readonly answers = new Answers()
  private readonly check = new Encoder()
  private readonly stopMourning: () => void
  private closing: Promise<void> | undefined

  private constructor(
    private readonly bridge: Bridge,
    private readonly handle: number,
    private readonly keeping: Keeping,
  ) {
    super()
    this.stopMourning = bridge.onDeath((death) => {
      this.writer.stop(death)
      this.transactions.stop(death)
    })
  }

  /** Opens what `backend` holds; null is a database in memory alone. */
  static async open(name: string, backend: NativeBackend | StorageBackend | null, options: OpenOptions): Promise<LocalConnection> {
    const bridge = await startBridge(options.wasm)
    let connection: LocalConnection | undefined
    const { durability = 'relaxed', maxDocumentBytes, maxDepth, onProgress } = options
    const onRollback = () => {
      if (!connection?.transactions.underWay) connection?.writer.noteUndone()
    }
    const onPutOff = () => connection?.transactions.notePutOff()
    const handle = await bridge.wait((host) => host.open(name, backend, { durability, maxDocumentBytes, maxDepth, onProgress, onRollback, onPutOff }))
    connection = new LocalConnection(bridge, handle, backend === null ? 'never' : options.inMemory ? 'on commit' : 'always')
    return connection
  }

  /** Runs `work`, which changes nothing, now, and resolves to what it returns. */
  read<R>(work: (engine: EngineCalls) => R): Promise<R> {
    try {
      this.needFree()
      // Until the writes so far have run again, a read would miss them; and what a transaction did may still be undone.
      const settled = this.transactions.storing ?? this.writer.settled()
      if (settled) return settled.then(() => this.read(work))
      this.transactions.suspend()
      return Promise.resolve(work(this))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /**
   * Prepares a write and does it, now; resolves to what it returns once that
   * is stored.
   *
   * @param prepare Reads the arguments, which the caller may change later, and
   * returns what is to be done, perhaps several times.
   */
  write<R>(prepare: () => Write<R>): Promise<R> {
    try {
      this.needOutside()
      const run = prepare()
      return this.turns.shared(() => this.writer.write(() => run(this)))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /** Runs the function of a transaction when it is its turn; see {@link Transactions.run}. */
  transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    try {
      this.needOutside()
      return this.turns.alone(() => this.transactions.run(work))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  private async store(): Promise<0 | 1> {
    if (this.keeping === 'always') return this.storing((host) => host.flush(this.handle))
    if (this.keeping === 'never') this.command(Op.settle)
    return 0
  }

  private async storing<R>(work: (host: Host) => Promise<R>): Promise<R> {
    try {
      return await this.bridge.wait(work)
    } catch (error) {
      throw await withUsage(error)
    }
  }

  /** Everything as a file, with what is not stored yet. */
  async exportFile(type: FileType): Promise<Uint8Array> {
    this.needOutside()
    return this.turns.shared(async () => {
      await this.writer.settled()
      return this.bridge.wait((host) => host.exportFile(this.handle, type))
    })
  }

  /** What a file holds. */
  async parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile> {
    this.needFree()
    return this.bridge.wait((host) => host.parseFile(file, type))
  }

  async verify(): Promise<Report> {
    this.needOutside()
    return this.turns.alone(async () => {
      await this.writer.drained()
      return reportOf(await this.bridge.wait((host) => host.verify(this.handle)))
    })
  }

  /** Applies what others have stored. */
  catchUp(): Promise<void> {
    return this.bridge.wait((host) => host.catchUp(this.handle))
  }

  /** Whether the engine has ended. */
  get dead(): boolean {
    return this.bridge.dead
  }

  /** How many calls wait for the transaction that is under way. */
  get waiting(): number {
    return this.turns.waiting
  }

  /** Resolves when every write so far is stored. */
  flush(): Promise<void> {
    if (this.closing) return Promise.reject(closedError())
    const { lost } = this.transactions
    const before = this.writer.flush() // it may be another's turn for longer than these writes take
    before.catch(() => {})
    return this.turns.shared(async () => {
      await before
      const now = this.transactions.lost // one that was asked for before, and so waited for
      if (now !== lost) throw now!.error
      await this.writer.flush()
    })
  }

  async commit(): Promise<void> {
    if (this.keeping !== 'on commit') return this.flush()
    this.needOutside()
    return this.turns.alone(async () => {
      await this.writer.drained()
      await this.storing((host) => host.commit(this.handle))
    })
  }

  /** Stores what is not stored yet and gives back the handle. Closing twice is closing once. */
  close(): Promise<void> {
    return (this.closing ??= this.closeOnce())
  }

  private async closeOnce(): Promise<void> {
    await this.turns.alone(() => this.writer.drained())
    this.stopMourning()
    this.writer.stop(closedError())
    if (!this.bridge.dead) await this.bridge.wait((host) => host.close(this.handle))
  }

  /** Calls `op` and returns the one value that it answers. */
  value(op: Op, input: Encoder | Uint8Array): unknown {
    return this.bridge.value(this.handle, op, input)
  }

  /** Calls `op`, which answers in pieces, and returns all of them. */
  rows(op: Op, input: Encoder | Uint8Array): any[] {
    const rows: unknown[] = []
    this.pieces(op, input, rows)
    return rows
  }

  /** As {@link value}, of an op that changes nothing. */
  ask(op: Op, question: Encoder): unknown {
    const kept = this.kept(op, question)
    if (kept) return copyOf(kept.answer)
    const answer = this.value(op, question)
    this.answers.note(answer, this.bridge.answered)
    return answer
  }

  /** As {@link rows}, of an op that changes nothing. Fills and returns `rows`, which is empty. */
  askRows(op: Op, question: Encoder | Uint8Array, rows: any[] = []): any[] {
    const kept = this.kept(op, question)
    if (kept) {
      for (const row of kept.answer as unknown[]) rows.push(copyOf(row))
    } else {
      this.answers.note(rows, this.pieces(op, question, rows))
    }
    return rows
  }

  private kept(op: Op, question: Encoder | Uint8Array): Kept | undefined {
    return this.answers.find(this.bridge.version(this.handle), op, question, this.holds)
  }

  /** Asks the engine whether what is kept is the answer still, after so many changes. */
  private readonly holds = (op: Op, { question, answer }: Kept, changes: number): boolean => {
    const documents = op === Op.find ? (answer as { _id: Id }[]) : []
    const last = documents[documents.length - 1]?._id ?? null
    this.check.begin('arguments').array(4).number(op).number(changes).number(documents.length).value(last).raw(question)
    return this.value(Op.stillValid, this.check) as boolean
  }

  /** Appends to `rows` the pieces of an answer, and returns how many bytes they had. */
  private pieces(op: Op, input: Encoder | Uint8Array, rows: unknown[]): number {
    let left = this.bridge.documents(this.handle, op, input, rows)
    let bytes = this.bridge.answered
    while (left > 0) {
      left = this.bridge.documents(this.handle, Op.more, nothing, rows)
      bytes += this.bridge.answered
    }
    return bytes
  }

  *inPieces(op: Op, input: Uint8Array): Iterable<unknown[]> {
    const documents: unknown[] = []
    let left = this.bridge.documents(this.handle, op, input, documents)
    for (;;) {
      yield documents
      if (left === 0) return
      documents.length = 0
      left = this.bridge.documents(this.handle, Op.more, nothing, documents)
    }
  }

  /** Calls `op` and returns the bytes of its answer, in pieces if it is one that answers in `pieces`. */
  answer(op: Op, input: Uint8Array, pieces: boolean): Uint8Array<ArrayBuffer>[] {
    const answer = [this.bridge.answer(this.handle, op, input)]
    while (pieces && documentsLeft(answer[answer.length - 1]!) > 0) answer.push(this.bridge.answer(this.handle, Op.more, nothing))
    return answer
  }

  /** The number of the state that the database is in; see {@link Bridge.version}. */
  get version(): number {
    return this.bridge.version(this.handle)
  }

  /** The number of the newest batch that the database holds. */
  get head(): number {
    return this.bridge.head(this.handle)
  }

  private needOutside(): void {
    this.needFree()
    this.transactions.needOutside()
  }

  private needFree(): void {
    if (this.closing) throw closedError()
    this.needNotAsking()
  }
}
