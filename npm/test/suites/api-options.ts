import { equal, ok, rejects } from './check.js'
import type { Context, Suite } from './suite.js'

interface Row {
  a?: number
  b?: string
  c?: { d: number }
}

const rows: Row[] = [{ a: 2, b: 'x' }, { a: 1, b: 'y', c: { d: 5 } }, { a: 2, b: 'a', c: { d: 3 } }, { b: 'z' }, { a: 1, b: 'b' }]

async function openRows({ open }: Context) {
  const db = await open()
  await db.insertMany(rows)
  return db
}

/** FindOptions, indexes and explain. */
export const options: Suite = [
  {
    name: 'sort takes a path, dashed paths, or an object',
    async run(context) {
      const db = await openRows(context)
      const ids = async (sort: any) => (await db.search(undefined, { sort })).map((d) => d._id)
      equal(await ids('a'), [4, 2, 5, 1, 3])
      equal(await ids('-a'), [1, 3, 2, 5, 4])
      equal(await ids(['-a', 'b']), [3, 1, 5, 2, 4])
      equal(await ids({ a: 'desc', b: 'asc' }), [3, 1, 5, 2, 4])
      equal(await ids({ a: -1, b: 1 }), [3, 1, 5, 2, 4])
      equal(await ids({ b: 1, a: -1 }), [3, 5, 1, 2, 4])
      equal(await ids('c.d'), [1, 4, 5, 3, 2])
      equal(await ids([]), [1, 2, 3, 4, 5])
      equal(await ids({}), [1, 2, 3, 4, 5])
    },
  },
  {
    name: 'skip, limit and fields',
    async run(context) {
      const db = await openRows(context)
      const ids = async (options: object) => (await db.search(undefined, options)).map((d) => d._id)
      equal(await ids({ skip: 2 }), [3, 4, 5])
      equal(await ids({ limit: 2 }), [1, 2])
      equal(await ids({ skip: 1, limit: 2, sort: 'b' }), [5, 1])
      equal(await ids({ limit: 0 }), [])
      equal(await ids({ limit: Infinity, skip: 4 }), [5])
      equal(await ids({ limit: 2 ** 40, skip: 2 ** 40 }), [])
      equal(await ids({ skip: undefined, limit: undefined, sort: undefined, fields: undefined, collection: undefined }), [1, 2, 3, 4, 5])
      equal((await db.search('a = 1', { fields: ['c.d', 'a'] })).asList(), [{ _id: 2, a: 1, c: { d: 5 } }, { _id: 5, a: 1 }])
      equal((await db.search('a = 1', { fields: [] })).asList(), [{ _id: 2 }, { _id: 5 }])
      equal((await db.find({ a: 1 }, { fields: ['b'], limit: 1 })).asList(), [{ _id: 2, b: 'y' }])
      equal(await db.findOne({ a: 1 }, { sort: '-b', fields: ['b'] }), { _id: 2, b: 'y' })
      equal(await db.findOne({ a: 1 }, { skip: 1 }), { _id: 5, a: 1, b: 'b' })
      equal(await db.get('a = 1', { limit: 0 }), undefined)
    },
  },
  {
    name: 'what another library would take is refused with what to write',
    async run(context) {
      const { AtomicDB } = context.atomicdb
      const db = await openRows(context)
      const cases: [() => unknown, RegExp][] = [
        [() => db.find('a = 1' as never), /^filter: expected a filter object, not "a = 1"; search\(\) takes this$/],
        [() => db.find(db.query().field('a').eq(1) as never), /not a Condition; search\(\) takes this$/],
        [() => db.findOne((() => true) as never), /not a function; get\(\) takes this$/],
        [() => db.find(1 as never), /not 1; get\(\) takes an _id$/],
        [() => db.update({ a: 1 }, { $set: { b: 'x' } } as never), /^where\.\$set: expected a condition, not a change; update\(change, where\) takes the change first$/],
        [() => db.createIndex({ a: 1 } as never), /^options: there is no option a; .*; paths are texts, and come first$/],
        [() => db.createCollection('new', { schema: {} } as never), /^schema: expected a JSON Schema, not an object that has one as schema$/],
        [() => AtomicDB.open('new', { password: 'x' } as never), /^options: there is no option password; storage: new IndexedDBStorage\(/],
        [async () => new (AtomicDB as unknown as new (name: string) => object)('new'), /^new AtomicDB: expected await AtomicDB\.open\(name\)/],
      ]
      for (const [call, message] of cases) await rejects('invalid', call as () => Promise<unknown>, message)
      equal(await db.count(), rows.length)
    },
  },
  {
    name: 'wrong options are refused by name',
    async run(context) {
      const db = await openRows(context)
      const wrong: [unknown, RegExp][] = [
        [{ limt: 5 }, /^options: there is no option limt; the options are collection, sort, skip, limit, fields, populate, collation$/],
        [{ limit: -1 }, /^options\.limit: expected a whole number of documents, not -1$/],
        [{ limit: 1.5 }, /^options\.limit: /],
        [{ limit: NaN }, /^options\.limit: /],
        [{ limit: '5' }, /^options\.limit: .*not "5"$/],
        [{ limit: null }, /^options\.limit: /],
        [{ skip: -1 }, /^options\.skip: /],
        [{ sort: 5 }, /^options\.sort: /],
        [{ sort: '' }, /^options\.sort: /],
        [{ sort: '-' }, /^options\.sort: /],
        [{ sort: ['a', 5] }, /^options\.sort: .*not 5$/],
        [{ sort: { a: 'up' } }, /^options\.sort\.a: expected 'asc', 'desc', 1 or -1, not "up"$/],
        [{ sort: null }, /^options\.sort: /],
        [{ fields: 'a' }, /^options\.fields: /],
        [{ fields: [''] }, /^options\.fields: /],
        [{ fields: [5] }, /^options\.fields: /],
        [[], /^options: expected an object/],
      ]
      for (const [options, message] of wrong as [never, RegExp][]) {
        await rejects('invalid', () => db.search(undefined, options), message)
        await rejects('invalid', () => db.find({}, options), message)
        await rejects('invalid', () => db.get('a = 1', options), message)
        await rejects('invalid', () => db.findOne({}, options), message)
        await rejects('invalid', () => db.explain('a = 1', options), message)
      }
      await rejects('invalid', () => db.search(undefined, { populate: ['x'] }), /no relationship named "x"/)
      await rejects('invalid', () => db.collection('one').search(undefined, { collection: 'two' }), /^options\.collection: /)
      await rejects('invalid', () => db.distinct(5 as never), /^path: expected a field path, not 5$/)
      await rejects('invalid', () => db.distinct(''), /^path: /)
    },
  },
  {
    name: 'an index is named by explain, is kept up to date, and goes',
    async run(context) {
      const db = await openRows(context)
      await db.createIndex('b')
      await db.createIndex('a', 'c.d')
      equal((await db.explain("b = 'x'")).index, ['b'])
      equal((await db.explain('a = 1 and c.d > 2')).index, ['a', 'c.d'])
      await db.update({ b: 'moved' }, '_id = 1')
      equal((await db.search("b = 'moved'")).map((d) => d._id), [1])
      equal((await db.search("b = 'x'")).length, 0)
      await db.createIndex('b')
      await db.dropIndex('b')
      equal((await db.explain("b = 'x'")).index, null)
      await rejects('not_found', () => db.dropIndex('b'))
      await rejects('not_found', () => db.dropIndex('a'))
      await db.dropIndex('a', 'c.d')
    },
  },
  {
    name: 'a unique index refuses a second document with the same values',
    async run(context) {
      const db = await openRows(context)
      await rejects('unique', () => db.createIndex('a', { unique: true }))
      await db.createIndex('b', { unique: true })
      await rejects('unique', () => db.insert({ b: 'x' }))
      await rejects('unique', () => db.insertMany([{ b: 'new' }, { b: 'x' }]))
      await rejects('unique', () => db.update({ b: 'same' }))
      equal(await db.count(), 5)
      await db.remove("b = 'x'")
      equal(await db.insert({ b: 'x' }), 6)
    },
  },
  {
    name: 'a unique index holds for the state after a call, whatever the order of its changes',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ n: 1 }, { n: 2 }, { n: 3 }])
      await db.createIndex('n', { unique: true })
      const now = async () => (await db.all()).map((d) => d.n)
      equal(await db.update({ $inc: { n: 1 } }), 3)
      equal(await db.update((d) => ({ n: 6 - d.n })), 2)
      equal(await db.sql`UPDATE default SET n = n + 1`, [{ updated: 3 }])
      equal(await now(), [5, 4, 3])
      const tracked = (await db.all()).tracked()
      ;[tracked[0]!.n, tracked[1]!.n] = [4, 5]
      await tracked.saved()
      await db.import(new TextEncoder().encode('{"default": [{"_id": 1, "n": 5}, {"_id": 2, "n": 4}, {"n": 9}]}'), { type: 'json' })
      equal(await now(), [5, 4, 3, 9])
      const before = await now()
      await rejects('unique', () => db.update((d) => ({ n: d.n === 9 ? 9 : 8 })), /document/)
      await rejects('unique', () => db.sql`UPDATE default SET n = 4 WHERE n = 5`)
      await rejects('unique', () => db.upsert({ _id: 1, n: 4 }))
      await rejects('unique', () => db.import(new TextEncoder().encode('{"default": [{"_id": 1, "n": 3}]}'), { type: 'json' }))
      const wrong = (await db.all()).tracked()
      wrong[0]!.n = 4
      await rejects('unique', () => wrong.saved())
      equal(await now(), before)
    },
  },
  {
    name: 'a unique index holds for the state after a transaction',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ n: 1 }, { n: 2 }])
      await db.createIndex('n', { unique: true })
      await db.transaction(async (tx) => {
        equal(await tx.update({ n: 2 }, '_id = 1'), 1)
        equal(await tx.count('n = 2'), 2)
        equal(await db.count('n = 2'), 1, 'seen from outside')
        equal(await tx.update({ n: 1 }, '_id = 2'), 1)
        await rejects('unique', () => tx.insert({ n: 1 }))
      })
      equal((await db.all()).asList(), [{ _id: 1, n: 2 }, { _id: 2, n: 1 }])
      await rejects('unique', () => db.transaction(async (tx) => {
        await tx.insert({ n: 7 })
        await tx.update({ n: 7 }, '_id = 1')
      }), /the unique index on n has these values already, in document 3/)
      equal((await db.all()).asList(), [{ _id: 1, n: 2 }, { _id: 2, n: 1 }])
      equal(await db.count('n = 7'), 0)
      equal(await db.insert({ n: 7 }), 3)
    },
  },
  {
    name: 'indexes of other collections, and wrong arguments',
    async run(context) {
      const db = await openRows(context)
      const users = db.collection<Row>('users')
      await db.createIndex('a', { collection: 'users', unique: true })
      await users.createIndex('b', { sparse: true })
      await users.insertMany([{ a: 1, b: 'x' }])
      await rejects('unique', () => users.insert({ a: 1 }))
      equal((await users.explain("b = 'x'")).index, ['b'])
      equal((await db.explain("b = 'x'", 'users')).index, ['b'])
      equal((await db.explain("b = 'x'", { collection: 'users' })).index, ['b'])
      equal((await db.explain("b = 'x'")).index, null)
      await users.dropIndex('b')
      await db.dropIndex('a', { collection: 'users' })
      await rejects('invalid', () => db.createIndex(), /at least one field path/)
      await rejects('invalid', () => db.createIndex({ unique: true } as never), /at least one field path/)
      await rejects('invalid', () => db.createIndex('a', 5 as never), /expected a field path, not 5/)
      await rejects('invalid', () => db.createIndex(''), /expected a field path/)
      await rejects('invalid', () => db.createIndex('a', { uniqe: true } as never), /no option uniqe/)
      await rejects('invalid', () => db.createIndex('a', { unique: 1 } as never), /options\.unique: expected true or false/)
      await rejects('invalid', () => users.createIndex('a', { collection: 'other' }), /options\.collection/)
      await rejects('invalid', () => db.dropIndex('a', { unique: true } as never), /no option unique/)
    },
  },
  {
    name: 'explain says how many documents were looked at, for functions too',
    async run(context) {
      const db = await openRows(context)
      const plan = await db.explain('a = 1')
      equal([plan.examined, plan.returned], [5, 2])
      ok(plan.text.includes('a = 1') && plan.micros >= 0, JSON.stringify(plan))
      const asked = await db.explain((d) => d.a === 1, { limit: 1 })
      equal([asked.index, asked.returned], [null, 1])
      ok(asked.text.endsWith('→ function'), asked.text)
    },
  },
  {
    name: 'documents have the limits that open was given',
    async run({ open, atomicdb }) {
      const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) })
      const small = await open('small', { maxDocumentBytes: 50, maxDepth: 3 })
      await small.insert({ text: 'x'.repeat(30) })
      await small.insert(nested(3) as object)
      await rejects('invalid', () => small.insert({ text: 'x'.repeat(60) }), /50/)
      await rejects('invalid', () => small.insertMany([{}, nested(4) as object]), /3 levels/)
      await rejects('invalid', () => small.update({ text: 'x'.repeat(60) }), /50/)
      const deep = await open('deep', { maxDepth: 1000 })
      equal(await deep.insertMany([nested(1000) as object]), [1])
      await rejects('invalid', () => deep.insert(nested(1001) as object), /1000 levels/)
      for (const wrong of [{ maxDepth: 0 }, { maxDepth: 1001 }, { maxDepth: 1.5 }, { maxDocumentBytes: 0 }, { maxDocumentBytes: 2 ** 31 }]) {
        await rejects('invalid', () => atomicdb.AtomicDB.open('wrong', wrong), /expected a whole number from 1 to/)
      }
    },
  },
  {
    name: 'a query takes no more memory than open has allowed',
    async run({ open, atomicdb }) {
      const db = await open('memory', { maxQueryMemory: 20_000 })
      await db.insertMany(Array.from({ length: 2000 }, (_, a) => ({ a })))
      const limit = /more than 20000 bytes of memory.* maxQueryMemory/
      await rejects('invalid', () => db.aggregate({ groupBy: 'a', select: { n: { $count: true } } }), limit)
      await rejects('invalid', () => db.sql('SELECT x.a FROM "default" x JOIN "default" y ON x.a = y.a'), limit)
      await rejects('invalid', () => db.sql('UPDATE "default" SET a = a + 1'), limit)
      await rejects('invalid', () => db.distinct('a'), limit)
      await rejects('invalid', () => db.sql(`SELECT ${Array.from({ length: 500 }, (_, n) => `? AS c${n}`).join()} FROM "default"`, Array.from({ length: 500 }, () => 'x'.repeat(100))), /more than 20000 bytes/)
      equal([(await db.all()).length, await db.count('a = 5')], [2000, 1])
      for (const maxQueryMemory of [0, 1.5, 2 ** 31, '1 MB']) {
        await rejects('invalid', () => atomicdb.AtomicDB.open('wrong', { maxQueryMemory: maxQueryMemory as number }), /^options\.maxQueryMemory: /)
      }
    },
  },
  {
    name: 'a query takes no longer than open has allowed, and a write that does has changed nothing',
    async run({ open, atomicdb }) {
      const start = performance.now()
      for (let n = 0, sum = 0; n < 1e7; n++) sum += n
      if (performance.now() === start) return // a clock that stands still while JavaScript runs, as in Cloudflare Workers
      const db = await open('time', { maxQueryTime: 0.01 })
      await db.insertMany(Array.from({ length: 5000 }, (_, a) => ({ a })))
      const where = Array.from({ length: 50 }, () => 'a + 1 < 0').join(' OR ')
      const limit = /longer than 0\.01 ms.* maxQueryTime/
      await rejects('timeout', () => db.sql(`SELECT COUNT(*) AS n FROM "default" WHERE ${where}`), limit)
      await rejects('timeout', () => db.sql(`UPDATE "default" SET b = 1 WHERE NOT (${where})`), limit)
      await rejects('timeout', () => db.transaction((tx) => tx.sql(`DELETE FROM "default" WHERE NOT (${where})`)), limit)
      equal([await db.count(), await db.count('b = 1')], [5000, 0])
      const patient = await open('patient', { maxQueryTime: Infinity })
      await patient.insertMany(Array.from({ length: 5000 }, (_, a) => ({ a })))
      equal(await patient.sql(`SELECT COUNT(*) AS n FROM "default" WHERE ${where}`), [{ n: 0 }])
      for (const maxQueryTime of [0, -1, NaN, '5 s']) {
        await rejects('invalid', () => atomicdb.AtomicDB.open('wrong', { maxQueryTime: maxQueryTime as number }), /^options\.maxQueryTime: /)
      }
    },
  },
  {
    name: 'long statements neither overflow nor take long',
    async run({ open }) {
      const db = await open('long')
      await db.insert({ a: 1 })
      const megabytes = 3 << 20
      for (const before of [`/*${'*'.repeat(megabytes)}*/`, `--${'-'.repeat(megabytes)}\n`, ' '.repeat(megabytes), '/**/--\n '.repeat(100_000)]) {
        equal(await db.sql(`${before}SELECT 1 AS x`), [{ x: 1 }])
        equal(await db.sql(`${before}UPDATE "default" SET a = a + 1`), [{ updated: 1 }])
        await rejects('invalid', () => db.sql(`${before}UPDATES`))
      }
      await rejects('invalid', () => db.sql(`/*${'*'.repeat(megabytes)}`))
      equal(await db.sql(`SELECT ${Array.from({ length: 100_000 }, () => '1').join('+')} AS x`), [{ x: 100_000 }])
      equal((await db.sql(`SELECT '${'x'.repeat(megabytes)}' AS x`))[0].x.length, megabytes)
      await rejects('invalid', () => db.sql(`SELECT ${Array.from({ length: 250_001 }, () => '1').join('+')} AS x`), /at most 250000 values and fields/)
      await rejects('invalid', () => db.sql(' '.repeat((16 << 20) + 1)), /at most 16777216 bytes/)
      await rejects('invalid', () => db.count(Array.from({ length: 250_001 }, () => 'a > 1').join(' or ')), /at most 250000 conditions/)
      await rejects('invalid', () => db.find({ $or: Array.from({ length: 130_000 }, () => ({ a: { $gt: 1 } })) }), /at most 250000 conditions/)
      let either = db.query().a!.eq(0)
      for (let n = 1; n < 20_000; n++) either = either.or(db.query().a!.eq(n))
      equal(await db.count(either), 1)
    },
  },
]
