// Live queries against their definition: after every commit of several databases on one storage, with conflicts,
// transactions and failures, each answer is what asking anew answers, and what was told leads there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect, isDeepStrictEqual } from 'node:util'
import { AtomicDB, MemoryStorage, type Id, type LiveDelta, type LiveQuery, type LiveValue, type StorageBackend } from '../src/index.js'
import { testWasm } from './harness/node.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

const random = new Random(seed)
const replay = replayOf('live-model.test.ts')
const rounds = 400

interface Item {
  _id: Id
  n: number
  k: string
  tags: number[]
  o?: { p: number | null }
}

const newItem = (): Omit<Item, '_id'> => ({ n: random.int(0, 9), k: random.pick(['x', 'y', 'z']), tags: random.list(0, 3, () => random.int(0, 4)), ...(random.chance(0.7) && { o: { p: random.chance(0.2) ? null : random.int(0, 5) } }) })
const id = () => random.int(1, 25)

/** A condition in one of the spellings. */
function where(): any {
  const [a, b] = [random.int(0, 9), random.int(0, 5)]
  return random.pick<() => any>([
    () => 'true', () => `n >= ${a}`, () => `n < ${a} and k != 'y'`, () => ({ tags: b }), () => ({ 'o.p': { $gt: b } }), () => `o.p = null or _id = ${id()}`,
    () => `not (tags contains ${b})`, () => ({ _id: { $in: [id(), id(), id()] } }), () => (item: Item) => item.n % 3 === b % 3, () => `n = ${a} or k = 'z'`,
  ])()
}

function options(): any {
  return {
    ...(random.chance(0.6) && { sort: random.pick(['n', '-n', ['k', '-n'], ['-o.p'], { k: 'desc', _id: 'asc' }]) }),
    ...(random.chance(0.5) && { limit: random.int(0, 8) }),
    ...(random.chance(0.3) && { skip: random.int(0, 5) }),
    ...(random.chance(0.3) && { fields: random.pick([['n'], ['k', 'o.p'], ['tags']]) }),
  }
}

interface Watched {
  readonly name: string
  readonly live: LiveValue<any>
  readonly ask: () => Promise<unknown>
  readonly close: () => void
}

/** What a live value is of, and how to ask anew. */
type Kind = [name: string, live: LiveValue<any>, ask: () => Promise<unknown>]

/** A live value of a random question, with the check of what it tells. */
function watched(db: AtomicDB): Watched {
  const [w, o] = [where(), options()]
  const path = random.pick(['n', 'k', 'tags', 'o.p'])
  const pipeline: any = { where: w, ...(random.chance(0.7) && { groupBy: random.pick(['k', 'o.p', ['k', 'n']]) }), select: { count: { $count: true }, sum: { $sum: 'n' }, low: { $min: 'o.p' } }, ...(random.chance(0.5) && { sort: '-count', limit: 2 }) }
  const text = `SELECT k, COUNT(*) AS c, MAX(n) AS top FROM default WHERE n > ${random.int(0, 9)} GROUP BY k ORDER BY k`
  const [one, plain] = [random.pick<any>([id(), w, `_id = ${id()}`]), random.chance(0.5)]
  const documents = (): Kind => ['documents', db.live(w, o), () => db.search(w, o)]
  const [kind, live, ask] = random.pick<() => Kind>([
    documents, documents, documents, documents, documents, documents,
    () => ['count', db.liveCount(w), () => db.count(w)],
    () => ['one', db.liveGet(one, plain ? undefined : o), () => db.get(one, plain ? undefined : o)],
    () => ['distinct', db.liveDistinct(path, w), () => db.distinct(path, w)],
    () => ['aggregate', db.liveAggregate(pipeline), () => db.aggregate(pipeline)],
    () => ['sql', db.liveSql(text), () => db.sql(text)],
    () => ['populated', db.live(w, { ...o, populate: ['friends'] }), () => db.search(w, { ...o, populate: ['friends'] })],
  ])()
  const name = `${kind} of ${inspect({ w, o, path, pipeline: kind === 'aggregate' && pipeline, text: kind === 'sql' && text, one }, { depth: 5, breakLength: Infinity })}`
  const close = kind === 'documents' || kind === 'populated' ? checkedDeltas(live as LiveQuery, name) : checkedValues(live, name)
  return { name, live, ask, close: () => (close(), live.close()) }
}

const failures: string[] = []
const fail = (name: string, what: string) => failures.push(`${what}: ${name}; ${replay}`)

/** Notes it if a listener is told what it knows already. */
function checkedValues(live: LiveValue<unknown>, name: string): () => void {
  let last: { value: unknown } | undefined
  return live.subscribe((value) => {
    if (last && isDeepStrictEqual(last.value, value)) fail(name, 'told without a change')
    if (live.current !== value) fail(name, 'current is another one')
    last = { value }
  }, (error) => fail(name, `error ${error.message}`))
}

/** As {@link checkedValues}; and the deltas must lead from each result to the next, with the same objects. */
function checkedDeltas(live: LiveQuery, name: string): () => void {
  let last: any[] | undefined
  return live.subscribe((result, delta) => {
    const before = last
    last = result.asList()
    if (!before) return
    if (isDeepStrictEqual(before, last)) fail(name, 'told without a change')
    const problem = delta ? stepProblem(before, last, delta) : 'no delta'
    if (problem) fail(name, `${problem}: ${inspect({ before, now: last, delta }, { depth: 5 })}`)
  }, (error) => fail(name, `error ${error.message}`))
}

/** What is wrong with a delta between two results. */
function stepProblem(before: any[], now: any[], { added, changed, removed, moved }: LiveDelta): string | undefined {
  const documents = new Map<Id, object>(before.map((document) => [document._id, document]))
  for (const gone of removed) if (!documents.delete(gone)) return `${gone} is removed, and was not there`
  for (const document of added) {
    if (documents.has(document._id)) return `${document._id} is added, and was there`
    documents.set(document._id, document)
  }
  for (const document of changed) {
    const was = documents.get(document._id)
    if (!was || added.includes(document)) return `${document._id} is changed, and was not there`
    if (isDeepStrictEqual(was, document)) return `${document._id} is changed, and is the same`
    documents.set(document._id, document)
  }
  if (documents.size !== now.length) return 'the delta leads to another number of documents'
  for (const document of now) if (documents.get(document._id) !== document) return `${document._id} is another object`
  const stays = (document: { _id: Id }) => !moved.includes(document._id)
  const order = (documents: any[], others: any[]) => documents.filter(stays).map((document) => document._id).filter((one) => others.some((other) => other._id === one))
  if (!isDeepStrictEqual(order(before, now), order(now, before))) return 'documents have moved that it does not name'
  return undefined
}

/** One random write; some fail. */
function write(db: Pick<AtomicDB, 'insert' | 'insertMany' | 'upsert' | 'update' | 'remove' | 'clear' | 'sql'>): Promise<unknown> {
  return random.pick<() => Promise<unknown>>([
    () => db.insert(newItem()), () => db.insert({ ...newItem(), _id: id() }), () => db.insertMany(random.list(1, 4, () => ({ ...newItem(), _id: id() }))),
    () => db.upsert({ ...newItem(), _id: id() }), () => db.upsert({ ...newItem(), _id: id() }),
    () => db.update({ n: random.int(0, 9) }, where()), () => db.update({ $inc: { n: 1 } }, `_id = ${id()}`), () => db.update({ $push: { tags: random.int(0, 4) } }, `_id = ${id()}`),
    () => db.update((item: Item) => ({ k: item.k === 'x' ? 'y' : 'x' }), `n = ${random.int(0, 9)}`), () => db.remove(`_id = ${id()}`), () => db.remove(`n = ${random.int(0, 9)}`),
    () => db.sql('UPDATE default SET n = 9 - n WHERE k = ?', ['z']), () => db.insert({ item: id() }, 'friends'), () => db.remove(`item = ${id()}`, 'friends'),
    ...(random.chance(0.1) ? [() => db.clear()] : []),
  ])()
}

/** Moves money between two accounts, whose sum is 0 at each commit. */
const transfer = (db: AtomicDB) => db.transaction(async (tx) => {
  const [from, to, m] = [random.pick(['p', 'q', 'r']), random.pick(['p', 'q', 'r']), random.int(1, 9)]
  await tx.update({ $inc: { m: -m } }, `_id = '${from}'`, 'money')
  if (random.chance(0.3)) await db.count()
  await tx.update({ $inc: { m } }, `_id = '${to}'`, 'money')
  if (random.chance(0.3)) throw new Error('on purpose')
})

const transaction = (db: AtomicDB) => db.transaction(async (tx) => {
  for (let n = random.int(1, 4); n > 0; n--) await write(tx).catch(() => {})
  if (random.chance(0.3)) throw new Error('on purpose')
})

const step = (db: AtomicDB) => (random.chance(0.15) ? transfer(db) : random.chance(0.2) ? transaction(db) : write(db))

test(`live queries are what asking anew answers (${replay})`, { timeout: 900_000 }, async (t) => {
  const memory = new MemoryStorage()
  let failsNext = false
  const storage = (): StorageBackend => ({
    read: (after) => memory.read(after),
    append: async (seq, bytes) => {
      if (!failsNext) return memory.append(seq, bytes)
      failsNext = false
      throw Object.assign(new Error('full'), { name: random.pick(['QuotaExceededError', 'Error']) })
    },
    compact: (seq, snapshot) => memory.compact(seq, snapshot),
    watch: (listener) => memory.watch(listener),
    compactEvery: 40,
    destroy: () => memory.destroy(),
    close: async () => {},
  })
  const dbs: AtomicDB[] = []
  for (let n = 0; n < 3; n++) dbs.push(await AtomicDB.open('model', { storage: storage(), wasm: testWasm }))
  await dbs[0]!.addRelationship({ name: 'friends', type: 'one_to_many', from: 'default', to: 'friends', foreignKey: 'item' })
  await dbs[0]!.insertMany(['p', 'q', 'r'].map((_id) => ({ _id, m: 0 })), 'money')
  await settle(dbs)
  const sums = dbs.map((db) => db.liveAggregate<{ m: number }>({ select: { m: { $sum: 'm' } } }, 'money'))
  for (const sum of sums) sum.subscribe(([row]) => row!.m === 0 || fail('the sum of money', `is ${row!.m}`))

  const lives: [AtomicDB, Watched][] = []
  let told = 0
  for (let round = 0; round < rounds; round++) {
    while (lives.length < 18) {
      const db = random.pick(dbs)
      const live = watched(db)
      live.live.subscribe(() => void told++)
      lives.push([db, live])
    }
    failsNext = random.chance(0.1)
    const steps = random.list(1, 3, () => step(random.pick(dbs)))
    await Promise.allSettled(steps)
    failsNext = false
    if (random.chance(0.05)) await dbs[0]![random.chance(0.5) ? 'createIndex' : 'dropIndex'](random.pick(['n', 'k', 'o.p'])).catch(() => {})
    await settle(dbs)
    for (const [, { name, live, ask }] of lives) {
      const [now, anew] = [live.current, await ask()].map((one) => (Array.isArray(one) ? Array.from(one) : one))
      if (!isDeepStrictEqual(now, anew)) fail(name, `round ${round}: ${inspect(now, { depth: 5 })} is not ${inspect(anew, { depth: 5 })}`)
    }
    assert.deepEqual(failures, [])
    if (random.chance(0.3)) for (const [, { close }] of lives.splice(random.int(0, lives.length - 1), 3)) close()
  }
  t.diagnostic(`told ${told} times`)
  assert.ok(told > rounds * 5, `told only ${told} times`)
  await Promise.all(dbs.map((db) => db.close()))
})

/** Resolves when all databases hold all that is stored, and their live queries know it. */
async function settle(dbs: readonly AtomicDB[]): Promise<void> {
  for (const db of dbs) await db.flush()
  for (const db of dbs) await (db as unknown as { connection: { current: { catchUp(): Promise<void> } } }).connection.current.catchUp()
  await new Promise((resolve) => setTimeout(resolve))
}
