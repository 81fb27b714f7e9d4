package storage

import (
	"bytes"

	"github.com/atomicdb-go/atomicdb/engine"
)

// At returns an engine with the state of a log after a batch. 0 is the state before
// the first. The engine is the caller's own: what is changed in it is stored nowhere.
//
// Errors: not_found if the log has been compacted beyond that batch, or does not
// have it yet; its text says which numbers it has. corrupt; what the Log returns.
func At(log Log, seq uint64) (*engine.DB, error) {
	return stateAt(replayer{op: "at", log: log, after: seq})
}

func stateAt(r replayer) (*engine.DB, error) {
	if _, err := r.read(r.after, 1); err != nil {
		return nil, err
	}
	return r.db, nil
}

// At is the function At for the log of a session. A session without a log has its
// newest state alone.
func (s *Session) At(seq uint64) (*engine.DB, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := s.usable("at"); err != nil {
		return nil, err
	}
	if s.log != nil {
		return stateAt(replayer{op: "at", log: s.log, opts: s.opts.Engine, identity: s.identity, after: seq})
	}
	if seq != s.head {
		return nil, errGone("at", seq, "the database lives in memory alone, and has no state but that of batch "+number(s.head))
	}
	db, err := engine.New(s.opts.Engine)
	if err != nil {
		return nil, err
	}
	s.db.WithoutPending(func() { err = db.Apply(bytes.Join(s.db.Snapshot(), nil)) })
	return db, err
}

// SessionAt is At for callers of sessions: one without a log, whose head is seq.
func (s *Session) SessionAt(seq uint64) (*Session, error) {
	db, err := s.At(seq)
	if err != nil {
		return nil, err
	}
	return &Session{opts: s.opts, state: state{db: db, head: seq}}, nil
}
