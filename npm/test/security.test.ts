// Encryption in hosts that lack something: each reads what the others write. The tests for every host are in
// suites/security.ts.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { inspect, promisify } from 'node:util'
import { deflateSync } from 'node:zlib'
import { pythonPath } from '../scripts/python.mjs'
import type { NativeBackend } from '../src/engine/async-engine.js'
import * as atomicdb from '../src/index.js'
import { toBase64Url } from '../src/security/base64url.js'
import { FernetKey } from '../src/security/fernet.js'
import { traitsOf } from '../src/storage/traits.js'
import { fernetHello, fernetKey, managing, python, sealing } from './suites/security.js'
import { runTest } from './suites/suite.js'
import { testWasm } from './harness/node.js'

const { SecurityManager, SealedStorage, IndexedDBStorage, MemoryStorage, AtomicDB } = atomicdb

/** Runs `work` while some globals are replaced or missing. */
async function lacking<R>(lacks: { object: object; name: string; value?: unknown }[], work: () => Promise<R>): Promise<R> {
  const before = lacks.map(({ object, name }) => Object.getOwnPropertyDescriptor(object, name))
  for (const { object, name, value } of lacks) Object.defineProperty(object, name, { value, configurable: true })
  try {
    return await work()
  } finally {
    lacks.forEach(({ object, name }, n) => (before[n] ? Object.defineProperty(object, name, before[n]!) : Reflect.deleteProperty(object, name)))
  }
}

const noWebCrypto = [{ object: globalThis.crypto, name: 'subtle' }]
const noStreams = ['CompressionStream', 'DecompressionStream'].map((name) => ({ object: globalThis, name }))
/** As in Cloudflare Workers: "Pbkdf2 failed: iteration counts above 100000 are not supported". */
const limitedIterations = [
  {
    object: globalThis.crypto,
    name: 'subtle',
    value: new Proxy(globalThis.crypto.subtle, {
      get(subtle, name: keyof SubtleCrypto) {
        if (name !== 'deriveBits') return (subtle[name] as Function).bind(subtle)
        return async (algorithm: Pbkdf2Params, key: CryptoKey, length: number) => {
          if (algorithm.iterations > 100_000) throw new DOMException('iteration counts above 100000 are not supported', 'NotSupportedError')
          return subtle.deriveBits(algorithm, key, length)
        }
      },
    }),
  },
]

for (const [host, lacks] of Object.entries({ 'without WebCrypto': noWebCrypto, 'that derives no keys': limitedIterations, 'without CompressionStream': noStreams })) {
  describe(`a host ${host}`, { timeout: 360_000 }, () => {
    for (const one of [...managing, ...sealing]) {
      test(one.name, () => lacking(lacks, () => runTest(one, atomicdb, () => ({ wasm: testWasm }))))
    }
  })
}

// github.com/fernet/spec, generate.json: 1985-10-26T01:20:00-07:00, and an IV of 0 to 15.
for (const [host, lacks] of Object.entries({ 'with WebCrypto': [], 'without it': noWebCrypto })) {
  test(`the token of Fernet's specification is generated ${host}`, async () => {
    await lacking(lacks, async () => {
      const key = new FernetKey(Uint8Array.from(Buffer.from(fernetKey, 'base64url')))
      const token = await key.seal(new TextEncoder().encode('hello'), 499_162_800, Uint8Array.from({ length: 16 }, (_, n) => n))
      assert.equal(toBase64Url(token), fernetHello)
    })
  })
}

test('what one host encrypts and compresses, the others read', async () => {
  const hosts = [[], noWebCrypto, noStreams, [...noWebCrypto, ...noStreams]]
  const storage = new MemoryStorage()
  const options = { password: 'shared', salt: python.salt, iterations: 100 }
  let written = 0
  for (const host of [...hosts, ...hosts]) {
    await lacking(host, async () => {
      const securityManager = await SecurityManager.create(options)
      const db = await AtomicDB.open('shared', { wasm: testWasm, storage: new SealedStorage(storage, { compressionLevel: 6, securityManager }) })
      assert.equal(await db.count(), written)
      await db.insert({ text: 'compressible '.repeat(50), written: ++written })
      await db.close()
    })
  }
})

test('the engine opens IndexedDB itself, sealed or not, and what is sealed twice by its object', () => {
  const plain = new IndexedDBStorage('notes')
  const sealed = new IndexedDBStorage('notes', { compressionLevel: 6 })
  const native = { kind: 'indexeddb', name: 'notes' }
  const withoutSealer = ({ sealer, ...rest }: NativeBackend) => rest
  assert.deepEqual(traitsOf(plain).native, native)
  assert.deepEqual(traitsOf(new SealedStorage(plain)).native, native)
  for (const storage of [sealed, new SealedStorage(sealed), new SealedStorage(plain, { compressionLevel: 6 })]) {
    const found = traitsOf(storage).native!
    assert.equal(typeof found.sealer?.seal, 'function')
    assert.deepEqual(withoutSealer(found), native)
  }
  assert.equal(traitsOf(new SealedStorage(sealed, { compressionLevel: 6 })).native, undefined)
  assert.equal(traitsOf(new SealedStorage(new MemoryStorage(), { compressionLevel: 6 })).native, undefined)
})

test('a manager shows neither password nor key', async () => {
  const manager = await SecurityManager.create({ password: 'open sesame', iterations: 10 })
  const storage = new SealedStorage(new MemoryStorage(), { securityManager: manager })
  const key = await manager.exportKey()
  const decoded = [...Buffer.from(key, 'base64url')].join(', ').slice(0, 20)
  await manager.encrypt('x')
  for (const shown of [inspect(manager, { depth: 9, showHidden: true }), inspect(storage, { depth: 9 }), JSON.stringify(storage), String(manager)]) {
    assert.ok(!shown.includes('sesame') && !shown.includes(key.slice(0, 8)) && !shown.includes(decoded), shown)
  }
})

/** A stored batch whose envelope asks for another derivation. Its check is right, as a forger's would be. */
function forged(bytes: Uint8Array, { iterations, firstOfSalt, length }: { iterations?: number; firstOfSalt?: number; length?: number }): Uint8Array {
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  if (iterations !== undefined) view.setUint32(12, iterations, true)
  if (firstOfSalt !== undefined) copy[36] = firstOfSalt
  if (length !== undefined) view.setUint32(8, length, true)
  let hash = 0x811c9dc5 // FNV-1a; see storage/FORMAT.md
  for (let n = 0; n < 20 + copy[6]!; n++) if (n < 16 || n >= 20) hash = Math.imul(hash ^ copy[n]!, 0x01000193)
  view.setUint32(16, hash >>> 0, true)
  return copy
}

/** Runs `work`, and returns how many iterations each derivation in it had. */
async function derivations(work: () => Promise<unknown>): Promise<number[]> {
  const asked: number[] = []
  const subtle = new Proxy(globalThis.crypto.subtle, {
    get(target, name: keyof SubtleCrypto) {
      const method = (target[name] as Function).bind(target)
      if (name !== 'deriveBits') return method
      return (algorithm: Pbkdf2Params, ...rest: unknown[]) => {
        asked.push(algorithm.iterations)
        return method(algorithm, ...rest)
      }
    },
  })
  await lacking([{ object: globalThis.crypto, name: 'subtle', value: subtle }], work)
  return asked
}

async function stored(options: atomicdb.SealOptions, ...texts: string[]) {
  const storage = new MemoryStorage()
  const db = await AtomicDB.open('sealed', { wasm: testWasm, storage: new SealedStorage(storage, options) })
  for (const text of texts) await db.insert({ text })
  await db.close()
  return storage.read(0)
}

async function holding(batches: atomicdb.Batch[]): Promise<atomicdb.MemoryStorage> {
  const storage = new MemoryStorage()
  for (const { seq, bytes } of batches) await storage.append(seq, bytes)
  return storage
}

const opens = (storage: atomicdb.StorageBackend, options: atomicdb.SealOptions) => AtomicDB.open('sealed', { wasm: testWasm, storage: new SealedStorage(storage, options) })

test('a header that asks for many iterations is refused before one of them', async () => {
  const batches = await stored({ securityManager: await SecurityManager.create({ password: 'x', iterations: 10 }) }, 'a', 'b')
  const storage = await holding(batches.map(({ bytes, ...rest }) => ({ ...rest, bytes: forged(bytes, { iterations: 9_999_999 }) })))
  const securityManager = await SecurityManager.create({ password: 'x' })
  const asked = await derivations(() => assert.rejects(opens(storage, { securityManager }), { code: 'decrypt', message: /9999999 iterations, more than the 2000000 .* maxIterations/ }))
  assert.deepEqual(asked, [])
  await assert.rejects(AtomicDB.repair('sealed', { wasm: testWasm, storage: new SealedStorage(storage, { securityManager }) }), { code: 'decrypt' })
  for (const wrong of [0, 10_000_001, '5', 1.5]) await assert.rejects(SecurityManager.create({ maxIterations: wrong as number }), { code: 'invalid', message: /^options\.maxIterations: / })
})

test('the bound of iterations can be another, and is never below what the manager itself uses', async () => {
  const batches = await stored({ securityManager: await SecurityManager.create({ password: 'x', iterations: 3000, maxIterations: 20 }) }, 'a')
  const storage = await holding(batches)
  await assert.rejects(opens(storage, { securityManager: await SecurityManager.create({ password: 'x', iterations: 10, maxIterations: 2999 }) }), { code: 'decrypt' })
  for (const options of [{ iterations: 3000, maxIterations: 20 }, { iterations: 10, maxIterations: 3000 }]) {
    const db = await opens(storage, { securityManager: await SecurityManager.create({ password: 'x', ...options }) })
    assert.equal(await db.count(), 1)
    await db.close()
  }
})

test('a database costs one derivation, whatever its headers ask for', async () => {
  const batches = await stored({ securityManager: await SecurityManager.create({ password: 'x', iterations: 10 }) }, ...'abcdefgh')
  const mixed = await holding(batches.map((batch, n) => (n < 3 ? batch : { ...batch, bytes: forged(batch.bytes, { firstOfSalt: n }) })))
  const open = async () => assert.rejects(opens(mixed, { securityManager: await SecurityManager.create({ password: 'x' }) }), { code: 'decrypt', message: /another key than the rest/ })
  assert.deepEqual(await derivations(open), [10])
  const first = await holding(batches.map((batch, n) => ({ ...batch, bytes: forged(batch.bytes, { firstOfSalt: n }) })))
  assert.deepEqual(await derivations(async () => assert.rejects(opens(first, { securityManager: await SecurityManager.create({ password: 'x' }) }), { code: 'decrypt' })), [10])
  // Of a damaged database, what most batches ask for is worked out.
  const most = await holding(batches.map((batch, n) => (n !== 0 ? batch : { ...batch, bytes: forged(batch.bytes, { firstOfSalt: 1 }) })))
  const repair = async () => {
    const storage = new SealedStorage(most, { securityManager: await SecurityManager.create({ password: 'x' }) })
    assert.deepEqual((await AtomicDB.repair('sealed', { wasm: testWasm, storage })).problems.map(({ seq }) => seq), [1])
  }
  assert.deepEqual(await derivations(repair), [10])
})

test('a hash that would cost too much is refused, and the bound can be another', async () => {
  const manager = SecurityManager.fromKey(fernetKey)
  for (const costs of ['m=1048576,t=64,p=16', 'm=262145,t=1,p=1', 'm=65536,t=5,p=4']) {
    const message = /cost more than 262144; the option maxHashCost/
    await assert.rejects(manager.verifyPassword('x', `$argon2id$v=19$${costs}$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc`), { code: 'invalid', message })
  }
  const hash = await manager.hashPassword('x')
  assert.equal(await manager.verifyPassword('x', hash), true)
  for (const strict of [SecurityManager.fromKey(fernetKey, { maxHashCost: 38_911 }), await SecurityManager.create({ maxHashCost: 38_911 })]) {
    await assert.rejects(strict.verifyPassword('x', hash), { code: 'invalid', message: /maxHashCost/ })
  }
  assert.throws(() => SecurityManager.fromKey(fernetKey, { maxHashCost: 1e9 }), { code: 'invalid', message: /^options\.maxHashCost: / })
})

for (const [host, lacks] of Object.entries({ 'with DecompressionStream': [], 'without it': noStreams })) {
  test(`compressed data may stand for so many bytes, ${host}`, { timeout: 180_000 }, async () => {
    const bomb = deflateSync(Buffer.alloc(65 << 20))
    await lacking(lacks, async () => {
      const db = await AtomicDB.open('here', { wasm: testWasm, inMemory: true })
      await assert.rejects(db.import(bomb), { code: 'corrupt', message: /more than 67,108,864 bytes when it is decompressed.* options\.maxUnpackedBytes/ })
      await assert.rejects(db.import(bomb, { maxUnpackedBytes: 1000 }), { code: 'corrupt', message: /more than 1,000 bytes/ })
      await assert.rejects(db.import(bomb, { maxUnpackedBytes: 65 << 20 }), { code: 'invalid' }) // 65 MiB of zeros, which are no documents
      await db.insert({ text: 'a'.repeat(100_000) })
      // What would be refused is written uncompressed.
      const within = await db.export({ compressionLevel: 9 })
      const beyond = await db.export({ compressionLevel: 9, maxUnpackedBytes: 50_000 })
      assert.ok(within.length < 1000 && beyond.length > 100_000, `${within.length} and ${beyond.length} bytes`)
      for (const file of [within, beyond]) await db.import(file)
      await assert.rejects(db.import(within, { maxUnpackedBytes: 50_000 }), { code: 'corrupt' })
      await db.close()
      const batches = await stored({ compressionLevel: 6 }, 'a'.repeat(100_000))
      const options = { compressionLevel: 6, maxUnpackedBytes: 50_000 }
      await assert.rejects(opens(await holding(batches), options), { code: 'corrupt', message: /maxUnpackedBytes/ })
      const again = await opens(await holding(await stored(options, 'a'.repeat(100_000))), options)
      assert.equal(await again.count(), 1)
      await again.close()
      const claims = await holding(batches.map((batch) => ({ ...batch, bytes: forged(batch.bytes, { length: 2 ** 32 - 1 }) })))
      await assert.rejects(opens(claims, {}), { code: 'corrupt', message: /more than 67,108,864 bytes/ })
    })
  })
}

const inPython = async (program: string, ...values: string[]) => (await promisify(execFile)(pythonPath, ['-c', program, ...values])).stdout.trim()

test("Python's cryptography reads our tokens, and we read its", async () => {
  const manager = await SecurityManager.create({ password: python.password, salt: python.salt })
  const token = Buffer.from(await manager.encrypt('Zoë 東京')).toString()
  assert.equal(await inPython('import sys; from cryptography.fernet import Fernet; print(Fernet(sys.argv[1]).decrypt(sys.argv[2].encode()).decode())', python.key, token), 'Zoë 東京')
  const theirs = await inPython('import sys; from cryptography.fernet import Fernet; print(Fernet(sys.argv[1]).encrypt("Zoë 東京".encode()).decode())', python.key)
  assert.equal(Buffer.from(await manager.decrypt(theirs)).toString(), 'Zoë 東京')
})
