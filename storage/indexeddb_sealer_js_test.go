package storage_test

import (
	"strings"
	"syscall/js"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

// newSealer returns a sealer that writes S before a batch and turns its bits
// around. A batch that starts otherwise is damaged, and one that starts with D
// cannot be decrypted. It refuses to seal 12,345 bytes.
func newSealer(t *testing.T) js.Value {
	return run(t, `
		const fail = (code) => { throw Object.assign(new Error('it is ' + code), { name: 'AtomicDBError', code }) }
		const open = (sealed) => sealed[0] === 83 ? sealed.slice(1).map((byte) => ~byte) : fail(sealed[0] === 68 ? 'decrypt' : 'corrupt')
		const seal = (batch) => { const sealed = new Uint8Array(batch.length + 1); sealed[0] = 83; sealed.set(batch.map((byte) => ~byte), 1); return sealed }
		return {
			seal: async (batch) => batch.length === 12345 ? fail('unsupported') : seal(batch),
			open: async (batches) => batches.map(open),
			salvage: async (batches) => batches.map((sealed) => { try { return open(sealed) } catch (error) { if (error.code === 'decrypt') throw error; return new Uint8Array() } }),
		}`)
}

func openSealed(t *testing.T, name string) *storage.IndexedDB {
	log := storage.NewIndexedDB(name, newSealer(t))
	t.Cleanup(func() { log.Close() })
	return log
}

func TestIndexedDB_sealed(t *testing.T) {
	storagetest.TestLog(t, func(t *testing.T) storagetest.Share {
		name := newName(t)
		return func(t *testing.T) storage.Log { return openSealed(t, name) }
	})
}

func TestIndexedDB_sealedBytes(t *testing.T) {
	name := newName(t)
	log := openSealed(t, name)
	appendText(t, log, 1, "one")
	appendText(t, log, 2, "two")
	if err := log.Compact(1, storage.Frame{[]byte("o"), []byte("ne")}); err != nil {
		t.Fatal(err)
	}
	sealed := func(text string) string {
		b := []byte(text)
		for i := range b {
			b[i] = ^b[i]
		}
		return "S" + string(b)
	}
	wantTexts(t, open(t, name), sealed("one"), sealed("two"))
	wantTexts(t, log, "one", "two")
	wantError(t, log.Append(3, storage.Frame{make([]byte, 12345)}, storage.Relaxed), engine.CodeUnsupported, "append batch 3: it is unsupported")
}

// TestIndexedDB_sealedDamage: what the sealer refuses is damage, or a wrong key.
func TestIndexedDB_sealedDamage(t *testing.T) {
	name := newName(t)
	log := openSealed(t, name)
	appendText(t, log, 1, "one")
	salvage := func() (texts []string, err error) {
		err = log.Salvage(func(r storage.Record) error {
			texts = append(texts, string(r.Bytes))
			return nil
		})
		return texts, err
	}

	changeStore(t, name, "store.put(Uint8Array.of(1, 2), 2)")
	wantError(t, log.Read(0, func(storage.Record) error { return nil }), engine.CodeCorrupt, "read: it is corrupt")
	if texts, err := salvage(); err != nil || strings.Join(texts, "|") != "one|" {
		t.Errorf("salvages %q, %v", texts, err)
	}

	changeStore(t, name, "store.put(Uint8Array.of(68), 2)")
	wantError(t, log.Read(0, func(storage.Record) error { return nil }), engine.CodeDecrypt, "read: it is decrypt")
	_, err := salvage()
	wantError(t, err, engine.CodeDecrypt, "salvage: it is decrypt")
}
