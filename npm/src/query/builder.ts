import { Condition, nodeOf, operand } from './condition.js'
import { describe, invalid } from '../errors.js'
import type { Comparison, Node } from './node.js'
import { patternOf } from '../msgpack/regexp.js'
import type { QueryBuilder } from './types.js'

/**
 * A builder whose properties are fields, theirs the fields below them, and so
 * on. What is called is an operator, so a field may have an operator's name:
 * in `q.type.eq('a')`, `q.type` is a field, and in `q.type('str')` it is not.
 */
export function queryBuilder<T>(): QueryBuilder<T> {
  return fieldAt('', undefined) as unknown as QueryBuilder<T>
}

/** Whether `value` is a field of a builder, so a condition without its operator. */
export function isField(value: unknown): boolean {
  return typeof value === 'function' && (value as { [field]?: unknown })[field] === true
}

/** What every field has, and nothing else: asking takes less than keeping a WeakSet of them. */
const field = Symbol('field')

/** @param owner Path of the field that `path` is an operator of, if it is called. */
function fieldAt(path: string, owner: string | undefined): object {
  // A function, so that the proxy can be called; an arrow has no property that a proxy may not hide.
  return new Proxy(() => {}, new Field(path, owner))
}

class Field implements ProxyHandler<() => void> {
  constructor(
    private readonly path: string,
    private readonly owner: string | undefined,
  ) {}

  get(_: unknown, name: string | symbol): unknown {
    // Symbols ask for behaviour, and `then` is asked of all that is awaited.
    if (typeof name === 'symbol') return name === field || undefined
    return name === 'then' ? undefined : fieldAt(below(this.path, name), this.path)
  }

  apply(_: unknown, __: unknown, operands: unknown[]): unknown {
    const { path, owner } = this
    if (owner === undefined) throw invalid('a query builder is not a function: write q.field(path)')
    const name = path.slice(owner === '' ? 0 : owner.length + 1)
    const operator = operators[name]
    if (!operator) throw invalid(`there is no operator ${name}; the operators are ${Object.keys(operators).join(', ')}`)
    return operator(owner, operands, `${owner === '' ? 'q' : owner}.${name}`)
  }
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** @param call What was called, for messages: "age.gte". */
type Operator = (path: string, operands: unknown[], call: string) => Condition | object

const operators: Record<string, Operator> = Object.assign(Object.create(null) as object, {
  eq: comparison('eq'),
  ne: comparison('ne'),
  gt: comparison('gt'),
  gte: comparison('gte'),
  lt: comparison('lt'),
  lte: comparison('lte'),
  contains: comparison('contains'),
  between: (path, [low, high], call) => new Condition(['between', path, operand(`${call}: low`, low), operand(`${call}: high`, high)]),
  in: list('in'),
  notIn: list('notIn'),
  startsWith: (path, [prefix], call) => new Condition(['startsWith', path, text(`${call}: prefix`, prefix)]),
  matches: (path, [pattern], call) => {
    if (Object.prototype.toString.call(pattern) === '[object RegExp]') return new Condition(['matches', path, patternOf(pattern as RegExp)])
    return new Condition(['matches', path, text(`${call}: pattern`, pattern, 'a regular expression')])
  },
  exists: (path, [yes = true], call) => {
    if (typeof yes !== 'boolean') throw invalid(`${call}: yes: expected true or false, not ${describe(yes)}`)
    return new Condition(['exists', path, yes])
  },
  type: (path, [name], call) => {
    if (!types.includes(name as string)) throw invalid(`${call}: name: expected one of ${types.join(', ')}, not ${describe(name)}`)
    return new Condition(['type', path, name as string])
  },
  size: (path, [length], call) => {
    const whole = typeof length === 'number' && length >= 0 && (length | 0) === length
    if (!whole) throw invalid(`${call}: length: expected a whole number of elements, not ${describe(length)}`)
    return new Condition(['size', path, length])
  },
  any: (path, [condition], call) => {
    if (typeof condition !== 'function' || isField(condition)) {
      throw invalid(`${call}: condition: expected a function of the element, not ${describe(condition)}`)
    }
    return new Condition(['any', path, nodeOf(call, condition(queryBuilder()))])
  },
  field: (path, [name], call) => fieldAt(below(path, text(`${call}: path`, name, 'a field path')), undefined),
} satisfies Record<string, Operator>)

const types = ['int', 'float', 'number', 'str', 'bool', 'list', 'dict', 'null', 'bytes', 'date']

function comparison(op: Comparison): Operator {
  return (path, [value], call) => {
    if (isField(value)) throw invalid(`${call}: value: expected a value, not a field: fields cannot be compared with each other`)
    return new Condition([op, path, operand(`${call}: value`, value)] as Node)
  }
}

function list(op: 'in' | 'notIn'): Operator {
  return (path, [values], call) => {
    if (!Array.isArray(values)) throw invalid(`${call}: values: expected an array, not ${describe(values)}`)
    return new Condition([op, path, operand(`${call}: values`, values) as unknown[]])
  }
}

function text(name: string, value: unknown, what = 'text'): string {
  if (typeof value !== 'string') throw invalid(`${name}: expected ${what}, not ${describe(value)}`)
  return operand(name, value) as string
}
