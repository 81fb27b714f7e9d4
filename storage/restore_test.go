package storage_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

func TestRestore(t *testing.T) {
	for _, compacted := range []bool{false, true} {
		all := records(t, sampleLog(t, compacted).Share())
		all[1].Bytes[50] ^= 1
		memory := storage.NewMemory()
		if err := storage.Restore(memory.Share(), all); err != nil {
			t.Fatal(err)
		}
		if got := records(t, memory.Share()); texts(got) != texts(all) {
			t.Errorf("it holds %s, want %s", texts(got), texts(all))
		}
		if err := storage.Restore(memory.Share(), all[:1]); !errors.Is(err, engine.CodeInvalid) || texts(records(t, memory.Share())) != texts(all) {
			t.Errorf("over something Restore returned %v, or changed it", err)
		}
	}
	far := []storage.Record{{Seq: 1 << 40, Snapshot: true}}
	if err := storage.Restore(storage.NewMemory(), far); !errors.Is(err, engine.CodeUnsupported) {
		t.Errorf("of a number far away Restore returned %v", err)
	}
	if err := storage.Restore(storage.NewMemory(), nil); err != nil {
		t.Error(err)
	}
}

// TestRestore_fails at each call, and leaves the log empty.
func TestRestore_fails(t *testing.T) {
	all := records(t, sampleLog(t, true).Share())
	for n := 1; n <= 6; n++ {
		memory := storage.NewMemory()
		log := faulty(memory)
		log.BeforeAppend = storagetest.Nth(n, errFull)
		if n == 6 {
			log.BeforeCompact = storagetest.Nth(1, errFull)
		}
		if err := storage.Restore(log, all); !errors.Is(err, engine.CodeQuota) {
			t.Errorf("call %d: Restore returned %v", n, err)
		}
		if left := records(t, memory.Share()); len(left) > 0 {
			t.Errorf("call %d: it has left %s", n, texts(left))
		}
	}
	memory := storage.NewMemory()
	log := faulty(memory)
	log.BeforeAppend = func(seq uint64) error {
		if seq == 2 {
			return memory.Share().Append(2, storage.Frame{[]byte("theirs")}, storage.Relaxed)
		}
		return nil
	}
	if err := storage.Restore(log, all); !errors.Is(err, engine.CodeConflict) || len(records(t, memory.Share())) != 2 {
		t.Errorf("beside another writer Restore returned %v", err)
	}
}

func texts(all []storage.Record) string {
	text := ""
	for _, r := range all {
		text += fmt.Sprintf("%d %t %x\n", r.Seq, r.Snapshot, r.Bytes)
	}
	return text
}
