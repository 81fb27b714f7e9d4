// A bug or a lack of memory in the engine: a call fails, or the engine exits, but nothing hangs. The test build has an
// op that fails in a given way.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AtomicDB, AtomicDBError, MemoryStorage, type StorageBackend } from '../src/index.js'
import type { Op } from '../src/engine/ops.js'
import { encoding } from '../src/msgpack/encode.js'
import { testWasm } from './harness/node.js'
import { faultOp } from './harness/raw-bridge.js'

/** Makes the engine fail in the middle of a write. */
function fail(db: AtomicDB, how: 'panic' | 'nil' | 'exhaust' | 'overflow'): Promise<unknown> {
  return db.calls.write(() => (engine) => {
    return encoding('arguments', (encoder) => engine.value(faultOp as Op, encoder.value(['default', how])))
  })
}

const internal = (error: unknown) => error instanceof AtomicDBError && error.code === 'internal'
const open = (options: { storage?: StorageBackend } = { storage: new MemoryStorage() }) => AtomicDB.open('exiting', { wasm: testWasm, ...options })

describe('when the engine fails', { timeout: 60_000 }, () => {
  for (const how of ['panic', 'nil'] as const) {
    test(`by a ${how}, the call is internal, what it did is undone, and the database goes on`, async () => {
      const db = await open()
      await db.insert({ n: 1 })
      await assert.rejects(fail(db, how), internal)
      assert.equal(await db.count(), 1)
      assert.equal(await db.insert({ n: 2 }), 2)
      await db.close()
    })
  }

  for (const how of ['exhaust', 'overflow'] as const) {
    test(`by ${how}, every waiting call is internal, and a later open starts a new engine`, async () => {
      const storage = new MemoryStorage()
      const db = await open({ storage })
      const stuck = await open({
        storage: Object.assign(new MemoryStorage(), { append: () => new Promise<boolean>(() => {}) }),
      })
      await db.insert({ n: 1 })
      const working = await open()
      let never!: Promise<unknown>
      await new Promise<void>((started) => {
        never = working.transaction(async (tx) => (await tx.insert({}), started(), new Promise(() => {})))
      })
      const waiting = [stuck.insert({ n: 1 }), stuck.flush(), never, working.insert({}), stuck.close()]
      const ends = Promise.allSettled(waiting)

      await assert.rejects(fail(db, how), internal)
      const settled = await ends
      for (const end of settled.slice(0, -1)) assert.ok(end!.status === 'rejected' && internal(end!.reason), JSON.stringify(end))
      await assert.rejects(db.count(), /the engine has stopped and needs to be opened again/)
      await assert.rejects(db.insert({ n: 2 }), internal)
      await assert.rejects(db.flush(), internal)
      await db.close()
      await stuck.close()
      await working.close()

      const again = await open({ storage })
      assert.deepEqual((await again.all()).map((d) => d.n), [1])
      assert.equal(await again.insert({ n: 2 }), 2)
      await again.close()
    })
  }
})
