package query_test

import (
	"cmp"
	"flag"
	"math"
	"math/big"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

var seed = flag.Uint64("seed", 0, "replay one failing run of a random test; 0 picks a new seed")

// newRand seeds a random test, and says how to replay it if it fails.
func newRand(t *testing.T) *rand.Rand {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay: go test ./engine/query -run '^%s$' -seed %d", t.Name(), s)
		}
	})
	return rand.New(rand.NewPCG(s, 0))
}

// A value of the model is nil, bool, int64, uint64 above the int64 range,
// float64, string, []byte, date, []any or object.
type (
	date   int64 // milliseconds since 1970
	object []member
	member struct {
		name  string
		value any
	}
)

func (o object) find(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// random makes values and conditions of few names and few, close values, so
// that conditions often hold and often just fail.
type random struct{ *rand.Rand }

func pick[T any](r random, from ...T) T { return from[r.IntN(len(from))] }

func (r random) scalar() any {
	switch r.IntN(12) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2, 3:
		return int64(r.IntN(5) - 1)
	case 4:
		return pick[any](r, int64(math.MaxInt64), int64(math.MinInt64), uint64(math.MaxUint64), uint64(1<<63), int64(1<<53), int64(1<<53+1))
	case 5, 6:
		return float64(r.IntN(5)-1) / 2
	case 7:
		return pick(r, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1<<53, 1<<63, 1<<64, 1e300, -1<<63, 5e-324)
	case 8:
		return date(pick(r, 0, 1, -1, 1715904000000, -62198755200000, 8.64e15, 1<<50))
	case 9:
		return []byte(pick(r, "", "a", "ab", "\xff"))
	}
	return r.text()
}

func (r random) text() string {
	return pick(r, "", "a", "b", "ab", "ba", "aB", "a'\"\\`b", "\n\t\u0000\u2028", "é😀", "\ufffd", "nan", "0", strings.Repeat("ab", 40))
}

func (r random) value(depth int) any {
	if depth == 0 || r.IntN(3) > 0 {
		return r.scalar()
	}
	if r.IntN(2) == 0 {
		array := make([]any, r.IntN(4))
		for i := range array {
			array[i] = r.value(depth - 1)
		}
		return array
	}
	return r.document(depth - 1)
}

func (r random) document(depth int) object {
	o := object{}
	for _, name := range []string{"a", "b", "0", "1", "and", "a b`"} {
		if r.IntN(2) == 0 {
			o = append(o, member{name, r.value(depth)})
		}
	}
	r.Shuffle(len(o), func(i, k int) { o[i], o[k] = o[k], o[i] })
	return o
}

func (r random) path(inAny bool) string {
	least := 1
	if inAny {
		least = 0
	}
	names := make([]string, least+r.IntN(3))
	for i := range names {
		names[i] = pick(r, "a", "a", "b", "0", "1", "and", "this", "a b`", "2x")
	}
	return strings.Join(names, ".")
}

// A twin is a condition twice: as the Filter under test, and as plain Go over
// the model's values.
type twin struct {
	filter *query.Filter
	holds  func(doc any) bool
}

func (r random) twin(t *testing.T, depth int, inAny bool) twin {
	if depth > 0 && r.IntN(2) == 0 {
		switch r.IntN(4) {
		case 0:
			kid := r.twin(t, depth-1, inAny)
			return twin{query.Not(kid.filter), func(doc any) bool { return !kid.holds(doc) }}
		case 1:
			kid := r.twin(t, depth-1, true)
			path := r.path(inAny)
			return leaf(path, query.Any(query.ParsePath(path), kid.filter), func(v any) bool {
				array, ok := v.([]any)
				return ok && slices.ContainsFunc(array, kid.holds)
			})
		}
		kids := make([]twin, r.IntN(4))
		filters := make([]*query.Filter, len(kids))
		for i := range kids {
			kids[i] = r.twin(t, depth-1, inAny)
			filters[i] = kids[i].filter
		}
		if r.IntN(2) == 0 {
			return twin{query.And(filters...), func(doc any) bool {
				return !slices.ContainsFunc(kids, func(kid twin) bool { return !kid.holds(doc) })
			}}
		}
		return twin{query.Or(filters...), func(doc any) bool {
			return slices.ContainsFunc(kids, func(kid twin) bool { return kid.holds(doc) })
		}}
	}
	return r.leaf(t, r.path(inAny))
}

func (r random) leaf(t *testing.T, text string) twin {
	path := query.ParsePath(text)
	want, high := r.value(2), r.value(2)
	comparison := func(f *query.Filter, passes func(c int) bool) twin {
		return leafOrElement(text, f, func(v any) bool { return class(v) == class(want) && passes(order(v, want)) })
	}
	switch r.IntN(17) {
	case 0:
		return comparison(query.Eq(path, encode(want)), func(c int) bool { return c == 0 })
	case 1:
		return comparison(query.Gt(path, encode(want)), func(c int) bool { return c > 0 })
	case 2:
		return comparison(query.Gte(path, encode(want)), func(c int) bool { return c >= 0 })
	case 3:
		return comparison(query.Lt(path, encode(want)), func(c int) bool { return c < 0 })
	case 4:
		return comparison(query.Lte(path, encode(want)), func(c int) bool { return c <= 0 })
	case 5, 6:
		return leafOrElement(text, query.Between(path, encode(want), encode(high)), func(v any) bool {
			return class(v) == class(want) && class(v) == class(high) && order(v, want) >= 0 && order(v, high) <= 0
		})
	case 7:
		values := make([]any, r.IntN(5))
		encoded := make([][]byte, len(values))
		for i := range values {
			values[i] = r.value(1)
			encoded[i] = encode(values[i])
		}
		return leafOrElement(text, query.In(path, encoded), func(v any) bool {
			return slices.ContainsFunc(values, func(one any) bool { return order(v, one) == 0 })
		})
	case 13, 14: // null as in MongoDB, beside another value or none
		values := []any{nil, r.value(1)}[:1+r.IntN(2)]
		encoded := [][]byte{nil}
		for _, v := range values {
			encoded = append(encoded, encode(v))
		}
		is := leafOrElement(text, query.In(path, encoded), func(v any) bool {
			return slices.ContainsFunc(values, func(one any) bool { return order(v, one) == 0 })
		})
		return twin{is.filter, func(doc any) bool { return is.holds(doc) || lacks(doc, text) }}
	case 8:
		pattern := pick(r, "", "a", "^a", "b$", "^ab$", "(?i)^A", "a|^b", "^$", "[ab]{2}", `\.`, "a.b", "(?m)^", "^a^", "b$$", "^^ab", `\Aab\z`, "(a)", "a?", "é")
		f, err := query.Matches(path, pattern)
		if err != nil {
			t.Fatal(err)
		}
		compiled := regexp.MustCompile(pattern)
		return leafOrElement(text, f, func(v any) bool {
			s, ok := v.(string)
			return ok && compiled.MatchString(s)
		})
	case 9:
		prefix := r.text()
		return leafOrElement(text, query.StartsWith(path, prefix), func(v any) bool {
			s, ok := v.(string)
			return ok && strings.HasPrefix(s, prefix)
		})
	case 10:
		return leaf(text, query.Contains(path, encode(want)), func(v any) bool {
			switch v := v.(type) {
			case []any:
				return slices.ContainsFunc(v, func(element any) bool { return order(element, want) == 0 })
			case string:
				part, ok := want.(string)
				return ok && strings.Contains(v, part)
			}
			return false
		})
	case 11:
		return leaf(text, query.Exists(path), func(any) bool { return true })
	case 12:
		size := r.IntN(3)
		return leaf(text, query.HasSize(path, size), func(v any) bool {
			array, ok := v.([]any)
			return ok && len(array) == size
		})
	}
	if r.IntN(2) == 0 {
		return r.integers(t, text)
	}
	which := query.Type(r.IntN(int(query.TypeDate) + 1))
	isType := func(v any) bool { return slices.Contains(typesOf(v), which.String()) }
	if which == query.TypeList {
		return leaf(text, query.IsType(path, which), isType)
	}
	return leafOrElement(text, query.IsType(path, which), isType)
}

// integers asks for a remainder or for bits of a small mask.
func (r random) integers(t *testing.T, text string) twin {
	operator := pick(r, "$mod", "$bitsAllSet", "$bitsAnySet", "$bitsAllClear", "$bitsAnyClear")
	operand, mask := any([]any{int64(r.IntN(3) + 1), int64(r.IntN(3) - 1)}), new(big.Int).Lsh(big.NewInt(int64(r.IntN(8))), uint(r.IntN(8)))
	if operator != "$mod" {
		operand = mask.Int64()
		if r.IntN(2) == 0 {
			positions := []any{}
			for at := range mask.BitLen() {
				if mask.Bit(at) == 1 {
					positions = append(positions, int64(at))
				}
			}
			operand = positions
		}
	}
	f, err := query.Parse(encode(object{{"x", object{{operator, operand}}}}))
	if err != nil {
		t.Fatal(err)
	}
	f.Path = query.ParsePath(text)
	return leafOrElement(text, f, func(v any) bool {
		n := new(big.Int)
		if bytes, ok := v.([]byte); ok && operator != "$mod" {
			bytes = slices.Clone(bytes)
			slices.Reverse(bytes)
			n.SetBytes(bytes)
		} else if class(v) != 3 || exact(v).IsInf() {
			return false
		} else {
			exact(v).Int(n)
			_, isFloat := v.(float64)
			if operator != "$mod" && !exact(v).IsInt() || !n.IsInt64() && (isFloat || operator == "$mod") {
				return false
			}
		}
		if operator == "$mod" {
			list := operand.([]any)
			return new(big.Int).Rem(n, big.NewInt(list[0].(int64))).Int64() == list[1].(int64)
		}
		set := new(big.Int).And(n, mask) // two's complement without an end
		switch operator {
		case "$bitsAllSet":
			return set.Cmp(mask) == 0
		case "$bitsAnySet":
			return set.Sign() != 0
		case "$bitsAllClear":
			return set.Sign() == 0
		}
		return set.Cmp(mask) != 0
	})
}

// leaf asks holds of each value that path reaches.
func leaf(path string, f *query.Filter, holds func(v any) bool) twin {
	return reachedBy(path, f, func(v any, _ bool) bool { return holds(v) })
}

// leafOrElement also asks the elements of a reached array, unless that array is
// itself an element which path names by its position.
func leafOrElement(path string, f *query.Filter, passes func(v any) bool) twin {
	return reachedBy(path, f, func(v any, isElement bool) bool {
		array, _ := v.([]any)
		return passes(v) || !isElement && slices.ContainsFunc(array, passes)
	})
}

func reachedBy(path string, f *query.Filter, holds func(v any, isElement bool) bool) twin {
	var names []string
	if path != "" {
		names = strings.Split(path, ".")
	}
	return twin{f, func(doc any) bool {
		return slices.ContainsFunc(reached(doc, names, false), func(r reachedValue) bool { return holds(r.value, r.isElement) })
	}}
}

type reachedValue struct {
	value     any
	isElement bool // the last name was its position in an array
}

func reached(v any, names []string, isElement bool) (values []reachedValue) {
	if len(names) == 0 {
		return []reachedValue{{v, isElement}}
	}
	switch v := v.(type) {
	case object:
		if field, ok := v.find(names[0]); ok {
			return reached(field, names[1:], false)
		}
	case []any:
		for i, element := range v {
			if strconv.Itoa(i) == names[0] {
				values = append(values, reached(element, names[1:], true)...)
			}
			if _, isMap := element.(object); isMap {
				values = append(values, reached(element, names, false)...)
			}
		}
	}
	return values
}

// lacks reports whether a path ends without a value, by the words of MongoDB's own tests: a map
// lacks a field, or something else stands in its place. Of an array, only maps can lack one.
func lacks(v any, path string) bool {
	if path == "" {
		return false
	}
	name, rest, deeper := strings.Cut(path, ".")
	switch v := v.(type) {
	case object:
		field, has := v.find(name)
		return !has || deeper && lacks(field, rest)
	case []any:
		return slices.ContainsFunc(v, func(element any) bool {
			_, isMap := element.(object)
			return isMap && lacks(element, path)
		}) || deeper && lacksAt(v, name, rest)
	}
	return true
}

func lacksAt(array []any, name, rest string) bool {
	i, err := strconv.Atoi(name)
	if err != nil || i >= len(array) || strconv.Itoa(i) != name {
		return false
	}
	switch array[i].(type) {
	case object, []any:
		return lacks(array[i], rest)
	}
	return false
}

// class numbers the kinds of values between which comparisons may hold.
func class(v any) int {
	switch v := v.(type) {
	case bool:
		return 1
	case float64:
		if math.IsNaN(v) {
			return 2
		}
		return 3
	case int64, uint64:
		return 3
	case string:
		return 4
	case []byte:
		return 5
	case date:
		return 6
	case []any:
		return 7
	case object:
		return 8
	}
	return 0
}

// order is the total order over values.
func order(a, b any) int {
	if c := cmp.Compare(class(a), class(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case bool:
		return strings.Compare(strconv.FormatBool(a), strconv.FormatBool(b.(bool)))
	case string:
		return strings.Compare(a, b.(string))
	case []byte:
		return strings.Compare(string(a), string(b.([]byte)))
	case date:
		return cmp.Compare(a, b.(date))
	case []any:
		return slices.CompareFunc(a, b.([]any), order)
	case object:
		sorted := func(o object) object {
			o = slices.Clone(o)
			slices.SortFunc(o, func(x, y member) int { return strings.Compare(x.name, y.name) })
			return o
		}
		return slices.CompareFunc(sorted(a), sorted(b.(object)), func(x, y member) int {
			return cmp.Or(strings.Compare(x.name, y.name), order(x.value, y.value))
		})
	}
	if class(a) == 3 {
		return exact(a).Cmp(exact(b))
	}
	return 0
}

func exact(v any) *big.Float {
	x := new(big.Float).SetPrec(2000)
	switch v := v.(type) {
	case int64:
		return x.SetInt64(v)
	case uint64:
		return x.SetUint64(v)
	}
	return x.SetFloat64(v.(float64))
}

func typesOf(v any) []string {
	switch v.(type) {
	case int64, uint64:
		return []string{"int", "number"}
	case float64:
		return []string{"float", "number"}
	}
	return [...][]string{{"null"}, {"bool"}, nil, nil, {"str"}, {"bytes"}, {"date"}, {"list"}, {"dict"}}[class(v)]
}

func encode(v any) []byte { return appendEncoded(nil, v) }

func appendEncoded(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return msgpack.AppendBool(b, v)
	case int64:
		return msgpack.AppendInt(b, v)
	case uint64:
		return msgpack.AppendUint(b, v)
	case float64:
		return msgpack.AppendFloat(b, v)
	case string:
		return msgpack.AppendString(b, v)
	case []byte:
		return msgpack.AppendBin(b, v)
	case date:
		return msgpack.AppendDate(b, int64(v))
	case []any:
		b = msgpack.AppendArray(b, len(v))
		for _, element := range v {
			b = appendEncoded(b, element)
		}
		return b
	case object:
		b = msgpack.AppendMap(b, len(v))
		for _, m := range v {
			b = appendEncoded(msgpack.AppendString(b, m.name), m.value)
		}
		return b
	}
	return msgpack.AppendNil(b)
}
