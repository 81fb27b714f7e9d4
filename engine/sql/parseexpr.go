package sql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// expr reads an expression. Chains of one level have no depth, so that only
// what is nested counts, and the stack is safe from hostile text.
//
//	or = and {OR and}, and = not {AND not}, not = {NOT} comparison
//	comparison = order {(= | <> | IS | IN | LIKE | …) order}, order = bits {(< | <= | > | >=) bits}
//	bits = sum {(& | "|" | << | >>) sum}, sum = product {(+ | -) product}
//	product = concat {(* | / | %) concat}, concat = collated {|| collated}
func (p *parser) expr() (*expr, error) {
	return p.nested((*parser).or)
}

// nested reads an expression inside another.
func (p *parser) nested(read func(*parser) (*expr, error)) (*expr, error) {
	if p.depth == token.MaxDepth {
		return nil, p.Fault(p.Token, "expected at most "+strconv.Itoa(token.MaxDepth)+" expressions inside one another")
	}
	p.depth++
	e, err := read(p)
	p.depth--
	return e, err
}

// made sets where e, which ends here, stands.
func (p *parser) made(start int, e *expr) *expr {
	e.start, e.end = start, p.Consumed
	return e
}

func (p *parser) or() (*expr, error)  { return p.logic("or", opOr, (*parser).and) }
func (p *parser) and() (*expr, error) { return p.logic("and", opAnd, (*parser).not) }

func (p *parser) logic(word string, o op, operand func(*parser) (*expr, error)) (*expr, error) {
	start := p.Token.Pos
	first, err := operand(p)
	if err != nil || !p.Token.Is(word) {
		return first, err
	}
	kids := []*expr{first}
	for p.Take(word) {
		kid, err := operand(p)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	return p.made(start, &expr{op: o, kids: kids}), nil
}

func (p *parser) not() (*expr, error) {
	start, negate, any := p.Token.Pos, false, false
	for p.Take("not") {
		negate, any = !negate, true
	}
	e, err := p.comparison()
	if err != nil || !any {
		return e, err
	}
	e = p.negated(start, e)
	if !negate {
		e = p.negated(start, e)
	}
	return e, nil
}

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
	return p.made(start, &expr{op: opCompare, operator: o, kids: []*expr{left, right}}), nil
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

func (p *parser) in(left *expr) (*expr, error) {
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

// The signs of chains by one byte each.
const (
	shiftLeft  = 'l'
	shiftRight = 'r'
)

func chainSign(t token.Token) byte {
	switch {
	case t.Kind != token.Sign:
	case t.Text == "<<":
		return shiftLeft
	case t.Text == ">>":
		return shiftRight
	case len(t.Text) == 1:
		return t.Text[0]
	}
	return 0
}

func (p *parser) bits() (*expr, error)    { return p.chain("&|lr", (*parser).sum) }
func (p *parser) sum() (*expr, error)     { return p.chain("+-", (*parser).product) }
func (p *parser) product() (*expr, error) { return p.chain("*/%", (*parser).concat) }

func (p *parser) chain(signs string, operand func(*parser) (*expr, error)) (*expr, error) {
	start := p.Token.Pos
	first, err := operand(p)
	if err != nil {
		return nil, err
	}
	if p.Token.Kind != token.Sign {
		return first, nil
	}
	e := &expr{op: opChain, kids: []*expr{first}}
	var all []byte
	for strings.IndexByte(signs, chainSign(p.Token)) >= 0 {
		all = append(all, chainSign(p.Token))
		p.Next()
		kid, err := operand(p)
		if err != nil {
			return nil, err
		}
		e.kids = append(e.kids, kid)
	}
	if all == nil {
		return first, nil
	}
	e.signs = string(all)
	return p.made(start, e), nil
}

func (p *parser) concat() (*expr, error) {
	start := p.Token.Pos
	first, err := p.collated()
	if err != nil || !p.Token.IsSign("||") {
		return first, err
	}
	e := &expr{op: opConcat, kids: []*expr{first}}
	for p.TakeSign("||") {
		kid, err := p.collated()
		if err != nil {
			return nil, err
		}
		e.kids = append(e.kids, kid)
	}
	return p.made(start, e), nil
}

// collated reads a value and COLLATE.
func (p *parser) collated() (*expr, error) {
	start := p.Token.Pos
	e, err := p.unary()
	for n := 0; err == nil && n < token.MaxDepth && p.Take("collate"); n++ {
		name := p.Token
		known := collationNamed(name.Text)
		if name.Kind != token.Name || known == collateNone {
			return nil, p.ExpectedLike("a collation", "the collations are BINARY, NOCASE and RTRIM")
		}
		p.Next()
		e = p.made(start, &expr{op: opCollate, index: int(known), kids: []*expr{e}})
	}
	return e, err
}

func (p *parser) unary() (*expr, error) {
	start, minus, any := p.Token.Pos, false, false
	for p.Token.IsSign("-") || p.Token.IsSign("+") {
		if next := p.Peek(); p.Token.IsSign("-") && (next.Kind == token.Number || next.Is("inf")) {
			break // a literal, which may be the least integer
		}
		if p.Token.IsSign("-") {
			minus, any = !minus, true
		}
		p.Next()
	}
	var e *expr
	var err error
	if p.Token.IsSign("~") {
		e, err = p.complement()
	} else {
		e, err = p.primary()
	}
	if err != nil || !any {
		return e, err
	}
	e = p.made(start, &expr{op: opNegate, kids: []*expr{e}})
	if !minus {
		e = p.made(start, &expr{op: opNegate, kids: []*expr{e}})
	}
	return e, nil
}

// complement reads ~ and its operand.
func (p *parser) complement() (*expr, error) {
	start := p.Token.Pos
	p.Next()
	e, err := p.nested((*parser).unary)
	if err != nil {
		return nil, err
	}
	return p.made(start, &expr{op: opComplement, kids: []*expr{e}}), nil
}

func (p *parser) parenthesis() (*expr, error) {
	if !p.TakeSign("(") {
		return nil, p.Expected(`"(" and a condition`)
	}
	if p.startsQuery() {
		return p.subquery(subScalar, nil)
	}
	e, err := p.expr()
	if err == nil && !p.TakeSign(")") {
		return nil, p.Expected(`an operator or ")"`)
	}
	return e, err
}

func (p *parser) primary() (*expr, error) {
	t := p.Token
	if p.terms++; p.terms > token.MaxTerms {
		return nil, p.Fault(t, token.TooManyTerms("values and fields in a statement; lists and documents go into parameters"))
	}
	switch {
	case t.IsSign("("):
		e, err := p.parenthesis()
		if err != nil {
			return nil, err
		}
		return p.made(t.Pos, e), nil
	case t.IsSign("?"):
		p.Next()
		return p.param(t, "")
	case isParam(t):
		n := t
		if t.Kind == token.Sign {
			p.Next()
			n = p.Token
		} else {
			n.Text = t.Text[1:]
		}
		if n.Kind != token.Name || n.Quoted || n.Text == "" || strings.Contains(n.Text, ".") {
			return nil, p.ExpectedLike("the name of a parameter", "a field whose name begins with $ goes in double quotes")
		}
		p.Next()
		return p.param(t, n.Text)
	case t.IsSign("*"):
		return nil, p.ExpectedLike("a value", "a star stands alone, as t.* or in COUNT(*)")
	case t.Kind != token.Name, t.Is("null"), t.Is("true"), t.Is("false"), t.Is("nan"), t.Is("inf"):
		return p.literal()
	case t.Is("case"):
		return p.when()
	case t.Is("not"): // after another operator, as in a = NOT b
		return p.nested((*parser).not)
	case t.Is("select"):
		return nil, p.ExpectedLike("a value", "a query that is one stands in parentheses")
	case p.isReserved():
		return nil, p.ExpectedLike("a value", "a field of that name goes in double quotes")
	case p.Peek().IsSign("(") && !t.Quoted && (t.Is("bytes") || t.Is("date") && p.isDateLiteral()):
		return p.literal()
	case p.Peek().IsSign("(") && t.Is("cast"):
		return p.cast(t.Pos)
	case t.Is("current_timestamp"), t.Is("current_date"), t.Is("current_time"):
		return nil, p.ExpectedLike("a value", "the database has no clock, so pass the time as a parameter; a field of that name goes in double quotes")
	case p.Peek().IsSign("(") && !t.Quoted:
		return p.call()
	}
	p.Next()
	return p.positions(name{t.Text, t.Pos}, t.Quoted)
}

// isDateLiteral reports whether date(…) has one text or number, which is a value of the
// type date. With anything else it is SQLite's function.
func (p *parser) isDateLiteral() bool {
	ahead := p.Reader
	ahead.Next()
	ahead.Next()
	isOne := ahead.Token.Kind == token.String || ahead.Token.Kind == token.Number
	isNow := token.SameWord(ahead.Token.Text, "now")
	ahead.Next()
	return isOne && !isNow && ahead.Token.IsSign(")")
}

func (p *parser) literal() (*expr, error) {
	start := p.Token.Pos
	if p.Token.IsSign("[") || p.Token.IsSign("{") || p.Token.IsSign("-") || p.Token.Kind != token.Sign {
		value, err := p.Value(0)
		return p.made(start, &expr{op: opConst, value: value}), err
	}
	return nil, p.ExpectedLike("a value", "one is a field, a number, text in single quotes, a parameter or a call")
}

func (p *parser) param(t token.Token, name string) (*expr, error) {
	e := &expr{op: opParam, text: name, index: len(p.params)}
	if len(p.params) > 0 && (p.params[0].name == "") != (name == "") {
		return nil, p.Fault(t, "expected either ? or names for all parameters, found both")
	}
	p.params = append(p.params, param{name, t.Pos})
	return p.made(t.Pos, e), nil
}

// positions reads what may follow a name: tags[0].text.
func (p *parser) positions(n name, quoted bool) (*expr, error) {
	text := n.text
	for names := 1; p.Token.IsSign("[") || p.Token.IsSign("."); names++ {
		if names > query.MaxPathNames {
			break // which BadPath will say; the text grows with each
		}
		if p.TakeSign(".") {
			t := p.Token
			if t.Kind != token.Name {
				return nil, p.Expected("a field name after the dot")
			}
			p.Next()
			text += "." + t.Text
			continue
		}
		p.Next()
		t := p.Token
		if _, err := strconv.ParseUint(t.Text, 10, 31); t.Kind != token.Number || err != nil {
			return nil, p.ExpectedLike("a position", "the first element is [0]")
		}
		p.Next()
		if err := p.mustSign("]"); err != nil {
			return nil, err
		}
		text += "." + t.Text
	}
	e := p.made(n.pos, &expr{op: opPath, text: text, quoted: quoted})
	if why := query.BadPath(text); why != "" {
		return nil, at(p.Text(), n.pos, "expected a field name; "+why)
	}
	if isProto(text) {
		return nil, at(p.Text(), n.pos, "expected a field name, found __proto__, which no document can have")
	}
	if token.SameWord(strings.SplitN(text, ".", 2)[0], "this") && !quoted && p.inAny == 0 {
		return nil, at(p.Text(), n.pos, `expected a field name; "this" is the element inside ANY (…), and a field of that name goes in double quotes`)
	}
	return e, nil
}

func (p *parser) when() (*expr, error) {
	start := p.Token.Pos
	p.Next()
	var of *expr
	var err error
	if !p.Token.Is("when") {
		if of, err = p.expr(); err != nil {
			return nil, err
		}
	}
	e := &expr{op: opCase}
	if of != nil {
		e.index, e.kids = 1, []*expr{of}
	}
	for p.Take("when") {
		condition, err := p.expr()
		if err != nil {
			return nil, err
		}
		if err := p.must("then"); err != nil {
			return nil, err
		}
		value, err := p.expr()
		if err != nil {
			return nil, err
		}
		e.kids = append(e.kids, condition, value)
	}
	if len(e.kids) == e.index {
		return nil, p.Expected("WHEN")
	}
	if p.Take("else") {
		value, err := p.expr()
		if err != nil {
			return nil, err
		}
		e.kids = append(e.kids, value)
	}
	if !p.Take("end") {
		return nil, p.Expected("WHEN, ELSE or END")
	}
	return p.made(start, e), nil
}

// call reads a function or an aggregate, and EXISTS.
func (p *parser) call() (*expr, error) {
	t := p.Token
	p.Next()
	p.Next()
	word := strings.ToLower(t.Text)
	if p.startsQuery() {
		if word == "exists" {
			e, err := p.subquery(subExists, nil)
			if err != nil {
				return nil, err
			}
			return p.made(t.Pos, e), nil
		}
		return nil, p.ExpectedLike("a value", "a query that is one stands in parentheses of its own")
	}
	e := &expr{op: opCall}
	minimum, maximum := 1, 1
	for i, known := range aggregates {
		if known.name == word || word == "string_agg" && aggregate(i) == aggConcat {
			e.op, e.aggregate = opAggregate, aggregate(i)
		}
	}
	switch {
	case word == "exists":
		e.op, e.operator = opAsk, exists
	case word == "iif", word == "if":
		e.op, minimum, maximum = opCase, 2, 3
	case e.op == opCall:
		if e.function = functionNamed(word); e.function == nil {
			return nil, p.unknownFunction(t)
		}
		minimum, maximum = e.function.min, e.function.max
	case p.TakeSign("*"):
		if e.aggregate != aggCount {
			return nil, p.Fault(t, "expected a value in "+strings.ToUpper(word)+"; only COUNT takes a star")
		}
		if err := p.mustSign(")"); err != nil {
			return nil, err
		}
		return p.filtered(t, e)
	default:
		e.distinct = p.Take("distinct")
	}
	if !p.TakeSign(")") {
		err := p.commas(token.MaxTerms, "arguments", func() error {
			kid, err := p.expr()
			e.kids = append(e.kids, kid)
			return err
		})
		if err != nil {
			return nil, err
		}
		if !p.TakeSign(")") {
			return nil, p.Expected(`"," or ")"`)
		}
	}
	if e.op == opAggregate {
		switch e.aggregate {
		case aggConcat:
			maximum = 2
		case aggMin, aggMax:
			if len(e.kids) > 1 && !e.distinct { // of several values in one row
				e.op, e.aggregate, e.function = opCall, 0, functionNamed(word)
				maximum = e.function.max
			}
		}
	}
	if n := len(e.kids); n < minimum || n > maximum {
		return nil, p.Fault(t, "expected "+arguments(minimum, maximum)+" in "+strings.ToUpper(word)+", found "+strconv.Itoa(n))
	}
	if e.op == opAggregate {
		return p.filtered(t, e)
	}
	return p.made(t.Pos, e), nil
}

// filtered reads the FILTER that may follow an aggregate, which then takes null instead of
// a value that does not pass.
func (p *parser) filtered(t token.Token, e *expr) (*expr, error) {
	p.made(t.Pos, e)
	if !p.Token.Is("filter") || !p.Peek().IsSign("(") {
		return e, nil
	}
	if e.aggregate == aggFirst || e.aggregate == aggLast {
		return nil, p.ExpectedLike("no FILTER", "FIRST and LAST take the first and the last document, also where there is no value")
	}
	p.Next()
	p.Next()
	if err := p.must("where"); err != nil {
		return nil, err
	}
	condition, err := p.expr()
	if err != nil {
		return nil, err
	}
	if err := p.mustSign(")"); err != nil {
		return nil, err
	}
	if len(e.kids) == 0 {
		e.kids = []*expr{constant(e, number(1))}
	}
	e.kids[0] = &expr{op: opCase, start: e.kids[0].start, end: e.kids[0].end, kids: []*expr{condition, e.kids[0]}}
	return p.made(t.Pos, e), nil
}

func arguments(minimum, maximum int) string {
	switch {
	case minimum == 1 && maximum == 1:
		return "one argument"
	case maximum > 9 && minimum == 0:
		return "at most " + strconv.Itoa(maximum) + " arguments"
	case maximum > 9:
		return strconv.Itoa(minimum) + " to " + strconv.Itoa(maximum) + " arguments"
	case minimum == maximum:
		return strconv.Itoa(minimum) + " arguments"
	}
	return strconv.Itoa(minimum) + " to " + strconv.Itoa(maximum) + " arguments"
}

func (p *parser) unknownFunction(t token.Token) error {
	var words []string
	for _, a := range aggregates {
		words = append(words, a.name)
	}
	for i := range functions {
		if name := functions[i].name; !slices.Contains(words, name) {
			words = append(words, name)
		}
	}
	words = append(words, "string_agg", "iif", "cast")
	message := "there is no function " + token.Clipped(t.Text)
	if hint := meant(t.Text, words); hint != "" {
		return p.Fault(t, message+"; "+hint)
	}
	return p.Fault(t, message+"; the functions are "+strings.Join(words, ", "))
}

// null is the value of what is not there.
var null = msgpack.AppendNil(nil)
