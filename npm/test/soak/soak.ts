// Days of a database in minutes: tabs that come, work, are killed and conflict, storages that fail, and clocks that jump.
import assert from 'node:assert/strict'
import { AtomicDB, AtomicDBError, KVStorage, MemoryStorage, type StorageBackend } from '../../src/index.js'
import { testWasm as wasm } from '../harness/node.js'
import { VirtualTime } from '../harness/virtual-time.js'
import type { Random } from '../random/random.js'

/** What a soak has done. */
export interface Tally {
  operations: number
  acknowledged: number
  faults: number
  conflicts: number
  kills: number
  jumps: number
  audits: number
}

const minute = 60_000
const hour = 60 * minute
const counters = 5
const accounts = 6

/** A storage whose calls take time, fail, lose their answers, and end for ever when its tab is killed. */
class RoughStorage implements StorageBackend {
  isDead = false
  private stopWatching: (() => void) | undefined

  constructor(
    private readonly inner: MemoryStorage,
    private readonly world: World,
  ) {}

  read = (after: number) => this.call(() => this.inner.read(after))
  append = (seq: number, bytes: Uint8Array) => this.call(() => this.inner.append(seq, bytes), 'append')
  compact = (seq: number, snapshot: Uint8Array) => this.call(() => this.inner.compact(seq, snapshot), 'compact')
  destroy = () => this.inner.destroy()
  close = async () => this.stopWatching?.()

  watch(listener: (seq: number) => void): () => void {
    const { random, time } = this.world
    this.stopWatching = this.inner.watch((seq) => {
      if (this.isDead || random.chance(0.3)) return // lost
      void time.wait(random.int(1, 2_000)).then(() => this.isDead || listener(seq))
    })
    return this.stopWatching
  }

  private async call<R>(work: () => Promise<R>, kind: 'append' | 'compact' | 'read' = 'read'): Promise<R> {
    const { random, time, tally } = this.world
    await time.wait(random.chance(0.02) ? random.int(1_000, 40_000) : random.int(1, 30))
    const fault = kind !== 'read' && random.chance(0.03) ? random.pick(['refused', 'full', 'answer lost'] as const) : undefined
    if (fault) tally.faults++
    if (this.isDead || fault === 'refused') throw new Error('the storage is gone')
    if (fault === 'full') throw new AtomicDBError('quota', 'the storage is full')
    const result = await work()
    if (result === false) tally.conflicts++
    await time.wait(random.int(1, 30))
    if (this.isDead || fault === 'answer lost') throw new Error('the answer is lost')
    return result
  }
}

/** Cloudflare's KV within one isolate: it takes time, fails, and some requests are cut off. */
class RoughKV {
  readonly values = new Map<string, { value: Uint8Array; metadata: unknown }>()

  constructor(private readonly world: World) {}

  get = (key: string) => this.call(() => this.values.get(key)?.value.slice().buffer ?? null)
  put = (key: string, value: Uint8Array, { metadata }: { metadata: unknown }) => this.call(() => void this.values.set(key, { value: value.slice(), metadata }), true)
  delete = (key: string) => this.call(() => void this.values.delete(key))
  list = ({ prefix }: { prefix: string }) => this.call(() => ({
    keys: [...this.values].filter(([name]) => name.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { metadata }]) => ({ name, metadata })),
    list_complete: true,
  }))

  private async call<R>(work: () => R, writes = false): Promise<R> {
    const { random, time, tally } = this.world
    await time.wait(random.chance(0.02) ? random.int(1_000, 15_000) : random.int(1, 60))
    const fault = writes && !this.world.isCalm && random.chance(0.04) ? (random.chance(0.1) ? 'cut off' : random.pick(['refused', 'answer lost'] as const)) : undefined
    if (fault) tally.faults++
    if (fault === 'refused') throw new Error('KV is gone')
    const result = work()
    if (fault === 'cut off') {
      this.world.cutOff++
      await new Promise(() => {})
    }
    if (fault === 'answer lost') throw new Error('the answer is lost')
    return result
  }
}

interface Tab {
  db: AtomicDB
  storage: RoughStorage | undefined
  name: string
}

/** One database, what works on it, and what must be in it. */
class World {
  readonly tally: Tally = { operations: 0, acknowledged: 0, faults: 0, conflicts: 0, kills: 0, jumps: 0, audits: 0 }
  /** No faults: an audit reads. */
  isCalm = false
  private readonly memory = new MemoryStorage()
  private readonly kv: RoughKV | undefined
  private tabs: Tab[] = []
  private names = 0
  private readonly least = Array.from({ length: counters }, () => 0)
  private readonly most = Array.from({ length: counters }, () => 0)
  /** The documents by id: there, or perhaps there after an error. */
  private readonly documents = new Map<string, 'there' | 'perhaps' | 'gone'>()
  /** How many requests were cut off. */
  cutOff = 0
  private problem: Error | undefined

  constructor(
    readonly random: Random,
    readonly time: VirtualTime,
    kind: 'tabs' | 'isolate',
  ) {
    if (kind === 'isolate') this.kv = new RoughKV(this)
  }

  async run(hours: number): Promise<void> {
    this.isCalm = true
    const db = await AtomicDB.open('soak', { wasm, storage: this.kv ? new KVStorage(this.kv, 'soak') : this.memory })
    await db.insertMany([
      ...Array.from({ length: counters }, (_, i) => ({ _id: `counter${i}`, n: 0 })),
      ...Array.from({ length: accounts }, (_, i) => ({ _id: `account${i}`, balance: 0 })),
    ])
    await db.createIndex('unique', { unique: true, sparse: true })
    await db.close()
    this.isCalm = false
    for (let lane = 0; lane < 3; lane++) this.tabs.push(await this.open())
    for (let n = 0; n < hours; n++) {
      const end = this.time.passed + hour
      await Promise.all([...this.tabs.keys()].map((lane) => this.work(lane, end)))
      if (this.problem) throw this.problem
      await this.audit()
    }
    for (const tab of this.tabs) await tab.db.close().catch(() => {})
  }

  private async open(): Promise<Tab> {
    for (;;) {
      const storage = this.kv ? undefined : new RoughStorage(this.memory, this)
      try {
        const db = await AtomicDB.open('soak', { wasm, storage: storage ?? new KVStorage(this.kv, 'soak') })
        return { db, storage, name: `tab${++this.names}` }
      } catch (error) {
        this.expected(error, 'open')
      }
    }
  }

  /** What one tab does until then. */
  private async work(lane: number, end: number): Promise<void> {
    const { random, time } = this
    while (time.passed < end && !this.problem) {
      await time.wait(random.int(1, 12_000))
      const tab = this.tabs[lane]!
      if (random.chance(0.01)) this.jump()
      if (random.chance(0.02)) {
        this.tabs[lane] = await this.replaced(tab)
        continue
      }
      this.tally.operations++
      const before = time.passed
      try {
        await this.withinAnHour(this.operation(tab))
      } catch (error) {
        this.problem ??= new Error(`${tab.name}, after ${Math.round((time.passed - before) / 1000)} s: ${String(error)}`, { cause: error })
      }
    }
  }

  private async withinAnHour(operation: Promise<void>): Promise<void> {
    let isSettled = false
    await Promise.race([operation.finally(() => (isSettled = true)), this.time.wait(hour).then(() => {
      // Of a request that was cut off, nobody waits for the answer.
      if (!isSettled && this.cutOff-- <= 0) throw new Error('it did not settle within an hour')
    })])
  }

  /** Kills a tab, or closes it. */
  private async replaced(tab: Tab): Promise<Tab> {
    this.tally.kills++
    if (tab.storage && this.random.chance(0.7)) tab.storage.isDead = true
    void tab.db.close().catch(() => {}) // of a killed one, only so that the engine forgets it
    return this.open()
  }

  private jump(): void {
    const { random, time } = this
    this.tally.jumps++
    switch (random.int(0, 3)) {
      case 0: return time.jump('date', random.int(-1e9, 1e9))
      case 1: return time.jump('monotonic', random.int(1, hour))
      case 2: return time.jump('monotonic', random.int(-5_000, -1))
      default: return time.sleep(random.int(1_000, 10 * minute))
    }
  }

  private async operation(tab: Tab): Promise<void> {
    const { random, time, tally } = this
    const { db } = tab
    const i = random.int(0, counters - 1)
    switch (random.int(0, 6)) {
      case 0: case 1: { // one more
        this.most[i]!++
        const increment = random.chance(0.5)
          ? () => db.atomicUpdate<{ n: number }>(({ n }) => ({ n: n + 1 }), `_id = 'counter${i}'`)
          : () => db.update({ $inc: { n: 1 } }, `_id = 'counter${i}'`)
        if (await this.attempt(increment)) this.least[i]!++
        return
      }
      case 2: { // from one account to another, with a pause, in which others come
        const [from, to] = [random.int(0, accounts - 1), random.int(0, accounts - 1)]
        const amount = random.int(1, 100)
        const pause = random.chance(0.1) ? random.int(1, 15_000) : random.int(1, 20)
        await this.attempt(() => db.transaction(async (tx) => {
          await tx.update({ $inc: { balance: -amount } }, `_id = 'account${from}'`)
          await time.wait(pause)
          await tx.update({ $inc: { balance: amount } }, `_id = 'account${to}'`)
        }))
        return
      }
      case 3: {
        const _id = `${tab.name}-${tally.operations}`
        this.documents.set(_id, 'perhaps')
        if (await this.attempt(() => db.insert({ _id, unique: tally.operations + random.next(), text: 'x'.repeat(random.int(0, 500)) }))) this.documents.set(_id, 'there')
        return
      }
      case 4: { // a value that is there
        const found = (await db.search<{ unique: number }>('unique exists', { limit: 1 }).catch((error: unknown) => this.expected(error, 'read')))?.asList()[0]
        // It may be stored, if the other was removed meanwhile; the audit looks for two.
        if (found) await this.attempt(() => db.insert({ _id: `twice-${tally.operations}`, unique: found.unique }), 'unique')
        return
      }
      case 5: {
        const ids = [...this.documents].filter(([, state]) => state === 'there').map(([id]) => id)
        if (ids.length < 50) return
        const _id = random.pick(ids)
        this.documents.set(_id, 'perhaps')
        let removed = 0 // by a tab that has not heard of it yet: none
        if (await this.attempt(async () => (removed = await db.remove(`_id = '${_id}'`)))) this.documents.set(_id, removed > 0 ? 'gone' : 'there')
        return
      }
      default: { // what others move never shows in part
        const balances = await db.search<{ balance: number }>('balance exists').catch((error: unknown) => this.expected(error, 'read'))
        if (!balances) return
        const sum = balances.asList().reduce((sum, { balance }) => sum + balance, 0)
        assert.equal(sum, 0, `the accounts add up to ${sum}`)
        assert.equal(balances.length, accounts)
      }
    }
  }

  /** Whether a write was acknowledged. */
  private async attempt(write: () => Promise<unknown>, ...codes: string[]): Promise<boolean> {
    try {
      await write()
      this.tally.acknowledged++
      return true
    } catch (error) {
      this.expected(error, 'write', codes)
      return false
    }
  }

  private expected(error: unknown, what: string, codes: readonly string[] = []): undefined {
    const code = error instanceof AtomicDBError ? error.code : `${error}`
    if (!['storage', 'quota', 'conflict', 'timeout', 'closed', ...codes].includes(code)) throw new Error(`${what}: ${String(error)}`, { cause: error })
  }

  /** Compares what is stored with what must be. */
  private async audit(): Promise<void> {
    this.isCalm = true
    this.tally.audits++
    await this.time.wait(minute) // until what has begun is over
    const db = await AtomicDB.open('soak', { wasm, storage: this.kv ? new KVStorage(this.kv, 'soak') : this.memory })
    assert.ok((await db.verify()).ok, 'verify finds damage')
    for (let i = 0; i < counters; i++) {
      const { n } = (await db.get<{ n: number }>(`counter${i}`))!
      assert.ok(n >= this.least[i]! && n <= this.most[i]!, `counter ${i} is ${n}; ${this.least[i]} were acknowledged, and ${this.most[i]} begun`)
    }
    const ids = new Set(await db.documentIds())
    for (const [id, state] of this.documents) {
      if (state === 'there') assert.ok(ids.has(id), `${id} was acknowledged and is gone`)
      if (state === 'gone') assert.ok(!ids.has(id), `${id} was removed and is there`)
      if (state === 'gone') this.documents.delete(id)
    }
    const unique = (await db.search<{ unique: number }>('unique exists')).asList().map(({ unique }) => unique)
    assert.equal(new Set(unique).size, unique.length, 'a unique value is there twice')
    await db.close()
    this.isCalm = false
  }
}

/** Runs so many hours of tabs on one storage and of an isolate on KV. */
export async function soak(random: Random, hours: number, report: (line: string) => void = () => {}): Promise<Tally> {
  const sum: Tally = { operations: 0, acknowledged: 0, faults: 0, conflicts: 0, kills: 0, jumps: 0, audits: 0 }
  for (const kind of ['tabs', 'isolate'] as const) {
    const time = new VirtualTime()
    const stop = time.install()
    try {
      const world = new World(random, time, kind)
      await time.run(world.run(hours))
      for (const name of Object.keys(sum) as (keyof Tally)[]) sum[name] += world.tally[name]
      report(`${kind}: ${hours} hours, ${JSON.stringify(world.tally)}`)
    } finally {
      stop()
    }
  }
  return sum
}
