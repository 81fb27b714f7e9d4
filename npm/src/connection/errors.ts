import { AtomicDBError, invalid, readingError } from '../errors.js'

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

/** Runs `work`, which reads arguments of the user. What a getter throws is passed on; a revoked proxy is `invalid`. */
export function readArguments<R>(work: () => R): R {
  try {
    return work()
  } catch (error) {
    throw readingError('an argument', error)
  }
}
