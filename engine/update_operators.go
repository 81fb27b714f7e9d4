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
}

// puts says how deep an operator can make a document.
type puts uint8

const (
	putsFlat  puts = iota // no containers but those on the way to the path
	putsValue             // its operand
	putsAny               // a container of unknown depth
)

var (
	set   = &operator{"$set", putsValue, nil, func(s *step, _ []byte) ([]byte, error) { return s.value, nil }}
	unset = &operator{"$unset", putsFlat, nil, func(*step, []byte) ([]byte, error) { return nil, nil }}
)

var operators = []*operator{
	set,
	unset,
	{"$inc", putsFlat, (*step).checkNumber, (*step).inc},
	{"$min", putsValue, nil, func(s *step, old []byte) ([]byte, error) { return s.better(old, -1), nil }},
	{"$max", putsValue, nil, func(s *step, old []byte) ([]byte, error) { return s.better(old, 1), nil }},
	{"$push", putsAny, nil, (*step).push},
	{"$pull", putsFlat, (*step).checkPull, (*step).pullFrom},
	{"$rename", putsAny, (*step).checkNewPath, func(s *step, _ []byte) ([]byte, error) { return s.value, nil }},
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
	s.path, err = splitPath(string(msgpack.Str(s.value)))
	return err
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

// inc adds the operand. Integers stay exact as long as they fit 64 bits.
func (s *step) inc(old []byte) ([]byte, error) {
	if old == nil {
		return s.value, nil
	}
	if msgpack.KindOf(old) != msgpack.Number {
		return nil, errors.New("the field holds " + describe(old) + ", not a number")
	}
	a, intA := msgpack.Int(old)
	b, intB := msgpack.Int(s.value)
	if sum := a + b; intA && intB && (sum > a) == (b > 0) {
		return msgpack.AppendInt(nil, sum), nil
	}
	x := msgpack.Float(old) + msgpack.Float(s.value)
	// JavaScript has one kind of number, and its encoder writes whole numbers as
	// integers. A sum must be stored as the same number is when it is inserted.
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return msgpack.AppendInt(nil, int64(x)), nil
	}
	return msgpack.AppendFloat(nil, x), nil
}

// better returns the operand if it is smaller (sign -1) or larger (sign 1) than
// old, or if there is no old value.
func (s *step) better(old []byte, sign int) []byte {
	if old == nil || msgpack.Compare(s.value, old) == sign {
		return s.value
	}
	return old
}

// push appends the operand, or each element of {$each: [...]}, to an array.
func (s *step) push(old []byte) ([]byte, error) {
	added, values := 1, s.value
	if each := msgpack.Lookup(s.value, "$each"); each != nil {
		if msgpack.KindOf(each) != msgpack.Array {
			return nil, errors.New("$each expects an array, not " + describe(each))
		}
		header := 0
		added, header = msgpack.Container(each)
		values = each[header:]
	}
	if old == nil {
		old = msgpack.AppendArray(nil, 0)
	}
	if msgpack.KindOf(old) != msgpack.Array {
		return nil, errors.New("the field holds " + describe(old) + ", not an array")
	}
	count, header := msgpack.Container(old)
	out := msgpack.AppendArray(make([]byte, 0, len(old)+len(values)+4), count+added)
	return append(append(out, old[header:]...), values...), nil
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
