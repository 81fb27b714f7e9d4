// A database that is opened again in the same page, as hot reload and React's StrictMode do: both use one engine.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type * as Library from '../src/index.js'
import { openPage } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'

type AtomicDB = Library.AtomicDB<any>

describe('a database that is opened twice in a page', { timeout: 360_000 }, () => {
  const chromium = chromiumWithSite()
  const newPage = async () => openPage(await chromium.browser.newContext(), chromium.site.origin)

  for (const worker of [false, true, 'shared'] as const) {
    test(`has one engine, until the last is closed${worker ? `, with worker: ${String(worker)}` : ''}`, async () => {
      const page = await newPage()
      const found = await page.evaluate(async (worker) => {
        const options = { worker }
        const connectionOf = (db: AtomicDB) => (db as unknown as { connection: { inner?: object } }).connection.inner
        const [a, b] = await Promise.all([atomicdb.AtomicDB.open('twice', options), atomicdb.AtomicDB.open('twice', options)])
        const c = await atomicdb.AtomicDB.open('twice', { ...options, maxDepth: 50 })
        const same = [connectionOf(a) === connectionOf(b), connectionOf(a) === connectionOf(c)]
        const live = [a, b].map((db) => db.liveCount('n > 0'))
        await Promise.all(live.map(({ ready }) => ready))
        const ended: string[] = []
        live[0]!.subscribe(() => {}, (error) => ended.push(error.code))
        const changes: unknown[] = []
        const heard = (async () => {
          for await (const { id } of a.changes()) changes.push(id)
        })()
        const earlier = await a.at(0)
        await b.insert({ n: 1 })
        const unstored = a.insert({ n: 2 })
        await a.close()
        await a.close()
        await Promise.all([unstored, heard])
        const codeOf = (call: () => unknown) => Promise.resolve().then(call).then(() => 'none', (error: { code: string }) => error.code)
        const closed = await Promise.all([() => a.count(), () => a.insert({}), () => a.live(), () => a.transaction(async () => {}), () => earlier.count(), () => a.verify()].map(codeOf))
        await b.insert({ n: 3 })
        const counts = [live[0]!.current, live[1]!.current, await b.count()]
        await b.close()
        const after = await atomicdb.AtomicDB.open('twice', options)
        const again = [connectionOf(after) === connectionOf(b), await after.count(), (await after.verify()).problems]
        await after.close()
        await c.close()
        return { same, closed, counts, changes: changes.length, again, workers: [a.worker, b.worker] }
      }, worker)
      assert.deepEqual(found.same, [true, false])
      assert.deepEqual(found.closed, Array(6).fill('closed'))
      assert.equal(found.counts[1], 3)
      assert.equal(found.counts[2], 3)
      assert.ok(found.counts[0]! <= 2, `the live query of the closed one went on: ${found.counts[0]}`)
      assert.ok(found.changes <= 2)
      assert.deepEqual(found.again, [false, 3, []])
      assert.deepEqual(found.workers, [worker, worker])
      assert.deepEqual(await page.pageErrors(), [])
    })
  }

  test('is opened anew by one that calls while the last closes', async () => {
    const page = await newPage()
    const counts = await page.evaluate(async () => {
      const a = await atomicdb.AtomicDB.open('again')
      const written = a.insert({})
      const closing = a.close()
      const b = await atomicdb.AtomicDB.open('again')
      await Promise.all([written, closing])
      const reopened = atomicdb.AtomicDB.open('again')
      const ending = b.close() // after the call of open: it has the same engine
      const c = await reopened
      await ending
      const counts = [await c.count()]
      await c.insert({})
      counts.push(await c.count())
      await c.close()
      return counts
    })
    assert.deepEqual(counts, [1, 2])
  })

  test('fails for all if it cannot be opened, and can be tried again', async () => {
    const page = await newPage()
    const results = await page.evaluate(async () => {
      const options = { version: 2, migrations: { 1: async (tx: { insert(document: object): Promise<unknown> }) => { await tx.insert({}); if (fails) throw new Error('on purpose') } } }
      let fails = true
      const open = () => atomicdb.AtomicDB.open('failing', options).then(async (db) => `${await db.count()} ${await db.close().then(() => 'closed')}`, (error: Error) => error.message)
      const first = await Promise.all([open(), open()])
      fails = false
      return [...first, ...(await Promise.all([open(), open()]))]
    })
    assert.deepEqual(results, ['on purpose', 'on purpose', '1 closed', '1 closed'])
  })

  for (const worker of [false, true, 'shared'] as const) {
    test(`sees what others have stored, and is opened anew if they have deleted it${worker ? `, with worker: ${String(worker)}` : ''}`, async () => {
      const context = await chromium.browser.newContext()
      const [page, other] = [await openPage(context, chromium.site.origin), await openPage(context, chromium.site.origin)]
      const open = () => page.evaluate(async (worker) => {
        const all = ((globalThis as unknown as { all?: AtomicDB[] }).all ??= [])
        const db = await atomicdb.AtomicDB.open('others', { worker })
        all.push(db)
        return [await db.count(), (db as any).connection.inner === (all[0] as any).connection.inner]
      }, worker)
      await open()
      await other.evaluate(async () => {
        BroadcastChannel.prototype.postMessage = () => {} // nobody is told
        const db = await atomicdb.AtomicDB.open('others')
        await db.insert({})
        await db.close()
      })
      assert.deepEqual(await open(), [1, true])
      await other.evaluate(() => atomicdb.AtomicDB.destroy('others'))
      assert.deepEqual(await open(), [0, false])
      assert.deepEqual(await page.pageErrors(), [])
      await context.close()
    })
  }
})
