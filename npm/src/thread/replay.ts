import type { EngineCall } from '../connection/engine-calls.js'

/** How a call ended: with the bytes of its result, or with an error. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** How a run ended: with its result, or at an engine call whose outcome is not known yet. */
export type RunEnd<R> = { readonly result: R } | { readonly call: EngineCall }

/**
 * Runs a function whose engine is in another thread.
 *
 * The functions of operations/ call the engine and use its result at once.
 * Here a result takes a message to the other thread and one back. So an engine
 * call whose outcome is not known ends the function. When the outcome is
 * there, the function runs again from its start, and the calls of before
 * return what they returned then. Most functions call the engine once and run
 * twice; beside that call they only encode arguments. A callback of the user
 * runs once for each document, because its result is remembered as well.
 */
export class Replay {
  private readonly outcomes: Outcome[] = [] // of the calls so far, in order
  private next = 0 // the outcome that the next call of this run gets
  private pending: EngineCall | undefined // the call that ended this run

  /** Runs `work` until it ends or makes a call whose outcome is not known. */
  run<R>(work: () => R): RunEnd<R> {
    this.next = 0
    this.pending = undefined
    try {
      const result = work()
      if (!this.pending) return { result }
    } catch (error) {
      if (!this.pending) throw error
    }
    return { call: this.pending! }
  }

  /** Adds the outcome of the call that ended the last run. */
  add(outcome: Outcome): void {
    this.outcomes.push(outcome)
  }

  /**
   * The result of an engine call, if its outcome is known. Otherwise ends the run, and `copy` makes the call to send.
   */
  resultOf(copy: () => EngineCall): unknown {
    return this.recall(() => {
      // If work catches this and goes on, for example to roll back, its next engine call throws again.
      this.pending ??= copy()
      throw this.pending
    })
  }

  /** Calls `callback` in the first run that reaches it; later runs get the same result or error. */
  once(callback: () => unknown): unknown {
    return this.recall(() => {
      if (this.pending) throw this.pending
      let outcome: Outcome
      try {
        outcome = { value: callback() }
      } catch (error) {
        outcome = { error }
      }
      this.add(outcome)
      return this.recall(callback)
    })
  }

  private recall(otherwise: () => unknown): unknown {
    const known = this.pending ? undefined : this.outcomes[this.next]
    if (!known) return otherwise()
    this.next++
    if ('error' in known) throw known.error
    return known.value
  }
}
