// Transactions whose function waits for something that never happens. And random transactions: of one database,
// compared
// with a model in plain JavaScript, and of several databases on one storage, compared with the order they were stored
// in.
import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { AtomicDB, AtomicDBError, MemoryStorage, type StorageBackend, type Transaction } from '../src/index.js'
import { testWasm } from './harness/node.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'
import { Companion, Model, outcomeOf, randomCall, type Call, type Outcome } from './random/transactions.js'

const open = (storage: StorageBackend) => AtomicDB.open('shared', { storage, wasm: testWasm })

const never = new Promise<never>(() => {})

/** Moves the clock of transactions on by so many seconds. */
async function pass(seconds: number): Promise<void> {
  // Promises settle in between.
  for (; seconds > 0; seconds--) {
    mock.timers.tick(1000)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('a transaction whose function waits for too long', { timeout: 180_000 }, () => {
  /** Runs `work` with a clock that only `pass` moves on. */
  const timed = (work: (db: AtomicDB, storage: StorageBackend) => Promise<void>) => async () => {
    mock.timers.enable({ apis: ['setInterval'] })
    try {
      const storage = new MemoryStorage()
      await using db = await open(storage)
      await work(db, storage)
    } finally {
      mock.timers.reset()
    }
  }

  test('for itself, ends with a timeout that names the mistake, and the write that waited for it is done', timed(async (db) => {
    let inner!: Promise<unknown>
    const deadlock = db.transaction(async (tx) => {
      await tx.insert({ by: 'tx' })
      await (inner = db.insert({ by: 'db' }))
    })
    const failed = assert.rejects(deadlock, (error) => error instanceof AtomicDBError && error.code === 'timeout' && /1 other call waits.*await tx\.insert\(\)/.test(error.message))
    await pass(13)
    await failed
    assert.equal(await inner, 1)
    assert.deepEqual((await db.all()).asList(), [{ _id: 1, by: 'db' }])
  }))

  test('for another transaction inside it, ends with a timeout', timed(async (db) => {
    let inner!: Promise<unknown>
    const failed = assert.rejects(
      db.transaction(async (tx) => {
        await tx.count()
        await (inner = db.transaction((tx) => tx.insert({})))
      }),
      { code: 'timeout' },
    )
    await pass(13)
    await failed
    assert.equal(await inner, 1)
  }))

  test('for something that never happens, ends with a timeout, and its tx is closed', timed(async (db) => {
    let late!: () => Promise<unknown>
    const failed = assert.rejects(
      db.transaction(async (tx) => {
        await tx.insert({})
        late = () => tx.insert({})
        await db.count() // suspends what it did
        return never
      }),
      { code: 'timeout' },
    )
    await pass(13)
    await failed
    await assert.rejects(late(), { code: 'closed' })
    assert.equal(await db.count(), 0)
    assert.equal(await db.insert({}), 1)
  }))

  test('may take as long as it likes if it calls tx now and then', timed(async (db) => {
    let go!: () => void
    const done = db.transaction(async (tx) => {
      for (let i = 0; i < 10; i++) {
        await tx.insert({ i })
        await new Promise<void>((resolve) => (go = resolve))
      }
    })
    for (let i = 0; i < 10; i++) {
      await pass(9)
      go()
    }
    await done
    assert.equal(await db.count(), 10)
  }))

  test('lets other databases on its storage write', timed(async (db, storage) => {
    await db.insert({ _id: 'counter', n: 0 })
    const waiting = db.transaction(async (tx) => {
      await tx.update({ $inc: { n: 1 } })
      return never
    })
    waiting.catch(() => {})
    await using other = await open(storage)
    for (let i = 0; i < 20; i++) await other.update({ $inc: { n: 1 } })
    await other.transaction((tx) => tx.update({ $inc: { n: 1 } }))
    assert.deepEqual(await other.get('counter'), { _id: 'counter', n: 21 })
    assert.deepEqual(await db.get('counter'), { _id: 'counter', n: 0 })
    await pass(13)
    await assert.rejects(waiting, { code: 'timeout' })
    assert.equal((await db.atomicUpdate<any>((d) => ({ n: d.n + 1 })))?.n, 22)
  }))
})

describe(`random transactions (${replayOf('transactions.test.ts')})`, { timeout: 720_000 }, () => {
  test('do what a model in plain JavaScript does, and are stored', async () => {
    const random = new Random(seed)
    const { storage, other } = await contested(random)
    let db = await open(storage)
    for (const name of ['a', 'b', 'c']) await db.createIndex('u', { collection: name, unique: true })
    const companion = new Companion(Model.empty())
    for (const name of ['a', 'b', 'c']) companion.model.declare(name)
    const seen = { stored: 0, thrown: 0, refused: 0, again: 0, later: 0, repeating: 0 }

    for (let round = 0; round < 1_500; round++) {
      const later: { call: Call; outcome: Promise<Outcome> }[] = []
      const reason = random.chance(0.2) ? new Error('on purpose') : undefined
      let inside!: Companion
      let runs = 0
      const end = await outcomeOrReason(db.transaction(async (tx) => {
        inside = new Companion(companion.model, true)
        if (runs++ > 0) seen.again++
        for (let calls = random.int(0, 8); calls > 0; calls--) {
          const call = randomCall(random)
          const outcome = await outcomeOf(call.call(tx))
          if ('code' in outcome) seen.refused++
          inside.check(call, outcome)
          if (random.chance(0.2)) await new Promise((resolve) => setImmediate(resolve))
          if (random.chance(0.2)) await matches(db, companion.model)
          if (random.chance(0.1)) await matches(tx, inside.model)
          if (random.chance(0.05)) {
            const write = randomCall(random)
            if (write.writes) later.push({ call: write, outcome: outcomeOf(write.call(db)) })
          }
        }
        if (reason) throw reason
        return reason
      }))
      const repeats = !reason && inside.model.repeats()
      if (repeats) assert.equal((end as { code?: unknown }).code, 'unique')
      else assert.equal(end, reason)
      if (reason) seen.thrown++
      else if (repeats) seen.repeating++
      else {
        companion.model = inside.model
        seen.stored++
      }
      for (const { call, outcome } of later) {
        companion.check(call, await outcome)
        seen.later++
      }
      if (random.chance(0.2)) {
        const call = randomCall(random)
        companion.check(call, await outcomeOf(call.call(db)))
      }
      await matches(db, companion.model)
      if (round % 250 === 249) {
        await db.close()
        db = await open(storage)
        await matches(db, companion.model)
      }
    }
    await db.close()
    await other.close()
    for (const [what, count] of Object.entries(seen)) assert.ok(count > 50, `only ${count} were ${what}`)
  })

  test('of several databases on one storage have the effect of running one after the other', async () => {
    const random = new Random(seed)
    const storage = new MemoryStorage()
    const dbs = await Promise.all(Array.from({ length: 4 }, () => open(storage)))
    const accounts = 6
    await dbs[0]!.insertMany(Array.from({ length: accounts }, (_, _id) => ({ _id, money: 100 })), 'accounts')
    const looks: Entry[] = []
    let runs = 0

    // Each reads some accounts, notes what it found and how many transactions came before it, and moves money or only
    // looks.
    const one = async (db: AtomicDB) => {
      const looksOnly = random.chance(0.2)
      const fails = random.chance(0.1)
      const entry = await db.transaction(async (tx) => {
        runs++
        const entry: Entry = { place: await tx.count(undefined, 'log'), found: [], left: [] }
        for (const id of random.list(1, 3, () => random.int(0, accounts - 1))) {
          const { money } = (await tx.get<{ money: number }>(id, 'accounts'))!
          entry.found.push([id, money])
          if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve))
          if (looksOnly) continue
          await tx.update({ money: money + 1 }, `_id = ${id}`, 'accounts')
          entry.left.push([id, money + 1])
        }
        if (!looksOnly) await tx.insert({ _id: entry.place, ...entry }, 'log')
        if (fails) throw new Refusal()
        return entry
      }).catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error
      })
      if (entry && looksOnly) looks.push(entry)
      return entry && !looksOnly ? 1 : 0
    }
    const lanes = dbs.flatMap((db) => [db, db]).map(async (db) => {
      let stored = 0
      for (let i = 0; i < 150; i++) stored += await one(db)
      return stored
    })
    const stored = (await Promise.all(lanes)).reduce((sum, n) => sum + n, 0)

    const log = (await dbs[1]!.transaction(async (tx) => (await tx.search<Entry>(undefined, { collection: 'log', sort: '_id' })).asList()))
    assert.equal(log.length, stored)
    assert.ok(runs > 8 * 150 + 100, `only ${runs} runs: they hardly met`)
    const money = Array.from({ length: accounts }, () => 100)
    const states = [money.slice()]
    for (const { _id, found, left } of log) {
      assert.equal(_id, states.length - 1)
      replay(money, { place: _id as number, found, left })
      states.push(money.slice())
    }
    for (const look of looks) replay(states[look.place]!, look)
    assert.deepEqual((await dbs[2]!.all<{ money: number }>('accounts')).map((account) => account.money), money)
    await Promise.all(dbs.map((db) => db.close()))
  })
})

/** What a transaction of the second test found in its accounts, and what it left there, in order. */
interface Entry {
  /** How many transactions were stored before it. */
  place: number
  found: [id: number, money: number][]
  left: [id: number, money: number][]
}

/** Fails unless the transaction found the accounts as `money` has them. */
function replay(money: number[], { place, found, left }: Entry): void {
  for (const [i, [id, was]] of found.entries()) {
    assert.equal(was, money[id], `transaction ${place} read account ${id}`)
    if (left.length > 0) money[id] = left[i]![1]
  }
}

class Refusal extends Error {}

/** A storage in which another database is faster now and then. */
async function contested(random: Random): Promise<{ storage: StorageBackend; other: AtomicDB }> {
  const memory = new MemoryStorage()
  const other = await open(memory)
  const storage: StorageBackend = Object.assign(Object.create(memory) as StorageBackend, {
    append: async (seq: number, bytes: Uint8Array) => {
      if (random.chance(0.15)) await other.insert({}, 'others')
      return memory.append(seq, bytes)
    },
  })
  return { storage, other }
}

async function outcomeOrReason(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((reason: unknown) => reason)
}

/** Fails unless `target` holds what the model holds. */
async function matches(target: AtomicDB | Transaction, model: Model): Promise<void> {
  for (const name of model.names()) assert.deepEqual((await target.search(undefined, name)).asList(), model.all(name), name)
}
