// Data of earlier versions opens. Data of later versions is refused and left alone.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AtomicDB, AtomicDBError, KVStorage, LocalStorageStorage, MemoryStorage, SealedStorage, SecurityManager, type StorageBackend } from '../src/index.js'
import { testWasm as wasm } from './harness/node.js'
import { packageFolder } from './harness/site.js'

const v1 = (name: string) => readFile(join(packageFolder, '../storage/testdata/v1', name))
/** A storage that holds one of the files. */
const stored = async (name: string) => {
  const storage = new MemoryStorage()
  await AtomicDB.importRaw('v1', await v1(name), { storage, wasm })
  return storage
}

/** What the storages of pages and KV held in version 1; see storage/testdata/v1/README.md. */
const storedByStorages = async () => JSON.parse(String(await v1('storages.json'))) as {
  localStorage: Record<string, string>
  kv: Record<string, { base64: string; metadata: unknown }>
}

const documents = Array.from({ length: 20 }, (_, n) => [n < 5 ? n + 100 : n, 'compressible '.repeat(n)])

/** Opens one of the databases that hold `documents`, writes, and opens it again. */
async function opensAndIsWritten(storage: () => StorageBackend): Promise<void> {
  const db = await AtomicDB.open('v1', { storage: storage(), wasm })
  assert.deepEqual((await db.all()).map(({ n, text }) => [n, text]), documents)
  await db.insert({ _id: 'new', n: 20, text: '' })
  assert.equal((await db.verify()).ok, true)
  await db.close()
  const again = await AtomicDB.open('v1', { storage: storage(), wasm })
  assert.deepEqual((await again.all()).map(({ n, text }) => [n, text]), [...documents, [20, '']])
  await again.close()
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

  test('is of version 2 after its first write', async () => {
    const storage = await stored('database.atomicdb')
    const db = await AtomicDB.open('v1', { storage, wasm })
    const old = await storage.read(0)
    await db.insert({ _id: 'new' })
    assert.equal((await db.verify()).ok, true) // it waits for the compaction
    await db.insert({ _id: 'newer' })
    await db.close()
    const versions = (batches: { bytes: Uint8Array }[]) => batches.map(({ bytes }) => bytes[4]).join()
    assert.match(versions(old), /^1(,1)+$/)
    assert.equal(versions(await storage.read(0)), '2,2')
    assert.equal((await storage.read(0))[0]!.snapshot, true)
  })

  for (const [file, options] of [
    ['compressed.atomicdb', () => ({ compressionLevel: 6 })],
    ['with-key.atomicdb', () => ({ securityManager: SecurityManager.fromKey('Zm9ybWF0IHZlcnNpb24gMTogYSBrZXkgb2YgdGVzdHM=') })],
  ] as const) {
    test(`opens from ${file}, and is of version 2 after its first write`, async () => {
      const bare = await stored(file)
      const storage = () => new SealedStorage(bare, options())
      await opensAndIsWritten(storage)
      assert.deepEqual((await bare.read(0)).map(({ bytes }) => [...bytes.subarray(0, 5)]), [[0x41, 0x74, 0x44, 0x53, 2]])
    })
  }

  test('opens from localStorage', async () => {
    const items = new Map(Object.entries((await storedByStorages()).localStorage))
    const page = {
      navigator: {},
      localStorage: {
        get length() { return items.size },
        key: (n: number) => [...items.keys()][n] ?? null,
        getItem: (name: string) => items.get(name) ?? null,
        setItem: (name: string, value: string) => void items.set(name, value),
        removeItem: (name: string) => void items.delete(name),
      },
    }
    const before = Object.getOwnPropertyDescriptors(globalThis)
    for (const [name, value] of Object.entries(page)) Object.defineProperty(globalThis, name, { configurable: true, value })
    try {
      await opensAndIsWritten(() => new LocalStorageStorage('page'))
    } finally {
      for (const name of Object.keys(page)) {
        if (before[name]) Object.defineProperty(globalThis, name, before[name])
        else delete (globalThis as { [name: string]: unknown })[name]
      }
    }
  })

  test('opens from Workers KV', async () => {
    const values = new Map(Object.entries((await storedByStorages()).kv).map(([name, { base64, metadata }]) => [name, { value: Uint8Array.from(Buffer.from(base64, 'base64')), metadata }]))
    const namespace = {
      get: async (name: string) => values.get(name)?.value.slice().buffer ?? null,
      put: async (name: string, value: Uint8Array, { metadata }: { metadata: unknown }) => void values.set(name, { value: value.slice(), metadata }),
      delete: async (name: string) => void values.delete(name),
      list: async ({ prefix }: { prefix: string }) => ({ keys: [...values].filter(([name]) => name.startsWith(prefix)).map(([name, { metadata }]) => ({ name, metadata })), list_complete: true }),
    }
    await opensAndIsWritten(() => new KVStorage(namespace, 'settings'))
  })

  test('opens with its password if it is compressed and encrypted', async () => {
    const securityManager = await SecurityManager.create({ password: 'correct horse' })
    const db = await AtomicDB.open('sealed', { storage: new SealedStorage(await stored('sealed.atomicdb'), { securityManager }), wasm })
    assert.deepEqual((await db.all()).map(({ n, text }) => [n, text]), documents)
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
 * Batch 1, empty, in version 3 of the format, with a checksum that is right: FrameOfLaterVersion in
 * storage/export_test.go.
 */
const laterFrame = '417444420301000001000000000000006964656e7469747920313233343536375a4741b4ff316d9f0000000000000000'

/**
 * A file in version 2, with no record and a checksum that is right: as TestUnmarshal_refuses makes it in
 * storage/logfile.
 */
const laterFile = '4174444c02000000000000000000000000000000000000000000000000000000c5b3ac4c8e145e4a'
