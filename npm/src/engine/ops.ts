// The calls of the engine, as jsbridge/ops.go lists them. Written by
// `go test ./jsbridge -run TestTypeScriptTwin -update`: edit that list, not this file.

/** Changes with the list. An engine whose number is another one comes from another release. */
export const protocol = 0xc0472591

/** The largest input of one call, in bytes; larger ones are sent in pieces. */
export const maxInput = 268435456

/** The number of each call. Each takes one MessagePack array of the arguments named here. */
export const Op = {
  /**
   * Adds documents, all or none, or replaces them if upsert is true. The documents follow the arguments directly.
   *
   * `[collection, upsert]` → array of ids.
   */
  insert: 1,
  /**
   * The documents that match, in pieces of about 1 MiB; `more` returns the next. A limit of -1 is none. fields are paths, with dashes those to leave out, and slices of arrays, [path, skip, limit]; nil is all.
   *
   * `[collection, where, sort, skip, limit, fields]` → u32 documents in this piece, u32 still to come (both little-endian), the documents.
   */
  find: 2,
  /**
   * As find, with the documents of relationships put into those found. populate is an array of names of relationships, joined by dots.
   *
   * `[collection, where, sort, skip, limit, fields, populate]` → as find.
   */
  populated: 3,
  /**
   * The ids of the documents that find would return, in portions for among: about 256 KiB of documents each.
   *
   * `[collection, where, sort, skip, limit]` → rows, as find, each of them the ids as bytes, one after the other.
   */
  matching: 4,
  /**
   * The documents of some ids that match, in the order of the ids, which are as matching has them. populate may be nil.
   *
   * `[collection, ids, where, fields, populate]` → as find.
   */
  among: 5,
  /**
   * The next piece of the rows of the last op of this handle that answers in pieces. After a write there are none.
   *
   * `[]` → as find.
   */
  more: 6,
  /**
   * The document of an id.
   *
   * `[collection, id]` → the document, or nothing.
   */
  get: 7,
  /**
   * Where documents are in memory, for tables.ts to find them without a call: by id, if path is _id, or by what a unique index has there. nil: not like that. The addresses are good until goroutines have run, and yields, of 32 bits, has changed, or an op was called that is not in readingOps.
   *
   * `[collection, path]` → addresses of [u64 words, how many they are, u32 refs by slot, u32 sizes by slot, slices of chunks, yields], and whether a test wants both answers compared.
   */
  tables: 8,
  /**
   * How many documents match. Counting stops at the limit; -1 is none.
   *
   * `[collection, where, limit]` → integer.
   */
  count: 9,
  /**
   * The ids of all documents, in insertion order.
   *
   * `[collection]` → array.
   */
  ids: 10,
  /**
   * The distinct values of a path in the documents that match, in value order.
   *
   * `[collection, path, where]` → array.
   */
  distinct: 11,
  /**
   * Applies a change to every document that matches: fields to merge, or an operator object. All or none.
   *
   * `[collection, change, where]` → integer: how many changed.
   */
  update: 12,
  /**
   * As update, with options: upsert adds a document if none matches, replace takes change for a whole document, and with one it is the first document alone, in the order of sort. arrayFilters are filters, or nil. returned is 0 for no documents, 1 for those that match as they were, 2 for as they are then.
   *
   * `[collection, change, where, sort, one, upsert, replace, arrayFilters, returned]` → [how many changed, the _id of the document that was added or nil, array of documents or nil].
   */
  modify: 13,
  /**
   * Applies to each document its own change; pairs is an array of [id, change]. All or none.
   *
   * `[collection, pairs]` → integer: how many changed.
   */
  updateEach: 14,
  /**
   * Removes every document that matches.
   *
   * `[collection, where]` → integer: how many were removed.
   */
  remove: 15,
  /**
   * Removes every document of a collection; its indexes stay.
   *
   * `[collection]` → nothing.
   */
  clear: 16,
  /**
   * The names of the collections, sorted.
   *
   * `[]` → array.
   */
  collections: 17,
  /**
   * Creates an empty collection, unless it exists. Its documents must fit schema, unless that is nil. schemaOptions is {strict, defaults, schemas}.
   *
   * `[collection, schema, schemaOptions]` → nothing.
   */
  createCollection: 18,
  /**
   * Gives a collection another schema, or with nil none. migrate mends the documents that do not fit: an update, an array of [id, change], or nil.
   *
   * `[collection, schema, schemaOptions, migrate]` → nothing.
   */
  setSchema: 19,
  /**
   * The schema of a collection.
   *
   * `[collection]` → the schema, or nil.
   */
  schema: 20,
  /**
   * The documents that would not fit a schema.
   *
   * `[collection, schema, schemaOptions]` → rows, as find.
   */
  unfit: 21,
  /**
   * Removes a collection with its documents and indexes, if it exists.
   *
   * `[collection]` → nothing.
   */
  dropCollection: 22,
  /**
   * Declares an index on one or several paths. options is {unique, sparse, name}; SQL's DROP INDEX finds the index by its name.
   *
   * `[collection, paths, options]` → nothing.
   */
  createIndex: 23,
  /**
   * Removes the index on exactly these paths.
   *
   * `[collection, paths]` → nothing.
   */
  dropIndex: 24,
  /**
   * The documents that match in groups, one row for each: the paths of groupBy, then select, an array of [name, operator, path]. A count of the empty path counts documents; having and sort apply to the rows.
   *
   * `[collection, where, groupBy, select, having, sort, skip, limit]` → rows, as find.
   */
  aggregate: 25,
  /**
   * Runs SQL that changes nothing. params is an array for `?`, an object for `:name`, or nil.
   *
   * `[text, params]` → rows, as find.
   */
  sql: 26,
  /**
   * Runs SQL that may change something, a statement or several, all or nothing.
   *
   * `[text, params]` → rows, as find, all in one piece.
   */
  sqlWrite: 27,
  /**
   * Whether the result of an op is still valid after so many changes. It may say no of a valid one, but never yes of an invalid one. The arguments of the op follow these directly. count is how many documents the op found, and last the _id of the last.
   *
   * `[op, changes, count, last]` → boolean.
   */
  stillValid: 28,
  /**
   * Makes the question of an op a live query, about the answer as it is now. arguments is the array that the op takes.
   *
   * `[op, arguments]` → integer: the query's number, from 1.
   */
  live: 29,
  /**
   * Ends a live query, if there is one of this number.
   *
   * `[number]` → nothing.
   */
  endLive: 30,
  /**
   * For each live query whose answer may have changed since the last liveChanges or its live: [number, update]. nil: ask again, before anything changes. Of a count the number; of distinct and aggregate [answer], an array of values or rows. Of find a list of edits, which apply one after the other: [0, at] removes, [1, at, document] inserts, [2, at, document] replaces, [3, at, to] moves, [4, at, to, document] moves and replaces; to counts without the document that moves.
   *
   * `[]` → array.
   */
  liveChanges: 31,
  /**
   * How a find would run.
   *
   * `[collection, where, sort, skip, limit]` → [text, paths of the index or nil, documents examined, documents returned, leaves as [condition, by, estimate, actual]].
   */
  explain: 32,
  /**
   * Declares a relationship, {name, type, from, to, foreignKey, onDelete, enforce}, of which name, onDelete and enforce may be absent.
   *
   * `[relationship]` → nothing.
   */
  addRelationship: 33,
  /**
   * Removes a relationship by its name, or by that of its from, a dot, and its name.
   *
   * `[name]` → nothing.
   */
  removeRelationship: 34,
  /**
   * All relationships, as addRelationship takes them.
   *
   * `[]` → array.
   */
  relationships: 35,
  /**
   * What a collection takes and what is declared for it. stats.lastUpdated is in milliseconds since 1970; 0: not known.
   *
   * `[collection]` → {documentCount, averageDocumentSize, totalSize, indexes: [{paths, unique, sparse, entries, bytes}], relationships, schema, schemaOptions, stats: {lastUpdated, seq}}.
   */
  metadata: 36,
  /**
   * What the whole database takes.
   *
   * `[]` → {documents, bytes, collections: {name: {documents, bytes}}, log: {batches, bytes}}.
   */
  usage: 37,
  /**
   * The version of the data, 0 if it says none, and whether there is no collection.
   *
   * `[]` → [version, isEmpty].
   */
  dataVersion: 38,
  /**
   * Declares the version of the data.
   *
   * `[version]` → nothing.
   */
  setDataVersion: 39,
  /**
   * Opens a savepoint. Savepoints nest. While one is open, nothing is stored, and batches of other writers are put off; see onPutOff.
   *
   * `[]` → nothing.
   */
  savepoint: 40,
  /**
   * Ends the innermost savepoint and keeps the changes since it.
   *
   * `[]` → nothing.
   */
  release: 41,
  /**
   * Undoes the changes since the innermost savepoint, and ends it.
   *
   * `[]` → nothing.
   */
  rollback: 42,
  /**
   * Takes the changes since the innermost savepoint out of sight until resume. Every write in between is refused.
   *
   * `[]` → nothing.
   */
  suspend: 43,
  /**
   * Puts the changes back that suspend took out of sight.
   *
   * `[]` → nothing.
   */
  resume: 44,
  /**
   * Flush for a database in memory alone, which has nothing to wait for: a Promise of Go's would cost 40 us.
   *
   * `[]` → nothing.
   */
  settle: 45,
  /**
   * Takes what is not stored as the frame of the next batch, and undoes it. For storages to which JavaScript itself appends.
   *
   * `[]` → the frame, or nothing.
   */
  cut: 46,
  /**
   * Applies a record of the log, unless the database holds it already. Its bytes follow the arguments directly.
   *
   * `[seq, snapshot]` → nothing.
   */
  apply: 47,
  /**
   * The frame of a snapshot of everything stored, if the log is so long that one has to replace its batches.
   *
   * `[]` → the frame, or nothing.
   */
  snapshot: 48,
  /**
   * Takes what is not stored as the frame of the next batch, for JavaScript to append. If that is done, endFlush follows; otherwise flush, which goes on with this frame.
   *
   * `[]` → the number of the batch, of 64 bits, 0 if nothing is to be stored, and the frame; nothing if flush has to do it.
   */
  beginFlush: 49,
  /**
   * Says that the frame of beginFlush is stored.
   *
   * `[]` → whether to call wake next.
   */
  endFlush: 50,
  /**
   * Undoes changes: each document becomes what it was before, if it still is what they made of it. call is the name for errors. The changes follow the arguments directly, as a feed has them.
   *
   * `[call]` → [how many documents changed, the number of the newest batch].
   */
  revert: 51,
  /**
   * The canonical text of a condition, for tests and tools. The handle may be 0.
   *
   * `[where]` → string.
   */
  parse: 52,
} as const

/** The number of a call. */
export type Op = (typeof Op)[keyof typeof Op]

/** The calls that change documents, collections or indexes. */
export const writingOps: ReadonlySet<Op> = new Set<Op>([Op.insert, Op.update, Op.modify, Op.updateEach, Op.remove, Op.clear, Op.createCollection, Op.setSchema, Op.dropCollection, Op.createIndex, Op.dropIndex, Op.sqlWrite, Op.addRelationship, Op.removeRelationship, Op.setDataVersion, Op.revert])

/** The calls that leave all documents where they are in memory. */
export const readingOps: ReadonlySet<Op> = new Set<Op>([Op.find, Op.populated, Op.matching, Op.among, Op.more, Op.get, Op.tables, Op.count, Op.ids, Op.distinct, Op.collections, Op.schema, Op.unfit, Op.aggregate, Op.sql, Op.stillValid, Op.live, Op.endLive, Op.liveChanges, Op.explain, Op.relationships, Op.metadata, Op.usage, Op.dataVersion, Op.parse])

/** The calls about whose cached answers `stillValid` can tell. */
export const cachedOps: ReadonlySet<Op> = new Set<Op>([Op.find, Op.count, Op.ids, Op.distinct, Op.aggregate])
