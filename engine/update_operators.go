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
	set         = &operator{"$set", putsValue, nil, (*step).itsValue, false}
	setOnInsert = &operator{"$setOnInsert", putsValue, nil, (*step).itsValue, false}
	rename      = &operator{"$rename", putsAny, (*step).checkNewPath, (*step).itsValue, true}
	unset       = &operator{"$unset", putsFlat, nil, func(*step, []byte) ([]byte, error) { return nil, nil }, true}
)

var operators = []*operator{
	set,
	unset,
	{"$inc", putsFlat, (*step).checkNumber, (*step).inc, false},
	{"$mul", putsFlat, (*step).checkNumber, (*step).mul, false},
	{"$bit", putsFlat, (*step).checkBit, (*step).bitwise, false},
	{"$min", putsValue, nil, func(s *step, old []byte) ([]byte, error) { return s.better(old, -1), nil }, false},
	{"$max", putsValue, nil, func(s *step, old []byte) ([]byte, error) { return s.better(old, 1), nil }, false},
	{"$push", putsAny, (*step).checkPush, (*step).pushTo, false},
	{"$addToSet", putsAny, (*step).checkAddToSet, (*step).addToSet, false},
	{"$pop", putsFlat, (*step).checkPop, (*step).pop, false},
	{"$pull", putsFlat, (*step).checkPull, (*step).pullFrom, false},
	{"$pullAll", putsFlat, (*step).checkPullAll, (*step).pullFrom, false},
	rename,
	{"$currentDate", putsFlat, (*step).checkDate, (*step).itsValue, false},
	setOnInsert,
}

func (s *step) itsValue(_ []byte) ([]byte, error) { return s.value, nil }

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

// checkDate reads the operand of $currentDate, and puts the date in its place.
func (s *step) checkDate() error {
	kind := msgpack.Lookup(s.value, "$type")
	if isDate := msgpack.Count(s.value) == 1 && string(msgpack.Str(kind)) == "date"; !isDate && msgpack.KindOf(s.value) != msgpack.True {
		return errors.New("expects true or {$type: \"date\"}, not " + describe(s.value))
	}
	if s.now == 0 {
		return errors.New("the time is not known here")
	}
	s.value = msgpack.AppendDate(nil, int64(s.now))
	return nil
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
	if err := checkOnePlace(s.path); err != nil {
		return err
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
		value := s.value
		s.pulls = func(v []byte) bool { return msgpack.Equal(v, value) }
		return nil
	}
	where := msgpack.AppendString(msgpack.AppendMap(nil, 1), "element")
	where = msgpack.AppendString(msgpack.AppendMap(where, 1), "$elemMatch")
	f, err := query.Parse(append(where, s.value...))
	if err == nil {
		s.where = f.Kids[0]
		s.pulls = s.where.Match
	}
	return err
}

// meterPulls has the conditions of $pull count as work of the call that m is of, which
// may then be stopped by a panic. It says whether there are any.
func (u *Update) meterPulls(m *meter) (any bool) {
	for i := range u.steps {
		if s := &u.steps[i]; s.where != nil {
			where, cost := s.where, costOf(s.where)
			s.pulls = func(v []byte) bool { return m.match(where, v, cost) }
			any = true
		}
	}
	return any
}

// checkPullAll reads the operand of $pullAll, the values to remove.
func (s *step) checkPullAll() error {
	if msgpack.KindOf(s.value) != msgpack.Array {
		return errors.New("expects an array of values to remove, not " + describe(s.value))
	}
	values := inTheirOrder(msgpack.List(s.value))
	s.pulls = func(v []byte) bool {
		_, found := slices.BinarySearchFunc(values, v, msgpack.Compare)
		return found
	}
	return nil
}

func (s *step) checkPop() error {
	if _, ok := direction(s.value); !ok {
		return errors.New("expects 1, to remove the last element, or -1, to remove the first, not " + describe(s.value))
	}
	return nil
}

// pop removes the last element of an array, or the first.
func (s *step) pop(old []byte) ([]byte, error) {
	if old == nil {
		return nil, nil
	}
	if msgpack.KindOf(old) != msgpack.Array {
		return nil, noArray(old)
	}
	elements := msgpack.List(old)
	switch sign, _ := direction(s.value); {
	case len(elements) == 0:
		return old, nil
	case sign > 0:
		return arrayOf(elements[:len(elements)-1]), nil
	}
	return arrayOf(elements[1:]), nil
}

func noArray(old []byte) error {
	return errors.New("the field holds " + describe(old) + ", not an array")
}

// inc adds the operand. The sum of two integers is exact, or refused if no
// integer of MessagePack holds it.
func (s *step) inc(old []byte) ([]byte, error) {
	if old == nil {
		return s.value, nil
	}
	return s.arithmetic(old, msgpack.Whole.Plus, func(x, y float64) float64 { return x + y }, "added")
}

// mul multiplies by the operand, as inc adds it. What is not there counts as 0.
func (s *step) mul(old []byte) ([]byte, error) {
	if old == nil {
		old = msgpack.AppendInt(nil, 0)
	}
	return s.arithmetic(old, msgpack.Whole.Times, func(x, y float64) float64 { return x * y }, "multiplied")
}

func (s *step) arithmetic(old []byte, whole func(x, y msgpack.Whole) (msgpack.Whole, bool), float func(x, y float64) float64, done string) ([]byte, error) {
	if msgpack.KindOf(old) != msgpack.Number {
		return nil, errors.New("the field holds " + describe(old) + ", not a number")
	}
	if a, b, ok := wholes(old, s.value); ok {
		result, ok := whole(a, b)
		if !ok {
			return nil, errors.New("the field holds " + describe(old) + "; with " + describe(s.value) + " " + done + ", it is outside the range of a 64-bit integer")
		}
		return result.Append(nil), nil
	}
	x := float(msgpack.Float(old), msgpack.Float(s.value))
	// JavaScript has one kind of number, and its encoder writes whole numbers as
	// integers. A result must be stored as the same number is when it is inserted.
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 && !(x == 0 && math.Signbit(x)) {
		return msgpack.AppendInt(nil, int64(x)), nil
	}
	return msgpack.AppendFloat(nil, x), nil
}

// bitOperations are what $bit may do, by name. The numbers are the bits of int64.
var bitOperations = map[string]func(x, y int64) int64{
	"and": func(x, y int64) int64 { return x & y },
	"or":  func(x, y int64) int64 { return x | y },
	"xor": func(x, y int64) int64 { return x ^ y },
}

// checkBit reads the operand of $bit, {and: integer} or with or or xor.
func (s *step) checkBit() error {
	if msgpack.KindOf(s.value) == msgpack.Map && msgpack.Count(s.value) == 1 {
		for key, value := range msgpack.Fields(s.value) {
			if s.bits = bitOperations[string(key)]; s.bits == nil {
				continue
			}
			if _, ok := bitsOf(value); !ok {
				return errors.New(string(key) + " expects an integer from -2^63 to 2^63-1, not " + describe(value))
			}
			s.value = value
			return nil
		}
	}
	return errors.New("expects {and: integer}, {or: integer} or {xor: integer}, not " + describe(s.value))
}

// bitwise does what the operand of $bit says. What is not there counts as 0.
func (s *step) bitwise(old []byte) ([]byte, error) {
	x, ok := int64(0), old == nil
	if old != nil {
		x, ok = bitsOf(old)
	}
	if !ok {
		return nil, errors.New("the field holds " + describe(old) + ", not an integer from -2^63 to 2^63-1")
	}
	y, _ := bitsOf(s.value)
	return msgpack.AppendInt(nil, s.bits(x, y)), nil
}

// bitsOf returns a number as an int64. JavaScript's encoder writes a whole number beyond
// 2^53 as a float.
func bitsOf(v []byte) (int64, bool) {
	if msgpack.KindOf(v) != msgpack.Number {
		return 0, false
	}
	w, ok := msgpack.WholeOf(v)
	if !ok {
		w, ok = msgpack.WholeOfFloat(msgpack.Float(v))
	}
	if !ok {
		return 0, false
	}
	return w.Int64()
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

// pullFrom removes the elements that the operand of $pull or $pullAll is about.
func (s *step) pullFrom(old []byte) ([]byte, error) {
	if old == nil {
		return nil, nil
	}
	if msgpack.KindOf(old) != msgpack.Array {
		return nil, noArray(old)
	}
	kept := 0
	var body []byte
	for v := range msgpack.Elements(old) {
		if s.pulls(v) {
			continue
		}
		kept++
		body = append(body, v...)
	}
	return append(msgpack.AppendArray(make([]byte, 0, len(body)+5), kept), body...), nil
}
