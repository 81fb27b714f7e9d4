import { equal, ok, rejects, throws } from './check.js'
import type { Context, Suite } from './suite.js'

interface Person {
  name: string
  age?: number | null
  address?: { city: string; zip?: number }
  tags?: string[]
  orders?: { n: number; what: { id: number } }[]
  // What the claims add.
  adult?: boolean
  elsewhere?: number
  status?: string
  x?: number
}

const people: Person[] = [
  { name: 'Ada', age: 36, address: { city: 'Oslo', zip: 150 }, tags: ['x'] },
  { name: 'Kim', age: 12, orders: [{ n: 1, what: { id: 5 } }] },
  { name: 'Joe', address: { city: 'Bergen' } },
  { name: 'Eve', age: null },
]

async function openPeople({ open }: Context) {
  const db = await open()
  await db.insertMany(people, 'people')
  return db.collection<Person>('people')
}

/** QueryResult: an array that knows where its documents come from. */
export const results: Suite = [
  {
    name: 'a result is an array',
    async run(context) {
      const found = await (await openPeople(context)).search()
      ok(Array.isArray(found), 'it is no array')
      ok(found instanceof context.atomicdb.QueryResult, 'it is no QueryResult')
      equal(found.length, 4)
      equal(Object.keys(found), ['0', '1', '2', '3'])
      equal(JSON.parse(JSON.stringify(found)), people.map((d, i) => ({ _id: i + 1, ...d })))
      equal([...found].length, 4)
      equal(structuredClone(found).length, 4)
    },
  },
  {
    name: 'the methods of an array are those of arrays',
    async run({ atomicdb: { QueryResult } }) {
      const [a, b, c] = [{ _id: 1 }, { _id: 2 }, { _id: 3 }]
      const array: any[] = [a, , b, c] // with a hole
      const result = Object.setPrototypeOf(array.slice(), QueryResult.prototype) as any[]
      for (const name of ['find', 'findIndex', 'some', 'forEach', 'map'] as const) {
        for (const wanted of [a, b, {}, undefined]) {
          const told = (of: any) => {
            const calls: unknown[] = []
            const answer = of[name](function (this: unknown, ...args: unknown[]) {
              if (of.length === 4) of.push(c) // is not visited
              calls.push([this, args[0], args[1], args[2] === of, args.length])
              return args[0] === wanted
            }, 'this')
            return [calls, answer, Array.isArray(answer) && Object.keys(answer), of.pop() && of.length]
          }
          equal(told(result), told(array), name)
        }
        for (const of of [result, result.slice(0, 0)] as any[]) {
          let thrown: unknown
          try {
            of[name](5)
          } catch (error) {
            thrown = error
          }
          equal((thrown as { code?: string }).code, 'invalid', `${name} takes a number for a function`)
        }
      }
      ok(result.map((document) => document).constructor === Array, 'map gives a plain array')
    },
  },
  {
    name: 'first, last, count, isEmpty and asList',
    async run(context) {
      const users = await openPeople(context)
      const found = await users.search()
      equal(found.first()?.name, 'Ada')
      equal(found.last()?.name, 'Eve')
      equal(found.count(), 4)
      equal(found.isEmpty(), false)
      const list = found.asList()
      ok(list.constructor === Array && list[0] === found[0], 'asList is no plain array of the same documents')
      const none = await users.search('age > 100')
      equal([none.first(), none.last(), none.count(), none.isEmpty()], [undefined, undefined, 0, true])
    },
  },
  {
    name: 'slice and filter stay results; map and the others are plain arrays',
    async run(context) {
      const { QueryResult } = context.atomicdb
      const found = await (await openPeople(context)).search()
      const slice = found.slice(1, 3)
      equal(slice.map((d) => d.name), ['Kim', 'Joe'])
      const filtered = found.filter((d) => d.age)
      equal(filtered.first()?.name, 'Ada')
      ok(slice instanceof QueryResult && filtered instanceof QueryResult, 'slice or filter is a plain array')
      equal(await filtered.updateAll({ adult: true }), 2)
      for (const plain of [found.map((d) => d.name), found.flatMap((d) => [d, d]), found.concat([]), found.splice(0, 0)]) {
        ok(plain.constructor === Array, 'it should be a plain array')
      }
      equal(found.map((d) => d.name.length), [3, 3, 3, 3])
      equal(found.map(() => 7), [7, 7, 7, 7])
      equal([...found].reverse()[0]?.name, 'Eve')
      equal(found.find((d) => d.name === 'Joe')?.address, { city: 'Bergen' })
      equal(new QueryResult().count(), 0)
    },
  },
  {
    name: 'pluck and exclude go by paths, into arrays too',
    async run(context) {
      const found = await (await openPeople(context)).search()
      equal(found.pluck('name', 'address.city').asList(), [
        { name: 'Ada', address: { city: 'Oslo' } },
        { name: 'Kim' },
        { name: 'Joe', address: { city: 'Bergen' } },
        { name: 'Eve' },
      ])
      equal(found.pluck('_id', 'orders.what').asList()[1], { _id: 2, orders: [{ what: { id: 5 } }] })
      equal(found.exclude('_id', 'address', 'tags', 'orders.what.id').asList(), [
        { name: 'Ada', age: 36 },
        { name: 'Kim', age: 12, orders: [{ n: 1, what: {} }] },
        { name: 'Joe' },
        { name: 'Eve', age: null },
      ])
      equal(found.first(), { _id: 1, ...people[0] })
    },
  },
  {
    name: 'sortBy has the engine’s order, and leaves the result as it is',
    async run(context) {
      const users = await openPeople(context)
      const found = await users.search()
      equal(found.sortBy('age').map((d) => d.name), ['Joe', 'Eve', 'Kim', 'Ada'])
      equal(found.sortBy('age', { reverse: true }).map((d) => d.name), ['Ada', 'Kim', 'Eve', 'Joe'])
      equal(found.sortBy('address.city').asList(), (await users.search(undefined, { sort: 'address.city' })).asList())
      equal(found.map((d) => d.name), ['Ada', 'Kim', 'Joe', 'Eve'])
    },
  },
  {
    name: 'sortBy orders values of all kinds as the engine does',
    async run({ open }) {
      const db = await open()
      const values: unknown[] = [
        null, false, true, NaN, -Infinity, -1, 0, 0.5, 1, 2 ** 53, 2n ** 53n + 1n, 2n ** 60n, 2 ** 60, Infinity,
        '', 'a', 'ab', 'B', 'é', '\ue000', '\uffee', '\u{10000}', '😀', 'a😀', 'a\uffee', new Uint8Array(), Uint8Array.of(0), Uint8Array.of(1), Uint8Array.of(1, 0),
        new Date(-1), new Date(0), new Date(1), [], [0], [0, 0], [1], [[]], {}, { a: 1 }, { a: 2 }, { a: 1, b: 1 }, { b: 0 }, { '\uffee': 1 }, { '😀': 1 },
      ]
      await db.insertMany([...values.map((_, i) => ({ v: values[(i * 29) % values.length], i })), { i: 'missing' }, { v: { w: 1 }, i: 'deep' }, { v: [{ w: 0 }, { w: 2 }], i: 'list' }])
      const found = await db.search()
      for (const path of ['v', 'v.w', 'v.0', 'v.a', 'i', 'none']) {
        equal(found.sortBy(path).asList(), (await db.search(undefined, { sort: path })).asList(), path)
        equal(found.sortBy(path, { reverse: true }).asList(), (await db.search(undefined, { sort: `-${path}` })).asList(), `-${path}`)
      }
    },
  },
  {
    name: 'a result is a snapshot',
    async run(context) {
      const users = await openPeople(context)
      const found = await users.search()
      await users.update({ age: 99 })
      await users.remove("name = 'Joe'")
      equal(found.map((d) => d.age), [36, 12, undefined, null])
    },
  },
  {
    name: 'updateAll changes the database and the documents here',
    async run(context) {
      const users = await openPeople(context)
      const found = await users.search('age > 0')
      await users.update({ elsewhere: 1 })
      equal(await found.updateAll({ status: 'active', 'address.city': 'Rome' }), 2)
      equal(found.asList(), [
        { _id: 1, name: 'Ada', age: 36, address: { city: 'Rome', zip: 150 }, tags: ['x'], elsewhere: 1, status: 'active' },
        { _id: 2, name: 'Kim', age: 12, orders: [{ n: 1, what: { id: 5 } }], elsewhere: 1, status: 'active', address: { city: 'Rome' } },
      ] as never)
      equal(await users.count({ status: 'active' }), 2)
      equal(await found.updateAll({ $unset: { age: 1 } }), 2)
      equal(found.first()?.age, undefined)
      await rejects('invalid', () => found.updateAll(5 as never), /^fields must be an object/)
    },
  },
  {
    name: 'after updateAll, documents have only the fields that were asked for',
    async run(context) {
      const users = await openPeople(context)
      const found = await users.search('age > 0', { fields: ['age'] })
      equal(await found.updateAll({ $inc: { age: 1 }, $set: { x: 1 } }), 2)
      equal(found.asList(), [{ _id: 1, age: 37 }, { _id: 2, age: 13 }] as never)
    },
  },
  {
    name: 'removeAll removes exactly these documents',
    async run(context) {
      const users = await openPeople(context)
      const found = await users.search('age > 0')
      await users.upsert({ _id: 2, name: 'New' } as never)
      await users.remove('_id = 1')
      equal(await found.removeAll(), 1)
      equal((await users.documentIds()), [3, 4])
      equal(found.length, 2)
    },
  },
  {
    name: 'results without ids or without a database say so',
    async run(context) {
      const found = await (await openPeople(context)).search()
      await rejects('invalid', () => found.pluck('name').updateAll({ a: 1 }), /document 0 of this result has no _id/)
      await rejects('invalid', () => found.exclude('_id').removeAll(), /no _id/)
      await rejects('invalid', () => new context.atomicdb.QueryResult().updateAll({}), /does not come from a database/)
    },
  },
  {
    name: 'assigning to a tracked result stores it, at any depth',
    async run(context) {
      const users = await openPeople(context)
      const found = (await users.search()).tracked()
      found[0]!.name = 'New'
      found[0]!.address!.city = 'Rome'
      found[0]!.tags!.push('y', 'z')
      found[1]!.orders![0]!.what.id = 6
      delete found[1]!.age
      found[2]!.address = { city: 'Paris' }
      found[2]!.address.zip = 75
      found[3]!.tags = []
      found[3]!.tags.push('late')
      found[3]!.address = { city: 'Bonn' }
      found[3]!.address.city = 'Köln'
      ;(found[3] as { address: unknown }).address = 'unknown'
      await found.saved()
      equal((await users.all()).asList(), [
        { _id: 1, name: 'New', age: 36, address: { city: 'Rome', zip: 150 }, tags: ['x', 'y', 'z'] },
        { _id: 2, name: 'Kim', orders: [{ n: 1, what: { id: 6 } }] },
        { _id: 3, name: 'Joe', address: { city: 'Paris', zip: 75 } },
        { _id: 4, name: 'Eve', age: null, tags: ['late'], address: 'unknown' },
      ] as never)
      equal(JSON.parse(JSON.stringify(found)), (await users.all()).asList())
    },
  },
  {
    name: 'a tracked result stores what was assigned, and not what it has of the rest',
    async run(context) {
      const users = await openPeople(context)
      const found = (await users.search("name = 'Ada'")).tracked()
      await users.update({ 'address.zip': 1, age: 37 }, "name = 'Ada'")
      found[0]!.address!.city = 'Rome'
      await found.saved()
      equal(await users.get(1), { _id: 1, name: 'Ada', age: 37, address: { city: 'Rome', zip: 1 }, tags: ['x'] })
    },
  },
  {
    name: 'a tracked result saves by itself too, and can be asked again',
    async run(context) {
      const users = await openPeople(context)
      const found = (await users.search()).tracked()
      await found.saved()
      found[0]!.age = 1
      await Promise.resolve() // the end of the tick
      equal((await users.get(1))?.age, 1)
      found[0]!.age = 2
      await found.saved()
      found.slice(0, 1)[0]!.age = 3
      found.filter((d) => d.name === 'Kim')[0]!.age = 4
      found.sortBy('name')[0]!.tags = ['sorted']
      await found.saved()
      equal(await users.get(1), { _id: 1, name: 'Ada', age: 3, address: { city: 'Oslo', zip: 150 }, tags: ['sorted'] })
      equal((await users.get(2))?.age, 4)
      ok(found[0]!.address === found[0]!.address, 'each look at a field gives another object')
      const plucked = found.pluck('age', 'orders')
      equal(plucked.map((d) => d.age), [3, 4, undefined, null])
      plucked[0].age = 99
      plucked[1].orders[0].what = 'not tracked'
      await found.saved()
      equal(await users.count("age = 99 or orders.what = 'not tracked'"), 0)
    },
  },
  {
    name: 'saved() rejects once with what a tracked result cannot store, and nothing of that tick is stored',
    async run(context) {
      const users = await openPeople(context)
      const found = (await users.search()).tracked()
      found[0]!.name = 'half'
      found[1]!.name = (() => 1) as never
      await rejects('invalid', () => found.saved(), /^tracked\.\$set\.name is a function$/)
      await found.saved()
      equal((await users.all()).map((d) => d.name), ['Ada', 'Kim', 'Joe', 'Eve'])
      throws('invalid', () => ((found[0] as { _id: unknown })._id = 9), /_id of a document cannot change/)
      throws('invalid', () => ((found[0] as Record<string, any>)[''] = 9), /without a name/)
      equal(found[0]!._id, 1)
      const dotted = found[0] as Record<string, any>
      dotted['a.b'] = { 'c\\d': 1 }
      await found.saved()
      dotted['a.b']['c\\d'] = 9
      await found.saved()
      equal(((await users.get(1)) as Record<string, any>)['a.b'], { 'c\\d': 9 })
    },
  },
]
