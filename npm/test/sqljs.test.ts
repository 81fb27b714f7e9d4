// SQL against SQLite (sql.js): the same data in a table there and in a collection here, and random
// statements on which both must agree. engine/sql/SQL.md says where the two differ on purpose, which
// is where a comparison meets NULL; statements here compare only columns that have values.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AtomicDB } from '../src/index.js'
import { openInNode } from './harness/node.js'
import { openSQLite } from './harness/sqlite.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

type Cell = string | number | null
type Row = Record<string, Cell>

const random = new Random(seed)
const cities = ['Oslo', 'Bergen', 'Tromsø', 'New Amsterdam', 'New Amstelveen', '100%']
const words = ['alpha', 'beta', 'a long text, 1', 'a long text, 2', 'under_score', '']

let db: AtomicDB
let sqlite: { run(sql: string, values?: Cell[]): void; exec(sql: string, values?: Cell[]): { columns: string[]; values: Cell[][] }[]; close(): void }

before(async () => {
  db = await openInNode()
  sqlite = await openSQLite<typeof sqlite>()
})
after(async () => {
  sqlite.close()
  await db.close()
})

describe(`random statements (${replayOf('sqljs.test.ts')})`, () => {
  test('3,000 SELECTs answer what SQLite answers, with and without indexes', async () => {
    let found = 0
    for (let round = 0; round < 15; round++) {
      await fill(round % 3 === 0 ? 400 : 60)
      await indexSome()
      for (let n = 0; n < 200; n++) found += await compareSelect(random.chance(0.2) ? joined() : random.chance(0.4) ? grouped() : plain())
    }
    assert.ok(found > 10_000, `only ${found} rows were found`)
  })

  test('2,000 expressions of literals have the value that SQLite gives them, wherever they stand', async () => {
    await fill(60)
    for (let n = 0; n < 2_000; n++) {
      const text = truth(3)
      const statement = random.pick([
        `SELECT ${text} AS v`, `SELECT ${text} AS v, COUNT(*) AS n FROM people`, `SELECT city, COUNT(*) AS n FROM people GROUP BY city HAVING ${text}`,
        `SELECT id FROM people WHERE ${text}`, `SELECT id FROM people WHERE age > 40 OR ${text}`, `SELECT city AS c FROM people GROUP BY city, (${text}) || ''`,
        `SELECT p.id, o.total FROM people p LEFT JOIN orders o ON o.person = p.id AND ${text}`, `SELECT id FROM people ORDER BY (${text}) || '', id`,
        `SELECT CASE WHEN ${text} THEN 'yes' ELSE 'no' END AS v`, `SELECT coalesce(NULL, ${text}) AS v`,
      ])
      await compareSelect({ text: statement, values: [], ordered: false })
    }
  })

  test('a name is the field that SQLite takes it for', async () => {
    await fill(60)
    for (const text of [
      'SELECT age % 2 AS age, COUNT(*) AS n FROM people GROUP BY age', 'SELECT age % 2 AS odd, COUNT(*) AS n FROM people GROUP BY odd', 'SELECT city AS word, COUNT(*) AS n FROM people GROUP BY word, city',
      'SELECT age * 2 AS twice FROM people WHERE twice > 80', 'SELECT age % 7 AS age FROM people WHERE age > 30', 'SELECT -age AS age, id FROM people ORDER BY age, id', 'SELECT -age AS age, id FROM people ORDER BY age + 0, id',
      'SELECT -age AS other, id FROM people ORDER BY other + 0, id', 'SELECT age % 2 AS odd, COUNT(*) AS n FROM people GROUP BY odd, odd + 1 ORDER BY odd + 1',
    ]) await compareSelect({ text, values: [], ordered: text.includes('ORDER BY') })
  })

  test('300 UPDATEs and DELETEs leave what SQLite leaves', async () => {
    for (let round = 0; round < 30; round++) {
      await fill(80)
      await indexSome()
      for (let n = 0; n < 10; n++) {
        const { text, values } = condition('')
        // Each changes every document it finds: AtomicDB counts the changed ones.
        const statement = random.chance(0.7)
          ? `UPDATE people SET ${random.pick(['age = age + 1', "word = word || '!'", 'score = score + 2, age = 50', "city = city || '?'"])} WHERE ${text}`
          : `DELETE FROM people WHERE ${text} AND age > 40`
        const [{ updated, removed }] = (await db.sql(statement, values)) as [{ updated?: number; removed?: number }]
        sqlite.run(statement, values)
        assert.equal(updated ?? removed, sqlite.exec('SELECT changes()')[0]!.values[0]![0], statement)
        await compareSelect({ text: 'SELECT id, age, score, city, word, nick FROM people ORDER BY id', values: [], ordered: true })
      }
    }
  })
})

interface Statement {
  text: string
  values: Cell[]
  /** The answer has one order. */
  ordered: boolean
}

async function compareSelect({ text, values, ordered }: Statement): Promise<number> {
  const where = () => `${text}\n${JSON.stringify(values)}`
  const ours = ((await db.sql(text, values)) as Row[]).map((row) => Object.values(row))
  const [answer] = sqlite.exec(text, values)
  const theirs = answer?.values ?? []
  const lines = (rows: unknown[][]) => {
    const all = rows.map((row) => JSON.stringify(row.map(comparable)))
    return ordered ? all : all.sort()
  }
  assert.deepEqual(lines(ours), lines(theirs), where())
  return theirs.length
}

/** SQLite has 1 and 0 for true and false, and adds fractions in another order. */
function comparable(cell: unknown): unknown {
  if (typeof cell === 'boolean') return Number(cell)
  return typeof cell === 'number' ? Number(cell.toPrecision(10)) : cell
}

async function fill(count: number): Promise<void> {
  for (const name of ['people', 'orders']) await db.dropCollection(name)
  for (const table of ['people', 'orders']) sqlite.run(`DROP TABLE IF EXISTS ${table}`)
  sqlite.run('CREATE TABLE people (id INTEGER, age INTEGER, score REAL, city TEXT, word TEXT, nick TEXT)')
  sqlite.run('CREATE TABLE orders (id INTEGER, person INTEGER, total REAL)')
  // In one collection, the name is either null or missing: those two sort apart, which SQLite has not.
  const nothing = random.pick([{}, { nick: null }])
  const people = Array.from({ length: count }, (_, id) => ({
    id, age: random.int(18, 60), score: random.int(-400, 400) / 8, city: random.pick(cities), word: random.pick(words), ...(random.chance(0.5) ? { nick: random.pick(['x', 'y']) } : nothing),
  }))
  const orders = Array.from({ length: count }, (_, id) => ({ id, person: random.chance(0.1) ? null : random.int(0, count * 2), total: random.chance(0.2) ? null : random.int(0, 100) / 4 }))
  await db.insertMany(people, 'people')
  await db.insertMany(orders, 'orders')
  for (const p of people) sqlite.run('INSERT INTO people VALUES (?, ?, ?, ?, ?, ?)', [p.id, p.age, p.score, p.city, p.word, p.nick ?? null])
  for (const o of orders) sqlite.run('INSERT INTO orders VALUES (?, ?, ?)', [o.id, o.person, o.total])
}

async function indexSome(): Promise<void> {
  for (const paths of ['age', 'city', 'city, age', 'score', 'word', 'nick', 'id']) {
    if (random.chance(0.3)) await db.sql(`CREATE INDEX ON people (${paths})`)
  }
  if (random.chance(0.5)) await db.sql('CREATE INDEX ON orders (person)')
}

/** A condition on people, whose columns come after `of`. */
function condition(of: string, depth = 2): { text: string; values: Cell[] } {
  const values: Cell[] = []
  const value = (cell: Cell) => {
    values.push(cell)
    return '?'
  }
  const leaf = (): string => {
    const sign = random.pick(['=', '!=', '<>', '<', '<=', '>', '>='])
    switch (random.int(0, 10)) {
      case 0: return `${of}age ${sign} ${value(random.int(18, 60))}`
      case 1: return `${of}score ${sign} ${value(random.int(-400, 400) / 8)}`
      case 2: return `${of}city ${sign} ${value(random.pick(cities))}`
      case 3: return `${of}city IN (${value(random.pick(cities))}, ${value(random.pick(cities))})`
      case 4: return `${of}age ${random.pick(['', 'NOT '])}BETWEEN ${value(random.int(18, 60))} AND ${value(random.int(18, 60))}`
      case 5: return `${of}word ${random.pick(['', 'NOT '])}LIKE ${value(random.pick(['a%', '%a', 'a long%_', '%,_2', 'under!_%', '', 'beta', '%']))} ESCAPE '!'`
      case 6: return `${of}nick IS ${random.pick(['', 'NOT '])}NULL`
      case 7: return `${of}age * 2 - ${of}score ${sign} ${value(random.int(0, 100))}`
      case 8: return `length(${of}word) ${sign} ${of}age % 7`
      case 9: return `${of}age ${random.pick(['', 'NOT '])}BETWEEN ${value(random.int(18, 40))} AND ${of}id % 60`
      default: return `${of}city || ${of}word ${sign} ${value(random.pick(cities) + random.pick(words))}`
    }
  }
  const node = (depth: number): string => {
    if (depth === 0 || random.chance(0.3)) return leaf()
    if (random.chance(0.2)) return `NOT (${node(depth - 1)})`
    return `(${node(depth - 1)} ${random.pick(['AND', 'OR'])} ${node(depth - 1)})`
  }
  return { text: node(depth), values }
}

/** A condition of literals, which is true or false. */
function truth(depth: number): string {
  const number = () => String(random.int(-3, 3))
  const word = () => random.pick(["'a'", "'ab'", "''", "'%'"])
  if (depth === 0 || random.chance(0.3)) {
    switch (random.int(0, 6)) {
      case 0: return `${number()} ${random.pick(['=', '!=', '<>', '<', '<=', '>', '>='])} ${number()} ${random.pick(['+', '-', '*'])} ${number()}`
      case 1: return `${number()} ${random.pick(['', 'NOT '])}IN (${number()}, ${number()})`
      case 2: return `${number()} ${random.pick(['', 'NOT '])}BETWEEN ${number()} AND ${number()}`
      case 3: return `${word()} ${random.pick(['', 'NOT '])}LIKE ${random.pick(["'a%'", "'_'", "'a'"])}`
      case 4: return `${random.pick([number(), word(), 'NULL'])} IS ${random.pick(['', 'NOT '])}NULL`
      case 5: return `${word()} || ${word()} ${random.pick(['=', '<', '>='])} ${word()}`
      default: return `-${random.int(1, 3)} % 2 = ${number()}`
    }
  }
  if (random.chance(0.25)) return `NOT ${random.pick([`(${truth(depth - 1)})`, truth(0)])}`
  return `(${truth(depth - 1)} ${random.pick(['AND', 'OR'])} ${truth(depth - 1)})`
}

const expressions = ['age', 'city', 'word', 'score', 'nick', 'age + 1', 'score * -2', "city || '-' || word", 'upper(word)', "CASE WHEN age > 40 THEN 'old' WHEN age > 30 THEN word END", 'coalesce(nick, age)', 'age > 30', 'age % 5', 'substr(word, 2, 3)', 'abs(score)']

function plain(): Statement {
  const { text: where, values } = condition('')
  const columns = random.list(1, 3, () => random.pick(expressions)).map((e, i) => `${e} AS c${i}`).join(', ')
  if (random.chance(0.2)) return { text: `SELECT DISTINCT ${columns} FROM people WHERE ${where}`, values, ordered: false }
  const order = random.chance(0.6) ? ` ORDER BY ${random.list(1, 2, () => `${random.pick([...expressions.slice(0, 8), 'c0'])}${random.pick(['', ' DESC', ' ASC'])}`).join(', ')}, id` : ''
  const limit = order && random.chance(0.5) ? ` LIMIT ${random.int(0, 20)}${random.pick(['', ` OFFSET ${random.int(0, 10)}`])}` : ''
  return { text: `SELECT ${columns} FROM people WHERE ${where}${order}${limit}`, values, ordered: order !== '' }
}

function grouped(): Statement {
  const { text: where, values } = condition('')
  const by = random.list(0, 2, () => random.pick(['city', 'word', 'age', 'nick', 'age % 3', 'age > 40'])).filter((e, i, all) => all.indexOf(e) === i)
  const aggregates = ['COUNT(*)', 'COUNT(nick)', 'SUM(age)', 'SUM(score)', 'AVG(age)', 'MIN(city)', 'MAX(score)', 'MIN(age)', 'COUNT(DISTINCT city)', 'SUM(age * 2)', 'MAX(age) - MIN(age)', 'COUNT(DISTINCT nick)', 'MAX(DISTINCT age)', 'MIN(DISTINCT city)', 'SUM(DISTINCT age)']
  const columns = [...by.map((e, i) => `${e} AS g${i}`), ...random.list(1, 3, () => random.pick(aggregates)).map((e, i) => `${e} AS a${i}`)]
  const having = by.length > 0 && random.chance(0.4) ? ` HAVING COUNT(*) > ${random.int(1, 4)}` : ''
  const group = by.length > 0 ? ` GROUP BY ${by.join(', ')}` : ''
  const order = by.length > 0 && random.chance(0.5) ? ` ORDER BY a0 DESC, ${by.map((_, i) => `g${i}`).join(', ')} LIMIT ${random.int(1, 9)}` : ''
  return { text: `SELECT ${columns.join(', ')} FROM people WHERE ${where}${group}${having}${order}`, values, ordered: order !== '' }
}

function joined(): Statement {
  const { text, values } = condition('p.', 1)
  // What is null in a row without a partner is not to be asked before joining.
  const where = `${text}${random.pick(['', ' AND o.total IS NULL', ' AND o.id IS NOT NULL'])}`
  const left = random.chance(0.5)
  const on = `o.person = p.id${random.pick(['', ' AND o.total > 5', ' AND o.total IS NULL'])}`
  if (random.chance(0.3)) return { text: `SELECT p.city, COUNT(o.id) AS n, SUM(o.total) AS sum FROM people p ${left ? 'LEFT ' : ''}JOIN orders o ON ${on} WHERE ${where} GROUP BY p.city`, values, ordered: false }
  return { text: `SELECT p.id, p.age + 0 AS age, o.total FROM people p ${left ? 'LEFT JOIN' : random.pick(['JOIN', 'INNER JOIN'])} orders o ON ${on} WHERE ${where} ORDER BY p.id, o.id`, values, ordered: true }
}
