package sql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

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
	for i, known := range windowFunctions {
		if i > 0 && known.name == word {
			e.op, e.index, minimum, maximum = opWindow, i, known.min, known.max
		}
	}
	switch {
	case e.op == opWindow:
	case word == "exists":
		e.op, e.operator = opAsk, exists
	case word == "iif", word == "if":
		e.op, minimum, maximum = opCase, 2, 3
	case e.op == opCall:
		if e.function = functionNamed(word); e.function == nil {
			if isJSONTable(word) {
				return nil, p.Fault(t, "expected a value; "+strings.ToUpper(word)+" is a table, and stands after FROM or JOIN")
			}
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
		if e, err := p.filtered(t, e); err != nil {
			return e, err
		}
		return p.over(t, e)
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
		case aggObject:
			if minimum, maximum = 2, 2; e.distinct {
				return nil, p.Fault(t, "expected no DISTINCT in JSON_GROUP_OBJECT: a key stands in an object once")
			}
		case aggMin, aggMax:
			if len(e.kids) > 1 && !e.distinct { // of several values in one row
				e.op, e.aggregate, e.function = opCall, 0, functionNamed(word)
				maximum = e.function.max
			}
		}
	}
	if word == "json_object" && len(e.kids)%2 == 1 {
		return nil, p.Fault(t, "expected a value for each key in JSON_OBJECT")
	}
	if n := len(e.kids); n < minimum || n > maximum {
		return nil, p.Fault(t, "expected "+arguments(minimum, maximum)+" in "+strings.ToUpper(word)+", found "+strconv.Itoa(n))
	}
	switch word {
	case "json", "json_extract", "json_type", "json_array_length", "json_valid":
		e.kids[0] = e.kids[0].asJSON()
	}
	p.made(t.Pos, e)
	if e.op == opAggregate && (e.aggregate == aggArray || e.aggregate == aggObject) {
		// Each value becomes an array, or an object, of its own, so that null is left out
		// only where FILTER puts it.
		one := "json_array"
		if e.aggregate == aggObject {
			one = "json_object"
		}
		e.kids = []*expr{{op: opCall, function: functionNamed(one), start: e.start, end: e.end, kids: e.kids}}
	}
	if e.op == opAggregate {
		if e, err := p.filtered(t, e); err != nil {
			return e, err
		}
	}
	if e.op == opAggregate || e.op == opWindow {
		return p.over(t, e)
	}
	return e, nil
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
	for _, f := range windowFunctions[1:] {
		words = append(words, f.name)
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
