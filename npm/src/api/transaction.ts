import { invalid } from '../errors.js'
import { DatabaseCalls } from './database-calls.js'

/**
 * The calls of a database inside {@link AtomicDB.transaction}. Each means what
 * the database's call of that name means, sees what the transaction did
 * before, and resolves at once: what it did is stored when the transaction
 * ends, with all the rest, or not at all.
 *
 * A call that fails has done nothing, and the transaction goes on if the error
 * is caught. Once the transaction has ended, every call rejects with `closed`.
 */
export class Transaction extends DatabaseCalls {
  /** Is refused with `invalid`: a transaction has no parts that could fail alone. Hand `tx` to the functions that belong to it. */
  async transaction(_work: unknown): Promise<never> {
    throw invalid('transaction: a transaction cannot hold another; hand tx to the functions that belong to it')
  }
}
