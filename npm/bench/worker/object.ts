// The Durable Objects that run.ts compares: the same calls over AtomicDurableObject, over ctx.storage.sql, and over a store
// of TinyBase that its own persister keeps in ctx.storage.sql.

/** The Worker with all three. What is inside the object is called `times` times in one request, since clocks stand still there. */
export const worker = `
import { AtomicDurableObject } from 'atomicdb/worker'
import { DurableObject } from 'cloudflare:workers'
import { createIndexes, createMergeableStore } from 'tinybase'
import { createDurableObjectSqlStoragePersister } from 'tinybase/persisters/persister-durable-object-sql-storage'

const cities = ['Oslo', 'Bergen', 'Rome', 'Paris', 'Lima', 'Quito', 'Cairo', 'Delhi', 'Tokyo', 'Seoul']
const documentOf = (n) => ({ _id: n + 1, n, name: 'Person ' + (n * 7919) % 10007, age: n % 90, city: cities[n % 10], bio: 'lorem ipsum dolor sit amet '.repeat(6) + (n % 1999) })

/** Calls work many times, and returns the sum of its answers, which must be the same in all. */
async function repeated(from, times, work) {
  let sum = 0
  for (let k = from; k < from + times; k++) sum += await work(k)
  return sum
}

export class Ours extends AtomicDurableObject {
  authorise() {
    return 'write'
  }
  async prepare(db) {
    await db.createIndex('age')
    await db.createIndex('city')
  }
  async fill(count) {
    const db = await this.database()
    for (let n = 0; n < count; n += 100) await db.insertMany(Array.from({ length: Math.min(100, count - n) }, (_, i) => documentOf(n + i)))
    return count
  }
  async run(what, times, count, from = 0) {
    const db = await this.database()
    return repeated(from, times, {
      get: async (k) => (await db.get((k * 7919) % count + 1)).n,
      query: async (k) => (await db.find({ age: k % 90, city: cities[k % 10] }, { limit: 1 })).length,
      range: async (k) => (await db.find({ age: { $gte: k % 80, $lt: k % 80 + 1 } })).length,
      scan: async (k) => (await db.search('bio contains "' + (1000 + k % 999) + '"')).length,
      group: async (k) => (await db.update({ touched: k }, '_id = 1'), await db.aggregate({ groupBy: 'city', select: { n: { $count: true }, mean: { $avg: 'age' } } })).length,
      put: async (k) => (await db.upsert({ ...documentOf(k % count), touched: k }), 1),
      transaction: async (k) => (await db.transaction(async (tx) => {
        await tx.update({ $inc: { n: 1 } }, '_id = ' + (k % count + 1))
        await tx.update({ $inc: { n: -1 } }, '_id = ' + (k % count + 1))
      }), 1),
    }[what])
  }
  abort() {
    this.ctx.abort()
  }
}

export class Plain extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env)
    this.sql = ctx.storage.sql
    this.sql.exec('CREATE TABLE IF NOT EXISTS d (id INTEGER PRIMARY KEY, json TEXT)')
    for (const field of ['age', 'city']) this.sql.exec('CREATE INDEX IF NOT EXISTS by_' + field + " ON d (json_extract(json, '$." + field + "'))")
  }
  fill(count) {
    for (let n = 0; n < count; n++) this.sql.exec('INSERT OR REPLACE INTO d VALUES (?, ?)', n + 1, JSON.stringify(documentOf(n)))
    return count
  }
  all(sql, ...values) {
    return this.sql.exec(sql, ...values).toArray()
  }
  get(id) {
    return JSON.parse(this.all('SELECT json FROM d WHERE id = ?', id)[0].json)
  }
  found(where, ...values) {
    return this.all('SELECT json FROM d WHERE ' + where, ...values).map(({ json }) => JSON.parse(json)).length
  }
  add(id, by) {
    const document = this.get(id)
    document.n += by
    this.sql.exec('UPDATE d SET json = ? WHERE id = ?', JSON.stringify(document), id)
  }
  run(what, times, count, from = 0) {
    return repeated(from, times, {
      get: (k) => this.get((k * 7919) % count + 1).n,
      query: (k) => this.found("json_extract(json, '$.age') = ? AND json_extract(json, '$.city') = ? LIMIT 1", k % 90, cities[k % 10]),
      range: (k) => this.found("json_extract(json, '$.age') >= ? AND json_extract(json, '$.age') < ?", k % 80, k % 80 + 1),
      scan: (k) => this.found("json_extract(json, '$.bio') LIKE ?", '%' + (1000 + k % 999) + '%'),
      group: (k) => (this.add(1, 1), this.all("SELECT json_extract(json, '$.city') AS city, count(*) AS n, avg(json_extract(json, '$.age')) AS mean FROM d GROUP BY city")).length,
      put: (k) => (this.sql.exec('INSERT OR REPLACE INTO d VALUES (?, ?)', k % count + 1, JSON.stringify({ ...documentOf(k % count), touched: k })), 1),
      transaction: (k) => (this.ctx.storage.transactionSync(() => {
        this.add(k % count + 1, 1)
        this.add(k % count + 1, -1)
      }), 1),
    }[what])
  }
  /** What the sockets of 'live' are told: how many documents are of age 1. */
  live() {
    return this.all("SELECT count(*) AS c FROM d WHERE json_extract(json, '$.age') = 1")[0].c
  }
  put(document) {
    this.sql.exec('INSERT OR REPLACE INTO d VALUES (?, ?)', document._id, JSON.stringify(document))
  }
  /** The documents of an age and a city: 10 at most. */
  some(age, city) {
    return this.all("SELECT json FROM d WHERE json_extract(json, '$.age') = ? AND json_extract(json, '$.city') = ? LIMIT 10", age, city).map(({ json }) => JSON.parse(json))
  }
  addOne(age) {
    this.sql.exec('INSERT INTO d (json) VALUES (?)', JSON.stringify({ age }))
  }
  async fetch(request) {
    const url = new URL(request.url)
    const id = Number(url.pathname.split('/')[3])
    if (request.method === 'PUT') {
      await this.put({ ...(await request.json()), _id: id })
      return Response.json({ _id: id })
    }
    if (id) return Response.json(await this.get(id))
    if (url.searchParams.has('age')) return Response.json({ documents: await this.some(Number(url.searchParams.get('age')), url.searchParams.get('city')) })
    if (request.headers.get('Upgrade')) {
      const { 0: client, 1: socket } = new WebSocketPair()
      this.ctx.acceptWebSocket(socket)
      socket.send(String(this.live()))
      return new Response(null, { status: 101, webSocket: client })
    }
    const { age } = await request.json()
    await this.addOne(age)
    const told = String(this.live())
    for (const socket of this.ctx.getWebSockets()) socket.send(told)
    return new Response('', { status: 201 })
  }
  abort() {
    this.ctx.abort()
  }
}

export class Tiny extends Plain {
  constructor(ctx, env) {
    super(ctx, env)
    this.store = createMergeableStore()
    this.indexes = createIndexes(this.store).setIndexDefinition('age', 'd', 'age')
    this.persister = createDurableObjectSqlStoragePersister(this.store, this.sql, { mode: 'fragmented', storagePrefix: 'tiny_' })
    ctx.blockConcurrencyWhile(async () => {
      await this.persister.load()
      await this.persister.startAutoSave()
    })
  }
  /** Resolves when what was set is stored: the persister does its work in turn. */
  stored() {
    return new Promise((resolve) => this.persister.schedule(async () => resolve()))
  }
  async fill(count) {
    this.store.transaction(() => {
      for (let n = 0; n < count; n++) this.store.setRow('d', String(n + 1), documentOf(n))
    })
    await this.stored()
    return count
  }
  get(id) {
    return this.store.getRow('d', String(id))
  }
  rows(age) {
    return this.indexes.getSliceRowIds('age', String(age)).map((id) => this.store.getRow('d', id))
  }
  some(age, city) {
    return this.rows(age).filter((row) => row.city === city).slice(0, 10)
  }
  put(document) {
    this.store.setRow('d', String(document._id), document)
    return this.stored()
  }
  add(id, by) {
    this.store.setCell('d', String(id), 'n', (n) => n + by)
  }
  addOne(age) {
    this.store.addRow('d', { age })
    return this.stored()
  }
  live() {
    return this.indexes.getSliceRowIds('age', '1').length
  }
  run(what, times, count, from = 0) {
    return repeated(from, times, {
      get: (k) => this.get((k * 7919) % count + 1).n,
      query: (k) => this.some(k % 90, cities[k % 10]).slice(0, 1).length,
      range: (k) => this.rows(k % 80).length, // ages are whole
      scan: (k) => {
        let found = 0
        this.store.forEachRow('d', (id) => (found += this.store.getCell('d', id, 'bio').includes(String(1000 + k % 999)) ? this.get(id)._id > 0 : 0))
        return found
      },
      group: async (k) => {
        this.store.setCell('d', '1', 'touched', k)
        await this.stored()
        const groups = new Map()
        this.store.forEachRow('d', (id) => {
          const city = this.store.getCell('d', id, 'city')
          const group = groups.get(city) ?? { n: 0, sum: 0 }
          group.n++
          group.sum += this.store.getCell('d', id, 'age')
          groups.set(city, group)
        })
        return Array.from(groups, ([city, { n, sum }]) => ({ city, n, mean: sum / n })).length
      },
      put: async (k) => (await this.put({ ...documentOf(k % count), touched: k }), 1),
      transaction: async (k) => {
        this.store.transaction(() => {
          this.add(k % count + 1, 1)
          this.add(k % count + 1, -1)
          this.store.setCell('d', String(k % count + 1), 'touched', k) // without it nothing has changed, and nothing would be stored
        })
        await this.stored()
        return 1
      },
    }[what])
  }
}

export default {
  async fetch(request, env) {
    const [, space, method, ...args] = new URL(request.url).pathname.split('/')
    const stub = env[space].get(env[space].idFromName('one'))
    if (method === 'default') return stub.fetch(request)
    return Response.json((await stub[method](...args.map((arg) => (/^\\d+$/.test(arg) ? Number(arg) : arg)))) ?? null)
  },
}
`
