import { checkDepth, isMap } from './paths.js'

/**
 * The engine's total order over values: missing, null, false, true, numbers,
 * strings, bytes, dates, arrays, objects. Returns below 0, 0 or above 0.
 */
export function compare(a: unknown, b: unknown, depth = 0): number {
  checkDepth(depth)
  const rank = rankOf(a)
  const difference = rank - rankOf(b)
  if (difference !== 0) return difference
  switch (rank) {
    case Rank.number:
      return compareNumbers(a as number | bigint, b as number | bigint)
    case Rank.string:
      return compareStrings(a as string, b as string)
    case Rank.bytes:
      return compareLists(a as Uint8Array, b as Uint8Array, (x, y) => x - y)
    case Rank.date:
      return (a as Date).getTime() - (b as Date).getTime()
    case Rank.array:
      return compareLists(a as unknown[], b as unknown[], (x, y) => compare(x, y, depth + 1))
    case Rank.map:
      return compareLists(sortedEntries(a as object), sortedEntries(b as object), (x, y) => compareStrings(x[0], y[0]) || compare(x[1], y[1], depth + 1))
  }
  return 0
}

const Rank = { missing: 0, null: 1, false: 2, true: 3, number: 4, string: 5, bytes: 6, date: 7, array: 8, map: 9 } as const

function rankOf(value: unknown): number {
  switch (typeof value) {
    case 'undefined':
      return Rank.missing
    case 'boolean':
      return value ? Rank.true : Rank.false
    case 'number':
    case 'bigint':
      return Rank.number
    case 'string':
      return Rank.string
  }
  if (value === null) return Rank.null
  if (Array.isArray(value)) return Rank.array
  return isMap(value) ? Rank.map : value instanceof Date ? Rank.date : Rank.bytes
}

// JavaScript compares a number and a bigint exactly. NaN comes first and equals itself.
function compareNumbers(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1
  if (a > b) return 1
  if (a == b) return 0
  return Number(Number.isNaN(b)) - Number(Number.isNaN(a))
}

/** By code points, as UTF-8 bytes compare; `<` would go by UTF-16 units. */
function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const isHalf = (unit: number) => (unit & 0xf800) === 0xd800
    // A surrogate stands for a character above all that take one unit.
    if (isHalf(x) !== isHalf(y)) return isHalf(x) ? 1 : -1
    return x - y
  }
  return a.length - b.length
}

function compareLists<E>(a: ArrayLike<E>, b: ArrayLike<E>, compareElements: (x: E, y: E) => number): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const order = compareElements(a[i]!, b[i]!)
    if (order !== 0) return order
  }
  return a.length - b.length
}

type Pair = [key: string, value: unknown]

function sortedEntries(object: object): Pair[] {
  return Object.entries(object).sort(([a], [b]) => compareStrings(a, b))
}
