import type { Condition } from './query/condition.js'
import type { ErrorCode } from './errors.js'
import type { SecurityManager } from './security/security-manager.js'

/** An id: the document's own `_id`, or an integer from 1 given by the engine. */
export type Id = string | number

/** JSON values, and what MessagePack adds: Date, bigint (64 bits), Uint8Array. */
export type Value = null | boolean | number | bigint | string | Date | Uint8Array | Value[] | { [key: string]: Value }

/** A document as stored. */
export type Stored<T> = T & { _id: Id }

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
export type Field<V = any> = FieldOps & (V extends object ? { [K in keyof V]-?: Field<V[K]> } : {}) & Reached<NonNullable<V>>

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

/**
 * The operators. A value and one of another type never compare, nor does a
 * missing field; where the field is an array, one element that compares is
 * enough.
 */
export interface FieldOps {
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
  any(condition: (element: QueryBuilder & FieldOps) => Condition): Condition
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

export interface IndexOptions {
  /** Default: 'default'. */
  collection?: string
  /** Whether to refuse a second document with the same values. Default false. */
  unique?: boolean
  /** Whether to hold only documents that have every path. Default false. */
  sparse?: boolean
}

/** JSON Schema, draft 2020-12. */
export type JSONSchema = Record<string, any>

export interface OpenOptions {
  /** Where the database lives. Default: IndexedDB where there is one, as in browsers; else memory. */
  storage?: StorageBackend
  /**
   * Whether to keep everything in memory. A storage is then read when the
   * database is opened, and written by commit() only: what is not committed
   * is lost when the database is closed. Default false.
   */
  inMemory?: boolean
  /** 'strict': a write resolves once it survives a power cut; 'relaxed': once the storage has accepted it. Default 'relaxed'. */
  durability?: 'relaxed' | 'strict'
  /**
   * Whether to ask the browser not to delete what the site has stored when the
   * disk gets full. It may ask the user, or refuse: navigator.storage.persisted()
   * tells. Default false.
   */
  persist?: boolean
  /**
   * Whether the engine runs in a thread of its own, a Web Worker or in Node one
   * of worker_threads, so that a long query holds up nothing else. Each call
   * then takes a message there and one back. Default false.
   */
  worker?: boolean
  /**
   * Where the engine's wasm comes from: Cloudflare Workers pass the imported
   * module. Default: atomicdb.wasm beside this file. There is one engine in a
   * page or isolate, so only the first open() loads it.
   */
  wasm?: WebAssembly.Module | BufferSource | Response | URL | string
  /** Larger documents are refused as `invalid`: bytes of MessagePack, at most 1 GiB. Default 16 MiB. */
  maxDocumentBytes?: number
  /** Documents whose objects and arrays are nested deeper are refused as `invalid`; at most 1000. Default 100. */
  maxDepth?: number
  /** Called while a large database loads: bytes done and in all. */
  onProgress?: (done: number, total: number) => void
}

/** How batches or files are packed: compressed first, then encrypted. */
export interface SealOptions {
  /** zlib, 0 (none) to 9. Default 0. What is there already is read at any level. */
  compressionLevel?: number
  /** Encrypts what is written, and refuses what is not encrypted under its key. Default: not encrypted. */
  securityManager?: SecurityManager
}

/** How a database is written as one file. */
export interface FileFormat extends SealOptions {
  type?: 'json' | 'msgpack'
}

/** One batch, or a snapshot that stands for all batches up to its number. */
export interface Batch {
  seq: number
  snapshot: boolean
  bytes: Uint8Array
}

/**
 * Where batches are kept. Implement it to store AtomicDB anywhere; see
 * {@link MemoryStorage} for an example.
 */
export interface StorageBackend {
  /** Batches numbered after `seq`, in order; the first may be a snapshot that stands for all before it. */
  read(after: number): Promise<Batch[]>
  /**
   * Stores `bytes` as number `seq`; resolves false, storing nothing, if that
   * number is taken or is not the next. The bytes are given away.
   */
  append(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean>
  /** Replaces everything up to `seq` by one snapshot, atomically; later batches stay. */
  compact(seq: number, snapshot: Uint8Array): Promise<void>
  /** How many batches there may be before a snapshot is to take their place. Default: as many as are not larger than the data. */
  readonly compactEvery?: number
  /**
   * As read(0), where read would fail: with what is left of each batch that is
   * damaged, or empty bytes. It changes nothing. Only a storage that checks
   * what it holds needs it; see `AtomicDB.repair`.
   */
  salvage?(): Promise<Batch[]>
  /** Tells of batches that others appended, until the returned function is called. */
  watch?(listener: (seq: number) => void): () => void
  /** Deletes what is stored. */
  destroy(): Promise<void>
  /** Lets go of it. Several databases may use one object: the last of them calls this, and one that is opened later uses it again. */
  close(): Promise<void>
}

/** What a database holds, and what is wrong with it; see `verify` and `AtomicDB.repair`. */
export interface Report {
  /** Whether there are no problems. */
  ok: boolean
  /** How many batches are sound, with the snapshot that the rest follow. */
  batches: number
  /** The number of the snapshot; 0 if there is none. */
  snapshotSeq: number
  /** The number of the last batch. */
  lastSeq: number
  /** Of all batches. */
  bytes: number
  /** In all collections. */
  documents: number
  problems: Problem[]
}

/** One thing that is wrong with a database. */
export interface Problem {
  /** The number of the batch, of several that are missing the first; 0 if it is about none. */
  seq: number
  /** 'corrupt'; 'unique' if documents share the values of a unique index; 'internal' for a bug in AtomicDB. */
  code: ErrorCode
  message: string
  /** Documents that it is about, of a damaged batch as far as it can be read: 'users/5', or 'users/*' where it emptied the collection. */
  ids: string[]
}
