// The end of an engine in real Chromium: in the page over each of its storages, and in a worker that dies without an
// event. The test build has an op that ends the engine.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import type { StorageBackend } from '../src/index.js'
import { openPage } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'
import { within } from './harness/deadline.js'
import { packageFolder, serveProduct } from './harness/site.js'

declare global {
  /** The workers that the page has started. */
  var workers: Worker[]
  /** Ends the engine of the database `db`; resolves to how that call ended. */
  function endEngine(): Promise<string>
  /** How a call ended: the code of its error, or its value. */
  function endOf(call: Promise<unknown>): Promise<unknown>
}

const script = `
  globalThis.__name = (f) => f
  globalThis.workers = []
  globalThis.Worker = class extends Worker {
    constructor(...args) {
      super(...args)
      workers.push(this)
    }
  }
  globalThis.endOf = (call) => call.catch((error) => error.code ?? String(error))
  const args = Uint8Array.of(0x92, 0xa7, ...new TextEncoder().encode('default'), 0xa8, ...new TextEncoder().encode('overflow'))
  globalThis.endEngine = () => endOf(db.calls.write(() => (engine) => engine.value(255, args)))
`

const storages = ['the default', 'IndexedDBStorage', 'LocalStorageStorage', 'OPFSStorage', 'JSONStorage', 'MessagePackStorage'] as const

describe('the end of an engine in Chromium', { timeout: 900_000 }, () => {
  const started = chromiumWithSite(() => serveProduct({ '/test/': { folder: join(packageFolder, '.build') } }))

  async function newPage(): Promise<Page> {
    const context = await started.browser.newContext()
    await context.addInitScript(script)
    return openPage(context, started.site.origin)
  }

  /** Opens `db`, which holds `{_id: 'kept'}`. */
  const open = (page: Page, storage: string, worker: boolean) => page.evaluate(async ([storage, worker]) => {
    const classes = atomicdb as unknown as Record<string, new (name: string) => StorageBackend>
    globalThis.db = await atomicdb.AtomicDB.open('ending', { worker, wasm: '/test/atomicdb-test.wasm', ...(storage !== 'the default' && { storage: new classes[storage]!('ending') }) })
    await db.insert({ _id: 'kept' })
  }, [storage, worker] as const)

  for (const worker of [false, true]) {
    for (const storage of storages) {
      test(`over ${storage}${worker ? ', in a worker' : ''}, is survived, and the data can be deleted after it`, async () => {
        const page = await newPage()
        await open(page, storage, worker)
        const ends = await within(60_000, 'it comes back', page.evaluate(async () => {
          const ends: unknown[] = []
          for (let n = 0; n < 3; n++) {
            ends.push(await endEngine())
            // The page learns of the end in a worker a little later than of the error.
            for (let id; typeof id !== 'number'; ) id = await endOf(db.insert({ _id: n }))
          }
          ends.push(await db.documentIds(), (await db.verify()).ok)
          await endEngine()
          return ends
        }))
        assert.deepEqual(ends, ['internal', 'internal', 'internal', ['kept', 0, 1, 2], true])
        const left = await within(30_000, 'it is deleted', page.evaluate(async (storage) => {
          const classes = atomicdb as unknown as Record<string, new (name: string) => StorageBackend>
          const options = storage === 'the default' ? {} : { storage: new classes[storage]!('ending') }
          await atomicdb.AtomicDB.destroy('ending', options)
          await db.close()
          return (await atomicdb.AtomicDB.open('ending', options)).count()
        }, storage))
        assert.equal(left, 0)
        await page.context().close()
      })
    }
  }

  test('by a worker that dies without an event is noticed, in the middle of calls', async () => {
    const page = await newPage()
    await open(page, 'the default', true)
    const ends = await within(60_000, 'it comes back', page.evaluate(async () => {
      const ends: unknown[] = []
      for (let n = 0; n < 3; n++) {
        const calls = [db.count(), db.insert({ _id: n }), db.transaction(() => new Promise(() => {}))].map(endOf)
        workers.at(-1)!.terminate()
        ends.push(...(await Promise.all(calls)), await db.count("_id = 'kept'"))
      }
      return [ends, workers.length]
    }))
    assert.deepEqual(ends, [[0, 1, 2].flatMap(() => ['storage', 'storage', 'storage', 1]), 4])
    await page.context().close()
  })

  test('by a worker that dies while nobody calls is noticed by the next call', async () => {
    const page = await newPage()
    await open(page, 'OPFSStorage', true)
    const ids = await within(60_000, 'it comes back', page.evaluate(async () => {
      workers.at(-1)!.terminate()
      const first = await endOf(db.count())
      return [first === 1 || first === 'storage', await db.documentIds()]
    }))
    assert.deepEqual(ids, [true, ['kept']])
    await page.context().close()
  })

  test('by a worker of a pool that dies without an event gives its calls to another', async () => {
    const page = await newPage()
    const counts = await within(60_000, 'it comes back', page.evaluate(async () => {
      const pool = await atomicdb.ThreadSafeDatabase.open('pooled', { maxConnections: 1 })
      await pool.insert({ _id: 'kept' })
      workers.at(-1)!.terminate()
      const first = await endOf(pool.count())
      const found = [first === 1 || first === 'storage', await pool.count(), workers.length]
      await pool.close()
      return found
    }))
    assert.deepEqual(counts, [true, 1, 2])
    await page.context().close()
  })
})
