package storage_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

// TestSessions_loseNoUpdate has several sessions write to one log in a random
// order: one session writes while the Append of another runs, replies get lost,
// the storage fails, sessions close and open again, and all compact very often.
// Each request adds 1 to one counter, and is repeated after a conflict, as in a
// page. In the end the counters are exactly the number of requests that the log
// has stored.
func TestSessions_loseNoUpdate(t *testing.T) {
	random := newRandom(t)
	for range 200 {
		w := newWorld(t, random)
		for range 100 {
			w.step()
		}
		w.finish()
		if t.Failed() {
			return
		}
	}
}

// A world is some pages on one log.
type world struct {
	t      *testing.T
	random *rand.Rand
	memory *storage.Memory
	pages  []*page
	sum    int // requests that the log has taken

	// Whether others may append, but never compact, between an Append and its lost
	// reply. After a compaction no session could tell which had stored the batch;
	// see settleConflict.
	slowAnswers bool
}

// A page is a session and the requests that are not finished yet.
type page struct {
	w        *world
	log      *storagetest.FaultyLog
	session  *storage.Session
	busy     bool // in a call that others may interrupt
	requests int  // unanswered ones, all of them applied to the engine
	inFlight int  // those of them that a Flush is about
}

func newWorld(t *testing.T, random *rand.Rand) *world {
	w := &world{t: t, random: random, memory: storage.NewMemory(), slowAnswers: random.IntN(2) == 0}
	first, err := storage.Open(w.memory.Share(), storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, first.DB(), "sum", 0)
	flush(t, first, storage.Stored)
	for range 2 + random.IntN(3) {
		p := &page{w: w}
		p.open()
		w.pages = append(w.pages, p)
	}
	return w
}

// step has a random page that is not busy do something.
func (w *world) step() {
	p := w.pages[w.random.IntN(len(w.pages))]
	if p.busy {
		return
	}
	p.busy = true
	defer func() { p.busy = false }()
	switch w.random.IntN(10) {
	case 0:
		p.session.Close()
		p.requests = 0 // nobody is left to wait for them
		p.open()
	case 1, 2:
		if err := p.session.CatchUp(); err != nil {
			w.t.Error(err)
		}
	case 3, 4, 5:
		p.request()
	default:
		p.flush()
	}
	if err := p.session.DB().Check(); err != nil {
		w.t.Error(err)
	}
}

func (p *page) open() {
	p.log = &storagetest.FaultyLog{Log: p.w.memory.Share(), BeforeAppend: p.beforeAppend, AfterAppend: p.afterAppend}
	p.log.BeforeCompact = func(uint64) error {
		if p.w.random.IntN(5) == 0 {
			return errors.New("no compaction today")
		}
		return nil
	}
	p.log.Repeat = p.w.random.IntN(4) == 0
	compactAfter := int64(100 + p.w.random.IntN(1000))
	if p.w.slowAnswers {
		compactAfter = 1 << 20
	}
	session, err := storage.Open(deaf(p.log), storage.SessionOptions{
		CompactAfter: compactAfter,
		Writer:       storage.Writer{byte(p.w.random.Uint32()), byte(p.w.random.Uint32()), byte(p.w.random.Uint32()), 1},
	})
	if err != nil {
		p.w.t.Fatal(err)
	}
	p.session = session
}

func (p *page) request() {
	add(p.w.t, p.session.DB())
	p.requests++
}

// flush finishes the requests of one batch, as a page does.
func (p *page) flush() {
	p.inFlight = p.requests
	outcome, err := p.session.Flush()
	again := 0
	switch {
	case err != nil: // those in flight are rejected, those made meanwhile done again
		again = p.requests - p.inFlight
		p.requests = 0
	case outcome == storage.Conflict:
		again = p.requests
		p.requests = 0
	default:
		p.requests -= p.inFlight
	}
	for range again {
		p.request()
	}
	settled(p.w.t, p.session)
}

var errFlaky = errors.New("the storage failed")

// beforeAppend runs while the page waits for its storage: this page and others go
// on working.
func (p *page) beforeAppend(uint64) error {
	if p.w.random.IntN(3) == 0 {
		p.request()
	}
	if p.w.random.IntN(2) == 0 {
		p.w.step()
	}
	if p.w.random.IntN(10) == 0 {
		return errFlaky
	}
	return nil
}

// afterAppend counts the batches of the log, and sometimes loses the reply.
func (p *page) afterAppend(seq uint64, err error) error {
	if err != nil {
		return err
	}
	p.w.sum += p.inFlight
	if p.w.slowAnswers && p.w.random.IntN(2) == 0 {
		p.w.step()
	}
	switch p.w.random.IntN(10) {
	case 0:
		return errFlaky // though it is stored
	case 1:
		return storage.ConflictError(seq) // as after a retry
	}
	return nil
}

func (w *world) finish() {
	for _, p := range w.pages {
		p.session.Close()
	}
	s, err := storage.Open(w.memory.Share(), storage.SessionOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	wantContents(w.t, s, fmt.Sprint("sum=", w.sum))
	if err := s.DB().Check(); err != nil {
		w.t.Error(err)
	}
}
