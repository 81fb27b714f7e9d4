// What conditions, sorting and field lists mean, written in plain JavaScript
// over plain documents: slow and complete, and sharing nothing with the engine.
import type { Condition } from './conditions.js'
import type { Plain } from './values.js'

/** Whether a document, or an element of an array, meets the condition. */
export function meets(document: unknown, condition: Condition): boolean {
  switch (condition[0]) {
    case 'and':
      return condition.slice(1).every((kid) => meets(document, kid as Condition))
    case 'or':
      return condition.slice(1).some((kid) => meets(document, kid as Condition))
    case 'not':
      return !meets(document, condition[1])
    case 'ne':
      return !meets(document, ['eq', condition[1], condition[2]])
    case 'notIn':
      return !meets(document, ['in', condition[1], condition[2]])
    case 'exists':
      return condition[2] === reached(document, condition[1]).length > 0
  }
  const leaf = condition
  return places(document, leaf[1]).some(({ value, isElement }) => {
    const elements: unknown[] = Array.isArray(value) ? value : []
    switch (leaf[0]) {
      case 'any':
        return elements.some((element) => meets(element, leaf[2]))
      case 'contains':
        return elements.some((element) => compare(element, leaf[2]) === 0) || (typeof value === 'string' && typeof leaf[2] === 'string' && value.includes(leaf[2]))
      case 'type':
        if (leaf[2] === 'list') return Array.isArray(value)
    }
    // What is asked of an element by its position is not asked of what is in it.
    return [value, ...(isElement ? [] : elements)].some((v) => passes(v, leaf))
  })
}

function passes(value: unknown, leaf: Condition): boolean {
  switch (leaf[0]) {
    case 'eq':
      return compare(value, leaf[2]) === 0
    case 'in':
      return leaf[2].some((one) => compare(value, one) === 0)
    case 'gt':
      return comparable(value, leaf[2]) && compare(value, leaf[2]) > 0
    case 'gte':
      return comparable(value, leaf[2]) && compare(value, leaf[2]) >= 0
    case 'lt':
      return comparable(value, leaf[2]) && compare(value, leaf[2]) < 0
    case 'lte':
      return comparable(value, leaf[2]) && compare(value, leaf[2]) <= 0
    case 'between':
      return comparable(value, leaf[2]) && comparable(value, leaf[3]) && compare(value, leaf[2]) >= 0 && compare(value, leaf[3]) <= 0
    case 'startsWith':
      return typeof value === 'string' && value.startsWith(leaf[2])
    case 'matches':
      return typeof value === 'string' && leaf[2].test(value)
    case 'mod':
      return isWhole(value, true) && (typeof value === 'bigint' ? value : BigInt(Math.trunc(value))) % BigInt(leaf[2][0]) === BigInt(leaf[2][1])
    case 'bitsAllSet':
    case 'bitsAnySet':
    case 'bitsAllClear':
    case 'bitsAnyClear': {
      const bits = bitsOf(value)
      if (bits === undefined) return false
      const mask = typeof leaf[2] === 'number' ? BigInt(leaf[2]) : leaf[2].reduce((mask, at) => mask | (1n << BigInt(at)), 0n)
      if (leaf[0] === 'bitsAllSet') return (bits & mask) === mask
      if (leaf[0] === 'bitsAnySet') return (bits & mask) !== 0n
      if (leaf[0] === 'bitsAllClear') return (bits & mask) === 0n
      return (bits & mask) !== mask
    }
    case 'type':
      return typesOf(value).includes(leaf[2])
  }
  throw new Error(`no leaf: ${leaf[0]}`)
}

/** Whether a value is an integer of 64 bits, or may be one without what is after its point. */
function isWhole(value: unknown, truncated: boolean): value is number | bigint {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value
  return typeof value === 'number' && Math.abs(value) < 2 ** 63 && (truncated || Number.isInteger(value))
}

/** The bits of an integer or of bytes, as an integer without an end. */
function bitsOf(value: unknown): bigint | undefined {
  if (value instanceof Uint8Array) return value.reduceRight((bits, byte) => (bits << 8n) | BigInt(byte), 0n)
  if (typeof value === 'bigint') return value
  return isWhole(value, false) ? BigInt(value) : undefined
}

/** Every value that the path leads to, in the order of the document; the elements of an array at its end are not among them. */
export function reached(value: unknown, path: string): unknown[] {
  return places(value, path).map((place) => place.value)
}

/** A value that a path leads to, and whether the path ends with its position in an array. */
interface Place {
  value: unknown
  isElement: boolean
}

function places(value: unknown, path: string): Place[] {
  return walk({ value, isElement: false }, path === '' ? [] : path.split('.'))
}

function walk(place: Place, [name, ...rest]: string[]): Place[] {
  const { value } = place
  if (name === undefined) return [place]
  if (isMap(value)) return Object.hasOwn(value, name) ? walk({ value: value[name], isElement: false }, rest) : []
  if (!Array.isArray(value)) return []
  return value.flatMap((element, position) => [
    ...(String(position) === name ? walk({ value: element, isElement: true }, rest) : []),
    ...(isMap(element) ? walk({ value: element, isElement: false }, [name, ...rest]) : []),
  ])
}

/** Below 0, 0 or above 0 as `a` comes before, with or after `b` in the order of all values. */
export function compare(a: unknown, b: unknown): number {
  const [rankA, rankB] = [rank(a), rank(b)]
  if (rankA !== rankB) return rankA - rankB
  if (isNumber(a) && isNumber(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a)) || Number(a > b) - Number(a < b) // exact for bigints too
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array)
  if (a instanceof Date) return a.getTime() - (b as Date).getTime()
  if (Array.isArray(a)) return compareLists(a, b as unknown[])
  if (isMap(a)) return compareLists(pairs(a).flat(), pairs(b as Plain).flat())
  return 0
}

function compareLists(a: unknown[], b: unknown[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const c = compare(a[i], b[i])
    if (c !== 0) return c
  }
  return a.length - b.length
}

const pairs = (map: Plain) => Object.entries(map).sort(([a], [b]) => compare(a, b))

/** Places in the order of all values; only values of one place, and the two booleans, compare in a condition. */
function rank(value: unknown): number {
  if (value === undefined) return 0
  if (value === null) return 1
  if (value === false) return 2
  if (value === true) return 3
  if (isNumber(value)) return 4
  if (typeof value === 'string') return 5
  if (value instanceof Uint8Array) return 6
  if (value instanceof Date) return 7
  return Array.isArray(value) ? 8 : 9
}

/** NaN is equal to itself, and neither above nor below any number. */
function comparable(a: unknown, b: unknown): boolean {
  if (typeof a === 'boolean') return typeof b === 'boolean'
  return rank(a) === rank(b) && Number.isNaN(a) === Number.isNaN(b)
}

function typesOf(value: unknown): string[] {
  switch (rank(value)) {
    case 1:
      return ['null']
    case 2:
    case 3:
      return ['bool']
    case 4:
      // Whole numbers are stored as integers wherever one of 64 bits holds them.
      return ['number', typeof value === 'bigint' || (Number.isSafeInteger(value) && !Object.is(value, -0)) ? 'int' : 'float']
    case 5:
      return ['str']
    case 6:
      return ['bytes']
    case 7:
      return ['date']
    case 8:
      return ['list']
  }
  return ['dict']
}

/** The values a document may sort by: those that the path leads to, of arrays the elements, and none where a way ends without one. */
export function sortable(value: unknown, path: string): unknown[] {
  const reach = (value: unknown, names: string[], isElement: boolean): unknown[] => {
    const [name, ...rest] = names
    if (name === undefined) return Array.isArray(value) && !isElement ? value : [value]
    if (!Array.isArray(value)) return isMap(value) && Object.hasOwn(value, name) ? reach(value[name], rest, false) : [undefined]
    return value.flatMap((element, position) => [
      ...(String(position) === name && (rest.length === 0 || isMap(element) || Array.isArray(element)) ? reach(element, rest, true) : []),
      ...(isMap(element) ? reach(element, names, false) : []),
    ])
  }
  const all = reach(value, path.split('.'), false)
  const there = all.filter((one) => one !== undefined).sort(compare)
  return there.length < all.length ? [undefined, ...there] : there
}

/** The documents sorted: by the least value that each path leads to, descending by the greatest, missing ones first, equal ones as they were. */
export function sorted<T>(documents: readonly T[], keys: readonly (readonly [path: string, descending: boolean])[]): T[] {
  return [...documents].sort((a, b) => {
    for (const [path, descending] of keys) {
      const [x, y] = [sortable(a, path), sortable(b, path)]
      const c = compare(x.at(descending ? -1 : 0), y.at(descending ? -1 : 0))
      if (c !== 0) return descending ? -c : c
    }
    return 0
  })
}

/** The parts of a document that the paths name, and its _id, or with dashes all but those; of an array, those parts of each map in it. */
export function projected(document: Plain, paths: readonly string[]): Plain {
  if (paths.includes('-_id')) {
    const rest = paths.filter((path) => path !== '-_id')
    const { _id, ...others } = rest.length > 0 ? projected(document, rest) : document
    return others
  }
  if (paths.some((path) => path.startsWith('-'))) return allBut(document, paths.filter((path) => path !== '_id').map((path) => path.slice(1).split('.'))) as Plain
  return only(document, ['_id', ...paths].map((path) => path.split('.'))) as Plain
}

function only(value: unknown, paths: string[][]): unknown {
  if (paths.some((path) => path.length === 0)) return value
  if (Array.isArray(value)) return value.map((element) => only(element, paths)).filter((part) => part !== undefined)
  if (!isMap(value)) return undefined
  const kept: Plain = {}
  for (const [name, field] of Object.entries(value)) {
    const below = paths.filter((path) => path[0] === name).map((path) => path.slice(1))
    const part = below.length > 0 ? only(field, below) : undefined
    if (part !== undefined) kept[name] = part
  }
  return kept
}

function allBut(value: unknown, paths: string[][]): unknown {
  if (Array.isArray(value)) return value.map((element) => allBut(element, paths))
  if (!isMap(value)) return value
  const kept: Plain = {}
  for (const [name, field] of Object.entries(value)) {
    const below = paths.filter((path) => path[0] === name).map((path) => path.slice(1))
    if (!below.some((path) => path.length === 0)) kept[name] = allBut(field, below)
  }
  return kept
}

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'

/** Whether a value has fields of its own. */
export function isMap(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date) && !(value instanceof Uint8Array)
}

/** A copy in which every -0 is 0: of these, which are equal, a group or a list of different values shows either. */
export function withoutSigns<T>(value: T): T {
  if (value === 0) return 0 as T
  if (Array.isArray(value)) return value.map(withoutSigns) as T
  return isMap(value) ? (Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withoutSigns(field)])) as T) : value
}
