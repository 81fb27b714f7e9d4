import type { Calls } from './calls.js'
import { Attempt } from './transaction-run.js'
import { AtomicDBError, invalid } from '../errors.js'
import type { LocalConnection } from './local-connection.js'

/** What transactions need of their connection beside its calls. */
export interface Storing {
  /** Resolves when nothing of earlier writes is left to be stored. */
  drained(): Promise<void>
  /** Stores what the engine holds. 0: stored. 1: another writer was faster, and all is undone. */
  store(): Promise<0 | 1>
  /** Has the engine apply what others have stored. */
  catchUp(): void
}

/** The transactions of a connection, which come one at a time. */
export class Transactions {
  /** Until what a transaction did is stored or undone: nobody else may see it yet. */
  storing: Promise<void> | undefined
  /** Why a transaction was not stored, the last that was not. */
  lost: { readonly error: unknown } | undefined

  private attempt: Attempt | undefined // the one that is under way
  private putOff = false // batches of others wait for its end

  constructor(
    private readonly connection: LocalConnection,
    private readonly storage: Storing,
  ) {}

  /** Whether one is under way; it does again itself what the engine undoes. */
  get underWay(): boolean {
    return this.attempt !== undefined
  }

  /**
   * Runs `work`, again and again while other writers are faster, and stores
   * what it did as one batch. Nobody else may write meanwhile.
   */
  async run<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    await this.storage.drained()
    this.putOff = false
    try {
      for (let runs = 0; runs < mostRuns; runs++) {
        this.attempt = new Attempt(this.connection)
        const end = await this.runOnce(work, this.attempt)
        if (end) return end.result
      }
      const error = new AtomicDBError('conflict', `transaction: another writer was faster ${mostRuns} times in a row`)
      this.lost = { error }
      throw error
    } finally {
      this.attempt = undefined
      if (this.putOff) this.storage.catchUp()
    }
  }

  /** Resolves to what `work` does once that is stored; to undefined if another writer was faster. */
  private async runOnce<R>(work: (calls: Calls) => Promise<R>, attempt: Attempt): Promise<{ result: R } | undefined> {
    try {
      const result = await attempt.run(work)
      attempt.keep()
      return !attempt.wrote || (await this.store()) === 0 ? { result } : undefined
    } catch (error) {
      attempt.undo()
      throw error
    }
  }

  private async store(): Promise<0 | 1> {
    const outcome = this.storage.store()
    this.storing = outcome.then(
      () => {
        this.storing = undefined
        this.putOff = false // storing has met whatever others have stored
      },
      (error: unknown) => {
        this.storing = undefined
        this.lost = { error }
      },
    )
    await this.storing
    return outcome
  }

  /** To be called before anybody outside reads: takes what a transaction did out of sight. */
  suspend(): void {
    this.attempt?.suspend()
  }

  /** To be called as the engine puts off batches of others. */
  notePutOff(): void {
    this.putOff = true
  }

  /** Refuses a call from outside that would wait for the transaction it is made in. */
  needOutside(): void {
    // Later calls of the function cannot be told from those of others, and wait; see Attempt.
    if (this.attempt?.starting) throw invalid('transaction: inside it, write with tx.insert() and the like, not with db.insert(), which waits for its end')
  }

  /** Fails the one that is under way. */
  stop(error: AtomicDBError): void {
    this.attempt?.stop(error)
  }
}

/**
 * A transaction that loses this often takes longer than the others leave it.
 * Of four tabs that do nothing but increment one counter, one loses up to 50
 * times in a row.
 */
const mostRuns = 1000
