package sql

import (
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// expr reads an expression. Chains of one level have no depth, so that only
// what is nested counts, and the stack is safe from hostile text. The operators
// of conditions are in parsecondition.go, calls and CASE in parsecall.go.
//
//	or = and {OR and}, and = not {AND not}, not = {NOT} comparison
//	comparison = inequality {(= | <> | IS | IN | LIKE | …) inequality}, inequality = bits {(< | <= | > | >=) bits}
//	bits = sum {(& | "|" | << | >>) sum}, sum = product {(+ | -) product}
//	product = concat {(* | / | %) concat}, concat = collated {(|| | -> | ->>) collated}
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
	e, err := p.collated()
	sign := ""
	for n := 0; err == nil && p.Token.Kind == token.Sign; {
		next := p.Token.Text
		if next != "||" && next != jsonArrow.name && next != jsonArrows.name {
			break
		}
		if next != sign { // what has one sign is one expression, of any length
			if n++; n > token.MaxDepth {
				return nil, p.Fault(p.Token, "expected at most "+strconv.Itoa(token.MaxDepth)+" expressions inside one another")
			}
			switch next {
			case "||":
				e = &expr{op: opConcat, kids: []*expr{e}}
			case jsonArrow.name:
				e = &expr{op: opCall, function: &jsonArrow, kids: []*expr{e.asJSON()}}
			default:
				e = &expr{op: opCall, function: &jsonArrows, kids: []*expr{e.asJSON()}}
			}
			sign = next
		}
		p.Next()
		var kid *expr
		kid, err = p.collated()
		e.kids = append(e.kids, kid)
		p.made(start, e)
	}
	return e, err
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

func (p *parser) parenthesis() (*expr, error) { return p.parenthesized(false) }

// maxRow is how many values a row has at most. A comparison of rows is one of each value,
// and again of those before it.
const maxRow = 16

// parenthesized is parenthesis, which may also hold the values of a row.
func (p *parser) parenthesized(isRow bool) (*expr, error) {
	if !p.TakeSign("(") {
		return nil, p.Expected(`"(" and a condition`)
	}
	if p.startsQuery() {
		return p.subquery(subScalar, nil)
	}
	e, err := p.expr()
	if err == nil && isRow && p.TakeSign(",") {
		row := &expr{op: opRow, kids: []*expr{e}}
		err = p.commas(maxRow-1, "values in a row", func() error {
			kid, err := p.expr()
			row.kids = append(row.kids, kid)
			return err
		})
		e = row
	}
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
		e, err := p.parenthesized(true)
		if err != nil {
			return nil, err
		}
		return p.made(t.Pos, e), nil
	case t.IsSign("?"):
		p.Next()
		return p.numbered(t)
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
	case p.Peek().IsSign("(") && !t.Quoted && t.Is("date") && p.isDateLiteral():
		e, err := p.literal()
		return e.dateLiteral(), err
	case p.Peek().IsSign("(") && !t.Quoted && t.Is("bytes"):
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

// dateLiteral makes date('…') what it is in SQLite, a text, from e, which is a value of the
// type date. Compared with such values it is one of them, since documents hold both, and
// so it is where it is stored.
func (e *expr) dateLiteral() *expr {
	if text := timeText([][]byte{e.value}, "%Y-%m-%d", ""); !isNull(text) {
		e.value, e.date = text, e.value
	}
	return e
}

// stored returns e, which becomes a value of a document, with dates for what date('…')
// says there.
func (e *expr) stored() *expr {
	if e.date != nil {
		return constant(e, e.date)
	}
	first, step := len(e.kids), 1
	switch {
	case e.op == opCall && e.function.takes == takesAny:
		first = 0
	case e.op == opCase: // its values stand between its conditions, and last
		first, step = e.index+1, 2
		if last := len(e.kids) - 1; (last-e.index)%2 == 0 {
			e.kids[last] = e.kids[last].stored()
		}
	}
	for i := first; i < len(e.kids); i += step {
		e.kids[i] = e.kids[i].stored()
	}
	return e
}

// isDateLiteral reports whether date(…) has one text or number, which is also a value of
// the type date. With anything else it is SQLite's function alone.
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

// numbered reads a ? or ?2. A ? without a number takes the value after all so far.
func (p *parser) numbered(t token.Token) (*expr, error) {
	number := p.lastParam + 1
	if n := p.Token; n.Kind == token.Number && n.Pos == t.Pos+1 {
		given, err := strconv.ParseUint(n.Text, 10, 31)
		if err != nil || given == 0 || given > token.MaxTerms {
			return nil, p.Expected("the number of a parameter, from 1 on")
		}
		p.Next()
		number = int(given)
	}
	e, err := p.param(t, "")
	p.lastParam = max(p.lastParam, number)
	if err == nil {
		p.params[e.index].number = number
	}
	return e, err
}

func (p *parser) param(t token.Token, name string) (*expr, error) {
	e := &expr{op: opParam, text: name, index: len(p.params)}
	if len(p.params) > 0 && (p.params[0].name == "") != (name == "") {
		return nil, p.Fault(t, "expected either ? or names for all parameters, found both")
	}
	p.params = append(p.params, param{name: name, pos: t.Pos})
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
	if first, _, _ := query.CutPath(text); token.SameWord(first, "this") && !quoted && p.inAny == 0 {
		return nil, at(p.Text(), n.pos, `expected a field name; "this" is the element inside ANY (…), and a field of that name goes in double quotes`)
	}
	return e, nil
}
