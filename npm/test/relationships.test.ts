// Random writes and removals over relationships of every onDelete and a schema, by several databases on one storage
// that conflict and some of which die in the middle, compared with a model that does them in the order of the log.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AtomicDB, AtomicDBError, MemoryStorage, type StorageBackend, type Transaction } from '../src/index.js'
import { testWasm } from './harness/node.js'
import { Random } from './random/random.js'
import { family, FamilyModel, names, randomStep, schema, take, type Document, type Step } from './random/relationships.js'
import { replayOf, seed } from './random/seed.js'

/** A transaction, as it stores itself. */
interface Entry {
  _id: number
  steps: Step[]
}

/** All documents, by collection. */
async function all(tx: Transaction): Promise<unknown> {
  const documents: Record<string, Document[]> = {}
  for (const name of names) documents[name] = (await tx.all<Document>(name)).asList()
  return documents
}

describe(`random relationships (${replayOf('relationships.test.ts')})`, { timeout: 720_000 }, () => {
  test('of databases that conflict and are killed are those of the stored transactions, one after the other', async () => {
    const random = new Random(seed)
    const memory = new MemoryStorage()
    const living = new Set<AtomicDB>()
    const seen: Record<string, number> = { stored: 0, storage: 0, relationship: 0, schema: 0, duplicate_id: 0, again: 0 }
    const leavings: { place: number; left: unknown }[] = []
    const refusals: { place: number; steps: Step[]; code: string }[] = []

    /** A database that can be killed: from then on its storage fails, before a batch is there or after. */
    const open = async () => {
      let dying: 'before' | 'after' | undefined
      const storage: StorageBackend = Object.assign(Object.create(memory) as StorageBackend, {
        append: async (seq: number, bytes: Uint8Array) => {
          const stored = dying === 'before' ? false : await memory.append(seq, bytes)
          if (dying) throw new Error('killed')
          return stored
        },
      })
      const db = await AtomicDB.open('family', { storage, wasm: testWasm })
      living.add(db)
      return { db, kill: () => (living.delete(db), (dying = random.pick(['before', 'after']))) }
    }

    const first = await open()
    await first.db.transaction(async (tx) => {
      await tx.createCollection('parents', schema)
      for (const relationship of family) await tx.addRelationship(relationship)
    })

    const lane = async () => {
      let { db, kill } = await open()
      for (let i = 0; i < 150; i++) {
        const steps = random.list(1, 4, () => randomStep(random))
        const dies = random.chance(0.05)
        if (dies) kill()
        let place = 0
        let runs = 0
        let left: unknown
        const end = await db.transaction(async (tx) => {
          runs++
          place = await tx.count(undefined, 'log')
          await tx.insert({ _id: place, steps }, 'log')
          for (const step of steps) {
            await take(tx, step)
            if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve))
          }
          left = await all(tx)
        }).then(() => 'stored', (error: unknown) => {
          if (!(error instanceof AtomicDBError)) throw error
          if (error.code !== 'storage') refusals.push({ place, steps, code: error.code })
          return error.code
        })
        seen[end] = (seen[end] ?? 0) + 1
        if (end === 'stored') leavings.push({ place, left })
        if (runs > 1) seen.again!++
        if (dies) ({ db, kill } = await open()) // the other one is not closed
      }
    }
    await Promise.all([lane(), lane(), lane()])

    const { db } = await open()
    const log = (await db.search<Entry>(undefined, { collection: 'log', sort: '_id' })).asList()
    const model = new FamilyModel()
    const states = [model.copy()]
    for (const [i, { _id, steps }] of log.entries()) {
      assert.equal(_id, i)
      assert.equal(model.take(steps), undefined, `transaction ${i} is stored: ${JSON.stringify(steps)}`)
      states.push(model.copy())
    }
    assert.ok(log.length >= seen.stored!, `${seen.stored} were acknowledged, and ${log.length} are stored`)
    for (const { place, steps, code } of refusals) assert.equal(states[place]!.copy().take(steps), code, `${JSON.stringify(steps)} after ${place} transactions`)
    for (const { place, left } of leavings) assert.deepEqual(left, states[place + 1]!.all, `after transaction ${place}`)
    for (const each of [db, ...living]) assert.deepEqual(await each.transaction(all), model.all)
    assert.equal((await db.verify()).ok, true)
    for (const [what, count] of Object.entries(seen)) assert.ok(count >= 5, `only ${count} were ${what}`)
    await Promise.all([...living].map((each) => each.close()))
  })
})
