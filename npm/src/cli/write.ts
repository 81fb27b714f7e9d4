import Papa from 'papaparse'
import { extended, flat } from '../streams/extended.js'

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
