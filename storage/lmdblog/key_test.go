//go:build cgo && !js

package lmdblog

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// TestKeyOf compares with ordered-binary, which encodes the keys of the npm package
// lmdb.
func TestKeyOf(t *testing.T) {
	for seq, want := range map[uint64]string{
		1: "13ff0000", 2: "14000000", 3: "14008000", 4: "14010000", 255: "1406fe00", 1000: "1408f400",
		65535: "140efffe", 65537: "140f0001", 1<<20 - 1: "1412ffffe000", 1 << 20: "14130000", 1 << 31: "141e0000",
		1<<32 - 1: "141efffffffe", 1<<33 + 1: "1420000000008000", 1<<40 + 1: "1427000000000100",
		1<<48 - 1: "142efffffffffffe", 1<<52 + 1: "143300000000000010", 1<<53 - 2: "1433ffffffffffffe0",
		1<<53 - 1: "1433fffffffffffff0",
	} {
		if got := hex.EncodeToString(keyOf(seq)); got != want {
			t.Errorf("the key of %d is %s, want %s", seq, got, want)
		}
		if got, ok := seqOf(keyOf(seq)); got != seq || !ok {
			t.Errorf("the key of %d is read as %d, %t", seq, got, ok)
		}
	}
}

func TestKeyOf_order(t *testing.T) {
	for step := uint64(1); step < maxSeq; step = step*5/2 + 1 {
		for seq := step; seq < min(step+100, maxSeq); seq++ {
			if bytes.Compare(keyOf(seq), keyOf(seq+1)) >= 0 {
				t.Fatalf("the key of %d is %x, that of the next %x", seq, keyOf(seq), keyOf(seq+1))
			}
		}
	}
}

func FuzzSeqOf(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("name"))
	f.Add([]byte{0x10, 0, 0, 0})                   // 0
	f.Add([]byte{0x13, 0xfe, 0, 0})                // a half
	f.Add([]byte{0x13, 0xff, 0, 0, 0, 0})          // 1, too long
	f.Add([]byte{0x17, 0xff, 0, 0})                // infinity
	f.Add([]byte{0x17, 0xff, 0x80, 0})             // not a number
	f.Add([]byte{0x14, 0x34, 0, 0})                // 2 to the power of 53
	f.Add([]byte{0x53, 0xff, 0, 0})                // a bit too many
	f.Add([]byte{0x13, 0xff, 0, 0, 0, 0, 0, 0, 1}) // a bit that no number has
	f.Fuzz(func(t *testing.T, key []byte) {
		seq, ok := seqOf(key)
		if ok && (seq == 0 || seq > maxSeq || !bytes.Equal(keyOf(seq), key)) {
			t.Errorf("%x is read as %d", key, seq)
		}
	})
}
