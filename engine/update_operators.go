package engine

import (
	"errors"
	"math"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// inc adds. Integers stay exact as long as they fit 64 bits.
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
	// JavaScript has one kind of number, and its encoder writes whole ones as
	// integers; a sum must not differ from the same number inserted.
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return msgpack.AppendInt(nil, int64(x)), nil
	}
	return msgpack.AppendFloat(nil, x), nil
}

// better returns the step's value if it is smaller (sign -1) or larger (1)
// than old, or if there is no old.
func (s *step) better(old []byte, sign int) []byte {
	if old == nil || msgpack.Compare(s.value, old) == sign {
		return s.value
	}
	return old
}

// push appends the value, or each element of {$each: [...]}, to an array.
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

// pullFrom removes the elements that equal the value or meet its condition.
func (s *step) pullFrom(old []byte) ([]byte, error) {
	if old == nil {
		return nil, nil
	}
	if msgpack.KindOf(old) != msgpack.Array {
		return nil, errors.New("the field holds " + describe(old) + ", not an array")
	}
	kept := 0
	var body []byte
	eachElement(old, func(v []byte) {
		if s.pull != nil && s.pull.Match(v) || s.pull == nil && msgpack.Equal(v, s.value) {
			return
		}
		kept++
		body = append(body, v...)
	})
	return append(msgpack.AppendArray(make([]byte, 0, len(body)+5), kept), body...), nil
}
