import initSqlJs, { type SqlJsStatic, type SqlValue, type Statement } from 'sql.js'
import type { CityGroup, Database, Library } from '../library.js'
import type { Person } from '../people.js'
import { columns, fromRow, insertOne, schema, toRow } from './rows.js'

/**
 * sql.js: SQLite compiled to WebAssembly, in memory. A write is durable after
 * export() of the whole file into IndexedDB; sql.js itself stores nothing.
 */
export const library: Library = {
  name: 'sql.js',
  inMemory: true,
  persistent: true,
  async open(name, durable) {
    const SQL = await initSqlJs({ locateFile: (file) => `/${file}` })
    if (!durable) return new People(SQL, undefined, undefined)
    const files = await openFiles()
    return new People(SQL, await files.read(name), { write: (bytes) => files.write(name, bytes), close: files.close })
  },
}

interface File {
  write(bytes: Uint8Array): Promise<void>
  close(): void
}

class People implements Database {
  readonly #db: InstanceType<SqlJsStatic['Database']>
  readonly #file: File | undefined
  #statements = new Map<string, Statement>()
  #storing: Promise<void> | undefined

  constructor(SQL: SqlJsStatic, bytes: Uint8Array | undefined, file: File | undefined) {
    this.#db = new SQL.Database(bytes)
    if (!bytes) this.#db.run(schema)
    this.#file = file
  }

  insert(person: Person) {
    this.#prepared(insertOne).run(toRow(person))
    return this.#stored()
  }

  insertMany(people: Person[]) {
    this.#db.run('BEGIN')
    const statement = this.#prepared(insertOne)
    for (const person of people) statement.run(toRow(person))
    this.#db.run('COMMIT')
    return this.#stored()
  }

  get(id: string) {
    return this.#select('WHERE _id = ?', [id])[0]
  }

  withEmail(email: string) {
    return this.#select('WHERE email = ?', [email])
  }

  withScore(low: number, high: number) {
    return this.#select('WHERE score BETWEEN ? AND ?', [low, high])
  }

  inCity(city: string, active: boolean) {
    return this.#select('WHERE active = ? AND city = ?', [Number(active), city])
  }

  countInCity(city: string, active: boolean) {
    const statement = this.#prepared('SELECT count(*) FROM people WHERE active = ? AND city = ?')
    return statement.get([Number(active), city])[0] as number
  }

  groupByCity(zip: string) {
    const statement = this.#prepared('SELECT city, count(*), avg(age) FROM people WHERE zip >= ? GROUP BY city')
    statement.bind([zip])
    const groups: CityGroup[] = []
    while (statement.step()) {
      const [city, n, mean] = statement.get()
      groups.push({ city: city as string, n: n as number, mean: mean as number })
    }
    statement.reset()
    return groups
  }

  nextByScore(score: number, limit: number) {
    return this.#select('WHERE score < ? ORDER BY score DESC LIMIT ?', [score, limit])
  }

  nextByName(name: string, limit: number) {
    return this.#select('WHERE name >= ? ORDER BY name LIMIT ?', [name, limit])
  }

  setActive(id: string, active: boolean) {
    this.#prepared('UPDATE people SET active = ? WHERE _id = ?').run([Number(active), id])
    return this.#stored()
  }

  updateAged(low: number, high: number, fields: Pick<Person, 'active' | 'bio'>) {
    this.#prepared('UPDATE people SET active = ?, bio = ? WHERE age BETWEEN ? AND ?').run([Number(fields.active), fields.bio, low, high])
    return this.#changed()
  }

  removeAged(low: number, high: number) {
    this.#prepared('DELETE FROM people WHERE age BETWEEN ? AND ?').run([low, high])
    return this.#changed()
  }

  close() {
    this.#db.close()
    this.#file?.close()
  }

  #select(rest: string, parameters: SqlValue[]): Person[] {
    const statement = this.#prepared(`SELECT ${columns} FROM people ${rest}`)
    statement.bind(parameters)
    const found: Person[] = []
    while (statement.step()) found.push(fromRow(statement.get()))
    statement.reset()
    return found
  }

  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)))
    return statement
  }

  #changed() {
    const count = this.#db.getRowsModified()
    const stored = this.#stored()
    return stored ? stored.then(() => count) : count
  }

  /** Writes of one tick share an export, as LokiJS's throttled saves do. */
  #stored(): Promise<void> | undefined {
    const file = this.#file
    if (!file) return undefined
    this.#storing ??= Promise.resolve().then(() => {
      this.#storing = undefined
      const bytes = this.#db.export()
      this.#statements.clear() // export() frees them
      return file.write(bytes)
    })
    return this.#storing
  }
}

async function openFiles() {
  const request = indexedDB.open('sqljs', 1)
  request.onupgradeneeded = () => void request.result.createObjectStore('files')
  const idb = await succeeded(request)
  return {
    read: (name: string): Promise<Uint8Array | undefined> => succeeded(idb.transaction('files').objectStore('files').get(name)),
    write: (name: string, bytes: Uint8Array) =>
      new Promise<void>((resolve, reject) => {
        const transaction = idb.transaction('files', 'readwrite')
        transaction.objectStore('files').put(bytes, name)
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error)
      }),
    close: () => idb.close(),
  }
}

function succeeded<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
