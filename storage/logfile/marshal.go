package logfile

import (
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// Marshal returns a file that holds records as they are, damaged ones too. They
// must be the records of one log: in the order of their seq, and only the first
// may be a snapshot.
func Marshal(identity [16]byte, records []storage.Record) []byte {
	header := Header{Identity: identity}
	size := HeaderSize
	for i, r := range records {
		size += RecordHeaderSize + len(r.Bytes)
		if i == 0 && r.Snapshot {
			header.Snapshot = r.Seq
		}
	}
	file := append(make([]byte, 0, size), header.Encode()...)
	for _, r := range records {
		file = append(file, RecordHeader{Seq: r.Seq, Snapshot: r.Snapshot, Length: int64(len(r.Bytes))}.Encode()...)
		file = append(file, r.Bytes...)
	}
	return file
}

// Unmarshal returns the records of a file, whose bytes they borrow. The error has
// CodeCorrupt for other or incomplete files, and CodeUnsupported for a file of a
// later version. It does not check the bytes of the records.
func Unmarshal(file []byte) ([]storage.Record, error) {
	header, err := DecodeHeader(file)
	if err != nil {
		return nil, err
	}
	var records []storage.Record
	for rest := file[HeaderSize:]; len(rest) > 0; {
		h, ok := DecodeRecordHeader(rest)
		if !ok || h.Length > int64(len(rest)-RecordHeaderSize) {
			return nil, engine.Fail(engine.CodeCorrupt, "read", recordName(len(records)), "it is damaged or cut short")
		}
		n := len(records)
		misplaced := n > 0 && (h.Snapshot || h.Seq <= records[n-1].Seq)
		if n == 0 {
			misplaced = h.Snapshot != (header.Snapshot != 0) || h.Snapshot && h.Seq != header.Snapshot
		}
		if misplaced {
			return nil, engine.Fail(engine.CodeCorrupt, "read", recordName(n), "another record is in its place")
		}
		end := RecordHeaderSize + int(h.Length)
		records = append(records, storage.Record{Seq: h.Seq, Snapshot: h.Snapshot, Bytes: rest[RecordHeaderSize:end:end]})
		rest = rest[end:]
	}
	if records == nil && header.Snapshot != 0 {
		return nil, engine.Fail(engine.CodeCorrupt, "read", recordName(0), "the snapshot is missing")
	}
	return records, nil
}

func recordName(n int) string { return "record " + strconv.Itoa(n+1) + " of the file" }
