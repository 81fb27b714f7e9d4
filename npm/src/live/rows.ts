import type { Id } from '../types.js'
import { same } from './same.js'

/** What has changed between a result and the one before it. */
export interface Delta<D> {
  /** Documents that were not in the result before, in the order of the result. */
  added: D[]
  /** Documents that were in it with other contents, in the order of the result. */
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
