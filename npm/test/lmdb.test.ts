// LMDBStorage on the real LMDB: the contract of storages, several processes, and a host without the package.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { AtomicDB, AtomicDBError, LMDBStorage, SecurityManager } from '../src/index.js'
import * as lib from '../src/index.js'
import { testWasm } from './harness/node.js'
import { countTogether } from './harness/processes.js'
import { packageFolder } from './harness/site.js'
import { sharesObject } from './suites/storages.js'
import { contract } from '../src/testing.js'

let folder: string
before(async () => (folder = await mkdtemp(join(tmpdir(), 'atomicdb-lmdb-'))))
after(() => rm(folder, { recursive: true, force: true }))

describe('LMDB', () => {
  for (const [n, { name, run }] of contract.entries()) test(name, () => run(() => new LMDBStorage(join(folder, `${n}.mdb`))))
  for (const [n, { name, run }] of contract.entries()) {
    test(`sealed: ${name}`, async () => {
      const securityManager = await SecurityManager.create()
      await run(() => new LMDBStorage(join(folder, `sealed ${n}.mdb`), { compressionLevel: 6, securityManager }))
    })
  }

  test('one LMDBStorage may be used by several databases at once, and again after it was closed', async () => {
    await sharesObject(lib, new LMDBStorage(join(folder, 'object.mdb')), { wasm: testWasm })
  })

  test('processes that share a file lose no write, also when one is killed', { timeout: 360_000 }, async () => {
    const path = join(folder, 'shared.mdb')
    await countTogether(`new LMDBStorage(${JSON.stringify(path)})`, () => new LMDBStorage(path))
  })

  test('grows with the data', async () => {
    const storage = new LMDBStorage(join(folder, 'grows.mdb'))
    const db = await AtomicDB.open('grows', { storage, wasm: testWasm })
    for (let n = 0; n < 20; n++) await db.insert({ n, text: 'x'.repeat(2_000_000) })
    await db.close()
    const again = await AtomicDB.open('grows', { storage: new LMDBStorage(join(folder, 'grows.mdb')), wasm: testWasm })
    assert.equal(await again.count('n >= 0'), 20)
    await again.close()
  })

  test('a path that cannot be opened is named in the error', async () => {
    await assert.rejects(AtomicDB.open('folder', { storage: new LMDBStorage(folder), wasm: testWasm }), (error) => error instanceof AtomicDBError && error.code === 'storage')
    assert.throws(() => new LMDBStorage(''), /^AtomicDBError: path: /)
  })

  test('a file that is not LMDB\'s, or has another format, is refused and stays as it is', async () => {
    const format1 = await readFile(new URL('../../storage/lmdblog/testdata/npm.mdb', import.meta.url))
    for (const [content, code] of [['garbage '.repeat(10_000), 'corrupt'], ['short', 'corrupt'], [format1, 'unsupported']] as const) {
      const path = join(folder, 'other.mdb')
      await writeFile(path, content)
      await assert.rejects(new LMDBStorage(path).read(0), (error) => error instanceof AtomicDBError && error.code === code)
      assert.deepEqual(await readFile(path), Buffer.from(content))
    }
    await writeFile(join(folder, 'empty.mdb'), '')
    assert.deepEqual(await new LMDBStorage(join(folder, 'empty.mdb')).read(0), [])
  })

  test("opens an older file, which Go's storage/lmdblog refuses", async () => {
    const path = join(folder, 'format2.mdb')
    await copyFile(new URL('../../storage/lmdblog/testdata/npm-format2.mdb', import.meta.url), path)
    const db = await AtomicDB.open('format2', { storage: new LMDBStorage(path), wasm: testWasm })
    assert.deepEqual(await db.collection('notes').documentIds(), [1])
    await db.close()
  })
})

test('without the package lmdb, the error says how to get it', async () => {
  const program = `
import { LMDBStorage } from ${JSON.stringify(join(packageFolder, 'dist/index.js'))}
await new LMDBStorage('x.mdb').read(0).catch((error) => console.log(error.code, error.message))`
  const hidden = `data:text/javascript,${encodeURIComponent("export async function resolve(name, context, next) { if (name === 'lmdb') throw Object.assign(new Error('no lmdb'), { code: 'ERR_MODULE_NOT_FOUND' }); return next(name, context) }")}`
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import', `data:text/javascript,import { register } from 'node:module'; register(${JSON.stringify(hidden)})`,
    '--input-type=module', '--eval', program,
  ])
  assert.equal(stdout.trim(), 'unsupported LMDBStorage needs the package lmdb: run "npm install lmdb"')
})
