import { Op } from '../engine/ops.js'
import { unsure } from '../engine/tables.js'
import { invalid } from '../errors.js'
import type { Encoder } from '../msgpack/encode.js'
import type { Id, Stored } from '../types.js'

export { unsure }

/** A call of an engine. */
export interface EngineCall {
  readonly op: Op
  readonly args: Uint8Array
  /** Whether the op answers in pieces; all of them are wanted. */
  readonly pieces: boolean
}

/**
 * What a read or a write calls: the engine of one open database, in this
 * thread or in another, which returns at once. Only the functions that
 * {@link Calls} runs may call it.
 */
export abstract class EngineCalls {
  private inCallback = false // a function of the user is running

  /** Calls `op` and returns its one value. */
  abstract value(op: Op, args: Encoder | Uint8Array): unknown

  /** As {@link value}, for an op that changes nothing: the query cache may have the answer. */
  abstract cachedValue(op: Op, args: Encoder): unknown

  /** Calls `op`, which answers in pieces, and returns the rows of all of them. */
  abstract rows(op: Op, args: Encoder | Uint8Array): any[]

  /**
   * As {@link rows}, for an op that changes nothing: the query cache may have the answer. Fills and returns `rows`, an
   * empty array.
   */
  abstract cachedRows(op: Op, args: Encoder | Uint8Array, rows?: any[]): any[]

  /**
   * The only document of a collection that has `key` at `path`, a plain name, or undefined if none has it; `unsure` if
   * that takes a call.
   */
  lookup(_collection: string, _path: string, _key: Id): unknown {
    return unsure
  }

  /** The answer of `op`, piece by piece. The next piece is asked for when the caller is done with one. */
  abstract inPieces(op: Op, args: Uint8Array): Iterable<unknown[]>

  /**
   * Calls `callback`, a function of the user that is the argument `name`, and returns its result. It cannot call the
   * database meanwhile.
   */
  callback(name: string, callback: (document: Stored<any>) => unknown, document: Stored<any>): unknown {
    this.inCallback = true
    try {
      const result = callback(document)
      if (typeof (result as Promise<unknown> | undefined)?.then === 'function') {
        Promise.resolve(result).catch(() => {}) // nobody else waits for it
        throw invalid(`${name}: the function must return its result at once, not with a Promise: all documents have to be of one version`)
      }
      return result
    } finally {
      this.inCallback = false
    }
  }

  /** Does `work`, several calls of the engine, as a whole or not at all. */
  whole<R>(work: () => R): R {
    this.command(Op.savepoint)
    let result: R
    try {
      result = work()
      this.command(Op.release) // it fails if a unique index forbids what is there now
    } catch (error) {
      this.command(Op.rollback)
      throw error
    }
    return result
  }

  /** Calls an op without arguments and without a result. */
  command(op: Op): void {
    this.value(op, noArguments)
  }

  /** Throws while {@link callback} runs a function of the user. */
  checkNotInCallback(): void {
    if (this.inCallback) throw invalid('a function given to a query or an update cannot call the database that runs it')
  }
}

/** An empty array, as MessagePack. */
export const noArguments: Uint8Array = Uint8Array.of(0x90)
