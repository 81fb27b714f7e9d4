package sql

import "github.com/atomicdb-go/atomicdb/engine/query/token"

// A script is several statements in one text. They change everything that they say
// or nothing.
type script struct {
	steps  []step
	answer int // the step whose rows are the answer: the last that is a statement; -1: none
	writes bool
}

// A step is a statement, or begins or ends a transaction.
type step struct {
	kind stepKind
	body body
}

type stepKind uint8

const (
	stepStatement stepKind = iota
	stepBegin
	stepCommit
	stepRollback
)

// script reads the whole text.
func (p *parser) script() (body, error) {
	s := &script{answer: -1}
	var begun *token.Token
	for {
		for p.TakeSign(";") {
		}
		start := p.Token
		if start.Kind == token.End && len(s.steps) > 0 {
			break
		}
		step, err := p.step()
		switch {
		case err != nil:
			return nil, err
		case step.kind == stepBegin && begun != nil:
			return nil, p.Fault(start, "expected COMMIT or ROLLBACK before the next BEGIN; transactions do not nest")
		case step.kind == stepBegin:
			begun = &start
		case step.kind != stepStatement && begun == nil:
			return nil, p.Fault(start, "expected BEGIN before this; "+ofTransactions)
		case step.kind != stepStatement:
			begun = nil
		default:
			s.answer = len(s.steps)
		}
		s.steps = append(s.steps, step)
		if p.Token.Kind != token.End && !p.Token.IsSign(";") {
			return nil, p.end()
		}
	}
	if begun != nil {
		return nil, p.Fault(*begun, "expected COMMIT or ROLLBACK after BEGIN, in the same text; "+ofTransactions)
	}
	if s.writes = p.writes; len(s.steps) == 1 {
		return s.steps[0].body, nil
	}
	return s, nil
}

const ofTransactions = "a transaction over several calls is db.transaction(async (tx) => …)"

func (p *parser) step() (step, error) {
	var kind stepKind
	switch {
	case p.Take("begin"):
		kind = stepBegin
		if !p.Take("deferred") && !p.Take("immediate") {
			p.Take("exclusive")
		}
	case p.Take("commit"), p.Take("end"):
		kind = stepCommit
	case p.Take("rollback"):
		kind = stepRollback
	default:
		b, err := p.body()
		return step{body: b}, err
	}
	p.Take("transaction")
	return step{kind: kind}, nil
}

func (s *script) run(x *execution) (rows Rows, err error) {
	open := 0 // savepoints
	defer func() {
		for ; open > 0; open-- { // what is left has failed
			if failed := x.db.RollbackToSavepoint(); err == nil {
				err = failed
			}
		}
	}()
	begin := func() {
		x.db.Savepoint()
		open++
	}
	end := func(finish func() error) error {
		err := finish()
		if err == nil {
			open--
		}
		return err
	}
	if s.writes {
		begin()
	}
	rows = &list{}
	for i, step := range s.steps {
		var err error
		switch {
		case step.kind == stepStatement:
			// What was worked out for one statement holds for the data before it.
			of := newExecution(x.db, x.text)
			of.params, of.slowly = x.params, x.slowly
			var answer Rows
			if answer, err = step.body.run(of); err == nil && i == s.answer {
				rows = answer
				if i < len(s.steps)-1 {
					rows = x.copied(answer)
				}
			}
		case !s.writes: // there is nothing to undo
		case step.kind == stepBegin:
			begin()
		case step.kind == stepCommit:
			err = end(x.db.ReleaseSavepoint)
		default:
			err = end(x.db.RollbackToSavepoint)
		}
		if err != nil {
			return nil, err
		}
	}
	if s.writes {
		if err := end(x.db.ReleaseSavepoint); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// copied returns rows that stay valid when the DB changes.
func (x *execution) copied(rows Rows) *list {
	if l, ok := rows.(*list); ok && l.next == 0 {
		return l
	}
	l := &list{}
	for rows.Len() > 0 {
		taken := 0
		start := len(l.rows)
		if l.rows, taken, _ = rows.Next(l.rows, 0); taken == 0 {
			break
		}
		x.db.Spend(1)
		x.db.Hold(len(l.rows) - start + 8)
		l.end()
	}
	return l
}
