import { and, not, or, type Condition as Built, type Field, type QueryBuilder } from '../../src/index.js'
import { meets } from './meaning.js'
import type { Random } from './random.js'
import { path, scalar, value } from './values.js'

/** A condition as data: what every spelling of it is made from. */
export type Condition =
  | ['and' | 'or', ...Condition[]]
  | ['not', Condition]
  | ['eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'contains', path: string, value: unknown]
  | ['between', path: string, low: unknown, high: unknown]
  | ['in' | 'notIn', path: string, values: unknown[]]
  | ['startsWith', path: string, prefix: string]
  | ['matches', path: string, pattern: RegExp]
  | ['mod', path: string, operands: [divisor: number, remainder: number]]
  | ['bitsAllSet' | 'bitsAnySet' | 'bitsAllClear' | 'bitsAnyClear', path: string, mask: number | number[]]
  | ['exists', path: string, yes: boolean]
  | ['type', path: string, name: string]
  | ['any', path: string, element: Condition]

const types = ['int', 'float', 'number', 'str', 'bool', 'list', 'dict', 'null', 'bytes', 'date']
// Both JavaScript's and RE2's, with one meaning; u makes JavaScript see whole characters.
const patterns = [/^a/u, /b$/u, /O.*O/iu, /^.$/u, /[^a-z]/u, /\d+/u, /^(?:ab|é)/u, /^$/u, /k$/mu, /e.b/su, /'/u]
const prefixes = ['', 'a', 'ab', 'it', '日', '1', '$']

/** A condition with up to `depth` levels of and, or, not and any around its leaves. */
export function condition(random: Random, depth: number, inAny = false): Condition {
  if (depth > 0 && random.chance(0.5)) {
    switch (random.int(0, 3)) {
      case 0:
        return ['not', condition(random, depth - 1, inAny)]
      case 1:
        return ['any', path(random), condition(random, depth - 1, true)]
      default:
        return [random.pick(['and', 'or'] as const), ...random.list(1, 3, () => condition(random, depth - 1, inAny))]
    }
  }
  // Inside any, no path is the element itself.
  return leaf(random, inAny && random.chance(0.4) ? '' : path(random))
}

function leaf(random: Random, path: string): Condition {
  const operand = () => (random.chance(0.7) ? scalar(random) : value(random, 2))
  switch (random.int(0, 13)) {
    case 12:
      return ['mod', path, [random.int(1, 4), random.int(-1, 2)]]
    case 13: {
      const mask = random.chance(0.5) ? random.int(0, 300) : random.list(0, 3, () => random.int(0, 9))
      return [random.pick(['bitsAllSet', 'bitsAnySet', 'bitsAllClear', 'bitsAnyClear'] as const), path, mask]
    }
    case 0:
      return ['between', path, operand(), operand()]
    case 1:
      return [random.pick(['in', 'notIn'] as const), path, random.list(0, 4, operand)]
    case 2:
      return ['startsWith', path, random.pick(prefixes)]
    case 3:
      return ['matches', path, random.pick(patterns)]
    case 4:
      return ['exists', path, random.chance(0.5)]
    case 5:
      return ['type', path, random.pick(types)]
    case 6:
      return ['contains', path, operand()]
    case 7:
    case 8:
      return [random.pick(['eq', 'ne'] as const), path, operand()]
    default:
      return [random.pick(['gt', 'gte', 'lt', 'lte'] as const), path, operand()]
  }
}

/** The same condition, made with a builder. The random numbers choose between two ways to say one thing. */
export function built(q: QueryBuilder, condition: Condition, random: Random): Built {
  switch (condition[0]) {
    case 'and':
    case 'or': {
      const kids = condition.slice(1).map((kid) => built(q, kid as Condition, random))
      if (random.chance(0.5)) return (condition[0] === 'and' ? and : or)(...kids)
      const [first, ...others] = kids as [Built, ...Built[]]
      return first[condition[0]](...others)
    }
    case 'not':
      return random.chance(0.5) ? not(built(q, condition[1], random)) : built(q, condition[1], random).not()
    case 'any':
      return fieldAt(q, condition[1], random).any((element) => built(element, condition[2], random))
  }
  const [operator, path, ...operands] = condition
  const field = fieldAt(q, path, random) as unknown as Record<string, (...operands: unknown[]) => Built>
  return field[operator]!(...operands)
}

function fieldAt(q: QueryBuilder, path: string, random: Random): Field {
  if (path === '') return q as unknown as Field // the element itself
  if (random.chance(0.5)) return q.field(path)
  return path.split('.').reduce((above, name) => (above as Record<string, unknown>)[name], q as unknown) as Field
}

/**
 * The same condition as a MongoDB-style filter; undefined where there is none:
 * for startsWith, contains, between, the element itself inside any, null, which
 * in a filter is a missing field too, and what holds for elements without fields.
 */
export function asFilter(condition: Condition): Record<string, unknown> | undefined {
  switch (condition[0]) {
    case 'and':
    case 'or': {
      const kids = condition.slice(1).map((kid) => asFilter(kid as Condition))
      return kids.includes(undefined) ? undefined : { [`$${condition[0]}`]: kids }
    }
    case 'not': {
      const kid = asFilter(condition[1])
      return kid && { $nor: [kid] }
    }
    case 'any': {
      const element = meets(null, condition[2]) ? undefined : asFilter(condition[2])
      return element && { [condition[1]]: { $elemMatch: element } }
    }
    case 'startsWith':
    case 'contains':
    case 'between':
      return undefined
  }
  const [operator, path, operand] = condition
  const names: Record<string, string> = { notIn: '$nin', matches: '$regex' }
  const isNull = operand === null || (Array.isArray(operand) && operator !== 'eq' && operator !== 'ne' && operand.includes(null))
  return path === '' || isNull ? undefined : { [path]: { [names[operator] ?? `$${operator}`]: operand } }
}
