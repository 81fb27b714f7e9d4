// Faults of the browser, in real Chromium: a full disk, a lost connection, another page that deletes or blocks the
// database, storage that is refused. Nothing may hang, no stored write may be lost, and a refused write may not stay in
// memory.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { BrowserContext, Frame, Page } from 'playwright-core'
import type { AtomicDBError } from '../src/index.js'
import { openPage, spawnChromium } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'
import { within } from './harness/deadline.js'
import { serveProduct } from './harness/site.js'

/** How a call in a page ended. */
type Outcome = { value: unknown } | { code: string; message: string }

declare global {
  /** Runs `work` in the page and returns how it ended; defined by the script below. */
  function attempt(work: () => Promise<unknown>): Promise<Outcome>
  /** Every IndexedDB connection that anybody in the page has opened. */
  var connections: IDBDatabase[]
  /** What to do to the next readwrite transaction, once; set by a test. */
  var sabotage: ((transaction: IDBTransaction) => void) | undefined
}

const script = `
  globalThis.__name = (f) => f
  globalThis.attempt = async (work) => {
    try {
      return { value: await work() }
    } catch (error) {
      const known = globalThis.atomicdb && error instanceof atomicdb.AtomicDBError
      return { code: known ? error.code : 'not an AtomicDBError', message: String(error) }
    }
  }
  globalThis.connections = []
  const open = IDBFactory.prototype.open
  IDBFactory.prototype.open = function (...args) {
    const request = open.apply(this, args)
    request.addEventListener('success', () => connections.push(request.result))
    return request
  }
  const transaction = IDBDatabase.prototype.transaction
  IDBDatabase.prototype.transaction = function (stores, mode, ...rest) {
    const made = transaction.call(this, stores, mode, ...rest)
    if (mode === 'readwrite' && globalThis.sabotage) {
      const sabotage = globalThis.sabotage
      globalThis.sabotage = undefined
      sabotage(made)
    }
    return made
  }
`

describe('when the browser fails', { timeout: 900_000 }, () => {
  const started = chromiumWithSite(() =>
    serveProduct({
      '/sandboxed': '<!doctype html><iframe sandbox="allow-scripts" src="/"></iframe>',
      '/empty': '<!doctype html>',
    }),
  )

  /** A context with a profile and a quota of its own. */
  async function newContext(): Promise<BrowserContext> {
    const context = await started.browser.newContext()
    await context.addInitScript(script)
    return context
  }

  /**
   * A fresh profile with one page, where `db` is open and holds the document `kept`.
   * @param prepare Runs before the page first uses its storage.
   */
  async function newDatabase(prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
    const page = await openPage(await newContext(), started.site.origin)
    await prepare?.(page)
    await page.evaluate(async () => {
      globalThis.db = await atomicdb.AtomicDB.open('faults')
      await db.insert({ _id: 'kept' })
    })
    return page
  }

  /** The ids that a new page finds: it opens the database now, and so reads what is stored. */
  async function storedIds(page: Page): Promise<unknown[]> {
    const other = await openPage(page.context(), started.site.origin)
    const ids = await within(
      10_000,
      'reading what is stored',
      other.evaluate(async () => (await atomicdb.AtomicDB.open('faults')).documentIds()),
    )
    await other.close()
    return ids
  }

  test('a full disk rejects with quota, undoes the write, and ends when there is room', async () => {
    const setQuota = async (page: Page, quotaSize?: number) => {
      const devtools = await page.context().newCDPSession(page)
      await devtools.send('Storage.overrideQuotaForOrigin', { origin: started.site.origin, quotaSize })
    }
    // Before the first use, because Chromium remembers for some seconds how much room there was.
    const page = await newDatabase((page) => setQuota(page, 1_000_000))

    // Random text, so that no compression brings it below the quota.
    const big = () =>
      db.insert({ _id: 'big', noise: Array.from({ length: 4_000_000 }, () => Math.random().toString(36)[2]).join('') })
    const refused = await tryIn(page, big)
    assert.equal(codeOf(refused), 'quota')
    assert.match((refused as { message: string }).message, /\(this site has stored \d+ [kM]B; the browser says that it may store \d+ MB\)/)
    const told = () => db.insert({ bytes: new Uint8Array(2_000_000) }).catch((error: AtomicDBError) => [typeof error.quota, typeof error.usage])
    assert.deepEqual(valueOf(await tryIn(page, told)), ['number', 'number'])
    assert.deepEqual(valueOf(await tryIn(page, () => db.documentIds())), ['kept'])

    await setQuota(page)
    assert.equal(valueOf(await tryIn(page, big)), 'big')
    assert.deepEqual(await storedIds(page), ['kept', 'big'])
    await page.context().close()
  })

  for (const [name, how] of [['in a worker', 'worker'], ['through a seal', 'sealed'], ['of a MessagePack value', 'file'], ['at a commit', 'commit']] as const) {
    test(`a quota error ${name} has usage and quota, and nothing of the write is left`, async () => {
      const page = await openPage(await newContext(), started.site.origin)
      const devtools = await page.context().newCDPSession(page)
      await devtools.send('Storage.overrideQuotaForOrigin', { origin: started.site.origin, quotaSize: 1_000_000 })
      const result = await within(30_000, 'the writes', page.evaluate(async (how) => {
        const { AtomicDB, IndexedDBStorage, MessagePackStorage } = atomicdb
        const storage = { worker: undefined, sealed: new IndexedDBStorage('small', { compressionLevel: 1 }), file: new MessagePackStorage('small'), commit: new IndexedDBStorage('small') }[how]
        const options = { ...(storage && { storage }), worker: how === 'worker' }
        const kept = await AtomicDB.open('small', options)
        await kept.insert({ _id: 'kept', n: 0 })
        await kept.close()
        const db = await AtomicDB.open('small', { ...options, inMemory: how === 'commit' })
        const error = await db.transaction(async (tx) => {
          await tx.update({ $inc: { n: 1 } })
          await tx.insert({ _id: 'big', noise: Array.from({ length: 4_000_000 }, () => Math.random().toString(36)[2]).join('') })
        }).then(() => db.commit()).then(() => 'stored', ({ code, usage, quota }: AtomicDBError) => [code, typeof usage, typeof quota].join())
        const inMemory = (await db.documentIds()).join()
        await db.close()
        const again = await AtomicDB.open('small', options)
        return [error, inMemory, JSON.stringify(await again.all())]
      }, how))
      // A failed commit keeps everything for the next one.
      assert.deepEqual(result, ['quota,number,number', how === 'commit' ? 'kept,big' : 'kept', '[{"_id":"kept","n":0}]'])
      await page.context().close()
    })
  }

  // Not with worker: true, where it may be lost: the browser ends the worker with its page.
  test('a write while the page is left is stored, and a write while it is closed is stored whole or not at all', async () => {
    const page = await openPage(await newContext(), started.site.origin)
    const leave = async (go: () => Promise<unknown>) => {
      await page.evaluate(async () => {
        globalThis.db = await atomicdb.AtomicDB.open('faults')
        for (const [target, type] of [[document, 'visibilitychange'], [window, 'pagehide']] as const) {
          target.addEventListener(type, () => {
            void db.insertMany(Array.from({ length: 100 }, () => ({ type })))
            void db.insert({ type })
          })
        }
      })
      await go()
    }
    await leave(() => page.goto(`${started.site.origin}/empty`))
    const reader = await openPage(page.context(), started.site.origin)
    assert.equal(await reader.evaluate(async () => (await atomicdb.AtomicDB.open('faults')).count("type = 'pagehide'")), 101)
    await page.goto(started.site.origin)
    const closed = page.waitForEvent('close')
    await leave(() => page.close({ runBeforeUnload: true }))
    await within(30_000, 'the page closes', closed)
    // On a busy machine Chromium sometimes ends a closed page before its handlers have run: 1 time of 14, with all
    // tests on
    // one core.
    const count = await reader.evaluate(async () => (await atomicdb.AtomicDB.open('faults')).count("type = 'pagehide'"))
    assert.ok(count === 101 || count === 202, `${count} documents`)
    await page.context().close()
  })

  test('a write while the page is left for the back/forward cache is stored, and keeps it in', async () => {
    const site = await serveProduct({ '/empty': '<!doctype html>' }, { 'Cache-Control': 'max-age=60' })
    const profile = await mkdtemp(join(tmpdir(), 'atomicdb-left-'))
    const chromium = await spawnChromium(profile, true) // Playwright starts one without that cache
    try {
      const page = await openPage(chromium.context, site.origin)
      const reader = await openPage(chromium.context, site.origin)
      for (const [before, type] of [[true, 'pagehide'], [false, 'pagehide'], [false, 'freeze']] as const) {
        const name = `${type}-${before}`
        await page.goto(site.origin)
        await page.evaluate(async ({ before, type, name }) => {
          const write = () => {
            void db.insertMany(Array.from({ length: 100 }, () => ({ type })))
            void db.insert({ type })
          }
          const target = type === 'freeze' ? document : window
          if (before) target.addEventListener(type, write) // it runs before what the database listens to
          globalThis.db = await atomicdb.AtomicDB.open(name)
          if (!before) target.addEventListener(type, write)
        }, { before, type, name })
        await page.goto(`${site.origin}/empty`)
        const stored = () => reader.evaluate(async ({ name, type }) => {
          globalThis.db ??= await atomicdb.AtomicDB.open(name)
          await db.insert({ type: 'of another tab' }) // its message would end a page with an open channel
          return db.count(`type = '${type}'`)
        }, { name, type })
        await within(10_000, name, reachedBy(stored, 101))
        await page.goBack({ waitUntil: 'commit' })
        assert.equal(await page.evaluate(() => 'db' in globalThis), true, `${name}: it is the page that was left`)
        await within(10_000, `${name}, in the page that is back`, page.evaluate(async (type) => {
          while (await db.count(`type = '${type}'`) !== 101 || await db.count("type = 'of another tab'") === 0) await new Promise((resolve) => setTimeout(resolve, 10))
        }, type))
        await reader.evaluate(async () => {
          await db.close()
          globalThis.db = undefined!
        })
      }
    } finally {
      await chromium.kill()
      await site.close()
      await rm(profile, { recursive: true, maxRetries: 5 })
    }
  })

  test('a write while a tab is hidden or frozen is stored, though the tab may never run again', async () => {
    const profile = await mkdtemp(join(tmpdir(), 'atomicdb-frozen-'))
    const chromium = await spawnChromium(profile, true)
    try {
      const page = await openPage(chromium.context, started.site.origin)
      await page.evaluate(async () => {
        globalThis.db = await atomicdb.AtomicDB.open('faults')
        for (const type of ['visibilitychange', 'freeze']) {
          document.addEventListener(type, () => {
            void db.insertMany(Array.from({ length: 100 }, () => ({ type })))
            void db.insert({ type })
          })
        }
      })
      const reader = await openPage(chromium.context, started.site.origin)
      const stored = (type: string) => reader.evaluate(async (type) => (await atomicdb.AtomicDB.open('faults')).count(`type = '${type}'`), type)
      await reader.bringToFront() // hides the other page
      await within(10_000, 'what is written as the tab is hidden', reachedBy(() => stored('visibilitychange'), 101))
      const devtools = await chromium.context.newCDPSession(page)
      await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
      await within(10_000, 'what is written as the tab is frozen', reachedBy(() => stored('freeze'), 101))
    } finally {
      await chromium.kill()
      await rm(profile, { recursive: true, maxRetries: 5 })
    }
  })

  test('persist asks the browser to keep what is stored', async () => {
    const page = await newDatabase()
    const asked = await page.evaluate(async () => {
      let asked = 0
      navigator.storage.persist = async () => ++asked > 0
      await atomicdb.AtomicDB.open('not', { inMemory: true, persist: true })
      await atomicdb.AtomicDB.open('not')
      const before = asked
      await atomicdb.AtomicDB.open('yes', { persist: true })
      return [before, asked]
    })
    assert.deepEqual(asked, [0, 1])
    await page.context().close()
  })

  test('an aborted transaction rejects with storage, undoes the write, and the next one works', async () => {
    const page = await newDatabase()
    const failed = await tryIn(page, () => {
      globalThis.sabotage = (transaction) => (transaction.commit = () => transaction.abort())
      return db.insertMany([{ _id: 'a' }, { _id: 'b' }])
    })
    assert.equal(codeOf(failed), 'storage')
    assert.deepEqual(valueOf(await tryIn(page, () => db.documentIds())), ['kept'])

    assert.deepEqual(valueOf(await tryIn(page, () => db.insertMany([{ _id: 'a' }, { _id: 'b' }]))), ['a', 'b'])
    assert.deepEqual(await storedIds(page), ['kept', 'a', 'b'])
    await page.context().close()
  })

  for (const told of [true, false]) {
    test(`a connection lost ${told ? 'with' : 'without'} a close event is opened again`, async () => {
      const page = await newDatabase()
      await page.evaluate((told) => {
        for (const connection of connections) {
          connection.close()
          if (told) connection.dispatchEvent(new Event('close'))
        }
      }, told)

      assert.equal(valueOf(await tryIn(page, () => db.insert({ _id: 'after' }))), 'after')
      assert.deepEqual(await storedIds(page), ['kept', 'after'])
      await page.context().close()
    })
  }

  test('a connection lost in the middle of writes settles each, and memory and storage agree', async () => {
    const page = await newDatabase()
    const outcomes = await within(
      20_000,
      'writes across a lost connection',
      page.evaluate(async () => {
        const outcomes: [number, Outcome][] = []
        const lane = async (lane: number) => {
          for (let n = lane; n < 200; n += 4) {
            outcomes.push([n, await attempt(() => db.insert({ _id: n }))])
            if (n % 40 === 0) for (const connection of connections.splice(0)) connection.close()
          }
        }
        await Promise.all([0, 1, 2, 3].map(lane))
        return outcomes
      }),
    )
    for (const [n, outcome] of outcomes) {
      assert.ok('value' in outcome || outcome.code === 'storage', `insert ${n}: ${JSON.stringify(outcome)}`)
    }
    const acknowledged = outcomes.flatMap(([n, outcome]) => ('value' in outcome ? [n] : []))
    // A batch that failed in this way may be stored after all. That shows when the next one is stored.
    valueOf(await tryIn(page, () => db.insert({ _id: 'after' })))
    const inMemory = valueOf(await tryIn(page, () => db.documentIds())) as unknown[]
    for (const n of acknowledged) assert.ok(inMemory.includes(n), `insert ${n} was acknowledged and is gone`)
    assert.deepEqual(await storedIds(page), inMemory)
    await page.context().close()
  })

  test('a database that another page destroys is closed here, and empty when opened again', async () => {
    const page = await newDatabase()
    const other = await openPage(page.context(), started.site.origin)

    valueOf(await tryIn(other, () => atomicdb.AtomicDB.destroy('faults')))
    assert.equal(codeOf(await tryIn(page, () => db.insert({ _id: 'after' }))), 'closed')

    const reopen = async () => {
      globalThis.db = await atomicdb.AtomicDB.open('faults')
      return db.insert({ _id: 'anew' })
    }
    assert.equal(valueOf(await tryIn(page, reopen)), 'anew')
    assert.deepEqual(await storedIds(page), ['anew'])
    await page.context().close()
  })

  test('after the user clears site data, a write does not go on as if it were there', async () => {
    const page = await newDatabase()
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Storage.clearDataForOrigin', { origin: started.site.origin, storageTypes: 'indexeddb' })

    assert.equal(codeOf(await tryIn(page, () => db.insert({ _id: 'after' }))), 'closed')
    assert.deepEqual(await storedIds(page), [])
    await page.context().close()
  })

  test('destroy rejects in time when a foreign connection keeps the database open, and the deletion follows', async () => {
    const page = await newDatabase()
    const stranger = await openPage(page.context(), `${started.site.origin}/empty`)
    await stranger.evaluate(
      () =>
        new Promise<void>((resolve) => {
          // A connection without a versionchange handler, so it stays open.
          indexedDB.open('atomicdb:faults').onsuccess = () => resolve()
        }),
    )
    const [destroyed, opened] = await Promise.all([
      tryIn(page, () => atomicdb.AtomicDB.destroy('faults')),
      tryIn(page, () => atomicdb.AtomicDB.open('faults')), // waits behind the deletion
    ])
    assert.equal(codeOf(destroyed), 'timeout')
    assert.equal(codeOf(opened), 'timeout')

    await stranger.close()
    assert.deepEqual(await storedIds(page), [])
    await page.context().close()
  })

  test('a database of a newer version rejects with unsupported', async () => {
    const page = await newDatabase()
    await page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          indexedDB.open('atomicdb:faults', 99).onsuccess = () => resolve()
        }),
    )
    assert.equal(codeOf(await tryIn(page, () => db.insert({ _id: 'after' }))), 'closed')
    assert.equal(codeOf(await tryIn(page, () => atomicdb.AtomicDB.open('faults'))), 'unsupported')
    await page.context().close()
  })

  test('a page that may not store anything gets an error, and can work in memory', async () => {
    const page = await openPage(await newContext(), `${started.site.origin}/sandboxed`)
    const frame = page.frames()[1]!
    const refused = await tryIn(frame, () => atomicdb.AtomicDB.open('faults'))
    assert.equal(codeOf(refused), 'storage')
    assert.match((refused as { message: string }).message, /inMemory/)

    const inMemory = async () => {
      const db = await atomicdb.AtomicDB.open('faults', { inMemory: true })
      return db.insert({ _id: 'there' })
    }
    assert.equal(valueOf(await tryIn(frame, inMemory)), 'there')
    await page.context().close()
  })
})

/** Runs `work` in the page or frame. It may fail, but not hang. */
function tryIn(page: Page | Frame, work: () => Promise<unknown>): Promise<Outcome> {
  return within(30_000, String(work), page.evaluate(`attempt(${work})`) as Promise<Outcome>)
}

/** Resolves when `read` returns at least that much. */
async function reachedBy(read: () => Promise<number>, wanted: number): Promise<void> {
  while ((await read()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 50))
}

function codeOf(outcome: Outcome): string {
  return 'code' in outcome ? outcome.code : `resolved to ${JSON.stringify(outcome.value)}`
}

function valueOf(outcome: Outcome): unknown {
  assert.ok('value' in outcome, JSON.stringify(outcome))
  return outcome.value
}
