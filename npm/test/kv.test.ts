// KVStorage in workerd, on Miniflare's KV, and on a KV that shows writes from elsewhere late, as Cloudflare's does.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Miniflare } from 'miniflare'
import { AtomicDB, AtomicDBError, KVStorage } from '../src/index.js'
import * as lib from '../src/index.js'
import { within } from './harness/deadline.js'
import { testWasm } from './harness/node.js'
import { startWorker, workerModules } from './harness/workerd.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'
import { sharesObject } from './suites/storages.js'
import { contract } from '../src/testing.js'

const worker = `
import { AtomicDB, KVStorage } from 'atomicdb'
import wasm from 'atomicdb/atomicdb.wasm'
import { contract } from './src/testing.ts'

async function tests(kv) {
  const results = {}
  for (const { name, run } of contract) results[name] = await run(() => new KVStorage(kv, name)).then(() => 'ok', (error) => error.stack)
  return results
}

/** Adds documents one by one, then counts what another database reads. */
async function visit(kv) {
  const open = () => AtomicDB.open('notes', { wasm, storage: new KVStorage(kv, 'notes') })
  const db = await open()
  for (let n = 0; n < 60; n++) await db.insert({ n, text: 'x'.repeat(n * 100) })
  await db.close()
  const again = await open()
  const count = await again.count()
  await again.close()
  return { count, keys: (await kv.list()).keys.filter(({ name }) => name.startsWith('atomicdb/notes/')).length }
}

export default {
  async fetch(request, env) {
    return Response.json(await (new URL(request.url).pathname === '/tests' ? tests(env.KV) : visit(env.KV)))
  },
}
`

describe('KV in workerd', { timeout: 360_000 }, () => {
  let miniflare: Miniflare

  before(async () => {
    ;({ miniflare } = await startWorker(await workerModules(worker), { kvNamespaces: { KV: 'test' } }))
  })
  after(() => miniflare.dispose())

  const ask = async (url: string) => {
    const response = await within(60_000, url, miniflare.dispatchFetch(url))
    const text = await response.text()
    assert.equal(response.status, 200, text)
    return JSON.parse(text) as unknown
  }

  test('passes the contract of storages', async () => {
    const results = Object.entries((await ask('http://kv/tests')) as Record<string, string>)
    assert.ok(results.length > 4)
    assert.deepEqual(results.filter(([, result]) => result !== 'ok'), [])
  })

  test('keeps a database, in so few keys that a free plan can read it', async () => {
    for (const count of [60, 120, 180]) {
      const found = (await ask('http://kv/visit')) as { count: number; keys: number }
      assert.equal(found.count, count)
      assert.ok(found.keys < 50, `${found.keys} keys`)
    }
  })
})

type Value = { bytes: Uint8Array; metadata: unknown } | null

/** A KV in which each location sees writes from others some steps later, in lists sooner or later than in values. */
class LaggingKV {
  private readonly history: { key: string; value: Value; step: number; listed: number; readable: number }[] = []
  private steps = 0
  failing: ((key: string) => void) | undefined

  /** @param lag How many steps it takes until another location sees something. */
  constructor(private readonly lag: () => number) {}

  /** The namespace as one location sees it; `here` sees its own writes at once. */
  at(here: boolean) {
    const seen = (by: 'listed' | 'readable') => {
      this.steps++
      const values = new Map<string, Value>()
      for (const change of this.history) if (here || change[by] <= this.steps) values.set(change.key, change.value)
      return values
    }
    const put = (key: string, value: Value) => {
      this.failing?.(key)
      const step = ++this.steps
      this.history.push({ key, value, step, listed: step + this.lag(), readable: step + this.lag() })
    }
    return {
      get: async (key: string) => seen('readable').get(key)?.bytes.slice().buffer ?? null,
      put: async (key: string, bytes: Uint8Array, { metadata }: { metadata: unknown }) => put(key, { bytes: bytes.slice(), metadata }),
      delete: async (key: string) => put(key, null),
      list: async ({ prefix, cursor = '' }: { prefix: string; cursor?: string }) => {
        const all = [...seen('listed')].filter(([key, value]) => value && key.startsWith(prefix) && key > cursor).sort(([a], [b]) => (a < b ? -1 : 1))
        const keys = all.slice(0, 7).map(([name, value]) => ({ name, metadata: value!.metadata }))
        return { keys, list_complete: keys.length === all.length, cursor: keys.at(-1)?.name }
      },
    }
  }
}

const open = (namespace: object) => AtomicDB.open('kv', { wasm: testWasm, storage: new KVStorage(namespace, 'kv') })
const hasCode = (code: string, message: RegExp) => (error: unknown) => error instanceof AtomicDBError && error.code === code && message.test(error.message)

describe('KV', { timeout: 360_000 }, () => {
  for (const { name, run } of contract) {
    test(name, async () => {
      const namespace = new LaggingKV(() => 0).at(true)
      await run(() => new KVStorage(namespace, 'contract'))
    })
  }

  test('one KVStorage may be used by several databases at once, and again after it was closed', async () => {
    await sharesObject(lib, new KVStorage(new LaggingKV(() => 0).at(true), 'object'), { wasm: testWasm })
  })

  test('shows elsewhere a whole version of the database, or says that it is not visible yet', async () => {
    const random = new Random(seed)
    const replay = replayOf('kv.test.ts')
    let whole = 0
    let late = 0
    for (let round = 0; round < 12; round++) {
      const kv = new LaggingKV(() => Math.floor(random.next() * random.next() * 60))
      const writer = await open(kv.at(true))
      for (let n = 1; n <= 60; n++) {
        await writer.transaction(async (tx) => {
          await tx.upsert({ _id: 'counter', n })
          await tx.insert({ n })
        })
        const reader = await open(kv.at(false)).catch((error: AtomicDBError) => error)
        if (reader instanceof AtomicDBError) {
          assert.ok(reader.code === 'storage' && /is not visible here yet/.test(reader.message), `${reader.message}; ${replay}`)
          late++
          continue
        }
        const { n: seen } = (await reader.get<{ n: number }>('counter')) ?? { n: 0 }
        assert.deepEqual((await reader.search('n exists and _id != "counter"')).map((d) => d.n), Array.from({ length: seen }, (_, i) => i + 1), `round ${round}, batch ${n}; ${replay}`)
        if (seen > 0) whole++
        await reader.close()
      }
      await writer.close()
    }
    assert.ok(whole > 100 && late > 10, `${whole} whole states, ${late} late; ${replay}`)
  })

  test('does not take a batch that is listed but not readable yet for a missing one', async () => {
    const kv = new LaggingKV(() => 0)
    const writer = await open(kv.at(true))
    await writer.insert({ n: 1 })
    await assert.rejects(open({ ...kv.at(true), get: async () => null }), hasCode('storage', /is not visible here yet/))
  })

  test('reports two writers, and overwrites the batch of neither', async () => {
    const kv = new LaggingKV(() => 0)
    const [here, there] = [await open(kv.at(true)), await open(kv.at(true))] // two isolates
    await here.insert({ by: 'here' })
    assert.equal(await there.insert({ by: 'there' }), 2)
    const late = new LaggingKV(() => 1_000)
    const [one, other] = [await open(late.at(true)), await open(late.at(false))]
    await one.insert({ by: 'one' })
    await other.insert({ by: 'other' })
    await assert.rejects(open(late.at(true)), hasCode('conflict', /two isolates have stored number 1/))
    await assert.rejects(one.insert({ by: 'one' }), hasCode('conflict', /only one may write at a time/))
  })

  test('at its limit refuses a write with quota and goes on', async () => {
    const kv = new LaggingKV(() => 0)
    const db = await open(kv.at(true))
    await db.insert({ n: 1 })
    kv.failing = () => {
      throw new Error('KV PUT failed: 429 Too Many Requests')
    }
    await assert.rejects(db.insert({ n: 2 }), hasCode('quota', /429/))
    kv.failing = undefined
    assert.equal(await db.insert({ n: 3 }), 2)
    assert.equal(await (await open(kv.at(true))).count('n = 3'), 1)
  })

  test('keeps batches that are too large for one value, whole or not at all', async () => {
    const kv = new LaggingKV(() => 0)
    const storage = new KVStorage(kv.at(true), 'large')
    const bytes = Uint8Array.from({ length: 45 << 20 }, (_, n) => n ^ (n >> 16))
    let puts = 0
    kv.failing = () => {
      if (++puts === 3) throw new Error('the last part is lost')
    }
    await assert.rejects(storage.append(1, bytes, 'relaxed'), hasCode('storage', /the last part is lost/))
    assert.deepEqual(await storage.read(0), [])
    kv.failing = undefined
    assert.equal(await storage.append(1, bytes, 'relaxed'), true)
    const [batch] = await storage.read(0)
    assert.equal(Buffer.compare(batch!.bytes, bytes), 0)
    await storage.destroy()
    assert.deepEqual((await kv.at(true).list({ prefix: '' })).keys, [])
  })

  test('is named in the error if it is not a KV namespace', () => {
    assert.throws(() => new KVStorage({}, 'x'), hasCode('invalid', /^namespace: expected a KV namespace binding, not an object/))
    assert.throws(() => new KVStorage(new LaggingKV(() => 0).at(true), ''), hasCode('invalid', /^name/))
    assert.throws(() => new KVStorage(new LaggingKV(() => 0).at(true), 'x'.repeat(500)), hasCode('invalid', /^name: a key in KV/))
  })
})
