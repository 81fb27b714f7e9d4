import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import Papa from 'papaparse'

/** How documents may be given. */
export const readFormats = ['json', 'ndjson', 'csv', 'msgpack'] as const
export type ReadFormat = (typeof readFormats)[number]

/** Some documents of a file: as the file that db.import takes, or as objects. */
export type Part = { readonly count: number } & ({ readonly file: Uint8Array } | { readonly documents: readonly object[] })

/** How many documents are stored in one batch. */
const partSize = 2_000

/**
 * The documents of a file, or of the standard input if it is '-', part by part: those of ndjson while they are read. In JSON and
 * ndjson, dates and bytes are written as in MongoDB's Extended JSON.
 */
export async function* documentsIn(file: string, format: ReadFormat, collection: string): AsyncGenerator<Part> {
  if (format === 'ndjson') return yield* linesOf(file === '-' ? process.stdin : createReadStream(file), collection)
  const bytes = file === '-' ? await all(process.stdin) : await readFile(file)
  if (format === 'csv') return yield* rowsOf(bytes.toString('utf8'))
  if (format === 'msgpack') return yield { file: bytes, count: 0 }
  const text = bytes.toString('utf8')
  // A list of documents, or a file with collections.
  yield { file: /^\s*\[/.test(text) ? Buffer.from(`{${JSON.stringify(collection)}: ${text}}`) : bytes, count: 0 }
}

async function* linesOf(input: Readable, collection: string): AsyncGenerator<Part> {
  let lines: string[] = []
  const part = (): Part => ({ file: Buffer.from(`{${JSON.stringify(collection)}: [${lines.join(',\n')}]}`), count: lines.length })
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() === '') continue
    lines.push(line)
    if (lines.length < partSize) continue
    yield part()
    lines = []
  }
  if (lines.length > 0) yield part()
}

function* rowsOf(text: string): Generator<Part> {
  const { data, errors } = Papa.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true })
  const [wrong] = errors.filter(({ type }) => type !== 'Delimiter')
  if (wrong) throw new Error(`the CSV near line ${(wrong.row ?? 0) + 1}: ${wrong.message}`)
  const kinds = new Map(Object.keys(data[0] ?? {}).map((path) => [path, kindOf(data.map((row) => row[path]!))]))
  for (let start = 0; start < data.length; start += partSize) {
    const documents = data.slice(start, start + partSize).map((row) => documentOf(row, kinds))
    yield { documents, count: documents.length }
  }
}

type Kind = (text: string) => unknown

/** What all values of a column are: one that has a house number 12a somewhere is text, and one with 007 too. */
function kindOf(texts: readonly (string | undefined)[]): Kind {
  const given = texts.filter((text) => text)
  if (given.every((text) => text === 'true' || text === 'false')) return (text) => text === 'true'
  if (given.every((text) => String(Number(text)) === text)) return Number
  return (text) => text
}

/** The document of a line: a dot in the name of a field leads into an object. */
function documentOf(row: Record<string, string>, kinds: ReadonlyMap<string, Kind>): object {
  const document: Record<string, unknown> = {}
  for (const [path, text] of Object.entries(row)) {
    if (!text) continue
    const names = path.split('.')
    const last = names.pop()!
    let into = document
    for (const name of names) {
      if (name === '__proto__') throw new Error(`the column ${path}: __proto__ is a field that objects cannot hold safely`)
      into = (into[name] ??= {}) as Record<string, unknown>
      if (typeof into !== 'object') throw new Error(`the column ${path}: there is a column ${path.slice(0, path.lastIndexOf('.'))} with a value`)
    }
    into[last] = kinds.get(path)!(text)
  }
  return document
}

async function all(input: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of input) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
