import { existsSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AtomicDB, type Report } from '../index.js'
import { countOf, oneOf, UsageError, type Command, type Given, type Option } from './arguments.js'
import { storageOf, withDatabase } from './database.js'
import { documentsIn, readFormats, type ReadFormat } from './read.js'
import { printed, printFormats, type PrintFormat } from './write.js'

/** What a file may be. */
const writeFormats = [...printFormats, 'msgpack'] as const
type WriteFormat = PrintFormat | 'msgpack'

const collection: Option = { short: 'c', value: 'name', help: "of which collection; otherwise 'default'" }
const format = (formats: readonly string[], otherwise: string): Option => ({ short: 'f', value: 'format', help: `${formats.join(', ')}; otherwise ${otherwise}` })

/** By name. */
export const commands: Readonly<Record<string, Command>> = {
  query: {
    arguments: ['<database>', '<question>'],
    summary: 'prints what a question finds: text, a filter or SQL',
    about: `The question is a condition as text ("age > 30"), a filter as JSON ('{"age": {"$gt": 30}}') or a statement of SQL, also one
that changes something. "" finds all documents of a collection.`,
    options: {
      collection,
      format: format(printFormats, 'a table on a terminal, ndjson in a pipe'),
      limit: { short: 'n', value: 'count', help: 'at most so many documents' },
      sort: { short: 's', value: 'path', help: 'by which field; --sort=-path: from the greatest to the least' },
    },
    run: query,
  },
  import: {
    arguments: ['<database>', '[file…]'],
    summary: 'stores the documents of files, or of the standard input',
    about: `A document replaces the one with the same _id; without an _id it gets a new one. In CSV, the first line has the paths of the
fields (address.city), a column of numbers or of true and false has such values, and an empty field is left out.`,
    options: { collection, format: format(readFormats, 'what the name of the file ends in, ndjson without a name') },
    run: importFiles,
  },
  export: {
    arguments: ['<database>', '[file]'],
    summary: 'writes the documents into a file, or to the standard output',
    about: 'json and msgpack hold all collections, if none is named.',
    options: { collection, format: format(writeFormats, 'what the name of the file ends in, json without a name') },
    run: exportFile,
  },
  inspect: { arguments: ['<database>'], summary: 'says what is in a database: collections, indexes, schemas, its log', options: {}, run: inspect },
  verify: { arguments: ['<database>'], summary: 'checks all that is stored; the exit code is 1 if something is wrong', options: {}, run: verify },
  repair: {
    arguments: ['<database>'],
    summary: 'brings a damaged database to a state that can be opened',
    about: 'What a damaged batch did is lost, and listed. Keep a copy of the file before.',
    options: {},
    run: async ({ names: [path] }) => {
      print(reportText(await AtomicDB.repair(path!, { storage: await storageOf(path!) })))
    },
  },
  copy: {
    arguments: ['<from>', '<to>'],
    summary: 'copies a database into one of another kind, which must not be there',
    options: {},
    run: copy,
  },
  'copy-assets': {
    arguments: ['<folder>'],
    summary: 'copies the files that a page loads into a folder: the wasm, the worker, the libraries',
    options: {},
    run: copyAssets,
  },
}

/** How statements of SQL begin. A condition may begin with such a word too, which is a field there: `values > 3`. */
const isSQL = /^\s*(select\s|explain\s+\w|with\s[\s\S]*?\bas\s*\(|values\s*\(|(insert|replace)\s+(into|or)\b|update\s[\s\S]*?\sset\s|delete\s+from\b|(create|drop)\s+(unique|index|table)\b|begin(\s+\w+)?\s*;)/i

async function query(given: Given): Promise<void> {
  const [path, question] = given.names as [string, string]
  const { collection = 'default', sort } = given.options
  const limit = countOf(given, 'limit')
  const format = oneOf(given, 'format', printFormats, process.stdout.isTTY ? 'table' : 'ndjson')
  const options = { collection, ...(limit !== undefined && { limit }), ...(sort !== undefined && { sort }) }
  const rows = await withDatabase(path, async (db): Promise<object[]> => {
    if (isSQL.test(question)) return db.sql(question)
    if (!/^\s*\{/.test(question)) return (await (question.trim() === '' ? db.search(undefined, options) : db.search(question, options))).asList()
    return (await db.find(filterOf(question), options)).asList()
  })
  await write(printed(rows, format))
}

function filterOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    throw new UsageError(`the filter is no JSON: ${(error as Error).message}`)
  }
}

async function importFiles(given: Given): Promise<void> {
  const [path, ...files] = given.names as [string, ...string[]]
  const { collection = 'default' } = given.options
  await withDatabase(path, async (db) => {
    let read = 0
    for (const file of files.length > 0 ? files : ['-']) {
      for await (const part of documentsIn(file, oneOf(given, 'format', readFormats, endOf(file, readFormats) ?? 'ndjson'), collection)) {
        if ('file' in part) await db.import(part.file)
        else await db.transaction(async (tx) => {
          for (const document of part.documents) await ('_id' in document ? tx.upsert(document as { _id: string }, collection) : tx.insert(document, collection))
        })
        read += part.count
        progress(counted(read, 'document'))
      }
    }
    progress('')
    process.stderr.write(`${path} has ${counted((await db.usage()).documents, 'document')} now\n`)
  }, false)
}

async function exportFile(given: Given): Promise<void> {
  const [path, file] = given.names as [string, string | undefined]
  const { collection } = given.options
  const format = oneOf(given, 'format', writeFormats, (file && endOf(file, writeFormats)) || 'json')
  const bytes = await withDatabase(path, async (db) => {
    if (collection === undefined && (format === 'json' || format === 'msgpack')) return db.export({ type: format })
    if (format === 'msgpack') throw new UsageError('--format: msgpack holds all collections; leave out --collection')
    return printed((await db.all(collection ?? 'default')).asList(), format)
  })
  await write(bytes, file)
}

async function inspect({ names: [path] }: Given): Promise<void> {
  await withDatabase(path!, async (db) => {
    const usage = await db.usage()
    print(`${basename(path!)}: ${counted(usage.documents, 'document')}, ${size(usage.bytes)}; the log has ${counted(usage.log.batches, 'record')}, ${size(usage.log.bytes)}`)
    for (const name of await db.collections()) {
      const { documentCount, totalSize, averageDocumentSize, indexes, schema, stats } = await db.metadata(name)
      print(`\n${name}\n  ${counted(documentCount, 'document')}, ${size(totalSize)}, ${size(Math.round(averageDocumentSize))} each${stats.lastUpdated ? `; changed ${stats.lastUpdated}` : ''}`)
      for (const { paths, unique, sparse, entries } of indexes) print(`  index on ${paths.join(', ')}${unique ? ', unique' : ''}${sparse ? ', sparse' : ''}: ${counted(entries, 'entry', 'entries')}`)
      if (schema) print(`  schema ${JSON.stringify(schema)}`)
    }
    for (const { name, type, from, to, foreignKey } of await db.relationships()) print(`\nrelationship ${name}: ${type} from ${from} to ${to} by ${foreignKey}`)
  })
}

async function verify({ names: [path] }: Given): Promise<number> {
  const report = await withDatabase(path!, (db) => db.verify()).catch((error: { code?: string; message: string }) => {
    if (error.code !== 'corrupt') throw error
    print(error.message)
    return undefined
  })
  if (report) print(reportText(report))
  return report?.ok ? 0 : 1
}

function reportText({ ok, batches, documents, problems }: Report): string {
  return [
    `${counted(batches, 'sound record')}, ${counted(documents, 'document')}: ${ok ? 'nothing is wrong' : counted(problems.length, 'problem')}`,
    ...problems.map(({ seq, code, message, ids }) => `  ${seq > 0 ? `batch ${seq}: ` : ''}${code}: ${message}${ids.length > 0 ? ` (${ids.join(', ')})` : ''}`),
  ].join('\n')
}

async function copy({ names: [from, to] }: Given): Promise<void> {
  if (existsSync(to!)) throw new Error(`${to} is there already`)
  const file = await withDatabase(from!, (db) => db.export({ type: 'msgpack' }))
  await withDatabase(to!, (db) => db.import(file, { type: 'msgpack' }), false)
}

async function copyAssets({ names: [folder] }: Given): Promise<void> {
  await mkdir(folder!, { recursive: true })
  for (const name of ['atomicdb.wasm', 'index.js', 'worker.js', 'libraries.js']) {
    await copyFile(fileURLToPath(new URL(name, import.meta.url)), join(folder!, name))
    print(join(folder!, name))
  }
}

/** The format that the name of a file ends in. */
function endOf<Format extends ReadFormat | WriteFormat>(file: string, formats: readonly Format[]): Format | undefined {
  const end = /\.(\w+)$/.exec(file)?.[1]
  return formats.find((format) => format === end || (format === 'ndjson' && end === 'jsonl') || (format === 'msgpack' && end === 'mp'))
}

const print = (text: string) => process.stdout.write(`${text}\n`)

/** Writes to a file or to the standard output, and waits until it is taken. */
async function write(content: string | Uint8Array, file?: string): Promise<void> {
  const { createWriteStream } = await import('node:fs')
  const stream = file === undefined ? process.stdout : createWriteStream(file)
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject)
    const done = () => resolve()
    if (file === undefined) stream.write(content, done)
    else stream.end(content, done)
  })
}

/** Shows on a terminal how far it is; nothing in a pipe. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}

const counted = (count: number, one: string, many = `${one}s`) => `${count.toLocaleString('en')} ${count === 1 ? one : many}`

function size(bytes: number): string {
  for (const [unit, of] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const) if (bytes >= of) return `${(bytes / of).toFixed(1)} ${unit}`
  return `${bytes} B`
}
