import type { Encoder } from '../msgpack/encode.js'
import { invalid } from '../errors.js'
import { Op } from '../engine/ops.js'
import type { Stored } from '../types.js'

/**
 * What a read or a write calls: the engine of one open database, in this
 * thread or in another, which answers at once. Only the functions that
 * {@link Calls} runs may call it.
 */
export abstract class EngineCalls {
  private asking = false // a function of the user is running

  /** Calls `op` and returns the one value that it answers. */
  abstract value(op: Op, input: Encoder | Uint8Array): unknown

  /** As {@link value}, of an op that changes nothing. */
  abstract ask(op: Op, question: Encoder): unknown

  /** Calls `op`, which answers in pieces, and returns all of them. */
  abstract rows(op: Op, input: Encoder | Uint8Array): any[]

  /** As {@link rows}, of an op that changes nothing. Fills and returns `rows`, which is empty. */
  abstract askRows(op: Op, question: Encoder | Uint8Array, rows?: any[]): any[]

  /** What `op` answers, piece by piece; a piece is called for when the one before it has been looked at. */
  abstract inPieces(op: Op, input: Uint8Array): Iterable<unknown[]>

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
