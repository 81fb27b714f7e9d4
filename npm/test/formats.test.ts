// Data of earlier versions opens. Data of later versions is refused and left alone.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AtomicDB, AtomicDBError, MemoryStorage, SealedStorage, SecurityManager } from '../src/index.js'
import { testWasm as wasm } from './harness/node.js'
import { packageFolder } from './harness/site.js'

const v1 = (name: string) => readFile(join(packageFolder, '../storage/testdata/v1', name))
/** A storage that holds one of the files. */
const stored = async (name: string) => {
  const storage = new MemoryStorage()
  await AtomicDB.importRaw('v1', await v1(name), { storage, wasm })
  return storage
}

describe('a database of version 1', () => {
  test('holds what it has always held, and can be written', async () => {
    const storage = await stored('database.atomicdb')
    assert.deepEqual(await storage.read(0), await (await MemoryStorage.fromRaw(await v1('database.atomicdb'))).read(0))
    const db = await AtomicDB.open('v1', { storage, wasm })
    assert.equal(new TextDecoder().decode(await db.export()), await v1('contents.json').then(String))
    assert.deepEqual((await db.get('int64', 'values'))!.v, -(2n ** 63n))
    assert.ok(Object.is((await db.get('nan', 'values'))!.v, NaN))
    assert.deepEqual((await db.explain("city = 'Oslo' and n > 10", 'users')).index, ['city', 'n'])
    assert.deepEqual((await db.explain("address.zip = '1001'", 'users')).index, null)
    await assert.rejects(db.insert({ n: 100 }, 'users'), (error) => error instanceof AtomicDBError && error.code === 'unique')
    assert.equal((await db.verify()).ok, true)
    await db.insert({ _id: 'new' })
    await db.close()
    const again = await AtomicDB.open('v1', { storage, wasm })
    assert.deepEqual(await again.documentIds(), [1, 'new'])
    await again.close()
  })

  test('opens with its password if it is compressed and encrypted', async () => {
    const securityManager = await SecurityManager.create({ password: 'correct horse' })
    const db = await AtomicDB.open('sealed', { storage: new SealedStorage(await stored('sealed.atomicdb'), { securityManager }), wasm })
    assert.deepEqual((await db.all()).map(({ n, text }) => [n, text]), Array.from({ length: 20 }, (_, n) => [n < 5 ? n + 100 : n, 'compressible '.repeat(n)]))
    await db.close()
  })
})

describe('a database of a later version', () => {
  test('is refused as such, and left alone', async () => {
    const storage = new MemoryStorage()
    await storage.append(1, Uint8Array.from(Buffer.from(laterFrame, 'hex')))
    const isNewer = (error: unknown) => error instanceof AtomicDBError && error.code === 'unsupported' && /a newer AtomicDB wrote it/.test(error.message)
    await assert.rejects(AtomicDB.open('later', { storage, wasm }), isNewer)
    await assert.rejects(AtomicDB.repair('later', { storage, wasm }), isNewer)
    assert.equal(Buffer.from((await storage.read(0))[0]!.bytes).toString('hex'), laterFrame)
  })

  test('is refused as such if it is a file', async () => {
    const storage = new MemoryStorage()
    const isNewer = (error: unknown) => error instanceof AtomicDBError && error.code === 'unsupported' && /a newer AtomicDB wrote the file/.test(error.message)
    await assert.rejects(AtomicDB.importRaw('later', Buffer.from(laterFile, 'hex'), { storage, wasm }), isNewer)
    assert.deepEqual(await storage.read(0), [])
  })
})

/**
 * Batch 1, empty, in version 2 of the format, with a checksum that is right: FrameOfLaterVersion in
 * storage/export_test.go.
 */
const laterFrame = '417444420201000001000000000000000000000000000000000000000000000056ae23597e9a2fa8'

/**
 * A file in version 2, with no record and a checksum that is right: as TestUnmarshal_refuses makes it in
 * storage/logfile.
 */
const laterFile = '4174444c02000000000000000000000000000000000000000000000000000000c5b3ac4c8e145e4a'
