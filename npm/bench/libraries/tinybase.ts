import { createIndexes, createStore, type Row } from 'tinybase'
import { createIndexedDbPersister } from 'tinybase/persisters/persister-indexed-db'
import { Groups } from '../groups.js'
import type { Library } from '../library.js'
import type { Person } from '../people.js'

/**
 * TinyBase: tables of cells in memory. Nested fields are cells of their own,
 * tags are JSON. It has no range queries: here they walk the table. A write is
 * durable after save() of its IndexedDB persister, which stores everything.
 */
export const library: Library = {
  name: 'TinyBase',
  inMemory: true,
  persistent: true,
  async open(name, durable) {
    const store = createStore()
    const indexes = createIndexes(store).setIndexDefinition('email', 'people', 'email')
    const persister = durable ? createIndexedDbPersister(store, name) : undefined
    await persister?.load()
    const person = (id: string) => fromRow(id, store.getRow('people', id))
    const where = (holds: (row: Row) => boolean) => {
      const ids: string[] = []
      store.forEachRow('people', (id) => {
        const row = store.getRow('people', id)
        if (holds(row)) ids.push(id)
      })
      return ids
    }
    const lives = (city: string, age: number) => where((row) => (row.age as number) >= age && row.city === city)
    const aged = (low: number, high: number) => where((row) => (row.age as number) >= low && (row.age as number) <= high)
    return {
      insert: (p) => {
        store.setRow('people', p._id, toRow(p))
        return persister?.save()
      },
      insertMany: (all) => {
        store.transaction(() => {
          for (const p of all) store.setRow('people', p._id, toRow(p))
        })
        return persister?.save()
      },
      get: (id) => (store.hasRow('people', id) ? person(id) : undefined),
      withEmail: (email) => indexes.getSliceRowIds('email', email).map(person),
      withScore: (low, high) => where((row) => (row.score as number) >= low && (row.score as number) <= high).map(person),
      inCity: (city, age) => lives(city, age).map(person),
      countInCity: (city, age) => lives(city, age).length,
      groupByCity: () => {
        const groups = new Groups()
        store.forEachRow('people', (id) => groups.add(store.getCell('people', id, 'city') as string, store.getCell('people', id, 'age') as number))
        return groups.all()
      },
      topByScore: (limit) => store.getSortedRowIds('people', 'score', true, 0, limit).map(person),
      firstByName: (limit) => store.getSortedRowIds('people', 'name', false, 0, limit).map(person),
      setActive: (id, active) => {
        store.setPartialRow('people', id, { active })
        return persister?.save()
      },
      updateAged: async (low, high, fields) => {
        const ids = aged(low, high)
        store.transaction(() => {
          for (const id of ids) store.setPartialRow('people', id, fields)
        })
        await persister?.save()
        return ids.length
      },
      removeAged: async (low, high) => {
        const ids = aged(low, high)
        store.transaction(() => {
          for (const id of ids) store.delRow('people', id)
        })
        await persister?.save()
        return ids.length
      },
      close: async () => void (await persister?.destroy()),
    }
  },
}

function toRow({ _id, tags, address: { city, zip }, ...cells }: Person): Row {
  return { ...cells, tags: JSON.stringify(tags), city, zip }
}

function fromRow(_id: string, row: Row): Person {
  const { tags, city, zip, ...cells } = row
  return { _id, ...cells, tags: JSON.parse(tags as string), address: { city, zip } } as unknown as Person
}
