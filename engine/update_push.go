package engine

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A push is the operand of $push with $each, taken apart: the values go to a
// position, the array is sorted, and then cut.
type push struct {
	each     [][]byte
	position int // below 0: counted from the end
	sorts    bool
	whole    int       // sorts elements by themselves, ascending (1) or descending (-1); 0: by keys
	keys     []SortKey // paths in the elements
	slice    int       // how many elements stay, from the start, or from the end if below 0
}

// modifiers are what an operand of $push may have.
const modifiers = "$each, $position, $slice and $sort"

// checkPush reads the operand of $push where it is {$each: [...]} and modifiers.
func (s *step) checkPush() error {
	p := &push{position: math.MaxInt32, slice: math.MaxInt32}
	given, others := 0, ""
	for key, value := range msgpack.Fields(s.value) {
		var err error
		switch name := string(key); name {
		case "$each":
			if msgpack.KindOf(value) != msgpack.Array {
				return errors.New("$each expects an array, not " + describe(value))
			}
			p.each = msgpack.List(value)
		case "$position":
			p.position, err = wholeNumber(name, value)
		case "$slice":
			p.slice, err = wholeNumber(name, value)
		case "$sort":
			err = p.readSort(value)
		default:
			if !strings.HasPrefix(name, "$") {
				others = name
				continue
			}
			return errors.New("there is no modifier " + name + "; the modifiers are " + modifiers)
		}
		if err != nil {
			return err
		}
		given++
	}
	switch {
	case given == 0:
		return nil // it is the value
	case others != "":
		return errors.New("expects only modifiers, found the field " + others + " beside them; to push an object, put it into $each")
	case msgpack.Lookup(s.value, "$each") == nil:
		return errors.New("expects $each beside other modifiers")
	}
	s.push = p
	return nil
}

// wholeNumber reads the operand of a modifier. No array is longer than what it
// returns at most.
func wholeNumber(name string, v []byte) (int, error) {
	x := msgpack.Float(v)
	if math.IsNaN(x) || x != math.Trunc(x) {
		return 0, errors.New(name + " expects a whole number, not " + describe(v))
	}
	return int(max(-math.MaxInt32, min(x, math.MaxInt32))), nil
}

// readSort reads 1, -1, or {path: 1 or -1}.
func (p *push) readSort(v []byte) error {
	p.sorts = true
	if sign, ok := direction(v); ok {
		p.whole = sign
		return nil
	}
	if msgpack.KindOf(v) != msgpack.Map || msgpack.Count(v) == 0 {
		return errors.New("$sort expects 1, -1 or an object of paths, not " + describe(v))
	}
	for key, value := range msgpack.Fields(v) {
		path := string(key)
		sign, ok := direction(value)
		if !ok {
			return errors.New("$sort expects 1 or -1 for " + path + ", not " + describe(value))
		}
		names, err := splitPath(path)
		if err == nil {
			err = checkTarget(names)
		}
		if err != nil {
			return errors.New("$sort: " + err.Error())
		}
		p.keys = append(p.keys, SortKey{Path: query.ParsePath(path), Descending: sign < 0})
	}
	return nil
}

func direction(v []byte) (sign int, ok bool) {
	x := msgpack.Float(v)
	return int(x), x == 1 || x == -1
}

// pushTo appends the operand to an array, or does what its modifiers say.
func (s *step) pushTo(old []byte) ([]byte, error) {
	if old == nil {
		old = msgpack.AppendArray(nil, 0)
	}
	if msgpack.KindOf(old) != msgpack.Array {
		return nil, noArray(old)
	}
	if s.push == nil {
		count, header := msgpack.Container(old)
		out := msgpack.AppendArray(make([]byte, 0, len(old)+len(s.value)+4), count+1)
		return append(append(out, old[header:]...), s.value...), nil
	}
	return arrayOf(s.push.applied(msgpack.List(old))), nil
}

// checkAddToSet reads the operand of $addToSet where it is {$each: [...]}.
func (s *step) checkAddToSet() error {
	if err := s.checkPush(); err != nil || s.push == nil {
		return err
	}
	if msgpack.Count(s.value) > 1 {
		return errors.New("expects $each alone, without other modifiers")
	}
	return nil
}

// addToSet appends to an array what it does not have.
func (s *step) addToSet(old []byte) ([]byte, error) {
	var elements [][]byte
	if old != nil {
		if msgpack.KindOf(old) != msgpack.Array {
			return nil, noArray(old)
		}
		elements = msgpack.List(old)
	}
	added := [][]byte{s.value}
	if s.push != nil {
		added = s.push.each
	}
	before := len(elements)
	known, fresh := inTheirOrder(elements), inTheirOrder(added)
	for _, v := range added {
		if _, found := slices.BinarySearchFunc(known, v, msgpack.Compare); found {
			continue
		}
		// Of equal ones, the first in added is the first in fresh.
		if at, _ := slices.BinarySearchFunc(fresh, v, msgpack.Compare); &fresh[at][0] == &v[0] {
			elements = append(elements, v)
		}
	}
	if old != nil && len(elements) == before {
		return old, nil
	}
	return arrayOf(elements), nil
}

// inTheirOrder returns values, sorted. Equal ones stay in their order.
func inTheirOrder(values [][]byte) [][]byte {
	sorted := append([][]byte(nil), values...)
	slices.SortStableFunc(sorted, msgpack.Compare)
	return sorted
}

// applied returns what the push makes of the elements of an array.
func (p *push) applied(elements [][]byte) [][]byte {
	at := min(p.position, len(elements))
	if at < 0 {
		at = max(0, len(elements)+at)
	}
	elements = slices.Insert(elements, at, p.each...)
	if p.sorts {
		slices.SortStableFunc(elements, func(a, b []byte) int {
			if p.whole != 0 {
				return p.whole * msgpack.Compare(a, b)
			}
			return compareBy(p.keys, a, b)
		})
	}
	switch n := len(elements); {
	case p.slice >= 0:
		return elements[:min(p.slice, n)]
	default:
		return elements[max(0, n+p.slice):]
	}
}

func arrayOf(elements [][]byte) []byte {
	size := 5
	for _, v := range elements {
		size += len(v)
	}
	array := msgpack.AppendArray(make([]byte, 0, size), len(elements))
	for _, v := range elements {
		array = append(array, v...)
	}
	return array
}
