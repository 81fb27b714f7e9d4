// D1 and KV in a stateless Worker: one database of an isolate serves requests that may not wait for each other, and
// that clients cut off.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Miniflare } from 'miniflare'
import { within } from './harness/deadline.js'
import { startWorker, workerModules, type Modules } from './harness/workerd.js'

const worker = `
import { AtomicDB, KVStorage, SQLiteStorage } from 'atomicdb'
import wasm from 'atomicdb/atomicdb.wasm'
import { DurableObject } from 'cloudflare:workers'

const openings = {}
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** A D1 or a KV whose next append never ends if a request asks for it. */
let swallowing = 0
let swallowed = false
let failFirst // ends the first of two appends of one batch, with an error
function slow(binding, method) {
  return new Proxy(binding, {
    get(target, name) {
      const value = target[name]
      if (typeof value !== 'function') return value
      if (name !== method) return value.bind(target)
      return async (...args) => {
        if (failFirst) {
          failFirst()
          failFirst = undefined
          await later(1)
        }
        if (swallowing > 0) {
          const kind = swallowing
          swallowing = 0
          if (kind === 3) await new Promise((_, reject) => (failFirst = () => reject(new Error('the connection was lost'))))
          const stored = kind === 2 && (await value.apply(target, args)) // it is stored, and the answer is lost
          swallowed = true
          await later(60_000)
          return stored
        }
        return value.apply(target, args)
      }
    },
  })
}

const storages = {
  d1: (env) => new SQLiteStorage(slow(env.D1, 'batch')),
  kv: (env) => new KVStorage(slow(env.KV, 'put'), 'notes'),
}

async function answer(kind, url, env) {
  if (url.pathname === '/open') {
    openings[kind] = AtomicDB.open('notes', { wasm, storage: storages[kind](env) })
    return 'begun' // the response ends what the request has begun
  }
  if (url.pathname === '/in-memory') return AtomicDB.open('notes', { wasm, inMemory: true, storage: storages[kind](env) }).then(() => 'opened')
  const n = Number(url.searchParams.get('n'))
  const db = await (openings[kind] ??= AtomicDB.open('notes', { wasm, storage: storages[kind](env) }))
  switch (url.pathname) {
    case '/insert':
      return db.insert({ n })
    case '/many':
      return (await Promise.all(Array.from({ length: n }, (_, i) => db.insert({ i })))).length
    case '/increment':
      return db.transaction(async (tx) => {
        const { count } = (await tx.get('counter')) ?? { count: 0 }
        if (n % 5 === 0) await later(3) // as a fetch would wait
        await tx.upsert({ _id: 'counter', count: count + 1 })
        return count + 1
      })
    // The response ends what the request has begun, as a client does that goes away.
    case '/hang': {
      let begun
      db.transaction(async (tx) => {
        await tx.insert({ hanging: true })
        begun = true
        await later(60_000)
      }).catch(() => {})
      while (!begun) await later(1)
      return 'begun'
    }
    case '/swallow': {
      swallowing = n
      db.insert({ swallowed: n }).catch(() => {})
      while (!swallowed) await later(1)
      swallowed = false
      return 'begun'
    }
    case '/fail-late': {
      swallowing = 3
      const first = db.insert({ late: 1 })
      while (!failFirst) await later(1)
      return (await Promise.allSettled([first, db.insert({ late: 2 })])).map(({ status, reason }) => reason?.message ?? status)
    }
    case '/count':
      return url.searchParams.has('where') ? db.count(url.searchParams.get('where')) : db.count()
    case '/live': {
      const live = db.collection('lively').liveCount()
      const told = []
      live.subscribe((count) => told.push(count))
      await db.insert({}, 'lively')
      await db.transaction((tx) => tx.insertMany([{}, {}], 'lively'))
      await db.transaction(async (tx) => {
        await tx.insert({}, 'lively')
        throw new Error('taken back')
      }).catch(() => {})
      live.close()
      const found = db.live('true', { collection: 'lively', limit: 2 })
      await found.ready
      const rows = found.current.length
      found.close()
      return { told, rows, left: db.connection.current.hub.all.size }
    }
    case '/at': {
      const seqOf = async () => (await db.metadata('dated')).stats.seq
      await db.insert({ _id: 1, n: 1 }, 'dated')
      const seq = await seqOf()
      await db.update({ n: 2 }, '_id = 1', 'dated')
      await db.insert({ _id: 2, n: 1 }, 'dated')
      const codeOf = (call) => call.then(() => 'none', ({ code }) => code)
      const before = await db.at(seq)
      const states = [before, await db.at(seq + 1), await db.at(await seqOf())]
      const found = await Promise.all(states.map(async (state) => (await state.search('true', { collection: 'dated' })).map(({ n }) => n)))
      const codes = [await codeOf(before.insert({})), await codeOf(db.at(seq + 1000)), await codeOf((async () => db.changes())())]
      await Promise.all(states.map((state) => state.close()))
      return { found, codes: [...codes, await codeOf(before.count())], left: db.connection.current.earlier.size, now: await db.count('true', 'dated') }
    }
    case '/counter':
      return (await db.get('counter')).count
    case '/verify':
      return db.verify()
    case '/again': {
      const again = await AtomicDB.open('notes', { wasm, storage: storages[kind](env) })
      const count = await again.count()
      await again.close()
      return count
    }
  }
}

export class Keeper extends DurableObject {
  async fetch(request) {
    const db = await (this.opening ??= AtomicDB.open('notes', { wasm, storage: new SQLiteStorage(this.ctx.storage.sql) }))
    await db.insert({ n: 1 })
    const error = await this.ctx.storage.transaction(async () => {
      await db.insertMany([{ n: 2 }, { n: 3 }])
      await db.insert({ n: 4 })
      throw new Error('taken back')
    }).catch((error) => error.message)
    if (new URL(request.url).pathname === '/verify') {
      const report = await db.verify()
      return Response.json({ error, report, counts: [await db.count()] })
    }
    const id = await db.insert({ n: 5 })
    await Promise.all([6, 7].map((n) => db.insert({ n })))
    return Response.json({ error, id, all: (await db.all()).map(({ n }) => n), report: await db.verify() })
  }
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url)
    if (url.searchParams.get('on') === 'object') return env.KEEPER.get(env.KEEPER.idFromName(url.pathname)).fetch(request)
    return Response.json(await answer(url.searchParams.get('on'), url, env).catch(({ code, message }) => ({ code, message })) ?? null)
  },
}
`

/** A new isolate with empty storages. */
const start = async () => startWorker(await (bundled ??= workerModules(worker)), {
  durableObjects: { KEEPER: { className: 'Keeper', useSQLite: true } },
  d1Databases: { D1: 'test' },
  kvNamespaces: { KV: 'test' },
})
let bundled: Promise<Modules> | undefined

describe('requests of one isolate', { timeout: 720_000 }, () => {
  for (const kind of ['d1', 'kv']) {
    describe(kind, () => {
      let miniflare: Miniflare
      let address: URL

      before(async () => ({ miniflare, address } = await start()))
      after(() => miniflare.dispose())

      const ask = async (path: string, search = ''): Promise<any> => {
        const response = await within(30_000, path, fetch(new URL(`${path}?on=${kind}&${search}`, address)))
        const text = await response.text()
        assert.equal(response.status, 200, `${path}: ${text}`)
        return JSON.parse(text)
      }
      const numbers = (length: number) => Array.from({ length }, (_, n) => n)

      test('inMemory is refused, because commit would have others wait', async () => {
        const { code, message } = await ask('/in-memory')
        assert.equal(code, 'unsupported')
        assert.match(message, /^options\.inMemory: .* a Durable Object$/)
      })

      test('42 requests write at once, the request that opens the database is gone, and others read meanwhile', async () => {
        await ask('/open')
        const [ids, counts] = await Promise.all([
          Promise.all(numbers(42).map((n) => ask('/insert', `n=${n}`))),
          Promise.all(numbers(20).map(() => ask('/count'))),
        ])
        assert.deepEqual(ids.toSorted((a, b) => a - b), numbers(42).map((n) => n + 1))
        assert.ok(counts.every((count) => count >= 0 && count <= 42), `${counts}`)
        assert.equal(await ask('/count'), 42)
        assert.deepEqual(await ask('/verify').then(({ ok, documents, problems }) => ({ ok, documents, problems })), { ok: true, documents: 42, problems: [] })
        assert.equal(await ask('/again'), 42)
      })

      test('earlier states are read from the log, and there is no feed that waits', async () => {
        const expected = { found: [[1], [2], [2, 1]], codes: ['invalid', 'not_found', 'unsupported', 'closed'], left: 0, now: 2 }
        assert.deepEqual(await ask('/at'), expected)
      })

      test('42 transactions at once, some of which wait inside', async () => {
        const counts = await Promise.all(numbers(42).map((n) => ask('/increment', `n=${n}`)))
        assert.deepEqual(counts.toSorted((a, b) => a - b), numbers(42).map((n) => n + 1))
        assert.equal(await ask('/counter'), 42)
      })

      test('one request makes many writes at once', async () => {
        assert.equal(await ask('/many', 'n=300'), 300)
        assert.equal(await ask('/count', 'where=i >= 0'), 300)
      })

      for (const [n, what] of [[1, 'before its batch is stored'], [2, 'after its batch is stored']] as const) {
        test(`a request that is cut off ${what} stops no other`, async () => {
          await ask('/swallow', `n=${n}`)
          const ids = await Promise.all(numbers(10).map((i) => ask('/insert', `n=${1000 * n + i}`)))
          assert.equal(new Set(ids).size, 10)
          assert.equal(await ask('/count', `where=n >= ${1000 * n} and n < ${1000 * n + 10}`), 10)
          assert.equal(await ask('/count', `where=swallowed = ${n}`), 1, 'its bytes are appended again, and not twice')
          const report = await ask('/verify')
          assert.ok(report.ok, JSON.stringify(report))
        })
      }

      // It waits for as long as a request may keep the turn.
      test('an append that fails after another request has taken it over fails no write', { skip: kind !== 'd1' }, async () => {
        assert.deepEqual(await ask('/fail-late'), ['fulfilled', 'fulfilled'])
        assert.equal(await ask('/count', 'where=late exists'), 2)
      })

      test('a transaction that is cut off stops no other, and leaves nothing', async () => {
        const before = await ask('/count')
        await ask('/hang')
        const [id] = await Promise.all([ask('/insert', 'n=5000'), ask('/increment', 'n=1')])
        assert.ok(id > 0)
        assert.equal(await ask('/count'), before + 1)
        assert.equal(await ask('/count', 'where=hanging exists'), 0)
        const report = await ask('/verify')
        assert.ok(report.ok, JSON.stringify(report))
        assert.equal(await ask('/again'), before + 1)
      })

      test('live queries hear of what is stored, and of nothing else', async () => {
        assert.deepEqual(await ask('/live'), { told: [0, 1, 3], rows: 2, left: 0 })
      })
    })
  }

  test('an object goes on after a failed ctx.storage.transaction has taken batches back', async () => {
    const { miniflare, address } = await start()
    try {
      for (const path of ['/insert', '/verify']) {
        const response = await within(30_000, path, fetch(new URL(`${path}?on=object`, address)))
        const text = await response.text()
        assert.equal(response.status, 200, text)
        const { error, id, all, counts, report } = JSON.parse(text)
        assert.equal(error, 'taken back')
        assert.ok(report.ok, JSON.stringify(report))
        if (path === '/insert') {
          assert.equal(id, 2)
          assert.deepEqual(all, [1, 5, 6, 7])
        } else {
          assert.deepEqual(counts, [1])
        }
      }
    } finally {
      await miniflare.dispose()
    }
  })
})
