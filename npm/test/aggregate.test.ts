// Aggregates against plain JavaScript: random ones, over documents that change between them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { AtomicDBError } from '../src/index.js'
import { openInNode } from './harness/node.js'
import { About, decidable, request, rowsOf } from './random/aggregates.js'
import { built, condition } from './random/conditions.js'
import { withoutSigns } from './random/meaning.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'
import { document, path, value, type Plain } from './random/values.js'

test(`3,000 random aggregates (${replayOf('aggregate.test.ts')})`, async () => {
  const random = new Random(seed)
  const db = await openInNode()
  let grouped = 0
  for (let round = 0; round < 30; round++) {
    await db.clear()
    // From 256 documents on, the engine keeps columns, dictionaries and numbers.
    const size = round % 3 === 0 ? 300 : 60
    await db.insertMany(random.list(size, size, () => document(random)))
    let documents: Plain[] = [...(await db.all())]
    for (let n = 0; n < 100; n++) {
      if (random.chance(0.2)) {
        try {
          await db.update({ $set: { [path(random)]: value(random, 1) } }, built(db.query(), condition(random, 1), random))
        } catch (error) {
          if (!(error instanceof AtomicDBError && error.code === 'invalid')) throw error // the path leads through what is no map
        }
        if (random.chance(0.3)) await db.remove({ _id: random.pick(documents)._id })
        if (random.chance(0.3)) await db.insert(document(random))
        documents = [...(await db.all())]
      }
      const data = decidable(request(random), documents)
      const { where, groupBy, outputs, having, sort, skip, limit } = data
      const rows = await db.aggregate({
        ...(where && { where: built(db.query(), where, random) }),
        ...(groupBy.length > 0 && { groupBy: groupBy.length === 1 && random.chance(0.5) ? groupBy[0]! : groupBy }),
        select: Object.fromEntries(outputs.map(({ name, operator, path }) => [name, { [operator]: path }])),
        ...(having && { having: built(db.query(), having, random) }),
        sort: sort.map(([path, descending]) => (descending ? `-${path}` : path)),
        skip,
        ...(limit && { limit }),
      })
      same(rows, rowsOf(documents, data), inspect(data, { depth: null }))
      if (rows.length > 1) grouped++
    }
  }
  assert.ok(grouped > 500, `only ${grouped} aggregates have several rows`)
  await db.close()
})

/** Fails unless the rows are the expected ones, but for the last digits of some. */
function same(rows: Plain[], expected: Plain[], what: string): void {
  const rounded = expected.map((row, n) => {
    return Object.fromEntries(
      Object.entries(row).map(([name, value]) => {
        const given = rows[n]?.[name]
        if (!(value instanceof About)) return [name, value]
        const close = typeof given === 'number' && Math.abs(given - value.number) <= value.tolerance
        return [name, close ? given : value]
      }),
    )
  })
  assert.deepEqual(withoutSigns(rows), withoutSigns(rounded), what)
}
