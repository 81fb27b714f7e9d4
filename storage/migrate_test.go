package storage_test

import (
	"errors"
	"strconv"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// steps returns steps 2 to last, each of which adds a document of its number, and
// what has run.
func steps(t *testing.T, last int) (map[int]func(*engine.DB) error, *[]int) {
	ran, all := &[]int{}, map[int]func(*engine.DB) error{}
	for version := 2; version <= last; version++ {
		all[version] = func(db *engine.DB) error {
			*ran = append(*ran, version)
			return putOne(db, "v"+strconv.Itoa(version))
		}
	}
	return all, ran
}

func putOne(db *engine.DB, id string) error {
	_, err := db.Insert("docs", append([]byte{0x81, 0xa3, '_', 'i', 'd', 0xa0 | byte(len(id))}, id...), false)
	return err
}

func count(t *testing.T, s *storage.Session) int {
	t.Helper()
	n, err := s.DB().Count("docs", nil, -1)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMigrate(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{DataVersion: 2})
	if err := s.Update(func(db *engine.DB) error { return putOne(db, "a") }); err != nil {
		t.Fatal(err)
	}
	all, ran := steps(t, 4)
	newer := openSession(t, memory.Share(), storage.SessionOptions{})
	delete(all, 3) // a version that needs no step
	for range 2 {
		if err := newer.Migrate(4, all); err != nil {
			t.Fatal(err)
		}
	}
	if len(*ran) != 2 || count(t, newer) != 3 || newer.DB().DataVersion() != 4 {
		t.Errorf("%v have run, and there are %d documents of version %d", *ran, count(t, newer), newer.DB().DataVersion())
	}
	if err := newer.Migrate(3, nil); !errors.Is(err, engine.CodeUnsupported) {
		t.Errorf("data of a later version gives %v", err)
	}
	if err := newer.Migrate(3, all); !errors.Is(err, engine.CodeInvalid) {
		t.Errorf("a step beyond the version gives %v", err)
	}
	// The program that knows version 2 meets the conflict, and then the version.
	if err := s.Update(func(db *engine.DB) error { return putOne(db, "b") }); !errors.Is(err, engine.CodeUnsupported) {
		t.Errorf("a write by an earlier program gives %v", err)
	}
	if got := count(t, s); got != 3 {
		t.Errorf("it reads %d documents, want 3", got)
	}
}

func TestMigrate_newDatabase(t *testing.T) {
	all, ran := steps(t, 3)
	s := openSession(t, storage.NewMemory(), storage.SessionOptions{})
	if err := s.Migrate(3, all); err != nil || len(*ran) != 0 || s.DB().DataVersion() != 3 {
		t.Errorf("%v: %v have run, version %d", err, *ran, s.DB().DataVersion())
	}
	all[1] = func(db *engine.DB) error { return putOne(db, "v1") }
	s = openSession(t, storage.NewMemory(), storage.SessionOptions{})
	if err := s.Migrate(3, all); err != nil || len(*ran) != 2 || count(t, s) != 3 {
		t.Errorf("%v: %v have run", err, *ran)
	}
}

// TestMigrate_wrong: nothing runs towards a version that there cannot be, and a step may be nil.
func TestMigrate_wrong(t *testing.T) {
	all, ran := steps(t, 3)
	s := openSession(t, storage.NewMemory(), storage.SessionOptions{})
	if err := s.Update(func(db *engine.DB) error { return putOne(db, "a") }); err != nil {
		t.Fatal(err)
	}
	for _, version := range []int{-1, 0, 1 << 31} {
		if err := s.Migrate(version, nil); !errors.Is(err, engine.CodeInvalid) {
			t.Errorf("version %d gives %v", version, err)
		}
		if err := s.Migrate(version, all); !errors.Is(err, engine.CodeInvalid) || len(*ran) > 0 {
			t.Errorf("version %d gives %v; %v have run", version, err, *ran)
		}
	}
	all[2] = nil
	if err := s.Migrate(3, all); err != nil || len(*ran) != 1 || s.DB().DataVersion() != 3 {
		t.Errorf("%v: %v have run, version %d", err, *ran, s.DB().DataVersion())
	}
}

// TestMigrate_killed: whatever the log has when a process ends, the next one goes on
// where it was, and each step is done once.
func TestMigrate_killed(t *testing.T) {
	for kill := range 5 {
		memory := storage.NewMemory()
		s := openSession(t, memory.Share(), storage.SessionOptions{})
		if err := s.Update(func(db *engine.DB) error { return putOne(db, "a") }); err != nil {
			t.Fatal(err)
		}
		all, _ := steps(t, 5)
		log := faulty(memory.Share())
		appended := 0
		log.BeforeAppend = func(uint64) error {
			if appended++; appended > kill {
				return engine.Fail(engine.CodeStorage, "append", "", "killed")
			}
			return nil
		}
		dying := openSession(t, log, storage.SessionOptions{})
		if err := dying.Migrate(5, all); (err != nil) != (kill < 4) {
			t.Fatalf("killed after %d: %v", kill, err)
		}
		next := openSession(t, memory.Share(), storage.SessionOptions{})
		if got := next.DB().DataVersion(); kill > 0 && got != kill+1 {
			t.Errorf("killed after %d steps, the version is %d", kill, got)
		}
		all, ran := steps(t, 5)
		if err := next.Migrate(5, all); err != nil || len(*ran) != 4-min(4, kill) || count(t, next) != 5 {
			t.Errorf("killed after %d steps: %v; then %v have run, and there are %d documents", kill, err, *ran, count(t, next))
		}
	}
}
