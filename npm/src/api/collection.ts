import { aggregate } from '../operations/aggregate.js'
import type { Calls } from '../connection/transaction-run.js'
import { queryBuilder } from '../query/builder.js'
import type { Connection } from '../connection/connection.js'
import { unsupported } from '../errors.js'
import { everything, queryOf } from '../query/find-options.js'
import { Op } from '../engine/ops.js'
import * as reads from '../operations/reads.js'
import { newResult, type QueryResult } from './result.js'
import type { TrackedChange } from './tracker.js'
import type { Aggregate, Filter, FindOptions, Id, IndexOptions, JSONSchema, Plan, QueryBuilder, Stored, Value, Where } from '../types.js'
import { needFilter, needWhere } from '../query/where.js'
import * as writes from '../operations/writes.js'

/**
 * The calls of a database, bound to one collection and typed by its documents.
 * A collection comes into being with its first document.
 *
 * Every call rejects with an {@link AtomicDBError}: `invalid` if an argument
 * is wrong, `closed` after close(), and a write with `quota` or `storage` if
 * the storage fails; nothing of it is stored then. What a function of yours
 * throws is passed on as it is.
 */
export class Collection<T extends object = any> {
  /** @internal */
  readonly connection: Connection
  readonly name: string
  private readonly calls: Calls

  /** @internal */
  constructor(connection: Connection, name: string, calls: Calls = connection) {
    this.connection = connection
    this.name = name
    this.calls = calls
  }

  /**
   * Adds one document.
   *
   * @param document Copied; later changes to the object are not seen.
   * @returns Its id once it is stored: its own `_id` if it has one, else the
   * collection's next integer.
   * @throws `duplicate_id` if the id is taken, `unique` if an index forbids it.
   */
  insert(document: T): Promise<Id> {
    return this.calls.write(() => writes.insertOne(this.connection, this.name, document, false))
  }

  /** Adds all documents or none; resolves to their ids, in order. Fails as {@link insert}. */
  insertMany(documents: readonly T[]): Promise<Id[]> {
    return this.calls.write(() => writes.insertMany(this.connection, this.name, documents))
  }

  /** Adds the document, or puts it in the place of the one with its `_id`. */
  upsert(document: T & { _id: Id }): Promise<Id> {
    return this.calls.write(() => writes.insertOne(this.connection, this.name, document, true))
  }

  /** All documents that match, all of them if there is no condition. */
  search(where?: Where<T>, options?: FindOptions): Promise<QueryResult<T>> {
    return this.calls.read(() => {
      const query = queryOf(options, this.name)
      const result = newResult<T>({ collection: this, fields: query.fields })
      reads.find(this.connection, this.name, where, query, result)
      return result
    })
  }

  /**
   * The document of that id, or the first that matches; undefined if there is
   * none.
   *
   * A string is an id if a document has it, and only else a condition; one
   * that is neither finds nothing. So an id that comes from outside, which
   * could be made to read as a condition, is safer as `q._id.eq(id)`.
   */
  get(where: Where<T> | Id, options?: FindOptions): Promise<Stored<T> | undefined> {
    return this.calls.read(() => reads.get(this.connection, this.name, where, queryOf(options, this.name)))
  }

  /** All documents that match a MongoDB-style filter. */
  find(filter?: Filter, options?: FindOptions): Promise<QueryResult<T>> {
    return this.calls.read(() => {
      needFilter(filter)
      const query = queryOf(options, this.name)
      const result = newResult<T>({ collection: this, fields: query.fields })
      reads.find(this.connection, this.name, filter, query, result)
      return result
    })
  }

  /** The first document that matches a MongoDB-style filter; undefined if there is none. */
  findOne(filter: Filter, options?: FindOptions): Promise<Stored<T> | undefined> {
    return this.calls.read(() => {
      needFilter(filter)
      return reads.first(this.connection, this.name, filter, queryOf(options, this.name))
    })
  }

  /** How many documents match. */
  count(where?: Where<T>): Promise<number> {
    return this.calls.read(() => reads.count(this.connection, this.name, where, -1))
  }

  /** Whether a document matches. */
  contains(where: Where<T>): Promise<boolean> {
    return this.calls.read(() => {
      needWhere(where, 'count() > 0 tells whether there is any document')
      return reads.count(this.connection, this.name, where, 1) > 0
    })
  }

  /** Every document, in insertion order. */
  all(): Promise<QueryResult<T>> {
    return this.search()
  }

  /** The ids of all documents, in insertion order. */
  documentIds(): Promise<Id[]> {
    return this.calls.read(() => reads.ids(this.connection, this.name))
  }

  /** The distinct values at a path in the documents that match, in value order. Of an array, its elements. */
  distinct(path: string, where?: Where<T>): Promise<Value[]> {
    return this.calls.read(() => reads.distinct(this.connection, this.name, path, where))
  }

  /**
   * Groups of documents and what each group has in common: one plain object
   * for each group, which holds its values of `groupBy`, nested as in a
   * document, and then those of `select`.
   *
   * @example
   * ```ts
   * await users.aggregate({ groupBy: 'address.city', select: { n: { $count: true }, mean: { $avg: 'age' } }, sort: '-n' })
   * // → [{ address: { city: 'Oslo' }, n: 3, mean: 36.5 }, { address: { city: null }, n: 1, mean: 12 }]
   * ```
   */
  aggregate<R = any>(pipeline: Aggregate<T>): Promise<R[]> {
    return this.calls.read(() => aggregate(this.connection, this.name, pipeline))
  }

  /**
   * Changes every document that matches, all documents if there is no
   * condition: all or none. Resolves to how many changed.
   *
   * @param fields Fields to merge, named by paths; or an operator object of
   * $set, $unset, $inc, $push, $pull, $min, $max, $rename; or a function that
   * returns one of these for a document. It may run again when another tab was
   * faster, so it should do nothing else.
   */
  update(fields: object | ((document: Stored<T>) => object), where?: Where<T>): Promise<number> {
    return this.calls.write(() => writes.update(this.connection, this.name, fields, where))
  }

  /**
   * Changes the first document that matches, where nothing, not even another
   * tab, comes between reading and writing it.
   *
   * @param change Returns the fields to merge, or an operator object. May run
   * again when another tab was faster, so it should do nothing else.
   * @returns The document as it is then; undefined if none matches.
   */
  atomicUpdate(change: (document: Stored<T>) => Partial<T>, where?: Where<T>): Promise<Stored<T> | undefined> {
    return this.calls.write(() => writes.atomicUpdate(this.connection, this.name, change, where))
  }

  /** Removes every document that matches, and resolves to how many did. */
  remove(where: Where<T>): Promise<number> {
    return this.calls.write(() => {
      needWhere(where, 'clear() removes every document')
      return writes.remove(this.connection, this.name, where)
    })
  }

  /** Removes every document; the indexes stay. */
  clear(): Promise<void> {
    return this.calls.write(() => writes.command(this.connection, Op.clear, [this.name]))
  }

  /** A query builder for these documents. */
  query(): QueryBuilder<T> {
    return queryBuilder<T>()
  }

  /** Declares an index on one or several field paths: `createIndex('country', 'age', { unique: true })`. */
  createIndex(...pathsAndOptions: [...string[], IndexOptions] | string[]): Promise<void> {
    return this.calls.write(() => {
      const { paths, options } = writes.indexArguments(pathsAndOptions, this.name, ['unique', 'sparse'])
      return writes.createIndex(this.connection, this.name, paths, options)
    })
  }

  /** Removes the index on exactly these paths. @throws `not_found` if there is none. */
  dropIndex(...pathsAndOptions: [...string[], { collection?: string }] | string[]): Promise<void> {
    return this.calls.write(() => {
      const { paths } = writes.indexArguments(pathsAndOptions, this.name, [])
      return writes.dropIndex(this.connection, this.name, paths)
    })
  }

  /** How a query would run: which index answers it, and how many documents it looks at. */
  explain(where?: Where<T>, options?: FindOptions): Promise<Plan> {
    return this.calls.read(() => reads.explain(this.connection, this.name, where, queryOf(options, this.name)))
  }

  /** @internal Creates the collection, empty. */
  create(schema: JSONSchema | undefined): Promise<void> {
    return this.calls.write(() => {
      if (schema !== undefined) throw unsupported('schema: schemas are not supported yet')
      return writes.command(this.connection, Op.createCollection, [this.name, null])
    })
  }

  /** @internal Removes the collection itself. */
  drop(): Promise<void> {
    return this.calls.write(() => writes.command(this.connection, Op.dropCollection, [this.name]))
  }

  /** @internal Updates the documents of these ids; `documents` is what they are then. */
  updateThese(ids: readonly Id[], change: object, fields: readonly string[] | null): Promise<{ changed: number; documents: Stored<T>[] }> {
    return this.calls.write(() => {
      const these = reads.idIn(ids)
      const update = writes.update(this.connection, this.name, change, these)
      return () => {
        const changed = update()
        const documents: Stored<T>[] = []
        reads.find(this.connection, this.name, these, { ...everything, fields }, documents)
        return { changed, documents }
      }
    })
  }

  /** @internal Removes the documents of these ids. */
  removeThese(ids: readonly Id[]): Promise<number> {
    return this.calls.write(() => writes.remove(this.connection, this.name, reads.idIn(ids)))
  }

  /** @internal Makes a change of its own in each document. */
  changeThese(changes: readonly TrackedChange[]): Promise<number> {
    return this.calls.write(() => writes.changeEach(this.connection, this.name, changes))
  }
}
