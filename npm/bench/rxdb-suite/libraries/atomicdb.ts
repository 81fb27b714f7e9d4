import { AtomicDB } from '../../../dist/index.js'
import { own, plainOf, type Own, type SuiteLibrary } from '../suite.js'

export const library: SuiteLibrary = {
  async open(name) {
    const db = await AtomicDB.open(name)
    const collections = ['a', 'b', 'c', 'd'].map((name) => db.collection<Own>(name))
    const indexes = [['var1'], ['var2'], ['deep.deep1'], ['var2', 'var1']]
    await Promise.all(collections.flatMap((collection) => indexes.map((paths) => collection.createIndex(...paths))))
    const [first, second] = collections as [(typeof collections)[0], (typeof collections)[0]]
    return {
      insertElsewhere: (item) => second.insert(own(item)),
      insert: (item) => first.insert(own(item)),
      insertMany: (items) => first.insertMany(items.map(own)),
      byId: (id) => first.get(id),
      byIds: (ids) => first.find({ _id: { $in: ids } }),
      sorted: () => first.find({}, { sort: ['var2', 'var1'] }),
      withVar2: (var2) => first.find({ var2 }),
      countVar2: (var2) => first.count({ var2 }),
      plain: plainOf,
      close: () => db.close(),
    }
  },
}
