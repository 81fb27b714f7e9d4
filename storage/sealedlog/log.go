package sealedlog

import (
	"bytes"
	"crypto/rand"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// Options say how records are sealed. The zero value seals nothing, and opens what is
// compressed.
type Options struct {
	// Key encrypts records, and refuses those that are not encrypted with it. nil: they
	// are not encrypted.
	Key *Key
	// CompressionLevel is that of zlib, from 1 (fast) to 9 (small). 0: not compressed.
	CompressionLevel int
	// MaxUnpackedBytes is how many bytes a compressed record may have when it is
	// decompressed. 0: 64 MiB, or 200 times its compressed bytes, and 512 MiB at most.
	MaxUnpackedBytes int64
}

// New returns a Log that seals what it gives to another, and owns that. It is a
// storage.Watcher, or a storage.TornTail and storage.Replacer, if the other is. The error has CodeInvalid; the
// other Log is closed then.
func New(log storage.Log, opts Options) (storage.Log, error) {
	if opts.CompressionLevel < 0 || opts.CompressionLevel > 9 {
		log.Close()
		return nil, engine.Fail(engine.CodeInvalid, "seal", "CompressionLevel", "expected 0 to 9, found "+strconv.Itoa(opts.CompressionLevel))
	}
	if opts.MaxUnpackedBytes < 0 {
		log.Close()
		return nil, engine.Fail(engine.CodeInvalid, "seal", "MaxUnpackedBytes", "it is below 0")
	}
	sealed := &sealedLog{Log: log, opts: opts}
	tornTail, canTear := log.(storage.TornTail)
	replacer, canReplace := log.(storage.Replacer)
	if canTear && canReplace {
		sealed.canTear = true
		return &sealedFile{sealed, tornTail, replacer}, nil
	}
	if watcher, ok := log.(storage.Watcher); ok {
		return &sealedWatcher{sealed, watcher}, nil
	}
	return sealed, nil
}

// A sealedLog is a Log around another. As that, it is for one goroutine at a time.
type sealedLog struct {
	storage.Log
	opts    Options
	canTear bool
	proven  *derivation // that of a record that was opened: all records of a database have one
}

// A sealedFile is a sealedLog around a file, which a crash can tear.
type sealedFile struct {
	*sealedLog
	tornTail storage.TornTail
	replacer storage.Replacer
}

// A sealedWatcher is a sealedLog around one that tells of the records of others.
type sealedWatcher struct {
	*sealedLog
	watcher storage.Watcher
}

var (
	_ storage.Log        = (*sealedLog)(nil)
	_ storage.Watcher    = (*sealedWatcher)(nil)
	_ storage.Identified = (*sealedLog)(nil)
	_ storage.Salvager   = (*sealedLog)(nil)
	_ storage.TornTail   = (*sealedFile)(nil)
	_ storage.Replacer   = (*sealedFile)(nil)
)

// Read implements storage.Log.
func (l *sealedLog) Read(after uint64, visit func(storage.Record) error) error {
	return l.Log.Read(after, func(r storage.Record) error {
		frame, err := l.unseal(r.Bytes)
		if err != nil && l.canTear && l.isTorn(r, err) {
			frame, err = spoilt(r.Bytes), nil // the session cuts it off if it is the last
		}
		if err != nil {
			return at(r.Seq, err)
		}
		if len(r.Bytes) > 0 { // as if the others were compressed as well as this one
			r.Rest = int64(float64(r.Rest) * float64(len(frame)) / float64(len(r.Bytes)))
		}
		r.Bytes = frame
		return visit(r)
	})
}

// isTorn reports whether a crash may have left the record that could not be opened for
// err: its header is damaged, or it is not what another record has proved the key of.
func (l *sealedLog) isTorn(r storage.Record, err error) bool {
	switch engine.CodeOf(err) {
	case engine.CodeCorrupt:
		return !r.Snapshot
	case engine.CodeDecrypt:
		return !r.Snapshot && l.proven != nil && bytes.HasPrefix(r.Bytes, []byte(magic))
	}
	return false
}

// spoilt returns bytes that no session takes for a frame or an envelope; spoilt again,
// they are the same as before. Zeros stay: a session knows what they mean.
func spoilt(b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) > 0 && b[0] != 0 {
		b[0] ^= 0x80
	}
	return b
}

// at returns the error of a record.
func at(seq uint64, err error) error {
	return &engine.Error{Code: engine.CodeOf(err), Op: "read", Target: "record " + strconv.FormatUint(seq, 10), Err: err}
}

// Salvage implements storage.Salvager. A record that cannot be opened is visited without
// bytes. The error has CodeDecrypt if no record proves that the key is the right one.
func (l *sealedLog) Salvage(visit func(storage.Record) error) error {
	var decrypt error
	opened := false
	var all []storage.Record
	err := storage.Salvage(l.Log, func(r storage.Record) error {
		frame, err := l.unseal(r.Bytes)
		switch code := engine.CodeOf(err); {
		case err == nil:
			opened = opened || l.proven != nil
		case code == engine.CodeDecrypt:
			if decrypt == nil {
				decrypt = at(r.Seq, err)
			}
		case code != engine.CodeCorrupt:
			return at(r.Seq, err)
		}
		all = append(all, storage.Record{Seq: r.Seq, Snapshot: r.Snapshot, Bytes: bytes.Clone(frame)})
		return nil
	})
	if decrypt != nil && !opened {
		return decrypt // another password is no damage
	}
	for _, r := range all {
		if err := visit(r); err != nil {
			return err
		}
	}
	return err
}

// Append implements storage.Log.
func (l *sealedLog) Append(seq uint64, frame storage.Frame, d storage.Durability) error {
	sealed, err := l.seal(frame)
	if err != nil {
		return err
	}
	return l.Log.Append(seq, sealed, d)
}

// Compact implements storage.Log.
func (l *sealedLog) Compact(seq uint64, snapshot storage.Frame) error {
	sealed, err := l.seal(snapshot)
	if err != nil {
		return err
	}
	return l.Log.Compact(seq, sealed)
}

// Watch implements storage.Watcher, without the bytes, which are sealed.
func (l *sealedWatcher) Watch(listener func(seq uint64, bytes []byte)) (stop func()) {
	return l.watcher.Watch(func(seq uint64, _ []byte) { listener(seq, nil) })
}

// Identity implements storage.Identified: that of the other Log, or random bytes if it
// has none.
func (l *sealedLog) Identity() storage.Identity {
	if i, ok := l.Log.(storage.Identified); ok {
		return i.Identity()
	}
	return randomIdentity()
}

// CutTail implements storage.TornTail.
func (l *sealedFile) CutTail(seq uint64, torn []byte) error {
	return l.tornTail.CutTail(seq, spoilt(torn))
}

// Replace implements storage.Replacer.
func (l *sealedFile) Replace(seq uint64, snapshot storage.Frame) error {
	sealed, err := l.seal(snapshot)
	if err != nil {
		return err
	}
	return l.replacer.Replace(seq, sealed)
}

// seal puts a frame into an envelope. Without encryption, one that compression does not
// make smaller is left as it is.
func (l *sealedLog) seal(frame storage.Frame) (storage.Frame, error) {
	if l.opts.Key == nil && l.opts.CompressionLevel == 0 {
		return frame, nil
	}
	whole := bytes.Join(frame, nil)
	content, flags := whole, byte(0)
	if l.opts.CompressionLevel > 0 {
		packed, err := deflate(whole, l.opts.CompressionLevel)
		if err != nil {
			return nil, err
		}
		if len(packed) < len(whole) && int64(len(whole)) <= maxUnpacked(len(packed), l.opts.MaxUnpackedBytes) {
			content, flags = packed, flagCompressed
		}
	}
	if l.opts.Key == nil {
		if flags == 0 {
			return frame, nil
		}
		header, err := headerOf(flags, whole, derivation{})
		return storage.Frame{header, content}, err
	}
	by := l.opts.Key.own
	if l.proven != nil {
		by = *l.proven
	}
	key, err := l.opts.Key.of(by)
	if err != nil {
		return nil, err
	}
	header, err := headerOf(flags|flagEncrypted, whole, by)
	if err != nil {
		return nil, err
	}
	return storage.Frame{seal(key, header, content)}, nil
}

// unseal returns the frame of a record, and what was never sealed as it is.
func (l *sealedLog) unseal(sealed []byte) ([]byte, error) {
	if !bytes.HasPrefix(sealed, []byte(magic)) {
		switch {
		case l.opts.Key == nil:
			return sealed, nil
		case bytes.HasPrefix(sealed, []byte(frameMagic)):
			return nil, refused("it is not encrypted: it was written without a key")
		}
		return nil, damaged("it is no envelope")
	}
	e, err := parse(sealed)
	if err != nil {
		return nil, err
	}
	content := sealed[e.atContent:]
	switch isEncrypted := e.flags&flagEncrypted != 0; {
	case isEncrypted && l.opts.Key == nil:
		return nil, refused("it is encrypted: give the Key that it was written with")
	case isEncrypted:
		if l.proven != nil && !l.proven.equal(e.by) { // each would take up to a second
			return nil, refused("it is encrypted with another key than the rest: its salt and iterations are not those of the database")
		}
		key, err := l.opts.Key.of(e.by)
		if err != nil {
			return nil, err
		}
		if content, err = unseal(key, sealed, e.atContent, e.version > 1); err != nil {
			return nil, err
		}
		l.proven = &e.by
	case l.opts.Key != nil:
		return nil, refused("it is compressed and not encrypted: it was written without a key")
	}
	if e.flags&flagCompressed != 0 {
		if content, err = inflate(content, e.length, l.opts.MaxUnpackedBytes); err != nil {
			return nil, err
		}
	}
	if len(content) != e.length {
		return nil, damaged("the envelope says that it holds " + strconv.Itoa(e.length) + " bytes, and holds " + strconv.Itoa(len(content)))
	}
	if storage.IsForeign(sealed, storage.Frame{content}) {
		return nil, damaged("the envelope is of another database than the batch in it")
	}
	return content, nil
}

func randomIdentity() (id storage.Identity) {
	rand.Read(id[:]) // it never fails
	return id
}
