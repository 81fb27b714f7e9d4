// {worker: true} and ThreadSafeDatabase: the tests of the public API again, on the built package, with every engine in
// a thread of its own. And threads that end.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import type * as atomicdb from '../src/index.js'
import { within } from './harness/deadline.js'
import { testWasm } from './harness/node.js'
import { runSuite } from './harness/suite-in-node.js'
import { workerSuites } from './suites/api.js'

// The built package, because Node runs the file of a thread only as JavaScript.
const built = new URL('../dist/index.js', import.meta.url).href
const lib = (await import(built)) as typeof atomicdb

for (const [name, suite] of Object.entries(workerSuites)) runSuite(`${name}, in a worker`, suite, lib, { worker: true })

/** Ends the thread of a database, as a lack of memory does. */
function kill(db: atomicdb.AtomicDB): void {
  const { thread } = db.calls as unknown as { thread: { terminate(): void } }
  thread.terminate()
}

const internal = (error: unknown) => error instanceof lib.AtomicDBError && error.code === 'internal' && /the worker has stopped/.test(error.message)

describe('a thread', { timeout: 60_000 }, () => {
  test('that ends fails waiting and later calls, and the database can be opened again', async () => {
    const storage = new lib.MemoryStorage()
    const open = () => lib.AtomicDB.open('exiting', { worker: true, wasm: testWasm, storage })
    const db = await open()
    await db.insert({ n: 1 })
    const waiting = [db.count(), db.insert({ n: 2 }), db.update((d) => ({ n: d.n + 1 })), db.transaction(() => new Promise(() => {}))]
    kill(db)
    for (const call of waiting) await assert.rejects(within(10_000, 'it fails', call), internal)
    await assert.rejects(db.count(), internal)
    await assert.rejects(db.close(), internal)
    const again = await open()
    assert.equal((await again.get<{ n: number }>(1))!.n, 1)
    await again.close()
  })

  test('of another database goes on when one ends', async () => {
    const [one, other] = await Promise.all(['one', 'other'].map((name) => lib.AtomicDB.open(name, { worker: true, wasm: testWasm })))
    kill(one!)
    await assert.rejects(one!.count(), internal)
    assert.equal(await other!.insert({}), 1)
    await other!.close()
  })

  test('of a pool that ends is replaced by another, whether or not it was in use', async () => {
    await using pool = await lib.ThreadSafeDatabase.open('pool', { wasm: testWasm, maxConnections: 2, timeout: 10_000 })
    await pool.insert({ _id: 'kept' })
    await assert.rejects(pool.execute(async (db) => (kill(db), db.count())), internal)
    for (let n = 0; n < 4; n++) assert.equal(await pool.count(), 1)
    await pool.execute(async (db) => setTimeout(kill, 0, db))
    await new Promise((resolve) => setTimeout(resolve, 200))
    await pool.insert({ _id: 'again' })
    assert.deepEqual(await Promise.all([pool.documentIds(), pool.execute((db) => db.count())]), [['kept', 'again'], 2])
    await pool.execute(async (db) => kill(db))
  })

  for (const [kind, make] of Object.entries({
    'a MemoryStorage': () => new lib.MemoryStorage(),
    'a file': () => new lib.JSONStorage(join(tmpdir(), `atomicdb-killed-${process.pid}.json`)),
  })) {
    test(`that ends among four that count in ${kind} loses no stored write`, async () => {
      const storage = make()
      const open = () => lib.AtomicDB.open('counted', { worker: true, wasm: testWasm, storage })
      const [ending, ...staying] = await Promise.all([open(), open(), open(), open()])
      await ending!.insert({ _id: 'counter', n: 0 })
      for (const db of staying) while (!(await db.get('counter'))) await new Promise((resolve) => setTimeout(resolve, 1))
      let acknowledged = 0
      const add = async (db: atomicdb.AtomicDB, times: number) => {
        for (let n = 0; n < times; n++) {
          assert.ok(await db.atomicUpdate<{ n: number }>((counter) => ({ n: counter.n + 1 }), "_id = 'counter'"))
          if (db === ending && ++acknowledged === 50) setImmediate(kill, db) // in the middle of the next update
        }
      }
      await within(50_000, 'the increments', Promise.all([assert.rejects(add(ending!, 250), internal), ...staying.map((db) => add(db, 250))]))
      const reader = await lib.AtomicDB.open('counted', { storage })
      const { n } = (await reader.get<{ n: number }>('counter'))!
      assert.ok(acknowledged >= 50 && (n === 750 + acknowledged || n === 751 + acknowledged), `${n} of 750 and ${acknowledged}`)
      await Promise.all([...staying, reader].map((db) => db.close()))
      await storage.destroy()
    })
  }

  test('leaves this one free: a timer fires before a long query ends', async () => {
    const db = await lib.AtomicDB.open('long', { worker: true })
    await db.insertMany(Array.from({ length: 20_000 }, (_, n) => ({ text: `${n} `.repeat(20) })))
    let fired = false
    setTimeout(() => (fired = true))
    assert.equal(await db.count("text matches '^(\\d+ )*nothing$'"), 0)
    assert.ok(fired)
    await db.close()
  })

  const run = (script: string) => within(20_000, 'Node ends', promisify(execFile)(process.execPath, ['--input-type=module', '-e', `import { AtomicDB } from '${built}'\n${script}`]))

  test('keeps Node running while a call is under way, and not otherwise', async () => {
    const { stdout } = await run(`
      const db = await AtomicDB.open('left open', { worker: true })
      db.insert({ n: 1 }).then((id) => console.log('stored', id))
    `)
    assert.equal(stdout, 'stored 1\n')
  })

  test('lives as long as its database is open', async () => {
    const { stdout } = await run(`
      import process from 'node:process'
      const threads = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort' || name === 'Worker').length
      const before = threads()
      for (let n = 0; n < 20; n++) {
        const db = await AtomicDB.open('again', { worker: true })
        await db.insert({ n })
        await db.close()
      }
      console.log(threads() - before)
    `)
    assert.equal(stdout, '0\n')
  })

  test('cannot be opened without its engine', async () => {
    await assert.rejects(lib.AtomicDB.open('no wasm', { worker: true, wasm: new URL('../dist/none.wasm', import.meta.url) }), (error: atomicdb.AtomicDBError) => error.code === 'invalid' && /options\.wasm/.test(error.message))
  })
})
