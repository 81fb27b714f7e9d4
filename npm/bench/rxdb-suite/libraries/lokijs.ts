import Loki from 'lokijs'
import IncrementalIndexedDBAdapter from 'lokijs/src/incremental-indexeddb-adapter.js'
import type { Item, SuiteLibrary } from '../suite.js'

/** LokiJS, each write saved. It has no index of two fields. */
export const library: SuiteLibrary = {
  async open(name) {
    const loki = new Loki(name, { adapter: new IncrementalIndexedDBAdapter() })
    await called((done) => loki.loadDatabase({}, done))
    const [first, second] = ['a', 'b', 'c', 'd'].map(
      (name) => loki.getCollection<Item>(name) ?? loki.addCollection<Item>(name, { unique: ['id'], indices: ['var1', 'var2', 'deep.deep1'] }),
    )
    const stored = () => called((done) => loki.saveDatabase(done))
    return {
      insertElsewhere(item) {
        second!.insert(item)
        return stored()
      },
      insert(item) {
        first!.insert(item)
        return stored()
      },
      insertMany(items) {
        first!.insert(items)
        return stored()
      },
      byId: (id) => first!.by('id', id),
      byIds: (ids) => ids.flatMap((id) => first!.by('id', id) ?? []),
      sorted: () => first!.chain().compoundsort(['var2', 'var1']).data(),
      withVar2: (var2) => first!.find({ var2 }),
      countVar2: (var2) => first!.count({ var2 }),
      plain: (found) => found as Item,
      close: () => called((done) => loki.close(done)),
    }
  },
}

function called(call: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())))
}
