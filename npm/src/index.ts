/**
 * AtomicDB: a document database that lives in the page, in Node or in a
 * Worker. Start at {@link AtomicDB.open}.
 *
 * @packageDocumentation
 */
export { AtomicDB } from './api/database.js'
export { bytesOf, type BytesSource } from './api/bytes-of.js'
export type { Collection } from './api/collection.js'
export type { CollectionOptions } from './api/validated-collection.js'
export type { FromSchema, InferStandard, StandardSchema } from './api/from-schema.js'
export type { OpenOptions } from './api/database-options.js'
export { and, not, or, type Condition } from './query/condition.js'
export { pathOf } from './query/paths.js'
export { AtomicDBError, type ErrorCode } from './errors.js'
export type { LiveDelta, LiveOptions, LiveQuery } from './api/live-query.js'
export type { LiveValue } from './live/live-value.js'
export type { LiveWriteStatus, WriteStatus } from './live/write-status.js'
export { QueryResult } from './api/result.js'
export { SecurityManager } from './security/security-manager.js'
export { CompressedJSONStorage, EncryptedJSONStorage, JSONStorage } from './storage/json.js'
export { FileStorage } from './storage/file.js'
export { IndexedDBStorage } from './storage/indexeddb.js'
export { KVStorage } from './storage/kv.js'
export { LMDBStorage } from './storage/lmdb.js'
export { LocalStorageStorage } from './storage/local-storage.js'
export { MemoryStorage } from './storage/memory.js'
export { MessagePackStorage } from './storage/message-pack.js'
export { OPFSStorage } from './storage/opfs.js'
export { SealedStorage } from './storage/sealed.js'
export { SQLiteStorage } from './storage/sqlite.js'
export { ThreadSafeDatabase, type PoolOptions } from './api/thread-safe-database.js'
export type { StoppableCalls } from './api/stoppable-calls.js'
export type { EarlierDatabase } from './api/earlier-database.js'
export type { Transaction } from './api/transaction.js'
export type {
  Aggregate,
  AggregateOutput,
  Field,
  FieldOps,
  Filter,
  BitMask,
  FilterOperators,
  FilterValue,
  FindOptions,
  IterateOptions,
  MatchOptions,
  Projection,
  Plan,
  PlanLeaf,
  QueryBuilder,
  Where,
  JavaScriptFilter,
  WhereFilter,
} from './query/types.js'
export type { Path, UpdatePath } from './query/path-types.js'
export type { Merged, PushOperators, Update, UpdateOperators, UpdateOptions } from './query/update-types.js'
export type {
  FileFormat,
  SealOptions,
} from './security/seal-options.js'
export type {
  Batch,
  ByteStream,
  Change,
  Collation,
  ChangesOptions,
  ExportOptions,
  Fresh,
  Id,
  ImportOptions,
  IndexOptions,
  JSONSchema,
  Metadata,
  SchemaOptions,
  SetSchemaOptions,
  Problem,
  Relationship,
  Report,
  StorageBackend,
  Stored,
  StreamFormat,
  StreamSource,
  Usage,
  Value,
  WasmObject,
} from './types.js'
