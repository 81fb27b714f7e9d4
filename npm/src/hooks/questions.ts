import { AtomicDBError, type Aggregate, type Collection, type FindOptions, type Id, type LiveValue, type QueryResult, type Stored, type Value, type Where } from '../index.js'
import { sharedAnswer, type SharedAnswer } from './answer.js'
import { keyOf, keyOfOptions, keyOfWhere } from './key.js'
import type { Database } from './opening.js'

/** A collection, or the name of one in the database that hooks find. */
export type CollectionOf<T extends object> = Collection<T> | string

/** A question, which may be asked of several databases. */
export interface Question<V> {
  /** Equal for questions that mean the same. */
  readonly key: string
  /** The collection that it is about, if that knows its own database. */
  readonly collection: Collection | undefined
  open(db: Database | undefined): LiveValue<V>
}

function about<T extends object, V>(of: CollectionOf<T>, kind: string, key: string, open: (collection: Collection<T>) => LiveValue<V>): Question<V> {
  const isName = typeof of === 'string'
  const name = isName ? of : of.name
  return {
    key: `${kind} ${JSON.stringify(name)} ${key}`,
    collection: isName ? undefined : of,
    open: (db) => open(isName ? (db!.collection(of) as Collection<T>) : of),
  }
}

/** @param whereKey Stands for the condition in the key; default: what the condition says. */
export function found<T extends object>(of: CollectionOf<T>, where: Where<T> | undefined, options: FindOptions<any> | undefined, whereKey = keyOfWhere(where)): Question<QueryResult<T>> {
  return about(of, 'live', `${whereKey} ${keyOfOptions(options)}`, (collection) => collection.live(where, options))
}

export function counted<T extends object>(of: CollectionOf<T>, where: Where<T> | undefined, whereKey = keyOfWhere(where)): Question<number> {
  return about(of, 'count', whereKey, (collection) => (where === undefined ? collection.liveCount() : collection.liveCount(where)))
}

/** The document of an id. A text is an id, even if it reads as a condition. */
export function one<T extends object>(of: CollectionOf<T>, id: Id, options: FindOptions<any> | undefined): Question<Stored<T> | undefined> {
  return about(of, 'get', `${keyOf(id)} ${keyOfOptions(options)}`, (collection) => {
    if (typeof id !== 'string' && typeof id !== 'number') throw new AtomicDBError('invalid', `id: expected a text or a number, not a value of the type ${typeof id}`)
    return collection.liveGet(typeof id === 'string' ? collection.query().field('_id').eq(id) : id, options)
  })
}

export function aggregated<R>(of: CollectionOf<any>, pipeline: Aggregate<any, any, any, any>): Question<R[]> {
  const { where, ...rest } = (pipeline ?? {}) as { where?: unknown }
  return about(of, 'aggregate', `${keyOfWhere(where)} ${keyOf(rest)}`, (collection) => collection.liveAggregate<R>(pipeline as unknown as Aggregate))
}

export function selected<R>(text: string | TemplateStringsArray, params: readonly unknown[]): Question<QueryResult<R>> {
  return {
    key: `sql ${keyOf([text, ...params])}`,
    collection: undefined,
    open: (db) => (db!.liveSql as (text: string | TemplateStringsArray, ...params: Value[]) => LiveValue<QueryResult<R>>)(text, ...(params as Value[])),
  }
}

/** @param key Is another when another live value is to be made. */
export function followed<V>(make: (db: Database) => LiveValue<V>, key: string): Question<V> {
  return { key: `value ${key}`, collection: undefined, open: (db) => make(db!) }
}

/** The answer to a question that somebody asks of `db`; undefined as long as there is no database to ask. */
export function answerTo<V>(question: Question<V>, db: Database | undefined): SharedAnswer<V> | undefined {
  const calls = question.collection?.calls ?? db?.calls
  return calls && sharedAnswer(calls, question.key, () => question.open(db))
}
