import Datastore from '@seald-io/nedb'
import { own, plainOf, type Own, type SuiteLibrary } from '../suite.js'

/** NeDB: a collection is a database of its own, and an index is of one field. */
export const library: SuiteLibrary = {
  async open(name) {
    const [first, second] = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (collection) => {
        const db = new Datastore<Own>({ filename: `${name} ${collection}` })
        await db.loadDatabaseAsync()
        for (const fieldName of ['var1', 'var2', 'deep.deep1']) await db.ensureIndexAsync({ fieldName })
        return db
      }),
    )
    return {
      insertElsewhere: (item) => second!.insertAsync(own(item)),
      insert: (item) => first!.insertAsync(own(item)),
      insertMany: (items) => first!.insertAsync(items.map(own)),
      byId: (_id) => first!.findOneAsync({ _id }),
      byIds: (ids) => first!.findAsync({ _id: { $in: ids } }),
      sorted: () => first!.findAsync({}).sort({ var2: 1, var1: 1 }),
      withVar2: (var2) => first!.findAsync({ var2 }),
      countVar2: (var2) => first!.countAsync({ var2 }),
      plain: plainOf,
      close: () => {},
    }
  },
}
