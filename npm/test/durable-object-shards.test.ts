// Many AtomicDurableObjects asked as one, and their backups in R2, in local workerd.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { within } from './harness/deadline.js'
import { startWorker, workerModules, type RunningWorker } from './harness/workerd.js'

const objects = 200

const worker = `
import { AtomicDB } from 'atomicdb'
import { AtomicDurableObject, fanOut, shardOf } from 'atomicdb/worker'

export class Shard extends AtomicDurableObject {
  async backup() {
    const file = await this.exportRaw()
    await this.env.BACKUPS.put('shard', file)
    return file.length
  }
  abort() {
    this.ctx.abort('it was told to')
  }
}
const values = [null, false, true, -0.5, 3, 3.5, NaN, 2n ** 60n, 2n ** 60n + 1n, 'a', 'b', '\\uffff', '\\ud83d\\ude00', new Uint8Array([1]), new Date(5), [], [1, 2], ['b'], { a: 1 }, {}]
const all = () => Array.from({ length: 2000 }, (_, n) => ({ key: 'key ' + n, n, group: n % 7, ...(n % 11 && { value: values[(n * 13) % values.length] }), list: [{ x: n % 5 }, { x: (n * 3) % 8 }] }))

export default {
  async fetch(request, env) {
    const stubs = Array.from({ length: ${objects} }, (_, n) => env.SHARDS.get(env.SHARDS.idFromName('shard ' + n)))
    const shards = fanOut(stubs)
    switch (new URL(request.url).pathname) {
      case '/fill': {
        const own = stubs.map(() => [])
        for (const document of all()) own[shardOf(document.key, stubs.length)].push(document)
        const ids = await Promise.all(stubs.map((stub, n) => stub.call('insertMany', [own[n]])))
        return Response.json({ sizes: own.map(({ length }) => length), failed: ids.filter(({ error }) => error) })
      }
      case '/compare': {
        const one = await AtomicDB.open('one', { inMemory: true })
        const own = stubs.map(() => [])
        for (const document of all()) own[shardOf(document.key, stubs.length)].push(document)
        await one.insertMany(own.flat()) // ties are in the order of the shards
        const wrong = []
        const sort = JSON.parse(decodeURIComponent(new URL(request.url).search.slice(1))) ?? undefined
        for (const [condition, page] of [[undefined, {}], ['n < 1500', { limit: 20 }], [{ group: { $in: [1, 2] } }, { skip: 15, limit: 10 }], ['n < 0', { limit: 3 }]]) {
          const name = JSON.stringify([sort, condition, page])
          const found = await shards.find(condition, { sort, ...page })
          const expected = await one.search(condition, { ...(sort && { sort }), ...page })
          const keys = (documents) => documents.map(({ key }) => key).join()
          if (keys(found) !== keys(expected)) wrong.push(name)
        }
        await one.close()
        return Response.json(wrong)
      }
      case '/fields': {
        const one = await AtomicDB.open('one', { inMemory: true })
        const own = stubs.map(() => [])
        for (const document of all()) own[shardOf(document.key, stubs.length)].push(document)
        await one.insertMany(own.flat())
        const wrong = []
        for (const fields of [[], ['n'], ['n', 'value'], ['key', '-_id'], ['-list'], ['-list.x', '-value'], ['-_id'], ['_id', 'list.x'], ['-n']])
          for (const sort of [undefined, 'n', '-list.x', ['group', '-n'], { value: 'desc', n: 1 }]) {
            const page = { fields, skip: 3, limit: 40, ...(sort && { sort }) }
            const [found, expected] = await Promise.all([shards.find('n < 900', page), one.search('n < 900', page)])
            // The ids of several databases are not those of one.
            const text = (documents) => documents.map(({ _id, ...rest }) => (_id === undefined ? '' : 'id ') + String(Object.entries(rest).map(([name, value]) => name + JSON.stringify(value, (_, v) => typeof v === 'bigint' ? String(v) : v)))).join('|')
            if (text(found) !== text(expected)) wrong.push([fields, sort, text(found).slice(0, 200), text(expected).slice(0, 200)])
          }
        const refused = []
        for (const fields of ['n', ['n', '-key'], ['-key', 'n'], [5]]) refused.push(await shards.find('true', { fields, sort: 'n' }).then(() => 'none', ({ code }) => code))
        await one.close()
        return Response.json({ wrong, refused })
      }
      case '/lost': {
        const lost = [3, 77, 150]
        const end = () => Promise.all(lost.map((n) => stubs[n].abort().catch(() => {})))
        const anew = stubs.map((_, n) => () => env.SHARDS.get(env.SHARDS.idFromName('shard ' + n)))
        await shards.count()
        await end()
        const failed = []
        const [old, counted, fresh] = await Promise.all([shards.count().catch((error) => error), fanOut(stubs, { onFailure: ({ object }) => failed.push(object) }).count(), fanOut(anew, { concurrency: 7 }).count()])
        return Response.json({ old: typeof old === 'number' ? old : { code: old.code, message: old.message, failures: old.failures.map(({ object }) => object), answers: old.values.filter((value) => value !== undefined).length }, failed, counted, fresh })
      }
      case '/rest': {
        const codes = []
        for (const call of [() => shards.count('n <'), () => shards.find('true', { limit: -1 }), () => shards.call('close'), () => shards.find('true', { sort: 5 })]) codes.push(await call().then(() => 'none', ({ code }) => code))
        const counts = [await shards.count(), await shards.count('group = 3'), await shards.count({ n: { $gte: 1990 } }), await shards.count('true', 'others')]
        return Response.json({ codes, counts })
      }
      case '/backup': {
        const size = await stubs[0].backup()
        const file = new Uint8Array(await (await env.BACKUPS.get('shard')).arrayBuffer())
        const fresh = env.SHARDS.get(env.SHARDS.idFromName('restored'))
        await fresh.importRaw(file)
        const again = await fresh.importRaw(file).then(() => 'stored', ({ message }) => message)
        const damaged = await env.SHARDS.get(env.SHARDS.idFromName('damaged')).importRaw(file.slice(0, -3)).then(() => 'stored', ({ message }) => message)
        const [before, after] = await fanOut([stubs[0], fresh]).call('all')
        const late = await fresh.importRaw(file).then(() => 'stored', ({ message }) => message)
        return Response.json({ size, length: file.length, count: before.length, same: JSON.stringify(before.map(({ key }) => key)) === JSON.stringify(after.map(({ key }) => key)), again, damaged, late })
      }
    }
  },
}
`

describe('many Durable Objects as one', { timeout: 720_000 }, () => {
  let running: RunningWorker
  before(async () => {
    running = await startWorker(await workerModules(worker), { durableObjects: { SHARDS: { className: 'Shard', useSQLite: true } }, r2Buckets: ['BACKUPS'] })
  })
  after(() => running.miniflare.dispose())

  const ask = async (path: string): Promise<any> => {
    const response = await within(120_000, path, running.miniflare.dispatchFetch(new URL(path, running.address).href))
    const text = await response.text()
    assert.equal(response.status, 200, `${path}: ${text}`)
    return JSON.parse(text)
  }

  test(`${objects} objects of one isolate are found in, sorted and counted as one database`, async () => {
    const { sizes, failed } = await ask('/fill')
    assert.deepEqual(failed, [])
    assert.ok(Math.max(...sizes) < 30, `the shards have ${sizes}`)
    for (const sort of [null, 'value', '-value', ['group', '-value'], ['-group', 'n'], { value: 'desc', n: 1 }, 'list.x', '-list.x', 'list.0.x', 'missing']) {
      assert.deepEqual(await ask(`/compare?${encodeURIComponent(JSON.stringify(sort))}`), [])
    }
    assert.deepEqual(await ask('/rest'), { codes: ['invalid', 'invalid', 'unsupported', 'invalid'], counts: [2000, 286, 10, 0] })
  })

  test('the objects send the fields that are asked for, and an order by others holds', async () => {
    assert.deepEqual(await ask('/fields'), { wrong: [], refused: ['invalid', 'invalid', 'invalid', 'invalid'] })
  })

  test('objects that have died are asked again by new stubs, and named where there are none', async () => {
    const { old, failed, counted, fresh } = await ask('/lost')
    assert.equal(fresh, 2000)
    assert.deepEqual(old.failures, [3, 77, 150])
    assert.equal(old.code, 'storage')
    assert.match(old.message, /^3 of 200 objects \(3, 77, 150\): the object could not be asked: .*it was told to/)
    assert.equal(old.answers, 197)
    assert.deepEqual(failed, [3, 77, 150])
    assert.ok(counted < 2000 && counted > 1900, `${counted}`)
  })

  test('a backup in R2 becomes a new object', async () => {
    const { size, length, count, same, again, damaged, late } = await ask('/backup')
    assert.equal(size, length)
    assert.ok(count > 0)
    assert.ok(same)
    assert.match(again, /is not empty|something|holds|stored/)
    assert.match(damaged, /file/)
    assert.match(late, /importRaw: the database of this object is open/)
  })
})

test('shardOf spreads keys, and moves few of them when there are more shards', async () => {
  const { shardOf } = (await import('atomicdb/worker' as string)) as typeof import('../src/cloudflare/elsewhere.js')
  const keys = Array.from({ length: 20_000 }, (_, n) => (n % 2 ? n : `user-${n}`))
  const sizes = new Array<number>(16).fill(0)
  let moved = 0
  for (const key of keys) {
    const shard = shardOf(key, 16)
    sizes[shard]!++
    const later = shardOf(key, 20)
    if (later !== shard) {
      assert.ok(later >= 16, `${key} has moved from ${shard} to ${later}`)
      moved++
    }
  }
  assert.ok(Math.min(...sizes) > 1000 && Math.max(...sizes) < 1500, `${sizes}`)
  assert.ok(moved > 3500 && moved < 4500, `${moved}`)
  // They are where documents are: these numbers must never change.
  assert.deepEqual(['', 'a', 'user-1', '\u{1f600}', 42].map((key) => shardOf(key, 1000)), [401, 364, 883, 787, 47])
  assert.equal(shardOf(42, 1000), shardOf('42', 1000))
  for (const [key, count] of [[{}, 2], [1.5, 2], ['a', 0], ['a', 1.5], ['a', '2'], ['a', 1e9]]) assert.throws(() => shardOf(key as string, count as number), { code: 'invalid' })
})

test('fanOut repeats what only reads, some objects at a time, and names those that fail', async () => {
  const { fanOut, FanOutError } = (await import('atomicdb/worker' as string)) as typeof import('../src/cloudflare/elsewhere.js')
  const lost = (properties = {}) => Object.assign(new Error('the network is gone'), properties)
  let asked: string[] = []
  /** Objects that answer with their number, once they have failed so often. */
  const objects = (failures: number[], error: () => unknown = lost) => failures.map((left, n) => ({
    async call(name: string) {
      asked.push(`${name} ${n}`)
      if (left-- > 0) throw error()
      return { value: n }
    },
  }))
  const count = (text: string) => asked.splice(0).filter((one) => one === text).length

  assert.deepEqual(await fanOut(objects([0, 2, 1])).call('get'), [0, 1, 2])
  assert.equal(count('get 1'), 3)
  const error: InstanceType<typeof FanOutError> = await fanOut(objects([0, 3, 0])).call('get').catch((error) => error)
  assert.ok(error instanceof FanOutError)
  assert.equal(error.code, 'storage')
  assert.equal(error.message, 'object 1: the object could not be asked: the network is gone')
  assert.deepEqual([error.failures.map(({ object }) => object), error.values], [[1], [0, undefined, 2]])
  assert.equal(count('get 1'), 3)
  // Made once: nobody knows whether a write was stored, and who is overloaded is not helped.
  for (const name of ['insert', 'sql', 'update']) {
    await assert.rejects(fanOut(objects([0, 1])).call(name), { code: 'storage' })
    assert.equal(count(`${name} 1`), 1)
  }
  await assert.rejects(fanOut(objects([1], () => lost({ overloaded: true }))).call('get'), { code: 'storage' })
  assert.equal(count('get 0'), 1)
  await assert.rejects(fanOut(objects([1]), { attempts: 1 }).call('get'), { code: 'storage' })
  assert.equal(count('get 0'), 1)

  let stubs = 0
  const anew = objects([1]).map((object) => () => (stubs++, object))
  assert.deepEqual(await fanOut(anew).call('count'), [0])
  assert.equal(stubs, 2)

  let [running, most] = [0, 0]
  const slow = Array.from({ length: 50 }, (_, n) => ({
    async call() {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return { value: n }
    },
  }))
  assert.deepEqual(await fanOut(slow, { concurrency: 6 }).call('all'), slow.map((_, n) => n))
  assert.equal(most, 6)

  const failed: number[] = []
  const onFailure = ({ object }: { object: number }) => failed.push(object)
  assert.equal(await fanOut(objects([0, 9, 0, 9]), { attempts: 1, onFailure }).count(), 2)
  assert.deepEqual(failed, [1, 3])
  await assert.rejects(fanOut(objects([9, 9]), { attempts: 1, onFailure }).count(), /2 of 2 objects \(0, 1\)/)
  assert.deepEqual(await fanOut([], { onFailure }).find(), [])
  for (const settings of [{ attempts: 0 }, { attempts: 1.5 }, { concurrency: 0 }, { concurrency: '2' }, { onFailure: 5 }]) assert.throws(() => fanOut([], settings as never), { code: 'invalid' })
})
