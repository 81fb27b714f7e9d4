import type { LiveUpdate } from '../connection/live.js'
import type { Id } from '../types.js'
import { applyEdits, mergeDocuments, mergeRows, type Delta } from './rows.js'
import { same } from './same.js'

/** What an update changes in a value. */
export interface Step {
  /** What listeners get besides the value; undefined with the first one. */
  readonly delta?: unknown
}

/** How the value of a live value follows from what is told of its question. */
export interface LiveView<V> {
  /** The value now: empty until there is an answer, and the same object until it changes. It is made when it is read. */
  readonly value: V
  /** Makes the next value, in which what has not changed is as before; undefined if nothing has. */
  take(update: Exclude<LiveUpdate, { error: unknown }>): Step | undefined
}

/** An answer as it is. */
export class ValueView<V> implements LiveView<V> {
  private isFirst = true

  /** @param value What it is until there is an answer. */
  constructor(public value: V) {}

  take(update: { answer: V } | { value: V }): Step | undefined {
    const value = 'answer' in update ? update.answer : update.value
    if (!this.isFirst && same(this.value, value)) return undefined
    this.isFirst = false
    this.value = value
    return {}
  }
}

/** Rows, which need not be documents. */
export class RowsView<V> implements LiveView<V> {
  private last: readonly unknown[] | undefined
  value: V

  /** @param valueOf The value of some rows, which it must copy if the value can be changed. */
  constructor(private readonly valueOf: (rows: unknown[]) => V) {
    this.value = valueOf([])
  }

  take(update: { answer: unknown[] } | { value: unknown[] }): Step | undefined {
    const rows = 'answer' in update ? update.answer : update.value
    if (this.last && !mergeRows(this.last, rows)) return undefined
    this.last = rows
    this.value = this.valueOf(rows)
    return {}
  }
}

/** A copy of fewer documents takes less than 10 us, and is not made ahead. */
const minAhead = 5_000

/**
 * Documents. The value is a copy of an array that edits change in place, because a program may change what it is given. A
 * copy of 100,000 takes longer than all the rest of an update: most of that is to get the memory. So it is made when the
 * value is read, and that of a large answer after an edit ahead, in a turn in which nobody waits for it.
 */
export class DocumentsView<D extends { readonly _id: Id }, V> implements LiveView<V> {
  private last: D[] | undefined
  private made: { readonly value: V } | undefined
  private ahead: D[] | undefined // a copy of last that nobody has
  private isAwaited = false // whether that will be made

  /** @param valueOf The value of an array of documents that is given away, or of the first of them if it needs no more. */
  constructor(
    private readonly valueOf: (documents: D[]) => V,
    private readonly needsAll: boolean,
  ) {}

  get value(): V {
    if (!this.made) {
      const { last = [], ahead } = this
      this.ahead = undefined
      this.made = { value: this.valueOf(ahead ?? (this.needsAll ? last.slice() : last)) }
    }
    return this.made.value
  }

  take(update: { answer: D[] } | { edits: Parameters<typeof applyEdits>[1] }): Step | undefined {
    const { last } = this
    let delta: Delta<D> | undefined
    if ('edits' in update) {
      delta = applyEdits(last!, update.edits, this.ahead)
      if (this.made) this.copyAhead()
    } else {
      delta = last && mergeDocuments(last, update.answer)
      this.last = update.answer
      this.ahead = undefined
    }
    if (last && !delta) return undefined
    this.made = undefined
    return { delta }
  }

  private copyAhead(): void {
    if (!this.needsAll || this.isAwaited || this.last!.length < minAhead) return
    this.isAwaited = true
    setTimeout(() => {
      this.isAwaited = false
      if (this.made) this.ahead ??= this.last!.slice()
    })
  }
}
