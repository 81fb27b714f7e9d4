package sql

import (
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// A windowSpec is what stands after OVER, or what WINDOW names.
type windowSpec struct {
	name      string // in WINDOW; "" after OVER
	base      string // the named window that it adds to; "" for none
	whole     bool   // OVER name: it is that window
	partition []*expr
	order     []term
	frame     *frame // nil: defaultFrame
	pos       int
}

// A frame says which rows of its partition a window function sees from a row.
type frame struct {
	unit     frameUnit
	from, to bound
	exclude  exclusion
}

// defaultFrame reaches from the first row to the last one that ORDER BY takes for equal.
var defaultFrame = &frame{unit: unitRange, to: bound{place: currentRow}}

// A frameUnit is what the bounds of a frame count.
type frameUnit uint8

const (
	unitRows   frameUnit = iota
	unitRange            // the value of ORDER BY
	unitGroups           // rows that ORDER BY takes for equal
)

// A bound is where a frame begins or ends. The places are in the order of the rows.
type bound struct {
	place  place
	offset *expr // of preceding and following
}

type place uint8

const (
	unboundedPreceding place = iota
	preceding
	currentRow
	following
	unboundedFollowing
)

// An exclusion says which rows of a frame are left out.
type exclusion uint8

const (
	excludeNone exclusion = iota
	excludeRow
	excludeGroup // the row and those equal to it
	excludeTies  // those equal to the row
)

// maxWindows is how many windows WINDOW may name.
const maxWindows = 100

// walk visits the expressions of w.
func (w *windowSpec) walk(visit func(*expr)) {
	for _, e := range w.partition {
		e.walk(visit)
	}
	for _, t := range w.order {
		t.expr.walk(visit)
	}
}

// over reads the OVER that may follow an aggregate, and must follow the other window
// functions.
func (p *parser) over(t token.Token, e *expr) (*expr, error) {
	next := p.Peek()
	if !p.Token.Is("over") || !next.IsSign("(") && (next.Kind != token.Name || !next.Quoted && token.IsWord(next.Text, reserved)) {
		if e.op == opWindow {
			return nil, p.ExpectedLike("OVER", t.Text+" is a window function")
		}
		return e, nil
	}
	switch {
	case e.distinct:
		return nil, p.Fault(t, "expected no DISTINCT in a window function")
	case e.op == opAggregate && (e.aggregate == aggFirst || e.aggregate == aggLast):
		return nil, p.Fault(t, "expected FIRST_VALUE or LAST_VALUE with OVER")
	}
	p.Next()
	e.op, e.over = opWindow, &windowSpec{pos: p.Token.Pos}
	if !p.Token.IsSign("(") {
		n, err := p.name("the name of a window")
		e.over.base, e.over.whole = n.text, true
		return p.average(p.made(t.Pos, e)), err
	}
	if err := p.spec(t.Pos, e); err != nil {
		return nil, err
	}
	return p.average(e), nil
}

// average returns an average as a sum that is divided by the count of its numbers, and
// another window function as it is.
func (p *parser) average(e *expr) *expr {
	if e.index > 0 || e.aggregate != aggAvg {
		return e
	}
	total := &expr{op: opWindow, aggregate: aggTotal, start: e.start, end: e.end, kids: e.kids, over: e.over}
	return &expr{op: opChain, signs: "/", start: e.start, end: e.end, kids: []*expr{total, e}}
}

// spec reads a window in a parenthesis into e.over.
func (p *parser) spec(start int, e *expr) error {
	w := e.over
	if err := p.mustSign("("); err != nil {
		return err
	}
	if p.Token.Kind == token.Name && !p.isReserved() && (p.Token.Quoted || !token.IsWord(p.Token.Text, windowWords)) {
		w.base = p.Token.Text
		p.Next()
	}
	if p.Take("partition") {
		if err := p.must("by"); err != nil {
			return err
		}
		err := p.commas(maxGroupBy, "expressions to partition by", func() error {
			e, err := p.expr()
			w.partition = append(w.partition, e)
			return err
		})
		if err != nil {
			return err
		}
	}
	var err error
	if w.order, err = p.orderBy(); err != nil {
		return err
	}
	for i, unit := range windowWords[1:] {
		if p.Take(unit) {
			if w.frame, err = p.frame(frameUnit(i)); err != nil {
				return err
			}
		}
	}
	if !p.TakeSign(")") {
		return p.Expected(`PARTITION BY, ORDER BY, ROWS, RANGE, GROUPS or ")"`)
	}
	p.made(start, e)
	return nil
}

// windowWords are words that may begin a window, and are no name of one unless they are
// in quotes. The units of frames come last, in their order.
var windowWords = []string{"partition", "rows", "range", "groups"}

// frame reads what follows ROWS, RANGE or GROUPS.
func (p *parser) frame(unit frameUnit) (*frame, error) {
	f := &frame{unit: unit, to: bound{place: currentRow}}
	start, between := p.Token, p.Take("between")
	var err error
	if f.from, err = p.bound(); err == nil && between {
		if err = p.must("and"); err == nil {
			f.to, err = p.bound()
		}
	}
	if err != nil {
		return nil, err
	}
	if f.from.place > f.to.place || f.from.place == unboundedFollowing || f.to.place == unboundedPreceding {
		return nil, p.Fault(start, "expected a frame that begins before it ends")
	}
	if p.Take("exclude") {
		switch {
		case p.Take("no"):
			err = p.must("others")
		case p.Take("current"):
			f.exclude, err = excludeRow, p.must("row")
		case p.Take("group"):
			f.exclude = excludeGroup
		case p.Take("ties"):
			f.exclude = excludeTies
		default:
			err = p.Expected("NO OTHERS, CURRENT ROW, GROUP or TIES")
		}
	}
	return f, err
}

func (p *parser) bound() (b bound, err error) {
	switch {
	case p.Take("current"):
		return bound{place: currentRow}, p.must("row")
	case p.Take("unbounded"):
		b.place = unboundedPreceding
	default:
		b.place = preceding
		if b.offset, err = p.sum(); err != nil {
			return b, err
		}
	}
	if p.Take("following") {
		b.place = unboundedFollowing - b.place
		return b, nil
	}
	return b, p.must("preceding")
}

// isWindowClause reports whether WINDOW comes, and names a window.
func (p *parser) isWindowClause() bool {
	if !p.Token.Is("window") {
		return false
	}
	ahead := p.Reader
	ahead.Next()
	isName := ahead.Token.Kind == token.Name
	ahead.Next()
	return isName && ahead.Token.Is("as")
}

// windows reads what WINDOW names.
func (p *parser) windows(s *selectBody) error {
	if !p.isWindowClause() {
		return nil
	}
	p.Next()
	return p.commas(maxWindows, "windows", func() error {
		n, err := p.name("a name for the window")
		if err == nil {
			err = p.must("as")
		}
		if err != nil {
			return err
		}
		w := &windowSpec{name: n.text, pos: n.pos}
		if err = p.spec(n.pos, &expr{over: w}); err == nil && w.base != "" {
			w, err = s.window(p.Text(), w)
		}
		s.windows = append(s.windows, w)
		return err
	})
}

// window returns w with what it takes over from the window that it names.
func (s *selectBody) window(statement string, w *windowSpec) (*windowSpec, error) {
	if w.base == "" {
		return w, nil
	}
	for _, named := range s.windows {
		if named.name != w.base {
			continue
		}
		all := *w
		all.partition = named.partition
		switch {
		case w.whole:
			all.order, all.frame = named.order, named.frame
		case w.partition != nil, named.frame != nil, named.order != nil && w.order != nil:
			return nil, at(statement, w.pos, "expected nothing that changes what the window "+token.Clipped(w.base)+" says; only ORDER BY and a frame may be added")
		case named.order != nil:
			all.order = named.order
		}
		return &all, nil
	}
	return nil, at(statement, w.pos, "expected a window that WINDOW names, found "+token.Clipped(w.base))
}
