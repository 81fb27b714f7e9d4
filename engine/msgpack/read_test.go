package msgpack_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// bin returns the bytes that hex digits, with spaces where they help, stand for.
func bin(digits string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func str(s string) []byte { return msgpack.AppendString(nil, s) }

// object returns a map of the fields, which alternate keys and values.
func object(fields ...any) []byte {
	b := msgpack.AppendMap(nil, len(fields)/2)
	for i, f := range fields {
		if i%2 == 0 {
			b = msgpack.AppendString(b, f.(string))
		} else {
			b = append(b, f.([]byte)...)
		}
	}
	return b
}

func list(elements ...[]byte) []byte {
	return append(msgpack.AppendArray(nil, len(elements)), bytes.Join(elements, nil)...)
}

func TestKindOf(t *testing.T) {
	if got := msgpack.KindOf(nil); got != msgpack.Missing {
		t.Errorf("KindOf(nil) = %v, want missing", got)
	}
	for c := range 256 {
		b := byte(c)
		want := msgpack.Missing
		switch {
		case b == msgpcode.Nil:
			want = msgpack.Null
		case b == msgpcode.False:
			want = msgpack.False
		case b == msgpcode.True:
			want = msgpack.True
		case msgpcode.IsFixedNum(b), b >= msgpcode.Uint8 && b <= msgpcode.Int64, b == msgpcode.Float, b == msgpcode.Double:
			want = msgpack.Number
		case msgpcode.IsString(b):
			want = msgpack.String
		case msgpcode.IsBin(b):
			want = msgpack.Bytes
		case b == msgpcode.FixExt4, b == msgpcode.FixExt8, b == msgpcode.Ext8:
			want = msgpack.Date
		case msgpcode.IsFixedArray(b), b == msgpcode.Array16, b == msgpcode.Array32:
			want = msgpack.Array
		case msgpcode.IsFixedMap(b), b == msgpcode.Map16, b == msgpcode.Map32:
			want = msgpack.Map
		}
		if got := msgpack.KindOf([]byte{b}); got != want {
			t.Errorf("KindOf(%#x) = %v, want %v", b, got, want)
		}
	}
}

func TestSkip(t *testing.T) {
	text := func(n int) string { return strings.Repeat("61", n) }
	for _, tt := range []struct {
		name  string
		value []byte
	}{
		{"nil", bin("c0")},
		{"false", bin("c2")},
		{"true", bin("c3")},
		{"positive fixint", bin("7f")},
		{"negative fixint", bin("e0")},
		{"uint 8", bin("cc ff")},
		{"uint 16", bin("cd ffff")},
		{"uint 32", bin("ce ffffffff")},
		{"uint 64", bin("cf ffffffffffffffff")},
		{"int 8", bin("d0 80")},
		{"int 16", bin("d1 8000")},
		{"int 32", bin("d2 80000000")},
		{"int 64", bin("d3 8000000000000000")},
		{"float 32", bin("ca 3fc00000")},
		{"float 64", bin("cb 3ff8000000000000")},
		{"empty fixstr", bin("a0")},
		{"fixstr", bin("a2 6869")},
		{"longest fixstr", bin("bf" + text(31))},
		{"str 8", bin("d9 20" + text(32))},
		{"str 8, empty", bin("d9 00")},
		{"str 16", bin("da 0100" + text(256))},
		{"str 32", bin("db 00000102" + text(258))},
		{"bin 8", bin("c4 02 c1c1")},
		{"bin 16", bin("c5 0002 c1c1")},
		{"bin 32", bin("c6 00000002 c1c1")},
		{"timestamp 32", bin("d6 ff 00000001")},
		{"timestamp 64", bin("d7 ff 0000000000000001")},
		{"timestamp 96", bin("c7 0c ff 00000000 0000000000000001")},
		{"empty fixarray", bin("90")},
		{"fixarray", bin("93 01 02 03")},
		{"array 16", bin("dc 0002 c0 c0")},
		{"array 32", bin("dd 00000002 c0 c0")},
		{"empty fixmap", bin("80")},
		{"fixmap", bin("82 a161 01 a162 02")},
		{"map 16", bin("de 0001 a161 01")},
		{"map 32", bin("df 00000001 a161 01")},
		{"nested", bin("82 a161 92 81 a162 c0 90 a163 80")},
		{"document of 150 bytes", person()},
		{"document of 300 bytes", order()},
		{"deep", append(bytes.Repeat([]byte{0x91}, 100_000), 0xc0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := msgpack.Skip(tt.value); got != len(tt.value) {
				t.Errorf("Skip = %d, want %d", got, len(tt.value))
			}
			// 0x85 would be taken for a map if Skip read on.
			if got := msgpack.Skip(append(tt.value[:len(tt.value):len(tt.value)], 0x85)); got != len(tt.value) {
				t.Errorf("Skip = %d with a byte after the value, want %d", got, len(tt.value))
			}
		})
	}
}

func TestContainer(t *testing.T) {
	for _, tt := range []struct {
		value         string
		count, header int
	}{
		{"90", 0, 1}, {"9f", 15, 1}, {"dc 1234", 0x1234, 3}, {"dd 00123456", 0x123456, 5},
		{"80", 0, 1}, {"8f", 15, 1}, {"de 1234", 0x1234, 3}, {"df 00123456", 0x123456, 5},
		{"", 0, 0}, {"c0", 0, 0}, {"7f", 0, 0}, {"a3 616263", 0, 0}, {"c4 01 61", 0, 0}, {"d6 ff 00000001", 0, 0}, {"e5", 0, 0},
	} {
		if count, header := msgpack.Container(bin(tt.value)); count != tt.count || header != tt.header {
			t.Errorf("Container(%s) = %d, %d, want %d, %d", tt.value, count, header, tt.count, tt.header)
		}
	}
}

func TestLookup(t *testing.T) {
	long := strings.Repeat("long ", 10)
	doc := object(
		"_id", bin("01"),
		"name", str("Ada"),
		"nape", bin("02"), // like name in its length, first and last byte
		"", bin("03"),
		"list", list(bin("c0"), object("inner", bin("04"))),
		long, bin("05"),
		"é", bin("06"),
		"name", bin("07"), // again: the first counts
		"x", person(),
		"last", bin("08"),
	)
	for _, tt := range []struct {
		key  string
		want []byte
	}{
		{"_id", bin("01")},
		{"name", str("Ada")},
		{"nape", bin("02")},
		{"", bin("03")},
		{"list", list(bin("c0"), object("inner", bin("04")))},
		{long, bin("05")},
		{"é", bin("06")},
		{"x", person()},
		{"last", bin("08")},
		{"Name", nil},
		{"nam", nil},
		{"names", nil},
		{"nawe", nil},
		{"inner", nil}, // is a field, but not of doc itself
		{"Ada", nil},   // is text, but no key
		{long + " ", nil},
		{strings.Repeat("x", 300), nil},
	} {
		if got := msgpack.Lookup(doc, tt.key); !bytes.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
			t.Errorf("Lookup(%q) = %x, want %x", tt.key, got, tt.want)
		}
	}

	t.Run("key in a longer encoding than it needs", func(t *testing.T) {
		for _, key := range []string{"d9 01 61", "da 0001 61", "db 00000001 61"} {
			doc := bin("82 a162 01" + key + "02")
			if got := msgpack.Lookup(doc, "a"); !bytes.Equal(got, bin("02")) {
				t.Errorf("Lookup(%x) = %x, want 02", doc, got)
			}
			doc = bin("82" + key + "01 a162 02")
			if got := msgpack.Lookup(doc, "b"); !bytes.Equal(got, bin("02")) {
				t.Errorf("Lookup(%x) = %x, want 02", doc, got)
			}
		}
	})

	t.Run("map of 16 and 32 bits", func(t *testing.T) {
		for _, header := range []string{"de 0002", "df 00000002"} {
			if got := msgpack.Lookup(bin(header+"a161 01 a162 02"), "b"); !bytes.Equal(got, bin("02")) {
				t.Errorf("after %s: %x, want 02", header, got)
			}
		}
	})

	t.Run("what is no map has no fields", func(t *testing.T) {
		for _, v := range [][]byte{nil, bin("c0"), bin("93 a161 a161 a161"), bin("80"), str("a")} {
			if got := msgpack.Lookup(v, "a"); got != nil {
				t.Errorf("Lookup(%x) = %x, want nil", v, got)
			}
		}
	})

	t.Run("appending to the result leaves the document alone", func(t *testing.T) {
		doc := object("a", bin("01"), "b", bin("02"))
		_ = append(msgpack.Lookup(doc, "a"), 0xff)
		if want := object("a", bin("01"), "b", bin("02")); !bytes.Equal(doc, want) {
			t.Errorf("the document became %x, want %x", doc, want)
		}
	})
}

func TestReadersOfOtherKinds(t *testing.T) {
	for _, tt := range []struct {
		value                 string
		isStr, isBin, isDate  bool
		isInt, isInt64, isDbl bool
	}{
		{value: ""}, {value: "c0"}, {value: "c2"}, {value: "c3"}, {value: "90"}, {value: "80"},
		{value: "a161", isStr: true}, {value: "d9 01 61", isStr: true}, {value: "da 0001 61", isStr: true}, {value: "db 00000001 61", isStr: true},
		{value: "c4 01 61", isBin: true}, {value: "c5 0001 61", isBin: true}, {value: "c6 00000001 61", isBin: true},
		{value: "d6 ff 00000001", isDate: true},
		{value: "01", isInt: true, isInt64: true}, {value: "ff", isInt: true, isInt64: true},
		{value: "cf 7fffffffffffffff", isInt: true, isInt64: true}, {value: "cf 8000000000000000", isInt: true},
		{value: "ca 3f800000", isDbl: true}, {value: "cb 3ff0000000000000", isDbl: true},
	} {
		v := bin(tt.value)
		if got := msgpack.Str(v); (got != nil) != tt.isStr || tt.isStr && string(got) != "a" {
			t.Errorf("Str(%s) = %q", tt.value, got)
		}
		if got := msgpack.Bin(v); (got != nil) != tt.isBin || tt.isBin && string(got) != "a" {
			t.Errorf("Bin(%s) = %q", tt.value, got)
		}
		if s, n := msgpack.Time(v); (s == 1) != tt.isDate || n != 0 {
			t.Errorf("Time(%s) = %d, %d", tt.value, s, n)
		}
		if got := msgpack.IsInt(v); got != tt.isInt {
			t.Errorf("IsInt(%s) = %t", tt.value, got)
		}
		if n, ok := msgpack.Int(v); ok != tt.isInt64 {
			t.Errorf("Int(%s) = %d, %t", tt.value, n, ok)
		}
		if got := msgpack.IsDouble(v); got != tt.isDbl {
			t.Errorf("IsDouble(%s) = %t", tt.value, got)
		}
		if x := msgpack.Float(v); math.IsNaN(x) == (tt.isInt || tt.isDbl) {
			t.Errorf("Float(%s) = %g", tt.value, x)
		}
	}
}

func TestDateMillis(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  float64
	}{
		{"d6 ff 00000001", 1000},
		{"d7 ff 0000000000000001", 1000},
		{"c7 0c ff 00000000 0000000000000001", 1000},
		{"d7 ff 7a120000 00000000", 512},                   // nanoseconds fill the upper 30 bits
		{"d7 ff ee6b27ff ffffffff", 17179869184000 - 1e-6}, // the last instant of this encoding
		{"c7 0c ff 1dcd6500 ffffffffffffffff", -500},       // half a second after -1 s
		{"c7 0c ff 00000000 fffffffffffffc18", -1_000_000},
	} {
		if got := msgpack.DateMillis(bin(tt.value)); got != tt.want {
			t.Errorf("DateMillis(%s) = %v, want %v", tt.value, got, tt.want)
		}
	}
}
