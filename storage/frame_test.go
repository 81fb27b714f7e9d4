package storage

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/atomicdb-go/atomicdb/engine"
)

var sample = header{kind: kindBatch, seq: 0x0102030405060708, writer: Writer{'w', 'r', 'i', 't', 'e', 'r', '0', '1'}}

func TestFrame_roundTrip(t *testing.T) {
	for _, tt := range []struct {
		name    string
		kind    frameKind
		payload [][]byte
	}{
		{"batch", kindBatch, [][]byte{[]byte("payload")}},
		{"snapshot", kindSnapshot, [][]byte{[]byte("pay"), {}, []byte("load")}},
		{"empty", kindBatch, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := sample
			want.kind = tt.kind
			frame := newFrame(want, tt.payload)
			want.checksum = frame.checksum()
			stored := bytes.Join(frame, nil)
			got, payload, err := parseFrame(stored)
			if err != nil {
				t.Fatal(err)
			}
			if got != want || !bytes.Equal(payload, bytes.Join(tt.payload, nil)) {
				t.Errorf("read %+v %q, want %+v %q", got, payload, want, tt.payload)
			}
			if frame.Len() != len(stored) || !frame.equal(stored) {
				t.Error("the frame does not equal its own bytes")
			}
			if frame.equal(stored[:len(stored)-1]) || frame.equal(append(stored, 0)) {
				t.Error("the frame equals bytes of another length")
			}
		})
	}
}

// TestFrame_format compares the table of FORMAT.md with bytes written by hand. It
// must never change: stored databases look like this.
func TestFrame_format(t *testing.T) {
	frame := newFrame(sample, [][]byte{[]byte("he"), []byte("llo")})
	want := "41744442" + // AtDB
		"01" + "01" + "0000" + // version, batch, reserved
		"0807060504030201" + // seq
		"7772697465723031" + // writer
		"0500000000000000" + // length
		"2a1d7d7169ae7931" + // checksum
		"68656c6c6f"
	if got := hex.EncodeToString(bytes.Join(frame, nil)); got != want {
		t.Errorf("frame is %s, want %s", got, want)
	}
}

func TestParseFrame_refusesEveryFlippedBit(t *testing.T) {
	good := bytes.Join(newFrame(sample, [][]byte{[]byte("payload")}), nil)
	for bit := range len(good) * 8 {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, _, err := parseFrame(bad); !errors.Is(err, engine.CodeCorrupt) {
			t.Fatalf("bit %d of byte %d flipped: got %v, want corrupt", bit%8, bit/8, err)
		}
	}
}

func TestParseFrame_refusesEveryOtherLength(t *testing.T) {
	good := bytes.Join(newFrame(sample, [][]byte{[]byte("payload")}), nil)
	for n := range good {
		if _, _, err := parseFrame(good[:n]); !errors.Is(err, engine.CodeCorrupt) {
			t.Fatalf("cut to %d bytes: got %v, want corrupt", n, err)
		}
	}
	if _, _, err := parseFrame(append(good, 0)); !errors.Is(err, engine.CodeCorrupt) {
		t.Fatalf("one byte longer: got %v, want corrupt", err)
	}
}

func TestParseFrame_refusesWhatItDoesNotKnow(t *testing.T) {
	for _, tt := range []struct {
		name   string
		at     int
		value  byte
		reason engine.Code
	}{
		{"a later version", atVersion, 2, engine.CodeUnsupported},
		{"no kind", atKind, 0, engine.CodeCorrupt},
		{"another kind", atKind, 3, engine.CodeCorrupt},
		{"a reserved byte", atReserved, 1, engine.CodeCorrupt},
		{"the other reserved byte", atReserved + 1, 1, engine.CodeCorrupt},
		{"another length", atLength, 6, engine.CodeCorrupt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := bytes.Join(newFrame(sample, [][]byte{[]byte("payload")}), nil)
			b[tt.at] = tt.value
			sign(b)
			if _, _, err := parseFrame(b); !errors.Is(err, tt.reason) {
				t.Errorf("got %v, want %s", err, tt.reason)
			}
		})
	}
}

// sign gives b the checksum of its bytes.
func sign(b []byte) {
	digest := xxhash.New()
	digest.Write(b[:atChecksum])
	digest.Write(b[headerSize:])
	binary.LittleEndian.PutUint64(b[atChecksum:], digest.Sum64())
}

// FuzzFrame: any bytes are refused, or newFrame makes exactly these bytes of what
// was parsed. Each input is tried with its own checksum and with the right one,
// which random bytes would never have.
func FuzzFrame(f *testing.F) {
	good := bytes.Join(newFrame(sample, [][]byte{[]byte("payload")}), nil)
	f.Add(good)
	f.Add(good[:headerSize])
	f.Add(good[:headerSize-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		check := func(b []byte) {
			h, payload, err := parseFrame(b)
			if err != nil {
				if code := engine.CodeOf(err); code != engine.CodeCorrupt && code != engine.CodeUnsupported {
					t.Fatalf("parseFrame(%x) failed with %v", b, err)
				}
				return
			}
			if frame := newFrame(h, [][]byte{payload}); !frame.equal(b) {
				t.Fatalf("%x was read as %+v, which is written as %x", b, h, bytes.Join(frame, nil))
			}
		}
		check(b)
		if len(b) >= headerSize {
			b = bytes.Clone(b)
			copy(b, frameMagic)
			sign(b)
			check(b)
		}
	})
}
