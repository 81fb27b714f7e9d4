import { Answers, copyOf } from './answers.js'
import type { Calls } from './attempt.js'
import { startBridge, type Bridge, type FileType, type NativeBackend, type ParsedFile } from './bridge.js'
import { encoding, type Encoder } from './encode.js'
import { AtomicDBError, describe, invalid } from './errors.js'
import { everything, writeQuery, type Query } from './find-options.js'
import { Op } from './ops.js'
import type { Transaction } from './transaction.js'
import { Transactions } from './transactions.js'
import { Turns } from './turns.js'
import type { OpenOptions, Stored, StorageBackend } from './types.js'
import { writeWhere, type Predicate } from './where.js'
import { Writer } from './writer.js'

/** One open database: its handle in the engine, and the writes that are not stored yet. */
export class Connection implements Calls {
  private readonly writer = new Writer(() => this.store())
  private readonly turns = new Turns()
  private readonly transactions = new Transactions(this, {
    drained: () => this.writer.drained(),
    store: () => this.store(),
    catchUp: () => this.catchUp(),
  })
  private readonly answers = new Answers()
  private readonly stopMourning: () => void
  private closing: Promise<void> | undefined
  private asking = false // a function of the user is running

  private constructor(
    private readonly bridge: Bridge,
    private readonly handle: number,
    private readonly inMemory: boolean,
  ) {
    this.stopMourning = bridge.onDeath((death) => {
      this.writer.stop(death)
      this.transactions.stop(death)
    })
  }

  /** Opens what `backend` holds; null is a database in memory alone. */
  static async open(name: string, backend: NativeBackend | StorageBackend | null, options: OpenOptions): Promise<Connection> {
    const bridge = await startBridge(options.wasm)
    let connection: Connection | undefined
    const { durability = 'relaxed', maxDocumentBytes, maxDepth, onProgress } = options
    const onRollback = () => {
      if (!connection?.transactions.underWay) connection?.writer.noteUndone()
    }
    const onPutOff = () => connection?.transactions.notePutOff()
    const handle = await bridge.wait((host) => host.open(name, backend, { durability, maxDocumentBytes, maxDepth, onProgress, onRollback, onPutOff }))
    connection = new Connection(bridge, handle, backend === null)
    return connection
  }

  /** Runs `work`, which changes nothing, now, and resolves to what it returns. */
  read<R>(work: () => R): Promise<R> {
    try {
      this.needFree()
      // Until the writes so far have run again, a read would miss them; and what a transaction did may still be undone.
      const settled = this.transactions.storing ?? this.writer.settled()
      if (settled) return settled.then(() => this.read(work))
      this.transactions.setAside()
      return Promise.resolve(work())
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
  write<R>(prepare: () => () => R): Promise<R> {
    try {
      this.needOutside()
      const run = prepare()
      return this.turns.shared(() => this.writer.write(run))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /** Runs the function of a transaction when it is its turn; see {@link Transactions.run}. */
  transaction<R>(work: (tx: Transaction) => Promise<R>): Promise<R> {
    try {
      this.needOutside()
      if (typeof work !== 'function') throw invalid(`work: expected a function, not ${describe(work)}`)
      return this.turns.alone(() => this.transactions.run(work))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  private store(): Promise<0 | 1> {
    return this.inMemory ? this.settle() : this.bridge.wait((host) => host.flush(this.handle))
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

  private async settle(): Promise<0> {
    this.command(Op.settle)
    return 0
  }

  /** If it fails, the next call meets the same log. */
  private catchUp(): void {
    this.bridge.wait((host) => host.catchUp(this.handle)).catch(() => {})
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
    return this.turns.shared(() => {
      const now = this.transactions.lost // one that was asked for before, and so waited for
      return now === lost ? this.writer.flush() : Promise.reject(now!.error as Error)
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
    const kept = this.answers.find(this.bridge.moment(this.handle), op, question)
    if (kept) return copyOf(kept.answer)
    const answer = this.value(op, question)
    this.answers.note(answer, this.bridge.answered)
    return answer
  }

  /** As {@link rows}, of an op that changes nothing. Fills and returns `rows`, which is empty. */
  askRows(op: Op, question: Encoder | Uint8Array, rows: any[] = []): any[] {
    const kept = this.answers.find(this.bridge.moment(this.handle), op, question)
    if (kept) {
      for (const row of kept.answer as unknown[]) rows.push(copyOf(row))
    } else {
      this.answers.note(rows, this.pieces(op, question, rows))
    }
    return rows
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

  /** Fills `documents`, an empty array, with those of `collection` that match. */
  find(collection: unknown, where: unknown, query: Query, documents: unknown[]): void {
    encoding('arguments', (encoder) => {
      encoder.array(6).value(collectionName(collection))
      writeWhere(encoder, where)
      writeQuery(encoder, query)
      this.askRows(Op.find, encoder, documents)
    })
  }

  /**
   * Calls `visit` for each document for which `predicate` holds, in the order
   * of `sort`, until it returns false.
   */
  visit(collection: unknown, predicate: Predicate, sort: Query['sort'], visit: (document: Stored<any>) => boolean): void {
    const documents: Stored<any>[] = []
    let left = encoding('arguments', (encoder) => {
      encoder.array(6).value(collectionName(collection)).nil()
      writeQuery(encoder, { ...everything, sort })
      return this.bridge.documents(this.handle, Op.find, encoder, documents)
    })
    for (;;) {
      for (const document of documents) {
        if (this.asked('where', predicate, document) && !visit(document)) return
      }
      if (left === 0) return
      documents.length = 0
      left = this.bridge.documents(this.handle, Op.more, nothing, documents)
    }
  }

  /** What `ask`, a function of the user that is the argument `name`, returns for `document`. It cannot call the database meanwhile. */
  asked(name: string, ask: (document: Stored<any>) => unknown, document: Stored<any>): unknown {
    this.asking = true
    try {
      const answer = ask(document)
      if (typeof (answer as Promise<unknown> | undefined)?.then === 'function') {
        throw invalid(`${name}: the function must answer at once, not with a Promise: all documents have to be of one moment`)
      }
      return answer
    } finally {
      this.asking = false
    }
  }

  /** Does `work`, several calls of the engine, all or none. */
  whole<R>(work: () => R): R {
    this.command(Op.begin)
    let result: R
    try {
      result = work()
    } catch (error) {
      this.command(Op.undo)
      throw error
    }
    this.command(Op.end)
    return result
  }

  /** Calls an op that takes and answers nothing. */
  command(op: Op): void {
    this.value(op, nothing)
  }

  private needOutside(): void {
    this.needFree()
    this.transactions.needOutside()
  }

  private needFree(): void {
    if (this.closing) throw closedError()
    this.needNotAsking()
  }

  /** Throws while a function of the user answers a query or an update. */
  needNotAsking(): void {
    if (this.asking) throw invalid('a function given to a query or an update cannot call the database that runs it')
  }
}

/** The arguments of a call that takes none. */
const nothing = Uint8Array.of(0x90)

function closedError(): AtomicDBError {
  return new AtomicDBError('closed', 'the database has been closed')
}

/** The name of a collection, which the engine checks further. */
export function collectionName(name: unknown): string {
  if (typeof name !== 'string' || name === '') throw invalid(`collection: expected a name, not ${describe(name)}`)
  return name
}
