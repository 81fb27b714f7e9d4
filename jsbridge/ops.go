package jsbridge

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
)

// An op is one call that JavaScript makes through adb_call. Its number is its
// place in the table, from 1.
type op struct {
	name       string
	doc        string   // for both languages
	args       []string // their names in order; messages about a wrong one use them
	result     string   // what the out-buffer holds afterwards
	writes     bool     // after a panic in it, its changes are undone
	moves      bool     // goes from one state of the database to another, or stores one
	free       bool     // needs no database: the handle may be 0
	run        func(*call) error
	stillValid func(*call, cached) (bool, error)      // whether a cached result is still valid; nil: no result is cached
	live       func(*call) (*engine.LiveQuery, error) // makes its question a live query; nil: it is none
}

// ops is the only list of the calls. npm/src/engine/ops.ts is written from it:
//
//	go test ./jsbridge -run TestTypeScriptTwin -update
var ops = []op{
	{
		name: "insert", writes: true, run: insert,
		doc:    "Adds documents, all or none, or replaces them if upsert is true. The documents follow the arguments directly.",
		args:   []string{"collection", "upsert"},
		result: "array of ids",
	},
	{
		name: "find", run: find, stillValid: findStillValid, live: liveFind,
		doc:    "The documents that match, in pieces of about 1 MiB; `more` returns the next. A limit of -1 is none. fields are paths, with dashes those to leave out, and slices of arrays, [path, skip, limit]; nil is all.",
		args:   []string{"collection", "where", "sort", "skip", "limit", "fields"},
		result: "u32 documents in this piece, u32 still to come (both little-endian), the documents",
	},
	{
		name: "populated", run: populated, live: livePopulated,
		doc:    "As find, with the documents of relationships put into those found. populate is an array of names of relationships, joined by dots.",
		args:   []string{"collection", "where", "sort", "skip", "limit", "fields", "populate"},
		result: "as find",
	},
	{
		name: "matching", run: matching,
		doc:    "The ids of the documents that find would return, in portions for among: about 256 KiB of documents each.",
		args:   []string{"collection", "where", "sort", "skip", "limit"},
		result: "rows, as find, each of them the ids as bytes, one after the other",
	},
	{
		name: "among", run: among,
		doc:    "The documents of some ids that match, in the order of the ids, which are as matching has them. populate may be nil.",
		args:   []string{"collection", "ids", "where", "fields", "populate"},
		result: "as find",
	},
	{
		name: "more", run: more,
		doc:    "The next piece of the rows of the last op of this handle that answers in pieces. After a write there are none.",
		result: "as find",
	},
	{
		name: "get", run: get,
		doc:    "The document of an id.",
		args:   []string{"collection", "id"},
		result: "the document, or nothing",
	},
	{
		name: "tables", run: tables,
		doc: "Where documents are in memory, for tables.ts to find them without a call: by id, if path is _id, or by what a unique index has there. " +
			"nil: not like that. The addresses are good until goroutines have run, and yields, of 32 bits, has changed, or an op was called that is not in readingOps.",
		args:   []string{"collection", "path"},
		result: "addresses of [u64 words, how many they are, u32 refs by slot, u32 sizes by slot, slices of chunks, yields], and whether a test wants both answers compared",
	},
	{
		name: "count", run: count, stillValid: countStillValid, live: liveCount,
		doc:    "How many documents match. Counting stops at the limit; -1 is none.",
		args:   []string{"collection", "where", "limit"},
		result: "integer",
	},
	{
		name: "ids", run: ids, stillValid: idsStillValid, live: liveIDs,
		doc:    "The ids of all documents, in insertion order.",
		args:   []string{"collection"},
		result: "array",
	},
	{
		name: "distinct", run: distinct, stillValid: distinctStillValid, live: liveDistinct,
		doc:    "The distinct values of a path in the documents that match, in value order.",
		args:   []string{"collection", "path", "where"},
		result: "array",
	},
	{
		name: "update", writes: true, run: update,
		doc:    "Applies a change to every document that matches: fields to merge, or an operator object. All or none.",
		args:   []string{"collection", "change", "where"},
		result: "integer: how many changed",
	},
	{
		name: "modify", writes: true, run: modify,
		doc: "As update, with options: upsert adds a document if none matches, replace takes change for a whole document, " +
			"and with one it is the first document alone, in the order of sort. arrayFilters are filters, or nil. returned is 0 for no documents, 1 for those that match as they were, 2 for as they are then.",
		args:   []string{"collection", "change", "where", "sort", "one", "upsert", "replace", "arrayFilters", "returned"},
		result: "[how many changed, the _id of the document that was added or nil, array of documents or nil]",
	},
	{
		name: "updateEach", writes: true, run: updateEach,
		doc:    "Applies to each document its own change; pairs is an array of [id, change]. All or none.",
		args:   []string{"collection", "pairs"},
		result: "integer: how many changed",
	},
	{
		name: "remove", writes: true, run: remove,
		doc:    "Removes every document that matches.",
		args:   []string{"collection", "where"},
		result: "integer: how many were removed",
	},
	{
		name: "clear", writes: true, run: clearCollection,
		doc:    "Removes every document of a collection; its indexes stay.",
		args:   []string{"collection"},
		result: "nothing",
	},
	{
		name: "collections", run: collections,
		doc:    "The names of the collections, sorted.",
		result: "array",
	},
	{
		name: "createCollection", writes: true, run: createCollection,
		doc:    "Creates an empty collection, unless it exists. Its documents must fit schema, unless that is nil. schemaOptions is {strict, defaults, schemas}.",
		args:   []string{"collection", "schema", "schemaOptions"},
		result: "nothing",
	},
	{
		name: "setSchema", writes: true, run: setSchema,
		doc:    "Gives a collection another schema, or with nil none. migrate mends the documents that do not fit: an update, an array of [id, change], or nil.",
		args:   []string{"collection", "schema", "schemaOptions", "migrate"},
		result: "nothing",
	},
	{
		name: "schema", run: schemaOf,
		doc:    "The schema of a collection.",
		args:   []string{"collection"},
		result: "the schema, or nil",
	},
	{
		name: "unfit", run: unfit,
		doc:    "The documents that would not fit a schema.",
		args:   []string{"collection", "schema", "schemaOptions"},
		result: "rows, as find",
	},
	{
		name: "dropCollection", writes: true, run: dropCollection,
		doc:    "Removes a collection with its documents and indexes, if it exists.",
		args:   []string{"collection"},
		result: "nothing",
	},
	{
		name: "createIndex", writes: true, run: createIndex,
		doc:    "Declares an index on one or several paths. options is {unique, sparse, name}; SQL's DROP INDEX finds the index by its name.",
		args:   []string{"collection", "paths", "options"},
		result: "nothing",
	},
	{
		name: "dropIndex", writes: true, run: dropIndex,
		doc:    "Removes the index on exactly these paths.",
		args:   []string{"collection", "paths"},
		result: "nothing",
	},
	{
		name: "aggregate", run: aggregate, stillValid: aggregateStillValid, live: liveAggregate,
		doc:    "The documents that match in groups, one row for each: the paths of groupBy, then select, an array of [name, operator, path]. A count of the empty path counts documents; having and sort apply to the rows.",
		args:   []string{"collection", "where", "groupBy", "select", "having", "sort", "skip", "limit"},
		result: "rows, as find",
	},
	{
		name: "sql", run: sqlRead, live: liveSQL,
		doc:    "Runs SQL that changes nothing. params is an array for `?`, an object for `:name`, or nil.",
		args:   []string{"text", "params"},
		result: "rows, as find",
	},
	{
		name: "sqlWrite", writes: true, run: sqlWrite,
		doc:    "Runs SQL that may change something, a statement or several, all or nothing.",
		args:   []string{"text", "params"},
		result: "rows, as find, all in one piece",
	},
	{
		name: "stillValid", run: stillValid,
		doc:    "Whether the result of an op is still valid after so many changes. It may say no of a valid one, but never yes of an invalid one. The arguments of the op follow these directly. count is how many documents the op found, and last the _id of the last.",
		args:   []string{"op", "changes", "count", "last"},
		result: "boolean",
	},
	{
		name: "live", run: live,
		doc:    "Makes the question of an op a live query, about the answer as it is now. arguments is the array that the op takes.",
		args:   []string{"op", "arguments"},
		result: "integer: the query's number, from 1",
	},
	{
		name: "endLive", run: endLive,
		doc:    "Ends a live query, if there is one of this number.",
		args:   []string{"number"},
		result: "nothing",
	},
	{
		name: "liveChanges", run: liveChanges,
		doc: "For each live query whose answer may have changed since the last liveChanges or its live: [number, update]. " +
			"nil: ask again, before anything changes. Of a count the number; of distinct and aggregate [answer], an array of values or rows. " +
			"Of find a list of edits, which apply one after the other: [0, at] removes, [1, at, document] inserts, [2, at, document] replaces, " +
			"[3, at, to] moves, [4, at, to, document] moves and replaces; to counts without the document that moves.",
		result: "array",
	},
	{
		name: "explain", run: explain,
		doc:    "How a find would run.",
		args:   []string{"collection", "where", "sort", "skip", "limit"},
		result: "[text, paths of the index or nil, documents examined, documents returned, leaves as [condition, by, estimate, actual]]",
	},
	{
		name: "addRelationship", writes: true, run: addRelationship,
		doc:    "Declares a relationship, {name, type, from, to, foreignKey, onDelete, enforce}, of which name, onDelete and enforce may be absent.",
		args:   []string{"relationship"},
		result: "nothing",
	},
	{
		name: "removeRelationship", writes: true, run: removeRelationship,
		doc:    "Removes a relationship by its name, or by that of its from, a dot, and its name.",
		args:   []string{"name"},
		result: "nothing",
	},
	{
		name: "relationships", run: relationships,
		doc:    "All relationships, as addRelationship takes them.",
		result: "array",
	},
	{
		name: "metadata", run: metadata,
		doc:    "What a collection takes and what is declared for it. stats.lastUpdated is in milliseconds since 1970; 0: not known.",
		args:   []string{"collection"},
		result: "{documentCount, averageDocumentSize, totalSize, indexes: [{paths, unique, sparse, entries, bytes}], relationships, schema, schemaOptions, stats: {lastUpdated, seq}}",
	},
	{
		name: "usage", run: usage,
		doc:    "What the whole database takes.",
		result: "{documents, bytes, collections: {name: {documents, bytes}}, log: {batches, bytes}}",
	},
	{
		name: "dataVersion", run: dataVersion,
		doc:    "The version of the data, 0 if it says none, and whether there is no collection.",
		result: "[version, isEmpty]",
	},
	{
		name: "setDataVersion", writes: true, run: setDataVersion,
		doc:    "Declares the version of the data.",
		args:   []string{"version"},
		result: "nothing",
	},
	{
		name: "savepoint", moves: true, run: savepoint,
		doc:    "Opens a savepoint. Savepoints nest. While one is open, nothing is stored, and batches of other writers are put off; see onPutOff.",
		result: "nothing",
	},
	{
		name: "release", moves: true, run: release,
		doc:    "Ends the innermost savepoint and keeps the changes since it.",
		result: "nothing",
	},
	{
		name: "rollback", moves: true, run: rollback,
		doc:    "Undoes the changes since the innermost savepoint, and ends it.",
		result: "nothing",
	},
	{
		name: "suspend", moves: true, run: suspend,
		doc:    "Takes the changes since the innermost savepoint out of sight until resume. Every write in between is refused.",
		result: "nothing",
	},
	{
		name: "resume", moves: true, run: resume,
		doc:    "Puts the changes back that suspend took out of sight.",
		result: "nothing",
	},
	{
		name: "settle", moves: true, run: settle,
		doc:    "Flush for a database in memory alone, which has nothing to wait for: a Promise of Go's would cost 40 us.",
		result: "nothing",
	},
	{
		name: "cut", moves: true, run: cut,
		doc:    "Takes what is not stored as the frame of the next batch, and undoes it. For storages to which JavaScript itself appends.",
		result: "the frame, or nothing",
	},
	{
		name: "apply", moves: true, run: apply,
		doc:    "Applies a record of the log, unless the database holds it already. Its bytes follow the arguments directly.",
		args:   []string{"seq", "snapshot"},
		result: "nothing",
	},
	{
		name: "snapshot", moves: true, run: snapshot,
		doc:    "The frame of a snapshot of everything stored, if the log is so long that one has to replace its batches.",
		result: "the frame, or nothing",
	},
	{
		name: "beginFlush", moves: true, run: beginFlush,
		doc:    "Takes what is not stored as the frame of the next batch, for JavaScript to append. If that is done, endFlush follows; otherwise flush, which goes on with this frame.",
		result: "the number of the batch, of 64 bits, 0 if nothing is to be stored, and the frame; nothing if flush has to do it",
	},
	{
		name: "endFlush", moves: true, run: endFlush,
		doc:    "Says that the frame of beginFlush is stored.",
		result: "whether to call wake next",
	},
	{
		name: "revert", writes: true, run: revert,
		doc:    "Undoes changes: each document becomes what it was before, if it still is what they made of it. call is the name for errors. The changes follow the arguments directly, as a feed has them.",
		args:   []string{"call"},
		result: "[how many documents changed, the number of the newest batch]",
	},
	{
		name: "parse", free: true, run: parse,
		doc:    "The canonical text of a condition, for tests and tools. The handle may be 0.",
		args:   []string{"where"},
		result: "string",
	},
}

// opOf returns the op of that number; nil if there is none.
func opOf(number uint32) *op {
	if number >= 1 && int(number) <= len(ops) {
		return &ops[number-1]
	}
	return hiddenOp(number)
}

// protocol returns a number that changes with the table. JavaScript refuses an
// engine with another number: a page can load the two from different releases.
func protocol() uint32 {
	hash := uint32(2166136261) // FNV-1a
	for i := range ops {
		for _, text := range []string{ops[i].name, strings.Join(ops[i].args, " "), ops[i].result} {
			for _, c := range []byte(text + "\n") {
				hash = (hash ^ uint32(c)) * 16777619
			}
		}
	}
	return hash
}
