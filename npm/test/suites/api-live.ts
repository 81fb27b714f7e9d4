import type { LiveDelta, LiveQuery, LiveValue } from '../../src/index.js'
import { equal, ok, rejects, throws } from './check.js'
import { gate, storageOf } from './controlled-storage.js'
import type { Context, Suite } from './suite.js'

interface Todo {
  title: string
  due: number
  done?: boolean
}

const todos: Todo[] = [
  { title: 'a', due: 3 },
  { title: 'b', due: 1, done: true },
  { title: 'c', due: 2 },
]

/** What a listener was told, in order. */
class Told<V> {
  readonly values: V[] = []
  readonly deltas: (LiveDelta | undefined)[] = []
  readonly errors: Error[] = []
  readonly unsubscribe: () => void

  constructor(live: LiveValue<V>) {
    const listener = (value: V, delta?: LiveDelta) => {
      this.values.push(value)
      this.deltas.push(delta)
      if (live.current !== value) this.errors.push(new Error('current is another one'))
    }
    this.unsubscribe = live.subscribe(listener, (error) => this.errors.push(error))
  }

  /** Resolves to what was told last, when it was told so often. */
  async times(times: number): Promise<V> {
    await holds(() => this.values.length >= times, `told ${times} times`)
    equal(this.values.length, times, 'how often it was told')
    return this.values[times - 1]!
  }
}

/** Waits for what another thread, or another database, does. */
async function holds(claim: () => boolean, name: string): Promise<void> {
  for (let tries = 0; !claim(); tries++) {
    ok(tries < 5000, `not so after 5,000 tries: ${name}`)
    await new Promise((resolve) => setTimeout(resolve))
  }
}

/** Resolves when everything that `db` did so far has been told. */
async function settled(db: Awaited<ReturnType<Context['open']>>): Promise<void> {
  await db.flush()
  const live = db.liveCount(undefined, 'of nobody')
  await live.ready
  const before = live.current
  await db.insert({}, 'of nobody')
  await holds(() => live.current > before, 'the next write is told')
  live.close()
}

const plain = (live: LiveQuery) => live.current.asList()

/** Live queries: what they tell, when, and of whose writes. */
export const live: Suite = [
  {
    name: 'a live query has the result from the start, and tells of each commit that changes it',
    async run({ open }) {
      const db = await open()
      await db.insertMany(todos)
      const open1 = db.live<Todo>('done != true', { sort: 'due' })
      await open1.ready
      const told = new Told(open1)
      equal((await told.times(1)).map((d) => d.title), ['c', 'a'])
      equal(told.deltas[0], undefined)
      await db.insert({ title: 'd', due: 0 })
      equal((await told.times(2)).map((d) => d.title), ['d', 'c', 'a'])
      equal(told.deltas[1], { added: [{ _id: 4, title: 'd', due: 0 }], changed: [], removed: [], moved: [] })
      await db.update({ due: 5 }, "title = 'c'")
      equal((await told.times(3)).map((d) => d.title), ['d', 'a', 'c'])
      ok(told.deltas[2]!.moved.length === 1, 'one has moved')
      equal(told.deltas[2]!.changed, [{ _id: 3, title: 'c', due: 5 }])
      await db.update({ done: true }, "title = 'a'")
      equal((await told.times(4)).map((d) => d.title), ['d', 'c'])
      equal(told.deltas[3], { added: [], changed: [], removed: [1], moved: [] })
      await db.clear()
      equal((await told.times(5)).length, 0)
      equal(told.deltas[4]!.removed.length, 2)
      equal(told.errors, [])
    },
  },
  {
    name: 'what did not change are the same objects, and what changes nothing is not told',
    async run({ open }) {
      const db = await open()
      await db.insertMany(todos)
      const all = db.live<Todo>()
      await all.ready
      const told = new Told(all)
      const before = all.current
      ok(all.current === before, 'current is the same object')
      await db.insert({ n: 1 }, 'elsewhere')
      await db.update({ due: 3 }, "title = 'a'")
      await settled(db)
      ok(all.current === before, 'current is the same object after writes that do not matter')
      await db.update({ due: 7 }, "title = 'b'")
      const now = await told.times(2)
      ok(now !== before && now[0] === before[0] && now[2] === before[2], 'the other documents are the same objects')
      equal([before[1]!.due, now[1]!.due], [1, 7], 'due')
      equal(told.deltas[1], { added: [], changed: [now[1]], removed: [], moved: [] })
    },
  },
  {
    name: 'all writes of a tick are told at once, and so are insertMany and a transaction',
    async run({ open }) {
      const db = await open()
      const count = db.liveCount()
      await count.ready
      const told = new Told(count)
      await Promise.all([db.insert({ n: 1 }), db.insert({ n: 2 }), db.remove('n = 1')])
      equal(await told.times(2), 1)
      await db.insertMany([{}, {}, {}])
      equal(await told.times(3), 4)
      await db.transaction(async (tx) => {
        await tx.insert({})
        equal(await tx.count(), 5)
        equal(await db.count(), 4)
        await tx.insert({})
      })
      equal(await told.times(4), 6)
      const failing = db.transaction(async (tx) => {
        await tx.clear()
        await db.count()
        throw new Error('on purpose')
      })
      equal(await failing.catch((error: Error) => error.message), 'on purpose')
      await settled(db)
      equal(told.values, [0, 1, 4, 6])
    },
  },
  {
    name: 'one that is made while a transaction runs begins with the state before it',
    async run({ open }) {
      const db = await open()
      const lives: LiveValue<unknown>[] = []
      await db.transaction(async (tx) => {
        await tx.insert({ n: 1 })
        lives.push(db.live(), db.liveCount(), db.liveCount((d) => d.n === 1))
        await Promise.all(lives.map((each) => each.ready))
        await tx.insert({ n: 2 })
        equal(lives.map((each) => each.current), [[], 0, 0])
        for (const each of lives) each.subscribe(() => {})
        await tx.insert({ n: 3 })
      })
      await settled(db)
      equal(lives.map((each) => each.current), [[1, 2, 3].map((n) => ({ _id: n, n })), 3, 1])
    },
  },
  {
    name: 'conditions in every spelling, options, and collections are those of search',
    async run({ open }) {
      const db = await open()
      const users = db.collection<{ name: string; age: number }>('users')
      const q = users.query()
      const limit = 2
      const lives = [
        users.live(q.age.gte(18), { sort: '-age', limit, fields: ['name'] }),
        users.live('age >= 18', { sort: ['-age'], limit, fields: ['name'] }),
        users.live({ age: { $gte: 18 } }, { sort: { age: 'desc' }, limit, fields: ['name'] }),
        users.live((user) => user.age >= 18, { sort: '-age', limit, fields: ['name'] }),
        db.live('age >= 18', { collection: 'users', sort: '-age', limit, fields: ['name'] }),
        db.liveSql('SELECT _id, name FROM users WHERE age >= ? ORDER BY age DESC LIMIT 2', [18]),
        db.liveSql`SELECT _id, name FROM users WHERE age >= ${18} ORDER BY age DESC LIMIT 2`,
      ] as LiveQuery<{ name: string }>[]
      await Promise.all(lives.map((each) => each.ready))
      const told = lives.map((each) => new Told(each))
      for (const each of lives) equal(plain(each), [])
      await users.insertMany([{ name: 'Ada', age: 36 }, { name: 'Kim', age: 12 }, { name: 'Joe', age: 54 }, { name: 'Eve', age: 18 }])
      for (const each of told) equal((await each.times(2)).asList(), [{ _id: 3, name: 'Joe' }, { _id: 1, name: 'Ada' }])
      await users.remove("name = 'Ada'")
      for (const each of told) equal((await each.times(3)).asList(), [{ _id: 3, name: 'Joe' }, { _id: 4, name: 'Eve' }])
      equal(told.map((each) => each.deltas[2]), [0, 1, 2, 3, 4, 5, 6].map((n) => (n < 5 ? { added: [{ _id: 4, name: 'Eve' }], changed: [], removed: [1], moved: [] } : undefined)))
      equal(told.flatMap((each) => each.errors), [])
    },
  },
  {
    name: 'the arguments are copied at the call',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ n: 1, k: 'a' }, { n: 2, k: 'b' }])
      const where = { n: 1 }
      const options = { fields: ['n'], sort: ['n'] }
      const pipeline = { where: { n: 1 }, groupBy: ['k'], select: { sum: { $sum: 'n' } as object } }
      const params = [1]
      const lives = [db.live(where, options), db.liveCount(where), db.liveAggregate(pipeline), db.liveSql('SELECT n FROM default WHERE n = ?', params)] as LiveValue<any>[]
      where.n = pipeline.where.n = params[0] = 2
      options.fields[0] = pipeline.groupBy[0] = 'x'
      pipeline.select.sum = { $max: 'k' }
      await Promise.all(lives.map((each) => each.ready))
      const told = lives.map((each) => new Told(each))
      await db.insert({ n: 1, k: 'a' })
      equal((await told[0]!.times(2)).asList(), [{ _id: 1, n: 1 }, { _id: 3, n: 1 }])
      equal(await told[1]!.times(2), 2)
      equal(await told[2]!.times(2), [{ k: 'a', sum: 2 }])
      equal((await told[3]!.times(2)).asList(), [{ n: 1 }, { n: 1 }])
    },
  },
  {
    name: 'counts, documents, distinct values and aggregates are kept current',
    async run({ open }) {
      const db = await open()
      await db.insertMany(todos)
      const count = db.liveCount('due > 1')
      const byId = db.liveGet(1)
      const byText = db.liveGet('one')
      const byWhere = db.liveGet<Todo>({ due: { $gt: 1 } }, { sort: '-due', fields: ['title'] })
      const values = db.liveDistinct('due')
      const groups = db.liveAggregate<{ done: boolean | null; n: number }>({ groupBy: 'done', select: { n: { $count: true } }, sort: 'done' })
      const odd = db.liveAggregate({ where: (d) => d.due % 2 === 1, select: { n: { $count: true } } })
      const lives = { count, byId, byText, byWhere, values, groups, odd }
      await Promise.all(Object.values(lives).map((each) => each.ready))
      const seen = Object.entries(lives).map(([name, each]) => [name, new Told<unknown>(each as LiveValue<unknown>)] as const)
      const now = () => Object.fromEntries(Object.entries(lives).map(([name, each]) => [name, each.current]))
      equal(now(), { count: 2, byId: { _id: 1, title: 'a', due: 3 }, byText: undefined, byWhere: { _id: 1, title: 'a' }, values: [1, 2, 3], groups: [{ done: null, n: 2 }, { done: true, n: 1 }], odd: [{ n: 2 }] })
      const group = groups.current[1]
      await db.transaction(async (tx) => {
        await tx.upsert({ _id: 1, title: 'A', due: 9 })
        await tx.insert({ _id: 'one', title: 'd', due: 10 })
      })
      await settled(db)
      equal(now(), { count: 3, byId: { _id: 1, title: 'A', due: 9 }, byText: { _id: 'one', title: 'd', due: 10 }, byWhere: { _id: 'one', title: 'd' }, values: [1, 2, 9, 10], groups: [{ done: null, n: 3 }, { done: true, n: 1 }], odd: [{ n: 2 }] })
      equal(seen.map(([name, told]) => [name, told.values.length]), [['count', 2], ['byId', 2], ['byText', 2], ['byWhere', 2], ['values', 2], ['groups', 2], ['odd', 1]])
      ok(groups.current[1] === group, 'a row that stayed is the same object')
      await db.clear()
      await settled(db)
      equal(now(), { count: 0, byId: undefined, byText: undefined, byWhere: undefined, values: [], groups: [], odd: [{ n: 0 }] })
    },
  },
  {
    name: 'documents of relationships are part of the result',
    async run({ open }) {
      const db = await open()
      await db.addRelationship({ name: 'posts', type: 'one_to_many', from: 'users', to: 'posts', foreignKey: 'user' })
      await db.insert({ _id: 1, name: 'Ada' }, 'users')
      const users = db.live(undefined, { collection: 'users', populate: ['posts'] })
      await users.ready
      const told = new Told(users)
      await db.insert({ user: 1, title: 'x' }, 'posts')
      equal((await told.times(2)).asList(), [{ _id: 1, name: 'Ada', posts: [{ _id: 1, user: 1, title: 'x' }] }])
      equal(told.deltas[1]!.changed.length, 1)
    },
  },
  {
    name: 'a write that cannot be stored is told, and then taken back',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('failing', { storage })
      await db.insert({ n: 0 })
      const found = db.live<{ n: number }>('n >= 0')
      await found.ready
      const told = new Told(found)
      controlled.append = async () => {
        await holds(() => context.threads || told.values.length === 2, 'told before it is stored')
        throw new Error('the disk is full')
      }
      await rejects('storage', () => db.insert({ n: 1 }))
      controlled.append = (store) => store()
      await settled(db)
      equal(plain(found), [{ _id: 1, n: 0 }])
      equal(told.values.map((each) => each.length), [1, 2, 1])
      equal(told.deltas[2], { added: [], changed: [], removed: [2], moved: [] })
      ok(told.values[2]![0] === told.values[0]![0], 'the document that stayed is the same object')
      controlled.append = async () => {
        throw new Error('the disk is full')
      }
      await rejects('storage', () => db.transaction((tx) => tx.insert({ n: 1 })))
      controlled.append = (store) => store()
      await settled(db)
      equal(told.values.length, 3, 'a transaction is not told before it is stored')
    },
  },
  {
    name: 'what another database on the same storage writes is told too, once for each batch',
    async run({ open }) {
      const mine = await open('shared')
      const other = await open('shared')
      const found = mine.live('n > 1', { sort: 'n' })
      const count = mine.liveCount()
      await Promise.all([found.ready, count.ready])
      const [told, counted] = [new Told(found), new Told(count)]
      await other.insertMany([{ n: 1 }, { n: 3 }])
      equal((await told.times(2)).asList(), [{ _id: 2, n: 3 }])
      equal(await counted.times(2), 2)
      await other.transaction(async (tx) => {
        await tx.insert({ n: 2 })
        await tx.update({ $inc: { n: 10 } }, 'n = 3')
      })
      equal((await told.times(3)).asList(), [{ _id: 3, n: 2 }, { _id: 2, n: 13 }])
      equal(await counted.times(3), 3)
      await Promise.all([mine.insert({ n: 4 }), other.insert({ n: 5 })])
      await holds(() => found.current.length === 4, 'both writes are there')
      equal(found.current.map((d) => d.n), [2, 4, 5, 13])
      equal(told.errors, [])
    },
  },
  {
    name: 'an error of the engine reaches whoever listens, and the next commit asks again',
    async run({ open }) {
      const db = await open()
      const wrong = db.live('n >')
      await rejects('invalid', () => wrong.ready, /expected a value/)
      equal(throws('invalid', () => wrong.current), wrong.error!.message)
      const told = new Told(wrong)
      equal([told.values.length, told.errors.length, wrong.isReady], [0, 1, false])
      await db.insert({ n: 1 })
      await settled(db)
      equal(told.errors.length, 1, 'the same error is not told again')

      const users = db.live(undefined, { collection: 'users', populate: ['posts'] })
      await rejects('invalid', () => users.ready)
      const mended = new Told(users)
      equal(mended.errors.length, 1)
      await db.insert({ _id: 1 }, 'users')
      await db.addRelationship({ name: 'posts', type: 'one_to_many', from: 'users', to: 'posts', foreignKey: 'user' })
      await holds(() => users.isReady, 'it has a result')
      equal([users.error, plain(users)], [undefined, [{ _id: 1, posts: [] }]])
      await users.ready
      await db.removeRelationship('posts')
      await holds(() => users.error !== undefined, 'it has failed again')
      equal([mended.values.length, mended.errors.length, plain(users).length], [1, 2, 1])
    },
  },
  {
    name: 'wrong arguments throw at once',
    async run({ open }) {
      const db = await open()
      const users = db.collection('users')
      throws('invalid', () => db.live(undefined), /where is undefined/)
      throws('invalid', () => db.live(7 as never), /^where: expected a condition/)
      throws('invalid', () => db.live('true', { sort: 7 } as never), /options\.sort/)
      throws('invalid', () => db.live('true', { limits: 7 } as never), /there is no option limits/)
      throws('invalid', () => db.live('true', { signal: 7 } as never), /^options\.signal: expected an AbortSignal, not 7$/)
      for (const signal of [null, 0, '', false]) throws('invalid', () => db.live('true', { signal } as never), /^options\.signal: /)
      throws('invalid', () => db.live('true', '_catalog' as never) && db.live('true', 7 as never), /collection/)
      throws('invalid', () => users.live({ a: undefined } as never))
      throws('invalid', () => db.liveGet(undefined as never))
      throws('invalid', () => db.liveCount(undefined), /where is undefined/)
      throws('invalid', () => db.liveDistinct(7 as never), /path/)
      throws('invalid', () => db.liveAggregate({ select: { n: { $nothing: 'x' } } } as never), /\$nothing/)
      throws('invalid', () => db.liveSql('DELETE FROM default'), /expected a SELECT/)
      throws('invalid', () => db.liveSql('WITH x AS (SELECT 1) DELETE FROM default'), /expected a SELECT/)
      throws('invalid', () => db.liveSql('SELECT 1; DELETE FROM default'), /expected a SELECT/)
      throws('invalid', () => db.liveSql(7 as never), /expected a statement/)
      throws('invalid', () => db.live().subscribe(7 as never), /^listener: expected a function/)
      throws('invalid', () => db.live().subscribe(() => {}, 7 as never), /^onError: expected a function/)
      await db.transaction(async (tx) => {
        throws('invalid', () => tx.live(), /^a transaction has no live queries/)
        throws('invalid', () => tx.collection('users').liveCount(), /^a transaction has no live queries/)
        throws('invalid', () => tx.liveSql`SELECT 1`, /^a transaction has no live queries/)
      })
      const { proxy: revoked, revoke } = Proxy.revocable([], {})
      revoke()
      for (const call of [
        () => db.live(revoked as never), () => db.live('true', revoked as never), () => db.liveGet(revoked as never), () => db.liveCount(revoked as never),
        () => db.liveDistinct(revoked as never), () => db.liveDistinct('a', revoked as never), () => db.liveAggregate(revoked as never),
        () => db.liveSql(revoked as never), () => db.liveSql('SELECT 1', revoked as never), () => db.live('true', { signal: revoked } as never),
        () => db.onChange(revoked as never), () => db.changes(revoked as never), () => db.changes({ signal: revoked } as never),
      ]) throws('invalid', call, /./)
      await rejects('invalid', () => db.at(revoked as never), /./)
      await db.close()
      throws('closed', () => db.live())
    },
  },
  {
    name: 'a listener that throws is reported, and the others are called all the same',
    async run({ open }) {
      const db = await open()
      const count = db.liveCount()
      await count.ready
      const reported: unknown[] = []
      const original = globalThis.reportError
      globalThis.reportError = (error: unknown) => void reported.push(error)
      try {
        const error = new Error('on purpose')
        count.subscribe(() => {
          throw error
        })
        const told = new Told(count)
        await db.insert({})
        equal(await told.times(2), 1)
        equal(reported, [error, error])
        const wrong = db.live('n >')
        wrong.subscribe(() => {})
        await holds(() => reported.length === 3, 'an error without onError is reported')
        ok((reported[2] as { code?: string }).code === 'invalid', 'with its code')
        wrong.subscribe(() => {}, () => {
          throw error
        })
        equal(reported.length, 4)
        equal(await db.count(), 1)
      } finally {
        globalThis.reportError = original
      }
    },
  },
  {
    name: 'a listener may write, subscribe, unsubscribe and close',
    async run({ open }) {
      const db = await open()
      const count = db.liveCount()
      const others = db.liveCount(undefined, 'log')
      await Promise.all([count.ready, others.ready])
      const seen: string[] = []
      const writes: Promise<unknown>[] = []
      count.subscribe((n) => {
        seen.push(`first ${n}`)
        if (n > 0 && n < 3) writes.push(db.insert({}), db.insert({ n }, 'log'))
        if (n === 2) {
          unsubscribe()
          count.subscribe((n) => seen.push(`third ${n}`))
        }
      })
      const unsubscribe = count.subscribe((n) => void seen.push(`second ${n}`))
      await db.insert({})
      await holds(() => count.current === 3, 'the listener has written')
      await Promise.all(writes)
      equal(seen, ['first 0', 'second 0', 'first 1', 'second 1', 'first 2', 'third 2', 'first 3', 'third 3'])
      equal(others.current, 2)
      const told = new Told(count)
      count.subscribe(() => count.close())
      await db.insert({})
      await settled(db)
      equal(told.values, [3], 'it was closed')
      equal([count.current, others.current], [3, 2])
    },
  },
  {
    name: 'one that is closed tells nothing more, and keeps its last value',
    async run({ open }) {
      const db = await open()
      const count = db.liveCount()
      await count.ready
      const told = new Told(count)
      await db.insert({})
      await told.times(2)
      told.unsubscribe()
      told.unsubscribe()
      await db.insert({})
      await settled(db)
      equal([told.values.length, count.current], [2, 2])
      count.close()
      count.close()
      await db.insert({})
      await settled(db)
      equal(count.current, 2)
      equal(new Told(count).values, [2])
      await count.ready
      equal(await db.count(), 3)
    },
  },
  {
    name: 'a signal closes it, and so does the end of the database',
    async run({ open }) {
      const db = await open()
      const stop = new AbortController()
      const lives = [db.live('true', { signal: stop.signal }), db.liveGet(1, { signal: stop.signal }), db.withSignal(stop.signal).liveCount()] as LiveValue<unknown>[]
      const rest = db.live()
      await Promise.all([...lives, rest].map((each) => each.ready))
      const told = [...lives, rest].map((each) => new Told<unknown>(each))
      stop.abort()
      await db.insert({ n: 1 })
      await told[3]!.times(2)
      equal(told.slice(0, 3).map((each) => each.values.length), [1, 1, 1])
      const late = db.withSignal(stop.signal).live()
      equal(await late.ready.catch((error: Error) => error.name), 'AbortError')
      const loop = (async () => {
        const sizes: number[] = []
        for await (const result of rest) sizes.push(result.length)
        return sizes
      })()
      await db.close()
      equal(await loop, [1])
      equal(told.flatMap((each) => each.errors), [])
    },
  },
  {
    name: 'a loop gets the values until it breaks, or until close',
    async run({ open }) {
      const db = await open()
      const count = db.liveCount()
      const first: number[] = []
      for await (const n of count) {
        first.push(n)
        if (n === 3) break
        await db.insert({})
      }
      equal(first, [0, 1, 2, 3])
      const second: number[] = []
      const loop = (async () => {
        for await (const n of count) {
          second.push(n)
          await settled(db)
        }
      })()
      await db.insert({})
      await db.insert({})
      await settled(db)
      await holds(() => second[second.length - 1] === 5, 'the last value')
      count.close()
      await loop
      const iterator = count[Symbol.asyncIterator]()
      equal(await iterator.next(), { done: false, value: 5 })
      equal(await iterator.next(), { done: true, value: undefined })
      const wrong = db.live('n >')
      const failing = async () => {
        for await (const result of wrong) ok(!result, 'it has no result')
      }
      await rejects('invalid', failing)
      const waiting = db.liveCount()[Symbol.asyncIterator]()
      await waiting.next()
      const next = waiting.next()
      await waiting.return!()
      equal(await next, { done: true, value: undefined })
    },
  },
  {
    name: 'a result of a live query stays as it is when its documents are updated through it',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ n: 1 }, { n: 2 }])
      const found = db.live<{ n: number; seen?: boolean }>()
      await found.ready
      const told = new Told(found)
      const before = found.current
      equal(await before.updateAll({ seen: true }), 2)
      equal((await told.times(2)).asList(), [{ _id: 1, n: 1, seen: true }, { _id: 2, n: 2, seen: true }])
      equal(before.asList(), [{ _id: 1, n: 1 }, { _id: 2, n: 2 }])
      const tracked = found.current.tracked()
      tracked[0]!.n = 7
      equal(found.current[0]!.n, 1, 'n before it is stored')
      await tracked.saved()
      equal((await told.times(3)).map((d) => d.n), [7, 2])
      equal(told.values[1]!.map((d) => d.n), [1, 2])
      equal(await found.current.removeAll(), 2)
      equal((await told.times(4)).asList(), [])
    },
  },
  {
    name: 'the status of writes says whether all are stored, and tells of each change of that once',
    async run({ open }) {
      const db = await open()
      const told: string[] = []
      const stop = db.writeStatus.subscribe(({ status, error }) => told.push(error ? `${status} ${error.code}` : status))
      equal(told, ['saved'])
      const before = db.writeStatus.current
      ok(before === db.writeStatus.current, 'current is the same object')
      const writes = [db.insert({ n: 1 }), db.collection('others').insert({ n: 2 }), db.sql('DELETE FROM default'), db.transaction(async (tx) => tx.insert({ n: 3 }))]
      equal(db.writeStatus.current, { status: 'saving', error: undefined })
      await Promise.all(writes)
      equal(told, ['saved', 'saving', 'saved'])
      await db.search('true')
      await (await db.search('true')).updateAll({ n: 4 })
      await db.import(new TextEncoder().encode('{"more": [{"n": 5}]}'))
      equal(told, ['saved', 'saving', 'saved', 'saving', 'saved', 'saving', 'saved'])
      stop()
      stop()
      await db.insert({})
      equal(told.length, 7)
    },
  },
  {
    name: 'a write that fails is told with its error, until one that was called later is stored',
    async run(context) {
      const { storage, controlled } = storageOf(context)
      const db = await context.open('failing', { storage })
      const told: string[] = []
      db.writeStatus.subscribe(({ status, error }) => told.push(error ? `${status} ${error.code}` : status))
      const count = db.liveCount()
      await count.ready
      const held = gate<void>()
      controlled.append = async () => {
        await held.promise
        throw new context.atomicdb.AtomicDBError('quota', 'full')
      }
      const lost = db.insert({ n: 1 })
      await holds(() => count.current === 1, 'the write is shown')
      equal(told, ['saved', 'saving'])
      held.open()
      const message = await rejects('quota', () => lost)
      equal(told, ['saved', 'saving', 'failed quota'])
      await holds(() => count.current === 0, 'the write is taken back')
      equal(db.writeStatus.current.error?.message, message)
      controlled.append = (store) => store()
      await db.insert({ n: 2 })
      equal(told, ['saved', 'saving', 'failed quota', 'saving quota', 'saved'])
      // One that was called before the failure does not hide it.
      const later = gate<void>()
      controlled.append = async (store) => (await later.promise, store())
      const before = db.insert({ _id: 'before' })
      await holds(() => count.current === 2, 'it is on its way')
      await rejects('duplicate_id', () => db.insert({ _id: 'before' }))
      equal(told.at(-1), 'saving duplicate_id')
      later.open()
      await before
      equal(told.at(-1), 'failed duplicate_id')
      await db.transaction(async (tx) => {
        await tx.insert({})
        throw new Error('changed my mind')
      }).catch(() => {})
      equal(told.at(-1), 'failed duplicate_id')
      await db.transaction(async (tx) => tx.insert({}))
      equal(db.writeStatus.current, { status: 'saved', error: undefined })
      await db.transaction(async () => {
        throw new Error('changed my mind')
      }).catch(() => {})
      equal(db.writeStatus.current.status, 'saved', 'what a function throws to leave a transaction is no failure')
      throws('invalid', () => db.writeStatus.subscribe('listener' as never))
    },
  },
  {
    name: 'a question that can be asked again tells its value, also if that is the one from before the error',
    async run({ open }) {
      const db = await open()
      await db.insert({ n: 1 })
      const found = db.live((document) => {
        if (document.n === 2) throw new Error('not this one')
        return true
      })
      await found.ready
      const told = new Told(found)
      equal((await told.times(1)).length, 1)
      const before = found.current
      await db.insert({ n: 2 })
      await holds(() => told.errors.length === 1, 'the error is told')
      ok(found.current === before && found.error === told.errors[0], 'the value is as it was')
      await db.remove('n = 2')
      ok((await told.times(2)) === before, 'the same result')
      equal([found.error, told.errors.length], [undefined, 1])
      await db.insert({ n: 3 })
      equal((await told.times(3)).length, 2)
    },
  },
  {
    name: 'a function is asked again when its collection changes, and not for another one',
    async run({ open }) {
      const db = await open()
      await db.insert({ _id: 'a', n: 1 }, 'asked')
      let asked = 0
      const isAsked = ({ n }: { n: number }) => (asked++, n > 0)
      const lives: LiveValue<unknown>[] = [db.live(isAsked, 'asked'), db.liveGet(isAsked, 'asked'), db.liveCount(isAsked, 'asked'), db.liveDistinct('n', isAsked, 'asked'), db.liveAggregate({ where: isAsked, select: { n: { $count: true } } }, 'asked')]
      await Promise.all(lives.map(({ ready }) => ready))
      const told = lives.map((live) => new Told(live))
      const before = asked
      await db.insertMany([{ n: 1 }, { n: 2 }], 'others')
      await db.createCollection('empty')
      await settled(db)
      equal(asked - before, 0, 'calls of the function')
      await db.insert({ _id: 'b', n: 2 }, 'asked')
      await settled(db)
      await holds(() => lives[2]!.current === 2, 'the count is told')
      ok(asked > before, 'the function is called')
      await db.dropCollection('asked')
      await settled(db)
      equal(lives.slice(0, 4).map(({ current }) => JSON.stringify(current)), ['[]', undefined, '0', '[]'])
      await db.insert({ _id: 'c', n: 3 }, 'asked')
      await settled(db)
      equal(lives.slice(0, 4).map(({ current }) => JSON.stringify(current)), ['[{"_id":"c","n":3}]', '{"_id":"c","n":3}', '1', '[3]'])
      equal(told.flatMap(({ errors }) => errors), [])
      for (const live of lives) live.close()
    },
  },
]
