// {worker: true} and ThreadSafeDatabase: the tests of the public API again, on the built package, with every engine in
// a thread of its own. And threads that end.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import type * as atomicdb from '../src/index.js'
import type { Op } from '../src/engine/ops.js'
import { encoding } from '../src/msgpack/encode.js'
import { within } from './harness/deadline.js'
import { testWasm } from './harness/node.js'
import { faultOp } from './harness/raw-bridge.js'
import { runSuite } from './harness/suite-in-node.js'
import { workerSuites } from './suites/api.js'

// The built package, because Node runs the file of a thread only as JavaScript.
const built = new URL('../dist/index.js', import.meta.url).href
const lib = (await import(built)) as typeof atomicdb

for (const [name, suite] of Object.entries(workerSuites)) runSuite(`${name}, in a worker`, suite, lib, { worker: true })

/** The thread of a database, of which execute() passes one without a RevivingConnection. */
function threadOf(db: atomicdb.AtomicDB): { terminate(): void } {
  const { connection } = db as unknown as { connection: { current?: { thread: { terminate(): void } }; thread: { terminate(): void } } }
  return (connection.current ?? connection).thread
}

/** Ends the thread of a database, as a lack of memory does. */
function kill(db: atomicdb.AtomicDB): void {
  threadOf(db).terminate()
}

/** Ends the engine in the thread of a database, by an op that only the test build has. */
function fail(db: atomicdb.AtomicDB | atomicdb.Transaction): Promise<unknown> {
  const args = encoding('arguments', (encoder) => encoder.value(['default', 'overflow']).taken())
  return db.calls.write(() => (engine) => engine.value(faultOp as Op, args))
}

/** Resolves when the connection of a database knows that its thread has ended. */
async function ended(db: atomicdb.AtomicDB): Promise<void> {
  const { connection } = db as unknown as { connection: { current?: { ended: unknown }; ended: unknown } }
  while (!(connection.current ?? connection).ended) await new Promise((resolve) => setTimeout(resolve, 1))
}

const withCode = (code: string, message: RegExp) => (error: unknown) => error instanceof lib.AtomicDBError && error.code === code && message.test(error.message)
const inFlight = withCode('storage', /^the engine has ended before the call did: its worker has stopped: .+; a write may be stored or not, and the next call starts the engine again$/)

describe('a signal', { timeout: 360_000 }, () => {
  /** Each document takes thousands of comparisons, so that all of them would take minutes. */
  const long = Array.from({ length: 20_000 }, (_, n) => `a + ${n} < 0`).join(' OR ')
  const filled = async (db: atomicdb.AtomicDB | atomicdb.ThreadSafeDatabase) => {
    await db.insertMany(Array.from({ length: 50_000 }, (_, a) => ({ a })))
    return db
  }

  test('ends the read that runs in a thread, and those that wait behind it', async () => {
    const db = await filled(await lib.AtomicDB.open('signals', { worker: true, inMemory: true, wasm: testWasm, maxQueryTime: Infinity }))
    const [first, second] = [new AbortController(), new AbortController()]
    const running = db.withSignal(first.signal).sql(`SELECT COUNT(*) AS n FROM "default" WHERE ${long}`)
    const waiting = db.withSignal(second.signal).sql(`SELECT COUNT(*) AS n FROM "default" WHERE ${long}`)
    const last = db.count()
    setTimeout(() => second.abort(new Error('not any more')), 20)
    setTimeout(() => first.abort(), 200)
    await assert.rejects(waiting, { message: 'not any more' })
    await assert.rejects(running, { name: 'AbortError' })
    assert.equal(await within(60_000, 'the thread is free', last), 50_000)
    await assert.rejects(db.withSignal(first.signal).count(), { name: 'AbortError' })
    await assert.rejects(db.withSignal(first.signal).insert({}), { name: 'AbortError' })
    const calls = db.withSignal(new AbortController().signal)
    assert.deepEqual([await calls.insert({ a: -1 }), await calls.collection('default').count('a = -1')], [50_001, 1])
    await db.close()
  })

  test('is about reads of one database, and must be one', async () => {
    const db = await lib.AtomicDB.open('signals', { inMemory: true, wasm: testWasm })
    const { signal } = new AbortController()
    assert.equal(await db.withSignal(signal).count(), 0)
    for (const wrong of [undefined, {}, 'x']) assert.throws(() => db.withSignal(wrong as never), { code: 'invalid', message: /^signal: / })
    await db.close()
    await assert.rejects(db.withSignal(signal).count(), { code: 'closed' })
  })
})

describe('a thread', { timeout: 900_000 }, () => {
  test('that ends fails the calls in flight, and the next call starts another', async () => {
    const storage = new lib.MemoryStorage()
    let closed = 0
    storage.close = async () => void closed++
    const db = await lib.AtomicDB.open('exiting', { worker: true, wasm: testWasm, storage })
    await db.insert({ n: 1 })
    const waiting = [db.count(), db.insert({ n: 2 }), db.update((d) => ({ n: d.n + 1 })), db.transaction(async (tx) => (await tx.count(), new Promise(() => {})))]
    kill(db)
    for (const call of waiting) await assert.rejects(within(10_000, 'it fails', call), inFlight)
    assert.ok([1, 2].includes((await within(10_000, 'it is there', db.get<{ n: number }>(1)))!.n))
    assert.equal(await db.transaction(async (tx) => (await tx.update({ n: 5 }, '_id = 1'), tx.count('_id = 1'))), 1)
    const n = await db.count()
    kill(db)
    const document = { n: 7 }
    const calls = [db.insert(document), db.count()]
    document.n = 8
    const [id, count] = await within(10_000, 'calls that come before the end is known', Promise.allSettled(calls))
    if (id!.status === 'rejected') assert.ok(inFlight(id!.reason))
    else assert.deepEqual([count, (await db.get<{ n: number }>(id!.value))!.n], [{ status: 'fulfilled', value: n + 1 }, 7])
    assert.equal(closed, 0)
    await db.close()
    assert.equal(closed, 1)
  })

  test('whose engine ends is ended, and the next call starts another', async () => {
    const db = await lib.AtomicDB.open('exiting', { worker: true, wasm: testWasm, storage: new lib.MemoryStorage() })
    await db.insert({ n: 1 })
    const culprit = withCode('internal', /^the engine has ended while it ran this call: /)
    for (const failing of [() => fail(db), () => db.transaction(async (tx) => (await tx.insert({ n: 9 }), await fail(tx)))]) {
      const before = threadOf(db)
      await within(10_000, 'the engine ends', assert.rejects(failing(), culprit))
      await within(10_000, 'the end is known', ended(db))
      assert.equal(await db.count(), 1)
      assert.notEqual(threadOf(db), before)
    }
    await db.close()
  })

  test('that ends takes what was in memory alone with it', async () => {
    const [alone, changed, committed] = await Promise.all([{}, { storage: new lib.MemoryStorage() }, { storage: new lib.MemoryStorage() }].map((options) => lib.AtomicDB.open('alone', { worker: true, inMemory: true, wasm: testWasm, ...options })))
    for (const db of [alone!, changed!, committed!]) await db.insert({ n: 1 })
    for (const db of [changed!, committed!]) await db.commit()
    await changed!.insert({ n: 2 })
    for (const db of [alone!, changed!, committed!]) {
      const waiting = db.count()
      kill(db)
      await waiting.catch(() => {})
      await within(10_000, 'the end is known', ended(db))
    }
    const gone = withCode('closed', /with what was in memory alone/)
    for (const db of [alone!, changed!]) await assert.rejects(db.count(), gone)
    assert.equal(await committed!.count(), 1)
    for (const db of [alone!, changed!, committed!]) await db.close()
  })

  test('is told the codes of the host, so that a full disk is quota', async () => {
    const storage = new lib.MemoryStorage()
    const db = await lib.AtomicDB.open('full', { worker: true, wasm: testWasm, storage })
    storage.append = () => Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))
    await assert.rejects(db.insert({}), withCode('quota', /no space left/))
    storage.append = () => Promise.reject(Object.assign(new Error('refused'), { code: 5n }))
    await assert.rejects(db.insert({}), withCode('storage', /refused/))
    await db.close()
  })

  test('of another database goes on when one ends', async () => {
    const [one, other] = await Promise.all(['one', 'other'].map((name) => lib.AtomicDB.open(name, { worker: true, wasm: testWasm })))
    const waiting = one!.count()
    kill(one!)
    await assert.rejects(waiting, inFlight)
    assert.equal(await other!.insert({}), 1)
    await Promise.all([one, other].map((db) => db!.close()))
  })

  for (const [how, end] of Object.entries<(db: atomicdb.AtomicDB) => unknown>({ 'that ends': kill, 'whose engine ends': (db) => fail(db).catch(() => {}) })) {
    test(`of a pool ${how} is replaced by another, whether or not it was in use`, async () => {
      await using pool = await lib.ThreadSafeDatabase.open('pool', { wasm: testWasm, maxConnections: 2, timeout: 10_000 })
      await pool.insert({ _id: 'kept' })
      await assert.rejects(pool.execute(async (db) => (end(db), db.count())), withCode('storage', /^the engine has ended/))
      await within(10_000, 'another', (async () => { while ((await pool.count().catch(() => 0)) !== 1); })())
      for (let n = 0; n < 4; n++) assert.equal(await pool.count(), 1)
      await pool.execute(async (db) => (end(db), await ended(db)))
      await pool.insert({ _id: 'again' })
      assert.deepEqual(await Promise.all([pool.documentIds(), pool.execute((db) => db.count())]), [['kept', 'again'], 2])
      await pool.execute(async (db) => void end(db))
    })
  }

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
      await within(200_000, 'the increments', Promise.all([assert.rejects(add(ending!, 250), inFlight), ...staying.map((db) => add(db, 250))]))
      const reader = await lib.AtomicDB.open('counted', { storage })
      const { n } = (await reader.get<{ n: number }>('counter'))!
      assert.ok(acknowledged >= 50 && (n === 750 + acknowledged || n === 751 + acknowledged), `${n} of 750 and ${acknowledged}`)
      await Promise.all([ending!, ...staying, reader].map((db) => db.close()))
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
