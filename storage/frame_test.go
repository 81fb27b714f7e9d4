package storage

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

var sample = header{kind: kindBatch, seq: 0x0102030405060708, identity: TestIdentity, writer: Writer{'w', 'r', 'i', 't', 'e', 'r', '0', '1'}}

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
	continuing := sample
	continuing.continues = true
	for _, tt := range []struct {
		h    header
		want string
	}{{sample, "0000"}, {continuing, "0100"}} {
		frame := newFrame(tt.h, [][]byte{[]byte("he"), []byte("llo")})
		want := "41744442" + // AtDB
			"02" + "01" + tt.want + // version, batch, flags and reserved
			"0807060504030201" + // seq
			"6964656e746974792031323334353637" + // identity
			hex.EncodeToString(frame[0][32:40]) + // checksum
			"7772697465723031" + // writer
			"68656c6c6f"
		if got := hex.EncodeToString(bytes.Join(frame, nil)); got != want {
			t.Errorf("frame is %s, want %s", got, want)
		}
		signed := bytes.Join(frame, nil)
		sign(signed)
		if !frame.equal(signed) {
			t.Errorf("the checksum is not that of every version")
		}
	}
}

// TestFrame_version1 reads bytes of version 1, written by hand.
func TestFrame_version1(t *testing.T) {
	b, err := hex.DecodeString("41744442" + // AtDB
		"01" + "01" + "0000" + // version, batch, reserved
		"0807060504030201" + // seq
		"7772697465723031" + // writer
		"0500000000000000" + // length
		"2a1d7d7169ae7931" + // checksum
		"68656c6c6f")
	if err != nil {
		t.Fatal(err)
	}
	want := sample
	want.identity = Identity{}
	h, payload, err := parseFrame(b)
	want.checksum = h.checksum
	if err != nil || h != want || string(payload) != "hello" || !bytes.Equal(frame1(h, payload), b) {
		t.Errorf("read %+v %q, %v", h, payload, err)
	}
	if IdentityOf(b) != (Identity{}) {
		t.Error("version 1 has an identity")
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
		{"a later version", atVersion, 3, engine.CodeUnsupported},
		{"an unknown flag", atFlags, 2, engine.CodeCorrupt},
		{"no kind", atKind, 0, engine.CodeCorrupt},
		{"another kind", atKind, 3, engine.CodeCorrupt},
		{"a reserved byte", atReserved, 1, engine.CodeCorrupt},
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
	snapshot := sample
	snapshot.kind, snapshot.continues = kindSnapshot, true
	nameless := sample
	nameless.identity = Identity{}
	cut := bytes.Join(newFrame(sample, nil), nil)[:headerSize-1]
	sign(cut)
	length := frame1(sample, []byte("payload"))
	length[atLength1] = 6
	sign(length)
	flagged := frame1(sample, nil)
	flagged[atFlags] = 1
	sign(flagged)
	for name, b := range map[string][]byte{
		"a snapshot that continues":   bytes.Join(newFrame(snapshot, nil), nil),
		"no identity":                 bytes.Join(newFrame(nameless, nil), nil),
		"half a writer":               cut,
		"another length of version 1": length,
		"a flag of version 1":         flagged,
	} {
		if _, _, err := parseFrame(b); !errors.Is(err, engine.CodeCorrupt) {
			t.Errorf("%s: got %v, want corrupt", name, err)
		}
	}
}

// FuzzFrame: any bytes are refused, or newFrame makes exactly these bytes of what
// was parsed. Each input is tried with its own checksum and with the right one,
// which random bytes would never have.
func FuzzFrame(f *testing.F) {
	good := bytes.Join(newFrame(sample, [][]byte{[]byte("payload")}), nil)
	f.Add(good)
	f.Add(good[:headerSize])
	f.Add(good[:headerSize-1])
	f.Add(frame1(sample, []byte("payload")))
	f.Fuzz(func(t *testing.T, b []byte) {
		check := func(b []byte) {
			h, payload, err := parseFrame(b)
			if err != nil {
				if code := engine.CodeOf(err); code != engine.CodeCorrupt && code != engine.CodeUnsupported {
					t.Fatalf("parseFrame(%x) failed with %v", b, err)
				}
				return
			}
			frame := newFrame(h, [][]byte{payload})
			if h.isVersion1() {
				frame = Frame{frame1(h, payload)}
			}
			if !frame.equal(b) {
				t.Fatalf("%x was read as %+v, which is written as %x", b, h, bytes.Join(frame, nil))
			}
			if IdentityOf(b) != h.identity {
				t.Fatalf("%x has the identity %x, and IdentityOf returns %x", b, h.identity, IdentityOf(b))
			}
			if moved, _, err := parseFrame(WithIdentity(b, fileIdentity)); err != nil || !h.isVersion1() && moved.identity != fileIdentity {
				t.Fatalf("%x with another identity: %+v, %v", b, moved, err)
			}
		}
		check(b)
		if len(b) >= headerSize1 {
			b = bytes.Clone(b)
			copy(b, frameMagic)
			sign(b)
			check(b)
		}
	})
}
