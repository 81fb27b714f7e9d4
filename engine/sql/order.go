package sql

// ordering reads what may follow a term of ORDER BY.
func (p *parser) ordering(t *term) error {
	if t.descending = p.Take("desc"); !t.descending {
		p.Take("asc")
	}
	if !p.Take("nulls") {
		return nil
	}
	if t.nullsLast = p.Take("last"); !t.nullsLast && !p.Take("first") {
		return p.Expected("FIRST or LAST")
	}
	t.nulls = true
	return nil
}

// keys returns what a term sorts by; e is its expression, bound. Null comes before all
// other values by itself, so NULLS sorts by whether it is null first, if it asks for
// something else.
func (t *term) keys(e *expr) []sortKey {
	e = orderedBy(e)
	key := sortKey{e, t.descending}
	if !t.nulls || t.nullsLast == t.descending {
		return []sortKey{key}
	}
	isNull := &expr{op: opIs, start: e.start, end: e.end, kids: []*expr{e, constant(e, null)}}
	return []sortKey{{isNull, !t.nullsLast}, key}
}
