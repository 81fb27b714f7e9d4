import { readArguments } from '../connection/errors.js'
import type { LiveValue } from '../live/live-value.js'
import { selected } from '../live/questions.js'
import * as reads from '../operations/reads.js'
import { addRelationship, removeRelationship } from '../operations/relationships.js'
import * as schemas from '../operations/schemas.js'
import { sql } from '../operations/sql.js'
import * as writes from '../operations/writes.js'
import { collectionOf } from '../query/find-options.js'
import type { Aggregate, Filter, FindOptions, IterateOptions, MatchOptions, Plan, QueryBuilder, Where } from '../query/types.js'
import type { DocumentOptions, DocumentsOptions, NumberOptions, Update, UpdateOptions } from '../query/update-types.js'
import type { ByteStream, ExportOptions, Fresh, Id, JSONSchema, Metadata, Relationship, SchemaOptions, SetSchemaOptions, Stored, Value } from '../types.js'
import { Collection } from './collection.js'
import { DocumentCalls } from './document-calls.js'
import { LiveQuery, type LiveOptions } from './live-query.js'
import { noteNoRows } from './mistyped.js'
import { exportStream } from './streams.js'
import type { QueryResult } from './result.js'
import { ValidatedCollection, type CollectionOptions } from './validated-collection.js'

/** The names of the collections that a database with the types `Schema` has; without types, any. */
export type CollectionNames<Schema> = 0 extends 1 & Schema ? string : keyof Schema & string

/** The options of a find, which name the collection, or its name alone. */
export type NamedOptions<Schema> = (FindOptions & { collection?: CollectionNames<Schema> }) | CollectionNames<Schema>

/** The options of a write, which name the collection. */
export type NamedUpdateOptions<Schema> = UpdateOptions & { collection?: CollectionNames<Schema> }

/** The options of a call that takes a condition, which name the collection, or its name alone. */
export type NamedMatchOptions<Schema> = (MatchOptions & { collection?: CollectionNames<Schema> }) | CollectionNames<Schema>

/** The options of a live query, which name the collection, or its name alone. */
export type NamedLiveOptions<Schema> = (LiveOptions & { collection?: CollectionNames<Schema> }) | CollectionNames<Schema>

/** The options of an iteration, which name the collection, or its name alone. */
export type NamedIterateOptions<Schema> = (IterateOptions & { collection?: CollectionNames<Schema> }) | CollectionNames<Schema>

/** What is an object of a type. Editors show it as it is; `User & object` is what they would show of an intersection. */
type Documents<D> = D extends object ? D : D & object

/** The names by which `collection` finds a type, and those that have none. */
type TypedNames<Schema> = 0 extends 1 & Schema ? never : keyof Schema & string
type UntypedNames<Schema> = 0 extends 1 & Schema ? string : never

/**
 * A collection knows the type of its documents. A database does not, so these
 * calls learn it from their arguments or from a type argument. Only their types
 * are here: each call and its comment are in DocumentCalls.
 */
export interface DatabaseCalls<Schema = any> extends DocumentCalls<any, 'database'> {
  insert<T extends object>(document: Fresh<T>, collection?: CollectionNames<Schema>): Promise<Id>
  insertMany<T extends object>(documents: readonly Fresh<T>[], collection?: CollectionNames<Schema>): Promise<Id[]>
  upsert<T extends object>(document: T & { _id: Id }, collection?: CollectionNames<Schema>): Promise<Id>
  upsert(fields: object, where: Exclude<Where, string>, collection?: CollectionNames<Schema>): Promise<Id>
  upsert(fields: object, where: string, collection: CollectionNames<Schema>): Promise<Id>
  upsertMany<T extends object>(documents: readonly (T & { _id: Id })[], collection?: CollectionNames<Schema>): Promise<Id[]>
  search<T = any>(where?: Where<T>, options?: NamedOptions<Schema>): Promise<QueryResult<T>>
  get<T = any>(where: Where<T> | Id, options?: NamedOptions<Schema>): Promise<Stored<T> | undefined>
  find<T = any>(filter?: Filter<T>, options?: NamedOptions<Schema>): Promise<QueryResult<T>>
  findOne<T = any>(filter: Filter<T>, options?: NamedOptions<Schema>): Promise<Stored<T> | undefined>
  iterate<T = any>(where?: Where<T>, options?: NamedIterateOptions<Schema>): AsyncIterableIterator<Stored<T>>
  count(where?: Where, options?: NamedMatchOptions<Schema>): Promise<number>
  contains(where: Where, options?: NamedMatchOptions<Schema>): Promise<boolean>
  all<T = any>(collection?: CollectionNames<Schema>): Promise<QueryResult<T>>
  documentIds(collection?: CollectionNames<Schema>): Promise<Id[]>
  distinct(path: string, where?: Where, options?: NamedMatchOptions<Schema>): Promise<Value[]>
  aggregate<R = any, G extends string = never, P extends string = never, N extends string = never>(pipeline: Aggregate<any, G, P, N>, collection?: CollectionNames<Schema>): Promise<R[]>
  update<T = any>(fields: object | ((document: any) => object), where: Where | undefined, options: NamedUpdateOptions<Schema> & DocumentOptions): Promise<Stored<T> | undefined>
  update<T = any>(fields: object | ((document: any) => object), where: Where | undefined, options: NamedUpdateOptions<Schema> & DocumentsOptions): Promise<QueryResult<T>>
  update(fields: object | ((document: any) => object), where?: Where, options?: (NamedUpdateOptions<Schema> & NumberOptions) | CollectionNames<Schema>): Promise<number>
  replace<T extends object>(document: Fresh<T>, where: Where, options: Omit<NamedUpdateOptions<Schema> & DocumentOptions, 'many' | 'arrayFilters'>): Promise<Stored<T> | undefined>
  replace<T extends object>(document: Fresh<T>, where: Where, options?: Omit<NamedUpdateOptions<Schema> & NumberOptions, 'many' | 'arrayFilters'> | CollectionNames<Schema>): Promise<number>
  atomicUpdate<T = any>(change: (document: Stored<T>) => Update<T>, where?: Where<T>, options?: NamedMatchOptions<Schema>): Promise<Stored<T> | undefined>
  remove(where: Where, options?: NamedMatchOptions<Schema>): Promise<number>
  clear(collection?: CollectionNames<Schema>): Promise<void>
  metadata(collection?: CollectionNames<Schema>): Promise<Metadata>
  query<T = any>(): QueryBuilder<T>
  explain(where?: Where, options?: NamedOptions<Schema>): Promise<Plan>
  live<T = any>(where?: Where<T>, options?: NamedLiveOptions<Schema>): LiveQuery<T>
  liveGet<T = any>(where: Where<T> | Id, options?: NamedLiveOptions<Schema>): LiveValue<Stored<T> | undefined>
  liveCount(where?: Where, options?: NamedMatchOptions<Schema>): LiveValue<number>
  liveDistinct(path: string, where?: Where, options?: NamedMatchOptions<Schema>): LiveValue<Value[]>
  liveAggregate<R = any, G extends string = never, P extends string = never, N extends string = never>(pipeline: Aggregate<any, G, P, N>, collection?: CollectionNames<Schema>): LiveValue<R[]>
}

/** The calls of what has several collections: a database, a pool, a transaction. */
export abstract class DatabaseCalls<Schema = any> extends DocumentCalls<any, 'database'> {
  /** @internal */
  collectionNamed(last: readonly unknown[]): unknown {
    return last[0] === undefined ? 'default' : last[0]
  }

  /** @internal */
  collectionIn(options: unknown): unknown {
    return collectionOf(options)
  }

  /** @internal */
  namesCollection(argument: unknown): boolean {
    return typeof argument === 'string' || argument === undefined
  }

  /**
   * Runs an SQL statement and resolves to its rows as plain objects: SELECT,
   * INSERT, UPDATE, DELETE, CREATE and DROP of TABLE and INDEX, or EXPLAIN
   * SELECT. Values go in as parameters, never as text: `?` in the order of an
   * array, `:name` by the name in an object, and the `${}` of a template.
   *
   * INSERT answers the ids, as [{_id}], UPDATE [{updated: n}] and DELETE
   * [{removed: n}], or what RETURNING asks for, once that is stored. Several
   * statements, with semicolons between them, answer what the last one does.
   * All is done whole or not at all.
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
    const rows = sql(this.calls, text, params)
    noteNoRows(rows, text)
    return rows
  }

  /**
   * The rows of a SELECT, kept current. Values go in as parameters, as in {@link sql}. Rows that stay the same at their
   * place are the same objects.
   */
  liveSql<R = any>(text: string, params?: readonly Value[] | Record<string, Value>): LiveQuery<R>
  liveSql<R = any>(strings: TemplateStringsArray, ...params: Value[]): LiveQuery<R>
  liveSql<R = any>(text: string | TemplateStringsArray, ...params: unknown[]): LiveQuery<R> {
    return readArguments(() => new LiveQuery<R>(this.calls, selected(text, params), null, undefined))
  }

  /**
   * The calls about documents, bound to one collection and typed by its documents.
   *
   * @param options.validate A validator with the interface of Standard Schema, such as zod, valibot or arktype have. What
   * its calls insert or update is given to it, and what it returns is stored; its output is the type of the collection.
   * What it refuses rejects with `schema`. It checks these calls alone: SQL, `db.insert` and other programs pass it by,
   * but not a JSON Schema of {@link createCollection}.
   */
  collection<Name extends TypedNames<Schema>>(name: Name, options?: CollectionOptions<Documents<Schema[Name]>>): Collection<Documents<Schema[Name]>>
  collection<T extends object = any>(name: UntypedNames<Schema>, options?: CollectionOptions<T>): Collection<T>
  collection(name: string, options?: CollectionOptions<any>): Collection {
    return options === undefined ? new Collection(this.calls, name) : new ValidatedCollection(this.calls, name, options)
  }

  /**
   * A file of the documents, which is written as it is read: {@link OpenDatabase.importStream} reads it again. Each document is
   * as it is when its turn comes; {@link AtomicDB.at} has a state that nobody changes.
   *
   * `json` and `msgpack` without a collection hold the whole database, indexes and schemas too. In `msgpack` it is several
   * such files, one after the other. `csv` is read twice, since its first line names all fields.
   *
   * @example
   * ```ts
   * await db.exportStream({ format: 'ndjson' }).pipeTo(await handle.createWritable())
   * ```
   */
  exportStream(options: ExportOptions = {}): ByteStream {
    return exportStream(this.calls, options)
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
   * @param options.schemas Schemas with an `$id` that a `$ref` may lead to. Nothing is fetched.
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

  /** The schema of a collection, as it was given; null if it has none. {@link metadata} has the options too. */
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

  /**
   * Declares that documents of one collection hold the ids of documents of
   * another, and makes an index on the field that holds them. A relationship that
   * is there already, the same in all, stays as it is. The collections need not
   * exist: `from` is made, which keeps the relationship, and `to` by its first
   * document.
   *
   * @throws `invalid` if a field of it is wrong, or `from` has another relationship
   * of this name; `relationship` if `enforce` is asked for and a document, which
   * the message names, refers to one that does not exist.
   *
   * @example
   * ```ts
   * await db.addRelationship({ type: 'one_to_many', from: 'users', to: 'posts', foreignKey: 'user_id', onDelete: 'cascade' })
   * await db.get(1, { collection: 'users', populate: ['posts'] }) // → { _id: 1, name: 'Ada', posts: [{ … }, { … }] }
   * ```
   */
  addRelationship(relationship: Relationship): Promise<void> {
    return this.calls.write(() => addRelationship(relationship))
  }

  /** Removes a relationship by its name, or, if several have it, by `from` and name: 'posts.author'. @throws `not_found` */
  removeRelationship(name: string): Promise<void> {
    return this.calls.write(() => removeRelationship(name))
  }

  /** All relationships. */
  relationships(): Promise<Relationship[]> {
    return this.calls.read(reads.relationships)
  }

  /**
   * Removes a collection, if it exists, with its documents, indexes and relationships.
   *
   * @throws `relationship` if one of these keeps a document.
   */
  dropCollection(name: string): Promise<void> {
    return this.calls.write(() => writes.dropCollection(name))
  }
}
