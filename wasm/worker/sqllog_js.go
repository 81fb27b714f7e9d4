package main

import (
	"bytes"
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// maxPartBytes is the longest part of a record: an object takes values of up to 2 MB.
const maxPartBytes = 1 << 20

// A sqlLog is a storage.Log in the SQLite of a Durable Object. Every call answers at once.
// Cloudflare stores all that is written between two turns of the event loop, or nothing,
// and lets nobody see an answer before that.
type sqlLog struct {
	sql    js.Value // ctx.storage.sql
	closed bool
}

var _ storage.Log = (*sqlLog)(nil)

// exec runs a statement, and returns its rows.
func (l *sqlLog) exec(op, statement string, args ...any) (rows js.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			thrown, ok := p.(js.Error)
			if !ok {
				panic(p)
			}
			err = engine.Fail(engine.CodeStorage, op, "sql", thrown.Error())
		}
	}()
	return l.sql.Call("exec", append([]any{statement}, args...)...).Call("toArray"), nil
}

func (l *sqlLog) create() error {
	_, err := l.exec("open", `CREATE TABLE IF NOT EXISTS "atomicdb" (seq INTEGER, snapshot INTEGER, part INTEGER, parts INTEGER, writer INTEGER, bytes BLOB, PRIMARY KEY (seq, snapshot, part))`)
	return err
}

func blob(value js.Value) []byte {
	array := js.Global().Get("Uint8Array").New(value)
	b := make([]byte, array.Length())
	js.CopyBytesToGo(b, array)
	return b
}

// Read implements storage.Log.
func (l *sqlLog) Read(after uint64, visit func(storage.Record) error) error {
	if l.closed {
		return storage.ClosedError("read")
	}
	heads, err := l.exec("read", `SELECT seq, max(snapshot) AS snapshot, sum(length(bytes)) AS size FROM "atomicdb" WHERE seq > ? GROUP BY seq ORDER BY seq`, float64(after))
	if err != nil {
		return err
	}
	rest := 0
	for i := range heads.Length() {
		rest += heads.Index(i).Get("size").Int()
	}
	for i := range heads.Length() {
		head := heads.Index(i)
		seq, snapshot := head.Get("seq").Float(), head.Get("snapshot").Int()
		parts, err := l.exec("read", `SELECT parts, bytes FROM "atomicdb" WHERE seq = ? AND snapshot = ? ORDER BY part`, seq, snapshot)
		if err != nil {
			return err
		}
		var frame []byte
		for n := range parts.Length() {
			frame = append(frame, blob(parts.Index(n).Get("bytes"))...)
		}
		if parts.Length() == 0 || parts.Index(0).Get("parts").Int() != parts.Length() {
			return engine.Fail(engine.CodeCorrupt, "read", "sql", "parts of a batch are missing")
		}
		rest -= head.Get("size").Int()
		if err := visit(storage.Record{Seq: uint64(seq), Snapshot: snapshot == 1, Bytes: frame, Rest: int64(rest)}); err != nil {
			return err
		}
	}
	return nil
}

// Append implements storage.Log. Every batch is as durable as Cloudflare makes it.
func (l *sqlLog) Append(seq uint64, frame storage.Frame, _ storage.Durability) error {
	if l.closed {
		return storage.ClosedError("append")
	}
	last, err := l.exec("append", `SELECT seq, substr(bytes, 1, 64) AS start FROM "atomicdb" WHERE part = 0 ORDER BY seq DESC, snapshot DESC LIMIT 1`)
	if err != nil {
		return err
	}
	taken, start := 0.0, []byte(nil)
	if last.Length() > 0 {
		taken, start = last.Index(0).Get("seq").Float(), blob(last.Index(0).Get("start"))
	}
	if float64(seq) != taken+1 || storage.IsForeign(start, frame) {
		return storage.ConflictError(seq)
	}
	return l.insert("append", seq, 0, frame)
}

// Compact implements storage.Log.
func (l *sqlLog) Compact(seq uint64, snapshot storage.Frame) error {
	if l.closed {
		return storage.ClosedError("compact")
	}
	held, err := l.exec("compact", `SELECT substr(bytes, 1, 64) AS start FROM "atomicdb" WHERE seq = ? AND snapshot = 0 AND part = 0`, float64(seq))
	if err != nil || held.Length() == 0 || storage.IsForeign(blob(held.Index(0).Get("start")), snapshot) {
		return err
	}
	if _, err := l.exec("compact", `DELETE FROM "atomicdb" WHERE seq <= ?`, float64(seq)); err != nil {
		return err
	}
	return l.insert("compact", seq, 1, snapshot)
}

func (l *sqlLog) insert(op string, seq uint64, snapshot int, frame storage.Frame) error {
	whole := bytes.Join(frame, nil)
	parts := max(1, (len(whole)+maxPartBytes-1)/maxPartBytes)
	for part := range parts {
		b := whole[part*maxPartBytes : min(len(whole), (part+1)*maxPartBytes)]
		array := js.Global().Get("Uint8Array").New(len(b))
		js.CopyBytesToJS(array, b)
		_, err := l.exec(op, `INSERT INTO "atomicdb" (seq, snapshot, part, parts, writer, bytes) VALUES (?, ?, ?, ?, ?, ?)`, float64(seq), snapshot, part, parts, 0, array.Get("buffer"))
		if err != nil {
			return err
		}
	}
	return nil
}

// Close implements storage.Log.
func (l *sqlLog) Close() error {
	l.closed = true
	return nil
}

// Destroy implements storage.Log.
func (l *sqlLog) Destroy() error {
	if l.closed {
		return storage.ClosedError("destroy")
	}
	l.closed = true
	_, err := l.exec("destroy", `DROP TABLE IF EXISTS "atomicdb"`)
	return err
}
