//go:build !js

package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"time"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// Options configure a Log. The zero value is ready to use.
type Options struct {
	// Table is the name of the table: letters, digits and _. The table is made if
	// there is none. Empty means "atomicdb".
	Table string

	// BusyTimeout is how long a call waits for other connections and processes that
	// write, before it returns CodeTimeout. 0 means 5 s.
	BusyTimeout time.Duration
}

// maxRowBytes is the longest part, in bytes: some hosts of the npm package take
// values of up to 2 MB.
const maxRowBytes = 1 << 20

// pageBytes is about how many bytes Read reads from SQLite at once.
const pageBytes = 1 << 20

// A Log is a storage.Log in a table of a SQLite. New makes one.
type Log struct {
	db          *sql.DB
	name        string
	table       string // its name as SQL has it
	busyTimeout time.Duration
	closed      bool
}

var _ storage.Log = (*Log)(nil)

// New returns a Log in a table of db, and makes the table if there is none. The
// error has CodeInvalid for a name with other characters, or for a table with
// other columns.
func New(db *sql.DB, opts Options) (*Log, error) {
	if opts.Table == "" {
		opts.Table = "atomicdb"
	}
	if !isName.MatchString(opts.Table) || isReserved.MatchString(opts.Table) {
		return nil, engine.Fail(engine.CodeInvalid, "open", opts.Table, "a table's name may have letters, digits and _ only")
	}
	if opts.BusyTimeout == 0 {
		opts.BusyTimeout = 5 * time.Second
	}
	l := &Log{db: db, name: opts.Table, table: `"` + opts.Table + `"`, busyTimeout: opts.BusyTimeout}
	err := l.withConn("open", func(ctx context.Context, conn *sql.Conn) error {
		return retry(ctx, func() error { return l.create(conn) })
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

var (
	isName     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	isReserved = regexp.MustCompile(`(?i)^sqlite_`)
)

func (l *Log) create(conn *sql.Conn) error {
	ctx := context.Background()
	err := exec(ctx, conn, "CREATE TABLE IF NOT EXISTS "+l.table+
		" (seq INTEGER, snapshot INTEGER, part INTEGER, parts INTEGER, writer INTEGER, bytes BLOB, PRIMARY KEY (seq, snapshot, part))")
	if err != nil {
		return err
	}
	// A SELECT of the columns does not tell: SQLite may read an unknown name as a text.
	var columns int
	err = conn.QueryRowContext(ctx, "SELECT count(*) FROM pragma_table_info(?) WHERE name IN ('seq', 'snapshot', 'part', 'parts', 'writer', 'bytes')", l.name).Scan(&columns)
	if err == nil && columns != 6 {
		return engine.Fail(engine.CodeInvalid, "open", l.name, "the database has a table of this name that is not AtomicDB's")
	}
	return err
}

// Read implements storage.Log. No statement is open while visit runs, so no other
// connection waits for it, and it may use the same SQLite database.
func (l *Log) Read(after uint64, visit func(storage.Record) error) error {
	if l.closed {
		return storage.ClosedError("read")
	}
	for at, more := int64(min(after, maxSeq)), true; more; {
		var p page
		err := l.withConn("read", func(ctx context.Context, conn *sql.Conn) error {
			return retry(ctx, func() (err error) {
				p, err = l.page(conn, at)
				return err
			})
		})
		if err != nil {
			return err
		}
		at, more = p.last, p.more
		rest := p.bytes + p.rest
		for _, r := range p.records {
			rest -= int64(len(r.Bytes))
			r.Rest = max(rest, 0)
			if err := visit(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxSeq is the largest number that SQLite can hold.
const maxSeq = 1<<63 - 1

// A page is the records that Read reads at once.
type page struct {
	records     []storage.Record
	bytes, rest int64 // of these records, and of the records after them
	last        int64 // the last number in it
	more        bool
}

// page returns the records after a number, about pageBytes of them.
func (l *Log) page(conn *sql.Conn, after int64) (p page, err error) {
	ctx := context.Background()
	rows, err := conn.QueryContext(ctx, "SELECT seq, snapshot, part, parts, bytes FROM "+l.table+" WHERE seq > ? ORDER BY seq, snapshot, part", after)
	if err != nil {
		return p, err
	}
	defer rows.Close()
	var a assembler
	for rows.Next() {
		var r row
		var raw sql.RawBytes
		if err := rows.Scan(&r.seq, &r.snapshot, &r.part, &r.parts, &raw); err != nil {
			return p, corrupt(r.seq, "this SQLite table holds what is no batch: "+err.Error())
		}
		if r.seq != a.current.seq && a.bytes >= pageBytes {
			p.more = true
			break
		}
		r.bytes = raw
		if err := a.add(r); err != nil {
			return p, err
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return p, err
	}
	p.last = a.current.seq
	if p.records, err = a.end(); err != nil {
		return p, err
	}
	for _, r := range p.records {
		p.bytes += int64(len(r.Bytes))
	}
	if p.more {
		err = conn.QueryRowContext(ctx, "SELECT coalesce(sum(length(bytes)), 0) FROM "+l.table+" WHERE seq > ?", p.last).Scan(&p.rest)
	}
	return p, err
}

// Append implements storage.Log.
func (l *Log) Append(seq uint64, frame storage.Frame, d storage.Durability) error {
	if l.closed {
		return storage.ClosedError("append")
	}
	return l.transact("append", d, func(conn *sql.Conn) error {
		var last uint64
		var start []byte // of its bytes
		err := conn.QueryRowContext(context.Background(), "SELECT coalesce(max(seq), 0), (SELECT substr(bytes, 1, 64) FROM "+l.table+
			" WHERE part = 0 ORDER BY seq DESC, snapshot DESC LIMIT 1) FROM "+l.table).Scan(&last, &start)
		if err == nil && (seq != last+1 || storage.IsForeign(start, frame)) {
			return storage.ConflictError(seq)
		}
		if err != nil {
			return err
		}
		return l.insert(conn, seq, 0, frame)
	})
}

// Compact implements storage.Log. The snapshot is as durable as the batches were.
func (l *Log) Compact(seq uint64, snapshot storage.Frame) error {
	if l.closed {
		return storage.ClosedError("compact")
	}
	return l.transact("compact", storage.Strict, func(conn *sql.Conn) error {
		var start []byte
		err := conn.QueryRowContext(context.Background(), "SELECT substr(bytes, 1, 64) FROM "+l.table+" WHERE seq = ? AND snapshot = 0 ORDER BY part LIMIT 1", int64(min(seq, maxSeq))).Scan(&start)
		if err == sql.ErrNoRows || err == nil && storage.IsForeign(start, snapshot) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := exec(context.Background(), conn, "DELETE FROM "+l.table+" WHERE seq <= ?", int64(seq)); err != nil {
			return err
		}
		return l.insert(conn, seq, 1, snapshot)
	})
}

// insert stores a record in parts, which are copied one at a time.
func (l *Log) insert(conn *sql.Conn, seq uint64, snapshot int, frame storage.Frame) error {
	total := frame.Len()
	parts := max(1, (total+maxRowBytes-1)/maxRowBytes)
	// A writer marks these rows for a SQLite without transactions, which only the
	// npm package uses. JavaScript holds integers of 53 bits.
	writer := 1 + rand.Int64N(1<<53-2)
	left := slices.Clone(frame)
	bytes := make([]byte, 0, min(total, maxRowBytes))
	for part := range parts {
		bytes = bytes[:0]
		for len(left) > 0 && len(bytes) < maxRowBytes {
			n := min(len(left[0]), maxRowBytes-len(bytes))
			bytes = append(bytes, left[0][:n]...)
			if left[0] = left[0][n:]; len(left[0]) == 0 {
				left = left[1:]
			}
		}
		err := exec(context.Background(), conn, "INSERT INTO "+l.table+" (seq, snapshot, part, parts, writer, bytes) VALUES (?, ?, ?, ?, ?, ?)", int64(seq), snapshot, part, parts, writer, bytes)
		if err != nil {
			return err
		}
	}
	return nil
}

// Close implements storage.Log. The SQLite database stays open.
func (l *Log) Close() error {
	l.closed = true
	return nil
}

// Destroy implements storage.Log. It drops the table.
func (l *Log) Destroy() error {
	if l.closed {
		return storage.ClosedError("destroy")
	}
	l.closed = true
	return l.transact("destroy", storage.Strict, func(conn *sql.Conn) error {
		return exec(context.Background(), conn, "DROP TABLE IF EXISTS "+l.table)
	})
}
