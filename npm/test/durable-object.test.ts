// AtomicDurableObject in local workerd, and connect() to it from Node and from another Worker.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Miniflare } from 'miniflare'
import { WebSocket } from 'undici'
import type { AtomicDB } from '../src/index.js'
import { within } from './harness/deadline.js'
import { askApart, startWorker, workerModules, type Modules } from './harness/workerd.js'

const worker = `
import { AtomicDB } from 'atomicdb'
import { AtomicDurableObject, connect } from 'atomicdb/worker'

export class Notes extends AtomicDurableObject {
  made = Math.random()

  authorise(request) {
    const token = request.headers.get('Authorization')
    return token === 'Bearer secret' ? 'write' : token === 'Bearer reader' && 'read'
  }
  async prepare(db) {
    await db.createIndex('n')
  }
  async fetch(request) {
    const url = new URL(request.url)
    if (url.pathname.endsWith('/abort')) this.ctx.abort()
    if (url.pathname.endsWith('/made')) return Response.json(this.made)
    if (url.pathname.endsWith('/fail')) {
      const db = await this.database()
      const error = await this.ctx.storage.transaction(async () => {
        await db.insert({ lost: true })
        throw new Error('taken back')
      }).catch((error) => error.message)
      const id = await db.insert({ kept: true })
      return Response.json({ error, id, lost: await db.count('lost = true'), report: await db.verify() })
    }
    return super.fetch(request)
  }
}

export class Closed extends AtomicDurableObject {}

export class Strict extends Notes {
  options() {
    return { durability: 'strict' }
  }
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url)
    const [, name] = url.pathname.split('/')
    const of = (space) => space.get(space.idFromName(name))
    if (name === 'closed') return of(env.CLOSED).fetch(request)
    if (name === 'strict') return of(env.STRICT).fetch(request)
    if (name === 'in-memory') {
      const db = await AtomicDB.open('x', { inMemory: true })
      return Response.json(await db.insert({}))
    }
    if (name === 'rpc') {
      const stub = of(env.NOTES)
      const made = await stub.call('insert', [{ n: 1, when: new Date(5), big: 12345678901234567890n, bytes: new Uint8Array([1, 2]) }])
      const found = await stub.call('get', [made.value])
      const refused = await stub.call('insert', [{ _id: made.value }])
      const unknown = await stub.call('close', [])
      return Response.json({ made, when: found.value.when.getTime(), big: typeof found.value.big, bytes: found.value.bytes.length, refused: refused.error.code, unknown: unknown.error.code })
    }
    if (name === 'from-worker') {
      const db = await connect(() => of(env.NOTES), { token: 'secret' })
      const id = await db.insert({ n: 7 })
      const [first] = await db.search('n = 7')
      const plucked = (await db.search('n = 7')).pluck('n')
      const error = await db.insert({ _id: id }).catch((error) => error.name + ' ' + error.code)
      await db.close()
      return Response.json({ id, first: first.n, plucked, error })
    }
    if (name === 'from-worker-by-address') {
      const tried = []
      const told = (error) => error.code + ': ' + error.message
      for (const token of ['secret', 'wrong']) tried.push(await connect(url.searchParams.get('to'), { token }).then(async (db) => [await db.insert({}), await db.close()][0], told))
      for (const target of [null, {}, () => 5, async () => null, 'ftp://127.0.0.1/']) tried.push(await connect(target).then(() => 'connected', told))
      return Response.json(tried)
    }
    return of(env.NOTES).fetch(request)
  },
}
`

describe('a Durable Object that is a database', { timeout: 720_000 }, () => {
  let miniflare: Miniflare
  let address: URL
  let folder: string
  let modules: Modules
  let connect: (target: string, options?: object) => Promise<AtomicDB>
  const opened: AtomicDB[] = []

  const start = async () => {
    ;({ miniflare, address } = await startWorker(modules, {
      durableObjects: { NOTES: { className: 'Notes', useSQLite: true }, CLOSED: { className: 'Closed', useSQLite: true }, STRICT: { className: 'Strict', useSQLite: true } },
      durableObjectsPersist: folder,
    }))
  }

  /** Looks until it holds: what crosses sockets tells of itself only by what it has changed here. */
  const eventually = async (what: string, holds: () => boolean) => {
    for (let tries = 0; !holds(); tries++) {
      assert.ok(tries < 1000, what)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atomicdb-object-'))
    modules = await workerModules(worker)
    ;({ connect } = (await import('atomicdb/worker' as string)) as any)
    await start()
  })
  after(async () => {
    await Promise.all(opened.map((db) => db.close().catch(() => {})))
    await miniflare.dispose()
    await rm(folder, { recursive: true, force: true })
  })

  const ask = async (path: string, { method = 'GET', token = 'secret', body, headers = {} }: { method?: string; token?: string | null; body?: unknown; headers?: Record<string, string> } = {}) => {
    const response = await within(20_000, path, fetch(new URL(path, address), {
      method,
      headers: { ...(token !== null && { Authorization: `Bearer ${token}` }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    }))
    const text = await response.text()
    return { status: response.status, headers: response.headers, value: text && /json/.test(response.headers.get('Content-Type') ?? '') ? JSON.parse(text) : text }
  }
  const open = async (name: string, token = 'secret') => {
    const db = await within(20_000, `connect to ${name}`, connect(new URL(name, address).href, { token, WebSocket }))
    opened.push(db)
    return db
  }

  test('under workerd, the wasm comes along by itself', async () => {
    const { status, value } = await ask('/in-memory')
    assert.equal(status, 200, JSON.stringify(value))
    assert.equal(value, 1)
  })

  test('who is not authorised is served nothing', async () => {
    for (const [path, token] of [['/closed/notes', 'secret'], ['/http/notes', null], ['/http/notes', 'wrong']] as const) {
      const { status, value, headers } = await ask(path, { token })
      assert.deepEqual([status, value.code, headers.get('Content-Type')], [403, 'denied', 'application/problem+json'])
    }
    for (const [name, token] of [['closed', 'secret'], ['http', 'wrong']] as const) {
      const error = await open(name, token).then(() => assert.fail('it was served'), (error: any) => error)
      assert.equal(error.code, 'invalid')
      assert.match(error.message, /^options\.token: the object refuses it/)
    }
    assert.equal((await ask('/http/notes', { method: 'POST', token: 'reader', body: {} })).value.code, 'denied')
    const reader = await open('http', 'reader')
    assert.equal(await reader.count(), 0)
    assert.equal((await reader.insert({}).then(() => assert.fail('it has written'), (error: any) => error)).code, 'unsupported')
  })

  test('who may only read changes nothing by SQL, whatever stands before it', async () => {
    await ask('/sql-reader/notes', { method: 'POST', body: { n: 1 } })
    const sql = (text: unknown) => ask('/sql-reader/query', { method: 'POST', token: 'reader', body: { sql: text } })
    for (const text of ['DELETE FROM notes', 'SELECT n FROM notes; DELETE FROM notes', 'EXPLAIN SELECT n FROM notes; DELETE FROM notes', '-- SELECT\nDELETE FROM notes', '/* SELECT */ DROP COLLECTION notes', 'WITH a AS (SELECT n FROM notes) DELETE FROM notes', ';DELETE FROM notes', "SELECT ';' FROM notes; UPDATE notes SET n = 2"]) {
      const { status, value } = await sql(text)
      assert.ok(status === 403 ? value.code === 'denied' : status === 400 && value.code === 'invalid', `${text}: ${status} ${JSON.stringify(value)}`)
    }
    assert.equal((await sql(['DELETE FROM notes'])).status, 400)
    for (const text of ['SELECT n FROM notes', '-- all\nSELECT n FROM notes', "SELECT n FROM notes WHERE name IS NULL OR name = '; DELETE FROM notes'", 'WITH a AS (SELECT n FROM notes) SELECT n FROM a']) assert.deepEqual((await sql(text)).value, { rows: [{ n: 1 }] }, text)
    assert.equal((await sql('EXPLAIN DELETE FROM notes')).status, 200)
    const head = await ask('/sql-reader/notes/1', { method: 'HEAD' })
    assert.deepEqual([head.status, head.value, head.headers.get('ETag')], [200, '', (await ask('/sql-reader/notes/1')).headers.get('ETag')])
  })

  test('documents by HTTP: ETags, conditions, pages, problems', async () => {
    const made = await ask('/http/notes', { method: 'POST', body: { n: 1, name: 'Ada' } })
    assert.deepEqual([made.status, made.value], [201, { id: 1 }])
    assert.deepEqual((await ask('/http/notes', { method: 'POST', body: [{ n: 2 }, { n: 3 }] })).value, { ids: [2, 3] })
    assert.deepEqual((await ask('/http/notes', { method: 'POST', headers: { 'Content-Type': 'application/x-ndjson' }, body: '{"n":4}\n{"n":5}\n' })).value, { ids: [4, 5] })
    const got = await ask('/http/notes/1')
    assert.deepEqual(got.value, { _id: 1, n: 1, name: 'Ada' })
    const etag = got.headers.get('ETag')!
    assert.equal((await ask('/http/notes/1', { headers: { 'If-None-Match': etag } })).status, 304)
    const patched = await ask('/http/notes/1', { method: 'PATCH', headers: { 'If-Match': etag }, body: { $inc: { n: 10 } } })
    assert.deepEqual([patched.status, patched.value.n], [200, 11])
    assert.notEqual(patched.headers.get('ETag'), etag)
    const late = await ask('/http/notes/1', { method: 'PATCH', headers: { 'If-Match': etag }, body: { n: 0 } })
    assert.deepEqual([late.status, late.value.code], [412, 'changed'])
    assert.equal((await ask('/http/notes/own%20id', { method: 'PUT', body: { n: 6 } })).status, 201)
    assert.equal((await ask('/http/notes/own%20id', { method: 'PUT', headers: { 'If-None-Match': '*' }, body: {} })).status, 412)
    const put = await ask('/http/notes/own%20id', { method: 'PUT', body: { n: 6, _id: 'another', big: { deep: [1, null] } } })
    assert.deepEqual([put.status, put.value], [200, { _id: 'own id', n: 6, big: { deep: [1, null] } }])
    assert.equal(put.headers.get('ETag'), (await ask('/http/notes/own%20id')).headers.get('ETag'))
    const changed = await ask('/http/notes/own%20id', { method: 'PATCH', body: { $unset: { big: 1 } } })
    assert.deepEqual([changed.status, changed.value], [200, { _id: 'own id', n: 6 }])
    for (const method of ['PATCH', 'DELETE']) assert.deepEqual([(await ask('/http/notes/99', { method, body: {} })).status, method], [404, method])
    assert.equal((await ask('/http/notes/2', { method: 'DELETE' })).status, 204)
    for (const [path, options, status, code] of [
      ['/http/notes/2', {}, 404, 'not_found'],
      ['/http/notes', { method: 'POST', body: '{' }, 400, 'invalid'],
      ['/http/notes', { method: 'POST', body: { _id: 1 } }, 409, 'duplicate_id'],
      ['/http/query', { method: 'POST', body: { where: 'n >' } }, 400, 'invalid'],
      ['/http/notes/%ff', {}, 400, 'invalid'],
      ['/http/notes?limit=x', {}, 400, 'invalid'],
    ] as const) {
      const { status: found, value } = await ask(path, options)
      assert.deepEqual([found, value.code, value.status], [status, code, status], path)
    }
    const first = await ask('/http/notes?limit=3&sort=n')
    assert.deepEqual(first.value.documents.map((document: any) => document.n), [3, 4, 5])
    const rest = await ask(`/http/notes?limit=3&sort=n&cursor=${first.value.cursor}`)
    assert.deepEqual([rest.value.documents.map((document: any) => document.n), rest.value.cursor], [[6, 11], undefined])
    assert.deepEqual((await ask('/http/query', { method: 'POST', token: 'reader', body: { collection: 'notes', filter: { n: { $gt: 5 } } } })).value.documents.length, 2)
    assert.deepEqual((await ask('/http/query', { method: 'POST', body: { sql: 'SELECT COUNT(*) AS c FROM notes WHERE n > ?', params: [5] } })).value, { rows: [{ c: 2 }] })
    assert.equal((await ask('/http/query', { method: 'POST', token: 'reader', body: { sql: 'DELETE FROM notes' } })).value.code, 'denied')
    assert.equal((await ask('/http/export')).value.notes.length, 5)
  })

  test('changes by server-sent events, from a number on', async () => {
    await ask('/events/notes', { method: 'POST', body: { n: 1 } })
    const stop = new AbortController()
    const response = await fetch(new URL('/events/changes?since=0&collection=notes', address), { headers: { Authorization: 'Bearer secret' }, signal: stop.signal })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (what: RegExp) => {
      while (!what.test(text)) text += (await within(10_000, String(what), reader.read())).value ?? ''
    }
    await until(/data: .*"n":1/)
    await ask('/events/notes', { method: 'POST', body: { n: 2 } })
    await until(/id: \d+\ndata: .*"n":2/)
    stop.abort()
  })

  test('connect has the calls of AtomicDB: functions, transactions, live queries, errors', async () => {
    const [one, other] = [await open('socket'), await open('socket')]
    const told: number[][] = []
    other.live('n > 1', { sort: 'n' }).subscribe((result) => told.push(result.map(({ n }) => n)))
    assert.equal(await one.insert({ n: 1, when: new Date(5), big: 2n ** 60n, bytes: Uint8Array.of(1, 2), $x: 1, none: null, nan: NaN }), 1)
    const found = (await one.get(1))!
    assert.deepEqual(found, { _id: 1, n: 1, when: new Date(5), big: 2n ** 60n, bytes: Uint8Array.of(1, 2), $x: 1, none: null, nan: NaN })
    assert.equal(await one.update((document) => ({ n: document.n + 1 }), 'n = 1'), 1)
    const result = await one.transaction(async (tx) => {
      const { n } = (await tx.get(1))!
      await tx.insert({ n: n + 1 })
      return n
    })
    assert.equal(result, 2)
    const mine = new Error('mine')
    assert.equal(await one.transaction(async (tx) => {
      await tx.insert({ n: 99 })
      throw mine
    }).catch((error) => error), mine)
    assert.equal(await one.count(), 2)
    assert.equal((await one.insert({ _id: 1 }).catch((error) => error)).code, 'duplicate_id')
    assert.deepEqual([...(await one.search('n > 1')).pluck('n')], [{ n: 2 }, { n: 3 }])
    await eventually('the live query has not heard', () => told.at(-1)?.length === 2)
    assert.deepEqual(told.at(-1), [2, 3])
    assert.ok((await one.verify()).ok)
  })

  const made = async (name: string) => (await ask(`/${name}/made`)).value as number
  test('an object that dies is connected to again: reads are asked again, and live queries and changes go on', async () => {
    const [db, other] = [await open('dying'), await open('dying')]
    const counts: number[] = []
    const errors: unknown[] = []
    db.liveCount().subscribe((count) => counts.push(count), (error) => errors.push(error))
    const changed: number[] = []
    db.onChange(({ collection, document }) => collection === 'default' && changed.push((document as any).n))
    await db.insertMany([{ n: 1 }, { n: 2 }])
    await ask('/dying/notes', { method: 'POST', body: {} }) // answered from outside: what was written before is stored
    const before = await made('dying')
    const reads = Promise.all(Array.from({ length: 20 }, () => db.count()))
    await askApart(new URL('/dying/abort', address))
    assert.deepEqual(new Set(await within(20_000, 'the reads', reads)), new Set([2]))
    assert.notEqual(await made('dying'), before)
    await within(20_000, 'a write', (async () => {
      while (await other.upsert({ _id: 'three', n: 3 }).then(() => false, ({ code }) => assert.equal(code, 'storage') === undefined));
    })())
    await eventually('the live query has not gone on', () => counts.at(-1) === 3)
    await eventually('the changes have not gone on', () => changed.includes(3))
    assert.deepEqual(changed, [1, 2, 3])
    assert.deepEqual(errors, [])
    assert.ok((await db.verify()).ok)
  })

  test('an object that sleeps is woken by a write, and its sockets hear of it', async () => {
    const [db, other] = [await open('sleeping'), await open('sleeping')]
    const told: number[][] = []
    const changed: number[] = []
    db.live('n > 1').subscribe((result) => told.push(result.map(({ n }) => n)))
    other.onChange(({ document }) => changed.push((document as any).n))
    await db.insertMany([{ n: 1 }, { n: 2 }])
    await eventually('the first answer', () => told.at(-1)?.length === 1)
    const before = await made('sleeping')
    await new Promise((resolve) => setTimeout(resolve, 13_000)) // workerd puts an idle object to sleep after ten seconds
    await ask('/sleeping/default', { method: 'POST', body: { n: 3 } })
    assert.notEqual(await made('sleeping'), before, 'it has not slept')
    await eventually('the live query has not heard', () => told.at(-1)?.length === 2)
    await eventually('the changes have not come', () => changed.includes(3))
    assert.deepEqual(told.at(-1), [2, 3])
    assert.equal(await db.count(), 3)
  })

  test('a transaction of Cloudflare that fails leaves the database usable', async () => {
    const { value } = await ask('/failing/fail')
    assert.equal(value.error, 'taken back')
    assert.equal(value.lost, 0)
    assert.ok(value.report.ok, JSON.stringify(value.report))
  })

  test('strict waits for the storage', async () => {
    assert.deepEqual((await ask('/strict/notes', { method: 'POST', body: [{}, {}] })).value, { ids: [1, 2] })
  })

  test('calls by RPC and connect in another Worker: values and errors survive', async () => {
    const rpc = await ask('/rpc')
    assert.deepEqual(rpc.value, { made: { value: 1 }, when: 5, big: 'bigint', bytes: 2, refused: 'duplicate_id', unknown: 'unsupported' })
    const { value } = await ask('/from-worker')
    assert.deepEqual(value, { id: 1, first: 7, plucked: [{ n: 7 }], error: 'AtomicDBError duplicate_id' })
  })

  test('connect in a Worker takes an address too, and names a target that is none', async () => {
    const { value } = await ask(`/from-worker-by-address?to=${new URL('/by-address', address).href}`)
    assert.deepEqual(value, [
      1,
      'invalid: options.token: the object refuses it: the object has not authorised it',
      'invalid: target: expected an address or the stub of an object, not null',
      'invalid: target: expected an address or the stub of an object, not an object',
      'invalid: target: expected a function that returns the stub of an object, not 5',
      'invalid: target: expected a function that returns the stub of an object, not a Promise',
      'invalid: target: expected an address of HTTP, not ftp://127.0.0.1/',
    ])
  })

  test('hostile messages end their socket alone', async () => {
    const db = await open('hostile')
    for (const message of ['', '{', '[1]', '[{"id":1,"name":"constructor"}]', '[{"id":1,"name":"open","argument":5},{"id":2,"name":"read","argument":{}}]', JSON.stringify([{ id: 3, name: 'closeState', argument: { $x: 1 } }]), '['.repeat(100_000)]) {
      const socket = new WebSocket(new URL('/hostile', address).href.replace('http', 'ws'), ['atomicdb.1', `token.${btoa('secret').replaceAll('=', '')}`])
      await within(10_000, 'the greeting', new Promise((resolve) => socket.addEventListener('message', resolve, { once: true })))
      const answered = new Promise((resolve) => ['message', 'close'].forEach((event) => socket.addEventListener(event as 'close', resolve, { once: true })))
      socket.send(message)
      await within(10_000, `an answer to ${message.slice(0, 60)}`, answered)
      socket.close()
    }
    assert.equal(await db.insert({}), 1)
  })

  test('everything that was answered is there after a restart', async () => {
    await ask('/kept/notes', { method: 'POST', body: [{ n: 1 }, { n: 2 }] })
    const db = await open('kept')
    await db.insert({ n: 3 })
    await Promise.all(opened.splice(0).map((db) => db.close()))
    await miniflare.dispose()
    await start()
    const again = await open('kept')
    assert.deepEqual([await again.count(), await again.count(undefined, 'notes')], [1, 2])
    assert.ok((await again.verify()).ok)
  })
})

test('demo/worker: two who show a list see each change of it', { timeout: 180_000 }, async () => {
  const demo = new URL('../../demo/worker/', import.meta.url)
  const settings = JSON.parse(await readFile(new URL('wrangler.jsonc', demo), 'utf8'))
  const modules = await workerModules(await readFile(new URL('src/index.js', demo), 'utf8'), {
    loader: { '.html': 'text' },
    plugins: [{ name: 'the page', setup: (build) => build.onResolve({ filter: /page\.html$/ }, () => ({ path: new URL('src/page.html', demo).pathname })) }],
  })
  const [{ name, class_name: className }] = settings.durable_objects.bindings
  const { miniflare, address } = await startWorker(modules, { compatibilityDate: settings.compatibility_date, durableObjects: { [name]: { className, useSQLite: true } } })
  const stop = new AbortController()
  try {
    const page = await within(20_000, 'the page', fetch(new URL('/', address)))
    assert.match(page.url, /\/[0-9a-f]{8}$/)
    assert.match(await page.text(), /new EventSource/)
    const list = `${page.url}/items`
    const viewers = await Promise.all([1, 2].map(async () => {
      const events = await fetch(`${page.url}/changes?collection=items`, { signal: stop.signal })
      const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      return async (what: RegExp) => {
        while (!what.test(text)) text += (await within(20_000, String(what), reader.read())).value ?? ''
      }
    }))
    await Promise.all(viewers.map((sees) => sees(/: changes/)))
    await fetch(list, { method: 'POST', body: '{"text":"milk","done":false}' })
    await Promise.all(viewers.map((sees) => sees(/"text":"milk","done":false/)))
    await fetch(`${list}/1`, { method: 'PATCH', body: '{"done":true}' })
    await Promise.all(viewers.map((sees) => sees(/"text":"milk","done":true/)))
    assert.deepEqual(await (await fetch(list)).json(), { documents: [{ _id: 1, text: 'milk', done: true }] })
  } finally {
    stop.abort()
    await miniflare.dispose()
  }
})
