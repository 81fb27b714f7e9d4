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
  /** Questions asked once: microseconds of the first, which may build what later ones use. It is one of those in `micros`. */
  firstMicros?: number
  /** Questions asked again: microseconds of the first call after a document changed. The document is in few of the answers. */
  changedMicros?: number
  /** Questions asked again: microseconds of the first call after a document was added that is in the answer, so that no cached answer is still valid. */
  joinedMicros?: number
}

/** One page's work: a library, its people, and what is open. */
export interface Work {
  readonly library: Library
  /** The documents as plain JavaScript, with which each answer is compared. */
  readonly people: Person[]
  readonly seed: number
  /** Questions are asked again for this many milliseconds, so that the clock's steps do not count. */
  readonly againMillis: number
  /** No further question is asked once after this many milliseconds. */
  readonly onceMillis: number
  /** The database that this page has opened, which is closed before the page is. */
  db?: Database
  /** Bytes stored and bytes in memory, before the database was opened. */
  before?: { stored: number; memory: number }
}

/** One row of the report. */
export interface Workload {
  readonly title: string
  /** True: only for libraries that can hold a database in memory alone. */
  readonly inMemory?: true
  /** True: only for libraries that store what they hold. */
  readonly durable?: true
  /** True: runs in the page of the workload before it. Default: in a page of its own, in a new process. */
  readonly samePage?: true
  /** True: asks questions that were asked just before. */
  readonly again?: true
  /** What a library needs to have, beside that. */
  readonly needs?: 'live' | 'liveSorted' | 'tabs' | 'secondTab' | 'shared'
  /** The figure is bytes. Default: time. */
  readonly unit?: 'bytes'
  run(work: Work): Promise<Figure>
}

/** A row of questions has no more. */
export const onceQuestions = 2_000
const singles = 500
const changedAges = [ages.lowest, ages.lowest + 5] as const // six of sixty: 10 %
const removedAges = [ages.highest - 5, ages.highest] as const
const changedFields = { active: false, bio: 'moved away' }
const pageSize = 20

/**
 * In the order in which they run. Each has a new page, except `samePage`. The
 * page of a question opens the database that 'insertDurable' has stored; a
 * library that stores nothing gets all documents again.
 */
export const workloads: Record<string, Workload> = {
  open: {
    title: 'open an empty database',
    async run(work) {
      const [db, figure] = await timed(() => work.library.open('empty', true))
      work.db = db
      return figure
    },
  },

  insertMemory: {
    title: 'bulk insert, memory',
    inMemory: true,
    run: (work) => insertAll(work, 'memory', false),
  },
  updateMemory: {
    title: 'update 10 % by an indexed range, memory',
    inMemory: true,
    async run(work) {
      return update(await filled(work), work.people)
    },
  },
  removeMemory: {
    title: 'remove 10 % by an indexed range, memory',
    inMemory: true,
    async run(work) {
      return remove(await filled(work), work.people)
    },
  },

  insertDurable: {
    title: 'bulk insert, durable',
    durable: true,
    async run(work) {
      work.before = { stored: await bytesStored(), memory: await bytesInMemory() }
      return insertAll(work, 'durable', true)
    },
  },
  stored: {
    title: 'bytes stored',
    durable: true,
    samePage: true,
    unit: 'bytes',
    run: async ({ before }) => ({ micros: (await bytesStored()) - before!.stored, operations: 1 }),
  },
  memoryUsed: {
    title: 'memory in use after a bulk insert',
    samePage: true,
    unit: 'bytes',
    run: async ({ before }) => ({ micros: (await bytesInMemory()) - before!.memory, operations: 1 }),
  },

  ...questions('get', {
    title: 'get by id',
    ask: (db, { _id }: Person) => db.get(_id),
    parameters: (people, random) => shuffled(people, random).slice(0, onceQuestions),
    again: 64,
    check: (found, person, people) => sameById(gather(found), people.filter((p) => p._id === person._id)),
  }),
  ...questions('email', {
    title: 'lookup by an indexed unique email',
    ask: (db, { email }: Person) => db.withEmail(email),
    parameters: (people, random) => shuffled(people, random).slice(0, onceQuestions),
    again: 64,
    // One at a time: the index is unique.
    joins: ({ email }) => ({ email: `${email}.au` }),
    asked: (person) => ({ ...person, email: `${person.email}.au` }),
    check: (found, { email }, people) => sameById(found, people.filter((p) => p.email === email)),
  }),
  ...questions('range', {
    title: 'indexed range of about 100',
    ask: (db, [low, high]: [number, number]) => db.withScore(low, high),
    parameters: (people, random) =>
      Array.from({ length: 500 }, () => {
        const width = (highestScore * 100) / people.length
        const low = random.next() * (highestScore - width)
        return [low, low + width] as [number, number]
      }),
    again: 16,
    joins: ([low, high]) => ({ score: Math.round((low + high) * 5e5) / 1e6 }),
    check: (found, [low, high], people) => sameById(found, people.filter((p) => p.score >= low && p.score <= high)),
  }),
  ...questions('filter', {
    title: 'filter without index, 1 % match',
    ask: (db, { city, active }: Half) => db.inCity(city, active),
    parameters: (_, random) => shuffled(halves, random),
    again: 6,
    joins: ({ city, active }) => ({ active, address: { city, zip: '0001' } }),
    check: (found, half, people) => sameById(found, inHalf(people, half)),
  }),
  ...questions('count', {
    title: 'count of the same filter',
    ask: (db, { city, active }: Half) => db.countInCity(city, active),
    parameters: (_, random) => shuffled(halves, random),
    again: 6,
    joins: ({ city, active }) => ({ active, address: { city, zip: '0001' } }),
    check: (count, half, people) => same(count, inHalf(people, half).length),
  }),
  ...questions('groupBy', {
    title: 'group by city with the mean age, 80 to 100 % match',
    ask: (db, zip: string) => db.groupByCity(zip),
    parameters: (_, random) => shuffled(Array.from({ length: 20 }, (_, n) => String(10_000 + 900 * n)), random),
    again: 1,
    joins: () => ({ address: { city: cities[0]!, zip: '99999' } }),
    check: (groups, zip, people) => sameGroups(groups, people.filter((p) => p.address.zip >= zip)),
  }),
  ...questions('sortIndexed', {
    title: `next ${pageSize} by an index, from anywhere in it`,
    ask: (db, score: number) => db.nextByScore(score, pageSize),
    parameters: (_, random) => Array.from({ length: 500 }, () => random.int(1_000, highestScore * 1e6) / 1e6),
    again: 16,
    joins: (score) => ({ score: Math.round(score * 1e6 - 1) / 1e6 }),
    check: (found, score, people) => sameOrder(found, people.filter((p) => p.score < score), (a, b) => b.score - a.score, pageSize),
  }),
  ...questions('sort', {
    title: `next ${pageSize} sorted without index, from anywhere`,
    ask: (db, name: string) => db.nextByName(name, pageSize),
    parameters: (people, random) => [...new Set(shuffled(people, random).slice(0, 100).map(({ name }) => name))],
    again: 6,
    joins: (name) => ({ name }),
    check: (found, name, people) => sameOrder(found, people.filter((p) => p.name >= name), (a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)), pageSize),
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

  updateDurable: {
    title: 'update 10 % by an indexed range, durable',
    durable: true,
    async run(work) {
      return update(await filled(work, true), work.people)
    },
  },
  removeDurable: {
    title: 'remove 10 % by an indexed range, durable',
    durable: true,
    async run(work) {
      return remove(await filled(work, true), updated(work.people))
    },
  },

  // The page is loaded twice, and the second time counts.
  reopen: {
    title: 'page reload to first answer',
    durable: true,
    async run(work) {
      // The first of all people are enough: the time to make all of them would count as time to the answer.
      const { email } = makePeople(50, work.seed).find(isKept)!
      const db = (work.db = await work.library.open('durable', true))
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

interface Questions<P, R> {
  title: string
  ask(db: Database, parameter: P): Answer<R>
  /** Each is asked once. No two are the same. */
  parameters(people: Person[], random: Random): P[]
  /** How many of them are asked again. */
  again: number
  /** The fields that put a new person into the answer of `asked`. Their age is higher than every other. */
  joins?(parameter: P): Partial<Person>
  /** What is asked after that. Default: the parameter itself. */
  asked?(parameter: P): P
  /** Throws unless `answer` is what plain JavaScript says. */
  check(answer: R, parameter: P, people: Person[]): void
}

/** Two rows: questions that are each asked once, in a new page, and some of them asked again after that. */
function questions<P, R>(name: string, { title, ask, parameters, again, joins, asked, check }: Questions<P, R>): Record<string, Workload> {
  let last: P[] = [] // of those that were asked once

  /** Asks each question in turn, and checks each answer while the clock stands. */
  async function askAll(db: Database, all: readonly P[], people: Person[], maxMillis = Infinity) {
    let millis = 0
    let firstMillis = 0
    let operations = 0
    // Several between two looks at the clock, whose steps are 5 microseconds, as long as they are fast.
    for (let atOnce = 1; operations < all.length && millis < maxMillis; ) {
      const some = all.slice(operations, operations + atOnce)
      const answers: R[] = []
      const start = performance.now()
      for (const parameter of some) {
        const answer = ask(db, parameter)
        answers.push(isThenable(answer) ? await answer : answer)
      }
      const taken = performance.now() - start
      for (const [n, answer] of answers.entries()) check(answer, some[n]!, people)
      if (operations === 0) firstMillis = taken
      millis += taken
      operations += some.length
      atOnce = taken < 2 ? Math.min(64, 2 * atOnce) : Math.max(1, atOnce >> 1)
    }
    return { millis, firstMillis, operations }
  }

  /** Microseconds for a call when nothing changes. No answer is looked at, since that takes longer than many calls. */
  async function unchanged(db: Database, all: readonly P[], againMillis: number) {
    for (let operations = all.length; ; operations *= 2) {
      const start = performance.now()
      for (let n = 0; n < operations; n++) {
        const answer = ask(db, all[n % all.length]!)
        if (isThenable(answer)) await answer
      }
      const millis = performance.now() - start
      if (millis >= againMillis) return { micros: (millis * 1_000) / operations, operations }
    }
  }

  return {
    [name]: {
      title,
      async run(work) {
        const all = parameters(work.people, new Random(work.seed))
        const db = await filled(work, true)
        collectGarbage()
        const { millis, firstMillis, operations } = await askAll(db, all, work.people, work.onceMillis)
        last = all.slice(Math.max(0, operations - again), operations)
        return { micros: (millis * 1_000) / operations, operations, firstMicros: firstMillis * 1_000 }
      },
    },

    [`${name}Again`]: {
      title: `${title}, asked again`,
      samePage: true,
      again: true,
      async run({ db: opened, people: all, againMillis }) {
        const db = opened!
        // The garbage is not collected between the change and the query. After a collection every library is slow (200 of
        // AtomicDB's 230 us for an indexed sort), and no page collects all of its garbage before each query.
        const people = [{ ...all[0]! }, ...all.slice(1)]
        let changes = 0
        let changed = 0
        let changedMillis = 0
        let enough = performance.now() + changesBudget * againMillis
        while (changes < minChanges || changes % 2 === 1 || (changes < maxChanges && performance.now() < enough)) {
          changes++
          people[0]!.active = !people[0]!.active
          await db.setActive(people[0]!._id, people[0]!.active)
          const { millis, operations } = await askAll(db, last, people)
          changedMillis += millis
          changed += operations
        }

        let joined = 0
        let joinedMillis = 0
        enough = performance.now() + changesBudget * againMillis
        while (joins && (joined < minChanges || (joined < maxChanges && performance.now() < enough))) {
          const parameter = last[joined % last.length]!
          const newcomer: Person = { ...people[1]!, _id: `newcomer ${name} ${joined++}`, email: 'newcomer', age: newcomersAge, ...joins(parameter) }
          const about = asked?.(parameter) ?? parameter
          check(await ask(db, about), about, people) // so that an answer without the newcomer can be kept
          await db.insert({ ...newcomer })
          joinedMillis += (await askAll(db, [about], [...people, newcomer])).millis
          same(await db.removeAged(newcomersAge, newcomersAge), 1)
        }

        await askAll(db, last, people)
        collectGarbage()
        const figure = await unchanged(db, last, againMillis)
        await askAll(db, last, people)
        return { ...figure, changedMicros: (changedMillis * 1_000) / changed, ...(joins && { joinedMicros: (joinedMillis * 1_000) / joined }) }
      },
    },
  }
}

// Changes of one document, in pairs: the second undoes the first.
const minChanges = 4
const maxChanges = 64
/** Changes and the queries after them may take this many times `againMillis`, and what is begun is ended. */
const changesBudget = 3

const newcomersAge = ages.highest + 1

/** The active people of a city, or the others: one percent of all. */
export interface Half {
  city: string
  active: boolean
}
export const halves: readonly Half[] = cities.flatMap((city) => [true, false].map((active) => ({ city, active })))
export const inHalf = (people: Person[], half: Half) => people.filter((p) => p.active === half.active && p.address.city === half.city)

/** All of them, in an order that the seed decides (Fisher and Yates). */
function shuffled<T>(all: readonly T[], random: Random): T[] {
  const result = [...all]
  for (let n = result.length - 1; n > 0; n--) {
    const other = random.int(0, n)
    ;[result[n], result[other]] = [result[other]!, result[n]!]
  }
  return result
}

/** Opens this page's database. It holds all people: those that an earlier page has stored, if `stored` and the library can. */
export async function filled(work: Work, stored = false): Promise<Database> {
  const { library, people, seed } = work
  const isStored = stored && library.persistent
  const db = (work.db = await library.open(isStored ? 'durable' : 'memory', isStored))
  if (!isStored) await db.insertMany(makePeople(people.length, seed))
  return db
}

async function insertAll(work: Work, name: string, durable: boolean): Promise<Figure> {
  const db = (work.db = await work.library.open(name, durable))
  const people = makePeople(work.people.length, work.seed)
  const [, figure] = await timed(() => db.insertMany(people))
  await holdsAll(db, work.people)
  return figure
}

async function insertSingly(work: Work, name: string, insert: (db: Database, people: Person[]) => Promise<unknown>): Promise<Figure> {
  const db = (work.db = await work.library.open(name, true))
  const people = makePeople(singles, work.seed + 1)
  const [, { micros }] = await timed(() => insert(db, people))
  await holdsAll(db, makePeople(singles, work.seed + 1))
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

function sameGroups(groups: CityGroup[], people: Person[]): void {
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
export const isKept = (person: Person) => !isAged(person, removedAges)
export const updated = (people: Person[]) => people.map((p) => (isAged(p, changedAges) ? { ...p, ...changedFields } : p))

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
const isThenable = <T>(answer: Answer<T>): answer is Promise<T> => answer instanceof Promise || typeof (answer as { then?: unknown } | undefined)?.then === 'function'
