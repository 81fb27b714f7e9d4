// {worker: 'shared'} in real Chromium: one engine for all tabs, tabs that die, stand still or flood it, and its own end.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, test } from 'node:test'
import type { BrowserContext, CDPSession, Page } from 'playwright-core'
import type { OpenOptions } from '../src/index.js'
import { crasherOf, launchChromium, openPage } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'
import { within } from './harness/deadline.js'
import { packageFolder, serveProduct } from './harness/site.js'

declare global {
  /** Resolves to the code of the error of a call, or to its value. */
  function endOf(call: Promise<unknown>): Promise<unknown>
  /** How a transaction of the page has ended. */
  var ended: string
  /** What the page has made its last shared worker of. */
  var workerMade: ConstructorParameters<typeof SharedWorker>
  /** The connection of the page to the first engine. */
  var engine: object
  /** Whether a transaction of the page hangs. */
  var hangs: boolean
  /** The addresses that the page has fetched. */
  var fetched: string[]
}

const script = `
  globalThis.__name = (f) => f
  globalThis.endOf = (call) => call.catch((error) => error.code ?? String(error))
  globalThis.fetched = []
  const ofPage = fetch
  globalThis.fetch = (address, ...rest) => (fetched.push(String(address)), ofPage(address, ...rest))
`

describe('a shared worker', { timeout: 900_000 }, () => {
  const chromium = chromiumWithSite(() => serveProduct({ '/test/': { folder: join(packageFolder, '.build') } }))

  // Of a test that fails too: the workers of one that is left open run on beside those of the next.
  afterEach(() => Promise.all(chromium.browser.contexts().map((context) => context.close())))

  async function newContext(): Promise<BrowserContext> {
    const context = await chromium.browser.newContext()
    await context.addInitScript(script)
    return context
  }

  const newPage = (context: BrowserContext) => openPage(context, chromium.site.origin)

  /** A page with the database as `db`. */
  async function newTab(context: BrowserContext, options: OpenOptions = {}): Promise<Page> {
    const page = await newPage(context)
    await open(page, options)
    return page
  }

  const open = (page: Page, options: OpenOptions = {}) => within(60_000, 'open', page.evaluate(async (options) => {
    globalThis.db = await atomicdb.AtomicDB.open('shared', { worker: 'shared', ...options })
  }, options))

  const count = (page: Page) => within(30_000, 'count', page.evaluate(() => db.count()))

  /**
   * The shared workers of a page's context that run, as the browser lists them:
   * on a busy machine, those of a context that was closed end some time later.
   */
  async function workersOf(page: Page): Promise<{ targetId: string; title: string }[]> {
    const devtools = await browserSession()
    const { targetInfos } = await devtools.send('Target.getTargets')
    const ofPage = await page.context().newCDPSession(page)
    const { targetInfo } = await ofPage.send('Target.getTargetInfo')
    await ofPage.detach()
    return targetInfos.filter(({ type, browserContextId }) => type === 'shared_worker' && browserContextId === targetInfo.browserContextId)
  }

  let session: CDPSession | undefined
  const browserSession = async () => (session ??= await chromium.browser.newBrowserCDPSession())

  test('serves all tabs with one engine, which the second finds open', async () => {
    const context = await newContext()
    const first = await newTab(context)
    await first.evaluate(() => db.insertMany(Array.from({ length: 1000 }, (_, n) => ({ _id: n }))))
    const second = await newPage(context)
    const [worker, found, wasm] = await second.evaluate(async () => {
      globalThis.db = await atomicdb.AtomicDB.open('shared', { worker: 'shared' })
      return [db.worker, await db.count(), fetched.filter((address) => address.includes('wasm'))] as const
    })
    assert.deepEqual([worker, found, wasm], ['shared', 1000, []])
    assert.equal((await workersOf(first)).length, 1)
    await second.evaluate(() => db.insert({ _id: 'second' }))
    assert.deepEqual(await first.evaluate(() => db.get('second')), { _id: 'second' }, 'seen at once')
    await first.evaluate(() => db.close())
    assert.equal(await count(second), 1001)
    await second.evaluate(() => db.close())
    await open(first)
    assert.equal(await count(first), 1001)
  })

  /** Ends the shared workers, of which no page gets an event. */
  async function endWorkers(page: Page): Promise<void> {
    const devtools = await browserSession()
    for (const { targetId } of await workersOf(page)) await devtools.send('Target.closeTarget', { targetId })
  }

  test('two databases of a page over it are two: a transaction of one keeps the calls of the other out', async () => {
    const context = await newContext()
    const page = await newTab(context)
    const found = await within(30_000, 'the calls', page.evaluate(async () => {
      const other = await atomicdb.AtomicDB.open('shared', { worker: 'shared' })
      let inserted: Promise<unknown> | undefined
      const failed = await endOf(db.transaction(async (tx) => {
        await tx.insert({ _id: 'undone' })
        inserted = other.insert({ _id: 'kept' })
        if ((await other.count()) !== 0) throw new Error('a read saw what is not stored')
        throw new RangeError('undo')
      }))
      await inserted
      await db.close()
      return [failed, await other.documentIds(), await endOf(db.count())]
    }))
    assert.deepEqual(found, ['RangeError: undo', ['kept'], 'closed'])
  })

  for (const how of ['is closed', 'crashes', 'goes to another page'] as const) {
    test(`ends the transaction of a tab that ${how} in the middle of it`, async () => {
      const context = await newContext()
      const [dying, staying] = [await newTab(context), await newTab(context)]
      await dying.evaluate(() => new Promise<void>((started) => {
        void db.transaction(async (tx) => {
          await tx.insert({ _id: 'never' })
          started()
          await new Promise(() => {})
        })
      }))
      const inserted = staying.evaluate(() => endOf(db.insert({ _id: 'waits' })))
      if (how === 'crashes') await (await crasherOf(dying))()
      else if (how === 'is closed') await dying.close()
      else await dying.goto('about:blank')
      const end = await within(8_000, 'the write of the other tab', inserted)
      // Chromium may have the worker in the process of the tab that crashes.
      if (how === 'crashes' && end === 'storage') await staying.evaluate(() => db.upsert({ _id: 'waits' }))
      else assert.equal(end, 'waits')
      assert.deepEqual(await staying.evaluate(() => db.documentIds()), ['waits'])
    })
  }

  for (const [what, hang] of Object.entries<() => Promise<unknown>>({
    'stands still': () => new Promise((started) => {
      void db.transaction(async (tx) => {
        await tx.insert({ _id: 'never' })
        started(undefined)
        const request = new XMLHttpRequest()
        request.open('GET', '/until-resumed', false)
        request.send()
      }).then(() => 'done', (error) => error.code).then((end) => (globalThis.ended = end))
    }),
    'calls without end': () => new Promise((started) => {
      void db.transaction(async (tx) => {
        for (;;) {
          await tx.insert({})
          started(undefined)
        }
      }).then(() => 'done', (error) => error.code).then((end) => (globalThis.ended = end))
    }),
  })) {
    test(`ends the transaction of a tab that ${what} in it, once others have waited for ten seconds`, async () => {
      const context = await newContext()
      const [hanging, staying] = [await newTab(context), await newTab(context)]
      let goOn!: () => void
      const resumed = new Promise<void>((resolve) => (goOn = resolve))
      const standsStill = new Promise<void>((resolve) => void hanging.route('**/until-resumed', async (route) => {
        resolve()
        await resumed
        await route.fulfill({ body: '' })
      }))
      await within(20_000, 'the transaction', Promise.race([standsStill, hanging.evaluate(hang)]))
      assert.equal(await count(staying), 0)
      await within(40_000, 'the write of the other tab', staying.evaluate(() => db.insert({ _id: 'waits' })))
      assert.deepEqual(await staying.evaluate(() => db.documentIds()), ['waits'])
      goOn()
      const end = await within(20_000, 'the error', hanging.evaluate(async () => {
        while (!globalThis.ended) await new Promise((resolve) => setTimeout(resolve))
        return [globalThis.ended, await db.count()]
      }))
      assert.deepEqual(end, ['timeout', 1])
    })
  }

  test('ends all the transactions of a tab that stands still together', async () => {
    const context = await newContext()
    const [hanging, staying] = [await newTab(context), await newTab(context)]
    await hanging.evaluate(() => {
      for (let n = 0; n < 100; n++) db.transaction(() => new Promise(() => {})).catch(() => {})
      return db.count()
    })
    const waited = await within(25_000, 'the write of the other tab', staying.evaluate(async () => {
      const start = performance.now()
      await db.insert({ _id: 'waits' })
      return performance.now() - start
    }))
    assert.ok(waited < 15_000, `it waited for ${waited} ms`)
    await within(25_000, 'the next', hanging.evaluate(() => db.insert({ _id: 'later' })))
  })

  test('takes the calls of tabs in turns: a flood of one holds up no other', async () => {
    const context = await newContext()
    const [flooding, other] = [await newTab(context), await newTab(context)]
    const ids = await within(60_000, 'the inserts', Promise.all([
      flooding.evaluate(() => Promise.all(Array.from({ length: 20_000 }, () => db.insert({ by: 'flood' }))).then((ids) => ids.length)),
      other.evaluate(async () => {
        while ((await db.count("by = 'flood'")) < 20_000) await db.insert({ by: 'other' })
      }),
    ]).then(() => other.evaluate(async () => (await db.all()).map(({ by }) => by))))
    const between = ids.slice(ids.indexOf('flood'), ids.lastIndexOf('flood')).filter((by) => by === 'other').length
    assert.ok(between > 1, `${between} inserts of the other tab came into the flood`)
  })

  test('that ends without an event is replaced by one for all tabs, and nothing acknowledged is lost', async () => {
    const context = await newContext()
    const pages = [await newTab(context), await newTab(context), await newTab(context)]
    for (let round = 0; round < 3; round++) {
      const calls = pages.map((page, tab) => page.evaluate(async ([tab, round]) => {
        const stored: string[] = []
        let failed: unknown
        let hanging: Promise<unknown> | undefined
        while (!failed) {
          const _id = `${tab} ${round} ${stored.length}`
          await db.upsert({ _id }).then(() => stored.push(_id), (error) => (failed = error.code))
          if (!hanging && stored.length === 10 && tab === 0) hanging = endOf(db.transaction(async (tx) => (await tx.count(), (globalThis.hangs = true), new Promise(() => {}))))
        }
        for (const last = `${tab} ${round} last`; (await endOf(db.upsert({ _id: last }))) !== last; );
        return { stored, failed, hanging: await hanging }
      }, [tab, round] as const))
      await within(20_000, 'the middle', pages[0]!.evaluate(async () => {
        while (!globalThis.hangs) await new Promise((resolve) => setTimeout(resolve))
        globalThis.hangs = false
      }))
      await endWorkers(pages[0]!)
      for (const { stored, failed, hanging } of await within(30_000, 'the calls', Promise.all(calls))) {
        assert.equal(failed, 'storage')
        if (hanging) assert.equal(hanging, 'storage')
        for (const page of pages) {
          assert.equal(await page.evaluate(async (ids) => (await db.find({ _id: { $in: ids } })).length, stored), stored.length)
        }
      }
      assert.equal((await workersOf(pages[0]!)).length, 1)
    }
    for (const page of pages) assert.equal(await count(page), await count(pages[0]!))
  })

  test('whose engine ends starts another for all tabs', async () => {
    const context = await newContext()
    const options = { wasm: '/test/atomicdb-test.wasm' }
    const pages = [await newTab(context, options), await newTab(context, options)]
    await pages[0]!.evaluate(() => db.insert({ _id: 'kept' }))
    for (const page of pages) {
      const end = await within(60_000, 'the end', page.evaluate(async () => {
        const args = Uint8Array.of(0x92, 0xa7, ...new TextEncoder().encode('default'), 0xa8, ...new TextEncoder().encode('overflow'))
        return endOf(db.calls.write(() => (engine) => engine.value(255 as never, args)))
      }))
      assert.equal(end, 'internal')
      for (const other of pages) {
        const ids = await within(60_000, 'it comes back', other.evaluate(async () => {
          for (;;) {
            const ids = await endOf(db.documentIds())
            if (ids !== 'storage') return ids
          }
        }))
        assert.deepEqual(ids, ['kept'])
      }
    }
    assert.equal((await workersOf(pages[0]!)).length, 1)
  })

  test('is another one for other options, over the same log', async () => {
    const context = await newContext()
    const [one, other] = [await newTab(context), await newTab(context, { maxDocumentBytes: 1000 })]
    assert.equal((await workersOf(one)).length, 2)
    await one.evaluate(() => db.insert({ _id: 'counter', n: 0 }))
    const add = (page: Page) => within(60_000, 'the increments', page.evaluate(async () => {
      while (!(await db.get('counter'))) await new Promise((resolve) => setTimeout(resolve))
      for (let n = 0; n < 100; n++) await db.update({ $inc: { n: 1 } }, "_id = 'counter'")
      return endOf(db.insert({ _id: 'large', text: 'x'.repeat(1000) }))
    }))
    assert.deepEqual(await Promise.all([add(one), add(other)]), ['large', 'invalid'])
    assert.deepEqual(await one.evaluate(() => db.get('counter')), { _id: 'counter', n: 200 })
  })

  test('takes any message on its port, and serves the other tabs with the same engine', async () => {
    const context = await newContext()
    await context.addInitScript(() => {
      const OfPage = SharedWorker
      globalThis.SharedWorker = class extends OfPage {
        constructor(...args: ConstructorParameters<typeof OfPage>) {
          super(...args)
          globalThis.workerMade = args
        }
      }
    })
    const [good, hostile] = [await newTab(context), await newTab(context)]
    await good.evaluate(async () => {
      await db.insert({ _id: 'kept' })
      globalThis.engine = (db.calls as unknown as { current: object }).current
    })
    const posted = hostile.evaluate(async () => {
      const bytes = (...list: number[]) => Uint8Array.from(list)
      const odd: unknown[] = [undefined, null, 5, 2n ** 70n, 'x', {}, [1], NaN, -1, bytes(1), { call: null }, { id: {}, call: {}, after: 1e300, seq: -5n, since: {}, file: 5, type: 9, stop: 5, state: 5 }]
      const args: unknown[] = [undefined, { length: 5 }, { length: 1e12 }, { length: -5 }, 'text', [1, 2], new Float64Array(3), new DataView(new ArrayBuffer(5)), new Int8Array(4), bytes(), bytes(0xc0), bytes(0x90), bytes(0x98, 5, 5, 5, 5, 5, 5, 5, 5), bytes(0xdd, 255, 255, 255, 255)]
      const ops: unknown[] = [3n, 'x', 1.5, -1, 300, ...Array.from({ length: 60 }, (_, op) => op)]
      const calls = [...args.map((args) => ({ op: 3, args })), ...ops.flatMap((op) => [{ op, args: bytes(0x90), pieces: true }, { op, args: bytes(0x92, 5, 5) }])]
      const names = ['open', 'read', 'write', 'transaction', 'inTransaction', 'live', 'endLive', 'reach', 'catchUp', 'openFeed', 'nextChanges', 'closeFeed', 'at', 'closeState', 'exportFile', 'parseFile', 'verify', 'flush', 'commit', 'storageChanged', 'toString', '__proto__']
      const messages: unknown[] = [null, 5, 'x', {}, 5n, new Map(), [null], [5, []], [{ id: 1 }], [{ id: 5n, name: 'flush' }], [{ id: 1, name: {} }], [{ id: 7, value: 5 }], [{ id: 1, error: null }]]
      for (const name of names) for (const argument of odd) messages.push([{ id: 1, name, argument }])
      for (const name of ['read', 'write', 'live']) for (const call of calls) messages.push([{ id: 1, name, argument: { id: 9, call, after: 0 } }])
      // One who has opened the database, with the lock that says so.
      const connected = async () => {
        const { port } = new SharedWorker(...globalThis.workerMade)
        const lock = String(Math.random())
        await new Promise<void>((resolve) => void navigator.locks.request(lock, () => (resolve(), new Promise(() => {}))))
        await new Promise((resolve) => (port.onmessage = resolve))
        const opened = new Promise((resolve) => (port.onmessage = resolve))
        port.postMessage([{ id: 99, name: 'open', argument: { name: 'shared', backend: null, lock, options: {} } }])
        await opened
        return port
      }
      for (let start = 0; start < messages.length; start += 50) {
        const port = await connected()
        for (const message of messages.slice(start, start + 50)) port.postMessage(message)
      }
      const port = await connected()
      const runs = new Promise<void>((resolve) => (port.onmessage = ({ data }) => {
        if (data.some(({ name }: { name?: string }) => name === 'runTransaction')) resolve()
      }))
      port.postMessage([{ id: 1, name: 'transaction', argument: { id: 5, after: 0 } }])
      await runs
      const inside = (call: unknown) => ({ id: 2, name: 'inTransaction', argument: { id: 5, call } })
      for (const op of [36, 36, 37, 38, 38, 36, 36, 36, 39, 40, 41, 42, 43]) port.postMessage([inside({ op, args: bytes(0x90) }), inside({ op, args: { length: 5 } })])
      port.postMessage([{ id: 1, value: true }])
      await new Promise((resolve) => setTimeout(resolve, 500))
    })
    const ends = good.evaluate(async () => {
      const ends = new Set<unknown>()
      for (let n = 0; !globalThis.ended; n++) ends.add(await endOf(db.upsert({ _id: 'kept', n })))
      return [...ends]
    })
    await within(60_000, 'the messages', posted)
    await good.evaluate(() => void (globalThis.ended = 'yes'))
    assert.deepEqual(await within(30_000, 'the writes meanwhile', ends), ['kept'])
    const after = await within(30_000, 'the calls after them', good.evaluate(async () => {
      const { ok, problems } = await db.verify()
      return [ok, problems, await db.count(), (db.calls as unknown as { current: object }).current === globalThis.engine]
    }))
    assert.deepEqual(after, [true, [], 1, true])
    assert.deepEqual(await hostile.evaluate(() => endOf(db.transaction((tx) => tx.count()))), 1)
  })

  test('begins anew when the data was deleted', async () => {
    const context = await newContext()
    const [one, other] = [await newTab(context), await newPage(context)]
    await one.evaluate(() => db.insert({ n: 1 }))
    await other.evaluate(() => atomicdb.AtomicDB.destroy('shared'))
    await open(other)
    assert.equal(await count(other), 0)
    await other.evaluate(() => db.insert({ n: 2 }))
    assert.equal(await one.evaluate(() => endOf(db.insert({}))), 'closed')
    await one.evaluate(() => db.close())
    await open(one)
    assert.equal(await count(one), 1)
    assert.equal((await workersOf(one)).length, 1)
  })

  test('opens OPFS too, and refuses what only one tab has', async () => {
    const context = await newContext()
    const page = await newPage(context)
    const ends = await within(60_000, 'the calls', page.evaluate(async () => {
      const { AtomicDB, IndexedDBStorage, LocalStorageStorage, MemoryStorage, OPFSStorage, ThreadSafeDatabase } = atomicdb
      const files = await AtomicDB.open('files', { worker: 'shared', storage: new OPFSStorage('files') })
      await files.insert({ n: 1 })
      const again = await AtomicDB.open('again', { worker: 'shared', storage: new OPFSStorage('files') })
      const found: unknown[] = [files.worker, await again.count()]
      const messageOf = (options: object) => AtomicDB.open('refused', { worker: 'shared', ...options }).then(() => 'opened', ({ code, message }) => `${code}: ${message}`)
      const module = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
      for (const options of [{ inMemory: true }, { undoSteps: 1 }, { storage: new MemoryStorage() }, { storage: new LocalStorageStorage('x') }, { storage: new IndexedDBStorage('x', { compressionLevel: 1 }) }, { wasm: module }]) found.push(await messageOf(options))
      found.push(await endOf(ThreadSafeDatabase.open('x', { worker: 'shared' })))
      // A host without shared workers has its own worker for each tab, for every storage.
      Reflect.deleteProperty(globalThis, 'SharedWorker')
      const own = await AtomicDB.open('own', { worker: 'shared', storage: new MemoryStorage() })
      return [...found, own.worker, await own.insert({})]
    }))
    assert.deepEqual(ends.slice(0, 2), ['shared', 1])
    for (const [n, message] of [/^invalid: options\.worker: .*inMemory/, /^invalid: options\.worker: .*undoSteps/, /^invalid: options\.worker: .*storage/, /^invalid: options\.worker: .*storage/, /^invalid: options\.worker: .*compresses/, /^invalid: options\.wasm: .*WebAssembly\.Module/].entries()) assert.match(ends[n + 2] as string, message)
    assert.deepEqual(ends.slice(-3), ['invalid', true, 1])
  })

  test('ends some time after the last tab has closed the database', async () => {
    const context = await newContext()
    const page = await newTab(context)
    await page.evaluate(() => db.close())
    await within(60_000, 'its end', (async () => {
      while ((await workersOf(page)).length > 0) await new Promise((resolve) => setTimeout(resolve, 100))
    })())
    await open(page)
    assert.equal(await count(page), 0)
  })
})

test('a worker.js of another release is unsupported', { timeout: 180_000 }, async () => {
  const worker = (await readFile(join(packageFolder, 'dist/worker.js'), 'utf8')).replaceAll('"0.1.0"', '"0.0.9"')
  const site = await serveProduct({ '/dist/worker.js': worker })
  const browser = await launchChromium()
  try {
    const page = await openPage(await browser.newContext(), site.origin)
    const end = await page.evaluate(() => atomicdb.AtomicDB.open('old', { worker: 'shared' }).catch(({ code, message }) => [code, message]))
    assert.deepEqual(end, ['unsupported', 'options.worker: worker.js comes from release 0.0.9, and this JavaScript from 0.1.0; serve the one of the same package'])
  } finally {
    await browser.close()
    await site.close()
  }
})
