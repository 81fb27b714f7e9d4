// Four pages of one origin that read, change and write one counter at the same time, in real Chromium, also when one of
// them crashes in the middle.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { crasherOf, openPage } from './harness/chromium.js'
import { chromiumWithSite, type ChromiumWithSite } from './harness/chromium-with-site.js'
import { within } from './harness/deadline.js'
import { type Site } from './harness/site.js'

const tabs = 4
const increments = 100

declare global {
  /** Adds 1 to the counter once, in the way under test; set in each page. */
  var addOne: () => Promise<unknown>
  /** Tells the test that an increment is stored. */
  function acknowledge(): Promise<void>
}

const atomicUpdate = () => {
  globalThis.addOne = () => db.atomicUpdate<{ n: number }>((counter) => ({ n: counter.n + 1 }), "_id = 'counter'")
}

/** It uses two collections, and gives other tabs time between reading and writing. */
const transaction = () => {
  globalThis.addOne = () =>
    db.transaction(async (tx) => {
      const { n } = (await tx.get<{ n: number }>('counter'))!
      const { port1, port2 } = new MessageChannel()
      await new Promise((resolve) => {
        port1.onmessage = resolve
        port2.postMessage(null)
      })
      port1.close()
      await tx.insert({ _id: n }, 'counted')
      await tx.update({ n: n + 1 }, "_id = 'counter'")
    })
}

/** The ways to add 1, each as a script that sets `addOne`. */
const ways = {
  atomicUpdate,
  'atomicUpdate in a worker': atomicUpdate,
  'atomicUpdate in a shared worker': atomicUpdate,
  'a transaction': transaction,
  'a transaction in a shared worker': transaction,
}

const workerOf = (way: string) => (/ in a shared worker$/.test(way) ? 'shared' : / in a worker$/.test(way))

describe('four tabs at once', { timeout: 720_000 }, () => {
  const chromium = chromiumWithSite()

  for (const [name, way] of Object.entries(ways)) {
    test(`lose none of ${increments} increments from each, by ${name}`, async () => {
      const { context, pages } = await openTabs(chromium, way, workerOf(name))
      await within(120_000, 'the increments', Promise.all(pages.map((page) => incrementIn(page, increments))))
      await assertCounter(context, chromium.site, tabs * increments, tabs * increments)
      await context.close()
    })

    test(`lose no stored write, by ${name}, when one of them crashes in the middle`, async () => {
      const { context, pages } = await openTabs(chromium, way, workerOf(name))
      const [crashing, ...staying] = pages as [Page, ...Page[]]
      let acknowledged = 0
      let reachMiddle!: () => void
      const reachedMiddle = new Promise<void>((resolve) => (reachMiddle = resolve))
      await crashing.exposeBinding('acknowledge', () => {
        if (++acknowledged === increments / 5) reachMiddle()
      })
      const crashed = incrementIn(crashing, Infinity)
      const stayed = Promise.all(staying.map((page) => incrementIn(page, increments)))
      await within(60_000, 'the tab that crashes', Promise.race([reachedMiddle, crashed]))
      await Promise.all([(await crasherOf(crashing))(), assert.rejects(crashed, /crashed/)])
      await within(120_000, 'the tabs that stay', stayed)
      const min = acknowledged + staying.length * increments
      await assertCounter(context, chromium.site, min, min + (workerOf(name) === 'shared' ? tabs : 1))
      await context.close()
    })
  }

  test('a tab that stands still in the middle of writing holds up nobody, and goes on afterwards', async () => {
    const { context, pages } = await openTabs(chromium, ways['a transaction'])
    const [still, ...others] = pages as [Page, ...Page[]]
    const all = incrementIn(still, increments)
    await Promise.all(others.map((page) => incrementIn(page, 5))) // so that it is in the middle of a write
    // A page that waits for a synchronous request runs nothing else. In each round it stops at another step of its
    // write.
    let reachStandstill!: () => void
    let goOn!: () => void
    let resumed!: Promise<void>
    await still.route('**/until-resumed', async (route) => {
      reachStandstill()
      await resumed
      await route.fulfill({ body: '' })
    })
    const rounds = 8
    for (let round = 0; round < rounds; round++) {
      const standsStill = new Promise<void>((resolve) => (reachStandstill = resolve))
      resumed = new Promise((resolve) => (goOn = resolve))
      const standing = still.evaluate(() => {
        const request = new XMLHttpRequest()
        request.open('GET', '/until-resumed', false)
        request.send()
      })
      await within(60_000, 'the standstill', standsStill)
      // After 60 s Chromium would end the wait.
      await within(50_000, 'the others', Promise.all(others.map((page) => incrementIn(page, 5))))
      goOn()
      await standing
    }
    await within(60_000, 'the tab that stood still', all)
    const sum = increments + others.length * 5 * (1 + rounds)
    await assertCounter(context, chromium.site, sum, sum)
    await context.close()
  })

  test('a tab whose transaction never ends holds up nobody, and leaves nothing when it crashes', async () => {
    const { context, pages } = await openTabs(chromium, ways['a transaction'])
    const [hanging, ...others] = pages as [Page, ...Page[]]
    await hanging.evaluate(async () => {
      await new Promise<void>((started) => {
        void db.transaction(async (tx) => {
          await tx.insert({ _id: 'never' })
          await tx.update({ $inc: { n: 1 } })
          started()
          await new Promise(() => {})
        })
      })
    })
    await within(60_000, 'the other tabs', Promise.all(others.map((page) => incrementIn(page, 10))))
    await (await crasherOf(hanging))()
    await within(60_000, 'the other tabs', Promise.all(others.map((page) => incrementIn(page, 10))))
    await assertCounter(context, chromium.site, others.length * 20, others.length * 20)
    assert.equal(await others[0]!.evaluate(() => db.get('never')), undefined)
    await context.close()
  })
})

async function openTabs({ browser, site }: ChromiumWithSite, way: () => void, worker: boolean | 'shared' = false): Promise<{ context: BrowserContext; pages: Page[] }> {
  const context = await browser.newContext()
  const pages = await Promise.all(Array.from({ length: tabs }, () => openDatabase(context, site, worker)))
  await pages[0]!.evaluate(() => db.insert({ _id: 'counter', n: 0 }))
  for (const page of pages) {
    await page.evaluate(way)
    await within(20_000, 'the first write in every tab', page.evaluate(async () => {
      while (!(await db.get('counter'))) await new Promise((resolve) => setTimeout(resolve))
    }))
  }
  return { context, pages }
}

async function openDatabase(context: BrowserContext, site: Site, worker: boolean | 'shared' = false): Promise<Page> {
  const page = await openPage(context, site.origin)
  await page.evaluate(async (worker) => {
    globalThis.db = await atomicdb.AtomicDB.open('shared', { worker })
  }, worker)
  return page
}

/**
 * Adds 1 to the counter so many times, one after the other. After each, it calls the page's `acknowledge`, if there is
 * one.
 */
async function incrementIn(page: Page, times: number): Promise<void> {
  await page.evaluate(async (times) => {
    for (let i = 0; i < times; i++) {
      try {
        await addOne()
      } catch (error) {
        // Chromium may have the shared worker in the process of the tab that crashes. Then the write may be stored or not.
        if (db.worker !== 'shared' || (error as { code: string }).code !== 'storage') throw error
        i--
        continue
      }
      await globalThis.acknowledge?.()
    }
  }, times)
}

/** Fails unless a new page finds a counter from `min` to `max`, and a document for each increment by a transaction. */
async function assertCounter(context: BrowserContext, site: Site, min: number, max: number): Promise<void> {
  const page = await openDatabase(context, site)
  const [n, counted] = await page.evaluate(async () => [(await db.get<{ n: number }>('counter'))!.n, await db.documentIds('counted')] as const)
  assert.ok(n >= min && n <= max, `the counter is at ${n}, not from ${min} to ${max}`)
  if (counted.length > 0) assert.deepEqual(counted, Array.from({ length: n }, (_, i) => i))
  await page.close()
}
