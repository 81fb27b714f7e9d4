//go:build !js

package sqlitelog

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// assemble makes records of rows written as "seq snapshot part parts text".
func assemble(t *testing.T, rows ...string) (records []string, err error) {
	t.Helper()
	var a assembler
	for _, text := range rows {
		var r row
		if _, err := fmt.Sscanf(text, "%d %d %d %d %s", &r.seq, &r.snapshot, &r.part, &r.parts, &r.bytes); err != nil {
			t.Fatal(err)
		}
		if err := a.add(r); err != nil {
			return nil, err
		}
	}
	all, err := a.end()
	for _, r := range all {
		text := fmt.Sprintf("%d %s", r.Seq, r.Bytes)
		if r.Snapshot {
			text = "snapshot " + text
		}
		records = append(records, text)
	}
	return records, err
}

// TestAssembler reads rows that a crash can leave in a SQLite without transactions.
func TestAssembler(t *testing.T) {
	for name, c := range map[string]struct{ rows, want string }{
		"nothing":                             {"", ""},
		"parts":                               {"1 0 0 1 a; 2 0 0 2 b; 2 0 1 2 c; 3 0 0 1 d", "1 a; 2 bc; 3 d"},
		"a snapshot":                          {"2 1 0 2 a; 2 1 1 2 b; 3 0 0 1 c", "snapshot 2 ab; 3 c"},
		"batches not removed yet":             {"1 0 0 1 a; 2 0 0 1 b; 2 1 0 1 ab; 3 0 0 1 c", "snapshot 2 ab; 3 c"},
		"a snapshot not finished":             {"1 0 0 1 a; 2 0 0 1 b; 2 1 0 2 ab; 3 0 0 1 c", "1 a; 2 b; 3 c"},
		"a snapshot and half its batch":       {"1 0 0 1 a; 2 0 0 2 b; 2 1 0 1 ab", "snapshot 2 ab"},
		"half a snapshot and half its batch":  {"2 0 0 2 b; 2 1 0 2 a; 3 0 0 1 c", "corrupt"},
		"a half before a snapshot of another": {"1 0 0 2 a; 2 0 0 1 b; 2 1 0 1 ab", "corrupt"},
		"half a batch at the end":             {"1 0 0 1 a; 2 0 0 2 b", "corrupt"},
		"a part twice":                        {"1 0 0 2 a; 1 0 0 2 a", "corrupt"},
		"counts that differ":                  {"1 0 0 3 a; 1 0 1 2 b", "corrupt"},
		"number 0":                            {"0 0 0 1 a", "corrupt"},
	} {
		var rows []string
		if c.rows != "" {
			rows = strings.Split(c.rows, "; ")
		}
		records, err := assemble(t, rows...)
		got := strings.Join(records, "; ")
		if errors.Is(err, engine.CodeCorrupt) {
			got = "corrupt"
		}
		if got != c.want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func FuzzAssembler(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x01\x02\x00\x00\x02\x02\x00\x01\x02"))
	f.Add([]byte("\x01\x00\x00\x01\x02\x00\x00\x01\x02\x01\x00\x01\x03\x00\x00\x01"))
	f.Add([]byte("\x02\x00\x00\x02\x02\x01\x00\x02\x03\x00\x00\x01"))
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var rows []row
		for ; len(b) >= 4; b = b[4:] {
			n := [4]int64{}
			for i := range n {
				n[i] = int64(int8(b[i]))
			}
			rows = append(rows, row{n[0], n[1], n[2], n[3], []byte{b[0], b[1], b[2]}})
		}
		slices.SortStableFunc(rows, func(x, y row) int {
			return slices.Compare([]int64{x.seq, x.snapshot, x.part}, []int64{y.seq, y.snapshot, y.part})
		})
		var a assembler
		var err error
		for _, r := range rows {
			if err = a.add(r); err != nil {
				break
			}
		}
		records, endErr := a.end()
		if err = errors.Join(err, endErr); err != nil {
			if !errors.Is(err, engine.CodeCorrupt) {
				t.Fatal(err)
			}
			return
		}
		for i, r := range records {
			if r.Snapshot && i > 0 || i > 0 && r.Seq <= records[i-1].Seq {
				t.Fatalf("record %d is %d (snapshot: %t)", i, r.Seq, r.Snapshot)
			}
			var want []byte
			for _, row := range rows {
				if uint64(row.seq) == r.Seq && (row.snapshot == 1) == r.Snapshot {
					want = append(want, row.bytes...)
				}
			}
			if !bytes.Equal(r.Bytes, want) {
				t.Fatalf("record %d is %x, want %x", r.Seq, r.Bytes, want)
			}
		}
	})
}
