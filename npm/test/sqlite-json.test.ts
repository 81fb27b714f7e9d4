// JSON in SQL against SQLite (sql.js): random values, as texts of JSON there and here, and as they stand in documents
// here. SQLite makes texts of arrays and objects, where we have them as values: both are compared as texts.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AtomicDB } from '../src/index.js'
import { openInNode } from './harness/node.js'
import { openSQLite } from './harness/sqlite.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const random = new Random(seed)

let db: AtomicDB
let sqlite: { run(sql: string, values?: unknown[]): void; exec(sql: string): { values: unknown[][] }[]; close(): void }

before(async () => {
  db = await openInNode()
  sqlite = await openSQLite<typeof sqlite>()
})
after(async () => {
  sqlite.close()
  await db.close()
})

describe(`JSON in SQL (${replayOf('sqlite-json.test.ts')})`, () => {
  test('rows of json_each and json_tree, parts, and what is made of values', async () => {
    for (let round = 0; round < 4; round++) {
      await fill()
      for (let n = 0; n < 30; n++) {
        const made = statement()
        await compare(made.replaceAll('DOC', 'text'), made.replaceAll('DOC', 'text'))
        await compare(made.replaceAll('DOC', 'doc'), made.replaceAll('DOC', 'text'))
      }
    }
  })

  test('statements of every kind', async () => {
    await fill()
    for (const text of fixed) await compare(text, text)
  })
})

/** The same values as texts and, in our documents, also as they are. */
async function fill(): Promise<void> {
  await db.dropCollection('t')
  sqlite.run('DROP TABLE IF EXISTS t')
  sqlite.run('CREATE TABLE t (id, text)')
  for (let id = 0; id < 12; id++) {
    const doc = id === 11 ? null : random.chance(0.5) ? list(3) : object(3)
    const text = doc === null ? null : JSON.stringify(doc)
    await db.insert({ id, doc, text }, 't')
    sqlite.run('INSERT INTO t VALUES (?, ?)', [id, text])
  }
}

const keys = ['a', 'b', 'c d', '_e', 'f.g', 'é', 'x1', '0']
const list = (depth: number): Json[] => random.list(0, 4, () => value(depth - 1))
const object = (depth: number): Json => Object.fromEntries(random.list(0, 4, () => [random.pick(keys), value(depth - 1)] as const))

function value(depth: number): Json {
  if (depth > 0 && random.chance(0.5)) return random.chance(0.5) ? list(depth) : object(depth)
  return random.pick<Json>([null, true, false, 0, 1, -7, 2.5, 1e15, '', 'a', "it's", 'x"y', 'é\n', '[1]', '5'])
}

/** A statement over the column DOC. */
function statement(): string {
  const table = `${random.pick(['json_each', 'json_tree'])}(DOC${random.chance(0.4) ? `, '${path()}'` : ''})`
  const columns = random.list(1, 4, () => random.pick(['key', 'value', 'type', 'atom', 'fullkey', 'path'])).map((name) => `e.${name}`).join(', ')
  const where = random.pick(['1', "e.type = 'integer'", "e.type = 'integer' AND e.value > 0", "e.type = 'text' AND e.value LIKE 'a%'", 'e.key IS NULL', 'e.atom IS NOT NULL', "e.type IN ('array', 'object')", "e.type = 'integer' AND e.value = t.id", "e.path = '$'"])
  return random.pick([
    `SELECT t.id, ${columns} FROM t, ${table} e WHERE ${where}`,
    `SELECT t.id, ${columns} FROM t LEFT JOIN ${table} e ON ${where}`,
    `SELECT t.id, (SELECT COUNT(*) FROM ${table} e WHERE ${where}) AS n FROM t`,
    `SELECT t.id FROM t WHERE EXISTS (SELECT 1 FROM ${table} e WHERE ${where})`,
    `SELECT e.type, COUNT(*) AS n FROM t JOIN ${table} e WHERE ${where} GROUP BY e.type ORDER BY e.type`,
    `SELECT t.id, json_group_array(e.atom) AS a FROM t, ${table} e WHERE ${where} GROUP BY t.id ORDER BY t.id`,
    `SELECT t.id, json_group_object(e.fullkey, e.atom) AS o FROM t, ${table} e GROUP BY t.id ORDER BY t.id`,
    `SELECT t.id, e.fullkey, f.fullkey FROM t, json_each(DOC) e, json_each(DOC) f WHERE e.id < f.id`,
    `SELECT t.id, f.key, f.type FROM t, json_each(DOC) e, json_each(DOC, e.fullkey) f`,
    `SELECT t.id, e.id > p.id AS later, e.path = p.fullkey AS inside FROM t, json_tree(DOC) e JOIN json_tree(DOC) p ON e.parent = p.id`,
    `SELECT id, json_extract(DOC, '${path()}') AS v, json_type(DOC, '${path()}') AS t, json_array_length(DOC, '${path()}') AS n FROM t`,
    `SELECT id, DOC ->> ${step()} AS v, DOC -> ${step()} ->> ${step()} AS w FROM t`,
    `SELECT json_array(id, DOC -> ${step()}) AS a, json_object('k', json_extract(DOC, '${path()}'), 'l', id) AS o FROM t`,
    `SELECT id, json_valid(DOC) AS v, json(DOC) AS j FROM t`,
    `SELECT id, json_group_array(id) OVER (ORDER BY id ROWS ${random.int(0, 3)} PRECEDING) AS a FROM t`,
    `SELECT json_group_array(id) FILTER (WHERE id > ${random.int(0, 13)}) AS a, json_group_array(DISTINCT id % 3) AS d FROM t`,
  ])
}

const path = () => `$${random.list(0, 2, () => random.pick(['.a', '.b', '."c d"', '."f.g"', '[0]', '[1]', '[#-1]', '.x1', '."0"'])).join('')}`
const step = () => random.pick(["'a'", "'b'", "'c d'", "'f.g'", "'0'", '0', '1', '-1', `'${path()}'`])

const fixed = [
  `SELECT key, value, type, atom, parent, fullkey, path FROM json_each('5')`,
  `SELECT * FROM json_each(NULL)`,
  `SELECT key, value, type, atom, fullkey, path FROM json_tree('{"a": [1, {"b": null}], "c d": true}', '$.a')`,
  `SELECT key, fullkey, path FROM json_each('{"a": 5}', '$.a') UNION ALL SELECT key, fullkey, path FROM json_tree('{"a": 5}', '$.a')`,
  `SELECT e.value, f.value AS w FROM json_each('[[1, 2], [3], [], 4]') e LEFT JOIN json_each(e.value) f`,
  `SELECT value FROM json_each('[3, 1, 2]') ORDER BY value DESC LIMIT 1 OFFSET 1`,
  `SELECT (SELECT SUM(value) FROM json_each(q.a)) AS s FROM (SELECT '[1, 2, 3]' AS a UNION ALL SELECT '[4]') q`,
  `SELECT id FROM t WHERE id IN (SELECT value FROM json_each('[1, 3, 99]')) ORDER BY id`,
  `SELECT t.id, u.id AS other FROM t, json_each('[0, 1]') e JOIN t u ON u.id = t.id + e.value WHERE t.id < 3`,
  `WITH RECURSIVE w(v, d) AS (SELECT '[1, [2, [3]]]', 0 UNION ALL SELECT e.value, d + 1 FROM w, json_each(w.v) e WHERE e.type = 'array') SELECT d FROM w`,
  `SELECT json_array(), json_object(), json_array(1, NULL, 'a', json_array(2), json('[3]'), '[4]'), json_array(1 = 1)`,
  `SELECT json_object('a', 1, 'b', json_object('c', NULL))`,
  `SELECT json_group_array(column1), json_group_array(column1) FILTER (WHERE column1 > 1) FROM (VALUES (1), (NULL), (2), (2))`,
  `SELECT json_group_object(column1, column2) FROM (VALUES ('a', 1), (NULL, 2), ('b', 3))`,
  `SELECT json_group_array(column1), json_group_object(column1, 1) FROM (VALUES (1)) WHERE column1 > 5`,
  `SELECT json_group_object(x, y) OVER (ORDER BY x ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) FROM (SELECT 'a' AS x, 1 AS y UNION SELECT 'b', 2 UNION SELECT 'c', 3)`,
  `SELECT json_valid('1'), json_valid(1), json_valid(NULL), json_valid('x'), json_valid(''), json_valid('{"a": 1,}'), json_valid('[01]'), json_valid('{a: 1}'), json_valid('[1] x')`,
  `SELECT '["[5]", "it''s"]' -> 0 ->> '$', '["[5]"]' -> 0 -> 0, '["a\\"b"]' -> 0 ->> '$', json_type('["5"]' -> 0), json_valid('["x"]' -> 0), json_type(json('"[1]"'))`,
  `SELECT value, type FROM json_each('["[5]"]' -> 0)`,
  `SELECT '{"a": "[1, 7]"}' ->> 'a' ->> 1, 'x' || ('{"a": 1}' ->> 'a') || 'y', '{"a": 1}' || '' ->> 'a', 2 * '[5]' ->> 0, '[null]' ->> 0, '{"1": 5}' ->> 1`,
]

async function compare(ours: string, theirs: string): Promise<void> {
  const found = ((await db.sql(ours)) as object[]).map((row) => Object.values(row).map(comparable))
  const wanted = (sqlite.exec(theirs)[0]?.values ?? []).map((row) => row.map(comparable))
  assert.deepEqual(found, wanted, ours)
}

/** SQLite has 1 and 0 for true and false, and texts for arrays and objects, which it writes as they were. */
function comparable(cell: unknown): unknown {
  if (typeof cell === 'boolean' || typeof cell === 'bigint') return Number(cell)
  const plain = cell !== null && typeof cell === 'object' ? JSON.stringify(cell) : cell
  return typeof plain === 'string' && /^[[{]/.test(plain) ? plain.replaceAll('.0', '').replaceAll('true', '1').replaceAll('false', '0') : plain
}
