import type { Relationship, Transaction } from '../../src/index.js'
import type { Random } from './random.js'

/** One call: put a document, remove one or all, or add to the `n` of all. */
export interface Step {
  collection: Name
  does: 'insert' | 'upsert' | 'remove' | 'clear' | 'add'
  id: string
  n: number
  /** The id of the document that it refers to. */
  of: string
}

type Name = 'parents' | 'children' | 'grandchildren' | 'friends' | 'guards' | 'circle'
export const names: readonly Name[] = ['parents', 'children', 'grandchildren', 'friends', 'guards', 'circle']

export interface Document {
  _id: string
  n: number
  of: string | null
}

/** The schema of the parents. */
export const schema = { properties: { n: { type: 'integer', maximum: 9 } } }

/** Children need their parents and go with them, and grandchildren with them; friends are set free; guards keep them. The circle goes with itself. */
export const family: readonly Relationship[] = [
  { type: 'one_to_many', from: 'parents', to: 'children', foreignKey: 'of', onDelete: 'cascade', enforce: true },
  { type: 'many_to_one', from: 'grandchildren', to: 'children', foreignKey: 'of', onDelete: 'cascade' },
  { type: 'one_to_many', from: 'parents', to: 'friends', foreignKey: 'of', onDelete: 'set_null' },
  { type: 'one_to_one', from: 'parents', to: 'guards', foreignKey: 'of', onDelete: 'restrict' },
  { name: 'next', type: 'many_to_one', from: 'circle', to: 'circle', foreignKey: 'of', onDelete: 'cascade' },
]

/** A step with few ids, so that steps meet. */
export function randomStep(random: Random): Step {
  const ids = ['a', 'b', 'c', 'd', 'e']
  return {
    collection: random.pick(names),
    does: random.pick(['insert', 'upsert', 'upsert', 'upsert', 'remove', 'remove', random.chance(0.1) ? 'clear' : 'add']),
    id: random.pick(ids), n: random.int(0, 9), of: random.pick(ids),
  }
}

/** Does a step. */
export async function take(tx: Transaction, { collection, does, id, n, of }: Step): Promise<void> {
  if (does === 'insert') await tx.insert({ _id: id, n, of }, collection)
  else if (does === 'upsert') await tx.upsert({ _id: id, n, of }, collection)
  else if (does === 'remove') await tx.remove(`_id = '${id}'`, collection)
  else if (does === 'clear') await tx.clear(collection)
  else await tx.update({ $inc: { n: 1 } }, undefined, collection)
}

/** What the family means, slow and obvious: by collection, the documents in insertion order. */
export class FamilyModel {
  constructor(readonly all: Record<Name, Document[]> = { parents: [], children: [], grandchildren: [], friends: [], guards: [], circle: [] }) {}

  copy(): FamilyModel {
    return new FamilyModel(structuredClone(this.all))
  }

  /** Does the steps of a transaction. Returns the code with which it is refused. */
  take(steps: readonly Step[]): string | undefined {
    for (const step of steps) {
      const refused = this.one(step)
      if (refused) return refused
    }
    return this.all.children.every(({ of }) => this.all.parents.some(({ _id }) => _id === of)) ? undefined : 'relationship'
  }

  private one({ collection, does, id, n, of }: Step): string | undefined {
    const documents = this.all[collection]
    const found = documents.find(({ _id }) => _id === id)
    if (does === 'clear') return this.remove(collection, documents.map(({ _id }) => _id))
    if (does === 'remove') return found && this.remove(collection, [id])
    if (does === 'insert' && found) return 'duplicate_id'
    if (does === 'add') for (const document of documents) document.n++
    else if (found) Object.assign(found, { n, of })
    else documents.push({ _id: id, n, of })
    return this.all.parents.some(({ n }) => n > schema.properties.n.maximum) ? 'schema' : undefined
  }

  private remove(collection: Name, ids: string[]): string | undefined {
    this.all[collection] = this.all[collection].filter(({ _id }) => !ids.includes(_id))
    const referring = (to: Name) => this.all[to].filter(({ of }) => of !== null && ids.includes(of))
    const removeReferring = (to: Name) => {
      const children = referring(to).map(({ _id }) => _id)
      return children.length > 0 ? this.remove(to, children) : undefined
    }
    if (collection === 'children') return removeReferring('grandchildren')
    if (collection === 'circle') return removeReferring('circle')
    if (collection !== 'parents') return
    for (const friend of referring('friends')) friend.of = null
    return referring('guards').length > 0 ? 'relationship' : removeReferring('children')
  }
}
