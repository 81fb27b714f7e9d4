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

// collect puts the texts of each group, or its values, in the order of its tuples, into
// the slot of aggregate i.
func (g *groups) collect(db *engine.DB, i int, tuples, grouped []tuple) {
	type collected struct {
		strings.Builder
		count int
		room  int
		seen  map[string]bool
	}
	a := &g.aggregates[i]
	all := map[string]*collected{}
	for n := range tuples {
		db.Spend(1 + len(g.by))
		v := a.of.eval(&tuples[n])
		part, ok := "", !isNull(v)
		if a.aggregate == aggConcat {
			part, ok = textOf(v)
		} else if ok { // an array or an object of one value
			_, header := msgpack.Container(v)
			part = string(v[header:])
		}
		if !ok {
			continue
		}
		key := ""
		for _, e := range g.by {
			key += groupKey(e.eval(&tuples[n]))
		}
		of := all[key]
		if of == nil {
			of = &collected{room: maxConcatBytes, seen: map[string]bool{}}
			all[key] = of
		}
		if a.distinct {
			same := string(query.AppendKey(nil, v))
			if of.seen[same] {
				continue
			}
			db.Hold(len(same) + 32)
			of.seen[same] = true
		}
		if of.count > 0 {
			part = a.separator + part
		}
		db.Hold(len(part))
		of.count, of.room = of.count+1, engine.CheckRoom(of.room, len(part), maxConcatBytes)
		of.WriteString(part)
	}
	for n := range grouped {
		slots, key := grouped[n].slots, ""
		for _, v := range slots[:len(g.by)] {
			key += groupKey(v)
		}
		var v []byte
		if of := all[key]; of != nil {
			switch a.aggregate {
			case aggConcat:
				v = textValue(of.String())
			case aggArray:
				v = append(msgpack.AppendArray(nil, of.count), of.String()...)
			default:
				v = objectOf(of.count, []byte(of.String()))
			}
		}
		slots[len(g.by)+i] = orNone(a.aggregate, v)
	}
}

// orNone returns what an aggregate that collects has collected: if that is nothing, an
// array or an object without any, and null for a text.
func orNone(a aggregate, all []byte) []byte {
	switch {
	case all != nil:
		return all
	case a == aggArray:
		return msgpack.AppendArray(nil, 0)
	case a == aggObject:
		return emptyMap
	}
	return null
}

// groupKey is the same for values that are in one group.
func groupKey(v []byte) string {
	k := query.AppendKey(nil, orNull(v))
	return string(append(msgpack.AppendInt(nil, int64(len(k))), k...))
}
