import { addRxPlugin, createRxDatabase, type RxCollection, type RxDatabase, type RxDocument, type RxStorage } from 'rxdb/plugins/core'
import { RxDBUpdatePlugin } from 'rxdb/plugins/update'
import { Groups } from '../groups.js'
import type { Database } from '../library.js'
import { highestScore, type Person } from '../people.js'

addRxPlugin(RxDBUpdatePlugin)

/** RxDB over a storage, as its documentation sets it up. It has no unique indexes. Indexed strings need a maximal length, indexed numbers a range. */
export async function openPeople(name: string, storage: RxStorage<any, any>, multiInstance = false): Promise<Database> {
  const db = await createRxDatabase({ name, storage, multiInstance, eventReduce: true })
  const { people } = await db.addCollections({ people: { schema } })
  return peopleIn(db, people as RxCollection<Person>)
}

const schema = {
  version: 0,
  primaryKey: '_id',
  type: 'object',
  properties: {
    _id: { type: 'string', maxLength: 24 },
    name: { type: 'string' },
    age: { type: 'number', minimum: 0, maximum: 200, multipleOf: 1 },
    email: { type: 'string', maxLength: 60 },
    active: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' } },
    address: { type: 'object', properties: { city: { type: 'string' }, zip: { type: 'string' } } },
    score: { type: 'number', minimum: 0, maximum: highestScore, multipleOf: 0.000001 },
    bio: { type: 'string' },
  },
  required: ['_id', 'email', 'age', 'score'],
  indexes: ['email', 'age', 'score'],
} as const

function peopleIn(db: RxDatabase, people: RxCollection<Person>): Database {
  const plain = (documents: RxDocument<Person>[]) => documents.map((d) => d.toJSON() as Person)
  const aged = (low: number, high: number) => people.find({ selector: { age: { $gte: low, $lte: high } } })
  const lives = (city: string, active: boolean) => ({ selector: { active, 'address.city': city } })
  return {
    insert: (person) => people.insert(person),
    insertMany: async (all) => {
      const { error } = await people.bulkInsert(all)
      if (error.length > 0) throw new Error(`${error.length} were refused`)
    },
    get: async (id) => (await people.findOne(id).exec())?.toJSON() as Person | undefined,
    withEmail: async (email) => plain(await people.find({ selector: { email } }).exec()),
    withScore: async (low, high) => plain(await people.find({ selector: { score: { $gte: low, $lte: high } } }).exec()),
    inCity: async (city, active) => plain(await people.find(lives(city, active)).exec()),
    // count() refuses a query that no index answers entirely.
    countInCity: async (city, active) => (await people.find(lives(city, active)).exec()).length,
    groupByCity: async (zip) => {
      const groups = new Groups()
      for (const p of await people.find({ selector: { 'address.zip': { $gte: zip } } }).exec()) groups.add(p.address.city, p.age)
      return groups.all()
    },
    nextByScore: async (score, limit) => plain(await people.find({ selector: { score: { $lt: score } }, sort: [{ score: 'desc' }], limit }).exec()),
    nextByName: async (name, limit) => plain(await people.find({ selector: { name: { $gte: name } }, sort: [{ name: 'asc' }], limit }).exec()),
    setActive: async (id, active) => (await people.findOne(id).exec())!.incrementalPatch({ active }),
    updateAged: async (low, high, fields) => ((await aged(low, high).update({ $set: fields })) as unknown as unknown[]).length,
    removeAged: async (low, high) => ((await aged(low, high).remove()) as unknown as unknown[]).length,
    close: () => db.close(),
    live: {
      inCity: (city, active, told) => people.find(lives(city, active)).$.subscribe((found) => told(plain(found))),
      withScore: (low, high, told) => people.find({ selector: { score: { $gte: low, $lte: high } } }).$.subscribe((found) => told(plain(found))),
      byScore: (told) => people.find({ sort: [{ score: 'asc' }] }).$.subscribe((found) => told(plain(found))),
    },
  }
}
