import type { ErrorCode } from '../atomicdb-error.js'
import type { ExportOptions, Id, ImportOptions } from '../types.js'

/**
 * What this folder uses of the rooms that index.js has too. It is handed over: if both imported it, bundlers would put it
 * into a file of its own, which every page would load first.
 */
export interface Host {
  /** Resolves if the database is open. */
  check(): Promise<void>
  write<R>(prepare: () => (engine: Engine) => R): Promise<R>
  /** The op that inserts. */
  readonly insert: number
  encoding<R>(name: string, write: (encoder: Encoder) => R): R
  /** Those of `ids` that documents of a collection have. */
  known(engine: Engine, collection: string, ids: readonly Id[]): Id[]
  parseFile(file: Uint8Array, type: 'json' | 'msgpack'): Promise<{ readonly sections: readonly { readonly pieces: readonly Uint8Array[] }[] }>
  /** Stores a whole file. */
  importFile(file: Uint8Array, type: 'json' | 'msgpack'): Promise<void>
  /** The names of the collections to export: all of them, and the one that declares indexes and schemas. */
  collections(): Promise<string[]>
  /** The documents of a collection that match, page by page. */
  pages(collection: string, where: unknown): AsyncGenerator<object[]>
  error(code: ErrorCode, message: string, fields?: object, cause?: unknown): Error
  describe(value: unknown): string
  /** Of what was thrown: its code, if it is an error of ours. */
  codeOf(thrown: unknown): ErrorCode | undefined
}

/** What is used of the engine's calls. */
export interface Engine {
  value(op: number, args: Uint8Array): unknown
  whole<R>(work: () => R): R
}

/** What is used of the encoder. */
export interface Encoder {
  readonly length: number
  array(length: number): this
  string(value: string): this
  boolean(value: boolean): this
  raw(bytes: Uint8Array): this
  object(value: unknown, name: string): this
  borrowed(): Uint8Array
  taken(): Uint8Array
}

/** A document as a stream has it: an object, or MessagePack. */
export type Document = object | Uint8Array

/** Documents one after the other, of which all have an _id or none has. */
export interface Run {
  readonly isNamed: boolean
  /** Objects, and MessagePack of one document or of several. */
  readonly documents: readonly Document[]
  /** How many bytes before the only element of `documents`, in its buffer, are nobody's. Default: none. */
  readonly room?: number
}

/** Some documents of a stream, which are stored together. They are borrowed: the part after the next one may overwrite them. */
export interface Part {
  /** The collection that the stream says; undefined if it says none. */
  readonly collection: string | undefined
  readonly runs: readonly Run[]
  /** Where the documents are, for messages: "line 3", "lines 3 to 90". */
  readonly place: string
}

/** Throws what is wrong with a stream. `place` says where. */
export type Fail = (place: string, why: string) => never

/** The options of an import, checked. */
export type CheckedImport = Omit<ImportOptions, 'signal'> & { readonly signal?: AbortSignal }

/** The options of an export, checked. */
export type CheckedExport = Omit<ExportOptions, 'signal'> & { readonly signal?: AbortSignal }
