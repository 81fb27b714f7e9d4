import { equal, rejects } from './check.js'
import { storageOf } from './controlled-storage.js'
import type { OpenOptions } from '../../src/index.js'
import type { Suite } from './suite.js'

type Migrations = NonNullable<OpenOptions['migrations']>

/** Migrations that note that they ran. Version 2 splits names, 3 counts them. */
function people() {
  const ran: number[] = []
  const migrations: Migrations = {
    2: async (tx) => {
      ran.push(2)
      await tx.update((d: any) => ({ $set: { first: d.name.split(' ')[0] }, $unset: { name: '' } }))
    },
    3: async (tx) => {
      ran.push(3)
      await tx.createIndex('first')
      await tx.insert({ people: await tx.count() }, 'totals')
    },
  }
  return { ran, migrations }
}

const names = [{ name: 'Ada Lovelace' }, { name: 'Alan Turing' }]

/** Versions of the data, and what leads from one to the next. */
export const migrations: Suite = [
  {
    name: 'migrations run in order, once, and what they did is there',
    async run({ open }) {
      const old = await open('people')
      await old.insertMany(names)
      await old.close()
      const { ran, migrations } = people()
      for (let times = 0; times < 2; times++) {
        const db = await open('people', { version: 3, migrations })
        equal(ran, [2, 3])
        equal((await db.all()).asList(), [{ _id: 1, first: 'Ada' }, { _id: 2, first: 'Alan' }])
        equal((await db.all('totals')).asList(), [{ _id: 1, people: 2 }])
        equal((await db.explain("first = 'Ada'")).index, ['first'])
        equal(await db.collections(), ['default', 'totals'])
        await db.close()
      }
    },
  },
  {
    name: 'a new database begins at the version, or with migration 1',
    async run({ open }) {
      const { ran, migrations } = people()
      const db = await open('new', { version: 3, migrations })
      equal([ran, await db.collections()], [[], []])
      await db.insert({ first: 'Ada' })
      await db.close()
      await (await open('new', { version: 3, migrations })).close()
      equal(ran, [])
      const made = await open('made', { version: 3, migrations: { ...migrations, 1: async (tx) => void (await tx.insertMany(names)) } })
      equal([ran, await made.count()], [[2, 3], 2])
    },
  },
  {
    name: 'a migration that throws leaves the version before it, and open goes on there',
    async run({ open }) {
      const old = await open('fails')
      await old.insertMany(names)
      await old.close()
      const { ran, migrations } = people()
      const failure = new Error('no')
      const failing: Migrations = { ...migrations, 3: async (tx) => {
        await tx.clear()
        throw failure
      } }
      equal(await open('fails', { version: 3, migrations: failing }).catch((error: unknown) => error), failure)
      const between = await open('fails')
      equal((await between.all()).asList(), [{ _id: 1, first: 'Ada' }, { _id: 2, first: 'Alan' }])
      await between.close()
      const db = await open('fails', { version: 4, migrations: { ...migrations, 4: async () => void ran.push(4) } })
      equal([ran, await db.count()], [[2, 3, 4], 2])
    },
  },
  {
    name: 'data of a later version is refused, or read, and an open database of an earlier one writes no more',
    async run(context) {
      const { storage } = storageOf(context)
      const shared = { storage }
      const old = await context.open('older', { ...shared, version: 2 })
      await old.insertMany(names)
      const { migrations } = people()
      const fresh = await context.open('newer', { ...shared, version: 3, migrations: { 3: migrations[3]! } })
      await rejects('unsupported', () => old.insert({ name: 'Eve' }), /of version 3, and this program knows versions up to 2/)
      await rejects('unsupported', () => old.transaction((tx) => tx.clear()))
      equal([await old.count(), await fresh.count(), await old.count(undefined, 'totals')], [2, 2, 1])
      await rejects('unsupported', () => context.open('refused', { ...shared, version: 2 }), /ifNewer/)
      const reader = await context.open('reader', { ...shared, version: 2, ifNewer: 'read' })
      equal(await reader.count(), 2)
      await rejects('unsupported', () => reader.remove('_id = 1'))
      equal(await fresh.insert({ first: 'Eve' }), 3)
      equal(await (await context.open('any', shared)).count(), 3) // without a version, any is right
    },
  },
  {
    name: 'of two that open at once, each migration is stored once',
    async run(context) {
      const { storage } = storageOf(context)
      const shared = { storage }
      const first = await context.open('one', shared)
      await first.insert({ n: 0 })
      await first.close()
      const migrations: Record<number, Migrations[number]> = {}
      for (let to = 2; to <= 6; to++) migrations[to] = async (tx) => void (await tx.update({ $inc: { n: 1 }, $push: { ran: to } }))
      const opened = await Promise.all(['a', 'b', 'c'].map((name) => context.open(name, { ...shared, version: 6, migrations })))
      for (const db of opened) equal((await db.all()).asList(), [{ _id: 1, n: 5, ran: [2, 3, 4, 5, 6] }])
    },
  },
  {
    name: 'a dry run is a run on a copy, and what was there before can be kept',
    async run({ atomicdb: { AtomicDB, MemoryStorage }, wasm, open }) {
      const storage = new MemoryStorage()
      const old = await open('dry', { storage })
      await old.insertMany(names)
      const before = await AtomicDB.exportRaw('dry', { storage, wasm })
      const { ran, migrations } = people()
      const trial = await open('trial', { storage: await MemoryStorage.fromRaw(before), version: 3, migrations })
      equal([ran, (await trial.all()).asList()], [[2, 3], [{ _id: 1, first: 'Ada' }, { _id: 2, first: 'Alan' }]])
      equal((await old.all()).pluck('name').asList(), names)
    },
  },
  {
    name: 'wrong versions and migrations are refused by name',
    async run({ open }) {
      const step = async () => {}
      const { proxy: revoked, revoke } = Proxy.revocable({}, {})
      revoke()
      for (const [options, message] of [
        [{ version: 0 }, /options.version/], [{ version: 1.5 }, /options.version/], [{ version: '2' }, /options.version/], [{ version: 2 ** 31 }, /options.version/],
        [{ migrations: { 2: step } }, /options.version is missing/], [{ version: 2, migrations: { 3: step } }, /from 1 to 2/], [{ version: 2, migrations: { 0: step } }, /from 1 to 2/],
        [{ version: 2, migrations: { x: step } }, /from 1 to 2/], [{ version: 2, migrations: { 2: 5 } }, /migrations\[2\]/], [{ version: 2, migrations: null }, /options.migrations/],
        [{ version: 2, migrations: [step] }, /from 1 to 2/], [{ version: 2, ifNewer: 'write' }, /options.ifNewer/],
        [{ version: 2, migrations: revoked }, /^options.migrations: a proxy in it has been revoked/],
      ] as const) await rejects('invalid', () => open('wrong', options as any), message)
    },
  },
]
