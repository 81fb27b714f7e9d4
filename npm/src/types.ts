import type { ErrorCode } from './errors.js'

/** An id: the document's own `_id`, or an integer from 1 given by the engine. */
export type Id = string | number

/** JSON values, and what MessagePack adds: Date, bigint (64 bits), Uint8Array. */
export type Value = null | boolean | number | bigint | string | Date | Uint8Array | Value[] | { [key: string]: Value }

/** A document as stored. */
export type Stored<T> = T & { _id: Id }

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
