import type { AtomicDB, OpenOptions, PoolOptions, StorageBackend, ThreadSafeDatabase } from '../../src/index.js'
import { equal, ok, rejects, until } from './check.js'
import { callsThatAreNotClosed } from './closed.js'
import { gate, storageOf } from './controlled-storage.js'
import type { Context, Suite } from './suite.js'

/** Runs `use` with a pool on a storage without watch, unless the options say otherwise. */
async function withPool(context: Context, options: PoolOptions, use: (pool: ThreadSafeDatabase) => Promise<void>): Promise<void> {
  const { storage } = storageOf(context)
  await using pool = await context.atomicdb.ThreadSafeDatabase.open(`pool ${++pools}`, { wasm: context.wasm, storage, ...options })
  await use(pool)
}

let pools = 0

/** Has `count` operations of the pool run side by side, and returns their databases; `release` ends them. */
async function occupy(pool: ThreadSafeDatabase, count: number) {
  const held = gate<void>()
  const dbs: AtomicDB[] = []
  const all = gate<void>()
  const done = Array.from({ length: count }, () => pool.execute(async (db) => {
    if (dbs.push(db) === count) all.open()
    await held.promise
  }))
  await all.promise
  return { dbs, release: async () => (held.open(), void (await Promise.all(done))) }
}

/** ThreadSafeDatabase. */
export const pooling: Suite = [
  {
    name: 'a live query of a pool sees what each connection writes, and goes on when its connection ends',
    async run(context) {
      await withPool(context, { maxConnections: 3 }, async (pool) => {
        const count = pool.liveCount()
        const found = pool.live<{ n: number }>('n >= 1', { sort: '-n', limit: 2 })
        await Promise.all([count.ready, found.ready])
        const told: number[] = []
        count.subscribe((n) => void told.push(n), (error) => {
          throw error
        })
        const { dbs, release } = await occupy(pool, 3)
        for (let n = 0; n < 9; n++) await dbs[n % 3]!.insert({ n })
        await until(async () => count.current === 9, 'all documents are there')
        equal(told, [...told].sort((a, b) => a - b), 'counts')
        equal(found.current.map((d) => d.n), [8, 7])
        await release()
        for (const db of dbs.slice(0, 2)) (db as unknown as { connection: { thread: { terminate(): void } } }).connection.thread.terminate()
        await until(async () => (await pool.insert({ n: 9 }).then(() => true, () => false)), 'a connection is there')
        await until(async () => found.current[0]!.n === 9, 'it goes on')
        count.close()
        found.close()
      })
    },
  },
  {
    name: 'each call of a pool sees what the calls before it have stored, by whichever connection',
    async run(context) {
      await withPool(context, { maxConnections: 3 }, async (pool) => {
        const { dbs, release } = await occupy(pool, 3)
        equal(new Set(dbs).size, 3)
        for (let n = 0; n < 30; n++) {
          const [writer, reader, changer] = [dbs[n % 3]!, dbs[(n + 1) % 3]!, dbs[(n + 2) % 3]!]
          await writer.insert({ _id: n, n })
          equal(await reader.get(n), { _id: n, n })
          equal(await changer.update({ $inc: { n: 1 } }, (d) => d._id === n), 1)
          equal(await writer.transaction(async (tx) => tx.get(n)), { _id: n, n: n + 1 })
          equal(await reader.remove('n < 0'), 0)
          equal(await reader.update({ seen: true }, `_id = ${n}`), 1)
        }
        await release()
        equal(await pool.count('seen = true'), 30)
      })
    },
  },
  {
    name: 'a call of a pool sees what is stored also while its own connection is storing something',
    async run(context) {
      await withPool(context, { maxConnections: 2 }, async (pool) => {
        const { dbs: [one, other], release } = await occupy(pool, 2)
        const writes: Promise<unknown>[] = []
        for (let n = 0; n < 50; n++) {
          for (let i = 0; i < 5; i++) writes.push(other!.insert({ by: 'other' }))
          await one!.insert({ _id: `of one ${n}` })
          const seen = other!.get(`of one ${n}`)
          writes.push(other!.insert({ by: 'other' }))
          equal(await seen, { _id: `of one ${n}` })
        }
        await Promise.all(writes)
        await release()
        equal(await pool.count(), 350)
      })
    },
  },
  {
    name: 'the status of writes of a pool is that of all its connections',
    async run(context) {
      await withPool(context, { maxConnections: 2 }, async (pool) => {
        const told: string[] = []
        pool.writeStatus.subscribe(({ status, error }) => told.push(error ? `${status} ${error.code}` : status))
        const written = pool.insert({ _id: 1 })
        equal(told, ['saved', 'saving'])
        await written
        equal(told, ['saved', 'saving', 'saved'])
        await pool.execute(async (db) => rejects('duplicate_id', () => db.insert({ _id: 1 })))
        equal(told, ['saved', 'saving', 'saved', 'saving', 'failed duplicate_id'])
      })
    },
  },
  {
    name: 'a pool has the calls of a database',
    async run(context) {
      await withPool(context, {}, async (pool) => {
        equal(await pool.insert({ n: 1 }), 1)
        equal(await pool.insertMany([{ n: 2 }, { n: 3 }]), [2, 3])
        equal(await pool.upsert({ _id: 3, n: 30 }), 3)
        await pool.createIndex('n')
        const q = pool.query<{ n: number }>()
        equal((await pool.search(q.n.gt(1))).length, 2)
        equal(await pool.get(1), { _id: 1, n: 1 })
        equal((await pool.find({ n: 30 })).length, 1)
        equal((await pool.findOne({ n: 30 }))!._id, 3)
        equal((await pool.all()).length, 3)
        equal(await pool.documentIds(), [1, 2, 3])
        equal(await pool.collections(), ['default'])
        equal(await pool.contains('n = 2'), true)
        equal(await pool.distinct('n'), [1, 2, 30])
        equal(await pool.aggregate({ select: { sum: { $sum: 'n' } } }), [{ sum: 33 }])
        equal(await pool.sql`SELECT n FROM default WHERE n > ${2}`, [{ n: 30 }])
        equal(await pool.sql('UPDATE default SET n = 20 WHERE _id = ?', [2]), [{ updated: 1 }])
        equal(await pool.update({ $inc: { n: 1 } }, 'n = 1'), 1)
        equal(await pool.atomicUpdate<{ n: number }>((d) => ({ n: d.n + 1 }), '_id = 1'), { _id: 1, n: 3 })
        equal(await (await pool.search('n = 3')).updateAll({ n: 4 }), 1)
        equal((await pool.explain('n = 4')).index, ['n'])
        await pool.createCollection('more')
        equal(await pool.collection('more').insert({ n: 5 }), 1)
        equal(await pool.collections(), ['default', 'more'])
        await pool.dropCollection('more')
        equal(await pool.collections(), ['default'])
        equal(await pool.transaction(async (tx) => tx.count('n = 4')), 1)
        equal(await pool.remove('n = 4'), 1)
        await pool.dropIndex('n')
        await rejects('not_found', () => pool.dropIndex('n'))
        await pool.clear()
        equal(await pool.count(), 0)
        await rejects('invalid', () => pool.insert(5 as never))
      })
    },
  },
  {
    name: 'a result of a pool can be changed when the connection that found it is gone',
    async run(context) {
      await withPool(context, { maxConnections: 1 }, async (pool) => {
        await pool.insertMany([{ n: 1 }, { n: 2 }])
        const found = await pool.search('n = 1')
        await pool.execute((db) => db.close())
        equal(await found.updateAll({ n: 3 }), 1)
        equal(found.asList(), [{ _id: 1, n: 3 }])
        const tracked = found.tracked()
        tracked[0]!.n = 4
        await tracked.saved()
        equal(await pool.get(1), { _id: 1, n: 4 })
        equal(await found.removeAll(), 1)
        equal(await pool.documentIds(), [2])
      })
    },
  },
  {
    name: 'a write that waits for a connection stores its arguments as they were at the call',
    async run(context) {
      await withPool(context, { maxConnections: 1 }, async (pool) => {
        const { release } = await occupy(pool, 1)
        const document = { _id: 'a', n: 1 }
        const inserted = pool.insert(document)
        document.n = 2
        await release()
        await inserted
        equal(await pool.get('a'), { _id: 'a', n: 1 })
      })
    },
  },
  {
    name: 'an operation has its connection alone, and no more than maxConnections run at once',
    async run(context) {
      await withPool(context, { maxConnections: 2 }, async (pool) => {
        await (await occupy(pool, 2)).release() // both are there then
        let running = 0
        let most = 0
        const inUse = new Set<AtomicDB>()
        const results = await Promise.all(Array.from({ length: 20 }, (_, n) => pool.execute(async (db) => {
          ok(!inUse.has(db), 'two have one connection')
          inUse.add(db)
          most = Math.max(most, ++running)
          await db.insert({ n })
          running--
          inUse.delete(db)
          return n
        })))
        equal(results, Array.from({ length: 20 }, (_, n) => n))
        equal([most, await pool.count()], [2, 20])
      })
    },
  },
  {
    name: 'waiting for a connection ends as timeout, and a later call goes on',
    async run(context) {
      await withPool(context, { maxConnections: 1, timeout: 20 }, async (pool) => {
        const { release } = await occupy(pool, 1)
        await rejects('timeout', () => pool.execute(async () => {}), /all 1 connections were in use for 20 ms/)
        await rejects('timeout', () => pool.insert({ n: 1 }))
        await rejects('timeout', () => pool.count())
        await release()
        equal(await pool.insert({ n: 1 }), 1)
        // The mistake that ends so: the operation waits for a connection that it has itself.
        await rejects('timeout', () => pool.execute(() => pool.insert({ n: 2 })), /inside execute\(\), use the database that it passes/)
        equal(await pool.count(), 1)
      })
    },
  },
  {
    name: 'what an operation throws is passed on, and its connection is free again',
    async run(context) {
      await withPool(context, { maxConnections: 1, timeout: 5_000 }, async (pool) => {
        const own = new Error('own')
        for (let n = 0; n < 3; n++) ok((await pool.execute(async () => { throw own }).catch((error) => error)) === own, 'another error')
        ok((await pool.execute(() => { throw own }).catch((error) => error)) === own, 'another error than was thrown at once')
        await rejects('invalid', () => pool.execute(5 as never), /^operation: expected a function, not 5/)
        equal(await pool.count(), 0)
      })
    },
  },
  {
    name: 'a pool tells the changes of all its connections, and undoes them',
    run: (context) => withPool(context, { maxConnections: 3, undoSteps: 10 }, async (pool) => {
      const told: string[] = []
      pool.onChange(({ seq, id, local }) => told.push(`${seq} ${id} ${local}`))
      await pool.insert({ _id: 'a' })
      await Promise.all([pool.execute((db) => db.insert({ _id: 'b' })), pool.execute((db) => db.insert({ _id: 'c' }))])
      await until(async () => told.length === 3, 'all changes are told')
      equal(told.map((text) => text.slice(0, 1) + text.slice(3)), ['1 true', '2 true', '3 true'])
      const before = await pool.at(1)
      equal(await before.documentIds(), ['a'])
      await before.close()
      ok(await pool.undo(), 'there is a step')
      ok(await pool.undo(), 'there is a step')
      equal(await pool.documentIds(), ['a'])
      ok(await pool.redo(), 'there is a step')
      equal(await pool.count(), 2)
    }),
  },
  {
    name: 'a connection that an operation has closed is replaced by another',
    async run(context) {
      await withPool(context, { maxConnections: 2 }, async (pool) => {
        await pool.insert({ _id: 'kept' })
        const { dbs, release } = await occupy(pool, 2)
        const waiting = pool.count()
        await Promise.all(dbs.map((db) => db.close())) // all there are
        await release()
        equal(await waiting, 1)
        for (let n = 0; n < 4; n++) equal(await pool.contains("_id = 'kept'"), true)
        equal(await pool.execute(async (db) => db.insert({ _id: 1 })), 1)
        await pool.upsert({ _id: 1, again: true })
        await pool.execute(async (db) => db.close())
      })
    },
  },
  {
    name: '1,000 atomicUpdates by four connections are all counted',
    async run(context) {
      await withPool(context, { maxConnections: 4 }, async (pool) => {
        await pool.insert({ _id: 'counter', n: 0 })
        const { dbs, release } = await occupy(pool, 4)
        await Promise.all(dbs.map(async (db) => {
          for (let n = 0; n < 250; n++) await db.atomicUpdate<{ n: number }>((d) => ({ n: d.n + 1 }), "_id = 'counter'")
        }))
        await release()
        equal(await pool.get('counter'), { _id: 'counter', n: 1000 })
      })
    },
  },
  {
    name: 'without a storage, the connections of a pool in memory share what they hold',
    async run(context) {
      await withPool(context, { inMemory: true, storage: undefined as unknown as StorageBackend, maxConnections: 2 }, async (pool) => {
        const { dbs, release } = await occupy(pool, 2)
        await dbs[0]!.insert({ n: 1 })
        equal(await dbs[1]!.count(), 1)
        await release()
      })
    },
  },
  {
    name: 'close waits for what is under way, refuses what waits and what comes, and closes the storage once',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const pool = await context.atomicdb.ThreadSafeDatabase.open('closing', { wasm: context.wasm, storage, maxConnections: 2 })
      const { dbs, release } = await occupy(pool, 2)
      const waiting = pool.count()
      const closing = pool.close()
      await rejects('closed', () => waiting)
      await rejects('closed', () => pool.insert({}))
      await rejects('closed', () => pool.execute(async () => {}))
      equal([await dbs[0]!.insert({ n: 1 }), controlled.closed], [1, 0])
      await release()
      await closing
      await pool.close()
      equal(controlled.closed, 1)
      equal(await callsThatAreNotClosed(pool), ['collection', 'query', 'withSignal', 'close'])
      equal(await callsThatAreNotClosed(dbs[0]!), ['collection', 'query', 'withSignal', 'close'])
    },
  },
  {
    name: 'a pool stores each batch as durably as it was told',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      await withPool(context, { storage, durability: 'strict', maxConnections: 2 }, async (pool) => {
        await pool.insert({ n: 1 })
        await pool.execute((db) => db.insert({ n: 2 }))
      })
      equal(controlled.durabilities, ['strict', 'strict'])
    },
  },
  {
    name: 'wrong options of a pool are refused by name',
    async run(context) {
      const open = (options: object) => context.atomicdb.ThreadSafeDatabase.open('wrong', { wasm: context.wasm, ...options })
      await rejects('invalid', () => open({ maxConnections: 0 }), /^options\.maxConnections: expected a whole number from 1 to 1000, not 0/)
      await rejects('invalid', () => open({ maxConnections: 1.5 }), /^options\.maxConnections/)
      await rejects('invalid', () => open({ timeout: '5' }), /^options\.timeout/)
      await rejects('invalid', () => open({ inMemory: true, storage: storageOf(context).storage }), /^options\.inMemory: /)
      await rejects('invalid', () => open({ max: 5 }), /there is no option max/)
      for (const wrong of [null, 5, 'x']) await rejects('invalid', () => context.atomicdb.ThreadSafeDatabase.open('wrong', wrong as never), /^options: expected an object/)
      await rejects('invalid', () => open({ storage: {} }), /^options\.storage/)
    },
  },
  {
    name: 'of a pool, a worker and a database that open at once, one runs each migration, with what it declares, and older programs only read',
    async run(context) {
      const { atomicdb: { AtomicDB, ThreadSafeDatabase }, wasm } = context
      const { storage } = storageOf(context)
      const shared = { storage, wasm }
      const old = await AtomicDB.open('before', shared)
      const oldPool = await ThreadSafeDatabase.open('before', { ...shared, version: 1, maxConnections: 2 })
      await old.insertMany([{ name: 'Ada', posts: ['one', 'two'] }, { name: 'Bob', posts: [] }], 'users')
      let runs = 0
      const migrations: OpenOptions['migrations'] = {
        2: async (tx) => {
          runs++
          await tx.createCollection('posts', { properties: { title: { type: 'string' }, user: { type: 'integer' } }, required: ['user'] })
          for (const { _id, posts } of await tx.all<{ posts: string[] }>('users')) await tx.insertMany(posts.map((title) => ({ title, user: _id })), 'posts')
          await tx.update({ $unset: { posts: '' } }, undefined, 'users')
        },
        3: async (tx) => {
          await tx.addRelationship({ type: 'one_to_many', from: 'users', to: 'posts', foreignKey: 'user', onDelete: 'cascade', enforce: true })
          await tx.update({ $inc: { migrated: 1 } }, undefined, 'users')
        },
      }
      const next = { ...shared, version: 3, migrations }
      const [pool, worker, db] = await Promise.all([ThreadSafeDatabase.open('pool', { ...next, maxConnections: 2 }), AtomicDB.open('worker', { ...next, worker: true }), AtomicDB.open('db', next)])
      ok(runs >= 1, 'migration 2 did not run')
      const posts = [{ _id: 1, title: 'one', user: 1 }, { _id: 2, title: 'two', user: 1 }]
      for (const each of [pool, worker, db]) {
        equal((await each.search(undefined, { collection: 'users', populate: ['posts'] })).asList(), [{ _id: 1, name: 'Ada', migrated: 1, posts }, { _id: 2, name: 'Bob', migrated: 1, posts: [] }])
        await rejects('schema', () => each.insert({ title: 'three' }, 'posts'))
        await rejects('relationship', () => each.insert({ title: 'three', user: 9 }, 'posts'))
      }
      await rejects('unsupported', () => oldPool.insert({ name: 'Eve' }, 'users'), /of version 3/)
      equal(await oldPool.count(undefined, 'posts'), 2)
      const { dbs: [one, other], release } = await occupy(pool, 2)
      equal(await one!.remove('_id = 1', 'users'), 1)
      equal(await other!.count(undefined, 'posts'), 0)
      await release()
      await rejects('unsupported', () => ThreadSafeDatabase.open('refused', { ...shared, version: 2 }), /ifNewer/)
      const reader = await ThreadSafeDatabase.open('reader', { ...shared, version: 2, ifNewer: 'read', maxConnections: 1 })
      equal([await reader.count(undefined, 'users'), await reader.count(undefined, 'posts')], [1, 0])
      await rejects('unsupported', () => reader.clear('users'))
      for (const each of [old, oldPool, pool, worker, db, reader]) await each.close()
    },
  },
]
