import type { Calls } from './transaction-run.js'
import type { FileType, ParsedFile } from '../engine/bridge.js'
import { encoding, type Encoder } from '../msgpack/encode.js'
import { AtomicDBError, describe, invalid } from '../errors.js'
import { everything, writeQuery, type Query } from '../query/find-options.js'
import { Op } from '../engine/ops.js'
import type { Report, Stored } from '../types.js'
import { writeWhere, type Predicate } from '../query/where.js'

/**
 * One open database, whose engine runs in this thread or in another: turns to
 * ask it something, and the questions themselves, which are answered at once.
 * Questions are for the functions that {@link read}, {@link write} and
 * transactions are given, and for these alone.
 */
export abstract class Connection implements Calls {
  private asking = false // a function of the user is running

  /** Runs `work`, which changes nothing; resolves to what it returns. */
  abstract read<R>(work: () => R): Promise<R>

  /**
   * Prepares a write and does it; resolves to what it returns once that is
   * stored.
   *
   * @param prepare Reads the arguments, which the caller may change later, and
   * returns what is to be done, perhaps several times.
   */
  abstract write<R>(prepare: () => () => R): Promise<R>

  /**
   * Runs `work` when it is its turn, while nobody else may write, and stores
   * what it did as one batch. Should another writer be faster, that is done
   * again from the start.
   */
  abstract transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R>

  /** Everything as a file, with what is not stored yet. */
  abstract exportFile(type: FileType): Promise<Uint8Array>

  /** What a file holds. */
  abstract parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile>

  /** Compares what is stored with what is in memory, when all writes so far are stored. */
  abstract verify(): Promise<Report>

  /** Resolves when every write so far is stored. */
  abstract flush(): Promise<void>

  /** Stores what is kept in memory until then; on an error nothing is undone. */
  abstract commit(): Promise<void>

  /** Stores what is not stored yet and ends the connection. Closing twice is closing once. */
  abstract close(): Promise<void>

  /** Calls `op` and returns the one value that it answers. */
  abstract value(op: Op, input: Encoder | Uint8Array): unknown

  /** As {@link value}, of an op that changes nothing. */
  abstract ask(op: Op, question: Encoder): unknown

  /** Calls `op`, which answers in pieces, and returns all of them. */
  abstract rows(op: Op, input: Encoder | Uint8Array): any[]

  /** As {@link rows}, of an op that changes nothing. Fills and returns `rows`, which is empty. */
  abstract askRows(op: Op, question: Encoder | Uint8Array, rows?: any[]): any[]

  /** What `op` answers, piece by piece; a piece is called for when the one before it has been looked at. */
  protected abstract inPieces(op: Op, input: Uint8Array): Iterable<unknown[]>

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
    const input = encoding('arguments', (encoder) => {
      encoder.array(6).value(collectionName(collection)).nil()
      writeQuery(encoder, { ...everything, sort })
      return encoder.taken()
    })
    for (const documents of this.inPieces(Op.find, input)) {
      for (const document of documents as Stored<any>[]) {
        if (this.asked('where', predicate, document) && !visit(document)) return
      }
    }
  }

  /** What `ask`, a function of the user that is the argument `name`, returns for `document`. It cannot call the database meanwhile. */
  asked(name: string, ask: (document: Stored<any>) => unknown, document: Stored<any>): unknown {
    this.asking = true
    try {
      const answer = ask(document)
      if (typeof (answer as Promise<unknown> | undefined)?.then === 'function') {
        throw invalid(`${name}: the function must answer at once, not with a Promise: all documents have to be of one version`)
      }
      return answer
    } finally {
      this.asking = false
    }
  }

  /** Does `work`, several calls of the engine, all or none. */
  whole<R>(work: () => R): R {
    this.command(Op.savepoint)
    let result: R
    try {
      result = work()
    } catch (error) {
      this.command(Op.rollback)
      throw error
    }
    this.command(Op.release)
    return result
  }

  /** Calls an op that takes and answers nothing. */
  command(op: Op): void {
    this.value(op, nothing)
  }

  /** Throws while a function of the user answers a query or an update. */
  needNotAsking(): void {
    if (this.asking) throw invalid('a function given to a query or an update cannot call the database that runs it')
  }
}

/** The arguments of a call that takes none. */
export const nothing = Uint8Array.of(0x90)

/** The error of every call after close. */
export function closedError(): AtomicDBError {
  return new AtomicDBError('closed', 'the database has been closed')
}

/** The name of a collection, which the engine checks further. */
export function collectionName(name: unknown): string {
  if (typeof name !== 'string' || name === '') throw invalid(`collection: expected a name, not ${describe(name)}`)
  return name
}
