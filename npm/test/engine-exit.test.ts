// A bug or a lack of memory in the engine: a call fails, or the engine ends; nothing hangs, nothing acknowledged is lost,
// and databases that have a storage go on in a new engine. The test build has an op that fails in a given way.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { AtomicDB, AtomicDBError, FileStorage, JSONStorage, KVStorage, LMDBStorage, MemoryStorage, SealedStorage, SecurityManager, type StorageBackend, type Transaction } from '../src/index.js'
import type { Op } from '../src/engine/ops.js'
import { encoding } from '../src/msgpack/encode.js'
import { within } from './harness/deadline.js'
import { testWasm } from './harness/node.js'
import { faultOp } from './harness/raw-bridge.js'
import { gate } from './suites/controlled-storage.js'

/** Makes the engine fail in the middle of a write. */
function fail(db: AtomicDB | Transaction, how: 'panic' | 'nil' | 'exhaust' | 'overflow' = 'overflow'): Promise<unknown> {
  return db.calls.write(() => (engine) => {
    return encoding('arguments', (encoder) => engine.value(faultOp as Op, encoder.value(['default', how])))
  })
}

/** Ends the engine of all databases of this thread, by a call of one that is opened for it. */
async function endEngine(): Promise<void> {
  const db = await AtomicDB.open('ending', { wasm: testWasm })
  await assert.rejects(fail(db), internal)
  await db.close()
}

const withCode = (code: string, message = /./) => (error: unknown) => error instanceof AtomicDBError && error.code === code && message.test(error.message)
const internal = withCode('internal')
const inFlight = withCode('storage', /^the engine has ended before the call did: .+; a write may be stored or not, and the next call starts the engine again$/)
const open = (options: { storage?: StorageBackend; inMemory?: boolean } = { storage: new MemoryStorage() }) => AtomicDB.open('exiting', { wasm: testWasm, ...options })
const ns = async (db: AtomicDB) => (await db.all()).map((d) => d.n as number)

describe('when the engine fails', { timeout: 180_000 }, () => {
  for (const how of ['panic', 'nil'] as const) {
    test(`by a ${how}, the call is internal, what it did is undone, and the database goes on`, async () => {
      const db = await open()
      await db.insert({ n: 1 })
      await assert.rejects(fail(db, how), internal)
      assert.equal(await db.count(), 1)
      assert.equal(await db.insert({ n: 2 }), 2)
      await db.close()
    })
  }

  for (const how of ['exhaust', 'overflow'] as const) {
    test(`by ${how}, every call in flight fails, and every database with a storage goes on`, async () => {
      const db = await open()
      const stuck = await open({
        storage: Object.assign(new MemoryStorage(), { append: () => new Promise<boolean>(() => {}) }),
      })
      await db.insert({ n: 1 })
      await db.createIndex('n', { unique: true })
      const working = await open()
      let never!: Promise<unknown>
      let inside!: AtomicDB['insert']
      await new Promise<void>((started) => {
        never = working.transaction(async (tx) => ((inside = tx.insert.bind(tx)), await tx.insert({}), started(), new Promise(() => {})))
      })
      const waiting = [stuck.insert({ n: 1 }), stuck.flush(), never, working.insert({})]
      const ends = Promise.allSettled(waiting)
      const closing = stuck.close()

      await assert.rejects(fail(db, how), withCode('internal', /^the engine has ended while it ran this call: /))
      for (const end of await ends) assert.ok(end.status === 'rejected' && inFlight(end.reason), JSON.stringify(end))
      await assert.rejects(inside({}), withCode('closed', /the transaction has ended: the engine has ended/))
      await closing

      assert.deepEqual(await ns(db), [1])
      await assert.rejects(db.insert({ n: 1 }), withCode('unique'))
      assert.deepEqual([await db.insert({ n: 2 }), await working.insert({ n: 3 }), await working.count()], [2, 1, 1])
      assert.equal(await working.transaction(async (tx) => (await tx.insert({ n: 4 }), tx.count())), 2)
      assert.ok((await db.verify()).ok)
      await Promise.all([db, working].map((db) => db.close()))
    })
  }

  test('the calls after its end are done in their order, with the arguments that they were given', async () => {
    const db = await open()
    await db.insert({ n: 0 })
    await endEngine()
    const document = { n: 1 }
    const calls = [db.insert(document), db.count(), db.insert({ n: 2 }), db.count(), db.transaction((tx) => tx.insert({ n: 3 })), db.flush(), db.documentIds()]
    document.n = 5
    assert.deepEqual(await Promise.all(calls), [2, 2, 3, 3, 4, undefined, [1, 2, 3]])
    assert.deepEqual(await ns(db), [0, 1, 2, 3])
    await assert.rejects(db.insert({ n: 5n ** 99n }), withCode('invalid'))
    await endEngine()
    await assert.rejects(db.insert({ n: 5n ** 99n }), withCode('invalid'))
    await db.close()
  })

  test('what is held goes on: collections, results, cached answers, ids', async () => {
    const db = await open()
    const users = db.collection<{ n: number }>('users')
    const id = await users.insert({ n: 1 })
    const tracked = (await users.search()).tracked()
    for (let i = 0; i < 3; i++) assert.equal(await users.count('n = 1'), 1)
    await endEngine()
    tracked[0]!.n = 2
    await tracked.saved()
    assert.equal(await users.count('n = 1'), 0)
    assert.equal((await users.get(id))!.n, 2)
    await db.close()
  })

  test('changes go on after the last one that was told: none is lost, none comes twice', async () => {
    const db = await open()
    const told: string[] = []
    db.onChange(({ seq, id }) => told.push(`${seq} ${id}`))
    const changes = db.changes()
    const taken: string[] = []
    const reading = (async () => {
      for await (const { seq, id, last } of changes) {
        taken.push(`${seq} ${id}${last ? '.' : ''}`)
        if (id === 40) return
      }
    })()
    await db.insertMany(Array.from({ length: 10 }, (_, n) => ({ _id: n + 1 })))
    for (let id = 11; id <= 40; id++) {
      if (id % 10 === 0) await endEngine()
      await db.insert({ _id: id })
    }
    await within(20_000, 'the changes', reading)
    const expected = Array.from({ length: 40 }, (_, n) => `${Math.max(1, n - 8)} ${n + 1}`)
    assert.deepEqual(taken, expected.map((text, n) => (n < 9 ? text : `${text}.`)))
    assert.deepEqual(told, expected)

    const before = await db.at(2)
    assert.equal(await before.count(), 11)
    await endEngine()
    assert.equal(await before.count(), 11)
    await before.close()
    await db.close()
  })

  test('changes that were not taken when the engine ended come all the same, also the rest of a batch', async () => {
    const db = await open()
    const changes = db.changes()
    const take = async (count: number) => {
      const taken: string[] = []
      while (taken.length < count) {
        const { value } = await changes.next()
        taken.push(`${value!.seq} ${value!.id}${value!.last ? '.' : ''}`)
      }
      return taken
    }
    await db.insertMany(Array.from({ length: 20_000 }, (_, n) => ({ _id: n, text: 'x'.repeat(200) })))
    await db.insert({ _id: 20_000 })
    const taken = await take(10) // of the first part of the batch
    await endEngine()
    await db.insert({ _id: 20_001 })
    taken.push(...await within(30_000, 'the rest', take(19_992)))
    assert.deepEqual(taken, [...Array.from({ length: 20_000 }, (_, n) => `1 ${n}${n === 19_999 ? '.' : ''}`), '2 20000.', '3 20001.'])
    await db.close()
  })

  test('undo goes on after the end of an engine', async () => {
    const db = await AtomicDB.open('exiting', { wasm: testWasm, storage: new MemoryStorage(), undoSteps: 10 })
    await db.insert({ _id: 1 })
    await db.insert({ _id: 2 })
    await endEngine()
    assert.equal(await db.undo(), true)
    await endEngine()
    assert.equal(await db.undo(), true)
    assert.equal(await db.count(), 0)
    assert.deepEqual([await db.redo(), await db.redo(), await db.redo()], [true, true, false])
    assert.deepEqual(await db.documentIds(), [1, 2])
    await db.close()
  })

  test('a database in memory alone is closed for ever, and one that was not committed too', async () => {
    const storage = new MemoryStorage()
    const [alone, committed, changed] = await Promise.all([open({ inMemory: true }), open({ inMemory: true, storage }), open({ inMemory: true, storage: new MemoryStorage() })])
    for (const db of [alone, committed, changed]) await db.insert({ n: 1 })
    await committed.commit()
    await committed.count()
    await changed.commit()
    await changed.transaction((tx) => tx.insert({ n: 2 }))
    await endEngine()
    const gone = withCode('closed', /^the engine has ended with what was in memory alone: .+; open the database again$/)
    for (const db of [alone, changed]) {
      for (let i = 0; i < 3; i++) await assert.rejects(db.count(), gone)
      await assert.rejects(db.insert({}), gone)
      await assert.rejects(db.transaction(async () => {}), gone)
      await db.close()
      await assert.rejects(db.count(), withCode('closed', /has been closed/))
    }
    assert.deepEqual(await ns(committed), [1])
    await committed.insert({ n: 2 })
    await committed.commit()
    await committed.close()
    const again = await open({ storage })
    assert.deepEqual(await ns(again), [1, 2])
    await again.close()
  })

  test('a write that its end has cut off is stored or not before the next call reads', async () => {
    for (const isStored of [true, false]) {
      const storage = new MemoryStorage()
      const append = storage.append.bind(storage)
      const held = gate<void>()
      const db = await open({ storage })
      await db.insert({ n: 1 })
      storage.append = async (...args) => (await held.promise, isStored ? append(...args) : Promise.reject(new Error('refused')))
      const write = db.insert({ n: 2 })
      write.catch(() => {})
      await new Promise((resolve) => setImmediate(resolve)) // until the storage has it
      await endEngine()
      await assert.rejects(write, inFlight)
      const found = db.count()
      held.open()
      assert.equal(await found, isStored ? 2 : 1)
      storage.append = append
      assert.equal(await db.insert({ n: 3 }), isStored ? 3 : 2)
      await db.close()
    }
  })

  test('a storage that fails is asked again by the next call', async () => {
    const storage = new MemoryStorage()
    const read = storage.read.bind(storage)
    let closed = 0
    const db = await open({ storage: Object.assign(storage, { close: async () => void closed++ }) })
    await db.insert({ n: 1 })
    await endEngine()
    storage.read = () => Promise.reject(new Error('no network'))
    for (let i = 0; i < 5; i++) await assert.rejects(db.count(), withCode('storage', /no network/))
    storage.read = read
    assert.equal(await db.count(), 1)
    assert.equal(closed, 0)
    await db.close()
    assert.equal(closed, 1)
  })

  test('again and again while the log is replayed, a database gives up, and others go on', async () => {
    const storage = new MemoryStorage()
    const read = storage.read.bind(storage)
    let reads = 0
    let closed = 0
    const db = await open({ storage: Object.assign(storage, { close: async () => void closed++ }) })
    const other = await open()
    await Promise.all([db, other].map((db) => db.insert({ n: 1 })))
    await endEngine()
    storage.read = async (after) => {
      reads++
      await endEngine()
      return read(after)
    }
    const gaveUp = withCode('internal', /^the engine has ended 3 times in a row: .+; open the database again$/)
    await assert.rejects(within(20_000, 'it gives up', db.count()), gaveUp)
    assert.equal(reads, 2)
    await assert.rejects(db.insert({}), gaveUp)
    assert.equal(reads, 2)
    assert.equal(await other.count(), 1)
    await db.close()
    assert.equal(closed, 1)
    storage.read = read
    const again = await open({ storage })
    assert.equal(await again.count(), 1)
    await Promise.all([again, other].map((db) => db.close()))
  })

  test('by the same call again and again, the database gives up, but not if others succeed', async () => {
    const db = await open()
    await db.insert({ n: 1 })
    for (let i = 0; i < 5; i++) {
      await assert.rejects(fail(db), withCode('internal', /while it ran this call/))
      assert.equal(await db.count(), 1)
    }
    await assert.rejects(db.transaction(async (tx) => (await tx.insert({ n: 2 }), await fail(tx))), withCode('internal', /while it ran this call/))
    assert.equal(await db.count(), 1)
    for (let i = 0; i < 3; i++) await assert.rejects(fail(db), withCode('internal', /while it ran this call/))
    await assert.rejects(fail(db), withCode('internal', /3 times in a row/))
    await db.close()
  })

  test('while a database is opened or verified, that call is internal', async () => {
    const culprit = withCode('internal', /^the engine has ended while it ran this call: /)
    const storage = new MemoryStorage()
    const read = storage.read.bind(storage)
    let closed = 0
    const ending = async () => (await endEngine(), [])
    Object.assign(storage, { read: ending, close: async () => void closed++ })
    await assert.rejects(open({ storage }), culprit)
    assert.equal(closed, 1)
    storage.read = read
    const db = await open({ storage })
    await db.insert({ n: 1 })
    storage.read = ending
    await assert.rejects(db.verify(), culprit)
    storage.read = read
    assert.equal(await db.count(), 1)
    await db.close()
  })

  describe('over a storage of', () => {
    let folder: string
    before(async () => (folder = await mkdtemp(join(tmpdir(), 'atomicdb-ending-'))))
    after(() => rm(folder, { recursive: true }))
    const kv = () => {
      const values = new Map<string, Uint8Array>()
      return {
        get: async (key: string) => values.get(key)?.slice().buffer ?? null,
        put: async (key: string, value: Uint8Array) => void values.set(key, value.slice()),
        delete: async (key: string) => void values.delete(key),
        list: async ({ prefix = '' }) => ({ keys: [...values.keys()].filter((key) => key.startsWith(prefix)).sort().map((name) => ({ name })), list_complete: true }),
      }
    }
    for (const [name, make] of Object.entries<() => StorageBackend | Promise<StorageBackend>>({
      'a JSON file': () => new JSONStorage(join(folder, 'x.json')),
      'a file': () => new FileStorage(join(folder, 'x.atomicdb')),
      'LMDB': () => new LMDBStorage(join(folder, 'lmdb')),
      'KV, without state': () => new KVStorage(kv(), 'x'),
      'encrypted batches': async () => new SealedStorage(new MemoryStorage(), { compressionLevel: 1, securityManager: await SecurityManager.create() }),
    })) {
      test(`${name}, nothing acknowledged is lost`, async () => {
        const storage = await make()
        const db = await open({ storage })
        const acknowledged: number[] = []
        for (let n = 0; n < 6; n++) {
          const writes = [0, 1, 2].map((i) => db.insert({ _id: n * 3 + i, n }).then((id) => acknowledged.push(id as number), (error: unknown) => assert.ok(inFlight(error), String(error))))
          if (n % 2) await endEngine()
          await Promise.all(writes)
        }
        const found = await db.documentIds()
        assert.ok(acknowledged.length >= 9 && acknowledged.every((id) => found.includes(id)), `${acknowledged.join()} of ${found.join()}`)
        assert.ok((await db.verify()).ok)
        await db.close()
        const again = await open({ storage })
        assert.deepEqual(await again.documentIds(), found)
        await again.close()
        await AtomicDB.destroy('exiting', { storage, wasm: testWasm })
      })
    }
  })
})
