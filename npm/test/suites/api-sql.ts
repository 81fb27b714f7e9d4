import { equal, ok, rejects } from './check.js'
import type { Context, Suite } from './suite.js'

const people = [
  { name: 'Ada', age: 36, city: 'Oslo', address: { zip: '0150' }, tags: ['admin', 'ops'] },
  { name: 'Bob', age: 20, city: 'Bergen', address: { zip: '5003' }, tags: [] },
  { name: 'Cid', age: 40, city: 'Oslo', address: { zip: '0150' } },
  { name: 'Dan', age: 17, city: 'Oslo' },
  { name: 'Eva', age: 31, city: null },
  { name: 'Jim', age: 52 },
]

async function openPeople({ open }: Context) {
  const db = await open()
  await db.insertMany(people, 'users')
  return db
}

/** SQL, as text and as a template. */
export const sql: Suite = [
  {
    name: 'groups, filtered, sorted and cut',
    async run(context) {
      const db = await openPeople(context)
      await db.insertMany([{ city: 'Oslo', age: 60 }, { city: 'Bergen', age: 61 }], 'users')
      const rows = await db.sql`SELECT city, COUNT(*) AS n FROM users WHERE age > ${18} GROUP BY city HAVING n > ${1} ORDER BY n DESC LIMIT 5`
      equal(rows, [{ city: 'Oslo', n: 3 }, { city: 'Bergen', n: 2 }, { city: null, n: 2 }])
      equal(await db.sql('SELECT city, COUNT(*) AS n FROM users WHERE age > ? GROUP BY city HAVING n > ? ORDER BY n DESC LIMIT 5', [18, 1]), rows)
      equal(await db.sql('SELECT city, COUNT(*) AS n FROM users WHERE age > :age GROUP BY city HAVING n > :n ORDER BY n DESC LIMIT 5', { n: 1, age: 18 }), rows)
      equal(await db.sql`SELECT city, COUNT(*) AS n FROM users WHERE age > ${18} GROUP BY city HAVING n > 2 ORDER BY n DESC LIMIT 5`, [{ city: 'Oslo', n: 3 }])
      ok(Object.getPrototypeOf(rows) === Array.prototype && Object.getPrototypeOf(rows[0]) === Object.prototype, 'rows are not plain')
      equal(Object.keys(rows[0]), ['city', 'n'])
    },
  },
  {
    name: 'documents, paths and expressions',
    async run(context) {
      const db = await openPeople(context)
      equal(await db.sql`SELECT * FROM users WHERE name = 'Ada'`, [{ _id: 1, ...people[0] }])
      equal(await db.sql`SELECT name, address.zip, age + 1 AS next FROM users WHERE address.zip = '0150' ORDER BY age DESC`, [
        { name: 'Cid', zip: '0150', next: 41 },
        { name: 'Ada', zip: '0150', next: 37 },
      ])
      equal(await db.sql`SELECT tags[0] AS tag, CASE WHEN age >= 30 THEN 'old' ELSE 'young' END AS kind FROM users LIMIT 2`, [{ tag: 'admin', kind: 'old' }, { tag: null, kind: 'young' }])
      equal(await db.sql('SELECT age / 3 AS third, age % 7 AS rest, age * 1.0 / 8 AS part FROM users WHERE name = ?', ['Ada']), [{ third: 12, rest: 1, part: 4.5 }])
      equal(await db.sql("SELECT 'C:\\temp' AS path, 'it''s' AS own"), [{ path: 'C:\\temp', own: "it's" }])
      equal(await db.sql("SELECT x'0102' AS bytes, 0x10 AS hex, 1e3 AS thousand"), [{ bytes: Uint8Array.of(1, 2), hex: 16, thousand: 1000 }])
      equal(await db.sql`SELECT name FROM users ORDER BY city NULLS LAST, name LIMIT 2`, [{ name: 'Bob' }, { name: 'Ada' }])
      equal(await db.sql`SELECT DISTINCT city FROM users WHERE city IS NOT NULL ORDER BY city`, [{ city: 'Bergen' }, { city: 'Oslo' }])
      equal(await db.sql`SELECT upper(name) AS n FROM users ORDER BY name LIMIT ${2} OFFSET ${1}`, [{ n: 'BOB' }, { n: 'CID' }])
      equal(await db.sql`SELECT COUNT(*) AS n, SUM(age) AS sum, AVG(age) AS mean, MIN(age) AS low, MAX(name) AS high, COUNT(DISTINCT city) AS cities FROM users`, [
        { n: 6, sum: 196, mean: 196 / 6, low: 17, high: 'Jim', cities: 2 },
      ])
    },
  },
  {
    name: 'every kind of condition finds what a search finds',
    async run(context) {
      const db = await openPeople(context)
      const conditions: [sql: string, text: string][] = [
        ["age >= 18 AND name MATCHES '^J' AND (city IN ('Oslo', 'Bergen')) IS NOT TRUE", "age >= 18 and name matches '^J' and not (city in ('Oslo', 'Bergen'))"],
        ["name REGEXP '^[AB]'", "name matches '^[AB]'"],
        ["name LIKE 'a%'", "name matches '(?i)^a'"],
        ["name GLOB 'A*'", "name startsWith 'A'"],
        ["name = 'ADA' COLLATE NOCASE", "name = 'Ada'"],
        ['age BETWEEN 20 AND 36', 'age between 20 and 36'],
        ['age NOT BETWEEN 20 AND 36', 'not (age between 20 and 36)'],
        ["city <> 'Oslo'", "city exists and city != null and city != 'Oslo'"],
        ["city IS NOT 'Oslo'", "city != 'Oslo'"],
        ["city IS DISTINCT FROM 'Oslo'", "city != 'Oslo'"],
        ["(city = 'Oslo') IS NOT TRUE", "city != 'Oslo'"],
        ["city NOT IN ('Oslo')", "city exists and city != null and city != 'Oslo'"],
        ["city NOT IN ('Oslo', NULL)", 'false'],
        ['city = NULL', 'false'],
        ["city == 'Oslo'", "city = 'Oslo'"],
        ["tags CONTAINS 'ops'", "tags contains 'ops'"],
        ['address.zip EXISTS', 'address.zip exists'],
        ['EXISTS(address.zip)', 'address.zip exists'],
        ['city IS NULL', 'city = null or not (city exists)'],
        ['city IS NOT NULL', 'city exists and city != null'],
        ['city IS MISSING', 'not (city exists)'],
        ["NOT (city = 'Oslo' OR age < 30)", "city exists and city != null and not (city = 'Oslo' or age < 30)"],
      ]
      for (const [sql, text] of conditions) {
        equal(await db.sql(`SELECT * FROM users WHERE ${sql}`), (await db.search(text, 'users')).asList(), sql)
        equal((await db.sql(`SELECT COUNT(*) AS n FROM users WHERE ${sql}`))[0].n, await db.count(text, 'users'), sql)
      }
    },
  },
  {
    name: 'values go in as they are, never as text',
    async run({ open }) {
      const db = await open()
      const nasty = ["'; DROP INDEX a; --", '?', ':name', '${x}', "it's", '', null, 1.5, -7, 2n ** 60n, true, new Date(1e12), Uint8Array.of(1, 2), [1, 'x'], { a: { b: [] } }]
      for (const [i, value] of nasty.entries()) {
        await db.sql`INSERT INTO things (_id, value) VALUES (${i}, ${value})`
        equal((await db.get<any>(i, 'things'))?.value, value, String(value))
        if (value !== null) equal((await db.sql`SELECT _id FROM things WHERE value = ${value}`).map((row) => row._id), (await db.search<any>(db.query().value!.eq(value as never), 'things')).map((d) => d._id))
      }
      equal(await db.sql('INSERT INTO copies VALUES (:doc)', { doc: { _id: 'x', deep: { list: [1, { a: 2 }] } } }), [{ _id: 'x' }])
      equal(await db.get('x', 'copies'), { _id: 'x', deep: { list: [1, { a: 2 }] } })
      equal(await db.sql("SELECT '?' AS mark, ? AS value FROM copies", [5]), [{ mark: '?', value: 5 }])
      equal(await db.sql`SELECT _id FROM things WHERE _id IN (${1}, ${3}, ${99})`, [{ _id: 1 }, { _id: 3 }])
    },
  },
  {
    name: 'INSERT, UPDATE and DELETE',
    async run({ open }) {
      const db = await open()
      equal(await db.sql`INSERT INTO users (name, address.city) VALUES (${'Ada'}, 'Oslo'), ('Bob', ${null})`, [{ _id: 1 }, { _id: 2 }])
      equal(await db.all('users'), [{ _id: 1, name: 'Ada', address: { city: 'Oslo' } }, { _id: 2, name: 'Bob', address: { city: null } }].slice() as never)
      equal(await db.sql`UPDATE users SET age = ${36}, address.zip = '0150' WHERE name = 'Ada'`, [{ updated: 1 }])
      equal(await db.sql`update users set age = age + 1 where age is not null`, [{ updated: 1 }])
      equal(await db.get(1, 'users'), { _id: 1, name: 'Ada', address: { city: 'Oslo', zip: '0150' }, age: 37 })
      equal(await db.sql` -- a comment
        /* and; another */ DELETE FROM users WHERE name = ${'Bob'}`, [{ removed: 1 }])
      equal(await db.count(undefined, 'users'), 1)
      equal(await db.sql`DELETE FROM users`, [{ removed: 1 }])
      for (const space of ['\t\n\v\f\r ', '\u0085', '\u00a0', '\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000', '--\n', '/***/', '/* insert *//* * / **/ -- a\n']) {
        equal(await db.sql(`${space}iNsErT INTO spaces (_id, a) VALUES ('x', 1)`), [{ _id: 'x' }])
        equal(await db.sql(`${space}SELECT a AS "insert" FROM spaces`), [{ insert: 1 }])
        equal(await db.sql(`${space}DELETE FROM spaces`), [{ removed: 1 }])
      }
    },
  },
  {
    name: 'a write that is refused changes nothing',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ _id: 'a', n: 1 }, { _id: 'b', n: 'text' }])
      await db.createIndex('n', { unique: true })
      await rejects('duplicate_id', () => db.sql`INSERT INTO default (_id) VALUES ('c'), ('a')`)
      await rejects('unique', () => db.sql`UPDATE default SET n = 5`)
      await rejects('unique', () => db.sql`INSERT INTO default (n) VALUES (7), (1)`)
      equal((await db.all()).asList(), [{ _id: 'a', n: 1 }, { _id: 'b', n: 'text' }])
    },
  },
  {
    name: 'indexes are made, used, explained and dropped',
    async run({ open }) {
      const db = await open()
      await db.insertMany(Array.from({ length: 500 }, (_, i) => ({ country: i % 5, age: i % 90, email: `${i}@x` })), 'users')
      await db.sql`CREATE INDEX ON users (country, age)`
      await db.sql`CREATE UNIQUE INDEX emails ON users (email)`
      await rejects('unique', () => db.insert({ email: '7@x' }, 'users'))
      const [plan] = await db.sql`EXPLAIN SELECT * FROM users WHERE country = 3 AND age > ${80}`
      equal(plan.index, ['country', 'age'])
      equal(plan.returned, (await db.search('country = 3 and age > 80', 'users')).length)
      ok(plan.examined <= plan.returned && plan.text.includes('country'), JSON.stringify(plan))
      await db.sql`DROP INDEX emails ON users`
      await db.insert({ email: '7@x' }, 'users')
      await db.sql`DROP INDEX ON users (country, age)`
      equal((await db.explain('country = 3', 'users')).index, null)
      await rejects('not_found', () => db.sql`DROP INDEX emails ON users`)
      await db.sql`DROP INDEX IF EXISTS emails ON users`
    },
  },
  {
    name: 'joins on equality',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ _id: 'a', name: 'Ada' }, { _id: 'b', name: 'Bob' }, { _id: 'c', name: 'Cid' }], 'users')
      await db.insertMany([{ user: 'a', item: 'pen' }, { user: 'b', item: 'ink' }, { user: 'a', item: 'cup' }, { user: 'x', item: 'hat' }], 'orders')
      equal(await db.sql`SELECT u.name, o.item FROM users AS u JOIN orders AS o ON o.user = u._id ORDER BY o.item`, [
        { name: 'Ada', item: 'cup' },
        { name: 'Bob', item: 'ink' },
        { name: 'Ada', item: 'pen' },
      ])
      equal(await db.sql`SELECT u.name, COUNT(o.item) AS n FROM users u LEFT JOIN orders o ON o.user = u._id GROUP BY u.name ORDER BY u.name`, [
        { name: 'Ada', n: 2 },
        { name: 'Bob', n: 1 },
        { name: 'Cid', n: 0 },
      ])
    },
  },
  {
    name: 'queries in queries, which hear of changes in each collection',
    async run({ open }) {
      const db = await open()
      await db.insertMany([{ _id: 'a', name: 'Ada' }, { _id: 'b', name: 'Bob' }, { _id: 'c', name: 'Cid' }], 'users')
      await db.insertMany([{ user: 'a', total: 7 }, { user: 'b', total: 2 }, { user: 'a', total: 3 }], 'orders')
      const questions: [text: string, before: unknown, after: unknown][] = [
        ['SELECT name FROM users WHERE _id IN (SELECT user FROM orders WHERE total > 5)', [{ name: 'Ada' }], [{ name: 'Ada' }, { name: 'Bob' }]],
        ['SELECT name, (SELECT SUM(total) FROM orders WHERE user = users._id) AS sum FROM users LIMIT 2', [{ name: 'Ada', sum: 10 }, { name: 'Bob', sum: 2 }], [{ name: 'Ada', sum: 10 }, { name: 'Bob', sum: 11 }]],
        ['SELECT name FROM users u WHERE NOT EXISTS (SELECT 1 FROM orders WHERE user = u._id AND total > 5)', [{ name: 'Bob' }, { name: 'Cid' }], [{ name: 'Cid' }]],
        ['WITH big AS (SELECT user, total FROM orders WHERE total > 5) SELECT COUNT(*) AS n FROM big', [{ n: 1 }], [{ n: 2 }]],
        ['SELECT user FROM orders WHERE total > 5 UNION SELECT _id FROM users', [{ user: 'a' }, { user: 'b' }, { user: 'c' }], [{ user: 'a' }, { user: 'b' }, { user: 'c' }]],
        ['SELECT COUNT(*) AS n FROM users, (SELECT user FROM orders WHERE total > 5) x WHERE x.user = users._id', [{ n: 1 }], [{ n: 2 }]],
      ]
      const lives = questions.map(([text]) => db.liveSql(text))
      for (const live of lives) live.subscribe(() => {})
      await Promise.all(lives.map((live) => live.ready))
      for (const [text, before] of questions) for (let n = 0; n < 4; n++) equal(await db.sql(text), before, text) // the third is from the query cache
      await db.insert({ user: 'b', total: 9 }, 'orders')
      for (const [text, , after] of questions) for (let n = 0; n < 4; n++) equal(await db.sql(text), after, text)
      for (const [i, live] of lives.entries()) {
        for (let turns = 0; JSON.stringify(live.current) !== JSON.stringify(questions[i]![2]) && turns < 100; turns++) await new Promise((resolve) => setTimeout(resolve))
        equal(live.current as unknown, questions[i]![2], questions[i]![0])
        live.close()
      }
    },
  },
  {
    name: 'several statements, and those whose first word does not tell that they write',
    async run({ open }) {
      const db = await open()
      equal(await db.sql`CREATE TABLE users (_id TEXT PRIMARY KEY, name TEXT UNIQUE); INSERT INTO users (_id, name) VALUES (${'a'}, 'Ada'), ('b', ${'Bob'}); SELECT name FROM users WHERE _id <> ${'a'}`, [{ name: 'Bob' }])
      equal(await db.sql("WITH old AS (SELECT _id FROM users WHERE name = 'Ada') UPDATE users SET old = TRUE WHERE _id IN (SELECT _id FROM old) RETURNING name"), [{ name: 'Ada' }])
      equal(await db.sql("/* ; */ SELECT ';' AS a; BEGIN; DELETE FROM users; ROLLBACK; BEGIN; DELETE FROM users WHERE name = 'Ada'; COMMIT"), [{ removed: 1 }])
      equal(await db.sql("REPLACE INTO users (_id, name) VALUES ('c', 'Bob')"), [{ _id: 'c' }])
      equal(await db.sql("INSERT INTO users (_id, name) VALUES ('d', 'Bob') ON CONFLICT (name) DO UPDATE SET seen = excluded._id RETURNING *"), [{ _id: 'c', name: 'Bob', seen: 'd' }])
      await rejects('unique', () => db.sql("DELETE FROM users; INSERT INTO users (name) VALUES ('x'), ('x')"))
      await rejects('invalid', () => db.sql('BEGIN; DELETE FROM users'), /db\.transaction/)
      equal(await db.sql('SELECT 1 AS a; SELECT _id FROM users'), [{ _id: 'c' }])
      equal(await db.sql('WITH "delete" AS (SELECT name FROM users) SELECT name AS "update" FROM "delete"'), [{ update: 'Bob' }])
      await db.transaction(async (tx) => {
        equal(await tx.sql("DELETE FROM users; INSERT INTO users (name) VALUES ('In'); SELECT name FROM users"), [{ name: 'In' }])
        equal(await tx.sql('WITH x AS (SELECT name FROM users) SELECT COUNT(*) AS n FROM x'), [{ n: 1 }])
        await rejects('unique', () => tx.sql("INSERT INTO users (name) VALUES ('Out'); INSERT INTO users (name) VALUES ('In')"))
        throw new Error('undone')
      }).catch((error: Error) => equal(error.message, 'undone'))
      equal(await db.sql('SELECT name FROM users'), [{ name: 'Bob' }])
      await db.sql('DROP TABLE users')
      equal(await db.sql('SELECT * FROM users'), [])
    },
  },
  {
    name: 'arguments are read once, when the call is made',
    async run({ open }) {
      const db = await open()
      const tags = ['a']
      const insert = db.sql('INSERT INTO default (tags) VALUES (?)', [tags])
      tags.push('b')
      await insert
      equal((await db.all()).asList(), [{ _id: 1, tags: ['a'] }])
      // Several writes of one tick, and reads that see them.
      const writes = [db.sql`INSERT INTO default (n) VALUES (1)`, db.sql`UPDATE default SET n = 5 WHERE n = 1`]
      equal(await db.sql`SELECT n FROM default WHERE n = 5`, [{ n: 5 }])
      equal(await Promise.all(writes), [[{ _id: 2 }], [{ updated: 1 }]])
    },
  },
  {
    name: 'what is written is kept',
    async run({ open }) {
      const db = await open('kept')
      await db.sql`INSERT INTO users (name) VALUES ('Ada')`
      await db.sql`CREATE UNIQUE INDEX ON users (name)`
      await db.close()
      const again = await open('kept')
      equal(await again.sql`SELECT name FROM users`, [{ name: 'Ada' }])
      await rejects('unique', () => again.sql`INSERT INTO users (name) VALUES ('Ada')`)
    },
  },
  {
    name: 'a fault is placed by line and column, with a caret under it',
    async run({ open }) {
      const db = await open()
      const message = await rejects('invalid', () => db.sql('SELECT name\nFROM users\nWHERE age >>> 5'), /line 3, column \d+/)
      ok(/\n.*WHERE age >>> 5\n +\^/.test(message), message)
      const faults = ['', 'SELECT', 'SELECT FROM users', 'SELEC * FROM users', 'SELECT * FROM', 'SELECT * FROM users WHERE', 'SELECT * FROM users LIMIT x', "SELECT * FROM users WHERE a = 'x", 'SELECT * FROM users; DROP INDEX', 'BEGIN; DELETE FROM users', 'WITH a AS (SELECT 1) DROP INDEX b',
        'INSERT INTO users', 'INSERT INTO users (a) VALUES (1, 2)', 'UPDATE users', 'DELETE users', 'CREATE TABLE users (a DEFAULT 1)', 'DROP VIEW users', 'EXPLAIN', 'SELECT a FROM users NATURAL JOIN orders ON a = b', "SELECT '\ud800' FROM users"]
      for (const text of faults) await rejects('invalid', () => db.sql(text))
    },
  },
  {
    name: 'parameters that do not fit are refused',
    async run({ open }) {
      const db = await open()
      const faults: [() => Promise<unknown>, RegExp][] = [
        [() => db.sql(5 as never), /^sql: expected a statement, not 5$/],
        [() => db.sql(undefined as never), /^sql: expected a statement, not undefined$/],
        [() => db.sql(['SELECT'] as never), /^sql: expected a statement, not an array$/],
        [() => db.sql('SELECT * FROM a WHERE b = ?', 5 as never), /^params: expected an array for \?, or an object for :name, not 5$/],
        [() => db.sql('SELECT * FROM a WHERE b = ?', new Date() as never), /^params: expected an array/],
        [() => db.sql('SELECT * FROM a WHERE b = ?', [undefined as never]), /^params\[0\] is undefined$/],
        [() => db.sql('SELECT * FROM a WHERE b = ?', new Array<never>(1)), /^params\[0\] is undefined$/],
        [() => db.sql('SELECT * FROM a WHERE b = :b', { b: undefined as never }), /^params\.b is undefined$/],
        [() => db.sql('SELECT * FROM a WHERE b IN :b', { b: [1, undefined as never] }), /^params\.b\[1\] is undefined$/],
        [() => db.sql`SELECT * FROM a WHERE b = ${{ c: undefined as never }}`, /^params\[0\]\.c is undefined$/],
        [() => db.sql('SELECT * FROM a WHERE b = $b', { b: 1, c: 2 }), /the statement has no parameter c$/],
        [() => db.sql('SELECT * FROM a', { c: 2 }), /the statement has no parameter c$/],
        [() => db.sql('SELECT * FROM a WHERE b = $b', { $b: 1 }), /the parameters have no b/],
        [() => db.sql('SELECT * FROM a WHERE b = ?', [(() => 1) as never]), /^params\[0\] is a function$/],
        [() => db.sql`SELECT * FROM a WHERE b = ${1} AND
             c >  ${undefined as never}`, /^sql: value 2, after "AND c >", is undefined$/],
        [() => db.sql`SELECT * FROM a WHERE b = ${Symbol('s') as never}`, /^params\[0\] is a symbol$/],
        [() => db.sql`SELECT \u FROM a`, /^sql: the text before the first value has a backslash that starts no escape/],
        [() => db.sql`SELECT * FROM a WHERE b = '${1}'`, /parameter/],
        [() => db.sql('SELECT * FROM a WHERE b = ?'), /parameter/],
        [() => db.sql('SELECT * FROM a WHERE b = ?', []), /parameter/],
        [() => db.sql('SELECT * FROM a WHERE b = ?', [1, 2]), /parameter/],
        [() => db.sql('SELECT * FROM a WHERE b = :b', {}), /:?b/],
        [() => db.sql('SELECT * FROM a WHERE b = :b', [1]), /:?b/],
        [() => db.sql('SELECT * FROM a WHERE b = ?', { b: 1 }), /\?/],
        [() => db.sql`SELECT * FROM ${'a'}`, /\^/],
      ]
      for (const [call, message] of faults) await rejects('invalid', call, message)
      await db.close()
      await rejects('closed', () => db.sql`SELECT * FROM a`)
      await rejects('closed', () => db.sql`DELETE FROM a`)
    },
  },
]
