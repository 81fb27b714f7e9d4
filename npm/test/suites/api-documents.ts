import type { Projection } from '../../src/index.js'
import { equal, ok, rejects, throws, until } from './check.js'
import type { Suite } from './suite.js'

interface Person {
  name: string
  age: number
  address?: { city: string }
  tags?: string[]
}

const people: Person[] = [
  { name: 'Ada', age: 36, address: { city: 'Oslo' }, tags: ['admin'] },
  { name: 'Kim', age: 12 },
  { name: 'Joe', age: 54, address: { city: 'Bergen' }, tags: ['admin', 'ops'] },
]

/** Documents in and out: insert, get, update, remove, and collections. */
export const documents: Suite = [
  {
    name: 'a document gets the next integer as its id, or keeps its own',
    async run({ open }) {
      const db = await open()
      equal(await db.insert({ n: 1 }), 1)
      equal(await db.insert({ n: 2, _id: 'own' }), 'own')
      equal(await db.insert({ n: 3, _id: 7 }), 7)
      equal(await db.insert({ n: 4, _id: undefined }), 8)
      equal(await db.insert({ n: 5, _id: -3 }), -3)
      equal(await db.insert({ n: 6, _id: 2 ** 53 - 2 }), 2 ** 53 - 2)
      equal(await db.documentIds(), [1, 'own', 7, 8, -3, 2 ** 53 - 2])
      equal(await db.get('own'), { _id: 'own', n: 2 })
      equal(await db.get(2 ** 53 - 2), { _id: 2 ** 53 - 2, n: 6 })
      equal(await db.get(9), undefined)
    },
  },
  {
    name: 'a document is copied at the call',
    async run({ open }) {
      const db = await open()
      const document = { n: 1, list: [1] }
      const inserting = db.insert(document)
      document.n = 2
      document.list.push(2)
      await inserting
      const change = { n: 3 }
      const where = { n: 1 }
      const updating = db.update(change, where)
      change.n = where.n = 4
      await updating
      equal(await db.get(1), { _id: 1, n: 3, list: [1] })
      ;(await db.get<any>(1)).list.push('local')
      equal(await db.get(1), { _id: 1, n: 3, list: [1] })
    },
  },
  {
    name: 'insertMany adds all documents, in order, or none',
    async run({ open }) {
      const db = await open()
      equal(await db.insertMany(people), [1, 2, 3])
      equal(await db.insertMany([]), [])
      await rejects('duplicate_id', () => db.insertMany([{ n: 1 }, { n: 2, _id: 3 }]))
      await rejects('invalid', () => db.insertMany([{ n: 1 }, { n: () => 1 }]), /^documents\[1\]\.n is a function$/)
      equal(await db.count(), 3)
      equal(await db.insert({}), 4)
    },
  },
  {
    name: 'insertMany of many megabytes is whole too, and goes in and out in order',
    async run({ open }) {
      const db = await open()
      const many = Array.from({ length: 6_000 }, (_, n) => ({ n, text: `${n} `.repeat(100) }))
      await rejects('duplicate_id', () => db.insertMany([...many, { _id: 17 } as never]))
      equal(await db.count(), 0)
      const ids = await db.insertMany(many)
      equal(ids, many.map((_, i) => i + 1))
      const all = await db.all<{ n: number; text: string }>()
      equal(all.map((d) => d.n), many.map((d) => d.n))
      equal(all[5_999]!.text, many[5_999]!.text)
    },
  },
  {
    name: 'upsert replaces the document of that id, and needs one',
    async run({ open }) {
      const db = await open()
      equal(await db.upsert({ _id: 'a', n: 1 }), 'a')
      equal(await db.upsert({ _id: 'a', m: 2 }), 'a')
      equal(await db.all(), [{ _id: 'a', m: 2 }])
      await rejects('invalid', () => db.upsert({ n: 1 } as never))
    },
  },
  {
    name: 'a string given to get is an id, otherwise a condition, and otherwise finds nothing',
    async run({ open }) {
      const db = await open()
      await db.insertMany(people)
      await db.insert({ _id: "name = 'Kim'", odd: true })
      equal(await db.get("name = 'Kim'"), { _id: "name = 'Kim'", odd: true })
      equal((await db.get<any>("name = 'Joe'"))?.age, 54)
      equal(await db.get("name = 'Nobody'"), undefined)
      equal(await db.get('no id and no condition'), undefined)
      equal(await db.get(1, { fields: ['address.city'] }), { _id: 1, address: { city: 'Oslo' } })
      for (const where of [1, { _id: 1 }, (d: any) => d._id === 1] as never[]) {
        const got = async (...fields: string[]) => Object.keys((await db.get<any>(where, { fields }))!).sort()
        const all = Object.keys((await db.get<any>(where))!).sort()
        const but = (...names: string[]) => all.filter((name) => !names.includes(name))
        equal(await got('-name'), but('name'))
        equal(await got('-name', '-_id'), but('name', '_id'))
        equal(await got('_id', '-name'), but('name'))
        equal(await got('-_id'), but('_id'))
        equal(await got('name', '-_id'), ['name'])
        equal((await db.get<any>(where, { fields: ['-address.city'] }))!.address.city, undefined)
        await rejects('invalid', () => db.get(where, { fields: ['name', '-age'] }), /options.fields: fields are returned or, with a dash, left out, not both/)
        await rejects('invalid', () => db.get(where, { fields: ['_id', '-_id'] }), /not both/)
        await rejects('invalid', () => db.get(where, { fields: ['-'] }), /after the dash/)
      }
      throws('invalid', () => db.live({}, { fields: ['-_id'] }), /options.fields: a live query/)
      throws('invalid', () => (db.query(), db.live((d: any) => d, { fields: ['-_id'] })), /options.fields/)
      const posts = db.collection<{ title: string; tags: string[]; by: { name: string; likes: number[] }; replies: { n: number; likes: number[] }[] }>('posts')
      await posts.insert({ _id: 1, title: 'x', tags: ['a', 'b', 'c'], by: { name: 'Ada', likes: [1, 2] }, replies: [{ n: 1, likes: [1, 2, 3] }, { n: 2, likes: [4] }] } as never)
      for (const where of [{}, () => true]) {
        const got = async (fields: Projection<{ title: string; tags: string[]; by: { name: string; likes: number[] }; replies: { n: number; likes: number[] }[] }>) => posts.get(where, { fields })
        equal(await got({ title: 1 }), { _id: 1, title: 'x' })
        equal(await got({ title: true, _id: 0 }), { title: 'x' })
        equal(await got({ by: 0, replies: false, tags: { $slice: 2 } }), { _id: 1, title: 'x', tags: ['a', 'b'] })
        equal(await got({ title: 1, tags: { $slice: -1 } }), { _id: 1, title: 'x', tags: ['c'] })
        equal(await got({ _id: 1, tags: { $slice: [1, 1] } }), { _id: 1, tags: ['b'] })
        equal(await got({ _id: 0, by: 0, replies: 0, tags: { $slice: [-2, 1] } }), { title: 'x', tags: ['b'] })
        equal(await got({ 'by.likes': { $slice: 0 }, tags: { $slice: [-9, 1] }, 'replies.likes': { $slice: [1, 5] }, title: { $slice: 1 } }), {
          _id: 1, title: 'x', tags: ['a'], by: { name: 'Ada', likes: [] }, replies: [{ n: 1, likes: [2, 3] }, { n: 2, likes: [] }],
        })
        equal((await got({ tags: { $slice: [7, 1] } }))!.tags, [])
        equal(Object.keys((await got({}))!).length, 5)
        for (const wrong of [{ tags: { $slice: 1.5 } }, { tags: { $slice: [1, 0] } }, { tags: { $slice: [1] } }, { tags: { $slice: 'x' } }, { tags: { $slice: 1, $x: 1 } }, { tags: 2 }, { title: 1, by: 0 }, { '-title': 1 }]) {
          await rejects('invalid', () => got(wrong as never), /options.fields/)
        }
        await rejects('invalid', () => got({ by: 1, 'by.likes': { $slice: 1 } }), /collides with by/)
        await rejects('invalid', () => got({ replies: { $slice: 1 }, 'replies.likes': { $slice: 1 } }), /collides/)
      }
      const kept = posts.live({}, { fields: { tags: { $slice: -1 }, title: 1 } })
      await kept.ready
      await posts.update({ $push: { tags: 'd' } })
      await until(async () => kept.current[0]!.tags[0] === 'd', 'the live query has the new last tag')
      equal(kept.current.asList(), [{ _id: 1, title: 'x', tags: ['d'] }])
      kept.close()
      for await (const { tags } of posts.iterate({}, { fields: { tags: { $slice: 1 } } })) equal(tags, ['a'])
      equal(await db.get(db.query<Person>().age.gt(30), { sort: '-age', fields: ['name'] }), { _id: 3, name: 'Joe' })
      equal((await db.get<any>((d: any) => d.age < 30))?.name, 'Kim')
    },
  },
  {
    name: 'find, findOne, count, contains, all and distinct agree',
    async run({ open }) {
      const db = await open()
      await db.insertMany(people)
      const q = db.query<Person>()
      equal((await db.find({ 'address.city': 'Oslo' })).map((d) => d.name), ['Ada'])
      equal((await db.findOne({ tags: 'ops' }))?.name, 'Joe')
      equal(await db.findOne({ tags: 'nobody' }), undefined)
      equal((await db.find()).length, 3)
      equal(await db.count(), 3)
      equal(await db.count(q.age.gt(30)), 2)
      equal(await db.count({ age: { $gt: 30 } }), 2)
      equal(await db.count('age > 30'), 2)
      equal(await db.count((d) => d.age > 30), 2)
      equal(await db.contains(q.name.eq('Kim')), true)
      equal(await db.contains((d) => d.name === 'Kim'), true)
      equal(await db.contains("name = 'Nobody'"), false)
      equal(await db.contains((d) => d.name === 'Nobody'), false)
      equal(await db.distinct('tags'), ['admin', 'ops'])
      equal(await db.distinct('tags', q.name.eq('Ada')), ['admin'])
      equal(await db.distinct('tags', (d) => d.name === 'Ada'), ['admin'])
    },
  },
  {
    name: 'update merges fields by path, applies operators, and takes functions for both',
    async run({ open }) {
      const db = await open()
      await db.insertMany(people)
      const q = db.query<Person>()
      equal(await db.update({ 'address.city': 'Tromsø', seen: true }, q.name.eq('Ada')), 1)
      equal(await db.get(1), { _id: 1, name: 'Ada', age: 36, address: { city: 'Tromsø' }, tags: ['admin'], seen: true })
      equal(await db.update({ $inc: { age: 1 }, $push: { tags: 'x' }, $unset: { address: 1 } }, "name = 'Joe'"), 1)
      equal(await db.get(3), { _id: 3, name: 'Joe', age: 55, tags: ['admin', 'ops', 'x'] })
      equal(await db.update({ age: 12 }, q.name.eq('Kim')), 0, 'nothing changed')
      equal(await db.update({ minor: true }, (d) => d.age < 18), 1)
      equal(await db.update((d) => ({ ...d, age: d.age + 1 }), (d) => d.age > 20), 2)
      equal(await db.update((d) => ({ $inc: { age: -d.age } })), 3)
      equal(await db.distinct('age'), [0])
      equal(await db.update({ all: 1 }), 3)
      equal(await db.update({ all: 2 }, 'age > 100'), 0)
    },
  },
  {
    name: 'undefined in what $pull asks for is refused, and does not stand for every element',
    async run({ open }) {
      const db = await open()
      const document = { _id: 1, items: [{ id: 1 }, { id: 2 }], tags: ['a', 'b'] }
      await db.insert(document)
      for (const [pull, place] of [[{ items: { id: undefined } }, 'items.id'], [{ tags: { $gt: undefined } }, 'tags.$gt'], [{ tags: undefined }, 'tags']] as const) {
        const change = { $pull: pull }
        for (const where of ['true', () => true]) {
          await rejects('invalid', () => db.update(change, where), new RegExp(`^fields\\.\\$pull\\.${place.replace('$', '\\$')} is undefined$`))
        }
        await rejects('invalid', () => db.update(() => change), /\$pull\..* is undefined$/)
        await rejects('invalid', () => db.atomicUpdate(() => change as object), /\$pull\..* is undefined$/)
      }
      equal(await db.get(1), document)
    },
  },
  {
    name: 'undefined in an update is refused, and does not stand for nothing',
    async run({ open }) {
      const db = await open()
      await db.insert({ a: 1, b: 2, list: [1] })
      const before = (await db.all()).asList()
      const wrong: [object, RegExp][] = [
        [{ b: undefined }, /\.b is undefined; \$unset removes a field$/],
        [{ a: 2, b: undefined }, /\.b is undefined/],
        [{ $set: { b: undefined } }, /\.\$set\.b is undefined; \$unset removes a field$/],
        [{ $set: undefined }, /\.\$set is undefined/],
        [{ $set: { b: { c: undefined } } }, /\.\$set\.b\.c is undefined/],
        [{ b: [undefined] }, /\.b\[0\] is undefined/],
        [{ $inc: { b: undefined } }, /\.\$inc\.b is undefined/],
        [{ $push: { list: { $each: [undefined] } } }, /\.\$each\[0\] is undefined/],
        [{ $push: { list: { $each: [2], $slice: undefined } } }, /\.\$slice is undefined/],
        [{ $unset: { b: undefined } }, /\.\$unset\.b is undefined/],
        [{ $rename: { b: undefined } }, /\.\$rename\.b is undefined/],
      ]
      for (const [change, message] of wrong) {
        for (const where of ['true', () => true]) await rejects('invalid', () => db.update(change, where), message)
        await rejects('invalid', () => db.update(() => change), message)
        await rejects('invalid', () => db.atomicUpdate(() => change), message)
        const found = await db.all()
        await rejects('invalid', () => found.updateAll(change), message)
      }
      equal((await db.all()).asList(), before)
    },
  },
  {
    name: 'a function that returns the document it was given has changed all of it',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ a: 1, b: 2, o: { x: 1, y: 2 } }, { a: 1 }])
      equal(await db.update((d) => { delete d.b; return d }), 1)
      equal((await db.all()).asList(), [{ _id: 1, a: 1, o: { x: 1, y: 2 } }, { _id: 2, a: 1 }])
      equal(await db.atomicUpdate((d) => { delete d.o.x; delete d.a; d.n = 5; return d }), { _id: 1, o: { y: 2 }, n: 5 })
      equal(await db.update((d) => { delete d._id; d.n = 6; return d }, '_id = 1'), 1)
      equal(await db.update(({ n, ...others }) => others), 0, 'another object is fields to merge')
      equal(await db.get(1), { _id: 1, o: { y: 2 }, n: 6 })
      await rejects('invalid', () => db.update((d) => { d.n = undefined; return d }), /\.n is undefined; \$unset removes a field$/)
      await db.insert({ _id: 'dots', 'a.b': 1 })
      await rejects('invalid', () => db.update((d) => { delete d['a.b']; return d }, "_id = 'dots'"), /lacks the field "a\.b"/)
    },
  },
  {
    name: '$push with modifiers, $rename and $inc refuse what they cannot do',
    async run({ open }) {
      const db = await open()
      await db.insert({ a: [1, 2, 3], n: 9223372036854775807n, u: 2n ** 64n - 2n })
      const before = await db.get(1)
      const wrong = [
        { $push: { a: { $slice: -2 } } }, { $push: { a: { $each: [4], $limit: 1 } } }, { $push: { a: { $each: 4 } } }, { $push: { a: { $each: [], $sort: 'a' } } },
        { $inc: { n: 1 } }, { $inc: { u: 2 } }, { $inc: { u: 2n ** 63n } }, { $rename: { 'a.$[e].n': 'x' } }, { $rename: { n: 'n' } }, { $rename: { n: 'a.0' } },
        { $rename: { n: '$x' } }, { $rename: { n: 'n.m' } }, { $set: { 'a.$': 1 } }, { 'x.$[]': 1 }, { $set: { 'x.$y': 1 } },
      ]
      for (const change of wrong) await rejects('invalid', () => db.update(change))
      equal(await db.get(1), before)
      equal(await db.update({ $push: { a: { $each: [4], $slice: -2 } }, $inc: { u: 1 } }), 1)
      equal(await db.get(1), { ...before, a: [3, 4], u: 2n ** 64n - 1n })
    },
  },
  {
    name: 'an unsigned integer is written, asked for, sorted and counted as any other',
    async run({ open }) {
      const db = await open()
      const most = 2n ** 64n - 1n
      await db.insertMany([{ _id: 'most', v: most }, { _id: 'less', v: most - 1n }, { _id: 'signed', v: 2n ** 63n - 1n }, { _id: 'float', v: 2 ** 64 }])
      for (const id of ['most', 'less']) await db.upsert((await db.get<any>(id))!)
      for (let indexed = 0; indexed < 2; indexed++) {
        equal((await db.find({ v: most })).map((d) => d._id), ['most'])
        equal((await db.search(`v = ${most - 1n}`)).map((d) => d._id), ['less'])
        equal((await db.search(db.query<any>().v!.gt(most - 1n))).map((d) => d._id), ['most', 'float'])
        equal((await db.search(String(db.query<any>().v!.in([most, 1])))).map((d) => d._id), ['most'])
        equal((await db.search(undefined, { sort: '-v' })).map((d) => d._id), ['float', 'most', 'less', 'signed'])
        equal(await db.sql('SELECT _id, v - 1 AS below FROM default WHERE v = :v', { v: most }), [{ _id: 'most', below: most - 1n }])
        equal(await db.distinct('v', { v: { $lt: 2 ** 64 } }), [2n ** 63n - 1n, most - 1n, most])
        await db.createIndex('v', { unique: true })
      }
      await rejects('unique', () => db.insert({ v: most }))
      equal(await db.aggregate({ where: { v: most }, select: { sum: { $sum: 'v' }, max: { $max: 'v' } } }), [{ sum: most, max: most }])
      const copy = await open()
      for (const type of ['json', 'msgpack'] as const) await copy.import(await db.export({ type }), { type })
      equal((await copy.get<any>('most'))!.v, most)
      await rejects('invalid', () => db.insert({ _id: most as never }), /_id must be a string or a safe integer, not 18446744073709551615/)
    },
  },
  {
    name: 'an update of many megabytes by a function is whole',
    async run({ open }) {
      const db = await open()
      await db.createIndex('unique', { unique: true, sparse: true })
      await db.insertMany(Array.from({ length: 300 }, (_, n) => ({ n })))
      const text = 'x'.repeat(10_000)
      await rejects('unique', () => db.update((d) => ({ text, unique: d.n === 299 ? 7 : d.n })))
      equal(await db.count('text exists'), 0)
      equal(await db.update((d) => ({ text, unique: d.n })), 300)
      equal(await db.count('text exists'), 300)
    },
  },
  {
    name: 'a function given to update must return an object at once, and its error is passed on',
    async run({ open }) {
      const db = await open()
      await db.insertMany(people)
      await rejects('invalid', () => db.update((() => undefined) as never), /function returned must be an object|function returned is undefined/)
      await rejects('invalid', () => db.update((async () => ({})) as never), /not with a Promise/)
      await rejects('invalid', () => db.count((async () => true) as never), /not with a Promise/)
      await rejects('invalid', () => db.update(() => ({ n: Symbol('x') })), /fields: what the function returned\.n is a symbol/)
      const own = new RangeError('own')
      const passed = await db.update(() => { throw own }).catch((error) => error)
      ok(passed === own, 'the error of the function is not passed on')
      let inside: Promise<unknown> | undefined
      await db.update(() => { (inside ??= db.count()).catch(() => {}); return {} })
      await rejects('invalid', () => inside!, /cannot call the database/)
      equal(await db.count(), 3)
      equal(await db.find(), people.map((d, i) => ({ ...d, _id: i + 1 })))
    },
  },
  {
    name: 'the _id of a document cannot change',
    async run({ open }) {
      const db = await open()
      await db.insert({ n: 1 })
      await rejects('invalid', () => db.update({ _id: 2 }))
      await rejects('invalid', () => db.update(() => ({ _id: 2 })))
      await rejects('invalid', () => db.update({ $unset: { _id: 1 } }))
      equal(await db.all(), [{ _id: 1, n: 1 }])
    },
  },
  {
    name: 'atomicUpdate answers the document as it is then',
    async run({ open }) {
      const db = await open()
      equal(await db.atomicUpdate(() => ({ n: 1 })), undefined)
      await db.insertMany([{ n: 1 }, { n: 5, k: 'b' }])
      equal(await db.atomicUpdate((d) => ({ n: d.n + 1 })), { _id: 1, n: 2 })
      equal(await db.atomicUpdate((d) => ({ n: d.n + 1 }), db.query<{ k: string }>().k.eq('b')), { _id: 2, n: 6, k: 'b' })
      equal(await db.atomicUpdate((d) => ({ n: d.n + 1 }), (d) => d.n === 6), { _id: 2, n: 7, k: 'b' })
      equal(await db.atomicUpdate((d) => ({ n: d.n + 1 }), 'n > 100'), undefined)
      await rejects('invalid', () => db.atomicUpdate({ n: 1 } as never), /^change: expected a function/)
      const counts = await Promise.all(Array.from({ length: 50 }, () => db.atomicUpdate((d) => ({ n: d.n + 1 }))))
      equal(counts.map((d) => d!.n), Array.from({ length: 50 }, (_, i) => 3 + i))
    },
  },
  {
    name: 'remove takes every form of condition, and only a condition',
    async run({ open }) {
      const db = await open()
      await db.insertMany([...people, ...people])
      equal(await db.remove(db.query<Person>().name.eq('Ada')), 2)
      equal(await db.remove((d) => d.name === 'Kim'), 2)
      equal(await db.remove('age > 100'), 0)
      equal(await db.remove({ age: 54 }), 2)
      equal(await db.count(), 0)
      await db.insertMany(people)
      await rejects('invalid', () => db.remove(undefined as never), /clear\(\) removes every document/)
      await rejects('invalid', () => db.contains(undefined as never))
      equal(await db.count(), 3)
      await db.clear()
      equal(await db.count(), 0)
      equal(await db.insert({}), 10, 'ids are not given twice')
    },
  },
  {
    name: 'collections keep their documents apart',
    async run({ open }) {
      const db = await open()
      const users = db.collection<{ name: string; age: number }>('users')
      equal(users.name, 'users')
      equal(await db.collections(), [])
      await users.insertMany(people)
      await db.insert({ other: true }, 'others')
      await db.insert({ own: true })
      equal(await db.collections(), ['default', 'others', 'users'])
      equal(await users.count(), 3)
      equal(await db.count(undefined, 'others'), 1)
      equal((await db.search('age > 30', 'users')).length, 2)
      equal((await db.search('age > 30', { collection: 'users', limit: 1 })).length, 1)
      equal((await users.search(users.query().age.gt(30))).map((d) => d.name), ['Ada', 'Joe'])
      equal((await users.get(3))?.name, 'Joe')
      equal(await users.update({ age: 1 }, (d) => d.name === 'Kim'), 1)
      equal(await users.remove((d) => d.age === 1), 1)
      equal(await users.documentIds(), [1, 3])
      equal((await users.all()).count(), 2)
      equal(await users.contains('age = 54'), true)
      equal(await users.distinct('name'), ['Ada', 'Joe'])
      equal((await users.findOne({ age: 54 }))?.name, 'Joe')
      await users.clear()
      equal(await db.collections(), ['default', 'others', 'users'])
      await db.dropCollection('users')
      await db.dropCollection('never there')
      await db.createCollection('empty')
      await db.createCollection('empty')
      equal(await db.collections(), ['default', 'empty', 'others'])
    },
  },
  {
    name: 'the name of a collection must be a name',
    async run({ open }) {
      const db = await open()
      for (const name of [5, '', null, {}] as never[]) {
        await rejects('invalid', () => db.insert({}, name))
        await rejects('invalid', () => db.insertMany([{}], name))
        await rejects('invalid', () => db.search(undefined, { collection: name === null ? 7 : name } as never))
        await rejects('invalid', () => db.count(undefined, typeof name === 'object' ? { collection: name ?? 7 } : name))
        await rejects('invalid', () => db.get(1, { collection: name === null ? 7 : name } as never))
        await rejects('invalid', () => db.collection(name).documentIds())
        await rejects('invalid', () => db.clear(name))
        await rejects('invalid', () => db.createCollection(name))
      }
      equal(await db.collections(), [])
    },
  },
]
