import { createIndexes, createQueries, createStore, type Cell, type Row } from 'tinybase'
import { createIndexedDbPersister } from 'tinybase/persisters/persister-indexed-db'
import { Groups } from '../groups.js'
import type { Library, Told } from '../library.js'
import type { Person } from '../people.js'

/**
 * TinyBase: tables of cells in memory. Nested fields are cells of their own,
 * tags are JSON. Its indexes answer equality, and none is unique. Ranges of scores walk the table. A write is
 * durable after save() of its IndexedDB persister, which stores everything.
 */
export const library: Library = {
  name: 'TinyBase',
  inMemory: true,
  persistent: true,
  live: 'unsorted',
  async open(name, durable) {
    const store = createStore()
    const indexes = createIndexes(store).setIndexDefinition('email', 'people', 'email').setIndexDefinition('age', 'people', 'age')
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
    const queries = createQueries(store)
    let lastQuery = 0
    const tell = (told: Told, holds: (cell: (name: string) => unknown) => boolean) => {
      const id = String(++lastQuery)
      queries.setQueryDefinition(id, 'people', ({ select, where }) => {
        for (const cell of cells) select(cell)
        where((cell) => holds(cell))
      })
      const give = () => told(queries.getResultRowIds(id).map((row) => fromRow(row, queries.getResultRow(id, row))))
      queries.addResultTableListener(id, give)
      give()
    }
    const lives = (city: string, active: boolean) => where((row) => row.active === active && row.city === city)
    const aged = (low: number, high: number) => Array.from({ length: high - low + 1 }, (_, n) => indexes.getSliceRowIds('age', String(low + n))).flat()
    const first = (limit: number, cell: string, descending: boolean, holds: (value: Cell) => boolean) => {
      const ids: string[] = []
      for (const id of store.getSortedRowIds('people', cell, descending)) {
        if (!holds(store.getCell('people', id, cell)!)) continue
        if (ids.push(id) === limit) break
      }
      return ids.map(person)
    }
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
      inCity: (city, active) => lives(city, active).map(person),
      countInCity: (city, active) => lives(city, active).length,
      groupByCity: (zip) => {
        const groups = new Groups()
        store.forEachRow('people', (id) => {
          if ((store.getCell('people', id, 'zip') as string) >= zip) groups.add(store.getCell('people', id, 'city') as string, store.getCell('people', id, 'age') as number)
        })
        return groups.all()
      },
      nextByScore: (score, limit) => first(limit, 'score', true, (value) => (value as number) < score),
      nextByName: (name, limit) => first(limit, 'name', false, (value) => (value as string) >= name),
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
      live: {
        inCity: (city, active, told) => tell(told, (cell) => cell('active') === active && cell('city') === city),
        withScore: (low, high, told) => tell(told, (cell) => (cell('score') as number) >= low && (cell('score') as number) <= high),
      },
    }
  },
}

const cells = ['name', 'age', 'email', 'active', 'tags', 'city', 'zip', 'score', 'bio']

function toRow({ _id, tags, address: { city, zip }, ...cells }: Person): Row {
  return { ...cells, tags: JSON.stringify(tags), city, zip }
}

function fromRow(_id: string, row: Row): Person {
  const { tags, city, zip, ...cells } = row
  return { _id, ...cells, tags: JSON.parse(tags as string), address: { city, zip } } as unknown as Person
}
