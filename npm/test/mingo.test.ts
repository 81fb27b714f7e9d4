// Filters and updates against mingo, MongoDB's query language in JavaScript: random ones, on which
// both must agree, and the rows of engine/query/MONGODB.md, which say where they do not and why.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { inspect, isDeepStrictEqual } from 'node:util'
import mingo from 'mingo'
import { AtomicDB, AtomicDBError } from '../src/index.js'
import { openInNode } from './harness/node.js'
import { differences, type Difference } from './random/differences.js'
import { filter, fittedDocument } from './random/filters.js'
import { listed, placed, positional } from './random/positions.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'
import { fittingUpdate, Misfit, typedDocument } from './random/updates.js'
import type { Plain } from './random/values.js'

const random = new Random(seed)
let db: AtomicDB
before(async () => {
  db = await openInNode()
})
after(() => db.close())

describe(`random requests (${replayOf('mingo.test.ts')})`, () => {
  test('4,000 filters find what mingo finds', async () => {
    let selective = 0
    for (let round = 0; round < 20; round++) {
      const size = round % 4 === 0 ? 300 : 60 // from 256 on, the engine answers from columns and dictionaries
      const documents = await stored(random.list(size, size, () => fittedDocument(random)))
      for (let n = 0; n < 200; n++) {
        const request = filter(random, 3)
        const query = new mingo.Query(request)
        const expected = documents.filter((document) => query.test(document))
        const found = new Set((await db.find(request)).map((document) => document._id))
        const differing = documents.find((document) => found.has(document._id as number) !== expected.includes(document))
        assert.equal(differing, undefined, `${inspect(request, { depth: null })} ${expected.includes(differing!) ? 'misses' : 'finds'} ${inspect(differing, { depth: null })}`)
        assert.equal(await db.count(request), expected.length)
        if (expected.length > 0 && expected.length < documents.length) selective++
      }
    }
    // Filters that match all or nothing would prove little.
    assert.ok(selective > 1_000, `only ${selective} filters tell documents apart`)
  })

  test('1,000 updates leave what mingo leaves', async () => {
    for (let n = 0; n < 1_000; n++) {
      const documents = await stored(random.list(5, 5, () => typedDocument(random)))
      const request = fittingUpdate(random)
      for (const document of documents) mingo.update(document, request, [], {}, { cloneMode: 'deep' })
      await db.update(request)
      assert.deepEqual([...(await db.all())], documents, inspect(request, { depth: null }))
    }
  })

  test('2,000 updates of elements leave what mingo leaves, and what plain JavaScript does', async () => {
    let changed = 0
    for (let n = 0; n < 2_000; n++) {
      const documents = await stored(random.list(5, 5, () => listed(random)))
      const request = positional(random)
      const { where, update, arrayFilters } = request
      const matching = documents.filter((document) => new mingo.Query(where).test(document))
      const what = inspect({ where, update, arrayFilters }, { depth: null })
      let expected: Plain[] | undefined
      try {
        expected = documents.map((document) => (matching.includes(document) ? placed(document, request) : document))
      } catch (error) {
        if (!(error instanceof Misfit)) throw error
      }
      if (!expected) {
        await assert.rejects(db.update(update, where, { arrayFilters }), (error) => error instanceof AtomicDBError && error.code === 'invalid', what)
        assert.deepEqual([...(await db.all())], documents, what)
        continue
      }
      changed += await db.update(update, where, { arrayFilters })
      assert.deepEqual([...(await db.all())], expected, what)
      for (const document of matching) mingo.update(document, update, arrayFilters, where, { cloneMode: 'deep' })
      assert.deepEqual([...(await db.all())], documents, what)
    }
    assert.ok(changed > 1_000, `only ${changed} documents were changed`)
  })
})

describe('what MONGODB.md lists', () => {
  for (const row of differences('mingo')) {
    test(`${row.what}: ${inspect(row.request, { depth: null })} on ${inspect(row.document)}`, async () => {
      assert.deepEqual(await (row.kind === 'filter' ? matched(row) : updated(row)), row.atomicdb)
      assert.deepEqual(askedMingo(row), row.peer, 'mingo has changed: is this row still true?')
      const same = [row.mongodb, row.peer].every((other) => isDeepStrictEqual(row.atomicdb, other))
      assert.ok(!same, 'the row shows no difference')
    })
  }
})

/** Replaces what the database holds; returns the documents with their ids. */
async function stored(documents: Plain[]): Promise<Plain[]> {
  await db.clear()
  const ids = await db.insertMany(documents)
  return documents.map((document, n) => ({ ...document, _id: ids[n] }))
}

async function matched({ document, request }: Difference): Promise<string> {
  await stored([document])
  try {
    return (await db.find(request)).length > 0 ? 'yes' : 'no'
  } catch (error) {
    return codeOf(error)
  }
}

async function updated({ document, request }: Difference): Promise<unknown> {
  await stored([document])
  try {
    await db.update(request)
  } catch (error) {
    return codeOf(error)
  }
  const { _id, ...rest } = (await db.all())[0]!
  return rest
}

function codeOf(error: unknown): string {
  if (error instanceof AtomicDBError) return error.code
  throw error
}

function askedMingo({ kind, document, request }: Difference): unknown {
  try {
    if (kind === 'filter') return new mingo.Query(request).test(document) ? 'yes' : 'no'
    const copy = structuredClone(document)
    mingo.update(copy, request, [], {}, { cloneMode: 'deep' })
    return copy
  } catch {
    return 'invalid'
  }
}
