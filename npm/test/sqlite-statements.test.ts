// The structure of SQL statements against SQLite (sql.js): random queries in queries, joins of all kinds, combined and
// recursive queries, window functions, and writes, over the same rows in tables there and in collections here. Rows have all columns, in
// order. What values mean is for sqlite-meaning.test.ts: nothing is negated here that may be unknown, but for NOT IN.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AtomicDB } from '../src/index.js'
import { testWasm } from './harness/node.js'
import { openSQLite } from './harness/sqlite.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

type Row = Record<string, number | null>

const random = new Random(seed)

/** How many statements there are; COUNT makes it another number. */
const queries = Number(process.env.COUNT ?? 250)
const writes = Math.ceil(queries / 2)

let db: AtomicDB
let sqlite: { run(sql: string): void; exec(sql: string): { values: unknown[][] }[]; close(): void }

before(async () => {
  db = await AtomicDB.open('statements', { inMemory: true, wasm: testWasm, maxQueryMemory: 64 << 20, maxQueryTime: 3_000 })
  sqlite = await openSQLite<typeof sqlite>()
})
after(async () => {
  sqlite.close()
  await db.close()
})

describe(`random statements (${replayOf('sqlite-statements.test.ts')})`, () => {
  test(`${queries} queries answer what SQLite answers`, async () => {
    let found = 0
    for (let n = 0; n < queries; n++) {
      if (n % 25 === 0) await fill()
      found += await compare(statement())
    }
    assert.ok(found > queries * 2, `only ${found} rows were found`)
  })

  test(`${writes} writes leave what SQLite leaves`, async () => {
    for (let n = 0; n < writes; n++) {
      if (n % 10 === 0) await fill()
      await compareWrite(write())
    }
  })
})

/** The columns of the tables. The unique one of v may not be null. */
const tables: Record<string, readonly string[]> = { t: ['a', 'b', 'c'], u: ['a', 'd', 'e'], w: ['b', 'f'], v: ['k', 'n'] }

async function fill(): Promise<void> {
  for (const [name, columns] of Object.entries(tables)) {
    await db.dropCollection(name)
    sqlite.run(`DROP TABLE IF EXISTS ${name}`)
    sqlite.run(`CREATE TABLE ${name} (${columns.join(', ')}${name === 'v' ? ', UNIQUE (k)' : ''})`)
    const size = random.pick([0, 3, 8, 15])
    const rows = Array.from({ length: size }, (_, i) => {
      const row: Row = {}
      for (const column of columns) row[column] = column === 'k' ? i : random.chance(0.1) ? null : random.int(0, 6)
      return row
    })
    // A collection whose fields no document has does not know them.
    rows.push(Object.fromEntries(columns.map((column) => [column, column === 'k' ? size : 7])))
    await db.insertMany(rows, name)
    for (const row of rows) sqlite.run(`INSERT INTO ${name} VALUES (${Object.values(row).map((v) => v ?? 'NULL').join(', ')})`)
    for (const column of columns) {
      if (column === 'k') await db.sql('CREATE UNIQUE INDEX ON v (k)')
      else if (random.chance(0.3)) await db.sql(`CREATE INDEX ON ${name} (${column})`)
    }
  }
}

/** A table in a FROM: its name there and its columns. */
interface Source {
  readonly name: string
  readonly columns: readonly string[]
}

let names = 0

/** What may stand after FROM, with its alias, and what WITH has named. */
function source(depth: number, ctes: readonly Source[]): { text: string; source: Source } {
  const name = `x${++names}`
  if (depth > 0 && random.chance(0.25)) {
    const width = random.int(1, 3)
    return { text: `(${query(depth - 1, width, [], ctes)}) AS ${name}`, source: { name, columns: columnsOf(width) } }
  }
  if (ctes.length > 0 && random.chance(0.4)) {
    const cte = random.pick(ctes)
    return { text: `${cte.name} ${name}`, source: { name, columns: cte.columns } }
  }
  const table = random.pick(['t', 'u', 'w'])
  return { text: `${table} ${random.pick(['AS ', ''])}${name}`, source: { name, columns: tables[table]! } }
}

const columnsOf = (width: number) => Array.from({ length: width }, (_, i) => `c${i}`)

const columnOf = ({ name, columns }: Source) => `${name}.${random.pick(columns)}`

/** A value: of the sources, which are those of the query and those around it. */
function value(of: readonly Source[], depth: number, ctes: readonly Source[]): string {
  if (of.length === 0 || random.chance(0.15)) return String(random.int(0, 9))
  if (depth > 0 && random.chance(0.12)) return scalar(of, depth - 1, ctes)
  if (random.chance(0.15)) return `${columnOf(random.pick(of))} ${random.pick(['+', '-', '*'])} ${random.pick([columnOf(random.pick(of)), '2'])}`
  return columnOf(random.pick(of))
}

/** A query of one row. */
function scalar(around: readonly Source[], depth: number, ctes: readonly Source[]): string {
  const { text, source: own } = source(depth, ctes)
  const aggregate = random.pick([`MAX(${columnOf(own)})`, `COUNT(${columnOf(own)})`, 'COUNT(*)', `SUM(${columnOf(own)})`, `MIN(${columnOf(own)} + 1)`])
  return `(SELECT ${aggregate} FROM ${text}${random.chance(0.8) ? ` WHERE ${condition([own, ...around], depth, ctes)}` : ''})`
}

/** A condition that is never asked for its opposite, where false and unknown are the same. */
function condition(of: readonly Source[], depth: number, ctes: readonly Source[]): string {
  const what = random.int(0, 12)
  if (what < 2 && depth > 0) return `(${condition(of, depth - 1, ctes)} ${random.pick(['AND', 'OR'])} ${condition(of, depth - 1, ctes)})`
  if (what < 4 && depth > 0) return `${value(of, 0, ctes)} ${random.pick(['IN', 'NOT IN'])} (${query(depth - 1, 1, of, ctes)})`
  if (what === 4 && depth > 0) return `${random.pick(['EXISTS', 'NOT EXISTS'])} (${query(depth - 1, random.int(1, 2), of, ctes)})`
  if (what === 5) return `${columnOf(random.pick(of))} IS ${random.pick(['NULL', 'NOT NULL'])}`
  if (what === 6) return `${columnOf(random.pick(of))} BETWEEN ${random.int(0, 3)} AND ${random.int(3, 7)}`
  if (what === 7) return `${columnOf(random.pick(of))} IN (${random.list(1, 3, () => random.int(0, 7)).join(', ')})`
  return `${value(of, depth, ctes)} ${random.pick(['=', '=', '=', '<', '<=', '>', '>='])} ${value(of, depth, ctes)}`
}

/** What stands after FROM, and its sources. */
function from(depth: number, ctes: readonly Source[], around: readonly Source[]): { text: string; sources: Source[] } {
  const first = source(depth, ctes)
  let { text } = first
  const sources = [first.source]
  while (sources.length < 3 && random.chance(0.45)) {
    const next = source(depth, ctes)
    const last = sources.at(-1)!
    const shared = next.source.columns.filter((c) => sources.every((s) => s.columns.includes(c)))
    const equality = () => `${columnOf(random.pick(sources))} = ${columnOf(next.source)}`
    const isNatural = sources.length === 1 && random.chance(0.1)
    const kind = isNatural ? random.pick([' NATURAL JOIN', ' NATURAL LEFT JOIN', ' NATURAL RIGHT JOIN', ' NATURAL FULL JOIN']) : random.pick([',', ' CROSS JOIN', ' JOIN', ' INNER JOIN', ' LEFT JOIN', ' LEFT JOIN', ' LEFT OUTER JOIN', ' RIGHT JOIN', ' FULL JOIN', ' FULL OUTER JOIN'])
    sources.push(next.source)
    text += `${kind} ${next.text}`
    if (isNatural || kind === ',' || kind === ' CROSS JOIN') continue
    if (shared.length > 0 && sources.length === 2 && random.chance(0.2)) text += ` USING (${random.pick(shared)})`
    else text += ` ON ${random.chance(0.7) ? equality() : condition([last, next.source], 0, ctes)}${random.chance(0.3) ? ` AND ${condition(sources.concat(around), 0, ctes)}` : ''}`
  }
  return { text, sources }
}

/** A window function over rows of the sources. Rows that its order leaves equal are the same rows, or have the same value. */
function windowed(of: readonly Source[], named: string | undefined): string {
  const any = () => columnOf(random.pick(of))
  const all = of.flatMap((s) => s.columns.map((c) => `${s.name}.${c}`))
  const direction = () => random.pick(['', ' DESC', ' ASC NULLS LAST', ' DESC NULLS FIRST'])
  const partition = random.chance(0.5) ? `PARTITION BY ${random.list(1, 2, any).join(', ')} ` : ''
  const total = `ORDER BY ${[any(), ...all].map((c) => c + direction()).join(', ')} `
  const loose = random.chance(0.8) ? `ORDER BY ${any()}${direction()} ` : ''
  const filter = random.chance(0.2) ? ` FILTER (WHERE ${any()} ${random.pick(['<', '>'])} ${random.int(0, 6)})` : ''
  const aggregate = () => random.pick([`SUM(${any()})`, `COUNT(${any()})`, 'COUNT(*)', `MIN(${any()})`, `MAX(${any()} - 1)`, `AVG(${any()})`, `TOTAL(${any()})`]) + filter
  const exclude = random.pick(['', '', '', ' EXCLUDE NO OTHERS', ' EXCLUDE CURRENT ROW', ' EXCLUDE GROUP', ' EXCLUDE TIES'])
  const text = () => random.pick([`FIRST_VALUE(${any()})`, `LAST_VALUE(${any()} + 1)`, `NTH_VALUE(${any()}, ${random.int(1, 4)})`, aggregate()])
  if (named && random.chance(0.3)) return `${aggregate()} OVER ${named}`
  switch (random.int(0, 5)) {
    case 0: return `${random.pick(['ROW_NUMBER()', `NTILE(${random.int(1, 5)})`])} OVER (${partition}${total})`
    case 1: return `${random.pick(['LAG', 'LEAD'])}(${any()}${random.pick(['', ', 1', ', 2', ', 0', `, 3, ${any()}`])}) OVER (${partition}${total})`
    case 2: return `${random.pick(['RANK()', 'DENSE_RANK()', 'PERCENT_RANK()', 'CUME_DIST()', aggregate()])} OVER (${partition}${loose})`
    case 3:
      if (random.chance(0.2)) return `instr('-' || group_concat(${any()}, '-')${filter} OVER (${partition}${total}${frame('ROWS', 4)}${exclude}), '-${random.int(0, 6)}')`
      return `${text()} OVER (${partition}${total}${frame('ROWS', 4)}${exclude})`
    case 4: return `${aggregate()} OVER (${partition}${loose}${frame('GROUPS', 3)}${exclude === ' EXCLUDE CURRENT ROW' ? '' : exclude})`
    default: return `${aggregate()} OVER (${partition}ORDER BY ${any()}${direction()} ${frame('RANGE', 3)}${exclude === ' EXCLUDE CURRENT ROW' ? '' : exclude})`
  }
}

/** The bounds of a frame, of which the first does not come after the second. */
function frame(unit: string, most: number): string {
  const places = ['UNBOUNDED PRECEDING', ' PRECEDING', 'CURRENT ROW', ' FOLLOWING', 'UNBOUNDED FOLLOWING']
  const first = random.int(0, 3)
  const bound = (place: number) => (place % 2 === 1 ? random.int(0, most) : '') + places[place]!
  if (first < 3 && random.chance(0.3)) return `${unit} ${bound(first)}`
  return `${unit} BETWEEN ${bound(first)} AND ${bound(Math.max(1, random.int(first, 4)))}`
}

/** A SELECT of so many columns, which are named c0, c1 and so on. */
function select(depth: number, width: number, around: readonly Source[], ctes: readonly Source[]): string {
  if (random.chance(0.03)) return `SELECT ${columnsOf(width).map((c) => `${random.int(0, 5)} AS ${c}`).join(', ')}`
  const { text, sources } = from(depth, ctes, around)
  const conditions = random.chance(0.6) ? [condition([...sources, ...sources, ...around], depth, ctes)] : []
  // Equalities that lead from each table to another one, in any order.
  if (sources.length > 1 && random.chance(0.3)) for (const of of sources) conditions.push(`${columnOf(of)} = ${columnOf(random.pick(sources))}`)
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''
  if (random.chance(0.2)) {
    const by = columnOf(random.pick(sources))
    const aggregates = columnsOf(width).map((c, i) => (i === 0 && width > 1 ? `${by} AS ${c}` : `${random.pick(['COUNT(*)', `SUM(${columnOf(random.pick(sources))})`, `MAX(${columnOf(random.pick(sources))})`])} AS ${c}`))
    return `SELECT ${aggregates.join(', ')} FROM ${text}${where} GROUP BY ${by}${random.chance(0.4) ? ` HAVING COUNT(*) > ${random.int(0, 2)}` : ''}`
  }
  if (random.chance(0.2)) {
    const named = random.chance(0.3) ? `n${++names}` : undefined
    const columns = columnsOf(width).map((c) => `${random.chance(0.8) ? windowed(sources, named) : value(sources, 0, ctes)} AS ${c}`)
    return `SELECT ${columns.join(', ')} FROM ${text}${where}${named ? ` WINDOW ${named} AS (PARTITION BY ${columnOf(random.pick(sources))})` : ''}`
  }
  return `SELECT ${random.chance(0.15) ? 'DISTINCT ' : ''}${columnsOf(width).map((c) => `${value([...sources, ...sources, ...around], depth, ctes)} AS ${c}`).join(', ')} FROM ${text}${where}`
}

function query(depth: number, width: number, around: readonly Source[], ctes: readonly Source[]): string {
  let text = select(depth, width, around, ctes)
  for (let n = 0; n < 2 && random.chance(0.2); n++) text += ` ${random.pick(['UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT'])} ${select(depth, width, around, ctes)}`
  return text
}

interface Statement {
  text: string
  /** The answer has one order. */
  ordered: boolean
}

function statement(): Statement {
  const ctes: Source[] = []
  const named: string[] = []
  const isRecursive = random.chance(0.1)
  while (ctes.length < 2 && random.chance(0.2)) {
    const width = random.int(1, 3)
    const name = `q${++names}`
    named.push(`${name} AS (${query(1, width, [], [...ctes])})`)
    ctes.push({ name, columns: columnsOf(width) })
  }
  if (isRecursive) {
    const name = `q${++names}`
    named.push(`${name}(c0, c1) AS (${select(0, 2, [], ctes)} ${random.pick(['UNION', 'UNION ALL'])} SELECT ${name}.c0 + 1, ${random.pick(['t', 'u'])}.a FROM ${name} JOIN ${random.pick(['t', 'u'])} ON ${name}.c1 = 0 WHERE ${name}.c0 < 5)`)
    if (/FROM q\d+ JOIN (\w)/.exec(named.at(-1)!)![1] !== /, (\w)\.a FROM/.exec(named.at(-1)!)![1]) named.pop()
    else ctes.push({ name, columns: columnsOf(2) })
  }
  if (random.chance(0.06)) return endless()
  const width = random.int(1, 3)
  const ordered = random.chance(0.4)
  let text = query(2, width, [], ctes)
  if (ordered) {
    text += ` ORDER BY ${columnsOf(width).map((_, i) => `${i + 1}${random.pick(['', ' DESC'])}`).join(', ')}`
    if (random.chance(0.5)) text += ` LIMIT ${random.int(-1, 9)}${random.chance(0.5) ? ` OFFSET ${random.int(-1, 3)}` : ''}`
  }
  if (named.length > 0) text = `WITH ${isRecursive ? 'RECURSIVE ' : ''}${named.join(', ')} ${text}`
  return { text, ordered }
}

/** A recursive query that ends by a LIMIT alone, there or further out. Its rows have one order. */
function endless(): Statement {
  const limit = `LIMIT ${random.int(0, 12)}${random.chance(0.3) ? ` OFFSET ${random.int(0, 4)}` : ''}`
  const step = random.pick(['c0 + 1, c1', 'c0 + 1, c1 + c0', 'c1, c0 + c1 + 1', 'c0 + 2, c0 % 3'])
  const more = random.chance(0.3) ? ` UNION ALL SELECT c0 + 1, c1 FROM r WHERE c0 < ${random.int(1, 3)}` : ''
  const order = random.chance(0.3) ? ` ORDER BY ${random.pick(['1', '2', '2 DESC', '1 DESC'])}, ${random.pick(['1', '2'])}` : ''
  const [inner, outer] = random.chance(0.4) ? [` ${limit}`, ''] : ['', ` ${limit}`]
  const r = `r(c0, c1) AS (${random.pick(['SELECT 1, 0', 'VALUES (1, 0), (2, 5)', 'SELECT a, b FROM t WHERE a IS NOT NULL AND b IS NOT NULL UNION ALL SELECT 0, 1'])} UNION ALL SELECT ${step} FROM r${more}${order}${inner})`
  const from = random.pick(['r', 'r WHERE c0 > 2', '(SELECT c0 + 1 AS c0, c1 FROM r)', '(SELECT c0, c1 FROM r WHERE c0 >= 0) AS x'])
  const what = inner ? random.pick(['c0, c1', 'COUNT(*) AS n, SUM(c0) AS s']) : random.pick(['c0, c1', 'c1 + c0 AS s'])
  return { text: `WITH RECURSIVE ${r} SELECT ${what} FROM ${from}${outer}`, ordered: true }
}

function write(): string {
  const v = { name: 'v', columns: tables.v! }
  const t = { name: 't', columns: tables.t! }
  const rows = () => random.list(1, 3, () => `(${random.int(0, 12)}, ${random.int(0, 9)})`).join(', ')
  const returning = random.chance(0.4) ? ' RETURNING n, k + 1 AS next' : ''
  switch (random.int(0, 9)) {
    case 0: return `INSERT OR IGNORE INTO v (k, n) VALUES ${rows()}${returning}`
    case 1: return `INSERT OR REPLACE INTO v (k, n) VALUES ${rows()}${returning}`
    case 2: return `INSERT INTO v (k, n) VALUES ${rows()} ON CONFLICT (k) DO UPDATE SET n = n + excluded.n${random.chance(0.5) ? ' WHERE excluded.n > v.n' : ''}${returning}`
    case 3: return `INSERT INTO v (k, n) SELECT a, MAX(b) FROM t WHERE a IS NOT NULL GROUP BY a ON CONFLICT (k) DO ${random.pick(['NOTHING', 'UPDATE SET n = excluded.n'])}${returning}`
    case 4: return `INSERT INTO w (b, f) ${query(1, 2, [], [])} LIMIT 0`
    case 5: return `INSERT INTO w (b, f) ${select(1, 2, [], [])}`
    case 6: return `DELETE FROM v WHERE ${condition([v], 1, [])}${returning}`
    case 7: return `UPDATE v SET n = ${value([v], 2, [])} WHERE ${condition([v], 1, [])}${returning}`
    // SQLite lets a query in an UPDATE see what the UPDATE has changed so far; here it sees none of it.
    case 8: return `UPDATE t SET b = ${value([t], 0, [])}, c = b WHERE ${condition([t], 2, [])}`
    default: return `UPDATE v SET n = x.s FROM (SELECT a, SUM(b) AS s FROM t GROUP BY a) AS x WHERE x.a = v.k${returning}`
  }
}

const lines = (rows: readonly (readonly unknown[])[], ordered = false) => {
  const all = rows.map((row) => JSON.stringify(row.map((cell) => (typeof cell === 'boolean' ? Number(cell) : (cell ?? null)))))
  return ordered ? all : all.sort()
}

/** How many statements were left out: the rows of joins are multiplied, and those of a query in a query again. */
let tooLarge = 0

async function compare({ text, ordered }: Statement): Promise<number> {
  const rows = await ours(text)
  if (!rows) return 0
  const theirs = answerOfSQLite(text)
  assert.deepEqual(lines(rows.map((row) => Object.values(row)), ordered), lines(theirs, ordered), text)
  return theirs.length
}

/** Our answer; undefined if it takes too much. */
async function ours(text: string): Promise<Row[] | undefined> {
  try {
    return (await db.sql(text)) as Row[]
  } catch (error) {
    if (/^query: it(s work)? takes (more|longer) than/.test((error as Error).message) && ++tooLarge < queries / 10) return undefined
    throw new Error(`${(error as Error).message}\n${text}`)
  }
}

function answerOfSQLite(text: string): unknown[][] {
  try {
    return sqlite.exec(text)[0]?.values ?? []
  } catch (error) {
    throw new Error(`SQLite: ${(error as Error).message}\n${text}`)
  }
}

async function compareWrite(text: string): Promise<void> {
  const rows = await ours(text)
  if (!rows) return
  const theirs = answerOfSQLite(text)
  if (text.includes('RETURNING')) assert.deepEqual(lines(rows.map((row) => Object.values(row))), lines(theirs), text)
  for (const [name, columns] of Object.entries(tables)) {
    const all = `SELECT ${columns.join(', ')} FROM ${name}`
    assert.deepEqual(lines((await ours(all))!.map((row) => Object.values(row))), lines(answerOfSQLite(all)), `${name} after ${text}`)
  }
}
