// Pages with the strictest Content-Security-Policy that the manual gives, in Chromium: nothing inline, no text that becomes a
// script, and Trusted Types. The policy is a header of every response, so it holds for the workers too.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchChromium, openPage } from './harness/chromium.js'
import { packageFolder, serve, type Site } from './harness/site.js'

const strict = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; base-uri 'none'; form-action 'none'"
const workers = "worker-src 'self'"
const trusted = "require-trusted-types-for 'script'"

describe('a strict Content-Security-Policy', { timeout: 540_000 }, () => {
  let browser: Browser
  before(async () => {
    browser = await launchChromium()
  })
  after(() => browser.close())

  /** What `work` answers in a page with this policy, or its error's code and message; and the directives that were violated. */
  async function under<R>(policies: string[], work: () => Promise<R>, { first = '', from = '' } = {}) {
    const page = `<!doctype html><meta charset="utf-8"><title>strict</title><script type="module" src="/page.js"></script>`
    const script = `
      import * as atomicdb from '${from}/dist/index.js'
      globalThis.violations = []
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => violations.push(effectiveDirective))
      ${first}
      globalThis.ownWorker = Worker
      globalThis.atomicdb = atomicdb`
    const site = await serve({ '/': page, '/page.js': script, '/dist/': { folder: join(packageFolder, 'dist') } }, { 'Content-Security-Policy': policies.join('; ') })
    const context = await browser.newContext()
    try {
      const page = await openPage(context, `${site.origin}/`)
      const answer = await page.evaluate(work).catch((error: Error) => error.message)
      // It is fired in a task of its own.
      const violations = await page.evaluate(() => new Promise((resolve) => setTimeout(() => resolve((globalThis as unknown as { violations: string[] }).violations))))
      return { answer, violations }
    } finally {
      await context.close()
      await site.close()
    }
  }

  const inPage = async () => {
    const db = await atomicdb.AtomicDB.open('strict')
    await db.insert({ n: 1 })
    return db.count('n = 1')
  }
  const inWorker = async () => {
    // Encryption loads the chunk of the libraries, in the worker.
    const securityManager = await atomicdb.SecurityManager.create({ password: 'correct horse', iterations: 1_000 })
    const db = await atomicdb.AtomicDB.open('strict', { worker: true, storage: new atomicdb.IndexedDBStorage('strict', { securityManager, compressionLevel: 6 }) })
    await db.insert({ n: 1 })
    return db.count('n = 1')
  }
  const inSharedWorker = async () => {
    const db = await atomicdb.AtomicDB.open('strict', { worker: 'shared' })
    await db.insert({ n: 1 })
    return [db.worker, await db.count('n = 1')]
  }
  const inPool = async () => {
    const db = await atomicdb.ThreadSafeDatabase.open('strict', { maxConnections: 3 })
    await db.insert({ n: 1 })
    return Promise.all([1, 2, 3].map(() => db.count('n = 1')))
  }
  const refused = async () => {
    try {
      return await atomicdb.AtomicDB.open('strict', { worker: true })
    } catch (error) {
      const { name, code, message } = error as import('../src/index.js').AtomicDBError
      const page = await atomicdb.AtomicDB.open('strict') // the page's own thread needs no policy
      return [name, code, message, await page.count()]
    }
  }

  test('runs it in the page', async () => {
    assert.deepEqual(await under([strict, trusted, "trusted-types 'none'"], inPage), { answer: 1, violations: [] })
  })

  test('runs it in a worker, with the policy atomicdb', async () => {
    assert.deepEqual(await under([strict, workers, trusted, 'trusted-types atomicdb'], inWorker), { answer: 1, violations: [] })
  })

  test('runs it in a shared worker, with the policy atomicdb, and without Trusted Types', async () => {
    for (const policies of [[trusted, 'trusted-types atomicdb'], []]) assert.deepEqual(await under([strict, workers, ...policies], inSharedWorker), { answer: ['shared', 1], violations: [] })
  })

  test("whose worker-src is 'none' makes a shared worker unsupported", async () => {
    const { answer } = await under([strict, "worker-src 'none'"], async () => atomicdb.AtomicDB.open('strict', { worker: 'shared' }).catch(({ code, message }) => [code, message]))
    assert.deepEqual(answer, ['unsupported', 'options.worker: the shared worker has not started: is worker.js served beside index.js, and does worker-src allow it?'])
  })

  test('runs it in a pool, with the policy atomicdb', async () => {
    assert.deepEqual(await under([strict, workers, trusted, 'trusted-types atomicdb'], inPool), { answer: [1, 1, 1], violations: [] })
  })

  test('runs it in a worker, if it allows every policy', async () => {
    assert.deepEqual(await under([strict, workers, trusted], inWorker), { answer: 1, violations: [] })
  })

  test('runs it in a worker without Trusted Types', async () => {
    assert.deepEqual(await under([strict, workers], inWorker), { answer: 1, violations: [] })
  })

  test('runs it in a worker by a default policy of the page', async () => {
    const first = "trustedTypes.createPolicy('default', { createScriptURL: (address) => address })"
    assert.equal((await under([strict, workers, trusted, 'trusted-types default'], inWorker, { first })).answer, 1)
  })

  test('runs it in a worker from another origin', async () => {
    const cdn: Site = await serve({ '/dist/': { folder: join(packageFolder, 'dist') } })
    try {
      const policy = `default-src 'none'; script-src 'self' ${cdn.origin} 'wasm-unsafe-eval'; connect-src ${cdn.origin}; worker-src blob: ${cdn.origin}`
      assert.deepEqual(await under([policy, trusted, 'trusted-types atomicdb'], inPool, { from: cdn.origin }), { answer: [1, 1, 1], violations: [] })
      // There, each page has a worker of its own.
      assert.deepEqual(await under([policy, trusted, 'trusted-types atomicdb'], inSharedWorker, { from: cdn.origin }), { answer: [true, 1], violations: [] })
    } finally {
      await cdn.close()
    }
  })

  test('that allows no policy makes a shared worker unsupported, and says what it needs', async () => {
    const { answer } = await under([strict, workers, trusted, "trusted-types 'none'"], async () => atomicdb.AtomicDB.open('strict', { worker: 'shared' }).catch(({ code, message }) => `${code}: ${message}`))
    assert.match(answer as string, /^unsupported: options\.worker: .*trusted-types atomicdb/)
  })

  for (const [what, policy] of Object.entries({ 'no policy': "trusted-types 'none'", 'other policies': 'trusted-types page' })) {
    test(`that allows ${what} makes a worker unsupported, and says what it needs`, async () => {
      const { answer } = await under([strict, workers, trusted, policy], refused)
      const [name, code, message, count] = answer as [string, string, string, number]
      assert.deepEqual([name, code, count], ['AtomicDBError', 'unsupported', 0])
      assert.match(message, /options\.worker: .*trusted-types atomicdb/)
    })
  }

  test('stays what it was for the page', async () => {
    const { answer } = await under([strict, workers, trusted, 'trusted-types atomicdb'], async () => {
      const db = await atomicdb.AtomicDB.open('strict', { worker: true })
      await db.count()
      const { trustedTypes, ownWorker } = globalThis as unknown as { trustedTypes: { createPolicy(name: string, rules: object): unknown }; ownWorker: typeof Worker }
      const thrown = (work: () => unknown) => {
        try {
          work()
          return 'nothing'
        } catch (error) {
          return (error as Error).name
        }
      }
      return [Worker === ownWorker, thrown(() => new Worker('/dist/worker.js')), thrown(() => trustedTypes.createPolicy('atomicdb', {}))]
    })
    assert.deepEqual(answer, [true, 'TypeError', 'TypeError'])
  })
})
