package storage

import (
	"bytes"
	"slices"
	"sync"
)

// Memory is a Log that lives as long as the process: for tests, and as the
// shortest example of a Log. NewMemory makes one.
type Memory struct {
	shared *memoryRecords
	closed bool
}

// memoryRecords are the records that several Logs share.
type memoryRecords struct {
	mu        sync.Mutex
	records   []Record // gapless; only the first may be a snapshot
	listeners map[*memoryListener]bool
}

type memoryListener struct {
	owner *Memory
	hear  func(seq uint64, bytes []byte)
}

var (
	_ Log     = (*Memory)(nil)
	_ Watcher = (*Memory)(nil)
)

// NewMemory returns an empty Log.
func NewMemory() *Memory {
	return &Memory{shared: &memoryRecords{listeners: map[*memoryListener]bool{}}}
}

// Share returns another Log on the same records, as another page would have.
// It may be used at the same time as m.
func (m *Memory) Share() *Memory { return &Memory{shared: m.shared} }

// Read implements Log.
func (m *Memory) Read(after uint64, visit func(Record) error) error {
	if m.closed {
		return ClosedError("read")
	}
	m.shared.mu.Lock()
	records := slices.Clone(m.shared.records)
	m.shared.mu.Unlock()

	first, _ := slices.BinarySearchFunc(records, after+1, compareSeq)
	records = records[first:]
	rest := int64(0)
	for _, r := range records {
		rest += int64(len(r.Bytes))
	}
	for _, r := range records {
		rest -= int64(len(r.Bytes))
		r.Rest = rest
		if err := visit(r); err != nil {
			return err
		}
	}
	return nil
}

func compareSeq(r Record, seq uint64) int {
	switch {
	case r.Seq < seq:
		return -1
	case r.Seq > seq:
		return 1
	}
	return 0
}

// Append implements Log.
func (m *Memory) Append(seq uint64, frame Frame, _ Durability) error {
	if m.closed {
		return ClosedError("append")
	}
	stored := bytes.Join(frame, nil)

	s := m.shared
	s.mu.Lock()
	last := Record{}
	if n := len(s.records); n > 0 {
		last = s.records[n-1]
	}
	if seq != last.Seq+1 || IsForeign(last.Bytes, frame) {
		s.mu.Unlock()
		return ConflictError(seq)
	}
	s.records = append(s.records, Record{Seq: seq, Bytes: stored})
	var others []*memoryListener
	for l := range s.listeners {
		if l.owner != m {
			others = append(others, l)
		}
	}
	s.mu.Unlock()

	for _, l := range others {
		l.hear(seq, bytes.Clone(stored))
	}
	return nil
}

// Compact implements Log.
func (m *Memory) Compact(seq uint64, snapshot Frame) error {
	if m.closed {
		return ClosedError("compact")
	}
	s := m.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := slices.BinarySearchFunc(s.records, seq, compareSeq)
	if !found || IsForeign(s.records[i].Bytes, snapshot) {
		return nil
	}
	replaced := []Record{{Seq: seq, Snapshot: true, Bytes: bytes.Join(snapshot, nil)}}
	s.records = append(replaced, s.records[i+1:]...)
	return nil
}

// Watch implements Watcher.
func (m *Memory) Watch(listener func(seq uint64, bytes []byte)) (stop func()) {
	l := &memoryListener{owner: m, hear: listener}
	m.shared.mu.Lock()
	defer m.shared.mu.Unlock()
	m.shared.listeners[l] = true
	return func() {
		m.shared.mu.Lock()
		defer m.shared.mu.Unlock()
		delete(m.shared.listeners, l)
	}
}

// Close implements Log.
func (m *Memory) Close() error {
	m.closed = true
	return nil
}

// Destroy implements Log.
func (m *Memory) Destroy() error {
	m.closed = true
	m.shared.mu.Lock()
	defer m.shared.mu.Unlock()
	m.shared.records = nil
	return nil
}
