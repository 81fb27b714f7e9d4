// Queries asked again: the cached answer is what the engine would answer, and each caller gets its own copy.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { AtomicDB } from '../src/index.js'
import { QueryCache, copyOf } from '../src/connection/query-cache.js'
import { Op } from '../src/engine/ops.js'
import { openInNode } from './harness/node.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

interface Item {
  _id: number
  n: number
  team: string
  body: { list: unknown[]; at: Date; bytes: Uint8Array }
}

const random = new Random(seed)
const item = (_id: number): Item => ({ _id, n: random.int(0, 3), team: random.pick(['a', 'b']), body: { list: [{ deep: [1] }, [2], null], at: new Date(_id), bytes: Uint8Array.of(1, 2) } })

const teams = (all: Item[]) => [...new Set(all.map((one) => one.team))]

/** Queries, and their answers from the documents in insertion order. */
const queries: [ask: (db: AtomicDB) => Promise<unknown>, answer: (all: Item[]) => unknown][] = [
  ...[1, 2, 3].flatMap((id): typeof queries => [
    [(db) => db.get(id), (all) => all.find((one) => one._id === id)],
    [(db) => db.find<Item>({ n: id }), (all) => all.filter((one) => one.n === id)],
    [(db) => db.count(db.query<Item>().n.gte(id)), (all) => all.filter((one) => one.n >= id).length],
    [(db) => db.search(`n < ${id}`, { limit: 2 }), (all) => all.filter((one) => one.n < id).slice(0, 2)],
  ]),
  [(db) => db.find<Item>({}, { fields: ['body'] }), (all) => all.map(({ _id, body }) => ({ _id, body }))],
  [(db) => db.search(undefined, { sort: '-n', limit: 2 }), (all) => all.toSorted((a, b) => b.n - a.n).slice(0, 2)],
  [(db) => db.search('n > 0', { sort: ['team', '-n'], skip: 1, limit: 1 }), (all) => all.filter((one) => one.n > 0).sort((a, b) => Number(a.team > b.team) - Number(a.team < b.team) || b.n - a.n).slice(1, 2)],
  [(db) => db.search("team = 'a'", { fields: ['n'] }), (all) => all.filter((one) => one.team === 'a').map(({ _id, n }) => ({ _id, n }))],
  [(db) => db.distinct('team'), (all) => teams(all).sort()],
  [(db) => db.aggregate({ groupBy: 'team', select: { n: { $count: true }, sum: { $sum: 'n' } } }), (all) => teams(all).map((team) => all.filter((one) => one.team === team)).map((of) => ({ team: of[0]!.team, n: of.length, sum: of.reduce((sum, one) => sum + one.n, 0) }))],
  [(db) => db.documentIds(), (all) => all.map((one) => one._id)],
  [(db) => db.distinct('body.list'), (all) => (all.length > 0 ? [null, [2], { deep: [1] }] : [])],
  [(db) => db.contains('n = 0'), (all) => all.some((one) => one.n === 0)],
  [(db) => db.aggregate({ select: { last: { $last: 'body' } } }), (all) => [{ last: all.at(-1)?.body ?? null }]],
  [(db) => db.sql('WITH low AS (SELECT MIN(n) AS n FROM default) SELECT _id FROM default WHERE n = (SELECT n FROM low)'), (all) => all.filter((one) => one.n === Math.min(...all.map(({ n }) => n))).map(({ _id }) => ({ _id }))],
  [(db) => db.sql('SELECT body FROM default WHERE n = ?', [1]), (all) => all.filter((one) => one.n === 1).map(({ body }) => ({ body }))],
]

const changes: ((db: AtomicDB) => Promise<unknown>)[] = [
  (db) => db.upsert(item(random.int(1, 5))),
  (db) => db.remove(`_id = ${random.int(1, 5)}`),
  (db) => db.update({ n: random.int(0, 3) }, `_id = ${random.int(1, 5)}`),
  (db) => db.update({ team: random.pick(['a', 'b']) }, `_id = ${random.int(1, 5)}`),
  (db) => db.insert({ n: 0 }, 'others'),
  (db) => db.sql('UPDATE default SET n = n + 1 WHERE n < 3 AND team = ?', [random.pick(['a', 'b'])]),
  (db) => db.sql('WITH x AS (SELECT _id FROM default WHERE n = 2) UPDATE default SET n = 0 WHERE _id IN (SELECT _id FROM x)'),
  (db) => db.sql('SELECT 1; BEGIN; UPDATE default SET n = n + 1 WHERE n = 0; END'),
  // These fail half-way, and are rolled back.
  (db) => assert.rejects(db.insertMany([item(6), item(7), item(6)]), { code: 'duplicate_id' }),
  (db) => assert.rejects(db.update((one) => (one.n === 0 ? ({ _id: 9 } as object) : { n: 2 })), { code: 'invalid' }).catch(() => {}),
]

test(`random queries between random changes (${replayOf('query-cache.test.ts')})`, async () => {
  const db = await openInNode()
  for (let round = 0; round < 400; round++) {
    await random.pick(changes)(db)
    const [ask, answer] = [...random.pick(queries)]
    const asked = random.list(1, 6, () => random.pick([[ask, answer] as const, random.pick(queries)]))
    const all = [...(await db.search((one: Item) => one.n >= 0))] // a function: its answer is never cached
    for (const [ask, answer] of asked) {
      const found = await ask(db)
      assert.deepEqual(Array.isArray(found) ? [...found] : found, answer(all), `round ${round}: ${ask}`)
      vandalize(found)
    }
  }
  await db.close()
})

/** Changes everything that can be changed in a value. */
function vandalize(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const inside of Object.values(value)) vandalize(inside)
  if (value instanceof Date) value.setTime(0)
  else if (value instanceof Uint8Array) value.fill(9)
  else if (Array.isArray(value)) value.push('more')
  else Object.assign(value, { n: 'changed', more: 1 })
}

describe('cached answers', () => {
  const argsOf = (n: number) => Uint8Array.of(0x91, 0xce, n >> 24, n >> 16, n >> 8, n)

  const never = () => false

  /** How often the engine is asked when query `n` is asked at each of these versions. */
  function engineCalls(cache: QueryCache, n: number, versions: number[], { bytes = 100, valid = false, op = Op.find as Op } = {}): number {
    let calls = 0
    for (const version of versions) {
      const cached = cache.find(version, op, argsOf(n), () => valid)
      if (typeof cached === 'object') {
        assert.deepEqual(cached.answer, [{ n }])
      } else {
        cache.keep(cached, argsOf(n), [{ n }], bytes)
        calls++
      }
    }
    return calls
  }

  const isCached = (cache: QueryCache, version: number, op: Op, args: Uint8Array) => typeof cache.find(version, op, args, never) === 'object'

  /** How many of the queries 0 to `end` have an answer at version 1. */
  const countCached = (cache: QueryCache, end: number) => Array.from({ length: end }, (_, n) => isCached(cache, 1, Op.find, argsOf(n))).filter(Boolean).length

  test('are kept from the second time on, while nothing changes', () => {
    const cache = new QueryCache()
    assert.equal(engineCalls(cache, 1, [1]), 1)
    assert.equal(engineCalls(cache, 1, [1, 1, 1]), 1)
    assert.equal(engineCalls(cache, 1, [2, 2, 2]), 1, 'at once, after the last answer was used')
    assert.equal(engineCalls(cache, 1, [0, 0, 0]), 3, 'of a database that is not usable')
    assert.ok(!isCached(cache, 2, Op.get, argsOf(1)), 'of another op')
    assert.equal(engineCalls(cache, 2, [3, 4, 5, 6, 6, 6, 7, 7]), 6, 'after an unused answer, only if asked twice without a change in between')
  })

  test('are kept after a change, if they are still valid', () => {
    const cache = new QueryCache()
    assert.equal(engineCalls(cache, 1, [1, 2, 3, 4, 900], { valid: true }), 2)
    assert.equal(engineCalls(cache, 1, [2000], { valid: true }), 1, 'after more changes than the engine remembers')
    assert.equal(engineCalls(cache, 2, [1, 2, 3, 3, 3, 4, 4], { valid: true, op: Op.get }), 5, 'of an op for which the engine cannot tell')
  })

  test('of many queries do not mix, and take a bounded memory', () => {
    const cache = new QueryCache()
    for (let n = 0; n < 10_000; n++) engineCalls(cache, n, [1, 1, 1])
    const count = countCached(cache, 10_000)
    assert.ok(count > 0 && count <= 4096, `${count} are kept`)

    assert.equal(engineCalls(cache, 10_000, [1, 1, 1], { bytes: 600 << 10 }), 3, 'one that is too large')
    const large = new QueryCache()
    for (let n = 0; n < 10; n++) engineCalls(large, n, [1, 1], { bytes: 400 << 10 })
    const left = countCached(large, 10)
    assert.ok(left > 0 && left <= 5, `${left} of 400 KiB each are kept`)

    const similar = Array.from({ length: 64 }, (_, n) => new TextEncoder().encode(`person${n}@example.com`))
    const small = new QueryCache()
    const ask = (args: Uint8Array) => {
      const cached = small.find(1, Op.find, args, never)
      if (typeof cached === 'number') small.keep(cached, args, [], 1)
    }
    for (let time = 0; time < 2; time++) similar.forEach(ask)
    const missing = similar.filter((args) => !isCached(small, 1, Op.find, args)).length
    assert.ok(missing <= 2, `${missing} of 64 similar queries have no bucket`)

    const long = new Uint8Array(10_000)
    for (let n = 0; n < 3; n++) {
      const cached = large.find(1, Op.find, long, never)
      assert.equal(cached, -1, 'arguments that are too long have no bucket')
      large.keep(-1, long, [1], 10)
    }
  })

  test('are copied whole', () => {
    const value = { a: [1, [2, { b: new Date(3) }], null, 'x'], bytes: Uint8Array.of(1), big: 2n ** 60n, none: null, o: { p: {} } }
    const copy = copyOf(value)
    assert.deepEqual(copy, value)
    const seen = new Set<unknown>()
    const visit = (one: unknown) => {
      if (typeof one !== 'object' || one === null) return
      assert.ok(!seen.has(one), `shared: ${inspect(one)}`)
      seen.add(one)
      for (const inside of Object.values(one)) visit(inside)
    }
    visit(value)
    visit(copy)
    for (const plain of [1, 'x', null, undefined, true, 5n]) assert.equal(copyOf(plain), plain)
  })

  test('are not changed by a polluted Object.prototype', () => {
    Object.defineProperty(Object.prototype, 'polluted', { value: { x: 1 }, enumerable: true, configurable: true })
    try {
      assert.deepEqual(Object.keys(copyOf({ a: { b: 1 } })), ['a'])
    } finally {
      delete (Object.prototype as { polluted?: unknown }).polluted
    }
  })
})
