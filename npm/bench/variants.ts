// What options cost, in headless Chromium: opening a sealed database and an unsealed one, and the same queries in
// the page, in one worker and in a pool; and a tab that opens what another has open.
//
//   make variants
//
// Prints medians of seven rounds; each round runs every variant.
import { launchChromium, openPage } from '../test/harness/chromium.js'
import { serveProduct } from '../test/harness/site.js'

const site = await serveProduct()
const browser = await launchChromium()
const page = await openPage(await browser.newContext(), site.origin)

const opening = await page.evaluate(async () => {
  const { AtomicDB, IndexedDBStorage, SecurityManager } = atomicdb
  const words = ['tea', 'jam', 'salt', 'bread', 'cheese', 'apple', 'pear', 'milk']
  const documents = Array.from({ length: 48_000 }, (_, n) => ({ n, name: `person ${n}`, text: Array.from({ length: 30 }, (_, i) => words[(n * 31 + i * i * 7) % 8]).join(' '), score: Math.sin(n) }))
  const securityManager = SecurityManager.fromKey('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=')
  const variants = { plain: {}, encrypted: { securityManager }, compressed: { compressionLevel: 6 }, 'compressed and encrypted': { compressionLevel: 6, securityManager } }
  let bytes = 0
  for (const [name, options] of Object.entries(variants)) {
    const db = await AtomicDB.open(name, { storage: new IndexedDBStorage(name, options) })
    for (let at = 0; at < documents.length; at += 10_000) await db.insertMany(documents.slice(at, at + 10_000))
    bytes = (await db.verify()).bytes
    await db.close()
  }
  const times: Record<string, number[]> = {}
  for (let round = 0; round < 7; round++) {
    for (const [name, options] of Object.entries(variants)) {
      const start = performance.now()
      const db = await AtomicDB.open(name, { storage: new IndexedDBStorage(name, options) })
      const count = await db.count()
      ;(times[name] ??= []).push(performance.now() - start)
      if (count !== documents.length) throw new Error(`${name} has ${count} documents`)
      await db.close()
    }
  }
  return { bytes, times }
})

const querying = await page.evaluate(async () => {
  const { AtomicDB, ThreadSafeDatabase } = atomicdb
  const documents = Array.from({ length: 100_000 }, (_, n) => ({ n, text: `word${n % 977} and ${n} more text that takes some time to look at` }))
  const databases = {
    'in the page': await AtomicDB.open('page', { inMemory: true }),
    'in a worker': await AtomicDB.open('worker', { inMemory: true, worker: true }),
    'in a pool of two': await ThreadSafeDatabase.open('pool', { inMemory: true, maxConnections: 2 }),
  }
  const times: Record<string, number[]> = {}
  const note = async (name: string, work: () => Promise<unknown>, each = 1) => {
    const start = performance.now()
    await work()
    ;(times[name] ??= []).push((performance.now() - start) / each)
  }
  for (const db of Object.values(databases)) for (let at = 0; at < documents.length; at += 10_000) await db.insertMany(documents.slice(at, at + 10_000))
  await Promise.all(Array.from({ length: 4 }, () => databases['in a pool of two'].count("text matches 'x'"))) // after this both workers run
  for (let round = 0; round < 7; round++) {
    for (const [name, db] of Object.entries(databases)) {
      // The pattern differs in each round, so that no answer comes from the query cache.
      await note(`eight filters at once, ${name}`, () => Promise.all(Array.from({ length: 8 }, (_, k) => db.count(`text matches 'word${k}1? and [0-9]+${round} more'`))))
      await note(`get, one after the other, ${name}`, async () => {
        for (let id = 1; id <= 500; id++) await db.get(id)
      }, 500)
      await note(`get, 500 at once, ${name}`, () => Promise.all(Array.from({ length: 500 }, (_, id) => db.get(id + 1))), 500)
      await note(`1,000 documents, ${name}`, () => db.search(`n >= ${round * 1000} and n < ${round * 1000 + 1000}`))
    }
  }
  return times
})

/** How long a further tab takes until it has opened the database that a first tab has open, and counted its documents. */
const tabs: Record<string, number[]> = {}
for (const [name, worker] of [['an engine each', false], ['a worker each', true], ['one shared worker', 'shared']] as const) {
  const context = await browser.newContext()
  const open = async (documents: number) => (await openPage(context, site.origin)).evaluate(async ({ worker, documents }) => {
    const start = performance.now()
    globalThis.db = await atomicdb.AtomicDB.open('tabs', { worker })
    await db.count()
    const time = performance.now() - start
    for (let at = 0; at < documents; at += 10_000) await db.insertMany(Array.from({ length: 10_000 }, (_, n) => ({ n: at + n, name: `person ${n}`, email: `person${at + n}@example.com`, tags: ['a', 'b'] })))
    return time
  }, { worker, documents })
  await open(100_000)
  tabs[name] = []
  for (let round = 0; round < 7; round++) tabs[name].push(await open(0))
  await context.close()
}

const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1]!
const shown = (ms: number) => (ms < 1 ? `${(ms * 1000).toFixed(0)} us` : `${ms.toFixed(1)} ms`)
console.log(`Opening ${(opening.bytes / 1e6).toFixed(1)} MB of 48,000 documents in IndexedDB`)
for (const [name, times] of Object.entries(opening.times)) console.log(`  ${name}: ${shown(median(times))}, ${(median(times) / median(opening.times.plain!)).toFixed(2)} times plain`)
console.log('100,000 documents in memory')
for (const [name, times] of Object.entries(querying).sort(([a], [b]) => (a < b ? -1 : 1))) console.log(`  ${name}: ${shown(median(times))}`)
console.log('A further tab opens 100,000 documents in IndexedDB')
for (const [name, times] of Object.entries(tabs)) console.log(`  ${name}: ${shown(median(times))}`)
await browser.close()
await site.close()
