import type { Stored } from '../types.js'

// Types alone: the paths of a document's type, and the types of the values there. Nothing of this file is left in
// JavaScript.

/**
 * `A` where the documents are of any type, and in functions that are generic
 * over them, where TypeScript knows too little of `T` to say what fits;
 * otherwise never.
 *
 * That it takes `A` while `T` is a type parameter rests on a rule of
 * TypeScript: what is assigned to a conditional type that cannot be resolved
 * yet has to fit the branches that are possible, and with `any` for `T` the
 * first is not.
 */
export type Untold<T, A> = [[0] extends [1 & T] ? true : never] extends [never] ? never : A

/** What no path goes into. */
export type Leaf = null | undefined | boolean | number | bigint | string | symbol | Date | Uint8Array | ((...args: any) => unknown)

/** How many names of a path are listed below the first one. What is deeper is free in filters and updates. */
type Depth = 3
type Less = [never, 0, 1, 2]

/** The paths of a document, through arrays to the fields of their elements, and to single elements by position. */
export type Path<T> = unknown extends T ? string : Listed<Stored<T>, Depth, true, string>

/** The paths that an update can write: the elements of an array have positions. */
export type UpdatePath<T> = unknown extends T ? string : Listed<Stored<T>, Depth, false, string>

/** The paths of an element of an array. */
export type ElementPath<E> = unknown extends E ? string : Listed<E, Depth, true, string>

/** The paths that an editor suggests, and that stand in an error: no pattern stands for those that are deeper. */
export type ShownPath<T> = unknown extends T ? string : Listed<Stored<T>, Depth, true, never>

/**
 * @typeParam Through Whether a path goes from an array into its elements without a position.
 * @typeParam Deeper What follows below the last level.
 */
type Listed<V, D extends number, Through, Deeper extends string> = V extends Leaf
  ? never
  : V extends readonly (infer E)[]
    ? Below<`${number}`, E, D, Through, Deeper> | (Through extends true ? (E extends readonly unknown[] ? never : Listed<E, D, Through, Deeper>) : never)
    : [keyof V] extends [never]
      ? string
      : { [K in keyof V & (string | number)]-?: Below<`${K}`, V[K], D, Through, Deeper> }[keyof V & (string | number)]

type Below<K extends string, V, D extends number, Through, Deeper extends string> =
  | K
  | (unknown extends V ? `${K}.${string}` : V extends Leaf ? never : D extends 0 ? `${K}.${Deeper}` : `${K}.${Listed<V, Less[D], Through, Deeper>}`)

/** The type of what is at a path: of all values, if arrays lead there; never, if there is no such path. */
export type At<V, P extends string> = unknown extends V
  ? any
  : V extends Leaf
    ? never
    : V extends readonly (infer E)[]
      ? AtPosition<E, P> | (E extends readonly unknown[] ? never : At<E, P>)
      : P extends `${infer K}.${infer Others}`
        ? At<Get<V, K>, Others>
        : string extends P
          ? AtAny<Get<V, P>>
          : Get<V, P>

/** The type of what is at any name, or at any path that goes on there. */
type AtAny<V> = [Exclude<V, Leaf>] extends [never] ? V : any

type AtPosition<E, P extends string> = P extends `${infer K}.${infer Others}` ? (K extends `${number}` ? At<E, Others> : never) : P extends `${number}` ? E : never

type Get<V, K extends string> = K extends keyof V
  ? V[K]
  : K extends `${infer N extends number}`
    ? N extends keyof V
      ? V[N]
      : [keyof V] extends [never]
        ? any
        : never
    : [keyof V] extends [never]
      ? any
      : string extends K
        ? any
        : never

/** Those of the paths `P` that are none of `T`. A string that is known only when the program runs may be one. */
type Wrong<T, P extends string> = P extends string ? (string extends P ? never : [At<Stored<T>, P>] extends [never] ? P : never) : never

/** A path as an argument: what `P` was inferred as, if it is right; otherwise the paths that there are. */
export type PathArgument<T, P extends string> = [P] extends [never] ? ShownPath<T> : [Wrong<T, P>] extends [never] ? P : ShownPath<T> | Untold<T, string>

/** The same with a dash before it, or none. */
export type DashedArgument<T, P extends string> = [P] extends [never] ? Dashed<T> : [Wrong<T, Bare<P>>] extends [never] ? P : Dashed<T> | Untold<T, string>

type Dashed<T> = ShownPath<T> | `-${ShownPath<T>}`
type Bare<P extends string> = P extends `-${infer Path}` ? Path : P

/** The same for paths whose values are numbers. */
export type NumberArgument<T, P extends string> = [P] extends [never] ? ShownPath<T> : [WrongNumber<T, P>] extends [never] ? P : NumberPath<T> | Untold<T, string>

type WrongNumber<T, P extends string> = P extends string ? (string extends P ? never : HoldsNumber<At<Stored<T>, P>> extends true ? never : P) : never
type NumberPath<T> = { [P in ShownPath<T>]: HoldsNumber<At<Stored<T>, P>> extends true ? P : never }[ShownPath<T>]

/** Whether a value may be a number, or an array with numbers. */
export type HoldsNumber<V> = unknown extends V ? true : true extends (V extends number | bigint ? true : V extends readonly (infer E)[] ? (E extends number | bigint ? true : false) : false) ? true : false

/**
 * Objects by path, whose type `M` also has patterns, such as `tags.${number}`. A pattern in a type asks more of what is
 * assigned than the names: of an interface, and of a name that is known only when the program runs. So they are left out
 * in the first of two types, which is what such an object fits.
 */
export type Open<M> = [Patterns<keyof M>] extends [never] ? M : Named<M> | M

type Named<M> = { [K in keyof M as K extends Patterns<K> ? never : K]: M[K] }
type Patterns<K> = K extends PropertyKey ? ({} extends Record<K, 1> ? K : never) : never
