package msgpack

import "encoding/binary"

// measure returns the length of the first value in b if Validate accepts it,
// and 0 if it does not or if only a validator can tell.
//
// Every document that is inserted or replayed goes through here, so the loop
// passes the values that documents mostly hold, numbers and short ASCII text,
// without a branch that depends on them, and goes down into containers without
// a call: in wasm as Go compiles it, a taken branch is an indirect jump.
func measure(b []byte, maxDepth int) int {
	var outer [16]run
	depth, pos := 0, 0
	r := oneValue
	for {
		for r.done() {
			if depth == 0 {
				return pos
			}
			depth--
			r = outer[depth&15]
		}
		isKey := r.isKey()
		if len(b)-pos >= simpleWindow {
			// All 32 bytes are looked at, and then masked, whatever they are.
			w := (*[simpleWindow]byte)(b[pos:])
			s := &simple[w[0]]
			high := &highBits[s.text&31]
			head := binary.LittleEndian.Uint64(w[1:])
			odd := head&high[0] | binary.LittleEndian.Uint64(w[9:])&high[1] |
				binary.LittleEndian.Uint64(w[17:])&high[2] | binary.LittleEndian.Uint64(w[25:])&high[3] |
				uint64(s.odd) | uint64(s.noKey)&isKey
			if odd == 0 && head != protoHead {
				pos += int(s.size)
				r = r.next()
				continue
			}
		} else if pos == len(b) {
			return 0
		}

		c := b[pos]
		kind := kinds[c]
		if kind >= Array && isKey&1 == 0 {
			count, header := int(c&0x0f), 1
			if c >= codeArray16 {
				count, header = checkedHeader(b[pos:])
			}
			if header == 0 || depth >= min(maxDepth, len(outer)) {
				return 0
			}
			outer[depth&15] = r.next() // the mask says what the line above did
			depth++
			pos += header
			r = runOf(kind, count)
			continue
		}
		size, reason := scalar(b[pos:])
		if reason != "" || isKey&1 != 0 && (kind != String || string(Str(b[pos:])) == proto) {
			return 0
		}
		pos += size
		r = r.next()
	}
}

// A run is what is left of a container: twice the number of values, keys
// counted as values, plus one in a map. So in a map a key is next if the number
// of values left is even, which takes no branch to see.
type run uint64

const oneValue run = 2

func runOf(container Kind, count int) run {
	if container == Map {
		return run(count)<<2 | 1
	}
	return run(count) << 1
}

func (r run) next() run  { return r - 2 }
func (r run) done() bool { return r < 2 }

// isKey has its lowest bit set if a key is next.
func (r run) isKey() uint64 { return uint64(r &^ (r >> 1)) }

// simpleWindow is how far measure looks for a simple value at once: a first
// byte and the longest text whose length is in it, in whole words.
const simpleWindow = 1 + 32

// simple says of each first byte what measure must know to pass the value.
var simple = func() (t [256]struct {
	size  uint8 // length, if it is not odd
	text  uint8 // how many bytes after the first are text
	odd   uint8 // 1 if it takes more than this table and the text to check it
	noKey uint8 // 1 if it starts no text
}) {
	for c := range t {
		s := &t[c]
		s.noKey = 1
		switch {
		case c >= fixedStrLow && c <= fixedStrHigh:
			s.text = uint8(c - fixedStrLow)
			s.noKey = 0
			fallthrough
		case layouts[c].isWhole() && kinds[c] <= Number:
			s.size = uint8(layouts[c].size())
		default:
			s.odd = 1
		}
	}
	return t
}()

// highBits masks the high bits of the first n bytes of four words.
var highBits = func() (t [maxFixedStr + 1][4]uint64) {
	for n := range t {
		for i := range n {
			t[n][i/8] |= 0x80 << (i % 8 * 8)
		}
	}
	return t
}()

// protoHead is the first 8 of the 9 bytes of proto, little-endian.
const protoHead = 0x5f6f746f72705f5f
