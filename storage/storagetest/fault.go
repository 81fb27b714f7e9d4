package storagetest

import (
	"bytes"
	"errors"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// A FaultyLog passes calls on to another Log, and fails as real storage does. Its
// zero hooks do nothing. It always overwrites bytes that it has lent, so that
// keeping them shows.
type FaultyLog struct {
	storage.Log

	// BeforeAppend runs before each Append. If it returns an error, nothing is
	// stored and Append returns it. It may wait, which delays the Append.
	BeforeAppend func(seq uint64) error

	// AfterAppend runs after each Append and makes its result, for replies that get
	// lost.
	AfterAppend func(seq uint64, err error) error

	// BeforeCompact is BeforeAppend for Compact.
	BeforeCompact func(seq uint64) error

	// OnRecord runs for each record that Read finds. It may change the record,
	// whose bytes are a copy, or fail the Read.
	OnRecord func(*storage.Record) error

	// Repeat visits every record twice.
	Repeat bool

	// HasGap says for each Read whether it leaves out the first record if a batch
	// follows it, as a storage does that lists what it has too early.
	HasGap func() bool

	// OnNews runs for each message of Watch, and returns the messages that the
	// listener gets instead: none, the same twice, or earlier ones that were held
	// back. The bytes belong to OnNews.
	OnNews func(News) []News
}

// News is a message of a Watcher: the arguments of its listener.
type News struct {
	Seq   uint64
	Bytes []byte
}

// Nth returns a hook that returns err the nth time it is called, from 1, and nil
// otherwise.
func Nth(n int, err error) func(uint64) error {
	return func(uint64) error {
		n--
		if n == 0 {
			return err
		}
		return nil
	}
}

// Append implements storage.Log.
func (l *FaultyLog) Append(seq uint64, frame storage.Frame, d storage.Durability) error {
	if l.BeforeAppend != nil {
		if err := l.BeforeAppend(seq); err != nil {
			return err
		}
	}
	err := l.Log.Append(seq, frame, d)
	if l.AfterAppend != nil {
		err = l.AfterAppend(seq, err)
	}
	return err
}

// Compact implements storage.Log.
func (l *FaultyLog) Compact(seq uint64, snapshot storage.Frame) error {
	if l.BeforeCompact != nil {
		if err := l.BeforeCompact(seq); err != nil {
			return err
		}
	}
	return l.Log.Compact(seq, snapshot)
}

// Read implements storage.Log.
func (l *FaultyLog) Read(after uint64, visit func(storage.Record) error) error {
	var first *storage.Record // the one that may be left out
	hasGap := l.HasGap != nil && l.HasGap()
	err := l.Log.Read(after, func(r storage.Record) error {
		if hasGap {
			hasGap = false
			first = &storage.Record{Seq: r.Seq, Snapshot: r.Snapshot, Bytes: bytes.Clone(r.Bytes), Rest: r.Rest}
			return nil
		}
		if left := first; left != nil {
			first = nil
			if r.Snapshot { // which is no gap
				if err := l.visit(*left, visit); err != nil {
					return err
				}
			}
		}
		return l.visit(r, visit)
	})
	if err == nil && first != nil {
		err = l.visit(*first, visit)
	}
	return err
}

// visit visits a record that Read has found.
func (l *FaultyLog) visit(r storage.Record, visit func(storage.Record) error) error {
	times := 1
	if l.Repeat {
		times = 2
	}
	for range times {
		lent := r
		lent.Bytes = bytes.Clone(r.Bytes)
		if l.OnRecord != nil {
			if err := l.OnRecord(&lent); err != nil {
				return err
			}
		}
		err := visit(lent)
		scribble(lent.Bytes)
		if err != nil {
			return err
		}
	}
	return nil
}

// Watch implements storage.Watcher, if the other Log does.
func (l *FaultyLog) Watch(listener func(seq uint64, bytes []byte)) (stop func()) {
	w, ok := l.Log.(storage.Watcher)
	if !ok {
		return func() {}
	}
	return w.Watch(func(seq uint64, bytes []byte) {
		if l.OnNews == nil {
			listener(seq, bytes)
			return
		}
		for _, news := range l.OnNews(News{seq, bytes}) {
			listener(news.Seq, news.Bytes)
		}
	})
}

// A TornLog is a FaultyLog on which a crash can leave half a record.
type TornLog struct {
	FaultyLog

	// Tear makes the next Append store only that many bytes, and fail.
	Tear int

	torn *storage.Record
}

var _ storage.TornTail = (*TornLog)(nil)

// Append implements storage.Log.
func (l *TornLog) Append(seq uint64, frame storage.Frame, d storage.Durability) error {
	if l.torn != nil {
		return storage.ConflictError(seq)
	}
	if l.Tear > 0 {
		l.torn = &storage.Record{Seq: seq, Bytes: bytes.Join(frame, nil)[:l.Tear]}
		l.Tear = 0
		return &engine.Error{Code: engine.CodeStorage, Op: "append", Err: errors.New("the power is gone")}
	}
	return l.FaultyLog.Append(seq, frame, d)
}

// Read implements storage.Log.
func (l *TornLog) Read(after uint64, visit func(storage.Record) error) error {
	if err := l.FaultyLog.Read(after, visit); err != nil {
		return err
	}
	if l.torn == nil || l.torn.Seq <= after {
		return nil
	}
	lent := *l.torn
	lent.Bytes = bytes.Clone(l.torn.Bytes)
	defer scribble(lent.Bytes)
	return visit(lent)
}

// CutTail implements storage.TornTail.
func (l *TornLog) CutTail(seq uint64, torn []byte) error {
	if l.torn != nil && l.torn.Seq == seq && bytes.Equal(l.torn.Bytes, torn) {
		l.torn = nil
	}
	return nil
}
