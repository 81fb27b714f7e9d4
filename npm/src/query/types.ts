import type { Stored, Value } from '../types.js'
import type { Condition } from './condition.js'

/**
 * MongoDB-style: `{age: {$gte: 18}, 'address.city': 'Oslo'}`, with $eq $ne $gt
 * $gte $lt $lte $in $nin $exists $type $regex $size $all $elemMatch $not, and
 * $and $or $nor around them.
 */
export type Filter = Record<string, any>

/**
 * Which documents: a condition from the builder, text ("age >= 18 and name
 * matches '^J'"), a filter, or a function. A function sees every document, so
 * no index helps it; it must not be async and cannot call the database.
 */
export type Where<T = any> = Condition | string | ((document: Stored<T>) => boolean) | WhereFilter

/** A filter that is no field of a query builder with its operator forgotten. */
export type WhereFilter = Filter & { readonly eq?: FilterValue; readonly field?: FilterValue }
type FilterValue = Value | RegExp | undefined

export interface FindOptions {
  /** Default: 'default'. */
  collection?: string
  /**
   * Paths: 'name', ['-age', 'name'] with a dash for descending, or {age:
   * 'desc', name: 'asc'}. Documents without the field come first, in
   * descending order last. Default: insertion order.
   */
  sort?: string | string[] | Record<string, 'asc' | 'desc' | 1 | -1>
  /** Documents to pass over. Default 0. */
  skip?: number
  /** At most this many documents. Default: all. */
  limit?: number
  /** Field paths to return; `_id` always comes along. Default: whole documents. */
  fields?: string[]
  /** Not there yet: `unsupported`. */
  populate?: string[]
}

/**
 * Groups of documents and what each group has in common: {groupBy: 'city',
 * select: {n: {$count: true}, mean: {$avg: 'age'}}, having: {n: {$gt: 2}}}.
 */
export interface Aggregate<T = any> {
  /** Which documents to group. Default: all. */
  where?: Where<T>
  /**
   * Documents with the same values at these paths are one group; without any,
   * null counts as the value. Default: all documents are one group, also if
   * there are none.
   */
  groupBy?: string | string[]
  /** What each row holds besides the values of its group, by name. */
  select: Record<string, AggregateOutput>
  /** Which rows to return; its paths are those of a row: {n: {$gt: 2}}. Default: all. */
  having?: Filter | Condition | string
  /** As in {@link FindOptions}, but over the rows. Default: groups in the order of their first documents. */
  sort?: FindOptions['sort']
  /** Rows to pass over. Default 0. */
  skip?: number
  /** At most this many rows. Default: all. */
  limit?: number
}

/** One operator and the path that it is about. */
export interface AggregateOutput {
  /** How many documents: all of the group (true), or those whose value there is not null. */
  $count?: boolean | string
  /** The sum of the numbers there; 0 without any. Exact for whole numbers of 64 bits; for all others, rounding errors are compensated (Neumaier). */
  $sum?: string
  /** The mean of the numbers there; null without any. */
  $avg?: string
  /** The lowest value there, in the order of values; null without any. */
  $min?: string
  /** The highest value there, in the order of values; null without any. */
  $max?: string
  /** The value there of the group's first document, in insertion order; null if it has none. */
  $first?: string
  /** The value there of the group's last document, in insertion order; null if it has none. */
  $last?: string
  /** An array of the different values there, in the order of values. Of an array, its elements. */
  $distinct?: string
  /** How many different values there are, counted as in $distinct. */
  $countDistinct?: string
}

/**
 * Fields of a document by name, for conditions: `q.age.gte(18)`,
 * `q.address.city.eq('Oslo')`.
 */
export type QueryBuilder<T = any> = { [K in keyof T]-?: Field<T[K]> } & {
  /** A field by its path, for names that TypeScript does not know. */
  field(path: string): Field
}

/** A field: its operators, and the fields below it, which in an array are those of its elements. */
export type Field<V = any> = FieldOps<V> & (V extends object ? { [K in keyof V]-?: Field<V[K]> } : {}) & Reached<NonNullable<V>>

// Beside the fields themselves: those of any, of what may be missing, and of elements.
type Reached<V> = 0 extends 1 & V
  ? { [name: string]: any }
  : V extends readonly (infer E)[]
    ? Reached<NonNullable<E>>
    : V extends Date | Uint8Array
      ? {}
      : V extends object
        ? { [K in keyof V]-?: Field<V[K]> }
        : {}

/** An element of an array, as a condition sees it. */
type Element<V> = 0 extends 1 & V ? AnyElement : V extends readonly (infer E)[] ? Field<E> & QueryBuilder : AnyElement
type AnyElement = FieldOps & QueryBuilder & { [name: string]: any }

/**
 * The operators. A value and one of another type never compare, nor does a
 * missing field; where the field is an array, one element that compares is
 * enough.
 */
export interface FieldOps<V = any> {
  eq(value: Value): Condition
  /** The exact opposite of eq: also where the field is missing. */
  ne(value: Value): Condition
  gt(value: Value): Condition
  gte(value: Value): Condition
  lt(value: Value): Condition
  lte(value: Value): Condition
  /** One value from low to high, both included. */
  between(low: Value, high: Value): Condition
  /** Regular expression, RE2 syntax, anchored nowhere. */
  matches(pattern: string | RegExp): Condition
  startsWith(prefix: string): Condition
  in(values: readonly Value[]): Condition
  /** The exact opposite of in: also where the field is missing. */
  notIn(values: readonly Value[]): Condition
  /** An array has the element, or a string has the substring. */
  contains(value: Value): Condition
  /** @param yes Default true. */
  exists(yes?: boolean): Condition
  /** 'int' is a number that JavaScript holds as a safe integer, or a bigint. */
  type(name: 'int' | 'float' | 'number' | 'str' | 'bool' | 'list' | 'dict' | 'null' | 'bytes' | 'date'): Condition
  /** An array of exactly this many elements. */
  size(length: number): Condition
  /** Some element of an array satisfies the condition: `q.items.any((item) => item.price.gt(5))`, `q.scores.any((score) => score.gte(5))`. */
  any(condition: (element: Element<NonNullable<V>>) => Condition): Condition
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
