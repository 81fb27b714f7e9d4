// Results inside the Proxies of state managers: a Proxy has no #private fields, and wraps what it hands out.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { produce } from 'immer'
import { makeAutoObservable, observable } from 'mobx'
import { proxy, snapshot } from 'valtio/vanilla'
import { AtomicDB, MemoryStorage, SealedStorage, SecurityManager, type QueryResult } from '../src/index.js'
import { testWasm } from './harness/node.js'

interface City {
  name: string
  people: number
  at: { latitude: number }
}

/** A Proxy that hands out Proxies of all objects in it. */
function deep<T extends object>(value: T): T {
  return new Proxy(value, {
    get(target, name, receiver) {
      const found: unknown = Reflect.get(target, name, receiver)
      return typeof found === 'object' && found !== null ? deep(found) : found
    },
  })
}

const vue = (await import('@vue/reactivity' as string)) as Record<'reactive' | 'readonly' | 'shallowReactive', <T extends object>(value: T) => T> & { ref<T>(value: T): { value: T } }

/** What the compiler of Svelte makes of `$state`. */
const { proxy: svelteState } = (await import('svelte/internal/client' as string)) as { proxy<T extends object>(value: T): T }

/** Proxies of which nothing can tell what is inside. */
const opaque: Record<string, <T extends object>(value: T) => T> = {
  'a plain Proxy': (value) => new Proxy(value, {}),
  'a deep Proxy': deep,
  'a Proxy of a Proxy': (value) => deep(deep(value)),
}
const wrappers: Record<string, <T extends object>(value: T) => T> = {
  ...opaque,
  'nothing': (value) => value,
  'reactive of Vue': vue.reactive,
  'readonly of reactive of Vue': (value) => vue.readonly(vue.reactive(value)),
  'ref of Vue': (value) => vue.ref(value).value,
  'shallowReactive of Vue': vue.shallowReactive,
}

describe('a result works inside', () => {
  for (const [name, wrap] of Object.entries(wrappers)) {
    test(name, async () => {
      await using db = await AtomicDB.open('proxies', { inMemory: true, wasm: testWasm })
      const cities = db.collection<City>('cities')
      await cities.insertMany([
        { name: 'Oslo', people: 700_000, at: { latitude: 59.9 } },
        { name: 'Bergen', people: 290_000, at: { latitude: 60.4 } },
        { name: 'Voss', people: 15_000, at: { latitude: 60.6 } },
      ])
      const all = async (): Promise<QueryResult<City>> => wrap(await cities.all())
      const names = (result: QueryResult<City>) => result.map((city) => city.name)

      assert.deepEqual((await all()).pluck('at.latitude').asList(), [{ at: { latitude: 59.9 } }, { at: { latitude: 60.4 } }, { at: { latitude: 60.6 } }])
      assert.deepEqual((await all()).exclude('at', '_id', 'people').asList(), [{ name: 'Oslo' }, { name: 'Bergen' }, { name: 'Voss' }])
      assert.deepEqual(names((await all()).sortBy('people')), ['Voss', 'Bergen', 'Oslo'])
      assert.deepEqual(names((await all()).filter((city) => city.people > 100_000).slice(1)), ['Bergen'])
      assert.equal((await all()).first()?.name, 'Oslo')
      assert.equal((await all()).sortBy('people').pluck('name').last()?.name, 'Oslo')
      if (name in opaque) {
        for (const call of ['updateAll', 'removeAll', 'tracked'] as const) {
          await assert.rejects(async () => (await all())[call]({ people: 0 }), { code: 'invalid', message: /inside a Proxy/ })
        }
        return
      }
      if (name.startsWith('readonly')) return
      assert.equal(await (await all()).slice(0, 1).updateAll({ $inc: { people: 1 } }), 1)
      const result = await all()
      assert.equal(await result.updateAll({ $inc: { people: 1 } }), 3)
      assert.equal(result[0]!.people, 700_002)

      const tracked = wrap((await all()).tracked())
      tracked[2]!.at.latitude = 60.63
      tracked.sortBy('people')[1]!.people = 5
      await tracked.saved()
      assert.deepEqual((await cities.all()).map((city) => [city.people, city.at.latitude]), [[700_002, 59.9], [5, 60.4], [15_001, 60.63]])
      assert.equal(await (await all()).filter((city) => city.name === 'Voss').removeAll(), 1)
      assert.equal(await cities.count(), 2)
    })
  }

  test('and shows nothing but its documents', async () => {
    await using db = await AtomicDB.open('proxies', { inMemory: true, wasm: testWasm })
    await db.insert({ n: 1 })
    const result = await db.all()
    assert.equal(inspect(result), 'QueryResult(1) [ { _id: 1, n: 1 } ]')
    assert.deepEqual(Object.keys(result), ['0'])
    assert.equal(JSON.stringify(result), '[{"_id":1,"n":1}]')
    assert.deepEqual(Object.getOwnPropertySymbols({ ...result }), [])
  })
})

describe('a SecurityManager works inside', () => {
  for (const [name, wrap] of Object.entries(wrappers)) {
    test(name, async () => {
      const plain = await SecurityManager.create({ password: 'secret', salt: Uint8Array.of(1, 2), iterations: 10 })
      const manager = wrap(plain)
      assert.equal(new TextDecoder().decode(await manager.decrypt(await plain.encrypt('text'))), 'text')
      assert.equal(new TextDecoder().decode(await plain.decrypt(await manager.encrypt('text'))), 'text')
      assert.equal(await manager.exportKey(), await plain.exportKey())
      const python = createHash('sha256').update('word').update(plain.salt).digest('hex')
      assert.deepEqual([await manager.verifyPassword('word', python), await manager.verifyPassword('other', python)], [true, false])

      const storage = new MemoryStorage()
      const db = await AtomicDB.open('sealed', { storage: new SealedStorage(storage, { securityManager: manager }), wasm: testWasm })
      await db.insert({ n: 1 })
      await db.close()
      const again = await AtomicDB.open('sealed', { storage: new SealedStorage(storage, { securityManager: plain }), wasm: testWasm })
      assert.equal(await again.count('n = 1'), 1)
      await again.close()
    })
  }

  test('and does not show its secrets', async () => {
    const manager = await SecurityManager.create({ password: 'secret', salt: Uint8Array.of(1, 2), iterations: 10 })
    await manager.exportKey()
    assert.doesNotMatch(inspect(manager, { depth: 9, showHidden: true }), /secret/)
    assert.deepEqual(Object.keys(manager), ['salt'])
    assert.equal(JSON.stringify(manager), '{"salt":{"0":1,"1":2}}')
  })
})

/** Puts a value into the state of a real state manager, and returns what the state hands out. */
const states: Record<string, <T extends object>(value: T) => T> = {
  "Vue's reactive": (value) => vue.reactive({ value }).value,
  "Svelte's $state": (value) => svelteState({ value }).value,
  'MobX': (value) => observable({ value }).value as typeof value,
  'a class of MobX': (value) => {
    class State {
      value = value
      constructor() {
        makeAutoObservable(this)
      }
    }
    return new State().value
  },
  'Valtio': (value) => proxy({ value }).value,
  'a snapshot of Valtio': (value) => snapshot(proxy({ value })).value as typeof value,
  'Immer': (value) => produce({ value, n: 0 }, (draft) => void draft.n++).value,
}

for (const [name, put] of Object.entries(states)) {
  test(`a database, its collections, live queries and results work inside ${name}`, async () => {
    await using plain = await AtomicDB.open('states', { inMemory: true, wasm: testWasm })
    const db = put(plain)
    const cities = put(db.collection<City>('cities'))
    await cities.insertMany(put([{ name: 'Oslo', people: 700_000, at: { latitude: 59.9 } }, { name: 'Voss', people: 15_000, at: { latitude: 60.6 } }]))
    await db.transaction(async (tx) => void (await put(tx).insert({ name: 'Moss', people: 50_000, at: { latitude: 59.4 } }, 'cities')))
    assert.equal((await db.sql('SELECT COUNT(*) AS n FROM cities'))[0].n, 3)

    const live = put(db.live<City>('people > 20000', { collection: 'cities', sort: 'people' }))
    await live.ready
    const told: string[] = []
    const heard = new Promise<void>((resolve) => void live.subscribe((found) => told.push(found.map((city) => city.name).join()) === 2 && resolve()))
    await cities.update(put({ $inc: { people: 10_000 } }), put({ name: 'Voss' }))
    await heard
    assert.deepEqual(told, ['Moss,Oslo', 'Voss,Moss,Oslo'])
    assert.equal(put(db.writeStatus).current.status, 'saved')
    live.close()

    // Some of them put an array of their own in the place of a result: it has the documents, and what arrays have.
    const result = put(await cities.all())
    assert.deepEqual(result.map((city) => [city.name, city.at.latitude]), [['Oslo', 59.9], ['Voss', 60.6], ['Moss', 59.4]])
    assert.equal(result.filter((city) => city.people > 30_000).length, 2)
    const values = { n: 1, at: new Date(5), bytes: Uint8Array.of(1, 2), list: [{ x: 1 }] }
    await db.insert(put(values), 'values')
    const { _id, ...kept } = (await db.get('n = 1', 'values'))!
    assert.deepEqual([_id, kept], [1, values])
    assert.throws(() => [...(db as unknown as Iterable<unknown>)], /is not iterable/)
  })
}
