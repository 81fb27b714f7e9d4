// Two pages of one origin on one database, in real Chromium: with an engine each, and with one in a shared worker.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { BrowserContext, CDPSession, Page } from 'playwright-core'
import { openPage, spawnChromium } from './harness/chromium.js'
import { chromiumWithSite, type ChromiumWithSite } from './harness/chromium-with-site.js'
import { within } from './harness/deadline.js'
import { serveProduct, type Site } from './harness/site.js'

const increments = 500

declare global {
  /** What the listener of changes in a page that is put aside was told. */
  var changes: unknown[]
  var following: Promise<{ told: string[]; own: number }>
}

for (const worker of [false, 'shared'] as const) describe(`two tabs of one database${worker ? ', in a shared worker' : ''}`, { timeout: 360_000 }, () => {
  const chromium = chromiumWithSite()

  test('see each other’s writes within 100 ms', async () => {
    await using tabs = await openTabs(chromium, worker)

    // The tabs alternate: each waits for the other's document, and then adds the next.
    const documents = 40
    const alternating = Promise.all(
      tabs.pages.map((page, tab) =>
        page.evaluate(
          async ({ tab, documents }) => {
            const times: number[] = []
            for (let n = 0; n < documents; n++) {
              if (n % 2 === tab) await db.insert({ _id: n })
              else while ((await db.get(n)) === undefined) await new Promise((resolve) => setTimeout(resolve))
              times.push(performance.timeOrigin + performance.now())
            }
            return times
          },
          { tab, documents },
        ),
      ),
    )
    const [a, b] = await within(30_000, 'the tabs', alternating)
    // One of the two times is when the write was stored, the other when it was seen.
    const delays = Array.from({ length: documents }, (_, n) => (n % 2 === 0 ? b![n]! - a![n]! : a![n]! - b![n]!))
    // One in ten may be late, because a busy machine can hold any process back that long.
    const slow = delays.filter((delay) => delay > 100)
    assert.ok(slow.length <= documents / 10, `milliseconds from stored to seen: ${delays.map(Math.round)}`)
  })

  for (const { name, wave, readModifyWrite } of [
    { name: 'at once, as $inc', wave: increments, readModifyWrite: false },
    { name: 'ten at a time, as $inc', wave: 10, readModifyWrite: false },
    { name: 'ten at a time, as a function', wave: 10, readModifyWrite: true },
  ]) {
    test(`lose none of ${increments} increments from each, ${name}`, async () => {
      await using tabs = await openTabs(chromium, worker)
      await tabs.pages[0]!.evaluate(() => db.insert({ _id: 'counter', n: 0 }))
      await Promise.all(tabs.pages.map((page) => seesCounter(page, 0)))

      await Promise.all(tabs.pages.map((page) => increment(page, { times: increments, wave, readModifyWrite })))

      await Promise.all(tabs.pages.map((page) => seesCounter(page, 2 * increments)))
      assert.equal(await storedCounter(tabs.context, chromium.site, worker), 2 * increments)
    })
  }

  test('lose no stored write when one of them closes in the middle', async () => {
    await using tabs = await openTabs(chromium, worker)
    const [leaving, staying] = tabs.pages as [Page, Page]
    let acknowledged = 0
    let reachMiddle!: () => void
    const reachedMiddle = new Promise<void>((resolve) => (reachMiddle = resolve))
    await leaving.exposeBinding('incremented', (_, count: number) => {
      acknowledged += count
      if (acknowledged >= increments / 3) reachMiddle()
    })
    await leaving.evaluate(() => db.insert({ _id: 'counter', n: 0 }))
    await seesCounter(staying, 0)

    const left = increment(leaving, { times: Infinity, wave: 10, readModifyWrite: true })
    const stayed = increment(staying, { times: increments, wave: 10, readModifyWrite: true })
    await Promise.race([reachedMiddle, left])
    await Promise.all([leaving.close(), assert.rejects(left, /closed/)])
    await stayed
    // A page may close after it has stored a batch and before it has told the others;
    // the next write of another page meets that batch in the log.
    await increment(staying, { times: 1, wave: 1, readModifyWrite: false })

    const stored = await storedCounter(tabs.context, chromium.site, worker)
    const min = acknowledged + increments + 1
    assert.ok(stored >= min, `stored ${stored}, acknowledged ${min}`)
    await seesCounter(staying, stored)
  })

  // In a shared worker, a batch may hold writes of both.
  if (!worker) test('tell each change of both, in the same order', async () => {
    await using tabs = await openTabs(chromium, worker)
    const [left, right] = tabs.pages as [Page, Page]
    const writes = 100
    const follow = (page: Page) => page.evaluate((all) => {
      globalThis.following = (async () => {
        const told: string[] = []
        let own = 0
        for await (const { seq, id, document, before, local } of db.changes()) {
          told.push(JSON.stringify([seq, id, before, document]))
          if (local) own++
          if (told.length === all) return { told, own }
        }
        throw new Error('it has ended')
      })()
    }, 2 * writes)
    await Promise.all(tabs.pages.map(follow))
    await Promise.all(tabs.pages.map((page) => page.evaluate(async (writes) => {
      for (let n = 0; n < writes; n++) await db.upsert({ _id: n % 5, n: Math.random() })
    }, writes)))
    const [a, b] = await within(30_000, 'the changes', Promise.all([left, right].map((page) => page.evaluate(() => globalThis.following))))
    assert.deepEqual(a!.told, b!.told)
    assert.deepEqual([a!.own, b!.own], [writes, writes])
    const numbers = a!.told.map((text) => JSON.parse(text)[0] as number)
    assert.deepEqual(numbers, Array.from({ length: 2 * writes }, (_, n) => n + 1))
  })

  for (const engine of worker ? [worker] : [false, true]) {
    test(`hear in live queries of each commit of the other${engine === true ? ', with the engine in a worker' : ''}`, async (t) => {
      await using tabs = await openTabs(chromium, engine)
      const [writer, reader] = tabs.pages as [Page, Page]
      await hears(reader)
      const commits = 60
      const stored = await writer.evaluate(async (commits) => {
        const times: number[] = []
        for (let n = 1; n <= commits; n++) {
          await db.transaction(async (tx) => (await tx.insert({ n, half: 1 }), await tx.insert({ n, half: 2 })))
          times.push(performance.timeOrigin + performance.now())
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
        return times
      }, commits)
      const told = await within(20_000, 'the reader', toldTo(reader, 2 * commits))
      const counts = told.map(({ count }) => count)
      // On a busy machine, a tab may catch up with several commits in one step.
      assert.deepEqual(counts, [...new Set(counts)].sort((a, b) => a - b), 'each commit once, in order')
      assert.ok(counts.every((count) => count % 2 === 0), `a half of a commit among ${counts}`)
      const delays = told.slice(1).map(({ at, count }) => at - stored[count / 2 - 1]!).sort((a, b) => a - b)
      t.diagnostic(`${delays.length} of ${commits} commits; milliseconds from stored to heard: median ${delays[delays.length >> 1]!.toFixed(1)}, at most ${delays.at(-1)!.toFixed(1)}`)
    })
  }

  test('a tab hears of what another has stored that died before it told', async () => {
    await using tabs = await openTabs(chromium, worker)
    const [writer, reader] = tabs.pages as [Page, Page]
    await hears(reader)
    await writer.evaluate(async () => {
      BroadcastChannel.prototype.postMessage = () => {}
      await db.insert({ n: 1 })
    })
    await writer.close()
    await within(20_000, 'the reader', toldTo(reader, 1))
  })

  test('see each other’s batches whole', async () => {
    await using tabs = await openTabs(chromium, worker)
    const [writer, reader] = tabs.pages as [Page, Page]
    const batches = 100
    const size = 7

    const read = reader.evaluate(
      async ({ all, size }) => {
        for (;;) {
          const count = await db.count()
          if (count % size !== 0) return `saw ${count}, which is not a multiple of ${size}`
          if (count === all) return 'whole'
          await new Promise((resolve) => setTimeout(resolve))
        }
      },
      { all: batches * size, size },
    )
    await writer.evaluate(
      async ({ batches, size }) => {
        for (let batch = 0; batch < batches; batch++) {
          await db.insertMany(Array.from({ length: size }, (_, n) => ({ batch, n })))
        }
      },
      { batches, size },
    )
    assert.equal(await within(20_000, 'the reader', read), 'whole')
  })
})

interface Tabs extends AsyncDisposable {
  readonly context: BrowserContext
  readonly pages: Page[]
}

/** Two pages of a fresh profile, each with the same database as `globalThis.db`. */
async function openTabs({ browser, site }: ChromiumWithSite, worker: boolean | 'shared'): Promise<Tabs> {
  const context = await browser.newContext()
  const pages = await Promise.all([openDatabase(context, site, worker), openDatabase(context, site, worker)])
  return { context, pages, [Symbol.asyncDispose]: () => context.close() }
}

async function openDatabase(context: BrowserContext, site: Site, worker: boolean | 'shared'): Promise<Page> {
  const page = await openPage(context, site.origin)
  await page.evaluate(async (worker) => {
    globalThis.db = await atomicdb.AtomicDB.open('shared', { worker })
  }, worker)
  return page
}

interface Heard {
  count: number
  /** Milliseconds since 1970. */
  at: number
}

declare global {
  var heard: Heard[]
}

/** Has a live query in `page` note what it is told in `heard`. */
async function hears(page: Page): Promise<void> {
  await page.evaluate(async () => {
    globalThis.heard = []
    const live = db.liveCount()
    await live.ready
    live.subscribe((count) => void heard.push({ count, at: performance.timeOrigin + performance.now() }))
  })
}

/** What the live query of {@link hears} was told, once that includes `count`. */
function toldTo(page: Page, count: number): Promise<Heard[]> {
  return page.evaluate(async (count) => {
    while (heard[heard.length - 1]!.count !== count) await new Promise((resolve) => setTimeout(resolve))
    return heard
  }, count)
}

/** Resolves when a query in `page` finds the counter at exactly `value`. */
async function seesCounter(page: Page, value: number): Promise<void> {
  const seen = page.evaluate(async (value) => {
    while ((await db.get<{ n: number }>('counter'))?.n !== value) await new Promise((resolve) => setTimeout(resolve))
  }, value)
  await within(20_000, `a page that sees the counter at ${value}`, seen)
}

interface Increments {
  times: number
  /** How many are under way at once. */
  wave: number
  /** Whether each is a function of the document instead of $inc. */
  readModifyWrite: boolean
}

/** Adds 1 to the counter, and calls the page's `incremented`, if it has one, after each wave. */
async function increment(page: Page, increments: Increments): Promise<void> {
  await page.evaluate(async ({ times, wave, readModifyWrite }) => {
    const report = (globalThis as { incremented?: (count: number) => void }).incremented
    const change = readModifyWrite ? (counter: { n: number }) => ({ n: counter.n + 1 }) : { $inc: { n: 1 } }
    for (let done = 0; done < times; done += wave) {
      await Promise.all(Array.from({ length: wave }, () => db.update(change)))
      report?.(wave)
    }
  }, increments)
}

/** The counter that a new page reads, which opens the database now. */
async function storedCounter(context: BrowserContext, site: Site, worker: false | 'shared'): Promise<number> {
  const page = await openDatabase(context, site, worker)
  const n = await page.evaluate(async () => (await db.get<{ n: number }>('counter'))!.n)
  await page.close()
  return n
}

/** How a test opens a database: the engine of a page, in a worker, or with another storage. */
type How = 'page' | 'worker' | 'shared' | 'OPFSStorage' | 'LocalStorageStorage' | 'JSONStorage'

/**
 * A Chromium in which only the page in front is visible, with two pages on one database; the first has a live count and
 * a listener of changes.
 */
async function withHiddenTab(how: How, run: (hidden: Page, writer: Page, devtools: CDPSession) => Promise<void>) {
  const site = await serveProduct({ '/other': 'another page' }, { 'Cache-Control': 'max-age=60' }) // no-store keeps pages out of the cache
  const profile = await mkdtemp(join(tmpdir(), 'atomicdb-hidden-'))
  const chromium = await spawnChromium(profile, true)
  try {
    const [hidden, writer] = [await openPage(chromium.context, site.origin), await openPage(chromium.context, site.origin)]
    for (const page of [hidden, writer]) {
      await page.evaluate(async (how) => {
        const options = how === 'page' ? {} : how === 'worker' ? { worker: true } : how === 'shared' ? { worker: how } : { storage: new atomicdb[how]('hidden') }
        globalThis.db = await atomicdb.AtomicDB.open('hidden', options)
      }, how)
    }
    await hidden.evaluate(async () => {
      const told: number[] = []
      const changes: unknown[] = []
      Object.assign(globalThis, { told, changes })
      const count = db.liveCount()
      count.subscribe((n: number) => told.push(n))
      await count.ready
      db.onChange(({ document }) => changes.push((document as { n?: number } | undefined)?.n))
    })
    await run(hidden, writer, await chromium.context.newCDPSession(hidden))
  } finally {
    await chromium.kill()
    await site.close()
    await rm(profile, { recursive: true, maxRetries: 5 })
  }
}

/** Why the page that was left was not in the back/forward cache; empty if it was. */
function reasonsOf(page: Page): Promise<unknown[]> {
  return page.evaluate(() => {
    const [navigation] = performance.getEntriesByType('navigation') as (PerformanceEntry & { type: string; notRestoredReasons: { reasons: unknown[] } | null })[]
    return navigation!.type === 'back_forward' ? [navigation!.notRestoredReasons?.reasons ?? 'it was loaded anew'] : []
  })
}

const writeFive = (page: Page) => page.evaluate(async () => {
  for (let n = 0; n < 20; n++) await db.count() // an engine that both share has heard meanwhile that the other stands still
  for (let n = 0; n < 5; n++) await db.insert({ n })
})

/** The counts that the page was told, once the last of them is `last`. */
async function countsOf(page: Page, last: number): Promise<number[]> {
  const reached = (last: number) => (globalThis as unknown as { told: number[] }).told.at(-1) === last
  await page.waitForFunction(reached, last, { timeout: 20_000, polling: 50 }) // a hidden page has no frames
  return page.evaluate(() => (globalThis as unknown as { told: number[] }).told)
}

describe('a page that its browser has put aside', { timeout: 900_000 }, () => {
  for (const how of ['page', 'worker', 'shared'] as const) {
    test(`hears in one call what it has missed while it was frozen: ${how}`, async () => {
      await withHiddenTab(how, async (hidden, writer, devtools) => {
        await writer.bringToFront()
        await hidden.waitForFunction(() => document.visibilityState === 'hidden', undefined, { polling: 50 })
        await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
        await writeFive(writer)
        await devtools.send('Page.setWebLifecycleState', { state: 'active' })
        const told = await countsOf(hidden, 5)
        // The worker of both may hear of the first write before it hears that the page stands still.
        if (how === 'shared' && told[1] === 1) told.splice(1, 1)
        assert.deepEqual(told, [0, 5])
        await writer.evaluate(() => db.insert({ n: 5 })) // it is hidden still, and hears all the same
        assert.deepEqual((await countsOf(hidden, 6)).slice(-2), [5, 6])
      })
    })
  }

  for (const how of ['page', 'worker', 'shared', 'OPFSStorage', 'LocalStorageStorage', 'JSONStorage'] as const) {
    test(`hears in one call what it has missed in the back/forward cache: ${how}`, async () => {
      await withHiddenTab(how, async (hidden, writer) => {
        await hidden.goto(`${new URL(hidden.url()).origin}/other`)
        await writeFive(writer) // a message of a BroadcastChannel would end a page there
        await hidden.goBack({ waitUntil: 'commit' })
        assert.deepEqual(await reasonsOf(hidden), [], 'why it is not the page that was left')
        assert.deepEqual(await countsOf(hidden, 5), [0, 5])
        await writer.evaluate(() => db.insert({ n: 5 }))
        assert.deepEqual(await countsOf(hidden, 6), [0, 5, 6])
        await hidden.evaluate(() => db.insert({ n: 6 }))
        await writer.waitForFunction(async () => (await db.count()) === 7, undefined, { polling: 50 })
        await hidden.waitForFunction(() => changes.length === 7, undefined, { polling: 50 })
        assert.deepEqual(await hidden.evaluate(() => changes), [0, 1, 2, 3, 4, 5, 6])
      })
    })
  }

  test('finds what others have stored meanwhile, though nothing is live', async () => {
    await withHiddenTab('page', async (hidden, writer) => {
      await hidden.evaluate(async () => {
        await db.close()
        globalThis.db = await atomicdb.AtomicDB.open('hidden')
      })
      await hidden.goto(`${new URL(hidden.url()).origin}/other`)
      await writeFive(writer)
      await hidden.goBack({ waitUntil: 'commit' })
      assert.deepEqual(await reasonsOf(hidden), [])
      await hidden.waitForFunction(async () => (await db.count()) === 5, undefined, { polling: 50, timeout: 4000 })
    })
  })
})
