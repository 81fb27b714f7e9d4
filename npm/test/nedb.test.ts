// Filters and updates against NeDB, a database whose users write the same filters: random ones, on which both must agree,
// and the rows of engine/query/MONGODB.md about NeDB, which say where they do not and why.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import Datastore from '@seald-io/nedb'
import { AtomicDBError, type AtomicDB } from '../src/index.js'
import { openInNode } from './harness/node.js'
import { differences, type Difference } from './random/differences.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'
import type { Plain } from './random/values.js'

const random = new Random(seed)
let db: AtomicDB
before(async () => {
  db = await openInNode()
})
after(() => db.close())

const scalar = (): unknown => random.pick([0, 1, 2, 5, -1, 0.5, '', 'a', 'ab', 'B', true, false, null, new Date(5), new Date(90)])

const asked = (): unknown => scalar() ?? 7 // to NeDB, null is no missing field

function document(): Plain {
  const made: Plain = {}
  if (random.chance(0.8)) made.a = scalar()
  if (random.chance(0.7)) made.n = random.int(-3, 9)
  made.when = new Date(random.int(0, 20))
  made.tags = random.list(0, 3, () => random.pick(['a', 'ab', 'B']))
  if (random.chance(0.7)) made.o = { x: scalar(), ...(random.chance(0.5) ? { y: random.int(0, 3) } : {}) }
  made.list = random.list(0, 3, () => ({ x: random.int(0, 4), s: random.pick(['a', 'ab']) }))
  return made
}

const comparison = () => random.pick(['$lt', '$lte', '$gt', '$gte'])

function leaf(): Plain {
  return random.pick<() => Plain>([
    () => ({ [random.pick(['a', 'o.x', 'n', 'o.y'])]: asked() }),
    () => ({ [random.pick(['a', 'o.x'])]: { $ne: asked() } }),
    () => ({ [random.pick(['a', 'o.x', 'n'])]: { [comparison()]: random.pick([0, 1, 2.5, 'a', 'b']) } }),
    () => ({ when: { [comparison()]: new Date(random.int(0, 20)) } }),
    () => ({ n: { $gt: random.int(-4, 4), $lte: random.int(2, 9) } }),
    () => ({ [random.pick(['a', 'n', 'o.x'])]: { [random.pick(['$in', '$nin'])]: random.list(0, 3, asked) } }),
    () => ({ tags: { $in: random.list(0, 3, asked) } }),
    () => ({ [random.pick(['a', 'n', 'o.x', 'o', 'o.y'])]: { $exists: random.chance(0.5) } }),
    () => ({ tags: random.pick(['a', 'ab', 'x']) }),
    () => ({ tags: random.list(0, 2, () => random.pick(['a', 'ab'])) }),
    () => ({ [random.pick(['tags', 'list'])]: { $size: random.int(0, 3) } }),
    () => ({ [random.pick(['a', 'tags', 'list.s'])]: { $regex: random.pick([/^a/, /b$/i, /./]) } }),
    () => ({ list: { $elemMatch: { x: { [comparison()]: random.int(0, 4) }, s: random.pick(['a', 'ab']) } } }),
    () => ({ 'list.x': random.int(0, 4) }),
    () => ({ 'list.0.x': random.int(0, 4) }),
    () => ({ 'tags.1': random.pick(['a', 'ab']) }),
    () => ({ o: { x: scalar(), y: random.int(0, 3) } }),
  ])()
}

function filter(depth: number): Plain {
  if (depth > 0 && random.chance(0.4)) {
    const operator = random.pick(['$and', '$or', '$not'])
    return operator === '$not' ? { $nor: [filter(depth - 1)] } : { [operator]: random.list(1, 3, () => filter(depth - 1)) }
  }
  return random.chance(0.3) ? { ...leaf(), ...leaf() } : leaf()
}

/** The filter as NeDB has it: its $not is MongoDB's $nor of one. */
function asNeDB(filter: Plain): Plain {
  return Object.fromEntries(Object.entries(filter).map(([key, value]) => {
    if (key === '$nor') return ['$not', asNeDB((value as Plain[])[0]!)]
    return [key, key === '$and' || key === '$or' ? (value as Plain[]).map(asNeDB) : value]
  }))
}

function update(): Plain {
  return random.pick<() => Plain>([
    () => ({ $set: { [random.pick(['a', 'z', 'o.x', 'p.q', 'list.0.x'])]: scalar() } }),
    () => ({ $unset: { [random.pick(['a', 'z', 'o.x', 'n'])]: true } }),
    () => ({ $inc: { [random.pick(['n', 'm', 'o.y'])]: random.pick([1, -2, 0.5]) } }),
    () => ({ [random.pick(['$min', '$max'])]: { [random.pick(['n', 'o.y', 'm'])]: random.int(-5, 9) } }),
    () => ({ $push: { [random.pick(['tags', 'more'])]: random.pick(['a', 'new']) } }),
    () => ({ $push: { tags: { $each: random.list(0, 3, () => random.pick(['x', 'y'])), ...(random.chance(0.5) ? { $slice: random.int(-3, 3) } : {}) } } }),
    () => ({ $addToSet: { tags: random.pick(['a', 'new']) } }),
    () => ({ $addToSet: { tags: { $each: random.list(0, 3, () => random.pick(['a', 'x'])) } } }),
    () => ({ $pop: { tags: random.pick([1, -1]) } }),
    () => ({ $pull: { tags: random.pick(['a', 'ab', { $in: ['a', 'B'] }]) } }),
    () => ({ $pull: { list: { x: { [comparison()]: random.int(0, 4) } } } }),
  ])()
}

/** Makes both databases hold the same documents. */
async function stored(count: number): Promise<{ nedb: Datastore<Plain> }> {
  const documents = random.list(count, count, document).map((made, at): Plain => ({ _id: `d${at}`, ...made }))
  await db.clear()
  await db.insertMany(documents)
  const nedb = new Datastore<Plain>({ inMemoryOnly: true })
  await nedb.insertAsync(documents)
  return { nedb }
}

const byID = (a: Plain, b: Plain) => Number((a._id as string).slice(1)) - Number((b._id as string).slice(1))

describe(`random requests (${replayOf('nedb.test.ts')})`, () => {
  test('4,000 filters find what NeDB finds', async () => {
    let selective = 0
    for (let round = 0; round < 20; round++) {
      const size = round % 4 === 0 ? 300 : 60 // from 256 on, the engine answers from columns and dictionaries
      const { nedb } = await stored(size)
      for (let n = 0; n < 200; n++) {
        const request = filter(2)
        const expected = (await nedb.findAsync(asNeDB(request))).sort(byID)
        const found = [...(await db.find(request))] as Plain[]
        const names = new Set(expected.map(({ _id }) => _id))
        const differing = found.find(({ _id }) => !names.delete(_id)) ?? expected.find(({ _id }) => names.has(_id))
        assert.equal(differing, undefined, `${inspect(request, { depth: null })} ${names.has(differing?._id) ? 'misses' : 'finds'} ${inspect(differing, { depth: null })}`)
        if (expected.length > 0 && expected.length < size) selective++
      }
    }
    // Filters that match all or nothing would prove little.
    assert.ok(selective > 1_000, `only ${selective} filters tell documents apart`)
  })

  test('2,000 updates leave what NeDB leaves', async () => {
    let changed = 0
    for (let n = 0; n < 2_000; n++) {
      const { nedb } = await stored(4)
      const [request, where] = [update(), filter(1)]
      const what = `${inspect(request, { depth: null })} of ${inspect(where, { depth: null })}`
      let refused = false
      const { numAffected } = await nedb.updateAsync(asNeDB(where), request, { multi: true }).catch(() => ((refused = true), { numAffected: 0 }))
      if (refused) {
        const before = [...(await db.all())]
        await assert.rejects(db.update(request, where), { code: 'invalid' }, what)
        assert.deepEqual([...(await db.all())], before, what)
        continue
      }
      await db.update(request, where)
      changed += numAffected
      assert.deepEqual([...(await db.all())], (await nedb.findAsync({})).sort(byID), what)
    }
    assert.ok(changed > 1_000, `only ${changed} documents were changed`)
  })
})

describe('what MONGODB.md lists about NeDB', () => {
  for (const row of differences('NeDB')) {
    test(`${row.what}: ${inspect(row.request, { depth: null })} on ${inspect(row.document)}`, async () => {
      const nedb = new Datastore<Plain>({ inMemoryOnly: true })
      await nedb.insertAsync({ _id: 'x', ...row.document })
      await db.clear()
      await db.insert({ _id: 'x', ...row.document })
      assert.deepEqual(await answerOf(row, async () => (await db.find(row.request)).length, () => db.update(row.request), () => db.get('x')), row.atomicdb)
      const inNeDB = await answerOf(row, () => nedb.countAsync(row.request), () => nedb.updateAsync({}, row.request, { multi: true }), () => nedb.findOneAsync({}))
      assert.deepEqual(inNeDB, row.peer, 'NeDB has changed: is this row still true?')
      assert.notDeepEqual(row.atomicdb, row.peer, 'the row shows no difference')
    })
  }
})

/** What a database says to a row: whether its filter matches, or the document after its update. */
async function answerOf({ kind }: Difference, count: () => Promise<number>, update: () => Promise<unknown>, get: () => Promise<unknown>): Promise<unknown> {
  try {
    if (kind === 'filter') return (await count()) > 0 ? 'yes' : 'no'
    await update()
  } catch (error) {
    if (error instanceof AtomicDBError) assert.equal(error.code, 'invalid')
    return 'invalid'
  }
  const { _id, ...rest } = (await get()) as Plain
  return rest
}
