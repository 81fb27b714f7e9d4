import { createRxDatabase, type RxCollection, type RxDocument, type RxStorage } from 'rxdb/plugins/core'
import type { Item, SuiteLibrary } from '../suite.js'

/** RxDB as its own suite uses it, over one storage for the whole page. */
export function suiteOf(storage: RxStorage<any, any>): SuiteLibrary {
  return {
    async open(name) {
      const db = await createRxDatabase({ name, storage, multiInstance: false, eventReduce: true })
      const { a, b } = (await db.addCollections({ a: { schema }, b: { schema }, c: { schema }, d: { schema } })) as unknown as Record<string, RxCollection<Item>>
      const [first, second] = [a!, b!]
      return {
        insertElsewhere: (item) => second.insert(item),
        insert: (item) => first.insert(item),
        insertMany: async (items) => {
          const { error } = await first.bulkInsert(items)
          if (error.length > 0) throw new Error(`${error.length} were refused`)
        },
        byId: async (id) => (await first.findByIds([id]).exec()).get(id),
        byIds: async (ids) => (await first.findByIds(ids).exec()).values(),
        sorted: () => first.find({ selector: {}, sort: [{ var2: 'asc' }, { var1: 'asc' }] }).exec(),
        withVar2: (var2) => first.find({ selector: { var2 } }).exec(),
        countVar2: (var2) => first.count({ selector: { var2: { $eq: var2 } } }).exec(),
        plain: (found) => (found as RxDocument<Item>).toJSON() as Item,
        close: () => db.close(),
      }
    },
  }
}

const text = (maxLength: number) => ({ type: 'string', maxLength }) as const
const schema = {
  version: 0,
  primaryKey: 'id',
  type: 'object',
  properties: {
    id: text(12),
    var1: text(12),
    var2: { type: 'number', minimum: 0, maximum: 50_000, multipleOf: 1 },
    deep: { type: 'object', properties: { deep1: text(10), deep2: text(10), deeper: { type: 'object', properties: { deepNr: { type: 'number' } } } } },
    list: { type: 'array', items: { type: 'object', properties: { deep1: { type: 'string' }, deep2: { type: 'string' } } } },
  },
  required: ['id', 'var1', 'var2'],
  indexes: ['var1', 'var2', 'deep.deep1', ['var2', 'var1']],
} as const
