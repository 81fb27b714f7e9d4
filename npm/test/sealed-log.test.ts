// Files that Go has sealed, with storage/sealedlog: the npm package opens them, and writes behind what is there.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { AtomicDB, MemoryStorage, SealedStorage, SecurityManager, type SealOptions } from '../src/index.js'
import { testWasm } from './harness/node.js'

const salt = new TextEncoder().encode('0123456789abcdef')
const kinds: Record<string, () => Promise<SealOptions>> = {
  compressed: async () => ({ compressionLevel: 6 }),
  password: async () => ({ securityManager: await SecurityManager.create({ password: 'correct horse' }) }), // the salt is in the file
  'password-compressed': async () => ({ securityManager: await SecurityManager.create({ password: 'correct horse', salt, iterations: 1000 }), compressionLevel: 1 }),
  key: async () => ({ securityManager: SecurityManager.fromKey('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=') }),
}

for (const [kind, options] of Object.entries(kinds)) {
  test(`opens what Go has sealed: ${kind}`, async () => {
    const file = await readFile(new URL(`../../storage/sealedlog/testdata/go-${kind}.atomicdb`, import.meta.url))
    const storage = new SealedStorage(new MemoryStorage(), await options())
    await AtomicDB.importRaw('of Go', file, { storage, wasm: testWasm })
    for (const count of [2, 3]) {
      const db = await AtomicDB.open('of Go', { storage, wasm: testWasm })
      const notes = db.collection('notes')
      assert.equal(await notes.count(), count)
      assert.deepEqual(await notes.get('first'), { _id: 'first' })
      await notes.insert({ from: 'npm' })
      assert.deepEqual((await db.verify()).problems, [])
      await db.close()
    }
  })
}

test('refuses what Go has sealed with another password', async () => {
  const file = await readFile(new URL('../../storage/sealedlog/testdata/go-password.atomicdb', import.meta.url))
  const storage = new SealedStorage(await MemoryStorage.fromRaw(file, { wasm: testWasm }), { securityManager: await SecurityManager.create({ password: 'wrong' }) })
  await assert.rejects(AtomicDB.open('of Go', { storage, wasm: testWasm }), { code: 'decrypt' })
})

test('a batch that compression does not make smaller is stored as it is', async () => {
  const memory = new MemoryStorage()
  const sealed = new SealedStorage(memory, { compressionLevel: 9 })
  const bytes = Uint8Array.from({ length: 16 }, (_, n) => n)
  await sealed.append(1, bytes, 'relaxed')
  assert.deepEqual((await memory.read(0)).map((record) => record.bytes), [bytes])
})
