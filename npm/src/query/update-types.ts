import type { Collation, Stored, Value } from '../types.js'
import type { Absent, At, Deeper, HoldsNumber, NamedUpdatePath, PatternUpdatePath, Untold, UpdatePath } from './path-types.js'
import type { ElementFilter, FindOptions } from './types.js'
import type { Comparable } from './value-types.js'

// Types alone: what updates write. Nothing of this file is left in JavaScript.

/**
 * A change of a document: fields to merge, named by paths, or operators. For documents of type `T`, with their paths and
 * values alone; without it, any object.
 */
export type Update<T = any> = unknown extends T ? object : Absent | ByPath<T, 'set', keyof UpdateOperators> | (UpdateOperators<T> & NoFields<T>) | Untold<T, object>

/**
 * Nothing, if what a function has returned as `U` has only paths and operators of `T`. TypeScript looks for wrong names in
 * an object that is an argument, but not in one that a function returns.
 */
export type Exactly<T, U> = (U extends object ? { [K in WrongKeys<T, U>]: never } : unknown) | Untold<T, unknown>

type WrongKeys<T, U> = unknown extends T ? never : string extends keyof U ? never : Exclude<keyof U & string, UpdatePath<T> | keyof UpdateOperators>

/** What {@link Update} has too: in a generic function, the names that are no mistakes. */
export type NamedUpdate<T> = { [K in keyof T]?: T[K] | Untold<T, unknown> } & { [O in keyof UpdateOperators]?: Untold<T, unknown> }

/** Values by path. */
export type Merged<T = any> = unknown extends T ? object : ByPath<T, 'set'>

/**
 * What an operator takes, by path. The first of two types has no patterns: a pattern asks more of what is assigned than
 * its names, of an interface, and of a name that is known only when the program runs.
 *
 * @typeParam Without Names that are no paths.
 */
type ByPath<T, Operator, Without extends string = never> =
  | ByName<T, Operator, Without>
  | ([PatternUpdatePath<T>] extends [never] ? never : ByName<T, Operator, Without> & ByPattern<T, Operator>)

// One mapped type: TypeScript looks at all fields of an intersection before it uses it.
type ByName<T, Operator, Without extends string> = { readonly [P in NamedUpdatePath<T> | Without]?: P extends Without ? undefined : Operand<ValueAt<T, P>, Operator> }
type ByPattern<T, Operator> = { readonly [P in PatternUpdatePath<T>]?: Operand<P extends Deeper ? any : ValueAt<T, Numbered<P>>, Operator> }

/** A path in which $, $[] and $[name] are the number of an element. */
type Numbered<P extends string> = P extends `${infer K}.${infer Others}` ? `${Number<K>}.${Numbered<Others>}` : Number<P>
type Number<K extends string> = K extends '$' | `$[${string}]` ? '0' : K

type ValueAt<T, P extends string> = Exclude<At<Stored<T>, P>, undefined>

type Operand<V, Operator> = Operator extends 'set'
  ? V
  : Operator extends 'unset'
    ? unknown
    : Operator extends 'rename'
      ? string
      : Operator extends 'now'
      ? Extract<V, Date> extends never
        ? never
        : true | { readonly $type: 'date' }
      : Operator extends 'inc' | 'bit'
        ? HoldsNumber<V> extends true
          ? Operator extends 'bit'
            ? BitOperation
            : number | bigint
          : never
        : Operator extends 'limit'
          ? V extends number | bigint
            ? number | bigint
            : V
          : unknown extends V
            ? any
            : V extends readonly (infer E)[]
              ? OfArray<E, Operator>
              : never

/** What an operator takes that changes an array of `E`. */
type OfArray<E, Operator> = Operator extends 'push' ? Pushed<E> : Operator extends 'pull' ? Pulled<E> : Operator extends 'pop' ? 1 | -1 : Operator extends 'pullAll' ? readonly E[] : Added<E>

type NoFields<T> = { [K in Exclude<keyof Stored<T>, symbol | number | keyof UpdateOperators>]?: undefined }

/** Which of the documents that match a write changes, and what it resolves to. */
export interface UpdateOptions<T = any> {
  /** Default: 'default'. */
  collection?: string
  /**
   * Whether to add a document if none matches: of what the condition wants fields to be equal to, also inside $and, with
   * the change applied to it. Default false.
   */
  upsert?: boolean
  /** Whether to change all documents that match; if false, the first. Default true. */
  many?: boolean
  /** The order of the documents, as a find has it. Default: insertion order. */
  sort?: FindOptions<T>['sort']
  /**
   * Whether to resolve to the documents that match, instead of how many have changed: 'before', as they were, 'after' or
   * true, as they are then. With `many: false` to the document itself, or undefined. Default false.
   */
  returnDocuments?: boolean | 'before' | 'after'
  /**
   * What `$[name]` in a path stands for: the elements that the filter of that name holds for. With `[{ 'x.price': { $gt: 5
   * } }]`, `'orders.$[x].price'` is the price of each such order.
   */
  arrayFilters?: readonly Record<string, any>[]
  /** How texts compare, in the condition and in `sort`; the change itself compares by code points. Default: by code points. */
  collation?: Collation
}

/** The options with which a write resolves to how many documents it has changed. */
export interface NumberOptions {
  returnDocuments?: false
}

/** Those with which it resolves to the documents that match. */
export interface DocumentsOptions {
  many?: true
  returnDocuments: true | 'before' | 'after'
}

/** Those with which it resolves to the one document. */
export interface DocumentOptions {
  many: false
  returnDocuments: true | 'before' | 'after'
}

/** The operators of an update, each with fields by path: `{ $inc: { 'stock.count': -1 } }`. */
export interface UpdateOperators<T = any> {
  /** Values to store. */
  $set?: Merged<T>
  /** Fields to remove; their values do not count. */
  $unset?: unknown extends T ? object : ByPath<T, 'unset'>
  /** Numbers to add. */
  $inc?: unknown extends T ? { readonly [path: string]: number | bigint } : ByPath<T, 'inc'>
  /** Numbers to multiply by. A field that is not there becomes 0. */
  $mul?: unknown extends T ? { readonly [path: string]: number | bigint } : ByPath<T, 'inc'>
  /** Bits to combine with those of an integer. A field that is not there counts as 0. */
  $bit?: unknown extends T ? { readonly [path: string]: BitOperation } : ByPath<T, 'bit'>
  /** Values to store if they are lower. */
  $min?: unknown extends T ? object : ByPath<T, 'limit'>
  /** Values to store if they are higher. */
  $max?: unknown extends T ? object : ByPath<T, 'limit'>
  /** Elements to add to arrays: one, or several as `{ $each: [1, 2] }`, with $position, $sort and $slice. */
  $push?: unknown extends T ? object : ByPath<T, 'push'>
  /** Elements to add to arrays that lack them: one, or several as `{ $each: [1, 2] }`. */
  $addToSet?: unknown extends T ? object : ByPath<T, 'add'>
  /** 1 removes the last element of an array, -1 the first. */
  $pop?: unknown extends T ? { readonly [path: string]: 1 | -1 } : ByPath<T, 'pop'>
  /** Elements to remove from arrays: all that equal one of these. */
  $pullAll?: unknown extends T ? { readonly [path: string]: readonly unknown[] } : ByPath<T, 'pullAll'>
  /** Elements to remove from arrays: all that equal the value, or match the condition. */
  $pull?: unknown extends T ? object : ByPath<T, 'pull'>
  /** Fields to set to the time of the call, by the clock of the host: true, or `{ $type: 'date' }`. */
  $currentDate?: unknown extends T ? { readonly [path: string]: true | { readonly $type: 'date' } } : ByPath<T, 'now'>
  /** Values to store in a document that `upsert` adds. */
  $setOnInsert?: Merged<T>
  /** New paths of fields. */
  $rename?: unknown extends T ? { readonly [path: string]: string } : ByPath<T, 'rename'>
}

/** What $push adds. */
export type Pushed<E> = unknown extends E ? any : E | PushOperators<E>

/** What $addToSet adds. */
export type Added<E> = unknown extends E ? any : E | { $each: readonly E[] }

/** What $bit does: one of the three. */
export type BitOperation = { readonly and: number | bigint } | { readonly or: number | bigint } | { readonly xor: number | bigint }

/** Several elements to add, where, and what stays. */
export interface PushOperators<E = Value> {
  $each: readonly E[]
  /** Before which element; negative: from the end. Default: at the end. */
  $position?: number
  /** How many elements stay: the first, or if negative the last. Default: all. */
  $slice?: number
  /** In which order the elements are then: of their values, or of those at paths of theirs. */
  $sort?: 1 | -1 | { readonly [path: string]: 1 | -1 }
}

/** What $pull removes. */
export type Pulled<E> = unknown extends E ? any : Comparable<E> | ElementFilter<E>
