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

/**
 * No value. It comes first in unions of types with many paths: TypeScript looks for what tells the members of a union
 * apart, works out the type of each property of the first of them for that, and would do so for each path. First is what
 * was made first, and from TypeScript 7 on, what is first by name: so no type of those unions may come before `Absent`.
 */
export interface Absent {
  readonly [nothing]: never
}
declare const nothing: unique symbol

/** What no path goes into. */
export type Leaf = null | undefined | boolean | number | bigint | string | symbol | Date | Uint8Array | ((...args: any) => unknown)

/** How many names of a path are listed below the first one. What is deeper is free in filters and updates. */
type Depth = 3
type Less = [never, 0, 1, 2]

/**
 * Patterns of four and more names and positions: any value may be there. TypeScript works the types of patterns out at
 * once, other than those of names, which took a sixth of all work on a collection.
 */
export type Deeper = `${string}.${string}.${string}.${string}`

/** The paths of a document, through arrays to the fields of their elements, and to single elements by position. */
export type Path<T> = unknown extends T ? string : NamedPath<T> | PatternPath<T>

/** The paths that an update can write: the elements of an array have positions, or are meant by $, $[] and $[name]. */
export type UpdatePath<T> = unknown extends T ? string : NamedUpdatePath<T> | PatternUpdatePath<T>

/** The paths that consist of names: those that an editor suggests, and that stand in an error. */
export type NamedPath<T> = unknown extends T ? string : Names<Stored<T>, Depth, true>
export type NamedUpdatePath<T> = unknown extends T ? string : Names<Stored<T>, Depth, false>

/**
 * The others, as patterns: with positions, and with names that a record may have. What is deeper than {@link Depth}, or
 * below a field of any type, is one too: any value may be there.
 */
export type PatternPath<T> = unknown extends T ? never : Patterns<Stored<T>, Depth, true>
export type PatternUpdatePath<T> = unknown extends T ? never : Patterns<Stored<T>, Depth, false>

/** The same of an element of an array. */
export type NamedElementPath<E> = unknown extends E ? string : Names<E, Depth, true>
export type PatternElementPath<E> = unknown extends E ? never : Patterns<E, Depth, true>

// The names of one level are a single template, and only the fields that something is below of are looked at one by one:
// in a document of 30 fields this takes a fifth of the instantiations.

/** @typeParam Through Whether a path goes from an array into its elements without a position. */
type Names<V, D extends number, Through> = V extends Leaf
  ? never
  : V extends readonly (infer E)[]
    ? Through extends true
      ? NamesOfElement<E, D>
      : never
    : Own<V> | (D extends 0 ? never : { [K in Branches<V>]: NamesBelow<K, V[K], Less[D], Through> }[Branches<V>])
type NamesOfElement<E, D extends number> = E extends readonly unknown[] ? never : Names<E, D, true>
type NamesBelow<K extends string | number, V, D extends number, Through> = unknown extends V ? never : `${K}.${Names<V, D, Through>}`

/** The names of an object itself; none of what stands for any name. */
type Own<V> = string extends keyof V ? never : `${number extends keyof V ? Exclude<keyof V, number | symbol> : keyof V & (string | number)}`

/** Those of them that a path goes on from. */
type Branches<V> = string extends keyof V ? never : number extends keyof V ? Branching<V, Exclude<keyof V, number | symbol>> : Branching<V, keyof V & (string | number)>
type Branching<V, Names extends keyof V> = { [K in Names]-?: V[K] extends Leaf ? never : K }[Names] & (string | number)

type Patterns<V, D extends number, Through> = V extends Leaf
  ? never
  : V extends readonly (infer E)[]
    ? Position<Through> | PatternsOfValue<E, D, Through> | (Through extends true ? PatternsOfElement<E, D> : never)
    : [keyof V] extends [never]
      ? string
      : string extends keyof V
        ? string
        :
            | (number extends keyof V ? `${number}` | PatternsOfValue<V[number & keyof V], D, Through> : never)
            | (D extends 0 ? `${Branches<V>}.${string}` : { [K in Branches<V>]: PatternsBelow<K, V[K], Less[D], Through> }[Branches<V>])
type PatternsOfElement<E, D extends number> = E extends readonly unknown[] ? never : Patterns<E, D, true>
type PatternsOfValue<V, D extends number, Through> = unknown extends V
  ? `${Position<Through>}.${string}`
  : V extends Leaf
    ? never
    : D extends 0
      ? `${Position<Through>}.${string}`
      : `${Position<Through>}.${Names<V, Less[D], Through> | Patterns<V, Less[D], Through>}`
type Position<Through> = `${number}` | (Through extends true ? never : '$' | `$[${string}]`)
type PatternsBelow<K extends string | number, V, D extends number, Through> = unknown extends V ? `${K}.${string}` : `${K}.${Patterns<V, D, Through>}`

/** The type of what is at a path: of all values, if arrays lead there; never, if there is no such path. */
export type At<V, P extends string> = P extends `${infer K}.${infer Others}` ? Below<V, K, Others> : End<V, P>

/** What is at the path `Others` of the field `K`. */
type Below<V, K extends string, Others extends string> = unknown extends V
  ? any
  : V extends Leaf
    ? never
    : V extends readonly (infer E)[]
      ? (K extends `${number}` ? At<E, Others> : never) | (E extends readonly unknown[] ? never : Below<E, K, Others>)
      : K extends keyof V
        ? At<V[K], Others>
        : At<Unlisted<V, K>, Others>

/** What is at the last name of a path. */
type End<V, K extends string> = unknown extends V
  ? any
  : V extends Leaf
    ? never
    : V extends readonly (infer E)[]
      ? string extends K
        ? any
        : (K extends `${number}` ? E : never) | (E extends readonly unknown[] ? never : End<E, K>)
      : string extends K
        ? AtAny<K extends keyof V ? V[K] : any>
        : K extends keyof V
          ? V[K]
          : Unlisted<V, K>

/** The type of what is at any name, or at any path that goes on there. */
type AtAny<V> = [Exclude<V, Leaf>] extends [never] ? V : any

/** A field that is not among the names: a number, or any name where nothing is known of the fields. */
type Unlisted<V, K extends string> = K extends `${infer N extends number}` ? (N extends keyof V ? V[N] : [keyof V] extends [never] ? any : never) : [keyof V] extends [never] ? any : string extends K ? any : never

/** Those of the paths `P` that are none of `T`. A string that is known only when the program runs may be one. */
type Wrong<T, P extends string> = P extends string ? (string extends P ? never : [At<Stored<T>, P>] extends [never] ? P : never) : never

/** A path as an argument: what `P` was inferred as, if it is right; otherwise the paths that there are. */
export type PathArgument<T, P extends string> = [P] extends [never] ? NamedPath<T> : [Wrong<T, P>] extends [never] ? P : NamedPath<T> | Untold<T, string>

/** The same with a dash before it, or none. */
export type DashedArgument<T, P extends string> = [P] extends [never] ? Dashed<T> : [Wrong<T, Bare<P>>] extends [never] ? P : Dashed<T> | Untold<T, string>

type Dashed<T> = NamedPath<T> | `-${NamedPath<T>}`
type Bare<P extends string> = P extends `-${infer Path}` ? Path : P

/** The same for paths whose values are numbers. */
export type NumberArgument<T, P extends string> = [P] extends [never] ? NumberPath<T> : [WrongNumber<T, P>] extends [never] ? P : NumberPath<T> | Untold<T, string>

type WrongNumber<T, P extends string> = P extends string ? (string extends P ? never : HoldsNumber<At<Stored<T>, P>> extends true ? never : P) : never
type NumberPath<T> = { [K in keyof T]: HoldsNumber<T[K]> extends true ? K : never }[keyof T] & string

/** Whether a value may be a number, or an array with numbers. */
export type HoldsNumber<V> = unknown extends V ? true : true extends (V extends number | bigint ? true : V extends readonly (infer E)[] ? (E extends number | bigint ? true : false) : false) ? true : false
