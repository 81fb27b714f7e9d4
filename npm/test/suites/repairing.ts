import type { Batch, OpenOptions, StorageBackend } from '../../src/index.js'
import { equal, ok, rejects } from './check.js'
import type { Context, Suite } from './suite.js'

/** A storage whose batches a test can change. */
function memory({ atomicdb }: Context) {
  const storage = new atomicdb.MemoryStorage()
  const inner = storage as unknown as { batches: Batch[] }
  return { storage, batches: () => inner.batches, flip: (index: number, at = -1) => {
    const bytes = inner.batches[index]!.bytes.slice()
    bytes[at < 0 ? bytes.length + at : at]! ^= 1
    inner.batches[index] = { ...inner.batches[index]!, bytes }
  }, put: (index: number, bytes: ArrayLike<number>) => {
    inner.batches[index] = { ...inner.batches[index]!, bytes: Uint8Array.from(bytes) }
  } }
}

/** An envelope as a later version may write it: FORMAT.md, section Envelope. */
function newerEnvelope(sealed: Uint8Array): Uint8Array {
  const newer = sealed.slice()
  newer[4]!++
  let check = 0x811c9dc5
  for (let n = 0; n < 20 + newer[6]!; n++) if (n < 16 || n >= 20) check = Math.imul(check ^ newer[n]!, 0x01000193)
  new DataView(newer.buffer).setUint32(16, check, true)
  return newer
}

/** Batches without the identity of their database and the checksum over it, which a copy has anew; see FORMAT.md. */
function withoutIdentity(batches: readonly Batch[]): Batch[] {
  return batches.map((batch) => ({ ...batch, bytes: batch.bytes.slice().fill(0, 16, 40) }))
}

/** Three batches, with the documents a, b and c; each also counts. */
async function fill(context: Context, storage: StorageBackend): Promise<void> {
  const db = await context.open('repair', { storage })
  for (const [n, _id] of ['a', 'b', 'c'].entries()) {
    await db.transaction(async (tx) => {
      await tx.insert({ _id, text: 'x'.repeat(100) })
      await tx.upsert({ _id: 'counter', n })
    })
  }
  await db.close()
}

/** verify, repair, and raw files. */
export const repairing: Suite = [
  {
    name: 'verify reports what is stored, and that it is sound',
    async run({ atomicdb, open }) {
      const db = await open('sound')
      await db.insertMany([{ n: 1 }, { n: 2 }])
      void db.insert({ n: 3 }, 'others')
      const report = await db.verify()
      ok(report.bytes > 100, `${report.bytes} bytes`)
      equal(report, { ok: true, batches: 2, snapshotSeq: 0, lastSeq: 2, bytes: report.bytes, documents: 3, problems: [] })
      const memory = await open('memory', { inMemory: true, storage: undefined as unknown as StorageBackend })
      await memory.insert({})
      equal(await memory.verify(), { ok: true, batches: 0, snapshotSeq: 0, lastSeq: 0, bytes: 0, documents: 1, problems: [] })
      const later = await open('later', { inMemory: true, storage: new atomicdb.MemoryStorage() })
      await later.insert({})
      await rejects('invalid', () => later.verify(), /changes are pending: commit/)
      await later.commit()
      equal((await later.verify()).documents, 1)
    },
  },
  {
    name: 'verify finds damage under an open database',
    async run(context) {
      const { storage, flip } = memory(context)
      await fill(context, storage)
      const db = await context.open('repair', { storage })
      flip(1)
      const { ok: isOk, problems } = await db.verify()
      equal([isOk, problems.length, problems[0]!.seq, problems[0]!.code], [false, 1, 2, 'corrupt'])
      ok(problems[0]!.ids.includes('default/b'), problems[0]!.ids.join())
      equal(await db.count(), 4)
    },
  },
  {
    name: 'verify names the damaged batch of a database that is compressed or encrypted',
    async run(context) {
      const { SealedStorage, SecurityManager } = context.atomicdb
      const securityManager = await SecurityManager.create({ password: 'x', iterations: 1000 })
      for (const seal of [{ compressionLevel: 6 }, { securityManager }, { compressionLevel: 6, securityManager }]) {
        const { storage, flip } = memory(context)
        await fill(context, new SealedStorage(storage, seal))
        const db = await context.open('repair', { storage: new SealedStorage(storage, seal) })
        flip(1)
        const { ok: isOk, batches, problems } = await db.verify()
        equal([isOk, batches, problems.map(({ seq, code }) => [seq, code])], [false, 2, [[2, 'corrupt']]])
      }
    },
  },
  {
    name: 'verify reports damage that others have stored, and a storage that cannot be decrypted any more',
    async run(context) {
      const { SealedStorage, SecurityManager } = context.atomicdb
      const securityManager = await SecurityManager.create({ password: 'x', iterations: 1000 })
      const { storage, flip } = memory(context)
      const deaf = new SealedStorage(storage, { securityManager })
      deaf.watch = () => () => {}
      const db = await context.open('repair', { storage: deaf })
      await db.insert({ _id: 'mine' })
      const other = await context.open('repair', { storage: new SealedStorage(storage, { securityManager }) })
      await other.insert({ _id: 'theirs' })
      flip(1)
      equal((await db.verify()).problems.map(({ seq, code }) => [seq, code]), [[2, 'corrupt']])
      flip(0)
      equal((await db.verify()).problems.map(({ seq, code }) => [seq, code]), [[0, 'decrypt']])
    },
  },
  {
    name: 'a damaged database says how to save it, and repair keeps all that is sound',
    async run(context) {
      const { wasm } = context
      const { AtomicDB } = context.atomicdb
      const { storage, flip, batches } = memory(context)
      await fill(context, storage)
      flip(1)
      await rejects('corrupt', () => context.open('repair', { storage }), /AtomicDB\.exportRaw\(.*\) saves what is stored as it is, and AtomicDB\.repair/)
      const before = batches().length
      const { ok: isOk, problems, batches: sound, documents } = await AtomicDB.repair('repair', { storage, wasm })
      equal([isOk, sound, documents, problems.map(({ seq, code }) => [seq, code])], [false, 2, 3, [[2, 'corrupt']]])
      equal([before, batches().length], [3, 1])
      const db = await context.open('repair', { storage })
      equal((await db.all()).map((d) => d.n ?? d._id), ['a', 2, 'c'])
      await db.insert({ _id: 'd' })
      equal((await db.verify()).ok, true)
      await db.close()
      equal(await AtomicDB.repair('repair', { storage, wasm }), { ok: true, batches: 2, snapshotSeq: 4, lastSeq: 5, bytes: batches().reduce((sum, { bytes }) => sum + bytes.length, 0), documents: 4, problems: [] })
    },
  },
  {
    name: 'an encrypted database is repaired too, and a wrong password does not count as damage',
    async run(context) {
      const { atomicdb, wasm } = context
      const { storage, flip, batches } = memory(context)
      const [right, wrong] = await Promise.all(['right', 'wrong'].map((password) => atomicdb.SecurityManager.create({ password, iterations: 1000 })))
      const sealed = (securityManager = right!) => new atomicdb.SealedStorage(storage, { securityManager, compressionLevel: 6 })
      await fill(context, sealed())
      flip(1)
      const before = JSON.stringify(batches())
      await rejects('decrypt', () => atomicdb.AtomicDB.repair('repair', { storage: sealed(wrong), wasm }))
      await rejects('decrypt', () => atomicdb.AtomicDB.repair('repair', { storage, wasm }))
      equal(JSON.stringify(batches()), before)
      const { problems } = await atomicdb.AtomicDB.repair('repair', { storage: sealed(), wasm })
      equal(problems.map(({ seq }) => seq), [2])
      equal((await (await context.open('repair', { storage: sealed() })).all()).map((d) => d.n ?? d._id), ['a', 2, 'c'])
    },
  },
  {
    name: 'a raw file holds what is stored, even damaged or encrypted, and can be opened',
    async run(context) {
      const { atomicdb, wasm } = context
      const { storage, flip, batches } = memory(context)
      await fill(context, storage)
      const sound = await atomicdb.AtomicDB.exportRaw('repair', { storage, wasm })
      const db = await context.open('from a file', { storage: await atomicdb.MemoryStorage.fromRaw(sound, { wasm }) })
      equal((await db.all()).length, 4)
      flip(2)
      const damaged = await atomicdb.AtomicDB.exportRaw('repair', { storage, wasm })
      const copy = await atomicdb.MemoryStorage.fromRaw(damaged, { wasm })
      equal(withoutIdentity(await copy.read(0)), withoutIdentity(batches()))
      equal((await atomicdb.AtomicDB.repair('copy', { storage: copy, wasm })).problems.map(({ seq }) => seq), [3])
      equal(batches().length, 3)
      const securityManager = await atomicdb.SecurityManager.create({ password: 'x', iterations: 1000 })
      const other = memory(context)
      const sealed = (storage: StorageBackend) => new atomicdb.SealedStorage(storage, { securityManager })
      await fill(context, sealed(other.storage))
      const secret = await atomicdb.MemoryStorage.fromRaw(await atomicdb.AtomicDB.exportRaw('repair', { storage: sealed(other.storage), wasm }), { wasm })
      await rejects('decrypt', () => context.open('secret', { storage: secret }))
      equal(await (await context.open('secret', { storage: sealed(secret) })).count(), 4)
    },
  },
  {
    name: 'data that cannot be opened for another reason does not count as damage, and stays',
    async run(context) {
      const { atomicdb: { AtomicDB, AtomicDBError, SealedStorage, SecurityManager }, wasm } = context
      const { storage, batches, put } = memory(context)
      const securityManager = await SecurityManager.create({ password: 'x', iterations: 1000 })
      await fill(context, new SealedStorage(storage, { securityManager }))
      const sealed = batches()[1]!.bytes
      // An envelope of version 2 with a correct checksum, and a host that lacks something.
      put(1, newerEnvelope(sealed))
      await rejects('unsupported', () => AtomicDB.repair('repair', { storage: new SealedStorage(storage, { securityManager }), wasm }), /newer/)
      put(1, sealed.map((byte, n) => (n > 100 ? byte ^ 1 : byte)))
      const broken = Object.create(securityManager, { fernet: { value: () => Promise.reject(new AtomicDBError('unsupported', 'no cryptography here')) } }) as typeof securityManager
      await rejects('unsupported', () => AtomicDB.repair('repair', { storage: new SealedStorage(storage, { securityManager: broken }), wasm }), /no cryptography/)
      // Without the key, batches that are not encrypted prove nothing.
      put(1, sealed)
      const plain = memory(context)
      await fill(context, plain.storage)
      put(0, plain.batches()[0]!.bytes)
      await rejects('decrypt', () => AtomicDB.repair('repair', { storage: new SealedStorage(storage, { compressionLevel: 1 }), wasm }))
      equal(batches().length, 3)
    },
  },
  {
    name: 'whichever byte of an encrypted batch is damaged, opening refuses it and repair keeps the others',
    async run(context) {
      const { atomicdb: { AtomicDB, SealedStorage, SecurityManager }, wasm } = context
      const { storage, batches } = memory(context)
      const securityManager = await SecurityManager.create({ password: 'x', iterations: 1000 })
      const sealed = (storage: StorageBackend) => new SealedStorage(storage, { securityManager, compressionLevel: 6 })
      await fill(context, sealed(storage))
      for (let at = 0; at < batches()[1]!.bytes.length; at += 3) {
        const { storage: copy, batches: copied, put } = memory(context)
        for (const { seq, bytes } of batches()) await copy.append(seq, bytes)
        put(1, copied()[1]!.bytes.map((byte, n) => (n === at ? byte ^ (1 << at % 8) : byte)))
        const code = await AtomicDB.open('flipped', { storage: sealed(copy), wasm }).then(() => 'opened', (error: { code: string }) => error.code)
        ok(code === 'decrypt' || code === 'corrupt', `byte ${at}: ${code}`)
        const { problems } = await AtomicDB.repair('flipped', { storage: sealed(copy), wasm })
        const db = await context.open('flipped', { storage: sealed(copy) })
        equal([at, problems.map(({ seq }) => seq), (await db.all()).map((d) => d.n ?? d._id)], [at, [2], ['a', 2, 'c']])
        await db.close()
      }
    },
  },
  {
    name: 'a database that is open elsewhere gets what a repair has left',
    async run(context) {
      const { storage, flip } = memory(context)
      await fill(context, storage)
      const db = await context.open('repair', { storage })
      flip(1)
      await context.atomicdb.AtomicDB.repair('repair', { storage, wasm: context.wasm })
      await db.upsert({ _id: 'd' })
      equal(await db.documentIds(), ['a', 'counter', 'c', 'd'])
      equal((await db.verify()).ok, true)
    },
  },
  {
    name: 'a raw file is imported only where nothing is stored',
    async run(context) {
      const { atomicdb: { AtomicDB, MemoryStorage, SealedStorage, SecurityManager }, wasm } = context
      const { storage, batches, flip } = memory(context)
      await fill(context, storage)
      await storage.compact(2, batches()[1]!.bytes) // not a snapshot, but a record in its place
      flip(1)
      const file = await AtomicDB.exportRaw('repair', { storage, wasm })
      const copy = memory(context)
      await AtomicDB.importRaw('copy', file, { storage: copy.storage, wasm })
      equal(withoutIdentity(copy.batches()), withoutIdentity(batches()))
      await rejects('invalid', () => AtomicDB.importRaw('copy', file, { storage: copy.storage, wasm }), /the storage is not empty/)
      equal(withoutIdentity(copy.batches()), withoutIdentity(batches()))

      const other = memory(context)
      const securityManager = await SecurityManager.create({ password: 'x', iterations: 1000 })
      const sealed = (storage: StorageBackend) => new SealedStorage(storage, { securityManager, compressionLevel: 6 })
      await fill(context, sealed(other.storage))
      const [secret, there] = [await AtomicDB.exportRaw('secret', { storage: sealed(other.storage), wasm }), new MemoryStorage()]
      await AtomicDB.importRaw('there', secret, { storage: sealed(there), wasm })
      equal((await there.read(0)).map(({ seq }) => seq), [1, 2, 3]) // each is sealed anew, with another identity
      equal(await (await context.open('there', { storage: sealed(there) })).count(), 4)

      for (const bad of [new Uint8Array(), file.subarray(0, -1), file.subarray(0, 40), file.map((byte, n) => (n === 20 ? byte ^ 1 : byte))]) {
        const empty = memory(context)
        await rejects('corrupt', () => AtomicDB.importRaw('empty', bad, { storage: empty.storage, wasm }))
        equal(empty.batches(), [])
      }
      await rejects('invalid', () => AtomicDB.importRaw('empty', 'text' as unknown as Uint8Array, { storage: new MemoryStorage() }), /^file: expected a Uint8Array/)
    },
  },
  {
    name: 'a file that is not a raw file is refused',
    async run({ atomicdb, wasm }) {
      const fromRaw = (file: unknown) => atomicdb.MemoryStorage.fromRaw(file as Uint8Array, { wasm })
      await rejects('invalid', () => fromRaw('text'), /^file: expected a Uint8Array/)
      for (const file of [new Uint8Array(), new Uint8Array(1000), new TextEncoder().encode('{"default": []}')]) {
        await rejects('corrupt', () => fromRaw(file))
      }
      const { AtomicDB, MemoryStorage } = atomicdb
      await rejects('invalid', () => AtomicDB.repair('', { storage: new MemoryStorage() }), /^name/)
      await rejects('invalid', () => AtomicDB.repair('x', { worker: true } as Pick<OpenOptions, 'wasm'>), /no option worker/)
      await rejects('invalid', () => AtomicDB.exportRaw('x', { storage: 5 as never }), /^options\.storage/)
    },
  },
]
