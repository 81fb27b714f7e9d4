/**
 * AtomicDB: a document database that lives in the page, in Node or in a
 * Worker. Start at {@link AtomicDB.open}.
 *
 * @packageDocumentation
 */
export { AtomicDB } from './database.js'
export type { Collection } from './collection.js'
export { and, not, or, type Condition } from './condition.js'
export { AtomicDBError, type ErrorCode } from './errors.js'
export { QueryResult } from './result.js'
export { IndexedDBStorage, MemoryStorage } from './storage.js'
export type {
  Aggregate,
  AggregateOutput,
  Field,
  FieldOps,
  Filter,
  FindOptions,
  Id,
  IndexOptions,
  JSONSchema,
  OpenOptions,
  Plan,
  PlanLeaf,
  QueryBuilder,
  StorageBackend,
  Stored,
  Value,
  Where,
  WhereFilter,
} from './types.js'
