// What comes from outside and is not what it should be: the call fails with a code, and the database goes on. `make
// attack` looks for more.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  AtomicDB, AtomicDBError, CompressedJSONStorage, EncryptedJSONStorage, JSONStorage, MemoryStorage, MessagePackStorage, not, QueryResult, SealedStorage, SecurityManager, ThreadSafeDatabase, type Condition, type ErrorCode, type StorageBackend,
} from '../src/index.js'
import { openPage } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'
import { openInNode, testWasm } from './harness/node.js'

const code = (...codes: ErrorCode[]) => (error: unknown) => {
  assert.ok(error instanceof AtomicDBError && codes.includes(error.code), `${(error as Error)?.stack}`)
  return true
}
const fail = () => {
  throw new Error('read me not')
}

/** A MemoryStorage with other methods. */
function storageWith(methods: Record<string, unknown>): StorageBackend {
  return Object.assign(new MemoryStorage(), methods)
}

const open = (storage: StorageBackend) => AtomicDB.open('hostile', { storage, wasm: testWasm })
let db: AtomicDB
before(async () => {
  db = await openInNode()
  await db.insertMany([{ a: 2 }, { a: 1 }])
})
after(() => db.close())

describe('a storage', () => {
  const errors: Record<string, unknown> = {
    'a BigInt': 5n,
    'a symbol': Symbol('s'),
    'nothing': undefined,
    'an error with BigInts': Object.assign(new Error(), { code: 5n, message: 5n, name: 5n }),
    'an error whose properties throw': Object.defineProperties(new Error(), { code: { get: fail }, message: { get: fail }, name: { get: fail } }),
    'a proxy that throws': new Proxy({}, { get: fail, getPrototypeOf: fail }),
  }
  for (const [name, error] of Object.entries(errors)) {
    test(`whose append rejects with ${name} fails that write alone`, async () => {
      let isBroken = true
      const storage = storageWith({})
      const { append } = storage
      storage.append = async (...args) => {
        if (isBroken) throw error
        return append.apply(storage, args)
      }
      const own = await open(storage)
      await assert.rejects(own.insert({ n: 1 }), code('storage'))
      isBroken = false
      await own.insert({ n: 2 })
      assert.equal(await own.count(), 1)
      await own.close()
    })
  }

  const bytes = new Uint8Array(3)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  const answers: Record<string, unknown> = {
    'a BigInt': 5n,
    'a seq that is a BigInt': [{ seq: 1n, snapshot: false, bytes: new Uint8Array(3) }],
    'a seq that is text': [{ seq: '1', snapshot: false, bytes: new Uint8Array(3) }],
    'bytes that were transferred': [{ seq: 1, snapshot: false, bytes }],
    'a getter that throws': [{ seq: 1, snapshot: false, get bytes() { return fail() } }],
    'an array with holes': new Array(3),
    'a length without end': { length: 1e9 },
    'a proxy that throws': new Proxy([], { get: (_, name) => (name === 'then' ? undefined : fail()) }),
  }
  for (const [name, answer] of Object.entries(answers)) {
    test(`whose read gives ${name} is not opened`, async () => {
      await assert.rejects(open(storageWith({ read: async () => answer })), code('storage'))
      assert.equal(await db.count(), 2)
    })
  }

  const watches: Record<string, (listener: (seq: never) => void) => unknown> = {
    'tells a BigInt': (listener) => (setTimeout(listener, 0, 5n as never), () => {}),
    'throws': fail,
    'rejects': async () => fail(),
    'returns no function': () => 5n,
    'returns a function that throws': () => fail,
  }
  for (const [name, watch] of Object.entries(watches)) {
    test(`whose watch ${name} works`, async () => {
      const own = await open(storageWith({ watch }))
      await new Promise((resolve) => setTimeout(resolve, 5))
      await own.insert({ n: 1 })
      await own.close()
      await new Promise((resolve) => setTimeout(resolve, 0))
    })
  }

  test('with other properties than documented is invalid', async () => {
    for (const wrong of [{ compactEvery: 5n }, { compactEvery: '5' }, { compactEvery: -1 }, { compactEvery: NaN }, { salvage: 5 }, { watch: {} }]) await assert.rejects(open(storageWith(wrong)), code('invalid'))
    await assert.rejects(open(Object.defineProperty(storageWith({}), 'salvage', { get: fail })), /options\.storage: its property salvage cannot be read: read me not/)
  })
})

test('what onProgress throws, open rejects with, and the storage can be opened', async () => {
  const storage = new MemoryStorage()
  const first = await open(storage)
  await first.insert({ n: 1 })
  await first.close()
  const thrown = 5n
  const opened = AtomicDB.open('hostile', { storage, wasm: testWasm, onProgress: () => { throw thrown } })
  await assert.rejects(opened, (error) => error === (thrown as unknown))
  const again = await open(storage)
  assert.equal(await again.count(), 1)
  await again.close()
})

describe('a path of 32,000 names', () => {
  const path = 'a' + '.a'.repeat(31_999)
  const calls: Record<string, () => Promise<unknown>> = {
    fields: () => db.search(undefined, { fields: [path] }),
    sort: () => db.search(undefined, { sort: path }),
    groupBy: () => db.aggregate({ groupBy: path, select: { n: { $count: true } } }),
    select: () => db.aggregate({ select: { n: { $max: path } } }),
    distinct: () => db.distinct(path),
    'a filter': () => db.find({ [path]: 1 }),
    text: () => db.search(`${path} = 1`),
    update: () => db.update({ [path]: 1 }),
    $unset: () => db.update({ $unset: { [path]: true } }),
    createIndex: () => db.createIndex(path),
    'GROUP BY': () => db.sql(`SELECT COUNT(*) AS n FROM "default" GROUP BY ${path}`),
    pluck: async () => (await db.search()).pluck(path),
    exclude: async () => (await db.search()).exclude(path),
    sortBy: async () => (await db.search()).sortBy(path),
  }
  for (const [name, call] of Object.entries(calls)) {
    test(`in ${name} is invalid`, () => assert.rejects(call(), (error) => code('invalid')(error) && /at most 1000 names|1000 names/.test((error as Error).message)))
  }
})

describe('a schema of 4,000 references in a row', () => {
  const links: Record<string, (next: object) => object> = {
    '$ref': (next) => next,
    allOf: (next) => ({ allOf: [next] }),
    not: (next) => ({ not: next }),
    oneOf: (next) => ({ oneOf: [next], unevaluatedProperties: true }),
    propertyNames: (next) => ({ propertyNames: next, allOf: [next] }),
  }
  for (const [name, link] of Object.entries(links)) {
    test(`of ${name} is too long, and the engine lives on`, async () => {
      const $defs: Record<string, object> = { d4000: { type: 'object' } }
      for (let i = 0; i < 4000; i++) $defs[`d${i}`] = link({ $ref: `#/$defs/d${i + 1}` })
      await db.createCollection(`chain of ${name}`, { $defs, $ref: '#/$defs/d0' })
      await assert.rejects(db.insert({ a: 1 }, `chain of ${name}`), (error) => code('schema')(error) && /more than 1000 levels/.test((error as Error).message))
      assert.equal(await db.count(), 2)
    })
  }
})

test('20,000 conditions inside one another are invalid', () => {
  let condition: Condition = db.query<{ a: number }>().a.eq(1)
  assert.throws(() => {
    for (let i = 0; i < 20_000; i++) condition = not(condition)
    String(condition)
  }, /at most 100 conditions inside one another/)
  assert.ok(String(condition).length > 0)
  // As wide as one likes.
  let wide: Condition = db.query<{ a: number }>().a.eq(1)
  for (let i = 0; i < 18; i++) wide = wide.and(wide)
  assert.ok(String(wide).length > 2 ** 20)
})

describe('a result', () => {
  const calls: Record<string, (result: QueryResult) => unknown> = {
    'pluck(5)': (result) => result.pluck(5 as never),
    'exclude(Symbol())': (result) => result.exclude(Symbol('s') as never),
    'sortBy(5)': (result) => result.sortBy(5 as never),
    'sortBy()': (result) => (result.sortBy as () => unknown)(),
    'sortBy(path, null)': (result) => result.sortBy('a', null as never),
    'slice(5n)': (result) => result.slice(5n as never),
    'filter(5)': (result) => result.filter(5 as never),
    'updateAll()': (result) => result.updateAll(undefined as never),
    'updateAll(5)': (result) => result.updateAll(5 as never),
  }
  for (const [name, call] of Object.entries(calls)) {
    test(`${name} is invalid`, async () => {
      const result = await db.search()
      await assert.rejects(async () => call(result), code('invalid'))
      await assert.rejects(async () => call(result.tracked()), code('invalid'))
    })
  }

  test('with something else among its documents is invalid', async () => {
    const result = await db.search()
    result.push(null as never)
    for (const call of [() => result.pluck('a'), () => result.sortBy('a'), () => result.tracked(), () => result.updateAll({ a: 1 }), () => result.removeAll()]) {
      await assert.rejects(async () => call(), /element 2 of this result: expected a document, not null/)
    }
  })

  test('with a document inside itself is invalid', async () => {
    const result = await db.search()
    const cycle: unknown[] = []
    cycle.push(cycle)
    Object.assign(result[0]!, { a: cycle })
    Object.assign(result[1]!, { a: [...cycle] })
    assert.throws(() => result.exclude('a.c'), code('invalid'))
    assert.throws(() => result.sortBy('a'), code('invalid'))
  })
})

test('arguments that pass for others are invalid', async () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const endless = new Proxy([], { get: (target, name) => (name === 'length' ? Infinity : Reflect.get(target, name)) })
  for (const [n, value] of [proxy, new Proxy(new Date(), {}), endless, Object.create({ [Symbol.toStringTag]: 'Uint8Array' })].entries()) {
    await assert.rejects(db.insert({ value }), code('invalid'), `value ${n}`)
  }
  await assert.rejects(db.find(proxy), code('invalid'))
  await assert.rejects(db.search('a = 1', proxy as never), code('invalid'))
  const falseRegExp = Object.create({ [Symbol.toStringTag]: 'RegExp' }) as RegExp
  assert.throws(() => db.query().a!.matches(falseRegExp), code('invalid'))
  await assert.rejects(db.find({ a: falseRegExp }), code('invalid'))
  assert.equal(await db.count(), 2)
})

test('a list without end is invalid, with its name', async () => {
  const endless = new Proxy(['a'], { get: (target, name) => (name === 'length' ? Infinity : Reflect.get(target, name)) })
  for (const [name, options] of Object.entries({ fields: { fields: endless }, populate: { populate: endless }, sort: { sort: endless } })) {
    await assert.rejects(db.search('true', options as never), { code: 'invalid', message: `options.${name}: has Infinity elements; the limit is 100000` })
  }
  await assert.rejects(db.aggregate({ groupBy: endless as never, select: { n: { $count: true } } }), code('invalid'))
  const validator = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } }
  await assert.rejects(db.collection('c', { validate: validator as never }).insertMany(endless as never), code('invalid'))
})

test('a RegExp whose properties are shadowed is the RegExp that it is', async () => {
  const shadowed = Object.assign(/^b/i, {})
  for (const name of ['source', 'flags']) Object.defineProperty(shadowed, name, { value: 7 })
  assert.equal(String(db.query().a!.matches(shadowed)), String(db.query().a!.matches(/^b/i)))
})

describe('what is revoked or detached', () => {
  const revoked = <T extends object>(target: T): T => {
    const { proxy, revoke } = Proxy.revocable(target, {})
    revoke()
    return proxy
  }
  const detached = () => {
    const bytes = new Uint8Array(100)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    return bytes
  }

  test('is invalid in each way of calling', async () => {
    const pool = await ThreadSafeDatabase.open('revoked', { wasm: testWasm })
    for (const calls of [db, pool, db.collection('default'), pool.collection('default')]) {
      await assert.rejects(calls.remove(revoked(() => true) as never), code('invalid'))
      await assert.rejects(calls.insert(revoked({})), code('invalid'))
    }
    await assert.rejects(db.transaction((tx) => tx.remove(revoked(() => true) as never)), code('invalid'))
    await pool.close()
    await assert.rejects(ThreadSafeDatabase.open('revoked', revoked({})), code('invalid'))
    assert.throws(() => db.withSignal(revoked(() => {}) as never), code('invalid'))
    const manager = SecurityManager.fromKey('A'.repeat(43) + '=')
    for (const construct of [
      () => new JSONStorage('x', revoked({})),
      () => new CompressedJSONStorage('x', revoked({})),
      () => new EncryptedJSONStorage('x', manager, revoked({})),
      () => new EncryptedJSONStorage('x', revoked(manager)),
      () => new MessagePackStorage('x', revoked({})),
      () => new SealedStorage(new MemoryStorage(), revoked({})),
      () => SecurityManager.fromKey('A'.repeat(43) + '=', revoked({})),
    ]) assert.throws(construct, code('invalid'))
    await assert.rejects(SecurityManager.create(revoked({})), code('invalid'))
  })

  test('is refused as bytes, and the engine lives on', async () => {
    await assert.rejects(MemoryStorage.fromRaw(detached(), { wasm: testWasm }), code('invalid'))
    await assert.rejects(db.import(detached()), code('invalid'))
    await assert.rejects(open(storageWith({ read: async () => [{ seq: 1, snapshot: false, bytes: detached() }] })), code('storage'))
    assert.equal(await db.count(), 2)
  })
})

test('of bytes that have properties of their own, only the bytes are read', async () => {
  const own = (bytes: Uint8Array) => Object.defineProperties(bytes.slice(), { length: { get: () => assert.fail('it was read') }, byteLength: { value: 1e9 } })
  await db.import(own(new TextEncoder().encode('{"imported": [{"a": 1}]}')))
  assert.equal(await db.collection('imported').count(), 1)
  const file = await AtomicDB.exportRaw('own bytes', { storage: await filled(), wasm: testWasm })
  const copy = await MemoryStorage.fromRaw(own(file), { wasm: testWasm })
  await AtomicDB.importRaw('own bytes', own(file), { storage: new MemoryStorage(), wasm: testWasm })
  await using opened = await AtomicDB.open('own bytes', { storage: copy, wasm: testWasm })
  assert.equal(await opened.count(), 1)
})

async function filled(): Promise<InstanceType<typeof MemoryStorage>> {
  const storage = new MemoryStorage()
  await using filling = await AtomicDB.open('own bytes', { storage, wasm: testWasm })
  await filling.insert({})
  return storage
}

test('a function that rejects where it may not wait is refused, and nobody hears of the rejection', async () => {
  const uncaught: unknown[] = []
  const note = (reason: unknown) => uncaught.push(reason)
  process.on('unhandledRejection', note)
  try {
    const rejecting = async () => fail()
    await assert.rejects(db.search(rejecting as never), code('invalid'))
    await assert.rejects(db.update(rejecting as never), code('invalid'))
    const live = db.liveCount(rejecting as never)
    await assert.rejects(live.ready, code('invalid'))
    live.close()
    await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepEqual(uncaught, [])
  } finally {
    process.off('unhandledRejection', note)
  }
})

test('exists takes no undefined, which a filter refuses too', () => {
  assert.throws(() => db.query<{ a: number }>().a.exists(undefined), /^AtomicDBError: a\.exists: yes: expected true or false, not undefined$/)
  assert.equal(String(db.query<{ a: number }>().a.exists()), 'a exists')
})

test('a MemoryStorage checks the arguments of each method', async () => {
  const storage = new MemoryStorage()
  await storage.append(1, new Uint8Array(1))
  for (const [seq, bytes] of [[1, undefined], [1, 'text'], ['1', new Uint8Array()], [0, new Uint8Array()]] as never[][]) {
    await assert.rejects(storage.append(seq!, bytes!), code('invalid'))
    await assert.rejects(storage.compact(seq!, bytes!), code('invalid'))
  }
})

describe('in a page', { timeout: 360_000 }, () => {
  const chromium = chromiumWithSite()

  test('messages of other scripts on the channels of databases are ignored', async () => {
    const page = await openPage(await chromium.browser.newContext(), chromium.site.origin)
    const counts = await page.evaluate(async () => {
      const { AtomicDB, IndexedDBStorage, LocalStorageStorage, OPFSStorage } = atomicdb
      const channels = { 'atomicdb:shop': IndexedDBStorage, 'atomicdb:shop:': LocalStorageStorage, 'atomicdb opfs:shop': OPFSStorage }
      const bytes = new Uint8Array(3)
      const messages = [2n, NaN, -1, 'x', null, { seq: 2n }, { seq: 99, bytes: 1n }, { seq: -1, bytes }, { seq: 2, bytes }, { seq: 1e300 }, [2n], new Map()]
      const counts: number[] = []
      for (const [name, Storage] of Object.entries(channels)) {
        const db = await AtomicDB.open('shop', { storage: new Storage('shop') })
        await db.insert({ n: 1 })
        const [sender, receiver] = [new BroadcastChannel(name), new BroadcastChannel(name)]
        const received = new Promise<void>((resolve) => (receiver.onmessage = ({ data }) => data === 'end' && resolve()))
        for (const message of [...messages, 'end']) sender.postMessage(message)
        await received
        await db.insert({ n: 2 })
        counts.push(await db.count())
        await db.close()
        for (const channel of [sender, receiver]) channel.close()
      }
      return counts
    })
    assert.deepEqual(counts, [2, 2, 2])
    assert.deepEqual(await page.pageErrors(), [])
  })
})
