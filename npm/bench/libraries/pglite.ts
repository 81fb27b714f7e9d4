import { PGlite } from '@electric-sql/pglite'
import { live } from '@electric-sql/pglite/live'
import type { CityGroup, Library, Told } from '../library.js'
import type { Person } from '../people.js'

/**
 * PGlite: Postgres compiled to WebAssembly, its files in IndexedDB. With
 * relaxedDurability, which its documentation advises, a write resolves before
 * it is stored: its durable figures stand for a weaker promise than the others'.
 */
export const library: Library = {
  name: 'PGlite',
  inMemory: true,
  persistent: true,
  live: 'sorted',
  async open(name, durable) {
    const db = await PGlite.create(durable ? `idb://${name}` : 'memory://', { relaxedDurability: true, extensions: { live } })
    await db.exec(`
      CREATE TABLE IF NOT EXISTS people (_id text PRIMARY KEY, name text COLLATE "C", age int, email text, active boolean, tags jsonb, address jsonb, score double precision, bio text);
      CREATE UNIQUE INDEX IF NOT EXISTS people_email ON people (email);
      CREATE INDEX IF NOT EXISTS people_age ON people (age);
      CREATE INDEX IF NOT EXISTS people_score ON people (score);`)
    const select = async (rest: string, parameters: unknown[]) => (await db.query<Person>(`SELECT * FROM people ${rest}`, parameters)).rows
    const tell = (rest: string, parameters: unknown[], told: Told) => db.live.query<Person>(`SELECT * FROM people ${rest}`, parameters, ({ rows }) => told(rows))
    const insertMany = (people: Person[]) => db.query('INSERT INTO people SELECT * FROM json_populate_recordset(NULL::people, $1::json)', [JSON.stringify(people)])
    const lives = "active = $1 AND address->>'city' = $2"
    return {
      insert: (p) =>
        db.query('INSERT INTO people VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)', [p._id, p.name, p.age, p.email, p.active, p.tags, p.address, p.score, p.bio]),
      insertMany,
      get: async (id) => (await select('WHERE _id = $1', [id]))[0],
      withEmail: (email) => select('WHERE email = $1', [email]),
      withScore: (low, high) => select('WHERE score BETWEEN $1 AND $2', [low, high]),
      inCity: (city, active) => select(`WHERE ${lives}`, [active, city]),
      countInCity: async (city, active) => (await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM people WHERE ${lives}`, [active, city])).rows[0]!.n,
      groupByCity: async (zip) =>
        (await db.query<CityGroup>("SELECT address->>'city' AS city, count(*)::int AS n, avg(age)::float8 AS mean FROM people WHERE address->>'zip' >= $1 GROUP BY 1", [zip])).rows,
      nextByScore: (score, limit) => select('WHERE score < $1 ORDER BY score DESC LIMIT $2', [score, limit]),
      nextByName: (name, limit) => select('WHERE name >= $1 ORDER BY name LIMIT $2', [name, limit]),
      setActive: (id, active) => db.query('UPDATE people SET active = $2 WHERE _id = $1', [id, active]),
      updateAged: async (low, high, fields) =>
        (await db.query('UPDATE people SET active = $3, bio = $4 WHERE age BETWEEN $1 AND $2', [low, high, fields.active, fields.bio])).affectedRows!,
      removeAged: async (low, high) => (await db.query('DELETE FROM people WHERE age BETWEEN $1 AND $2', [low, high])).affectedRows!,
      close: async () => {
        // Writes that are not stored yet would be lost, and the database's own syncToFs() does not wait for them.
        await (db as unknown as { fs: { syncToFs(): Promise<void> } }).fs.syncToFs()
        await db.close()
      },
      live: {
        inCity: (city, active, told) => tell(`WHERE ${lives}`, [active, city], told),
        withScore: (low, high, told) => tell('WHERE score BETWEEN $1 AND $2', [low, high], told),
        byScore: (told) => tell('ORDER BY score', [], told),
      },
    }
  },
}
