import { decoded } from '../msgpack/decode.js'
import { encoding } from '../msgpack/encode.js'
import { describe, invalid, readingError } from '../errors.js'
import type { Node } from './node.js'
import { textOf } from './print.js'
import { isWellFormed } from '../msgpack/writer.js'

/**
 * Which documents a query is about, made by a {@link QueryBuilder}. Conditions
 * do not change: each method returns another one.
 */
export class Condition {
  /** @internal */
  readonly node: Node

  /** @internal How many conditions are inside one another, this one included. */
  readonly depth: number

  /** @internal */
  constructor(node: Node, depth = 1) {
    if (depth > maxConditionDepth) throw invalid(`a condition: expected at most ${maxConditionDepth} conditions inside one another`)
    this.node = node
    this.depth = depth
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

// Flat, because the engine limits how deep conditions nest, and `a.and(b).and(c)` in a loop is common.
function join(op: 'and' | 'or', conditions: Condition[]): Condition {
  const nodes: Node[] = []
  let depth = 1
  for (const condition of conditions) {
    const node = nodeOf(op, condition)
    const isSame = node[0] === op
    for (const kid of isSame ? (node.slice(1) as Node[]) : [node]) nodes.push(kid)
    depth = Math.max(depth, condition.depth + (isSame ? 0 : 1))
  }
  if (nodes.length === 0) return new Condition([op === 'and' ? 'true' : 'false'])
  if (nodes.length === 1) return new Condition(nodes[0]!, depth - 1)
  return new Condition([op, ...nodes], depth)
}

function isCondition(value: unknown): value is Condition {
  try {
    return value instanceof Condition
  } catch (error) {
    throw readingError('a condition', error)
  }
}

/** @internal The node of `condition`, which must be one. `op` is the call, for messages. */
export function nodeOf(op: string, condition: unknown): Node {
  if (isCondition(condition)) return condition.node
  throw invalid(`${op}: expected a condition from a query builder, not ${describe(condition)}`)
}

/** @internal A value for a node, checked and copied. */
export function operand(name: string, value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'string' && isWellFormed(value)) return value
  return decoded(encoding(name, (encoder) => encoder.operand(value, name).borrowed()))
}
