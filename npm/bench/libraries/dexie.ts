import { Dexie, liveQuery, type Table } from 'dexie'
import type { Database, Library } from '../library.js'
import { Groups } from '../groups.js'
import type { Person } from '../people.js'

/** Dexie: IndexedDB with a good API. Its documents are always in IndexedDB. */
export const library: Library = {
  name: 'Dexie',
  inMemory: false,
  persistent: true,
  live: 'sorted',
  open: opened,
  openInTabs: opened,
}

async function opened(name: string): Promise<Database> {
  const db = new Dexie(name)
  db.version(1).stores({ people: '_id, &email, age, score' })
  await db.open()
  return peopleIn(db, db.table('people'))
}

function peopleIn(db: Dexie, people: Table<Person, string>): Database {
  const withScore = (low: number, high: number) => people.where('score').between(low, high, true, true).toArray()
  const inCity = (city: string, active: boolean) => people.filter((p) => p.active === active && p.address.city === city).toArray()
  return {
    insert: (person) => people.add(person),
    insertMany: (all) => people.bulkAdd(all),
    get: (id) => people.get(id),
    withEmail: (email) => people.where('email').equals(email).toArray(),
    withScore,
    inCity,
    countInCity: (city, active) => people.filter((p) => p.active === active && p.address.city === city).count(),
    groupByCity: async (zip) => {
      const groups = new Groups()
      await people.filter((p) => p.address.zip >= zip).each((p) => groups.add(p.address.city, p.age))
      return groups.all()
    },
    nextByScore: (score, limit) => people.where('score').below(score).reverse().limit(limit).toArray(),
    nextByName: async (name, limit) => (await people.filter((p) => p.name >= name).sortBy('name')).slice(0, limit),
    setActive: (id, active) => people.update(id, { active }),
    updateAged: (low, high, fields) => people.where('age').between(low, high, true, true).modify(fields),
    removeAged: (low, high) => people.where('age').between(low, high, true, true).delete(),
    close: () => db.close(),
    live: {
      inCity: (city, active, told) => liveQuery(() => inCity(city, active)).subscribe(told),
      withScore: (low, high, told) => liveQuery(() => withScore(low, high)).subscribe(told),
      byScore: (told) => liveQuery(() => people.orderBy('score').toArray()).subscribe(told),
    },
  }
}
