// Live queries beyond what suites/api-live.ts says in every host: the end of engines, what nobody tells of, pages that
// come back, and what the steps of the engine and other threads cost in objects.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { Edit } from '../src/connection/live.js'
import { LiveHub, type HubEngine } from '../src/connection/live-hub.js'
import { Op } from '../src/engine/ops.js'
import { applyEdits } from '../src/live/rows.js'
import { DocumentsView } from '../src/live/views.js'
import { encoding } from '../src/msgpack/encode.js'
import * as atomicdb from '../src/index.js'
import { within } from './harness/deadline.js'
import { testWasm } from './harness/node.js'
import { faultOp } from './harness/raw-bridge.js'

// Node runs the file of a thread only as JavaScript.
const built = (await import(new URL('../dist/index.js', import.meta.url).href)) as typeof atomicdb

/** A storage that tells nobody what was appended. */
function silent(memory: atomicdb.MemoryStorage): atomicdb.StorageBackend {
  return {
    read: (after) => memory.read(after),
    append: (seq, bytes) => memory.append(seq, bytes),
    compact: (seq, snapshot) => memory.compact(seq, snapshot),
    destroy: () => memory.destroy(),
    close: async () => {},
  }
}

/** Ends the engine of a database, by an op that only the test build has. */
function endEngine(db: atomicdb.AtomicDB): Promise<string> {
  const args = encoding('arguments', (encoder) => encoder.value(['default', 'overflow']).taken())
  return db.calls.write(() => (engine) => engine.value(faultOp as Op, args)).then(() => 'nothing', (error: { code: string }) => error.code)
}

/** Resolves when `live` has told the value. */
function has<V>(live: atomicdb.LiveValue<V>, holds: (value: V) => boolean): Promise<void> {
  return within(20_000, 'a live value', new Promise((resolve, reject) => {
    const unsubscribe = live.subscribe((value) => {
      if (holds(value)) queueMicrotask(() => (unsubscribe(), resolve()))
    }, reject)
  }))
}

describe('the end of an engine', { timeout: 180_000 }, () => {
  for (const worker of [false, true]) {
    test(`is not told, and the next engine goes on where it was${worker ? ', in a worker' : ''}`, async () => {
      const memory = new built.MemoryStorage()
      const db = await built.AtomicDB.open('ending', { storage: memory, wasm: testWasm, worker })
      await db.insertMany([{ n: 1 }, { n: 2 }])
      const lives = { found: db.live('n > 1'), filtered: db.live((d) => d.n > 1), count: db.liveCount(), sum: db.liveSql('SELECT SUM(n) AS sum FROM default') }
      await Promise.all(Object.values(lives).map((live) => live.ready))
      const before = lives.found.current
      const told: unknown[] = []
      for (const live of Object.values(lives) as atomicdb.LiveValue<unknown>[]) live.subscribe((value) => told.push(value), (error) => told.push(error))
      assert.equal(await endEngine(db), 'internal')
      // Nobody calls: the live queries themselves open the database again, and hear of others.
      const other = await built.AtomicDB.open('other', { storage: memory, wasm: testWasm })
      await other.insert({ n: 3 })
      await has(lives.sum, ([row]) => (row as { sum: number }).sum === 6)
      await has(lives.count, (n) => n === 3)
      await has(lives.filtered, (found) => found.length === 2)
      assert.deepEqual([lives.found.current.length, lives.filtered.current.length, told.length], [2, 2, 8])
      assert.equal(lives.found.current[0], before[0], 'the document that stayed is the same object')
      await Promise.all([db.close(), other.close()])
    })
  }

  test('at a question ends that question, and no other', async () => {
    const db = await atomicdb.AtomicDB.open('culprit', { storage: new atomicdb.MemoryStorage(), wasm: testWasm })
    const count = db.liveCount()
    let asked = 0
    const args = encoding('arguments', (encoder) => encoder.value(['default', 'overflow']).taken())
    const culprit = await new Promise<atomicdb.AtomicDBError | undefined>((resolve) => {
      db.calls.live({ ask: (engine) => (asked++, engine.value(faultOp as Op, args)) }, { told: () => {}, ended: resolve })
    })
    assert.deepEqual([culprit?.code, asked], ['internal', 2])
    const told = has(count, (n) => n === 1)
    await db.insert({})
    await told
    await db.close()
  })

  test('of a database in memory alone ends its live queries with the reason', async () => {
    const db = await atomicdb.AtomicDB.open('lost', { wasm: testWasm })
    const count = db.liveCount()
    const errors: atomicdb.AtomicDBError[] = []
    count.subscribe(() => {}, (error) => errors.push(error))
    await endEngine(db)
    while (errors.length === 0) await new Promise((resolve) => setTimeout(resolve))
    assert.deepEqual([errors[0]!.code, count.error, count.current], ['closed', errors[0], 0])
  })
})

for (const worker of [false, true]) test(`onChange tells its onError once why there are no more changes${worker ? ', in a worker' : ''}`, async () => {
  const db = await built.AtomicDB.open('lost changes', { inMemory: true, wasm: testWasm, worker })
  const told: unknown[] = []
  const errors: atomicdb.AtomicDBError[] = []
  const failed = new Promise<void>((resolve) => db.onChange(({ id }) => told.push(id), (error) => (errors.push(error), resolve())))
  const stopped = db.onChange(() => {}, (error) => errors.push(error))
  const closed: unknown[] = []
  const other = await built.AtomicDB.open('closed in peace', { inMemory: true, wasm: testWasm, worker })
  other.onChange(() => {}, (error) => closed.push(error))
  await db.insert({ _id: 1 })
  await other.close()
  stopped()
  await endEngine(db)
  await within(20_000, 'the error', failed)
  await db.close()
  assert.deepEqual([told, errors.map(({ code }) => code), closed], [[1], ['closed'], []])
})

test('a database that is not usable any more tells its live queries, and nothing is thrown where nobody catches it', async () => {
  let version = 1
  const failure = new atomicdb.AtomicDBError('internal', 'on purpose')
  const engine = {
    settling: undefined,
    get versionOutside() {
      return version
    },
    value(op: Op) {
      if (op === Op.liveChanges) throw failure
      return 1
    },
    patiently: <R>(work: () => R) => work(),
    checkThere() {},
  }
  const hub = new LiveHub(engine as unknown as HubEngine, () => {})
  const told: unknown[] = []
  hub.open({ call: { op: Op.count, args: new Uint8Array(), pieces: false }, ask: () => 7 }, { told: (update) => told.push(update), ended: () => {} })
  version++
  hub.note()
  await new Promise((resolve) => setTimeout(resolve))
  assert.deepEqual(told, [{ answer: 7 }, { error: failure }])
})

test('whatever a function has thrown reaches the subscriber unchanged, and each that says the same once', async () => {
  const { proxy: revoked, revoke } = Proxy.revocable({}, {})
  revoke()
  const unreadable = { get message(): never { throw new Error('on purpose') } }
  for (const thrown of [undefined, null, 'a text', revoked, unreadable, new Error('on purpose')]) {
    await using db = await atomicdb.AtomicDB.open('throws', { storage: new atomicdb.MemoryStorage(), wasm: testWasm })
    await db.insert({})
    const count = db.liveCount(() => {
      throw thrown
    })
    const told: unknown[] = []
    count.subscribe(() => assert.fail('there is no answer'), (error) => told.push(error))
    await db.insert({})
    await db.insert({})
    assert.ok(told.length > 0 && told.every((error) => error === thrown), `told ${told.length}`)
    if (thrown !== unreadable) assert.equal(told.length, 1)
    await count.ready.then(() => assert.fail('there is no answer'), (error: unknown) => assert.ok(error === thrown))
    let caught: unknown = told
    try {
      void count.current
    } catch (error) {
      caught = error
    }
    assert.ok(caught === thrown)
  }
})

describe('what was stored, and nobody told of', { timeout: 180_000 }, () => {
  test('is seen after five seconds, as long as there is a live query', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const memory = new atomicdb.MemoryStorage()
    const [db, other] = await Promise.all([1, 2].map(() => atomicdb.AtomicDB.open('silent', { storage: silent(memory), wasm: testWasm }))) as [atomicdb.AtomicDB, atomicdb.AtomicDB]
    await other.insert({})
    const count = db.liveCount()
    assert.equal(count.current, 0)
    t.mock.timers.tick(4999)
    await db.flush()
    assert.equal(count.current, 0)
    const seen = has(count, (n) => n === 1)
    t.mock.timers.tick(1)
    await seen
    count.close()
    await other.insert({})
    t.mock.timers.tick(20_000)
    await new Promise((resolve) => setTimeout(resolve))
    assert.equal(await db.count(), 1)
    await Promise.all([db.close(), other.close()])
  })

  for (const worker of [false, true]) {
    test(`is seen in one step when the page comes back${worker ? ', in a worker' : ''}`, async () => {
      const page = Object.assign(new EventTarget(), { visibilityState: 'hidden' })
      Object.assign(globalThis, { document: page })
      try {
        const memory = new built.MemoryStorage()
        const db = await built.AtomicDB.open('returning', { storage: silent(memory), wasm: testWasm, worker })
        const other = await built.AtomicDB.open('returning', { storage: silent(memory), wasm: testWasm })
        const count = db.liveCount()
        await count.ready
        const told: number[] = []
        count.subscribe((n) => told.push(n))
        for (let n = 0; n < 5; n++) await other.insert({})
        page.dispatchEvent(new Event('visibilitychange'))
        page.visibilityState = 'visible'
        const seen = has(count, (n) => n === 5)
        page.dispatchEvent(new Event('resume'))
        await seen
        assert.deepEqual(told, [0, 5])
        await Promise.all([db.close(), other.close()])
      } finally {
        Reflect.deleteProperty(globalThis, 'document')
      }
    })
  }
})

test('edits lead to the documents, and tell no more than has changed', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((_id) => ({ _id, n: 1 })) as [any, any, any, any]
  const none = { added: [], changed: [], removed: [], moved: [] }
  const cases: [edits: any[], ids: string, delta: object | undefined][] = [
    [[[0, 1]], 'ac', { ...none, removed: ['b'] }],
    [[[1, 3, d]], 'abcd', { ...none, added: [d] }],
    [[[2, 1, { ...b, n: 2 }]], 'abc', { ...none, changed: [{ ...b, n: 2 }] }],
    [[[2, 1, { ...b }]], 'abc', undefined],
    [[[2, 1, d]], 'adc', { ...none, added: [d], removed: ['b'] }],
    [[[3, 0, 2]], 'bca', { ...none, moved: ['a'] }],
    [[[4, 0, 2, { ...a, n: 2 }]], 'bca', { ...none, changed: [{ ...a, n: 2 }], moved: ['a'] }],
    [[[3, 0, 2], [3, 0, 2], [3, 0, 2]], 'abc', undefined],
    [[[0, 0], [1, 0, { ...a }]], 'abc', undefined],
    [[[0, 0], [1, 2, { ...a }]], 'bca', { ...none, moved: ['a'] }],
    [[[1, 0, d], [0, 0]], 'abc', undefined],
    [[[1, 0, d], [3, 0, 3]], 'abcd', { ...none, added: [d] }],
    [[[2, 2, d], [1, 3, { ...c, n: 2 }]], 'abdc', { ...none, added: [d], changed: [{ ...c, n: 2 }] }],
  ]
  for (const [edits, ids, expected] of cases) {
    const documents = [a, b, c]
    const copy = [a, b, c]
    const delta = applyEdits(documents, edits, copy)
    assert.deepEqual(copy, documents)
    assert.deepEqual([documents.map((document) => document._id).join(''), delta], [ids, expected], JSON.stringify(edits))
    for (const document of documents) if (document.n === 1) assert.ok([a, b, c, d].includes(document), 'the same object')
  }
})

test('the value of a large answer is a copy, made when it is read or before that, and none if nobody reads', async () => {
  const documents = Array.from({ length: 6_000 }, (_, n) => ({ _id: n, n }))
  const expected = documents.slice()
  let copies = 0
  const view = new DocumentsView<{ _id: number; n: number }, { _id: number; n: number }[]>((all) => (copies++, all), true)
  assert.equal(view.value.length, 0)
  view.take({ answer: documents })
  const kinds: Edit[] = [[2, 7, { _id: 7, n: 70 }], [0, 20], [1, 30, { _id: -1, n: 1 }], [3, 40, 5_000], [4, 5_990, 3, { _id: 5_991, n: 2 }]]
  for (const read of [true, true, false, true]) {
    for (const edit of kinds) {
      if (read) {
        const before = view.value
        const same = before.slice()
        assert.equal(view.value, before, 'the same object until it changes')
        applyEdits(expected, [edit])
        assert.ok(view.take({ edits: [edit] }))
        assert.ok(view.value !== before && before.every((document, i) => document === same[i]), 'what was given away stays as it was')
        assert.deepEqual(view.value, expected)
        view.value.sort((a, b) => b.n - a.n) // a program that does what it should not
        await new Promise((resolve) => setTimeout(resolve)) // after the one that makes the next copy
      } else {
        const made = copies
        applyEdits(expected, [edit])
        view.take({ edits: [edit] })
        await new Promise((resolve) => setTimeout(resolve))
        assert.equal(copies, made)
      }
    }
  }
  view.take({ answer: [{ _id: 1, n: 1 }] })
  assert.deepEqual(view.value, [{ _id: 1, n: 1 }])
})

test('what a listener throws is an uncaught exception in Node, with its own message', async () => {
  const program = `
    import { AtomicDB } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
    process.once('uncaughtException', ({ message }) => console.log(message))
    const count = (await AtomicDB.open('a', { inMemory: true })).liveCount()
    count.subscribe(() => { throw new Error('on purpose') })
    await count.ready
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { timeout: 30_000 })
  assert.equal(stdout, 'on purpose\n')
})
