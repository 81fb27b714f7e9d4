import Loki, { type Collection } from 'lokijs'
import IncrementalIndexedDBAdapter from 'lokijs/src/incremental-indexeddb-adapter.js'
import { gather } from '../answers.js'
import type { Database, Library, Told } from '../library.js'
import { Groups } from '../groups.js'
import type { Person } from '../people.js'

/**
 * LokiJS: plain objects in memory, handed out as they are. A write is durable
 * after saveDatabase(); its incremental adapter stores only the chunks of 100
 * documents that changed. Its by() looks up a unique field, as ids and emails are.
 */
export const library: Library = {
  name: 'LokiJS',
  inMemory: true,
  persistent: true,
  live: 'unsorted',
  async open(name, durable) {
    const adapter = durable ? new IncrementalIndexedDBAdapter() : new Loki.LokiMemoryAdapter()
    const loki = new Loki(name, { adapter })
    if (durable) await called((done) => loki.loadDatabase({}, done))
    const people =
      loki.getCollection<Person>('people') ?? loki.addCollection<Person>('people', { unique: ['_id', 'email'], indices: ['age', 'score'] })
    return peopleIn(loki, people, durable)
  },
}

function peopleIn(loki: Loki, people: Collection<Person>, durable: boolean): Database {
  // Calls while a save is under way share the next save (throttledSaves, its default).
  const stored = () => (durable ? called((done) => loki.saveDatabase(done)) : undefined)
  const aged = (low: number, high: number) => people.chain().find({ age: { $between: [low, high] } })

  const tell = (condition: object, told: Told) => {
    const view = people.addDynamicView(`view ${JSON.stringify(condition)}`)
    view.applyFind(condition)
    view.on('rebuild', () => told(view.data()))
    told(view.data())
  }

  return {
    insert(person) {
      people.insert(person)
      return stored()
    },
    insertMany(all) {
      people.insert(all)
      return stored()
    },
    get: (id) => people.by('_id', id),
    withEmail: (email) => gather(people.by('email', email)),
    withScore: (low, high) => people.find({ score: { $between: [low, high] } }),
    inCity: (city, active) => people.find({ active, 'address.city': city }),
    countInCity: (city, active) => people.count({ active, 'address.city': city }),
    groupByCity: (zip) => {
      const groups = new Groups()
      for (const { address, age } of people.find({ 'address.zip': { $gte: zip } })) groups.add(address.city, age)
      return groups.all()
    },
    nextByScore: (score, limit) => people.chain().find({ score: { $lt: score } }).simplesort('score', { desc: true }).limit(limit).data(),
    nextByName: (name, limit) => people.chain().find({ name: { $gte: name } }).simplesort('name').limit(limit).data(),
    setActive(id, active) {
      people.update(Object.assign(people.by('_id', id)!, { active }))
      return stored()
    },
    updateAged(low, high, fields) {
      const found = aged(low, high)
      const count = found.count()
      found.update((person) => void Object.assign(person, fields))
      return after(stored(), count)
    },
    removeAged(low, high) {
      const found = aged(low, high)
      const count = found.count()
      found.remove()
      return after(stored(), count)
    },
    close: () => called((done) => loki.close(done)),
    live: {
      inCity: (city, active, told) => tell({ active, 'address.city': city }, told),
      withScore: (low, high, told) => tell({ score: { $between: [low, high] } }, told),
    },
  }
}

const after = (stored: Promise<void> | undefined, count: number) => stored?.then(() => count) ?? count

function called(call: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())))
}
