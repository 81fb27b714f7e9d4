import Datastore from '@seald-io/nedb'
import { Groups } from '../groups.js'
import type { Library } from '../library.js'
import type { Person } from '../people.js'

/** NeDB: in memory, with an append-only file that localforage keeps in IndexedDB. */
export const library: Library = {
  name: 'NeDB',
  inMemory: true,
  persistent: true,
  async open(name, durable) {
    const db = new Datastore<Person>(durable ? { filename: name } : { inMemoryOnly: true })
    await db.loadDatabaseAsync()
    await db.ensureIndexAsync({ fieldName: 'email', unique: true })
    for (const fieldName of ['age', 'score']) await db.ensureIndexAsync({ fieldName })
    const lives = (city: string, active: boolean) => ({ active, 'address.city': city })
    const aged = (low: number, high: number) => ({ age: { $gte: low, $lte: high } })
    return {
      insert: (person) => db.insertAsync(person),
      insertMany: (people) => db.insertAsync(people),
      get: async (_id) => (await db.findOneAsync({ _id })) ?? undefined,
      withEmail: (email) => db.findAsync({ email }),
      withScore: (low, high) => db.findAsync({ score: { $gte: low, $lte: high } }),
      inCity: (city, active) => db.findAsync(lives(city, active)),
      countInCity: (city, active) => db.countAsync(lives(city, active)),
      groupByCity: async (zip) => {
        const groups = new Groups()
        for (const p of await db.findAsync({ 'address.zip': { $gte: zip } })) groups.add(p.address.city, p.age)
        return groups.all()
      },
      nextByScore: (score, limit) => db.findAsync({ score: { $lt: score } }).sort({ score: -1 }).limit(limit),
      nextByName: (name, limit) => db.findAsync({ name: { $gte: name } }).sort({ name: 1 }).limit(limit),
      setActive: (_id, active) => db.updateAsync({ _id }, { $set: { active } }, { multi: false }),
      updateAged: async (low, high, fields) => (await db.updateAsync(aged(low, high), { $set: fields }, { multi: true })).numAffected,
      removeAged: (low, high) => db.removeAsync(aged(low, high), { multi: true }),
      close: () => {},
    }
  },
}
