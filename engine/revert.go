package engine

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// Revert undoes changes: each document becomes what it was before the first of them,
// if it still is what the last of them made of it. It is a write as any other, with
// schemas, unique indexes and relationships, done whole or not at all. It returns how
// many documents it changed.
//
// Errors: conflict (documents have been changed since; the text names them), schema,
// unique, relationship.
func (db *DB) Revert(op string, changes []DocumentChange) (n int, err error) {
	changes = netChanges(changes)
	if err := db.checkUnchanged(op, changes); err != nil {
		return 0, err
	}
	err = db.whole(func() error {
		// What is put comes first: that it breaks a unique index or a relationship is
		// noted, and looked at when all is done.
		for _, d := range changes {
			if d.Before == nil {
				continue
			}
			if _, err := db.insertOne(op, db.ensure(d.Collection), d.Before, true, nil); err != nil {
				return err
			}
		}
		for i := len(changes) - 1; i >= 0; i-- {
			d := &changes[i]
			if d.Before != nil {
				continue
			}
			c := db.collections[d.Collection]
			slot, ok := c.slotOf(d.ID)
			if !ok {
				continue // a relationship has removed it with another
			}
			if err := db.removeSlots(op, c, []uint32{slot}, false); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(changes), nil
}

// netChanges returns one change for each document, in the order of the first ones,
// and none for a document that is in the end as it was.
func netChanges(changes []DocumentChange) (net []DocumentChange) {
	places := map[string]int{}
	for _, d := range changes {
		key := d.Collection + "\x00" + string(d.ID)
		if n, ok := msgpack.Int(d.ID); ok { // it may have been written in several ways
			key = d.Collection + "\x00" + string(msgpack.AppendInt(nil, n))
		}
		place, isThere := places[key]
		if !isThere {
			places[key] = len(net)
			net = append(net, d)
			continue
		}
		net[place].After = d.After
	}
	kept := net[:0]
	for _, d := range net {
		if !bytes.Equal(d.Before, d.After) {
			kept = append(kept, d)
		}
	}
	return kept
}

// maxNamed is how many documents an error names.
const maxNamed = 5

// checkUnchanged returns CodeConflict if documents are not as changes left them.
func (db *DB) checkUnchanged(op string, changes []DocumentChange) error {
	var names []string
	others := 0
	for i := range changes {
		d := &changes[i]
		var now []byte
		if c := db.collections[d.Collection]; c != nil {
			now = c.docOf(d.ID)
		}
		switch {
		case bytes.Equal(now, d.After):
		case len(names) == maxNamed:
			others++
		default:
			names = append(names, d.Collection+"/"+idText(d.ID))
		}
	}
	if len(names) == 0 {
		return nil
	}
	text := strings.Join(names, ", ")
	if others > 0 {
		text += " and " + strconv.Itoa(others) + " more"
	}
	return Fail(CodeConflict, op, "", "changed since by others: "+text)
}

// AppendTo appends a change as MessagePack: [collection, type, id, document,
// before]. The type is 0 for an insert, 1 for an update, 2 for a removal; a document
// that does not exist is nil.
func (d *DocumentChange) AppendTo(b []byte) []byte {
	kind := int64(1)
	switch {
	case d.Before == nil:
		kind = 0
	case d.After == nil:
		kind = 2
	}
	b = msgpack.AppendString(msgpack.AppendArray(b, 5), d.Collection)
	b = append(msgpack.AppendInt(b, kind), d.ID...)
	for _, doc := range [][]byte{d.After, d.Before} {
		if doc == nil {
			b = msgpack.AppendNil(b)
		} else {
			b = append(b, doc...)
		}
	}
	return b
}

// ReadChanges reads what AppendTo has written, one change after the other, and
// borrows from b. The error has CodeInvalid.
func ReadChanges(op string, b []byte) (changes []DocumentChange, err error) {
	for len(b) > 0 {
		n, err := msgpack.Validate(b, maxReplayDepth+2)
		if err != nil {
			return nil, &Error{Code: CodeInvalid, Op: op, Target: "changes", Err: err}
		}
		d, ok := readChange(b[:n])
		if !ok {
			return nil, Fail(CodeInvalid, op, "changes", "expected arrays of collection, type, id, document and document of before")
		}
		changes = append(changes, d)
		b = b[n:]
	}
	return changes, nil
}

func readChange(v []byte) (d DocumentChange, ok bool) {
	if msgpack.KindOf(v) != msgpack.Array {
		return d, false
	}
	parts := msgpack.List(v)
	if len(parts) != 5 || msgpack.KindOf(parts[0]) != msgpack.String {
		return d, false
	}
	d = DocumentChange{Collection: string(msgpack.Str(parts[0])), ID: parts[2]}
	for i, doc := range []*[]byte{&d.After, &d.Before} {
		v := parts[3+i]
		if msgpack.KindOf(v) == msgpack.Null {
			continue
		}
		if !startsWithID(v) || !msgpack.Equal(idOf(v), d.ID) {
			return d, false
		}
		*doc = v
	}
	return d, checkName("", d.Collection) == nil && checkID("", "", d.ID) == nil && (d.After != nil || d.Before != nil)
}
