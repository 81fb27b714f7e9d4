// What stays behind when databases are opened and closed again and again: nothing.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { CDPSession } from 'playwright-core'
import { launchChromium, openPage } from './harness/chromium.js'
import { packageFolder, serveProduct } from './harness/site.js'

const run = promisify(execFile)

/** How many kB `AtomicDB.open(...)` and close leave in Node, in 1,000 rounds. */
async function kilobytesLeft(open: string): Promise<number> {
  const program = `
    const { AtomicDB, MemoryStorage } = await import('atomicdb')
    const rounds = async (n) => { for (let i = 0; i < n; i++) await (await ${open}).close() }
    const used = async () => {
      gc()
      await new Promise(setImmediate) // what was found is freed after the turn
      gc()
      const { heapUsed, external, arrayBuffers } = process.memoryUsage()
      return heapUsed + external + arrayBuffers
    }
    await rounds(300) // until the code is compiled
    const before = await used()
    await rounds(1000)
    console.log(Math.round((await used() - before) / 1000))`
  const { stdout } = await run(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], { cwd: packageFolder })
  return Number(stdout)
}

describe('live queries leave nothing', { timeout: 540_000 }, () => {
  for (const worker of [false, true]) {
    for (const [how, end] of Object.entries({ closed: 'live.close(); stop()', forgotten: 'stop()', 'stopped by one signal': '' })) {
      const times = how === 'closed' ? 10_000 : 2000
      test(`when ${times} are ${how}${worker ? ', in a worker' : ''}`, async (t) => {
        const program = `
          const { AtomicDB } = await import('atomicdb')
          const db = await AtomicDB.open('lives', { worker: ${worker} })
          await db.insertMany(Array.from({ length: 100 }, (_, n) => ({ n })))
          const turn = () => new Promise(setImmediate)
          const open = async (times) => {
            const signal = new AbortController()
            let last
            for (let n = 0; n < times; n++) {
              const live = n % 3 === 0 ? db.live((d) => d.n > n, { signal: signal.signal }) : n % 3 === 1 ? db.live('n > 50', { sort: '-n', limit: 5, signal: signal.signal }) : db.withSignal(signal.signal).liveCount()
              if (n % 100 === 0) await live.ready
              last = live
              const stop = live.subscribe(() => {})
              ${end}
            }
            await last.ready.catch(() => {}) // it may be closed
            if (${JSON.stringify(how)} === 'stopped by one signal') signal.abort()
            for (let n = 0; n < 5; n++) gc(), await turn(), await turn()
            await db.insert({})
            await db.count()
            gc()
            await turn()
            gc()
            return process.memoryUsage().heapUsed // the memory of the engine does not shrink
          }
          await open(500)
          const before = await open(500)
          const after = await open(${times})
          const { current } = db.connection
          const left = ${worker} ? current.lives.all.size : current.hub.all.size
          console.log(left, Math.round((after - before) / 1000))`
        const { stdout } = await run(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], { cwd: packageFolder })
        t.diagnostic(`live queries and kB: ${stdout.trim()}`)
        const [left, kilobytes] = stdout.split(' ').map(Number)
        // The collector may see the last of those that were forgotten on its stack.
        assert.ok(left! <= (how === 'forgotten' ? 2 : 0), `${left} live queries`)
        assert.ok(kilobytes! < 1000, `${kilobytes} kB`)
      })
    }
  }
})

test('20 engines that have ended leave nothing', { timeout: 360_000 }, async (t) => {
  const program = `
    const { AtomicDB, MemoryStorage } = await import('atomicdb')
    const { pathToFileURL } = await import('node:url')
    const wasm = pathToFileURL('.build/atomicdb-test.wasm')
    const ending = Uint8Array.of(0x92, 0xa7, ...Buffer.from('default'), 0xa8, ...Buffer.from('overflow')) // of the op 255
    const db = await AtomicDB.open('ending', { wasm, storage: new MemoryStorage() })
    await db.insertMany(Array.from({ length: 20_000 }, (_, n) => ({ n, text: 'x'.repeat(100) })))
    const end = async (times) => {
      for (let n = 0; n < times; n++) {
        const error = await db.calls.write(() => (engine) => engine.value(255, ending)).catch((error) => error)
        if (error.code !== 'internal' || (await db.count()) !== 20_000) throw error
      }
      gc()
      await new Promise(setImmediate)
      gc()
      const { heapUsed, external, arrayBuffers } = process.memoryUsage()
      return heapUsed + external + arrayBuffers
    }
    const before = await end(3)
    console.log(Math.round((await end(20) - before) / 1000))`
  const { stdout } = await run(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], { cwd: packageFolder })
  t.diagnostic(`${stdout.trim()} kB`)
  assert.ok(Number(stdout) < 2000, `${stdout} kB`) // an engine has 20 MB
})

describe('1,000 databases that were closed leave nothing', { timeout: 540_000 }, () => {
  for (const [where, open] of Object.entries({
    'in memory': `AtomicDB.open('y')`,
    'in a storage': `AtomicDB.open('y', { storage: new MemoryStorage() })`,
  })) {
    test(`in Node, ${where}`, async (t) => {
      const left = await kilobytesLeft(open)
      t.diagnostic(`${left} kB`)
      assert.ok(left < 1000, `${left} kB`)
    })
  }

  test('in Chromium', async (t) => {
    const site = await serveProduct()
    const browser = await launchChromium()
    try {
      const page = await openPage(await browser.newContext(), site.origin)
      const devtools = await page.context().newCDPSession(page)
      await page.evaluate(async () => {
        for (let n = 0; n < 1000; n++) {
          // One module: queryObjects of Chromium 156 crashes a page that has the engine in two. A heap snapshot does not.
          const db = await atomicdb.AtomicDB.open('y', { wasm: '/dist/atomicdb.wasm' })
          if (n < 20) await db.insert({ n })
          await db.close()
        }
      })
      for (const name of ['IDBDatabase', 'IDBTransaction', 'IDBOpenDBRequest', 'BroadcastChannel']) {
        const found = await instancesOf(devtools, name)
        t.diagnostic(`${found} of ${name}`)
        assert.ok(found < 5, `${found} of ${name}`)
      }
    } finally {
      await browser.close()
      await site.close()
    }
  })
})

/** How many objects of a class are alive in the page. */
async function instancesOf(devtools: CDPSession, name: string): Promise<number> {
  await devtools.send('HeapProfiler.collectGarbage')
  const { result } = await devtools.send('Runtime.evaluate', { expression: `${name}.prototype` })
  const { objects } = await devtools.send('Runtime.queryObjects', { prototypeObjectId: result.objectId! })
  const { result: count } = await devtools.send('Runtime.callFunctionOn', { objectId: objects.objectId!, functionDeclaration: 'function () { return this.length }', returnByValue: true })
  await devtools.send('Runtime.releaseObject', { objectId: objects.objectId! })
  return count.value as number
}
