// Questions asked again: what is answered from memory is what the engine would answer, and is the caller's own.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { AtomicDB } from '../src/index.js'
import { Answers, copyOf } from '../src/connection/query-cache.js'
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

/** Questions, and their answers from the documents in insertion order. */
const questions: [ask: (db: AtomicDB) => Promise<unknown>, answer: (all: Item[]) => unknown][] = [
  ...[1, 2, 3].flatMap((id): typeof questions => [
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
  [(db) => db.sql('SELECT body FROM default WHERE n = ?', [1]), (all) => all.filter((one) => one.n === 1).map(({ body }) => ({ body }))],
]

const changes: ((db: AtomicDB) => Promise<unknown>)[] = [
  (db) => db.upsert(item(random.int(1, 5))),
  (db) => db.remove(`_id = ${random.int(1, 5)}`),
  (db) => db.update({ n: random.int(0, 3) }, `_id = ${random.int(1, 5)}`),
  (db) => db.update({ team: random.pick(['a', 'b']) }, `_id = ${random.int(1, 5)}`),
  (db) => db.insert({ n: 0 }, 'others'),
  (db) => db.sql('UPDATE default SET n = n + 1 WHERE n < 3 AND team = ?', [random.pick(['a', 'b'])]),
  // Refused half-way, and taken back.
  (db) => assert.rejects(db.insertMany([item(6), item(7), item(6)]), { code: 'duplicate_id' }),
  (db) => assert.rejects(db.update((one) => (one.n === 0 ? ({ _id: 9 } as object) : { n: 2 })), { code: 'invalid' }).catch(() => {}),
]

test(`random questions between random changes (${replayOf('query-cache.test.ts')})`, async () => {
  const db = await openInNode()
  for (let round = 0; round < 400; round++) {
    await random.pick(changes)(db)
    const [ask, answer] = [...random.pick(questions)]
    const asked = random.list(1, 6, () => random.pick([[ask, answer] as const, random.pick(questions)]))
    const all = [...(await db.search((one: Item) => one.n >= 0))] // which is never kept
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

describe('answers', () => {
  const question = (n: number) => Uint8Array.of(0x91, 0xce, n >> 24, n >> 16, n >> 8, n)

  const never = () => false

  /** How often the engine is asked when `n` is asked at each of these versions. */
  function asked(answers: Answers, n: number, versions: number[], { bytes = 100, holds = false, op = Op.find as Op } = {}): number {
    let times = 0
    for (const version of versions) {
      const kept = answers.find(version, op, question(n), () => holds)
      if (kept) assert.deepEqual(kept.answer, [{ n }])
      else answers.note([{ n }], bytes)
      times += Number(!kept)
    }
    return times
  }

  /** How many of the questions 0 to `most` have an answer at version 1. */
  const keptOf = (answers: Answers, most: number) => Array.from({ length: most }, (_, n) => answers.find(1, Op.find, question(n), never)).filter(Boolean).length

  test('are kept from the second time on, while nothing changes', () => {
    const answers = new Answers()
    assert.equal(asked(answers, 1, [1]), 1)
    assert.equal(asked(answers, 1, [1, 1, 1]), 1)
    assert.equal(asked(answers, 1, [2, 2, 2]), 1, 'at once, where it was of use')
    assert.equal(asked(answers, 1, [0, 0, 0]), 3, 'of a database that is not usable')
    assert.equal(answers.find(2, Op.get, question(1), never), undefined, 'of another op')
    assert.equal(asked(answers, 2, [3, 4, 5, 6, 6, 6, 7, 7]), 6, 'only if asked twice in between, where it was of no use')
  })

  test('are kept when something changes that is no concern of theirs', () => {
    const answers = new Answers()
    assert.equal(asked(answers, 1, [1, 2, 3, 4, 900], { holds: true }), 2)
    assert.equal(asked(answers, 1, [2000], { holds: true }), 1, 'when too much has changed to know')
    assert.equal(asked(answers, 2, [1, 2, 3, 3, 3, 4, 4], { holds: true, op: Op.get }), 5, 'of an op that cannot tell')
  })

  test('of many questions do not mix, and take a bounded memory', () => {
    const answers = new Answers()
    for (let n = 0; n < 10_000; n++) asked(answers, n, [1, 1, 1])
    const kept = keptOf(answers, 10_000)
    assert.ok(kept > 0 && kept <= 4096, `${kept} are kept`)

    assert.equal(asked(answers, 10_000, [1, 1, 1], { bytes: 600 << 10 }), 3, 'one that is too large')
    const large = new Answers()
    for (let n = 0; n < 10; n++) asked(large, n, [1, 1], { bytes: 400 << 10 })
    const left = keptOf(large, 10)
    assert.ok(left > 0 && left <= 5, `${left} of 400 KiB each are kept`)
    const alike = Array.from({ length: 64 }, (_, n) => new TextEncoder().encode(`person${n}@example.com`))
    const few = new Answers()
    for (let time = 0; time < 2; time++) for (const one of alike) if (!few.find(1, Op.find, one, never)) few.note([], 1)
    const without = alike.filter((one) => !few.find(1, Op.find, one, never)).length
    assert.ok(without <= 2, `${without} of 64 questions that are much alike have no place`)

    const long = new Uint8Array(10_000)
    for (let n = 0; n < 3; n++) {
      assert.equal(large.find(1, Op.find, long, never), undefined)
      large.note([1], 10)
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
