import { AtomicDB } from '../../dist/index.js'
import type { Database, Library } from '../library.js'
import type { Person } from '../people.js'

/** AtomicDB, as README introduces it. */
export const library: Library = {
  name: 'AtomicDB',
  inMemory: true,
  persistent: true,
  async open(name, durable) {
    const db = await AtomicDB.open(name, { inMemory: !durable })
    await db.createIndex('email')
    await db.createIndex('score')
    return peopleIn(db)
  },
}

function peopleIn(db: AtomicDB): Database {
  const q = db.query<Person>()
  return {
    insert: (person) => db.insert(person),
    insertMany: (people) => db.insertMany(people),
    get: (id) => db.get<Person>(id) as Promise<Person | undefined>,
    withEmail: (email) => found(db.find<Person>({ email })),
    withScore: (low, high) => found(db.search<Person>(q.score.between(low, high))),
    inCity: (city, age) => found(db.find<Person>({ age: { $gte: age }, 'address.city': city })),
    countInCity: (city, age) => db.count(q.age.gte(age).and(q.address.city.eq(city))),
    groupByCity: async () => {
      const rows = await db.aggregate<{ address: { city: string }; n: number; mean: number }>(averageAge)
      return rows.map(({ address: { city }, n, mean }) => ({ city, n, mean }))
    },
    topByScore: (limit) => found(db.search<Person>(undefined, { sort: '-score', limit })),
    firstByName: (limit) => found(db.search<Person>(undefined, { sort: 'name', limit })),
    setActive: (id, active) => db.update({ active }, q._id.eq(id)),
    updateAged: (low, high, fields) => db.update(fields, q.age.between(low, high)),
    removeAged: (low, high) => db.remove(q.age.between(low, high)),
    close: () => db.close(),
  }
}

const averageAge = { groupBy: 'address.city', select: { n: { $count: true }, mean: { $avg: 'age' } } }

// An id of a person is a string, which Stored<Person> does not know.
const found = (result: Promise<unknown>) => result as Promise<Person[]>
