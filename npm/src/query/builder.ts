import { takenList } from '../checks.js'
import { Condition, nodeOf, operand } from './condition.js'
import { describe, invalid, readingError } from '../errors.js'
import type { Node } from './node.js'
import { isRegExp, patternOf } from '../msgpack/regexp.js'
import { operators, types, type Operator } from './operators.js'
import { joinedNames } from './paths.js'
import type { FieldOps, QueryBuilder } from './types.js'

/**
 * A builder. Its properties are fields, and the properties of a field are the
 * fields below it. A property that is called is an operator, so a field may
 * have an operator's name: in `q.type.eq('a')`, `q.type` is a field, and in
 * `q.type('str')` it is not.
 */
export function queryBuilder<T>(): QueryBuilder<T> {
  return fieldAt('', undefined) as unknown as QueryBuilder<T>
}

/** Whether `value` is a field of a builder: a condition that lacks its operator. */
export function isField(value: unknown): boolean {
  return typeof value === 'function' && (value as { [field]?: unknown })[field] === true
}

/** A property that fields alone have. Asking for it takes less than keeping a WeakSet of them. */
const field = Symbol('field')

/** @param owner The field above `path`: if `path` is called, it is an operator on `owner`. */
function fieldAt(path: string, owner: string | undefined): object {
  // A function, so that the proxy can be called. An arrow function has no property that a proxy must show.
  return new Proxy(() => {}, new Field(path, owner))
}

class Field implements ProxyHandler<() => void> {
  constructor(
    private readonly path: string,
    private readonly owner: string | undefined,
  ) {}

  get(_: unknown, name: string | symbol): unknown {
    // Symbols ask for behaviour, and await asks everything for `then`.
    if (typeof name === 'symbol') return name === field || undefined
    return name === 'then' ? undefined : fieldAt(below(this.path, name), this.path)
  }

  apply(_: unknown, __: unknown, operands: unknown[]): unknown {
    const { path, owner } = this
    if (owner === undefined) throw invalid('a query builder is not a function: write q.field(path)')
    const name = path.slice(owner === '' ? 0 : owner.length + 1)
    const call = `${owner === '' ? 'q' : owner}.${name}`
    try {
      if (Object.hasOwn(operators, name)) return condition(owner, name as Operator, operands, call)
      if (name === 'field') return fieldAt(below(owner, fieldPath(call, operands[0])), undefined)
    } catch (error) {
      throw readingError(call, error)
    }
    const known: (keyof FieldOps)[] = Object.keys(operators) as Operator[]
    throw invalid(`there is no operator ${name}; the operators are ${known.join(', ')}, field`)
  }
}

/** A path as text, or as the array of its names. */
function fieldPath(call: string, path: unknown): string {
  return Array.isArray(path) ? joinedNames(takenList(`${call}: path`, path)) : text(`${call}: path`, path, 'a field path')
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** @param call What was called, for messages: "age.gte". */
function condition(path: string, name: Operator, operands: unknown[], call: string): Condition {
  if (operators[name][0] === 'condition') {
    const element = elementCondition(operands[0], call)
    return new Condition([name, path, element.node] as unknown as Node, element.depth + 1)
  }
  return new Condition([name, path, ...read[operators[name][0]](operands, call)] as unknown as Node)
}

/** Checks the operands of a call, and copies them. */
const read: Record<Exclude<(typeof operators)[Operator][0], 'condition'>, (operands: unknown[], call: string) => unknown[]> = {
  value: ([value], call) => {
    if (isField(value)) throw invalid(`${call}: value: expected a value, not a field: fields cannot be compared with each other`)
    return [operand(`${call}: value`, value)]
  },
  ends: ([low, high], call) => [operand(`${call}: low`, low), operand(`${call}: high`, high)],
  list: ([values], call) => {
    if (!Array.isArray(values)) throw invalid(`${call}: values: expected an array, not ${describe(values)}`)
    return [operand(`${call}: values`, values)]
  },
  text: ([value], call) => [text(call, value)],
  pattern: ([pattern], call) => {
    if (isRegExp(pattern)) return [patternOf(pattern)]
    return [text(`${call}: pattern`, pattern, 'a regular expression')]
  },
  yes: (operands, call) => {
    const yes = operands.length === 0 || operands[0]
    if (typeof yes !== 'boolean') throw invalid(`${call}: yes: expected true or false, not ${describe(yes)}`)
    return [yes]
  },
  type: ([name], call) => {
    if (!types.includes(name as string)) throw invalid(`${call}: name: expected one of ${types.join(', ')}, not ${describe(name)}`)
    return [name]
  },
  size: ([length], call) => {
    const whole = typeof length === 'number' && length >= 0 && (length | 0) === length
    if (!whole) throw invalid(`${call}: length: expected a whole number of elements, not ${describe(length)}`)
    return [length]
  },
}

function elementCondition(of: unknown, call: string): Condition {
  if (typeof of !== 'function' || isField(of)) throw invalid(`${call}: condition: expected a function of the element, not ${describe(of)}`)
  const condition: unknown = of(queryBuilder())
  nodeOf(call, condition)
  return condition as Condition
}

function text(name: string, value: unknown, what = 'text'): string {
  if (typeof value !== 'string') throw invalid(`${name}: expected ${what}, not ${describe(value)}`)
  return operand(name, value) as string
}
