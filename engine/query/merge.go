package query

// minMerged is from how many kids on Merged looks at them.
const minMerged = 8

// Merged returns a condition of the same meaning that is tested in less time: of
// many kids of an or, equalities and in-lists of one path become one in-list, and
// of an and, their opposites one not in. So a thousand equalities cost a document a
// binary search instead of a thousand comparisons.
func (f *Filter) Merged() *Filter {
	switch f.Op {
	case OpAnd, OpOr, OpNot:
	default:
		return f
	}
	kids, changed := f.Kids, false
	for i, kid := range f.Kids {
		if m := kid.Merged(); m != kid {
			if !changed {
				kids, changed = append([]*Filter(nil), f.Kids...), true
			}
			kids[i] = m
		}
	}
	if len(kids) >= minMerged {
		if few := mergeLists(f.Op, kids); len(few) < len(kids) {
			kids, changed = few, true
		}
	}
	switch {
	case !changed:
		return f
	case f.Op == OpNot:
		return Not(kids[0])
	}
	if f.Op == OpAnd {
		return And(kids...)
	}
	return Or(kids...)
}

// mergeLists puts the lists of each path where its first one stood.
func mergeLists(op Op, kids []*Filter) []*Filter {
	type list struct {
		at     int // in few
		path   Path
		values [][]byte
		count  int
	}
	lists := map[string]*list{}
	few := make([]*Filter, 0, len(kids))
	for _, kid := range kids {
		leaf := kid
		if op == OpAnd {
			if kid.Op != OpNot {
				few = append(few, kid)
				continue
			}
			leaf = kid.Kids[0]
		}
		if leaf.Op != OpEq && leaf.Op != OpIn {
			few = append(few, kid)
			continue
		}
		l := lists[leaf.Path.text]
		if l == nil {
			l = &list{at: len(few), path: leaf.Path}
			lists[leaf.Path.text] = l
			few = append(few, kid)
		}
		l.count++
		if leaf.Op == OpEq {
			l.values = append(l.values, leaf.Value)
		} else {
			l.values = append(l.values, leaf.Values...)
		}
	}
	for _, l := range lists {
		if l.count < 2 {
			continue
		}
		if few[l.at] = In(l.path, l.values); op == OpAnd {
			few[l.at] = Not(few[l.at])
		}
	}
	return few
}

// CountPaths returns how many different paths the leaves of f ask about, outside
// Any; max if there are as many or more.
func (f *Filter) CountPaths(max int) int {
	paths := map[string]bool{}
	var visit func(*Filter) bool
	visit = func(f *Filter) bool {
		if f.Op >= OpEq {
			paths[f.Path.text] = true
			return len(paths) < max
		}
		for _, kid := range f.Kids {
			if !visit(kid) {
				return false
			}
		}
		return true
	}
	visit(f)
	return len(paths)
}
