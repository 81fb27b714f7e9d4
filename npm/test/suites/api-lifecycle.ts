import type { OpenOptions, StorageBackend, Transaction } from '../../src/index.js'
import { equal, ok, rejects, until } from './check.js'
import { callsThatAreNotClosed } from './closed.js'
import { gate, storageOf } from './controlled-storage.js'
import type { Suite } from './suite.js'

/** Opening, storing, sharing and closing. */
export const lifecycle: Suite = [
  {
    name: 'what was stored is there when the database is opened again',
    async run({ open }) {
      const db = await open('again')
      await db.insertMany([{ n: 1 }, { n: 2 }])
      await db.createIndex('n', { unique: true })
      await db.createCollection('empty')
      await db.update({ $inc: { n: 10 } }, '_id = 2')
      await db.remove('_id = 1')
      await db.close()
      const again = await open('again')
      equal((await again.all()).asList(), [{ _id: 2, n: 12 }])
      equal(await again.collections(), ['default', 'empty'])
      equal((await again.explain('n = 12')).index, ['n'])
      equal(await again.insert({ n: 3 }), 3)
    },
  },
  {
    name: 'databases of different names share nothing',
    async run({ open }) {
      const [a, b] = [await open('a'), await open('b')]
      await a.insert({ n: 1 })
      equal([await a.count(), await b.count()], [1, 0])
    },
  },
  {
    name: 'all writes of a tick are one batch, and later reads see them before they are stored',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('tick', { storage })
      const held = gate<void>()
      const asked = gate<void>()
      controlled.append = async (store) => (asked.open(), await held.promise, store())
      let stored = 0
      const writes = [db.insert({ n: 1 }), db.insertMany([{ n: 2 }, { n: 3 }]), db.update({ seen: true }), db.remove('n = 3')]
      for (const write of writes) void write.then(() => stored++)
      equal((await db.all()).map((d) => d.n), [1, 2])
      await asked.promise
      equal([stored, controlled.batches], [0, 0])
      const second = db.insert({ n: 4 })
      held.open()
      equal(await Promise.all(writes), [1, [2, 3], 3, 1])
      equal(await second, 4)
      equal(controlled.batches, 2)
    },
  },
  {
    name: 'a storage that fails rejects the writes of that batch, and undoes them',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('fails', { storage })
      await db.insert({ n: 0 })
      const held = gate<boolean>()
      const asked = gate<void>()
      controlled.append = () => (asked.open(), held.promise)
      const lost = [db.insert({ n: 1 }), db.update({ lost: true }), db.insert({ n: 2 })]
      const settled = Promise.allSettled(lost)
      await asked.promise
      const later = [db.insert({ n: 3 }), db.update((d) => ({ later: d.n }))]
      const flushed = db.flush()
      flushed.catch(() => {})
      controlled.append = (store) => store()
      held.fail(new Error('the disk is on fire'))
      for (const result of await settled) {
        ok(result.status === 'rejected', 'a write of the failed batch was acknowledged')
        await rejects('storage', () => Promise.reject(result.reason), /the disk is on fire/)
      }
      equal(await Promise.all(later), [2, 2])
      await rejects('storage', () => flushed)
      const expected = [{ _id: 1, n: 0, later: 0 }, { _id: 2, n: 3, later: 3 }]
      equal((await db.all()).asList(), expected)
      await db.flush()
      const again = await context.open('fails', { storage })
      equal((await again.all()).asList(), expected)
    },
  },
  {
    name: 'a full storage is quota, and the database goes on',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('full', { storage })
      controlled.append = async () => {
        throw new DOMException('no room', 'QuotaExceededError')
      }
      await rejects('quota', () => db.insert({ n: 1 }))
      equal(await db.count(), 0)
      controlled.append = (store) => store()
      equal(await db.insert({ n: 1 }), 1)
    },
  },
  {
    name: 'a write runs again when another database was faster',
    async run(context) {
      const { storage } = storageOf(context)
      const a = await context.open('shared', { storage })
      await a.insert({ _id: 'counter', n: 0 })
      const b = await context.open('shared', { storage })
      let runs = 0
      let rounds = 0
      // Whether two threads meet is up to the machine: until they have.
      while (runs === 66 * rounds) {
        rounds++
        const increments = Array.from({ length: 100 }, (_, i) => {
          if (i % 3 === 0) return a.update({ $inc: { n: 1 } }, "_id = 'counter'")
          if (i % 3 === 1) return b.atomicUpdate((d) => (runs++, { n: d.n + 1 }), "_id = 'counter'")
          return (i % 2 ? a : b).update((d) => (runs++, { n: d.n + 1 }), (d) => d._id === 'counter')
        })
        equal((await Promise.all(increments)).length, 100)
      }
      const all = await context.open('shared', { storage })
      equal(await all.get('counter'), { _id: 'counter', n: 100 * rounds })
    },
  },
  {
    name: 'writes that are asked for while others are undone are done once, with the arguments of the call',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('busy', { storage })
      await db.insert({ _id: 'counter', n: 0 })
      const other = await context.open('busy', { storage: controlled.memory })
      let lost = 0
      controlled.append = async (store) => {
        if (lost++ < 30) await other.insert({}, 'others')
        return store()
      }
      const writes: Promise<number>[] = []
      while (lost <= 30) {
        const where: { _id: string } = { _id: 'counter' }
        writes.push(db.update({ $inc: { n: 1 } }, where), db.update((d) => ({ n: d.n + 1 }), where))
        where._id = 'changed later'
        await null
        if (writes.length % (context.threads ? 20 : 2_000) === 0) await new Promise((resolve) => setTimeout(resolve))
      }
      equal([...new Set(await Promise.all(writes))], [1])
      equal((await db.get<any>('counter')).n, writes.length)
      ok(writes.length > 200, `only ${writes.length} writes`)
    },
  },
  {
    name: 'a write that cannot be done again says why, and the others are stored',
    async run(context) {
      const { storage } = storageOf(context)
      const [a, b] = await Promise.all([context.open('again', { storage }), context.open('again', { storage })])
      await a.insert({ _id: 'taken', by: 'a' })
      const writes = [b.insert({ n: 1 }), b.insert({ _id: 'taken', by: 'b' }), b.insert({ n: 2 })]
      const refused = rejects('duplicate_id', () => writes[1]!)
      equal(await writes[0], 1)
      await refused
      equal(await writes[2], 2)
      equal((await b.all()).map((d) => d.by ?? d.n), ['a', 1, 2])
    },
  },
  {
    name: 'a write that is not stored yet never vanishes from reads, whatever other databases do',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('mine', { storage })
      const other = await context.open('mine', { storage: controlled.memory })
      let lost = 0
      controlled.append = async (store) => {
        if (lost++ < 200) await other.insert({}, 'others')
        return store()
      }
      let stored = false
      const write = db.insert({ _id: 'mine' }).then(() => (stored = true))
      let reads = 0
      while (!stored) {
        const found = await Promise.all([db.get('mine'), db.count(), db.contains('_id exists')])
        equal(found, [{ _id: 'mine' }, 1, true], `read ${reads++}`)
        // Seldom: while this loop waits for the next event, all conflicts are over.
        if (reads % 1_000 === 0) await new Promise((resolve) => setTimeout(resolve))
      }
      await write
      ok(lost > 200 && reads > 100, `lost ${lost} times, read ${reads} times`)
    },
  },
  {
    name: 'a write that always loses to other writers ends as a conflict',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('loser', { storage })
      const winner = await context.open('loser', { storage: controlled.memory })
      controlled.append = async () => (await winner.insert({}, 'winner'), false)
      await rejects('conflict', () => db.insert({ n: 1 }), /another writer was faster 1000 times/)
      equal(await db.count(), 0)
      controlled.append = (store) => store()
      equal(await db.insert({ n: 2 }), 1)
    },
  },
  {
    name: 'databases on one MemoryStorage hear of each other',
    async run({ open, atomicdb }) {
      const storage = new atomicdb.MemoryStorage()
      const [a, b] = await Promise.all([open('one', { storage }), open('one', { storage })])
      await a.insert({ n: 1 })
      await until(async () => (await b.count()) === 1, 'b sees what a stored')
      await a.close()
      equal(await b.insert({ n: 2 }), 2)
      const c = await open('one', { storage })
      equal((await c.all()).map((d) => d.n), [1, 2])
    },
  },
  {
    name: 'a storage may itself use a database',
    async run(context) {
      const inner = await context.open('inner')
      const { memory } = storageOf(context).controlled
      const logged = (what: string) => inner.insert({ what }, 'journal')
      const storage: StorageBackend = {
        read: (after) => (void logged('read'), memory.read(after)),
        append: (seq, bytes) => (void logged('append'), memory.append(seq, bytes)),
        compact: (seq, snapshot) => (void logged('compact'), memory.compact(seq, snapshot)),
        watch: (listener) => (void logged('watch'), memory.watch(listener)),
        destroy: () => (void logged('destroy'), memory.destroy()),
        close: () => (void logged('close'), memory.close()),
      }
      const outer = await context.open('outer', { storage, onProgress: () => void logged('progress') })
      equal(await Promise.all([outer.insert({ n: 1 }), outer.insert({ n: 2 })]), [1, 2])
      equal(await outer.count(), 2)
      await outer.close()
      const again = await context.open('outer', { storage, onProgress: () => void logged('progress') })
      equal(await again.count(), 2)
      await again.close()
      await inner.flush()
      equal(await inner.distinct('what', undefined, 'journal'), ['append', 'close', 'progress', 'read', 'watch'])
    },
  },
  {
    name: 'close stores what is not stored yet, and refuses what comes after',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('closing', { storage })
      const held = gate<void>()
      const asked = gate<void>()
      controlled.append = async (store) => (asked.open(), await held.promise, store())
      const writes = [db.insert({ n: 1 })]
      await asked.promise
      writes.push(db.insert({ n: 2 }))
      const closing = db.close()
      await rejects('closed', () => db.insert({ n: 3 }))
      await rejects('closed', () => db.count())
      await rejects('closed', () => db.flush())
      await rejects('closed', () => db.collections())
      held.open()
      equal(await Promise.all(writes), [1, 2])
      await closing
      await db.close()
      await db[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]()
      equal(controlled.closed, 1)
      await rejects('closed', () => db.search())
      equal(await (await context.open('closing', { storage })).count(), 2)
    },
  },
  {
    name: 'close with a failing storage rejects the writes and still closes',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('closing', { storage })
      controlled.append = async () => {
        throw new Error('gone')
      }
      const write = db.insert({ n: 1 })
      write.catch(() => {})
      await db.close()
      await rejects('storage', () => write)
      equal(controlled.closed, 1)
    },
  },
  {
    name: 'close stores what came after a batch that fails',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('closing', { storage })
      const asked = gate<void>()
      const held = gate<boolean>()
      controlled.append = () => (asked.open(), held.promise)
      const first = db.insert({ n: 1 })
      first.catch(() => {})
      await asked.promise
      const second = db.insert({ n: 2 })
      const closing = db.close()
      controlled.append = (store) => store()
      held.fail(new Error('gone'))
      await rejects('storage', () => first)
      equal(await second, 1)
      await closing
    },
  },
  {
    name: 'after close, every call of everything that belongs to the database is closed',
    async run({ atomicdb: { MemoryStorage }, open }) {
      for (const options of [{}, { inMemory: true, storage: undefined }, { inMemory: true, storage: new MemoryStorage() }] as OpenOptions[]) {
        const db = await open('closed', options)
        const users = db.collection('users')
        await users.insertMany([{ n: 1 }, { n: 2 }])
        const found = await users.search()
        const tracked = found.tracked()
        await db.close()
        equal(await callsThatAreNotClosed(db), ['collection', 'query', 'withSignal', 'close'])
        equal(await callsThatAreNotClosed(users), ['query'])
        await rejects('closed', () => found.updateAll({ n: 3 }))
        await rejects('closed', () => found.removeAll())
        tracked[0]!.n = 3
        await rejects('closed', () => tracked.saved())
      }
    },
  },
  {
    name: 'after the end of a transaction, every call of it is closed',
    async run({ open }) {
      const db = await open('ended')
      let ended: Transaction | undefined
      await db.transaction(async (tx) => void (ended = tx))
      // A transaction in one is always refused: that is what it is to be told.
      const lives = ['live', 'liveAggregate', 'liveCount', 'liveDistinct', 'liveGet'] // a transaction never had them
      equal(await callsThatAreNotClosed(ended!), ['collection', ...lives, 'liveSql', 'query', 'transaction'])
      equal(await callsThatAreNotClosed(ended!.collection('default')), [...lives, 'query'])
    },
  },
  {
    name: 'each batch is stored as durably as open was told, whatever lies between',
    async run(context) {
      const { SealedStorage } = context.atomicdb
      for (const durability of [undefined, 'relaxed', 'strict'] as const) {
        const { storage, controlled } = storageOf(context)
        const options = durability && { durability }
        for (const where of [storage, new SealedStorage(storage, { compressionLevel: 1 })]) {
          const db = await context.open('durable', { storage: where, ...options })
          await db.insert({ n: 1 })
          await db.transaction(async (tx) => void (await tx.insert({ n: 2 })))
          await db.close()
          const memory = await context.open('durable', { storage: where, inMemory: true, ...options })
          await memory.insert({ n: 3 })
          await memory.commit()
        }
        equal(controlled.durabilities, Array(6).fill(durability ?? 'relaxed'))
      }
    },
  },
  {
    name: 'a database is closed when its block ends',
    async run({ open }) {
      let kept
      {
        await using db = await open()
        kept = db
        await db.insert({ n: 1 })
      }
      await rejects('closed', () => kept.count())
    },
  },
  {
    name: 'destroy deletes what is stored',
    async run(context) {
      const { storage } = storageOf(context)
      const db = await context.open('doomed', { storage })
      await db.insert({ n: 1 })
      await db.close()
      await context.atomicdb.AtomicDB.destroy('doomed', { storage })
      equal(await (await context.open('doomed', { storage })).count(), 0)
    },
  },
  {
    name: 'in memory, nothing is kept, and flush is done at once',
    async run({ open }) {
      const db = await open('memory', { inMemory: true, storage: undefined })
      equal(await db.insert({ n: 1 }), 1)
      await db.flush()
      await db.close()
      equal(await (await open('memory', { inMemory: true, storage: undefined })).count(), 0)
    },
  },
  {
    name: 'in memory with a storage, what is there is read, and commit alone writes to it, all at once',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const kept = await context.open('kept', { storage })
      await kept.insert({ _id: 'before' })
      await kept.close()
      const db = await context.open('kept', { storage, inMemory: true })
      equal(await db.documentIds(), ['before'])
      await db.commit()
      await db.insertMany([{ n: 1 }, { n: 2 }])
      await db.transaction(async (tx) => void (await tx.update({ seen: true }, 'n = 2')))
      await db.flush()
      equal(controlled.batches, 1)
      const waiting = db.insert({ n: 3 })
      await db.commit()
      await waiting
      equal(controlled.batches, 2)
      await db.insert({ n: 4 })
      await db.close()
      const again = await context.open('kept', { storage })
      equal((await again.all()).map((d) => d.n ?? d._id), ['before', 1, 2, 3])
      equal(await again.count('seen = true'), 1)
    },
  },
  {
    name: 'a commit that fails loses nothing, and the next one stores it all',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('kept', { storage, inMemory: true })
      await db.insert({ n: 1 })
      controlled.append = async () => {
        throw new DOMException('no room', 'QuotaExceededError')
      }
      await rejects('quota', () => db.commit())
      controlled.append = async (store) => {
        await store()
        throw new Error('the answer is lost')
      }
      await rejects('storage', () => db.commit())
      controlled.append = (store) => store()
      await db.insert({ n: 2 })
      equal((await db.all()).map((d) => d.n), [1, 2])
      await db.commit()
      equal((await (await context.open('kept', { storage })).all()).map((d) => d.n), [1, 2])
      equal(controlled.batches, 2)
    },
  },
  {
    name: 'a commit after another writer is a conflict, and changes neither side',
    async run(context) {
      const { storage } = storageOf(context)
      const db = await context.open('kept', { storage, inMemory: true })
      const other = await context.open('kept', { storage })
      await db.insert({ _id: 'mine' })
      await other.insert({ _id: 'theirs' })
      await rejects('conflict', () => db.commit(), /another writer has stored a batch/)
      equal([await db.documentIds(), await other.documentIds()], [['mine'], ['theirs']])
      equal(await (await context.open('kept', { storage })).documentIds(), ['theirs'])
    },
  },
  {
    name: 'commit of a database that stores everything at once is flush',
    async run({ open }) {
      const db = await open('always')
      const write = db.insert({ n: 1 })
      await db.commit()
      equal(await write, 1)
      const memory = await open('memory', { inMemory: true, storage: undefined })
      await memory.insert({ n: 1 })
      await memory.commit()
      equal(await memory.count(), 1)
      await memory.close()
      await rejects('closed', () => memory.commit())
    },
  },
  {
    name: 'onProgress tells how much of a large database has been read',
    async run(context) {
      const { storage } = storageOf(context)
      const db = await context.open('large', { storage })
      for (let i = 0; i < 8; i++) await db.insertMany(Array.from({ length: 1_000 }, (_, n) => ({ n, text: 'x'.repeat(200) })))
      await db.close()
      const told: [number, number][] = []
      const again = await context.open('large', { storage, onProgress: (done, total) => told.push([done, total]) })
      equal(await again.count(), 8_000)
      ok(told.length > 1, `told ${told.length} times`)
      ok(told.every(([done, total], i) => done <= total && done > (told[i - 1]?.[0] ?? 0)), JSON.stringify(told))
      equal(told.at(-1)![0], told.at(-1)![1])
    },
  },
  {
    name: 'wrong options of open and destroy are refused by name',
    async run({ atomicdb: { AtomicDB, IndexedDBStorage } }) {
      const wrong: [string, unknown, RegExp][] = [
        ['invalid', { durable: true }, /^options: there is no option durable; the options are storage, inMemory/],
        ['invalid', { durability: 'full' }, /^options\.durability: expected 'relaxed' or 'strict', not "full"$/],
        // A long text is clipped behind its 39th character.
        ['invalid', { durability: 'f' + 'u'.repeat(39) }, /, not "fu{39}"$/],
        ['invalid', { durability: 'f' + 'u'.repeat(40) }, /, not "fu{38}…"$/],
        ['invalid', { inMemory: 'yes' }, /^options\.inMemory: /],
        ['invalid', { onProgress: 5 }, /^options\.onProgress: /],
        ['invalid', { storage: 5 }, /^options\.storage: /],
        ['invalid', { storage: { read() {}, close() {} } }, /^options\.storage: it has no method append, compact, destroy$/],
        ['invalid', null, /^options: /],
      ]
      for (const [code, options, message] of wrong) await rejects(code, () => AtomicDB.open('wrong', options as never), message)
      for (const name of [5, '', null, {}] as never[]) {
        await rejects('invalid', () => AtomicDB.open(name), /^name: /)
        await rejects('invalid', () => AtomicDB.destroy(name), /^name: /)
        await rejects('invalid', async () => new IndexedDBStorage(name), /^name: /)
      }
      await rejects('invalid', () => AtomicDB.destroy('wrong', { inMemory: true } as never), /no option inMemory/)
      await rejects('invalid', async () => new (IndexedDBStorage as any)('sealed', { compression: 6 }), /no option compression;/)
    },
  },
  {
    name: 'whatever a storage rejects with is a storage error, and the database goes on',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('rejecting', { storage })
      const cyclic = new Error('cyclic')
      cyclic.cause = { cause: cyclic }
      const reasons: [unknown, RegExp][] = [
        [cyclic, /cyclic/],
        [new TypeError('typed', { cause: () => {} }), /typed/],
        ['a text', /a text/],
        [undefined, /the storage has failed without saying why/],
        [null, /the storage has failed without saying why/],
        [Object.create(null), /without saying why|cannot be read/],
        [{ get message() { throw new Error('no message') } }, /cannot be read/],
      ]
      for (const [reason, message] of reasons) {
        controlled.append = () => Promise.reject(reason as Error)
        await rejects('storage', () => db.insert({ n: 1 }), message)
        equal(await db.count(), 0)
      }
      controlled.append = (store) => store()
      await db.insert({ n: 2 })
      equal(await db.count(), 1)
    },
  },
]
