// The storages of pages in real Chromium: several tabs, of which one crashes, dedicated workers, a full quota, and what
// a crash leaves behind.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as esbuild from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import type { StorageBackend } from '../src/index.js'
import { crasherOf, openPage } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'
import { within } from './harness/deadline.js'
import { packageFolder, serveProduct } from './harness/site.js'

// Each makes the storage of that name, in a page.
const storages = {
  localStorage: (name: string) => new atomicdb.LocalStorageStorage(name),
  OPFS: (name: string) => new atomicdb.OPFSStorage(name),
  'a JSON item': (name: string) => new atomicdb.JSONStorage(name),
  'a MessagePack value': (name: string) => new atomicdb.MessagePackStorage(name),
}

/**
 * Fills OPFS with a large batch or snapshot, several times, because the error of Chromium depends on timing. Returns how
 * the writes ended, and how many batches are stored.
 */
async function full(name: string): Promise<[string[], number]> {
  const storage = new OPFSStorage(name)
  await storage.append(1, new Uint8Array(9), 'relaxed')
  const codes: string[] = []
  for (let n = 0; n < 12; n++) {
    const work = n % 2 ? storage.compact(1, new Uint8Array(4_000_000)) : storage.append(2, new Uint8Array(4_000_000), 'relaxed')
    codes.push(await work.then(() => 'stored', ({ code }: { code: string }) => code))
  }
  return [[...new Set(codes)], (await storage.read(0)).length]
}

declare const OPFSStorage: typeof import('../src/index.js').OPFSStorage

// Runs the contract, or counts, in a dedicated worker, where OPFS has synchronous access.
const worker = `
import { AtomicDB, OPFSStorage } from 'atomicdb'
import { contract } from './src/testing.ts'

const work = {
  async contract() {
    const results = []
    for (const { name, run } of contract) {
      const failed = await run(() => new OPFSStorage('contract ' + name)).catch((error) => error.stack)
      results.push([name, failed ?? 'ok'])
    }
    return results
  },
  async count({ name, times }) {
    const db = await AtomicDB.open('count', { wasm: '/dist/atomicdb.wasm', storage: new OPFSStorage(name), durability: 'strict' })
    for (let n = 0; n < times; n++) await db.update({ $inc: { n: 1 } }, "_id = 'counter'")
    await db.close()
  },
  async flushes() {
    let flushed = 0
    const { flush } = FileSystemSyncAccessHandle.prototype
    FileSystemSyncAccessHandle.prototype.flush = function () {
      flushed++
      return flush.call(this)
    }
    const storage = new OPFSStorage('flushed')
    const flushes = []
    for (const work of [() => storage.append(1, new Uint8Array(9), 'relaxed'), () => storage.append(2, new Uint8Array(9), 'strict'), () => storage.compact(2, new Uint8Array(9))]) {
      flushed = 0
      await work()
      flushes.push(flushed)
    }
    return flushes
  },
  full: (name) => full(name),
  // Whether each write is stored in the turn of its call, but for the first, and what a second database reads meanwhile.
  async atOnce(name) {
    const db = await AtomicDB.open('once', { wasm: '/dist/atomicdb.wasm', storage: new OPFSStorage(name), durability: 'strict' })
    let later = 0
    const awaited = []
    for (let n = 0; n < 40; n++) {
      await new Promise((resolve) => setTimeout(resolve, 0)) // the event loop turns
      const turn = ++later
      const timer = new MessageChannel()
      timer.port1.onmessage = () => later++
      timer.port2.postMessage(0)
      await db.insert({ _id: n, text: 'x'.repeat(n === 20 ? 2_000_000 : 10) })
      awaited.push(later !== turn)
      timer.port1.close()
    }
    const other = await AtomicDB.open('once', { wasm: '/dist/atomicdb.wasm', storage: new OPFSStorage(name) })
    const seen = await other.count()
    await other.insert({ _id: 'other' })
    await db.insert({ _id: 'last' })
    await Promise.all([db, other].map((db) => db.close()))
    return [awaited.filter((was) => was).length, seen]
  },
  // Leaves a run of so many batches, as they are when the worker is ended: its storage is not closed.
  async run({ name, ids }) {
    const db = await AtomicDB.open('run', { wasm: '/dist/atomicdb.wasm', storage: new OPFSStorage(name) })
    for (const _id of ids) await db.insert({ _id })
  },
}
${full}
onmessage = ({ data: [task, argument] }) => work[task](argument).then((result) => postMessage({ result }), (error) => postMessage({ failed: error.stack }))
`

/** Opens the database of that name with the storage that `make` makes, in a page. */
async function openedAsOf(name: string): Promise<void> {
  globalThis.db = await atomicdb.AtomicDB.open(name, { storage: (globalThis as unknown as { make(name: string): StorageBackend }).make(name) })
}

declare global {
  /** Every IndexedDB connection that the page has opened; defined by a test. */
  var connections: IDBDatabase[]
}

describe('storages of pages', { timeout: 1_200_000 }, () => {
  const chromium = chromiumWithSite(async () => {
    const { outputFiles } = await esbuild.build({ stdin: { contents: worker, resolveDir: packageFolder }, bundle: true, format: 'esm', target: 'es2022', conditions: ['browser'], write: false })
    return serveProduct({ '/worker.js': outputFiles[0]!.text })
  })

  for (const [kind, make] of Object.entries(storages)) {
    test(`${kind}: four tabs lose no increment, also when one of them crashes`, async () => {
      const context = await chromium.browser.newContext()
      const pages = await Promise.all(Array.from({ length: 4 }, () => openDatabase(context, make)))
      await pages[0]!.evaluate(() => db.insert({ _id: 'counter', n: 0 }))
      await Promise.all(pages.map((page) => page.waitForFunction(() => db.count())))
      const [crashing, ...staying] = pages as [Page, ...Page[]]
      let acknowledged = 0
      let reachMiddle!: () => void
      const middle = new Promise<void>((resolve) => (reachMiddle = resolve))
      await crashing.exposeBinding('incremented', () => void (++acknowledged === 20 && reachMiddle()))

      const crashed = crashing.evaluate(async () => {
        for (;;) {
          await db.update({ $inc: { n: 1 } }, "_id = 'counter'")
          await (globalThis as unknown as { incremented(): Promise<void> }).incremented()
        }
      })
      const counted = Promise.all(staying.map((page) => page.evaluate(async () => {
        for (let n = 0; n < 50; n++) await db.update({ $inc: { n: 1 } }, "_id = 'counter'")
      })))
      await Promise.race([middle, crashed])
      await (await crasherOf(crashing))()
      await assert.rejects(crashed)
      await within(60_000, 'the other tabs', counted)

      const reader = await openDatabase(context, make)
      const { n } = (await reader.evaluate(() => db.get<{ n: number }>('counter')))!
      // The last write of the crashed tab may be stored although the tab has not reported it.
      assert.ok(n >= 150 + acknowledged && n <= 152 + acknowledged, `${n} of 150 and ${acknowledged}`)
      await context.close()
    })
  }

  test('OPFS in a dedicated worker passes the contract of storages', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    const results = (await inWorker(page, 'contract')) as [string, string][]
    assert.ok(results.length > 4)
    assert.deepEqual(results.filter(([, result]) => result !== 'ok'), [])
    await context.close()
  })

  test('OPFS: the worker of the engine writes the files, because it can flush them, unless they are sealed', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    const results = await page.evaluate(async () => {
      const { AtomicDB, OPFSStorage, ThreadSafeDatabase } = atomicdb
      const name = 'of a / worker'
      const before = await AtomicDB.open('opfs', { storage: new OPFSStorage(name) })
      await before.insert({ _id: 'page' })
      await before.close()

      const { createWritable } = FileSystemFileHandle.prototype
      FileSystemFileHandle.prototype.createWritable = () => Promise.reject(new Error('it is the page that writes'))
      const sealed = await AtomicDB.open('opfs', { storage: new OPFSStorage('sealed', { compressionLevel: 1 }), worker: true })
      const refused = await sealed.insert({}).then(String, ({ code }: { code: string }) => code)
      await sealed.close()
      const db = await AtomicDB.open('opfs', { storage: new OPFSStorage(name), worker: true, durability: 'strict' })
      await db.insert({ _id: 'worker' })
      const pool = await ThreadSafeDatabase.open('opfs', { storage: new OPFSStorage(name), maxConnections: 2, durability: 'strict' })
      await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? db : pool).upsert({ _id: n })))
      await pool.close()
      // Until it hears of the writes of the pool.
      while ((await db.count()) < 12) await new Promise((resolve) => setTimeout(resolve, 1))
      await db.close()
      FileSystemFileHandle.prototype.createWritable = createWritable

      const again = await AtomicDB.open('opfs', { storage: new OPFSStorage(name) })
      const ids = await again.documentIds()
      await again.close()
      await AtomicDB.destroy('opfs', { storage: new OPFSStorage(name) })
      const destroyed = await AtomicDB.open('opfs', { storage: new OPFSStorage(name), worker: true })
      return [refused, ids.slice(0, 2), ids.length, await destroyed.count()]
    })
    assert.deepEqual(results, ['storage', ['page', 'worker'], 12, 0])
    await context.close()
  })

  test('a MessagePack value: a lost connection is opened again, and a write during the loss ends', async () => {
    const context = await chromium.browser.newContext()
    await context.addInitScript(() => {
      globalThis.connections = []
      const { open } = IDBFactory.prototype
      IDBFactory.prototype.open = function (...args) {
        const request = open.apply(this, args)
        request.addEventListener('success', () => connections.push(request.result))
        return request
      }
    })
    const page = await openDatabase(context, storages['a MessagePack value'])
    const ids = await page.evaluate(async () => {
      await db.insert({ _id: 'before' })
      for (const connection of connections) connection.close()
      await db.insert({ _id: 'after' })
      for (const connection of connections) {
        connection.close()
        connection.dispatchEvent(new Event('close'))
      }
      await db.insert({ _id: 'after a close event' })
      return db.documentIds()
    })
    assert.deepEqual(ids, ['before', 'after', 'after a close event'])

    // Chromium fires no event for a transaction that was about to end when it closed the connection.
    const across = page.evaluate(async () => {
      const { transaction } = IDBDatabase.prototype
      const begun = new Promise<void>((resolve) => {
        IDBDatabase.prototype.transaction = function (...args) {
          const silent = transaction.apply(this, args)
          Object.defineProperty(silent, 'oncomplete', { set: () => resolve() })
          IDBDatabase.prototype.transaction = transaction
          return silent
        }
      })
      const write = db.insert({ _id: 'across' }).then(String, ({ code }: { code: string }) => code)
      await begun
      for (const connection of connections) connection.dispatchEvent(new Event('close'))
      const outcome = await write
      await db.insert({ _id: 'last' })
      return [outcome, (await db.documentIds()).at(-1)]
    })
    assert.deepEqual(await within(20_000, 'the write', across), ['storage', 'last'])
    await context.close()
  })

  test('OPFS: a strict batch is flushed in a dedicated worker, and so is every snapshot, which replaces batches', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    assert.deepEqual(await inWorker(page, 'flushes'), [0, 1, 1])
    await context.close()
  })

  test('OPFS: a full one refuses a write with quota and keeps everything, in a page and in a dedicated worker', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    const devtools = await context.newCDPSession(page)
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: chromium.site.origin, quotaSize: 1_000_000 })
    const inPage = page.evaluate(`(() => { const { OPFSStorage } = atomicdb; return (${full})('full page') })()`)
    assert.deepEqual(await inPage, [['quota'], 1])
    assert.deepEqual(await inWorker(page, 'full', 'full worker'), [['quota'], 1])
    await context.close()
  })

  test('IndexedDB is asked for the durability that open was told, for files of documents too', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    const asked = await page.evaluate(async () => {
      const asked: string[] = []
      const { transaction } = IDBDatabase.prototype
      IDBDatabase.prototype.transaction = function (...args) {
        if (args[1] === 'readwrite') asked.push(args[2]!.durability!)
        return transaction.apply(this, args)
      }
      for (const durability of ['relaxed', 'strict'] as const) {
        for (const storage of [undefined, new atomicdb.IndexedDBStorage('packed', { compressionLevel: 1 }), new atomicdb.MessagePackStorage('file')]) {
          const db = await atomicdb.AtomicDB.open('durable', { ...(storage && { storage }), durability })
          await db.insert({})
          await db.close()
        }
      }
      return asked.join(' ')
    })
    assert.equal(asked, 'relaxed relaxed relaxed strict strict strict')
    await context.close()
  })

  test('OPFS: workers and pages share a database', async () => {
    const context = await chromium.browser.newContext()
    const page = await openDatabase(context, storages.OPFS)
    await page.evaluate(() => db.insert({ _id: 'counter', n: 0 }))
    await Promise.all([
      inWorker(page, 'count', { name: 'shared', times: 40 }),
      inWorker(page, 'count', { name: 'shared', times: 40 }),
      page.evaluate(async () => {
        for (let n = 0; n < 40; n++) await db.update({ $inc: { n: 1 } }, "_id = 'counter'")
      }),
    ])
    const reader = await openDatabase(context, storages.OPFS)
    assert.equal((await reader.evaluate(() => db.get<{ n: number }>('counter')))!.n, 120)
    await context.close()
  })

  test('OPFS: an unfinished batch is ignored, however much of it was written, and a damaged one is an error', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    const lost = await page.evaluate(async () => {
      const storage = () => new atomicdb.OPFSStorage('torn')
      const db = await atomicdb.AtomicDB.open('torn', { storage: storage() })
      for (let n = 1; n <= 3; n++) await db.insert({ _id: n })
      await db.close()
      const folder = await (await (await navigator.storage.getDirectory()).getDirectoryHandle('atomicdb')).getDirectoryHandle('torn')
      const put = async (name: string, content: Uint8Array<ArrayBuffer>) => {
        const stream = await (await folder.getFileHandle(name, { create: true })).createWritable()
        await stream.write(content)
        await stream.close()
      }
      const whole = new Uint8Array(await (await (await folder.getFileHandle('3')).getFile()).arrayBuffer())
      const wrong: string[] = []
      for (let length = 0; length < whole.length; length++) {
        const torn = whole.slice(0, length)
        await put('3', torn)
        await put('3.snapshot', torn) // as a crash in a compaction would leave it
        const again = await atomicdb.AtomicDB.open('torn', { storage: storage() })
        const ids = (await again.documentIds()).join()
        if (ids !== '1,2') wrong.push(`${length} of ${whole.length}: ${ids}`)
        await again.close()
      }
      const first = new Uint8Array(await (await (await folder.getFileHandle('1')).getFile()).arrayBuffer())
      for (let at = 0; at < first.length; at++) {
        const damaged = first.slice()
        damaged[at]! ^= 1
        await put('1', damaged)
        const code = await atomicdb.AtomicDB.open('torn', { storage: storage() }).then(() => 'opened', (error: { code: string }) => error.code)
        if (code !== 'corrupt') wrong.push(`byte ${at}: ${code}`)
      }
      return wrong
    })
    assert.deepEqual(lost, [])
    await context.close()
  })

  test('OPFS: a worker that writes does so at once, in files of many batches, and nobody waits for it', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    const [slow, seen] = (await inWorker(page, 'atOnce', 'at once')) as [number, number]
    assert.ok(slow < 30, `${slow} of 40 writes have waited for a later turn`)
    assert.equal(seen, 40)
    const reader = await openDatabase(context, () => new atomicdb.OPFSStorage('at once'))
    assert.deepEqual(await reader.evaluate(async () => [await db.count(), (await db.verify()).ok]), [42, true])
    await context.close()
  })

  test('OPFS: of a file of several batches the end may be unfinished, and damage before it is an error, which is repaired', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    // A worker that is slow gets another file.
    let first: string | undefined
    for (let tries = 0; first === undefined; tries++) {
      assert.ok(tries < 20, 'no run of four batches')
      await inWorker(page, 'run', { name: `run-${tries}`, ids: [1, 2, 3, 4] })
      const names = await page.evaluate(async (name) => {
        const folder = await (await (await navigator.storage.getDirectory()).getDirectoryHandle('atomicdb')).getDirectoryHandle(name)
        const names: string[] = []
        for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name)
        return names
      }, `run-${tries}`)
      if (names.length === 1) first = `run-${tries}`
    }
    const wrong = await page.evaluate(async (name) => {
      const { AtomicDB, OPFSStorage } = atomicdb
      const folder = await (await (await navigator.storage.getDirectory()).getDirectoryHandle('atomicdb')).getDirectoryHandle(name)
      const contentOf = async (name: string) => new Uint8Array(await (await (await folder.getFileHandle(name)).getFile()).arrayBuffer())
      const put = async (content: Uint8Array<ArrayBuffer>) => {
        const stream = await (await folder.getFileHandle('1', { create: true })).createWritable()
        await stream.write(content)
        await stream.close()
      }
      const whole = await contentOf('1')
      const starts: number[] = []
      for (let at = 0; at < whole.length; at += 12 + new DataView(whole.buffer).getUint32(at + 4)) starts.push(at)
      const wrong: string[] = []
      if (starts.length !== 4) wrong.push(`${starts.length} records`)
      for (let length = starts[2]!; length < whole.length; length += 7) {
        await put(whole.slice(0, length))
        const db = await AtomicDB.open('run', { storage: new OPFSStorage(name) })
        const expected = length < starts[3]! ? '1,2' : '1,2,3'
        if ((await db.documentIds()).join() !== expected) wrong.push(`${length} bytes: ${await db.documentIds()}`)
        // What is appended behind it is not taken for its rest.
        await db.insert({ _id: 'next' })
        await db.close()
        const again = await AtomicDB.open('run', { storage: new OPFSStorage(name) })
        if ((await again.documentIds()).join() !== `${expected},next`) wrong.push(`${length} bytes and one: ${await again.documentIds()}`)
        await again.close()
        await folder.removeEntry(length < starts[3]! ? '3' : '4')
      }
      for (let at = starts[1]!; at < starts[2]!; at += 5) {
        const damaged = whole.slice()
        damaged[at]! ^= 1
        await put(damaged)
        const code = await AtomicDB.open('run', { storage: new OPFSStorage(name) }).then(() => 'opened', (error: { code: string }) => error.code)
        if (code !== 'corrupt') wrong.push(`byte ${at}: ${code}`)
      }
      const { problems } = await AtomicDB.repair('run', { storage: new OPFSStorage(name) })
      const db = await AtomicDB.open('run', { storage: new OPFSStorage(name) })
      if (problems.map(({ seq }) => seq).join() !== '2' || (await db.documentIds()).join() !== '1,3,4') wrong.push(`repaired: ${JSON.stringify(problems)} ${await db.documentIds()}`)
      await db.close()
      return wrong
    }, first)
    assert.deepEqual(wrong, [])
    await context.close()
  })

  test('localStorage: a full one refuses a write with quota and keeps everything; batches that a compaction has left are ignored', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    const result = await page.evaluate(async () => {
      const open = () => atomicdb.AtomicDB.open('full', { storage: new atomicdb.LocalStorageStorage('full') })
      const db = await open()
      let stored = 0
      let code = ''
      while (code === '') await db.insert({ _id: stored, text: 'x'.repeat(100_000) }).then(() => stored++, (error: { code: string }) => (code = error.code))
      const count = await db.count()
      await db.remove('_id < 10') // small enough for the room that is left
      await db.close()
      const again = await open()
      const kept = await again.count()
      await again.close()

      // Small batches and a snapshot, which has left items from before it.
      const storage = new atomicdb.LocalStorageStorage('left')
      const batch = (text: string) => new TextEncoder().encode(text)
      for (let seq = 1; seq <= 4; seq++) await storage.append(seq, batch(`${seq}`), 'relaxed')
      const left = localStorage.getItem('atomicdb:left:2')!
      await storage.compact(3, batch('123'))
      localStorage.setItem('atomicdb:left:2', left)
      const read = (await storage.read(0)).map(({ seq, snapshot, bytes }) => `${seq}${snapshot} ${new TextDecoder().decode(bytes)}`)
      localStorage.setItem('atomicdb:left:4', 'b9:damaged')
      const damaged = await storage.read(0).then(() => 'read', (error: { code: string }) => error.code)
      return { code, stored, count, kept, read, damaged }
    })
    assert.ok(result.stored > 60, `only ${result.stored} documents of 100 kB had room`)
    assert.deepEqual(result, { ...result, code: 'quota', count: result.stored, kept: result.stored - 10, read: ['3true 123', '4false 4'], damaged: 'corrupt' })
    await context.close()
  })

  for (const [kind, lock] of [['OPFSStorage', 'atomicdb opfs:held'], ['LocalStorageStorage', 'atomicdb localStorage:held']] as const) {
    test(`${kind}: while a tab that holds the lock stands still, the calls of others time out, and they go on afterwards`, async () => {
      const context = await chromium.browser.newContext()
      const [holder, page] = [await openPage(context, chromium.site.origin), await context.newPage()]
      await page.clock.install()
      await page.goto(chromium.site.origin)
      await page.waitForFunction(() => 'atomicdb' in globalThis)
      await page.evaluate(async (kind) => {
        globalThis.db = await atomicdb.AtomicDB.open('held', { storage: new atomicdb[kind]('held') })
        await db.insert({ _id: 'before' })
      }, kind)
      await holder.evaluate((lock) => new Promise<void>((held) => {
        void navigator.locks.request(lock, () => new Promise<void>((release) => (Object.assign(globalThis, { release }), held())))
      }), lock)
      const rejected = page.evaluate(() => db.insert({ _id: 'meanwhile' }).then(String, ({ code, message }: { code: string; message: string }) => `${code}: ${message}`))
      await page.waitForFunction(async (lock) => (await navigator.locks.query()).pending!.some(({ name }) => name === lock), lock)
      await page.clock.fastForward(31_000)
      assert.match(await within(20_000, 'the rejection', rejected), /^timeout: .*another tab/)

      await holder.evaluate(() => (globalThis as unknown as { release(): void }).release())
      assert.deepEqual(await page.evaluate(async () => {
        await db.insert({ _id: 'after' })
        return db.documentIds()
      }), ['before', 'after'])
      await context.close()
    })
  }

  // How the data of a database that is open can vanish, and in which storages. Each runs in a page.
  const deletions: [string, (keyof typeof storages)[], (make: (name: string) => StorageBackend) => Promise<unknown> | unknown][] = [
    ['destroy()', ['localStorage', 'OPFS', 'a JSON item', 'a MessagePack value'], (make) => atomicdb.AtomicDB.destroy('deleted', { storage: make('deleted') })],
    ['localStorage.clear()', ['localStorage', 'a JSON item'], () => localStorage.clear()],
    ['removing all its items', ['localStorage', 'a JSON item'], () => {
      for (const key of Object.keys(localStorage)) if (key.includes('deleted')) localStorage.removeItem(key)
    }],
    ['removing its item', ['a JSON item'], () => localStorage.removeItem('deleted')],
    // With the lock, because Chromium refuses to delete a file that another tab is reading.
    ['deleting its folder', ['OPFS'], () => navigator.locks.request('atomicdb opfs:deleted', async () => (await (await navigator.storage.getDirectory()).getDirectoryHandle('atomicdb')).removeEntry('deleted', { recursive: true }))],
    ['deleting all folders', ['OPFS'], () => navigator.locks.request('atomicdb opfs:deleted', async () => (await navigator.storage.getDirectory()).removeEntry('atomicdb', { recursive: true }))],
    ['deleting its IndexedDB database', ['a MessagePack value'], () => new Promise((resolve) => (indexedDB.deleteDatabase('atomicdb files').onsuccess = resolve))],
  ]
  for (const [how, kinds, deleteData] of deletions) {
    for (const kind of kinds) {
      for (const where of [0, 2]) {
        test(`${kind}: ${how} in ${where === 0 ? 'the tab that wrote last' : 'another tab'} closes it at once in all tabs, and its name opens again, empty`, async () => {
          const context = await chromium.browser.newContext()
          const pages = await Promise.all(Array.from({ length: 3 }, () => openPage(context, chromium.site.origin)))
          const make = storages[kind].toString()
          for (const page of pages) {
            await page.evaluate(`globalThis.make = ${make}`)
            await page.evaluate(openedAsOf, 'deleted')
          }
          for (const page of [...pages].reverse()) await page.evaluate(() => db.insert({}))
          // A tab shows what it has put into localStorage before the browser knows of it. Were a deletion of another tab to
          // come first, the item would be there again, for all.
          const items = () => JSON.stringify(Object.entries(localStorage).sort())
          const written = await pages[0]!.evaluate(items)
          for (const page of pages) await page.waitForFunction(`(${items})() === ${JSON.stringify(written)}`, undefined, { polling: 20 })
          await pages[where]!.evaluate(`(${deleteData})(make)`)
          // What a tab removes from localStorage past our lock, the browser shows other tabs when it likes.
          const removed = how === 'removing its item' ? ['deleted'] : how.startsWith('destroy') ? [] : ['deleted', 'atomicdb version:deleted']
          if (kind === 'a JSON item') for (const page of pages) await page.waitForFunction((keys) => keys.every((key) => localStorage.getItem(key) === null), removed, { polling: 20 })

          const started = performance.now()
          for (const page of pages) {
            const codes = await within(20_000, 'the writes', page.evaluate(async () => {
              const codeOf = (write: Promise<unknown>) => write.then(() => 'stored', ({ code, message }: { code: string; message: string }) => (code === 'closed' ? code : message))
              return [await codeOf(db.insert({})), await codeOf(db.transaction((tx) => tx.insert({}))), await codeOf(db.update({ a: 1 }))]
            }))
            assert.deepEqual(codes, ['closed', 'closed', 'closed'])
          }
          for (const [n, page] of pages.entries()) {
            const found = await within(20_000, 'opening', page.evaluate(async () => {
              const before = db
              const again = await atomicdb.AtomicDB.open('deleted', { storage: (globalThis as unknown as { make(name: string): StorageBackend }).make('deleted') })
              const count = await again.count()
              await again.insert({})
              const code = await before.insert({}).then(() => 'stored', ({ code }: { code: string }) => code)
              await again.close()
              return [count, code]
            }))
            assert.deepEqual(found, [n, 'closed'])
          }
          assert.ok(performance.now() - started < 4_000, `it took ${performance.now() - started} ms`)
          await context.close()
        })
      }
    }
  }

  test('localStorage: removing one item of several closes an open database', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    const codes = await page.evaluate(async () => {
      const codes: string[] = []
      for (const [removed, compacted] of [[1, false], [3, false], [5, false], [3, true]] as const) {
        const name = `removed ${removed} ${compacted}`
        const storage = new atomicdb.LocalStorageStorage(name)
        const db = await atomicdb.AtomicDB.open(name, { storage })
        for (let n = 1; n <= 5; n++) await db.insert({ n })
        if (compacted) await storage.compact(3, new Uint8Array(9))
        localStorage.removeItem(`atomicdb:${name}:${removed}`)
        codes.push(await db.insert({}).then(() => 'stored', ({ code }: { code: string }) => code))
        await db.close()
      }
      return codes
    })
    assert.deepEqual(codes, ['closed', 'closed', 'closed', 'closed'])
    await context.close()
  })

  test('a page without https, which has neither WebCrypto nor locks, and a page with them read what the other encrypts', async () => {
    const context = await chromium.browser.newContext()
    await context.route('http://insecure.test/**', async (route) => {
      await route.fulfill({ response: await route.fetch({ url: route.request().url().replace('http://insecure.test', chromium.site.origin) }) })
    })
    const [without, secure] = [await openPage(context, 'http://insecure.test/'), await openPage(context, chromium.site.origin)]
    assert.deepEqual(await without.evaluate(() => [isSecureContext, typeof crypto.subtle, typeof navigator.locks]), [false, 'undefined', 'undefined'])
    const exchange = async (from: Page, to: Page) => {
      const files = await from.evaluate(async () => {
        const { AtomicDB, EncryptedJSONStorage, IndexedDBStorage, LocalStorageStorage, MessagePackStorage, SecurityManager } = atomicdb
        const securityManager = await SecurityManager.create({ password: 'over there', iterations: 1000, salt: new Uint8Array(16) })
        const stores = [
          () => new IndexedDBStorage('insecure', { securityManager, compressionLevel: 6 }),
          () => new LocalStorageStorage('insecure', { securityManager }),
          () => new EncryptedJSONStorage('insecure.json', securityManager),
          () => new MessagePackStorage('insecure.msgpack', { securityManager }),
        ]
        const files: string[] = []
        for (const [n, store] of stores.entries()) {
          for (const worker of [false, true]) {
            const db = await AtomicDB.open('insecure', { storage: store(), worker })
            await db.insert({ store: n, worker })
            files.push(new TextDecoder().decode(await db.export({ securityManager, compressionLevel: 1 + n })))
            await db.close()
          }
        }
        return files
      })
      return to.evaluate(async (files) => {
        const securityManager = await atomicdb.SecurityManager.create({ password: 'over there', iterations: 1000, salt: new Uint8Array(16) })
        const counts: number[] = []
        for (const file of files) {
          const db = await atomicdb.AtomicDB.open('copy', { inMemory: true })
          await db.import(new TextEncoder().encode(file), { securityManager })
          counts.push(await db.count('store exists'))
          await db.close()
        }
        return counts
      }, files)
    }
    for (const [from, to] of [[without, secure], [secure, without]] as const) assert.deepEqual(await exchange(from, to), [1, 2, 1, 2, 1, 2, 1, 2])
    await context.close()
  })

  test('tabs whose clocks are days apart lose nothing', async () => {
    const context = await chromium.browser.newContext()
    const pages = await Promise.all([-3, 0, 4].map(async (days) => {
      const page = await openPage(context, chromium.site.origin)
      await page.evaluate((days) => {
        const { now } = Date
        Date.now = () => now() + days * 86_400_000
      }, days)
      return page
    }))
    for (const kind of ['IndexedDBStorage', 'LocalStorageStorage', 'OPFSStorage', 'JSONStorage'] as const) {
      await Promise.all(pages.map((page) => page.evaluate(async (kind) => {
        const db = await atomicdb.AtomicDB.open('skewed', { storage: new atomicdb[kind]('skewed') })
        for (let n = 0; n < 20; n++) {
          await db.transaction(async (tx) => {
            const { n = 0 } = (await tx.get<{ n: number }>('counter')) ?? {}
            await tx.upsert({ _id: 'counter', n: n + 1 })
          })
        }
        await db.close()
      }, kind)))
      const counted = await pages[0]!.evaluate(async (kind) => {
        const db = await atomicdb.AtomicDB.open('skewed', { storage: new atomicdb[kind]('skewed') })
        return (await db.get<{ n: number }>('counter'))!.n
      }, kind)
      assert.equal(counted, 60, kind)
    }
    await context.close()
  })

  test('damaged batches in IndexedDB, localStorage and OPFS are found, and repaired around', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    const results = await page.evaluate(async () => {
      const { AtomicDB, IndexedDBStorage, LocalStorageStorage, OPFSStorage } = atomicdb
      const result = <R>(request: IDBRequest<R>) => new Promise<R>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error as Error)
      })
      const flipped = (bytes: Uint8Array) => bytes.map((byte, n) => (n === bytes.length - 1 ? byte ^ 1 : byte))
      /** For each storage: a function that opens the same data each time, and one that damages a batch. */
      const kinds: Record<string, [(name?: string) => import('../src/index.js').StorageBackend, (seq: number) => Promise<unknown>]> = {
        indexeddb: [(name = 'damage') => new IndexedDBStorage(name), async (seq) => {
          const store = (await result(indexedDB.open('atomicdb:damage'))).transaction('log', 'readwrite').objectStore('log')
          await result(store.put(flipped(await result(store.get(seq) as IDBRequest<Uint8Array>)), seq))
        }],
        localStorage: [(name = 'damage') => new LocalStorageStorage(name), async (seq) => localStorage.setItem(`atomicdb:damage:${seq}`, 'b9:damaged')],
        opfs: [(name = 'damage') => new OPFSStorage(name), async (seq) => {
          const folder = await (await (await navigator.storage.getDirectory()).getDirectoryHandle('atomicdb')).getDirectoryHandle('damage')
          const file = await folder.getFileHandle(`${seq}`)
          const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer())
          const writable = await file.createWritable()
          await writable.write(flipped(bytes))
          await writable.close()
        }],
      }
      const results: Record<string, unknown> = {}
      for (const [name, [storage, damage]] of Object.entries(kinds)) {
        const open = () => AtomicDB.open('damage', { storage: storage() })
        const db = await open()
        for (const _id of ['a', 'b', 'c', 'd']) await db.insert({ _id })
        await db.close()
        await damage(2)
        const code = await open().then(() => 'opened', (error: { code: string }) => error.code)
        const raw = await AtomicDB.exportRaw('damage', { storage: storage() })
        await AtomicDB.importRaw('copy', raw, { storage: storage('copy') })
        const copied = await AtomicDB.exportRaw('copy', { storage: storage('copy') })
        // As long, and other bytes: the copy is a database of its own.
        const isCopy = copied.length === raw.length && copied.some((byte, n) => byte !== raw[n])
        const taken = await AtomicDB.importRaw('copy', raw, { storage: storage('copy') }).then(() => 'stored', (error: { code: string }) => error.code)
        const { problems } = await AtomicDB.repair('damage', { storage: storage() })
        const again = await open()
        results[name] = [code, isCopy, taken, problems.map(({ seq }) => seq).join(), (await again.documentIds()).join(), (await again.verify()).ok]
        await again.close()
      }
      return results
    })
    const repaired = ['corrupt', true, 'invalid', '2', 'a,c,d', true]
    assert.deepEqual(results, { indexeddb: repaired, localStorage: repaired, opfs: repaired })
    await context.close()
  })

  test('records of IndexedDB after a missing one keep their numbers, also in a file, and are repaired', async () => {
    const context = await chromium.browser.newContext()
    const page = await openPage(context, chromium.site.origin)
    const result = await page.evaluate(async () => {
      const { AtomicDB, IndexedDBStorage } = atomicdb
      const done = (request: IDBRequest) => new Promise((resolve) => (request.onsuccess = resolve))
      const results: unknown[] = []
      for (const options of [{}, { compressionLevel: 1 }]) {
        const name = `hole ${Object.keys(options)}`
        const storage = (name: string) => new IndexedDBStorage(name, options)
        const db = await AtomicDB.open(name, { storage: storage(name) })
        for (const _id of ['a', 'b', 'c', 'd', 'e']) await db.insert({ _id })
        await db.close()
        const opening = indexedDB.open(`atomicdb:${name}`)
        await done(opening)
        await done(opening.result.transaction('log', 'readwrite').objectStore('log').delete(2))
        opening.result.close()
        const code = await AtomicDB.open(name, { storage: storage(name) }).then(() => 'opened', (error: { code: string }) => error.code)
        await AtomicDB.importRaw('copy', await AtomicDB.exportRaw(name, { storage: storage(name) }), { storage: storage(`copy of ${name}`) })
        for (const copy of [name, `copy of ${name}`]) {
          const { problems, batches } = await AtomicDB.repair(name, { storage: storage(copy) })
          const again = await AtomicDB.open(name, { storage: storage(copy) })
          results.push([code, batches, problems.map(({ seq }) => seq).join(), (await again.documentIds()).join(), (await again.verify()).ok])
          await again.close()
        }
      }
      return results
    })
    assert.deepEqual(result, Array(4).fill(['corrupt', 4, '2', 'a,c,d,e', true]))
    await context.close()
  })

  async function openDatabase(context: Awaited<ReturnType<Browser['newContext']>>, make: (name: string) => unknown): Promise<Page> {
    const page = await openPage(context, chromium.site.origin)
    await page.evaluate(async (make) => {
      const storage = (0, eval)(`(${make})`)('shared') as import('../src/index.js').StorageBackend
      globalThis.db = await atomicdb.AtomicDB.open('shared', { storage })
    }, String(make))
    return page
  }
})

function inWorker(page: Page, task: string, argument?: unknown): Promise<unknown> {
  return page.evaluate(
    ([task, argument]) =>
      new Promise((resolve, reject) => {
        const worker = new Worker('/worker.js', { type: 'module' })
        worker.onmessage = ({ data }) => {
          worker.terminate()
          if (data.failed) reject(new Error(data.failed))
          else resolve(data.result)
        }
        worker.onerror = (event) => reject(new Error(event.message))
        worker.postMessage([task, argument])
      }),
    [task, argument] as const,
  )
}
