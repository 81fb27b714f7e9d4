package storage

import "github.com/atomicdb-go/atomicdb/engine"

// Update has work change the engine and stores what it did, again and again
// while other sessions are faster; work may therefore run several times. If
// work fails, what it did is undone and its error returned. The error is
// CodeConflict if another session was faster 1,000 times.
func (s *Session) Update(work func(*engine.DB) error) error {
	for range 1000 {
		done, err := s.tryUpdate(work)
		if done {
			return err
		}
	}
	return engine.Fail(engine.CodeConflict, "update", "", "another writer was faster 1,000 times")
}

func (s *Session) tryUpdate(work func(*engine.DB) error) (done bool, err error) {
	s.turn.Lock()
	var compaction func()
	defer func() { s.endTurn(compaction) }()
	if err := s.usable("update"); err != nil {
		return true, err
	}
	if err := s.whole(work); err != nil {
		return true, err
	}
	outcome, compaction, err := s.flush()
	return err != nil || outcome == Stored, err
}

// whole runs work, and undoes what it did if it fails or panics.
func (s *Session) whole(work func(*engine.DB) error) error {
	worked := false
	defer func() {
		if !worked {
			s.rollback()
		}
	}()
	if err := work(s.db); err != nil {
		return err
	}
	worked = true
	return nil
}

// View has read look at the engine, which does not change meanwhile. It
// returns read's error.
func (s *Session) View(read func(*engine.DB) error) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.usable("view"); err != nil {
		return err
	}
	return read(s.db)
}
