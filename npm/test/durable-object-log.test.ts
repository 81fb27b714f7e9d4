// The log of an AtomicDurableObject in local workerd: when it is compacted, and what the next boot has of it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { within } from './harness/deadline.js'
import { startWorker, workerModules, type RunningWorker } from './harness/workerd.js'

const worker = `
import { AtomicDurableObject } from 'atomicdb/worker'

class Base extends AtomicDurableObject {
  async prepare(db) {
    await db.collection('notes').createIndex('n')
  }
  async write(times) {
    const db = await this.database()
    for (let n = 0; n < times; n++) await db.insert({ n, text: 'x'.repeat(100) }, 'notes')
    return this.state()
  }
  async state() {
    const db = await this.database()
    return {
      rows: [...this.ctx.storage.sql.exec('SELECT count(DISTINCT seq) AS n FROM atomicdb')][0].n,
      alarm: await this.ctx.storage.getAlarm(),
      count: await db.count('true', 'notes'),
      ok: (await db.verify()).ok,
    }
  }
  fill(count) {
    return this.database().then((db) => db.insertMany(Array.from({ length: count }, (_, n) => ({ n, text: 'x'.repeat(200) })), 'notes')).then(() => this.compact())
  }
  async some() {
    const db = await this.database()
    return { found: (await db.search('n >= 1998', { collection: 'notes', sort: '-n' })).map(({ n }) => n), ...(await this.state()) }
  }
  abort() {
    this.ctx.abort()
  }
}
export class Plain extends Base {}
export class Own extends Base {
  rings = 0
  async alarm() {
    this.rings++
    await this.compact()
  }
  setAlarm(time) {
    return this.ctx.storage.setAlarm(time)
  }
  getRings() {
    return this.rings
  }
}
export default {
  async fetch(request, env) {
    const [, space, name, method, argument] = new URL(request.url).pathname.split('/')
    const stub = env[space].get(env[space].idFromName(name))
    return Response.json((await stub[method](argument && Number(argument))) ?? null)
  },
}
`

describe('the log of a Durable Object', { timeout: 720_000 }, () => {
  let running: RunningWorker
  before(async () => {
    running = await startWorker(await workerModules(worker), { durableObjects: { PLAIN: { className: 'Plain', useSQLite: true }, OWN: { className: 'Own', useSQLite: true } } })
  })
  after(() => running.miniflare.dispose())

  const ask = async (path: string): Promise<any> => {
    const response = await within(60_000, path, fetch(new URL(path, running.address)))
    const text = await response.text()
    assert.equal(response.status, 200, `${path}: ${text}`)
    return JSON.parse(text)
  }

  test('is compacted by an alarm, when nothing has been written for a while', async () => {
    const few = await ask('/PLAIN/few/write/60')
    assert.deepEqual([few.rows, few.alarm], [61, null], 'an object with a short log has no alarm')
    const many = await ask('/PLAIN/many/write/150')
    assert.deepEqual([many.rows, many.count], [151, 150])
    assert.ok(many.alarm > 0, 'no alarm is set')
    // It looks again and again: an alarm rings inside the object, and nothing tells of it outside.
    await within(60_000, 'the compaction', (async () => {
      while ((await ask('/PLAIN/many/state')).rows > 1) await new Promise((resolve) => setTimeout(resolve, 200))
    })())
    assert.deepEqual(await ask('/PLAIN/many/state'), { rows: 1, alarm: null, count: 150, ok: true })
    const later = await ask('/PLAIN/many/write/10')
    assert.deepEqual([later.rows, later.alarm, later.count], [11, null, 160])
    const again = await ask('/PLAIN/many/write/100')
    assert.ok(again.alarm > 0, 'no alarm is set the second time')
  })

  test('an alarm of the class is left alone, and may compact', async () => {
    const inAnHour = Date.now() + 3_600_000
    await ask('/OWN/one/write/1')
    await ask(`/OWN/one/setAlarm/${inAnHour}`)
    const { rows, alarm } = await ask('/OWN/one/write/150')
    assert.deepEqual([rows, alarm], [152, inAnHour])
    await ask(`/OWN/one/setAlarm/${Date.now()}`)
    await within(60_000, 'the alarm', (async () => { // as above
      while ((await ask('/OWN/one/getRings')) === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    })())
    assert.deepEqual(await ask('/OWN/one/state'), { rows: 1, alarm: null, count: 151, ok: true })
  })

  test('the next boot reads one snapshot', async () => {
    await ask('/PLAIN/booted/fill/2000')
    await ask('/PLAIN/booted/abort').catch(() => {})
    assert.deepEqual(await ask('/PLAIN/booted/some'), { found: [1999, 1998], rows: 1, alarm: null, count: 2000, ok: true })
  })
})
