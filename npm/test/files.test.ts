// Files on disk: those of the Python library, which also reads ours, and files that several processes share.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, lstat, mkdir, mkdtemp, open as openFile, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { deflateSync } from 'node:zlib'
import { pythonPath } from '../scripts/python.mjs'
import { AtomicDB, AtomicDBError, CompressedJSONStorage, EncryptedJSONStorage, FileStorage, JSONStorage, LMDBStorage, MessagePackStorage, SecurityManager, type StorageBackend } from '../src/index.js'
import { packageFolder } from './harness/site.js'
import { testWasm } from './harness/node.js'
import { countTogether } from './harness/processes.js'
import { python } from './suites/security.js'

const theirs = join(packageFolder, '../storage/docfile/testdata/python')

let folder: string
before(async () => (folder = await mkdtemp(join(tmpdir(), 'atomicdb-files-'))))
after(() => rm(folder, { recursive: true, force: true }))

const open = (storage: StorageBackend) => AtomicDB.open('file', { storage, wasm: testWasm })
const isCode = (code: string) => (error: unknown) => error instanceof AtomicDBError && error.code === code

/** All documents, without the ids that Python's documents do not have. */
async function everything(db: AtomicDB): Promise<Record<string, unknown[]>> {
  const collections = await Promise.all((await db.collections()).map(async (name) => [name, await db.all(name)] as const))
  return Object.fromEntries(collections.map(([name, documents]) => [name, documents.map(({ _id, ...fields }) => fields)]))
}

describe('the Python library', () => {
  const kinds: Record<string, (path: string, manager: SecurityManager) => StorageBackend> = {
    'plain.json': (path) => new JSONStorage(path),
    'compressed.json': (path) => new CompressedJSONStorage(path),
    'encrypted.json': (path, manager) => new EncryptedJSONStorage(path, manager),
    'encrypted-level0.json': (path, manager) => new EncryptedJSONStorage(path, manager, { compressionLevel: 0 }),
    'data.msgpack': (path) => new MessagePackStorage(path),
  }
  // Prints any of our files as JSON, with what Python has to read it.
  const program = `
import sys, json, zlib, msgpack
from cryptography.fernet import Fernet
name, path, key = sys.argv[1:]
data = open(path, 'rb').read()
if 'encrypted' in name: data = Fernet(key).decrypt(data)
if name in ('compressed.json', 'encrypted.json'): data = zlib.decompress(data)
print(json.dumps(msgpack.unpackb(data) if name == 'data.msgpack' else json.loads(data)))`

  for (const [name, make] of Object.entries(kinds)) {
    test(`${name}: we read its file, and it reads ours`, async () => {
      const manager = await SecurityManager.create({ password: python.password, salt: python.salt })
      const wanted = JSON.parse(await readFile(join(theirs, 'plain.json'), 'utf8')) as Record<string, unknown[]>
      const path = join(folder, name)
      await copyFile(join(theirs, name), path)
      const db = await open(make(path, manager))
      assert.deepEqual(await everything(db), wanted)

      await db.insert({ name: 'Zoë', n: 2 ** 53 - 1 }, 'new')
      const stored = await everything(db)
      await db.close()
      const { stdout } = await promisify(execFile)(pythonPath, ['-c', program, name, path, python.key], { maxBuffer: 1 << 24 })
      const read = JSON.parse(stdout) as Record<string, { _id?: unknown }[]>
      for (const document of Object.values(read).flat()) delete document._id
      assert.deepEqual(read, stored)
    })

    test(`${name} can be imported`, async () => {
      const securityManager = name.startsWith('encrypted') ? SecurityManager.fromKey(python.key) : undefined
      const db = await AtomicDB.open('import', { inMemory: true, wasm: testWasm })
      await db.import(await readFile(join(theirs, name)), { securityManager })
      assert.deepEqual(await everything(db), JSON.parse(await readFile(join(theirs, 'plain.json'), 'utf8')))
    })
  }

  test('another password is refused', async () => {
    const path = join(folder, 'other.json')
    await copyFile(join(theirs, 'encrypted.json'), path)
    const manager = await SecurityManager.create({ password: 'wrong', salt: python.salt })
    await assert.rejects(open(new EncryptedJSONStorage(path, manager)), isCode('decrypt'))
    assert.deepEqual(await readFile(path), await readFile(join(theirs, 'encrypted.json')))
  })
})

test('a bomb of zlib is refused before it fills the memory', { timeout: 180_000 }, async () => {
  const bomb = deflateSync(Buffer.alloc(600 << 20, ' '))
  const db = await AtomicDB.open('bomb', { inMemory: true, wasm: testWasm })
  await assert.rejects(db.import(bomb), (error) => isCode('corrupt')(error) && (error as Error).message.includes(`more than ${(200 * bomb.length).toLocaleString('en')} bytes`))
  assert.equal(await db.count(), 0)
})

test('a damaged file is refused as corrupt, and left as it is', async () => {
  const path = join(folder, 'damaged.json')
  for (const damaged of ['', '{"default": [{"a": 1}', 'not JSON at all', '{"default": 5}']) {
    await writeFile(path, damaged)
    await assert.rejects(open(new JSONStorage(path)), (error) => isCode('corrupt')(error) && error instanceof Error && /the storage's file\(\) gives/.test(error.message) && !/AtomicDB\.repair/.test(error.message), damaged)
    assert.equal(await readFile(path, 'utf8'), damaged)
    assert.equal(new TextDecoder().decode(await new JSONStorage(path).file()), damaged)
  }
})

test('a file keeps its permissions, and a link to it stays a link', async () => {
  const elsewhere = join(folder, 'elsewhere')
  await mkdir(elsewhere)
  const path = join(elsewhere, 'private.json')
  const link = join(folder, 'link.json')
  await writeFile(path, '{"default": [{"_id": 1}]}')
  await chmod(path, 0o600)
  await symlink(join('elsewhere', 'private.json'), link)
  const direct = await open(new JSONStorage(path))
  const linked = await open(new JSONStorage(link))
  const writes: Promise<unknown>[] = []
  for (const db of [linked, direct, linked]) for (let n = 0; n < 5; n++) writes.push(db.insert({ n }))
  await Promise.all(writes)
  await linked.insert({ _id: 'heard' })
  for (let tries = 0; !(await direct.get('heard')) && tries < 1000; tries++) await new Promise((resolve) => setTimeout(resolve, 1))
  assert.equal(await direct.count(), 17)
  await Promise.all([direct.close(), linked.close()])
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.ok((await lstat(link)).isSymbolicLink())
  assert.equal((JSON.parse(await readFile(path, 'utf8')) as { default: unknown[] }).default.length, 17)
  assert.deepEqual((await readdir(elsewhere)), ['private.json'])
})

for (const [kind, make] of Object.entries({ JSON: (path: string) => new JSONStorage(path), MessagePack: (path: string) => new MessagePackStorage(path), LMDB: (path: string) => new LMDBStorage(path), log: (path: string) => new FileStorage(path) })) {
  test(`a ${kind} file that is deleted under an open database closes it, and opens again, empty`, async () => {
    for (const [n, destroy] of [rm, (path: string) => AtomicDB.destroy('file', { storage: make(path) })].entries()) {
      const path = join(folder, `deleted ${n}.${kind}`)
      const [one, other] = [await open(make(path)), await open(make(path))]
      await one.insert({ n: 1 })
      await other.insert({ n: 2 })
      await destroy(path)
      for (const db of [one, other, one]) await assert.rejects(db.insert({ n: 3 }), isCode('closed'))
      const anew = await open(make(path))
      assert.equal(await anew.count(), 0)
      await anew.insert({ n: 4 })
      await assert.rejects(one.insert({ n: 5 }), isCode('closed'))
      const again = await open(make(path))
      assert.deepEqual((await again.all()).map(({ n }) => n), [4])
      for (const db of [one, other, anew, again]) await db.close()
    }
  })
}

test('an editor may delete a file and write it again', async () => {
  const path = join(folder, 'edited.json')
  const storage = new JSONStorage(path)
  const db = await open(storage)
  await db.insert({ n: 1 })
  const content = await readFile(path)
  await rm(path)
  assert.deepEqual(await storage.read(1), []) // as when the database hears of the deletion
  await writeFile(path, content.toString().replace('1}', '7}'))
  await db.insert({ n: 2 })
  assert.deepEqual((await db.all()).map(({ n }) => n), [7, 2])
  await db.close()
})

test('a file that cannot be written undoes the write', async () => {
  const around = join(folder, 'removed')
  await mkdir(around)
  const db = await open(new JSONStorage(join(around, 'x.json')))
  await rm(around, { recursive: true })
  await assert.rejects(db.insert({ a: 1 }), isCode('storage'))
  assert.equal(await db.count(), 0)
  await db.close()
})

test('a new file is flushed before it replaces the old one, and a strict write flushes its name too', async () => {
  const path = join(folder, 'synced.json')
  const probe = await openFile(folder, 'r')
  const handles = Object.getPrototypeOf(probe) as typeof probe
  await probe.close()
  const { sync } = handles
  const synced: string[] = []
  handles.sync = async function (this: typeof probe) {
    synced.push((await this.stat()).isDirectory() ? 'folder' : 'file')
    return sync.call(this)
  }
  try {
    for (const [durability, wanted] of [['relaxed', ['file']], ['strict', ['file', 'folder']]] as const) {
      const db = await AtomicDB.open('file', { storage: new JSONStorage(path), wasm: testWasm, durability })
      synced.length = 0
      await db.insert({ durability })
      assert.deepEqual(synced, wanted)
      await db.close()
    }
  } finally {
    handles.sync = sync
  }
})

test('processes that share a file lose no write, also when one is killed', { timeout: 360_000 }, async () => {
  const path = join(folder, 'shared.json')
  await countTogether(`new JSONStorage(${JSON.stringify(path)})`, () => new JSONStorage(path))
  assert.deepEqual((await readdir(folder)).filter((name) => name.includes('.lock')), [])
})

test('a lock file of a process that has ended is removed, and one of a running process is waited for', async () => {
  const path = join(folder, 'locked.json')
  const ended = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(ended, 'close')
  await writeFile(`${path}.lock`, String(ended.pid))
  const db = await open(new JSONStorage(path))
  await db.insert({ n: 1 })
  await writeFile(`${path}.lock`, String(process.pid))
  const waiting = db.insert({ n: 2 })
  assert.equal(await db.count(), 2)
  assert.equal((JSON.parse(await readFile(path, 'utf8')) as { default: unknown[] }).default.length, 1)
  await rm(`${path}.lock`)
  await waiting
  assert.equal((JSON.parse(await readFile(path, 'utf8')) as { default: unknown[] }).default.length, 2)
  await db.close()
  assert.ok((await stat(path)).size > 0)
})

test('a storage of one file that is destroyed lets go of what it holds', async () => {
  let closed = 0
  class Counted extends JSONStorage {
    override close(): Promise<void> {
      closed++
      return super.close()
    }
  }
  await new Counted(join(folder, 'destroyed.json')).destroy()
  assert.equal(closed, 1)
})
