import assert from 'node:assert/strict'
import { AtomicDB, AtomicDBError, type Id, type Transaction } from '../../src/index.js'
import type { Random } from './random.js'

interface Document {
  _id: Id
  n?: number | string
  k?: number
  /** Unique in its collection. */
  u?: number
}

/** What a call has come to. */
export type Outcome = { value: unknown } | { code: string }

/** A call, and what it should do. */
export interface Call {
  readonly name: string
  readonly writes: boolean
  call(target: AtomicDB | Transaction): Promise<unknown>
  /** Does the same to the model, all or nothing, and returns what the call should return. @throws Refused */
  expect(model: Model): unknown
}

/** Says that a call should reject with this code, and have done nothing. */
class Refused extends Error {
  constructor(readonly code: string) {
    super(code)
  }
}

/** What a function of the tests throws. */
class Mine extends Error {
  readonly code = 'mine'
}

/** Collections of documents, as slow and obvious as can be. */
export class Model {
  private constructor(private readonly collections: Map<string, { documents: Map<Id, Document>; next: number }>) {}

  static empty(): Model {
    return new Model(new Map())
  }

  copy(): Model {
    return new Model(structuredClone(this.collections))
  }

  /** Makes an empty collection. */
  declare(name: string): void {
    this.collections.set(name, { documents: new Map(), next: 1 })
  }

  names(): string[] {
    return [...this.collections.keys()].sort()
  }

  /** The documents of a collection in insertion order, to be changed by nobody. */
  all(name: string): Document[] {
    return [...(this.collections.get(name)?.documents.values() ?? [])]
  }

  insert(name: string, document: Omit<Document, '_id'> & { _id?: Id }, upsert: boolean): Id {
    const collection = this.collections.get(name)!
    const _id = document._id ?? collection.next
    if (!upsert && collection.documents.has(_id)) throw new Refused('duplicate_id')
    if (!upsert) this.checkUnique(name, document)
    this.put(name, { ...document, _id })
    if (typeof _id === 'number') collection.next = Math.max(collection.next, _id + 1)
    return _id
  }

  /** Puts `document` at the end, or in the place of the one with its id. */
  put(name: string, document: Document): void {
    this.collections.get(name)!.documents.set(document._id, document)
  }

  private checkUnique(name: string, { u }: { u?: number }): void {
    if (u !== undefined && this.all(name).some((other) => other.u === u)) throw new Refused('unique')
  }

  /** Whether two documents of a collection have the same unique value. */
  repeats(): boolean {
    return this.names().some((name) => {
      const values = this.all(name).flatMap(({ u }) => (u === undefined ? [] : [u]))
      return new Set(values).size < values.length
    })
  }

  remove(name: string, ids: Id[]): number {
    for (const id of ids) this.collections.get(name)!.documents.delete(id)
    return ids.length
  }
}

/** A call with random arguments, of which some do not fit. */
export function randomCall(random: Random): Call {
  const name = random.pick(['a', 'a', 'b', 'c'])
  const id = () => random.pick<Id>([1, 2, 3, 5, 8, 13, 's', 't'])
  const fields = () => {
    const document: Omit<Document, '_id'> = { n: random.chance(0.05) ? 'text' : random.int(0, 9) }
    if (random.chance(0.3)) document.k = random.int(0, 9)
    if (random.chance(0.2)) document.u = random.int(0, 20)
    return document
  }
  const perhapsId = () => (random.chance(0.4) ? { _id: id(), ...fields() } : fields())
  const bound = random.int(0, 9)
  const from = (model: Model) => model.all(name).filter(({ n }) => typeof n === 'number' && n >= bound)

  switch (random.int(0, 13)) {
    case 0:
    case 1:
    case 2: {
      const document = perhapsId()
      return write('insert', (target) => target.insert(document, name), (model) => model.insert(name, document, false))
    }
    case 3: {
      const documents = random.list(1, 5, perhapsId)
      return write('insertMany', (target) => target.insertMany(documents, name), (model) => documents.map((document) => model.insert(name, document, false)))
    }
    case 4: {
      const document = { _id: id(), ...fields() }
      return write('upsert', (target) => target.upsert(document, name), (model) => model.insert(name, document, true))
    }
    case 5:
      return write('$inc of all', (target) => target.update({ $inc: { n: 1 } }, undefined, name), (model) => {
        return changeEach(model, name, model.all(name), (document) => {
          if (typeof document.n === 'string') throw new Refused('invalid')
          return { ...document, n: (document.n ?? 0) + 1 }
        })
      })
    case 6:
      return write('update', (target) => target.update({ k: bound }, `n >= ${bound}`, name), (model) => {
        return changeEach(model, name, from(model), (document) => ({ ...document, k: bound }))
      })
    case 7: {
      const u = random.int(0, 20)
      return write('update of what is unique', (target) => target.update({ u }, target.query().n!.gte(bound), name), (model) => {
        return changeEach(model, name, from(model), (document) => ({ ...document, u }))
      })
    }
    case 8: {
      const worst = random.int(0, 30)
      const change = (document: Document) => {
        if (document.k === worst) throw new Mine()
        return { k: (document.k ?? 0) + 1 }
      }
      return write('update by a function', (target) => target.update(change, `n >= ${bound}`, name), (model) => {
        return changeEach(model, name, from(model), (document) => ({ ...document, ...change(document) }))
      })
    }
    case 9:
      return write('remove', (target) => target.remove(`n = ${bound}`, name), (model) => {
        return model.remove(name, model.all(name).filter(({ n }) => n === bound).map(({ _id }) => _id))
      })
    case 10: {
      if (random.chance(0.7)) return write('what is no call', (target) => target.update({ $add: { n: 1 } }, undefined, name), () => { throw new Refused('invalid') })
      return write('clear', (target) => target.clear(name), (model) => void model.remove(name, model.all(name).map(({ _id }) => _id)))
    }
    case 11: {
      const one = id()
      return read('get', (target) => target.get(one, name), (model) => model.all(name).find(({ _id }) => _id === one))
    }
    case 12:
      return read('count', (target) => target.count(`n >= ${bound}`, name), (model) => from(model).length)
    default:
      return read('find', async (target) => (await target.find({ n: { $gte: bound } }, name)).asList(), from)
  }

  function write(what: string, call: Call['call'], expect: Call['expect']): Call {
    return { name: `${what} in ${name}`, writes: true, call, expect }
  }

  function read(what: string, call: Call['call'], expect: Call['expect']): Call {
    return { name: `${what} in ${name}`, writes: false, call, expect }
  }
}

function changeEach(model: Model, name: string, documents: Document[], change: (document: Document) => Document): number {
  // All are made before the first is put there.
  const changed = documents.map(change)
  let count = 0
  for (const [i, document] of changed.entries()) {
    if (JSON.stringify(document) !== JSON.stringify(documents[i])) count++
    model.put(name, document)
  }
  return count
}

/** What became of `promise`. */
export function outcomeOf(promise: Promise<unknown>): Promise<Outcome> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => {
      if (error instanceof AtomicDBError || error instanceof Mine) return { code: error.code }
      throw error
    },
  )
}

/**
 * What the model says to a call, which it does all or not at all: a copy of the model if it is done. What is unique is so
 * after the call, and in a transaction at its end.
 */
function expected(call: Call, model: Model, inTransaction: boolean): { outcome: Outcome; model: Model } {
  const after = model.copy()
  try {
    const value = call.expect(after)
    if (!inTransaction && after.repeats()) throw new Refused('unique')
    return { outcome: { value }, model: after }
  } catch (error) {
    if (error instanceof Refused || error instanceof Mine) return { outcome: { code: error.code }, model }
    throw error
  }
}

/** A model that goes along with calls. */
export class Companion {
  constructor(
    public model: Model,
    private readonly inTransaction = false,
  ) {}

  /** Checks what `call` has come to, now that it is its turn. */
  check(call: Call, outcome: Outcome): void {
    const { outcome: wanted, model } = expected(call, this.model, this.inTransaction)
    assert.deepEqual(outcome, wanted, call.name)
    this.model = model
  }
}
