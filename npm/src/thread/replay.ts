import type { Op } from '../engine/ops.js'

/** A question to an engine in another thread. */
export interface Question {
  readonly op: Op
  readonly input: Uint8Array
  /** Whether the op answers in pieces; all of them are wanted. */
  readonly pieces: boolean
}

/** What became of a question: the bytes of the answer, or the error. */
export type Answer = { readonly value: unknown } | { readonly error: unknown }

/** How a run has ended. */
export type End<R> = { readonly result: R } | { readonly question: Question }

/**
 * What one call asks of an engine in another thread.
 *
 * The functions that a call is made of (reads.ts, writes.ts) ask the engine
 * and go on with its answer. Here an answer takes a message there and one
 * back. So a question whose answer is not known ends the function; when it
 * is, the function runs again from its start and is given the answers so far.
 * Most calls ask one question, and run twice; what they do beside that is to
 * encode arguments. Functions of the user run once for each document, because
 * what they return is remembered like an answer.
 */
export class Script {
  private readonly answers: Answer[] = []
  private next = 0
  private open: Question | undefined // asked in this run

  /** Runs `work` until it ends or asks something new. */
  run<R>(work: () => R): End<R> {
    this.next = 0
    this.open = undefined
    try {
      const result = work()
      if (!this.open) return { result }
    } catch (error) {
      if (!this.open) throw error
    }
    return { question: this.open! }
  }

  /** Notes the answer to the question that ended the last run. */
  note(answer: Answer): void {
    this.answers.push(answer)
  }

  /** The answer to a question, if it is known. Otherwise ends the run; `copy` is called for the question then. */
  answer(copy: () => Question): unknown {
    return this.recall(() => {
      // Whatever catches this and goes on, as to undo something, gets no further.
      this.open ??= copy()
      throw this.open
    })
  }

  /** What `ask` returns or throws, or has when it was asked here before. */
  once(ask: () => unknown): unknown {
    return this.recall(() => {
      if (this.open) throw this.open
      let answer: Answer
      try {
        answer = { value: ask() }
      } catch (error) {
        answer = { error }
      }
      this.note(answer)
      return this.recall(ask)
    })
  }

  private recall(otherwise: () => unknown): unknown {
    const known = this.open ? undefined : this.answers[this.next]
    if (!known) return otherwise()
    this.next++
    if ('error' in known) throw known.error
    return known.value
  }
}
