// `atomicdb serve`: HTTP and connect() for a database in a file.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import type * as atomicdb from '../src/index.js'
import { within } from './harness/deadline.js'
import { packageFolder } from './harness/site.js'

const { connect } = (await import('atomicdb/worker' as string)) as { connect(address: string, options?: object): Promise<atomicdb.AtomicDB> }

let folder: string
const children = new Set<ChildProcess>()
before(async () => (folder = await mkdtemp(join(tmpdir(), 'atomicdb-serve-'))))
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(folder, { recursive: true })
})

/** Starts `atomicdb serve`, which ends with the code that `stop` resolves to. */
async function serve(args: readonly string[], env: Record<string, string> = {}): Promise<{ address: string; stop(): Promise<number | null> }> {
  const child = spawn(process.execPath, ['--no-warnings', join(packageFolder, 'dist/cli.js'), 'serve', ...args, '--port', '0'], { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const listening = new Promise<string>((resolve, reject) => {
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const [, address] = /at (http:\S+)\n/.exec((said += text)) ?? []
      if (address) resolve(address)
    })
    void ended.then((code) => reject(new Error(`it has ended with ${code}`)))
  })
  return {
    address: await within(60_000, 'the server listens', listening),
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** The status of a request with headers that fetch does not let one set. */
async function statusOf(address: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  const sent = request(address, { method, headers })
  sent.end()
  const [response] = await once(sent, 'response')
  response.resume()
  return response.statusCode as number
}

describe('atomicdb serve', () => {
  test('answers HTTP, and connect() with live queries, transactions and streams, and stores what it is told', async () => {
    const first = await serve(['notes.atomicdb'])
    assert.match(first.address, /^http:\/\/127\.0\.0\.1:\d+\/notes$/)
    const created = await fetch(`${first.address}/people`, { method: 'POST', body: JSON.stringify({ _id: 'ada', age: 36 }) })
    assert.deepEqual([created.status, await created.json()], [201, { id: 'ada' }])
    const db = await connect(first.address, { WebSocket })
    const grown = db.live('age > 18', { collection: 'people', sort: 'age' })
    await grown.ready
    assert.deepEqual(grown.current.map(({ _id }) => _id), ['ada'])
    const heard = new Promise<void>((resolve) => void grown.subscribe((people) => people.length === 2 && resolve()))
    await fetch(`${first.address}/people/bob`, { method: 'PUT', body: '{"age": 19}' })
    await within(60_000, 'the live query hears of it', heard)
    assert.equal(await db.importStream('{"_id":"cy","age":52}\n', { collection: 'people' }), 1)
    await db.transaction(async (tx) => void (await tx.update({ $inc: { age: 1 } }, "_id = 'ada'", 'people')))
    assert.deepEqual(await (await fetch(`${first.address}/people/ada`)).json(), { _id: 'ada', age: 37 })
    assert.equal((await (await fetch(`${first.address}/query`, { method: 'POST', body: '{"sql": "SELECT COUNT(*) AS n FROM people"}' })).json() as { rows: object[] }).rows.length, 1)
    const other = await fetch(first.address.replace(/notes$/, 'others/people'))
    assert.deepEqual([other.status, await other.json()], [404, { database: '/notes' }])
    await db.close()
    assert.equal(await first.stop(), 0)
    const again = await serve(['notes.atomicdb', '--read-only'])
    const reader = await connect(again.address, { WebSocket })
    assert.equal(await reader.count(undefined, 'people'), 3)
    await assert.rejects(reader.insert({ n: 1 }), { code: 'unsupported' })
    assert.equal((await fetch(`${again.address}/people`, { method: 'POST', body: '{}' })).status, 403)
    await reader.close()
    assert.equal(await again.stop(), 0)
  })

  test('asks for its token, on every way', async () => {
    const { address, stop } = await serve(['secret.atomicdb'], { ATOMICDB_TOKEN: 'a+b/c=' })
    assert.equal((await fetch(`${address}/people`)).status, 403)
    assert.equal((await fetch(`${address}/people`, { headers: { Authorization: 'Bearer wrong' } })).status, 403)
    assert.equal((await fetch(`${address}/people`, { headers: { Authorization: 'Bearer a+b/c=' } })).status, 200)
    await assert.rejects(connect(address, { WebSocket, token: 'wrong' }), { code: 'invalid', message: /another token/ })
    await assert.rejects(connect(address, { WebSocket }), { code: 'invalid' })
    await using db = await connect(address, { WebSocket, token: 'a+b/c=' })
    assert.equal(await db.count(), 0)
    await db.close()
    await stop()
  })

  test('does not let in pages of other origins, nor by other names of this machine, unless it is told to', async () => {
    const { address, stop } = await serve(['pages.atomicdb', '--cors', 'https://app.example.org'])
    const own = new URL(address).origin
    assert.equal(await statusOf(`${address}/people`, { Origin: 'https://evil.example' }), 403)
    assert.equal(await statusOf(`${address}/people`, { Origin: 'null' }, 'POST'), 403)
    assert.equal(await statusOf(`${address}/people`, { Host: 'evil.example' }), 421)
    assert.equal(await statusOf(`${address}/people`, { Origin: own }), 200)
    const allowed = await fetch(`${address}/people`, { headers: { Origin: 'https://app.example.org' } })
    assert.deepEqual([allowed.status, allowed.headers.get('Access-Control-Allow-Origin')], [200, 'https://app.example.org'])
    const asked = await fetch(`${address}/people/1`, { method: 'OPTIONS', headers: { Origin: 'https://app.example.org', 'Access-Control-Request-Method': 'PUT' } })
    assert.deepEqual([asked.status, /PUT/.test(asked.headers.get('Access-Control-Allow-Methods') ?? '')], [204, true])
    for (const [origin, opens] of [['https://evil.example', false], ['https://app.example.org', true]] as const) {
      const socket = new WebSocket(address.replace('http', 'ws'), ['atomicdb.1'], { headers: { Origin: origin } })
      const outcome = await once(socket, 'open').then(() => true, () => false)
      assert.equal(outcome, opens, origin)
      socket.close()
    }
    await stop()
  })

  test('lets no other machine in without a token', async () => {
    const child = spawn(process.execPath, [join(packageFolder, 'dist/cli.js'), 'serve', 'open.atomicdb', '--host', '0.0.0.0'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    const err = (await child.stderr.setEncoding('utf8').toArray()).join('')
    if (child.exitCode === null) await once(child, 'close')
    assert.deepEqual([child.exitCode, /lets other machines in: give --token/.test(err)], [2, true], err)
  })
})
