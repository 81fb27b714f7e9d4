// The Go worker in local workerd: package httpapi inside a Durable Object.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { blake2b } from '@noble/hashes/blake2.js'
import { Miniflare } from 'miniflare'

const root = fileURLToPath(new URL('../../', import.meta.url))

const token = 'a-token-for-all'
const readToken = 'a-token-for-reading'

/** What httpapi.HashToken returns. */
const hash = (text: string) => Buffer.from(blake2b(new TextEncoder().encode(text), { dkLen: 32 })).toString('base64url')

/** The worker, with a request that makes many inside the object, and answers with the bytes of its memory in between. */
const soaking = `
import { AtomicDatabase as Original } from './worker.mjs'
export { default } from './worker.mjs'
export class AtomicDatabase extends Original {
  async fetch(request) {
    const url = new URL(request.url)
    if (!url.pathname.endsWith('/soak')) return super.fetch(request)
    const headers = new Headers(request.headers)
    const sizes = []
    for (let n = 0; n < 10_000; n++) {
      const [method, body] = n % 4 === 0 ? ['PUT', JSON.stringify({ n, text: 'x'.repeat(500) })] : ['GET']
      const response = await super.fetch(new Request(new URL('docs/' + (Math.floor(n / 4) % 10), url), { method, headers, body }))
      if (!response.ok) throw new Error(await response.text())
      await response.arrayBuffer()
      if (n % 1000 === 999) sizes.push(this.memory.buffer.byteLength)
    }
    return Response.json(sizes)
  }
}
`

describe('the Go worker in workerd', { timeout: 600_000 }, () => {
  let folder: string
  let miniflare: Miniflare
  let modules: { type: 'ESModule' | 'CompiledWasm'; path: string; contents: string | Uint8Array<ArrayBuffer> }[]

  const start = () => new Miniflare({
    modules,
    compatibilityDate: '2026-04-01',
    durableObjects: { DATABASES: { className: 'AtomicDatabase', useSQLite: true } },
    durableObjectsPersist: join(folder, 'objects'),
    bindings: { TOKENS: `${hash(token)},read:${hash(readToken)}` },
  })

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atomicdb-worker-go-'))
    const wasm = join(folder, 'worker.wasm')
    execFileSync('go', ['build', '-ldflags=-s -w', '-o', wasm, './wasm/worker'], { cwd: root, env: { ...process.env, GOOS: 'js', GOARCH: 'wasm' } })
    const goRoot = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim()
    modules = [
      { type: 'ESModule', path: 'test.mjs', contents: soaking },
      { type: 'ESModule', path: 'worker.mjs', contents: await readFile(join(root, 'wasm/worker/worker.mjs'), 'utf8') },
      { type: 'ESModule', path: 'wasm_exec.js', contents: await readFile(join(goRoot, 'lib/wasm/wasm_exec.js'), 'utf8') },
      { type: 'CompiledWasm', path: 'worker.wasm', contents: new Uint8Array(await readFile(wasm)) },
    ]
    miniflare = start()
  })

  after(async () => {
    await miniflare?.dispose()
    await rm(folder, { recursive: true, force: true })
  })

  const ask = async (line: string, body?: unknown, bearer = token) => {
    const [method, path] = line.split(' ') as [string, string]
    const response = await miniflare.dispatchFetch(`http://worker${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, tag: response.headers.get('etag'), text, json: () => JSON.parse(text) as any }
  }

  test('answers as the handler does', async () => {
    assert.deepEqual((await ask('GET /health', undefined, '')).json(), { status: 'ok' })
    assert.equal((await ask('GET /notes/users/1', undefined, '')).status, 401)
    assert.equal((await ask('GET /notes/users/1', undefined, 'wrong')).status, 401)
    assert.equal((await ask('PUT /notes/users/1', {}, readToken)).status, 403)
    const stored = await ask('PUT /notes/users/1', { name: 'Ada', age: 36 })
    assert.deepEqual([stored.status, stored.json()], [201, { _id: 1, name: 'Ada', age: 36 }])
    assert.ok(stored.tag)
    assert.equal((await ask('PATCH /notes/users/1', { $inc: { age: 1 } })).json().age, 37)
    assert.deepEqual((await ask('POST /notes/users', [{ name: 'Bob' }, { _id: 'x' }])).json(), { ids: [2, 'x'] })
    assert.deepEqual((await ask('POST /notes/query', { collection: 'users', where: 'age > 30' }, readToken)).json().documents, [{ _id: 1, name: 'Ada', age: 37 }])
    assert.deepEqual((await ask('POST /notes/query', { sql: 'SELECT count(*) AS n FROM users' })).json(), { rows: [{ n: 3 }] })
    assert.match((await ask('GET /notes/changes?since=1')).text, /^event: change\nid: 2\ndata: .*"update"/)
    assert.equal((await ask('DELETE /notes/users/x')).status, 204)
    assert.equal((await ask('GET /notes/users/x')).json().code, 'not_found')
    assert.equal((await ask('PUT /notes/users/1', '[')).status, 400)
    assert.equal((await ask('GET /other/users/1')).status, 404, 'another database is another object')
  })

  test('keeps what it has acknowledged, for 200 requests at once over 12 objects, and after a restart', async () => {
    const counts = new Map<string, number>()
    await Promise.all(Array.from({ length: 200 }, async (_, n) => {
      const name = `db${n % 12}`
      const { status } = await ask(`POST /${name}/docs`, { n })
      assert.equal(status, 201)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }))
    const large = 'x'.repeat(3 << 20) // in parts
    assert.equal((await ask('PUT /db0/large/1', { large })).status, 201)
    await miniflare.dispose()
    miniflare = start()
    for (const [name, count] of counts) assert.equal((await ask(`POST /${name}/query`, { sql: 'SELECT count(*) AS n FROM docs' })).json().rows[0].n, count)
    assert.equal((await ask('GET /db0/large/1')).json().large.length, large.length)
  })

  test('takes no more memory for 10,000 requests', async () => {
    const sizes: number[] = (await ask('GET /soaked/soak')).json()
    assert.equal(sizes.length, 10)
    // Go's heap settles within the first requests.
    assert.ok(sizes[9]! <= sizes[2]! + (1 << 20) && sizes[9]! < 32 << 20, `the memory is ${sizes.map((size) => (size / 2 ** 20).toFixed(1)).join(', ')} MiB after each thousand requests`)
  })

  test('is compacted, and holds', async () => {
    const text = 'y'.repeat(10_000)
    for (let n = 0; n < 60; n++) assert.equal((await ask('PUT /compacted/docs/1', { n, text })).status < 300, true)
    await miniflare.dispose()
    miniflare = start()
    assert.equal((await ask('GET /compacted/docs/1')).json().n, 59)
    assert.equal((await ask('GET /compacted/changes?since=1')).json().code, 'not_found', 'the snapshot has taken the place of batch 1')
  })
})
