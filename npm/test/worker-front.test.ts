// demo/worker-go in local workerd: Go in front, which knows tokens and tenants, and Go in the objects behind it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { blake2b } from '@noble/hashes/blake2.js'
import { Miniflare } from 'miniflare'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** What httpapi.HashToken returns. */
const hash = (text: string) => Buffer.from(blake2b(new TextEncoder().encode(text), { dkLen: 32 })).toString('base64url')

/** What `go run ./wasm/front` prints. */
interface NewToken {
  token: string
  hash: string
  value: string
  statement: string
}

describe('the Go front Worker in workerd', { timeout: 600_000 }, () => {
  let folder: string
  let modules: { type: 'ESModule' | 'CompiledWasm'; path: string; contents: string | Uint8Array<ArrayBuffer> }[]
  let front: string
  const own = { write: 'objects-write', read: 'objects-read' }
  let acme: NewToken, reader: NewToken, other: NewToken

  const newToken = (...args: string[]): NewToken => {
    const [token, kv, d1] = execFileSync(front, args, { encoding: 'utf8' }).split('\n') as [string, string, string]
    const [, hash, value] = /TENANTS (\S+) '(.*)'$/.exec(kv)!
    return { token: token.split(' ')[1]!, hash: hash!, value: value!, statement: d1.replace(/^D1 +/, '') }
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atomicdb-worker-front-'))
    const built = join(folder, 'build')
    execFileSync('sh', [join(root, 'demo/worker-go/build.sh'), built], { stdio: 'pipe' })
    front = join(folder, 'front')
    execFileSync('go', ['build', '-o', front, './wasm/front'], { cwd: root })
    acme = newToken('-tenant', 'acme', '-databases', 'notes,tasks')
    reader = newToken('-tenant', 'acme', '-read')
    other = newToken('-tenant', 'other')
    const files = (await readdir(built, { recursive: true })).filter((name) => /\.(mjs|js|wasm)$/.test(name)).sort((a, b) => Number(b === 'index.mjs') - Number(a === 'index.mjs'))
    modules = await Promise.all(files.map(async (path) => {
      const contents = await readFile(join(built, path))
      return path.endsWith('.wasm') ? { type: 'CompiledWasm' as const, path, contents: new Uint8Array(contents) } : { type: 'ESModule' as const, path, contents: contents.toString() }
    }))
  })

  after(() => rm(folder, { recursive: true, force: true }))

  for (const where of ['KV', 'D1'] as const) {
    describe(`with tenants in ${where}`, () => {
      let miniflare: Miniflare
      before(async () => {
        miniflare = new Miniflare({
          modules,
          compatibilityDate: '2026-04-01',
          durableObjects: { DATABASES: { className: 'AtomicDatabase', useSQLite: true } },
          ...(where === 'KV' ? { kvNamespaces: ['TENANTS'] } : { d1Databases: ['TENANTS'] }),
          bindings: { OBJECT_TOKEN: own.write, OBJECT_READ_TOKEN: own.read, TOKENS: `${hash(own.write)},read:${hash(own.read)}` },
        })
        if (where === 'KV') {
          const tenants = await miniflare.getKVNamespace('TENANTS')
          for (const { hash, value } of [acme, reader, other]) await tenants.put(hash, value)
        } else {
          const tenants = await miniflare.getD1Database('TENANTS')
          await tenants.exec('CREATE TABLE tenants (hash TEXT PRIMARY KEY, tenant TEXT, databases TEXT, read_only INTEGER)')
          for (const { statement } of [acme, reader, other]) await tenants.exec(statement)
        }
      })
      after(() => miniflare?.dispose())

      const ask = async (line: string, { token = '' }: { token?: string }, body?: unknown) => {
        const [method, path] = line.split(' ') as [string, string]
        const response = await miniflare.dispatchFetch(`http://worker${path}`, {
          method,
          headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        })
        const text = await response.text()
        return { status: response.status, tag: response.headers.get('etag'), text, json: () => JSON.parse(text) as any }
      }

      test('a token opens the databases of its tenant, and no others', async () => {
        assert.deepEqual((await ask('GET /health', {})).json(), { status: 'ok' })
        assert.equal((await ask('GET /notes/users/1', {})).status, 401)
        assert.equal((await ask('GET /notes/users/1', { token: 'stranger' })).json().code, 'unauthorized')
        assert.equal((await ask('GET /notes/users/1', { token: own.write })).status, 401, 'the token of the objects is none of the front')
        const stored = await ask('PUT /notes/users/1', acme, { name: 'Ada' })
        assert.deepEqual([stored.status, stored.json()], [201, { _id: 1, name: 'Ada' }])
        assert.ok(stored.tag)
        assert.equal((await ask('PUT /private/users/1', acme, {})).status, 403)
        assert.deepEqual((await ask('GET /notes/users/1', reader)).json(), { _id: 1, name: 'Ada' })
        assert.equal((await ask('PUT /notes/users/1', reader, {})).json().code, 'forbidden')
        assert.equal((await ask('GET /notes/users/1', other)).status, 404, 'another tenant has another database of that name')
        assert.equal((await ask('GET /acme%2Fnotes/users/1', other)).status, 404)
      })

      test('answers without a body, long ones and faults come through as they are', async () => {
        const text = 'x'.repeat(1 << 20)
        assert.equal((await ask('PUT /notes/long/1', acme, { text })).status, 201)
        assert.equal((await ask('GET /notes/long/1', acme)).json().text, text)
        assert.deepEqual([(await ask('DELETE /notes/long/1', acme)).status, (await ask('GET /notes/long/1', acme)).status], [204, 404])
        assert.equal((await ask('PUT /notes/long/1', acme, 'no document')).status, 400)
        assert.match((await ask('GET /notes/changes?since=0', acme)).text, /^event: change\n/)
      })

      test('40 requests at once over 4 databases are answered, and nothing is lost', async () => {
        const statuses = await Promise.all(Array.from({ length: 40 }, async (_, n) => (await ask(`POST /db${n % 4}/docs`, other, { n })).status))
        assert.deepEqual(new Set(statuses), new Set([201]))
        for (let n = 0; n < 4; n++) assert.deepEqual((await ask(`POST /db${n}/query`, other, { sql: 'SELECT count(*) AS n FROM docs' })).json(), { rows: [{ n: 10 }] })
      })
    })
  }

  test('without its bindings, it says so and serves nothing', async () => {
    const miniflare = new Miniflare({ modules, compatibilityDate: '2026-04-01', durableObjects: { DATABASES: { className: 'AtomicDatabase', useSQLite: true } } })
    const response = await miniflare.dispatchFetch('http://worker/notes/users/1', { headers: { authorization: `Bearer ${acme.token}` } })
    assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [503, 'unavailable'])
    await miniflare.dispose()
  })
})
