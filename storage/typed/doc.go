// Package typed is AtomicDB for Go programs: open a file, keep structs in it, and
// range over answers.
//
//	db, err := typed.Open("notes.atomicdb")
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	notes := typed.In[Note](db, "notes")
//	if err := notes.Insert(ctx, &Note{Title: "Hello", Stars: 5}); err != nil {
//		return err
//	}
//	for note, err := range notes.Find(ctx, "stars >= 4") {
//		…
//	}
//
// There are four types. A [DB] is an open database. A [Collection] is a collection
// of it, seen as values of one Go type. A [Tx] is a transaction, made by DB.Update
// or DB.View. A [Scope] is a DB or a Tx: what [In] and [SQL] are given.
//
// # Documents
//
// A document is a struct or a map with string keys. The package
// github.com/vmihailenco/msgpack/v5 converts it, so the tags of fields are its tags:
//
//	type Note struct {
//		ID    int64  `msgpack:"_id,omitempty"`
//		Title string `msgpack:"title"`
//	}
//
// The field "_id" is the document's id, a string or an integer. With omitempty, a
// document whose id is the zero value gets the next integer, which Insert writes into
// the struct. Stored fields that the struct does not have are passed over when it is
// read, and lost when it is upserted; Update keeps them.
//
// # Conditions
//
// A condition, which Find and others take as where, is one of
//
//   - nil: all documents
//   - a text: "stars >= 4 and title startsWith 'H'", see [query.ParseText]
//   - a MongoDB-style filter: map[string]any{"stars": map[string]any{"$gte": 4}}
//   - a [*query.Filter], by its constructors, or by [ByID]
//
// Put what users type into a filter or a parameter of SQL, never into a text.
//
// # Errors
//
// Every error has a code, which errors.Is and [engine.CodeOf] tell:
//
//	if errors.Is(err, engine.CodeNotFound) { … }
//
// # Contexts
//
// A call ends when its context does: while it waits for the calls of other
// goroutines, and while it looks at documents. What it has changed is undone then. The
// error has code timeout, and is also the error of the context. Once a batch is being
// stored, the call waits for that.
//
// # Caveats
//
// A database is in memory while it is open, and its file is a log of what was written.
//
// Calls of a DB may be made by several goroutines, and run one after the other. A call
// of the DB inside of DB.Update or DB.View waits for itself: use the Tx there. The body
// of a loop over Find may make any call, since what Find yields was found before.
//
// Several processes may have one file open. A write meets what others have stored; a
// read does so after DB.CatchUp, or by itself with [CatchUpEvery].
package typed
