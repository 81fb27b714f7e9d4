package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine"
)

// An Identity tells a database from every other. It is random bytes, chosen when
// the first batch is stored, and in every record from then on. Zero is none:
// version 1 of the format has no identities.
type Identity [16]byte

// An Identified Log has an identity of its own, which a database that begins in it
// takes.
type Identified interface {
	Identity() Identity
}

// IdentityOf returns the identity in a record as a Log holds it: a frame, or an
// envelope, which has it unencrypted. It is zero if the record has none, and for
// bytes that are no record. It checks nothing else.
func IdentityOf(record []byte) (identity Identity) {
	const atSealedIdentity = 20
	switch {
	case len(record) >= headerSize && string(record[:atVersion]) == frameMagic && record[atVersion] == frameVersion:
		return Identity(record[atIdentity:])
	case len(record) >= atSealedIdentity+len(identity) && string(record[:atVersion]) == sealedMagic && record[atVersion] == 2:
		return Identity(record[atSealedIdentity:])
	}
	return identity
}

// IsForeign reports whether frame and a record that a Log holds are of two
// databases. The record is the one before frame, and Append returns CodeConflict
// then; or it is the one that frame is to replace, and Compact does nothing.
// Somebody has deleted the data of the session, and created other data in its
// place. The first bytes of the record are enough.
func IsForeign(held []byte, frame Frame) bool {
	if len(frame) == 0 {
		return false
	}
	a, b := IdentityOf(held), IdentityOf(frame[0])
	return a != b && a != Identity{} && b != Identity{}
}

// WithIdentity returns a record as one of another database. Bytes that are no
// frame with an identity are returned as they are. A frame whose checksum is wrong
// keeps it: it is as damaged as before.
func WithIdentity(record []byte, identity Identity) []byte {
	if isEnvelope(record) || IdentityOf(record) == (Identity{}) {
		return record
	}
	_, _, err := parseFrame(record)
	b := bytes.Clone(record)
	copy(b[atIdentity:], identity[:])
	if err == nil {
		binary.LittleEndian.PutUint64(b[atChecksum:], checksumOf(b))
	}
	return b
}

// WithIdentities makes the records of a log those of another database, so that
// nobody takes one of the two for the other. Records of a third database and those
// in envelopes stay as they are, and so do all if one of the database is in an
// envelope.
func WithIdentities(records []Record, identity Identity) {
	own := IdentityOfMost(records)
	if slices.ContainsFunc(records, func(r Record) bool { return isEnvelope(r.Bytes) && IdentityOf(r.Bytes) == own }) {
		return // compression leaves small frames without an envelope, and all records have one identity
	}
	for i, r := range records {
		if IdentityOf(r.Bytes) == own {
			records[i].Bytes = WithIdentity(r.Bytes, identity)
		}
	}
}

// A census counts the records of each identity, in the order of the log.
type census struct {
	seen   []Identity
	counts map[Identity]int
}

// add counts a record, unless it has no identity.
func (c *census) add(identity Identity) {
	if identity == (Identity{}) {
		return
	}
	if c.counts == nil {
		c.counts = map[Identity]int{}
	}
	if c.counts[identity] == 0 {
		c.seen = append(c.seen, identity)
	}
	c.counts[identity]++
}

// most returns the identity that most records have, of several the one that came
// first, or zero. It is that of the database: records of others have come in by
// somebody's mistake.
func (c *census) most() (most Identity) {
	for _, identity := range c.seen {
		if c.counts[identity] > c.counts[most] {
			most = identity
		}
	}
	return most
}

// IdentityOfMost returns the identity of the database that records are of: the one
// that most of them have. It is zero if none has one.
func IdentityOfMost(records []Record) Identity {
	var c census
	for _, r := range records {
		c.add(IdentityOf(r.Bytes))
	}
	return c.most()
}

// errOtherDatabase is the cause of a CodeCorrupt about a record that is sound, and
// not of this database.
var errOtherDatabase = errors.New("it is of another database")

// errNoIdentity is that of a record of version 1 that follows one of version 2. A
// session of an older AtomicDB cannot have appended it: it refuses the record
// before.
var errNoIdentity = errors.New("it is of another database, or of an older state of this one: it has no identity, and a record before it has")

// checkIdentity returns CodeCorrupt if the record of h cannot be the next one of
// the database in s.
func (s *state) checkIdentity(h header) error {
	switch {
	case s.identity == Identity{}:
		if continues := s.head > 0; h.isVersion1() || h.kind == kindSnapshot || h.continues == continues {
			return nil
		}
		return identityError(h.seq, errOtherDatabase)
	case h.isVersion1():
		return identityError(h.seq, errNoIdentity)
	case h.identity != s.identity || h.continues:
		return identityError(h.seq, errOtherDatabase)
	}
	return nil
}

//go:noinline
func identityError(seq uint64, why error) error {
	return &engine.Error{Code: engine.CodeCorrupt, Op: "read", Target: batchName(seq), Err: why}
}

func isOfOtherDatabase(err error) bool {
	return errors.Is(err, errOtherDatabase) || errors.Is(err, errNoIdentity)
}

// asReplaced returns err, of a record that is not of this database. If the whole
// log is another database by now, it returns CodeClosed instead, now and for every
// later call: what the caller holds was deleted.
func (s *Session) asReplaced(err error) error {
	if !isOfOtherDatabase(err) {
		return err
	}
	var first Identity
	sound := 0
	_ = s.log.Read(0, func(r Record) error {
		if e, err := verify(r); err == nil {
			sound++
			first = e.identity
		}
		if (first != Identity{}) {
			return errEnough
		}
		return nil
	})
	if sound == 0 || first == s.identity {
		return err
	}
	s.broken = engine.Fail(engine.CodeClosed, "read", "log", "the stored data was deleted, and another database was created in its place; open the database again")
	return s.broken
}

// errEnough ends a Read.
var errEnough = errors.New("enough was read")

// nextHeader returns the header of the batch that the session appends next.
func (s *Session) nextHeader() header {
	h := header{kind: kindBatch, seq: s.head + 1, identity: s.identity, writer: s.opts.Writer}
	if h.isVersion1() {
		h.identity, h.continues = s.newIdentity(), s.head > 0
	}
	return h
}

// newIdentity returns the identity that the session gives to a database that has
// none.
func (s *Session) newIdentity() Identity {
	if (s.opts.Identity == Identity{}) {
		if l, ok := s.log.(Identified); ok {
			s.opts.Identity = l.Identity()
		} else {
			s.opts.Identity = randomIdentity()
		}
	}
	return s.opts.Identity
}

// snapshotOf returns the header of the snapshot that replaces the batch of h.
func (h header) snapshot() header {
	h.kind, h.continues = kindSnapshot, false
	return h
}
