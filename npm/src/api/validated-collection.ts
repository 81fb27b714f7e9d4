import { takenOptions } from '../checks.js'
import type { Calls, ConnectionCalls } from '../connection/calls.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import { readArguments } from '../connection/errors.js'
import { AtomicDBError, describe, invalid, isThrown, messageOf, readingError, unsupported } from '../errors.js'
import { modify, theseInOrder, type Modification, type Modified } from '../operations/modify.js'
import * as reads from '../operations/reads.js'
import * as writes from '../operations/writes.js'
import { everything, matching } from '../query/find-options.js'
import { allMatching, type UpdateQuery } from '../query/update-options.js'
import { collatedWhere, prepared } from '../query/where.js'
import type { Fresh, Id, Stored } from '../types.js'
import { Collection } from './collection.js'
import type { StandardSchema } from './from-schema.js'

export interface CollectionOptions<T = any> {
  /** Checks what the calls of the collection store. */
  validate?: StandardSchema<T>
}

/**
 * A collection whose documents a validator checks at this edge: what it returns is stored. It sees a document with its
 * `_id`, or without it if it refuses that.
 */
export class ValidatedCollection<T extends object = any> extends Collection<T> {
  readonly #standard: StandardSchema['~standard'] | undefined

  /** @internal */
  constructor(calls: Calls, name: string, options: CollectionOptions<T>) {
    super(calls, name)
    const { validate } = takenOptions(options, ['validate'])
    this.#standard = ofValidator(() => {
      const standard = validate?.['~standard']
      if (validate === undefined || typeof standard?.validate === 'function') return standard
      throw invalid(`options.validate: expected a validator with the interface of Standard Schema, not ${describe(validate)}`)
    })
  }

  override insert(document: Fresh<T>): Promise<Id> {
    return then(() => this.#valid('insert', document), (valid) => super.insert(valid))
  }

  override insertMany(documents: readonly Fresh<T>[]): Promise<Id[]> {
    return this.#eachValid('insert', documents, (valid) => super.insertMany(valid as typeof documents))
  }

  #eachValid(op: string, documents: readonly unknown[], store: (valid: readonly unknown[]) => Promise<Id[]>): Promise<Id[]> {
    if (!Array.isArray(documents) || !(documents.length < 2 ** 32)) return store(documents) // which says what is wrong
    const all = () => {
      const valid = documents.map((document) => this.#valid(op, document))
      return valid.some(isPromise) ? Promise.all(valid) : valid
    }
    return then(all, store)
  }

  override upsert(document: any, ...where: any[]): Promise<Id> {
    if (where.length > 0) return super.upsert(document, ...(where as [any]))
    return then(() => this.#valid('upsert', document), (valid) => super.upsert(valid))
  }

  override upsertMany(documents: readonly (T & { _id: Id })[]): Promise<Id[]> {
    return this.#eachValid('upsert', documents, (valid) => super.upsertMany(valid as typeof documents))
  }

  /** @internal */
  override modified<R>(prepare: () => Modification & { collection: unknown }, answer: (done: Modified) => R): Promise<R> {
    return this.#changed(() => {
      const modification = prepare()
      const { where, query } = modification
      return { matching: prepared(collatedWhere(where, query)), query, write: modify(this.name, modification) }
    }).then(answer)
  }

  override atomicUpdate(change: any, where?: any, options?: any): Promise<Stored<T> | undefined> {
    if (arguments.length === 2 && where === undefined) return super.atomicUpdate(change, where)
    return this.#changed(() => {
      const condition = matching(where, options, this.name)
      const write = writes.atomicUpdate(this.name, change, condition)
      const first = (engine: EngineCalls): Modified => {
        const document = write(engine)
        return { changed: 0, added: null, documents: document ? [document] : [] }
      }
      return { matching: prepared(condition), query: { ...allMatching, one: true, returned: 'after' }, write: first }
    }).then(({ documents }) => documents![0])
  }

  /** Makes a change, and validates the documents that it is about, before it is stored. */
  async #changed(prepare: () => Change): Promise<Modified> {
    const change = readArguments(prepare)
    try {
      return await this.calls.write(() => (engine) => engine.whole(() => {
        const { ids, done } = this.#made(engine, change)
        const outputs = theseInOrder(engine, this.name, ids).map((document) => {
          const output = engine.callback('validate', (given) => {
            const valid = this.#valid('update', given)
            if (!isPromise(valid)) return { valid }
            valid.catch(() => {}) // it is asked again
            throw new WaitsForValidator()
          }, document) as { valid: object }
          return output.valid
        })
        for (const output of outputs) writes.insertOne(this.name, output, true)(engine)
        return this.#answer(engine, change, ids, done)
      }))
    } catch (error) {
      if (!isThrown(error, WaitsForValidator)) throw error
    }
    const { transaction } = this.calls as ConnectionCalls
    if (!transaction) throw unsupported('validate: a validator that answers with a Promise cannot check an update inside a transaction')
    return (this.calls as ConnectionCalls).transaction(async (calls) => {
      const { ids, done } = await calls.write(() => (engine) => engine.whole(() => this.#made(engine, change)))
      const stored = await calls.read((engine) => theseInOrder(engine, this.name, ids))
      const outputs = await Promise.all(stored.map((document) => this.#valid('update', document)))
      for (const output of outputs) await calls.write(() => writes.insertOne(this.name, output, true))
      return calls.read((engine) => this.#answer(engine, change, ids, done))
    })
  }

  /** Makes a change, and tells which documents it was about, in order. */
  #made(engine: EngineCalls, { matching, query, write }: Change): { ids: Id[]; done: Modified } {
    const found: Stored<any>[] = []
    const { sort, one } = query
    reads.find(engine, this.name, matching, { ...everything, sort, fields: ['_id'], limit: one ? 1 : everything.limit }, found)
    const ids = found.map(({ _id }) => _id as Id)
    const done = write(engine)
    return { ids: done.added === null ? ids : [done.added], done }
  }

  #answer(engine: EngineCalls, { query }: Change, ids: readonly Id[], done: Modified): Modified {
    return query.returned === 'after' ? { ...done, documents: theseInOrder(engine, this.name, ids) } : done
  }

  /** What the validator makes of a document, with the `_id` of the document. */
  #valid(op: string, document: any): any {
    const standard = this.#standard
    if (!standard) return document
    const hasId = typeof document === 'object' && document !== null && '_id' in document
    const withoutId = () => {
      const { _id, ...rest } = document
      return rest as unknown
    }
    const finished = (answer: Answer, again: Answer | undefined): unknown => {
      // Of two refusals, the shorter one does not complain about the _id.
      const best = again && (again.issues?.length ?? 0) <= answer.issues!.length ? again : answer
      if (best.issues) throw refused(op, this.name, standard.vendor, best.issues)
      const { value } = best
      if (!hasId || typeof value !== 'object' || value === null) return value
      return { ...value, _id: document._id }
    }
    const ask = (value: unknown, next: (answer: Answer) => unknown) => {
      return ofValidator(() => andThen(standard.validate(value) as unknown, (given) => ofValidator(() => next(answerOf(given)))))
    }
    return ask(document, (answer) => {
      if (!answer.issues || !hasId) return finished(answer, undefined)
      return ask(withoutId(), (again) => finished(answer, again))
    })
  }
}

interface Change {
  readonly matching: ReturnType<typeof prepared>
  readonly query: UpdateQuery
  readonly write: (engine: EngineCalls) => Modified
}

/** Thrown inside a write, which cannot wait: it is made as a transaction then. */
class WaitsForValidator extends Error {}

interface Answer {
  readonly issues?: readonly unknown[] | undefined
  readonly value?: any
}

/** Reads what a validator is or has answered. */
function ofValidator<R>(read: () => R): R {
  try {
    return read()
  } catch (error) {
    throw readingError('options.validate', error)
  }
}

/** What a validator has answered, which need not be what Standard Schema says. */
function answerOf(given: unknown): Answer {
  if (typeof given !== 'object' || given === null) throw invalid(`options.validate: expected an answer with a value or issues, not ${describe(given)}`)
  const { issues, value } = given as Answer
  if (!issues) {
    if (isPromise(value)) throw invalid('options.validate: expected an answer whose value is a document, not a Promise')
    return { value }
  }
  if (!Array.isArray(issues)) throw invalid(`options.validate: expected an answer whose issues are an array, not ${describe(issues)}`)
  return { issues: issues.slice(0, 100) }
}

function refused(op: string, collection: string, vendor: unknown, issues: readonly unknown[]): AtomicDBError {
  const keyword = messageOf(vendor)
  const errors = issues.map((issue) => {
    const { message, path } = Object(issue) as { message?: unknown; path?: unknown }
    const names = Array.isArray(path) ? path.map((part) => messageOf(typeof part === 'object' && part !== null ? part.key : part)) : []
    return { path: names.join('.'), keyword, message: messageOf(message) }
  })
  const text = errors.slice(0, 10).map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')
  return Object.assign(new AtomicDBError('schema', `${op} ${collection}: ${text}`), { errors })
}

const isPromise = (value: unknown): value is Promise<unknown> => typeof (value as Promise<unknown> | undefined)?.then === 'function'

/** `next` of a value that may be a Promise; without one, at once. */
function andThen<A, B>(value: A | Promise<A>, next: (value: A) => B | Promise<B>): B | Promise<B> {
  return isPromise(value) ? (value as Promise<A>).then(next) : next(value as A)
}

/** As {@link andThen}, but always a Promise, which rejects with what is thrown. The call begins at once if it can. */
function then<A, B>(value: () => A | Promise<A>, next: (value: A) => Promise<B>): Promise<B> {
  try {
    return Promise.resolve(andThen(value(), next))
  } catch (error) {
    return Promise.reject(error as Error)
  }
}
