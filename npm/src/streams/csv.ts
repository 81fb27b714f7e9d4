import Papa from 'papaparse'
import type { Fail, Part } from './host.js'
import { runsOf } from './runs.js'

/** What the values of a column become. */
export type Kind = 'text' | 'number' | 'boolean'

/** The columns whose kind is given. */
export type Kinds = Readonly<Record<string, Kind>>

/** Rows of a file, and the line in which the first begins. */
interface Rows {
  readonly names: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly line: number
}

/** The rows of CSV, as they come. The first row has the names of the columns. */
async function* rowsOf(texts: AsyncIterable<string>, fail: Fail): AsyncGenerator<Rows> {
  let parser: Papa.Parser | undefined
  let names: string[] | undefined
  let rest = ''
  let line = 1
  const rows = (text: string, isLast: boolean): Rows | undefined => {
    if (!parser) {
      const { meta } = Papa.parse(text.slice(0, 100_000), { preview: 20, skipEmptyLines: true })
      parser = new Papa.Parser({ delimiter: meta.delimiter, newline: meta.linebreak as '\n' })
    }
    const { data, errors, meta } = parser.parse(text, 0, !isLast) as Papa.ParseResult<string[]>
    const [wrong] = errors
    if (wrong) fail(`line ${line + linesIn(text.slice(0, wrong.index ?? 0))}`, wrong.message)
    const start = line
    const taken = isLast ? text.length : meta.cursor
    line += linesIn(text.slice(0, taken))
    rest = text.slice(taken)
    const found = data.filter((row) => row.length > 1 || row[0]!.trim() !== '')
    if (found.length === 0) return undefined
    if (names) return { names, rows: found, line: start }
    names = found[0]!
    const twice = names.find((name, column) => names!.indexOf(name) !== column)
    if (twice !== undefined) fail('line 1', `two columns have the name ${JSON.stringify(twice)}`)
    return { names, rows: found.slice(1), line: start + 1 }
  }
  for await (const text of texts) {
    const found = rows(rest + text, false)
    if (found) yield found
  }
  const found = rest === '' ? undefined : rows(rest, true)
  if (found) yield found
}

const linesIn = (text: string) => text.split('\n').length - 1

/** What all values of each column are: one that has a house number 12a somewhere is text, and one with 007 too. */
class Guesses {
  private readonly kinds = new Map<string, Kind>()

  note({ names, rows }: Rows): this {
    names.forEach((name, column) => {
      for (const row of rows) {
        const known = this.kinds.get(name)
        if (known === 'text') return
        const text = row[column]
        if (!text) continue
        const kind = kindOf(text)
        this.kinds.set(name, known === undefined || known === kind ? kind : 'text')
      }
    })
    return this
  }

  get all(): Kinds {
    return Object.fromEntries(this.kinds)
  }
}

function kindOf(text: string): Kind {
  if (text === 'true' || text === 'false') return 'boolean'
  return String(Number(text)) === text && Number.isFinite(Number(text)) ? 'number' : 'text'
}

/** The kinds of all columns of a file that is read for nothing else. */
export async function kindsOf(texts: AsyncIterable<string>, fail: Fail): Promise<Kinds> {
  const guesses = new Guesses()
  for await (const rows of rowsOf(texts, fail)) guesses.note(rows)
  return guesses.all
}

/**
 * The documents of CSV. An empty field is left out, and a dot in the name of a column leads into an object.
 *
 * @param whole The kinds of all columns, if the whole file is known. Otherwise they are what the first part of it has.
 */
export async function* documentsOf(texts: AsyncIterable<string>, given: Kinds, whole: Kinds | undefined, fail: Fail): AsyncGenerator<Part> {
  let kinds = whole && { ...whole, ...given }
  for await (const rows of rowsOf(texts, fail)) {
    kinds ??= { ...new Guesses().note(rows).all, ...given }
    for (const name of Object.keys(given)) if (!rows.names.includes(name)) fail('line 1', `there is no column ${JSON.stringify(name)}, which options.columns has`)
    const columns = rows.names.map((name) => ({ name, path: pathOf(name, rows.names, fail), kind: kinds![name] ?? 'text' }))
    const lineOf = (n: number) => `line ${rows.line + n}`
    const documents: object[] = []
    let wrong: (() => never) | undefined
    rows.rows.some((row, n) => {
      if (row.length > columns.length) wrong = () => fail(lineOf(n), `has ${row.length} fields, and line 1 has ${columns.length} names`)
      const document = {}
      for (const [column, { name, path, kind }] of columns.entries()) {
        const text = row[column]
        if (wrong || !text) continue
        const value = valueOf(text, kind)
        if (value === undefined) wrong = () => fail(lineOf(n), `the column ${name} was of ${kind === 'boolean' ? 'true and false' : 'numbers'} before, and here it is ${JSON.stringify(text.slice(0, 40))}; options.columns may say what it is: { ${JSON.stringify(name)}: 'text' }`)
        else put(document, path, value)
      }
      if (!wrong) documents.push(document)
      return wrong
    })
    if (documents.length > 0) yield { collection: undefined, runs: runsOf(documents), place: `lines ${rows.line} to ${rows.line + documents.length - 1}` }
    wrong?.()
  }
}

function pathOf(name: string, names: readonly string[], fail: Fail): string[] {
  const path = name.split('.')
  if (path.includes('__proto__')) fail('line 1', `the column ${name}: __proto__ is a field that objects cannot hold safely`)
  if (path.includes('')) fail('line 1', `the column ${JSON.stringify(name)}: expected a name`)
  const above = names.find((other) => name.startsWith(`${other}.`))
  if (above !== undefined) fail('line 1', `the column ${name}: there is a column ${above} with a value`)
  return path
}

function valueOf(text: string, kind: Kind): unknown {
  if (kind === 'text') return text
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined
  return text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : undefined
}

function put(document: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let into = document
  for (const name of path.slice(0, -1)) into = (into[name] ??= {}) as Record<string, unknown>
  into[path.at(-1)!] = value
}

/** Rows as CSV, each with an end of line. */
export function csvOf(rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `${Papa.unparse(rows as string[][])}\r\n`
}
