package msgpack

// Kind is a value's rank in the total order over values.
type Kind uint8

// The kinds, in order. Ints and floats of every width are one kind.
const (
	Missing Kind = iota // no value at all: an empty slice
	Null
	False
	True
	Number
	String
	Bytes
	Date
	Array
	Map
)

// kinds maps a value's first byte to its kind; Missing marks bytes that start
// no document value.
var kinds = func() (t [256]Kind) {
	fill := func(kind Kind, first, last int) {
		for c := first; c <= last; c++ {
			t[c] = kind
		}
	}
	fill(Number, 0, posFixedNumHigh)
	fill(Map, fixedMapLow, fixedMapHigh)
	fill(Array, fixedArrayLow, fixedArrayHigh)
	fill(String, fixedStrLow, fixedStrHigh)
	t[codeNil], t[codeFalse], t[codeTrue] = Null, False, True
	fill(Bytes, codeBin8, codeBin32)
	fill(Number, codeFloat, codeInt64)
	t[codeFixExt4], t[codeFixExt8], t[codeExt8] = Date, Date, Date
	fill(String, codeStr8, codeStr32)
	fill(Array, codeArray16, codeArray32)
	fill(Map, codeMap16, codeMap32)
	fill(Number, negFixedNumLow, 0xff)
	return t
}()

// KindOf returns the kind of v, Missing if v is empty.
func KindOf(v []byte) Kind {
	if len(v) == 0 {
		return Missing
	}
	return kinds[v[0]]
}

var kindNames = [...]string{"missing", "null", "false", "true", "number", "string", "bytes", "date", "array", "map"}

func (k Kind) String() string { return kindNames[k] }
