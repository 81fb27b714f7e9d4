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
//   - order: the documents of a collection sorted by the values of one or
//     several paths; what users declare as an index
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
// Start at DB (db.go) and its writes (write.go), which all end in the three
// primitives of collection.go. Then follow a query: query.Parse → plan
// (plan.go, plan_source.go) → Find (find.go), or Aggregate (aggregate.go). What may
// be dropped at any moment: orders (index.go), columns (column.go, column_filter.go),
// dictionaries (column_dictionary.go), numbers (column_numbers.go) and the history (history.go),
// by which answers that were kept are known to hold. batch.go is the format
// that other replicas read. SQL is the package engine/sql.
package engine
