// Collations against the host's Intl.Collator: what is the same, and in which order, in every call that has a
// condition. The letters are few, so that many texts differ in case, in an accent or in a number alone.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AtomicDB, type Collation } from '../src/index.js'
import { openInNode } from './harness/node.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

const random = new Random(seed)
const text = () => random.list(0, 4, () => random.pick(['a', 'A', 'b', 'B', 'é', 'É', 'e', 'E', 'z', '1', '02', '10', '9'])).join('')

let db: AtomicDB
before(async () => void (db = await openInNode()))
after(() => db.close())

describe(`collations (${replayOf('collation.test.ts')})`, () => {
  test('200 random requests answer what Intl.Collator makes of them', async () => {
    for (let n = 0; n < 200; n++) {
      const collation: Collation = { strength: random.pick([1, 2]), numeric: random.chance(0.5) }
      const collator = new Intl.Collator('en', { sensitivity: collation.strength === 1 ? 'base' : 'accent', numeric: collation.numeric! })
      const same = (a: string, b: string) => collator.compare(a, b) === 0
      if (n % 10 === 0) {
        await db.dropCollection('default')
        await db.insertMany(Array.from({ length: 40 }, (_, _id) => ({ _id, name: text(), n: 0 })))
      }
      if (random.chance(0.2)) await db.createIndex('name', { collation })
      const all = (await db.all()) as unknown as { _id: number; name: string; n: number }[]
      const wanted = random.chance(0.7) && all.length > 0 ? random.pick(all).name : text()
      const options = { collation }
      const note = `${JSON.stringify(collation)} ${JSON.stringify(wanted)} in ${JSON.stringify(all.map(({ name }) => name))}`
      const found = all.filter(({ name }) => same(name, wanted))
      const ids = (rows: any) => (rows as { _id: unknown }[]).map(({ _id }) => _id)

      assert.deepEqual(ids(await db.find({ name: wanted }, options)), ids(found), note)
      assert.equal(await db.count({ name: { $ne: wanted } }, options), all.length - found.length, note)
      assert.deepEqual(ids(await db.find({ name: { $lte: wanted } }, options)), ids(all.filter(({ name }) => collator.compare(name, wanted) <= 0)), note)
      assert.deepEqual(ids(await db.find({}, { ...options, sort: 'name' })), ids([...all].sort((a, b) => collator.compare(a.name, b.name))), note)

      const classes: string[][] = []
      for (const { name } of all) (classes.find(([first]) => same(first!, name)) ?? classes[classes.push([]) - 1]!).push(name)
      const groups = await db.aggregate({ groupBy: 'name', select: { n: { $count: true } }, ...options })
      assert.deepEqual(groups, classes.map((of) => ({ name: of[0], n: of.length })), note)
      const least = classes.map((of) => [...of].sort()[0]!).sort(collator.compare)
      assert.deepEqual(await db.distinct('name', undefined, options), least, note)

      if (random.chance(0.3)) {
        assert.equal(await db.update({ $inc: { n: 1 } }, { name: wanted }, options), found.length, note)
        assert.equal(await db.count((document) => document.n > (all.find(({ _id }) => _id === document._id)?.n ?? 0)), found.length, note)
      }
      if (random.chance(0.1)) assert.equal(await db.remove({ name: wanted }, options), found.length, note)
    }
  })
})
