import PouchDB from 'pouchdb-browser'
import PouchFind from 'pouchdb-find'
import { Groups } from '../groups.js'
import type { Database, Library } from '../library.js'
import type { Person } from '../people.js'

PouchDB.plugin(PouchFind)

/** PouchDB with its find plugin, in IndexedDB. An index is built by the first query that uses it. */
export const library: Library = {
  name: 'PouchDB',
  inMemory: false,
  persistent: true,
  async open(name) {
    const db = new PouchDB(name, { auto_compaction: true })
    for (const field of ['email', 'age', 'score']) await db.createIndex({ index: { fields: [field] } })
    return peopleIn(db)
  },
}

function peopleIn(db: InstanceType<typeof PouchDB>): Database {
  // Without a limit, find() stops at 25.
  const found = async (selector: object): Promise<Person[]> => (await db.find({ selector, limit: 2 ** 31 })).docs
  const aged = (low: number, high: number) => found({ age: { $gte: low, $lte: high } })
  // PouchDB keeps the definitions of indexes as documents; their ids start with _design.
  const all = async () => (await db.allDocs({ include_docs: true })).rows.filter(({ id }) => !id.startsWith('_')).map(({ doc }) => doc as Person)
  return {
    insert: (person) => db.put(person),
    insertMany: (people) => db.bulkDocs(people),
    get: (id) => db.get(id),
    withEmail: (email) => found({ email }),
    withScore: (low, high) => found({ score: { $gte: low, $lte: high } }),
    inCity: (city, active) => found({ active, 'address.city': city }),
    countInCity: async (city, active) => (await found({ active, 'address.city': city })).length,
    groupByCity: async (zip) => {
      const groups = new Groups()
      for (const p of await all()) if (p.address.zip >= zip) groups.add(p.address.city, p.age)
      return groups.all()
    },
    nextByScore: async (score, limit) => (await db.find({ selector: { score: { $lt: score } }, sort: [{ score: 'desc' }], limit })).docs,
    // find() sorts by indexed fields only.
    nextByName: async (name, limit) => (await all()).filter((p) => p.name >= name).sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name))).slice(0, limit),
    setActive: async (id, active) => db.put({ ...(await db.get(id)), active }),
    updateAged: async (low, high, fields) => (await db.bulkDocs((await aged(low, high)).map((p) => ({ ...p, ...fields })))).length,
    removeAged: async (low, high) => (await db.bulkDocs((await aged(low, high)).map((p) => ({ ...p, _deleted: true })))).length,
    close: () => db.close(),
  }
}
