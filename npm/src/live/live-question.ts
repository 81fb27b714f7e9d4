import type { EngineCalls } from '../connection/engine-calls.js'

/** A question that can be asked again and again: its arguments are checked, and copied. */
export type Question<A> = (engine: EngineCalls) => A

/** What a live value asks. */
export interface LiveQuestion<V> {
  readonly ask: Question<V>
  /** The value until there is an answer. */
  readonly empty: V
  /**
   * Compares an answer with the value before, and lets the answer have what is the same from there. Returns null if all is
   * the same, and otherwise what listeners get besides the answer.
   */
  merge(before: V, answer: V): unknown
}
