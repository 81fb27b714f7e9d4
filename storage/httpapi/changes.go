package httpapi

import (
	"net/http"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/docfile"
)

// followChanges sends an event for each change after ?since=, or after what a client that
// connects again has had; without either, for those from now on. ?wait=false ends it with
// what there is. The last change of a batch has the number of the batch as its id.
func followChanges(q *request) error {
	wait, since := !q.h.opts.NoWait && q.URL.Query().Get("wait") != "false", uint64(0)
	if err := q.view(func(*engine.DB) error { since = q.db.session.Head(); return nil }); err != nil {
		return err
	}
	for _, text := range []string{q.URL.Query().Get("since"), q.Header.Get("Last-Event-ID")} {
		if text == "" {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 53)
		if err != nil {
			return invalid("since", "expected the number of a batch, not "+strconv.Quote(text))
		}
		since = n
	}
	for _, err := range q.db.session.Changes(since) { // the first tells whether the log still has them
		if err != nil {
			return err
		}
		break
	}
	changes := q.db.session.Changes(since)
	if wait {
		changes = q.db.session.Follow(since, q.Context().Done())
	}
	q.w.Header().Set("Content-Type", "text/event-stream")
	q.w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(q.w)
	_ = out.Flush() // so that the client knows that it follows
	for change, err := range changes {
		event := eventOf(change)
		if err != nil { // the status is sent: the client connects again, and is told
			p, isHidden := problemOf(err)
			if isHidden && q.h.opts.OnError != nil {
				q.h.opts.OnError(q.Request, err)
			}
			event = []byte("event: error\ndata: {\"code\": \"" + p.code + "\"}\n\n")
		}
		if _, failed := q.w.Write(event); failed != nil || err != nil {
			return nil
		}
		if change.Last {
			_ = out.Flush()
		}
	}
	return nil
}

// eventOf returns a change as an event, whose data is {"collection": …, "type": …,
// "id": …, "document": …}.
func eventOf(c storage.Change) []byte {
	fields := 3
	if c.Document != nil {
		fields++
	}
	b := msgpack.AppendMap(nil, fields)
	b = msgpack.AppendString(msgpack.AppendString(b, "collection"), c.Collection)
	b = msgpack.AppendString(msgpack.AppendString(b, "type"), c.Type.String())
	b = append(msgpack.AppendString(b, "id"), c.ID...)
	if c.Document != nil {
		b = append(msgpack.AppendString(b, "document"), c.Document...)
	}
	event := []byte("event: change\n")
	if c.Last {
		event = append(strconv.AppendUint(append(event, "id: "...), c.Seq, 10), '\n')
	}
	event = docfile.AppendJSON(append(event, "data: "...), b)
	return append(event, "\n\n"...)
}

// exportDocuments answers with all documents as one file, which import reads.
func exportDocuments(q *request) error {
	format, err := q.format()
	if err != nil {
		return err
	}
	kind := docfile.JSON
	if format == typeMsgpack {
		kind = docfile.MessagePack
	}
	var file []byte
	err = q.view(func(db *engine.DB) (err error) {
		file, err = docfile.Write(db, kind)
		return err
	})
	if err != nil {
		return err
	}
	q.w.Header().Add("Vary", "Accept")
	q.w.Header().Set("Content-Disposition", `attachment; filename="`+q.PathValue("db")+"."+string(kind)+`"`)
	send(q.w, http.StatusOK, format, file)
	return nil
}
