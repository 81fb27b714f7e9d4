import { queryBuilder } from '../query/builder.js'
import { checkCount, checkName, checkOptionsObject } from '../checks.js'
import { asyncDispose, AtomicDB } from './database.js'
import { describe, invalid } from '../errors.js'
import { processors } from '../node-modules.js'
import { backendOf, checkOptions } from './open-options.js'
import type { QueryResult } from './result.js'
import { deferred } from '../storage/backend.js'
import { MemoryStorage } from '../storage/memory.js'
import { shared } from '../storage/shared.js'
import type { Transaction } from './transaction.js'
import type { Aggregate, Filter, FindOptions, Id, OpenOptions, QueryBuilder, Stored, Value, Where } from '../types.js'
import { Pool } from '../thread/pool.js'
import { RemoteConnection, type Seen } from '../thread/remote-connection.js'

/** Options of {@link ThreadSafeDatabase.open}. */
export interface PoolOptions extends OpenOptions {
  /** How many engines there may be, each in a worker with the whole database in its memory. They are made as needed. Default 10. */
  maxConnections?: number
  /** How long a call waits for a free connection, in milliseconds. Default 30,000. */
  timeout?: number
}

/**
 * Several engines, each in a worker of its own, over one database: reads run
 * side by side, and writes one after the other. Whatever one of them has
 * stored, the calls that are made later see. A connection that dies, as one whose
 * worker runs out of memory, fails the calls it has, and another takes its place.
 *
 * Its calls are those of {@link AtomicDB} of the same names. They make as many
 * connections as the machine has processors, and {@link execute} up to
 * `maxConnections`.
 *
 * @example
 * ```ts
 * await using pool = await ThreadSafeDatabase.open('users', { maxConnections: 5 })
 * const [old, young] = await Promise.all([pool.count('age >= 40'), pool.count('age < 40')])
 * ```
 */
export class ThreadSafeDatabase implements AsyncDisposable {
  readonly name: string
  private readonly pool: Pool<AtomicDB>
  private closing: Promise<void> | undefined

  private constructor(name: string, pool: Pool<AtomicDB>) {
    this.name = name
    this.pool = pool
  }

  /**
   * Opens a database, creating it if need be, with one connection.
   *
   * @throws What {@link AtomicDB.open} throws; `unsupported` where there are no workers.
   */
  static async open(name = 'default', options: PoolOptions = {}): Promise<ThreadSafeDatabase> {
    checkName('name', name)
    checkOptionsObject(options)
    const { maxConnections = 10, timeout = 30_000, ...rest } = options
    checkOptions(rest)
    checkCount('options.maxConnections', maxConnections, 1, 1000)
    checkCount('options.timeout', timeout, 0, 2 ** 31 - 1)
    // Engines in several threads have no memory in common: what one has to tell the others is in a storage.
    if (rest.inMemory && rest.storage) throw invalid('options.inMemory: the engines of a pool meet in the storage, which commit() would reach too late')
    const backend = backendOf(name, rest) ?? deferred(new MemoryStorage())
    const forOne = 'append' in backend ? shared(backend) : () => backend
    const seen: Seen = { head: 0 }
    const connections = new WeakMap<AtomicDB, RemoteConnection>()
    const make = async () => {
      const connection = await RemoteConnection.open(name, forOne(), { ...rest, inMemory: false }, seen)
      const db = AtomicDB.over(name, connection)
      connections.set(db, connection)
      return db
    }
    const pool = new Pool(make, (db) => connections.get(db)!.isOver, maxConnections, Math.min(maxConnections, await processors()), timeout)
    await pool.start()
    return new ThreadSafeDatabase(name, pool)
  }

  /**
   * Runs `operation` with a connection that nobody else uses meanwhile.
   *
   * @returns What it resolves to.
   * @throws What it throws; `timeout` if no connection was free in time, as when
   * `operation` calls the pool, instead of the database it is given, and
   * all are in use.
   */
  execute<R>(operation: (db: AtomicDB) => Promise<R>): Promise<R> {
    if (typeof operation !== 'function') return Promise.reject(invalid(`operation: expected a function, not ${describe(operation)}`))
    return this.pool.alone(async (db) => operation(db))
  }

  /** @see {@link AtomicDB.insert} */
  insert<T extends object>(document: T, collection?: string): Promise<Id> {
    return this.pool.serial((db) => db.insert(document, collection))
  }

  /** @see {@link AtomicDB.insertMany} */
  insertMany<T extends object>(documents: readonly T[], collection?: string): Promise<Id[]> {
    return this.pool.serial((db) => db.insertMany(documents, collection))
  }

  /** @see {@link AtomicDB.upsert} */
  upsert<T extends object>(document: T & { _id: Id }, collection?: string): Promise<Id> {
    return this.pool.serial((db) => db.upsert(document, collection))
  }

  /** @see {@link AtomicDB.search} */
  search<T = any>(where?: Where<T>, options?: FindOptions | string): Promise<QueryResult<T>> {
    return this.pool.shared((db) => db.search(where, options))
  }

  /** @see {@link AtomicDB.get} */
  get<T = any>(where: Where<T> | Id, options?: FindOptions | string): Promise<Stored<T> | undefined> {
    return this.pool.shared((db) => db.get(where, options))
  }

  /** @see {@link AtomicDB.find} */
  find<T = any>(filter?: Filter, options?: FindOptions | string): Promise<QueryResult<T>> {
    return this.pool.shared((db) => db.find(filter, options))
  }

  /** @see {@link AtomicDB.findOne} */
  findOne<T = any>(filter: Filter, options?: FindOptions | string): Promise<Stored<T> | undefined> {
    return this.pool.shared((db) => db.findOne(filter, options))
  }

  /** @see {@link AtomicDB.all} */
  all<T = any>(collection?: string): Promise<QueryResult<T>> {
    return this.pool.shared((db) => db.all(collection))
  }

  /** @see {@link AtomicDB.documentIds} */
  documentIds(collection?: string): Promise<Id[]> {
    return this.pool.shared((db) => db.documentIds(collection))
  }

  /** @see {@link AtomicDB.count} */
  count(where?: Where, collection?: string): Promise<number> {
    return this.pool.shared((db) => db.count(where, collection))
  }

  /** @see {@link AtomicDB.contains} */
  contains(where: Where, collection?: string): Promise<boolean> {
    return this.pool.shared((db) => db.contains(where, collection))
  }

  /** @see {@link AtomicDB.distinct} */
  distinct(path: string, where?: Where, collection?: string): Promise<Value[]> {
    return this.pool.shared((db) => db.distinct(path, where, collection))
  }

  /** @see {@link AtomicDB.aggregate} */
  aggregate<R = any>(pipeline: Aggregate, collection?: string): Promise<R[]> {
    return this.pool.shared((db) => db.aggregate(pipeline, collection))
  }

  /** @see {@link AtomicDB.sql} */
  sql<R = any>(text: string, params?: readonly Value[] | Record<string, Value>): Promise<R[]>
  sql<R = any>(strings: TemplateStringsArray, ...params: Value[]): Promise<R[]>
  sql<R = any>(...statement: [any, ...any[]]): Promise<R[]> {
    return this.pool.shared((db) => db.sql<R>(...statement))
  }

  /** @see {@link AtomicDB.update} */
  update(fields: object | ((document: any) => object), where?: Where, collection?: string): Promise<number> {
    return this.pool.serial((db) => db.update(fields, where, collection))
  }

  /** @see {@link AtomicDB.atomicUpdate} */
  atomicUpdate<T = any>(change: (document: Stored<T>) => Partial<T>, where?: Where<T>, collection?: string): Promise<Stored<T> | undefined> {
    return this.pool.serial((db) => db.atomicUpdate(change, where, collection))
  }

  /** @see {@link AtomicDB.remove} */
  remove(where: Where, collection?: string): Promise<number> {
    return this.pool.serial((db) => db.remove(where, collection))
  }

  /** @see {@link AtomicDB.clear} */
  clear(collection?: string): Promise<void> {
    return this.pool.serial((db) => db.clear(collection))
  }

  /** @see {@link AtomicDB.transaction} */
  transaction<R>(work: (tx: Transaction) => Promise<R>): Promise<R> {
    return this.pool.serial((db) => db.transaction(work))
  }

  /** @see {@link AtomicDB.collections} */
  collections(): Promise<string[]> {
    return this.pool.shared((db) => db.collections())
  }

  /** @see {@link AtomicDB.createIndex} */
  createIndex(...pathsAndOptions: Parameters<AtomicDB['createIndex']>): Promise<void> {
    return this.pool.serial((db) => db.createIndex(...pathsAndOptions))
  }

  /** @see {@link AtomicDB.dropIndex} */
  dropIndex(...pathsAndOptions: Parameters<AtomicDB['dropIndex']>): Promise<void> {
    return this.pool.serial((db) => db.dropIndex(...pathsAndOptions))
  }

  /** @see {@link AtomicDB.query} */
  query<T = any>(): QueryBuilder<T> {
    return queryBuilder<T>()
  }

  /** Waits for the calls under way, and closes all connections; what still waits for one is refused. Closing twice is closing once. */
  close(): Promise<void> {
    return (this.closing ??= this.closeOnce())
  }

  private async closeOnce(): Promise<void> {
    const databases = await this.pool.close()
    await Promise.all(databases.map((db) => db.close()))
  }

  /** What `await using` calls: close(). */
  [asyncDispose](): Promise<void> {
    return this.close()
  }
}
