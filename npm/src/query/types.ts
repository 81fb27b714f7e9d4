import type { Collation, StopSignal, Stored, Value } from '../types.js'
import type { Condition } from './condition.js'
import type { Absent, At, DashedArgument, Deeper, Leaf, NamedElementPath, NamedPath, NumberArgument, Path, PathArgument, PatternElementPath, PatternPath, Untold } from './path-types.js'
import type { Comparable, Contained, IfArray, IfText, Ordered } from './value-types.js'

/**
 * MongoDB-style: `{age: {$gte: 18}, 'address.city': 'Oslo'}`, with $eq $ne $gt
 * $gte $lt $lte $in $nin $exists $type $regex $size $all $elemMatch $mod
 * $bitsAllSet $bitsAnySet $bitsAllClear $bitsAnyClear $not, $and $or $nor around
 * them, and $expr. $comment says nothing. null finds missing fields, too, as in MongoDB. Of
 * documents of type `T`, with their paths and values alone; without it, anything.
 */
export type Filter<T = any> = unknown extends T ? Record<string, any> : Absent | FilterOf<T> | Untold<T, Record<string, any>>

type FilterOf<T, Others extends string = never> = PathFilter<Stored<T>, NamedPath<T>, PatternPath<T>, Others>

/**
 * Conditions by path, all of which have to hold. A pattern in a type asks more of what is assigned than the names: of an
 * interface, and of a name that is known only when the program runs. So the first of two types has none.
 *
 * @typeParam Others Names that are no fields of a query builder.
 */
type PathFilter<V, P extends string, Patterns extends string, Others extends string = never> =
  | NamedFilter<V, P, Patterns, Others>
  | ([Patterns] extends [never] ? never : NamedFilter<V, P, Patterns, Others> & { [K in Patterns]?: K extends Deeper ? any : FilterValue<At<V, K>> })

// One mapped type: TypeScript looks at all fields of an intersection before it uses it.
type NamedFilter<V, P extends string, Patterns extends string, Others extends string> = {
  [K in P | Joint | '$expr' | '$comment' | Others]?: K extends Joint ? readonly PathFilter<V, P, Patterns>[] : K extends '$expr' | '$comment' ? any : K extends Others ? NoField : FilterValue<At<V, K>>
}

type Joint = '$and' | '$or' | '$nor'

/** What a filter says of one path: a value, or operators. */
export type FilterValue<V> = unknown extends V ? any : Comparable<V> | FilterOperators<V> | IfText<V, RegExp>

/** The operators of a filter, for a path whose values are of type `V`. */
export interface FilterOperators<V = any> {
  $eq?: Comparable<V>
  /** The exact opposite of $eq: also where the field is missing, unless the value is null. */
  $ne?: Comparable<V>
  $gt?: Ordered<V>
  $gte?: Ordered<V>
  $lt?: Ordered<V>
  $lte?: Ordered<V>
  $in?: readonly (Comparable<V> | IfText<V, RegExp>)[]
  /** The exact opposite of $in: also where the field is missing, unless null is among the values. */
  $nin?: readonly (Comparable<V> | IfText<V, RegExp>)[]
  /** All but false, 0 and null is true, as in MongoDB. */
  $exists?: boolean | number | null
  /** The builder's names of types, or MongoDB's names and numbers. */
  $type?: string | number | readonly (string | number)[]
  /** A regular expression, RE2 syntax, anchored nowhere. */
  $regex?: IfText<V, string | RegExp>
  /** Flags of $regex: i, m, s. */
  $options?: IfText<V, string>
  /** An array of exactly this many elements. */
  $size?: IfArray<V, number>
  /** An array that has all these elements. */
  $all?: readonly (Comparable<V> | ElementMatch<V>)[]
  /** Some element of an array meets this condition. */
  $elemMatch?: ElementMatch<V>['$elemMatch']
  /** A number that leaves this remainder: `[divisor, remainder]`. What is after the point does not count. */
  $mod?: readonly [divisor: number | bigint, remainder: number | bigint]
  /** An integer or bytes in which all these bits are set: a mask, or positions from 0 on. */
  $bitsAllSet?: BitMask
  /** One of these bits is set. */
  $bitsAnySet?: BitMask
  /** None of these bits is set. */
  $bitsAllClear?: BitMask
  /** One of these bits is not set. */
  $bitsAnyClear?: BitMask
  $not?: FilterOperators<V> | IfText<V, RegExp>
}

/** Bits of an integer or of bytes: an integer or bytes in which they are set, or their positions, from 0 on. */
export type BitMask = number | bigint | Uint8Array | readonly number[]

interface ElementMatch<V> {
  $elemMatch?: unknown extends V ? any : V extends readonly (infer E)[] ? ElementFilter<E> : never
}

/** A condition on an element of an array: of its fields, or of itself. */
export type ElementFilter<E> = unknown extends E ? any : E extends Leaf | readonly unknown[] ? FilterOperators<E> : PathFilter<E, NamedElementPath<E>, PatternElementPath<E>>

/**
 * Which documents: a condition from the builder, text ("age >= 18 and name
 * matches '^J'"), a filter, or a function. A function sees every document, so
 * no index helps it; it must not be async and cannot call the database.
 */
export type Where<T = any> = Condition | string | ((document: Stored<T>) => boolean) | JavaScriptFilter<T> | WhereFilter<T>

/** A function as a filter, as MongoDB writes it; the document is also `this`. It stands alone. */
export interface JavaScriptFilter<T = any> {
  $where: (this: Stored<T>, document: Stored<T>) => boolean
}

/** A filter that is no field of a query builder with its operator forgotten. */
export type WhereFilter<T = any> = unknown extends T ? Record<string, any> & { readonly eq?: NoField; readonly field?: NoField } : Absent | FilterOf<T, Exclude<'eq' | 'field' | '$where', keyof T>> | Untold<T, Record<string, any>>

/**
 * Conditions on the fields of `T` by name, which {@link Where} has too. In a function that is generic over the documents,
 * TypeScript sees here which names are no mistakes.
 */
export type Named<T> = { [K in keyof T]?: FilterValue<T[K]> | Untold<T, unknown> } & { _id?: FilterValue<Stored<T>['_id']> | Untold<T, unknown> }

type NoField = Value | RegExp | undefined

/**
 * How a query returns what it finds.
 *
 * @typeParam S @typeParam F What the calls infer, so that a path may also be a string that is known only when the
 * program runs.
 */
export interface FindOptions<T = any, S extends string = never, F extends string = never> {
  /** Default: 'default'. */
  collection?: string
  /**
   * Paths: 'name', ['-age', 'name'] with a dash for descending, or {age:
   * 'desc', name: 'asc'}. Documents without the field come first, in
   * descending order last. Of an array the least element counts, in descending
   * order the greatest. Default: insertion order.
   */
  sort?: DashedArgument<T, S> | readonly DashedArgument<T, S>[] | { readonly [P in Path<T>]?: Direction }
  /** Documents to pass over. Default 0. */
  skip?: number
  /** At most this many documents. Default: all. */
  limit?: number
  /**
   * Field paths to return; `_id` comes along unless '-_id' is among them. Or, each with a dash, paths to leave out:
   * `['-secret']`. Or MongoDB's projection, `{ name: 1 }` or `{ secret: 0 }`, which may have slices of arrays:
   * `{ comments: { $slice: -3 } }`. Default: whole documents.
   */
  fields?: readonly DashedArgument<T, F>[] | Projection<T>
  /** How texts compare, in the condition and in `sort`. Default: by their code points. */
  collation?: Collation
  /**
   * Names of relationships whose documents are put in place, each under the name of its relationship:
   * `['posts', 'posts.comments.author']`. All of it is one call of the engine. See `addRelationship`.
   */
  populate?: string[]
}

/** The options of a call that takes a condition and has no others. */
export interface MatchOptions {
  /** Default: 'default'. */
  collection?: string
  /** How texts compare in the condition; of `distinct` and `liveDistinct`, also which values are the same. Default: by their code points. */
  collation?: Collation
}

/**
 * What of a document is returned, as in MongoDB: 1 or true for fields to return, or 0 or false for those to leave out. A
 * slice goes with both, and alone: the first elements, the last, or `[skip, limit]`, whose skip counts from the end if
 * it is below 0. What is no array stays whole.
 */
export type Projection<T = any> = { readonly [P in Path<T>]?: 0 | 1 | boolean | { readonly $slice: number | readonly [skip: number, limit: number] } }

/** How to iterate: as a find, until a signal is aborted. */
export interface IterateOptions<T = any, S extends string = never, F extends string = never> extends FindOptions<T, S, F> {
  /** Aborted, it makes the iteration throw its reason. */
  signal?: StopSignal
}

type Direction = 'asc' | 'desc' | 1 | -1

/**
 * Groups of documents and what each group has in common: {groupBy: 'city',
 * select: {n: {$count: true}, mean: {$avg: 'age'}}, having: {n: {$gt: 2}}}.
 */
export interface Aggregate<T = any, G extends string = never, P extends string = never, N extends string = never> {
  /** Which documents to group. Default: all. */
  where?: Where<T>
  /**
   * Documents with the same values at these paths are one group; without any,
   * null counts as the value. Default: all documents are one group, also if
   * there are none.
   */
  groupBy?: PathArgument<T, G> | readonly PathArgument<T, G>[]
  /** What each row holds besides the values of its group, by name. */
  select: Record<string, AggregateOutput<T, P, N>>
  /** Which rows to return; its paths are those of a row: {n: {$gt: 2}}. Default: all. */
  having?: Filter | Condition | string
  /** As in {@link FindOptions}, but over the rows. Default: groups in the order of their first documents. */
  sort?: FindOptions['sort']
  /** Rows to pass over. Default 0. */
  skip?: number
  /** At most this many rows. Default: all. */
  limit?: number
  /**
   * How texts compare, in `where`, `groupBy`, `having` and `sort`, and in $min, $max, $distinct and $countDistinct. A group
   * shows the values of its first document. Default: by their code points.
   */
  collation?: Collation
}

/** One operator and the path that it is about. */
export interface AggregateOutput<T = any, P extends string = never, N extends string = never> {
  /** How many documents: all of the group (true), or those whose value there is not null. */
  $count?: boolean | PathArgument<T, P>
  /** The sum of the numbers there; 0 without any. Exact for whole numbers of 64 bits; for all others, rounding errors are compensated (Neumaier). */
  $sum?: NumberArgument<T, N>
  /** The mean of the numbers there; null without any. */
  $avg?: NumberArgument<T, N>
  /** The lowest value there, in the order of values; null without any. */
  $min?: PathArgument<T, P>
  /** The highest value there, in the order of values; null without any. */
  $max?: PathArgument<T, P>
  /** The value there of the group's first document, in insertion order; null if it has none. */
  $first?: PathArgument<T, P>
  /** The value there of the group's last document, in insertion order; null if it has none. */
  $last?: PathArgument<T, P>
  /** An array of the different values there, in the order of values. Of an array, its elements. */
  $distinct?: PathArgument<T, P>
  /** How many different values there are, counted as in $distinct. */
  $countDistinct?: PathArgument<T, P>
}

/**
 * Fields of a document by name, for conditions: `q.age.gte(18)`,
 * `q.address.city.eq('Oslo')`.
 */
export type QueryBuilder<T = any> = Fields<T> & (unknown extends T ? {} : { readonly _id: Field<Stored<T>['_id']> }) & {
  /** A field by its path, or by the names of its path, for names that TypeScript does not know: nothing is checked. */
  field(path: string | readonly string[]): Field
}

/** A field: its operators, and the fields below it, which in an array are those of its elements. */
export type Field<V = any> = FieldOps<V> & Positions<NonNullable<V>> & Reached<NonNullable<V>>

/**
 * Fields by name. Of a union, those of all its members, each with all the types that it has there. The first half keeps
 * what is written about the fields in the type of the documents.
 */
type Fields<V, All = V> = V extends unknown
  ? { [K in keyof V]-?: Field<ValueOf<All, K>> } & { [K in Exclude<KeysOf<All>, keyof V>]: Field<ValueOf<All, K>> }
  : never

type KeysOf<V> = V extends unknown ? keyof V : never
type ValueOf<V, K> = 0 extends 1 & V ? any : V extends unknown ? (K extends keyof V ? Exclude<V[K], undefined> : never) : never

// Elements by position, and what dates and bytes have.
type Positions<V> = unknown extends V
  ? {}
  : V extends readonly (infer E)[]
  ? number extends V['length']
    ? Field<E>[]
    : { [K in keyof V]-?: Field<V[K]> }
  : V extends Date | Uint8Array
    ? { [K in keyof V]-?: Field<V[K]> }
    : {}

// The fields of any, of objects, and of the elements of arrays.
type Reached<V> = 0 extends 1 & V ? { [name: string]: any } : unknown extends V ? { [name: string]: any } : ReachedIn<Exclude<V, Leaf>>
type ReachedIn<V> = Below<Exclude<V, readonly unknown[]>> & Elements<Extract<V, readonly unknown[]>>
type Below<V> = [V] extends [never] ? {} : [keyof V] extends [never] ? { [name: string]: any } : Fields<V>
type Elements<V extends readonly unknown[]> = [V] extends [never] ? {} : Reached<NonNullable<Exclude<V[number], readonly unknown[]>>>

/** An element of an array, as a condition sees it. */
type Element<V> = unknown extends V ? AnyElement : V extends readonly (infer E)[] ? Field<E> & { field(path: string | readonly string[]): Field } : AnyElement
type AnyElement = FieldOps & QueryBuilder & { [name: string]: any }

/**
 * The operators. A value and one of another type never compare, nor does a
 * missing field; where the field is an array, one element that compares is
 * enough.
 */
export interface FieldOps<V = any> {
  /** `eq(null)` finds stored nulls alone; a filter's `{a: null}` finds missing fields, too: `q.a.eq(null).or(q.a.exists(false))`. */
  eq(value: Comparable<V>): Condition
  /** The exact opposite of eq: also where the field is missing. */
  ne(value: Comparable<V>): Condition
  gt(value: Ordered<V>): Condition
  gte(value: Ordered<V>): Condition
  lt(value: Ordered<V>): Condition
  lte(value: Ordered<V>): Condition
  /** One value from low to high, both included. */
  between(low: Ordered<V>, high: Ordered<V>): Condition
  /** Regular expression, RE2 syntax, anchored nowhere. */
  matches(pattern: IfText<V, string | RegExp>): Condition
  startsWith(prefix: IfText<V, string>): Condition
  in(values: readonly Comparable<V>[]): Condition
  /** The exact opposite of in: also where the field is missing. */
  notIn(values: readonly Comparable<V>[]): Condition
  /** An array has the element, or a string has the substring. */
  contains(value: Contained<V>): Condition
  /** @param yes Default true. */
  exists(yes?: boolean): Condition
  /** 'int' is a number that JavaScript holds as a safe integer, or a bigint. */
  type(name: 'int' | 'float' | 'number' | 'str' | 'bool' | 'list' | 'dict' | 'null' | 'bytes' | 'date'): Condition
  /** A number that leaves this remainder: `mod([4, 1])`. What is after the point does not count. */
  mod(divisorAndRemainder: readonly [divisor: number | bigint, remainder: number | bigint]): Condition
  /** An integer or bytes in which all bits of a mask are set: an integer, bytes, or positions from 0 on. */
  bitsAllSet(mask: BitMask): Condition
  /** One of the bits is set. */
  bitsAnySet(mask: BitMask): Condition
  /** None of the bits is set. */
  bitsAllClear(mask: BitMask): Condition
  /** One of the bits is not set. */
  bitsAnyClear(mask: BitMask): Condition
  /** An array of exactly this many elements. */
  size(length: IfArray<V, number>): Condition
  /** Some element of an array satisfies the condition: `q.items.any((item) => item.price.gt(5))`, `q.scores.any((score) => score.gte(5))`. */
  any(condition: IfArray<V, (element: Element<NonNullable<V>>) => Condition>): Condition
  any(condition: IfArray<V, (element: QueryBuilder) => Condition>): Condition
}

/** How a query would run. */
export interface Plan {
  text: string
  /** The paths of the index that is used, of all of them one after the other if there are several; null for none. */
  index: string[] | null
  /** Documents, entries of an index or values of a column looked at. */
  examined: number
  returned: number
  /** Microseconds that the query and its explanation took. */
  micros: number
  /** The parts of the condition that ask about one path each, from left to right. */
  leaves: PlanLeaf[]
}

/** A part of a condition, and how it was answered. */
export interface PlanLeaf {
  /** As text conditions write it: `age > 18`. */
  condition: string
  /** `id`, `index(country, age)`, `column(age)`, `document`, or `none` if nothing had to answer it. */
  by: string
  /** How many documents were expected to meet it: by the index, of all it answers together; else by a sample. */
  estimate: number
  /** How many documents meet it. */
  actual: number
}
