import { EngineEndError, isThrown, type AtomicDBError } from '../errors.js'
import type { EngineCall, EngineCalls } from './engine-calls.js'

/** A question whose answer is kept current. */
export interface LiveQuestion<A = any> {
  /** Asks it, any number of times. It changes nothing. */
  ask(engine: EngineCalls): A
  /** If it is one call of the engine: that call. Then the engine tells what changes, where it can. */
  readonly call?: EngineCall | undefined
  /** Of a question without it: a call of the engine, whose answer changes with each change that this one may depend on. */
  readonly watch?: EngineCall | undefined
}

/** One step from an array of documents to the next; see the op liveChanges. */
export type Edit =
  | readonly [kind: 0, index: number] // remove
  | readonly [kind: 1, index: number, document: unknown] // insert
  | readonly [kind: 2, index: number, document: unknown] // replace
  | readonly [kind: 3, from: number, to: number] // move: remove, and insert at `to`, counted without it
  | readonly [kind: 4, from: number, to: number, document: unknown] // move, and replace

/** What is told of an answer. */
export type LiveUpdate<A = any> =
  /** The question was asked: the first time, and whenever the engine cannot tell what has changed. */
  | { readonly answer: A }
  /** The answer is another one, and the engine says which. */
  | { readonly value: A }
  /** The rows of the answer have changed, step by step. */
  | { readonly edits: readonly Edit[] }
  /** The question could not be asked. It is asked again when something has changed. */
  | { readonly error: unknown }

/** Who hears of an answer. */
export interface LiveListener<A = any> {
  /**
   * Called with the first answer, and then at most once for all writes of a turn, and for each batch of others, if the
   * answer may have changed. The engine is in the state that the answer is of. What a transaction does before its end
   * does not count.
   */
  told(update: LiveUpdate<A>): void

  /** Nothing will be told any more: the database was closed, or, with an error, has ended. */
  ended(error: AtomicDBError | undefined): void
}

/** What keeps answers current. */
export interface LiveSource {
  /**
   * Keeps the answer of a question current. If the engine runs in this thread, and no transaction is being stored, the
   * listener is told the first answer at once.
   *
   * @returns What ends it. @throws `closed`
   */
  live<A>(question: LiveQuestion<A>, listener: LiveListener<A>): () => void
}

/** A question that is asked again in the next engine when its engine ends. */
export class LastingQuestion {
  private close: (() => void) | undefined
  private ends = 0 // of engines in a row, while they were asked
  private isOver = false

  /** @param next Called when the engine has ended: opens the question in the next one. */
  constructor(
    private readonly question: LiveQuestion,
    private readonly listener: LiveListener,
    private readonly next: (own: LastingQuestion) => void,
  ) {}

  openIn(source: LiveSource): void {
    if (this.isOver) return
    this.close = source.live(this.question, {
      told: (update) => {
        if (this.isOver) return
        if (!('error' in update) || !isThrown(update.error, EngineEndError)) {
          this.ends = 0
          this.listener.told(update)
        } else if (++this.ends >= maxEnds) this.end(update.error)
      },
      ended: (error) => {
        this.close = undefined
        if (error) this.next(this)
        else this.end()
      },
    })
  }

  /** Tells why it cannot be opened now. */
  fail(error: unknown): void {
    if (!this.isOver) this.listener.told({ error })
  }

  /** Tells that it is over. */
  end(error?: AtomicDBError): void {
    if (this.isOver) return
    this.stop()
    this.listener.ended(error)
  }

  stop(): void {
    this.isOver = true
    this.close?.()
    this.close = undefined
  }
}

/** A question at which so many engines in a row have ended is the cause, and is not asked again. */
const maxEnds = 2
