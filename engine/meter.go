package engine

import (
	"math"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// DefaultMaxQueryMemory is the default of Options.MaxQueryMemory.
const DefaultMaxQueryMemory = 512 << 20

// What a call may ask for at most. More paths or outputs are invalid.
const (
	MaxSortPaths  = 100  // paths to sort by
	MaxGroupPaths = 100  // paths to group by
	MaxOutputs    = 2000 // outputs of an aggregate, columns of a SELECT or INSERT
	MaxFields     = 2000 // paths of Query.Fields
	maxSlices     = 100  // of Query.Slices, each of which is compared with all the others
)

// tooMany is the error for more than limit of what; nil if n is within it.
func tooMany(op, target, what string, n, limit int) error {
	if n <= limit {
		return nil
	}
	return Fail(CodeInvalid, op, target, "expected at most "+strconv.Itoa(limit)+" "+what+", found "+strconv.Itoa(n))
}

// A meter bounds what one call costs: the memory for its work, and the time, as
// Options.Interrupted decides. What goes beyond a bound ends the call from wherever
// it is, by a panic that EndCall turns into an error.
//
// The places that count must leave the DB whole: they stand before what a read
// builds and keeps, never in the midst of it.
type meter struct {
	calls       int                    // inside one another
	memory, max int64                  // bytes that the call may still take, and at first
	work        int                    // units until interrupted is asked
	asked       bool                   // interrupted, for this call
	interrupted func(first bool) error // Options.Interrupted
}

// workBetween is how many units of work lie between two questions: a unit is about
// a document looked at, 150 ns as js/wasm, so this is 3 ms, and a question to
// JavaScript takes 1 to 2 µs.
const workBetween = 20_000

// exceeded is what a meter panics with.
type exceeded struct{ err error }

// BeginCall starts to count what the call costs that ends with EndCall. Calls may
// lie in one another: the outermost counts.
func (db *DB) BeginCall() {
	m := db.meter
	if m.calls++; m.calls == 1 {
		m.memory, m.work, m.asked = m.max, workBetween, false
	}
}

// EndCall must be deferred. If the call has taken more than it may, err becomes the
// error that says so; any other panic goes on.
func (db *DB) EndCall(err *error) {
	db.meter.calls--
	switch p := recover().(type) {
	case nil:
	case exceeded:
		*err = p.err
	default:
		panic(p)
	}
}

// Hold counts bytes that the call in progress needs until its end. Beyond
// Options.MaxQueryMemory it does not return; see EndCall.
//
//go:noinline
func (db *DB) Hold(bytes int) { db.meter.hold(bytes) }

// Spend counts work: a unit is about a document looked at. If the call has been
// interrupted it does not return; see EndCall.
//
//go:noinline
func (db *DB) Spend(units int) { db.meter.spend(units) }

// Uncounted runs work that is no part of the call: a check of its answer.
func (db *DB) Uncounted(work func()) {
	m := db.meter
	memory := m.memory
	m.memory = math.MaxInt64
	work()
	m.memory = memory
}

func (m *meter) hold(bytes int) {
	if m.memory -= int64(bytes); m.memory < 0 && m.calls > 0 {
		m.outOfMemory()
	}
}

//go:noinline
func (m *meter) outOfMemory() {
	panic(exceeded{Fail(CodeInvalid, "query", "", "its work takes more than "+strconv.FormatInt(m.max, 10)+
		" bytes of memory; ask for less at once, or raise the option maxQueryMemory of the database")})
}

func (m *meter) spend(units int) {
	if m.work -= units; m.work < 0 {
		m.ask()
	}
}

//go:noinline
func (m *meter) ask() {
	m.work = workBetween
	if m.interrupted == nil || m.calls == 0 {
		return
	}
	first := !m.asked
	m.asked = true
	if err := m.interrupted(first); err != nil {
		panic(exceeded{err})
	}
}

// costOf is what it costs to test f on a small document, in units.
func costOf(f *query.Filter) int {
	if f == nil {
		return 0
	}
	cost := 1
	if f.Op == query.OpMatches || f.Op == query.OpExpr {
		cost += f.Parts()
	}
	for _, kid := range f.Kids {
		cost += costOf(kid)
	}
	return cost
}

// match tests f, whose cost is costOf(f). To test a leaf takes longer the larger the
// document is, since its fields are passed over one by one.
func (m *meter) match(f *query.Filter, doc []byte, cost int) bool {
	cost *= 1 + len(doc)>>9
	if cost < workBetween/8 {
		m.spend(cost)
		return f.Match(doc)
	}
	return m.matchSlowly(f, doc)
}

// matchSlowly is match for what may take so long that it must be stopped in between.
func (m *meter) matchSlowly(f *query.Filter, doc []byte) bool {
	switch f.Op {
	case query.OpAnd, query.OpOr:
		for _, kid := range f.Kids {
			if m.matchSlowly(kid, doc) == (f.Op == query.OpOr) {
				return f.Op == query.OpOr
			}
		}
		return f.Op == query.OpAnd
	case query.OpNot:
		return !m.matchSlowly(f.Kids[0], doc)
	}
	m.spend(1 + len(doc)>>9)
	return f.Stoppable(m.spend).Match(doc)
}

// CheckRoom takes used from room and returns what is left. Below 0 it does not
// return; see EndCall. most is what room was at first.
func CheckRoom(room, used, most int) int {
	if room -= used; room < 0 {
		noRoom(most)
	}
	return room
}

//go:noinline
func noRoom(most int) {
	panic(exceeded{Fail(CodeInvalid, "query", "", "one row or text would take more than "+strconv.Itoa(most)+" bytes")})
}

// MaxQueryMemory returns Options.MaxQueryMemory.
func (db *DB) MaxQueryMemory() int { return int(db.opts.MaxQueryMemory) }

// Scratch returns an empty DB for values that a call on db has worked out. What it
// costs counts as db's.
func (db *DB) Scratch() (*DB, error) {
	scratch, err := New(Options{MaxDepth: 1000, MaxDocumentBytes: maxChunkBytes, ColumnThreshold: -1})
	if err == nil {
		scratch.meter = db.meter
	}
	return scratch, err
}

// AsError returns the error of a panic that came from beyond a bound outside of
// any call, as where a row is worked out when it is taken; nil for another panic.
func AsError(p any) error {
	if e, ok := p.(exceeded); ok {
		return e.err
	}
	return nil
}
