package storage

import "github.com/atomicdb-go/atomicdb/engine"

// maxConflicts is how often an Update runs its work.
const maxConflicts = 1000

// Update has work change the engine, and stores the changes. While other
// sessions are faster it runs work again. If work fails, its changes are undone
// and its error is returned. After 1,000 conflicts the error has CodeConflict.
func (s *Session) Update(work func(*engine.DB) error) error {
	for range maxConflicts {
		done, err := s.tryUpdate(work)
		if done {
			return err
		}
	}
	return engine.Fail(engine.CodeConflict, "update", "", "another writer was faster 1,000 times in a row")
}

func (s *Session) tryUpdate(work func(*engine.DB) error) (done bool, err error) {
	s.lock.Lock()
	var compaction func()
	defer func() { s.unlock(compaction) }()
	if err := s.usable("update"); err != nil {
		return true, err
	}
	if err := s.CheckVersion("update"); err != nil {
		return true, err
	}
	if err := s.allOrNothing(work); err != nil {
		return true, err
	}
	outcome, compaction, err := s.flush()
	return err != nil || outcome == Stored, err
}

// allOrNothing runs work, and undoes its changes if it fails or panics.
func (s *Session) allOrNothing(work func(*engine.DB) error) error {
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

// View calls read with the engine, which does not change meanwhile, and returns
// read's error.
func (s *Session) View(read func(*engine.DB) error) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := s.usable("view"); err != nil {
		return err
	}
	return read(s.db)
}
