import type { Calls } from '../connection/transaction-run.js'
import { queryBuilder } from '../query/builder.js'
import { Collection } from './collection.js'
import type { Connection } from '../connection/connection.js'
import { invalid } from '../errors.js'
import { collectionOf } from '../query/find-options.js'
import type { QueryResult } from './result.js'
import { sql } from '../operations/sql.js'
import type { Aggregate, Filter, FindOptions, Id, QueryBuilder, Stored, Value, Where } from '../types.js'

/**
 * The calls of a database inside {@link AtomicDB.transaction}. Each means what
 * the database's call of that name means, sees what the transaction did
 * before, and resolves at once: what it did is stored when the transaction
 * ends, with all the rest, or not at all.
 *
 * A call that fails has done nothing, and the transaction goes on if the error
 * is caught. Once the transaction has ended, every call rejects with `closed`.
 */
export class Transaction {
  private readonly connection: Connection
  private readonly calls: Calls

  /** @internal */
  constructor(connection: Connection, calls: Calls) {
    this.connection = connection
    this.calls = calls
  }

  /** Adds one document; resolves to its id. */
  insert<T extends object>(document: T, collection?: string): Promise<Id> {
    return this.in(collection).insert(document)
  }

  /** Adds all documents or none; resolves to their ids. */
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

  /** All documents that match a filter. */
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

  /** Distinct values of a field path, in value order. */
  distinct(path: string, where?: Where, collection?: string): Promise<Value[]> {
    return this.in(collection).distinct(path, where)
  }

  /** Groups of documents and what each has in common; see {@link Collection.aggregate}. */
  aggregate<R = any>(pipeline: Aggregate, collection?: string): Promise<R[]> {
    return this.in(collection).aggregate(pipeline)
  }

  /** Runs an SQL statement; see {@link AtomicDB.sql}. */
  sql<R = any>(text: string, params?: readonly Value[] | Record<string, Value>): Promise<R[]>
  sql<R = any>(strings: TemplateStringsArray, ...params: Value[]): Promise<R[]>
  sql<R = any>(text: string | TemplateStringsArray, ...params: unknown[]): Promise<R[]> {
    return sql(this.connection, text, params, this.calls)
  }

  /** Changes every document that matches; see {@link Collection.update}. */
  update(fields: object | ((document: any) => object), where?: Where, collection?: string): Promise<number> {
    return this.in(collection).update(fields, where)
  }

  /** Removes every document that matches, and resolves to how many did. */
  remove(where: Where, collection?: string): Promise<number> {
    return this.in(collection).remove(where)
  }

  /** Removes every document of one collection; its indexes stay. */
  clear(collection?: string): Promise<void> {
    return this.in(collection).clear()
  }

  /** A query builder. */
  query<T = any>(): QueryBuilder<T> {
    return queryBuilder<T>()
  }

  /** The calls above, bound to one collection. */
  collection<T extends object = any>(name: string): Collection<T> {
    return new Collection<T>(this.connection, name, this.calls)
  }

  /** Is refused with `invalid`: a transaction has no parts that could fail alone. Hand `tx` to the functions that belong to it. */
  async transaction(_work: unknown): Promise<never> {
    throw invalid('transaction: a transaction cannot hold another; hand tx to the functions that belong to it')
  }

  private in(name = 'default'): Collection {
    return new Collection(this.connection, name, this.calls)
  }

  private at(options: unknown): Collection {
    return this.in(collectionOf(options) as string)
  }
}
