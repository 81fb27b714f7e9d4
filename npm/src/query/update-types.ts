import type { Stored, Value } from '../types.js'
import type { At, HoldsNumber, Open, Untold, UpdatePath } from './path-types.js'
import type { ElementFilter } from './types.js'
import type { Comparable } from './value-types.js'

// Types alone: what updates write. Nothing of this file is left in JavaScript.

/**
 * A change of a document: fields to merge, named by paths, or operators. For documents of type `T`, with their paths and
 * values alone; without it, any object.
 */
export type Update<T = any> = unknown extends T ? object : (Merged<T> & NoOperators) | (UpdateOperators<T> & NoFields<T>) | Untold<T, object>

/**
 * Nothing, if what a function has returned as `U` has only paths and operators of `T`. TypeScript looks for wrong names in
 * an object that is an argument, but not in one that a function returns.
 */
export type Exactly<T, U> = (U extends object ? { [K in WrongKeys<T, U>]: never } : unknown) | Untold<T, unknown>

type WrongKeys<T, U> = unknown extends T ? never : string extends keyof U ? never : Exclude<keyof U & string, UpdatePath<T> | keyof UpdateOperators>

/** What {@link Update} has too: in a generic function, the names that are no mistakes. */
export type NamedUpdate<T> = { [K in keyof T]?: T[K] | Untold<T, unknown> } & { [O in keyof UpdateOperators]?: Untold<T, unknown> }

/** Values by path. */
export type Merged<T = any> = unknown extends T ? object : ValuesOf<T>
type ValuesOf<T> = Open<{ [P in UpdatePath<T>]?: ValueAt<T, P> }>

type NoOperators = { [O in keyof UpdateOperators]?: undefined }
type NoFields<T> = { [K in Exclude<keyof Stored<T>, symbol | number | keyof UpdateOperators>]?: undefined }

/** The operators of an update, each with fields by path: `{ $inc: { 'stock.count': -1 } }`. */
export interface UpdateOperators<T = any> {
  /** Values to store. */
  $set?: Merged<T>
  /** Fields to remove; their values do not count. */
  $unset?: ByPath<T, unknown>
  /** Numbers to add. */
  $inc?: unknown extends T ? { readonly [path: string]: number | bigint } : Open<{ readonly [P in UpdatePath<T> as HoldsNumber<ValueAt<T, P>> extends true ? P : never]?: number | bigint }>
  /** Values to store if they are lower. */
  $min?: Limits<T>
  /** Values to store if they are higher. */
  $max?: Limits<T>
  /** Elements to add to arrays: one, or several as `{ $each: [1, 2] }`, with $position, $sort and $slice. */
  $push?: unknown extends T ? object : Open<{ readonly [P in UpdatePath<T> as HoldsArray<ValueAt<T, P>> extends true ? P : never]?: Pushed<ElementOf<ValueAt<T, P>>> }>
  /** Elements to remove from arrays: all that equal the value, or match the condition. */
  $pull?: unknown extends T ? object : Open<{ readonly [P in UpdatePath<T> as HoldsArray<ValueAt<T, P>> extends true ? P : never]?: Pulled<ElementOf<ValueAt<T, P>>> }>
  /** New paths of fields. */
  $rename?: ByPath<T, string>
}

type ByPath<T, A> = unknown extends T ? { readonly [path: string]: A } : Open<{ readonly [P in UpdatePath<T>]?: A }>
type Limits<T> = unknown extends T ? object : Open<{ readonly [P in UpdatePath<T>]?: Limit<ValueAt<T, P>> }>
type Limit<V> = V extends number | bigint ? number | bigint : V

type ValueAt<T, P extends string> = Exclude<At<Stored<T>, P>, undefined>
type HoldsArray<V> = unknown extends V ? true : true extends (V extends readonly unknown[] ? true : false) ? true : false
type ElementOf<V> = unknown extends V ? any : V extends readonly (infer E)[] ? E : never

/** What $push adds. */
export type Pushed<E> = unknown extends E ? any : E | PushOperators<E>

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
