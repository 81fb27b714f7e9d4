// Lookups in the memory of the engine: of the hash, and against a model through everything that moves documents.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { AtomicDB, MemoryStorage, type Id } from '../src/index.js'
import { TableReads } from '../src/connection/table-reads.js'
import { Bridge } from '../src/engine/bridge.js'
import { hashOf, unsure } from '../src/engine/tables.js'
import { testWasm } from './harness/node.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

const random = new Random(seed)
const replay = replayOf('tables.test.ts')

test('JavaScript and Go hash alike', () => {
  const hashes = JSON.parse(readFileSync(new URL('../../engine/testdata/hashes.json', import.meta.url), 'utf8')) as [Id, number][]
  for (const [key, hash] of hashes) assert.equal(hashOf(key), hash, inspect(key))
  for (const text of ['é', 'a\u0080', 'x'.repeat(257)]) assert.equal(hashOf(text), undefined)
})

/** How many lookups were answered without a call while `work` ran. */
async function lookups(work: () => Promise<void>): Promise<number> {
  const { lookup } = TableReads.prototype
  let answered = 0
  TableReads.prototype.lookup = function (...args) {
    const found = lookup.apply(this, args)
    if (found !== unsure) answered++
    return found
  }
  try {
    await work()
  } finally {
    TableReads.prototype.lookup = lookup
  }
  return answered
}

describe('lookups', () => {
  test('the second read of a state makes no call, whatever says the equality', async () => {
    const db = await AtomicDB.open('calls', { inMemory: true, wasm: testWasm })
    const users = db.collection<{ _id: Id; email?: string | null }>('users')
    await users.createIndex('email', { unique: true })
    await users.insertMany([{ _id: 'ada', email: 'ada@x.no' }, { _id: 7, email: 'bob@x.no' }, { _id: 8, email: null }, { _id: 9 }])
    const q = users.query()
    const asked: [answered: number, ask: () => Promise<unknown>, expected: unknown][] = [
      [1, () => users.get('ada').then((found) => found?._id), 'ada'],
      [1, () => users.get(7).then((found) => found?._id), 7],
      [1, () => users.get(10), undefined],
      [1, () => users.get(-0), undefined],
      [1, () => users.find({ email: 'bob@x.no' }).then((found) => found.map(({ _id }) => _id)), [7]],
      [1, () => users.search(q.email!.eq('bob@x.no')).then((found) => found.length), 1],
      [1, () => users.findOne({ email: 'bob@x.no' }).then((found) => found?._id), 7],
      [1, () => users.find({ _id: 'ada' }).then((found) => found.length), 1],
      [1, () => users.find({ email: 'nobody' }).then((found) => found.length), 0],
      [0, () => users.find({ email: null }).then((found) => found.length), 2],
      [0, () => users.find({ email: 'bob@x.no' }, { fields: ['email'] }).then((found) => Object.keys(found[0]!).length), 2],
      [0, () => users.find({ email: 'bob@x.no' }, { skip: 1 }).then((found) => found.length), 0],
      [0, () => users.find({ email: 'bob@x.no' }, { limit: 0 }).then((found) => found.length), 0],
      [0, () => users.find({ email: 'BOB@x.no' }, { collation: 'nocase' } as never).then((found) => found.length).catch(() => 0), 0],
      [0, () => users.find({ email: 'Ærlig' }).then((found) => found.length), 0],
      [0, () => users.find({ email: 'bob@x.no', _id: 7 }).then((found) => found.length), 1],
      [0, () => db.find({ email: 'bob@x.no' }, 'nowhere').then((found) => found.length), 0],
    ]
    for (const [answered, ask, expected] of asked) {
      assert.deepEqual(await ask(), expected, String(ask))
      assert.equal(await lookups(async () => assert.deepEqual(await ask(), expected, String(ask))), answered, String(ask))
    }
    await db.close()
  })

  test('what a caller does with a document is not seen by the next one', async () => {
    const db = await AtomicDB.open('copies', { inMemory: true, wasm: testWasm })
    await db.insert({ _id: 'a', list: [{ b: 2 }] })
    for (let n = 0; n < 5; n++) {
      const found = await db.get<{ list: { b: number }[] }>('a')
      assert.deepEqual(found, { _id: 'a', list: [{ b: 2 }] })
      found!.list[0]!.b = n
      found!.list.push({ b: n })
    }
    await db.close()
  })

  test('the addresses are asked for again when goroutines have run', async () => {
    const db = await AtomicDB.open('yields', { inMemory: true, wasm: testWasm })
    await db.insert({ _id: 'a' })
    const { tables } = Bridge.prototype
    let asked = 0
    Bridge.prototype.tables = function (...args) {
      asked++
      return tables.apply(this, args)
    }
    for (let n = 0; n < 3; n++) await db.get('a')
    assert.equal(asked, 1)
    for (let n = 0; n < 70; n++) await db.count({ n }) // the engine yields after 64 calls
    for (let n = 0; n < 3; n++) await db.get('a')
    Bridge.prototype.tables = tables
    assert.equal(asked, 2)
    await db.close()
  })

  test('nothing is found where documents were, when another page has written and nothing was asked since', async () => {
    const [whole, shown] = [new MemoryStorage(), new MemoryStorage()]
    const other = await AtomicDB.open('elsewhere', { storage: whole, wasm: testWasm })
    await other.insert({ _id: 'old' })
    const [first] = await whole.read(0)
    await shown.append(1, first!.bytes)
    const db = await AtomicDB.open('here', { storage: shown, wasm: testWasm })
    const stop = db.onChange(() => {})
    for (let n = 0; n < 3; n++) assert.equal(await db.get('new 1'), undefined)

    await other.insertMany(Array.from({ length: 5000 }, (_, n) => ({ _id: `new ${n}` })))
    const [second] = await whole.read(1)
    for (let n = 0; n < 3; n++) assert.equal(await db.get('new 1'), undefined)
    const told = new Promise((resolve) => db.onChange(resolve))
    await shown.append(2, second!.bytes)
    await told
    assert.ok(await db.get('new 1'))
    stop()
    await Promise.all([db, other].map((db) => db.close()))
  })

  test('an index whose documents have arrays is asked through the engine', async () => {
    const db = await AtomicDB.open('arrays', { inMemory: true, wasm: testWasm })
    await db.createIndex('tag', { unique: true } as never)
    await db.insertMany([{ _id: 1, tag: ['x', 'y'] }, { _id: 2, tag: 'z' }])
    for (let n = 0; n < 3; n++) assert.deepEqual([(await db.find({ tag: 'x' })).length, (await db.find({ tag: 'z' })).length], [1, 1])
    await db.close()
  })

  for (const storage of [false, true]) {
    test(`find what a model finds, after everything that moves documents, ${storage ? 'stored by two' : 'in memory'} (${replay})`, { timeout: 300_000 }, async () => {
      const backend = new MemoryStorage()
      const open = () => AtomicDB.open('model', { wasm: testWasm, ...(storage ? { storage: backend } : { inMemory: true }) })
      const [db, other] = [await open(), storage ? await open() : undefined]
      let model = new Map<Id, { _id: Id; key?: string | number; n: number; text: string }>()
      await db.createIndex('key', { unique: true } as never)
      let grown = 0
      const id = (): Id => random.pick<Id>([`grown ${random.int(0, grown)}`, random.int(1, 30), `id ${random.int(1, 30)}`, -random.int(1, 9), 2 ** 40 + random.int(0, 5)])
      const key = () => random.pick<string | number>([`key ${random.int(1, 40)}`, random.int(1, 40), 'x'.repeat(random.int(1, 60)), 2 ** 52 + random.int(1, 5)])
      const holds = (wanted: string | number, but?: Id) => [...model.values()].some((d) => d.key === wanted && d._id !== but)
      const document = (_id: Id) => {
        const wanted = key()
        return { _id, n: random.int(0, 9), text: 'y'.repeat(random.int(0, 3000)), ...(!holds(wanted, _id) && random.chance(0.9) && { key: wanted }) }
      }
      const read = async (asked: AtomicDB) => {
        for (let n = random.int(1, 6); n > 0; n--) {
          const [wantedId, wantedKey] = [id(), key()]
          const expected = [...model.values()].filter((d) => d.key === wantedKey)
          assert.deepEqual(await asked.get(wantedId), model.get(wantedId), replay)
          assert.deepEqual([...(await asked.find({ key: wantedKey }))], expected, replay)
          assert.deepEqual(await asked.findOne({ key: wantedKey }), expected[0], replay)
          if (random.chance(0.3)) await asked.count({ n: random.int(0, 9) })
        }
      }
      const writes: ((to: AtomicDB) => Promise<unknown>)[] = [
        async (to) => {
          const added = document(id())
          await to.upsert(added)
          model.set(added._id, added)
        },
        async (to) => {
          const added = Array.from({ length: random.int(50, 300) }, () => ({ _id: `grown ${++grown}`, n: random.int(0, 9), text: '' }))
          await to.insertMany(added)
          for (const d of added) model.set(d._id, d)
        },
        async (to) => {
          const n = random.int(0, 9)
          await to.update({ n: n + 1 }, { n })
          for (const d of model.values()) if (d.n === n) d.n = n + 1
        },
        async (to) => {
          const _id = id()
          await to.remove({ _id })
          model.delete(_id)
        },
        async (to) => {
          const before = new Map([...model].map(([_id, d]) => [_id, { ...d }]))
          const failed = random.chance(0.5)
          await to.transaction(async (tx) => {
            for (let n = 0; n < 3; n++) {
              const added = document(id())
              await tx.upsert(added)
              model.set(added._id, added)
              assert.deepEqual(await tx.get(added._id), added, replay)
              assert.deepEqual(await tx.get(added._id), added, replay)
              if (random.chance(0.3)) assert.deepEqual(await to.get(added._id), before.get(added._id), replay)
              assert.deepEqual(await tx.get(added._id), added, replay)
            }
            if (failed) throw new Error('taken back')
          }).catch((error: Error) => assert.equal(error.message, 'taken back', error.stack))
          if (failed) model = before
        },
        async (to) => {
          await to.dropIndex('key')
          if (random.chance(0.5)) await read(to)
          await to.createIndex('key', { unique: true } as never)
        },
        async (to) => {
          if (random.chance(0.6)) return
          await to.clear()
          model.clear()
          grown = 0
        },
      ]
      for (let round = 0; round < 400; round++) {
        const [writer, reader] = random.chance(0.5) ? [db, other ?? db] : [other ?? db, db]
        await random.pick(writes)(writer)
        await read(writer)
        if (reader !== writer) {
          await reader.insert({}, 'elsewhere') // it has read what the other has stored
          await read(reader)
        }
      }
      await db.close()
      await other?.close()
    })
  }
})
