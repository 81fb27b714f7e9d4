package storagetest

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/storage"
)

var (
	crashPoints = flag.Int("crash.points", 0, "crash points of each TestCrashes; 0 is a few hundred")
	crashSeed   = flag.Uint64("crash.seed", 0, "replays a TestCrashes; 0 is a new seed")
)

// A Tally counts what crash tests have done.
type Tally struct {
	Points, Operations, Acknowledged, Faults int
}

// String is the summary that `make crash` prints.
func (c Tally) String() string {
	return fmt.Sprintf("%d crash points, %d operations, %d of them acknowledged, %d other faults: 0 acknowledged losses", c.Points, c.Operations, c.Acknowledged, c.Faults)
}

// Points returns how many crash points a test is to try, which `make crash`
// raises, and a source of random numbers whose seed a failure prints.
func Points(t *testing.T, usual int) (points int, random *rand.Rand) {
	t.Helper()
	seed := *crashSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay: go test -run '^%s$' %s -crash.seed=%d -crash.points=%d", t.Name(), "./storage/...", seed, points)
		}
	})
	if points = *crashPoints; points == 0 {
		points = usual
	}
	return points, rand.New(rand.NewPCG(seed, 0))
}

// TestCrashes has several sessions on one log do random work, while appends
// fail before or after they have stored something, compactions fail, news is
// lost, and again and again a session ends as if its process were killed, at a
// random call. After each of these crash points somebody opens the log anew.
// Whatever was acknowledged is there then; what was not is there whole or not at
// all; and the documents are exactly what the stored work says, in its order.
func TestCrashes(t *testing.T, create func(*testing.T) Share) {
	points, random := Points(t, 300)
	var tally Tally
	for tally.Points < points {
		c := &crashes{t: t, random: random, share: create(t), tally: &tally, acknowledged: map[string]bool{}, refused: map[string]bool{}}
		for round := 0; round < 25 && tally.Points < points; round++ {
			c.untilCrash()
			c.check()
			if t.Failed() {
				return
			}
		}
		c.closeAll()
	}
	t.Log(tally)
}

// crashes is one log, and those who work on it.
type crashes struct {
	t      *testing.T
	random *rand.Rand
	share  Share
	tally  *Tally

	workers      []*crashWorker
	work         int             // pieces of work so far
	acknowledged map[string]bool // by name
	refused      map[string]bool // of which the log has said that it did not store them
}

type crashWorker struct {
	session *storage.Session
	log     *FaultyLog
	dying   string // the call at which it is to be killed
}

// errKilled is what a call returns that its process does not live to see.
var errKilled = errors.New("killed")

// untilCrash does work by random workers, until one of them is killed.
func (c *crashes) untilCrash() {
	deadline := 1 + c.random.IntN(12)
	for n := 0; ; n++ {
		w := c.worker()
		if n >= deadline {
			w.dying = []string{"before append", "after append", "before compact", "between calls", "while reading"}[c.random.IntN(5)]
		}
		if killed := c.workBy(w); killed || n > deadline+20 {
			c.tally.Points++
			c.workers = slices.DeleteFunc(c.workers, func(other *crashWorker) bool { return other == w })
			return // nobody closes its session: it is gone
		}
	}
}

// worker returns one of up to three.
func (c *crashes) worker() *crashWorker {
	if n := c.random.IntN(3); n < len(c.workers) {
		return c.workers[n]
	}
	w := &crashWorker{log: &FaultyLog{Log: c.share(c.t)}}
	if c.random.IntN(2) == 0 {
		w.log.Repeat = true
	}
	w.log.BeforeAppend = func(uint64) error { return w.at("before append") }
	w.log.AfterAppend = func(_ uint64, err error) error {
		if killed := w.at("after append"); killed != nil {
			return killed
		}
		return err
	}
	w.log.BeforeCompact = func(uint64) error { return w.at("before compact") }
	w.log.OnRecord = func(*storage.Record) error { return w.at("while reading") }
	var log storage.Log = w.log
	// Of the others, some hear nothing until they meet, and some hear it wrong.
	if watcher, ok := w.log.Log.(storage.Watcher); ok && c.random.IntN(3) > 0 {
		log = struct {
			*FaultyLog
			storage.Watcher
		}{w.log, &rumours{Watcher: watcher, random: rand.New(rand.NewPCG(c.random.Uint64(), 0))}}
	}
	session, err := storage.Open(log, storage.SessionOptions{CompactAfter: 600, Durability: storage.Durability(c.random.IntN(2))})
	if err != nil {
		c.t.Fatal(err)
	}
	w.session = session
	c.workers = append(c.workers, w)
	return w
}

// rumours is a Watcher whose news come late, out of order, twice or not at all.
type rumours struct {
	storage.Watcher
	mutex  sync.Mutex
	random *rand.Rand
	held   []func()
}

// Watch implements storage.Watcher.
func (r *rumours) Watch(listener func(seq uint64, bytes []byte)) (stop func()) {
	return r.Watcher.Watch(func(seq uint64, bytes []byte) {
		r.mutex.Lock()
		for range r.random.IntN(3) {
			r.held = append(r.held, func() { listener(seq, slices.Clone(bytes)) })
		}
		var tell []func()
		for len(r.held) > r.random.IntN(4) {
			i := r.random.IntN(len(r.held))
			tell = append(tell, r.held[i])
			r.held = slices.Delete(r.held, i, i+1)
		}
		r.mutex.Unlock()
		for _, one := range tell {
			one()
		}
	})
}

func (w *crashWorker) at(call string) error {
	if w.dying == call {
		return errKilled
	}
	return nil
}

// workBy does a piece of work, perhaps with a fault that nobody dies of.
func (c *crashes) workBy(w *crashWorker) (killed bool) {
	c.work++
	c.tally.Operations++
	name := fmt.Sprint("work", c.work)
	steps := c.steps()
	fault := "none"
	if w.dying == "" && c.random.IntN(4) == 0 {
		fault = []string{"full", "refused", "answer lost", "compaction"}[c.random.IntN(4)]
		c.tally.Faults++
		defer w.failing(fault)()
	}
	err := w.session.Update(func(db *engine.DB) error { return do(db, name, steps) })
	switch {
	case errors.Is(err, errKilled):
		return true
	case err == nil:
		c.acknowledged[name] = true
		c.tally.Acknowledged++
		return w.dying != "" // of a compaction, perhaps, which goes on in the background
	case fault == "full" && errors.Is(err, engine.CodeQuota):
		c.refused[name] = true
	case fault == "none" || fault == "compaction":
		c.t.Fatalf("Update returned %v, for no reason", err)
	}
	return false
}

// failing makes w's log fail until it is told to stop.
func (w *crashWorker) failing(fault string) (stop func()) {
	before, after, compact := w.log.BeforeAppend, w.log.AfterAppend, w.log.BeforeCompact
	broken := &engine.Error{Code: engine.CodeStorage, Op: "append", Err: errors.New("the cable is out")}
	switch fault {
	case "full":
		w.log.BeforeAppend = func(uint64) error {
			return &engine.Error{Code: engine.CodeQuota, Op: "append", Err: errors.New("the disk is full")}
		}
	case "refused":
		w.log.BeforeAppend = func(uint64) error { return broken }
	case "answer lost":
		w.log.AfterAppend = func(_ uint64, err error) error {
			if err == nil {
				err = broken
			}
			return err
		}
	case "compaction":
		w.log.BeforeCompact = func(uint64) error { return broken }
	}
	return func() {
		_ = w.session.View(func(*engine.DB) error { return nil }) // a compaction is over then
		w.log.BeforeAppend, w.log.AfterAppend, w.log.BeforeCompact = before, after, compact
	}
}

// steps is random work as text: "a=5 b- c=7".
func (c *crashes) steps() string {
	var steps []string
	for range 1 + c.random.IntN(4) {
		id := string(rune('a' + c.random.IntN(6)))
		if c.random.IntN(4) == 0 {
			steps = append(steps, id+"-")
		} else {
			steps = append(steps, fmt.Sprintf("%s=%s", id, strings.Repeat("x", c.random.IntN(60))))
		}
	}
	return strings.Join(steps, " ")
}

// do writes down what the work is, and does it.
func do(db *engine.DB, name, steps string) error {
	if _, err := db.Insert("work", textDocument(name, steps), false); err != nil {
		return err
	}
	for step := range strings.FieldsSeq(steps) {
		id, text, isPut := strings.Cut(step, "=")
		var err error
		if isPut {
			_, err = db.Insert("documents", textDocument(id, text), true)
		} else {
			var where *query.Filter
			if where, err = query.ParseText(fmt.Sprintf("_id = '%s'", strings.TrimSuffix(id, "-"))); err == nil {
				_, err = db.Remove("documents", where)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// check opens the log as if everybody else had died.
func (c *crashes) check() {
	c.t.Helper()
	s, err := storage.Open(c.share(c.t), storage.SessionOptions{})
	if err != nil {
		c.t.Fatalf("after crash point %d: %v", c.tally.Points, err)
	}
	defer s.Close()
	work := textDocuments(c.t, s.DB(), "work")
	there := map[string]bool{}
	want := map[string]string{}
	for _, done := range work {
		there[done[0]] = true
		for step := range strings.FieldsSeq(done[1]) {
			if id, text, isPut := strings.Cut(step, "="); isPut {
				want[id] = text
			} else {
				delete(want, strings.TrimSuffix(id, "-"))
			}
		}
	}
	for name := range c.acknowledged {
		if !there[name] {
			c.t.Errorf("after crash point %d: %s was acknowledged and is gone", c.tally.Points, name)
		}
	}
	for name := range c.refused {
		if there[name] {
			c.t.Errorf("after crash point %d: %s was refused as quota and is there", c.tally.Points, name)
		}
	}
	got := map[string]string{}
	for _, d := range textDocuments(c.t, s.DB(), "documents") {
		got[d[0]] = d[1]
	}
	if !maps.Equal(got, want) {
		c.t.Errorf("after crash point %d: the documents are %v, and the stored work says %v", c.tally.Points, got, want)
	}
	if report, err := s.Verify(); err != nil || report.Problems != nil {
		c.t.Errorf("after crash point %d: Verify returned %+v, %v", c.tally.Points, report, err)
	}
}

func (c *crashes) closeAll() {
	for _, w := range c.workers {
		if err := w.session.Close(); err != nil {
			c.t.Error(err)
		}
	}
	c.workers = nil
}

// textDocument is {_id: id, text: text}.
func textDocument(id, text string) []byte {
	doc := msgpack.AppendMap(nil, 2)
	doc = msgpack.AppendString(msgpack.AppendString(doc, "_id"), id)
	return msgpack.AppendString(msgpack.AppendString(doc, "text"), text)
}

// textDocuments returns id and text of each, in insertion order.
func textDocuments(t *testing.T, db *engine.DB, collection string) (all [][2]string) {
	t.Helper()
	found, err := db.Find(collection, engine.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for left := found.Len(); left > 0; {
		var docs []byte
		docs, _, left = found.Next(nil, 1<<20)
		for len(docs) > 0 {
			n := msgpack.Skip(docs)
			all = append(all, [2]string{stringAt(docs[:n], "_id"), stringAt(docs[:n], "text")})
			docs = docs[n:]
		}
	}
	return all
}

func stringAt(doc []byte, key string) string {
	return string(msgpack.Str(msgpack.Lookup(doc, key)))
}
