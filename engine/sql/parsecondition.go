package sql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// comparison reads the operators of one level, from left to right: a = b = c is
// (a = b) = c.
func (p *parser) comparison() (*expr, error) {
	start := p.Token.Pos
	e, err := p.inequality()
	for n := 0; err == nil; n++ {
		if n == token.MaxDepth {
			return nil, p.Fault(p.Token, "expected at most "+strconv.Itoa(n)+" comparisons in a row")
		}
		next, err := p.compared(start, e)
		if err != nil || next == nil {
			return e, err
		}
		e = next
	}
	return nil, err
}

// compared reads one operator after left, and its operands; nil if none comes next.
func (p *parser) compared(start int, left *expr) (*expr, error) {
	if p.isSign("=", "==", "!=", "<>") {
		return p.compare(start, left, (*parser).inequality)
	}
	switch {
	case p.Take("is"):
		return p.is(start, left)
	case p.Take("isnull"):
		return p.made(start, &expr{op: opIs, kids: []*expr{left, constant(left, null)}}), nil
	case p.Take("notnull"):
		return p.negated(start, &expr{op: opIs, kids: []*expr{left, constant(left, null)}}), nil
	}
	negate := p.Take("not")
	if negate && p.Take("null") {
		return p.negated(start, &expr{op: opIs, kids: []*expr{left, constant(left, null)}}), nil
	}
	e, err := p.word(left)
	switch {
	case err != nil:
		return nil, err
	case e == nil && negate:
		return nil, p.ExpectedLike("an operator", "after NOT comes one of LIKE, GLOB, "+strings.ToUpper(query.KnownWords()))
	case e != nil && negate:
		return p.negated(start, e), nil
	case e != nil:
		p.made(start, e)
	}
	return e, nil
}

// negated returns NOT e, which ends here. A subquery knows by itself what it is not, or unknown.
func (p *parser) negated(start int, e *expr) *expr {
	if e.op == opSubquery && e.sub.kind != subScalar {
		e.sub.negated = !e.sub.negated
		return p.made(start, e)
	}
	return p.made(start, &expr{op: opNot, kids: []*expr{p.made(start, e)}})
}

// inequality reads the comparisons that tell which is greater.
func (p *parser) inequality() (*expr, error) {
	start := p.Token.Pos
	e, err := p.bits()
	for n := 0; err == nil && n < token.MaxDepth && p.isSign("<", "<=", ">", ">="); n++ {
		e, err = p.compare(start, e, (*parser).bits)
	}
	return e, err
}

func (p *parser) isSign(signs ...string) bool {
	return p.Token.Kind == token.Sign && slices.Contains(signs, p.Token.Text)
}

// compare reads an operator that is a sign, and what left is compared with.
func (p *parser) compare(start int, left *expr, operand func(*parser) (*expr, error)) (*expr, error) {
	o := query.TakeSign(&p.Reader)
	right, err := operand(p)
	if err != nil {
		return nil, err
	}
	if left.op == opRow || right.op == opRow {
		return p.compareRows(start, o, left, right)
	}
	return p.made(start, &expr{op: opCompare, operator: o, kids: []*expr{left, right}}), nil
}

// compareRows compares several values with as many: the first that differ decide.
func (p *parser) compareRows(start int, o *query.Operator, left, right *expr) (*expr, error) {
	n := len(left.kids)
	if left.op != right.op || n != len(right.kids) {
		return nil, at(p.Text(), start, "expected as many values in parentheses on both sides of "+o.Text)
	}
	one := func(o *query.Operator, i int) *expr {
		return p.made(start, &expr{op: opCompare, operator: o, kids: []*expr{left.kids[i], right.kids[i]}})
	}
	var all []*expr
	if o.Op == query.OpEq {
		for i := range n {
			all = append(all, one(equals, i))
		}
		same := p.made(start, &expr{op: opAnd, kids: all})
		if o.Negates {
			return p.negated(start, same), nil
		}
		return same, nil
	}
	strict := o
	if o.Op == query.OpGte || o.Op == query.OpLte {
		strict = query.OperatorOf(map[query.Op]query.Op{query.OpGte: query.OpGt, query.OpLte: query.OpLt}[o.Op], false)
	}
	for i := range n {
		var parts []*expr
		for before := range i {
			parts = append(parts, one(equals, before))
		}
		last := strict
		if i == n-1 {
			last = o
		}
		all = append(all, p.made(start, &expr{op: opAnd, kids: append(parts, one(last, i))}))
	}
	return p.made(start, &expr{op: opOr, kids: all}), nil
}

// is reads what follows IS.
func (p *parser) is(start int, left *expr) (*expr, error) {
	negate := p.Take("not")
	e := &expr{op: opIs}
	switch {
	case p.Take("missing"):
		e.op, e.operator, e.kids, negate = opAsk, exists, []*expr{left}, !negate
	case p.Token.Is("true"), p.Token.Is("false"):
		e.op, e.want, e.kids = opIsTrue, truthIf(p.Token.Is("true")), []*expr{left}
		p.Next()
	default:
		if p.Take("distinct") {
			if err := p.must("from"); err != nil {
				return nil, err
			}
			negate = !negate
		}
		right, err := p.inequality()
		if err != nil {
			return nil, err
		}
		e.kids = []*expr{left, right}
	}
	if negate {
		return p.negated(start, e), nil
	}
	return p.made(start, e), nil
}

// word reads an operator that is a word and its operands; nil if none comes next.
func (p *parser) word(left *expr) (*expr, error) {
	for word, o := range patterns {
		if p.Take(word) {
			return p.like(left, o)
		}
	}
	o := query.TakeWord(&p.Reader)
	if o == nil && p.Take("regexp") {
		o = matches
	}
	if o == nil {
		return nil, nil
	}
	e := &expr{op: opAsk, operator: o, kids: []*expr{left}}
	switch o.Takes {
	case query.TakesYes:
		return e, nil
	case query.TakesType:
		var err error
		e.kind, err = query.TakeType(&p.Reader)
		return e, err
	case query.TakesList:
		return p.in(left)
	case query.TakesEnds:
		low, err := p.inequality()
		if err != nil {
			return nil, err
		}
		if !p.Take("and") {
			return nil, p.Expected("AND between the two ends")
		}
		high, err := p.inequality()
		if err == nil && left.op != opCollate && (low.op == opCollate || high.op == opCollate) { // each end has its own
			from := p.made(left.start, &expr{op: opCompare, operator: atLeast, kids: []*expr{left, low}})
			to := p.made(left.start, &expr{op: opCompare, operator: atMost, kids: []*expr{left, high}})
			return &expr{op: opAnd, kids: []*expr{from, to}}, nil
		}
		return &expr{op: opBetween, kids: []*expr{left, low, high}}, err
	case query.TakesCondition:
		p.inAny++
		element, err := p.parenthesis()
		p.inAny--
		return &expr{op: opAny, kids: []*expr{left, element}}, err
	}
	right, err := p.inequality()
	e.kids = append(e.kids, right)
	return e, err
}

// The operators that SQL has words of its own for.
var (
	equals  = query.OperatorOf(query.OpEq, false)
	atLeast = query.OperatorOf(query.OpGte, false)
	atMost  = query.OperatorOf(query.OpLte, false)
	exists  = query.OperatorOf(query.OpExists, false)
	matches = query.OperatorOf(query.OpMatches, false)
)

// rowIn reads the rows in which IN looks for another one.
func (p *parser) rowIn(left *expr) (*expr, error) {
	if !p.TakeSign("(") || p.startsQuery() {
		return nil, p.Expected(`"(" and a list of rows`)
	}
	any := &expr{op: opOr}
	err := p.commas(token.MaxTerms, "values", func() error {
		start := p.Token.Pos
		row, err := p.expr()
		if err != nil {
			return err
		}
		same, err := p.compareRows(start, equals, left, row)
		any.kids = append(any.kids, same)
		return err
	})
	if err == nil && !p.TakeSign(")") {
		err = p.Expected(`"," or ")"`)
	}
	if err == nil && len(any.kids) == 1 {
		return any.kids[0], nil
	}
	return any, err
}

func (p *parser) in(left *expr) (*expr, error) {
	if left.op == opRow {
		return p.rowIn(left)
	}
	e := &expr{op: opIn, kids: []*expr{left}}
	if p.Token.IsSign("?") || isParam(p.Token) { // a list as one parameter
		list, err := p.primary()
		e.kids, e.index = append(e.kids, list), 1
		return e, err
	}
	if !p.TakeSign("(") {
		return nil, p.Expected(`"(" and a list of values`)
	}
	if p.startsQuery() {
		return p.subquery(subIn, left)
	}
	if p.TakeSign(")") {
		return e, nil
	}
	err := p.commas(token.MaxTerms, "values", func() error {
		kid, err := p.expr()
		e.kids = append(e.kids, kid)
		return err
	})
	if err == nil && !p.TakeSign(")") {
		err = p.Expected(`"," or ")"`)
	}
	return e, err
}

// patterns are the words before a pattern of their own kind.
var patterns = map[string]op{"like": opLike, "ilike": opILike, "glob": opGlob}

func (p *parser) like(left *expr, o op) (*expr, error) {
	pattern, err := p.inequality()
	if err != nil {
		return nil, err
	}
	e := &expr{op: o, kids: []*expr{left, pattern}}
	if o != opGlob && p.Take("escape") {
		escape, err := p.inequality()
		if err != nil {
			return nil, err
		}
		e.kids = append(e.kids, escape)
	}
	return e, nil
}
