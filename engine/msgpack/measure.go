package msgpack

import "encoding/binary"

const (
	window = 1 + 32
	levels = 16
)

func measure(b []byte, maxDepth int) int {
	var outer [levels]uint
	pos, depth := 0, 0
	state := uint(1 << 1)
	for {
		for state < 2 {
			if depth == 0 {
				return pos
			}
			depth--
			state = outer[depth&(levels-1)]
		}
		isKey := state & ^(state >> 1)
		if len(b)-pos >= window {
			w := (*[window]byte)(b[pos:])
			q := &quick[w[0]]
			m := &ascii[q.text&31]
			first := binary.LittleEndian.Uint64(w[1:])
			odd := first&m[0] | binary.LittleEndian.Uint64(w[9:])&m[1] |
				binary.LittleEndian.Uint64(w[17:])&m[2] | binary.LittleEndian.Uint64(w[25:])&m[3]
			odd |= uint64(q.odd) | uint64(isKey)&uint64(q.noKey)
			if odd == 0 && first != protoWord {
				pos += int(q.size)
				state -= 2
				continue
			}
		}
		if pos >= len(b) {
			return 0
		}
		c := b[pos]
		if c&0xe0 == fixedMapLow && isKey&1 == 0 {
			if depth >= levels-1 || depth >= maxDepth {
				return 0
			}
			outer[depth&(levels-1)] = state - 2
			depth++
			pos++
			state = uint(c&15) << 1
			if c < fixedArrayLow {
				state = state<<1 | 1
			}
			continue
		}
		q := &quick[c]
		n := int(q.size)
		if q.odd|q.noKey&uint8(isKey) == 0 && n <= len(b)-pos && n != 10 && isASCII(b[pos+1:pos+n]) {
			pos += n
			state -= 2
			continue
		}
		n = leaf(b[pos:], isKey&1)
		if n == 0 {
			return 0
		}
		pos += n
		state -= 2
	}
}

func leaf(b []byte, isKey uint) int {
	if isKey != 0 && kinds[b[0]] != String {
		return 0
	}
	n, _ := scalar(b)
	if isKey != 0 && string(Str(b)) == proto {
		return 0
	}
	return n
}

const protoWord = 0x5f6f746f72705f5f // the first 8 bytes of "__proto__"

var quick = func() (t [256]struct{ size, text, odd, noKey uint8 }) {
	for c := range t {
		t[c].noKey = 1
		if layouts[c].isWhole() && kinds[c] != Date {
			t[c].size = uint8(layouts[c].size())
		} else {
			t[c].odd = 1
		}
		if c >= fixedStrLow && c <= fixedStrHigh {
			t[c].text = uint8(c - fixedStrLow)
			t[c].noKey = 0
		}
	}
	return t
}()

var ascii = func() (t [32][4]uint64) {
	for n := range t {
		for i := range n {
			t[n][i/8] |= 0x80 << (i % 8 * 8)
		}
	}
	return t
}()
