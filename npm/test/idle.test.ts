// What a page does while it has nothing to do.
import assert from 'node:assert/strict'
import { after, before, beforeEach, mock, test } from 'node:test'
import { LocalConnection } from '../src/connection/local-connection.js'
import { AtomicDB, MemoryStorage } from '../src/index.js'
import { testWasm as wasm } from './harness/node.js'

let idle: (() => void)[] = []
const builds = mock.method(LocalConnection.prototype, 'buildIndexes')

before(() => {
  Object.assign(globalThis, { requestIdleCallback: (work: () => void) => idle.push(work) }) // Node has none
})

beforeEach(() => {
  idle = []
  builds.mock.resetCalls()
})

after(() => {
  Reflect.deleteProperty(globalThis, 'requestIdleCallback')
})

/** A storage with a unique index on `email`. */
async function filled(): Promise<MemoryStorage> {
  const storage = new MemoryStorage()
  const db = await AtomicDB.open('idle', { storage, wasm })
  await db.createIndex('email', { unique: true })
  await db.insertMany(Array.from({ length: 2_000 }, (_, n) => ({ email: `${n}@example.org` })))
  await db.close()
  idle = []
  return storage
}

test('a page that is idle builds the unique indexes that its first write needs', async () => {
  const db = await AtomicDB.open('idle', { storage: await filled(), wasm })
  assert.equal(builds.mock.callCount(), 0)
  for (const work of idle) work()
  assert.deepEqual(builds.mock.calls.map(({ arguments: given }) => given), [[20_000, true]])
  await builds.mock.calls[0]!.result
  await assert.rejects(db.insert({ email: '7@example.org' }), { code: 'unique' })
  await db.close()
})

test('a database that is closed before its page is idle builds nothing', async () => {
  const db = await AtomicDB.open('idle', { storage: await filled(), wasm })
  await db.close()
  for (const work of idle) work()
  assert.equal(idle.length, 1)
  assert.equal(builds.mock.callCount(), 0)
})

test('a database in memory has nothing to build', async () => {
  const db = await AtomicDB.open('idle', { inMemory: true, wasm })
  assert.equal(idle.length, 0)
  await db.close()
})
