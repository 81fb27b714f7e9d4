/**
 * Decides which of Go's functions a page loads first: those that it needs to open a database, to store and to find
 * documents, and to keep live queries true; they are listed in first-functions.txt. The list is made by running a page that
 * does all this in Chromium, with a module that notes which functions are called:
 *
 *     node npm/scripts/first-functions.mjs
 *
 * A list that is out of date costs time and nothing else: what it lacks is in the second module. split-module.test.ts
 * fails then.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'
import { mergeSegments } from './merge-segments.mjs'
import { instrumented } from './split-module.mjs'

const list = new URL('first-functions.txt', import.meta.url)

/** What collectors, Go's scheduler and timers call, of which one run of a page meets only a part. */
const always = /jsbridge\.collect|^runtime\.(?:__(?:timers?|scavengerState|sweepLocked|mspan|mheap|mcentral|mcache|pageAlloc|pallocBits|pallocData|pageCache|fixalloc|spanQueue|spanSPMC|gcWork|semaRoot|wakeableSleep|stkframe|unwinder)_\.(?!.*(?:[dD]ump|[zZ]ombie|UserArena|[tT]race|[sS]ynctest|cgo|sym))|gc(?!Dump|allers)|note|sema|select|chan|recv|send|closechan|runq|goready|inject|shade|scan|bgs|stack(?!_)|map(?:access|assign|clear)|sync|free|popDefer|deferreturn)/

/** Whether the first module has a function of this name. */
export async function firstFunctions() {
  const names = new Set((await readFile(list, 'utf8')).trim().split('\n'))
  return (name) => names.has(name) || always.test(name)
}

/** What a page does, which is all that the first module is to be enough for. It runs in the page. */
async function useDatabase({ AtomicDB, MemoryStorage }, wasm) {
  const people = (count) => Array.from({ length: count }, (_, i) => ({
    name: `name ${i}`, email: `u${i}@example.com`, age: i % 90, price: i * 1.25, isOk: i % 2 === 0, at: new Date(i),
    tags: [`t${i % 7}`, i], address: { city: `city ${i % 100}`, zip: i }, long: 'lorem ipsum '.repeat(i % 20),
  }))
  const use = async (count, options) => {
    const open = () => AtomicDB.open('first', { wasm, ...options })
    let db = await open()
    await db.insert({ text: 'of a new collection' }, 'notes')
    await db.count({ text: 'other' }, 'notes')
    await db.createIndex('email', { unique: true })
    await db.createIndex('age')
    await db.createIndex('address.city')
    await db.insert(people(1)[0])
    await db.insertMany(people(count).slice(1))
    const lives = [db.live({ age: 5 }, { sort: 'name', limit: 5 }), db.live({ age: { $gt: 4 } }, { sort: ['-email', 'price'], limit: 5 }), db.live({}, { sort: '-at', limit: 9 }), db.live({ isOk: true }), db.liveCount({ age: { $gt: 5 } })]
    for (const live of lives) live.subscribe(() => {})
    await db.get(5)
    await db.get('nobody')
    await db.count()
    for (const filter of [
      {}, { email: 'u5@example.com' }, { age: { $gte: 5, $lt: 8 } }, { age: { $gt: 30, $lte: 50 }, isOk: true }, { 'address.city': 'city 5' }, { tags: 't3' },
      { $or: [{ age: 3 }, { age: { $in: [4, 5] } }], name: { $ne: 'x' } }, { name: { $exists: true } }, { at: { $gt: new Date(5) } },
    ]) {
      await db.find(filter)
      for (const sort of ['price', '-price', '-age', 'email', '-email']) await db.find(filter, { sort, limit: 10 })
      await db.find(filter, { sort: ['age', '-name'], skip: 3, limit: 5, fields: ['name', 'address.city'] })
      await db.count(filter)
    }
    const q = db.query()
    for (const condition of [q.age.between(5, 8), q.age.gte(80).and(q.isOk.eq(true)), q.name.ne('x').or(q.age.in([1, 2])), q.email.eq('u6@example.com'), q.tags.contains('t3'), q.name.startsWith('name 1')]) {
      await db.search(condition)
      await db.search(condition, { sort: '-age', limit: 10 })
      await db.count(condition)
      await db.update({ isSeen: true, price: 3 }, condition)
      await db.update({ $inc: { price: 1 } }, condition)
    }
    for (let again = 0; again < 2; again++) { // by an index, which the second asks for
      await db.update({ price: 5 }, q.age.between(40, 42))
      await db.remove(q.age.between(43 + again, 44 + again))
      await db.remove({ age: { $gte: 50 + again, $lt: 51 + again } })
      await db.update({ $set: { price: 4 } }, { age: { $gte: 20, $lt: 30 } })
    }
    await db.search('age > 30 and (name = "name 50" or not isOk = true)')
    await db.upsert({ _id: 5, name: 'other' })
    await db.update({ age: 3 }, { name: 'name 7' })
    await db.update({ $set: { 'address.zip': 4 }, $inc: { age: 1, count: 1 }, $unset: { price: 1 } }, { name: 'name 8' })
    await db.update({ $set: { isNew: true } }, { name: 'name 8' })
    await db.update({ $inc: { age: 1 } }, { isOk: true })
    await db.remove({ name: 'name 9' })
    await db.remove({ age: { $gt: 88 } })
    await db.transaction(async (tx) => {
      await tx.insert({ a: 1 })
      await tx.update({ a: 2 }, { a: 1 })
      await tx.find({ a: 2 })
    })
    await db.transaction(async (tx) => {
      await tx.insert({ a: 1 })
      throw new Error('undone')
    }).catch(() => {})
    await db.insert({ email: 'u7@example.com' }).catch(() => {})
    const notes = db.collection('notes')
    await notes.insert({ text: 'a' })
    await notes.find({ text: 'a' })
    for (let i = 0; i < 1000; i++) await db.insert({ name: `more ${i}`, age: i % 90, text: 'x'.repeat(i % 50) })
    for (const live of lives) live.close()
    await db.flush()
    await db.close()
    if (options.inMemory) return
    db = await open()
    await db.find({ email: 'u55@example.com' })
    await db.find({ age: { $gt: 5 } }, { sort: 'age', limit: 3 })
    await db.close()
    await AtomicDB.destroy('first', options)
  }
  // What is small is often done in another way.
  for (const count of [10, 1500, 20_000]) for (const options of [{ inMemory: true }, {}]) await use(count, options)
  await use(10, { storage: new MemoryStorage() })
}

/** Tabs of one database hear of each other. */
async function useTwoTabs({ AtomicDB }, wasm) {
  const db = await AtomicDB.open('two tabs', { wasm })
  const frame = document.createElement('iframe')
  await new Promise((resolve) => {
    frame.onload = resolve
    frame.src = '/'
    document.body.append(frame)
  })
  const other = await frame.contentWindow.eval(`import('/dist/index.js')`)
  const there = await other.AtomicDB.open('two tabs', { wasm: await frame.contentWindow.eval(`WebAssembly.compileStreaming(fetch('/all.wasm'))`) })
  const live = db.live({})
  live.subscribe(() => {})
  for (let i = 0; i < 50; i++) await there.insert({ i })
  // While a page is left, Chromium refuses the request for functions that are still to come.
  for (const write of [there, db]) {
    window.dispatchEvent(new Event('pagehide'))
    document.dispatchEvent(new Event('visibilitychange'))
    document.dispatchEvent(new Event('freeze'))
    await write.insert({})
    document.dispatchEvent(new Event('resume'))
    window.dispatchEvent(new Event('pageshow'))
    await db.flush()
  }
  await there.close()
  await db.close()
}

async function calledInChromium() {
  const { chromium } = await import('playwright-core')
  const { chromiumArguments, chromiumPath } = await import('./chromium.mjs')
  const npm = new URL('..', import.meta.url)
  const { wasm, names } = instrumented(mergeSegments(await readFile(new URL('.build/go.wasm', npm))))
  const server = createServer(async (request, response) => {
    const file = /^\/(dist\/[\w-]+\.js)$/.exec(request.url)?.[1]
    response.setHeader('Content-Type', file ? 'text/javascript' : request.url.endsWith('.wasm') ? 'application/wasm' : 'text/html')
    response.end(file ? await readFile(new URL(file, npm)) : request.url.endsWith('.wasm') ? wasm : '<!doctype html><body>')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArguments })
  try {
    const page = await browser.newPage()
    page.setDefaultTimeout(300_000)
    const called = new Set()
    for (const use of [useDatabase, useTwoTabs]) {
      await page.goto(`http://127.0.0.1:${server.address().port}/`)
      const numbers = await page.evaluate(`(async () => {
        const { instantiate } = WebAssembly
        const instances = []
        WebAssembly.instantiate = async (...given) => {
          const instance = await instantiate(...given)
          instances.push(instance)
          return instance
        }
        const wasm = await WebAssembly.compileStreaming(fetch('/all.wasm'))
        await (${use})(await import('/dist/index.js'), wasm)
        for (const { exports } of instances) exports.adb_head(1) // only workers ask for it
        return Array.from({ length: ${names.length} }, (_, i) => i).filter((i) => instances.some(({ exports }) => exports['$' + i].value))
      })()`)
      for (const number of numbers) called.add(names[number])
    }
    return [...called].sort()
  } finally {
    await browser.close()
    server.close()
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const called = await calledInChromium()
  await writeFile(list, `${called.join('\n')}\n`)
  console.log(`${called.length} functions are called by a page that opens, stores, finds and listens`)
}
