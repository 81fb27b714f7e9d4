// Compiled, never run: programs written for these signatures keep compiling. They are the promises of
// version 0, copied and not imported, so that changing the sources cannot change them. A name may gain
// more than is written here, and never lose it.
import * as shipped from 'atomicdb'

// ------------------------------------------------------------ the promises

type Id = string | number
type Value = null | boolean | number | bigint | string | Date | Uint8Array | Value[] | { [key: string]: Value }
type Stored<T> = T & { _id: Id }
type Where<T = any> = Condition | string | ((document: Stored<T>) => boolean)
type Filter = Record<string, any>
type JSONSchema = Record<string, any>

interface OpenOptions {
  storage?: StorageBackend
  inMemory?: boolean
  durability?: 'relaxed' | 'strict'
  worker?: boolean
  wasm?: WebAssembly.Module | BufferSource | Response | URL | string
  version?: number
  migrations?: Record<number, (tx: Omit<Transaction, 'query'>) => Promise<void>> // as transaction below
  onProgress?: (done: number, total: number) => void
}

interface AtomicDB extends AsyncDisposable {
  readonly name: string
  insert<T extends object>(document: T, collection?: string): Promise<Id>
  insertMany<T extends object>(documents: readonly T[], collection?: string): Promise<Id[]>
  upsert<T extends object>(document: T & { _id: Id }, collection?: string): Promise<Id>
  search<T = any>(where?: Where<T>, options?: FindOptions | string): Promise<QueryResult<T>>
  get<T = any>(where: Where<T> | Id, options?: FindOptions | string): Promise<Stored<T> | undefined>
  find<T = any>(filter?: Filter, options?: FindOptions | string): Promise<QueryResult<T>>
  findOne<T = any>(filter: Filter, options?: FindOptions | string): Promise<Stored<T> | undefined>
  count(where?: Where, collection?: string): Promise<number>
  contains(where: Where, collection?: string): Promise<boolean>
  all<T = any>(collection?: string): Promise<QueryResult<T>>
  documentIds(collection?: string): Promise<Id[]>
  distinct(path: string, where?: Where, collection?: string): Promise<Value[]>
  aggregate<R = any>(pipeline: Aggregate, collection?: string): Promise<R[]>
  sql<R = any>(text: string, params?: readonly Value[] | Record<string, Value>): Promise<R[]>
  sql<R = any>(strings: TemplateStringsArray, ...params: Value[]): Promise<R[]>
  update(fields: object | ((document: any) => object), where?: Where, collection?: string): Promise<number>
  atomicUpdate<T = any>(change: (document: Stored<T>) => Partial<T>, where?: Where<T>, collection?: string): Promise<Stored<T> | undefined>
  remove(where: Where, collection?: string): Promise<number>
  clear(collection?: string): Promise<void>
  transaction<R>(work: (tx: Transaction) => Promise<R>): Promise<R>
  query<T = any>(): QueryBuilder<T>
  collection<T extends object = any>(name: string): Collection<T>
  collections(): Promise<string[]>
  createCollection(name: string, schema?: JSONSchema): Promise<void>
  dropCollection(name: string): Promise<void>
  createIndex(...pathsAndOptions: [...string[], IndexOptions] | string[]): Promise<void>
  dropIndex(...pathsAndOptions: [...string[], { collection?: string }] | string[]): Promise<void>
  addRelationship(relationship: Relationship): Promise<void>
  removeRelationship(name: string): Promise<void>
  relationships(): Promise<Relationship[]>
  metadata(collection?: string): Promise<Metadata>
  usage(): Promise<{ documents: number; bytes: number; collections: Record<string, { documents: number; bytes: number }>; log: { batches: number; bytes: number }; quota?: number; used?: number }>
  explain(where: Where, options?: FindOptions | string): Promise<Plan>
  commit(): Promise<void>
  flush(): Promise<void>
  export(format?: FileFormat): Promise<Uint8Array>
  import(file: Uint8Array, format?: FileFormat): Promise<void>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

type Transaction = Pick<AtomicDB, 'insert' | 'insertMany' | 'upsert' | 'search' | 'get' | 'find' | 'findOne' | 'count' | 'update' | 'remove' | 'clear' | 'query'>

interface Relationship {
  name?: string
  type: 'one_to_one' | 'one_to_many' | 'many_to_one' | 'many_to_many'
  from: string
  to: string
  foreignKey: string
  onDelete?: 'none' | 'restrict' | 'cascade' | 'set_null'
}

interface Metadata {
  documentCount: number
  averageDocumentSize: number
  totalSize: number
  indexes: { paths: string[]; unique: boolean; entries: number }[]
  relationships: Relationship[]
  schema: JSONSchema | null
  stats: { lastUpdated: string | null; seq: number }
}

interface Collection<T extends object> {
  readonly name: string
  insert(document: T): Promise<Id>
  insertMany(documents: readonly T[]): Promise<Id[]>
  upsert(document: T & { _id: Id }): Promise<Id>
  search(where?: Where<T>, options?: FindOptions): Promise<QueryResult<T>>
  get(where: Where<T> | Id, options?: FindOptions): Promise<Stored<T> | undefined>
  find(filter?: Filter, options?: FindOptions): Promise<QueryResult<T>>
  findOne(filter: Filter, options?: FindOptions): Promise<Stored<T> | undefined>
  count(where?: Where<T>): Promise<number>
  update(fields: object | ((document: Stored<T>) => object), where?: Where<T>): Promise<number>
  remove(where: Where<T>): Promise<number>
  clear(): Promise<void>
  createIndex(...pathsAndOptions: [...string[], IndexOptions] | string[]): Promise<void>
  aggregate<R = any>(pipeline: Aggregate): Promise<R[]>
}

interface Condition {
  and(...others: Condition[]): Condition
  or(...others: Condition[]): Condition
  not(): Condition
  toString(): string
}

type QueryBuilder<T = any> = { [K in keyof T]-?: Field<T[K]> } & { field(path: string): Field }
type Field<V = any> = FieldOps & (V extends object ? { [K in keyof V]-?: Field<V[K]> } : {})
interface FieldOps {
  eq(value: Value): Condition
  ne(value: Value): Condition
  gt(value: Value): Condition
  gte(value: Value): Condition
  lt(value: Value): Condition
  lte(value: Value): Condition
  between(low: Value, high: Value): Condition
  matches(pattern: string | RegExp): Condition
  startsWith(prefix: string): Condition
  in(values: readonly Value[]): Condition
  notIn(values: readonly Value[]): Condition
  contains(value: Value): Condition
  exists(yes?: boolean): Condition
  type(name: 'int' | 'float' | 'number' | 'str' | 'bool' | 'list' | 'dict' | 'null' | 'bytes' | 'date'): Condition
  any(condition: (element: QueryBuilder) => Condition): Condition
}

interface FindOptions {
  collection?: string
  sort?: string | string[] | Record<string, 'asc' | 'desc' | 1 | -1>
  skip?: number
  limit?: number
  fields?: string[]
  populate?: string[]
}

interface Aggregate {
  where?: Where
  groupBy?: string | string[]
  select: Record<string, Record<string, any>>
  having?: Filter
  sort?: FindOptions['sort']
  skip?: number
  limit?: number
}

interface QueryResult<T = any> extends Array<Stored<T>> {
  first(): Stored<T> | undefined
  last(): Stored<T> | undefined
  count(): number
  isEmpty(): boolean
  pluck(...paths: string[]): QueryResult<any>
  exclude(...paths: string[]): QueryResult<any>
  sortBy(path: string, options?: { reverse?: boolean }): QueryResult<T>
  updateAll(fields: object): Promise<number>
  removeAll(): Promise<number>
  tracked(): QueryResult<T> & { saved(): Promise<void> }
  asList(): Stored<T>[]
}

interface Plan {
  text: string
  index: string[] | null
  examined: number
  returned: number
  micros: number
}

interface IndexOptions {
  collection?: string
  unique?: boolean
  sparse?: boolean
}

interface StorageBackend {
  read(after: number): Promise<{ seq: number; snapshot: boolean; bytes: Uint8Array }[]>
  append(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean>
  compact(seq: number, snapshot: Uint8Array): Promise<void>
  watch?(listener: (seq: number) => void): () => void
  destroy(): Promise<void>
  close(): Promise<void>
}

interface SealOptions {
  compressionLevel?: number
  securityManager?: shipped.SecurityManager
}
interface FileFormat extends SealOptions {
  type?: 'json' | 'msgpack'
}

interface SecurityManager {
  readonly salt: Uint8Array
  encrypt(data: Uint8Array | string): Promise<Uint8Array>
  decrypt(token: Uint8Array | string): Promise<Uint8Array>
  hashPassword(password: string): Promise<string>
  verifyPassword(password: string, hash: string): Promise<boolean>
}

interface ThreadSafeDatabase
  extends Pick<AtomicDB, 'insert' | 'insertMany' | 'get' | 'search' | 'update' | 'atomicUpdate' | 'remove' | 'count' | 'clear'>, AsyncDisposable {
  execute<R>(operation: (db: shipped.AtomicDB) => Promise<R>): Promise<R>
  close(): Promise<void>
}

type ErrorCode =
  | 'invalid' | 'schema' | 'duplicate_id' | 'unique' | 'not_found' | 'relationship' | 'conflict' | 'quota' | 'storage'
  | 'corrupt' | 'decrypt' | 'timeout' | 'closed' | 'unsupported' | 'internal'
interface AtomicDBError extends Error {
  readonly code: ErrorCode
  readonly errors?: { path: string; keyword: string; message: string }[]
}

interface Package {
  AtomicDB: {
    open(name?: string, options?: OpenOptions): Promise<Omit<AtomicDB, 'query' | 'transaction'>>
    destroy(name: string, options?: Pick<OpenOptions, 'storage'>): Promise<void>
  }
  QueryResult: new () => QueryResult
  AtomicDBError: { readonly prototype: AtomicDBError }
  IndexedDBStorage: new (name: string, options?: SealOptions) => StorageBackend
  LocalStorageStorage: new (name: string, options?: SealOptions) => StorageBackend
  OPFSStorage: new (name: string, options?: SealOptions) => StorageBackend
  MemoryStorage: new () => StorageBackend
  JSONStorage: new (path: string, options?: { compressionLevel?: number }) => StorageBackend
  CompressedJSONStorage: new (path: string, options?: { compressionLevel?: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 }) => StorageBackend
  EncryptedJSONStorage: new (path: string, securityManager: shipped.SecurityManager, options?: { compressionLevel?: number }) => StorageBackend
  MessagePackStorage: new (path: string, options?: SealOptions) => StorageBackend
  SQLiteStorage: new (database: any, options?: SealOptions & { table?: string }) => StorageBackend
  LMDBStorage: new (path: string, options?: SealOptions) => StorageBackend
  KVStorage: new (namespace: any, name: string, options?: SealOptions) => StorageBackend
  SecurityManager: {
    create(options?: { password?: string; salt?: Uint8Array; iterations?: number }): Promise<SecurityManager>
    fromKey(key: string): SecurityManager
  }
  ThreadSafeDatabase: {
    open(name?: string, options?: OpenOptions & { maxConnections?: number; timeout?: number }): Promise<ThreadSafeDatabase>
  }
  and(...all: Condition[]): Condition
  or(...any: Condition[]): Condition
  not(condition: Condition): Condition
}

// ------------------------------------------------------------ and that they are kept

interface Document {
  name: string
  age: number
  nested: { a: { b: string } }
  tags: string[]
}

shipped satisfies Package
({} as shipped.ThreadSafeDatabase).query<Document>() satisfies QueryBuilder<Document>

declare const db: shipped.AtomicDB
declare const collection: shipped.Collection<Document>
declare const result: shipped.QueryResult<Document>
declare const builder: shipped.QueryBuilder<Document>
declare const field: shipped.FieldOps
// TypeScript cannot compare two generic methods that return such mapped types, so query is compared for one type,
// and transaction, whose argument has it, by a call.
db satisfies Omit<AtomicDB, 'query' | 'transaction'>
db.query<Document>() satisfies QueryBuilder<Document>
declare const theirWork: (tx: Omit<Transaction, 'query'>) => Promise<Document>
db.transaction(theirWork) satisfies ReturnType<typeof theirWork>
db.transaction(async (tx) => tx.query<Document>() satisfies QueryBuilder<Document>)
collection satisfies Collection<Document>
result satisfies QueryResult<Document>
builder satisfies QueryBuilder<Document>
field satisfies FieldOps

// What a program hands over: its own values of the promised types.
declare const theirs: {
  where: Where<Document>
  filter: Filter
  find: FindOptions
  aggregate: Aggregate
  open: OpenOptions
  storage: StorageBackend
  index: IndexOptions
  id: Id
  value: Value
}
theirs.where satisfies shipped.Where<Document> | Condition
theirs.filter satisfies shipped.Filter
theirs.find satisfies shipped.FindOptions
theirs.aggregate satisfies Omit<shipped.Aggregate, 'where'>
theirs.aggregate.where satisfies shipped.Aggregate['where'] | Condition
theirs.open satisfies shipped.OpenOptions
theirs.storage satisfies shipped.StorageBackend
theirs.index satisfies shipped.IndexOptions
theirs.id satisfies shipped.Id
theirs.value satisfies shipped.Value
