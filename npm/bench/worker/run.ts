// AtomicDurableObject against a Durable Object in plain JavaScript over ctx.storage.sql, and one of TinyBase, in local workerd. Prints a table,
// and with KEEP=1 writes it into bench/results.
//
//   DOCUMENTS (20000), ROUNDS (5), SOCKETS (100)
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { arch, cpus, loadavg, platform } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Agent, fetch, WebSocket } from 'undici'
import type { AtomicDB } from '../../src/index.js'
import { startWorker, workerModules } from '../../test/harness/workerd.js'
import { worker } from './object.js'

const number = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise)
const documents = number('DOCUMENTS', 20_000)
const rounds = number('ROUNDS', 5)
const sockets = number('SOCKETS', 100)

/** How often each call is made inside the object for one figure. */
const inside = { get: 1000, query: 500, range: 50, scan: 5, group: 5, put: 200, transaction: 100 }
const spaces = ['OURS', 'PLAIN', 'TINY'] as const
type Space = (typeof spaces)[number]

const { miniflare, address } = await startWorker(await workerModules(worker, { nodePaths: [fileURLToPath(new URL('../node_modules', import.meta.url))] }), { durableObjects: { OURS: { className: 'Ours', useSQLite: true }, PLAIN: { className: 'Plain', useSQLite: true }, TINY: { className: 'Tiny', useSQLite: true } } })
const dispatcher = new Agent({ connections: 64, pipelining: 0 }) // see test/harness/workerd.ts
const ask = async (path: string, init: { method?: string; body?: string } = {}): Promise<any> => {
  const response = await fetch(new URL(path, address), { ...init, dispatcher }).catch((error: unknown) => {
    throw new Error(`${path}: ${(error as Error).cause}`, { cause: error })
  })
  const text = await response.text()
  assert.ok(response.ok, `${path}: ${text}`)
  return text && JSON.parse(text)
}
const timed = async (work: () => Promise<unknown>) => {
  const start = performance.now()
  await work()
  return performance.now() - start
}
const at = (times: number[], part: number) => times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(part * times.length))]!

/** A value for each of the objects. */
const each = <R>(value: (space: Space) => R) => Object.fromEntries(spaces.map((space) => [space, value(space)])) as Record<Space, R>

interface Row { what: string; unit: string; p50: Record<Space, number>; p99?: Record<Space, number> }
const rows: Row[] = []

/** Measures all, in turn, and notes p50 and p99. */
async function compare(what: string, unit: string, sample: (space: Space) => Promise<number[]>): Promise<void> {
  const all = each((): number[] => [])
  for (let round = 0; round < rounds; round++) for (const space of round % 2 ? [...spaces].reverse() : spaces) all[space].push(...await sample(space))
  rows.push({ what, unit, p50: each((space) => at(all[space], 0.5)), p99: each((space) => at(all[space], 0.99)) })
}

for (const space of spaces) assert.equal(await ask(`/${space}/fill/${documents}`), documents)

const empty = async (space: Space) => timed(() => ask(`/${space}/run/get/0/${documents}`))
for (const [what, times] of Object.entries(inside)) {
  const answers = await Promise.all(spaces.map((space) => ask(`/${space}/run/${what}/${Math.min(times, 50)}/${documents}`)))
  assert.equal(new Set(answers).size, 1, `${what}: the answers differ: ${answers}`)
  // V8 compiles wasm a second time, for speed, while it runs.
  for (let warm = 0; warm < 5; warm++) for (const space of spaces) await ask(`/${space}/run/${what}/${times}/${documents}/${1_000_000 + warm * times}`)
  const from = each(() => 0) // no round asks what another has asked: answers are cached
  await compare(`${what === 'group' ? 'update and group' : what}, in the object`, 'ms', async (space) => {
    from[space] += times
    const request = Math.min(await empty(space), await empty(space))
    return [Math.max(0, (await timed(() => ask(`/${space}/run/${what}/${times}/${documents}/${from[space]}`))) - request) / times]
  })
}

const cities = ['Oslo', 'Bergen', 'Rome', 'Paris', 'Lima', 'Quito', 'Cairo', 'Delhi', 'Tokyo', 'Seoul'] // those of object.ts
let asked = 0
/** Requests to an object, which check the answers. */
const requests: Record<string, (space: Space) => Promise<void>> = {
  'get by RPC': async (space) => {
    const n = asked++ % documents
    assert.equal(await ask(`/${space}/run/get/1/${documents}/${n}`), (n * 7919) % documents)
  },
  'put by RPC': async (space) => assert.equal(await ask(`/${space}/run/put/1/${documents}/${asked++ % documents}`), 1),
  'get by HTTP': async (space) => {
    const n = (asked++ * 7919) % documents
    const { _id, name, age, city } = await ask(`/${space}/default/${n + 1}`)
    assert.deepEqual({ _id, name, age, city }, { _id: n + 1, name: `Person ${(n * 7919) % 10007}`, age: n % 90, city: cities[n % 10] })
  },
  'indexed query by HTTP, 10 results': async (space) => {
    const k = asked++
    const [age, city] = [k % 90, cities[k % 10]!]
    const { documents: found } = await ask(space === 'OURS' ? `/OURS/default?${new URLSearchParams({ where: `age = ${age} and city = '${city}'`, limit: '10' })}` : `/${space}/default?age=${age}&city=${city}`)
    assert.equal(found.length, Math.min(10, Math.floor((documents - 1 - age) / 90) + 1))
    for (const document of found) assert.deepEqual([document.age, document.city], [age, city])
  },
  'put by HTTP': async (space) => {
    const n = (asked++ * 7919) % documents
    await ask(`/${space}/default/${n + 1}`, { method: 'PUT', body: JSON.stringify({ n, name: `Person ${(n * 7919) % 10007}`, age: n % 90, city: cities[n % 10], bio: 'lorem ipsum dolor sit amet '.repeat(6), touched: asked }) })
    if (n % 10 === 0) assert.equal((await ask(`/${space}/default/${n + 1}`)).name, `Person ${(n * 7919) % 10007}`)
  },
}
for (const [what, request] of Object.entries(requests)) {
  for (const clients of [1, 16]) {
    const count = 20 * clients
    const perSecond = each((): number[] => [])
    const row = `${what}, ${clients} ${clients === 1 ? 'client' : 'clients'}`
    for (const space of spaces) for (let n = 0; n < 5; n++) await request(space)
    await compare(row, 'ms', async (space) => {
      const times: number[] = []
      const took = await timed(() => Promise.all(Array.from({ length: clients }, async () => {
        for (let n = 0; n < count / clients; n++) times.push(await timed(() => request(space)))
      })))
      perSecond[space].push((1000 * count) / took)
      return times
    })
    rows.push({ what: row, unit: 'requests/s', p50: each((space) => at(perSecond[space], 0.5)) })
  }
}

await compare('boot after eviction, first get', 'ms', async (space) => {
  await miniflare.dispatchFetch(new URL(`/${space}/abort`, address).href).catch(() => {})
  return [await timed(async () => assert.equal(await ask(`/${space}/run/get/1/${documents}/1`), 7919 % documents))]
})

{
  const { connect } = (await import(new URL('../../dist/connect.js', import.meta.url).href)) as { connect(address: string, options: object): Promise<AtomicDB> }
  const told = each((): (number | undefined)[] => [])
  const databases = await Promise.all(Array.from({ length: sockets }, () => connect(new URL('/OURS/default', address).href, { WebSocket })))
  for (const [k, db] of databases.entries()) db.liveCount('age = 1').subscribe((count) => (told.OURS[k] = count))
  const plain = (['PLAIN', 'TINY'] as const).flatMap((space) => Array.from({ length: sockets }, (_, k) => {
    const socket = new WebSocket(new URL(`/${space}/default`, address.href.replace('http', 'ws')))
    socket.addEventListener('message', ({ data }) => (told[space][k] = Number(data)))
    return socket
  }))
  const all = async (space: Space, count: number) => {
    while (told[space].length < sockets || !Array.from(told[space]).every((own) => own === count)) await new Promise((resolve) => setImmediate(resolve))
  }
  const count = Array.from({ length: documents }, (_, n) => n % 90).filter((age) => age === 1).length
  for (const space of spaces) await all(space, count)
  const counts = each(() => count)
  await compare(`live count to ${sockets} sockets, from the request on`, 'ms', async (space) => [await timed(async () => {
    const done = fetch(new URL(`/${space}/default`, address), { method: 'POST', body: '{"age":1}', dispatcher })
    await all(space, ++counts[space])
    assert.equal((await done).status, 201)
  })])
  for (const db of databases) await db.close()
  for (const socket of plain) socket.close()
}
await dispatcher.close()
await miniflare.dispose()

const shown = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3))
const ratio = ({ p50 }: Row, space: Space) => (p50.OURS / p50[space]).toFixed(2)
const lines = rows.map((row) => `| ${row.what} | ${row.unit} | ${spaces.map((space) => shown(row.p50[space])).join(' | ')} | ${ratio(row, 'PLAIN')} | ${ratio(row, 'TINY')} | ${row.p99 ? spaces.map((space) => shown(row.p99![space])).join(' / ') : ''} |`)
const date = new Date().toISOString().slice(0, 10)
console.log(`${documents} documents, ${rounds} rounds, local workerd, Node ${process.version}, ${cpus()[0]!.model} (${cpus().length}), load ${loadavg()[0]!.toFixed(1)}, ${date}\n`)
console.log(['| | | AtomicDurableObject, p50 | plain JavaScript, p50 | TinyBase, p50 | to plain | to TinyBase | p99 of the three |', '|---|---|---:|---:|---:|---:|---:|---|', ...lines].join('\n'))
if (process.env.KEEP) await writeFile(new URL(`../results/worker-${date}.json`, import.meta.url), `${JSON.stringify({ date, documents, rounds, sockets, node: process.version, platform: `${platform()} ${arch()}`, cpu: `${cpus().length} × ${cpus()[0]!.model}`, load: loadavg(), rows }, undefined, 1)}\n`)
