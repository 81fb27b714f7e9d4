// A full disk under the storages of Node: every refused write is undone, and its error is quota.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AtomicDB, AtomicDBError, FileStorage, JSONStorage, LMDBStorage, MessagePackStorage, type StorageBackend } from '../src/index.js'
import { testWasm } from './harness/node.js'
import { smallDisk } from './harness/small-disk.js'

const kinds: Record<string, (path: string) => StorageBackend> = {
  JSONStorage: (path) => new JSONStorage(path),
  MessagePackStorage: (path) => new MessagePackStorage(path),
  LMDBStorage: (path) => new LMDBStorage(path),
  FileStorage: (path) => new FileStorage(path),
}
const isQuota = (error: unknown) => error instanceof AtomicDBError && error.code === 'quota'

describe('a full disk', { timeout: 180_000 }, () => {
  for (const [kind, make] of Object.entries(kinds)) {
    test(`is a quota error of ${kind}, which keeps what it has and goes on`, async (t) => {
      await using disk = await smallDisk()
      if (!disk) return t.skip('cannot mount a small disk')
      const storage = () => make(join(disk.folder, 'data'))
      const db = await AtomicDB.open('full', { storage: storage(), wasm: testWasm })
      await db.insert({ _id: 'kept', n: 0 })
      for (let n = 0; n < 3; n++) {
        await assert.rejects(db.update({ n: 1, text: 'x'.repeat(3_000_000) }), isQuota)
        assert.deepEqual((await db.all()).asList(), [{ _id: 'kept', n: 0 }])
      }
      let stored = 0
      await assert.rejects(async () => {
        for (;;) await db.insert({ _id: stored++, text: 'x'.repeat(10_000) })
      }, isQuota)
      assert.ok(stored > 20, `${stored} documents`)
      assert.equal(await db.count(), stored)
      assert.ok((await db.verify()).ok)
      assert.equal(await db.remove('text exists'), stored - 1)
      await db.close()
      const again = await AtomicDB.open('full', { storage: storage(), wasm: testWasm })
      assert.deepEqual(await again.documentIds(), ['kept'])
      await again.close()
    })
  }
})
