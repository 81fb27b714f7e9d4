package sql

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// separator returns what GROUP_CONCAT puts between texts, a comma if it does not say; ""
// for other aggregates.
func (b *binder) separator(e *expr) (string, error) {
	switch {
	case e.aggregate != aggConcat:
		return "", nil
	case len(e.kids) == 1:
		return ",", nil
	}
	of, err := b.bind(e.kids[1])
	if err != nil {
		return "", err
	}
	text, ok := textOf(of.value)
	if !of.isConst() || !ok && !isNull(of.value) {
		return "", b.fault(e.kids[1], "expected a text or a parameter to put between the texts")
	}
	return text, nil
}

// concat puts the texts of each group, in the order of its tuples, into the slot of
// aggregate i.
func (g *groups) concat(db *engine.DB, i int, tuples, grouped []tuple) {
	type text struct {
		strings.Builder
		room int
		some bool
		seen map[string]bool
	}
	a := &g.aggregates[i]
	texts := map[string]*text{}
	for n := range tuples {
		db.Spend(1 + len(g.by))
		v := a.of.eval(&tuples[n])
		part, ok := textOf(v)
		if !ok {
			continue
		}
		key := ""
		for _, e := range g.by {
			key += groupKey(e.eval(&tuples[n]))
		}
		of := texts[key]
		if of == nil {
			of = &text{room: maxConcatBytes, seen: map[string]bool{}}
			texts[key] = of
		}
		if a.distinct {
			same := string(query.AppendKey(nil, v))
			if of.seen[same] {
				continue
			}
			db.Hold(len(same) + 32)
			of.seen[same] = true
		}
		if of.some {
			part = a.separator + part
		}
		db.Hold(len(part))
		of.some, of.room = true, engine.CheckRoom(of.room, len(part), maxConcatBytes)
		of.WriteString(part)
	}
	for n := range grouped {
		slots, key := grouped[n].slots, ""
		for _, v := range slots[:len(g.by)] {
			key += groupKey(v)
		}
		slots[len(g.by)+i] = null
		if of := texts[key]; of != nil {
			slots[len(g.by)+i] = textValue(of.String())
		}
	}
}

// groupKey is the same for values that are in one group.
func groupKey(v []byte) string {
	k := query.AppendKey(nil, orNull(v))
	return string(append(msgpack.AppendInt(nil, int64(len(k))), k...))
}
