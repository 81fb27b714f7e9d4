package msgpack

import (
	"encoding/binary"
	"unicode/utf8"
)

const window = 1 + 32
const levels = 16

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
		if len(b)-pos >= window {
			w := (*[window]byte)(b[pos:])
			q := &quick[w[0]]
			m := &ascii[q.text&31]
			first := binary.LittleEndian.Uint64(w[1:])
			odd := first&m[0] | binary.LittleEndian.Uint64(w[9:])&m[1] |
				binary.LittleEndian.Uint64(w[17:])&m[2] | binary.LittleEndian.Uint64(w[25:])&m[3]
			isKey := state & ^(state >> 1)
			odd |= uint64(q.odd) | uint64(isKey)&uint64(q.noKey)
			if odd == 0 && first != proto {
				pos += int(q.size)
				state -= 2
				continue
			}
		}
		if pos >= len(b) {
			return 0
		}
		isKey := state & ^(state >> 1) & 1
		c := b[pos]
		if c&0xe0 == fixedMapLow {
			if depth >= levels-1 || depth >= maxDepth || isKey != 0 {
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
		n := leaf(b[pos:], isKey != 0)
		if n == 0 {
			return 0
		}
		state -= 2
		pos += n
	}
}

func leaf(b []byte, isKey bool) int {
	q := &quick[b[0]]
	n := int(q.size)
	if isKey && q.noKey != 0 {
		return 0
	}
	if n > len(b) {
		return 0
	}
	if q.text == 0 {
		if q.odd != 0 {
			v := validator{b: b}
			if !v.value(0) {
				return 0
			}
			return v.pos
		}
		return n
	}
	if !utf8.Valid(b[1:n]) || n == 10 && isKey && string(b[1:n]) == "__proto__" {
		return 0
	}
	return n
}

const proto = 0x5f6f746f72705f5f // the first 8 bytes of "__proto__"

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
