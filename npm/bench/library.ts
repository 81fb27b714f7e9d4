import type { Person } from './people.js'

/** An answer that comes at once or later. Only a promise is awaited: an await costs more than some lookups. */
export type Answer<T> = T | Promise<T>

/** One database library, used as its own documentation recommends. */
export interface Library {
  readonly name: string

  /** False if every write goes to IndexedDB: the library then has no figures for memory. */
  readonly inMemory: boolean

  /** False if the library cannot store what it holds: it has no durable figures, and its queries are asked in memory. */
  readonly persistent: boolean

  /**
   * Opens the database of that name. If there is none, creates an empty one
   * with a unique index on `email` and indexes on `age` and `score`, as far as
   * the library has such indexes, and no others.
   *
   * @param durable True: a write resolves once IndexedDB has committed it, with
   * the browser's default durability. False: nothing outlives the page.
   */
  open(name: string, durable: boolean): Promise<Database>

  /** Opens the durable database so that its live queries hear of the writes of other tabs. Absent: they cannot. */
  openInTabs?(name: string): Promise<Database>

  /** Opens the durable database in one engine for all tabs. Absent: each tab has its own. */
  openShared?(name: string, durable: true): Promise<Database>

  /** What its databases have in `live`. Absent: nothing. */
  readonly live?: 'unsorted' | 'sorted'

  /** Only one tab can have the database open. */
  readonly oneTab?: true

  /** It is there for its live queries only, and answers nothing else. */
  readonly onlyLive?: true
}

/** The people of one city. */
export interface CityGroup {
  city: string
  n: number
  /** The mean of their ages. */
  mean: number
}

/** An open database with one collection of people. */
export interface Database {
  insert(person: Person): Answer<unknown>
  insertMany(people: Person[]): Answer<unknown>

  get(id: string): Answer<Person | undefined>
  withEmail(email: string): Answer<Person[]>
  /** Scores from `low` to `high`, both included, in any order. */
  withScore(low: number, high: number): Answer<Person[]>
  /** The people in `city` who are `active` or not; neither field is indexed. */
  inCity(city: string, active: boolean): Answer<Person[]>
  countInCity(city: string, active: boolean): Answer<number>
  /** How many of those with a zip from `zip` on live in each city, and their mean age, in any order. The zip is not indexed. */
  groupByCity(zip: string): Answer<CityGroup[]>
  /** The first `limit` with a score below `score`, which is indexed, highest first. */
  nextByScore(score: number, limit: number): Answer<Person[]>
  /** The first `limit` in the order of names, from `name` on. The name is not indexed. */
  nextByName(name: string, limit: number): Answer<Person[]>

  setActive(id: string, active: boolean): Answer<unknown>
  /** Sets these fields of everyone aged `low` to `high`. The age is indexed. Returns how many. */
  updateAged(low: number, high: number, fields: Pick<Person, 'active' | 'bio'>): Answer<number>
  /** Removes everyone aged `low` to `high`. Returns how many. */
  removeAged(low: number, high: number): Answer<number>

  close(): Answer<unknown>

  readonly live?: Live
}

/**
 * Live queries. Each calls `told` with its answer, at first and after every change of it, until the database is closed,
 * and is open when its promise resolves.
 */
export interface Live {
  inCity(city: string, active: boolean, told: Told): Answer<unknown>
  withScore(low: number, high: number, told: Told): Answer<unknown>
  /** All people, the lowest score first. Absent: the library has no live order. */
  byScore?(told: Told): Answer<unknown>
}

export type Told = (people: readonly Person[]) => void
