package storage

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
)

// Migrate brings the data to a version. The step of a version leads to it from the
// one before; a version without a step needs none. Each step is one batch, which
// also declares the version that it has led to. So a process that is killed goes on
// where it was, and of two processes each step is done by one.
//
// Data that says no version is of version 1, which has been there before versions
// were used. An empty database needs no steps and begins at version; only if there
// is a step 1, all of them are run on it.
//
// Errors: those of a step, after which the data is of the version before it; invalid
// (version or steps); unsupported if the data is of a later version; what Update returns.
func (s *Session) Migrate(version int, steps map[int]func(*engine.DB) error) error {
	if version < 1 || version > math.MaxInt32 {
		return engine.Fail(engine.CodeInvalid, "migrate", "version", "expected a number from 1 to "+strconv.Itoa(math.MaxInt32))
	}
	order := slices.Sorted(maps.Keys(steps))
	if len(order) > 0 && (order[0] < 1 || order[len(order)-1] > version) {
		return engine.Fail(engine.CodeInvalid, "migrate", "steps", "expected versions from 1 to "+strconv.Itoa(version))
	}
	for {
		done := false
		err := s.Update(func(db *engine.DB) error {
			at := db.DataVersion()
			if at > version {
				return NewerError("migrate", at, version)
			}
			if done = at == version; done {
				return nil
			}
			if at == 0 && len(db.Collections()) > 0 {
				at = 1
			} else if at == 0 && steps[1] == nil {
				return db.SetDataVersion(version)
			}
			next := version
			if i := slices.IndexFunc(order, func(step int) bool { return step > at }); i >= 0 {
				next = order[i]
				if step := steps[next]; step != nil {
					if err := step(db); err != nil {
						return err
					}
				}
			}
			return db.SetDataVersion(next)
		})
		if err != nil || done {
			return err
		}
	}
}

// NewerError is what a program that knows the data up to a version gets for data of
// a later one.
func NewerError(op string, version, known int) error {
	return engine.Fail(engine.CodeUnsupported, op, "", "the data is of version "+strconv.Itoa(version)+", and this program knows versions up to "+
		strconv.Itoa(known)+": load the newer program; reading is possible")
}

// CheckVersion returns NewerError if the data is of a later version than
// SessionOptions.DataVersion: another session has migrated it.
func (s *Session) CheckVersion(op string) error {
	if known := s.opts.DataVersion; known > 0 && s.db.DataVersion() > known {
		return NewerError(op, s.db.DataVersion(), known)
	}
	return nil
}
