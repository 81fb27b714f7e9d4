import type { AtomicDB } from '../../src/index.js'
import { equal, ok, rejects, throws } from './check.js'
import type { Suite } from './suite.js'

/** All documents of a loop. */
async function all<T>(documents: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const document of documents) found.push(document)
  return found
}

const text = 'x'.repeat(1000)

/** As many documents as make several portions: n counts from 0, and group is the remainder by 7. */
async function filled(db: AtomicDB, count = 1500): Promise<void> {
  await db.insertMany(Array.from({ length: count }, (_, n) => ({ n, group: n % 7, text })))
}

/** Iterations, which hold one portion of documents at a time. */
export const iterations: Suite = [
  {
    name: 'iterates over what find finds, in every spelling and with every option',
    async run({ open }) {
      const db = await open()
      await filled(db)
      const q = db.query()
      for (const where of [undefined, { group: 3 }, 'group = 3', q.group!.eq(3)] as const) {
        for (const options of [{}, { sort: '-group' }, { sort: ['group', '-n'], skip: 5, limit: 400 }, { limit: 0 }, { fields: ['n'] }, { fields: ['-text', '-_id'] }]) {
          equal(await all(db.iterate(where, options)), (await db.search(where, options)).asList(), `${JSON.stringify(options)} of ${String(where)}`)
        }
      }
      equal(await all(db.iterate({ none: 1 })), [])
      equal(await all(db.iterate({}, 'no such collection')), [])
      const typed = db.collection<{ n: number; text: string }>('default')
      let sum = 0
      for await (const { n } of typed.iterate({ n: { $lt: 3 } })) sum += n
      equal(sum, 3)
    },
  },
  {
    name: 'iterates over what a function chooses, with every option',
    async run({ open }) {
      const db = await open()
      await filled(db)
      const odd = ({ n }: { n: number }) => n % 2 === 1
      for (const options of [{}, { sort: '-n' }, { skip: 300, limit: 250 }, { limit: 0 }, { sort: '-group', fields: ['group'], limit: 9 }]) {
        equal(await all(db.iterate(odd, options)), (await db.search(odd, options)).asList(), JSON.stringify(options))
      }
    },
  },
  {
    name: 'puts the documents of relationships into those it iterates over',
    async run({ open }) {
      const db = await open()
      await db.addRelationship({ type: 'one_to_many', from: 'users', to: 'posts', foreignKey: 'user' })
      await db.insertMany([{ _id: 'a', n: 1 }, { _id: 'b', n: 2 }], 'users')
      await db.insertMany([{ _id: 1, user: 'a' }, { _id: 2, user: 'b' }, { _id: 3, user: 'a' }], 'posts')
      const options = { collection: 'users', sort: '-n', populate: ['posts'] }
      equal(await all(db.iterate({}, options)), (await db.search({}, options)).asList())
      equal(await all(db.iterate(({ n }) => n < 2, options)), (await db.search({ n: 1 }, options)).asList())
    },
  },
  {
    name: 'tells each document of the start as it is when it is read, and none that is gone, does not match any more, or is new',
    async run({ open }) {
      const db = await open()
      await filled(db)
      const seen: number[] = []
      for await (const document of db.iterate('group < 6', { sort: '-n' })) {
        seen.push(document.n)
        if (document.n < 10) equal(document.text, 'changed')
        if (seen.length > 1) continue
        await db.remove('n < 300 and group = 0')
        await db.update({ group: 6 }, 'n < 300 and group = 1')
        await db.update({ text: 'changed' }, 'n < 10')
        await db.update({ n: 5000 }, 'n = 2') // it keeps its place
        await db.insertMany([{ n: 3.5, group: 1 }, { n: 9000, group: 1 }])
      }
      const expected = Array.from({ length: 1500 }, (_, at) => 1499 - at).filter((n) => n % 7 < 6 && (n >= 300 || n % 7 > 1))
      equal(seen, expected.map((n) => (n === 2 ? 5000 : n)))
    },
  },
  {
    name: 'checks its arguments when it is called, and copies them',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ n: 1 }, { n: 2 }])
      throws('invalid', () => db.iterate(undefined as never), /leave it out/)
      throws('invalid', () => db.iterate({ n: undefined }))
      throws('invalid', () => db.iterate({}, { limit: -1 }), /options.limit/)
      throws('invalid', () => db.iterate({}, { sorted: 'n' } as never), /no option sorted/)
      throws('invalid', () => db.iterate({}, { signal: {} as never }), /options.signal/)
      await rejects('invalid', () => db.iterate('n =')[Symbol.asyncIterator]().next())
      await rejects('invalid', () => db.iterate({}, { populate: ['none'] })[Symbol.asyncIterator]().next(), /no relationship/)
      const where = { n: 1 }
      const loop = db.iterate(where)
      where.n = 2
      equal((await all(loop)).map(({ n }) => n), [1])
    },
  },
  {
    name: 'stops where the loop is left, where a signal is aborted, and where the database is closed',
    async run({ open }) {
      const db = await open()
      await filled(db)
      for await (const { n } of db.iterate()) if (n === 3) break
      const steps = db.iterate()
      equal((await steps.next()).value.n, 0)
      equal(await steps.return!(), { done: true, value: undefined })
      equal(await steps.next(), { done: true, value: undefined })

      const controller = new AbortController()
      const reason = new Error('enough')
      let taken = 0
      const thrown = await (async () => {
        for await (const _ of db.iterate({}, { signal: controller.signal })) if (++taken === 5) controller.abort(reason)
      })().catch((error: unknown) => error)
      ok(thrown === reason, `the loop threw ${String(thrown)}`)
      equal(taken, 5)
      ok((await db.iterate({}, { signal: AbortSignal.abort(reason) }).next().catch((error: unknown) => error)) === reason, 'aborted before')
      ok((await db.withSignal(AbortSignal.abort(reason)).iterate().next().catch((error: unknown) => error)) === reason, 'of a database until a signal')

      const late = db.iterate()
      await late.next()
      await db.close()
      await rejects('closed', async () => {
        for await (const _ of { [Symbol.asyncIterator]: () => late });
      })
      await rejects('closed', () => db.iterate().next())
    },
  },
  {
    name: 'iterates in a transaction over what the transaction has done, and may write meanwhile',
    async run({ open }) {
      const db = await open()
      await filled(db, 700)
      await db.transaction(async (tx) => {
        await tx.remove('n >= 600')
        await tx.insert({ n: 1000, group: 0, text })
        for await (const { _id, n } of tx.iterate({ n: { $gte: 300 } })) await tx.update({ n: -n }, { _id })
        equal(await tx.count('n < 0'), 301)
      })
      equal(await db.count('n < 0'), 301)
    },
  },
]
