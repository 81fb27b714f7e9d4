import type { ConnectionCalls } from '../connection/calls.js'
import { hostUsage } from '../connection/quota.js'
import { checkFunction, checkName, checkSeq, checkSignal, takenOptions } from '../checks.js'
import { describe, invalid, type AtomicDBError } from '../errors.js'
import { ChangeStream, onChange } from '../live/changes.js'
import { UndoHistory } from '../live/undo.js'
import { TrackedCalls } from '../live/tracked-calls.js'
import { LiveWriteStatus } from '../live/write-status.js'
import * as reads from '../operations/reads.js'
import type { Change, ChangesOptions, ImportOptions, StopSignal, StreamSource, Usage } from '../types.js'
import { asyncDispose } from './async-dispose.js'
import { DatabaseCalls } from './database-calls.js'
import { EarlierDatabase } from './earlier-database.js'
import { StoppableCalls } from './stoppable-calls.js'
import { importStream } from './streams.js'
import { Transaction } from './transaction.js'

/** An open database: what {@link AtomicDB} and {@link ThreadSafeDatabase} have in common. */
export abstract class OpenDatabase<Schema = any> extends DatabaseCalls<Schema> implements AsyncDisposable {
  readonly name: string

  /**
   * Whether what this database has written since this was read first is stored: all that its calls have written, and its
   * collections, transactions and results. A change of a live result that is still 'saving' is shown, and may be taken
   * back; 'failed' says that one was, or that a write was refused. What other databases and other tabs write does not
   * count.
   *
   * @example
   * ```ts
   * const stop = db.writeStatus.subscribe(({ status, error }) => show(error ? error.message : status))
   * ```
   */
  readonly writeStatus: LiveWriteStatus

  /** @internal */
  declare readonly calls: ConnectionCalls

  private readonly undoHistory: UndoHistory | undefined

  /** @internal */
  constructor(name: string, calls: ConnectionCalls, undoSteps = 0, writeStatus = new LiveWriteStatus()) {
    super(new TrackedCalls(calls, writeStatus))
    this.name = name
    this.writeStatus = writeStatus
    if (undoSteps > 0) this.undoHistory = new UndoHistory(this.calls, undoSteps)
  }

  /**
   * The calls of this database, until `signal` is aborted: a read then rejects with the signal's reason, and a write that
   * has not begun too. A write that has begun is done.
   *
   * Without a worker, a call of the engine blocks the page, so nothing can abort it while it runs: `maxQueryTime` limits
   * it. With `{ worker: true }` and in pools, the engine stops within a few milliseconds where threads share memory: in
   * Node, and in pages that are isolated from other origins (`crossOriginIsolated`). In other pages the read rejects at
   * once, and the worker goes on until it is done or `maxQueryTime` is over.
   *
   * @example
   * ```ts
   * const found = await db.withSignal(AbortSignal.timeout(500)).search("name matches 'a'")
   * ```
   */
  withSignal(signal: StopSignal): StoppableCalls {
    checkSignal('signal', signal)
    return new StoppableCalls(this.calls, signal)
  }

  /**
   * Runs `work`, and stores everything that it did through `tx`, in any
   * collections, as one batch: all or nothing.
   *
   * No other writer comes between what `work` reads and what it writes. Other
   * writes of this database wait until the transaction has ended; reads see the
   * state before it. If another tab stores something meanwhile, `work` runs again
   * from the start, with a new `tx`; so it should have no effects but those of
   * `tx`. If `work` calls nothing of `tx` for 10 seconds, the transaction ends.
   *
   * @returns What `work` resolves to, once the batch is stored.
   * @throws What `work` throws, that very value, with everything undone;
   * `conflict` if other writers were faster 1,000 times; `timeout` after 10 seconds
   * without a call of `tx`, as when `work` awaits `db.insert` instead of
   * `tx.insert`; `invalid` inside another transaction; `quota` or `storage`.
   *
   * @example
   * ```ts
   * await db.transaction(async (tx) => {
   *   const from = await tx.get('ada', 'accounts')
   *   if (from.money < 5) throw new Error('too little')
   *   await tx.update({ $inc: { money: -5 } }, "_id = 'ada'", 'accounts')
   *   await tx.update({ $inc: { money: 5 } }, "_id = 'bob'", 'accounts')
   * })
   * ```
   */
  transaction<R>(work: (tx: Transaction<Schema>) => Promise<R>): Promise<R> {
    return this.calls.transaction((calls) => {
      if (typeof work !== 'function') throw invalid(`work: expected a function, not ${describe(work)}`)
      return work(new Transaction<Schema>(calls))
    })
  }

  /**
   * The changes of documents, batch by batch in the order of the log, whoever has written them: none is lost, and none
   * comes twice. The iteration goes on until the database is closed, `signal` is aborted, or the loop is left. What one
   * turn or one transaction has written is one batch; its changes have the same `seq`. To clear or drop a collection is to
   * remove each of its documents. Schemas, indexes and relationships are no documents, and are not told.
   *
   * To go on in another session, note `seq` when the change that is `last` in its batch is handled, and pass it as `since`.
   * A program that is ended within a batch gets the whole batch again.
   *
   * @param options.since Default: from this call on. 0 is everything that the log has: where a snapshot stands for the
   * first batches, its documents come as inserts of the snapshot's number. Older changes are read from the log, which takes
   * the memory of a second database until the reader has caught up. So does a reader that takes changes more slowly than
   * they are made; where another tab compacts the log meanwhile, their net effect comes under the snapshot's number.
   * @throws `not_found`, while iterating, if the log does not have that batch any more, or not yet; the message says which
   * it has. `unsupported` over D1 and KV.
   *
   * @example
   * ```ts
   * for await (const { seq, type, id, document, last } of db.changes({ since: handled, collection: 'todos' })) {
   *   await index(type, id, document)
   *   if (last) handled = seq
   * }
   * ```
   */
  changes<T = any>(options: ChangesOptions = {}): AsyncIterableIterator<Change<T>> {
    const { since, collection, signal } = takenOptions(options, ['since', 'collection', 'signal'])
    if (since !== undefined) checkSeq('options.since', since, 0)
    if (collection !== undefined) checkName('options.collection', collection)
    if (signal !== undefined) checkSignal('options.signal', signal)
    return new ChangeStream<T>(this.calls, { since, collection, signal })
  }

  /**
   * Calls `listener` with each change that is stored from now on, as {@link changes} has them. Of a listener that throws,
   * the error is reported as one that nobody caught; the others are called.
   *
   * @param onError Called once if no more changes can be told, as where the iteration over {@link changes} would throw.
   * Without it, the error is reported as one that nobody caught.
   * @returns What stops it. It also stops when the database is closed.
   */
  onChange(listener: (change: Change) => void, onError?: (error: AtomicDBError) => void): () => void {
    checkFunction('listener', listener)
    if (onError !== undefined) checkFunction('onError', onError)
    return onChange(this.calls, listener, onError)
  }

  /**
   * The database as batch `seq` left it, to be read only; 0 is before the first. It is in memory until it is closed, with
   * all its documents, or this database is.
   *
   * @throws `not_found` if the log has been compacted beyond that batch, or does not have it yet; the message says which it
   * has. A database in memory alone has its newest state.
   *
   * @example
   * ```ts
   * await using before = await db.at(seq - 1)
   * const lost = await before.get(id, 'todos')
   * ```
   */
  async at(seq: number): Promise<EarlierDatabase<Schema>> {
    checkSeq('seq', seq, 0)
    return new EarlierDatabase<Schema>(seq, await this.calls.at(seq))
  }

  /**
   * Takes back the newest batch that this database has written and that is not undone yet: each document becomes what it
   * was. That is a batch of its own, stored as a whole or not at all. What one turn or one transaction has written is one
   * batch. A write in between makes {@link redo} forget what was undone. Collections, schemas, indexes and relationships
   * stay as they are.
   *
   * @returns Whether there was something to undo.
   * @throws `conflict` if somebody has changed one of the documents since, whose names the message has; `schema`, `unique` or
   * `relationship` if what was there is no longer allowed; `invalid` unless the database was opened with `undoSteps`.
   * Nothing has changed then.
   */
  async undo(): Promise<boolean> {
    return this.undoHistory ? this.undoHistory.undo() : this.withoutHistory('undo')
  }

  /** Does again what {@link undo} took back last. @throws As undo. */
  async redo(): Promise<boolean> {
    return this.undoHistory ? this.undoHistory.redo() : this.withoutHistory('redo')
  }

  private async withoutHistory(name: string): Promise<never> {
    await this.calls.read(() => {}) // if it is closed, that is what is wrong
    throw invalid(`${name}: open the database with the option undoSteps, which says how many batches to keep`)
  }

  /**
   * Adds what a stream holds, as it comes, in batches of about 1 MiB; the next is read while one is being stored. Resolves to
   * how many documents are stored.
   *
   * `json` is an array of documents, or what {@link AtomicDB.export} writes; `ndjson` is a document a line. Both may have
   * MongoDB's Extended JSON for dates and bytes. The first line of `csv` has the paths of fields (`address.city`), and an
   * empty field is left out. `msgpack` is what export writes, an array of documents, or documents one after the other.
   *
   * @throws `invalid` with the line, or the byte, of what cannot be read, and what a batch is refused with, as `schema` and
   * `unique`. What came before is stored then, and `imported` of the error says how many documents. What the source throws
   * is passed on.
   *
   * @example
   * ```ts
   * await db.importStream(await fetch('/cities.ndjson'), { collection: 'cities', onProgress: (bytes) => (bar.value = bytes) })
   * ```
   */
  async importStream(source: StreamSource, options: ImportOptions = {}): Promise<number> {
    return importStream(this.calls, source, options)
  }

  /**
   * What the whole database takes: documents, their bytes as MessagePack, the
   * batches in the log, and, if the browser tells, how many bytes the site has
   * stored and may store.
   */
  async usage(): Promise<Usage> {
    const usage = await this.calls.read(reads.usage)
    return { ...usage, ...(await hostUsage()) }
  }

  abstract close(): Promise<void>

  /** What `await using` calls: close(). */
  [asyncDispose](): Promise<void> {
    return this.close()
  }
}
