import type { Person } from './people.js'

/** What a library answers at once or later; only the latter is awaited, for an await costs more than some lookups. */
export type Answer<T> = T | Promise<T>

/** One database library, used as its own documentation recommends. */
export interface Library {
  readonly name: string

  /** False if every write goes to IndexedDB: it then has no figures for memory. */
  readonly inMemory: boolean

  /** False if it cannot keep what it holds: it has no durable figures, and its queries are asked in memory. */
  readonly persistent: boolean

  /**
   * Opens the database of that name, creating it empty and with indexes on
   * `email` and `score`, and nothing else, if there is none.
   *
   * @param durable Each write resolves once IndexedDB has committed it, with
   * the browser's default durability. Otherwise nothing outlives the page.
   */
  open(name: string, durable: boolean): Promise<Database>
}

/** The people of one city. */
export interface CityGroup {
  city: string
  n: number
  /** Of their ages. */
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
  /** Lives in `city` and is `age` or older; neither is indexed. */
  inCity(city: string, age: number): Answer<Person[]>
  countInCity(city: string, age: number): Answer<number>
  /** How many live in each city, and their mean age, in any order. */
  groupByCity(): Answer<CityGroup[]>
  /** The first `limit` by the indexed score, highest first. */
  topByScore(limit: number): Answer<Person[]>
  /** The first `limit` by name, which has no index. */
  firstByName(limit: number): Answer<Person[]>

  setActive(id: string, active: boolean): Answer<unknown>
  /** Sets these fields of everyone aged `low` to `high`; answers how many. */
  updateAged(low: number, high: number, fields: Pick<Person, 'active' | 'bio'>): Answer<number>
  /** Removes everyone aged `low` to `high`; answers how many. */
  removeAged(low: number, high: number): Answer<number>

  close(): Answer<unknown>
}
