// Storages that answer at once, and the same ones with promises: a write means the same over both.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AtomicDB, AtomicDBError, LMDBStorage, MemoryStorage, SealedStorage, type Batch, type StorageBackend } from '../src/index.js'
import { contract } from '../src/testing.js'
import { testWasm } from './harness/node.js'

/** A storage that does what the next of `faults` says, and otherwise stores. */
class Answering implements StorageBackend {
  readonly batches: Batch[] = []
  faults: (() => boolean)[] = []
  appends = 0

  /** @param how Gives an answer: at once, or as a promise. */
  constructor(private readonly how: (answer: () => boolean) => boolean | Promise<boolean>) {}

  append(seq: number, bytes: Uint8Array): boolean | Promise<boolean> {
    this.appends++
    return this.how(() => {
      const fault = this.faults.shift()
      if (fault) return fault()
      if (seq !== (this.batches.at(-1)?.seq ?? 0) + 1) return false
      this.batches.push({ seq, snapshot: false, bytes: bytes.slice() })
      return true
    })
  }

  async read(after: number): Promise<Batch[]> {
    return this.batches.filter(({ seq }) => seq > after)
  }

  async compact(seq: number, bytes: Uint8Array): Promise<void> {
    const replaced = this.batches.findIndex((batch) => batch.seq === seq)
    if (replaced >= 0) this.batches.splice(0, replaced + 1, { seq, snapshot: true, bytes: bytes.slice() })
  }

  async destroy(): Promise<void> {
    this.batches.length = 0
  }

  async close(): Promise<void> {}
}

const variants: Record<string, (answer: () => boolean) => boolean | Promise<boolean>> = {
  'at once': (answer) => answer(),
  'by a promise': async (answer) => answer(),
  'in a later turn': (answer) => new Promise((resolve, reject) => setImmediate(() => {
    try {
      resolve(answer())
    } catch (error) {
      reject(error as Error)
    }
  })),
}

const rejection = (promise: Promise<unknown>) => promise.then(() => assert.fail('it has resolved'), (error: unknown) => error as AtomicDBError)

for (const [name, how] of Object.entries(variants)) {
  describe(`a storage that answers ${name}`, () => {
    const opened = async (storage = new Answering(how)) => ({ storage, db: await AtomicDB.open('x', { storage, wasm: testWasm }) })

    for (const { name, run } of contract) {
      test(name, () => {
        const storage = new Answering(how)
        return run(() => storage)
      })
    }

    test('stores the writes of a turn as one batch, in their order', async () => {
      const { storage, db } = await opened()
      assert.deepEqual(await Promise.all([1, 2, 3].map((n) => db.insert({ n }))), [1, 2, 3])
      assert.equal(storage.batches.length, 1)
      assert.equal(await db.insert({ n: 4 }), 4)
      await db.transaction(async (tx) => {
        await tx.insert({ n: 5 })
        await tx.update({ $inc: { n: 10 } }, 'n = 1')
      })
      assert.equal(storage.batches.length, 3)
      const again = await AtomicDB.open('x', { storage, wasm: testWasm })
      assert.deepEqual((await again.all()).map(({ n }) => n), [11, 2, 3, 4, 5])
      assert.ok((await db.verify()).ok)
      await Promise.all([db.close(), again.close()])
    })

    test('keeps writers apart: each runs again when the other was faster', async () => {
      const { storage, db } = await opened()
      const other = await AtomicDB.open('y', { storage: new SealedStorage(storage), wasm: testWasm })
      await db.insert({ _id: 'n', n: 0 })
      await other.insert({}) // it meets what the other has stored, of which nobody tells
      await Promise.all(Array.from({ length: 20 }, async (_, i) => {
        await (i % 2 ? db : other).transaction(async (tx) => {
          const { n } = (await tx.get('n'))!
          await tx.update({ n: n + 1 }, "_id = 'n'")
        })
        await (i % 2 ? other : db).update({ $inc: { n: 1 } })
      }))
      await db.insert({})
      assert.equal((await db.get('n'))!.n, 40)
      assert.ok((await db.verify()).ok)
      await Promise.all([db.close(), other.close()])
    })

    test('undoes what it refuses with an error, and goes on', async () => {
      const { storage, db } = await opened()
      await db.insert({ n: 1 })
      for (const [fault, code, message] of [
        [() => { throw new Error('the disk is gone') }, 'storage', /the disk is gone/],
        [() => { throw new AtomicDBError('quota', 'full') }, 'quota', /full/],
        [() => 7 as unknown as boolean, 'storage', /append\(\) must resolve to true, or to false/],
      ] as const) {
        storage.faults.push(fault)
        const before = storage.appends
        const [error, other] = await Promise.all([rejection(db.insert({ n: 2 })), rejection(db.insert({ n: 3 }))])
        assert.equal(error.code, code)
        assert.match(error.message, message)
        assert.equal(other.code, code)
        assert.equal(storage.appends, before + 1, 'it was appended again')
        assert.equal(await db.count(), 1)
        await db.insert({ n: 4 })
        assert.equal(await db.remove('n = 4'), 1)
      }
      storage.faults.push(() => { throw new Error('once more') })
      assert.equal((await rejection(db.transaction((tx) => tx.insert({})))).code, 'storage')
      assert.ok((await db.verify()).ok)
      await db.close()
    })

    test('compacts, and goes on while it does', async () => {
      const { storage, db } = await opened()
      const text = 'x'.repeat(200_000)
      for (let n = 0; n < 30; n++) await db.upsert({ _id: 'one', n, text })
      assert.ok(storage.batches.some(({ snapshot }) => snapshot), 'nothing was compacted')
      assert.ok(storage.batches.length < 30)
      await db.insert({ large: 'y'.repeat(600_000) }) // larger than what is handed out at once
      assert.ok((await db.verify()).ok)
      await db.close()
      const { db: again } = await opened(storage)
      assert.equal((await again.get('one'))!.n, 29)
      await again.close()
    })
  })
}

test('a write waits for no later turn where the storage answers at once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'at-once-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const storage of [new MemoryStorage(), new SealedStorage(new MemoryStorage()), new LMDBStorage(join(folder, 'lmdb'))]) {
    const db = await AtomicDB.open('x', { storage, wasm: testWasm })
    await db.insert({})
    let later = false
    setImmediate(() => (later = true))
    for (let n = 0; n < 100; n++) await db.insert({ n })
    assert.equal(later, false, 'a write has waited for a later turn')
    await db.close()
  }
})

test('LMDB that is appended to at once notices that its file was deleted', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'at-once-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'lmdb')
  const db = await AtomicDB.open('x', { storage: new LMDBStorage(path), wasm: testWasm })
  for (let n = 0; n < 3; n++) await db.insert({ n })
  await rm(path)
  assert.equal((await rejection(db.insert({ n: 3 }))).code, 'closed')
  await db.close()
  const again = await AtomicDB.open('x', { storage: new LMDBStorage(path), wasm: testWasm })
  assert.equal(await again.count(), 0)
  await again.insert({ n: 4 })
  await again.close()
})

test('a storage of ours with an append of its own is asked by that one', async () => {
  const asked: string[] = []
  class Own extends MemoryStorage {
    override append(...args: Parameters<MemoryStorage['append']>): Promise<boolean> {
      asked.push('class')
      return super.append(...args)
    }
  }
  const patched = new MemoryStorage()
  patched.append = async (...args) => asked.push('object') > 0 && MemoryStorage.prototype.append.apply(patched, args)
  class OwnSeal extends SealedStorage {
    override append(...args: Parameters<SealedStorage['append']>): Promise<boolean> {
      asked.push('seal')
      return super.append(...args)
    }
  }
  for (const storage of [new Own(), patched, new OwnSeal(new MemoryStorage()), new SealedStorage(new Own())]) {
    const db = await AtomicDB.open('own', { storage, wasm: testWasm })
    await db.insert({ n: 1 })
    await db.close()
  }
  assert.deepEqual(asked, ['class', 'object', 'seal', 'class'])
})
