import type { StorageBackend, Transaction } from '../../src/index.js'
import { equal, ok, rejects, until } from './check.js'
import { gate, storageOf } from './controlled-storage.js'
import type { Suite } from './suite.js'

/** What `promise` rejects with, whatever that is. */
async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it has resolved')
    },
    (reason: unknown) => reason,
  )
}

/** Transactions of one database, and of several on one storage. */
export const transactions: Suite = [
  {
    name: 'a transaction is one batch, of any collections, and sees what it did',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('whole', { storage })
      await db.insertMany([{ _id: 'ada', money: 10 }, { _id: 'bob', money: 0 }], 'accounts')
      const before = controlled.batches
      const left = await db.transaction(async (tx) => {
        const ada = await tx.get<any>('ada', 'accounts')
        equal(await tx.update({ $inc: { money: -4 } }, "_id = 'ada'", 'accounts'), 1)
        equal(await tx.update((d) => ({ money: d.money + 4 }), tx.query().money!.eq(0), 'accounts'), 1)
        equal(await tx.insert({ from: 'ada', was: ada!.money }, 'log'), 1)
        equal(await tx.insertMany([{}, { _id: 'x' }], 'log'), [2, 'x'])
        equal(await tx.upsert({ _id: 'x', n: 1 }, 'log'), 'x')
        equal(await tx.remove('_id = 2', 'log'), 1)
        equal(await tx.count(undefined, 'log'), 2)
        equal((await tx.find({ n: { $exists: true } }, 'log')).asList(), [{ _id: 'x', n: 1 }])
        equal(await tx.findOne({ was: 10 }, 'log'), { _id: 1, from: 'ada', was: 10 })
        return (await tx.search('money > 5', 'accounts')).first()!.money
      })
      equal(left, 6)
      equal(controlled.batches, before + 1)
      const again = await context.open('whole', { storage: controlled.memory })
      equal((await again.all('accounts')).asList(), [{ _id: 'ada', money: 6 }, { _id: 'bob', money: 4 }])
      equal((await again.all('log')).asList(), [{ _id: 1, from: 'ada', was: 10 }, { _id: 'x', n: 1 }])
    },
  },
  {
    name: 'what the function throws comes out as it is, and everything is undone',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('undone', { storage })
      await db.insertMany([{ n: 1 }, { n: 2 }])
      await db.createIndex('n', { unique: true })
      const before = controlled.batches
      for (const thrown of [new RangeError('mine'), 'text', undefined, { code: 5 }]) {
        const reason = await reasonOf(db.transaction(async (tx) => {
          await tx.clear()
          await tx.insertMany([{ n: 3 }, { _id: 70, n: 4 }])
          await tx.collection('other').createIndex('a')
          await tx.insert({ a: 1 }, 'other')
          throw thrown
        }))
        ok(Object.is(reason, thrown), `rejected with ${String(reason)}`)
      }
      const thrown = new Error('at once')
      ok((await reasonOf(db.transaction(() => { throw thrown }))) === thrown, 'what is thrown before a promise is there comes out as it is')
      equal((await db.all()).asList(), [{ _id: 1, n: 1 }, { _id: 2, n: 2 }])
      equal(await db.collections(), ['default'])
      equal((await db.explain('n = 1')).index, ['n'])
      equal(controlled.batches, before)
      equal(await db.insert({ n: 3 }), 3, 'the next id, as if nothing had happened')
      await rejects('unique', () => db.insert({ n: 3 }))
    },
  },
  {
    name: 'a call that fails has done nothing, and the transaction can go on',
    async run({ open }) {
      const db = await open()
      await db.insert({ _id: 'a', n: 'text' })
      await db.createIndex('k', { unique: true })
      await db.transaction(async (tx) => {
        await tx.insert({ k: 1 })
        await rejects('duplicate_id', () => tx.insertMany([{ n: 1 }, { _id: 'a' }]))
        await rejects('unique', () => tx.insertMany([{ n: 1 }, { k: 1 }]))
        await rejects('invalid', () => tx.update({ $inc: { n: 1 } }))
        await rejects('invalid', () => tx.search('n >'))
        await rejects('invalid', () => tx.insert({ f: () => 1 }))
        await rejects('invalid', () => tx.remove(undefined as never), /^where: /)
        await rejects('invalid', () => tx.upsert({ _id: 1.5 }))
        const mine = new Error('mine')
        ok((await reasonOf(tx.update(() => { throw mine }))) === mine, 'what a function throws comes out as it is')
        await tx.insert({ k: 2 })
      })
      equal((await db.all()).asList(), [{ _id: 'a', n: 'text' }, { _id: 1, k: 1 }, { _id: 2, k: 2 }])
    },
  },
  {
    name: 'reads outside see the state before it, as often as they look, and all of it once it is stored',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('isolated', { storage })
      await db.insertMany([{ n: 1 }, { n: 2 }])
      await db.createIndex('n')
      const before = [{ _id: 1, n: 1 }, { _id: 2, n: 2 }]
      const asked = gate<void>()
      const held = gate<void>()
      const done = db.transaction(async (tx) => {
        equal((await db.all()).asList(), before)
        await tx.update({ $inc: { n: 10 } }, 'n = 1')
        equal((await db.all()).asList(), before)
        await tx.insert({ n: 3 })
        await tx.insert({}, 'other')
        equal([await db.count(), await tx.count(), await db.count('n = 11'), await tx.count('n = 11')], [2, 3, 0, 1])
        equal(await db.collections(), ['default'])
        await tx.remove('n = 2')
        equal((await db.sql`SELECT n FROM default ORDER BY n`).map((row) => row.n), [1, 2])
        await tx.collection('default').createIndex('m')
        equal((await db.explain('m = 1')).index, null)
        equal((await tx.search('n > 0', { sort: '-n' })).map((d) => d.n), [11, 3])
        equal(await db.distinct('n'), [1, 2])
        equal(await db.get(2), { _id: 2, n: 2 })
        controlled.append = async (store) => (asked.open(), await held.promise, store())
      })
      await asked.promise
      let seen: unknown
      const reading = db.all().then((found) => (seen = found.asList()))
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve)) // time to do it wrong
      equal(seen, undefined, 'what was read before it was stored')
      held.open()
      await done
      await reading
      equal(seen, [{ _id: 1, n: 11 }, { _id: 3, n: 3 }])
      equal(await db.collections(), ['default', 'other'])
    },
  },
  {
    name: 'writes, transactions and flush wait for it, in the order they were asked for',
    async run({ open }) {
      const db = await open()
      const held = gate<void>()
      const order: string[] = []
      const note = (what: string) => () => void order.push(what)
      const started = gate<void>()
      const earlier = db.insert({ by: 'earlier' }).then(note('earlier'))
      const first = db.transaction(async (tx) => {
        await tx.insert({ by: 'first' })
        started.open()
        await held.promise
        equal(await tx.count(), 2)
      }).then(note('first'))
      await started.promise
      const document = { by: 'write' }
      const all = [
        db.insert(document).then(note('write')),
        db.transaction(async (tx) => void (await tx.insert({ by: `second of ${await tx.count()}` }))).then(note('second')),
        db.sql`INSERT INTO default (by) VALUES ('sql')`.then(note('sql')),
        db.flush().then(note('flush')),
      ]
      document.by = 'changed later'
      equal(await db.count(), 1)
      held.open()
      await Promise.all([earlier, first, ...all])
      equal(order, ['earlier', 'first', 'write', 'second', 'sql', 'flush'])
      equal((await db.all()).map((d) => d.by), ['earlier', 'first', 'write', 'second of 3', 'sql'])
    },
  },
  {
    name: 'transactions at once come one after the other',
    async run({ open }) {
      for (const db of [await open(), await open(undefined, { inMemory: true, storage: undefined })]) {
        await db.insert({ _id: 'counter', n: 0 })
        const counts = await Promise.all(Array.from({ length: 50 }, () => db.transaction(async (tx) => {
          const { n } = (await tx.get<any>('counter'))!
          await null
          await tx.update({ n: n + 1 })
          return n
        })))
        equal(counts, Array.from({ length: 50 }, (_, n) => n))
      }
    },
  },
  {
    name: 'the function runs again, on what the other wrote, when another database was faster',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('again', { storage })
      await db.insert({ _id: 'counter', n: 0 })
      const other = await context.open('again', { storage: controlled.memory })
      const all: Transaction[] = []
      const found: number[] = []
      const result = await db.transaction(async (tx) => {
        all.push(tx)
        const { n } = (await tx.get<any>('counter'))!
        found.push(n)
        if (all.length <= 5) await other.update({ $inc: { n: 100 } })
        await tx.insert({ run: all.length })
        await tx.update({ $inc: { n: 1 } }, "_id = 'counter'")
        return found.length
      })
      equal(result, 6)
      equal(found, [0, 100, 200, 300, 400, 500])
      equal((await db.all()).asList(), [{ _id: 'counter', n: 501 }, { _id: 1, run: 6 }])
      for (const tx of all) await rejects('closed', () => tx.count(), /the transaction has ended/)
    },
  },
  {
    name: 'what another database stores in the middle is not seen in it, and seen after it',
    async run({ open, atomicdb }) {
      const memory = new atomicdb.MemoryStorage()
      let heard = gate<void>()
      const storage: StorageBackend = Object.assign(Object.create(memory) as StorageBackend, {
        watch: (listener: (seq: number) => void) => memory.watch((seq) => (listener(seq), heard.open())),
      })
      const [db, other] = [await open('moving', { storage }), await open('moving', { storage: memory })]
      const undone = new Error('undone')
      const outcomes: ((tx: Transaction) => Promise<unknown>)[] = [
        async () => {}, // it has only read
        async (tx) => tx.insert({}).then(() => Promise.reject(undone)),
      ]
      for (const [i, end] of outcomes.entries()) {
        heard = gate()
        await db.transaction(async (tx) => {
          equal(await tx.count(), i)
          await other.insert({})
          await heard.promise
          for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve)) // time to do it wrong
          equal([await tx.count(), await db.count()], [i, i])
          await end(tx)
        }).catch((error: unknown) => {
          if (error !== undone) throw error
        })
        for (let tries = 0; (await db.count()) === i; tries++) {
          ok(tries < 1000, 'what was stored meanwhile is never seen')
          await new Promise((resolve) => setTimeout(resolve))
        }
      }
    },
  },
  {
    name: 'a transaction that always loses to other writers ends as a conflict',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('loser', { storage })
      const winner = await context.open('loser', { storage: controlled.memory })
      controlled.append = async () => (await winner.insert({}, 'winner'), false)
      let runs = 0
      await rejects('conflict', () => db.transaction(async (tx) => (runs++, tx.insert({ n: 1 }))), /faster 1000 times/)
      equal([runs, await db.count()], [1000, 0])
      controlled.append = (store) => store()
      equal(await db.transaction((tx) => tx.insert({ n: 2 })), 1)
    },
  },
  {
    name: 'a storage that fails rejects the transaction and a flush that waits for it, undoes it, and the next one works',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('fails', { storage })
      await db.insert({ n: 0 })
      controlled.append = async () => {
        throw new DOMException('no room', 'QuotaExceededError')
      }
      const failing = db.transaction((tx) => tx.insert({ n: 1 }))
      failing.catch(() => {})
      const flushed = db.flush()
      flushed.catch(() => {})
      const later = db.insert({ n: 2 })
      later.catch(() => {})
      await rejects('quota', () => failing)
      await rejects('quota', () => flushed)
      await rejects('quota', () => later)
      equal(await db.count(), 1)
      controlled.append = (store) => store()
      equal(await db.transaction((tx) => tx.insert({ n: 1 })), 2)
      await db.flush()
      equal(await db.insert({ n: 2 }), 3)
      equal(await (await context.open('fails', { storage: controlled.memory })).count(), 3)
    },
  },
  {
    name: 'a transaction that changes nothing stores nothing',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('reads', { storage })
      await db.insert({ n: 1 })
      equal(await db.transaction(async (tx) => [await tx.count(), await tx.remove('n > 5'), await tx.update({ n: 1 })]), [1, 0, 0])
      equal(await db.transaction(async () => 'nothing'), 'nothing')
      equal(controlled.batches, 1)
    },
  },
  {
    name: 'tx is closed once the function is done, whether or not a call was awaited',
    async run({ open }) {
      const db = await open()
      let kept!: Transaction
      let found!: Awaited<ReturnType<Transaction['search']>>
      const early = await db.transaction(async (tx) => {
        kept = tx
        await tx.insert({ n: 1 })
        found = await tx.search()
        // Done at once, also without await.
        const failing = tx.insert({ _id: 1 })
        failing.catch(() => {})
        return { promises: [tx.insert({ n: 2 }), tx.update({ $inc: { n: 1 } }, (d) => d.n === 2), tx.insert({ n: 4 })], failing }
      })
      equal(await Promise.all(early.promises), [2, 1, 3])
      await rejects('duplicate_id', () => early.failing)
      equal(await db.distinct('n'), [1, 3, 4])
      for (const call of [() => kept.count(), () => kept.insert({}), () => kept.sql`SELECT * FROM default`, () => kept.collection('x').clear(), () => found.updateAll({ n: 5 })]) {
        await rejects('closed', call, /the transaction has ended/)
      }
      equal(await db.distinct('n'), [1, 3, 4])
    },
  },
  {
    name: 'a call that would wait for the transaction it is made in is refused where that is certain',
    async run({ open }) {
      const db = await open()
      await rejects('invalid', () => db.transaction(async () => db.insert({})), /tx\.insert/)
      await rejects('invalid', () => db.transaction(async () => db.transaction(async () => {})), /tx\.insert/)
      for (const call of ['flush', 'commit', 'verify', 'export'] as const) await rejects('invalid', () => db.transaction(async () => db[call]()), /tx\.insert/)
      const file = new TextEncoder().encode('{}')
      await rejects('invalid', () => db.transaction(async () => db.import(file)), /tx\.insert/)
      const undoing = await open('undoing', { undoSteps: 5 })
      await undoing.insert({ n: 1 })
      await rejects('invalid', () => undoing.transaction(async () => undoing.undo()), /tx\.insert/)
      await rejects('invalid', () => undoing.transaction(async () => undoing.redo()), /tx\.insert/)
      equal(await Promise.all([undoing.undo(), undoing.undo(), undoing.redo()]), [true, false, true])
      await rejects('invalid', () => db.transaction(async (tx) => (await null, tx.transaction(async () => {}))), /cannot contain another/)
      await rejects('invalid', () => db.transaction('work' as never), /^work: expected a function/)
      // A write that is not awaited inside comes after the transaction.
      let later!: Promise<unknown>
      await db.transaction(async (tx) => {
        await null
        later = db.insert({ by: 'db' })
        await tx.insert({ by: 'tx' })
      })
      await later
      equal((await db.all()).map((d) => d.by), ['tx', 'db'])
    },
  },
  {
    name: 'a function of a query or an update in it cannot call the database, nor tx',
    async run({ open }) {
      const db = await open()
      await db.insert({ n: 1 })
      await db.transaction(async (tx) => {
        const calls: Promise<unknown>[] = []
        await tx.update(() => (calls.push(tx.count(), tx.insert({}), db.count()), calls.map((call) => call.catch(() => {})), { n: 2 }))
        for (const call of calls) await rejects('invalid', () => call, /cannot call the database/)
        equal((await tx.search((d) => d.n === 2)).length, 1)
      })
      equal(await db.count(), 1)
    },
  },
  {
    name: 'collection, sql, aggregate, distinct, updateAll, removeAll and tracked are part of it',
    async run({ open }) {
      const db = await open()
      const work = async (tx: Transaction) => {
        const users = tx.collection<{ name: string; age: number; young?: boolean }>('users')
        await users.insertMany([{ name: 'Ada', age: 36 }, { name: 'Bob', age: 17 }, { name: 'Cy', age: 17 }])
        equal(await users.atomicUpdate((user) => ({ age: user.age + 1 })), { _id: 1, name: 'Ada', age: 37 })
        equal(await tx.sql('UPDATE users SET age = 18 WHERE name = ?', ['Bob']), [{ updated: 1 }])
        equal(await tx.aggregate({ select: { n: { $count: true }, sum: { $sum: 'age' } } }, 'users'), [{ n: 3, sum: 72 }])
        equal(await tx.distinct('age', undefined, 'users'), [17, 18, 37])
        equal(await (await users.search('age < 20')).updateAll({ young: true }), 2)
        equal(await (await users.find({ age: 17 })).removeAll(), 1)
        const tracked = (await users.search()).tracked()
        tracked[0]!.name = 'A.'
        await tracked.saved()
      }
      const reason = new Error('undo')
      ok((await reasonOf(db.transaction(async (tx) => (await work(tx), Promise.reject(reason))))) === reason, 'another error')
      equal(await db.collections(), [])
      await db.transaction(work)
      equal((await db.all('users')).asList(), [{ _id: 1, name: 'A.', age: 37 }, { _id: 2, name: 'Bob', age: 18, young: true }])
    },
  },
  {
    name: 'a transaction has the calls of a database: about documents, collections and indexes',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ _id: 'a', n: 1 }, { _id: 'b', n: 2 }], 'users')
      await db.transaction(async (tx) => {
        equal((await tx.all('users')).length, 2)
        equal(await tx.documentIds('users'), ['a', 'b'])
        equal([await tx.contains('n = 2', 'users'), await tx.contains('n = 2')], [true, false])
        equal(await tx.atomicUpdate<{ n: number }>((d) => ({ n: d.n + 1 }), 'n = 2', 'users'), { _id: 'b', n: 3 })
        await tx.createCollection('empty')
        await tx.dropCollection('empty')
        await tx.createCollection('made')
        equal(await tx.collections(), ['made', 'users'])
        await tx.createIndex('n', { collection: 'users', unique: true })
        equal((await tx.explain('n = 3', 'users')).index, ['n'])
        await rejects('unique', () => tx.insert({ n: 3 }, 'users'))
        await tx.createIndex('m', { collection: 'users' })
        await tx.dropIndex('m', { collection: 'users' })
        await rejects('not_found', () => tx.dropIndex('m', { collection: 'users' }))
        await rejects('invalid', () => tx.transaction(async () => {}), /^transaction: a transaction cannot contain another/)
      })
      equal(await db.collections(), ['made', 'users'])
      equal((await db.explain('n = 3', 'users')).index, ['n'])
      await reasonOf(db.transaction(async (tx) => {
        await tx.dropIndex('n', { collection: 'users' })
        await tx.dropCollection('made')
        await tx.atomicUpdate<{ n: number }>((d) => ({ n: d.n + 1 }), 'n = 3', 'users')
        throw new Error('undo')
      }))
      equal(await db.collections(), ['made', 'users'])
      equal((await db.explain('n = 3', 'users')).index, ['n'])
      equal((await db.get('b', 'users')).n, 3)
    },
  },
  {
    name: 'atomicUpdate of several databases on one storage loses nothing, and answers what it stored',
    async run({ open, atomicdb }) {
      const storage = new atomicdb.MemoryStorage()
      const dbs = await Promise.all([1, 2, 3, 4].map(() => open('counting', { storage })))
      equal(await dbs[0]!.atomicUpdate(() => ({ n: 1 }), undefined, 'counters'), undefined)
      await dbs[0]!.insertMany([{ _id: 'first', n: 0 }, { _id: 'second', n: 0 }], 'counters')
      for (const db of dbs) await until(async () => (await db.count(undefined, 'counters')) === 2, 'all see what one has inserted')
      let runs = 0
      const add = (document: { n: number }) => (runs++, { n: document.n + 1 })
      const lanes = dbs.map(async (db) => {
        const found: number[] = []
        for (let i = 0; i < 250; i++) found.push((await db.atomicUpdate<{ n: number }>(add, undefined, 'counters'))!.n)
        return found
      })
      const found = (await Promise.all(lanes)).flat()
      equal(found.sort((a, b) => a - b), Array.from({ length: 1000 }, (_, i) => i + 1))
      ok(runs > 1000, 'nothing ran twice: they did not meet')
      equal(await dbs[0]!.atomicUpdate(add, "_id = 'second'", 'counters'), { _id: 'second', n: 1 })
      for (const db of dbs) await until(async () => (await db.sql`SELECT n FROM counters WHERE _id = 'first'`)[0].n === 1000, 'all see what the last has stored')
    },
  },
  {
    name: 'close waits for the transactions asked for before, and refuses later ones',
    async run(context) {
      const { storage } = storageOf(context)
      const db = await context.open('closing', { storage })
      const held = gate<void>()
      const started = gate<void>()
      const done = [
        db.transaction(async (tx) => {
          await tx.insert({ n: 1 })
          started.open()
          await held.promise
          return tx.insert({ n: 2 })
        }),
        db.insert({ n: 3 }),
        db.transaction(async (tx) => tx.insert({ n: await tx.count() })),
      ]
      await started.promise
      const closing = db.close()
      await rejects('closed', () => db.transaction(async () => {}))
      held.open()
      equal(await Promise.all(done), [2, 3, 4])
      await closing
      equal((await (await context.open('closing', { storage })).all()).map((d) => d.n), [1, 2, 3, 3])
    },
  },
]
