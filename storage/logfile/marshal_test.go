package logfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/logfile"
)

var sample = []storage.Record{
	{Seq: 7, Snapshot: true, Bytes: []byte("seven")},
	{Seq: 8, Bytes: []byte{}},
	{Seq: 10, Bytes: []byte("damaged, and after one that is missing")},
}

func TestMarshal(t *testing.T) {
	for n := range len(sample) + 1 {
		got, err := logfile.Unmarshal(logfile.Marshal([16]byte{1}, sample[:n]))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(sample[:n]) {
			t.Errorf("of %v came back %v, %v", sample[:n], got, err)
		}
	}
}

func TestUnmarshal_refuses(t *testing.T) {
	file := logfile.Marshal([16]byte{1}, sample)
	second := logfile.HeaderSize + logfile.RecordHeaderSize + len(sample[0].Bytes)
	for n := range file {
		if _, err := logfile.Unmarshal(file[:n]); err == nil && n != second && n != second+logfile.RecordHeaderSize {
			t.Errorf("%d bytes are enough", n)
		}
	}
	damaged := logfile.Header{}.Encode()
	damaged[4]++
	newer := bytes.Clone(damaged)
	binary.LittleEndian.PutUint64(newer[32:], xxhash.Sum64(newer[:32]))
	other := logfile.Header{Snapshot: 6}.Encode()
	for name, c := range map[string]struct {
		file []byte
		want engine.Code
	}{
		"nothing":                 {nil, engine.CodeCorrupt},
		"text":                    {bytes.Repeat([]byte("text "), 20), engine.CodeCorrupt},
		"another version":         {damaged, engine.CodeCorrupt}, // whose checksum nobody has made
		"a newer version":         {newer, engine.CodeUnsupported},
		"another snapshot":        {append(other, file[logfile.HeaderSize:]...), engine.CodeCorrupt},
		"no snapshot":             {file[:logfile.HeaderSize], engine.CodeCorrupt},
		"a snapshot in second":    {logfile.Marshal([16]byte{}, []storage.Record{sample[1], {Seq: 9, Snapshot: true}}), engine.CodeCorrupt},
		"a number twice":          {logfile.Marshal([16]byte{}, []storage.Record{sample[1], sample[1]}), engine.CodeCorrupt},
		"a snapshot nobody names": {append(logfile.Header{}.Encode(), file[logfile.HeaderSize:]...), engine.CodeCorrupt},
		"a length beyond all":     {append(logfile.Header{}.Encode(), logfile.RecordHeader{Seq: 1, Length: 1 << 60}.Encode()...), engine.CodeCorrupt},
	} {
		if _, err := logfile.Unmarshal(c.file); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(logfile.Marshal([16]byte{1}, sample))
	f.Add(logfile.Marshal([16]byte{1}, sample[1:]))
	f.Fuzz(func(t *testing.T, file []byte) {
		records, err := logfile.Unmarshal(file)
		if err != nil {
			return
		}
		header, _ := logfile.DecodeHeader(file)
		if !bytes.Equal(logfile.Marshal(header.Identity, records), file) {
			t.Errorf("%x is read as %v, which is another file", file, records)
		}
	})
}
