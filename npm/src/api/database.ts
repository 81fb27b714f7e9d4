import { startBridge, type NativeBackend } from '../engine/bridge.js'
import { queryBuilder } from '../query/builder.js'
import { checkKnown, checkName } from '../checks.js'
import { Collection } from './collection.js'
import type { Connection } from '../connection/connection.js'
import { exportFile, importFile } from './export-import.js'
import { describe, invalid } from '../errors.js'
import { collectionOf } from '../query/find-options.js'
import { LocalConnection } from '../connection/local-connection.js'
import { backendOf, checkOptions } from './open-options.js'
import { Op } from '../engine/ops.js'
import { bareStorage, exportRaw, importRaw, repair, withAdvice } from './repair.js'
import type { QueryResult } from './result.js'
import { sql } from '../operations/sql.js'
import { Transaction } from './transaction.js'
import type { Aggregate, FileFormat, Filter, FindOptions, Id, IndexOptions, JSONSchema, OpenOptions, Plan, QueryBuilder, Report, StorageBackend, Stored, Value, Where } from '../types.js'
import { askToPersist } from '../connection/quota.js'
import { RemoteConnection } from '../thread/remote-connection.js'

/** Symbol.asyncDispose. Hosts without it run `await using` compiled, which looks for this one there. */
export const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')

/**
 * A database: collections of documents, in memory and, unless it lives in
 * memory alone, kept in a storage.
 *
 * Every call rejects with an {@link AtomicDBError}: `invalid` if an argument
 * is wrong, `closed` after close(), and a write with `quota` or `storage` if
 * the storage fails; nothing of it is stored then. What a function of yours
 * throws is passed on as it is. A write's promise resolves when it is stored;
 * queries see it at once. A call that names no collection is about `default`.
 *
 * @example
 * ```ts
 * const db = await AtomicDB.open('users')
 * await db.insert({ name: 'Alice', age: 30 })
 * const young = await db.search(db.query().age.lt(40))
 * ```
 */
export class AtomicDB implements AsyncDisposable {
  readonly name: string
  private readonly connection: Connection
  private readonly byDefault: Collection

  private constructor(name: string, connection: Connection) {
    this.name = name
    this.connection = connection
    this.byDefault = new Collection(connection, 'default')
  }

  /**
   * Opens a database, creating it if need be.
   *
   * @param name Databases of other names share nothing. Default: 'default'.
   * @throws `storage` or `quota` if the storage refuses, `corrupt` if what it
   * holds fails its checks, `unsupported` for an option of a later version.
   */
  static async open(name = 'default', options: OpenOptions = {}): Promise<AtomicDB> {
    checkName('name', name)
    checkOptions(options)
    const backend = backendOf(name, options)
    if (options.persist && backend !== null) askToPersist()
    const connection = options.worker ? RemoteConnection : LocalConnection
    try {
      return new AtomicDB(name, await connection.open(name, backend, options))
    } catch (error) {
      throw withAdvice(error, name, options.storage)
    }
  }

  /** @internal */
  static over(name: string, connection: Connection): AtomicDB {
    return new AtomicDB(name, connection)
  }

  /** Deletes a stored database, open nowhere. One that does not exist is deleted already. */
  static async destroy(name: string, options: Pick<OpenOptions, 'storage' | 'wasm'> = {}): Promise<void> {
    checkName('name', name)
    checkKnown(options, ['storage', 'wasm'])
    const backend = backendOf(name, options)
    if (!backend) return
    const bridge = await startBridge(options.wasm)
    await bridge.wait((host) => host.destroy(backend))
  }

  /**
   * Brings a stored database that is damaged to a state that can be opened:
   * what the newest sound snapshot and every sound batch after it say. What a
   * damaged batch did is lost, and the report tells of it: a document that it
   * changed or removed may be there as it was before. What others did is kept.
   * A sound database is left as it is. If this fails or is cut off, nothing is
   * lost. Tabs that have the database open take in the result.
   *
   * @throws `decrypt` with a wrong password; `unsupported` if a newer AtomicDB has written it;
   * `conflict` if somebody writes meanwhile; `quota` or `storage`.
   */
  static async repair(name: string, options: Pick<OpenOptions, 'storage' | 'wasm'> = {}): Promise<Report> {
    return repair(storedBackend(name, options), options)
  }

  /**
   * What is stored, damaged or encrypted as it may be, as one file: to be kept
   * before {@link repair}, or looked at elsewhere. It needs no password.
   * {@link importRaw} and {@link MemoryStorage.fromRaw} take it, and so do Go programs.
   */
  static async exportRaw(name: string, options: Pick<OpenOptions, 'storage' | 'wasm'> = {}): Promise<Uint8Array> {
    return exportRaw(storedBackend(name, bare(options)), options.wasm)
  }

  /**
   * Stores what {@link exportRaw} has written under a name, or in a storage,
   * where nothing is stored yet.
   *
   * @throws `invalid` if something is; `corrupt` if the file is none or not whole, `unsupported` if a
   * newer AtomicDB has written it; `quota` or `storage`. Nothing is stored then.
   */
  static async importRaw(name: string, file: Uint8Array, options: Pick<OpenOptions, 'storage' | 'wasm'> = {}): Promise<void> {
    return importRaw(storedBackend(name, bare(options)), file, options.wasm)
  }

  /** Adds one document; see {@link Collection.insert}. */
  insert<T extends object>(document: T, collection?: string): Promise<Id> {
    return this.in(collection).insert(document)
  }

  /** Adds all documents or none; see {@link Collection.insertMany}. */
  insertMany<T extends object>(documents: readonly T[], collection?: string): Promise<Id[]> {
    return this.in(collection).insertMany(documents)
  }

  /** Adds the document, or puts it in the place of the one with its `_id`. */
  upsert<T extends object>(document: T & { _id: Id }, collection?: string): Promise<Id> {
    return this.in(collection).upsert(document)
  }

  /** All documents that match. */
  search<T = any>(where?: Where<T>, options?: FindOptions | string): Promise<QueryResult<T>> {
    return this.at(options).search(where as Where, options as FindOptions) as Promise<QueryResult<T>>
  }

  /** The document of that id, or the first that matches; see {@link Collection.get}. */
  get<T = any>(where: Where<T> | Id, options?: FindOptions | string): Promise<Stored<T> | undefined> {
    return this.at(options).get(where as Where, options as FindOptions)
  }

  /** All documents that match a filter: find({age: {$gte: 18}, 'address.city': 'Oslo'}). */
  find<T = any>(filter?: Filter, options?: FindOptions | string): Promise<QueryResult<T>> {
    return this.at(options).find(filter, options as FindOptions) as Promise<QueryResult<T>>
  }

  /** The first document that matches a filter; undefined if there is none. */
  findOne<T = any>(filter: Filter, options?: FindOptions | string): Promise<Stored<T> | undefined> {
    return this.at(options).findOne(filter, options as FindOptions)
  }

  /** How many documents match. */
  count(where?: Where, collection?: string): Promise<number> {
    return this.in(collection).count(where)
  }

  /** Whether a document matches. */
  contains(where: Where, collection?: string): Promise<boolean> {
    return this.in(collection).contains(where)
  }

  /** Every document, in insertion order. */
  all<T = any>(collection?: string): Promise<QueryResult<T>> {
    return this.in(collection).all() as Promise<QueryResult<T>>
  }

  /** The ids of all documents, in insertion order. */
  documentIds(collection?: string): Promise<Id[]> {
    return this.in(collection).documentIds()
  }

  /** Distinct values of a field path, in value order. */
  distinct(path: string, where?: Where, collection?: string): Promise<Value[]> {
    return this.in(collection).distinct(path, where)
  }

  /** Groups of documents and what each has in common; see {@link Collection.aggregate}. */
  aggregate<R = any>(pipeline: Aggregate, collection?: string): Promise<R[]> {
    return this.in(collection).aggregate(pipeline)
  }

  /**
   * Runs an SQL statement and resolves to its rows as plain objects: SELECT,
   * INSERT, UPDATE, DELETE, CREATE INDEX, DROP INDEX or EXPLAIN SELECT. Values
   * go in as parameters, never as text: `?` in the order of an array, `:name`
   * by the name in an object, and the `${}` of a template.
   *
   * INSERT answers the ids, as [{_id}], UPDATE [{updated: n}] and DELETE
   * [{removed: n}], once that is stored. Each is done whole or not at all.
   *
   * @throws `invalid` with line and place if the statement is faulty, and what
   * the calls of the same name throw.
   *
   * @example
   * ```ts
   * await db.sql`SELECT city, COUNT(*) AS n FROM users WHERE age > ${18} GROUP BY city ORDER BY n DESC`
   * await db.sql('UPDATE users SET age = age + 1 WHERE name = :name', { name: 'Ada' })
   * ```
   */
  sql<R = any>(text: string, params?: readonly Value[] | Record<string, Value>): Promise<R[]>
  sql<R = any>(strings: TemplateStringsArray, ...params: Value[]): Promise<R[]>
  sql<R = any>(text: string | TemplateStringsArray, ...params: unknown[]): Promise<R[]> {
    return sql(this.connection, text, params)
  }

  /** Changes every document that matches; see {@link Collection.update}. */
  update(fields: object | ((document: any) => object), where?: Where, collection?: string): Promise<number> {
    return this.in(collection).update(fields, where)
  }

  /** Read-modify-write that nothing can come between; see {@link Collection.atomicUpdate}. */
  atomicUpdate<T = any>(change: (document: Stored<T>) => Partial<T>, where?: Where<T>, collection?: string): Promise<Stored<T> | undefined> {
    return this.in(collection).atomicUpdate(change, where as Where)
  }

  /** Removes every document that matches, and resolves to how many did. */
  remove(where: Where, collection?: string): Promise<number> {
    return this.in(collection).remove(where)
  }

  /** Removes every document of one collection; its indexes stay. */
  clear(collection?: string): Promise<void> {
    return this.in(collection).clear()
  }

  /**
   * Runs `work`, and stores all that it did through `tx`, in any collections,
   * as one batch: all or nothing.
   *
   * Nobody else writes between what `work` reads and what it writes. Writes of
   * this database wait until it has ended; reads see the state before it; what
   * another tab stores meanwhile makes `work` run again from the start, with a
   * new `tx`, so it should have no effects but those of `tx`. Should `work` be
   * waiting for something else for 10 seconds, the transaction ends.
   *
   * @returns What `work` resolves to, once the batch is stored.
   * @throws What `work` throws, that very value, with everything undone;
   * `conflict` if other writers were faster 1,000 times; `timeout` if it has asked
   * nothing of `tx` for 10 seconds, as when it awaits `db.insert` instead of
   * `tx.insert`; `invalid` inside another transaction; `quota` or `storage`.
   *
   * @example
   * ```ts
   * await db.transaction(async (tx) => {
   *   const from = await tx.get('ada', 'accounts')
   *   if (from.money < 5) throw new Error('too little')
   *   await tx.update({ $inc: { money: -5 } }, "_id = 'ada'", 'accounts')
   *   await tx.update({ $inc: { money: 5 } }, "_id = 'bob'", 'accounts')
   * })
   * ```
   */
  transaction<R>(work: (tx: Transaction) => Promise<R>): Promise<R> {
    const { connection } = this
    return connection.transaction((calls) => {
      if (typeof work !== 'function') throw invalid(`work: expected a function, not ${describe(work)}`)
      return work(new Transaction(connection, calls))
    })
  }

  /** A query builder: `q.age.gte(18).and(q.name.matches('^J'))`. */
  query<T = any>(): QueryBuilder<T> {
    return queryBuilder<T>()
  }

  /** The calls above, bound to one collection. */
  collection<T extends object = any>(name: string): Collection<T> {
    return new Collection<T>(this.connection, name)
  }

  /** The names of all collections, sorted. */
  collections(): Promise<string[]> {
    return this.connection.read(() => this.connection.value(Op.collections, Uint8Array.of(0x90)) as string[])
  }

  /**
   * Creates an empty collection; one that exists stays as it is.
   *
   * @param schema Not there yet: `unsupported`.
   */
  createCollection(name: string, schema?: JSONSchema): Promise<void> {
    return this.collection(name).create(schema)
  }

  /** Removes a collection, if it exists, with its documents and indexes. */
  dropCollection(name: string): Promise<void> {
    return this.collection(name).drop()
  }

  /** Declares an index on one or several field paths: `createIndex('country', 'age', { collection: 'users' })`. */
  createIndex(...pathsAndOptions: [...string[], IndexOptions] | string[]): Promise<void> {
    return this.at(lastOptions(pathsAndOptions)).createIndex(...pathsAndOptions)
  }

  /** Removes the index on exactly these paths. @throws `not_found` if there is none. */
  dropIndex(...pathsAndOptions: [...string[], { collection?: string }] | string[]): Promise<void> {
    return this.at(lastOptions(pathsAndOptions)).dropIndex(...pathsAndOptions)
  }

  /** How a query would run: which index answers it, and how many documents it looks at. */
  explain(where: Where, options?: FindOptions | string): Promise<Plan> {
    return this.at(options).explain(where, options as FindOptions)
  }

  /**
   * The whole database as one file: `{"default": [...], "users": [...]}`.
   *
   * @param format.type 'json', the default, or 'msgpack'.
   * @param format How the file is compressed and encrypted. Default: not at all.
   */
  async export(format: FileFormat = {}): Promise<Uint8Array> {
    return exportFile(this.connection, format)
  }

  /**
   * Adds what a file holds that {@link export}, a storage of one file or the
   * Python library has written: all of it, or, if anything is wrong, nothing. A
   * document takes the place of one with the same `_id`; one without gets a new one.
   *
   * @param format.type Default: what the file looks like. Compressed files are known by themselves.
   * @throws invalid if the file is none, `decrypt` if its password is another one, `corrupt` if it is damaged.
   */
  async import(file: Uint8Array, format: FileFormat = {}): Promise<void> {
    return importFile(this.connection, file, format)
  }

  /**
   * With `inMemory` and a storage: stores everything since the last commit, as
   * one batch. If that fails, nothing is lost or undone, and commit can be
   * called again. Otherwise the same as {@link flush}.
   *
   * @throws `conflict` if another writer has stored something meanwhile, which
   * {@link export} can save what is here from; `quota` or `storage`.
   */
  commit(): Promise<void> {
    return this.connection.commit()
  }

  /** Resolves when every write so far is stored; rejects with the first that could not be. With `inMemory`, at once. */
  flush(): Promise<void> {
    return this.connection.flush()
  }

  /**
   * Reads everything that is stored again, and compares: each batch with its
   * checksum and number, what they lead to with what is in memory, and that
   * with itself. It takes about as long as opening the database.
   *
   * @throws `invalid` with `inMemory` and a storage, while something is not committed.
   */
  verify(): Promise<Report> {
    return this.connection.verify()
  }

  /** Stores what is not stored yet and closes the database. Closing twice is closing once. */
  close(): Promise<void> {
    return this.connection.close()
  }

  /** What `await using` calls: close(). */
  [asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The collection of that name; a name that is none is refused by its calls. */
  private in(name: string = 'default'): Collection {
    return name === 'default' ? this.byDefault : new Collection(this.connection, name)
  }

  private at(options: unknown): Collection {
    return this.in(collectionOf(options) as string)
  }
}

/** Where a database is stored that a static call is about. */
function storedBackend(name: string, options: Pick<OpenOptions, 'storage' | 'wasm'>): NativeBackend | StorageBackend {
  checkName('name', name)
  checkKnown(options, ['storage', 'wasm'])
  const backend = backendOf(name, options)
  if (!backend) throw invalid('options.storage: this host keeps databases in memory alone unless a storage is given')
  return backend
}

function bare<O extends Pick<OpenOptions, 'storage'>>(options: O): O {
  return { ...options, storage: bareStorage(options.storage) }
}

function lastOptions(args: readonly unknown[]): unknown {
  const last = args[args.length - 1]
  return typeof last === 'object' ? last : undefined
}
