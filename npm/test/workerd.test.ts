// A Cloudflare Worker in local workerd: the wasm imported as a module, the engine started in a handler.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Miniflare } from 'miniflare'
import { within } from './harness/deadline.js'
import { startWorker, workerModules } from './harness/workerd.js'

// workerd refuses randomness and waiting at top level, so the first request opens the database.
const worker = `
import { AtomicDB, MemoryStorage } from 'atomicdb'
import wasm from 'atomicdb/atomicdb.wasm'

let opening
let opened = 0

export default {
  async fetch(request) {
    if (new URL(request.url).pathname === '/thread') {
      return Response.json(await AtomicDB.open('thread', { wasm, worker: true }).then(() => 'opened', ({ code, message }) => code + ': ' + message))
    }
    if (new URL(request.url).pathname === '/destroy') {
      const storage = new MemoryStorage()
      await storage.append(1, new Uint8Array(1))
      await AtomicDB.destroy('doomed', { wasm, storage })
      return Response.json((await storage.read(0)).length)
    }
    opening ??= (opened++, AtomicDB.open('notes', { wasm }))
    const db = await opening
    const n = Number(new URL(request.url).searchParams.get('n'))
    const id = await db.insert({ n, tags: ['even', 'odd'].slice(n % 2, n % 2 + 1) })
    const [own, mine, even] = await Promise.all([
      db.get(id),
      db.search(db.query().n.eq(n)),
      db.search('n <= ' + n + ' and tags contains "even"'),
    ])
    await db.update({ $inc: { visits: 1 } }, db.query().n.eq(n))
    const place = await db.transaction(async (tx) => {
      const place = await tx.count(undefined, 'visits')
      await new Promise((resolve) => setTimeout(resolve)) // as a fetch would wait
      await tx.insert({ _id: place, n }, 'visits')
      return place
    })
    return Response.json({ id, opened, own: own.n, mine: mine.length, even: even.map((d) => d.n), all: await db.count(), place })
  },
}
`

interface Answer {
  id: number
  opened: number
  own: number
  mine: number
  even: number[]
  all: number
  place: number
}

describe('in workerd', { timeout: 180_000 }, () => {
  let miniflare: Miniflare
  let likeNode: Miniflare

  before(async () => {
    const modules = await workerModules(worker)
    ;[{ miniflare }, { miniflare: likeNode }] = await Promise.all([startWorker(modules), startWorker(modules, { compatibilityFlags: ['nodejs_compat'] })])
  })
  after(() => Promise.all([miniflare.dispose(), likeNode.dispose()]))

  test('worker: true is unsupported, also where workerd looks like Node', async () => {
    for (const host of [miniflare, likeNode]) {
      const answer = (await (await within(10_000, 'the answer', host.dispatchFetch('http://notes/thread'))).json()) as string
      assert.match(answer, /^unsupported: options\.worker: this host /)
    }
  })

  test('a database can be deleted before one is opened', async () => {
    assert.equal(await (await within(10_000, 'the answer', likeNode.dispatchFetch('http://notes/destroy'))).json(), 0)
  })

  async function ask(n: number): Promise<Answer> {
    const response = await within(20_000, `request ${n}`, miniflare.dispatchFetch(`http://127.0.0.1/?n=${n}`))
    const text = await response.text()
    assert.equal(response.status, 200, text)
    return JSON.parse(text) as Answer
  }

  test('one instance answers 50 concurrent requests', async () => {
    const requests = 50
    const answers = await Promise.all(Array.from({ length: requests }, (_, n) => ask(n)))

    assert.deepEqual(answers.map((a) => a.id).sort((a, b) => a - b), Array.from({ length: requests }, (_, n) => n + 1))
    assert.deepEqual(answers.map((a) => a.place).sort((a, b) => a - b), Array.from({ length: requests }, (_, n) => n))
    for (const [n, answer] of answers.entries()) {
      assert.equal(answer.opened, 1, 'a second engine was started')
      assert.equal(answer.own, n)
      assert.equal(answer.mine, 1)
      assert.ok(answer.even.every((other) => other % 2 === 0 && other <= n), `request ${n} found ${answer.even}`)
      assert.equal(answer.even.includes(n), n % 2 === 0, `request ${n} found ${answer.even}`)
    }
  })

  test('the instance goes on afterwards', async () => {
    const answer = await ask(50)
    assert.equal(answer.opened, 1)
    assert.equal(answer.all, 51)
    assert.deepEqual(answer.even.sort((a, b) => a - b), Array.from({ length: 26 }, (_, n) => 2 * n))
  })
})
