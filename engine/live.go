package engine

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A LiveQuery is a question whose answer the DB follows. LiveChanges says how the
// answers have changed since they were looked at last.
//
// A live query knows documents by slot and keeps none of them. The primitives of
// collection.go note which slots change while a live query asks about their
// collection; to all other writes, live queries cost nothing.
type LiveQuery struct {
	id      int
	of      *liveQueries // nil: it is closed
	asks    question
	watches []*watch // of the collections that it asks about
	held    int      // bytes that the caller keeps; see Hold
	kept    int      // these, and bytes that asks keeps
	look    uint64   // the last look at it
}

// A LiveUpdate is what has become of the answer of a live query.
type LiveUpdate struct {
	Query *LiveQuery
	// Again says that the question must be asked again, before the DB changes: the
	// query follows the answer as it is now. Then nothing below is set.
	Again bool
	// Edits make the new answer of a find of the old one. Each applies to what the
	// ones before it have left.
	Edits []Edit
	// Count is the new answer of a count.
	Count int
	// Answer is the new answer of a distinct or an aggregate: a MessagePack array of
	// values or of rows. It is valid until the next LiveChanges.
	Answer []byte
}

// A question is a live query of one kind.
type question interface {
	// ask asks anew and keeps what look needs, if it has room for it.
	ask(db *DB, room int) error
	// look reports what changes mean, which are the net effect on each document of
	// the collection since the last look, sorted by slot. Before it returns an update
	// that says Again, it asks.
	look(db *DB, room int, changes []touch) (u LiveUpdate, changed bool)
	// keeps returns the bytes that ask and look keep.
	keeps() int
	// relocate tells which slots the documents have now, by those that they had.
	relocate(to []uint32)
	// check compares what is kept with asking anew, and says what is wrong.
	check(db *DB) string
}

// MaxLiveQueries is how many live queries a DB has at most.
const MaxLiveQueries = 10_000

// What live queries keep in all is at most this part of Options.MaxQueryMemory.
// Those that find no room are asked again whenever their answer may have changed.
const liveMemoryPart = 4

// liveQueries are the live queries of a DB. They outlive it; see TakeLiveQueries.
type liveQueries struct {
	db      *DB
	byID    map[int]*LiveQuery
	lastID  int
	watches map[string]*watch // by collection
	kept    int               // by all queries
	looks   uint64
}

// A watch notes which documents of a collection change.
type watch struct {
	name    string
	queries []watching
	in      *content // whose slots it notes; nil: the collection does not exist
	noted   []noted  // since the last look, in order; a slot may be there several times
	missed  bool     // more has changed than is noted
}

// watching is a query that asks about a collection.
type watching struct {
	query *LiveQuery
	from  int // of what was noted since the last look, this much was before the query
}

// noted is a document that was changed: its slot, and where it was before. Size 0:
// there was none.
type noted struct {
	slot, size uint32
	was        ref
}

// LiveFind makes a find a live query. Its edits hold documents with the fields that
// q asks for. If q populates documents, each update says Again.
//
// Errors: those of Find, and invalid if there are MaxLiveQueries.
func (db *DB) LiveFind(name string, q Query) (*LiveQuery, error) {
	if err := q.check(name); err != nil {
		return nil, err
	}
	if slices.Contains(q.Fields, "-_id") {
		return nil, Fail(CodeInvalid, "live", name, "a live query tells its documents apart by _id, which is left out")
	}
	if len(q.Populate) > 0 {
		p := &livePopulated{name: name, paths: q.Populate}
		return db.addLive(p, p.names(db)...)
	}
	return db.addLive(newLiveFind(name, q), name)
}

// LiveCount makes a count a live query; see LiveFind.
func (db *DB) LiveCount(name string, where *query.Filter, limit int) (*LiveQuery, error) {
	return db.addLive(&liveCount{name: name, where: where, limit: limit}, name)
}

// LiveDistinct makes a distinct a live query; see LiveFind.
func (db *DB) LiveDistinct(name, path string, where *query.Filter) (*LiveQuery, error) {
	return db.addLive(&liveDistinct{name: name, text: path, path: query.ParsePath(path), where: where}, name)
}

// LiveAggregate makes an aggregate a live query; see LiveFind.
func (db *DB) LiveAggregate(name string, a Aggregate) (*LiveQuery, error) {
	return db.addLive(&liveAggregate{name: name, a: a}, name)
}

// LiveCollections returns a live query of any kind, about all documents of some
// collections: each change of one is an update that says Again.
func (db *DB) LiveCollections(names ...string) (*LiveQuery, error) {
	for _, name := range names {
		if err := checkName("live", name); err != nil {
			return nil, err
		}
	}
	return db.addLive(liveAny{}, names...)
}

// LiveQuery returns the live query of an ID; nil if it is closed or never was.
func (db *DB) LiveQuery(id int) *LiveQuery {
	if db.live == nil {
		return nil
	}
	return db.live.byID[id]
}

// ID returns the number of the query among those of its DB, from 1. It is not given
// twice.
func (l *LiveQuery) ID() int { return l.id }

// Close ends the query. It does nothing if the query is closed.
func (l *LiveQuery) Close() {
	s := l.of
	if s == nil {
		return
	}
	delete(s.byID, l.id)
	s.unwatch(l)
	s.kept -= l.kept
	*l = LiveQuery{id: l.id}
	if len(s.byID) == 0 {
		s.byID = map[int]*LiveQuery{} // maps never shrink
	}
}

// Hold counts bytes that the caller keeps until the query is closed, such as its
// arguments.
func (l *LiveQuery) Hold(bytes int) {
	if l.of != nil {
		l.held += bytes
		l.of.count(l)
	}
}

// addLive adds a question about some collections.
func (db *DB) addLive(asks question, names ...string) (*LiveQuery, error) {
	if db.live == nil {
		db.live = &liveQueries{db: db, byID: map[int]*LiveQuery{}, watches: map[string]*watch{}}
	}
	s := db.live
	if len(s.byID) >= MaxLiveQueries {
		return nil, Fail(CodeInvalid, "live", "", "the database has "+strconv.Itoa(MaxLiveQueries)+" live queries, and cannot have more; close some")
	}
	if s.kept > db.MaxQueryMemory() {
		return nil, Fail(CodeInvalid, "live", "", "live queries take more than "+strconv.Itoa(db.MaxQueryMemory())+
			" bytes of memory already; close some, or raise the option maxQueryMemory of the database")
	}
	if err := asks.ask(db, s.room()); err != nil {
		return nil, err
	}
	s.lastID++
	l := &LiveQuery{id: s.lastID, of: s, asks: asks}
	s.byID[l.id] = l
	s.count(l)
	s.watch(l, names)
	return l, nil
}

// room returns how many bytes live queries may keep besides those that they do.
func (s *liveQueries) room() int { return s.db.MaxQueryMemory()/liveMemoryPart - s.kept }

// count notes how much l keeps now.
func (s *liveQueries) count(l *LiveQuery) {
	kept := l.asks.keeps() + l.held
	s.kept += kept - l.kept
	l.kept = kept
}

// watch has changes of some collections noted for l.
func (s *liveQueries) watch(l *LiveQuery, names []string) {
	for _, name := range names {
		w := s.watches[name]
		if w == nil {
			w = &watch{name: name}
			w.follow(s.db)
			s.watches[name] = w
		} else if w.hasMoved(s.db) {
			w.missed = true // also if an undo brings back the slots that are noted
		}
		if !slices.Contains(l.watches, w) {
			l.watches = append(l.watches, w)
			w.queries = append(w.queries, watching{l, len(w.noted)})
		}
	}
}

// unwatch takes that back.
func (s *liveQueries) unwatch(l *LiveQuery) {
	for _, w := range l.watches {
		last := len(w.queries) - 1
		for i := range w.queries {
			if w.queries[i].query == l {
				w.queries[i] = w.queries[last]
				break
			}
		}
		w.queries[last] = watching{}
		w.queries = w.queries[:last]
		if last == 0 {
			w.leave()
			delete(s.watches, w.name)
		}
	}
	l.watches = nil
}

// follow starts to note what changes from now on in the collection.
func (w *watch) follow(db *DB) {
	w.leave()
	if c := db.collections[w.name]; c != nil {
		w.in = c.content
		w.in.watch = w
	}
}

// leave forgets what is noted, and lets go of the content.
func (w *watch) leave() {
	if w.in != nil {
		w.in.watch, w.in = nil, nil
	}
	w.forget()
}

// forget forgets what is noted.
func (w *watch) forget() {
	w.noted, w.missed = w.noted[:0], false
	if cap(w.noted) > minNoted {
		w.noted = nil
	}
}

// If more documents change between two looks than minNoted, and than this part of a
// collection, the live queries about it are asked again. To hold a change against a
// query takes two matches, of 150 ns each as js/wasm; to ask again takes as much for
// each document of the collection, or 3 ns with columns.
const (
	minNoted  = 1024
	notedPart = 8
)

// note notes the document in a slot, before it changes.
func (w *watch) note(slot uint32, was ref, size uint32) {
	switch {
	case w.missed:
	case len(w.noted) >= minNoted && len(w.noted) >= w.in.live/notedPart:
		w.missed = true
	default:
		w.noted = append(w.noted, noted{slot, size, was})
	}
}

// hasMoved reports whether the collection has other slots than those that are noted.
func (w *watch) hasMoved(db *DB) bool {
	c := db.collections[w.name]
	return c == nil && w.in != nil || c != nil && c.content != w.in
}

// net returns the net effect of what was noted on each document, sorted by slot.
func (w *watch) net(notes []noted) (changes []touch) {
	order := make([]keyed, 2*len(notes))
	order, spare := order[:len(notes)], order[len(notes):]
	for i := range notes {
		order[i] = keyed{key(notes[i].slot) << 1, uint32(i)}
	}
	sortByKey(order, spare)
	for i, o := range order {
		if i > 0 && order[i-1].key == o.key {
			continue // the first note of a slot has what was there at first
		}
		n := notes[o.at]
		t := touch{slot: n.slot}
		if n.size > 0 {
			t.was = w.in.arena.get(n.was, int(n.size))
		}
		if int(n.slot) < len(w.in.refs) {
			t.now = w.in.doc(n.slot)
		}
		if (t.was == nil) != (t.now == nil) || !bytes.Equal(t.was, t.now) {
			changes = append(changes, t)
		}
	}
	return changes
}

// A relocation gives documents other slots, in the same order, without asking a query
// again. A slot that is noted and now empty stays, because a query may have it.
type relocation struct {
	w     *watch
	fresh *content
	to    []uint32 // by slot
	keeps []uint64 // a bit for each slot that is noted
}

// relocation returns the relocation of all slots to fresh, which is empty; nil if no
// query knows slots, or if they have to be asked again.
func (w *watch) relocation(fresh *content) *relocation {
	if w == nil || w.missed {
		return nil
	}
	end, bytes := uint32(len(w.in.refs)), int64(0)
	for _, n := range w.noted {
		end = max(end, n.slot+1) // an undo may have taken the last slots away
		bytes += int64(n.size)
	}
	if bytes > w.in.bytes {
		return nil // fresh would begin with much garbage
	}
	m := &relocation{w: w, fresh: fresh, to: make([]uint32, 0, end), keeps: make([]uint64, end/64+1)}
	for _, n := range w.noted {
		m.keeps[n.slot/64] |= 1 << (n.slot % 64)
	}
	return m
}

// next is called for each slot before its document goes to fresh.
func (m *relocation) next(slot uint32) {
	if m == nil {
		return
	}
	m.to = append(m.to, uint32(len(m.fresh.refs)))
	isEmpty := int(slot) >= len(m.w.in.refs) || m.w.in.sizes[slot] == 0
	if isEmpty && m.keeps[slot/64]>>(slot%64)&1 == 1 {
		m.fresh.refs, m.fresh.sizes = append(m.fresh.refs, 0), append(m.fresh.sizes, 0)
	}
}

// finish lets the watch follow fresh.
func (m *relocation) finish() {
	if m == nil {
		return
	}
	w := m.w
	for slot := len(m.to); slot < cap(m.to); slot++ {
		m.next(uint32(slot))
	}
	for i := range w.noted {
		n := &w.noted[i]
		n.slot = m.to[n.slot]
		if n.size > 0 {
			n.was, _ = m.fresh.arena.put(w.in.arena.get(n.was, int(n.size)))
			m.fresh.dead += int64(n.size)
		}
	}
	for _, q := range w.queries {
		q.query.asks.relocate(m.to)
	}
	w.in.watch, w.in, m.fresh.watch = nil, m.fresh, w
}

// moveSlots moves some of the slots of a question.
func moveSlots(slots, to []uint32) {
	for i := range slots {
		moveSlot(&slots[i], to)
	}
}

func moveSlot(slot *uint32, to []uint32) {
	if int(*slot) < len(to) { // noSlot is not, nor is one that nothing needs any more
		*slot = to[*slot]
	}
}

// HasLiveQueries reports whether there are live queries.
func (db *DB) HasLiveQueries() bool { return db.live != nil && len(db.live.byID) > 0 }

// LiveChanges returns an update for each live query whose answer has changed since
// LiveChanges was called last, or since it was made. What was changed and changed
// back is no change, whether by a write or by undoing one. Documents in the updates
// are borrowed until the DB's next change.
func (db *DB) LiveChanges() (updates []LiveUpdate) {
	s := db.live
	if s == nil {
		return nil
	}
	s.looks++
	done := false
	defer func() {
		for _, w := range s.watches {
			w.missed = w.missed || !done // after a panic, what queries keep is not known
		}
	}()
	var again []*LiveQuery
	for _, w := range s.watches {
		all := w.missed || w.hasMoved(db)
		if all {
			w.follow(db)
		} else if len(w.noted) == 0 {
			continue
		}
		changes := w.net(w.noted)
		for i := range w.queries {
			q := &w.queries[i]
			l, own := q.query, changes
			if q.from > 0 {
				own = w.net(w.noted[min(q.from, len(w.noted)):])
				q.from = 0
			}
			if l.look == s.looks || len(own) == 0 && !all {
				continue
			}
			room := s.room() + l.kept
			var u LiveUpdate
			var changed bool
			if all {
				u, changed = askAgain(db, l.asks, room)
			} else {
				u, changed = l.asks.look(db, room, own)
			}
			s.count(l)
			if !changed {
				continue
			}
			l.look = s.looks // a query about several collections is told once
			u.Query = l
			updates = append(updates, u)
			if _, ok := l.asks.(*livePopulated); ok {
				again = append(again, l)
			}
		}
		w.forget()
	}
	for _, l := range again { // the relationships may lead to other collections now
		s.unwatch(l)
		s.watch(l, l.asks.(*livePopulated).names(db))
	}
	if invariants {
		s.check()
	}
	done = true
	return updates
}

// askAgain asks a question of whose answer anything may have changed.
func askAgain(db *DB, asks question, room int) (u LiveUpdate, changed bool) {
	if n, ok := asks.(renewed); ok {
		return n.renew(db, room)
	}
	_ = asks.ask(db, room) // the caller meets the error when it asks
	return LiveUpdate{Again: true}, true
}

// renewed is a question that can tell what has become of its answer.
type renewed interface {
	renew(db *DB, room int) (u LiveUpdate, changed bool)
}

// TakeLiveQueries moves the live queries of another DB here, which takes its place.
// The next LiveChanges says Again of each, or what its answer is now.
func (db *DB) TakeLiveQueries(from *DB) {
	s := from.live
	if s == nil || from == db {
		return
	}
	from.live, db.live, s.db = nil, s, db
	for _, w := range s.watches {
		w.leave()
		w.missed = true
	}
}

// check compares each query with asking anew. Only builds with the tag invariants do
// that.
func (s *liveQueries) check() {
	kept := 0
	for _, l := range s.byID {
		kept += l.kept
		if wrong := l.asks.check(s.db); wrong != "" {
			panic("engine: a live query went wrong: " + wrong)
		}
	}
	if kept != s.kept {
		panic("engine: live queries keep " + strconv.Itoa(kept) + " bytes, not " + strconv.Itoa(s.kept))
	}
}

// liveAny is a question of which nothing is known.
type liveAny struct{}

func (liveAny) ask(*DB, int) error                             { return nil }
func (liveAny) look(*DB, int, []touch) (u LiveUpdate, ok bool) { return LiveUpdate{Again: true}, true }
func (liveAny) keeps() int                                     { return 0 }
func (liveAny) relocate([]uint32)                              {}
func (liveAny) check(*DB) string                               { return "" }

// livePopulated is a find with documents of other collections in it.
type livePopulated struct {
	liveAny
	name  string
	paths []string
}

func (p *livePopulated) ask(db *DB, _ int) error {
	_, err := db.populations(p.name, p.paths)
	return err
}

// names returns the collections that the answer depends on.
func (p *livePopulated) names(db *DB) []string {
	names := []string{p.name, catalogName}
	all, _ := db.populations(p.name, p.paths)
	var see func(all []*population)
	see = func(all []*population) {
		for _, of := range all {
			names = append(names, of.rel.To)
			see(of.next)
		}
	}
	see(all)
	return names
}
