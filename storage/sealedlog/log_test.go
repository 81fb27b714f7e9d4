//go:build darwin || linux

package sealedlog_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
	"github.com/atomicdb-go/atomicdb/storage/sealedlog"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

var update = flag.Bool("update", false, "write the fixtures that begin with go-")

const keyText = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

func passwordKey(t *testing.T, password string) *sealedlog.Key {
	t.Helper()
	key, err := sealedlog.NewKey(sealedlog.KeyOptions{Password: password, Salt: []byte("0123456789abcdef"), Iterations: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func givenKey(t *testing.T, text string) *sealedlog.Key {
	t.Helper()
	key, err := sealedlog.KeyOf(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// kinds are the options that each kind of fixture was written with.
func kinds(t *testing.T) map[string]sealedlog.Options {
	return map[string]sealedlog.Options{
		"compressed":          {CompressionLevel: 6},
		"password":            {Key: passwordKey(t, "correct horse")},
		"password-compressed": {Key: passwordKey(t, "correct horse"), CompressionLevel: 9},
		"key":                 {Key: givenKey(t, keyText), CompressionLevel: 1},
	}
}

func seal(t *testing.T, log storage.Log, opts sealedlog.Options) storage.Log {
	t.Helper()
	sealed, err := sealedlog.New(log, opts)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// copyOf copies a fixture.
func copyOf(t *testing.T, name string) (path string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openFile(t *testing.T, path string, opts sealedlog.Options) (*storage.Session, error) {
	t.Helper()
	log, err := filelog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return storage.Open(seal(t, log, opts), storage.SessionOptions{})
}

func mustOpen(t *testing.T, path string, opts sealedlog.Options) *storage.Session {
	t.Helper()
	s, err := openFile(t, path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func insert(t *testing.T, s *storage.Session, id string) {
	t.Helper()
	err := s.Update(func(db *engine.DB) error {
		doc := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 1), "_id"), id)
		_, err := db.Insert("notes", doc, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func wantCount(t *testing.T, s *storage.Session, want int) {
	t.Helper()
	if n, err := s.DB().Count("notes", nil, 0); n != want || err != nil {
		t.Errorf("there are %d documents, %v, want %d", n, err, want)
	}
}

// TestLog: sealed, a log keeps its contract, over a file and over memory.
func TestLog(t *testing.T) {
	for name, opts := range kinds(t) {
		for _, contract := range []func(*testing.T, func(*testing.T) storagetest.Share){storagetest.TestLog, storagetest.TestRecreation, storagetest.TestSession} {
			t.Run(name, func(t *testing.T) {
				contract(t, func(t *testing.T) storagetest.Share {
					path := filepath.Join(t.TempDir(), "test.atomicdb")
					return func(t *testing.T) storage.Log {
						log, err := filelog.Open(path)
						if err != nil {
							t.Fatal(err)
						}
						return seal(t, log, opts)
					}
				})
			})
		}
		t.Run(name+" in memory", func(t *testing.T) {
			storagetest.TestLog(t, func(*testing.T) storagetest.Share {
				memory := storage.NewMemory()
				return func(t *testing.T) storage.Log { return seal(t, memory.Share(), opts) }
			})
		})
	}
}

// TestOpen_whatNpmHasSealed also writes behind it, under the key that npm derived.
func TestOpen_whatNpmHasSealed(t *testing.T) {
	for name, opts := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			path := copyOf(t, "npm-"+name+".atomicdb")
			s := mustOpen(t, path, opts)
			wantCount(t, s, 202)
			long, err := s.DB().Count("notes", query.Eq(query.ParsePath("text"), msgpack.AppendString(nil, strings.Repeat("a long text ", 10_000))), 0)
			if long != 1 || err != nil {
				t.Errorf("the long text is there %d times, %v", long, err)
			}
			insert(t, s, "from Go")
			again := mustOpen(t, path, opts)
			wantCount(t, again, 203)
			report, err := again.Verify()
			if err != nil || len(report.Problems) > 0 {
				t.Errorf("Verify returned %+v, %v", report, err)
			}
		})
	}
}

// TestGoFixtures opens what this package has written, which npm opens too.
func TestGoFixtures(t *testing.T) {
	for name, opts := range kinds(t) {
		fixture := filepath.Join("testdata", "go-"+name+".atomicdb")
		if *update {
			if err := os.Remove(fixture); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			s := mustOpen(t, fixture, opts)
			insert(t, s, "first")
			insert(t, s, strings.Repeat("second ", 100))
		}
		wantCount(t, mustOpen(t, copyOf(t, "go-"+name+".atomicdb"), opts), 2)
	}
}

func TestOpen_refuses(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain.atomicdb")
	insert(t, mustOpen(t, plain, sealedlog.Options{}), "a")
	dear, err := sealedlog.NewKey(sealedlog.KeyOptions{Password: "correct horse", Iterations: 1, MaxIterations: 999})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, text string
		opts       sealedlog.Options
	}{
		{copyOf(t, "npm-password.atomicdb"), "the password or key is another one", sealedlog.Options{Key: passwordKey(t, "wrong")}},
		{copyOf(t, "npm-password.atomicdb"), "with a password, not with a key", sealedlog.Options{Key: givenKey(t, keyText)}},
		{copyOf(t, "npm-key.atomicdb"), "with a key, not with a password", sealedlog.Options{Key: passwordKey(t, "correct horse")}},
		{copyOf(t, "npm-password.atomicdb"), "give the Key", sealedlog.Options{}},
		{copyOf(t, "npm-compressed.atomicdb"), "compressed and not encrypted", sealedlog.Options{Key: givenKey(t, keyText)}},
		{plain, "written without a key", sealedlog.Options{Key: givenKey(t, keyText)}},
		{copyOf(t, "npm-password.atomicdb"), "more than the 999 that are allowed", sealedlog.Options{Key: dear}},
	} {
		before, _ := os.ReadFile(c.path)
		s, err := openFile(t, c.path, c.opts)
		if err == nil {
			s.Close()
		}
		if engine.CodeOf(err) != engine.CodeDecrypt || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: Open returned %v, want code decrypt and %q", filepath.Base(c.path), err, c.text)
		}
		if after, _ := os.ReadFile(c.path); !bytes.Equal(before, after) {
			t.Errorf("%s: Open with another key has changed the file", filepath.Base(c.path))
		}
	}
	for what, opts := range map[string]sealedlog.Options{"level": {CompressionLevel: 10}, "bound": {MaxUnpackedBytes: -1}} {
		memory := storage.NewMemory()
		_, err := sealedlog.New(memory, opts)
		if engine.CodeOf(err) != engine.CodeInvalid || engine.CodeOf(memory.Append(1, nil, 0)) != engine.CodeClosed {
			t.Errorf("New with a wrong %s returned %v", what, err)
		}
	}
	for what, opts := range map[string]sealedlog.KeyOptions{
		"password": {}, "salt": {Password: "a", Salt: make([]byte, 256)}, "no salt": {Password: "a", Salt: []byte{}},
		"iterations": {Password: "a", Iterations: 10_000_001}, "bound": {Password: "a", MaxIterations: -1},
	} {
		if _, err := sealedlog.NewKey(opts); engine.CodeOf(err) != engine.CodeInvalid {
			t.Errorf("NewKey with a wrong %s returned %v", what, err)
		}
	}
	for _, text := range []string{"", "AAEC", keyText[:43], keyText + "\n", strings.Replace(keyText, "8=", "9=", 1)} {
		if _, err := sealedlog.KeyOf(text); engine.CodeOf(err) != engine.CodeInvalid || strings.Contains(err.Error(), "AAEC") {
			t.Errorf("KeyOf(%q) returned %v", text, err)
		}
	}
}

// TestBomb: what would be more than is allowed is not decompressed, and not written so.
func TestBomb(t *testing.T) {
	path := copyOf(t, "npm-compressed.atomicdb")
	_, err := openFile(t, path, sealedlog.Options{MaxUnpackedBytes: 1000})
	if engine.CodeOf(err) != engine.CodeCorrupt || !strings.Contains(err.Error(), "more than 1000 bytes") {
		t.Errorf("Open returned %v", err)
	}
	memory := storage.NewMemory()
	log := seal(t, memory.Share(), sealedlog.Options{CompressionLevel: 9, MaxUnpackedBytes: 1000})
	frame := storage.Frame{bytes.Repeat([]byte("a"), 1001)}
	if err := log.Append(1, frame, storage.Relaxed); err != nil {
		t.Fatal(err)
	}
	_ = memory.Read(0, func(r storage.Record) error {
		if !bytes.Equal(r.Bytes, frame[0]) {
			t.Errorf("%d bytes are stored, want 1001", len(r.Bytes))
		}
		return nil
	})
}

// TestTampering changes each byte of an encrypted record: none is opened, and none of a
// record in the middle is taken for one that a crash has torn.
func TestTampering(t *testing.T) {
	opts := sealedlog.Options{Key: givenKey(t, keyText)}
	memory := storage.NewMemory()
	s, err := storage.Open(seal(t, memory.Share(), opts), storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	insert(t, s, "a")
	insert(t, s, "b")
	var all []storage.Record
	_ = memory.Read(0, func(r storage.Record) error {
		all = append(all, storage.Record{Seq: r.Seq, Bytes: bytes.Clone(r.Bytes)})
		return nil
	})
	read := func(records ...storage.Record) error {
		m := storage.NewMemory()
		for i, r := range records {
			if err := m.Append(uint64(i+1), storage.Frame{r.Bytes}, storage.Relaxed); err != nil {
				return err
			}
		}
		s, err := storage.Open(seal(t, m, opts), storage.SessionOptions{})
		if err == nil {
			s.Close()
		}
		return err
	}
	if err := read(all...); err != nil {
		t.Fatal(err)
	}
	if err := read(all[1], all[0]); engine.CodeOf(err) != engine.CodeCorrupt {
		t.Errorf("in another order, Open returned %v", err)
	}
	for i := range all[1].Bytes {
		changed := storage.Record{Bytes: bytes.Clone(all[1].Bytes)}
		changed.Bytes[i] ^= 1
		switch err := read(all[0], changed); engine.CodeOf(err) {
		case engine.CodeDecrypt, engine.CodeCorrupt, engine.CodeUnsupported, engine.CodeConflict:
		default:
			t.Errorf("with byte %d changed, Open returned %v", i, err)
		}
	}
}

// TestTornTail: what a crash has left of the last record of a sealed file is cut off;
// what is damaged in the middle is not.
func TestTornTail(t *testing.T) {
	opts := sealedlog.Options{Key: givenKey(t, keyText)}
	path := filepath.Join(t.TempDir(), "test.atomicdb")
	s := mustOpen(t, path, opts)
	insert(t, s, "a")
	insert(t, s, "b")
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	insert(t, s, strings.Repeat("c", 1000))
	s.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const header = 32 // of a record
	for _, zeros := range [][2]int{{len(whole) - 200, len(whole)}, {len(first) + header, len(whole)}, {len(first) + header + 3, len(whole)}, {len(whole) - 1, len(whole)}} {
		b := bytes.Clone(whole)
		clear(b[zeros[0]:zeros[1]])
		if bytes.Equal(b, whole) {
			b[zeros[0]] = 1 // the byte was a zero
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, path, opts)
		wantCount(t, s, 2)
		insert(t, s, "d")
		s.Close()
		wantCount(t, mustOpen(t, path, opts), 3)
	}

	b := bytes.Clone(whole)
	b[len(first)-40] ^= 1 // of the second record of three
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openFile(t, path, opts); engine.CodeOf(err) != engine.CodeCorrupt {
		t.Errorf("with a damaged record in the middle, Open returned %v", err)
	}

	// A repair keeps the others.
	log, err := filelog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	report, err := storage.Repair(seal(t, log, opts), storage.SessionOptions{})
	if err != nil || len(report.Problems) != 1 {
		t.Errorf("Repair returned %+v, %v", report, err)
	}
	wantCount(t, mustOpen(t, path, opts), 2)

	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	log, err = filelog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	other := sealedlog.Options{Key: givenKey(t, "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")}
	if _, err := storage.Repair(seal(t, log, other), storage.SessionOptions{}); engine.CodeOf(err) != engine.CodeDecrypt {
		t.Errorf("Repair with another key returned %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, b) {
		t.Error("Repair with another key has changed the file")
	}
}

// TestPlaintext: nothing of a document can be read in an encrypted file.
func TestPlaintext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.atomicdb")
	insert(t, mustOpen(t, path, sealedlog.Options{Key: givenKey(t, keyText)}), "a secret")
	if b, err := os.ReadFile(path); err != nil || bytes.Contains(b, []byte("secret")) {
		t.Errorf("the file has the text, %v", err)
	}
}

// TestWithIdentities: a copy that is made without opening its records stays of one
// database, though compression has left a small record without an envelope.
func TestWithIdentities(t *testing.T) {
	log, err := filelog.Open(copyOf(t, "go-compressed.atomicdb"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var all []storage.Record
	err = log.Read(0, func(r storage.Record) error {
		all = append(all, storage.Record{Seq: r.Seq, Bytes: bytes.Clone(r.Bytes)})
		return nil
	})
	if err != nil || len(all) != 2 || bytes.HasPrefix(all[0].Bytes, []byte("AtDS")) || !bytes.HasPrefix(all[1].Bytes, []byte("AtDS")) {
		t.Fatalf("the fixture has %d records, %v; want one without and one with an envelope", len(all), err)
	}
	storage.WithIdentities(all, storage.Identity{1})
	memory := storage.NewMemory()
	for _, r := range all {
		if err := memory.Append(r.Seq, storage.Frame{r.Bytes}, storage.Relaxed); err != nil {
			t.Fatal(err)
		}
	}
	s, err := storage.Open(seal(t, memory, sealedlog.Options{}), storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wantCount(t, s, 2)
}
