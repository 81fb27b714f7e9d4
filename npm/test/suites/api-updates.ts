import type { AtomicDB } from '../../src/index.js'
import { equal, ok, rejects, until } from './check.js'
import type { Suite } from './suite.js'

interface Job {
  name: string
  state: string
  n: number
}

const jobs: Job[] = [
  { name: 'a', state: 'new', n: 2 },
  { name: 'b', state: 'new', n: 3 },
  { name: 'c', state: 'old', n: 1 },
]

const plain = async (db: Pick<AtomicDB, 'all'>) => (await db.all()).asList()

/** What an update changes, adds and answers. */
export const updates: Suite = [
  {
    name: '$currentDate sets the time of the call',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ n: 1 }, { n: 2 }])
      const before = Date.now()
      equal(await db.update({ $currentDate: { at: true, 'by.at': { $type: 'date' } } }), 2)
      const after = Date.now()
      for (const { at, by } of await plain(db) as any[]) {
        ok(at instanceof Date && +at >= before && +at <= after, `${at}`)
        equal(by.at, at)
      }
      await db.update(({ n }) => (n === 1 ? { $currentDate: { seen: true } } : {}))
      const { seen } = (await db.get<any>(1))!
      ok(seen instanceof Date && +seen >= after && +seen <= Date.now(), `${seen}`)
      equal((await db.get<any>(2)).seen, undefined)
      await rejects('invalid', () => db.update({ $currentDate: { at: false } }), /\$currentDate of at: expects true or/)
      await rejects('invalid', () => db.update({ $currentDate: { at: { $type: 'timestamp' } } }), /\$type/)
    },
  },
  {
    name: 'upsert adds what the condition wants and the update makes of it',
    async run({ open }) {
      const db = await open()
      const change = { $inc: { visits: 1 }, $setOnInsert: { 'made.by': 'us' }, $currentDate: { at: true } }
      const where = { name: 'Ada', $and: [{ 'address.city': { $eq: 'Oslo' } }], age: { $gt: 1 } }
      equal(await db.update(change, where, { upsert: true }), 1)
      const [{ at, ...added }] = (await plain(db)) as any[]
      equal(added, { _id: 1, name: 'Ada', address: { city: 'Oslo' }, visits: 1, made: { by: 'us' } })
      ok(at instanceof Date, 'the time is there')
      equal(await db.update({ $inc: { visits: 1 }, $setOnInsert: { visits: 9 } }, { name: 'Ada' }, { upsert: true }), 1)
      equal((await db.get<any>(1)).visits, 2)
      const q = db.query()
      equal(await db.update({ n: 1 }, q.name!.eq('Bob').and(q.role!.eq('x')), { upsert: true, collection: 'users' }), 1)
      equal(await db.update({ n: 2 }, "name = 'Cy' and n > 5", { upsert: true, collection: 'users' }), 1)
      equal((await db.all('users')).asList(), [{ _id: 1, name: 'Bob', role: 'x', n: 1 }, { _id: 2, name: 'Cy', n: 2 }])
      equal(await db.update({ n: 1 }, { _id: 'own' }, { upsert: true }), 1)
      equal(await db.get('own'), { _id: 'own', n: 1 })
      equal(await db.update({ n: 1 }, { none: 1 }), 0)
      await rejects('invalid', () => db.update({}, { $and: [{ x: 1 }, { x: 2 }] }, { upsert: true }), /two values for x/)
      await rejects('invalid', () => db.update({ n: 1 }, () => false, { upsert: true }), /options.upsert: a function/)
      await rejects('invalid', () => db.update(() => ({}), { x: 1 }, { upsert: true }), /options.upsert: a function/)
    },
  },
  {
    name: 'upsert by a condition resolves to the id, and upsertMany takes many',
    async run({ open }) {
      const db = await open()
      equal(await db.upsert({ n: 1 }, { name: 'x' }), 1)
      equal(await db.upsert({ $inc: { n: 1 } }, { name: 'x' }), 1)
      equal(await db.upsert({ n: 9 }, "name = 'y'", 'default'), 2)
      equal(await plain(db), [{ _id: 1, name: 'x', n: 2 }, { _id: 2, name: 'y', n: 9 }])
      const users = db.collection<any>('users')
      equal(await users.upsert({ n: 1 }, "name = 'z'"), 1)
      equal(await users.upsert({ n: 2 }, { name: 'z' }), 1)
      equal(await users.upsert({ _id: 7 }), 7)
      equal(await db.upsert({ _id: 8 }, 'users'), 8)
      equal(await db.upsertMany([{ _id: 7, a: 1 }, { _id: 'k' }], 'users'), [7, 'k'])
      equal(await users.upsertMany([]), [])
      equal((await users.all()).asList(), [{ _id: 1, name: 'z', n: 2 }, { _id: 7, a: 1 }, { _id: 8 }, { _id: 'k' }])
      await rejects('invalid', () => users.upsertMany([{ _id: 9 }, {} as never]), /no _id/)
      await rejects('invalid', () => users.upsert({ n: 1 }, undefined as never))
      equal(await users.count(), 4)
    },
  },
  {
    name: 'many: false changes the first in an order, and answers it',
    async run({ open }) {
      const db = await open()
      await db.insertMany(jobs)
      equal(await db.update({ state: 'taken' }, { state: 'new' }, { many: false, sort: '-n', returnDocuments: 'after' }), { _id: 2, name: 'b', state: 'taken', n: 3 })
      equal(await db.update({ state: 'taken' }, { state: 'new' }, { many: false, returnDocuments: 'before' }), { _id: 1, name: 'a', state: 'new', n: 2 })
      equal(await db.update({ state: 'taken' }, { state: 'new' }, { many: false, returnDocuments: true }), undefined)
      equal(await db.update({ $inc: { n: 1 } }, undefined, { many: false, sort: { n: 1 } }), 1)
      equal((await plain(db) as any[]).map(({ n }) => n), [2, 3, 2])
      const all = await db.update({ $inc: { n: 10 } }, { state: 'taken' }, { sort: '-n', returnDocuments: 'after' })
      equal([all.count(), all.map(({ name }) => name)], [2, ['b', 'a']])
      equal(await all.updateAll({ done: true }), 2)
      equal((await db.update({ $inc: { n: 1 } }, { done: true }, { returnDocuments: 'before' })).map(({ n }) => n), [12, 13])
      equal((await db.update({}, { none: 1 }, { returnDocuments: 'after' })).asList(), [])
      equal(await db.update({ n: 1 }, { none: 1 }, { upsert: true, many: false, returnDocuments: 'before' }), undefined)
      equal(await db.update({ n: 1 }, { none: 2 }, { upsert: true, many: false, returnDocuments: 'after' }), { _id: 5, none: 2, n: 1 })
      // Functions, as conditions and as changes.
      equal(await db.update({ $inc: { n: 1 } }, ({ n }) => n > 10, { many: false, sort: '-n', returnDocuments: 'after' }), { _id: 2, name: 'b', state: 'taken', n: 15, done: true })
      equal(await db.update(({ n }) => ({ n: n + 1 }), 'n > 10', { many: false, sort: '-n', returnDocuments: 'before' }), { _id: 2, name: 'b', state: 'taken', n: 15, done: true })
      const two = await db.update((job) => { job.n = -job.n; return job }, 'n > 10', { sort: '-n', returnDocuments: true })
      equal(two.map(({ _id, n }) => [_id, n]), [[2, -16], [1, -13]])
    },
  },
  {
    name: 'replace puts a document in the place of the first',
    async run({ open }) {
      const db = await open()
      const work = db.collection<Job>('work')
      await work.insertMany(jobs)
      equal(await work.replace({ name: 'z', state: 'new', n: 0 }, { state: 'new' }, { sort: '-n' }), 1)
      equal(await work.replace({ name: 'z', state: 'new', n: 0 }, { name: 'z' }), 0)
      equal(await work.replace({ name: 'y', state: 'old', n: 1 }, { name: 'none' }), 0)
      equal(await work.replace({ name: 'y', state: 'old', n: 5 }, "name = 'c'", { returnDocuments: 'before' }), { _id: 3, name: 'c', state: 'old', n: 1 })
      equal(await work.replace({ name: 'x', state: 'x', n: 5 }, { _id: 'new', n: 1 }, { upsert: true, returnDocuments: 'after' }), { _id: 'new', name: 'x', state: 'x', n: 5 })
      equal((await work.all()).asList(), [{ _id: 1, name: 'a', state: 'new', n: 2 }, { _id: 2, name: 'z', state: 'new', n: 0 }, { _id: 3, name: 'y', state: 'old', n: 5 }, { _id: 'new', name: 'x', state: 'x', n: 5 }])
      equal(await db.replace({ only: 1 }, ({ n }) => n === 5, 'work'), 1)
      equal(await db.get(3, 'work'), { _id: 3, only: 1 })
      await rejects('invalid', () => db.replace({ _id: 9 }, { _id: 1 }, 'work'), /_id of a document cannot change/)
      await rejects('invalid', () => db.replace({ $set: { a: 1 } }, {}, 'work'), /operators such as \$set/)
      await rejects('invalid', () => db.replace({ a: 1 }, undefined as never, 'work'))
      await rejects('invalid', () => db.replace([] as never, {}, 'work'))
      await rejects('invalid', () => db.replace({}, {}, { many: false } as never), /no option many/)
    },
  },
  {
    name: 'a path reaches the element that was found, each element, or those of an array filter',
    async run({ open }) {
      const db = await open()
      const orders = db.collection<{ items: { name: string; price: number; tags?: string[] }[] }>('orders')
      await orders.insertMany([{ items: [{ name: 'pen', price: 1 }, { name: 'ink', price: 9 }] }, { items: [{ name: 'ink', price: 3, tags: ['a', 'b'] }] }])
      const prices = async () => (await orders.all()).map(({ items }) => items.map(({ price }) => price))
      equal(await orders.update({ $inc: { 'items.$.price': 10 } }, { 'items.name': 'ink' }), 2)
      equal(await prices(), [[1, 19], [13]])
      equal(await orders.update({ $mul: { 'items.$[].price': 2 } }), 2)
      equal(await prices(), [[2, 38], [26]])
      equal(await orders.update({ $set: { 'items.$[big].price': 0 } }, undefined, { arrayFilters: [{ 'big.price': { $gt: 20 } }] }), 2)
      equal(await prices(), [[2, 0], [0]])
      const q = orders.query()
      equal(await orders.update({ 'items.$.price': 7 }, q.items.any((item) => item.price!.eq(2)), { many: false, returnDocuments: 'after' }), { _id: 1, items: [{ name: 'pen', price: 7 }, { name: 'ink', price: 0 }] })
      equal(await orders.update({ 'items.$.price': 8 }, "items.name = 'pen'"), 1)
      equal(await orders.update({ $set: { 'items.$[x].tags.$[y]': 'c' } as object }, (order) => order._id === 2, { arrayFilters: [{ y: /^b/ }, { 'x.name': 'ink' }] }), 1)
      equal((await orders.get(2))!.items[0]!.tags, ['a', 'c'])
      equal(await orders.update(() => ({ $inc: { 'items.$[].price': 1 } })), 2)
      equal(await prices(), [[9, 1], [1]])
      for (const [change, where, arrayFilters, message] of [
        [{ 'items.$.price': 1 }, undefined, undefined, /\$ stands for the element that the condition has matched/],
        [{ 'items.$.price': 1 }, { _id: 1 }, undefined, /matches no element of items/],
        [{ 'items.$[x].price': 1 }, undefined, undefined, /no array filter has the name x/],
        [{ 'items.$[x].price': 1 }, undefined, [{ x: 1 }, { y: 1 }], /arrayFilters\[1\]: no path has \$\[y\]/],
        [{ 'items.$[x].price': 1 }, undefined, [{ 'x.a': undefined }], /options.arrayFilters\[0\]\["x.a"\] is undefined/],
        [{ 'items.$[x].price': 1 }, undefined, { x: 1 }, /options.arrayFilters: expected an array of filters/],
        [{ 'items.$[x].price': 1 }, undefined, [5], /options.arrayFilters: expected an array of filters/],
        [{ $rename: { 'items.$[x].price': 'x' } }, undefined, [{ x: 1 }], /has \$\[x\]/],
        [() => ({}), undefined, [{ x: 1 }], /options.arrayFilters: a function/],
      ] as [object, object, never, RegExp][]) await rejects('invalid', () => db.update(change, where, { collection: 'orders', arrayFilters }), message)
      equal(await prices(), [[9, 1], [1]])
    },
  },
  {
    name: 'options that are wrong are refused',
    async run({ open }) {
      const db = await open()
      for (const [options, message] of [
        [{ upser: true }, /no option upser; the options are collection, upsert, sort/],
        [{ upsert: 1 }, /options.upsert: expected true or false/],
        [{ many: 'no' }, /options.many: expected true or false/],
        [{ returnDocuments: 'both' }, /options.returnDocuments: expected 'before'/],
        [{ sort: 5 }, /options.sort/],
        [[], /options: expected an object/],
        [{ collection: '' }, /collection/],
      ] as const) await rejects('invalid', () => db.update({ a: 1 }, {}, options as never), message)
      await rejects('invalid', () => db.collection('x').update({ a: 1 }, {}, { collection: 'y' } as never), /this is the collection "x"/)
      equal(await db.collections(), [])
    },
  },
  {
    name: 'all of it is one write: in transactions, and when another was faster',
    async run({ open }) {
      const db = await open('both', { undoSteps: 1 })
      const other = await open('both', { undoSteps: 2 })
      const added = await Promise.all([db, other, db, other].map((one) => one.update({ $inc: { n: 1 }, $setOnInsert: { k: 1 } }, { name: 'once' }, { upsert: true, many: false, returnDocuments: 'after' })))
      equal(added.map((document: any) => document.n).sort(), [1, 2, 3, 4])
      await until(async () => (await db.count({ n: 4 })) === 1, 'a database hears of the write of another')
      equal((await db.find({ name: 'once' })).asList(), [{ _id: 1, name: 'once', n: 4, k: 1 }])
      const failed = await db.transaction(async (tx) => {
        equal(await tx.upsert({ n: 1 }, { name: 'tx' }), 2)
        equal(await tx.replace({ name: 'tx', n: 2 }, { name: 'tx' }, { returnDocuments: 'after' }), { _id: 2, name: 'tx', n: 2 })
        equal(await tx.upsertMany([{ _id: 3 }]), [3])
        throw new Error('no')
      }).catch((error: Error) => error.message)
      equal(failed, 'no')
      equal(await db.count(), 1)
    },
  },
  {
    name: 'what is unique is so after a statement, and after a transaction',
    async run({ open }) {
      const db = await open()
      await db.createIndex('n', { unique: true })
      await db.insertMany([{ n: 1 }, { n: 2 }])
      const numbers = async () => (await plain(db) as any[]).map(({ n }) => n)
      equal(await db.update({ $inc: { n: 1 } }), 2)
      equal(await db.update({ $inc: { n: 1 } }, undefined, { sort: 'n', returnDocuments: false }), 2)
      equal(await numbers(), [3, 4])
      await db.transaction(async (tx) => {
        await tx.update({ n: 4 }, { _id: 1 })
        await tx.update({ n: 3 }, { _id: 2 })
      })
      equal(await numbers(), [4, 3])
      equal(await db.sql`UPDATE default SET n = n + 1`, [{ updated: 2 }])
      equal(await db.upsertMany([{ _id: 1, n: 4 }, { _id: 2, n: 5 }]), [1, 2])
      await rejects('unique', () => db.update({ n: 9 }))
      await rejects('unique', () => db.replace({ n: 5 }, { n: 4 }))
      await rejects('unique', () => db.update({ n: 5 }, { m: 1 }, { upsert: true }))
      await rejects('unique', () => db.transaction(async (tx) => void (await tx.update({ n: 5 }, { _id: 1 }))))
      equal(await numbers(), [4, 5])
    },
  },
  {
    name: 'a validator checks what is added and what replaces',
    async run({ open }) {
      const db = await open()
      const validate = (value: any) => (typeof value.n === 'number' ? { value: { ...value, seen: true } } : { issues: [{ message: 'n is missing' }] })
      for (const [name, ask] of [['at once', validate], ['waiting', async (value: unknown) => validate(value)]] as const) {
        const users = db.collection<any>(name, { validate: { '~standard': { version: 1, vendor: 'test', validate: ask } } })
        equal(await users.update({ n: 1 }, { k: 'a' }, { upsert: true }), 1)
        equal(await users.upsert({ n: 2 }, { k: 'b' }), 2)
        equal(await users.upsertMany([{ _id: 'c', n: 3 }]), ['c'])
        equal(await users.replace({ n: 4 }, { k: 'a' }, { returnDocuments: 'after' }), { _id: 1, n: 4, seen: true })
        equal(await users.update({ $inc: { n: 1 } }, { n: { $gt: 2 } }, { many: false, sort: 'n', returnDocuments: true }), { _id: 'c', n: 4, seen: true })
        equal((await users.update({ $inc: { n: 1 } }, { n: 4 }, { sort: '-_id', returnDocuments: 'before' })).map(({ _id, n }) => [_id, n]), [['c', 4], [1, 4]])
        for (const call of [() => users.update({ m: 1 }, { k: 'z' }, { upsert: true }), () => users.upsert({ m: 1 }, { k: 'z' }), () => users.upsertMany([{ _id: 1 }]), () => users.replace({ m: 1 }, { n: 5 })]) {
          await rejects('schema', call, /n is missing/)
        }
        equal((await users.all()).asList(), [{ _id: 1, n: 5, seen: true }, { _id: 2, k: 'b', n: 2, seen: true }, { _id: 'c', n: 5, seen: true }])
      }
    },
  },
]
