import type { AtomicDB, Change } from '../../src/index.js'
import { equal, ok, rejects, throws, until } from './check.js'
import type { Suite } from './suite.js'

/** A change as text: "2 update todos/a". */
function text({ seq, type, collection, id }: Change): string {
  return `${seq} ${type} ${collection}/${id}`
}

/** The next `count` changes. */
async function take(changes: AsyncIterable<Change>, count: number): Promise<Change[]> {
  const taken: Change[] = []
  const iterator = changes[Symbol.asyncIterator]()
  while (taken.length < count) {
    const { done, value } = await iterator.next()
    if (done) break
    taken.push(value)
  }
  return taken
}

/** What changes lead to, applied to a map; throws at one that cannot be. */
function applied(changes: readonly Change[], state = new Map<string, unknown>()): Map<string, unknown> {
  for (const change of changes) {
    const key = `${change.collection}/${JSON.stringify(change.id)}`
    equal(change.before, state.get(key), `before ${text(change)}`)
    equal(change.type, change.document === undefined ? 'remove' : change.before === undefined ? 'insert' : 'update')
    if (change.document === undefined) state.delete(key)
    else state.set(key, change.document)
  }
  return state
}

async function stateOf(db: Pick<AtomicDB, 'collections' | 'all'>): Promise<Map<string, unknown>> {
  const state = new Map<string, unknown>()
  for (const name of await db.collections()) for (const document of (await db.all(name)).asList()) state.set(`${name}/${JSON.stringify(document._id)}`, document)
  return state
}

/** The feed of changes, earlier states, and undo. */
export const changes: Suite = [
  {
    name: 'tells each stored change in order, with the document and the one before',
    async run({ open }) {
      const db = await open()
      const told: Change[] = []
      const stop = db.onChange((change) => told.push(change))
      await db.insert({ _id: 'a', n: 1 }, 'todos')
      await db.createIndex('n', { collection: 'todos' })
      await db.transaction(async (tx) => {
        await tx.insert({ _id: 'b', n: 2 }, 'todos')
        await tx.update({ n: 3 }, "_id = 'a'", 'todos')
        await tx.insert({ n: 1 })
      })
      await db.remove("_id = 'b'", 'todos')
      await db.clear('todos')
      await until(async () => told.length === 6, 'all changes are told')
      equal(told.map((change) => ({ ...change })), [
        { seq: 1, collection: 'todos', type: 'insert', id: 'a', document: { _id: 'a', n: 1 }, local: true, last: true },
        { seq: 3, collection: 'todos', type: 'insert', id: 'b', document: { _id: 'b', n: 2 }, local: true, last: false },
        { seq: 3, collection: 'todos', type: 'update', id: 'a', document: { _id: 'a', n: 3 }, before: { _id: 'a', n: 1 }, local: true, last: false },
        { seq: 3, collection: 'default', type: 'insert', id: 1, document: { _id: 1, n: 1 }, local: true, last: true },
        { seq: 4, collection: 'todos', type: 'remove', id: 'b', before: { _id: 'b', n: 2 }, local: true, last: true },
        { seq: 5, collection: 'todos', type: 'remove', id: 'a', before: { _id: 'a', n: 3 }, local: true, last: true },
      ])
      stop()
      const later = db.changes({ collection: 'todos' })
      await db.insert({ _id: 'c' }, 'other')
      await db.insert({ _id: 'c' }, 'todos')
      equal((await take(later, 1)).map(text), ['7 insert todos/c'])
      equal(told.length, 6)
    },
  },
  {
    name: 'tells nothing of what fails or is undone',
    async run({ open }) {
      const db = await open()
      const told: string[] = []
      db.onChange((change) => told.push(text(change)))
      const failed = await db.transaction(async (tx) => {
        await tx.insert({ _id: 1 })
        throw new Error('no')
      }).catch((error: Error) => error)
      equal((failed as Error).message, 'no')
      await db.insert({ _id: 2 })
      await rejects('duplicate_id', () => db.insert({ _id: 2 }))
      await db.insert({ _id: 3 })
      await until(async () => told.length === 2, 'all changes are told')
      equal(told, ['1 insert default/2', '2 insert default/3'])
    },
  },
  {
    name: 'goes on after any number that the log has, and says which it has',
    async run({ open }) {
      const db = await open('kept')
      for (let n = 0; n < 5; n++) await db.upsert({ _id: n % 2, n })
      for (let since = 0; since <= 5; since++) {
        const all = await take(db.changes({ since }), 5 - since)
        equal(all.map(({ seq }) => seq), [1, 2, 3, 4, 5].slice(since))
        const before = since === 0 ? new Map() : await stateOf(await db.at(since))
        equal(applied(all, before), await stateOf(db))
      }
      await rejects('not_found', () => take(db.changes({ since: 9 }), 1), /no batch of this number yet; its last is 5/)
      await rejects('not_found', () => db.at(9), /its last is 5/)
      await db.close()
      const again = await open('kept')
      const [first] = await take(again.changes({ since: 3, signal: AbortSignal.timeout(20_000) }), 1)
      equal([first!.seq, first!.local, first!.before], [4, false, { _id: 1, n: 1 }])
    },
  },
  {
    name: 'numbers batches without a storage too',
    async run({ open }) {
      const db = await open(undefined, { inMemory: true, storage: undefined })
      await db.insert({ _id: 1 })
      const changes = db.changes()
      await db.insert({ _id: 2 })
      equal((await take(changes, 1)).map(text), ['2 insert default/2'])
      equal((await take(db.changes({ since: 0 }), 2)).map(text), ['2 insert default/1', '2 insert default/2'])
      equal(await (await db.at(2)).count(), 2)
      await rejects('not_found', () => db.at(1))
    },
  },
  {
    name: 'a listener that throws does not stop the others',
    async run({ open }) {
      const db = await open()
      const told: string[] = []
      const global = globalThis as { reportError?: unknown }
      const before = global.reportError
      const reported: unknown[] = []
      global.reportError = (error: unknown) => void reported.push(error)
      try {
        db.onChange(() => {
          throw new Error('mine')
        })
        db.onChange((change) => told.push(text(change)))
        await db.insertMany([{ _id: 1 }, { _id: 2 }])
        await until(async () => told.length === 2 && reported.length === 2, 'all changes are told')
      } finally {
        global.reportError = before
      }
      equal(told, ['1 insert default/1', '1 insert default/2'])
    },
  },
  {
    name: 'ends when it is left, aborted, or the database is closed',
    async run({ open }) {
      const db = await open()
      const control = new AbortController()
      const [aborted, closed] = [db.changes({ signal: control.signal }), db.changes()]
      await db.insert({ _id: 1 })
      for await (const change of db.changes({ since: 0 })) {
        equal(change.id, 1)
        break
      }
      equal((await take(aborted, 1)).length, 1)
      const [one, two] = [take(aborted, 1), take(closed, 2)]
      control.abort()
      equal(await one, [])
      await db.close()
      equal((await two).map(text), ['1 insert default/1'])
      equal(await take(closed, 1), [])
      throws('closed', () => db.changes())
      throws('closed', () => db.onChange(() => {}))
    },
  },
  {
    name: 'refuses options that are wrong',
    async run({ open }) {
      const db = await open()
      throws('invalid', () => db.changes({ since: -1 }), /options.since/)
      throws('invalid', () => db.changes({ since: 1.5 }), /options.since/)
      throws('invalid', () => db.changes({ collection: '' }), /options.collection/)
      throws('invalid', () => db.changes({ other: 1 } as object), /no option other/)
      throws('invalid', () => db.changes({ signal: {} as AbortSignal }), /options.signal/)
      throws('invalid', () => db.onChange(1 as never), /listener/)
      throws('invalid', () => db.onChange(() => {}, 1 as never), /onError/)
      await rejects('invalid', () => db.at(-1), /seq/)
      await rejects('invalid', () => db.undo(), /undoSteps/)
      await rejects('invalid', () => open('x', { undoSteps: -1 }), /options.undoSteps/)
    },
  },
  {
    name: 'a large batch comes in parts, and whole',
    async run({ open }) {
      const db = await open()
      const documents = Array.from({ length: 20_000 }, (_, n) => ({ _id: n, text: 'x'.repeat(200) }))
      const changes = db.changes()
      await db.insertMany(documents)
      const all = await take(changes, 20_000)
      equal(applied(all).size, 20_000)
      equal(all.filter(({ last }) => last).map(({ id }) => id), [19_999])
      const again = await take(db.changes({ since: 0 }), 20_000)
      equal(again.length, 20_000)
    },
  },
  {
    name: 'an earlier state answers every read, and refuses writes',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ name: 'Ada', age: 36 }, { name: 'Bob', age: 17 }], 'users')
      const { stats: { seq } } = await db.metadata('users')
      await db.update({ age: 0 }, undefined, 'users')
      await db.dropCollection('users')
      const before = await db.at(seq)
      equal(before.seq, seq)
      equal((await before.search('age >= 18', 'users')).asList(), [{ _id: 1, name: 'Ada', age: 36 }])
      equal(await before.get(2, 'users'), { _id: 2, name: 'Bob', age: 17 })
      equal(await before.count(undefined, 'users'), 2)
      equal(await before.sql`SELECT SUM(age) AS sum FROM users`, [{ sum: 53 }])
      equal(await before.aggregate({ select: { n: { $count: true } } }, 'users'), [{ n: 2 }])
      equal((await before.collection('users').find({ age: { $lt: 18 } })).count(), 1)
      equal((await before.search(({ age }) => age > 18, 'users')).count(), 1)
      equal((await before.metadata('users')).stats.seq, seq)
      for (const write of [() => before.insert({}), () => before.update({ a: 1 }), () => before.sql('DELETE FROM users'), () => before.clear('users')]) {
        await rejects('invalid', write, /an earlier state can only be read/)
      }
      throws('invalid', () => before.live('true', 'users'), /does not change/)
      equal(await (await db.at(0)).collections(), [])
      equal(await db.count(undefined, 'users'), 0)
      await before.close()
      await before.close()
      await rejects('closed', () => before.count())
    },
  },
  {
    name: 'undoes its batches one by one, and does them again',
    async run({ open }) {
      const db = await open(undefined, { undoSteps: 3 })
      const states: Map<string, unknown>[] = []
      const work = [
        () => db.insertMany([{ _id: 'a', n: 1.5 }, { _id: 'b', n: 2 }]),
        () => db.update({ $inc: { n: 1 } }),
        () => db.transaction(async (tx) => {
          await tx.remove("_id = 'a'")
          await tx.insert({ _id: 'c', n: 9 }, 'other')
        }),
        () => db.clear('other'),
      ]
      for (const step of work) {
        await step()
        states.push(await stateOf(db))
      }
      for (const at of [2, 1, 0]) {
        ok(await db.undo(), 'there is a step')
        equal(await stateOf(db), states[at])
      }
      ok(!(await db.undo()), 'only three steps are kept')
      for (const at of [1, 2, 3]) {
        ok(await db.redo(), 'there is a step')
        equal(await stateOf(db), states[at])
      }
      ok(!(await db.redo()), 'nothing is left to redo')
      ok(await db.undo(), 'there is a step')
      await db.insert({ _id: 'd' })
      ok(!(await db.redo()), 'a write makes it forget what was undone')
      ok(await db.undo(), 'there is a step')
      equal(await stateOf(db), states[2])
      const [one, two, three] = await Promise.all([db.undo(), db.undo(), db.undo()])
      equal([one, two, three], [true, true, false])
      equal(await stateOf(db), states[0])
    },
  },
  {
    name: 'undoes nothing that others have changed, and nothing that is not allowed',
    async run({ open }) {
      const db = await open('shared', { undoSteps: 10 })
      await db.insertMany([{ _id: 'a', n: 1 }, { _id: 'b', n: 1 }], 'users')
      await db.update({ n: 2 }, undefined, 'users')
      const other = await open('shared')
      await other.update({ n: 3 }, "_id = 'b'", 'users')
      const before = await stateOf(other)
      await rejects('conflict', () => db.undo(), /users\/b/)
      equal(await stateOf(db), before)
      await other.update({ n: 2 }, "_id = 'b'", 'users')
      await until(async () => (await db.count('n = 2', 'users')) === 2, 'the other’s update has arrived')
      ok(await db.undo(), 'there is a step')
      equal((await db.all('users')).pluck('n').asList().map(({ n }) => n), [1, 1])
      await db.redo()

      await db.remove("_id = 'a'", 'users')
      await rejects('schema', () => db.setSchema('users', { properties: { n: { maximum: 1 } } }))
      await db.update({ n: 0 }, undefined, 'users')
      await db.setSchema('users', { properties: { n: { maximum: 1 } } })
      await rejects('schema', () => db.undo())
      equal((await db.all('users')).asList(), [{ _id: 'b', n: 0 }])
    },
  },
]
