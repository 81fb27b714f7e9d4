// Storages of one file, export and import, in Node and in a page.
import type { AtomicDB, FileFormat, StorageBackend } from '../../src/index.js'
import { equal, ok, rejects, throws } from './check.js'
import { sharesObject } from './storages.js'
import type { Context, Suite } from './suite.js'

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (text: string) => new TextEncoder().encode(text)

const { process } = globalThis as { process?: { env: Record<string, string | undefined>; pid: number } }
let files = 0
/** A path for a new file; in a page, a key of localStorage or IndexedDB. */
const newPath = () => `${process ? `${process.env.TMPDIR ?? '/tmp'}/atomicdb-${process.pid}-` : ''}file${++files}`

const documents = [
  { _id: 1, name: 'Zoë', age: 30, tags: ['a', 'b'] },
  { _id: 'two', when: new Date('2026-11-23T18:00:00.5Z'), raw: Uint8Array.of(0, 255), big: 2n ** 62n, nothing: null },
  { _id: 3, x: -0.5, whole: 1e300, not: NaN, deep: { er: [{ $date: 'tomorrow' }] } },
]

/** Makes each storage of one file, always on the same file. */
async function kinds({ atomicdb }: Context): Promise<Record<string, () => StorageBackend>> {
  const securityManager = await atomicdb.SecurityManager.create()
  const { JSONStorage, CompressedJSONStorage, EncryptedJSONStorage, MessagePackStorage } = atomicdb
  const paths = Array.from({ length: 7 }, newPath) as [string, string, string, string, string, string, string]
  return {
    json: () => new JSONStorage(paths[0]),
    'json, level 3': () => new JSONStorage(paths[1], { compressionLevel: 3 }),
    'compressed json': () => new CompressedJSONStorage(paths[2]),
    'encrypted json': () => new EncryptedJSONStorage(paths[3], securityManager),
    'encrypted json, level 0': () => new EncryptedJSONStorage(paths[4], securityManager, { compressionLevel: 0 }),
    messagepack: () => new MessagePackStorage(paths[5]),
    'sealed messagepack': () => new MessagePackStorage(paths[6], { compressionLevel: 9, securityManager }),
  }
}

/** Runs `work` for each of them, and removes the files. */
async function each(context: Context, work: (make: () => StorageBackend, kind: string) => Promise<void>): Promise<void> {
  for (const [kind, make] of Object.entries(await kinds(context))) {
    await work(make, kind).catch((error: Error) => {
      throw new Error(`${kind}: ${error.message}`, { cause: error })
    })
    await make().destroy()
  }
}

const everything = async (db: AtomicDB) => Object.fromEntries(await Promise.all((await db.collections()).map(async (name) => [name, [...(await db.all(name))]])))

export const fileStorages: Suite = [
  {
    name: 'a storage of one file keeps documents, collections and indexes',
    async run(context) {
      await each(context, async (make) => {
        const db = await context.open('file', { storage: make() })
        await db.insertMany(documents)
        await db.insert({ name: 'Ada' }, 'users')
        await db.createIndex('name', { collection: 'users', unique: true })
        await db.createCollection('empty')
        await db.close()
        const again = await context.open('file', { storage: make() })
        equal(await everything(again), { default: documents, empty: [], users: [{ _id: 1, name: 'Ada' }] })
        await rejects('unique', () => again.insert({ name: 'Ada' }, 'users'))
        await again.update({ name: 'Eve' }, undefined, 'users')
        await again.remove('_id = 3')
        await again.close()
        const last = await context.open('file', { storage: make() })
        equal(await everything(last), { default: documents.slice(0, 2), empty: [], users: [{ _id: 1, name: 'Eve' }] })
        await last.close()
      })
    },
  },
  {
    name: 'writers of one file do not lose what the others write',
    async run(context) {
      await each(context, async (make) => {
        const shared = make()
        const first = await context.open('file', { storage: shared })
        await first.insert({ _id: 'counter', n: 0 })
        const writers = [first, ...(await Promise.all([shared, make()].map((storage) => context.open('file', { storage }))))]
        await Promise.all(writers.flatMap((db) => Array.from({ length: 10 }, () => db.update({ $inc: { n: 1 } }, "_id = 'counter'"))))
        const reader = await context.open('file', { storage: make() })
        equal((await reader.get<{ n: number }>('counter'))!.n, 30)
        await Promise.all([...writers, reader].map((db) => db.close()))
      })
    },
  },
  {
    name: 'several databases can use one storage of one file at once, and again after it was closed',
    async run(context) {
      const options = { wasm: context.wasm, worker: context.threads }
      await each(context, async (make) => sharesObject(context.atomicdb, make(), options))
    },
  },
  {
    name: 'a database hears of what others write into its file',
    async run(context) {
      await each(context, async (make) => {
        const shared = make()
        const [one, same, other] = await Promise.all([shared, shared, make()].map((storage) => context.open('file', { storage })))
        await one!.insert({ n: 1 })
        for (const db of [same!, other!]) while ((await db.count()) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
        await Promise.all([one, same, other].map((db) => db!.close()))
      })
    },
  },
  {
    name: 'a file has the format that its storage names, and is read at any level',
    async run(context) {
      const { JSONStorage, CompressedJSONStorage } = context.atomicdb
      const path = newPath()
      for (const storage of [new CompressedJSONStorage(path), new JSONStorage(path), new CompressedJSONStorage(path, { compressionLevel: 1 })]) {
        const db = await context.open('file', { storage })
        await db.insert({ text: 'Zoë '.repeat(100) })
        await db.close()
      }
      const reader = await context.open('file', { storage: new JSONStorage(path) })
      equal(await reader.count(), 3)
      await reader.close()
      await new JSONStorage(path).destroy()
      const again = await context.open('file', { storage: new JSONStorage(path) })
      equal(await again.count(), 0)
    },
  },
  {
    name: 'an option that is undefined counts as absent',
    async run(context) {
      const { CompressedJSONStorage, EncryptedJSONStorage, SecurityManager } = context.atomicdb
      const securityManager = await SecurityManager.create()
      const path = newPath()
      const makes = [
        (options?: { compressionLevel?: undefined }) => new CompressedJSONStorage(path, options),
        (options?: { compressionLevel?: undefined }) => new EncryptedJSONStorage(path, securityManager, options),
      ]
      for (const make of makes) {
        const sizes: number[] = []
        for (const options of [undefined, { compressionLevel: undefined }]) {
          const storage = make(options)
          const db = await context.open('file', { storage })
          await db.insert({ text: 'compressible '.repeat(1000) })
          sizes.push((await storage.file())!.length)
          await db.close()
          await storage.destroy()
        }
        ok(sizes[0]! < 2000 && Math.abs(sizes[0]! - sizes[1]!) < 100, `sizes are ${sizes}`)
      }
    },
  },
  {
    name: 'a file with another password, without one, or damaged, is refused and left alone',
    async run(context) {
      const { EncryptedJSONStorage, JSONStorage, MessagePackStorage, SecurityManager } = context.atomicdb
      const path = newPath()
      const create = (password: string) => SecurityManager.create({ password, iterations: 10, salt: new Uint8Array(16) })
      const db = await context.open('file', { storage: new EncryptedJSONStorage(path, await create('right')) })
      await db.insert({ secret: 1 })
      await db.close()
      await rejects('decrypt', async () => context.open('file', { storage: new EncryptedJSONStorage(path, await create('wrong')) }))
      await rejects('decrypt', () => context.open('file', { storage: new JSONStorage(path) }), /securityManager/)
      const again = await context.open('file', { storage: new EncryptedJSONStorage(path, await create('right')) })
      equal(await again.count(), 1)
      await again.close()
      await new JSONStorage(path).destroy()

      const other = newPath()
      const packed = await context.open('file', { storage: new MessagePackStorage(other) })
      await packed.insert({ a: 1 })
      await packed.close()
      const manager = await create('x')
      await rejects('decrypt', () => context.open('file', { storage: new MessagePackStorage(other, { securityManager: manager }) }))
      await new MessagePackStorage(other).destroy()
    },
  },
  {
    name: 'file() returns the file as it is, even if it cannot be read',
    async run(context) {
      const { JSONStorage, MessagePackStorage, SecurityManager } = context.atomicdb
      const securityManager = await SecurityManager.create({ password: 'x', iterations: 10 })
      for (const Kind of [JSONStorage, MessagePackStorage]) {
        const storage = new Kind(newPath(), { securityManager })
        equal(await storage.file(), undefined)
        const db = await context.open('file', { storage })
        await db.insert({ _id: 'a' })
        const file = (await storage.file())!
        const copy = await context.open('copy', { inMemory: true, storage: undefined })
        await copy.import(file, { securityManager })
        equal(await copy.documentIds(), ['a'])
        await db.close()
        equal(await storage.file(), file)
        await storage.destroy()
      }
    },
  },
  {
    name: 'a full localStorage refuses a write with quota, and goes on',
    async run(context) {
      if (typeof localStorage === 'undefined') return
      const { JSONStorage } = context.atomicdb
      const path = newPath()
      const db = await context.open('file', { storage: new JSONStorage(path) })
      await db.insert({ _id: 'small' })
      await rejects('quota', () => db.insert({ _id: 'large', text: 'x'.repeat(6_000_000) }))
      equal(await db.documentIds(), ['small'])
      await db.insert({ _id: 'another' })
      await db.close()
      const again = await context.open('file', { storage: new JSONStorage(path) })
      equal(await again.documentIds(), ['small', 'another'])
      ok(localStorage.getItem(path)!.startsWith('{"default": [\n{"_id": "small"},'), 'the item is not readable')
      await again.close()
      await new JSONStorage(path).destroy()
    },
  },
  {
    name: 'wrong arguments of storages of one file are named',
    async run({ atomicdb }) {
      const { JSONStorage, CompressedJSONStorage, EncryptedJSONStorage, MessagePackStorage } = atomicdb
      throws('invalid', () => new JSONStorage(''), /^path: /)
      throws('invalid', () => new MessagePackStorage(5 as never), /^path: /)
      throws('invalid', () => new JSONStorage('x', { compressionLevel: 10 }), /^options\.compressionLevel: .* 0 to 9/)
      throws('invalid', () => new CompressedJSONStorage('x', { compressionLevel: 0 as never }), /^options\.compressionLevel: .* 1 to 9/)
      throws('invalid', () => new JSONStorage('x', { level: 1 } as never), /no option level/)
      const manager = await atomicdb.SecurityManager.create()
      for (const wrong of [null, 5, 'x'] as never[]) {
        throws('invalid', () => new JSONStorage('x', wrong), /^options: expected an object/)
        throws('invalid', () => new CompressedJSONStorage('x', wrong), /^options: expected an object/)
        throws('invalid', () => new EncryptedJSONStorage('x', manager, wrong), /^options: expected an object/)
        throws('invalid', () => new atomicdb.SealedStorage(new atomicdb.MemoryStorage(), wrong), /^options: expected an object/)
      }
      throws('invalid', () => new EncryptedJSONStorage('x', 'password' as never), /^securityManager: /)
      throws('invalid', () => new MessagePackStorage('x', { securityManager: {} as never }), /^options\.securityManager: /)
    },
  },
]

export const filing: Suite = [
  {
    name: 'what one database exports, another imports, in every format',
    async run(context) {
      const securityManager = await context.atomicdb.SecurityManager.create()
      const db = await context.open()
      await db.insertMany(documents)
      await db.createIndex('name', { sparse: true })
      void db.insert({ n: 1 }, 'other')
      const formats: FileFormat[] = [{}, { compressionLevel: 9 }, { type: 'msgpack' }, { securityManager }, { type: 'msgpack', compressionLevel: 6, securityManager }]
      for (const format of formats) {
        const file = await db.export(format)
        const copy = await context.open()
        await copy.import(file, { ...format, type: undefined })
        equal(await everything(copy), { default: documents, other: [{ _id: 1, n: 1 }] })
        await rejects('invalid', () => copy.createIndex('name', { sparse: false }))
      }
    },
  },
  {
    name: 'an index keeps its options and its name through a file',
    async run({ open }) {
      const db = await open()
      await db.sql('CREATE UNIQUE INDEX by_city ON users (address.city, age)')
      const copy = await open()
      await copy.import(await db.export())
      equal((await copy.explain("address.city = 'Oslo'", 'users')).index, ['address.city', 'age'])
      await copy.insert({ address: { city: 'Oslo' }, age: 1 }, 'users')
      await rejects('unique', () => copy.insert({ address: { city: 'Oslo' }, age: 1 }, 'users'))
      await copy.sql('DROP INDEX by_city ON users')
      equal((await copy.explain("address.city = 'Oslo'", 'users')).index, null)
    },
  },
  {
    name: 'a JSON export is readable, a document in each line',
    async run(context) {
      const db = await context.open()
      await db.insertMany([{ name: 'Zoë', score: 1.5 }, { _id: 'b', when: new Date(0) }], 'users')
      equal(text(await db.export()), '{"users": [\n{"_id": 1, "name": "Zoë", "score": 1.5},\n{"_id": "b", "when": {"$date": "1970-01-01"}}]}\n')
    },
  },
  {
    name: 'an import adds documents, replaces those of the same id, and gives ids',
    async run(context) {
      const db = await context.open()
      await db.insertMany([{ _id: 1, n: 1 }, { _id: 2, n: 2 }])
      await db.import(bytes('{"default": [{"n": 4}, {"_id": 1, "n": 10}, {"_id": "x", "n": 3}]}'))
      equal([...(await db.all())], [{ _id: 1, n: 10 }, { _id: 2, n: 2 }, { _id: 'x', n: 3 }, { _id: 3, n: 4 }])
    },
  },
  {
    name: 'a hostile file ends in a clear error and changes nothing',
    async run(context) {
      const { SecurityManager } = context.atomicdb
      const db = await context.open()
      await db.insert({ _id: 1, n: 1 })
      await db.createIndex('n', { unique: true })
      const before = text(await db.export())
      const good = await db.export({ compressionLevel: 6 })
      const other = await SecurityManager.create()
      const encrypted = await db.export({ securityManager: other })
      const hostile: [string, Uint8Array, FileFormat, RegExp?][] = [
        ['invalid', bytes(''), {}, /line 1 column 1/],
        ['invalid', bytes('[1, 2]'), {}, /object of collections/],
        ['invalid', bytes('{"default": {"a": 1}}'), {}, /collection "default"/],
        ['invalid', bytes('{"default": [{"n": 2}, 5]}'), {}, /document 2/],
        ['invalid', bytes('{"default": [{"n": 2}'), {}, /line 1 column 22/],
        ['invalid', bytes(`{"default": ${'['.repeat(1_000_000)}`), {}, /nest too deep/],
        ['invalid', bytes(`{"default": [{"a": ${'['.repeat(150)}${']'.repeat(150)}}]}`), {}, /100 levels/],
        ['invalid', bytes('{"default": [{"__proto__": {"a": 1}}]}'), {}, /__proto__/],
        ['invalid', bytes('{"default": [{"_id": 2}, {"_id": {}}]}'), {}, /_id/],
        ['invalid', bytes('{"": [{"n": 2}]}'), {}],
        ['invalid', bytes('{"default": [{"_id": 7, "n": 7}, {"_id": 7, "n": 8}]}'), {}, /collection "default": two documents have the _id 7/],
        ['invalid', bytes(JSON.stringify({ _catalog: [{ _id: 'default', indexes: Array.from({ length: 10_000 }, (_, n) => ({ paths: [`p${n}`] })) }] })), {}, /64 indexes/],
        ['unique', bytes('{"a": [{"n": 5}], "default": [{"n": 2}, {"n": 2}]}'), {}],
        ['invalid', Uint8Array.of(0x81, 0xa1, 0x61, 0xdd, 0xff, 0xff, 0xff, 0xff), {}],
        ['invalid', Uint8Array.of(0x81, 0xa1, 0x61, 0x90, 0x00), {}, /bytes follow the documents/],
        ['corrupt', good.slice(0, -5), {}],
        ['corrupt', good.map((byte, n) => (n === 20 ? byte ^ 0xff : byte)), {}],
        ['decrypt', encrypted, {}, /securityManager/],
        ['decrypt', encrypted, { securityManager: await SecurityManager.create() }],
        ['decrypt', encrypted.slice(0, -9), { securityManager: other }],
        ['decrypt', good, { securityManager: other }],
        ['invalid', await db.export({ type: 'msgpack' }), { type: 'json' }],
        ['invalid', 'text' as never, {}, /^file: expected a Uint8Array, not a text; importStream\(\) takes texts$/],
        ['invalid', good, { type: 'xml' as never }, /^format\.type: /],
        ['invalid', good, { compression: 1 } as never, /no option compression/],
      ]
      for (const [code, file, format, message] of hostile) {
        const told = await rejects(code, () => db.import(file, format), message).catch((error: Error) => ok(false, `${code} ${message}: ${error.message}`))
        ok(told !== undefined, 'no message')
        equal(text(await db.export()), before)
      }
      await rejects('invalid', () => db.export({ type: 'csv' as never }), /^format\.type: /)
      await rejects('invalid', () => db.export({ compressionLevel: 99 }), /compressionLevel/)
      await db.insert({ n: 3 })
      await db.close()
      await rejects('closed', () => db.import(good))
      await rejects('closed', () => db.export())
    },
  },
]
