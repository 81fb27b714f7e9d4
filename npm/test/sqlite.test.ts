// SQLiteStorage on each SQLite that it is for: node:sqlite, sqlite-wasm here and in Chromium, a Durable Object and D1
// in
// workerd. Each passes the contract of storages, and keeps a database.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
import * as esbuild from 'esbuild'
import type { Miniflare } from 'miniflare'
import { AtomicDB, AtomicDBError, SQLiteStorage } from '../src/index.js'
import * as lib from '../src/index.js'
import { newerNode } from '../scripts/newer-node.mjs'
import { launchChromium, openPage } from './harness/chromium.js'
import { within } from './harness/deadline.js'
import { testWasm } from './harness/node.js'
import { packageFolder, serve } from './harness/site.js'
import { startWorker, workerModules } from './harness/workerd.js'
import { sharesObject } from './suites/storages.js'
import { contract } from '../src/testing.js'

const run = promisify(execFile)

// The Durable Object and D1 get one request each for all tests; the response has what failed.
const worker = `
import { AtomicDB, SQLiteStorage } from 'atomicdb'
import wasm from 'atomicdb/atomicdb.wasm'
import { contract } from './src/testing.ts'
import { DurableObject } from 'cloudflare:workers'

async function tests(sqlite) {
  let tables = 0
  const results = {}
  for (const { name, run } of contract) {
    const table = 'log' + ++tables
    results[name] = await run(() => new SQLiteStorage(sqlite, { table })).then(() => 'ok', (error) => error.stack)
  }
  return results
}

/** Counts the documents, then adds one. */
async function visit(sqlite) {
  const db = await AtomicDB.open('notes', { wasm, storage: new SQLiteStorage(sqlite) })
  const before = await db.count()
  await db.insertMany(Array.from({ length: 10 }, (_, n) => ({ n, text: 'x'.repeat(300_000) })))
  await db.close()
  return { before }
}

const answer = async (request, sqlite) => Response.json(await (new URL(request.url).pathname === '/tests' ? tests(sqlite) : visit(sqlite)))

export class Keeper extends DurableObject {
  fetch(request) {
    return answer(request, this.ctx.storage.sql)
  }
}

export default {
  fetch(request, env) {
    if (new URL(request.url).hostname === 'd1') return answer(request, env.D1)
    return env.KEEPER.get(env.KEEPER.idFromName('one')).fetch(request)
  },
}
`

describe('SQLite in workerd', { timeout: 360_000 }, () => {
  let miniflare: Miniflare

  before(async () => {
    ;({ miniflare } = await startWorker(await workerModules(worker), { durableObjects: { KEEPER: { className: 'Keeper', useSQLite: true } }, d1Databases: { D1: 'test' } }))
  })
  after(() => miniflare.dispose())

  const ask = async (url: string) => {
    const response = await within(60_000, url, miniflare.dispatchFetch(url))
    const text = await response.text()
    assert.equal(response.status, 200, text)
    return JSON.parse(text) as unknown
  }

  for (const host of ['durable-object', 'd1']) {
    test(`${host} passes the contract of storages`, async () => {
      const results = Object.entries((await ask(`http://${host}/tests`)) as Record<string, string>)
      assert.ok(results.length > 4)
      assert.deepEqual(results.filter(([, result]) => result !== 'ok'), [])
    })

    test(`${host} keeps batches that are too large for one row`, async () => {
      for (const before of [0, 10, 20]) assert.deepEqual(await ask(`http://${host}/visit`), { before })
    })
  }
})

// The built package, because this Node may be too old for node:sqlite, and the newer Node does not run TypeScript.
const inNewerNode = `
import { DatabaseSync } from 'node:sqlite'
import { AtomicDB, SQLiteStorage } from '${new URL('../dist/index.js', import.meta.url).href}'
import { contract } from '${new URL('../dist/testing.js', import.meta.url).href}'

for (const { name, run } of contract) {
  const sqlite = new DatabaseSync(':memory:', { readBigInts: true })
  await run(() => new SQLiteStorage(sqlite)).then(() => console.log('ok'), (error) => console.log(name, error))
}
const [file] = process.argv.slice(1)
for (const worker of [false, true]) {
  const [one, other] = [new DatabaseSync(file), new DatabaseSync(file)]
  const db = await AtomicDB.open('notes', { storage: new SQLiteStorage(one), worker })
  await db.insertMany([{ n: 1 }, { text: 'x'.repeat(3_000_000) }])
  const again = await AtomicDB.open('notes', { storage: new SQLiteStorage(other), worker })
  await Promise.all([db.insert({ n: 2 }), again.insert({ n: 3 })]) // one of them meets a conflict, and runs again
  await Promise.all([db.close(), again.close()])
  const read = await AtomicDB.open('notes', { storage: new SQLiteStorage(one) })
  console.log(await read.count())
  await read.close()
}
`

describe('node:sqlite', { timeout: 180_000 }, () => {
  test('passes the contract of storages, and keeps a database that two connections write to', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'atomicdb-sqlite-'))
    const { stdout } = await within(50_000, 'the newer Node', run(newerNode, ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', inNewerNode, join(folder, 'notes.sqlite')]))
    assert.deepEqual(stdout.trim().split('\n'), [...contract.map(() => 'ok'), '4', '8'])
    await rm(folder, { recursive: true })
  })
})

describe('sqlite-wasm in Node', async () => {
  const { oo1 } = await sqlite3InitModule()

  for (const { name, run } of contract) {
    test(name, async () => {
      const sqlite = new oo1.DB()
      await run(() => new SQLiteStorage(sqlite))
      sqlite.close()
    })
  }

  test('one SQLiteStorage may be used by several databases at once, and again after it was closed', async () => {
    const sqlite = new oo1.DB()
    await sharesObject(lib, new SQLiteStorage(sqlite), { wasm: testWasm })
    sqlite.close()
  })

  test('two tables are two databases', async () => {
    const sqlite = new oo1.DB()
    const [a, b] = await Promise.all(['a', 'b'].map((table) => AtomicDB.open(table, { wasm: testWasm, storage: new SQLiteStorage(sqlite, { table }) })))
    await a!.insert({ _id: 1 })
    assert.deepEqual([await a!.count(), await b!.count()], [1, 0])
    await Promise.all([a!.close(), b!.close()])
    sqlite.close()
  })

  test('a table that lacks a part of a batch is repaired', async () => {
    const sqlite = new oo1.DB()
    const open = () => AtomicDB.open('damaged', { wasm: testWasm, storage: new SQLiteStorage(sqlite) })
    const db = await open()
    for (const _id of ['a', 'b', 'c']) await db.insert({ _id, bytes: new Uint8Array(1_200_000) })
    await db.close()
    sqlite.exec('DELETE FROM atomicdb WHERE seq = 2 AND part = 1')
    await assert.rejects(open(), (error) => error instanceof AtomicDBError && error.code === 'corrupt' && /batch 2 .* 1 of its 2 parts/.test(error.message))
    const { problems } = await AtomicDB.repair('damaged', { wasm: testWasm, storage: new SQLiteStorage(sqlite) })
    assert.deepEqual(problems.map(({ seq }) => seq), [2])
    const again = await open()
    assert.deepEqual(await again.documentIds(), ['a', 'c'])
    await again.close()
    sqlite.close()
  })

  test('a full SQLite refuses a write and goes on', async () => {
    const sqlite = new oo1.DB()
    const db = await AtomicDB.open('full', { wasm: testWasm, storage: new SQLiteStorage(sqlite) })
    await db.insert({ _id: 'small' })
    sqlite.exec('PRAGMA max_page_count = 100')
    await assert.rejects(db.insert({ _id: 'large', text: 'x'.repeat(3_000_000) }), (error) => error instanceof AtomicDBError && error.code === 'quota')
    assert.deepEqual(await db.documentIds(), ['small'])
    await db.insert({ _id: 'another' })
    await db.close()
    const again = await AtomicDB.open('full', { wasm: testWasm, storage: new SQLiteStorage(sqlite) })
    assert.deepEqual(await again.documentIds(), ['small', 'another'])
    await again.close()
    sqlite.close()
  })

  test('names wrong arguments', () => {
    for (const wrong of [undefined, null, 'notes.sqlite', {}, { exec() {} }]) {
      assert.throws(() => new SQLiteStorage(wrong), (error) => error instanceof AtomicDBError && error.code === 'invalid' && error.message.startsWith('database: expected a SQLite'))
    }
    const sqlite = new oo1.DB()
    new SQLiteStorage(sqlite, { table: 'notes', compressionLevel: 6, maxUnpackedBytes: 1000 })
    for (const table of ['', 'a b', 'x"; DROP', 'sqlite_x', 7 as unknown as string]) {
      assert.throws(() => new SQLiteStorage(sqlite, { table }), (error) => error instanceof AtomicDBError && /^options.table: expected/.test(error.message))
    }
    for (const wrong of [null, 5, { tabel: 'x' }]) {
      assert.throws(() => new SQLiteStorage(sqlite, wrong as object), (error) => error instanceof AtomicDBError && /^options: /.test(error.message))
    }
    sqlite.close()
  })
})

// The pool of files in the origin private file system exists only in workers.
const poolWorker = `
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
import { AtomicDB, SQLiteStorage } from 'atomicdb'
import { contract } from './src/testing.ts'

const answer = async () => {
  const sqlite3 = await sqlite3InitModule()
  const pool = await sqlite3.installOpfsSAHPoolVfs({})
  const sqlite = new pool.OpfsSAHPoolDb('/notes')
  const results = {}
  let tables = 0
  // Only once, because the tables stay.
  for (const { name, run } of sqlite.selectValue("SELECT 1 FROM sqlite_schema WHERE name = 'log1'") ? [] : contract) {
    const table = 'log' + ++tables
    results[name] = await run(() => new SQLiteStorage(sqlite, { table })).then(() => 'ok', (error) => error.stack)
  }
  const db = await AtomicDB.open('notes', { wasm: '/dist/atomicdb.wasm', storage: new SQLiteStorage(sqlite) })
  results.before = await db.count()
  await db.insertMany(Array.from({ length: 1000 }, (_, n) => ({ n })))
  await db.close()
  sqlite.close()
  return results
}
answer().then(postMessage, (error) => postMessage({ failed: error.stack }))
`

test('sqlite-wasm in a worker of Chromium, in a pool of files', { timeout: 180_000 }, async () => {
  const { outputFiles } = await esbuild.build({ stdin: { contents: poolWorker, resolveDir: packageFolder }, bundle: true, format: 'esm', target: 'es2022', conditions: ['browser'], write: false })
  const site = await serve({
    '/': '<!doctype html><title>SQLite</title>',
    '/pool/worker.js': outputFiles[0]!.text,
    '/pool/': { folder: join(packageFolder, 'node_modules/@sqlite.org/sqlite-wasm/dist') },
    '/dist/': { folder: join(packageFolder, 'dist') },
  })
  const browser = await launchChromium()
  try {
    const context = await browser.newContext()
    for (const before of [0, 1000]) {
      const page = await openPage(context, site.origin)
      const results = await page.evaluate(() => {
        const worker = new Worker('/pool/worker.js', { type: 'module' })
        return new Promise<Record<string, unknown>>((resolve, reject) => {
          worker.onmessage = ({ data }) => resolve(data as Record<string, unknown>)
          worker.onerror = (event) => reject(new Error(event.message))
        })
      })
      assert.deepEqual(Object.entries(results).filter(([, result]) => result !== 'ok'), [['before', before]])
      assert.equal(Object.keys(results).length, before === 0 ? contract.length + 1 : 1)
      await page.close()
    }
  } finally {
    await browser.close()
    await site.close()
  }
})
