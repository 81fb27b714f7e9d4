import { equal, ok, rejects } from './check.js'
import type { Context, Suite } from './suite.js'

/** People in four cities, one of them nowhere; Eva's city is null and Fay has no address. */
const people = [
  { name: 'Ada', age: 36, address: { city: 'Oslo' }, tags: ['admin', 'ops'], score: 0.1 },
  { name: 'Bob', age: 20, address: { city: 'Bergen' }, tags: [], score: 0.2 },
  { name: 'Cid', age: 40, address: { city: 'Oslo' }, score: 0.3 },
  { name: 'Dan', age: null, address: { city: 'Oslo' }, tags: ['ops'], score: 'high' },
  { name: 'Eva', age: 31, address: { city: null }, score: null },
  { name: 'Fay', age: 29, score: 1 },
]

async function openPeople({ open }: Context) {
  const db = await open()
  const users = db.collection<any>('users')
  await users.insertMany(people)
  return { db, users }
}

/** Aggregates: groups of documents, and what each has in common. */
export const aggregates: Suite = [
  {
    name: 'every operator, over all documents',
    async run(context) {
      const { db, users } = await openPeople(context)
      const select = {
        n: { $count: true as const },
        aged: { $count: 'age' },
        sum: { $sum: 'age' },
        mean: { $avg: 'age' },
        fractions: { $sum: 'score' },
        youngest: { $min: 'age' },
        highest: { $max: 'score' },
        first: { $first: 'address.city' },
        last: { $last: 'address.city' },
        cities: { $distinct: 'address.city' },
        tags: { $distinct: 'tags' },
        kinds: { $countDistinct: 'tags' },
      }
      const row = {
        n: 6,
        aged: 5,
        sum: 156,
        mean: 31.2,
        fractions: 1.6,
        youngest: 20,
        highest: 'high',
        first: 'Oslo',
        last: null,
        cities: [null, 'Bergen', 'Oslo'],
        tags: ['admin', 'ops'],
        kinds: 2,
      }
      equal(await users.aggregate({ select }), [row])
      equal(await db.aggregate({ select }, 'users'), [row])
      const [found] = await users.aggregate({ select })
      equal(Object.keys(found), Object.keys(select), 'the order of the fields')
      ok(Object.getPrototypeOf(found) === Object.prototype && Array.isArray(await users.aggregate({ select })), 'a row is no plain object')
    },
  },
  {
    name: 'groups come in the order of their first documents, and missing counts as null',
    async run(context) {
      const { users } = await openPeople(context)
      equal(await users.aggregate({ groupBy: 'address.city', select: { n: { $count: true }, oldest: { $max: 'age' } } }), [
        { address: { city: 'Oslo' }, n: 3, oldest: 40 },
        { address: { city: 'Bergen' }, n: 1, oldest: 20 },
        { address: { city: null }, n: 2, oldest: 31 },
      ])
      equal(await users.aggregate({ groupBy: ['address.city'], select: {} }), [{ address: { city: 'Oslo' } }, { address: { city: 'Bergen' } }, { address: { city: null } }])
    },
  },
  {
    name: 'several paths group together, and an array is one value',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ a: { x: 1, y: 'p' }, b: [1, 2] }, { a: { x: 1.0, y: 'p' }, b: [1, 2] }, { a: { x: 1, y: 'q' }, b: [1] }, { a: { x: '1', y: 'q' }, b: 1 }])
      const n = { $count: true as const }
      equal(await db.aggregate({ groupBy: ['a.x', 'a.y'], select: { n } }), [
        { a: { x: 1, y: 'p' }, n: 2 },
        { a: { x: 1, y: 'q' }, n: 1 },
        { a: { x: '1', y: 'q' }, n: 1 },
      ])
      equal(await db.aggregate({ groupBy: 'b', select: { n } }), [{ b: [1, 2], n: 2 }, { b: [1], n: 1 }, { b: 1, n: 1 }])
    },
  },
  {
    name: 'where, having, sort, skip and limit',
    async run(context) {
      const { users } = await openPeople(context)
      const q = users.query() as any
      const select = { n: { $count: true as const }, sum: { $sum: 'age' } }
      const groupBy = 'address.city'
      const oslo = { address: { city: 'Oslo' }, n: 2, sum: 76 }
      for (const where of [q.age.gt(30), 'age > 30', { age: { $gt: 30 } }, (user: any) => user.age > 30]) {
        equal(await users.aggregate({ where, groupBy, select }), [oslo, { address: { city: null }, n: 1, sum: 31 }])
      }
      equal(await users.aggregate({ where: q.age.lt(0), groupBy, select }), [])
      equal(await users.aggregate({ where: q.age.lt(0), select }), [{ n: 0, sum: 0 }])
      for (const having of [{ n: { $gte: 2 } }, 'n >= 2', q.field('n').gte(2)]) {
        equal((await users.aggregate({ groupBy, select, having })).map((row) => row.n), [3, 2])
      }
      equal((await users.aggregate({ groupBy, select, having: { 'address.city': 'Bergen' } })).length, 1)
      equal((await users.aggregate({ groupBy, select, sort: '-sum' })).map((row) => row.sum), [76, 60, 20])
      equal((await users.aggregate({ groupBy, select, sort: ['address.city'] })).map((row) => row.address.city), [null, 'Bergen', 'Oslo'])
      equal((await users.aggregate({ groupBy, select, sort: { n: 'asc' }, skip: 1, limit: 1 })).map((row) => row.n), [2])
      equal((await users.aggregate({ groupBy, select, skip: 2, limit: Infinity })).map((row) => row.n), [2])
      equal(await users.aggregate({ select, limit: 0 }), [])
    },
  },
  {
    name: 'whole numbers add up exactly, and fractions are rounded once',
    async run({ open }) {
      const db = await open()
      await db.insertMany([...Array.from({ length: 10 }, () => ({ big: 2n ** 60n, tenth: 0.1 })), { big: 1, tenth: 1e16 }, { big: -(2n ** 60n), tenth: -1e16 }])
      equal(await db.aggregate({ select: { big: { $sum: 'big' }, tenth: { $sum: 'tenth' } } }), [{ big: 9n * 2n ** 60n + 1n, tenth: 1 }])
      equal(await db.aggregate({ where: 'big > 1', select: { big: { $sum: 'big' }, mean: { $avg: 'big' } } }), [{ big: 10n * 2n ** 60n, mean: 2 ** 60 }])
      equal(await db.aggregate({ where: '_id < 5 or _id > 10', select: { big: { $sum: 'big' } } }), [{ big: 3n * 2n ** 60n + 1n }])
    },
  },
  {
    name: 'an index helps, and changes no answer',
    async run({ open }) {
      const db = await open()
      await db.insertMany(Array.from({ length: 2_000 }, (_, i) => ({ n: i % 100, group: i % 7 })))
      const pipeline = { where: 'n >= 98', groupBy: 'group', select: { n: { $count: true as const }, sum: { $sum: 'n' } }, sort: 'group' }
      const before = await db.aggregate(pipeline)
      equal(before.reduce((sum, row) => sum + row.n, 0), 40)
      await db.createIndex('n')
      await db.createIndex('group')
      equal(await db.aggregate(pipeline), before)
    },
  },
  {
    name: 'aggregates see writes that are not stored yet',
    async run({ open }) {
      const db = await open()
      const insert = db.insertMany([{ n: 1 }, { n: 2 }])
      equal(await db.aggregate({ select: { sum: { $sum: 'n' } } }), [{ sum: 3 }])
      await insert
      equal(await db.aggregate({ select: { n: { $count: true } } }, 'nobody'), [{ n: 0 }])
    },
  },
  {
    name: 'thousands of groups come whole',
    async run({ open }) {
      const db = await open()
      const text = 'x'.repeat(500)
      await db.insertMany(Array.from({ length: 6_000 }, (_, n) => ({ text: `${n} ${text}`, n })))
      const rows = await db.aggregate({ groupBy: 'text', select: { n: { $sum: 'n' } }, sort: '-n' })
      equal(rows.length, 6_000)
      for (const [i, row] of rows.entries()) if (row.n !== 5_999 - i || row.text !== `${row.n} ${text}`) throw new Error(`row ${i} is wrong`)
    },
  },
  {
    name: 'what is wrong is named with its place',
    async run({ open }) {
      const db = await open()
      const n = { $count: true }
      const faults: [unknown, RegExp][] = [
        [undefined, /^aggregate: expected an object as in .*, not undefined$/],
        [[], /^aggregate: expected an object as in .*, not an array$/],
        [{}, /^aggregate\.select: expected an object as in {mean: {\$avg: 'age'}}, not undefined$/],
        [{ select: { n }, filter: {} }, /^aggregate: there is no property filter; the properties are where, groupBy, select, having, sort, skip, limit, collation$/],
        [{ select: ['n'] }, /^aggregate\.select: expected an object as in .*, not an array$/],
        [{ select: { mean: 'age' } }, /^aggregate\.select\.mean: expected an object as in {\$avg: 'age'}, not "age"$/],
        [{ select: { mean: {} } }, /^aggregate\.select\.mean: expected one operator, not none$/],
        [{ select: { mean: { $avg: 'a', $sum: 'a' } } }, /^aggregate\.select\.mean: expected one operator, not \$avg and \$sum$/],
        [{ select: { mean: { $average: 'age' } } }, /^aggregate\.select\.mean: there is no operator \$average; the operators are \$count, \$sum, \$avg, \$min, \$max, \$first, \$last, \$distinct, \$countDistinct$/],
        [{ select: { mean: { constructor: 'age' } } }, /^aggregate\.select\.mean: there is no operator constructor;/],
        [{ select: { mean: { $avg: true } } }, /^aggregate\.select\.mean\.\$avg: expected a field path, not true$/],
        [{ select: { mean: { $avg: '' } } }, /^aggregate\.select\.mean\.\$avg: expected a field path, not ""$/],
        [{ select: { n: { $count: 1 } } }, /^aggregate\.select\.n\.\$count: expected true or a field path.*, not 1$/],
        [{ select: { n: { $sum: 1 } } }, /^aggregate\.select\.n\.\$sum: expected a field path \(to count documents: {\$count: true}\), not 1$/],
        [{ select: { mean: { $avg: '$age' } } }, /^aggregate\.select\.mean\.\$avg: expected a field path without a \$: "age"$/],
        [{ select: { ['__proto__']: n } }, /^aggregate\.select\.__proto__ is a field that objects cannot hold safely$/],
        [{ select: { n }, groupBy: 5 }, /^aggregate\.groupBy: expected a field path, not 5$/],
        [{ select: { n }, groupBy: ['a', ''] }, /^aggregate\.groupBy\[1\]: expected a field path, not ""$/],
        [{ select: { n }, groupBy: { _id: '$a' } }, /^aggregate\.groupBy: expected a field path, not an object$/],
        [{ select: { n }, groupBy: ['a', 'a.b'] }, /a\.b/],
        [{ select: { n }, groupBy: ['a', 'a'] }, /a/],
        [{ select: { a: n }, groupBy: 'a.b' }, /a/],
        [{ select: { n }, having: () => true }, /^aggregate\.having: expected a filter/],
        [{ select: { n }, having: 5 }, /^aggregate\.having: expected a condition, text, a filter object/],
        [{ select: { n }, having: { n: { $foo: 1 } } }, /having.*n\.\$foo/],
        [{ select: { n }, where: 5 }, /^where: expected a condition/],
        [{ select: { n }, where: 'a >' }, /where.*column/s],
        [{ select: { n }, sort: { n: 'up' } }, /^aggregate\.sort\.n: expected 'asc', 'desc', 1 or -1, not "up"$/],
        [{ select: { n }, sort: ['-'] }, /^aggregate\.sort: expected a field path/],
        [{ select: { n }, skip: -1 }, /^aggregate\.skip: expected a whole number of rows, not -1$/],
        [{ select: { n }, limit: 1.5 }, /^aggregate\.limit: expected a whole number of rows, not 1\.5$/],
      ]
      for (const [pipeline, message] of faults) await rejects('invalid', () => db.aggregate(pipeline as never), message)
      await rejects('invalid', () => db.aggregate({ select: { n: { $count: true } } }, ''), /^collection: /)
      await db.close()
      await rejects('closed', () => db.aggregate({ select: { n: { $count: true } } }))
    },
  },
]
