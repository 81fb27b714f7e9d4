import { Collection, createIndex, type PersistenceAdapter } from '@signaldb/core'
import adapter from '@signaldb/indexeddb'
import { Groups } from '../groups.js'
import type { Library, Told } from '../library.js'
import type { Person } from '../people.js'

// Its declarations describe the default export as CommonJS; it is that of an ES module.
const createIndexedDBAdapter = adapter as unknown as (name: string) => PersistenceAdapter<Item, string>

type Item = Omit<Person, '_id'> & { id: string }

/** SignalDB: a collection in memory. Its IndexedDB adapter hears of writes, and says when it has stored them. */
export const library: Library = {
  name: 'SignalDB',
  inMemory: true,
  persistent: true,
  live: 'sorted',
  async open(name, durable) {
    const people = new Collection<Item>({
      ...(durable ? { persistence: createIndexedDBAdapter(name) } : {}),
      indices: [createIndex('email'), createIndex('age'), createIndex('score')],
    })
    if (durable) await people.isReady()
    const found = (selector: object, options: object = {}) => people.find(selector as any, { reactive: false, ...options }).fetch().map(fromItem)
    const tell = (selector: object, told: Told, options: object = {}) => {
      const cursor = people.find(selector as any, { reactive: false, ...options })
      const give = () => told(cursor.fetch().map(fromItem))
      give()
      cursor.observeChanges({ added: give, changed: give, removed: give, movedBefore: give }, true)
    }
    const lives = (city: string, active: boolean) => ({ active, 'address.city': city })
    const aged = (low: number, high: number) => ({ age: { $gte: low, $lte: high } })
    // A write of many is stored in two parts, the first of one document, so 'transmitted' comes too soon.
    let storing: Promise<void> | undefined
    const stored = () => {
      if (!durable) return undefined
      return (storing ??= new Promise<void>((resolve, reject) => {
        people.once('persistence.error', reject)
        people.once('persistence.pushCompleted', () => {
          storing = undefined
          resolve()
        })
      }))
    }
    return {
      insert: (person) => {
        const done = stored()
        people.insert(toItem(person))
        return done
      },
      insertMany: (all) => {
        const done = stored()
        people.insertMany(all.map(toItem))
        return done
      },
      get: (id) => {
        const item = people.findOne({ id } as any, { reactive: false })
        return item && fromItem(item)
      },
      withEmail: (email) => found({ email }),
      withScore: (low, high) => found({ score: { $gte: low, $lte: high } }),
      inCity: (city, active) => found(lives(city, active)),
      countInCity: (city, active) => people.find(lives(city, active) as any, { reactive: false }).count(),
      groupByCity: (zip) => {
        const groups = new Groups()
        people.find({ 'address.zip': { $gte: zip } } as any, { reactive: false }).forEach((p) => groups.add(p.address.city, p.age))
        return groups.all()
      },
      nextByScore: (score, limit) => found({ score: { $lt: score } }, { sort: { score: -1 }, limit }),
      nextByName: (name, limit) => found({ name: { $gte: name } }, { sort: { name: 1 }, limit }),
      setActive: (id, active) => {
        const done = stored()
        people.updateOne({ id } as any, { $set: { active } })
        return done
      },
      updateAged: async (low, high, fields) => {
        const done = stored()
        const count = people.updateMany(aged(low, high) as any, { $set: fields })
        await done
        return count
      },
      removeAged: async (low, high) => {
        const done = stored()
        const count = people.removeMany(aged(low, high) as any)
        await done
        return count
      },
      close: () => people.dispose(),
      live: {
        inCity: (city, active, told) => tell(lives(city, active), told),
        withScore: (low, high, told) => tell({ score: { $gte: low, $lte: high } }, told),
        byScore: (told) => tell({}, told, { sort: { score: 1 } }),
      },
    }
  },
}

const toItem = ({ _id, ...rest }: Person): Item => ({ id: _id, ...rest })
const fromItem = ({ id, ...rest }: Item): Person => ({ _id: id, ...rest })
