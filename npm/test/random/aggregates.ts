// Aggregates: random ones, and what they mean in plain JavaScript, which shares nothing with the engine.
import { condition, type Condition } from './conditions.js'
import { compare, meets, reached, sorted } from './meaning.js'
import type { Random } from './random.js'
import { names, path, type Plain } from './values.js'

/** An aggregate as data. */
export interface Request {
  where: Condition | undefined
  groupBy: string[]
  outputs: { name: string; operator: Operator; path: string | true }[]
  having: Condition | undefined
  sort: [path: string, descending: boolean][]
  skip: number
  limit: number | undefined
}

const operators = ['$count', '$sum', '$avg', '$min', '$max', '$first', '$last', '$distinct', '$countDistinct'] as const
type Operator = (typeof operators)[number]

/** An aggregate over documents as values.ts makes them. */
export function request(random: Random): Request {
  const groupBy: string[] = []
  for (let count = random.pick([0, 1, 1, 1, 2, 2, 3]); count > 0; count--) {
    const one = random.chance(0.7) ? random.pick(['a', 'b']) : path(random)
    // No path may be in another's place.
    if (!groupBy.some((other) => `${one}.`.startsWith(`${other}.`) || `${other}.`.startsWith(`${one}.`))) groupBy.push(one)
  }
  const free = names.filter((name) => !groupBy.some((one) => one.split('.')[0] === name))
  const outputs = random.list(1, 4, () => {
    const operator = random.pick(operators)
    return { name: random.pick(free), operator, path: operator === '$count' && random.chance(0.5) ? true : path(random) } as const
  })
  return {
    where: random.chance(0.4) ? condition(random, 1) : undefined,
    groupBy,
    outputs: outputs.filter(({ name }, n) => outputs.findIndex((other) => other.name === name) === n),
    having: random.chance(0.3) ? condition(random, 1) : undefined,
    sort: random.list(0, 2, () => [path(random), random.chance(0.5)]),
    skip: random.pick([0, 0, 1, 3]),
    limit: random.pick([undefined, undefined, 1, 5]),
  }
}

/** The request without what its rows are chosen and sorted by, if that is a rounded number in one of them: its last digits would decide. */
export function decidable(request: Request, documents: readonly Plain[]): Request {
  const { having, sort } = request
  const whole: Request = { ...request, having: undefined, sort: [], skip: 0, limit: undefined }
  const decisive = new Set([...sort.map(([path]) => path), ...(having ? pathsOf(having) : [])].map((path) => path.split('.')[0]!))
  const rounded = rowsOf(documents, whole).some((row) => Object.entries(row).some(([name, value]) => value instanceof About && decisive.has(name)))
  return rounded ? whole : request
}

function pathsOf(condition: Condition): string[] {
  switch (condition[0]) {
    case 'and':
    case 'or':
    case 'not':
      return condition.slice(1).flatMap((kid) => pathsOf(kid as Condition))
  }
  return [condition[1]]
}

/** A number that may differ from the true one by this much: sums of fractions are rounded. */
export class About {
  constructor(
    readonly number: number,
    readonly tolerance: number,
  ) {}
}

/** The rows of an aggregate. */
export function rowsOf(documents: readonly Plain[], { where, groupBy, outputs, having, sort, skip, limit }: Request): Plain[] {
  const groups: { values: unknown[]; documents: Plain[] }[] = groupBy.length === 0 ? [{ values: [], documents: [] }] : []
  for (const document of documents) {
    if (where && !meets(document, where)) continue
    const values = groupBy.map((path) => first(document, path))
    let group = groups.find((group) => group.values.every((value, n) => compare(value, values[n]) === 0))
    if (!group) groups.push((group = { values, documents: [] }))
    group.documents.push(document)
  }
  const rows = groups.map(({ values, documents }) => {
    const row: Plain = {}
    groupBy.forEach((path, n) => put(row, path.split('.'), values[n]))
    for (const { name, operator, path } of outputs) row[name] = output(documents, operator, path)
    return row
  })
  const kept = sorted(having ? rows.filter((row) => meets(row, having)) : rows, sort)
  return kept.slice(skip, limit === undefined ? undefined : skip + limit)
}

function output(documents: Plain[], operator: Operator, path: string | true): unknown {
  if (path === true) return documents.length
  const values = documents.map((document) => first(document, path))
  const known = values.filter((value) => value !== null).sort(compare)
  switch (operator) {
    case '$count':
      return known.length
    case '$min':
      return known[0] ?? null
    case '$max':
      return known.at(-1) ?? null
    case '$first':
      return values[0] ?? null
    case '$last':
      return values.at(-1) ?? null
    case '$sum':
    case '$avg': {
      const numbers = known.filter((value) => typeof value === 'number' || typeof value === 'bigint')
      return operator === '$sum' ? sum(numbers) : mean(numbers)
    }
  }
  const all = documents.flatMap((document) => reached(document, path).flatMap((value) => (Array.isArray(value) ? value : [value]))).sort(compare)
  const different = all.filter((value, n) => n === 0 || compare(value, all[n - 1]) !== 0)
  return operator === '$distinct' ? different : different.length
}

/** A whole number exactly, as long as 64 bits hold it; others up to what rounding may cost. */
function sum(numbers: (number | bigint)[]): unknown {
  const whole = numbers.every((x) => typeof x === 'bigint' || (Number.isInteger(x) && Math.abs(x) < 2 ** 63))
  const [exact, float] = totals(numbers)
  if (exact === undefined) return float
  if (!whole) return new About(float, tolerance(numbers, float))
  const integer = exact / unit
  if (integer < -(2n ** 63n) || integer >= 2n ** 64n) return float
  return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer
}

function mean(numbers: (number | bigint)[]): unknown {
  if (numbers.length === 0) return null
  const [exact, float] = totals(numbers)
  const result = float / numbers.length
  return exact === undefined ? result : new About(result, (tolerance(numbers, float) + Math.abs(float) * 2 ** -52) / numbers.length)
}

/** The sum in parts of a {@link unit}, undefined if one number is not finite; and the closest float. */
function totals(numbers: (number | bigint)[]): [exact: bigint | undefined, float: number] {
  if (numbers.some((x) => typeof x === 'number' && !Number.isFinite(x))) return [undefined, numbers.reduce<number>((sum, x) => sum + Number(x), 0)]
  const exact = numbers.reduce<bigint>((sum, x) => sum + (typeof x === 'bigint' ? x * unit : parts(x)), 0n)
  return [exact, Number(exact / unit) + Number(exact % unit) / 2 ** 100]
}

/** Fine enough for the fractions of values.ts: 1e-7 has its last bit at 2^-76. */
const unit = 2n ** 100n
const parts = (x: number) => (Number.isInteger(x) ? BigInt(x) * unit : BigInt(x * 2 ** 100))

/** What Neumaier's sum may be off by: one rounding of the result, and a second order of what was added. */
function tolerance(numbers: (number | bigint)[], sum: number): number {
  const magnitude = numbers.reduce<number>((sum, x) => sum + Math.abs(Number(x)), 0)
  return Math.abs(sum) * 2 ** -51 + numbers.length * magnitude * 2 ** -104
}

const first = (document: Plain, path: string) => reached(document, path)[0] ?? null

function put(row: Plain, [name, ...rest]: string[], value: unknown): void {
  if (rest.length === 0) row[name!] = value
  else put((row[name!] ??= {}) as Plain, rest, value)
}
