package storage_test

import (
	"slices"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

func TestBeginFlush(t *testing.T) {
	log := storage.NewMemory()
	s := openSession(t, deaf(log), storage.SessionOptions{})
	if seq, _, ok := s.BeginFlush(); seq != 0 || !ok {
		t.Fatalf("with nothing pending: %d %v", seq, ok)
	}
	if _, err := s.EndFlush(); engine.CodeOf(err) != engine.CodeInvalid {
		t.Fatalf("EndFlush alone: %v", err)
	}

	put(t, s.DB(), "a", 1)
	seq, frame, ok := s.BeginFlush()
	if seq != 1 || !ok {
		t.Fatalf("BeginFlush: %d %v", seq, ok)
	}
	if _, _, ok := s.BeginFlush(); ok {
		t.Error("a second flush has begun while the first is not over")
	}
	if err := log.Append(seq, slices.Clone(frame), storage.Relaxed); err != nil {
		t.Fatal(err)
	}
	put(t, s.DB(), "b", 1) // of the next batch
	if wake, err := s.EndFlush(); wake || err != nil {
		t.Fatalf("EndFlush: %v %v", wake, err)
	}
	if s.Head() != 1 {
		t.Errorf("the head is %d", s.Head())
	}

	// Flush goes on with what has begun: it appends that frame.
	if seq, _, ok = s.BeginFlush(); seq != 2 || !ok {
		t.Fatalf("BeginFlush: %d %v", seq, ok)
	}
	if outcome, err := s.Flush(); outcome != storage.Stored || err != nil {
		t.Fatalf("Flush: %v %v", outcome, err)
	}

	// Another session is faster: the append says so, and Flush does what a conflict asks for.
	other := openSession(t, log.Share(), storage.SessionOptions{})
	put(t, s.DB(), "c", 1)
	if seq, _, ok = s.BeginFlush(); seq != 3 || !ok {
		t.Fatalf("BeginFlush: %d %v", seq, ok)
	}
	put(t, other.DB(), "d", 1)
	if _, err := other.Flush(); err != nil {
		t.Fatal(err)
	}
	if outcome, err := s.Flush(); outcome != storage.Conflict || err != nil {
		t.Fatalf("Flush: %v %v", outcome, err)
	}
	if report, err := s.Verify(); err != nil || len(report.Problems) > 0 {
		t.Errorf("verify: %+v %v", report, err)
	}
}
