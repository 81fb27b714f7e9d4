import { decoded } from '../msgpack/decode.js'
import { encoding } from '../msgpack/encode.js'
import { isA } from '../checks.js'
import { describe, invalid } from '../errors.js'
import type { Node } from './node.js'
import { textOf } from './print.js'
import { isWellFormed } from '../msgpack/writer.js'

/**
 * Which documents a query is about, made by a {@link QueryBuilder}. Conditions
 * do not change: each method returns another one.
 */
export class Condition {
  // Declarations leave out what is internal: with a private member, no other type would be a condition.
  /** @internal */
  private made: Node | undefined
  /** @internal Of a condition whose node is not made yet: what it joins. */
  private parts: { readonly op: 'and' | 'or'; readonly conditions: readonly Condition[] } | undefined

  /** @internal How many conditions are inside one another, this one included. */
  readonly depth: number

  /** @internal */
  constructor(node: Node, depth = 1) {
    if (depth > maxConditionDepth) throw invalid(`a condition: expected at most ${maxConditionDepth} conditions inside one another`)
    this.made = node
    this.depth = depth
  }

  /** @internal `conditions` joined by `op`. They become one node when it is asked for: `a.or(b).or(c)` would copy all each time. */
  static joined(op: 'and' | 'or', conditions: readonly Condition[], depth: number): Condition {
    const condition = new Condition([op], depth)
    condition.made = undefined
    condition.parts = { op, conditions }
    return condition
  }

  /** @internal */
  get node(): Node {
    if (this.made) return this.made
    const { op, conditions } = this.parts!
    // Flat, because the engine limits how deep conditions nest, and `a.and(b).and(c)` in a loop is common.
    const node: unknown[] = [op]
    const left = [...conditions].reverse()
    for (let next; (next = left.pop()); ) {
      const within = next.parts
      if (within?.op === op) for (let i = within.conditions.length; i-- > 0; ) left.push(within.conditions[i]!)
      else node.push(next.node)
    }
    return (this.made = node as unknown as Node)
  }

  /** @internal Whether it joins conditions by `op`. */
  joins(op: string): boolean {
    return this.parts?.op === op
  }

  /** Holds where this condition and all the others hold. */
  and(...others: Condition[]): Condition {
    return join('and', [this, ...others])
  }

  /** Holds where this condition or one of the others holds. */
  or(...others: Condition[]): Condition {
    return join('or', [this, ...others])
  }

  /** Holds exactly where this condition does not. */
  not(): Condition {
    return not(this)
  }

  /** The condition as text. `search` and all other calls read it as the same condition. */
  toString(): string {
    return textOf(this.node)
  }
}

/** The engine takes no condition that is deeper; see engine/query/token. */
const maxConditionDepth = 100

/** Holds where all conditions hold; everywhere, if there are none. */
export function and(...all: Condition[]): Condition {
  return join('and', all)
}

/** Holds where one of the conditions holds; nowhere, if there are none. */
export function or(...any: Condition[]): Condition {
  return join('or', any)
}

/** Holds exactly where the condition does not. */
export function not(condition: Condition): Condition {
  return new Condition(['not', nodeOf('not', condition)], condition.depth + 1)
}

function join(op: 'and' | 'or', conditions: Condition[]): Condition {
  let depth = 1
  for (const condition of conditions) {
    checkCondition(op, condition)
    depth = Math.max(depth, condition.depth + (condition.joins(op) ? 0 : 1))
  }
  if (conditions.length === 0) return new Condition([op === 'and' ? 'true' : 'false'])
  if (conditions.length === 1) return conditions[0]!
  return Condition.joined(op, conditions.slice(), depth)
}

function isCondition(value: unknown): value is Condition {
  return isA('a condition', value, Condition)
}

/** @internal The node of `condition`, which must be one. `op` is the call, for messages. */
export function nodeOf(op: string, condition: unknown): Node {
  checkCondition(op, condition)
  return condition.node
}

function checkCondition(op: string, condition: unknown): asserts condition is Condition {
  if (!isCondition(condition)) throw invalid(`${op}: expected a condition from a query builder, not ${describe(condition)}`)
}

/** @internal A value for a node, checked and copied. */
export function operand(name: string, value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'string' && isWellFormed(value)) return value
  return decoded(encoding(name, (encoder) => encoder.operand(value, name).borrowed()))
}
