// Encryption in hosts that lack something: each reads what the others write. The tests for every host are in
// suites/security.ts.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { inspect, promisify } from 'node:util'
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
  describe(`a host ${host}`, { timeout: 120_000 }, () => {
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

const inPython = async (program: string, ...values: string[]) => (await promisify(execFile)(pythonPath, ['-c', program, ...values])).stdout.trim()

test("Python's cryptography reads our tokens, and we read its", async () => {
  const manager = await SecurityManager.create({ password: python.password, salt: python.salt })
  const token = Buffer.from(await manager.encrypt('Zoë 東京')).toString()
  assert.equal(await inPython('import sys; from cryptography.fernet import Fernet; print(Fernet(sys.argv[1]).decrypt(sys.argv[2].encode()).decode())', python.key, token), 'Zoë 東京')
  const theirs = await inPython('import sys; from cryptography.fernet import Fernet; print(Fernet(sys.argv[1]).encrypt("Zoë 東京".encode()).decode())', python.key)
  assert.equal(Buffer.from(await manager.decrypt(theirs)).toString(), 'Zoë 東京')
})
