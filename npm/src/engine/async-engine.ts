import type { Batch, Report, StorageBackend } from '../types.js'

/** A log that an adapter written in Go keeps. */
export interface NativeBackend {
  readonly kind: 'indexeddb'
  readonly name: string
  /** What compresses and encrypts the batches. Default: nothing. */
  readonly sealer?: Sealer
}

/** Compresses and encrypts batches. Every function may be called while Go is on the stack, so it must not call the engine. */
export interface Sealer {
  /** The bytes to store for a batch. */
  seal(batch: Uint8Array): Promise<Uint8Array>
  /** The batches that were sealed, in the same order. */
  open(sealed: readonly Uint8Array[]): Promise<Uint8Array[]>
  /** As open, with empty bytes for damaged batches. @throws decrypt if no batch proves that the key is the right one. */
  salvage(sealed: readonly Uint8Array[]): Promise<Uint8Array[]>
}

/** What open() takes besides the storage: settings, and functions that the engine calls. */
export interface Listeners {
  readonly durability: 'relaxed' | 'strict'
  readonly maxDocumentBytes?: number
  readonly maxDepth?: number
  readonly maxQueryMemory?: number
  /** See Interrupter. */
  readonly interrupted?: (isFirst: boolean) => string | undefined
  readonly version?: number
  readonly onProgress?: (done: number, total: number) => void
  /**
   * Called while the engine undoes everything that is not stored. Go is on the stack, so it must not call the engine.
   */
  /** Called when batches of others have been applied. It may call the engine. */
  readonly onForeign?: () => void
  readonly onRollback: () => void
  /**
   * Called when batches of others wait for a savepoint to end; call catchUp then. Go is on the stack, so it must not
   * call the engine.
   */
  readonly onPutOff: () => void
  /** Called when there is something for a feed to take. It may call the engine. */
  readonly onStored?: () => void
  /** Four bytes: what engines with the same have written is `local` to each other. */
  readonly group?: Uint8Array
}

/** The functions of the engine that wait for storage. The engine adds them when it starts; see jsbridge/async_js.go. */
export interface AsyncEngine {
  protocol: number
  open(name: string, backend: NativeBackend | StorageBackend | null, listeners: Listeners): Promise<number>
  /** 0: stored. 1: another writer was faster; everything that is not stored is undone, and the caller does it again. */
  flush(handle: number): Promise<0 | 1>
  /** Stores everything at once; after an error the engine still has everything. */
  commit(handle: number): Promise<void>
  /** Applies the batches that others have stored. */
  catchUp(handle: number): Promise<void>
  /** Replaces the batches of the log by a snapshot. Nothing may be pending. */
  compact(handle: number): Promise<void>
  /** Builds the indexes, or only the unique ones, of collections of at most so many documents. */
  buildIndexes(handle: number, documents: number, onlyUnique: boolean): Promise<void>
  /** Lets the goroutines go on that a call of the engine has woken. */
  wake(): void
  close(handle: number): Promise<void>
  /** Opens a feed of the changes after a batch, or with -1 from now on; see jsbridge/changes_js.go. */
  openFeed(handle: number, since: number): Promise<[feed: number, after: number]>
  /** The changes that come next; no bytes if there are none at present. */
  nextChanges(handle: number, feed: number): Promise<Uint8Array>
  closeFeed(handle: number, feed: number): Promise<void>
  /** The handle of a database that is as batch `seq` has left this one. */
  at(handle: number, seq: number): Promise<number>
  destroy(backend: NativeBackend | StorageBackend): Promise<void>
  log(backend: NativeBackend): Promise<StorageBackend>
  exportFile(handle: number, type: FileType): Promise<Uint8Array>
  parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile>
  documentFile(type: FileType): Promise<DocumentFile>
  verify(handle: number): Promise<Omit<Report, 'ok'>>
  repair(backend: NativeBackend | StorageBackend, options: object): Promise<Omit<Report, 'ok'>>
  /** For the format of raw files see storage/logfile. */
  exportRaw(backend: NativeBackend | StorageBackend, identity: Uint8Array): Promise<Uint8Array>
  /** Stores the records as a database of that identity. Those that are sealed need the sealer, or keep theirs. */
  importRaw(backend: NativeBackend | StorageBackend, file: Uint8Array, identity: Uint8Array, sealer: Sealer | undefined): Promise<void>
  parseRawFile(file: Uint8Array, identity: Uint8Array): Promise<Batch[]>
}

/** How a file of documents is written. */
export type FileType = 'json' | 'msgpack'

/** What a file of documents holds: pieces of documents to insert, in this order, and then schemas to set and indexes to create. */
export interface ParsedFile {
  readonly sections: readonly { readonly collection: string; readonly upsert: boolean; readonly pieces: readonly Uint8Array[] }[]
  readonly schemas: readonly { readonly collection: string; readonly source: Uint8Array; readonly options: Uint8Array }[]
  readonly indexes: readonly { readonly collection: string; readonly paths: readonly string[]; readonly unique: boolean; readonly sparse: boolean; readonly name: string }[]
  readonly relationships: readonly object[]
}

/** A file of documents that the engine holds in memory. See storage/documentfile.go. */
export interface DocumentFile {
  load(file: Uint8Array | null): Promise<void>
  /** A frame with everything, as number `seq`. */
  snapshot(seq: number): Promise<Uint8Array>
  /** The file as it has to be after the frame of batch `seq`. */
  apply(seq: number, frame: Uint8Array): Promise<Uint8Array>
  close(): Promise<void>
}
