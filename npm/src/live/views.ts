import type { LiveUpdate } from '../connection/live.js'
import type { Id } from '../types.js'
import { applyEdits, mergeDocuments, mergeRows, type Delta } from './rows.js'
import { same } from './same.js'

/** What an update makes of a value. */
export interface Step<V> {
  readonly value: V
  /** What listeners get besides; undefined with the first value. */
  readonly delta?: unknown
}

/** How the value of a live value follows from what is told of its question. */
export interface LiveView<V> {
  /** The value until there is an answer. */
  readonly empty: V
  /** The next value, in which what has not changed is as before; undefined if nothing has. */
  take(update: Exclude<LiveUpdate, { error: unknown }>): Step<V> | undefined
}

/** An answer as it is. */
export class ValueView<V> implements LiveView<V> {
  private last: { readonly value: V } | undefined

  constructor(readonly empty: V) {}

  take(update: { answer: V } | { value: V }): Step<V> | undefined {
    const value = 'answer' in update ? update.answer : update.value
    if (this.last && same(this.last.value, value)) return undefined
    return (this.last = { value })
  }
}

/** Rows, which need not be documents. */
export class RowsView<V> implements LiveView<V> {
  private last: readonly unknown[] | undefined
  readonly empty: V

  /** @param valueOf The value of some rows, which it must copy if the value can be changed. */
  constructor(private readonly valueOf: (rows: unknown[]) => V) {
    this.empty = valueOf([])
  }

  take(update: { answer: unknown[] } | { value: unknown[] }): Step<V> | undefined {
    const rows = 'answer' in update ? update.answer : update.value
    if (this.last && !mergeRows(this.last, rows)) return undefined
    this.last = rows
    return { value: this.valueOf(rows) }
  }
}

/** Documents. */
export class DocumentsView<D extends { readonly _id: Id }, V> implements LiveView<V> {
  private last: D[] | undefined
  readonly empty: V

  /** @param valueOf The value of some documents. It must copy the array, which changes later. */
  constructor(private readonly valueOf: (documents: readonly D[]) => V) {
    this.empty = valueOf([])
  }

  take(update: { answer: D[] } | { edits: Parameters<typeof applyEdits>[1] }): Step<V> | undefined {
    const { last } = this
    let delta: Delta<D> | undefined
    if ('edits' in update) delta = applyEdits(last!, update.edits)
    else {
      delta = last && mergeDocuments(last, update.answer)
      this.last = update.answer
    }
    if (last && !delta) return undefined
    return { value: this.valueOf(this.last!), delta }
  }
}
