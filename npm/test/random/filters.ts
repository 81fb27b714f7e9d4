import type { Random } from './random.js'
import { scalar, type Plain } from './values.js'

// Documents and filters on which AtomicDB and mingo agree. Where they do not,
// engine/query/MONGODB.md has a row that says why, and a test runs the row. Each
// thing not made here carries that row's name in brackets.

/** The paths of {@link fittedDocument}, by what a filter may ask there. */
const single = ['a', 'b', 'obj.x', 'obj.deep.z', 'items.0.n'] as const
const lists = ['tags', 'obj.y'] as const
const throughItems = ['items.n', 'items.s', 'items.in.k'] as const
/** Those at which a missing field is null to both [null and positions, null and elements]. */
const lacking = ['a', 'b', 'obj.x', 'obj.deep.z', 'tags', 'obj.y', 'obj', 'items', 'none', 'obj.none'] as const
const others = ['obj', 'items', 'tags.0', 'tags.1', 'none', 'obj.none'] as const

/** A document of known shape, each part of which may be missing or something else. */
export function fittedDocument(random: Random): Plain {
  const fields: Plain = {}
  const put = (name: string, make: () => unknown) => {
    if (!random.chance(0.85)) return
    fields[name] = random.chance(0.1) ? scalar(random) : make()
    const isLeaf = name === 'a' || name === 'b'
    if (!isLeaf && fields[name] instanceof Uint8Array) fields[name] = 'no bytes' // [positions in bytes]
  }
  put('a', () => scalarOrMap(random))
  put('b', () => scalarOrMap(random))
  put('tags', () => random.list(0, 4, () => scalarOrMap(random)))
  put('obj', () => partly(random, { x: () => scalarOrMap(random), y: () => random.list(0, 3, () => scalar(random)), deep: () => ({ z: scalar(random) }) }))
  // Only scalars and maps inside [values collected along a path]; only maps [elements that are no maps].
  fields.items = random.list(0, 3, () => partly(random, { n: () => scalar(random), s: () => scalar(random), in: () => ({ k: scalar(random) }) }))
  if (random.chance(0.2)) delete fields.items
  fields.matrix = random.list(0, 2, () => random.list(0, 2, () => scalar(random)))
  return fields
}

function partly(random: Random, makers: Record<string, () => unknown>): Plain {
  const fields: Plain = {}
  for (const [name, make] of Object.entries(makers)) if (random.chance(0.7)) fields[name] = make()
  return fields
}

/** A small map as a whole value, in either order of its keys. */
function scalarOrMap(random: Random): unknown {
  if (!random.chance(0.15)) return scalar(random)
  return random.pick([{}, { k: 1 }, { k: 1, m: 'a' }, { m: 'a', k: 1 }])
}

/** A filter with up to `depth` levels of $and, $or and $nor around its fields. */
export function filter(random: Random, depth: number): Plain {
  if (depth > 0 && random.chance(0.4)) {
    const kids = random.list(1, 3, () => filter(random, depth - 1))
    const joined = { [random.pick(['$and', '$or', '$nor'])]: kids }
    return random.chance(0.2) ? { ...field(random), ...joined } : joined
  }
  return random.chance(0.3) ? { ...field(random), ...field(random) } : field(random)
}

/** A condition on one field, or an expression about some. */
function field(random: Random): Plain {
  switch (random.int(0, 14)) {
    case 12:
      return { [random.pick(single)]: { $mod: [random.int(1, 4), random.int(-1, 2)], $type: 'int' } } // [$mod of a fraction]
    case 13:
      return { $expr: truth(random, 2) }
    case 14: {
      const mask = random.chance(0.5) ? random.int(0, 300) : random.list(1, 3, () => random.int(0, 9))
      return { [random.pick(['a', 'b', 'obj.x'])]: { [random.pick(['$bitsAllSet', '$bitsAnySet', '$bitsAllClear', '$bitsAnyClear'])]: mask, $type: 'int' } }
    }
    case 0:
      return type(random)
    case 1:
      return { [random.pick([...lists, 'matrix', 'a'])]: { $size: random.int(0, 3) } }
    case 2:
      // [$all of a value that is no array]
      return { tags: { $type: 'array', $all: random.list(1, 2, () => scalarOrMap(random)) } }
    case 3:
      return elemMatch(random)
    case 4:
      return { [anyPath(random)]: { $exists: random.chance(0.5) } }
    case 5:
      return { [random.pick(['matrix', 'matrix.0', 'items', 'tags'])]: random.list(0, 2, () => scalar(random)) } // equality with a whole array
    default: {
      const condition = leaf(random)
      return { [asksForNull(condition) ? random.pick(lacking) : anyPath(random)]: condition }
    }
  }
}

const anyPath = (random: Random) => random.pick([...single, ...single, ...lists, ...throughItems, ...others])

function leaf(random: Random): unknown {
  const condition = operators(random)
  if (!random.chance(0.15)) return condition
  return { $not: asOperators(condition) }
}

/** Where only operators may stand: not a value, but a regular expression. */
function asOperators(condition: unknown): object {
  const isOperators = condition instanceof RegExp || (typeof condition === 'object' && condition !== null && Object.keys(condition).some((key) => key.startsWith('$')))
  return isOperators ? (condition as object) : { $eq: condition }
}

function operators(random: Random): unknown {
  switch (random.int(0, 7)) {
    case 0:
      return scalarOrMap(random)
    case 1:
      return { [random.pick(['$eq', '$ne'])]: scalarOrMap(random) }
    case 2:
      // Scalars only [ranges of arrays, ranges of objects], and not null [null and ranges].
      return { [random.pick(['$gt', '$gte', '$lt', '$lte'])]: scalar(random) ?? 0 }
    case 3:
      return { $gte: scalar(random) ?? 0, [random.pick(['$lt', '$lte'])]: scalar(random) ?? 0 }
    case 7:
      return { $gte: scalar(random) ?? 0, $ne: scalar(random) }
    case 4:
      return { [random.pick(['$in', '$nin'])]: random.list(0, 4, () => scalarOrMap(random)) } // [$in with an array]
    case 5:
      return pattern(random)
    default:
      return { $regex: random.pick(patternsOfHalves), $options: random.pick(['', 'i', 'm', 's', 'im']) }
  }
}

// Both dialects have these and mean the same [patterns are RE2].
const patterns = ['a', '^a', 'b$', '^ab?c*$', 'A', '^[a-z]+$', '[^a-z]', '^.{2}$', 'é|ß', '\\d', '^\\w+ \\w+$', '^$', '\\$a', 'line$', '(?:o|0)$', '日.', 'e.b']
/** Without the flag u, JavaScript takes a character beyond U+FFFF for two [characters are whole]. */
const patternsOfHalves = patterns.filter((source) => !/\.|\[\^/.test(source))
const pattern = (random: Random) => new RegExp(random.pick(patterns), random.pick(['u', 'iu', 'mu', 'su']))

/** An expression that is true or false, of values of one kind [order of kinds], which are there. */
function truth(random: Random, depth: number): unknown {
  const compare = () => random.pick(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'])
  if (depth > 0 && random.chance(0.4)) return random.chance(0.3) ? { $not: [truth(random, depth - 1)] } : { [random.pick(['$and', '$or'])]: random.list(1, 3, () => truth(random, depth - 1)) }
  switch (random.int(0, 3)) {
    case 0:
      return { [compare()]: [numeric(random, 2), numeric(random, 2)] }
    case 1:
      return { [compare()]: [text(random, 2), text(random, 2)] }
    case 2:
      return { $in: [numeric(random, 1), random.list(0, 3, () => random.int(-2, 9))] }
    default:
      return { $eq: [{ $cmp: [numeric(random, 1), numeric(random, 1)] }, random.int(-1, 1)] }
  }
}

/** A number: a field's, or 0 for another value, or worked out. */
function numeric(random: Random, depth: number): unknown {
  if (depth === 0 || random.chance(0.3)) return random.int(-3, 9)
  const kid = () => numeric(random, depth - 1)
  switch (random.int(0, 6)) {
    case 0: {
      const path = `$${random.pick(['a', 'b', 'obj.x', 'obj.deep.z'])}`
      return { $cond: [{ $and: [{ $gte: [path, -1e6] }, { $lte: [path, 1e6] }] }, { $floor: path }, 0] }
    }
    case 1:
      return { $strLenCP: text(random, depth - 1) }
    case 2:
    case 3:
      return { $size: { $ifNull: ['$matrix', []] } }
    case 4:
      return { [random.pick(['$abs', '$floor', '$ceil'])]: kid() }
    case 5:
      return { [random.pick(['$subtract', '$divide', '$mod'])]: [kid(), random.int(1, 5)] }
    default:
      return { [random.pick(['$add', '$multiply'])]: [kid(), kid()] }
  }
}

function text(random: Random, depth: number): unknown {
  if (depth === 0 || random.chance(0.4)) return random.pick(['', 'a', 'ab b', 'Oslo', 'é'])
  const kid = () => text(random, depth - 1)
  switch (random.int(0, 2)) {
    case 0:
      return { $concat: [kid(), kid()] }
    case 1:
      return { [random.pick(['$toLower', '$toUpper'])]: kid() }
    default:
      return { $substrCP: [kid(), random.int(0, 2), random.int(0, 3)] }
  }
}

function asksForNull(condition: unknown): boolean {
  if (condition === null) return true
  if (Array.isArray(condition)) return condition.some(asksForNull)
  if (typeof condition !== 'object' || condition instanceof Date || condition instanceof Uint8Array || condition instanceof RegExp) return false
  return Object.values(condition).some(asksForNull)
}

function type(random: Random): Plain {
  if (random.chance(0.3)) return { [random.pick([...lists, 'items', 'a'])]: { $type: 'array' } }
  // Only where no array can be [$type looks at elements]; no 'double' [integers and floats].
  const types = ['string', 'object', 'bool', 'date', 'null', 'number', 'int']
  return { [random.pick(single)]: { $type: random.chance(0.7) ? random.pick(types) : random.list(1, 3, () => random.pick(types)) } }
}

function elemMatch(random: Random): Plain {
  if (random.chance(0.5)) {
    const kids: Plain = {}
    for (const name of ['n', 's', 'in.k']) if (random.chance(0.5)) kids[name] = operators(random)
    return { items: { $elemMatch: Object.keys(kids).length > 0 ? kids : { n: scalar(random) ?? 0 } } }
  }
  const condition = asOperators(operators(random))
  return { [random.pick(['tags', 'matrix', 'obj.y'])]: { $elemMatch: condition instanceof RegExp ? { $regex: condition } : condition } }
}
