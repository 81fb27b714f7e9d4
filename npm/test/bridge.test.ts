// The traps between Go and JavaScript, without the TypeScript that hides them. It needs the test build, whose engine
// checks every query against the definition of its meaning, and overwrites the arguments of each call after the call.
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { Op, maxInput, protocol } from '../src/engine/ops.js'
import type { StorageBackend } from '../src/types.js'
import { RawEngine, faultOp, piece, spawnOp, type Failure } from './harness/raw-bridge.js'

const MiB = 1 << 20

/** A promise that a test settles. */
function gate<T>() {
  let open!: (value: T) => void
  let fail!: (error: unknown) => void
  const promise = new Promise<T>((resolve, reject) => ([open, fail] = [resolve, reject]))
  return { promise, open, fail }
}

/** The storage that several sessions share: the smallest correct StorageBackend, and its batches. */
class Memory {
  readonly batches: { seq: number; snapshot: boolean; bytes: Uint8Array }[] = []
  /** Each append waits for this before it looks at the batches. */
  before: () => Promise<void> = async () => {}

  backend(): StorageBackend {
    const { batches } = this
    return {
      read: async (after) => batches.filter((b) => b.seq > after),
      append: async (seq, bytes) => {
        await this.before()
        if (seq !== batches.length + 1) return false
        batches.push({ seq, snapshot: false, bytes })
        return true
      },
      compact: async () => {},
      destroy: async () => {},
      close: async () => {},
    }
  }
}

async function rejection(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise
  } catch (error) {
    return error as Failure
  }
  throw new Error('the promise has resolved')
}

describe('the bridge', { timeout: 180_000 }, () => {
  let engine: RawEngine
  let db: number

  beforeEach(async () => {
    engine = await RawEngine.start()
    db = await engine.bridge.open('test', null, {})
    engine.insert(db, 'people', { _id: 'ada', age: 36 }, { _id: 'bob', age: 17 })
  })

  test('has the ops that ops.ts lists', () => {
    assert.equal(engine.bridge.protocol, protocol)
  })

  for (const how of ['panic', 'nil']) {
    test(`a call that panics (${how}) is undone and the database goes on`, () => {
      const failure = engine.refused(db, faultOp, ['people', how])
      assert.equal(failure.code, 'internal')
      assert.match(failure.message, how === 'panic' ? /a bug/ : /nil pointer/)

      assert.deepEqual(engine.ids(db, 'people'), ['ada', 'bob'])
      assert.deepEqual(engine.insert(db, 'people', { age: 1 }), [1])
      assert.equal(engine.value(db, Op.count, ['people', 'age < 20', -1]), 2)
      assert.deepEqual(engine.exits, [])
    })
  }

  test('memory grows during a call, and the result is read at its new address', () => {
    const text = 'x'.repeat(20 * MiB)
    const before = engine.memory
    engine.call(db, Op.update, ['people', { text: text.slice(0, 10 * MiB) }, ['eq', '_id', 'ada']])
    assert.ok(engine.memory > before, 'the memory has not grown, so this tests nothing')
    const [ada] = piece(engine.call(db, Op.find, ['people', ['eq', '_id', 'ada'], null, 0, -1, null])).documents
    assert.equal(ada.text.length, 10 * MiB)

    const failure = engine.refused(db, Op.insert, ['people', false], { text })
    assert.equal(failure.code, 'invalid')
    assert.match(failure.message, /the limit is 16777216/)
    assert.equal(engine.value(db, Op.count, ['people', null, -1]), 2)
  })

  test('arguments that one call cannot take are refused before they are written', () => {
    const { exports } = engine
    const before = engine.memory
    assert.equal(exports.adb_in(maxInput + 1), 0)
    assert.equal(exports.adb_in(0xffffffff), 0)
    assert.equal(engine.memory, before)
    assert.deepEqual(engine.ids(db, 'people'), ['ada', 'bob'])
  })

  test('big buffers are used again for documents', () => {
    const text = 'x'.repeat(9 * MiB)
    for (let i = 0; i < 3; i++) engine.call(db, Op.insert, ['people', true], { _id: 'big', text })
    for (let i = 0; i < 3; i++) engine.call(db, Op.get, ['people', 'big'])
    const settled = engine.memory
    for (let i = 0; i < 50; i++) {
      engine.call(db, Op.count, ['people', null, -1])
      engine.call(db, Op.get, ['people', 'big'])
    }
    assert.ok(engine.memory <= settled + 32 * MiB, `50 big results took ${(engine.memory - settled) / MiB} MiB`)
  })

  test('a big result comes in pieces, whole and in order', () => {
    const text = 'x'.repeat(50_000)
    for (let i = 0; i < 100; i++) engine.insert(db, 'big', { n: i, text })
    let { documents, left } = piece(engine.call(db, Op.find, ['big', null, null, 0, -1, null]))
    let pieces = 1
    for (; left > 0; pieces++) {
      const next = piece(engine.call(db, Op.more, []))
      documents = documents.concat(next.documents)
      assert.equal(documents.length + next.left, 100)
      left = next.left
    }
    assert.ok(pieces >= 4 && pieces <= 6, `${pieces} pieces of about 1 MiB for 5 MB`)
    assert.deepEqual(documents.map((d) => d.n), Array.from({ length: 100 }, (_, i) => i))
  })

  test('calls go on while a storage write is under way', async () => {
    const memory = new Memory()
    const appending = gate<void>()
    const release = gate<void>()
    memory.before = () => (appending.open(), release.promise)
    const slow = await engine.bridge.open('slow', memory.backend(), {})

    engine.insert(slow, 'a', { n: 1 })
    const first = engine.bridge.flush(slow)
    await appending.promise
    for (let n = 2; n <= 1000; n++) engine.insert(slow, 'a', { n, text: 'x'.repeat(1000) })
    engine.refused(slow, faultOp, ['a', 'panic'])
    assert.equal(engine.value(slow, Op.update, ['a', { seen: true }, 'n <= 500']), 500)
    assert.equal(engine.value(slow, Op.count, ['a', 'n > 500', -1]), 500)
    assert.equal(memory.batches.length, 0)

    const second = engine.bridge.flush(slow)
    release.open()
    assert.deepEqual(await Promise.all([first, second]), [0, 0])
    assert.equal(memory.batches.length, 2)

    const reopened = await engine.bridge.open('slow', memory.backend(), {})
    assert.deepEqual(engine.ids(reopened, 'a'), engine.ids(slow, 'a'))
    assert.equal(engine.value(reopened, Op.count, ['a', 'seen = true', -1]), 500)
  })

  test('of two sessions on one storage, the slower one is rolled back and catches up', async () => {
    const memory = new Memory()
    const told: string[] = []
    const a = await engine.bridge.open('shared', memory.backend(), { onForeign: () => told.push('a foreign') })
    const b = await engine.bridge.open('shared', memory.backend(), {
      onRollback: () => told.push('b rollback'),
      // This runs in a microtask, where calls are allowed.
      onForeign: () => told.push(`b foreign ${engine.ids(b, 'n')}`),
    })
    engine.insert(a, 'n', { _id: 'a' })
    engine.insert(b, 'n', { _id: 'b' })

    assert.equal(await engine.bridge.flush(a), 0)
    assert.equal(await engine.bridge.flush(b), 1)
    assert.deepEqual(engine.ids(b, 'n'), ['a'])
    assert.deepEqual(told, ['b rollback', 'b foreign a'])

    engine.insert(b, 'n', { _id: 'b' })
    assert.equal(await engine.bridge.flush(b), 0)
    await engine.bridge.catchUp(a)
    assert.deepEqual(engine.ids(a, 'n'), ['a', 'b'])
    assert.deepEqual(told, ['b rollback', 'b foreign a', 'a foreign'])
  })

  test('an error of the storage keeps its code, and the write is undone', async () => {
    for (const [thrown, code] of [
      [Object.assign(new Error('full'), { name: 'QuotaExceededError' }), 'quota'],
      [Object.assign(new Error('full'), { code: 'ENOSPC' }), 'quota'],
      [new Error('disk on fire'), 'storage'],
      ['text', 'storage'],
      [undefined, 'storage'],
    ] as const) {
      const memory = new Memory()
      const failing = await engine.bridge.open('failing', memory.backend(), {})
      engine.insert(failing, 'a', { _id: 'kept' })
      assert.equal(await engine.bridge.flush(failing), 0)

      memory.before = async () => {
        throw thrown
      }
      engine.insert(failing, 'a', { _id: 'lost' })
      const failure = await rejection(engine.bridge.flush(failing))
      assert.equal(failure.code, code, failure.message)
      assert.ok(failure instanceof Error)
      assert.deepEqual(engine.ids(failing, 'a'), ['kept'])

      memory.before = async () => {}
      engine.insert(failing, 'a', { _id: 'next' })
      assert.equal(await engine.bridge.flush(failing), 0)
      assert.equal(memory.batches.length, 2)
    }
  })

  test('errors of open keep their code', async () => {
    const memory = new Memory()
    memory.batches.push({ seq: 1, snapshot: false, bytes: new Uint8Array(100) })
    const open = (backend: any, options = {}) => rejection(engine.bridge.open('x', backend, options))
    assert.equal((await open(memory.backend())).code, 'corrupt')
    assert.equal((await open({ read() {} })).code, 'invalid')
    assert.equal((await open({ kind: 'floppy' })).code, 'invalid')
    assert.equal((await open(7)).code, 'invalid')
    assert.equal((await open(null, { maxDepth: -1 })).code, 'invalid')
    assert.deepEqual(engine.exits, [])
  })

  test('each error of a call has its code', () => {
    assert.equal(engine.refused(db, Op.insert, ['people', false], { _id: 'ada' }).code, 'duplicate_id')
    engine.call(db, Op.createIndex, ['people', ['age'], { unique: true }])
    assert.equal(engine.refused(db, Op.insert, ['people', false], { age: 36 }).code, 'unique')
    assert.equal(engine.refused(db, Op.dropIndex, ['people', ['name']]).code, 'not_found')
    assert.equal(engine.refused(db, Op.remove, ['people', 'age >']).code, 'invalid')
    assert.equal(engine.refused(db, Op.setSchema, ['people', false, {}, null]).code, 'schema')
    assert.equal(engine.refused(db, 77, []).code, 'invalid')
    assert.equal(engine.refused(0, Op.ids, ['people']).code, 'closed')
  })

  test('a closed handle is refused, and never names the next database', async () => {
    await engine.bridge.close(db)
    const next = await engine.bridge.open('next', null, {})
    assert.notEqual(next, db)
    assert.equal(engine.refused(db, Op.ids, ['people']).code, 'closed')
    assert.equal((await rejection(engine.bridge.flush(db))).code, 'closed')
    await engine.bridge.close(db)
    assert.deepEqual(engine.ids(next, 'people'), [])
  })

  test('the limits of documents can be set', async () => {
    const strict = await engine.bridge.open('strict', null, { maxDocumentBytes: 100, maxDepth: 2 })
    assert.match(engine.refused(strict, Op.insert, ['a', false], { text: 'x'.repeat(100) }).message, /the limit is 100/)
    assert.match(engine.refused(strict, Op.insert, ['a', false], { a: { b: {} } }).message, /the limit is 2 levels/)
    assert.deepEqual(engine.insert(strict, 'a', { a: { b: 1 } }), [1])
  })

  test('opening a long log reports progress', async () => {
    const memory = new Memory()
    const writer = await engine.bridge.open('long', memory.backend(), {})
    for (let i = 0; i < 10; i++) {
      engine.insert(writer, 'a', { text: 'x'.repeat(300_000) })
      await engine.bridge.flush(writer)
    }
    const told: [number, number][] = []
    await engine.bridge.open('long', memory.backend(), { onProgress: (done, total) => told.push([done, total]) })
    const total = memory.batches.reduce((sum, b) => sum + b.bytes.length, 0)
    assert.ok(told.length >= 5, `told ${told.length} times`)
    assert.deepEqual(told.at(-1), [total, total])
    for (const [i, [done]] of told.entries()) assert.ok(i === 0 || done > told[i - 1]![0])
  })

  test("the deepest arguments fit the host's stack", () => {
    const [array1, array2, array3] = ['\x91', '\x92', '\x93']
    const text = (s: string) => String.fromCharCode(0xa0 + s.length) + s
    const equal = array3 + text('eq') + text('a') + '\x01'
    const longText = (s: string) => '\xdb' + String.fromCharCode(s.length >> 24, (s.length >> 16) & 255, (s.length >> 8) & 255, s.length & 255) + s
    for (const depth of [100, 1000, 1_000_000]) {
      for (const condition of [
        (array2 + text('not')).repeat(depth) + equal,
        (array2 + text('and')).repeat(depth) + equal,
        (array3 + text('any') + text('a')).repeat(depth) + equal,
        ('\x81' + text('$not')).repeat(depth) + '\x01',
        ('\x81' + text('$nor') + array1).repeat(depth) + '\x80',
        ('\x81' + text('$elemMatch')).repeat(depth) + '\x80',
        array3 + text('eq') + text('a') + array1.repeat(depth) + '\x01',
        longText('('.repeat(depth) + 'a = 1' + ')'.repeat(depth)),
        longText('not '.repeat(depth) + 'a = 1'),
        longText('a any ('.repeat(depth) + 'a = 1' + ')'.repeat(depth)),
        longText("a matches '" + '('.repeat(depth) + ')'.repeat(depth) + "'"),
      ]) {
        try {
          engine.send(db, Op.count, Buffer.from(array3 + text('people') + condition + '\xff', 'latin1'))
        } catch (error) {
          assert.equal((error as Failure).code, 'invalid', String(error))
        }
      }
    }
    assert.deepEqual(engine.ids(db, 'people'), ['ada', 'bob'])
  })

  test('goroutines run although no call waits', () => {
    // Among them are the collector's. Without them, 50,000 updates took 157 MiB instead of 46.
    assert.equal(engine.value(db, spawnOp, []), 0)
    for (let i = 0; i < 64; i++) engine.ids(db, 'people')
    assert.equal(engine.value(db, spawnOp, []), 1)
    engine.call(db, Op.insert, ['people', true], { _id: 'big', text: 'x'.repeat(64 << 10) })
    assert.equal(engine.value(db, spawnOp, []), 2)
  })

  test('garbage is collected', () => {
    const text = 'x'.repeat(100)
    for (let i = 0; i < 50_000; i++) engine.call(db, Op.update, ['people', { i, text }, null])
    assert.ok(engine.memory < 80 * MiB, `the memory has grown to ${engine.memory / MiB} MiB`)
  })

  test('after a fatal error the engine exits, and only exit tells it', () => {
    try {
      engine.call(db, faultOp, ['people', 'exhaust'])
    } catch {
      // The result is senseless, or cannot be decoded.
    }
    assert.deepEqual(engine.exits, [2])
    assert.match(engine.output.join(''), /out of memory/)
  })

  test("when the host's stack is full, the call throws an error that is not the engine's", () => {
    assert.throws(() => engine.call(db, faultOp, ['people', 'overflow']), RangeError)
  })
})

describe('a Log as a StorageBackend', { timeout: 180_000 }, () => {
  test('stores, refuses a taken number, reads back, and is closed once', async () => {
    const engine = await RawEngine.start()
    const memory = new Memory()
    const log = await engine.bridge.log(memory.backend())
    const [one, two] = [Uint8Array.of(1, 2, 3), new Uint8Array(100_000).fill(7)]

    assert.equal(await log.append(1, one, 'relaxed'), true)
    assert.equal(await log.append(1, two, 'relaxed'), false)
    assert.equal(await log.append(2, two, 'strict'), true)
    assert.deepEqual(await log.read(0), [{ seq: 1, snapshot: false, bytes: one }, { seq: 2, snapshot: false, bytes: two }])
    assert.deepEqual(await log.read(1), [{ seq: 2, snapshot: false, bytes: two }])
    await log.compact(1, two)

    await log.close()
    await log.close()
    assert.equal((await rejection(log.read(0))).code, 'closed')
    assert.equal((await rejection(Promise.resolve(log.append(3, one, 'relaxed')))).code, 'closed')
    assert.equal((await rejection(log.destroy())).code, 'closed')
  })
})
