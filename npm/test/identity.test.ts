// A record of another database is refused, wherever it comes from: in the log, under the same key, in a message, or from
// a tab that was not told that its database was deleted and created anew.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
import { AtomicDB, FileStorage, KVStorage, LMDBStorage, MemoryStorage, SealedStorage, SecurityManager, SQLiteStorage, type Batch, type SealOptions, type StorageBackend } from '../src/index.js'
import { openPage } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'
import { testWasm as wasm } from './harness/node.js'

const code = (...codes: string[]) => (error: unknown) => codes.includes((error as { code?: string }).code ?? '')

/** A storage that holds these batches, whatever they are. */
class Holding extends MemoryStorage {
  constructor(public held: Batch[]) {
    super()
  }

  override async read(after: number): Promise<Batch[]> {
    return this.held.filter(({ seq }) => seq > after)
  }

  override async append(seq: number, bytes: Uint8Array): Promise<boolean> {
    if (seq !== (this.held.at(-1)?.seq ?? 0) + 1) return false
    this.held.push({ seq, snapshot: false, bytes })
    return true
  }

  override async compact(seq: number, snapshot: Uint8Array): Promise<void> {
    this.held = [{ seq, snapshot: true, bytes: snapshot }, ...this.held.filter((batch) => batch.seq > seq)]
  }
}

/** The batches of a database that has stored the numbers 1 to `count`, each in a batch. */
async function batchesOf(options: SealOptions, count: number): Promise<Batch[]> {
  const held = new Holding([])
  const db = await AtomicDB.open('holds', { storage: new SealedStorage(held, options), wasm })
  for (let n = 1; n <= count; n++) await db.insert({ _id: n, text: 'text '.repeat(n) })
  await db.close()
  return held.held
}

describe('in the log', async () => {
  const securityManager = SecurityManager.fromKey(await (await SecurityManager.create()).exportKey())
  const kinds: Record<string, SealOptions> = { plain: {}, compressed: { compressionLevel: 6 }, encrypted: { securityManager }, 'compressed and encrypted': { compressionLevel: 6, securityManager } }
  for (const [kind, options] of Object.entries(kinds)) {
    const sealed = (held: Batch[]) => new SealedStorage(new Holding(held), options)
    const places: Record<string, (own: Batch[], other: Batch[]) => Batch[]> = {
      'a batch of another database': (own, other) => own.map((batch, n) => (n === 2 ? other[n]! : batch)),
      'the first batch of another': (own, other) => [other[0]!, ...own.slice(1)],
      'the last batch of another': (own, other) => [...own.slice(0, -1), other.at(-1)!],
      'a batch that was moved': (own) => own.map((batch, n) => (n === 2 ? { ...batch, bytes: own[0]!.bytes } : batch)),
      'two that were swapped': (own) => own.map((batch, n) => ({ ...batch, bytes: own[[0, 2, 1, 3][n]!]!.bytes })),
      'one that comes again': (own) => [...own, { ...own[3]!, seq: 5 }],
      'one of another number': (own, other) => [...own, { ...other[3]!, seq: 5 }],
      'one that is missing': (own) => own.filter((_, n) => n !== 1),
    }
    for (const [what, change] of Object.entries(places)) {
      test(`${what} is refused, ${kind}`, async () => {
        const [own, other] = [await batchesOf(options, 4), await batchesOf(options, 5)]
        const held = change(own, other)
        const storage = sealed(held)
        const before = held.map(({ bytes }) => bytes.slice())
        await assert.rejects(AtomicDB.open('holds', { storage, wasm }), code('corrupt'))
        assert.deepEqual(held.map(({ bytes }) => bytes), before)
      })
    }

    test(`a database that is open goes on with what it has, and writes again after a repair, ${kind}`, async () => {
      const [own, other] = [await batchesOf(options, 3), await batchesOf(options, 4)]
      const inner = new Holding(own)
      const storage = new SealedStorage(inner, options)
      const db = await AtomicDB.open('holds', { storage, wasm })
      inner.held.push(other[3]!)
      for (let n = 0; n < 2; n++) await assert.rejects(db.insert({ _id: 'new' }), /batch 4: it is of another database/)
      assert.equal(await db.count(), 3)
      const { problems } = await db.verify()
      assert.deepEqual(problems.map(({ seq, code }) => [seq, code]), [[4, 'corrupt']])
      assert.match(problems[0]!.message, /of another database/)
      const repaired = await AtomicDB.repair('holds', { storage, wasm })
      assert.deepEqual(repaired.problems.map(({ seq, ids }) => [seq, ids]), [[4, []]])
      await db.insert({ _id: 'new' })
      assert.deepEqual(await db.documentIds(), [1, 2, 3, 'new'])
      assert.equal((await db.verify()).ok, true)
      await db.close()
    })
  }
})

describe('the header of an envelope', () => {
  /** The check over it is right: see FORMAT.md, section Envelope. */
  function signed(sealed: Uint8Array): Uint8Array {
    let check = 0x811c9dc5
    for (let n = 0; n < Math.min(sealed.length, 20 + sealed[6]!); n++) if (n < 16 || n >= 20) check = Math.imul(check ^ sealed[n]!, 0x01000193)
    new DataView(sealed.buffer).setUint32(16, check, true)
    return sealed
  }

  test('is refused if a bit of it was changed and its check made right', { timeout: 180_000 }, async () => {
    const securityManager = await SecurityManager.create({ password: 'correct horse', iterations: 2 })
    for (const compressionLevel of [0, 6]) {
      const [batch] = await batchesOf({ securityManager, compressionLevel }, 1)
      const headerBytes = 36 + batch!.bytes[6]!
      for (let bit = 0; bit < 8 * headerBytes; bit++) {
        // Iterations are refused before one of them, see security.test.ts; and the check is made right.
        if (bit >= 8 * 12 && bit < 8 * 20) continue
        const bytes = batch!.bytes.slice()
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        const storage = new SealedStorage(new Holding([{ ...batch!, bytes: signed(bytes) }]), { securityManager, compressionLevel })
        await assert.rejects(storage.read(0), code('decrypt', 'corrupt', 'unsupported'), `bit ${bit & 7} of byte ${bit >> 3}`)
      }
    }
  })

  test('says which database it is of, and not another one than the batch', async () => {
    const batch = (await batchesOf({ compressionLevel: 6 }, 12)).at(-1)
    const [bytes, plain] = [batch!.bytes, (await new SealedStorage(new Holding([batch!])).read(0))[0]!.bytes]
    assert.deepEqual(bytes.slice(20, 36), plain.slice(16, 32))
    const changed = bytes.slice()
    changed[20]! ^= 1
    await assert.rejects(new SealedStorage(new Holding([{ ...batch!, bytes: changed }])).read(0), /of another database than the batch in it/)
  })

  test('belongs to its content: those of two batches cannot be exchanged', async () => {
    const securityManager = await SecurityManager.create()
    const [one] = await batchesOf({ securityManager }, 1)
    const [other] = await batchesOf({ securityManager }, 1)
    const mixed = Uint8Array.of(...one!.bytes.subarray(0, 36), ...other!.bytes.subarray(36))
    await assert.rejects(new SealedStorage(new Holding([{ ...one!, bytes: mixed }]), { securityManager }).read(0), code('decrypt'))
  })
})

/** Somebody else deletes the data and creates as much anew; `stale` was not told. */
async function recreates(open: () => StorageBackend, batches: number): Promise<void> {
  const stale = await AtomicDB.open('stale', { storage: open(), wasm })
  for (let n = 0; n < 3; n++) await stale.insert({ _id: `stale ${n}` })
  await AtomicDB.destroy('stale', { storage: open(), wasm })
  const fresh = await AtomicDB.open('stale', { storage: open(), wasm })
  for (let n = 0; n < batches; n++) await fresh.insert({ _id: `fresh ${n}` })
  for (let n = 0; n < 2; n++) await assert.rejects(stale.insert({ _id: 'lost' }), code('closed'))
  await fresh.insert({ _id: 'last' })
  assert.equal((await fresh.verify()).ok, true)
  await Promise.all([fresh, stale].map((db) => db.close()))
  const again = await AtomicDB.open('stale', { storage: open(), wasm })
  assert.deepEqual(await again.documentIds(), [...Array.from({ length: batches }, (_, n) => `fresh ${n}`), 'last'])
  await again.close()
  await AtomicDB.destroy('stale', { storage: open(), wasm })
}

describe('a database that was deleted and created anew elsewhere is closed at its next write', async () => {
  const securityManager = await SecurityManager.create()
  const sqlite = new (await sqlite3InitModule()).oo1.DB(':memory:')
  const values = new Map<string, { value: Uint8Array; metadata: unknown }>()
  const namespace = {
    get: async (name: string) => values.get(name)?.value.slice().buffer ?? null,
    put: async (name: string, value: Uint8Array, { metadata }: { metadata: unknown }) => void values.set(name, { value: value.slice(), metadata }),
    delete: async (name: string) => void values.delete(name),
    list: async ({ prefix }: { prefix: string }) => ({ keys: [...values].filter(([name]) => name.startsWith(prefix)).map(([name, { metadata }]) => ({ name, metadata })), list_complete: true }),
  }
  for (const batches of [3, 5]) {
    for (const [kind, options] of Object.entries({ plain: {}, encrypted: { securityManager } })) {
      test(`memory, ${kind}, ${batches} batches`, async () => {
        const memory = new MemoryStorage()
        await recreates(() => new SealedStorage(memory, options), batches)
      })
      test(`SQLite, ${kind}, ${batches} batches`, () => recreates(() => new SQLiteStorage(sqlite, options), batches))
      test(`KV, ${kind}, ${batches} batches`, () => recreates(() => new KVStorage(namespace, 'stale', options), batches))
      test(`LMDB, ${kind}, ${batches} batches`, async () => {
        const folder = await mkdtemp(join(tmpdir(), 'atomicdb-identity-'))
        await recreates(() => new LMDBStorage(join(folder, 'stale.mdb'), options), batches)
        await rm(folder, { recursive: true })
      })
      test(`a file, ${kind}, ${batches} batches`, async () => {
        const folder = await mkdtemp(join(tmpdir(), 'atomicdb-identity-'))
        await recreates(() => new FileStorage(join(folder, 'stale.atomicdb'), options), batches)
        await rm(folder, { recursive: true })
      })
    }
  }

  test('a storage that does not look: the next reader finds the batch, and a repair removes it', async () => {
    const storage = new Holding([])
    const stale = await AtomicDB.open('stale', { storage, wasm })
    await stale.insert({ _id: 'stale' })
    storage.held = await batchesOf({}, 1)
    await stale.insert({ _id: 'lost' })
    await assert.rejects(AtomicDB.open('stale', { storage, wasm }), code('corrupt'))
    assert.deepEqual((await AtomicDB.repair('stale', { storage, wasm })).problems.map(({ seq }) => seq), [2])
    const db = await AtomicDB.open('stale', { storage, wasm })
    assert.deepEqual(await db.documentIds(), [1])
    await Promise.all([db, stale].map((one) => one.close()))
  })
})

describe('importRaw and MemoryStorage.fromRaw', async () => {
  const securityManager = await SecurityManager.create()
  /** The identity in each record, and whether the database opens. */
  const identities = async (storage: StorageBackend) => new Set((await storage.read(0)).map(({ bytes }) => Buffer.from(bytes.subarray(16, 32)).toString('hex')))

  for (const [kind, options] of Object.entries({ plain: {}, encrypted: { securityManager, compressionLevel: 6 } })) {
    test(`make a database of their own, ${kind}`, async () => {
      const original = new SealedStorage(new Holding(await batchesOf(options, 3)), options)
      const file = await AtomicDB.exportRaw('original', { storage: original, wasm })
      const copy = new SealedStorage(new MemoryStorage(), options)
      await AtomicDB.importRaw('copy', file, { storage: copy, wasm })
      const [from, to] = [await identities(original), await identities(copy)]
      assert.deepEqual([from.size, to.size], [1, 1])
      assert.notDeepEqual(from, to)
      const db = await AtomicDB.open('copy', { storage: copy, wasm })
      assert.deepEqual(await db.documentIds(), [1, 2, 3])
      await db.insert({ _id: 'of the copy' })
      assert.equal((await db.verify()).ok, true)
      await db.close()
      // Their batches cannot be exchanged.
      const [, , , last] = await copy.read(0)
      const mixed = new Holding([...(await original.read(0)), last!])
      await assert.rejects(AtomicDB.open('mixed', { storage: mixed, wasm }), code('corrupt'))
    })
  }

  test('keep the identity of a sealed database without its key', async () => {
    const original = new Holding(await batchesOf({ securityManager }, 3))
    const file = await AtomicDB.exportRaw('original', { storage: original, wasm })
    const copies = [new MemoryStorage(), await MemoryStorage.fromRaw(file, { wasm })]
    await AtomicDB.importRaw('copy', file, { storage: copies[0]!, wasm })
    for (const copy of copies) assert.deepEqual(await copy.read(0), original.held)
    const another = new SealedStorage(new MemoryStorage(), { securityManager: await SecurityManager.create() })
    await AtomicDB.importRaw('copy', file, { storage: another, wasm })
    await assert.rejects(AtomicDB.open('copy', { storage: another, wasm }), code('decrypt'))
  })

  test('give a copy in memory its own identity', async () => {
    const original = new Holding(await batchesOf({}, 3))
    const copy = await MemoryStorage.fromRaw(await AtomicDB.exportRaw('original', { storage: original, wasm }), { wasm })
    assert.notDeepEqual(await identities(copy), await identities(original))
  })
})

describe('in a page', { timeout: 540_000 }, () => {
  const chromium = chromiumWithSite()

  test('a batch of another database that comes in a message is ignored, and the database goes on', async () => {
    const page = await openPage(await chromium.browser.newContext(), chromium.site.origin)
    const results = await page.evaluate(async () => {
      const { AtomicDB, IndexedDBStorage } = atomicdb
      const results: unknown[] = []
      for (const stored of [0, 1, 3]) {
        const [own, other] = [`own ${stored}`, `other ${stored}`]
        const foreign = await AtomicDB.open(other)
        for (let n = 0; n <= stored; n++) await foreign.insert({ _id: 'foreign', n }).catch(() => foreign.update({ n }))
        await foreign.close()
        const { bytes } = (await new IndexedDBStorage(other).read(stored))[0]!
        const db = await AtomicDB.open(own)
        for (let n = 0; n < stored; n++) await db.insert({ _id: `own ${n}` })
        const [sender, receiver] = [new BroadcastChannel(`atomicdb:${own}`), new BroadcastChannel(`atomicdb:${own}`)]
        const received = new Promise<void>((resolve) => (receiver.onmessage = ({ data }) => data === 'end' && resolve()))
        sender.postMessage({ seq: stored + 1, bytes })
        sender.postMessage('end')
        await received
        await db.insert({ _id: 'after' })
        results.push([(await db.documentIds()).join(), (await db.verify()).ok])
        await db.close()
        for (const channel of [sender, receiver]) channel.close()
      }
      return results
    })
    assert.deepEqual(results, [['after', true], ['own 0,after', true], ['own 0,own 1,own 2,after', true]])
    assert.deepEqual(await page.pageErrors(), [])
  })

  test('a database that was deleted and created anew is closed at its next write', async () => {
    const page = await openPage(await chromium.browser.newContext(), chromium.site.origin)
    const results = await page.evaluate(async () => {
      const { AtomicDB, IndexedDBStorage, LocalStorageStorage, OPFSStorage, SecurityManager } = atomicdb
      const securityManager = await SecurityManager.create()
      const results: Record<string, unknown> = {}
      for (const Storage of [IndexedDBStorage, LocalStorageStorage, OPFSStorage]) {
        for (const options of [{}, { securityManager }]) {
          for (const batches of [3, 5]) {
            const name = `${Storage.name} ${Object.keys(options)} ${batches}`
            const open = () => AtomicDB.open('stale', { storage: new Storage(name, options) })
            const stale = await open()
            for (let n = 0; n < 3; n++) await stale.insert({ n })
            await AtomicDB.destroy('stale', { storage: new Storage(name, options) })
            const fresh = await open()
            for (let n = 0; n < batches; n++) await fresh.insert({ n })
            const code = await stale.insert({ _id: 'lost' }).then(() => 'stored', (error: { code: string }) => error.code)
            await fresh.insert({ _id: 'last' })
            results[name] = [code, await fresh.count(), (await fresh.verify()).ok]
            await Promise.all([fresh, stale].map((db) => db.close()))
          }
        }
      }
      return results
    })
    for (const [name, result] of Object.entries(results)) assert.deepEqual(result, ['closed', name.endsWith('3') ? 4 : 6, true], name)
    assert.equal(Object.keys(results).length, 12)
    assert.deepEqual(await page.pageErrors(), [])
  })
})
