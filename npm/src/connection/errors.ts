import { AtomicDBError, invalid } from '../errors.js'

/** The error of every call after close. */
export function closedError(): AtomicDBError {
  return new AtomicDBError('closed', 'the database has been closed')
}

/** The error of every call of a transaction that has ended. */
export function transactionEndedError(): AtomicDBError {
  return new AtomicDBError('closed', 'the transaction has ended; was a call of tx not awaited?')
}

/** The error of a write that is called inside a transaction but not through it. */
export function insideTransactionError(): AtomicDBError {
  return invalid('transaction: inside it, write with tx.insert() and the like, not with db.insert(), which waits for its end')
}
