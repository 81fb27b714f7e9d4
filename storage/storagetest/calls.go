package storagetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// TestCalls has a session do the same random work many times. Each time it is killed
// before or after another call of its storage, and then each time another write
// finds the disk full. It covers every call; TestCrashes picks calls at random.
func TestCalls(t *testing.T, create func(*testing.T) Share) {
	points, random := Points(t, 150)
	var tally Tally
	for tally.Points < points {
		seed := random.Uint64()
		for _, full := range []bool{false, true} {
			for call := 1; ; call++ {
				c := &crashes{t: t, random: rand.New(rand.NewPCG(seed, 0)), share: create(t), tally: &tally, acknowledged: map[string]bool{}, refused: map[string]bool{}}
				met := c.workUntil(call, full)
				if t.Failed() {
					t.Fatalf("work %d, call %d (disk full: %t)", seed, call, full)
				}
				if !met {
					break // the work has no more calls
				}
			}
		}
	}
	t.Log(&tally)
}

// workUntil does ten pieces of work. One is killed, or finds the disk full, at a
// call of the storage; workUntil reports whether there was such a call.
func (c *crashes) workUntil(call int, full bool) (met bool) {
	log := &mortalLog{Log: c.share(c.t), left: call, full: full}
	session, err := storage.Open(log, storage.SessionOptions{CompactAfter: 300, Writer: storage.Writer{1}})
	if err == nil {
		c.workIn(session, log)
		session.Close()
	} else if !errors.Is(err, errKilled) {
		c.t.Error(err)
	}
	if !log.over() {
		return false
	}
	c.tally.Points++
	c.check()
	return true
}

func (c *crashes) workIn(session *storage.Session, log *mortalLog) {
	for n := range 10 {
		name, work := fmt.Sprint("work", n), randomWork(c.random)
		c.tally.Operations++
		wasOver := log.over()
		err := session.Update(func(db *engine.DB) error { return do(db, name, work) })
		_ = session.View(func(*engine.DB) error { return nil }) // a compaction is over then
		switch {
		case err == nil:
			c.acknowledged[name] = true
			c.tally.Acknowledged++
		case errors.Is(err, errKilled):
			return
		case isRefusal(err), errors.Is(err, engine.CodeQuota) && log.over() && !wasOver:
			c.refused[name] = true
		default:
			c.t.Errorf("Update returned %v, for no reason", err)
		}
	}
}

// A mortalLog counts the calls of another Log, each before and after it is done. At
// a given count it refuses the call as if the disk were full, or fails this and all
// later calls.
type mortalLog struct {
	storage.Log
	full bool // refuse one write, and count writes only

	lock sync.Mutex
	left int // calls until then; 0 when it has come
}

func (l *mortalLog) over() bool {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.left == 0
}

// step returns the error of a call that is not done, or whose end is not seen.
func (l *mortalLog) step(isWrite, isEnd bool) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.full && (!isWrite || isEnd) {
		return nil
	}
	if l.left == 0 && !l.full {
		return errKilled
	}
	if l.left == 0 {
		return nil
	}
	l.left--
	switch {
	case l.left > 0:
		return nil
	case l.full:
		return errQuota
	}
	return errKilled
}

func (l *mortalLog) call(isWrite bool, work func() error) error {
	if err := l.step(isWrite, false); err != nil {
		return err
	}
	err := work()
	if killed := l.step(isWrite, true); killed != nil {
		return killed
	}
	return err
}

// Read implements storage.Log.
func (l *mortalLog) Read(after uint64, visit func(storage.Record) error) error {
	return l.call(false, func() error {
		return l.Log.Read(after, func(r storage.Record) error {
			return l.call(false, func() error { return visit(r) })
		})
	})
}

// Append implements storage.Log.
func (l *mortalLog) Append(seq uint64, frame storage.Frame, d storage.Durability) error {
	return l.call(true, func() error { return l.Log.Append(seq, frame, d) })
}

// Compact implements storage.Log.
func (l *mortalLog) Compact(seq uint64, snapshot storage.Frame) error {
	return l.call(true, func() error { return l.Log.Compact(seq, snapshot) })
}
