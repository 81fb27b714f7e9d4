// Migrations in real Chromium: programs of two versions have the database open, and one dies in the middle.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BrowserContext } from 'playwright-core'
import { crasherOf, openPage } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'
import { within } from './harness/deadline.js'

describe('tabs of two versions', { timeout: 360_000 }, () => {
  const chromium = chromiumWithSite()
  const newPage = (context: BrowserContext) => openPage(context, chromium.site.origin)

  test('a tab that is killed in a migration leaves the version before it, and an older tab only reads on', async () => {
    await using context = await chromium.browser.newContext()
    const [old, dying, next] = [await newPage(context), await newPage(context), await newPage(context)]
    await old.evaluate(async () => {
      globalThis.db = await atomicdb.AtomicDB.open('app', { version: 1 })
      await db.insert({ _id: 'a', steps: [] })
    })

    let reach!: () => void
    const inTheMiddle = new Promise<void>((resolve) => (reach = resolve))
    await dying.exposeBinding('reached', () => reach())
    const crash = await crasherOf(dying)
    const died = dying.evaluate(async () => {
      const migrations = {
        2: async (tx: any) => void (await tx.update({ $push: { steps: 2 } })),
        3: async (tx: any) => {
          await tx.update({ $push: { steps: 3 } })
          ;(globalThis as any).reached()
          for (;;) await new Promise((resolve) => setTimeout(resolve, 50)).then(() => tx.count()) // it never ends
        },
      }
      await atomicdb.AtomicDB.open('app', { version: 3, migrations })
    }).catch(() => 'killed')
    await within(30_000, 'migration 3', inTheMiddle)
    await crash()
    assert.equal(await died, 'killed')

    const refused = () => old.evaluate(() => db.update({ $push: { steps: 'old' } }).then(() => 'written', (error: { code: string }) => error.code))
    assert.equal(await refused(), 'unsupported')
    assert.deepEqual(await old.evaluate(() => db.get('a')), { _id: 'a', steps: [2] })

    const ran = await within(30_000, 'the next tab', next.evaluate(async () => {
      const ran: number[] = []
      const step = (version: number) => async (tx: any) => {
        ran.push(version)
        await tx.update({ $push: { steps: version } })
      }
      globalThis.db = await atomicdb.AtomicDB.open('app', { version: 3, migrations: { 2: step(2), 3: step(3) } })
      return ran
    }))
    assert.deepEqual(ran, [3])
    assert.deepEqual(await next.evaluate(() => db.get('a')), { _id: 'a', steps: [2, 3] })
    assert.equal(await refused(), 'unsupported')
    assert.deepEqual(await old.evaluate(() => db.get('a')), { _id: 'a', steps: [2, 3] })
    assert.equal(await next.evaluate(() => db.insert({ _id: 'b' })), 'b')
  })

  test('tabs that open at once store each migration once', async () => {
    await using context = await chromium.browser.newContext()
    const pages = await Promise.all([newPage(context), newPage(context), newPage(context)])
    await pages[0]!.evaluate(async () => {
      const first = await atomicdb.AtomicDB.open('many')
      await first.insert({ _id: 'a', steps: [] })
      await first.close()
    })
    const found = await within(60_000, 'the tabs', Promise.all(pages.map((page) => page.evaluate(async () => {
      const migrations: Record<number, (tx: any) => Promise<void>> = {}
      for (let version = 2; version <= 8; version++) migrations[version] = async (tx) => void (await tx.update({ $push: { steps: version } }))
      const opened = await atomicdb.AtomicDB.open('many', { version: 8, migrations })
      return (await opened.get<{ steps: number[] }>('a'))!.steps
    }))))
    for (const steps of found) assert.deepEqual(steps, [2, 3, 4, 5, 6, 7, 8])
  })
})
