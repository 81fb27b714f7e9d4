// Package engine is AtomicDB's in-memory document database.
//
// The engine performs no I/O, reads no clock and starts no goroutines: it
// turns documents and queries into results, and writes into batches of bytes
// that the caller must store. Applying the same batches in the same order to
// an empty DB always yields the same DB.
//
// # Vocabulary
//
//   - document: a MessagePack map whose first field is its _id
//   - slot: a document's dense number inside one collection, in insertion
//     order; never shown to users
//   - id: the name users know a document by; unique in its collection
//   - batch: the effects of some writes, as bytes; the unit of the log
//   - index: the documents of a collection sorted by the values of one or several
//     paths; users declare it
//   - column: a word for each document, by slot, that says what it has at a path
//   - plan: how a query is answered; its outcome: what came of it
//   - live query: a question whose answer is followed; look: to be told how it has changed
//
// # Life of a write
//
// A write changes memory at once and notes in the journal how to undo it. Cut
// takes everything since the last cut as one batch; once that batch is stored,
// Confirm forgets how to undo it; until then Rollback restores, exactly, the
// state of the last Confirm.
//
// # Reading the source
//
// Start at DB (db.go) and its writes (write.go, update.go), which all end in the
// primitives of collection.go: documents are bytes in an arena (arena.go), found by
// id (idtable.go) or slot. journal.go undoes changes, and batch.go is the format
// that other replicas read.
//
// Then follow a query. Find, Count, Distinct, Aggregate, Update and Remove choose a
// plan (plan.go, with plan_access.go and plan_ordered.go) and run it (plan_run.go);
// plan_explain.go says how, and plan_check.go holds it against the slow definition.
// SQL is the package engine/sql.
//
// Everything else may be dropped at any moment, and is built again when it is
// used: indexes (index.go, index_blocks.go), columns, dictionaries and numbers (column.go,
// column_cache.go), which answer conditions (column_filter.go), and the history
// (history.go), which tells whether a cached answer is still valid. Live queries
// (live.go, live_find.go, live_answer.go, live_distinct.go, live_groups.go) tell how answers change.
package engine
