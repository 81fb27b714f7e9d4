import { invalid } from '../errors.js'
import { DatabaseCalls } from './database-calls.js'

/**
 * The calls of a database inside {@link AtomicDB.transaction}. Each means what
 * the database's call of that name means, and sees what the transaction did
 * before. It resolves at once: all that the transaction did is stored together
 * when it ends, or not at all.
 *
 * A call that fails has done nothing, and the transaction goes on if the error
 * is caught. When the transaction has ended, every call rejects with `closed`.
 */
export class Transaction<Schema = any> extends DatabaseCalls<Schema> {
  /** Rejects with `invalid`: a transaction has no parts that could fail alone. Pass `tx` to the functions that belong to it. */
  async transaction(_work: unknown): Promise<never> {
    throw invalid('transaction: a transaction cannot contain another; pass tx to the functions that belong to it')
  }
}
