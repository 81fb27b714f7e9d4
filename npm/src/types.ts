import type { ErrorCode } from './errors.js'

/** An id: the document's own `_id`, or an integer that the engine gives it, counted from 1. */
export type Id = string | number

/** JSON values, and what MessagePack adds: Date, bigint (64 bits, signed or not), Uint8Array. */
export type Value = null | boolean | number | bigint | string | Date | Uint8Array | Value[] | { [key: string]: Value }

/** A document as stored. */
export type Stored<T> = T & { _id: Id }

/** A document to insert: it may bring an `_id`, also if its type has none. */
export type Fresh<T> = T | (T & { _id?: Id })

export interface IndexOptions {
  /** Default: 'default'. */
  collection?: string
  /** Whether to refuse a second document with the same values. Default false. */
  unique?: boolean
  /** Whether to hold only documents that have every path. Default false. */
  sparse?: boolean
  /**
   * How texts compare in it: which are the same if it is `unique`, and which conditions and sorts it answers, those with
   * the same collation. Its paths are told with the collation after them. Default: by code points.
   */
  collation?: Collation
}

/**
 * How texts compare: in =, !=, <, <=, >, >=, between, in and not in, also in arrays and objects, and in `sort`. Patterns,
 * startsWith, contains and `$expr` compare as without. An index with the same collation answers such conditions and sorts.
 */
export interface Collation {
  /** The order is that of the root of Unicode's rules, which English has; those of other languages are not there. Default: 'en'. */
  locale?: 'en' | 'und'
  /** 1: case and accents of Latin, Greek and Cyrillic make no difference; 2: case makes none; 3: both decide between texts that are the same otherwise. Default: 3. */
  strength?: 1 | 2 | 3
  /** Digits compare as the numbers that they write: 'a2' comes before 'a10'. Default: false. */
  numeric?: boolean
}

/** Says that documents of one collection hold the ids of documents of another; see `addRelationship`. */
export interface Relationship {
  /** What `populate` calls it, and the field that it fills. Relationships of different `from` may have the same name. Default: the name of `to`. */
  name?: string
  /**
   * Which documents hold the ids, and what populating a document of `from` puts
   * under the name. 'one_to_many': those of `to` hold one; an array of them.
   * 'one_to_one': those of `to` hold one; the first, or null. 'many_to_one': those
   * of `from` hold one; the document of `to`, or null. 'many_to_many': those of
   * `from` hold an array; an array of documents of `to`.
   */
  type: 'one_to_one' | 'one_to_many' | 'many_to_one' | 'many_to_many'
  from: string
  to: string
  /** The path of the id, or of the array of ids. */
  foreignKey: string
  /**
   * What removing a document does to those that hold its id. 'restrict' refuses
   * it as `relationship`; 'cascade' removes them too, 'set_null' puts null in the
   * place of the id, or takes it out of an array, as 'cascade' does with
   * 'many_to_many'.
   * Default 'none': nothing.
   */
  onDelete?: 'none' | 'restrict' | 'cascade' | 'set_null'
  /** Whether to refuse ids that no document has, and of 'one_to_one' the same id twice. Default false. */
  enforce?: boolean
}

/** What a collection takes, and what is declared for it; see `metadata`. */
export interface Metadata {
  documentCount: number
  /** In bytes of MessagePack; 0 if there is no document. */
  averageDocumentSize: number
  /** Of all documents, in bytes of MessagePack. */
  totalSize: number
  /** `entries`: one for each document, or for each element of its array; `bytes`: what they take in memory. */
  indexes: { paths: string[]; unique: boolean; sparse: boolean; entries: number; bytes: number }[]
  /** Those that the collection is `from` or `to` of. */
  relationships: Relationship[]
  schema: JSONSchema | null
  /** The options that the schema was given with, but for those that are as usual. */
  schemaOptions: SchemaOptions
  stats: {
    /** When a batch with changes of the collection was last stored, by the clock of its writer, in ISO 8601; null if none was. */
    lastUpdated: string | null
    /** The number of the newest batch of the database. */
    seq: number
  }
}

/** What a whole database takes; see `usage`. */
export interface Usage {
  documents: number
  /** Of all documents, in bytes of MessagePack. */
  bytes: number
  collections: Record<string, { documents: number; bytes: number }>
  /** The batches in the storage, the snapshot included, before they are compressed or encrypted. */
  log: { batches: number; bytes: number }
  /** How many bytes the site may store, if the browser tells. */
  quota?: number
  /** How many bytes the site has stored, all its databases and caches, if the browser tells. */
  used?: number
}

/** JSON Schema, draft 2020-12, with `format` asserted. A keyword that it does not have is refused, unless it begins with x-. */
export type JSONSchema = Record<string, any>

export interface SchemaOptions {
  /** Whether keywords and formats that JSON Schema does not have are refused; if false, they are annotations. Default true. */
  strict?: boolean
  /** Whether a document that is inserted gets the `default` of each property that it lacks. Default false. */
  defaults?: boolean
  /** Schemas that a `$ref` may lead to by their `$id`. They are kept with the schema of the collection. Default none. */
  schemas?: readonly JSONSchema[]
}

export interface SetSchemaOptions extends SchemaOptions {
  /**
   * What mends the documents that do not fit the new schema, in the same write: fields to merge, an operator object, or a
   * function that returns one of these for a document. The function may run again when another tab was faster.
   */
  migrate?: object | ((document: any) => object)
}

/** A WebAssembly.Module, a Response or a URL. These declarations need the types of no host, so they cannot name them. */
export interface WasmObject {}

export interface OpenOptions {
  /** Where the database is stored. Default: IndexedDB in hosts that have it, such as browsers; a file if the name is a path, in Node; otherwise nowhere. */
  storage?: StorageBackend
  /**
   * Whether to keep everything in memory. A storage is then read when the
   * database is opened, and written by commit() alone. What is not committed
   * when the database is closed is lost. Default false.
   */
  inMemory?: boolean
  /** 'strict': a write resolves once it survives a power cut; 'relaxed': once the storage has accepted it. Default 'relaxed'. */
  durability?: 'relaxed' | 'strict'
  /**
   * Whether to ask the browser not to delete what the site has stored when the
   * disk gets full. The browser may ask the user, or refuse;
   * navigator.storage.persisted() tells whether it has agreed. Default false.
   */
  persist?: boolean
  /**
   * Whether the engine runs in a thread of its own, so that a long query blocks
   * nothing else: in a Web Worker, in Node in a thread of worker_threads. Each
   * call then takes a message there and one back. 'shared': all tabs use one engine, in a SharedWorker, so that
   * the second opens at once and memory is taken once; for IndexedDB, and OPFS, without encryption and compression.
   * Where a host has none, it is true; `db.worker` tells. Default false.
   */
  worker?: boolean | 'shared'
  /**
   * Where the engine's wasm comes from: its address or bytes, a Response, or a
   * WebAssembly.Module, as Cloudflare Workers import it. Default: the two files beside this one, of which the first is enough
   * for the first answers. A page or isolate has one engine, so only the first open() loads it.
   */
  wasm?: string | ArrayBuffer | ArrayBufferView | WasmObject
  /** The largest document, in bytes of MessagePack; a larger one is refused as `invalid`. At most 1 GiB. Default 16 MiB. */
  maxDocumentBytes?: number
  /** How deep the objects and arrays of a document may nest; a deeper one is refused as `invalid`. At most 1000. Default 100. */
  maxDepth?: number
  /**
   * How many bytes one call may take for its work: for groups, joins, what is sorted, and rows that are put together. A
   * call that takes more is `invalid`. What is found as it lies does not count. At most 2 GiB. Default 512 MiB.
   */
  maxQueryMemory?: number
  /**
   * How long one call may look at documents, in milliseconds; one that takes longer rejects with `timeout`, and if it is
   * a write, nothing is changed. Infinity is no limit. Default 60,000.
   */
  maxQueryTime?: number
  /**
   * The version of the data that the program knows, counted from 1. Data of an
   * earlier version is migrated before open() resolves. A new database begins at
   * this version; data that was there before versions were used is of version 1.
   * If another program has migrated the data to a later version, now or while the
   * database is open, open() and every write reject with `unsupported`.
   */
  version?: number
  /**
   * How many of its own batches `undo` can take back; each is what one turn or one transaction has written. They are kept
   * in memory, up to 32 MiB of documents before and after. Default 0: none.
   */
  undoSteps?: number
  /** Called while a large database loads, with the bytes loaded so far and the bytes in all. */
  onProgress?: (done: number, total: number) => void
}

/** What one batch did to one document; see `changes`. */
export interface Change<T = any> {
  /** The number of the batch. */
  seq: number
  collection: string
  type: 'insert' | 'update' | 'remove'
  id: Id
  /** The document as the change left it; absent in a removal. */
  document?: Stored<T>
  /** The document before the change; absent in an insert. */
  before?: Stored<T>
  /** Whether this open database has written it, and not another tab or program; of a shared worker, any tab of it. In a snapshot it is false. */
  local: boolean
  /** Whether the batch has no more changes that were asked for: whoever has handled this one goes on after `seq` the next time. */
  last: boolean
}

/** What `changes` is asked for. */
export interface ChangesOptions {
  /** The number of the batch after which to begin; 0 is before the first. Default: from now on. */
  since?: number
  /** The only collection whose changes to tell. Default: all. */
  collection?: string
  /** Ends the iteration, without an error, when it is aborted. */
  signal?: StopSignal
}

/**
 * What importStream reads: a Blob or File, a Response, a ReadableStream, any iterable of bytes and text as the streams of
 * Node are, or bytes or text. The declarations name no type that only some hosts have.
 */
export type StreamSource =
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>
  | { getReader(): unknown }
  | { stream(): unknown; readonly size: number }
  | { readonly body: unknown; readonly ok: boolean }
  | ArrayBuffer
  | Uint8Array
  | string

/** How a stream has documents: see importStream. */
export type StreamFormat = 'json' | 'ndjson' | 'csv' | 'msgpack'

/** The options of importStream. */
export interface ImportOptions {
  /** Default: what the name of the file ends in, the type of the response, or what the first bytes look like. CSV in a stream without a name has to be said. */
  format?: StreamFormat
  /** Where the documents go. Default: 'default'. Of a file with several collections: the only one to import. Default: all. */
  collection?: string
  /** What to do with a document whose `_id` is taken: it replaces the other, is left out, or ends the import with `duplicate_id`. Default: 'replace'. */
  onDuplicate?: 'replace' | 'skip' | 'error'
  /** Of CSV: what the values of columns are. Default: what all values look like, in a stream those of the first MiB. */
  columns?: Readonly<Record<string, 'text' | 'number' | 'boolean'>>
  /** Called when a batch is stored: how many bytes of the source are read, and how many documents are stored. */
  onProgress?: (bytes: number, documents: number) => void
  /** Ends the import, which then rejects with the signal's reason. */
  signal?: StopSignal
}

/** The options of exportStream. */
export interface ExportOptions {
  /** Default: 'json'. */
  format?: StreamFormat
  /** The only collection to export. Default: all of them; of ndjson and csv, 'default'. */
  collection?: string
  /** Which documents. Default: all. */
  where?: unknown
  /** Which fields, as those of a find. Default: all. */
  fields?: readonly string[]
  /** Called for each piece: how many bytes and documents it and all before have. */
  onProgress?: (bytes: number, documents: number) => void
  /** Ends the stream with the signal's reason. */
  signal?: StopSignal
}

/** The ReadableStream of the host, if its types are known. */
export type ByteStream = typeof globalThis extends { ReadableStream: { prototype: infer Stream } } ? Stream : AsyncIterable<Uint8Array>

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
  /** The batches with numbers above `after`, in order. The first may be a snapshot, which stands for all batches up to its number. */
  read(after: number): Promise<Batch[]>
  /**
   * Stores `bytes` as batch number `seq`. Resolves false, and stores nothing, if
   * that number is taken or is not the next one. The storage owns `bytes` then. A
   * storage that need not wait returns the boolean itself: a write takes a tenth of
   * the time then.
   */
  append(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict'): boolean | Promise<boolean>
  /** Replaces all batches up to number `seq` by one snapshot, atomically. Later batches stay. */
  compact(seq: number, snapshot: Uint8Array): Promise<void>
  /** After how many batches a snapshot replaces them. Default: when they are larger than the data. */
  readonly compactEvery?: number | undefined
  /**
   * As read(0), but does not fail if a batch is damaged: that batch comes with
   * the bytes that are left of it, or with none. Changes nothing. Only a storage
   * that checks what it holds needs this; see `AtomicDB.repair`.
   */
  salvage?(): Promise<Batch[]>
  /** Calls `listener` with the number of each batch that another writer appends, until the returned function is called. */
  watch?(listener: (seq: number) => void): () => void
  /** Deletes everything that is stored. */
  destroy(): Promise<void>
  /** Releases what it holds. Several databases may use one object; the last of them to close calls this. A database that is opened later uses the object again. */
  close(): Promise<void>
}

/** What a database holds, and what is wrong with it; see `verify` and `AtomicDB.repair`. */
export interface Report {
  /** Whether there are no problems. */
  ok: boolean
  /** How many batches are sound, the snapshot included. */
  batches: number
  /** The number of the snapshot; 0 if there is none. */
  snapshotSeq: number
  /** The number of the last batch. */
  lastSeq: number
  /** How many bytes all batches have. */
  bytes: number
  /** How many documents all collections have. */
  documents: number
  problems: Problem[]
}

/** One thing that is wrong with a database. */
export interface Problem {
  /** The number of the batch; if several in a row are missing, of the first of them; 0 if it is not about a batch. */
  seq: number
  /** 'corrupt'; 'unique' if documents share the values of a unique index; 'internal' for a bug in AtomicDB. */
  code: ErrorCode
  message: string
  /** The documents that it is about, as 'users/5'; 'users/*' if the batch emptied the collection. Of a damaged batch, those that can be read. */
  ids: string[]
}

/** What `withSignal` asks of an `AbortSignal`: the declarations name no type that only some hosts have. */
export interface StopSignal {
  readonly aborted: boolean
  readonly reason: unknown
}
