// What goes wrong around an AtomicDurableObject in local workerd: processes that are killed, objects that are aborted,
// callers that send anything, transactions of Cloudflare's that fail, and many at once.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectTCP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'undici'
import type { AtomicDB } from '../src/index.js'
import { within } from './harness/deadline.js'
import { askApart, startWorker, workerModules, type RunningWorker } from './harness/workerd.js'

const worker = `
import { AtomicDB, SQLiteStorage } from 'atomicdb'
import { AtomicDurableObject, connect } from 'atomicdb/worker'

/** Every value that a document can hold. */
const values = () => ({ big: [2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n], bytes: Uint8Array.of(0, 255), none: new Uint8Array(), date: new Date(-5.5), numbers: [NaN, -0, Infinity, -Infinity, 0.1, 2 ** 53, 5e-324], text: '\\u0000\\ud83d\\ude00', empty: [{}, [], ''], flags: [true, false, null], $date: 1, deep: { a: [{ b: [{ c: new Date(7), d: 1n, e: Uint8Array.of(1) }] }], ['__proto__x']: 1 } })

/** What differs, by path. Object.is tells -0 and NaN apart from others. */
function differences(a, b, path = '') {
  if (Object.is(a, b)) return []
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return [path + ': ' + String(a) + ' is ' + String(b)]
  if (a instanceof Date) return Object.is(a.getTime(), b.getTime()) ? [] : [path + ': ' + a.getTime() + ' is ' + b.getTime()]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) => differences(a[key], b[key], path + '/' + key))
}

export class Notes extends AtomicDurableObject {
  authorise() {
    return 'write'
  }
  async fetch(request) {
    const what = new URL(request.url).pathname.split('/')[2]
    if (what === 'abort') this.ctx.abort()
    if (what === 'sync') return Response.json(await this.inSync())
    if (what === 'async') return Response.json(await this.inAsync())
    return super.fetch(request)
  }
  async inSync() {
    const db = await this.database()
    const { storage } = this.ctx
    await db.insert({ n: 1 })
    const failing = (work) => {
      try {
        storage.transactionSync(() => {
          work()
          throw new Error('taken back')
        })
      } catch (error) {
        return error.message
      }
    }
    let inside
    const errors = [failing(() => { inside = db.insert({ n: 2 }) }), failing(() => { inside = Promise.all([inside, db.insert({ n: 3 }), db.update({ m: 1 }, 'n = 1')]) })]
    await inside
    const kept = await storage.transactionSync(() => db.insert({ n: 4 }))
    return { errors, kept, all: (await db.all()).map(({ n }) => n), m: (await db.get(1)).m, report: await db.verify() }
  }
  async inAsync() {
    const db = await this.database()
    const found = []
    for (let round = 0; round < 3; round++) {
      await db.insert({ round })
      const error = await this.ctx.storage.transaction(async () => {
        await db.insert({ lost: round })
        await db.transaction(async (tx) => {
          await tx.update({ lost: round }, 'round = ' + round)
          await tx.insert({ lost: round })
        })
        throw new Error('taken back')
      }).catch((error) => error.message)
      // The first call afterwards is another one each round.
      if (round === 0) await db.insert({ after: round })
      else if (round === 1) await db.transaction((tx) => tx.insert({ after: round }))
      else await Promise.all([db.insert({ after: round }), db.update({ seen: true }, 'round = 0')])
      found.push({ error, lost: await db.count('lost exists') })
    }
    await this.ctx.storage.transaction(() => db.insert({ kept: true }))
    return { found, rounds: await db.count('round exists'), after: await db.count('after exists'), kept: await db.count('kept = true'), report: await db.verify() }
  }
}

let opening
let opened = 0

export default {
  async fetch(request, env) {
    const url = new URL(request.url)
    const [, name, what] = url.pathname.split('/')
    if (name === 'd1') {
      const db = await (opening ??= (opened++, AtomicDB.open('notes', { storage: new SQLiteStorage(env.D1) })))
      if (what === 'verify') return Response.json(await db.verify())
      if (what === 'all') return Response.json((await db.all()).map(({ n }) => n))
      return Response.json({ id: await db.insert({ n: Number(what) }), opened })
    }
    const stub = () => env.NOTES.get(env.NOTES.idFromName(name))
    if (what === 'values') {
      const memory = await AtomicDB.open('values', { inMemory: true })
      const given = await memory.get(await memory.insert(values())) // as the engine keeps them: 1n is 1
      delete given._id
      const { value: id } = await stub().call('insert', [values()])
      const { value: got } = await stub().call('get', [id])
      const { value: [found] } = await stub().call('find', [{ big: { $in: [2n ** 63n - 1n] }, date: given.date }])
      const db = await connect(stub)
      const over = await db.get(await db.insert(values()))
      const same = await db.count({ bytes: given.bytes, 'numbers.1': 0 })
      await db.close()
      delete got._id
      delete found._id
      delete over._id
      return Response.json([...differences(given, got, 'call'), ...differences(given, found, 'find'), ...differences(given, over, 'connect'), ...(same === 2 ? [] : ['count ' + same])])
    }
    return stub().fetch(request)
  },
}
`
const numbers = (length: number) => Array.from({ length }, (_, n) => n)

describe('what goes wrong around a Durable Object', { timeout: 900_000 }, () => {
  let folder: string
  let modules: Awaited<ReturnType<typeof workerModules>>
  let running: RunningWorker
  let connect: (target: string, options?: object) => Promise<AtomicDB>
  const opened: AtomicDB[] = []

  const start = async () => {
    running = await startWorker(modules, { durableObjects: { NOTES: { className: 'Notes', useSQLite: true } }, durableObjectsPersist: folder })
  }
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atomicdb-faults-'))
    modules = await workerModules(worker)
    ;({ connect } = (await import('atomicdb/worker' as string)) as any)
    await start()
  })
  after(async () => {
    await Promise.all(opened.map((db) => db.close().catch(() => {})))
    await running.miniflare.dispose()
    await rm(folder, { recursive: true, force: true })
  })

  const ask = async (path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST', at = running.address) => {
    const response = await within(30_000, path, fetch(new URL(path, at), { method, ...(body !== undefined && { body: typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body) }) }))
    const text = await response.text()
    return { status: response.status, value: /json/.test(response.headers.get('Content-Type') ?? '') ? JSON.parse(text) : text }
  }
  const open = async (name: string) => {
    const db = await within(20_000, `connect to ${name}`, connect(new URL(name, running.address).href, { WebSocket }))
    opened.push(db)
    return db
  }
  const abort = (name: string) => askApart(new URL(`/${name}/abort`, running.address))
  /** Looks until it holds: what crosses sockets tells of itself only by what it has changed here. */
  const eventually = async (what: string, holds: () => boolean) => {
    for (let tries = 0; !holds(); tries++) {
      assert.ok(tries < 2000, what)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  test('200 requests at once over 12 objects of one isolate, one of which is aborted in between', async () => {
    const answers = await Promise.all(numbers(200).map(async (n) => {
      if (n === 100) await abort('aborted')
      const name = `object${n % 12}`
      const made = await ask(`/${name}/notes`, { n })
      const own = await ask(`/${name}/notes?where=n=${n}`)
      const sum = await ask(`/${name}/query`, { sql: 'SELECT count(*) AS c FROM notes WHERE n <= ?', params: [n] })
      return { n, made, own, sum }
    }))
    for (const { n, made, own, sum } of answers) {
      assert.equal(made.status, 201, JSON.stringify(made.value))
      assert.deepEqual(own.value.documents, [{ _id: made.value.id, n }])
      assert.ok(sum.value.rows[0].c >= 1 && sum.value.rows[0].c <= Math.floor(n / 12) + 1, `${sum.value.rows[0].c}`)
    }
    for (const k of numbers(12)) {
      const own = answers.filter(({ n }) => n % 12 === k)
      assert.deepEqual(own.map(({ made }) => made.value.id).toSorted((a, b) => a - b), own.map((_, i) => i + 1))
      assert.ok((await (await open(`object${k}`)).verify()).ok)
    }
  })

  test('workerd is killed in the middle of writes: all that was acknowledged is there', async () => {
    const acknowledged = new Map<string, number[]>(numbers(4).map((k) => [`killed${k}`, []]))
    let n = 0
    for (let round = 0; round < 3; round++) {
      let isKilled = false
      const { address } = running
      const before = n
      const writers = [...acknowledged].flatMap(([name, own]) => [1, 2].map(async () => {
        while (!isKilled) {
          const mine = n++
          const done = await ask(`/${name}/notes`, { n: mine, text: 'x'.repeat(500) }, 'POST', address).catch(() => undefined)
          if (done?.status === 201) own.push(mine)
        }
      }))
      await eventually('nothing is acknowledged', () => n > before + 150)
      running.kill()
      isKilled = true
      await Promise.all(writers)
      await running.miniflare.dispose()
      await start()
      for (const [name, own] of acknowledged) {
        const db = await open(name)
        const found = new Set((await db.all('notes')).map((document: any) => document.n))
        assert.deepEqual(own.filter((mine) => !found.has(mine)), [], `round ${round}: these documents of ${name} are lost`)
        assert.ok((await db.verify()).ok)
      }
    }
    assert.ok([...acknowledged.values()].flat().length > 100)
    await Promise.all(opened.splice(0).map((db) => db.close().catch(() => {})))
  })

  test('an object is aborted again and again, while others write to it, and live queries of it go on', async () => {
    const viewers = await Promise.all(numbers(4).map(() => open('restless')))
    const told = viewers.map(() => [] as number[][])
    const errors: unknown[] = []
    for (const [k, viewer] of viewers.entries()) viewer.live('true', { sort: 'n', collection: 'notes' }).subscribe((result) => (told[k] = [...told[k]!, result.map((document: any) => document.n)]), (error) => errors.push(error))
    const stored: number[] = []
    for (let round = 0; round < 4; round++) {
      const writes = numbers(20).map(async (i) => {
        const n = 100 * round + i
        while ((await ask('/restless/notes/' + n, { n }, 'PUT').catch(() => undefined))?.status !== 201) if ((await ask('/restless/notes/' + n).catch(() => undefined))?.status === 200) break
        stored.push(n)
      })
      await abort('restless')
      await Promise.all(writes)
      for (const k of viewers.keys()) await eventually(`round ${round}: viewer ${k} has not heard`, () => told[k]!.at(-1)?.length === stored.length)
    }
    stored.sort((a, b) => a - b)
    for (const own of told) assert.deepEqual(own.at(-1), stored)
    assert.deepEqual(errors, [])
    await Promise.all(viewers.map((viewer) => viewer.close()))
  })

  test('a failed transactionSync of Cloudflare takes back nothing that is acknowledged', async () => {
    const { status, value } = await ask('/sync/sync')
    assert.equal(status, 200, JSON.stringify(value))
    assert.deepEqual(value.errors, ['taken back', 'taken back'])
    assert.deepEqual([value.kept, value.all, value.m], [4, [1, 2, 3, 4], 1])
    assert.ok(value.report.ok, JSON.stringify(value.report))
    await abort('sync')
    assert.equal((await ask('/sync/query', { sql: 'SELECT count(*) AS c FROM default' })).value.rows[0].c, 4, 'after a new start')
  })

  test('failed transactions of Cloudflare, one after the other, leave the object usable', async () => {
    const { status, value } = await ask('/async/async')
    assert.equal(status, 200, JSON.stringify(value))
    assert.deepEqual(value.found, numbers(3).map(() => ({ error: 'taken back', lost: 0 })))
    assert.deepEqual([value.rounds, value.after, value.kept], [3, 3, 1])
    assert.ok(value.report.ok, JSON.stringify(value.report))
    await abort('async')
    assert.ok((await (await open('async')).verify()).ok)
  })

  test('every value survives RPC, both ways, and connect', async () => {
    assert.deepEqual((await ask('/values/values')).value, [])
  })

  test('hostile bodies and addresses get an error that says what is wrong, and store nothing', async () => {
    const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    const bytes = new Uint8Array(1000).map((_, i) => (i * 151) % 256)
    for (const [path, method, body, status] of [
      ...['', '{', '{"a":', 'nul', '{"a":1}}', '\u0000', bytes].map((body) => ['/hostile/notes', 'POST', body, 400] as const),
      ...['null', '5', '"text"', 'true', '[1]', '[null]', '[[]]', '{"_id":{}}', '{"_id":1.5}', '{"_id":null}', '{"__proto__":{"x":1}}', `{"a":${deep(200)}}`].map((body) => ['/hostile/notes', 'POST', body, 400] as const),
      ...['[]', '5', 'null', '"x"'].map((body) => ['/hostile/notes/1', 'PUT', body, 400] as const),
      ['/hostile/notes/1', 'PATCH', '{"$inc":{"a":"x"}}', 400],
      ['/hostile/notes/1', 'PATCH', '{"$inc":{"a":1}}', 404],
      ['/hostile/notes/1', 'DELETE', undefined, 404],
      ...['5', 'null', '[]', '{"where":5}', '{"filter":"n >"}', '{"filter":{"$nothing":1}}', '{"where":"true","limit":-1}', '{"where":"true","limit":1e9}', '{"where":"true","limit":"9"}', '{"where":"true","cursor":"x"}', '{"where":"true","cursor":5}', '{"where":"true","sort":5}', '{"where":"true","fields":5}', '{"where":"true","collection":5}', '{"sql":5}', '{"sql":"SELEC"}', '{"sql":"SELECT ?","params":5}', '{"sql":"SELECT * FROM notes WHERE n = ?"}'].map((body) => ['/hostile/query', 'POST', body, 400] as const),
      ['/hostile/notes', 'PUT', '{}', 404],
      ['/hostile/a/b/c', 'GET', undefined, 404],
      ['/hostile', 'GET', undefined, 404],
      ['/hostile/changes?since=-1', 'GET', undefined, 400],
      ['/hostile/notes/%E0%A4%A', 'GET', undefined, 400],
    ] as const) {
      const answer = await ask(path, body, method)
      const shown = `${method} ${path} ${typeof body === 'string' ? body.slice(0, 40) : ''}: ${answer.status} ${JSON.stringify(answer.value).slice(0, 200)}`
      assert.equal(answer.status, status, shown)
      assert.ok(typeof answer.value.code === 'string' && answer.value.code !== 'internal', shown)
    }
    // Without a length, so that it is read before it is refused. What is refused by its length is not read, and workerd ends
    // the connection then: of what a client sends after an answer, it takes about 64 KiB, and resets it if more is on its way.
    const large = new Blob([`{"a":"${'x'.repeat(17 << 20)}"}`])
    const refused = await within(30_000, 'a large body', fetch(new URL('/hostile/notes', running.address), { method: 'POST', body: large.stream(), duplex: 'half' } as RequestInit))
    assert.deepEqual([refused.status, ((await refused.json()) as { code: string }).code], [413, 'too_large'])
    const declared = await fetch(new URL('/hostile/notes', running.address), { method: 'POST', body: large }).then(({ status }) => status, () => 413)
    assert.equal(declared, 413)
    assert.equal((await ask('/hostile/notes', '{"n":1}\n{"n":\n', 'POST')).status, 400)
    assert.deepEqual((await ask('/hostile/notes')).value, { documents: [] })
  })

  test('a caller that sends half a request, or half a frame, and goes away disturbs no other', async () => {
    const { hostname, port } = running.address
    const request = (line: string, ...headers: string[]) => [line, 'Host: object', ...headers, '', ''].join('\r\n')
    const upgrade = request('GET /halves HTTP/1.1', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==')
    const frames = [
      Buffer.from([0x81, 0xfe, 0x00]), // the length is cut off
      Buffer.from([0x81, 0x85, 1, 2, 3, 4, 5]), // the text is
      Buffer.from([0x01, 0x81, 0, 0, 0, 0, 0x5b]), // a first frame without a last one
      Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), // a length of 2^63
      Buffer.from([0xff, 0xff, 0xff]), // what is no frame
    ]
    for (const [first, then] of [[request('POST /halves/notes HTTP/1.1', 'Content-Length: 1000') + '{"n":'], [upgrade], ...frames.map((frame) => [upgrade, frame])]) {
      const socket = connectTCP(Number(port), hostname)
      socket.on('error', () => {})
      await once(socket, 'connect')
      socket.write(first!)
      if (first === upgrade) await within(10_000, 'the upgrade', once(socket, 'data'))
      if (then) socket.write(then)
      await new Promise<void>((resolve) => socket.end(() => resolve()))
      socket.destroy()
      assert.equal((await ask('/halves/notes', { n: 1 })).status, 201)
    }
    assert.ok((await (await open('halves')).verify()).ok)
  })

  test('hostile messages of a socket close it, or are answered with an error, and disturb no other', async () => {
    const db = await open('messages')
    await db.insert({ n: 1 })
    const raw = async () => {
      const socket = new WebSocket(new URL('/messages', running.address.href.replace('http', 'ws')), ['atomicdb.1'])
      const received: string[] = []
      const closed = once(socket, 'close')
      socket.addEventListener('message', ({ data }) => received.push(String(data)))
      await eventually('the greeting', () => received.length > 0)
      return { socket, received, closed }
    }
    const call = (name: string, argument?: unknown) => JSON.stringify([{ id: 1, name, argument }])
    const closing = ['', 'x', 'null', '5', '"text"', '{}', '[null]', '[5]', '[{}]', '[{"id":1.5,"name":"read"}]', '[{"id":"1"}]', '[{"id":1,"name":"live"}]', '[{"$nothing":1}]', '{"$bigint":"x"}', '{"$bytes":"%"}', '['.repeat(100_000)]
    for (const message of [...closing, Buffer.from([1, 2, 3])]) {
      const { socket, closed } = await raw()
      socket.send(message)
      await within(10_000, `the end after ${String(message).slice(0, 40)}`, closed)
    }
    const refused = ['nothing', 'constructor', '__proto__', 'toString', '__defineGetter__', 'hasOwnProperty'].map((name) => call(name))
      .concat(['read', 'write', 'inTransaction', 'nextChanges', 'at', 'parseFile', 'openFeed'].flatMap((name) => [undefined, null, 5, 'x', [], {}, { call: 5 }, { call: { op: 1e9, args: { $bytes: '' } } }, { call: { op: -1, args: { $bytes: 'AAAA' } } }, { id: {}, since: {} }, { file: 5, type: 5 }].map((argument) => call(name, argument))))
    const { socket, received } = await raw()
    socket.send(call('open'))
    await eventually('the answer to open', () => received.length > 1)
    for (const message of refused) {
      const before = received.length
      socket.send(message)
      await eventually(`no answer to ${message}`, () => received.length > before || socket.readyState !== WebSocket.OPEN)
      assert.equal(socket.readyState, WebSocket.OPEN, message)
      const [reply] = JSON.parse(received.at(-1)!)
      assert.ok(reply.error, `${message} is answered by ${received.at(-1)!.slice(0, 200)}`)
      assert.notEqual(reply.error.code, 'internal', `${message}: ${JSON.stringify(reply.error)}`)
    }
    socket.close()
    assert.equal(await db.count(), 1)
    assert.ok((await db.verify()).ok)
  })

  test('a flood of calls, live queries and feeds of one socket is bounded, and others are served', async () => {
    const db = await open('flood')
    await db.insert({ n: 1 })
    const socket = new WebSocket(new URL('/flood', running.address.href.replace('http', 'ws')), ['atomicdb.1'])
    const received: string[] = []
    socket.addEventListener('message', ({ data }) => received.push(String(data)))
    await eventually('the greeting', () => received.length > 0)
    socket.send('[{"id":1,"name":"open"}]')
    for (let n = 0; n < 8; n++) {
      const lives = numbers(500).map((i) => ({ id: 2, name: 'live', argument: { id: 500 * n + i, after: 0 } }))
      const feeds = numbers(500).map((i) => ({ id: 2, name: 'openFeed', argument: { id: 500 * n + i } }))
      socket.send(JSON.stringify([...lives, ...feeds]))
      socket.send(JSON.stringify(numbers(1000).map(() => ({ id: 3, name: 'open' }))))
    }
    for (const what of [/live: .*at most 1,000/, /openFeed: .*at most 1,000/, /open: it is open/]) await eventually(`nothing is refused by ${what}`, () => received.some((text) => what.test(text)))
    assert.equal(await within(20_000, 'another caller', db.count()), 1)
    await db.insert({ n: 2 })
    socket.close()
    await once(socket, 'close')
    assert.equal(await db.count(), 2)
    assert.ok((await db.verify()).ok)
  })
})

test('two isolates at once write to one D1', { timeout: 360_000 }, async () => {
  const modules = await workerModules(worker)
  const one = (name: string) => ({ name, modules, compatibilityDate: '2026-04-20', routes: [`${name}.example/*`], d1Databases: { D1: 'shared' }, durableObjects: { NOTES: { className: 'Notes', useSQLite: true } } })
  const { Miniflare } = await import('miniflare')
  const miniflare = new Miniflare({ workers: [one('left'), one('right')] } as any)
  try {
    const ask = async (host: string, path: string): Promise<any> => {
      const response = await within(60_000, host + path, miniflare.dispatchFetch(`http://${host}.example/d1/${path}`))
      const text = await response.text()
      assert.equal(response.status, 200, text)
      return JSON.parse(text)
    }
    const hosts = ['left', 'right']
    const made = await Promise.all(numbers(42).map((n) => ask(hosts[n % 2]!, String(n))))
    assert.deepEqual(made.map(({ id }) => id).toSorted((a, b) => a - b), numbers(42).map((n) => n + 1))
    assert.deepEqual(new Set(made.map(({ opened }) => opened)), new Set([1]))
    await Promise.all(hosts.map((host) => ask(host, '42'))) // each write notices what the other has written
    for (const host of hosts) {
      const report = await ask(host, 'verify')
      assert.ok(report.ok, JSON.stringify(report))
    }
    const all: number[] = await ask('left', 'all')
    assert.deepEqual(new Set(all), new Set(numbers(43)))
  } finally {
    await miniflare.dispose()
  }
})
