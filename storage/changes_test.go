package storage_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

// A follower applies changes to a plain map, by collection and id, and says what
// cannot be.
type follower struct {
	documents map[string]string
	seq       uint64 // the batch of the last change
	handled   uint64 // the batch whose last change it has seen
}

func (f *follower) apply(c storage.Change) error {
	key := c.Collection + "/" + hex.EncodeToString(c.ID)
	now, isThere := f.documents[key]
	switch {
	case c.Seq < f.seq:
		return fmt.Errorf("batch %d comes after batch %d", c.Seq, f.seq)
	case c.Seq <= f.handled:
		return fmt.Errorf("batch %d is told again, or was not over", c.Seq)
	case strings.HasPrefix(c.Collection, "_"):
		return fmt.Errorf("%s is told", key)
	case (c.Type == storage.Insert) == isThere:
		return fmt.Errorf("batch %d: %s of %s, which is there: %t", c.Seq, c.Type, key, isThere)
	case isThere && string(c.Before) != now:
		return fmt.Errorf("batch %d: %s was %x before, not %x", c.Seq, key, now, c.Before)
	case (c.Type == storage.Remove) != (c.Document == nil) || (c.Type == storage.Insert) != (c.Before == nil):
		return fmt.Errorf("%s of %s with document %x, before %x", c.Type, key, c.Document, c.Before)
	}
	f.seq = c.Seq
	if c.Last {
		f.handled = c.Seq
	}
	if c.Document == nil {
		delete(f.documents, key)
	} else {
		f.documents[key] = string(c.Document)
	}
	return nil
}

// stateOf returns the documents of db as a follower has them.
func stateOf(t *testing.T, db *engine.DB) map[string]string {
	t.Helper()
	state := map[string]string{}
	for _, name := range db.Collections() {
		found, err := db.Find(name, engine.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for found.Len() > 0 {
			doc, _, _ := found.Next(nil, 1)
			state[name+"/"+hex.EncodeToString(msgpack.Lookup(doc, "_id"))] = string(doc)
		}
	}
	return state
}

// TestChanges_model has several sessions do random work on one log, which they
// compact often. Appends fail, replies get lost, sessions are killed and opened
// again. Feeds that take changes now and then follow the sessions, and go on in a
// new session where they were when theirs has ended. Each leads to the state of the
// log, without a change lost or told twice, and so does the log from each number
// that it has.
func TestChanges_model(t *testing.T) {
	random := newRandom(t)
	defer storage.LimitChanges(600, 300)()
	for range 150 {
		w := &feedWorld{t: t, random: random, memory: storage.NewMemory()}
		for range 2 + random.IntN(2) {
			w.all = append(w.all, w.open(0, map[string]string{}))
		}
		for range 60 {
			w.step()
		}
		w.finish()
		if t.Failed() {
			return
		}
	}
}

// A feedWorld is some sessions on one log, each with a feed.
type feedWorld struct {
	t      *testing.T
	random *rand.Rand
	memory *storage.Memory
	frames [][]byte // every batch that was stored, by number from 1
	all    []*followed
}

type followed struct {
	w       *feedWorld
	session *storage.Session
	feed    *storage.Feed
	follower
}

// open opens a session and a feed that goes on after a batch, with that state.
func (w *feedWorld) open(since uint64, state map[string]string) *followed {
	p := &followed{w: w, follower: follower{documents: state, seq: since, handled: since}}
	p.start(since)
	return p
}

func (p *followed) start(since uint64) {
	random := p.w.random
	log := &storagetest.FaultyLog{Log: recorder{p.w.memory.Share(), p.w}, Repeat: random.IntN(4) == 0}
	log.BeforeAppend = func(uint64) error {
		if random.IntN(12) == 0 {
			return errors.New("it fails")
		}
		return nil
	}
	log.AfterAppend = func(_ uint64, err error) error {
		if random.IntN(12) == 0 {
			return errors.New("the reply is lost")
		}
		return err
	}
	var err error
	p.session, err = storage.Open(deaf(log), storage.SessionOptions{
		CompactAfter: int64(100 + random.IntN(3000)),
		Identity:     storage.TestIdentity,
		Writer:       storage.Writer{byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32()), 1},
	})
	if err != nil {
		p.w.t.Fatal(err)
	}
	p.feed = p.session.NewFeed(since)
}

// A recorder notes the frames that its Log stores.
type recorder struct {
	storage.Log
	w *feedWorld
}

func (r recorder) Append(seq uint64, frame storage.Frame, d storage.Durability) error {
	err := r.Log.Append(seq, frame, d)
	if err == nil {
		var b []byte
		for _, part := range frame {
			b = append(b, part...)
		}
		r.w.frames = append(r.w.frames, b)
	}
	return err
}

func (w *feedWorld) step() {
	p := w.all[w.random.IntN(len(w.all))]
	switch w.random.IntN(12) {
	case 0:
		p.restart(w.random.IntN(2) == 0)
	case 1, 2:
		if err := p.session.CatchUp(); err != nil {
			w.t.Error(err)
		}
	case 3, 4, 5:
		p.take(w.random.IntN(4))
	default:
		_ = p.session.Update(func(db *engine.DB) error { // it fails now and then
			for range 1 + w.random.IntN(4) {
				if err := w.work(db); err != nil {
					return err
				}
			}
			if w.random.IntN(8) == 0 {
				return errors.New("the work fails")
			}
			return nil
		})
	}
}

// work changes something, if only the catalog.
func (w *feedWorld) work(db *engine.DB) error {
	name := string("xy"[w.random.IntN(2)])
	id := string(rune('a' + w.random.IntN(6)))
	where, err := query.ParseText("_id >= '" + id + "'")
	if err != nil {
		return err
	}
	doc := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 2), "_id"), id)
	doc = msgpack.AppendString(msgpack.AppendString(doc, "n"), strings.Repeat("x", w.random.IntN(50)))
	switch w.random.IntN(12) {
	case 0:
		return db.Clear(name)
	case 1:
		return db.DropCollection(name)
	case 2:
		return db.CreateIndex(name, []string{"n"}, engine.IndexOptions{})
	case 3, 4:
		_, err = db.Remove(name, where)
	case 5:
		change := msgpack.AppendInt(msgpack.AppendString(msgpack.AppendMap(nil, 1), "m"), int64(w.random.IntN(5)))
		_, err = db.Update(name, change, where)
	default:
		_, err = db.Insert(name, doc, true)
	}
	return err
}

// take takes some parts of what the feed has.
func (p *followed) take(parts int) (took bool) {
	p.w.t.Helper()
	for range parts {
		changes, err := p.feed.Take(1 + p.w.random.IntN(200))
		if engine.CodeOf(err) == engine.CodeNotFound && err != nil {
			p.startOver()
			return true
		}
		if err != nil {
			p.w.t.Fatal(err)
		}
		took = took || len(changes) > 0
		for _, c := range changes {
			if err := p.apply(c); err != nil {
				p.w.t.Fatal(err)
			}
		}
	}
	return took
}

// startOver is for a log that has been compacted beyond what the feed has read.
func (p *followed) startOver() {
	for _, r := range records(p.w.t, p.w.memory) {
		if r.Seq <= p.handled+1 && !r.Snapshot || r.Seq <= p.handled {
			p.w.t.Fatalf("not found, but the log has what comes after batch %d", p.handled)
		}
		break
	}
	p.feed.Close()
	p.feed = p.session.NewFeed(0)
	p.follower = follower{documents: map[string]string{}}
}

// restart kills the session, or ends its feed alone, and goes on with a new one
// after the last batch that was told whole.
func (p *followed) restart(isKilled bool) {
	state := p.w.stateAt(p.handled)
	if p.seq == p.handled && !maps.Equal(state, p.documents) {
		p.w.t.Fatalf("after batch %d it has %v, want %v", p.handled, p.documents, state)
	}
	p.follower = follower{documents: state, seq: p.handled, handled: p.handled}
	p.feed.Close()
	if !isKilled {
		p.feed = p.session.NewFeed(p.handled)
		return
	}
	p.session.Close()
	p.start(p.handled)
}

// stateAt returns what the first batches lead to.
func (w *feedWorld) stateAt(seq uint64) map[string]string {
	var first []storage.Record
	for i, frame := range w.frames[:seq] {
		first = append(first, storage.Record{Seq: uint64(i + 1), Bytes: frame})
	}
	return stateOf(w.t, openSession(w.t, storage.MemoryOf(first), storage.SessionOptions{}).DB())
}

func (w *feedWorld) finish() {
	want := w.stateAt(uint64(len(w.frames)))
	for i, p := range w.all {
		if err := p.session.CatchUp(); err != nil {
			w.t.Fatal(err)
		}
		for p.take(1) {
		}
		if !maps.Equal(p.documents, want) {
			w.t.Errorf("feed %d has led to %v, want %v", i, p.documents, want)
		}
		p.session.Close()
	}
	first := uint64(0)
	for _, r := range records(w.t, w.memory) {
		if r.Snapshot {
			first = r.Seq
		}
	}
	for since := range uint64(len(w.frames) + 2) {
		f := follower{documents: map[string]string{}, seq: since, handled: since}
		if since > 0 && since <= uint64(len(w.frames)) {
			f.documents = w.stateAt(since)
		}
		var err error
		for c, problem := range storage.ChangesOf(w.memory, since) {
			if err = problem; err == nil {
				err = f.apply(c)
			}
			if err != nil {
				break
			}
		}
		isThere := since == 0 || since >= first && since <= uint64(len(w.frames))
		switch {
		case !isThere && (err == nil || engine.CodeOf(err) != engine.CodeNotFound):
			w.t.Errorf("the changes since %d: %v, want not_found", since, err)
		case isThere && err != nil:
			w.t.Errorf("the changes since %d: %v", since, err)
		case isThere && !maps.Equal(f.documents, want):
			w.t.Errorf("the changes since %d have led to %v, want %v", since, f.documents, want)
		}
	}
}
