import { AtomicDB, type LiveQuery, type OpenOptions } from '../../dist/index.js'
import type { Database, Library, Told } from '../library.js'
import type { Person } from '../people.js'

/** AtomicDB, as README introduces it. */
export const library: Library = {
  name: 'AtomicDB',
  inMemory: true,
  persistent: true,
  live: 'sorted',
  open: (name, durable) => opened(name, { inMemory: !durable }),
  openInTabs: (name) => opened(name),
  openShared: (name) => opened(name, { worker: 'shared' }),
}

async function opened(name: string, options?: OpenOptions): Promise<Database> {
  const db = await AtomicDB.open(name, options)
  await db.createIndex('email', { unique: true })
  await db.createIndex('age')
  await db.createIndex('score')
  return peopleIn(db)
}

function peopleIn(db: AtomicDB): Database {
  const q = db.query<Person>()
  return {
    insert: (person) => db.insert(person),
    insertMany: (people) => db.insertMany(people),
    get: (id) => db.get<Person>(id) as Promise<Person | undefined>,
    withEmail: (email) => found(db.find<Person>({ email })),
    withScore: (low, high) => found(db.search<Person>(q.score.between(low, high))),
    inCity: (city, active) => found(db.find<Person>({ active, 'address.city': city })),
    countInCity: (city, active) => db.count(q.active.eq(active).and(q.address.city.eq(city))),
    groupByCity: async (zip) => {
      const rows = await db.aggregate<{ address: { city: string }; n: number; mean: number }>({ where: q.address.zip.gte(zip), ...averageAge })
      return rows.map(({ address: { city }, n, mean }) => ({ city, n, mean }))
    },
    nextByScore: (score, limit) => found(db.search<Person>(q.score.lt(score), { sort: '-score', limit })),
    nextByName: (name, limit) => found(db.search<Person>(q.name.gte(name), { sort: 'name', limit })),
    setActive: (id, active) => db.update({ active }, q._id.eq(id)),
    updateAged: (low, high, fields) => db.update(fields, q.age.between(low, high)),
    removeAged: (low, high) => db.remove(q.age.between(low, high)),
    close: () => db.close(),
    live: {
      inCity: (city, active, told) => tell(db.live<Person>({ active, 'address.city': city }), told),
      withScore: (low, high, told) => tell(db.live<Person>(q.score.between(low, high)), told),
      byScore: (told) => tell(db.live<Person>('true', { sort: 'score' }), told),
    },
  }
}

const averageAge = { groupBy: 'address.city', select: { n: { $count: true }, mean: { $avg: 'age' } } }

const tell = (query: LiveQuery<Person>, told: Told) => query.subscribe((result) => told(result as unknown as Person[]))

// An id of a person is a string, which Stored<Person> does not know.
const found = (result: Promise<unknown>) => result as Promise<Person[]>
