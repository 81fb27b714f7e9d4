import { gather, same, sameById, sameOrder } from './answers.js'
import { Groups } from './groups.js'
import type { Answer, CityGroup, Database, Library } from './library.js'
import { ages, cities, highestScore, makePeople, type Person } from './people.js'
import { Random } from '../test/random/random.js'

/** What one workload cost one library in one round. */
export interface Figure {
  /** Microseconds for one operation, the mean of `operations` of them. A workload with `unit: 'bytes'` has its bytes here. */
  micros: number
  operations: number
  /** Queries: microseconds of the first call, which may build what later calls reuse. */
  firstMicros?: number
  /** Queries: microseconds of the first call after a document changed. The document is in few of the answers. */
  changedMicros?: number
  /** Queries: microseconds of the first call after a document was added that is in the answer, so that no cached answer is still valid. */
  joinedMicros?: number
}

/** One page's work: a library, its people, and what is open. */
export interface Work {
  readonly library: Library
  /** The documents as plain JavaScript, with which each answer is compared. */
  readonly people: Person[]
  readonly seed: number
  /** A read is repeated for this many milliseconds, so that the clock's steps do not count. */
  readonly budgetMillis: number
  /** The stored database; open from 'insertDurable' on. */
  durable?: Database
  /** The database in memory; open from 'insertMemory' to 'removeMemory'. */
  memory?: Database
  /** Bytes stored and bytes in memory, before the durable database was opened. */
  before?: { stored: number; memory: number }
}

/** One row of the report. */
export interface Workload {
  readonly title: string
  /** True: only for libraries that can hold a database in memory alone. */
  readonly inMemory?: true
  /** True: only for libraries that store what they hold. */
  readonly durable?: true
  /** The figure is bytes. Default: time. */
  readonly unit?: 'bytes'
  run(work: Work): Promise<Figure>
}

const singles = 500
const changedAges = [ages.lowest, ages.lowest + 5] as const // six of sixty: 10 %
const removedAges = [ages.highest - 5, ages.highest] as const
const changedFields = { active: false, bio: 'moved away' }

/** In the order in which a page runs them. The page is loaded again before 'reopen'. */
export const workloads: Record<string, Workload> = {
  open: {
    title: 'open an empty database',
    async run({ library }) {
      const [db, figure] = await timed(() => library.open('empty', true))
      await db.close()
      return figure
    },
  },

  insertMemory: {
    title: 'bulk insert, memory',
    inMemory: true,
    async run(work) {
      const db = (work.memory = await work.library.open('memory', false))
      const people = makePeople(work.people.length, work.seed)
      const [, figure] = await timed(() => db.insertMany(people))
      await holdsAll(db, work.people)
      return figure
    },
  },
  updateMemory: { title: 'update 10 % by query, memory', inMemory: true, run: (work) => update(work.memory!, work.people) },
  removeMemory: {
    title: 'remove 10 % by query, memory',
    inMemory: true,
    async run(work) {
      const figure = await remove(work.memory!, updated(work.people))
      await work.memory!.close()
      delete work.memory
      return figure
    },
  },

  insertDurable: {
    title: 'bulk insert, durable',
    durable: true,
    async run(work) {
      work.before = { stored: await bytesStored(), memory: await bytesInMemory() }
      const db = (work.durable = await work.library.open('durable', true))
      const people = makePeople(work.people.length, work.seed)
      const [, figure] = await timed(() => db.insertMany(people))
      await holdsAll(db, work.people)
      return figure
    },
  },

  stored: {
    title: 'bytes stored',
    durable: true,
    unit: 'bytes',
    run: async ({ before }) => ({ micros: (await bytesStored()) - before!.stored, operations: 1 }),
  },
  memoryUsed: {
    title: 'memory in use',
    unit: 'bytes',
    run: async ({ before }) => ({ micros: (await bytesInMemory()) - before!.memory, operations: 1 }),
  },

  get: read({
    title: 'get by id',
    ask: (db, { _id }: Person) => db.get(_id),
    parameters: (people, random) => Array.from({ length: 64 }, () => random.pick(people)),
    check: (found, person) => sameById(gather(found), [person]),
  }),
  email: read({
    title: 'indexed equality (email)',
    ask: (db, { email }: Person) => db.withEmail(email),
    parameters: (people, random) => Array.from({ length: 64 }, () => random.pick(people)),
    joins: ({ email }) => ({ email }),
    check: (found, { email }, people) => sameById(found, people.filter((p) => p.email === email)),
  }),
  range: read({
    title: 'indexed range of about 100',
    ask: (db, [low, high]: [number, number]) => db.withScore(low, high),
    parameters: (people, random) =>
      Array.from({ length: 16 }, () => {
        const width = (highestScore * 100) / people.length
        const low = random.next() * (highestScore - width)
        return [low, low + width] as [number, number]
      }),
    joins: ([low, high]) => ({ score: Math.round((low + high) * 5e5) / 1e6 }),
    check: (found, [low, high], people) => sameById(found, people.filter((p) => p.score >= low && p.score <= high)),
  }),
  filter: read({
    title: 'filter without index, 1 % match',
    ask: (db, city: string) => db.inCity(city, middleAge),
    parameters: () => cities.slice(0, 6),
    joins: (city) => ({ address: { city, zip: '0001' } }),
    check: (found, city, people) => sameById(found, inCity(people, city)),
  }),
  count: read({
    title: 'count of the same filter',
    ask: (db, city: string) => db.countInCity(city, middleAge),
    parameters: () => cities.slice(6, 12),
    joins: (city) => ({ address: { city, zip: '0001' } }),
    check: (count, city, people) => same(count, inCity(people, city).length),
  }),
  groupBy: read({
    title: 'group by city, with the mean age',
    ask: (db, _: undefined) => db.groupByCity(),
    parameters: () => [undefined],
    joins: () => ({}),
    check: sameGroups,
  }),
  sortIndexed: read({
    title: 'sort by an index, limit 20',
    ask: (db, limit: number) => db.topByScore(limit),
    parameters: () => [20],
    joins: () => ({ score: highestScore }),
    check: (found, limit, people) => sameOrder(found, people, (a, b) => b.score - a.score, limit),
  }),
  sort: read({
    title: 'sort without index, limit 20',
    ask: (db, limit: number) => db.firstByName(limit),
    parameters: () => [20],
    joins: () => ({ name: 'A' }),
    check: (found, limit, people) => sameOrder(found, people, (a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)), limit),
  }),

  insertOneByOne: {
    durable: true,
    title: `durable insert, awaited one by one (each of ${singles})`,
    run: (work) =>
      insertSingly(work, 'oneByOne', async (db, people) => {
        for (const person of people) await db.insert(person)
      }),
  },
  insertConcurrently: {
    durable: true,
    title: `durable insert, concurrent (each of ${singles})`,
    run: (work) => insertSingly(work, 'concurrent', (db, people) => Promise.all(people.map((person) => db.insert(person)))),
  },

  updateDurable: { title: 'update 10 % by query, durable', durable: true, run: (work) => update(work.durable!, work.people) },
  removeDurable: {
    title: 'remove 10 % by query, durable',
    durable: true,
    async run(work) {
      const figure = await remove(work.durable!, updated(work.people))
      await work.durable!.close()
      delete work.durable
      return figure
    },
  },

  reopen: {
    title: 'page reload to first answer',
    durable: true,
    async run(work) {
      // The first of all people are enough: the time to make all of them would count as time to the answer.
      const { email } = makePeople(50, work.seed).find(isKept)!
      const db = (work.durable = await work.library.open('durable', true))
      const found = await db.withEmail(email)
      // performance.now() counts from the start of the navigation.
      const micros = performance.now() * 1_000
      const expected = updated(work.people).filter(isKept)
      sameById(found, expected.filter((p) => p.email === email))
      await holdsAll(db, expected)
      return { micros, operations: 1 }
    },
  },
}

interface Read<P, R> {
  title: string
  ask(db: Database, parameter: P): Answer<R>
  parameters(people: Person[], random: Random): P[]
  /** The fields that put a new person into the answer. Their age is higher than every other. */
  joins?(parameter: P): Partial<Person>
  /** Throws unless `answer` is what plain JavaScript says. */
  check(answer: R, parameter: P, people: Person[]): void
}

/** A workload that asks one query again and again, with changing parameters. */
function read<P, R>({ title, ask, parameters, joins, check }: Read<P, R>): Workload {
  return {
    title,
    async run({ durable, people, seed, budgetMillis }) {
      const db = durable!
      const all = parameters(people, new Random(seed))
      const [answer, first] = await timed(() => ask(db, all[0]!))
      check(answer, all[0]!, people)
      for (const parameter of all) check(await ask(db, parameter), parameter, people)

      /** Milliseconds for so many calls. */
      const ofCalls = async (operations: number) => {
        const start = performance.now()
        for (let n = 0; n < operations; n++) {
          const answer = ask(db, all[n % all.length]!)
          if (answer instanceof Promise || isThenable(answer)) await answer
        }
        return performance.now() - start
      }
      // The garbage is not collected between the change and the query. After a collection every library is slow (200 of
      // AtomicDB's 230 us for an indexed sort), and no page collects all of its garbage before each query.
      let changes = 0
      let changedMillis = 0
      let enough = performance.now() + changesBudget * budgetMillis
      while (changes < minChanges || changes % 2 === 1 || (changes < maxChanges && performance.now() < enough)) {
        await db.setActive(people[0]!._id, people[0]!.active === (changes++ % 2 === 1))
        changedMillis += await ofCalls(all.length)
      }
      let joined = 0
      let joinedMillis = 0
      enough = performance.now() + changesBudget * budgetMillis
      while (joins && (joined < minChanges || (joined < maxChanges && performance.now() < enough))) {
        const parameter = all[joined % all.length]!
        const newcomer: Person = { ...people[1]!, _id: `newcomer ${title} ${joined++}`, email: 'newcomer', age: newcomersAge, ...joins(parameter) }
        await db.insert({ ...newcomer })
        const start = performance.now()
        const answer = await ask(db, parameter)
        joinedMillis += performance.now() - start
        check(answer, parameter, [...people, newcomer])
        same(await db.removeAged(newcomersAge, newcomersAge), 1)
      }
      collectGarbage()
      for (let operations = 1; ; operations *= 2) {
        const millis = await ofCalls(operations)
        if (millis < budgetMillis) continue
        return {
          micros: (millis * 1_000) / operations,
          operations,
          firstMicros: first.micros,
          changedMicros: (changedMillis * 1_000) / (changes * all.length),
          ...(joins && { joinedMicros: (joinedMillis * 1_000) / joined }),
        }
      }
    },
  }
}

// Changes of one document, in pairs: the second undoes the first.
const minChanges = 4
const maxChanges = 64
/** Changes and the queries after them may take this many times `budgetMillis`. */
const changesBudget = 5

const newcomersAge = ages.highest + 1

const middleAge = (ages.lowest + ages.highest + 1) / 2
const inCity = (people: Person[], city: string) => people.filter((p) => p.age >= middleAge && p.address.city === city)

async function insertSingly({ library, seed }: Work, name: string, insert: (db: Database, people: Person[]) => Promise<unknown>): Promise<Figure> {
  const db = await library.open(name, true)
  const people = makePeople(singles, seed + 1)
  const [, { micros }] = await timed(() => insert(db, people))
  await holdsAll(db, makePeople(singles, seed + 1))
  await db.close()
  return { micros: micros / singles, operations: singles }
}

async function update(db: Database, people: Person[]): Promise<Figure> {
  const [count, figure] = await timed(() => db.updateAged(...changedAges, changedFields))
  same(count, people.filter((p) => isAged(p, changedAges)).length)
  await holdsAll(db, updated(people))
  return figure
}

async function remove(db: Database, people: Person[]): Promise<Figure> {
  const [count, figure] = await timed(() => db.removeAged(...removedAges))
  same(count, people.length - people.filter(isKept).length)
  await holdsAll(db, people.filter(isKept))
  return figure
}

function sameGroups(groups: CityGroup[], _: undefined, people: Person[]): void {
  const expected = new Groups()
  for (const p of people) expected.add(p.address.city, p.age)
  const text = (all: CityGroup[]) => all.map(({ city, n, mean }) => `${city} ${n} ${mean.toFixed(9)}`).sort().join()
  if (text(groups) !== text(expected.all())) throw new Error(`wrong groups: ${text(groups)} instead of ${text(expected.all())}`)
}

/** Bytes that the page's origin has stored, as the browser counts them. */
const bytesStored = async () => (await navigator.storage.estimate()).usage ?? 0

/** Bytes that the page and its workers hold: JavaScript's heap and wasm's memories, after a garbage collection. */
async function bytesInMemory(): Promise<number> {
  collectGarbage()
  return (await performance.measureUserAgentSpecificMemory()).bytes
}

const isAged = ({ age }: Person, [low, high]: readonly [number, number]) => age >= low && age <= high
const isKept = (person: Person) => !isAged(person, removedAges)
const updated = (people: Person[]) => people.map((p) => (isAged(p, changedAges) ? { ...p, ...changedFields } : p))

/** Throws unless `db` holds exactly these people. */
async function holdsAll(db: Database, people: Person[]): Promise<void> {
  sameById(await db.withScore(0, highestScore), people)
}

async function timed<R>(work: () => Answer<R>): Promise<[R, Figure]> {
  collectGarbage()
  const start = performance.now()
  const result = await work()
  return [result, { micros: (performance.now() - start) * 1_000, operations: 1 }]
}

declare global {
  interface Performance {
    /** Chromium has it in pages that are cross-origin isolated. */
    measureUserAgentSpecificMemory(): Promise<{ bytes: number }>
  }
}

// Chromium runs with --expose-gc, so that no library pays for another's garbage.
declare const gc: undefined | (() => void)
const collectGarbage = () => gc?.()

// Dexie's promises are of a class of its own.
const isThenable = (answer: unknown) => typeof (answer as { then?: unknown } | undefined)?.then === 'function'
