package msgpack_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// Reasons of faults. They reach users, so the tests spell them out.
const (
	cut       = "ends in the middle of a value"
	badText   = "holds text that is not well-formed Unicode (a lone surrogate?)"
	badName   = "has a field name that is not a string"
	hasProto  = "has a field named __proto__"
	badDate   = "holds an invalid date"
	extension = "holds a MessagePack extension other than a timestamp"
	never     = "holds the byte 0xc1, which is no MessagePack"
)

// refusals lists values that Validate refuses at depth 3, with the reason.
var refusals = []struct {
	name   string
	value  []byte
	path   string
	reason string
}{
	{"nothing", nil, "", cut},
	{"uint 8, cut", bin("cc"), "", cut},
	{"uint 16, cut", bin("cd 00"), "", cut},
	{"uint 32, cut", bin("ce 000000"), "", cut},
	{"uint 64, cut", bin("cf 00000000000000"), "", cut},
	{"int 8, cut", bin("d0"), "", cut},
	{"int 64, cut", bin("d3 00000000000000"), "", cut},
	{"float 32, cut", bin("ca 000000"), "", cut},
	{"float 64, cut", bin("cb 00000000000000"), "", cut},
	{"fixstr, cut", bin("a2 61"), "", cut},
	{"str 8 without its length", bin("d9"), "", cut},
	{"str 8, cut", bin("d9 02 61"), "", cut},
	{"str 16, cut in its length", bin("da 00"), "", cut},
	{"str 16, cut", bin("da 0002 61"), "", cut},
	{"str 32, cut in its length", bin("db 000000"), "", cut},
	{"str 32 of 4 GiB", bin("db ffffffff 61"), "", cut},
	{"bin 8 without its length", bin("c4"), "", cut},
	{"bin 8, cut", bin("c4 02 61"), "", cut},
	{"bin 16, cut", bin("c5 0002 61"), "", cut},
	{"bin 32 of 4 GiB", bin("c6 ffffffff 61"), "", cut},
	{"array without its elements", bin("91"), "", cut},
	{"array 16 without its length", bin("dc"), "", cut},
	{"array 16, cut in its length", bin("dc 00"), "", cut},
	{"array 32, cut in its length", bin("dd 000000"), "", cut},
	{"array of 4 G elements", bin("dd ffffffff 01 02"), "", cut},
	{"array, cut before its last element", bin("92 a3616263"), "1", cut},
	{"array, cut inside its last element", bin("92 01 cd00"), "1", cut},
	{"map without its pairs", bin("81"), "", cut},
	{"map 16 without its length", bin("de"), "", cut},
	{"map 16, cut in its length", bin("de 00"), "", cut},
	{"map 32, cut in its length", bin("df 000000"), "", cut},
	{"map of 4 G pairs", bin("df ffffffff a161 01"), "", cut},
	{"map, cut inside a key", bin("81 a261"), "", cut},
	{"map, cut before a value", bin("81 a161"), "a", cut},
	{"map, cut before a key", bin("82 a161 01"), "", cut},
	{"map, cut inside a value", bin("81 a161 cd00"), "a", cut},

	{"the byte 0xc1", bin("c1"), "", never},
	{"the byte 0xc1 in an array", bin("93 01 02 c1"), "2", never},
	{"the byte 0xc1 in a map", bin("81 a161 c1"), "a", never},

	{"fixext 1", bin("d4 ff 00"), "", extension},
	{"fixext 2", bin("d5 ff 0000"), "", extension},
	{"fixext 4", bin("d6 01 00000000"), "", extension},
	{"fixext 8", bin("d7 fe 0000000000000000"), "", extension},
	{"fixext 16", bin("d8 ff" + strings.Repeat("00", 16)), "", extension},
	{"ext 8 of another type", bin("c7 0c 01" + strings.Repeat("00", 12)), "", extension},
	{"ext 8 of another length", bin("c7 0b ff" + strings.Repeat("00", 12)), "", extension},
	{"ext 8 of 4 bytes", bin("c7 04 ff 00000000"), "", extension},
	{"ext 16", bin("c8 000c ff" + strings.Repeat("00", 12)), "", extension},
	{"ext 32", bin("c9 0000000c ff" + strings.Repeat("00", 12)), "", extension},
	{"extension in a document", object("when", bin("d4 05 00")), "when", extension},

	{"timestamp without a type", bin("d6"), "", cut},
	{"timestamp 32, cut", bin("d6 ff 000000"), "", cut},
	{"timestamp 64, cut", bin("d7 ff 00000000000000"), "", cut},
	{"timestamp 96 without a length", bin("c7"), "", cut},
	{"timestamp 96 without a type", bin("c7 0c"), "", cut},
	{"timestamp 96, cut", bin("c7 0c ff 00000000 00000000000000"), "", cut},
	{"timestamp 64 of 10^9 ns", bin("d7 ff ee6b2800 00000000"), "", badDate},
	{"timestamp 96 of 10^9 ns", bin("c7 0c ff 3b9aca00 0000000000000000"), "", badDate},
	{"timestamp 96 of 2^32-1 ns", bin("c7 0c ff ffffffff 0000000000000000"), "", badDate},

	{"text that is no UTF-8", bin("a1 ff"), "", badText},
	{"text that ends inside a rune", bin("a2 61c3"), "", badText},
	{"text with a lone surrogate", bin("a3 eda080"), "", badText},
	{"text in more bytes than it needs", bin("a2 c080"), "", badText},
	{"text above U+10FFFF", bin("a4 f4908080"), "", badText},
	{"str 8 with a lone surrogate", bin("d9 24" + strings.Repeat("61", 33) + "edbfbf"), "", badText},
	{"str 16 that is no UTF-8", bin("da 0001 80"), "", badText},
	{"str 32 that is no UTF-8", bin("db 00000001 80"), "", badText},
	{"bad text in a document", object("name", bin("a1 80")), "name", badText},
	{"field name that is no UTF-8", bin("81 a180 01"), "", badText},
	{"inner field name that is no UTF-8", object("a", bin("81 a180 01")), "a", badText},

	{"field name null", bin("81 c0 01"), "", badName},
	{"field name 1", bin("81 01 01"), "", badName},
	{"field name of bytes", bin("81 c4 01 61 01"), "", badName},
	{"field name of a map", bin("81 80 01"), "", badName},
	{"field name of 0xc1", bin("81 c1 01"), "", badName},
	{"field name of a date", bin("81 d6ff00000000 01"), "", badName},
	{"second field name false", bin("82 a161 01 c2 02"), "", badName},
	{"inner field name 1", list(integer(1), bin("81 01 01")), "1", badName},

	{"field __proto__", object("__proto__", object()), "", hasProto},
	{"field __proto__ in 8 bits", append(bin("81 d909"), "__proto__\x01"...), "", hasProto},
	{"second field __proto__", object("a", integer(1), "__proto__", integer(1)), "", hasProto},
	{"inner field __proto__", object("a", list(integer(0), object("__proto__", integer(1)))), "a.1", hasProto},

	{"four levels", bin("91 91 91 91 01"), "0.0.0", msgpack.TooDeep},
	{"an empty fourth level", list(integer(7), object("b", list(object()))), "1.b.0", msgpack.TooDeep},

	{"path through everything", object("a", integer(1), "b", list(str("x"), object("é", bin("c1")))), "b.1.é", never},
	{"path through an empty name", object("", object("", bin("c1"))), ".", never},
	{"path through a long name", object(strings.Repeat("k", 300), bin("c1")), strings.Repeat("k", 300), never},
	{"path to the 17th element", append(msgpack.AppendArray(nil, 17), append(make([]byte, 16), 0xc1)...), "16", never},
}

func TestValidate_refuses(t *testing.T) {
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			refuse(t, tt.value, 3, tt.path, tt.reason)
		})
	}
}

// TestValidate_refusesLate puts each refused value behind others, near the end
// of the input and far from it: Validate has a quick way for most values.
func TestValidate_refusesLate(t *testing.T) {
	for _, tt := range refusals {
		for _, before := range []int{0, 1, 14, 40} {
			for _, after := range []int{0, 1, 40, 100} {
				if tt.reason == cut && (after > 0 || tt.value == nil) {
					continue // then it is not cut, or not there
				}
				name := fmt.Sprintf("%s/%d before, %d after", tt.name, before, after)
				t.Run(name, func(t *testing.T) {
					b := msgpack.AppendArray(nil, before+1+after)
					for i := range before {
						b = append(b, variant(i)...)
					}
					b = append(b, tt.value...)
					b = append(b, make([]byte, after)...) // that many zeros
					path := fmt.Sprint(before)
					if tt.path != "" {
						path += "." + tt.path
					}
					refuse(t, b, 4, path, tt.reason)
				})
			}
		}
	}
}

func refuse(t *testing.T, b []byte, maxDepth int, path, reason string) {
	t.Helper()
	n, err := msgpack.Validate(b, maxDepth)
	var fault *msgpack.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("Validate(%.200x) = %d, %v; want a *Fault", b, n, err)
	}
	if want := (msgpack.Fault{Path: path, Reason: reason}); *fault != want || n != 0 {
		t.Fatalf("Validate(%.200x) = %d, %+v; want %+v", b, n, *fault, want)
	}
}

func TestValidate_accepts(t *testing.T) {
	long := strings.Repeat("ab", 40)
	for _, tt := range []struct {
		name     string
		value    []byte
		maxDepth int
	}{
		{"a scalar at depth 0", integer(1), 0},
		{"an empty array at depth 1", list(), 1},
		{"three levels at depth 3", list(object("a", list())), 3},
		{"16 levels", nested(16), 16},
		{"17 levels", nested(17), 17},
		{"1000 levels", nested(1000), 1000},
		{"__proto__ as text", object("a", str("__proto__")), 1},
		{"__proto__ as an element", list(str("__proto__")), 1},
		{"names like __proto__", object("__proto_", integer(1), "__proto__x", integer(2), "__proto_x", integer(3), "_", integer(4)), 1},
		{"equal keys", bin("82 a161 01 a161 02"), 1},
		{"lengths in more bytes than they need", bin("df 00000003 d90161 da000162 db0000000163 dc0001 cd0001 d90164 c6 00000001 ff"), 2},
		{"text of every width", list(str("é"), str("€"), str("𐍈"), str("\u0000\u007f\u0080\u07ff\u0800\uffff\U0010ffff"), str(long), str(long+"é"), str("é"+long)), 1},
		{"dates", list(bin("d6 ff ffffffff"), bin("d7 ff ee6b27ff ffffffff"), bin("c7 0c ff 3b9ac9ff ffffffffffffffff")), 1},
		{"bytes are not text", list(bin("c4 02 c1ff"), bin("c5 0002 c1ff"), bin("c6 00000002 c1ff")), 1},
		{"documents of 150 and 300 bytes", list(person(), order()), 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, after := range []int{0, 1, 7, 100} { // bytes that belong to the next value
				b := append(tt.value[:len(tt.value):len(tt.value)], bytes.Repeat([]byte{0xc1}, after)...)
				if n, err := msgpack.Validate(b, tt.maxDepth); n != len(tt.value) || err != nil {
					t.Errorf("with %d bytes after it, Validate = %d, %v, want %d", after, n, err, len(tt.value))
				}
			}
		})
	}
}

func nested(levels int) []byte {
	v := bin("c0")
	for level := range levels {
		if level%2 == 0 {
			v = list(v)
		} else {
			v = object("a", v)
		}
	}
	return v
}

func TestValidate_depth(t *testing.T) {
	for _, levels := range []int{1, 2, 15, 16, 17, 18, 100, 1000} {
		if n, err := msgpack.Validate(nested(levels), levels); err != nil || n != len(nested(levels)) {
			t.Errorf("%d levels, %[1]d allowed: %d, %v", levels, n, err)
		}
		var fault *msgpack.Fault
		if _, err := msgpack.Validate(nested(levels), levels-1); !errors.As(err, &fault) || fault.Reason != msgpack.TooDeep {
			t.Errorf("%d levels, %d allowed: %v", levels, levels-1, err)
		} else if depth := strings.Count("."+fault.Path, "."); fault.Path != "" && depth != levels-1 {
			t.Errorf("%d levels, %d allowed: the path %q has %d components", levels, levels-1, fault.Path, depth)
		}
	}
}

// TestValidate_badByteAnywhere: text is looked at in words of several widths,
// none of which may miss a byte.
func TestValidate_badByteAnywhere(t *testing.T) {
	for length := range 70 {
		for bad := range length {
			text := bytes.Repeat([]byte("a"), length)
			text[bad] = 0xff
			for _, after := range []int{0, 40} {
				b := append(msgpack.AppendString(nil, text), make([]byte, after)...)
				refuse(t, b, 0, "", badText)
				b = append(object("key", msgpack.AppendString(nil, text)), make([]byte, after)...)
				refuse(t, b, 1, "key", badText)
				b = append(append(bin("81"), msgpack.AppendString(nil, text)...), make([]byte, after+1)...)
				refuse(t, b, 1, "", badText)
			}
		}
	}
}

// TestValidate_everyPrefix: a value without its end is refused wherever it ends.
func TestValidate_everyPrefix(t *testing.T) {
	for _, doc := range [][]byte{person(), order(), nested(40), list(str(strings.Repeat("é", 40)), bin("d7 ff 0000000000000001"))} {
		for n := range doc {
			var fault *msgpack.Fault
			if _, err := msgpack.Validate(doc[:n], 100); !errors.As(err, &fault) || fault.Reason != cut {
				t.Fatalf("the first %d of %d bytes: %v, want that it %s", n, len(doc), err, cut)
			}
		}
	}
}

func TestFault_Error(t *testing.T) {
	for _, tt := range []struct {
		fault msgpack.Fault
		want  string
	}{
		{msgpack.Fault{Path: "tags.2", Reason: badDate}, "tags.2 holds an invalid date"},
		{msgpack.Fault{Reason: cut}, "the value ends in the middle of a value"},
	} {
		if got := tt.fault.Error(); got != tt.want {
			t.Errorf("Error() = %q, want %q", got, tt.want)
		}
	}
}

// TestValidate_isLinear counts allocated bytes, which unlike time are exact: a
// path that is built while a deep fault unwinds must not be copied at each level.
func TestValidate_isLinear(t *testing.T) {
	key := strings.Repeat("k", 1000)
	v := bin("c1")
	for range 1000 {
		v = append(append(bin("81"), str(key)...), v...)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := msgpack.Validate(v, 1000); err == nil {
		t.Error("accepted 0xc1")
	}
	runtime.ReadMemStats(&after)
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(4*len(v)); got > limit {
		t.Errorf("refusing %d bytes allocates %d, want at most %d", len(v), got, limit)
	}
}

func TestValidate_allocatesNothing(t *testing.T) {
	for _, doc := range [][]byte{person(), order(), nested(40), list(str(strings.Repeat("é", 40)), msgpack.AppendDate(nil, 1))} {
		if n := testing.AllocsPerRun(10, func() { msgpack.Validate(doc, 100) }); n != 0 {
			t.Errorf("accepting %x makes %v allocations, want 0", doc, n)
		}
	}
}

// FuzzValidate: any bytes are refused, or measured within their bounds; what
// was measured measures the same alone; Skip and the oracle agree.
func FuzzValidate(f *testing.F) {
	for _, tt := range refusals {
		f.Add(tt.value)
		f.Add(list(person(), tt.value))
	}
	for _, row := range ascending {
		for _, v := range row {
			f.Add(v)
		}
	}
	f.Add(person())
	f.Add(order())
	f.Add(nested(16))
	f.Add(nested(17))
	f.Fuzz(func(t *testing.T, b []byte) {
		const depth = 20
		n, err := msgpack.Validate(b, depth)
		slowN, slowErr := msgpack.ValidateSlowly(b, depth)
		if n != slowN || !reflect.DeepEqual(err, slowErr) {
			t.Fatalf("Validate(%x) = %d, %v; without the quick way %d, %v", b, n, err, slowN, slowErr)
		}
		if err != nil {
			if fault, isFault := err.(*msgpack.Fault); !isFault || fault.Reason == "" || n != 0 {
				t.Fatalf("Validate(%x) = %d, %#v", b, n, err)
			}
			return
		}
		if n <= 0 || n > len(b) {
			t.Fatalf("Validate(%x) = %d, outside [1, %d]", b, n, len(b))
		}
		v := b[:n:n]
		if alone, err := msgpack.Validate(v, depth); alone != n || err != nil {
			t.Fatalf("Validate(%x) = %d, but cut to that length %d, %v", b, n, alone, err)
		}
		if _, err := msgpack.Validate(v[:n-1], depth); err == nil {
			t.Fatalf("Validate(%x) = %d, but it needs no last byte", b, n)
		}
		crowded := append(v, bytes.Repeat([]byte{0xc1}, 100)...)
		if among, err := msgpack.Validate(crowded, depth); among != n || err != nil {
			t.Fatalf("Validate(%x) = %d, but %d, %v with other bytes after it", b, n, among, err)
		}
		if skipped := msgpack.Skip(b); skipped != n {
			t.Fatalf("Validate(%x) = %d, but Skip = %d", b, n, skipped)
		}
		if skipped := msgpack.Skip(v); skipped != n {
			t.Fatalf("Validate(%x) = %d, but Skip alone = %d", b, n, skipped)
		}
		for key, want := range firstFields(v) {
			if got := msgpack.Lookup(v, key); !bytes.Equal(got, want) {
				t.Fatalf("Lookup(%x, %q) = %x, want %x", v, key, got, want)
			}
		}
		if ours, theirs := byUs(t, v), byOracle(t, v); !reflect.DeepEqual(ours, theirs) {
			t.Fatalf("%x reads as %#v, the oracle decodes %#v", v, ours, theirs)
		}
	})
}

// firstFields returns the fields of a map, of equal keys the first, and what
// Lookup must not find: names that are none of its keys.
func firstFields(m []byte) map[string][]byte {
	fields := map[string][]byte{}
	for key, value := range msgpack.Fields(m) {
		if fields[string(key)] == nil {
			fields[string(key)] = value
		}
	}
	for _, key := range slices.Collect(maps.Keys(fields)) {
		for _, other := range []string{key + "x", key[:len(key)/2], "x" + key[:max(0, len(key)-1)]} {
			if _, isKey := fields[other]; !isKey {
				fields[other] = nil
			}
		}
	}
	return fields
}
