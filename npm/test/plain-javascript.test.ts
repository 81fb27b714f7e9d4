// Every way to ask, against plain JavaScript over the same documents: random conditions in their
// three spellings, sorting and paging, field lists, and updates.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { AtomicDB, AtomicDBError } from '../src/index.js'
import { openInNode } from './harness/node.js'
import { asFilter, built, condition } from './random/conditions.js'
import { compare, meets, projected, reached, sorted, withoutSigns } from './random/meaning.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'
import { added, applied, check, Misfit, update } from './random/updates.js'
import { document, path, scalar, value, type Plain } from './random/values.js'

const random = new Random(seed)
let db: AtomicDB
before(async () => {
  db = await openInNode()
})
after(() => db.close())

describe(`random requests (${replayOf('plain-javascript.test.ts')})`, () => {
  test('documents come back as they went in', async () => {
    const documents = random.list(500, 500, () => document(random))
    const expected = await stored(documents)
    for (const [n, { _id, ...fields }] of expected.entries()) assert.deepEqual(fields, normal(documents[n]!))
  })

  test('3,000 conditions find the same when built, as text, as filters and as functions', async () => {
    let selective = 0
    for (let round = 0; round < 15; round++) {
      const documents = await stored(many(round))
      for (let n = 0; n < 200; n++) {
        const data = condition(random, 3)
        const expected = documents.filter((one) => meets(one, data)).map((one) => one._id)
        const where = built(db.query(), data, random)
        const ids = async (result: Promise<{ _id: unknown }[]>) => (await result).map((one) => one._id)
        assert.deepEqual(await ids(db.search(where)), expected, inspect(data, { depth: null }))
        assert.deepEqual(await ids(db.search(String(where))), expected, String(where))
        assert.deepEqual(await ids(db.search((one) => meets(one, data))), expected, `a function for ${where}`)
        assert.equal(await db.count(where), expected.length, `count of ${where}`)
        const filter = asFilter(data)
        if (filter) assert.deepEqual(await ids(db.find(filter)), expected, inspect(filter, { depth: null }))
        if (expected.length > 0 && expected.length < documents.length) selective++
      }
    }
    // Conditions that hold everywhere or nowhere would prove little.
    assert.ok(selective > 500, `only ${selective} conditions tell documents apart`)
  })

  test('sorting, skip and limit', async () => {
    for (let round = 0; round < 20; round++) {
      const documents = await stored(random.list(100, 100, () => document(random)))
      for (let n = 0; n < 20; n++) {
        const keys = random.list(1, 3, () => [path(random), random.chance(0.5)] as const)
        const [skip, limit] = [random.int(0, 20), random.int(1, 60)]
        const expected = sorted(documents, keys)
        const sort = keys.map(([path, descending]) => (descending ? `-${path}` : path))
        assert.deepEqual([...(await db.search(undefined, { sort }))], expected, `sort ${sort}`)
        assert.deepEqual([...(await db.search(undefined, { sort, skip, limit }))], expected.slice(skip, skip + limit), `sort ${sort} skip ${skip} limit ${limit}`)
        assert.deepEqual([...(await db.search(undefined, { skip, limit }))], documents.slice(skip, skip + limit), `skip ${skip} limit ${limit}`)
      }
    }
  })

  test('indexes change no answer, over documents that change', async () => {
    for (let round = 0; round < 10; round++) {
      const paths = [...new Set(random.list(1, 3, () => path(random)))]
      await db.createIndex(...paths)
      let documents = await stored(many(round))
      for (let n = 0; n < 100; n++) {
        if (random.chance(0.2)) documents = await changed(documents)
        const data = condition(random, 2)
        const sort = random.pick(paths)
        const expected = sorted(documents.filter((one) => meets(one, data)), [[sort, false]])
        const found = await db.search(built(db.query(), data, random), { sort })
        assert.deepEqual([...found], expected, `${inspect(data, { depth: null })} with an index on ${paths}`)
      }
      await db.dropIndex(...paths)
    }
  })

  test('lists of fields', async () => {
    const documents = await stored(random.list(100, 100, () => document(random)))
    for (let n = 0; n < 300; n++) {
      const dash = random.chance(0.5) ? '-' : ''
      const fields = [...random.list(1, 3, () => dash + path(random)), ...(random.chance(0.2) ? ['-_id'] : [])]
      const filter = random.pick([undefined, () => true]) // an engine's answer, and one cut out in JavaScript
      assert.deepEqual([...(await db.search(filter as never, { fields }))], documents.map((one) => projected(one, fields)), `fields ${fields}`)
    }
  })

  test('distinct values', async () => {
    const documents = await stored(random.list(200, 200, () => document(random)))
    for (let n = 0; n < 100; n++) {
      const of = path(random)
      const all = documents.flatMap((one) => reached(one, of).flatMap((value) => (Array.isArray(value) ? value : [value])))
      const expected = all.sort(compare).filter((value, n) => n === 0 || compare(value, all[n - 1]) !== 0)
      assert.deepEqual(withoutSigns(await db.distinct(of)), withoutSigns(expected), `distinct ${of}`)
    }
  })

  test('2,000 updates change what they should, or nothing at all', async () => {
    let refused = 0
    for (let n = 0; n < 2_000; n++) {
      const documents = await stored(random.list(4, 4, () => document(random)))
      const [data, request] = [condition(random, 1), update(random)]
      const where = built(db.query(), data, random)
      const what = `${inspect(request, { depth: null })} where ${where}`
      let expected: Plain[] | undefined
      try {
        check(request)
        expected = documents.map((one) => (meets(one, data) ? normal(applied(one, request)) : one))
      } catch (error) {
        if (!(error instanceof Misfit)) throw error
      }
      if (expected) {
        assert.equal(await db.update(request, where), documents.filter((one, n) => text(one) !== text(expected![n]!)).length, what)
        assert.deepEqual([...(await db.all())], expected, what)
      } else {
        refused++
        await assert.rejects(db.update(request, where), (error) => error instanceof AtomicDBError && error.code === 'invalid', what)
        assert.deepEqual([...(await db.all())], documents, `refused, but changed by ${what}`)
      }
    }
    assert.ok(refused > 50 && refused < 1_500, `${refused} of the updates were refused`)
  })

  test('2,000 updates with options change, add and answer what they should, or do nothing at all', async () => {
    let addedSome = 0
    for (let n = 0; n < 2_000; n++) {
      const documents = await stored(random.list(4, 4, () => document(random)))
      const equalities = random.list(0, 2, () => [path(random), (random.chance(0.5) ? value(random, 1) : scalar(random)) ?? 0] as const) // null finds missing fields, too
      const where = { $and: [{}, ...equalities.map(([path, wanted]) => ({ [path]: random.chance(0.5) ? wanted : { $eq: wanted } }))] }
      const request = update(random)
      const [upsert, many, returnDocuments] = [random.chance(0.7), random.chance(0.5), random.pick(['before', 'after', false] as const)]
      const sort = random.chance(0.5) ? path(random) : undefined
      const matching = sorted(documents, sort ? [[sort, false]] : []).filter((one) => equalities.every(([path, wanted]) => meets(one, ['eq', path, wanted])))
      const first = many ? matching : matching.slice(0, 1)
      const options = { upsert, many, returnDocuments, ...(sort && { sort }) }
      const what = inspect({ where, request, options }, { depth: null })
      let after: Plain[] | undefined
      try {
        check(request)
        after = first.length > 0 || !upsert ? first.map((one) => normal(applied(one, request))) : [normal(added(equalities, request))]
      } catch (error) {
        if (!(error instanceof Misfit)) throw error
      }
      const run = () => db.update(request, where, options as { returnDocuments: 'after' }) as Promise<unknown>
      if (!after) {
        await assert.rejects(run(), (error) => error instanceof AtomicDBError && error.code === 'invalid', what)
        assert.deepEqual([...(await db.all())], documents, `refused, but changed by ${what}`)
        continue
      }
      const isNew = first.length === 0 && after.length > 0
      const answer = await run()
      const now = [...(await db.all())]
      if (isNew) {
        addedSome++
        after = [{ _id: now.at(-1)?._id, ...after[0] }]
      }
      assert.deepEqual(now, [...documents.map((one) => after.find(({ _id }) => _id === one._id) ?? one), ...(isNew ? after : [])], what)
      const returned = returnDocuments === 'before' ? first : after
      if (!returnDocuments) assert.equal(answer, isNew ? 1 : first.filter((one, n) => text(one) !== text(after[n]!)).length, what)
      else assert.deepEqual(many ? [...(answer as Plain[])] : answer, many ? returned : returned[0], what)
    }
    assert.ok(addedSome > 100, `${addedSome} of the updates added a document`)
  })
})

/** Documents for a round. From 256 on, the engine answers from columns and dictionaries. */
function many(round: number): Plain[] {
  const size = round % 3 === 0 ? 300 : 60
  return random.list(size, size, () => document(random))
}

/** Removes, adds and changes a few documents, of which indexes and columns have to hear. */
async function changed(documents: Plain[]): Promise<Plain[]> {
  await db.remove({ _id: random.pick(documents)._id })
  await db.insert(document(random))
  const few = random.list(1, 20, () => random.pick(documents)._id)
  await db.update({ [random.pick(['a', 'b'])]: value(random, 2) }, { _id: { $in: few } })
  return [...(await db.all())]
}

/** Replaces what the database holds; returns its documents as the database gives them back. */
async function stored(documents: Plain[]): Promise<Plain[]> {
  await db.clear()
  await db.insertMany(documents)
  return [...(await db.all())]
}

/** A document in the order of its fields, which counts for what an update has changed. */
const text = (one: Plain) => inspect(one, { depth: null, maxArrayLength: null })

/** What is stored of a value: a bigint only beyond the safe integers. */
function normal<T>(value: T): T {
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value) as T
  if (Array.isArray(value)) return value.map(normal) as T
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, normal(field)])) as T
}
