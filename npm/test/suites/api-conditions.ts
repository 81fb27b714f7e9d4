import { equal, ok, rejects, throws } from './check.js'
import type { Context, Suite } from './suite.js'

interface Item {
  name: string
  price: number
}

interface Thing {
  n: number
  s: string
  list: number[]
  items: Item[]
  deep: { a?: number; type?: string }
  when: Date
  type: string
  eq: number
}

/** Documents on which the operators differ; each _id says what is special. */
const things: Record<string, unknown>[] = [
  { _id: 'one', n: 1, s: 'alpha', list: [1, 2, 3], deep: { a: 1, type: 'x' }, when: new Date(1000) },
  { _id: 'two', n: 2, s: 'beta', list: [], deep: { a: 2 }, items: [{ name: 'pen', price: 3 }, { name: 'ink', price: 9 }] },
  { _id: 'three', n: 3.5, s: 'Gamma', list: [[1]], type: 'thing', items: [{ name: 'pen', price: 8 }], eq: 5 },
  { _id: 'null', n: null, s: '', deep: null, when: new Date(2000) },
  { _id: 'missing' },
  { _id: 'text', n: '1', s: ['alpha', 'omega'], list: 'a list', deep: [{ a: 7 }], bytes: Uint8Array.of(1, 2) },
  { _id: 'nan', n: NaN, s: 'it’s "quoted"\n', 'two words': { 'a.b': 1 }, and: true, this: 1 },
]

/** Each condition of a builder, with the ids of the documents that meet it. */
const answers: [condition: (q: any, lib: Context['atomicdb']) => unknown, ids: string[]][] = [
  [(q) => q.n.eq(1), ['one']],
  [(q) => q.n.eq('1'), ['text']],
  [(q) => q.n.eq(null), ['null']],
  [(q) => q.n.eq(NaN), ['nan']],
  [(q) => q.n.ne(1), ['two', 'three', 'null', 'missing', 'text', 'nan']],
  [(q) => q.n.gt(1), ['two', 'three']],
  [(q) => q.n.gte(2), ['two', 'three']],
  [(q) => q.n.lt(2), ['one']],
  [(q) => q.n.lte(2n), ['one', 'two']],
  [(q) => q.n.between(1.5, 3.5), ['two', 'three']],
  [(q) => q.n.in([1, '1', NaN]), ['one', 'text', 'nan']],
  [(q) => q.n.in([]), []],
  [(q) => q.n.notIn([1, 2, 3.5]), ['null', 'missing', 'text', 'nan']],
  [(q) => q.s.matches('^a'), ['one', 'text']],
  [(q) => q.s.matches(/^G/), ['three']],
  [(q) => q.s.matches(/^g/), []],
  [(q) => q.s.matches(/^g/i), ['three']],
  [(q) => q.s.matches(/[\u0061]$/), ['one', 'two', 'three', 'text']],
  [(q) => q.s.matches(/\u{67}|G/u), ['three', 'text']],
  [(q) => q.s.startsWith('be'), ['two']],
  [(q) => q.s.contains('mm'), ['three']],
  [(q) => q.s.contains('omega'), ['text']],
  [(q) => q.list.contains(2), ['one']],
  [(q) => q.list.contains([1]), ['three']],
  [(q) => q.list.size(3), ['one']],
  [(q) => q.list.any((e: any) => e.gte(3)), ['one']],
  [(q) => q.list.any((e: any) => e.gte(1).and(e.lt(2))), ['one', 'three']], // [1], an element of three's, is looked into as any array is
  [(q) => q.items.any((i: any) => i.name.eq('pen').and(i.price.gt(5))), ['three']],
  [(q) => q.items.name.eq('ink'), ['two']],
  [(q) => q.items[0].price.lt(5), ['two']],
  [(q) => q.deep.a.gt(1), ['two', 'text']],
  [(q) => q.field('deep.a').eq(1), ['one']],
  [(q) => q['deep.a'].eq(1), ['one']],
  [(q) => q.n.exists(), ['one', 'two', 'three', 'null', 'text', 'nan']],
  [(q) => q.n.exists(false), ['missing']],
  [(q) => q.n.mod([2, 1]), ['one', 'three']],
  [(q) => q.n.bitsAllSet([1]), ['two']],
  [(q) => q.n.bitsAnyClear(1n), ['two']],
  [(q) => q.bytes.bitsAllSet(Uint8Array.of(1, 2)), ['text']],
  [(q) => q.bytes.bitsAnySet([2, 3]).or(q.bytes.bitsAllClear([0])), []],
  [(q) => q.n.type('float'), ['three', 'nan']],
  [(q) => q.bytes.type('bytes'), ['text']],
  [(q) => q.bytes.eq(Uint8Array.of(1, 2)), ['text']],
  [(q) => q.when.gt(new Date(1500)), ['null']],
  [(q) => q.deep.eq({ a: 2 }), ['two']],
  [(q) => q.list.eq([1, 2, 3]), ['one']],
  [(q) => q.type.eq('thing'), ['three']],
  [(q) => q.eq.gt(4), ['three']],
  [(q) => q.deep.type.eq('x'), ['one']],
  [(q) => q.field('two words').exists(), ['nan']],
  [(q) => q.and.eq(true), ['nan']],
  [(q) => q.this.eq(1), ['nan']],
  [(q) => q.s.eq('it’s "quoted"\n'), ['nan']],
  [(q) => q._id.in(['one', 'nan']), ['one', 'nan']],
  [(q) => q.n.eq(1).and(q.s.eq('alpha'), q.deep.a.eq(1)), ['one']],
  [(q) => q.n.eq(1).or(q.n.eq(2), q.s.eq('')), ['one', 'two', 'null']],
  [(q) => q.n.eq(1).or(q.n.eq(2)).and(q.s.startsWith('b')), ['two']],
  [(q) => q.n.eq(1).or(q.n.eq(2).and(q.s.startsWith('b'))), ['one', 'two']],
  [(q) => q.n.exists().not(), ['missing']],
  [(q) => q.n.gt(1).not().not(), ['two', 'three']],
  [(q, { and, or, not }) => and(q.n.gte(1), or(q.n.lt(2), not(q.s.eq('beta')))), ['one', 'three']],
  [(_, { and }) => and(), things.map((d) => d._id as string)],
  [(_, { or }) => or(), []],
]

async function openThings({ open }: Context) {
  const db = await open()
  await db.insertMany(things)
  return db
}

/** Conditions: built, as text, as filters and as functions. */
export const conditions: Suite = [
  {
    name: 'compares by a collation, in conditions, sorts and unique indexes, and an index of that collation answers',
    async run({ open }) {
      const db = await open()
      const names = ['Zoe', 'ada', 'Élan', 'ADA', 'bob', 'elan', 'v10', 'v9']
      await db.insertMany(names.map((name, _id) => ({ _id: `${_id}`, name, tags: [name] })))
      const found = async (where: object | string, options: object) => (await db.search(where as string, options)).map(({ name }) => name as string)
      const anyCase = { collation: { strength: 2 } } as const
      const q = db.query()
      const ask = async () => {
        for (const where of [{ name: 'Ada' }, "name = 'aDa'", { tags: 'ADA' }, { tags: { $in: ['Ada', 'none'] } }]) equal(await found(where, anyCase), ['ada', 'ADA'])
        equal((await db.search(q.name!.eq('BOB'), anyCase)).length, 1)
        equal(await found({ name: { $gte: 'A', $lt: 'C' } }, { ...anyCase, sort: '-name' }), ['bob', 'ada', 'ADA'])
        equal(await found({ name: 'ELAN' }, anyCase), ['elan'])
        equal(await found({ name: 'ELAN' }, { collation: { strength: 1 } }), ['Élan', 'elan'])
        equal(await found({}, { sort: 'name', collation: { strength: 1, numeric: true } }), ['ada', 'ADA', 'bob', 'Élan', 'elan', 'v9', 'v10', 'Zoe'])
        equal(await found({}, { sort: 'name', collation: {} }), ['ADA', 'ada', 'bob', 'elan', 'Élan', 'v10', 'v9', 'Zoe'])
        equal(await found({ name: 'Ada' }, {}), [])
        let n = 0
        for await (const _ of db.iterate({ name: 'Ada' }, anyCase)) n++
        equal(n, 2)
      }
      await ask()
      await db.createIndex('name', anyCase)
      await ask()
      const plan = await db.explain({ name: 'Ada' }, anyCase)
      equal(plan.index, ['name\\strength2'])
      equal((await db.explain({ name: 'Ada' })).index, null)
      ok((await db.explain({}, { ...anyCase, sort: 'name', limit: 2 })).text.includes('index(name\\strength2)'), 'the index sorts')
      await db.dropIndex('name', anyCase)
      await rejects('not_found', () => db.dropIndex('name', anyCase))

      await rejects('unique', () => db.createIndex('name', { unique: true, ...anyCase }))
      await db.remove({ _id: '3' })
      await db.createIndex('name', { unique: true, ...anyCase })
      await rejects('unique', () => db.insert({ name: 'aDA' }))
      await db.insert({ name: 'Ádà' })
      const live = db.live({ name: 'ADA' }, anyCase)
      await live.ready
      equal(live.current.length, 1)
      live.close()
      for (const wrong of [{ locale: 'sv' }, { strength: 4 }, { numeric: 1 }, { caseLevel: true }, 'en']) {
        await rejects('invalid', () => db.search({}, { collation: wrong as never }), /collation|option/)
      }
    },
  },
  {
    name: 'compares by a collation in every call that has a condition',
    async run({ open }) {
      const db = await open()
      const cities = ['Oslo', 'OSLO', 'oslo', 'Bergen', 'bergen', 'Ås', 'as', null]
      await db.insertMany(cities.map((city, n) => ({ _id: n, city, n, tags: [city, `${city}!`] })))
      const anyCase = { collation: { strength: 2 } } as const
      const noAccents = { collation: { strength: 1 } } as const
      const places = db.collection<{ _id: number; city: string; n: number; seen?: number }>('default')
      const q = db.query()
      const ask = async () => {
        equal(await db.count({ city: 'oslo' }), 1)
        equal(await db.count({ city: 'oslo' }, anyCase), 3)
        equal(await db.count("city = 'AS'", { collection: 'default', ...noAccents }), 2)
        equal(await places.count(q.city!.in(['OSLO', 'BERGEN']), anyCase), 5)
        equal([await db.contains({ city: 'ÅS' }), await db.contains({ city: 'åS' }, anyCase), await db.contains({ city: 'none' }, anyCase)], [false, true, false])
        equal(await db.distinct('city', undefined, anyCase), [null, 'as', 'Ås', 'Bergen', 'OSLO'])
        equal(await db.distinct('city', { n: { $lt: 7 } }, noAccents), ['as', 'Bergen', 'OSLO'])
        equal(await db.distinct('tags', { city: 'BERGEN' }, anyCase), ['Bergen', 'Bergen!'])
        equal(await places.distinct('city', (place) => place.n > 3, anyCase), [null, 'as', 'Ås', 'bergen'])
        equal(await db.aggregate({ groupBy: 'city', select: { n: { $count: true }, last: { $last: 'city' }, sum: { $sum: 'n' } }, collation: { strength: 1 }, sort: 'city' }), [
          { city: null, n: 1, last: null, sum: 7 },
          { city: 'Ås', n: 2, last: 'as', sum: 11 },
          { city: 'Bergen', n: 2, last: 'bergen', sum: 7 },
          { city: 'Oslo', n: 3, last: 'oslo', sum: 3 },
        ])
        equal(await db.aggregate({ where: { city: 'OsLo' }, select: { least: { $min: 'city' }, most: { $max: 'city' }, all: { $distinct: 'city' }, n: { $countDistinct: 'city' } }, collation: { strength: 2 } }), [{ least: 'Oslo', most: 'Oslo', all: ['OSLO'], n: 1 }])
        equal(await db.aggregate({ groupBy: 'city', select: { n: { $count: true } }, having: { city: 'BERGEN' }, collation: { strength: 2 } }), [{ city: 'Bergen', n: 2 }])
        equal((await db.aggregate({ groupBy: 'city', select: { n: { $count: true } } })).length, 8)
      }
      await ask()
      await db.createIndex('city', anyCase)
      await ask()

      const count = db.liveCount({ city: 'oslo' }, anyCase)
      const distinct = db.liveDistinct('city', undefined, anyCase)
      const groups = db.liveAggregate({ groupBy: 'city', select: { n: { $count: true }, least: { $min: 'city' } }, collation: { strength: 2 } })
      await Promise.all([count.ready, distinct.ready, groups.ready])
      equal(await places.update({ $inc: { seen: 1 } }, { city: 'OSLo' }, anyCase), 3)
      equal(await places.update({ $inc: { seen: 1 } }, { city: 'OSLo' }), 0)
      equal(await places.update((place) => ({ seen: place.n }), { city: 'BERGEN' }, anyCase), 2)
      equal((await places.update({ seen: 9 }, { city: { $gte: 'B' } }, { ...anyCase, many: false, sort: '-city', returnDocuments: 'after' }))?.city, 'Oslo')
      equal((await db.atomicUpdate(({ n }) => ({ n: n + 100 }), { city: 'BERGEN' }, anyCase))?.n, 103)
      equal(await places.replace({ _id: 2, city: 'oSLO', n: 2 }, { city: 'OSLO', n: 2 }, anyCase), 1)
      equal(await db.update({ n: 0 }, { city: 'Tromsø' }, { ...anyCase, upsert: true }), 1)
      equal(await db.update({ n: 1 }, { city: 'TROMSØ' }, { ...anyCase, upsert: true }), 1)
      equal(await db.find({ city: 'Tromsø' }, { fields: ['n', '-_id'] }), [{ n: 1 }], 'what is added has the text as it was written')
      equal(await db.remove({ city: 'AS' }, anyCase), 1)
      equal(await db.remove({ city: 'AS' }, { collection: 'default', ...noAccents }), 1)
      equal(await db.count(), 7)
      for (const [live, asked] of [
        [count, await db.count({ city: 'oslo' }, anyCase)],
        [distinct, await db.distinct('city', undefined, anyCase)],
        [groups, await db.aggregate({ groupBy: 'city', select: { n: { $count: true }, least: { $min: 'city' } }, collation: { strength: 2 } })],
      ] as const) {
        for await (const current of live) if (JSON.stringify(current) === JSON.stringify(asked)) break
        live.close()
      }
      await rejects('invalid', () => db.count({}, { collation: { strength: 9 } } as never), /^options\.collation\.strength: expected 1, 2 or 3, not 9$/)
      await rejects('invalid', () => db.remove({ city: 'Oslo' }, { limit: 1 } as never), /^options: there is no option limit; the options are collection, collation$/)
      await rejects('invalid', () => places.count({}, { collection: 'others' } as never), /^options\.collection: this is the collection "default"/)
      await rejects('invalid', () => db.aggregate({ select: { n: { $count: true } }, collation: { locale: 'sv' } as never }), /^aggregate\.collation\.locale/)
      await rejects('invalid', () => db.update({ n: 1 }, {}, { collation: 1 } as never), /^options\.collation: expected an object/)
    },
  },
  {
    name: 'each operator finds what it says, built and as text',
    async run(context) {
      const db = await openThings(context)
      for (const [make, expected] of answers) {
        const condition = make(db.query(), context.atomicdb) as never
        equal((await db.search(condition)).map((d) => d._id), expected, `${condition}`)
        equal((await db.search(String(condition))).map((d) => d._id), expected, `the text ${condition}`)
        equal((await db.explain(String(condition))).text, (await db.explain(condition)).text, `the plan of ${condition}`)
        equal(await db.count(condition), expected.length)
      }
    },
  },
  {
    name: 'a condition reads as people write it',
    async run({ open, atomicdb: { and, or, not } }) {
      const q = (await open()).query<any>()
      const texts: [unknown, string][] = [
        [and(q.age!.gte(18), or(q.name!.matches(/^j/i), q.tags!.contains('x'))), "age >= 18 and (name matches '(?i)^j' or tags contains 'x')"],
        [or(and(q.a!.eq(1), q.b!.eq(2)), not(q.c!.gt(3))), 'a = 1 and b = 2 or not (c > 3)'],
        [q.address!.city.in(['Oslo', "King's"]), "address.city in ('Oslo', 'King\\'s')"],
        [not(q.n!.in([1])), 'n not in (1)'],
        [not(q.n!.eq(null)), 'n != null'],
        [q.n!.exists(false), 'not (n exists)'],
        [q.items!.any((i) => i.price!.gt(5).and(i.gte(1))), 'items any (price > 5 and this >= 1)'],
        [q.field('and').eq(new Date(0)), "`and` = date('1970-01-01T00:00:00.000Z')"],
        [q.field('this.x').ne(Uint8Array.of(255)), "`this.x` != bytes('/w==')"],
        [q.field('back`quote').eq([1.5, { a: true, 'b c': NaN }]), "`back``quote` = [1.5, {a: true, 'b c': nan}]"],
        [q.n!.between(-Infinity, 2 ** 70), 'n between -inf and 1.1805916207174113e+21'],
        [q.n!.eq(2n ** 60n), 'n = 1152921504606846976'],
        [q.n!.eq(2 ** 63), 'n = 9.223372036854776e+18'],
        [q.s!.eq('a\\b\n\t\u0000\u200b😀'), "s = 'a\\\\b\\n\\t\\u0000\\u200b😀'"],
      ]
      for (const [condition, text] of texts) equal(String(condition), text)
    },
  },
  {
    name: 'a builder reaches fields that are named like operators or methods',
    async run(context) {
      const db = await openThings(context)
      const q = db.query<Thing & { then: number; field: number; length: number; name: number; prototype: number }>()
      equal(String(q.field.eq(1)), 'field = 1')
      equal(String(q.length.eq(1)), 'length = 1')
      equal(String(q.name.eq(1)), 'name = 1')
      equal(String(q.prototype.eq(1)), 'prototype = 1')
      equal(String(q.field('then').eq(1)), 'then = 1')
      equal(String(q.eq.eq(5)), 'eq = 5')
      ok((await Promise.resolve(q)) === q, 'a builder is taken for a Promise')
    },
  },
  {
    name: 'conditions, texts, filters and functions are the same to every call',
    async run(context) {
      const db = await openThings(context)
      const all = [db.query<Thing>().n.gte(2), 'n >= 2', { n: { $gte: 2 } }, (d: any) => d.n >= 2]
      for (const where of all as never[]) {
        equal((await db.search(where)).map((d) => d._id), ['two', 'three'])
        equal((await db.search(where, { sort: '-n', skip: 1, fields: ['s'] })).asList(), [{ _id: 'two', s: 'beta' }])
        equal((await db.search(where, { limit: 1 })).asList().map((d) => d._id), ['two'])
        equal((await db.search(where, { limit: 0 })).length, 0)
        equal(await db.count(where), 2)
        equal(await db.contains(where), true)
        equal((await db.get<any>(where))?._id, 'two')
        equal(await db.update({ seen: true }, where), 2)
        equal(await db.update({ $unset: { seen: 1 } }, where), 2)
        equal((await db.atomicUpdate((d: any) => ({ n: d.n + 1 }), where))?._id, 'two')
        equal((await db.atomicUpdate((d: any) => ({ n: d.n - 1 }), where))?._id, 'two')
        equal(await db.distinct('s', where), ['Gamma', 'beta'])
        equal((await db.explain(where)).returned, 2)
        equal(await db.remove(where), 2)
        await db.clear()
        await db.insertMany(things)
      }
    },
  },
  {
    name: 'names with dots are reached by every call that reads',
    async run({ open, atomicdb: { pathOf } }) {
      const db = await open()
      const host = 'ssh.a@b.com'
      await db.insertMany([{ [host]: { port: 22 }, n: 1 }, { [host]: { port: 21 }, n: 2 }, { ssh: { 'a@b': { com: { port: 22 } } }, n: 3 }])
      const port = pathOf(host, 'port')
      equal(port, 'ssh\\.a@b\\.com.port')
      const q = db.query<any>()
      const ns = async (where: unknown) => (await db.search(where as never)).map((d) => d.n)
      for (const condition of [q.field([host, 'port']).eq(22), q.field(pathOf(host)).field('port').eq(22), q.field(port).eq(22)]) {
        equal(String(condition), '`' + port + '` = 22')
        equal(await ns(condition), [1])
        equal(await ns(String(condition)), [1])
      }
      equal(await ns({ [port]: 22 }), [1])
      equal(await ns({ [pathOf(host)]: { $exists: true } }), [1, 2])
      equal((await db.search(undefined, { sort: [port] })).map((d) => d.n), [3, 2, 1])
      equal((await db.all()).sortBy(port).map((d) => d.n), [3, 2, 1])
      for (const where of [{ n: 1 }, (d: any) => d.n === 1] as never[]) {
        equal((await db.search(where, { fields: [port] })).asList(), [{ _id: 1, [host]: { port: 22 } }])
        equal((await db.search(where, { fields: [`-${pathOf(host)}`] })).asList(), [{ _id: 1, n: 1 }])
      }
      equal(await db.distinct(port), [21, 22])
      await db.createIndex(port)
      equal((await db.explain({ [port]: 22 })).text, 'index(' + port + '): `' + port + '` = 22')
      throws('invalid', () => pathOf('a', ''), /pathOf: expected a name/)
      throws('invalid', () => pathOf(), /pathOf/)
      throws('invalid', () => q.field(['']), /pathOf/)
    },
  },
  {
    name: 'null is a missing field, too, in filters alone',
    async run(context) {
      const db = await openThings(context)
      const ids = async (where: object) => (await db.search(where as never)).map((d) => d._id)
      const [lacking, others] = [['null', 'missing'], ['one', 'two', 'three', 'text', 'nan']]
      for (const filter of [{ n: null }, { n: { $in: [null] } }, { n: { $gte: null } }, { n: { $not: { $ne: null } } }, { $or: [{ n: null }] }]) {
        equal(await ids(filter), lacking, JSON.stringify(filter))
      }
      for (const filter of [{ n: { $ne: null } }, { n: { $nin: [null] } }, { n: { $not: { $eq: null } } }]) equal(await ids(filter), others, JSON.stringify(filter))
      equal(await ids({ n: { $in: [1, null] } }), ['one', ...lacking])
      equal(await ids({ n: { $exists: 0 } }), ['missing'])
      equal(await ids(db.query<any>().n!.eq(null)), ['null'])
      equal((await db.search('n in (missing, null)')).map((d) => d._id), lacking)
      await db.createIndex('n')
      equal(await ids({ n: null }), lacking)
      equal((await db.explain({ n: null })).text, 'index(n): n in (missing, null)')
      equal(await db.update({ $pull: { list: { k: null } } }, { n: null }), 0)
      equal(await db.remove({ n: null }), 2)
    },
  },
  {
    name: 'expressions and functions in filters',
    async run(context) {
      const db = await openThings(context)
      const ids = async (filter: object) => (await db.search(filter as never)).map((d) => d._id)
      equal(await ids({ $expr: { $gt: [{ $multiply: ['$n', 2] }, 3] }, n: { $type: 'number' } }), ['two', 'three'])
      equal(await ids({ $expr: { $eq: [{ $strLenCP: '$s' }, 5] }, $comment: 'five letters' }), ['one', 'three'])
      equal(await ids({ n: { $mod: [2, 0] } }), ['two'])
      equal((await db.search("expr {$eq: [{$toUpper: '$s'}, 'BETA']}")).map((d) => d._id), ['two'])
      await rejects('invalid', () => db.find({ $expr: { $sqrt: '$n' } }), /unknown operator \$sqrt/)
      equal(await ids({ $where: (d: any) => d.n > 1 }), ['two', 'three'])
      equal(await ids({ $where(this: any) { return this.n > 1 } }), ['two', 'three'])
      equal(await db.count({ $where: (d: any) => d.n > 1 } as never), 2)
      equal(await db.update({ seen: true }, { $where: (d: any) => d.n > 1 } as never), 2)
      await rejects('invalid', () => db.find({ $where: 'this.n > 1' }), /\$where: expected a function/)
      await rejects('invalid', () => db.find({ $where: () => true, n: 1 }), /found n beside it/)
      await rejects('invalid', () => db.find({ $or: [{ $where: () => true }] }), /\$where is a function|\$where/)
      await rejects('invalid', () => db.find({ $jsonSchema: {} }), /createCollection's schema/)
      equal(await db.remove({ $where: (d: any) => d.n > 1 } as never), 2)
    },
  },
  {
    name: 'regular expressions in filters',
    async run(context) {
      const db = await openThings(context)
      const ids = async (filter: object) => (await db.find(filter)).map((d) => d._id)
      equal(await ids({ s: /^g/i }), ['three'])
      equal(await ids({ s: { $regex: /^g/i } }), ['three'])
      equal(await ids({ s: { $regex: '^g', $options: 'i' } }), ['three'])
      equal(await ids({ s: { $in: [/^g/i, 'beta'] } }), ['two', 'three'])
      equal(await ids({ $or: [{ s: /^g/i }, { s: { $not: /./ } }] }), ['three', 'null', 'missing'])
      equal(await db.update({ $pull: { s: 'alpha' } }, { s: /^om/ }), 1)
    },
  },
  {
    name: 'functions see whole documents in order, and only as many as needed',
    async run({ open }) {
      const db = await open()
      await db.insertMany(Array.from({ length: 3_000 }, (_, n) => ({ n, text: 'x'.repeat(1_000) })))
      const seen: number[] = []
      const found = await db.search((d) => (seen.push(d.n), d.n % 2 === 1), { skip: 2, limit: 3, fields: ['n'] })
      equal(found.asList(), [5, 7, 9].map((n) => ({ _id: n + 1, n })))
      equal(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      equal(await db.count((d) => d.n >= 2_990 && d.text.length === 1_000), 10)
      equal((await db.search((d) => d.n < 3, { sort: '-n' })).map((d) => d.n), [2, 1, 0])
    },
  },
  {
    name: 'a fault in a text is placed by line and column',
    async run({ open }) {
      const db = await open()
      const message = await rejects('invalid', () => db.search('age >= 18 and\n  name matchs "x"'), /line 2, column 8/)
      ok(/expected an operator/.test(message) && /\n.*name matchs "x"\n +\^/.test(message), message)
      for (const text of ['', 'age', 'age >', "name = 'x", 'a = 1 or', "name matches '['", 'a b c', "a = '\ud800'"]) {
        await rejects('invalid', () => db.search(text))
        await rejects('invalid', () => db.update({ a: 1 }, text))
        await rejects('invalid', () => db.remove(text))
      }
    },
  },
  {
    name: 'a fault in a filter is placed by its keys',
    async run({ open }) {
      const db = await open()
      await rejects('invalid', () => db.find({ age: { $gte: 1, $foo: 2 } }), /age\.\$foo/)
      await rejects('invalid', () => db.find({ $or: [] }), /\$or/)
      await rejects('invalid', () => db.find({ s: { $regex: '[' } }), /\$regex/)
      await rejects('invalid', () => db.find({ s: /(?=x)/ }))
      await rejects('invalid', () => db.find({ s: () => 1 }), /^where\.s is a function$/)
    },
  },
  {
    name: 'what is not a condition is refused by every call',
    async run({ open }) {
      const db = await open()
      const q = db.query<Thing>()
      for (const where of [5, null, true, [], ['eq', 'n', 1], new Date(), Symbol('s'), q.n, q, new Map()] as never[]) {
        await rejects('invalid', () => db.search(where), /^where: expected a condition/)
        await rejects('invalid', () => db.count(where), /^where: /)
        await rejects('invalid', () => db.contains(where), /^where: /)
        await rejects('invalid', () => db.update({}, where), /^where: /)
        await rejects('invalid', () => db.remove(where), /^where: /)
        await rejects('invalid', () => db.atomicUpdate(() => ({}), where), /^where: /)
        await rejects('invalid', () => db.explain(where), /^where: /)
        if (where !== 5) await rejects('invalid', () => db.get(where), /^where: /)
        await rejects('invalid', () => db.find(where), /^filter: expected a filter/)
      }
      await rejects('invalid', () => db.find(q.n.eq(1) as never), /^filter: /)
      await rejects('invalid', () => db.find('n = 1' as never), /^filter: /)
    },
  },
  {
    // Left out, as of a document, it would widen the condition: remove({ owner: undefined }) would remove all.
    name: 'undefined in a filter is refused, and does not stand for every document',
    async run(context) {
      const db = await openThings(context)
      const before = await db.count()
      const wrong: [object, RegExp][] = [
        [{ n: undefined }, /\.n is undefined$/],
        [{ name: 'a', 'deep.a': undefined }, /\["deep\.a"\] is undefined$/],
        [{ n: { $gt: undefined } }, /\.n\.\$gt is undefined$/],
        [{ $or: [{ n: 1 }, { n: undefined }] }, /\.\$or\[1\]\.n is undefined$/],
        [{ list: { $elemMatch: { a: undefined } } }, /\.list\.\$elemMatch\.a is undefined$/],
        [{ n: { $in: [undefined] } }, /\.n\.\$in\[0\] is undefined$/],
        [{ n: { $nin: [1, undefined] } }, /\.n\.\$nin\[1\] is undefined$/],
        [{ list: { $all: [undefined] } }, /\.list\.\$all\[0\] is undefined$/],
        [{ list: [undefined] }, /\.list\[0\] is undefined$/],
        [{ list: [, 1] }, /\.list\[0\] is undefined$/],
        [{ list: { $in: [{ a: [undefined] }] } }, /\.list\.\$in\[0\]\.a\[0\] is undefined$/],
      ]
      const q = db.query()
      await rejects('invalid', async () => db.remove(q.name!.in([undefined] as never)), /values\[0\] is undefined$/)
      await rejects('invalid', async () => db.remove(q.name!.notIn(['a', undefined] as never)), /values\[1\] is undefined$/)
      for (const [filter, message] of wrong) {
        await rejects('invalid', () => db.find(filter), message)
        await rejects('invalid', () => db.findOne(filter), message)
        await rejects('invalid', () => db.count(filter), message)
        await rejects('invalid', () => db.update({ n: 0 }, filter), message)
        await rejects('invalid', () => db.remove(filter), message)
        await rejects('invalid', () => db.aggregate({ select: { n: { $count: true } }, having: filter }), message)
      }
      equal(await db.count(), before)
    },
  },
  {
    name: 'a condition that is given as undefined is refused, and does not stand for every document',
    async run(context) {
      const db = await openThings(context)
      const before = (await db.all()).asList()
      const things = db.collection<any>('default')
      const all = before.length
      equal([await db.count(), (await db.search()).length, (await db.find()).length, await db.count(undefined, 'default'), (await db.search(undefined, { limit: 1 })).length], [all, all, all, all, 1])
      const calls = (on: any): [() => Promise<unknown>, RegExp][] => [
        [() => on.get(undefined), /^where: expected a condition; search\(\) finds all documents$/],
        [() => on.get(undefined, {}), /^where: expected a condition/],
        [() => on.findOne(undefined), /^filter: expected a condition; findOne\(\{\}\) finds the first document$/],
        [() => on.find(undefined), /^filter is undefined; leave it out for all documents$/],
        [() => on.search(undefined), /^where is undefined; leave it out for all documents$/],
        [() => on.count(undefined), /^where is undefined/],
        [() => on.distinct('n', undefined), /^where is undefined/],
        [() => on.explain(undefined), /^where is undefined/],
      ]
      const writes = (on: any): [() => Promise<unknown>, RegExp][] => [
        [() => on.update({ n: 0 }, undefined), /^where is undefined/],
        [() => on.update(() => ({ n: 0 }), undefined), /^where is undefined/],
        [() => on.atomicUpdate(() => ({ n: 0 }), undefined), /^where is undefined/],
        [() => on.remove(undefined), /^where: /],
        [() => on.contains(undefined), /^where: /],
      ]
      for (const on of [db, things]) for (const [call, message] of [...calls(on), ...writes(on)]) await rejects('invalid', call, message)
      await db.transaction(async (tx) => {
        for (const [call, message] of [...calls(tx), ...writes(tx)]) await rejects('invalid', call, message)
      })
      equal((await db.all()).asList(), before)
    },
  },
  {
    name: 'a list holds values and no operators, and a position stands for one element',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ a: [[6, 7], [8, 9]] }, { a: [8] }, { a: 5 }])
      for (const operator of ['$all', '$in', '$nin']) {
        await rejects('invalid', () => db.find({ a: { [operator]: [1, { $gt: 3 }] } }), /expected a value, found the operator \$gt/)
      }
      equal(await db.count({ a: { $all: [8, { $elemMatch: { $gt: 7 } }] } }), 1)
      const found = async (filter: object) => (await db.find(filter)).map((d) => d._id)
      for (let indexed = 0; indexed < 2; indexed++) {
        equal(await found({ 'a.1': 8 }), [])
        equal(await found({ 'a.0': 8 }), [2])
        equal(await found({ 'a.1': [8, 9] }), [1])
        equal(await found({ 'a.1': { $gte: 8 } }), [])
        equal(await found({ 'a.1': { $size: 2 } }), [1])
        equal(await found({ 'a.1.0': 8 }), [1])
        equal((await db.search(db.query().field('a.1').contains(8))).map((d) => d._id), [1])
        equal((await db.sql`SELECT _id FROM default WHERE a[1] = 8`).length, 0)
        await db.createIndex('a.1')
      }
    },
  },
  {
    name: 'what is not an operand is refused when the condition is built',
    async run({ open, atomicdb: { and, not } }) {
      const q = (await open()).query<any>()
      const wrong: [() => unknown, RegExp][] = [
        [() => q.age!.eq(undefined as never), /^age\.eq: value is undefined$/],
        [() => q.a!.b.eq((() => 1) as never), /^a\.b\.eq: value is a function$/],
        [() => q.a!.eq(q.b as never), /fields cannot be compared with each other/],
        [() => q.a!.eq([1, Symbol('s')] as never), /^a\.eq: value\[1\] is a symbol$/],
        [() => q.a!.between(1, undefined as never), /^a\.between: high is undefined$/],
        [() => q.field(revokedProxy() as never), /^q\.field: a proxy in it has been revoked$/],
        [() => q.field(new Proxy([], { get: (list, name) => (name === 'length' ? Infinity : Reflect.get(list, name)) }) as never), /^q\.field: path: has Infinity elements; the limit is /],
        [() => q.a!.in('text' as never), /^a\.in: values: expected an array, not "text"$/],
        [() => q.a!.in([1, new Set() as never]), /^a\.in: values\[1\] is a Set/],
        [() => q.a!.in([1, undefined!]), /^a\.in: values\[1\] is undefined$/],
        [() => q.a!.notIn([, 1] as never), /^a\.notIn: values\[0\] is undefined$/],
        [() => q.a!.eq([undefined!]), /^a\.eq: value\[0\] is undefined$/],
        [() => q.a!.eq({ b: undefined! }), /^a\.eq: value\.b is undefined$/],
        [() => q.a!.contains({ b: [undefined!] }), /^a\.contains: value\.b\[0\] is undefined$/],
        [() => q.a!.startsWith(5 as never), /^a\.startsWith: expected text, not 5$/],
        [() => q.a!.matches(5 as never), /^a\.matches: pattern: expected a regular expression, not 5$/],
        [() => q.a!.exists('yes' as never), /^a\.exists: yes: expected true or false/],
        [() => q.a!.type('integer' as never), /^a\.type: name: expected one of int, float/],
        [() => q.a!.size(1.5), /^a\.size: length: expected a whole number/],
        [() => q.a!.any(5 as never), /^a\.any: condition: expected a function of the element/],
        [() => q.a!.any((() => true) as never), /^a\.any: expected a condition from a query builder, not true$/],
        [() => (q.a as any).equals(1), /^there is no operator equals; the operators are eq, ne/],
        [() => (q as any)('a'), /not a function/],
        [() => q.field(5 as never), /^q\.field: path: expected a field path/],
        [() => and(q.a!.eq(1), 'b = 2' as never), /^and: expected a condition from a query builder, not "b = 2"$/],
        [() => q.a!.eq(1).or(undefined as never), /^or: expected a condition/],
        [() => not(q.a as never), /^not: expected a condition/],
      ]
      for (const [work, message] of wrong) throws('invalid', work, message)
    },
  },
  {
    name: 'an operand is copied when the condition is built',
    async run(context) {
      const db = await openThings(context)
      const value = { a: 2 }
      const condition = db.query<Thing>().deep.eq(value)
      value.a = 3
      equal((await db.search(condition)).map((d) => d._id), ['two'])
    },
  },
  {
    name: 'hundreds of conditions can be chained',
    async run(context) {
      const db = await openThings(context)
      const { n } = db.query<Thing>()
      let any = n.eq(1)
      for (let i = 2; i < 500; i++) any = any.or(n.eq(i))
      equal((await db.search(any)).map((d) => d._id), ['one', 'two'])
      equal((await db.search(String(any))).map((d) => d._id), ['one', 'two'])
    },
  },
]

/** An array whose every use throws the host's error. */
function revokedProxy(): string[] {
  const { proxy, revoke } = Proxy.revocable<string[]>([], {})
  revoke()
  return proxy
}
