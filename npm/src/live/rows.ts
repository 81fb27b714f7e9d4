import type { Edit } from '../connection/live.js'
import type { Id } from '../types.js'
import { same } from './same.js'

/** What has changed between a result and the one before it. */
export interface Delta<D> {
  /** Documents that were not in the result before, in no particular order. */
  added: D[]
  /** Documents that were in it with other contents, as they are now. */
  changed: D[]
  /** The ids of documents that are no longer in it. */
  removed: Id[]
  /** The ids of documents whose place among the others has changed. All others are in the order in which they were. */
  moved: Id[]
}

type Document = { readonly _id: Id }

/**
 * Compares the documents of a result with those `before`. Where they are the same, those of before take their places in
 * `now`. Returns what has changed; undefined if nothing has.
 */
export function mergeDocuments<D extends Document>(before: readonly D[], now: D[]): Delta<D> | undefined {
  const start = mergeStart(before, now)
  if (start === before.length && start === now.length) return undefined
  const end = mergeEnd(before, now, start)
  const places = new Map<Id, number>()
  for (let i = start; i < before.length - end; i++) places.set(before[i]!._id, i)
  const delta: Delta<D> = { added: [], changed: [], removed: [], moved: [] }
  const kept: number[] = [] // the places before of the documents that are still here, in the order of now
  for (let i = start; i < now.length - end; i++) {
    const document = now[i]!
    const place = places.get(document._id)
    if (place === undefined) {
      delta.added.push(document)
      continue
    }
    kept.push(place)
    places.delete(document._id)
    if (same(before[place], document)) now[i] = before[place]!
    else delta.changed.push(document)
  }
  delta.removed.push(...places.keys())
  for (const place of outOfOrder(kept)) delta.moved.push(before[place]!._id)
  return delta
}

/**
 * Applies edits to the documents of a result, in place. Documents that an edit replaces by the same stay. Returns what has
 * changed; undefined if nothing has.
 *
 * @param copy An array with the same documents, which become the same as the others.
 */
export function applyEdits<D extends Document>(documents: D[], edits: readonly Edit[], copy?: D[]): Delta<D> | undefined {
  const before = edits.length > 1 ? documents.slice() : undefined
  const taken = new Map<Id, D>() // the documents of before that an edit has taken out
  const put = new Map<Id, D>() // the documents that an edit has put in, and none has taken out again
  let order = false // whether documents may have another order
  const take = (document: D) => {
    if (!put.delete(document._id)) taken.set(document._id, document)
  }
  const unlessSame = (document: D): D => {
    const was = taken.get(document._id)
    const kept = was && same(was, document) ? was : document
    put.set(kept._id, kept)
    return kept
  }
  for (const edit of edits) {
    const [kind, index] = edit
    if (kind === 2) {
      const was = documents[index]!
      take(was)
      const now = (documents[index] = unlessSame(edit[2] as D))
      if (copy) copy[index] = now
      order ||= was._id !== now._id
      continue
    }
    order = true
    const document = kind === 1 ? (edit[2] as D) : documents.splice(index, 1)[0]!
    if (kind !== 1) {
      copy?.splice(index, 1)
      take(document)
    }
    if (kind === 0) continue
    const to = kind === 1 ? index : edit[2]
    const now = unlessSame(kind === 4 ? (edit[3] as D) : document)
    documents.splice(to, 0, now)
    copy?.splice(to, 0, now)
  }
  const delta: Delta<D> = { added: [], changed: [], removed: [], moved: [] }
  for (const [id, document] of put) {
    const was = taken.get(id)
    if (!was) delta.added.push(document)
    else if (was !== document) delta.changed.push(document)
    if (was && !before && order) delta.moved.push(id)
  }
  for (const id of taken.keys()) if (!put.has(id)) delta.removed.push(id)
  if (before && order) delta.moved = movedBetween(before, documents)
  return delta.added.length + delta.changed.length + delta.removed.length + delta.moved.length > 0 ? delta : undefined
}

/** The ids of the fewest documents without which those that are in both are in the same order. */
function movedBetween(before: readonly Document[], now: readonly Document[]): Id[] {
  let start = 0
  while (start < before.length && before[start]!._id === now[start]?._id) start++
  let end = 0
  while (end < Math.min(before.length, now.length) - start && before[before.length - 1 - end]!._id === now[now.length - 1 - end]!._id) end++
  const places = new Map<Id, number>()
  for (let i = start; i < before.length - end; i++) places.set(before[i]!._id, i)
  const kept: number[] = []
  for (let i = start; i < now.length - end; i++) {
    const place = places.get(now[i]!._id)
    if (place !== undefined) kept.push(place)
  }
  return outOfOrder(kept).map((place) => before[place]!._id)
}

/** As {@link mergeDocuments}, for rows that need not have an id. Returns whether anything has changed. */
export function mergeRows(before: readonly unknown[], now: unknown[]): boolean {
  const start = mergeStart(before, now)
  if (start === before.length && start === now.length) return false
  const end = mergeEnd(before, now, start)
  const last = Math.min(before.length, now.length) - end
  for (let i = start; i < last; i++) if (same(before[i], now[i])) now[i] = before[i]
  return true
}

/** Merges the rows at the start that are the same; returns how many. */
function mergeStart(before: readonly unknown[], now: unknown[]): number {
  const length = Math.min(before.length, now.length)
  let start = 0
  for (; start < length && same(before[start], now[start]); start++) now[start] = before[start]
  return start
}

/** Merges the rows at the end that are the same, after the first `start`; returns how many. */
function mergeEnd(before: readonly unknown[], now: unknown[], start: number): number {
  const length = Math.min(before.length, now.length) - start
  let end = 0
  for (; end < length && same(before[before.length - 1 - end], now[now.length - 1 - end]); end++) {
    now[now.length - 1 - end] = before[before.length - 1 - end]
  }
  return end
}

/** The fewest of these different numbers without which the others ascend; in the order in which they stand. */
function outOfOrder(numbers: readonly number[]): number[] {
  if (numbers.every((number, i) => i === 0 || numbers[i - 1]! < number)) return []
  // Longest increasing subsequence: tails[n] is where one of n + 1 numbers ends whose last number is the least.
  const tails: number[] = []
  const previous: number[] = []
  for (const [i, number] of numbers.entries()) {
    let low = 0
    for (let high = tails.length; low < high; ) {
      const middle = (low + high) >> 1
      if (numbers[tails[middle]!]! < number) low = middle + 1
      else high = middle
    }
    previous.push(low > 0 ? tails[low - 1]! : -1)
    tails[low] = i
  }
  const inOrder = new Set<number>()
  for (let i = tails[tails.length - 1] ?? -1; i >= 0; i = previous[i]!) inOrder.add(i)
  return numbers.filter((_, i) => !inOrder.has(i))
}
