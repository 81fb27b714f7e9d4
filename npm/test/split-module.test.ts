// A step after Go's linker: the engine in two modules. The first answers alone; what needs the rest waits for it, or
// loads it at once.
import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { splitModule } from '../scripts/split-module.mjs'
import { launchChromium } from './harness/chromium.js'
import { packageFolder } from './harness/site.js'

const types: Record<string, string> = { js: 'text/javascript', wasm: 'application/wasm' }

/** What a page gets that asks for the rest. */
type Answer = 'file' | 'later' | 'missing'

describe('a page whose engine is still coming', { timeout: 900_000 }, () => {
  let browser: Browser
  let page: Page
  let origin: string
  let answers: Answer[] = [] // to the next requests for the rest; to all later ones, the last
  let asked = 0
  const held: ServerResponse[] = []
  const server = createServer((request, response) => {
    const file = /^\/(dist\/[\w-]+\.(js|wasm))(?:\?at-once=)?$/.exec(request.url!)
    if (!file) return void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>')
    if (!file[1]!.endsWith('rest.wasm')) return send(response, file)
    const answer = answers[Math.min(asked++, answers.length - 1)]
    if (answer === 'missing') response.writeHead(404).end()
    else if (answer === 'later') held.push(response)
    else send(response, file)
  })
  const send = (response: ServerResponse, [, name, type]: readonly string[]) => {
    response.writeHead(200, { 'Content-Type': types[type!] })
    createReadStream(join(packageFolder, name!)).pipe(response)
  }
  const release = () => {
    for (const response of held.splice(0)) send(response, ['', 'dist/atomicdb-rest.wasm', 'wasm'])
  }

  before(async () => {
    browser = await launchChromium()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  })
  after(async () => {
    await browser.close()
    server.close()
    server.closeAllConnections()
  })
  beforeEach(async () => {
    await page?.close()
    held.splice(0)
    asked = 0
    page = await (await browser.newContext()).newPage()
    await page.goto(origin)
  })

  /** Runs a function body in the page, with the package. */
  const run = (body: string) => page.evaluate(`(async () => {
    const { AtomicDB, AtomicDBError, MemoryStorage } = await import('/dist/index.js')
    const failure = (promise) => promise.then(() => 'it went well', (error) => error.code + ': ' + error.message)
    ${body}
  })()`)

  test('opens, stores, finds and listens without the rest, in IndexedDB', async () => {
    answers = ['later', 'missing']
    assert.deepEqual(await run(`
      const db = await AtomicDB.open('notes')
      await db.createIndex('email', { unique: true })
      await db.insertMany(Array.from({ length: 2000 }, (_, i) => ({ email: 'u' + i, age: i % 90, at: new Date(i), tags: ['t' + i % 5], address: { city: 'c' + i % 9 } })))
      const heard = []
      const live = db.live({ age: 5 }, { sort: '-email', limit: 3 })
      live.subscribe((documents) => heard.push(documents.length))
      await db.insert({ email: 'zz', age: 5 })
      await db.update({ $set: { age: 6 }, $inc: { n: 1 } }, { email: 'u5' })
      await db.update({ age: 7 }, { email: 'u6' })
      await db.upsert({ _id: 1, email: 'first' })
      await db.remove({ email: 'u9' })
      await db.transaction(async (tx) => { await tx.insert({ a: 1 }); await tx.update({ a: 2 }, { a: 1 }) })
      const found = [
        await db.count(), await db.count({ age: { $gt: 80 } }), (await db.find({ email: 'u77' })).length, (await db.get(1)).email,
        (await db.find({ 'address.city': 'c3', tags: 't1' }, { sort: ['age', '-email'], limit: 4, fields: ['age'] })).length,
        (await db.search('age > 30 and email = "u31"')).length, heard.length > 1,
      ]
      live.close()
      await db.close()
      const again = await AtomicDB.open('notes')
      return [...found, await again.count({ email: 'first' })]`), [2001, 198, 1, 'first', 4, 1, true, 1])
    assert.equal(asked, 1, 'nothing that was called loads the rest at once; run node scripts/first-functions.mjs')
  })

  // Chromium refuses the request for the rest while it leaves a page; the engine would end, and its writes with it.
  test('is left and comes back without the rest', async () => {
    answers = ['later', 'missing']
    const left = `
      window.dispatchEvent(new Event('pagehide'))
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
      document.dispatchEvent(new Event('freeze'))`
    const back = `
      document.dispatchEvent(new Event('resume'))
      delete document.visibilityState
      document.dispatchEvent(new Event('visibilitychange'))
      window.dispatchEvent(new Event('pageshow'))`
    assert.deepEqual(await run(`
      const db = await AtomicDB.open('notes')
      const counts = []
      db.liveCount().subscribe((count) => counts.push(count))
      await db.insert({ n: 1 })
      ${left}
      await db.insert({ n: 2 })
      ${back}
      await db.insert({ n: 3 })
      return [await db.count(), counts.at(-1)]`), [3, 3])
    assert.equal(asked, 1, 'nothing that was called loads the rest at once; run node scripts/first-functions.mjs')
  })

  test('does calls that need the rest when it has come, in the order in which they were made', async () => {
    answers = ['later']
    const done = run(`
      const db = await AtomicDB.open('notes', { inMemory: true })
      const order = []
      const calls = [
        db.sql("INSERT INTO notes (n) VALUES (1)"), db.insert({ n: 2 }, 'notes'),
        db.aggregate({ select: { n: { $sum: 'n' } } }, 'notes').then(([{ n }]) => order.push('sum ' + n)),
      ]
      let live = 'nothing yet'
      db.liveSql('SELECT SUM(n) AS n FROM notes').subscribe((rows) => (live = rows[0].n))
      globalThis.before = [await db.count(), order.length]
      globalThis.isReady = true
      await Promise.all(calls)
      await db.transaction(async (tx) => { await tx.insert({ n: 4 }, 'notes'); order.push('tx ' + (await tx.sql('SELECT SUM(n) AS n FROM notes'))[0].n) })
      while (live !== 7) await new Promise((resolve) => setTimeout(resolve))
      return [...order, (await db.find({}, { collection: 'notes' })).map(({ n }) => n)]`)
    await page.waitForFunction('globalThis.isReady')
    assert.deepEqual(await page.evaluate('globalThis.before'), [0, 0])
    release()
    assert.deepEqual(await done, ['sum 3', 'tx 7', [1, 2, 4]])
    assert.equal(asked, 1)
  })

  test('leaves a transaction the time that its call waits for the rest', async () => {
    answers = ['later']
    await page.clock.install()
    const done = run(`
      const db = await AtomicDB.open('notes', { inMemory: true })
      return db.transaction(async (tx) => {
        await tx.insert({ n: 1 }, 'notes')
        const asked = tx.sql('SELECT SUM(n) AS n FROM notes')
        globalThis.isWaiting = true
        return asked
      })`)
    while (!(await page.evaluate('globalThis.isWaiting'))) await new Promise((resolve) => setImmediate(resolve))
    await page.clock.runFor(60_000)
    release()
    assert.deepEqual(await done, [{ n: 1 }])
  })

  test('loads the rest at once where a call has begun that turns out to need it', async () => {
    answers = ['later', 'file']
    assert.deepEqual(await run(`
      const db = await AtomicDB.open('notes', { inMemory: true })
      await db.insertMany([{ name: 'Ann' }, { name: 'Bob' }])
      const waiting = db.sql('SELECT COUNT(*) AS n FROM "default"')
      const found = await db.find({ name: { $regex: '^a', $options: 'i' } })
      return [found.length, (await waiting)[0].n, (await db.sql('SELECT 1 AS one'))[0].one]`), [1, 2, 1])
    assert.equal(asked, 2)
  })

  test('goes on without the rest if that is lost, and tries again with each call that needs it', async () => {
    answers = ['missing']
    assert.deepEqual(await run(`
      globalThis.db = await AtomicDB.open('notes', { inMemory: true })
      await db.insert({ n: 1 })
      const lost = await failure(db.sql('SELECT 1'))
      return [lost.replace(/http.*\\//, ''), await db.count()]`), ['unsupported: the rest of the engine could not be loaded: atomicdb-rest.wasm answered 404', 1])
    answers = ['file']
    assert.deepEqual(await page.evaluate(`db.sql('SELECT 1 AS one')`), [{ one: 1 }])
  })

  test('comes back after a call has ended the engine because its functions were lost', async () => {
    answers = ['missing']
    assert.match((await run(`
      globalThis.db = await AtomicDB.open('notes', { storage: new MemoryStorage() })
      await db.insert({ name: 'Ann' })
      return failure(db.find({ name: { $regex: '^A' } }))`)) as string, /^internal: the engine has ended while it ran this call: .*atomicdb-rest\.wasm answered 404/)
    answers = ['file']
    assert.deepEqual(await page.evaluate(`Promise.all([db.find({ name: { $regex: '^A' } }), db.sql('SELECT name FROM "default"')]).then((found) => found.map(({ length }) => length))`), [1, 1])
  })

  for (const worker of ['true', '\'shared\'']) {
    test(`works with {worker: ${worker}}`, async () => {
      answers = ['later']
      const done = run(`
        const db = await AtomicDB.open('notes', { worker: ${worker} })
        await db.insert({ n: 1 })
        globalThis.before = await db.count()
        const sum = await db.sql('SELECT SUM(n) AS n FROM "default"')
        await db.close()
        return sum`)
      await page.waitForFunction('globalThis.before')
      while (held.length === 0) await new Promise((resolve) => setImmediate(resolve))
      release()
      assert.deepEqual(await done, [{ n: 1 }])
    })
  }

  test('takes the one whole module where that is all that a site has', async () => {
    await page.route(/atomicdb-first\.wasm$/, (route) => route.fulfill({ status: 404 }))
    assert.deepEqual(await run(`
      const db = await AtomicDB.open('notes', { inMemory: true })
      return db.sql('SELECT 1 AS one')`), [{ one: 1 }])
    assert.equal(asked, 0)
  })
})

describe('a module in two', () => {
  test('is split anywhere: all of it can be in the rest', async () => {
    const linked = await readFile(join(packageFolder, '.build/go.wasm'))
    const { first, rest, names } = splitModule(linked, () => false)
    assert.ok(names.length > 3000 && names.includes('runtime.mallocgc'))
    const instance = await started(first, rest)
    assert.equal(typeof instance.exports.adb_call, 'function')
  })

  test('is refused if Go’s linker has changed', () => {
    assert.throws(() => splitModule(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), () => true))
  })
})

/** An instance of the first module to which the rest is added when a function of it is called. */
async function started(first: Uint8Array<ArrayBuffer>, rest: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Instance> {
  const { instantiate } = await import('../src/engine/go-runtime.js')
  const { Rest } = await import('../src/program.js')
  let loads = 0
  const program = { module: await WebAssembly.compile(first), rest: new Rest('file:///rest', () => WebAssembly.compile(rest), () => (loads++, rest)) }
  const { exports } = await instantiate(program, (reason) => assert.fail(reason))
  assert.equal(loads, 1)
  return { exports: exports as unknown as WebAssembly.Exports }
}
