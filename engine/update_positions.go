package engine

import (
	"errors"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// In the paths of an update, $ stands for the first element that the condition has
// matched, $[] for each element, and $[name] for each that meets the array filter of
// that name.

const matchedPart = "$"

// isPosition reports whether a part of a path stands for elements in one of these ways.
func isPosition(part string) bool { return part == matchedPart || strings.HasPrefix(part, "$[") }

// An arrayFilter is a condition on elements, {"name.field": value}.
type arrayFilter struct {
	name   string
	where  *query.Filter
	isUsed bool
	buffer []byte
}

// holds reports whether an element meets the filter.
func (f *arrayFilter) holds(element []byte) bool {
	f.buffer = msgpack.AppendString(msgpack.AppendMap(f.buffer[:0], 1), f.name)
	f.buffer = append(f.buffer, element...)
	return f.where.Match(f.buffer)
}

// readArrayFilters parses UpdateContext.ArrayFilters.
func (u *Update) readArrayFilters() error {
	for i, filter := range u.given.ArrayFilters {
		f, err := readArrayFilter(filter)
		if err == nil && u.filterNamed(f.name) != nil {
			err = errors.New("there is another filter for " + f.name + "; join the two with $and")
		}
		if err != nil {
			return errors.New("arrayFilters[" + strconv.Itoa(i) + "]: " + err.Error())
		}
		u.filters = append(u.filters, f)
	}
	return nil
}

func readArrayFilter(filter []byte) (*arrayFilter, error) {
	if msgpack.KindOf(filter) != msgpack.Map {
		return nil, errors.New("expects a filter, not " + describe(filter))
	}
	where, err := query.Parse(filter)
	if err != nil {
		return nil, err
	}
	f := &arrayFilter{where: where}
	if err := f.readName(filter); err != nil {
		return nil, err
	}
	if f.name == "" {
		return nil, errors.New("expects a condition on a name, such as {x: {$gt: 5}} or {\"x.price\": 5}")
	}
	return f, nil
}

// readName finds the name that all paths of a filter, which has been parsed, begin with.
func (f *arrayFilter) readName(filter []byte) error {
	for key, value := range msgpack.Fields(filter) {
		if strings.HasPrefix(string(key), "$") {
			for inner := range msgpack.Elements(value) {
				if err := f.readName(inner); err != nil {
					return err
				}
			}
			continue
		}
		name, _, _ := strings.Cut(string(key), ".")
		switch {
		case !isFilterName(name):
			return errors.New(strconv.Quote(name) + " cannot be the name of an array filter: it consists of letters and digits, the first a small letter")
		case f.name == "":
			f.name = name
		case f.name != name:
			return errors.New("expects a condition on one name, found " + f.name + " and " + name)
		}
	}
	return nil
}

func isFilterName(name string) bool {
	for i, c := range name {
		isSmall := c >= 'a' && c <= 'z'
		if !isSmall && (i == 0 || !(c >= 'A' && c <= 'Z' || c >= '0' && c <= '9')) {
			return false
		}
	}
	return name != ""
}

func (u *Update) filterNamed(name string) *arrayFilter {
	for _, f := range u.filters {
		if f.name == name {
			return f
		}
	}
	return nil
}

// checkFiltersUsed refuses an array filter that no path names: the path has another
// name than its author meant.
func (u *Update) checkFiltersUsed() error {
	for i, f := range u.filters {
		if !f.isUsed {
			return errors.New("arrayFilters[" + strconv.Itoa(i) + "]: no path has $[" + f.name + "]")
		}
	}
	return nil
}

// readPositions checks the parts of a step's path that stand for elements.
func (u *Update) readPositions(s *step) error {
	for i, part := range s.path {
		if !isPosition(part) {
			continue
		}
		switch name, closed := strings.CutSuffix(part, "]"); {
		case i == 0:
			return errors.New("a path begins with a field, not with " + part)
		case part == matchedPart && u.given.Where == nil:
			return errors.New("$ stands for the element that the condition has matched, and there is no condition")
		case part == matchedPart && s.position > 0:
			return errors.New("$ stands in a path once")
		case part == matchedPart && s.filters != nil:
			return errors.New("$ cannot come after $[]: the condition has matched in one array alone")
		case part == matchedPart:
			s.position = i
		case part == "$[]":
			s.filters = u
		case !closed || !isFilterName(name[2:]):
			return errors.New(part + " is no position: there are $, $[] and $[name]")
		default:
			f := u.filterNamed(name[2:])
			if f == nil {
				return errors.New("no array filter has the name " + name[2:])
			}
			f.isUsed = true
			s.filters = u
		}
	}
	return nil
}

// editEach is edit where path[0] stands for elements of container.
func (s *step) editEach(container []byte, path []string, room []byte) ([]byte, error) {
	if msgpack.KindOf(container) != msgpack.Array {
		return nil, errors.New(path[0] + " stands for elements of an array, and the field holds " + describe(container))
	}
	var filter *arrayFilter
	if path[0] != "$[]" {
		filter = s.filters.filterNamed(path[0][2 : len(path[0])-1])
	}
	_, header := msgpack.Container(container)
	out := append(room, container[:header]...)
	position := 0
	for old := range msgpack.Elements(container) {
		position++
		if filter != nil && !filter.holds(old) {
			out = append(out, old...)
			continue
		}
		fresh, err := s.editElement(old, path)
		if err != nil {
			return nil, errors.New("element " + strconv.Itoa(position-1) + ": " + err.Error())
		}
		out = append(out, fresh...)
	}
	return out, nil
}

// editElement returns what the step makes of an element; null in the place of one that
// it removes, so that the others keep their positions.
func (s *step) editElement(old []byte, path []string) (fresh []byte, err error) {
	if len(path) == 1 {
		fresh, err = s.apply(s, old)
	} else {
		fresh, err = s.edit(old, path[1:], nil)
	}
	if fresh == nil && err == nil {
		fresh = msgpack.AppendNil(nil)
	}
	return fresh, err
}

// placed returns the step with the position of the element that the condition has
// matched in doc for $.
func (s *step) placed(where *query.Filter, doc []byte) (*step, error) {
	path := s.path[:s.position]
	position, ok := matchedPosition(where, doc, path)
	if !ok {
		return nil, errors.New("$ has no element to stand for: the condition matches no element of " + strings.Join(path, "."))
	}
	placed := *s
	placed.path = append(append(append([]string(nil), path...), strconv.Itoa(position)), s.path[s.position+1:]...)
	return &placed, nil
}

// matchedPosition returns the position of the first element of the array at path that
// meets all that where asks of such an element; if none does, the first that meets the
// first thing it asks.
func matchedPosition(where *query.Filter, doc []byte, path []string) (position int, ok bool) {
	array := lookupPath(doc, path)
	leaves := elementLeaves(nil, where, doc, path)
	if msgpack.KindOf(array) != msgpack.Array || len(leaves) == 0 {
		return 0, false
	}
	var around []byte // a document in which the path leads to an array of one element
	for _, name := range path {
		around = msgpack.AppendString(msgpack.AppendMap(around, 1), name)
	}
	around = msgpack.AppendArray(around, 1)
	size := len(around)
	first, i := -1, 0
	for element := range msgpack.Elements(array) {
		around = append(around[:size], element...)
		all := true
		for n, leaf := range leaves {
			switch holds := leaf.Match(around); {
			case !holds:
				all = false
			case n == 0 && first < 0:
				first = i
			}
		}
		if all {
			return i, true
		}
		i++
	}
	return first, first >= 0
}

// elementLeaves appends the conditions, all of which doc meets, that ask something of
// the elements of the array at path. What is under a not asks nothing of one element.
func elementLeaves(leaves []*query.Filter, f *query.Filter, doc []byte, path []string) []*query.Filter {
	switch {
	case f.Op == query.OpAnd:
		for _, kid := range f.Kids {
			leaves = elementLeaves(leaves, kid, doc, path)
		}
	case f.Op == query.OpOr:
		for _, kid := range f.Kids {
			if found := elementLeaves(nil, kid, doc, path); len(found) > 0 && kid.Match(doc) {
				return append(leaves, found...)
			}
		}
	case f.Op >= query.OpEq:
		if asksElements(f, path) {
			leaves = append(leaves, f)
		}
	}
	return leaves
}

func asksElements(leaf *query.Filter, path []string) bool {
	names := leaf.Path.Names()
	if len(names) < len(path) {
		return false
	}
	for i := range path {
		if names[i] != path[i] {
			return false
		}
	}
	if len(names) == len(path) {
		return leaf.Op != query.OpExists && leaf.Op != query.OpSize
	}
	_, err := strconv.ParseUint(names[len(path)], 10, 31) // it names the element itself
	return err != nil
}
