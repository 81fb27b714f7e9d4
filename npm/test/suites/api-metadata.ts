import { equal, rejects } from './check.js'
import type { Suite } from './suite.js'

/** What a collection and the whole database take. */
export const metadata: Suite = [
  {
    name: 'metadata counts documents, bytes and entries, and every write keeps them',
    async run({ open }) {
      const db = await open()
      equal(await db.metadata('users'), {
        documentCount: 0, averageDocumentSize: 0, totalSize: 0, indexes: [], relationships: [], schema: null, schemaOptions: {}, stats: { lastUpdated: null, seq: 0 },
      })
      await db.createIndex('tags', { collection: 'users' })
      const before = Date.now()
      await db.insertMany([{ tags: ['a', 'b'] }, { tags: 'c' }, {}], 'users')
      const users = db.collection('users')
      const { stats, ...found } = await users.metadata()
      equal(found, { documentCount: 3, averageDocumentSize: 35 / 3, totalSize: 35, indexes: [{ paths: ['tags'], unique: false, sparse: false, entries: 4, bytes: found.indexes[0]!.bytes }], relationships: [], schema: null, schemaOptions: {} })
      equal(found.indexes[0]!.bytes >= 4 * 8, true)
      equal(new Date(stats.lastUpdated!).toISOString(), stats.lastUpdated)
      equal(Date.parse(stats.lastUpdated!) >= before - 1 && Date.parse(stats.lastUpdated!) <= Date.now() + 1, true)
      await users.remove('_id = 1')
      equal((await users.metadata()).indexes[0]!.entries, 2)
      await db.transaction(async (tx) => {
        await tx.clear('users')
        equal((await tx.metadata('users')).documentCount, 0)
        throw new Error('no')
      }).catch(() => {})
      equal((await db.metadata('users')).documentCount, 2)
      equal((await db.metadata()).stats.lastUpdated, null) // of the default collection
      await rejects('invalid', () => db.metadata(''))
      await rejects('invalid', () => db.metadata(5 as any))
    },
  },
  {
    name: 'the time of the last change is that of the writer, wherever it is read again',
    async run({ open }) {
      const db = await open('times')
      await db.insert({}, 'a')
      const { stats } = await db.metadata('a')
      equal(typeof stats.lastUpdated, 'string')
      while (Date.now() <= Date.parse(stats.lastUpdated!)) await new Promise((resolve) => setTimeout(resolve, 1))
      await db.insert({}, 'b')
      await db.close()
      const again = await open('times')
      equal((await again.metadata('a')).stats, { lastUpdated: stats.lastUpdated, seq: stats.seq + 1 })
      equal((await again.metadata('b')).stats.lastUpdated! > stats.lastUpdated!, true)
    },
  },
  {
    name: 'usage adds up, and counts what is in the log',
    async run({ open }) {
      const db = await open()
      const empty = await db.usage()
      equal([empty.documents, empty.bytes, empty.collections, empty.log], [0, 0, {}, { batches: 0, bytes: 0 }])
      await db.insert({ n: 1 }, 'a')
      await db.insertMany([{ n: 1 }, { n: 2 }], 'b')
      const { documents, bytes, collections, log, used, quota } = await db.usage()
      equal([documents, bytes], [3, 27])
      equal(collections, { a: { documents: 1, bytes: 9 }, b: { documents: 2, bytes: 18 } })
      equal(log.batches, 2)
      equal(log.bytes > 27, true)
      equal(typeof used, typeof quota) // the browser tells both, or none
    },
  },
]
