package storage

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"

	"github.com/cespare/xxhash/v2"
)

// TestIdentity is the identity in the frames of FrameBytes.
var TestIdentity = Identity([]byte("identity 1234567"))

// FrameBytes returns a well-formed frame around any payload.
func FrameBytes(seq uint64, snapshot bool, payload []byte) []byte {
	return FrameOf(TestIdentity, seq, snapshot, payload)
}

// FrameOf returns a well-formed frame of a database.
func FrameOf(identity Identity, seq uint64, snapshot bool, payload []byte) []byte {
	h := header{kind: kindBatch, seq: seq, identity: identity}
	if snapshot {
		h.kind = kindSnapshot
	}
	return bytes.Join(newFrame(h, [][]byte{payload}), nil)
}

// FrameOfVersion1 returns a record as an AtomicDB before version 2 has written it,
// of one that this version has.
func FrameOfVersion1(frame []byte) []byte {
	h, payload, err := parseFrame(frame)
	if err != nil {
		panic(err)
	}
	return frame1(h, payload)
}

func frame1(h header, payload []byte) []byte {
	return bytes.Join(newFrame1(h, [][]byte{payload}), nil)
}

// FrameOfLaterVersion returns a frame as a later version may write it.
func FrameOfLaterVersion(frame []byte) []byte {
	b := bytes.Clone(frame)
	b[atVersion]++
	sign(b)
	return b
}

// sign gives b the checksum of its bytes, which has the same place in every version.
func sign(b []byte) {
	digest := xxhash.New()
	digest.Write(b[:32])
	digest.Write(b[40:])
	binary.LittleEndian.PutUint64(b[32:], digest.Sum64())
}

// Envelope returns a frame as a sealed storage stores it, as far as this package
// reads it.
func Envelope(frame []byte) []byte {
	b := append([]byte(sealedMagic), make([]byte, 16)...)
	check := fnv.New32a()
	check.Write(b[:16])
	binary.LittleEndian.PutUint32(b[16:], check.Sum32())
	return append(b, frame...)
}

// MemoryOf returns a log that holds records as they are, also those that Append
// refuses.
func MemoryOf(records []Record) *Memory {
	m := NewMemory()
	m.Put(records)
	return m
}

// Put replaces what the log holds, for all Logs that share it.
func (m *Memory) Put(records []Record) { m.shared.records = records }

// AsNumber returns a frame as one of another number.
func AsNumber(frame []byte, seq uint64) []byte {
	b := bytes.Clone(frame)
	binary.LittleEndian.PutUint64(b[atSeq:], seq)
	sign(b)
	return b
}

// LimitChanges makes sessions keep few changes and read few at a time, until the
// returned function is called.
func LimitChanges(recent, history int) (restore func()) {
	oldRecent, oldHistory := maxRecent, historyBytes
	maxRecent, historyBytes = recent, history
	return func() { maxRecent, historyBytes = oldRecent, oldHistory }
}

// Take returns the next changes of a feed, which are at least so many bytes or the
// rest of a batch; none if there are none at present.
func (f *Feed) Take(bytes int) ([]Change, error) {
	b, ok, err := f.take(bytes)
	if !ok {
		return nil, err
	}
	var changes []Change
	b.yieldTo(func(c Change, _ error) bool {
		changes = append(changes, c)
		return true
	})
	return changes, err
}

// RecentBytes returns how many bytes of changes are kept for feeds.
func (s *Session) RecentBytes() int {
	s.feeds.mu.Lock()
	defer s.feeds.mu.Unlock()
	return s.feeds.size
}
