// What values, conditions and functions mean in SQL, against SQLite (sql.js): random expressions over columns
// that hold null, nothing, numbers and text at once, and over literals, wherever an expression may stand. Where the
// two differ on purpose, engine/sql/SQL.md has a row, and both sides of each row are tried here.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { readFile } from 'node:fs/promises'
import { AtomicDB } from '../src/index.js'
import { openInNode } from './harness/node.js'
import { openSQLite } from './harness/sqlite.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

type Cell = string | number | null | Uint8Array
type Kind = 'number' | 'text' | 'truth' | 'any'

const random = new Random(seed)
const texts = ['', 'a', 'A', 'ab', 'Abc', 'b%', 'a_c', '1', '2.5', ' 7 ', '1x', 'x1', "it's", 'C:\\n', 'z  ']
const numbers = [0, 1, 2, 3, -1, -7, 10, 2.5, -0.5, 100.25, 12345]

let db: AtomicDB
let sqlite: { run(sql: string, values?: Cell[]): void; exec(sql: string): { values: Cell[][] }[]; close(): void }

before(async () => {
  db = await openInNode()
  sqlite = await openSQLite<typeof sqlite>({ useOldExtensionFunctions: false })
})
after(async () => {
  sqlite.close()
  await db.close()
})

describe(`what SQL means (${replayOf('sqlite-meaning.test.ts')})`, () => {
  test('120 statements of eight random expressions each have the values that SQLite gives them', async () => {
    for (let round = 0; round < 4; round++) {
      await fill()
      for (let n = 0; n < 30; n++) {
        const kinds = random.list(8, 8, () => random.pick<Kind>(['number', 'text', 'truth', 'any']))
        const columns = kinds.map((kind, i) => `${expression(kind, 3)} AS c${i}`)
        await compare(`SELECT id, ${columns.join(', ')} FROM t ORDER BY id`)
      }
    }
  })

  test('400 conditions find what SQLite finds, in WHERE, HAVING, ON, CASE and of literals alone', async () => {
    for (let round = 0; round < 4; round++) {
      await fill()
      if (round % 2 === 1) await db.sql(`CREATE INDEX ON t (${random.pick(['n', 's', 'm', 'n, s'])})`)
      for (let n = 0; n < 100; n++) {
        const where = expression('truth', deepest)
        await compare(random.pick([
          `SELECT id FROM t WHERE ${where} ORDER BY id`,
          `SELECT id FROM t WHERE NOT (${where}) ORDER BY id`,
          `SELECT id FROM t WHERE (${where}) IS ${random.pick(['NULL', 'NOT NULL', 'TRUE', 'NOT TRUE', 'FALSE', 'NOT FALSE'])} ORDER BY id`,
          `SELECT COUNT(*) AS n, SUM(${where}) AS s, COUNT(n) FILTER (WHERE ${where}) AS f FROM t`,
          `SELECT id FROM t WHERE CASE WHEN ${where} THEN n > 0 ELSE s <> 'a' END ORDER BY id`,
          `SELECT id % 4 AS g, COUNT(*) AS c FROM t GROUP BY id % 4 HAVING ${aggregated(2)} ORDER BY 1`,
          `SELECT id, 1 AS one FROM t WHERE ${expression('truth', 2, true)} ORDER BY id`,
          `SELECT ${expression('truth', 3, true)} AS v`,
          `SELECT t.id AS id, o.id AS other FROM t LEFT JOIN o ON o.t = t.id AND ${inJoin(2)} ORDER BY 1, 2`,
        ]))
      }
    }
  })

  test('100 groups, and orders of rows', async () => {
    await fill()
    for (let n = 0; n < 100; n++) {
      const by = random.pick(['id % 3', 'n', 's', 'm', 'n > 1'])
      const aggregates = random.list(1, 4, () => aggregate()).map((a, i) => `${a} AS a${i}`)
      const [order, nulls] = [random.pick(['', ' ASC', ' DESC']), random.pick(['', ' NULLS FIRST', ' NULLS LAST'])]
      await compare(random.pick([
        `SELECT ${by} AS g, ${aggregates.join(', ')} FROM t GROUP BY ${by} ORDER BY 1`,
        `SELECT ${aggregates.join(', ')} FROM t WHERE ${expression('truth', 1)}`,
        `SELECT id FROM t ORDER BY ${random.pick(['n', 's', 'm', `n + ${expression('number', 1)}`])}${order}${nulls}, id`,
        `SELECT id, s FROM t ORDER BY s COLLATE ${random.pick(['NOCASE', 'RTRIM', 'BINARY'])}${order}${nulls}, id`,
      ]))
    }
  })

  test('times and their modifiers', async () => {
    for (let n = 0; n < 200; n++) {
      const day = `${random.int(1, 9999)}`.padStart(4, '0') + `-${two(random.int(1, 12))}-${two(random.int(1, 28))}`
      const clock = `${two(random.int(0, 23))}:${two(random.int(0, 59))}${random.pick(['', `:${two(random.int(0, 59))}`, `:${two(random.int(0, 59))}.${random.int(0, 999)}`])}`
      const time = random.pick([`'${day} ${clock}'`, `'${day}T${clock}Z'`, `'${day} ${clock}+02:30'`, `'${clock}'`, `${random.int(1_721_060, 5_000_000)}.${random.int(0, 99)}`, `'${random.int(1_721_060, 5_000_000)}'`, "'no time'", 'NULL', `'${day}x'`])
      const modifiers = random.list(0, 3, () => random.pick([
        `'${random.pick(['+', '-', ''])}${random.int(0, 400)} ${random.pick(['days', 'day', 'hours', 'minutes', 'seconds', 'months', 'years', 'month'])}'`,
        `'+1.5 ${random.pick(['days', 'hours', 'months', 'seconds'])}'`, "'start of month'", "'start of year'", "'start of day'", `'weekday ${random.int(0, 6)}'`, "'nonsense'", "'+02:30'", "'subsec'", "'floor'", "'ceiling'",
        `'${random.pick(['+', '-', ''])}000${random.int(0, 9)}-${two(random.int(0, 12))}-${two(random.int(0, 31))}${random.pick(['', ' 01:30', ' 01:30:59.5', 'x'])}'`,
      ]))
      if (/^\d/.test(time) && random.chance(0.5)) modifiers.unshift(random.pick(["'unixepoch'", "'auto'", "'julianday'"]))
      const args = [time, ...modifiers].join(', ')
      const formatted = `strftime('${random.list(1, 4, () => random.pick(['%d', '%H', '%j', '%m', '%M', '%s', '%S', '%w', '%W', '%Y', '%G', '%V', '%g', '%U', '%u', '%e', '%%', '%f', 'T']))
        .join('-')}', ${args})`
      // A literal that is no date is refused.
      const date = modifiers.length > 0 ? `date(${args})` : formatted
      await compare(`SELECT ${date} AS a, time(${args}) AS b, datetime(${args}) AS c, ${formatted} AS d, unixepoch(${args}) AS e, round(julianday(${args}), 6) AS f`)
    }
  })

  test('every row of the table of differences in SQL.md says what the two answer', async () => {
    const document = await readFile(new URL('../../engine/sql/SQL.md', import.meta.url), 'utf8')
    const rows = [...document.matchAll(/^\| `(.+?)` \| (.+?) \| (.+?) \| .+ \|$/gm)]
    assert.ok(rows.length > 8, `${rows.length} rows`)
    for (const [, expression, ours, theirs] of rows) {
      const text = `SELECT ${expression!.replaceAll('\\|', '|')} AS v`
      const answer = await db.sql(text).then((found) => written((found[0] as { v: unknown }).v), (error) => (error as { code: string }).code)
      assert.equal(answer, ours, text)
      let reference: string
      try {
        reference = written(sqlite.exec(text)[0]!.values[0]![0])
      } catch {
        reference = 'an error'
      }
      assert.equal(reference, theirs, text)
    }
  })
})

const two = (n: number) => String(n).padStart(2, '0')

/** A value as the table of differences writes it. */
function written(value: unknown): string {
  if (value === null) return 'NULL'
  if (value instanceof Date) return 'a Date'
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
}

async function fill(): Promise<void> {
  for (const name of ['t', 'o']) {
    await db.dropCollection(name)
    sqlite.run(`DROP TABLE IF EXISTS ${name}`)
  }
  // Columns without a type, so that SQLite changes no value and no comparison.
  sqlite.run('CREATE TABLE t (id, n, s, m, k)')
  sqlite.run('CREATE TABLE o (id, t, n, s)')
  const number = () => (random.chance(0.25) ? null : random.pick(numbers))
  const text = () => (random.chance(0.25) ? null : random.pick(texts))
  // In one field, the absence is either a null or a missing field: those two sort apart, which SQLite has not.
  const missing = new Set(['n', 's', 'm'].filter(() => random.chance(0.5)))
  for (let id = 0; id < 30; id++) {
    const t: Record<string, Cell> = { id, n: number(), s: text(), m: random.chance(0.5) ? number() : text(), k: random.int(0, 4) }
    const o: Record<string, Cell> = { id, t: random.int(0, 40), n: number(), s: text() }
    sqlite.run('INSERT INTO t VALUES (?, ?, ?, ?, ?)', [t.id!, t.n!, t.s!, t.m!, t.k!])
    sqlite.run('INSERT INTO o VALUES (?, ?, ?, ?)', [o.id!, o.t!, o.n!, o.s!])
    for (const [name, document] of [['t', t], ['o', o]] as const) {
      for (const [field, value] of Object.entries(document)) if (value === null && missing.has(field)) delete document[field]
      await db.insert(document, name)
    }
  }
}

async function compare(text: string): Promise<void> {
  const ours = ((await db.sql(text)) as object[]).map((row) => Object.values(row).map(comparable))
  const theirs = (sqlite.exec(text)[0]?.values ?? []).map((row) => row.map(comparable))
  assert.deepEqual(ours, theirs, text)
}

/** SQLite has 1 and 0 for true and false, and adds fractions in another order. */
function comparable(cell: unknown): unknown {
  if (typeof cell === 'boolean' || typeof cell === 'bigint') return comparable(Number(cell))
  if (cell instanceof Uint8Array) return [...cell]
  return typeof cell === 'number' ? Number(cell.toPrecision(9)) + 0 : cell
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

/** An expression of that kind. Of literals alone if it is `constant`. */
function expression(kind: Kind, depth: number, constant = false): string {
  return kind === 'truth' ? `(${bare(kind, depth, constant)})` : bare(kind, depth, constant)
}

function bare(kind: Kind, depth: number, constant: boolean): string {
  const e = (kind: Kind) => expression(kind, depth - 1, constant)
  const leaf = depth <= 0 || random.chance(0.2)
  const not = random.pick(['', 'NOT '])
  switch (kind) {
    case 'any': return random.chance(0.1) ? 'NULL' : !constant && random.chance(0.3) ? 'm' : expression(random.pick(['number', 'text'] as const), depth, constant)
    case 'number':
      if (leaf) return random.chance(constant ? 0.9 : 0.3) ? literal() : constant ? 'NULL' : random.pick(['n', 'n', 'k', 'id'])
      switch (random.int(0, 11)) {
        case 0: case 1: case 2: return computed(e('number'), e('number'))
        case 3: return `(${e('number')} ${random.pick(['&', '|', '<<', '>>'])} ${random.int(0, 5)})`
        case 4: return `${random.pick(['-', '+', '~', '- -'])}(${e('number')})`
        case 5: return random.pick([`length(${e('text')})`, `instr(${e('text')}, ${e('text')})`, `abs(${e('number')})`, `sign(${e('any')})`, `unicode(${e('text')})`, `round(${e('number')})`])
        case 6: return `+CAST(${e('any')} AS ${random.pick(['INTEGER', 'REAL', 'NUMERIC'])})`
        case 7: return `CASE WHEN ${e('truth')} THEN ${e('number')} ${random.pick(['', `ELSE ${e('number')} `])}END`
        case 8: return random.pick([`coalesce(${e('number')}, ${e('number')})`, `ifnull(${e('number')}, 7)`, `nullif(${e('number')}, ${e('number')})`, `iif(${e('truth')}, ${e('number')}, ${e('number')})`])
        case 9: return `${random.pick(['min', 'max'])}(${e('number')}, ${e('number')})`
        case 10: return computed(e('text'), e('number'))
        default: return `((${e('truth')}) + ${e('number')})`
      }
    case 'text':
      if (leaf) return random.chance(constant ? 0.9 : 0.3) ? quoted(random.pick(texts)) : constant ? 'NULL' : 's'
      switch (random.int(0, 8)) {
        case 0: return `(${e('any')} || ${e('text')})`
        case 1: return `substr(${e('text')}, ${random.int(-4, 4)}${random.pick(['', `, ${random.int(-4, 4)}`])})`
        case 2: return `${random.pick(['lower', 'upper', 'trim', 'ltrim', 'rtrim', 'hex', 'quote'])}(${e('any')})`
        case 3: return `${random.pick(['trim', 'ltrim', 'rtrim'])}(${e('text')}, ${e('text')})`
        case 4: return `replace(${e('text')}, ${e('text')}, ${e('any')})`
        case 5: return `+CAST(${e('any')} AS TEXT)`
        case 6: return `CASE ${e('any')} WHEN ${e('any')} THEN ${e('text')} WHEN ${e('number')} THEN 'w' ${random.pick(['', `ELSE ${e('text')} `])}END`
        case 7: return random.pick([`concat(${e('any')}, ${e('text')}, 1)`, `concat_ws('-', ${e('any')}, ${e('text')})`, `coalesce(${e('text')}, ${e('text')})`, `nullif(${e('text')}, ${e('text')})`, `char(65, ${random.int(66, 90)})`])
        default: return `printf('${random.pick(['%d', '%5d', '%-5d|', '%05d', '%+d', '%s', '%.2f', '%8.3f', '%x', '%,d', '%q', '%Q', '%%', '%.1s'])}', ${e('any')})`
      }
    case 'truth': {
      if (depth > 0 && random.chance(0.45)) {
        return random.pick([() => `(${e('truth')} AND ${e('truth')})`, () => `(${e('truth')} OR ${e('truth')})`, () => `NOT (${e('truth')})`, () => `(${e('truth')} ${random.pick(['=', '<>', 'IS', 'IS NOT'])} ${e('truth')})`])()
      }
      const sign = random.pick(['=', '==', '<>', '!=', '<', '<=', '>', '>='])
      const same = random.pick<Kind>(['number', 'text'])
      switch (random.int(0, 11)) {
        case 0: case 1: return `${e(same)} ${sign} ${e(same)}`
        case 2: return `${e('any')} ${random.pick(['=', '<>', 'IS', 'IS NOT', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM'])} ${e('any')}`
        case 3: return `${e('any')} ${not}IN (${random.list(1, 3, () => e('any')).join(', ')})`
        case 4: return depth === deepest && random.chance(0.3) ? collated(() => `(${e('text')})`, not) : `${e(same)} ${not}BETWEEN ${e(same)} AND ${e(same)}`
        case 5: return `${e('text')} ${not}LIKE ${random.chance(0.7) ? quoted(random.pick(['a%', '%', '_', '%b%', 'A_', '', '1%', '%\\%', 'a!%%'])) : e('text')}${random.pick(['', " ESCAPE '!'"])}`
        case 6: return `${e('text')} ${not}GLOB ${random.chance(0.7) ? quoted(random.pick(['a*', '*', '?', '*b*', '[a-c]*', '[^a]*', '', '*[0-9]'])) : e('text')}`
        case 7: return `${e('any')} ${random.pick(['IS NULL', 'IS NOT NULL', 'ISNULL', 'NOTNULL', 'NOT NULL'])}`
        case 8: return `${e('number')} IS ${not}${random.pick(['TRUE', 'FALSE'])}`
        case 9: return `${e('text')} ${sign} ${e('text')}${random.chance(0.5) && depth === deepest ? ` COLLATE ${random.pick(['NOCASE', 'RTRIM', 'BINARY'])}` : ''}`
        case 10: return constant || random.chance(0.3) ? e('number') : random.pick([`n ${sign} ${literal()}`, `s ${sign} ${quoted(random.pick(texts))}`, `m = ${random.pick([literal(), quoted(random.pick(texts))])}`, `n IN (1, ${random.pick(['2', 'NULL'])})`])
        default: return `(${e('truth')}) ${random.pick(['=', '<>', '+'])} ${random.int(0, 1)}`
      }
    }
  }
}

/** A comparison of several values, one of which has a COLLATE. It counts for its own comparison, and in a list for none. */
function collated(value: () => string, not: string): string {
  const by = () => random.pick(['', ' COLLATE NOCASE', ' COLLATE RTRIM', ' COLLATE BINARY'])
  return random.chance(0.5) ? `${value()} ${not}BETWEEN ${value()}${by()} AND ${value()}${by()}` : `${value()}${by()} ${not}IN (${value()}${by()}, ${value()})`
}

/** How deep the conditions of WHERE are. A COLLATE further in counts for the comparisons around it, too, in SQLite. */
const deepest = 4

/** What it divides by leaves few digits: SQLite does not round as others do where it writes 16 or more. */
function computed(left: string, right: string): string {
  return random.chance(0.2) ? `(${left} / ${random.pick(['2', '4', '-8', '.5', '0', 'NULL'])})` : `(${left} ${random.pick(['+', '-', '*', '%'])} ${right})`
}

function literal(): string {
  return random.pick([String(random.pick(numbers)), String(random.int(-3, 9)), '1.0', '2e1', '0x10', '.5', 'NULL'])
}

/** A condition on aggregates. */
function aggregated(depth: number): string {
  if (depth > 0 && random.chance(0.5)) return `(${aggregated(depth - 1)} ${random.pick(['AND', 'OR'])} NOT ${aggregated(depth - 1)})`
  return random.pick([`COUNT(n) > ${random.int(0, 8)}`, `MAX(n) <> ${literal()}`, 'MIN(s) IS NULL', `SUM(n) BETWEEN -5 AND ${random.int(0, 50)}`, `MAX(s) LIKE 'a%'`, 'MAX(k) IN (4, NULL)', expression('truth', 1, true)])
}

/** A condition on a joined row. */
function inJoin(depth: number): string {
  if (depth > 0 && random.chance(0.5)) return `(${inJoin(depth - 1)} ${random.pick(['AND', 'OR'])} ${random.pick(['', 'NOT '])}${inJoin(depth - 1)})`
  return random.pick(['o.n <> 1', 'o.n = t.n', 'o.s <> t.s', 'o.n IS t.n', 'o.s IS NOT NULL', 'o.s LIKE t.s', `t.n > ${literal()}`, 'o.n NOT IN (1, 2)', `(${expression('truth', 1, true)})`])
}

function aggregate(): string {
  const of = random.pick(['n', 'k', 'n + k', 'length(s)'])
  return random.pick([
    'COUNT(*)', `COUNT(${random.pick(['s', 'm', 'n'])})`, `SUM(${of})`, `AVG(${of})`, `TOTAL(${of})`, `MIN(${of})`, `MAX(${of})`, 'MIN(s)', 'MAX(s)', 'COUNT(DISTINCT s)', 'TOTAL(DISTINCT k)',
    `SUM(n > ${random.int(0, 3)})`, `SUM(${of}) FILTER (WHERE k > ${random.int(0, 4)})`, 'COUNT(*) FILTER (WHERE s IS NULL)', 'GROUP_CONCAT(s)', "GROUP_CONCAT(m, '; ')", "STRING_AGG(k, '')", 'GROUP_CONCAT(DISTINCT k)', "GROUP_CONCAT(s, '') FILTER (WHERE n > 0)",
    'max(MIN(n), MAX(k))', 'SUM(k) / 2', 'AVG(k) / 2',
  ])
}
