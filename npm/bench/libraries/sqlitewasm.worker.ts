// The worker in which SQLite runs. See sqlitewasm.ts.
import sqlite3InitModule, { type Database as Sqlite, type PreparedStatement } from '@sqlite.org/sqlite-wasm'
import type { CityGroup } from '../library.js'
import type { Person } from '../people.js'
import { columns, fromRow, insertOne, schema, toRow } from './rows.js'
import type { Request, Response } from './sqlitewasm.js'

class People {
  readonly #statements = new Map<string, PreparedStatement>()

  constructor(
    readonly db: Sqlite,
    readonly durable: boolean,
  ) {
    db.exec(schema)
  }

  insert(person: Person) {
    this.#run(insertOne, toRow(person))
  }

  insertMany(people: Person[]) {
    this.db.transaction(() => {
      for (const person of people) this.#run(insertOne, toRow(person))
    })
  }

  get = (id: string) => this.#select('WHERE _id = ?', [id])[0]
  withEmail = (email: string) => this.#select('WHERE email = ?', [email])
  withScore = (low: number, high: number) => this.#select('WHERE score BETWEEN ? AND ?', [low, high])
  inCity = (city: string, active: boolean) => this.#select('WHERE active = ? AND city = ?', [Number(active), city])
  nextByScore = (score: number, limit: number) => this.#select('WHERE score < ? ORDER BY score DESC LIMIT ?', [score, limit])
  nextByName = (name: string, limit: number) => this.#select('WHERE name >= ? ORDER BY name LIMIT ?', [name, limit])
  countInCity = (city: string, active: boolean) => this.#rows('SELECT count(*) FROM people WHERE active = ? AND city = ?', [Number(active), city])[0]![0] as number

  groupByCity(zip: string): CityGroup[] {
    return this.#rows('SELECT city, count(*), avg(age) FROM people WHERE zip >= ? GROUP BY city', [zip]).map(([city, n, mean]) => ({ city, n, mean }) as CityGroup)
  }

  setActive = (id: string, active: boolean) => this.#run('UPDATE people SET active = ? WHERE _id = ?', [Number(active), id])

  updateAged(low: number, high: number, fields: Pick<Person, 'active' | 'bio'>) {
    this.#run('UPDATE people SET active = ?, bio = ? WHERE age BETWEEN ? AND ?', [Number(fields.active), fields.bio, low, high])
    return this.db.changes()
  }

  removeAged(low: number, high: number) {
    this.#run('DELETE FROM people WHERE age BETWEEN ? AND ?', [low, high])
    return this.db.changes()
  }

  close() {
    for (const statement of this.#statements.values()) statement.finalize()
    this.db.close()
  }

  #select(rest: string, parameters: (string | number)[]): Person[] {
    return this.#rows(`SELECT ${columns} FROM people ${rest}`, parameters).map(fromRow)
  }

  #rows(sql: string, parameters: (string | number)[]): any[][] {
    const statement = this.#prepared(sql)
    if (parameters.length > 0) statement.bind(parameters)
    const rows: any[][] = []
    while (statement.step()) rows.push(statement.get([]))
    statement.reset()
    return rows
  }

  #run(sql: string, parameters: (string | number)[]): void {
    this.#prepared(sql).bind(parameters).stepReset()
  }

  #prepared(sql: string): PreparedStatement {
    let statement = this.#statements.get(sql)
    if (!statement) this.#statements.set(sql, (statement = this.db.prepare(sql)))
    return statement
  }
}

const ready = sqlite3InitModule()
const pool = ready.then((sqlite3) => sqlite3.installOpfsSAHPoolVfs({ initialCapacity: 12 }))
const open: People[] = []

onmessage = async ({ data: { id, method, args, handle } }: MessageEvent<Request>) => {
  const answer: Response = { id }
  try {
    if (method === 'open') {
      const [name, durable] = args as [string, boolean]
      // The last database that was closed has let go of the pool's files.
      if (durable && (await pool).isPaused()) await (await pool).unpauseVfs()
      const db = durable ? new (await pool).OpfsSAHPoolDb(`/${name}`) : new (await ready).oo1.DB(':memory:')
      answer.result = open.push(new People(db, durable)) - 1
    } else {
      answer.result = (open[handle] as any)[method](...args)
      // Only one page at a time can have the pool's files open: the next page waits for no handles of this one.
      if (method === 'close' && open[handle]!.durable) (await pool).pauseVfs()
    }
  } catch (error) {
    answer.error = (error as Error).message
  }
  postMessage(answer)
}
