import { AtomicDBError } from '../errors.js'
import type { Calls } from './calls.js'
import { insideTransactionError } from './errors.js'
import { maxConflicts, tooManyConflicts, type FlushOutcome } from './group-commit.js'
import { TransactionRun, type TransactionEngine } from './transaction-run.js'

/** How transactions reach the storage of their connection. */
export interface TransactionStorage {
  /** Resolves when every earlier write is stored or has failed. */
  drained(): Promise<void>
  /** Stores what the engine holds. */
  store(): FlushOutcome | Promise<FlushOutcome>
  /** Has the engine apply the batches that others have stored. */
  catchUp(): void
}

/** The transactions of a connection. They run one after the other. */
export class Transactions {
  /** Set while a transaction is being stored: others must not see what it did, because it may still be undone. */
  storing: Promise<void> | undefined
  /** The error of the last transaction that could not be stored. */
  lastFailure: { readonly error: unknown } | undefined

  private current: TransactionRun | undefined
  private hasPostponed = false // the engine holds back batches of others until the transaction ends

  constructor(
    private readonly engine: TransactionEngine,
    private readonly storage: TransactionStorage,
  ) {}

  /** Whether a transaction is running. It runs again by itself if the engine undoes what it did. */
  get isRunning(): boolean {
    return this.current !== undefined
  }

  /**
   * Runs `work` and stores what it did as one batch; runs it again each time
   * another writer was faster. The caller has the write lock alone.
   */
  async run<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    await this.storage.drained()
    this.hasPostponed = false
    try {
      for (let runs = 0; runs < maxConflicts; runs++) {
        this.current = new TransactionRun(this.engine)
        const end = await this.runOnce(work, this.current)
        if (end) return end.result
      }
      const error = new AtomicDBError('conflict', `transaction: ${tooManyConflicts}`)
      this.lastFailure = { error }
      throw error
    } finally {
      this.current = undefined
      if (this.hasPostponed) this.storage.catchUp()
    }
  }

  /** Resolves to the result of `work` once that is stored; to undefined if another writer was faster. */
  private async runOnce<R>(work: (calls: Calls) => Promise<R>, run: TransactionRun): Promise<{ result: R } | undefined> {
    try {
      const result = await run.run(work)
      run.keep()
      return !run.wrote || (await this.store()) === 0 ? { result } : undefined
    } catch (error) {
      run.undo()
      throw error
    }
  }

  private async store(): Promise<FlushOutcome> {
    const outcome = (async () => this.storage.store())()
    this.storing = outcome.then(
      () => {
        this.storing = undefined
        this.hasPostponed = false // storing has applied what others have stored
      },
      (error: unknown) => {
        this.storing = undefined
        this.lastFailure = { error }
      },
    )
    await this.storing
    return outcome
  }

  /** Hides what the running transaction did. The connection calls this before a read from outside. */
  suspend(): void {
    this.current?.suspend()
  }

  /** The connection calls this when the engine holds back batches of others. */
  notePostponed(): void {
    this.hasPostponed = true
  }

  /**
   * Throws for a write that is called inside a transaction but not through it: it would wait for the end of the
   * transaction that waits for it.
   */
  checkOutside(): void {
    // Only until the function first waits: later its calls cannot be told from those of others. They wait; see
    // TransactionRun.
    if (this.current?.isStarting) throw insideTransactionError()
  }

  /** Fails the running transaction. */
  stop(error: AtomicDBError): void {
    this.current?.stop(error)
  }
}
