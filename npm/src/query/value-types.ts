import type { Value } from '../types.js'
import type { Leaf, Untold } from './path-types.js'

// Types alone: which values a field can be compared with. Nothing of this file is left in JavaScript.

/** What a field of type `V` can be equal to: such a value; for an array, also an element of it. */
export type Comparable<V> = (unknown extends V ? Value : Equal<V> | (V extends readonly (infer E)[] ? Equal<E> : never)) | Untold<V, Value>

/** A number of any size: what is stored as one compares with the other. */
type Equal<V> = V extends undefined
  ? never
  : V extends number
    ? number extends V
      ? number | bigint
      : V
    : V extends bigint
      ? bigint extends V
        ? number | bigint
        : V
      : Plain<V>

/** The same values as a type of its own, so that an interface fits where any object of values does. */
type Plain<V> = V extends Leaf
  ? V
  : V extends readonly (infer E)[]
    ? number extends V['length']
      ? V extends unknown[]
        ? Plain<E>[]
        : readonly Plain<E>[]
      : V
    : { [K in keyof V]: Plain<V[K]> }

/** What a field of type `V` can be above or below of. */
export type Ordered<V> = (unknown extends V ? Value : Ranged<V> | (V extends readonly (infer E)[] ? Ranged<E> : never)) | Untold<V, Value>

type Ranged<V> = V extends null | undefined ? never : V extends number | bigint ? number | bigint : V extends string ? string : Plain<V>

/** What a field of type `V` can contain: an element, or a part of a text. */
export type Contained<V> = (unknown extends V ? Value : V extends string ? string : V extends readonly (infer E)[] ? Comparable<E> : never) | Untold<V, Value>

/** `A` if a field of type `V` may hold a text, or texts. */
export type IfText<V, A> = (unknown extends V ? A : V extends string ? A : V extends readonly (infer E)[] ? (E extends string ? A : unknown extends E ? A : never) : never) | Untold<V, A>

/** `A` if a field of type `V` may hold an array. */
export type IfArray<V, A> = (unknown extends V ? A : V extends readonly unknown[] ? A : V extends Leaf ? never : [keyof V] extends [never] ? A : never) | Untold<V, A>
