package engine

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// An operator is what an update may do to a path.
type operator struct {
	name string
	puts puts
	// check refuses an operand and prepares the step for apply; nil: any value
	// will do.
	check func(s *step) error
	// apply returns what is put in the place of old, the value at the step's
	// path or nil if there is none: old itself changes nothing, nil removes the
	// field.
	apply func(s *step, old []byte) (fresh []byte, err error)
	// takesAway says that it removes what is at its path.
	takesAway bool
}

// puts says how deep an operator can make a document.
type puts uint8

const (
	putsFlat  puts = iota // no containers but those on the way to the path
	putsValue             // its operand
	putsAny               // a container of unknown depth
)

var (
	set   = &operator{"$set", putsValue, nil, func(s *step, _ []byte) ([]byte, error) { return s.value, nil }, false}
	unset = &operator{"$unset", putsFlat, nil, func(*step, []byte) ([]byte, error) { return nil, nil }, true}
)

var operators = []*operator{
	set,
	unset,
	{"$inc", putsFlat, (*step).checkNumber, (*step).inc, false},
	{"$min", putsValue, nil, func(s *step, old []byte) ([]byte, error) { return s.better(old, -1), nil }, false},
	{"$max", putsValue, nil, func(s *step, old []byte) ([]byte, error) { return s.better(old, 1), nil }, false},
	{"$push", putsAny, (*step).checkPush, (*step).pushTo, false},
	{"$pull", putsFlat, (*step).checkPull, (*step).pullFrom, false},
	{"$rename", putsAny, (*step).checkNewPath, func(s *step, _ []byte) ([]byte, error) { return s.value, nil }, true},
}

// operatorNamed returns the operator of a name, or an error that lists all.
func operatorNamed(name string) (*operator, error) {
	i := slices.IndexFunc(operators, func(o *operator) bool { return o.name == name })
	if i >= 0 {
		return operators[i], nil
	}
	names := make([]string, len(operators))
	for i := range operators {
		names[i] = operators[i].name
	}
	return nil, errors.New("there is no update operator " + name + "; the operators are " + strings.Join(names, ", "))
}

func (s *step) checkNumber() error {
	if msgpack.KindOf(s.value) != msgpack.Number {
		return errors.New("expects a number, not " + describe(s.value))
	}
	return nil
}

// checkNewPath reads the operand of $rename, the path to which the value goes.
func (s *step) checkNewPath() (err error) {
	if msgpack.KindOf(s.value) != msgpack.String {
		return errors.New("expects the new path as a string, not " + describe(s.value))
	}
	s.from = s.path
	if s.path, err = splitPath(string(msgpack.Str(s.value))); err != nil {
		return err
	}
	if n := min(len(s.from), len(s.path)); slices.Equal(s.from[:n], s.path[:n]) {
		return errors.New("expects a new path that is not the old one, and neither inside the other")
	}
	return checkTarget(s.path)
}

// checkPull reads the operand of $pull where it is an object: a condition on
// the elements, as $elemMatch has it.
func (s *step) checkPull() error {
	if msgpack.KindOf(s.value) != msgpack.Map {
		return nil
	}
	where := msgpack.AppendString(msgpack.AppendMap(nil, 1), "element")
	where = msgpack.AppendString(msgpack.AppendMap(where, 1), "$elemMatch")
	f, err := query.Parse(append(where, s.value...))
	if err == nil {
		s.pull = f.Kids[0]
	}
	return err
}

// inc adds the operand. The sum of two integers is exact, or refused if no
// integer of MessagePack holds it.
func (s *step) inc(old []byte) ([]byte, error) {
	if old == nil {
		return s.value, nil
	}
	if msgpack.KindOf(old) != msgpack.Number {
		return nil, errors.New("the field holds " + describe(old) + ", not a number")
	}
	if a, b, ok := wholes(old, s.value); ok {
		sum, ok := a.Plus(b)
		if !ok {
			return nil, errors.New("the field holds " + describe(old) + "; with " + describe(s.value) + " added, it is outside the range of a 64-bit integer")
		}
		return sum.Append(nil), nil
	}
	x := msgpack.Float(old) + msgpack.Float(s.value)
	// JavaScript has one kind of number, and its encoder writes whole numbers as
	// integers. A sum must be stored as the same number is when it is inserted.
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return msgpack.AppendInt(nil, int64(x)), nil
	}
	return msgpack.AppendFloat(nil, x), nil
}

// wholes returns two numbers as integers if they are to be added as such: if both
// are integers, or one is an integer that no float64 holds and the other one a
// whole number, which JavaScript may have sent as a float.
func wholes(a, b []byte) (x, y msgpack.Whole, ok bool) {
	x, isX := msgpack.WholeOf(a)
	y, isY := msgpack.WholeOf(b)
	switch {
	case isX && !isY && !x.IsSafe():
		y, isY = msgpack.WholeOfFloat(msgpack.Float(b))
	case isY && !isX && !y.IsSafe():
		x, isX = msgpack.WholeOfFloat(msgpack.Float(a))
	}
	return x, y, isX && isY
}

// better returns the operand if it is smaller (sign -1) or larger (sign 1) than
// old, or if there is no old value.
func (s *step) better(old []byte, sign int) []byte {
	if old == nil || msgpack.Compare(s.value, old) == sign {
		return s.value
	}
	return old
}

// pullFrom removes the elements that equal the operand or meet its condition.
func (s *step) pullFrom(old []byte) ([]byte, error) {
	if old == nil {
		return nil, nil
	}
	if msgpack.KindOf(old) != msgpack.Array {
		return nil, errors.New("the field holds " + describe(old) + ", not an array")
	}
	kept := 0
	var body []byte
	for v := range msgpack.Elements(old) {
		if s.pull != nil && s.pull.Match(v) || s.pull == nil && msgpack.Equal(v, s.value) {
			continue
		}
		kept++
		body = append(body, v...)
	}
	return append(msgpack.AppendArray(make([]byte, 0, len(body)+5), kept), body...), nil
}
