package storagetest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

var (
	crashPoints = flag.Int("crash.points", 0, "crash points of each TestCrashes; 0 is a few hundred")
	crashKills  = flag.Int("crash.kills", 12, "processes that each TestProcesses kills")
	crashSeed   = flag.Uint64("crash.seed", 0, "replays a TestCrashes; 0 is a new seed")
)

// A Tally counts what crash tests have done.
type Tally struct {
	Points, Operations, Acknowledged, Faults int

	// BadNews counts the messages of watchers that were lost, late, damaged, repeated
	// or out of order. Sessions get them on goroutines of their own.
	BadNews atomic.Int64
}

// String is the summary that `make crash` prints.
func (c *Tally) String() string {
	return fmt.Sprintf("%d crash points, %d operations, %d of them acknowledged, %d other faults, %d pieces of bad news: 0 acknowledged losses", c.Points, c.Operations, c.Acknowledged, c.Faults, c.BadNews.Load())
}

// Points returns how many crash points a test tries, which `make crash` raises, and
// a source of random numbers whose seed a failure prints.
func Points(t *testing.T, usual int) (points int, random *rand.Rand) {
	t.Helper()
	seed := *crashSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay, in the folder of this package: go test -run '^%s$' -crash.seed=%d -crash.points=%d", t.Name(), seed, points)
		}
	})
	if points = *crashPoints; points == 0 {
		points = usual
	}
	return points, rand.New(rand.NewPCG(seed, 0))
}

// TestCrashes has several sessions on one log do random work. Appends fail before or
// after they have stored a batch, compactions fail, messages are lost, and again and
// again a session ends at a random call, as if its process were killed. After each
// crash point the log is opened anew. Acknowledged work is there then, other work is
// there as a whole or not at all, and the documents are exactly those of the stored
// work, in its order.
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
	t.Log(&tally)
}

// crashes is one log, and the workers on it.
type crashes struct {
	t      *testing.T
	random *rand.Rand
	share  Share
	tally  *Tally

	workers      []*crashWorker
	work         int             // pieces of work so far
	acknowledged map[string]bool // by name
	refused      map[string]bool // work of which an error said that it is not stored
}

type crashWorker struct {
	session *storage.Session
	log     *FaultyLog
	dying   atomic.Pointer[string] // the call at which it is to be killed; its own goroutines ask
	fault   atomic.Pointer[string] // how its log fails; nil: it does not
}

// deaths are the moments at which a worker may be killed.
var deaths = []string{"before append", "after append", "before compact", "between calls", "while reading"}

// errKilled is the error of a call at which its process is killed.
var errKilled = errors.New("killed")

// untilCrash does work by random workers, until one of them is killed.
func (c *crashes) untilCrash() {
	deadline := 1 + c.random.IntN(12)
	for n := 0; ; n++ {
		w := c.worker()
		if n >= deadline {
			w.dying.Store(&deaths[c.random.IntN(len(deaths))])
		}
		if killed := c.workBy(w); killed || n > deadline+20 {
			c.tally.Points++
			c.workers = slices.DeleteFunc(c.workers, func(other *crashWorker) bool { return other == w })
			return // its session is not closed
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
	w.log.BeforeAppend = func(uint64) error { return w.fail("before append") }
	w.log.AfterAppend = func(_ uint64, err error) error {
		if err == nil || is(&w.dying, "after append") {
			err = w.fail("after append")
		}
		return err
	}
	w.log.BeforeCompact = func(uint64) error { return w.fail("before compact") }
	w.log.OnRecord = func(*storage.Record) error { return w.fail("while reading") }
	w.log.HasGap = func() bool { return is(&w.fault, "gap") }
	w.log.OnNews = badNews(rand.New(rand.NewPCG(c.random.Uint64(), 0)), &c.tally.BadNews)
	if c.random.IntN(4) == 0 { // it does not watch, and meets other writers as conflicts
		w.log.OnNews = func(News) []News { c.tally.BadNews.Add(1); return nil }
	}
	session, err := storage.Open(w.log, storage.SessionOptions{CompactAfter: 600, Durability: storage.Durability(c.random.IntN(2))})
	if err != nil {
		c.t.Fatal(err)
	}
	w.session = session
	c.workers = append(c.workers, w)
	return w
}

// badNews returns an OnNews that loses and changes messages as tabs and networks do.
func badNews(random *rand.Rand, count *atomic.Int64) func(News) []News {
	var lock sync.Mutex
	var held []News
	return func(news News) []News {
		lock.Lock()
		defer lock.Unlock()
		fault := random.IntN(10)
		if fault < 7 {
			count.Add(1)
		}
		switch fault {
		case 0:
			return nil
		case 1:
			return []News{news, {news.Seq, bytes.Clone(news.Bytes)}}
		case 2: // later, and the last first
			held = append([]News{news}, held...)
			return nil
		case 3:
			late := held
			held = nil
			return append(late, news)
		case 4:
			return []News{{Seq: 0}}
		case 5:
			return []News{{Seq: news.Seq}}
		case 6:
			news.Bytes[random.IntN(len(news.Bytes))] ^= 1
		}
		return []News{news}
	}
}

// workBy does a piece of work, perhaps with a fault of its log.
func (c *crashes) workBy(w *crashWorker) (killed bool) {
	c.work++
	c.tally.Operations++
	name := fmt.Sprint("work", c.work)
	steps := randomWork(c.random)
	fault := "none"
	if w.dying.Load() == nil && c.random.IntN(4) == 0 {
		fault = []string{"full", "refused", "answer lost", "compaction", "gap"}[c.random.IntN(5)]
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
		return w.dying.Load() != nil // of a compaction, perhaps, which goes on in the background
	case fault == "full" && errors.Is(err, engine.CodeQuota), isRefusal(err):
		c.refused[name] = true
	case fault == "gap" && !errors.Is(err, engine.CodeCorrupt), fault == "none" || fault == "compaction":
		c.t.Fatalf("Update returned %v, for no reason", err)
	}
	return false
}

// failing makes w's log fail until it is told to stop.
func (w *crashWorker) failing(fault string) (stop func()) {
	w.fault.Store(&fault)
	return func() {
		_ = w.session.View(func(*engine.DB) error { return nil }) // a compaction is over then
		w.fault.Store(nil)
	}
}

var (
	errCable = &engine.Error{Code: engine.CodeStorage, Op: "append", Err: errors.New("the cable is out")}
	errQuota = &engine.Error{Code: engine.CodeQuota, Op: "append", Err: errors.New("the disk is full")}
)

// fail returns the error of w's log at a call.
func (w *crashWorker) fail(call string) error {
	if is(&w.dying, call) {
		return errKilled
	}
	switch {
	case call == "before append" && is(&w.fault, "full"):
		return errQuota
	case call == "before append" && is(&w.fault, "refused"), call == "after append" && is(&w.fault, "answer lost"), call == "before compact" && is(&w.fault, "compaction"):
		return errCable
	}
	return nil
}

func is(p *atomic.Pointer[string], text string) bool {
	s := p.Load()
	return s != nil && *s == text
}

// check opens the log as if no other session were left.
func (c *crashes) check() {
	c.t.Helper()
	s, err := storage.Open(c.share(c.t), storage.SessionOptions{})
	if err != nil {
		c.t.Fatalf("after crash point %d: %v", c.tally.Points, err)
	}
	defer s.Close()
	names, want := workIn(c.t, s.DB())
	there := map[string]bool{}
	for _, name := range names {
		there[name] = true
	}
	for name := range c.acknowledged {
		if !there[name] {
			c.t.Errorf("after crash point %d: %s was acknowledged and is gone", c.tally.Points, name)
		}
	}
	for name := range c.refused {
		if there[name] {
			c.t.Errorf("after crash point %d: %s was refused and is there", c.tally.Points, name)
		}
	}
	if got := documentsIn(c.t, s.DB()); got.String() != want.String() {
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
