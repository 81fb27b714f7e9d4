import { checkSignal } from '../checks.js'
import type { Calls } from '../connection/calls.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import { readArguments } from '../connection/errors.js'
import { LiveValue } from '../live/live-value.js'
import * as questions from '../live/questions.js'
import { DocumentsView, RowsView, ValueView } from '../live/views.js'
import { aggregate } from '../operations/aggregate.js'
import { createIndex, dropIndex, indexOptions } from '../operations/indexes.js'
import { iterate } from '../operations/iterate.js'
import { modify, type Modification, type Modified } from '../operations/modify.js'
import * as reads from '../operations/reads.js'
import * as writes from '../operations/writes.js'
import { queryBuilder } from '../query/builder.js'
import { matching, matchOf, queryOf } from '../query/find-options.js'
import type { At, PathArgument, NamedPath } from '../query/path-types.js'
import type { Aggregate, Filter, FindOptions, IterateOptions, MatchOptions, Named, Plan, QueryBuilder, Where } from '../query/types.js'
import { checkFilter, checkGiven, checkWhere, collatedWhere } from '../query/where.js'
import { allMatching, updateQueryOf, type UpdateQuery } from '../query/update-options.js'
import type { Exactly, DocumentOptions, DocumentsOptions, NamedUpdate, NumberOptions, Update, UpdateOptions } from '../query/update-types.js'
import type { Fresh, Id, IndexOptions, Metadata, Stored, Value } from '../types.js'
import { LiveQuery, type LiveOptions } from './live-query.js'
import { noteEmpty } from './mistyped.js'
import { newResult, resultOf, type QueryResult } from './result.js'
import { leftAlone } from '../left-alone.js'
import { until } from './until.js'

/** What a call is made on: one collection, or a database, whose calls name the collection. */
export type Owner = 'collection' | 'database'

/** The last argument of calls without options. A database takes the name of the collection; default: 'default'. */
export type CollectionName<Of extends Owner> = Of extends 'database' ? [collection?: string] : []

/** The options of a find. A database also takes the name of the collection in their place. */
export type Options<Of extends Owner, T = any, S extends string = never, F extends string = never> = Of extends 'database' ? FindOptions | string : FindOptions<T, S, F>

/** The options of a live query, as {@link Options} are those of a find. */
export type LiveOptionsOf<Of extends Owner, T = any, S extends string = never, F extends string = never> = Of extends 'database' ? LiveOptions | string : LiveOptions<T, S, F>

/** The options of an iteration: the signal, and those of a find. */
export type IterateOptionsOf<Of extends Owner, T = any, S extends string = never, F extends string = never> = Of extends 'database' ? IterateOptions | string : IterateOptions<T, S, F>

/** The last argument of calls that take a condition: a database's also names the collection, or is its name. */
export type Match<Of extends Owner> = Of extends 'database' ? [options?: MatchOptions | string] : [options?: Omit<MatchOptions, 'collection'>]

/** The options of a write. */
export type UpdateOptionsOf<Of extends Owner, T = any> = Of extends 'database' ? UpdateOptions : Omit<UpdateOptions<T>, 'collection'>

/** What a database takes in place of options: the name of the collection. */
export type NameOf<Of extends Owner> = Of extends 'database' ? string : never

/** A change, or a function that makes one of a document. */
export type Change<T, U extends Update<T>> = Update<T> | NamedUpdate<T> | ((document: Stored<T>) => U & Exactly<T, U>)

/** The paths of an index, and options at the end. */
export type IndexArguments<T, P extends string, O> = [...paths: (NamedPath<T> | PathArgument<T, P>)[], options: O] | (NamedPath<T> | PathArgument<T, P>)[]

/** What `distinct` finds at a path: of an array, its elements. */
export type Distinct<T, P extends string> = unknown extends T ? Value : string extends P ? Value : [P] extends [never] ? Value : DistinctOf<At<Stored<T>, P>>
type DistinctOf<V> = unknown extends V ? Value : V extends undefined ? never : V extends readonly (infer E)[] ? E : V

/**
 * The calls about documents, each written once: for {@link Collection}, and for
 * what has several collections (see DatabaseCalls).
 */
export abstract class DocumentCalls<T, Of extends Owner> {
  static {
    leftAlone(this)
  }

  /** @internal What runs the calls. */
  readonly calls: Calls

  /** @internal */
  constructor(calls: Calls) {
    this.calls = calls
  }

  /** @internal The collection that a call names in its last argument. It is not checked yet. */
  abstract collectionNamed(last: readonly unknown[]): unknown

  /** @internal The collection that the options of a call name. It is not checked yet. */
  abstract collectionIn(options: unknown): unknown

  /** @internal Whether an argument that may be a condition is the name of the collection. */
  abstract namesCollection(argument: unknown): boolean

  /**
   * Adds one document.
   *
   * @param document Copied; later changes to the object are not seen.
   * @returns Its id once it is stored: its own `_id` if it has one, else the
   * collection's next integer.
   * @throws `duplicate_id` if the id is taken, `unique` if an index forbids it.
   */
  insert(document: Fresh<T>, ...collection: CollectionName<Of>): Promise<Id> {
    return this.calls.write(() => writes.insertOne(this.collectionNamed(collection), document, false))
  }

  /** Adds all documents or none; resolves to their ids, in order. Fails as {@link insert} does. */
  insertMany(documents: readonly Fresh<T>[], ...collection: CollectionName<Of>): Promise<Id[]> {
    return this.calls.write(() => writes.insertMany(this.collectionNamed(collection), documents))
  }

  /** Adds the document, or replaces the one that has its `_id`. Fails as {@link insert} does. */
  upsert(document: T & { _id: Id }, ...collection: CollectionName<Of>): Promise<Id>
  /**
   * Changes the first document that matches, as {@link update} does, or adds one: what the condition wants fields to be
   * equal to, with the change. Resolves to its id.
   */
  upsert(fields: Update<T> | NamedUpdate<T>, where: Where<T> | Named<T>, ...collection: CollectionName<Of>): Promise<Id>
  upsert(document: unknown, ...rest: unknown[]): Promise<Id> {
    if (rest.length === 0 || (rest.length === 1 && this.namesCollection(rest[0]))) {
      return this.calls.write(() => writes.insertOne(this.collectionNamed(rest), document, true))
    }
    const [where, ...collection] = rest
    const query = { ...allMatching, one: true, upsert: true, returned: 'after' } as const
    return this.modified(() => {
      checkWhere(where, 'upsert(document) needs the _id of the document')
      return { collection: this.collectionNamed(collection), change: document, where, query, replaces: false }
    }, ({ documents }) => documents![0]!._id as Id)
  }

  /** Adds each document, or replaces the one that has its `_id`: all or none. Resolves to their ids, in order. Fails as {@link insert} does. */
  upsertMany(documents: readonly (T & { _id: Id })[], ...collection: CollectionName<Of>): Promise<Id[]> {
    return this.calls.write(() => writes.insertMany(this.collectionNamed(collection), documents, true))
  }

  /** All documents that match; without a condition, all documents. */
  search<S extends string = never, F extends string = never>(where?: Where<T> | Named<T>, options?: Options<Of, T, S, F>): Promise<QueryResult<T>> {
    const given = arguments.length
    return this.calls.read((engine) => {
      checkGiven(where, 1, given)
      return this.found(engine, where, this.collectionIn(options), options)
    })
  }

  /**
   * The document of that id, or the first that matches; undefined if there is
   * none.
   *
   * A string is an id if a document has it, and otherwise a condition; a string
   * that is neither finds nothing. An id that comes from outside could be made
   * to read as a condition: `q._id.eq(id)` is safer for it.
   */
  get<S extends string = never, F extends string = never>(where: Where<T> | Named<T> | Id, options?: Options<Of, T, S, F>): Promise<Stored<T> | undefined> {
    return this.calls.read((engine) => {
      checkWhere(where, 'search() finds all documents')
      const collection = this.collectionIn(options)
      return reads.get(engine, collection, where, queryOf(options, collection))
    })
  }

  /** All documents that match a MongoDB-style filter: `find({ age: { $gte: 18 }, 'address.city': 'Oslo' })`. */
  find<S extends string = never, F extends string = never>(filter?: Filter<T> | Named<T>, options?: Options<Of, T, S, F>): Promise<QueryResult<T>> {
    const given = arguments.length
    return this.calls.read((engine) => {
      checkGiven(filter, 1, given, 'filter')
      checkFilter(filter, 'search')
      return this.found(engine, filter, this.collectionIn(options), options)
    })
  }

  /** The first document that matches a MongoDB-style filter; undefined if there is none. */
  findOne<S extends string = never, F extends string = never>(filter: Filter<T> | Named<T>, options?: Options<Of, T, S, F>): Promise<Stored<T> | undefined> {
    return this.calls.read((engine) => {
      checkWhere(filter, 'findOne({}) finds the first document', 'filter')
      checkFilter(filter, 'get')
      const collection = this.collectionIn(options)
      return reads.first(engine, collection, filter, queryOf(options, collection))
    })
  }

  /**
   * The documents that match, one by one, without holding all of them: 256 KiB of documents, and the ids of those that
   * are still to come, which take about 5 bytes each where they are numbers.
   *
   * What is written meanwhile: the loop is about the documents that match when it begins, in the order of that moment,
   * which also decides what `skip` and `limit` pass over. Each document comes as it is when it is read, and not at all if
   * it has been removed since, or does not match any more. What has been added since does not come. So a loop may write
   * what it reads, and ends. For one state of all documents, take {@link search}, or iterate over `db.at(seq)`.
   *
   * The arguments are copied. What is wrong with them, and what JavaScript can tell, is thrown at once; an error of the
   * engine rejects the first step. To leave the loop frees all that it holds.
   *
   * @param where A function is asked about each document when that is read.
   * @param options.signal Aborted, it makes the loop throw its reason.
   *
   * @example
   * ```ts
   * for await (const user of db.iterate('age >= 18', { collection: 'users', sort: 'name' })) {
   *   await send(user)
   * }
   * ```
   */
  iterate<S extends string = never, F extends string = never>(where?: Where<T> | Named<T>, options?: IterateOptionsOf<Of, T, S, F>): AsyncIterableIterator<Stored<T>> {
    checkGiven(where, 1, arguments.length)
    return readArguments(() => {
      const collection = this.collectionIn(options)
      const { signal, rest } = withoutSignal(options)
      const read: Calls['read'] = (work) => (signal ? until(signal, () => this.calls.read(work, signal)) : this.calls.read(work))
      return iterate(read, collection, where, queryOf(rest, collection), () => {
        signal?.throwIfAborted()
        this.calls.signal?.throwIfAborted()
      })
    })
  }

  /** How many documents match. */
  count(where?: Where<T> | Named<T>, ...[options]: Match<Of>): Promise<number> {
    const given = arguments.length
    return this.calls.read((engine) => {
      checkGiven(where, 1, given)
      const collection = this.collectionIn(options)
      return reads.count(engine, collection, matching(where, options, collection), -1)
    })
  }

  /** Whether a document matches. */
  contains(where: Where<T> | Named<T>, ...[options]: Match<Of>): Promise<boolean> {
    return this.calls.read((engine) => {
      checkWhere(where, 'count() > 0 tells whether there is any document')
      const collection = this.collectionIn(options)
      return reads.count(engine, collection, matching(where, options, collection), 1) > 0
    })
  }

  /** Every document, in insertion order. */
  all(...collection: CollectionName<Of>): Promise<QueryResult<T>> {
    return this.calls.read((engine) => this.found(engine, undefined, this.collectionNamed(collection), undefined))
  }

  /** The ids of all documents, in insertion order. */
  documentIds(...collection: CollectionName<Of>): Promise<Id[]> {
    return this.calls.read((engine) => reads.ids(engine, this.collectionNamed(collection)))
  }

  /** The distinct values at a path in the documents that match, in value order. An array counts as its elements. */
  distinct<P extends string = never>(path: PathArgument<T, P>, where?: Where<T> | Named<T>, ...[options]: Match<Of>): Promise<Distinct<T, P>[]> {
    const given = arguments.length
    return this.calls.read((engine) => {
      checkGiven(where, 2, given)
      const collection = this.collectionIn(options)
      const match = matchOf(options, collection)
      return reads.distinct(engine, collection, path, collatedWhere(where, match), match.collation) as Distinct<T, P>[]
    })
  }

  /**
   * Groups documents, and resolves to one plain object for each group: its
   * values of `groupBy`, nested as in a document, and then its values of
   * `select`.
   *
   * @example
   * ```ts
   * await users.aggregate({ groupBy: 'address.city', select: { n: { $count: true }, mean: { $avg: 'age' } }, sort: '-n' })
   * // → [{ address: { city: 'Oslo' }, n: 3, mean: 36.5 }, { address: { city: null }, n: 1, mean: 12 }]
   * ```
   */
  aggregate<R = any, G extends string = never, P extends string = never, N extends string = never>(pipeline: Aggregate<T, G, P, N>, ...collection: CollectionName<Of>): Promise<R[]> {
    return this.calls.read((engine) => aggregate(engine, this.collectionNamed(collection), pipeline))
  }

  /**
   * Changes every document that matches, or without a condition all documents:
   * all or none. Resolves to how many changed.
   *
   * @param fields Fields to merge, named by paths; or an operator object of
   * $set, $unset, $inc, $mul, $bit, $min, $max, $push, $addToSet, $pop, $pull,
   * $pullAll, $rename, $currentDate, $setOnInsert; or a function that
   * returns one of these for a document, or the document itself, changed: then
   * a field that it has deleted is removed. The function may run again when
   * another tab was faster, so it should do nothing else.
   * @param options `upsert` adds a document if none matches, `many: false` changes
   * the first in the order of `sort`, and `returnDocuments` resolves to the
   * documents instead. All of it is one write.
   * @throws `invalid` for undefined: `$unset` removes a field. `unique` if an
   * index forbids what is there after all changes, in a transaction after its
   * last call.
   *
   * @example
   * ```ts
   * const job = await jobs.update({ state: 'taken' }, { state: 'new' }, { many: false, sort: '-priority', returnDocuments: 'after' })
   * ```
   */
  update<U extends Update<T> = Update<T>>(fields: Change<T, U>, where: Where<T> | Named<T> | undefined, options: UpdateOptionsOf<Of, T> & DocumentOptions): Promise<Stored<T> | undefined>
  update<U extends Update<T> = Update<T>>(fields: Change<T, U>, where: Where<T> | Named<T> | undefined, options: UpdateOptionsOf<Of, T> & DocumentsOptions): Promise<QueryResult<T>>
  update<U extends Update<T> = Update<T>>(fields: Change<T, U>, where?: Where<T> | Named<T>, options?: (UpdateOptionsOf<Of, T> & NumberOptions) | NameOf<Of>): Promise<number>
  update(fields: unknown, where?: unknown, options?: unknown): Promise<any> {
    const given = arguments.length
    let query!: UpdateQuery
    let collection: unknown
    return this.modified(() => {
      checkGiven(where, 2, given)
      collection = this.collectionIn(options)
      query = updateQueryOf(options, collection)
      return { collection, change: fields, where, query, replaces: false }
    }, (done) => this.answerOf(done, collection, query))
  }

  /**
   * Puts a document in the place of the first that matches, which keeps its `_id`. Resolves to how many it has changed,
   * 1 or 0, or with `returnDocuments` to the document.
   *
   * @param options `upsert` adds the document if none matches, with the `_id` that the condition wants, if it wants one.
   */
  replace(document: Fresh<T>, where: Where<T> | Named<T>, options: Omit<UpdateOptionsOf<Of, T> & DocumentOptions, 'many' | 'arrayFilters'>): Promise<Stored<T> | undefined>
  replace(document: Fresh<T>, where: Where<T> | Named<T>, options?: Omit<UpdateOptionsOf<Of, T> & NumberOptions, 'many' | 'arrayFilters'> | NameOf<Of>): Promise<number>
  replace(document: unknown, where: unknown, options?: unknown): Promise<any> {
    let query!: UpdateQuery
    let collection: unknown
    return this.modified(() => {
      checkWhere(where, 'replace(document, {}) replaces the first document')
      collection = this.collectionIn(options)
      query = updateQueryOf(options, collection, true)
      return { collection, change: document, where, query, replaces: true }
    }, (done) => this.answerOf(done, collection, query))
  }

  /**
   * Changes the first document that matches. No other write, not even of
   * another tab, comes between reading the document and writing it.
   *
   * @param change Returns what the function of {@link update} returns. It may
   * run again when another tab was faster, so it should do nothing else.
   * @returns The document as it is then; undefined if none matches.
   */
  atomicUpdate<U extends Update<T> = Update<T>>(change: (document: Stored<T>) => U & Exactly<T, U>, where?: Where<T> | Named<T>, ...[options]: Match<Of>): Promise<Stored<T> | undefined> {
    const given = arguments.length
    return this.calls.write(() => {
      checkGiven(where, 2, given)
      const collection = this.collectionIn(options)
      return writes.atomicUpdate(collection, change, matching(where, options, collection))
    })
  }

  /** Removes every document that matches; resolves to how many. */
  remove(where: Where<T> | Named<T>, ...[options]: Match<Of>): Promise<number> {
    return this.calls.write(() => {
      checkWhere(where, 'clear() removes every document')
      const collection = this.collectionIn(options)
      return writes.remove(collection, matching(where, options, collection))
    })
  }

  /** Removes every document of the collection; its indexes stay. */
  clear(...collection: CollectionName<Of>): Promise<void> {
    return this.calls.write(() => writes.clear(this.collectionNamed(collection)))
  }

  /** A query builder: `q.age.gte(18).and(q.name.matches('^J'))`. */
  query(): QueryBuilder<T> {
    return queryBuilder<T>()
  }

  /**
   * Declares an index on one or several field paths: `createIndex('country', 'age', { unique: true })`.
   * On a database, the option `collection` names the collection; default: 'default'.
   */
  createIndex<P extends string = never>(...pathsAndOptions: IndexArguments<T, P, IndexOptions>): Promise<void> {
    return this.calls.write(() => createIndex(this.collectionIn(indexOptions(pathsAndOptions)), pathsAndOptions))
  }

  /** Removes the index on exactly these paths. @throws `not_found` if there is none. */
  dropIndex<P extends string = never>(...pathsAndOptions: IndexArguments<T, P, Pick<IndexOptions, 'collection' | 'collation'>>): Promise<void> {
    return this.calls.write(() => dropIndex(this.collectionIn(indexOptions(pathsAndOptions)), pathsAndOptions))
  }

  /**
   * How many documents there are, how many bytes of MessagePack they have, the
   * indexes, and when the collection was last changed. Every write keeps these
   * numbers, so that no document is looked at. An index that nothing has used yet
   * is built.
   */
  metadata(...collection: CollectionName<Of>): Promise<Metadata> {
    return this.calls.read((engine) => reads.metadata(engine, this.collectionNamed(collection)))
  }

  /** How a query would run: which index answers it, and how many documents it looks at. */
  explain<S extends string = never, F extends string = never>(where?: Where<T> | Named<T>, options?: Options<Of, T, S, F>): Promise<Plan> {
    const given = arguments.length
    return this.calls.read((engine) => {
      checkGiven(where, 1, given)
      const collection = this.collectionIn(options)
      return reads.explain(engine, collection, where, queryOf(options, collection))
    })
  }

  /**
   * All documents that match, kept current: whatever commits a change, also in another tab. Not in a transaction.
   *
   * The arguments are copied. What is wrong with them, and what JavaScript can tell, is thrown at once; an error of the
   * engine, such as text that is no condition, reaches `onError` of the subscribers, and `ready`.
   *
   * @param options.signal Closes the live query when it is aborted.
   *
   * @example
   * ```ts
   * const open = todos.live({ done: false }, { sort: 'due', limit: 20 })
   * const unsubscribe = open.subscribe((list) => render(list))
   * ```
   */
  live<S extends string = never, F extends string = never>(where?: Where<T> | Named<T>, options?: LiveOptionsOf<Of, T, S, F>): LiveQuery<T> {
    checkGiven(where, 1, arguments.length)
    return readArguments(() => {
      const collection = this.collectionIn(options)
      const { signal, rest } = withoutSignal(options)
      const query = queryOf(rest, collection)
      const { fields, populate } = query
      return new LiveQuery<T>(this.calls, questions.found(collection, where, query), { collection, fields, populate }, signal)
    })
  }

  /** The document that {@link get} finds, kept current; undefined while there is none. */
  liveGet<S extends string = never, F extends string = never>(where: Where<T> | Named<T> | Id, options?: LiveOptionsOf<Of, T, S, F>): LiveValue<Stored<T> | undefined> {
    checkWhere(where, 'live() finds all documents')
    return readArguments(() => {
      const collection = this.collectionIn(options)
      const { signal, rest } = withoutSignal(options)
      const view = new DocumentsView<Stored<any>, Stored<T> | undefined>(([document]) => document, false)
      return new LiveValue(this.calls, questions.one(collection, where, queryOf(rest, collection)), view, signal)
    })
  }

  /** How many documents match, kept current. */
  liveCount(where?: Where<T> | Named<T>, ...[options]: Match<Of>): LiveValue<number> {
    checkGiven(where, 1, arguments.length)
    return readArguments(() => {
      const collection = this.collectionIn(options)
      return new LiveValue(this.calls, questions.counted(collection, matching(where, options, collection)), new ValueView(0))
    })
  }

  /** What {@link distinct} finds, kept current. */
  liveDistinct<P extends string = never>(path: PathArgument<T, P>, where?: Where<T> | Named<T>, ...[options]: Match<Of>): LiveValue<Distinct<T, P>[]> {
    checkGiven(where, 2, arguments.length)
    return readArguments(() => {
      const collection = this.collectionIn(options)
      const match = matchOf(options, collection)
      return new LiveValue(this.calls, questions.distinct(collection, path, collatedWhere(where, match), match.collation), new ValueView<any[]>([]))
    })
  }

  /** The rows of {@link aggregate}, kept current. Rows that stay the same at their place are the same objects. */
  liveAggregate<R = any, G extends string = never, P extends string = never, N extends string = never>(pipeline: Aggregate<T, G, P, N>, ...collection: CollectionName<Of>): LiveValue<R[]> {
    return readArguments(() => new LiveValue(this.calls, questions.aggregated(this.collectionNamed(collection), pipeline), new RowsView((rows) => rows as R[])))
  }

  /** @internal Makes a modification, and resolves to what `answer` makes of its result. `prepare` runs at once. */
  modified<R>(prepare: () => Modification & { collection: unknown }, answer: (done: Modified) => R): Promise<R> {
    return this.calls.write(() => {
      const modification = prepare()
      const write = modify(modification.collection, modification)
      return (engine) => answer(write(engine))
    })
  }

  private answerOf({ changed, documents }: Modified, collection: unknown, { one }: UpdateQuery): unknown {
    if (!documents) return changed
    return one ? documents[0] : resultOf<T>([...documents], { calls: this.calls, collection, fields: null, populate: null })
  }

  private found(engine: EngineCalls, where: unknown, collection: unknown, options: unknown): QueryResult<T> {
    const query = queryOf(options, collection)
    const result = newResult<T>({ calls: this.calls, collection, fields: query.fields, populate: query.populate })
    reads.find(engine, collection, where, query, result)
    if (result.length === 0) noteEmpty(this.calls, collection, where)
    return result
  }
}

/** The options of a live query or an iteration: the signal, and those of a find. */
function withoutSignal(options: unknown): { signal: AbortSignal | undefined; rest: unknown } {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return { signal: undefined, rest: options }
  const { signal, ...rest } = options as { signal?: AbortSignal }
  if (signal !== undefined) checkSignal('options.signal', signal)
  return { signal, rest }
}
