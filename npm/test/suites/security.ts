// SecurityManager and sealed storages, in Node and in a page. The tests of hosts without WebCrypto are in
// test/security.test.ts.
import type { AtomicDBError, SealOptions, SecurityManager, StorageBackend } from '../../src/index.js'
import { equal, ok, rejects, throws } from './check.js'
import type { Context, Suite } from './suite.js'

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (text: string) => new TextEncoder().encode(text)

/** So few iterations that the tests are fast. */
const create = ({ atomicdb }: Context, password: string) => atomicdb.SecurityManager.create({ password, iterations: 1000 })

/** What the Python library's authors used for the files in testdata. */
export const python = {
  password: 'correct horse battery staple',
  salt: Uint8Array.from({ length: 16 }, (_, n) => n),
  key: 'NvuBJ3XdFWoAG8WkgAfAewNsqaLWjnfgr_qkIkR-Fzw=',
  legacy: { password: 'hunter2', hash: 'f32eabf08bef912a2bc82f46604ee648750a9bdf19d0236339190ac6e81e2498' },
}

// github.com/fernet/spec: generate.json, verify.json and invalid.json, without the two tokens that are refused for
// their age.
export const fernetKey = 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4='
export const fernetHello = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=='
const fernetInvalid: Record<string, string> = {
  'incorrect mac': 'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==',
  'too short': 'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==',
  'invalid base64': '%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==',
  'payload size not multiple of block size': 'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm',
  'payload padding error': 'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==',
  'incorrect IV (causes padding error)': 'gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==',
}

/** What SecurityManager does in every host, with and without WebCrypto. */
export const managing: Suite = [
  {
    name: 'the tokens of the Fernet specification are read, and its wrong ones refused',
    async run({ atomicdb: { SecurityManager } }) {
      const manager = SecurityManager.fromKey(fernetKey)
      equal(text(await manager.decrypt(fernetHello)), 'hello')
      equal(text(await manager.decrypt(bytes(fernetHello))), 'hello')
      for (const [what, token] of Object.entries(fernetInvalid)) await rejects('decrypt', () => manager.decrypt(token)).catch((error: Error) => ok(false, `${what}: ${error.message}`))
    },
  },
  {
    name: 'data of any length is encrypted and decrypted, each time with another token',
    async run(context) {
      const manager = await create(context, 'secret')
      for (const length of [0, 1, 15, 16, 17, 1000, 100_000]) {
        const data = Uint8Array.from({ length }, (_, n) => n * 7)
        const token = await manager.encrypt(data)
        ok(/^[\w-]+=*$/.test(text(token)), 'a token is not url-safe base64')
        equal(await manager.decrypt(token), data)
      }
      equal(text(await manager.decrypt(text(await manager.encrypt('Zoë')))), 'Zoë')
      ok(text(await manager.encrypt('same')) !== text(await manager.encrypt('same')), 'the same token twice')
    },
  },
  {
    name: "the key of a password is the Python library's",
    async run({ atomicdb: { SecurityManager } }) {
      const manager = await SecurityManager.create({ password: python.password, salt: python.salt })
      equal(await manager.exportKey(), python.key)
      equal(manager.salt, python.salt)
    },
  },
  {
    name: 'a token of another password, salt or number of iterations, or with a changed byte, is refused',
    async run({ atomicdb: { SecurityManager } }) {
      const options = { password: 'secret', salt: python.salt, iterations: 1000 }
      const token = await (await SecurityManager.create(options)).encrypt('data')
      for (const other of [{ password: 'Secret' }, { salt: python.salt.slice(1) }, { iterations: 1001 }]) {
        const manager = await SecurityManager.create({ ...options, ...other })
        const message = await rejects('decrypt', () => manager.decrypt(token))
        ok(!message.includes(manager.salt.join()) && !/secret/i.test(message), 'the message tells a secret')
      }
      const manager = await SecurityManager.create(options)
      for (let n = 0; n < token.length; n++) {
        // A changed bit in the middle, and the last bit, which has no meaning before ==.
        for (const character of [token[n] === 65 ? 66 : 65, token[n]! ^ 1]) {
          const changed = token.slice()
          changed[n] = character
          await rejects('decrypt', () => manager.decrypt(changed)).catch((error: Error) => ok(false, `character ${n}: ${error.message}`))
        }
      }
    },
  },
  {
    name: 'a token that is cut at its end or its start is refused',
    async run(context) {
      const manager = await create(context, 'secret')
      for (const length of [0, 5, 15, 16]) {
        const token = text(await manager.encrypt(new Uint8Array(length)))
        for (let n = 0; n < token.length; n++) {
          for (const cut of [token.slice(0, n), token.slice(n + 1)]) {
            await rejects('decrypt', () => manager.decrypt(cut)).catch((error: Error) => ok(false, `${cut}: ${error.message}`))
          }
        }
      }
    },
  },
  {
    name: 'a manager without a password has a random key, which can be kept',
    async run({ atomicdb: { SecurityManager } }) {
      const manager = await SecurityManager.create()
      const key = await manager.exportKey()
      ok(key !== (await (await SecurityManager.create()).exportKey()), 'the same key twice')
      equal(text(await SecurityManager.fromKey(key).decrypt(await manager.encrypt('kept'))), 'kept')
    },
  },
  {
    name: 'passwords are hashed with argon2id and verified, old hashes too',
    async run({ atomicdb: { SecurityManager } }) {
      const manager = await SecurityManager.create({ salt: python.salt, password: 'x', iterations: 1 })
      const hash = await manager.hashPassword('Zoë')
      ok(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/.test(hash), hash)
      equal(await manager.verifyPassword('Zoë', hash), true)
      equal(await manager.verifyPassword('Zoe', hash), false)
      equal(await manager.verifyPassword(python.legacy.password, python.legacy.hash), true)
      equal(await manager.verifyPassword('hunter3', python.legacy.hash), false)
      // As in Python, where a manager needs a salt for old hashes, but no password.
      const withoutPassword = await SecurityManager.create({ salt: python.salt })
      equal(withoutPassword.salt, python.salt)
      equal(await withoutPassword.verifyPassword(python.legacy.password, python.legacy.hash), true)
      equal((await SecurityManager.create()).salt.length, 16)
      // argon2-cffi's own example, for the password "password".
      const theirs = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
      equal(await manager.verifyPassword('password', theirs), true)
      for (const wrong of ['', 'plain', hash.slice(0, 40), hash.replace('19456', '99999999'), hash.replace('t=2', 't=0'), hash.replace('argon2id', 'argon2d')]) {
        await rejects('invalid', () => manager.verifyPassword('Zoë', wrong), /^hash: /)
      }
    },
  },
  {
    name: 'wrong arguments of a manager are named, without their secrets',
    async run({ atomicdb: { SecurityManager } }) {
      const wrong: [unknown, RegExp][] = [
        [{ password: '' }, /^options\.password: /],
        [{ password: 12345 }, /^options\.password: (?!.*12345)/],
        [{ salt: 'abc' }, /^options\.salt: /],
        [{ salt: new Uint8Array() }, /^options\.salt: /],
        [{ iterations: 0 }, /^options\.iterations: /],
        [{ iterations: 1e9 }, /^options\.iterations: /],
        [{ pasword: 'x' }, /there is no option pasword/],
      ]
      for (const [options, message] of wrong) await rejects('invalid', () => SecurityManager.create(options as never), message)
      for (const key of ['', 'abc', fernetKey.slice(4), 5]) throws('invalid', () => SecurityManager.fromKey(key as string), /^key: /)
      const manager = await SecurityManager.create()
      await rejects('invalid', () => manager.hashPassword(5 as never), /^password: (?!.*5)/)
      for (const data of [undefined, null, 12345, {}, [1, 2], new Uint16Array(2), new ArrayBuffer(2)]) {
        await rejects('invalid', () => manager.encrypt(data as never), /^data: expected a Uint8Array or a text(?!.*12345)/)
        await rejects('invalid', () => manager.decrypt(data as never), /^token: expected a Uint8Array or a text(?!.*12345)/)
      }
      await rejects('invalid', () => manager.encrypt('\ud800'), /^data: .*surrogate/)
    },
  },
]

/** A MemoryStorage and its batches. */
function memory({ atomicdb }: Context) {
  const storage = new atomicdb.MemoryStorage()
  const { SealedStorage } = atomicdb
  return { storage, seal: (options: SealOptions): StorageBackend => new SealedStorage(storage, options), stored: () => storage.read(0) }
}

async function write(context: Context, storage: StorageBackend, ...words: string[]): Promise<void> {
  const db = await context.open('sealed', { storage })
  await db.insertMany(words.map((word) => ({ word })))
  await db.close()
}

async function words(context: Context, storage: StorageBackend): Promise<string[]> {
  const db = await context.open('sealed', { storage })
  const found = await db.all<{ word: string }>()
  await db.close()
  return found.map(({ word }) => word)
}

const includes = (haystack: Uint8Array, needle: string) => Array.from(haystack, (byte) => String.fromCharCode(byte)).join('').includes(needle)

/** Storages that compress and encrypt. */
export const sealing: Suite = [
  {
    name: 'an encrypted database opens with nothing but its password, and nothing of it is readable',
    async run(context) {
      const { seal, stored } = memory(context)
      await write(context, seal({ securityManager: await create(context, 'open sesame') }), 'treasure', 'gold')
      // Another salt and other iterations, because the database has its own.
      const again = await context.atomicdb.SecurityManager.create({ password: 'open sesame' })
      await write(context, seal({ securityManager: again }), 'silver')
      equal(await words(context, seal({ securityManager: await create(context, 'open sesame') })), ['treasure', 'gold', 'silver'])
      const batches = await stored()
      equal(batches.length, 2)
      for (const { bytes } of batches) ok(!includes(bytes, 'treasure') && !includes(bytes, 'word') && !includes(bytes, 'sesame'), 'a document is readable')
      equal(batches[0]!.bytes.slice(20, 36), batches[1]!.bytes.slice(20, 36), 'salt')
    },
  },
  {
    name: 'a wrong password, no password and a key are refused, and nothing is touched',
    async run(context) {
      const { seal, stored, storage } = memory(context)
      await write(context, seal({ securityManager: await create(context, 'right') }), 'a', 'b')
      const before = JSON.stringify(await stored())
      const wrong: (SecurityManager | undefined)[] = [await create(context, 'wrong'), undefined, context.atomicdb.SecurityManager.fromKey(fernetKey)]
      for (const securityManager of wrong) {
        const message = await rejects('decrypt', () => context.open('sealed', { storage: seal(securityManager ? { securityManager } : {}) }))
        ok(!/right|wrong/.test(message), 'the message tells a password')
      }
      await rejects('decrypt', () => context.open('sealed', { storage }), /securityManager/)
      equal(JSON.stringify(await stored()), before)
      const keyed = memory(context)
      await write(context, keyed.seal({ securityManager: context.atomicdb.SecurityManager.fromKey(fernetKey) }), 'a')
      await rejects('decrypt', async () => context.open('sealed', { storage: keyed.seal({ securityManager: await context.atomicdb.SecurityManager.create({ salt: python.salt }) }) }))
      await rejects('decrypt', () => context.open('sealed', { storage: keyed.seal({ securityManager: wrong[0]! }) }))
    },
  },
  {
    name: 'a database that is not encrypted is refused by a security manager',
    async run(context) {
      const { seal, storage } = memory(context)
      await write(context, seal({ compressionLevel: 9 }), 'a'.repeat(500))
      await rejects('decrypt', async () => context.open('sealed', { storage: seal({ securityManager: await create(context, 'x') }) }), /not encrypted/)
      await storage.destroy()
      await write(context, storage, 'plain')
      await rejects('decrypt', async () => context.open('sealed', { storage: seal({ securityManager: await create(context, 'x') }) }), /not encrypted/)
    },
  },
  {
    name: 'every level of compression reads what any other has written, and is smaller',
    async run(context) {
      const { seal, storage, stored } = memory(context)
      const word = 'compressible '.repeat(100)
      for (let compressionLevel = 0; compressionLevel <= 9; compressionLevel++) await write(context, seal({ compressionLevel }), word)
      const sizes = (await stored()).map(({ bytes }) => bytes.length)
      ok(sizes[0]! > 1300 && sizes.slice(1).every((size) => size < 300), `sizes are ${sizes}`)
      equal(await words(context, seal({ compressionLevel: 1 })), Array.from({ length: 10 }, () => word))
      await rejects('decrypt', () => context.open('sealed', { storage }), /compressionLevel/)
      throws('invalid', () => seal({ compressionLevel: 10 }), /^options\.compressionLevel: /)
      throws('invalid', () => seal({ securityManager: {} as never }), /^options\.securityManager: /)
    },
  },
  {
    name: 'a changed byte anywhere is found',
    async run(context) {
      const securityManager = await create(context, 'x')
      const step = context.threads ? 37 : 1 // a thread takes 40 ms to start
      for (const options of [{ securityManager }, { compressionLevel: 5 }, { compressionLevel: 5, securityManager }]) {
        const { seal, stored } = memory(context)
        await write(context, seal(options), 'word '.repeat(30))
        const [batch] = await stored()
        let changed = batch!.bytes
        const storage = readOnly(async () => [{ ...batch!, bytes: changed }])
        for (let n = 0; n < batch!.bytes.length; n += step) {
          for (const bit of [1, 0x80]) {
            changed = batch!.bytes.slice()
            changed[n]! ^= bit
            await context.open('sealed', { storage: new context.atomicdb.SealedStorage(storage, options) }).then(
              // Between the end of the deflated data and its checksum are bits without a meaning.
              async (db) => ok(!('securityManager' in options) && (await db.get<{ word: string }>(1))!.word === 'word '.repeat(30), `byte ${n} may be another`),
              ({ code }: AtomicDBError) => ok(code === 'decrypt' || code === 'corrupt', `byte ${n}: ${code}`),
            )
          }
        }
        for (let length = 0; length < batch!.bytes.length; length += step) {
          changed = batch!.bytes.slice(0, length)
          await context.open('sealed', { storage: new context.atomicdb.SealedStorage(storage, options) }).then(
            () => ok(false, `${length} bytes are enough`),
            ({ code }: AtomicDBError) => ok(code === 'decrypt' || code === 'corrupt', `${length} bytes: ${code}`),
          )
        }
      }
    },
  },
  {
    name: 'snapshots are sealed too',
    async run(context) {
      const { seal, stored } = memory(context)
      const options = { compressionLevel: 6, securityManager: await create(context, 'x') }
      const db = await context.open('sealed', { storage: seal(options) })
      for (let round = 0; round < 8; round++) await db.upsert({ _id: 1, round, text: Array.from({ length: 40_000 }, () => Math.random().toString(36)).join('') })
      await db.close()
      ok((await stored())[0]!.snapshot, 'nothing was compacted')
      const again = await context.open('sealed', { storage: seal(options) })
      equal((await again.get<{ round: number }>(1))!.round, 7)
    },
  },
]

function readOnly(read: StorageBackend['read']): StorageBackend {
  return { read, append: async () => false, compact: async () => {}, destroy: async () => {}, close: async () => {} }
}
