import { and, createCollection, createLiveQueryCollection, eq, gte, localOnlyCollectionOptions, lte } from '@tanstack/db'
import type { Database, Library, Told } from '../library.js'
import type { Person } from '../people.js'

/** TanStack DB: collections in memory for data of a server, and live queries of them. It stores nothing. */
export const library: Library = {
  name: 'TanStack DB',
  inMemory: true,
  persistent: false,
  live: 'sorted',
  onlyLive: true,
  async open(name) {
    const people = createCollection(localOnlyCollectionOptions<Person, string>({ id: name, getKey: ({ _id }) => _id }))
    await people.preload()
    // Its types of queries follow those of collections through six parameters; the answers are checked.
    const tell = async (query: (q: any) => unknown, told: Told) => {
      const found = createLiveQueryCollection(query as any)
      await found.preload()
      const give = () => told(found.toArray as unknown as Person[])
      give()
      found.subscribeChanges(give)
    }
    return {
      insert: (person: Person) => people.insert(person).isPersisted.promise,
      insertMany: (all: Person[]) => people.insert(all).isPersisted.promise,
      setActive: (id: string, active: boolean) => people.update(id, (person) => void (person.active = active)).isPersisted.promise,
      close: () => people.cleanup(),
      live: {
        inCity: (city, active, told) => tell((q) => q.from({ p: people }).where(({ p }: any) => and(eq(p.active, active), eq(p.address.city, city))), told),
        withScore: (low, high, told) => tell((q) => q.from({ p: people }).where(({ p }: any) => and(gte(p.score, low), lte(p.score, high))), told),
        byScore: (told) => tell((q) => q.from({ p: people }).orderBy(({ p }: any) => p.score), told),
      },
    } satisfies Partial<Database> as unknown as Database
  },
}
