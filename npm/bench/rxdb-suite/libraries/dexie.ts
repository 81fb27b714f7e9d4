import { Dexie, type Table } from 'dexie'
import type { Item, SuiteLibrary } from '../suite.js'

export const library: SuiteLibrary = {
  async open(name) {
    const db = new Dexie(name)
    const schema = 'id, var1, var2, deep.deep1, [var2+var1]'
    db.version(1).stores({ a: schema, b: schema, c: schema, d: schema })
    await db.open()
    const [first, second] = [db.table('a'), db.table('b')] as [Table<Item, string>, Table<Item, string>]
    return {
      insertElsewhere: (item) => second.add(item),
      insert: (item) => first.add(item),
      insertMany: (items) => first.bulkAdd(items),
      byId: (id) => first.get(id),
      byIds: (ids) => first.bulkGet(ids),
      sorted: () => first.orderBy('[var2+var1]').toArray(),
      withVar2: (var2) => first.where({ var2 }).toArray(),
      countVar2: (var2) => first.where({ var2 }).count(),
      plain: (found) => found as Item,
      close: () => db.close(),
    }
  },
}
