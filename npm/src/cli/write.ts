import Papa from 'papaparse'

/** How documents may be printed. */
export const printFormats = ['table', 'json', 'ndjson', 'csv'] as const
export type PrintFormat = (typeof printFormats)[number]

/** Rows as text. */
export function printed(rows: readonly object[], format: PrintFormat): string {
  switch (format) {
    case 'table':
      return table(rows)
    case 'csv':
      return csv(rows)
    case 'ndjson':
      return rows.map((row) => `${extended(row)}\n`).join('')
    case 'json':
      return `[${rows.map((row) => `\n${extended(row)}`).join(',')}\n]\n`
  }
}

/** A value as JSON, with MongoDB's Extended JSON for what JSON lacks; see storage/FORMAT.md. */
export function extended(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : `{"$numberDouble":"${value}"}`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  if (value instanceof Date) return `{"$date":${JSON.stringify(value)}}`
  if (value instanceof Uint8Array) return `{"$binary":{"base64":"${Buffer.from(value).toString('base64')}","subType":"00"}}`
  if (Array.isArray(value)) return `[${value.map(extended).join(',')}]`
  const [first] = Object.keys(value)
  const object = `{${Object.entries(value).map(([name, value]) => `${JSON.stringify(name)}:${extended(value)}`).join(',')}}`
  return first !== undefined && ['$date', '$binary', '$numberDouble', '$literal'].includes(first) ? `{"$literal":${object}}` : object
}

/** The fields of a row by path: those of objects in it too. */
function flat(row: object, before = ''): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [name, value] of Object.entries(row)) {
    const isObject = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
    if (isObject) Object.assign(fields, flat(value as object, `${before}${name}.`))
    else fields[before + name] = value instanceof Date ? value.toISOString() : typeof value === 'string' ? value : value === null || value === undefined ? '' : extended(value)
  }
  return fields
}

/** The fields that any of the rows has, and the value of each row for each of them. */
function cellsOf(rows: readonly object[]): { fields: string[]; cells: string[][] } {
  const all = rows.map((row) => flat(row))
  const fields = [...new Set(all.flatMap((row) => Object.keys(row)))]
  return { fields, cells: all.map((row) => fields.map((path) => row[path] ?? '')) }
}

function csv(rows: readonly object[]): string {
  const { fields, cells } = cellsOf(rows)
  return rows.length === 0 ? '' : `${Papa.unparse({ fields, data: cells })}\n`
}

/** The widest that a column of a table is. */
const maxWidth = 60

function table(rows: readonly object[]): string {
  if (rows.length === 0) return 'nothing\n'
  const { fields, cells } = cellsOf(rows)
  const shown = [fields, ...cells.map((row) => row.map(short))]
  const widths = fields.map((_, column) => shown.reduce((width, row) => Math.max(width, [...row[column]!].length), 0))
  const isNumber = fields.map((_, column) => cells.every((row) => /^(-?[\d.]+)?$/.test(row[column]!)))
  const line = (row: readonly string[]) => row.map((cell, column) => (isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ').trimEnd()
  const [head, ...body] = shown
  return `${[line(head!), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(line)].join('\n')}\n`
}

function short(text: string): string {
  const one = text.replace(/\s+/g, ' ')
  return one.length > maxWidth ? `${one.slice(0, maxWidth - 1)}…` : one
}
