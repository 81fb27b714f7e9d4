//go:build !js

package sqlitelog_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/sqlitelog"
)

func mustAppend(t *testing.T, log storage.Log, seq uint64, text string) {
	t.Helper()
	if err := log.Append(seq, storage.Frame{[]byte(text)}, storage.Relaxed); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.Exec(statement, args...); err != nil {
		t.Fatal(statement, ": ", err)
	}
}

// wantRecords compares what log holds with "4 text" or "snapshot 3 text".
func wantRecords(t *testing.T, log storage.Log, want ...string) {
	t.Helper()
	var got []string
	err := log.Read(0, func(r storage.Record) error {
		text := fmt.Sprintf("%d %s", r.Seq, r.Bytes)
		if r.Snapshot {
			text = "snapshot " + text
		}
		got = append(got, text)
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the log holds %.200q, %v, want %.200q", got, err, want)
	}
}

// TestLayout compares the rows with what npm/src/storage/sqlite.ts writes.
func TestLayout(t *testing.T) {
	db := openDB(t, ":memory:")
	db.SetMaxOpenConns(1)
	log := open(t, db)
	mustAppend(t, log, 1, "one")
	mustAppend(t, log, 2, "")
	mustAppend(t, log, 3, strings.Repeat("x", 2<<20))
	mustAppend(t, log, 4, strings.Repeat("y", 2<<20+1))
	if err := log.Compact(1, storage.Frame{[]byte("snap"), []byte("shot")}); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query("SELECT seq, snapshot, part, parts, typeof(bytes), length(bytes), writer BETWEEN 1 AND 9007199254740991 FROM atomicdb ORDER BY seq, part")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var seq, snapshot, part, parts, length int
		var kind string
		var isWriter bool
		if err := rows.Scan(&seq, &snapshot, &part, &parts, &kind, &length, &isWriter); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(seq, snapshot, part, parts, kind, length, isWriter))
	}
	want := []string{
		"1 1 0 1 blob 8 true", "2 0 0 1 blob 0 true",
		"3 0 0 2 blob 1048576 true", "3 0 1 2 blob 1048576 true",
		"4 0 0 3 blob 1048576 true", "4 0 1 3 blob 1048576 true", "4 0 2 3 blob 1 true",
	}
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], "blob", " blob ")
		got[i] = strings.Join(strings.Fields(got[i]), " ")
	}
	if !slices.Equal(got, want) {
		t.Errorf("the rows are\n%q, want\n%q", got, want)
	}
}

// TestOpen_whatNpmHasWritten opens a database that the npm package wrote through
// sqlite-wasm; see testdata/README.md.
func TestOpen_whatNpmHasWritten(t *testing.T) {
	b, err := os.ReadFile("testdata/npm.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "npm.sqlite")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db := openDB(t, path)
	s, err := storage.Open(open(t, db), storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found, err := s.DB().Find("notes", engine.Query{})
	if err != nil {
		t.Fatal(err)
	}
	if found.Len() != 202 {
		t.Errorf("found %d notes, want 202", found.Len())
	}
	var snapshots, batches, parts int
	err = db.QueryRow("SELECT sum(snapshot AND part = 0), sum(NOT snapshot AND part = 0), max(parts) FROM atomicdb").Scan(&snapshots, &batches, &parts)
	if err != nil || snapshots != 1 || batches == 0 || parts < 2 {
		t.Errorf("it has %d snapshots, %d batches and records of %d parts (%v): the test tests less than it could", snapshots, batches, parts, err)
	}
	if err := s.Update(func(db *engine.DB) error { return db.CreateCollection("more") }); err != nil {
		t.Error(err)
	}
}

func TestBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "busy.sqlite")
	db, other := openDB(t, path), openDB(t, path)
	other.SetMaxOpenConns(1)
	log := open(t, db)
	mustAppend(t, log, 1, "a")
	hasty, err := sqlitelog.New(db, sqlitelog.Options{BusyTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for name, lock := range map[string]string{"a writer": "BEGIN IMMEDIATE", "a writer that keeps readers out": "BEGIN EXCLUSIVE"} {
		must(t, other, lock)
		frame := storage.Frame{[]byte("b")}
		errs := map[string]error{"Append": hasty.Append(2, frame, storage.Strict), "Compact": hasty.Compact(1, frame)}
		if strings.Contains(lock, "EXCLUSIVE") {
			errs["Read"] = hasty.Read(0, func(storage.Record) error { return nil })
			_, errs["New"] = sqlitelog.New(db, sqlitelog.Options{BusyTimeout: time.Millisecond})
		}
		for call, err := range errs {
			if !errors.Is(err, engine.CodeTimeout) || !strings.Contains(err.Error(), "busy") {
				t.Errorf("%s beside %s returned %v, want timeout", call, name, err)
			}
		}
		must(t, other, "ROLLBACK")
		wantRecords(t, hasty, "1 a")
	}

	// A reader blocks the commit, so the batch is undone.
	must(t, other, "BEGIN")
	must(t, other, "CREATE TEMP TABLE seen AS SELECT * FROM atomicdb")
	if err := hasty.Append(2, storage.Frame{[]byte("b")}, storage.Relaxed); !errors.Is(err, engine.CodeTimeout) {
		t.Errorf("Append beside a reader returned %v, want timeout", err)
	}
	must(t, other, "ROLLBACK")
	wantRecords(t, hasty, "1 a")

	// With a longer BusyTimeout the commit waits.
	must(t, other, "BEGIN IMMEDIATE")
	done := make(chan error)
	go func() { done <- log.Append(2, storage.Frame{[]byte("b")}, storage.Relaxed) }()
	must(t, other, "ROLLBACK")
	if err := <-done; err != nil {
		t.Error(err)
	}
	wantRecords(t, log, "1 a", "2 b")
}

func TestBusy_allConnectionsInUse(t *testing.T) {
	db := openDB(t, ":memory:")
	db.SetMaxOpenConns(1)
	log, err := sqlitelog.New(db, sqlitelog.Options{BusyTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Append(1, storage.Frame{[]byte("a")}, storage.Relaxed); !errors.Is(err, engine.CodeTimeout) {
		t.Errorf("Append returned %v, want timeout", err)
	}
	conn.Close()
}

func TestFull(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "full.sqlite"))
	db.SetMaxOpenConns(1)
	log := open(t, db)
	mustAppend(t, log, 1, "a")
	must(t, db, "PRAGMA max_page_count = 20")
	large := storage.Frame{make([]byte, 100_000)}
	for range 3 {
		for name, err := range map[string]error{"Append": log.Append(2, large, storage.Strict), "Compact": log.Compact(1, large)} {
			if !errors.Is(err, engine.CodeQuota) {
				t.Errorf("%s returned %v, want quota", name, err)
			}
		}
		wantRecords(t, log, "1 a")
	}
	mustAppend(t, log, 2, "b")
	wantRecords(t, log, "1 a", "2 b")
}

// TestStrict_raisesSynchronous reads the PRAGMA in a trigger, during the write.
func TestStrict_raisesSynchronous(t *testing.T) {
	for _, c := range []struct{ before, during int }{{0, 3}, {1, 3}, {2, 3}, {3, 3}} {
		db := openDB(t, fmt.Sprintf("%s?_pragma=synchronous(%d)", filepath.Join(t.TempDir(), "sync.sqlite"), c.before))
		db.SetMaxOpenConns(1)
		log := open(t, db)
		must(t, db, "CREATE TABLE seen (n)")
		must(t, db, "CREATE TRIGGER see AFTER INSERT ON atomicdb BEGIN INSERT INTO seen SELECT synchronous FROM pragma_synchronous; END")
		mustAppend(t, log, 1, "a")
		if err := log.Append(2, storage.Frame{[]byte("b")}, storage.Strict); err != nil {
			t.Fatal(err)
		}
		var seen string
		var after int
		if err := errors.Join(db.QueryRow("SELECT group_concat(n) FROM seen").Scan(&seen), db.QueryRow("PRAGMA synchronous").Scan(&after)); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%d,%d", c.before, c.during); seen != want || after != c.before {
			t.Errorf("synchronous = %d: relaxed and strict wrote with %s, want %s; after it was %d", c.before, seen, want, after)
		}
	}
}

func TestNew_refuses(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(garbage, bytes.Repeat([]byte("garbage "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	other := openDB(t, ":memory:")
	other.SetMaxOpenConns(1)
	must(t, other, "CREATE TABLE atomicdb (name TEXT)")
	for name, c := range map[string]struct {
		db    *sql.DB
		table string
		want  engine.Code
	}{
		"no name":             {other, "a b", engine.CodeInvalid},
		"a quote":             {other, `a"b`, engine.CodeInvalid},
		"a digit first":       {other, "1st", engine.CodeInvalid},
		"a table of SQLite's": {other, "SQLite_x", engine.CodeInvalid},
		"other columns":       {other, "", engine.CodeInvalid},
		"no SQLite":           {openDB(t, garbage), "", engine.CodeCorrupt},
		"no such folder":      {openDB(t, filepath.Join(garbage, "no.sqlite")), "", engine.CodeStorage},
	} {
		if _, err := sqlitelog.New(c.db, sqlitelog.Options{Table: c.table}); !errors.Is(err, c.want) {
			t.Errorf("%s: New returned %v, want %s", name, err, c.want)
		}
	}
}

func TestRead_refusesWhatIsNoBatch(t *testing.T) {
	for name, change := range map[string]string{
		"a part missing":        "DELETE FROM atomicdb WHERE seq = 2 AND part = 1",
		"the first missing":     "DELETE FROM atomicdb WHERE seq = 2 AND part = 0",
		"a part too many":       "INSERT INTO atomicdb VALUES (2, 0, 3, 3, 1, x'00')",
		"another count":         "UPDATE atomicdb SET parts = 4 WHERE seq = 2",
		"a word for a number":   "UPDATE atomicdb SET parts = 'two' WHERE seq = 2",
		"nothing for a number":  "UPDATE atomicdb SET snapshot = NULL WHERE seq = 2",
		"a kind there is not":   "UPDATE atomicdb SET snapshot = 2 WHERE seq = 2",
		"a number there is not": "INSERT INTO atomicdb VALUES (9e99, 0, 0, 1, 1, x'00')",
	} {
		db := openDB(t, ":memory:")
		db.SetMaxOpenConns(1)
		log := open(t, db)
		mustAppend(t, log, 1, "a")
		mustAppend(t, log, 2, strings.Repeat("x", 3<<20))
		mustAppend(t, log, 3, "c")
		must(t, db, change)
		err := log.Read(0, func(storage.Record) error { return nil })
		if !errors.Is(err, engine.CodeCorrupt) {
			t.Errorf("%s: Read returned %v, want corrupt", name, err)
		}
	}
}
