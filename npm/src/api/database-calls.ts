import * as reads from '../operations/reads.js'
import * as schemas from '../operations/schemas.js'
import { sql } from '../operations/sql.js'
import * as writes from '../operations/writes.js'
import { collectionOf } from '../query/find-options.js'
import type { Filter, FindOptions, QueryBuilder, Where } from '../query/types.js'
import type { Fresh, Id, JSONSchema, SchemaOptions, SetSchemaOptions, Stored, UpdateOperators, Value } from '../types.js'
import { Collection } from './collection.js'
import { DocumentCalls } from './document-calls.js'
import type { QueryResult } from './result.js'
import { ValidatedCollection, type CollectionOptions } from './validated-collection.js'

/**
 * A collection knows the type of its documents. A database does not, so these
 * calls learn it from their arguments or from a type argument. Only their types
 * are here: each call and its comment are in DocumentCalls.
 */
export interface DatabaseCalls extends DocumentCalls<any, 'database'> {
  insert<T extends object>(document: Fresh<T>, collection?: string): Promise<Id>
  insertMany<T extends object>(documents: readonly Fresh<T>[], collection?: string): Promise<Id[]>
  upsert<T extends object>(document: T & { _id: Id }, collection?: string): Promise<Id>
  search<T = any>(where?: Where<T>, options?: FindOptions | string): Promise<QueryResult<T>>
  get<T = any>(where: Where<T> | Id, options?: FindOptions | string): Promise<Stored<T> | undefined>
  find<T = any>(filter?: Filter, options?: FindOptions | string): Promise<QueryResult<T>>
  findOne<T = any>(filter: Filter, options?: FindOptions | string): Promise<Stored<T> | undefined>
  all<T = any>(collection?: string): Promise<QueryResult<T>>
  atomicUpdate<T = any>(change: (document: Stored<T>) => Partial<T> | UpdateOperators, where?: Where<T>, collection?: string): Promise<Stored<T> | undefined>
  query<T = any>(): QueryBuilder<T>
}

/** The calls of what has several collections: a database, a pool, a transaction. */
export abstract class DatabaseCalls extends DocumentCalls<any, 'database'> {
  /** @internal */
  collectionNamed(last: readonly unknown[]): unknown {
    return last[0] === undefined ? 'default' : last[0]
  }

  /** @internal */
  collectionIn(options: unknown): unknown {
    return collectionOf(options)
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
    return sql(this.calls, text, params)
  }

  /**
   * The calls about documents, bound to one collection and typed by its documents.
   *
   * @param options.validate A validator with the interface of Standard Schema, such as zod, valibot or arktype have. What
   * its calls insert or update is given to it, and what it returns is stored; its output is the type of the collection.
   * What it refuses rejects with `schema`. It checks these calls alone: SQL, `db.insert` and other programs pass it by,
   * but not a JSON Schema of {@link createCollection}.
   */
  collection<T extends object = any>(name: string, options?: CollectionOptions<T>): Collection<T> {
    return options === undefined ? new Collection<T>(this.calls, name) : new ValidatedCollection<T>(this.calls, name, options)
  }

  /** The names of all collections, sorted. */
  collections(): Promise<string[]> {
    return this.calls.read(reads.collections)
  }

  /**
   * Creates an empty collection. One that exists stays as it is, but gets the schema if it has none.
   *
   * @param schema JSON Schema, draft 2020-12, with `format` asserted. Each document must fit it, whatever writes it: a
   * write that breaks it rejects with `schema`, and its `errors` say all that is wrong.
   * @throws `invalid` if the schema is wrong, with the place in it, or if the collection has another one; `schema` if
   * documents that are there do not fit it.
   *
   * @example
   * ```ts
   * await db.createCollection('users', { properties: { age: { type: 'integer', minimum: 0 } }, required: ['name'] })
   * ```
   */
  createCollection(name: string, schema?: JSONSchema | boolean, options?: SchemaOptions): Promise<void> {
    return this.calls.write(() => schemas.createCollection(name, schema, options))
  }

  /** The schema of a collection, as it was given; null if it has none. */
  schema(name: string): Promise<JSONSchema | null> {
    return this.calls.read((engine) => schemas.schema(engine, name))
  }

  /**
   * Gives a collection another schema, or with null none.
   *
   * @throws `schema` if documents do not fit it, unless `migrate` mends them; the message has their ids. `not_found` if
   * there is no such collection, `invalid` if the schema is wrong. Nothing has changed then.
   */
  setSchema(name: string, schema: JSONSchema | boolean | null, options?: SetSchemaOptions): Promise<void> {
    return this.calls.write(() => schemas.setSchema(name, schema, options))
  }

  /** Removes a collection, if it exists, with its documents and indexes. */
  dropCollection(name: string): Promise<void> {
    return this.calls.write(() => writes.dropCollection(name))
  }
}
