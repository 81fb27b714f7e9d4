import { AtomicDB, MemoryStorage } from '/work/main/npm/dist/index.js'
import { makePeople } from '/work/main/npm/bench/people.js'
const people = makePeople(20000, 42)
const db = await AtomicDB.open('x', {storage: new MemoryStorage()})
await db.createIndex('email'); await db.createIndex('score')
await db.insertMany(people)
const q = db.query<any>()
const asks: Record<string, () => Promise<unknown>> = {
  range: () => db.search(q.score.between(100, 100.5)),
  count: () => db.count(q.age.gte(45).and(q.address.city.eq('Bergen'))),
  group: () => db.aggregate({ groupBy: 'address.city', select: { n: { $count: true }, mean: { $avg: 'age' } } }),
  sorti: () => db.search(undefined, { sort: '-score', limit: 20 }), sort: () => db.search(undefined, { sort: 'name', limit: 20 }) }
for (let rep = 0; rep < 3; rep++) for (const [name, ask] of Object.entries(asks)) {
  await ask(); await ask()
  const t: number[] = []
  for (let n = 0; n < 64; n++) {
    await db.update({ active: n % 2 === 0 }, q._id.eq(people[0]._id))
    const s = performance.now(); await ask(); const m = performance.now(); await ask(); t.push((m - s) * 1000, (performance.now() - m) * 1000)
  }
  const a = t.filter((_, i) => i % 2 === 0).sort((a, b) => a - b), b = t.filter((_, i) => i % 2).sort((a, b) => a - b)
  console.log(name.padEnd(8), 'changed', a[32].toFixed(1), 'mean', (a.reduce((x, y) => x + y) / 64).toFixed(1), 'again', b[32].toFixed(1))
}
await db.close()
