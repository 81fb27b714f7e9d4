import { existsSync, createWriteStream } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { AtomicDB, type ExportOptions, type ImportOptions, type Report, type Where } from '../index.js'
import { countOf, oneOf, UsageError, type Command, type Given, type Option } from './arguments.js'
import { bench } from './bench.js'
import { isDatabase, storageOf, withDatabase } from './database.js'
import { holdsTables, importFile } from './files.js'
import { formatOf, formats } from './formats.js'
import { counted, Progress, size } from './progress.js'
import { serve } from './serve.js'
import { printed, printFormats } from './write.js'

const collection: Option = { short: 'c', value: 'name', help: "of which collection; otherwise the only one, or 'default'" }
const format = (formats: readonly string[], otherwise: string): Option => ({ short: 'f', value: 'format', help: `${formats.join(', ')}; otherwise ${otherwise}` })
const columns: Option = { value: 'columns', help: 'columns of CSV that are text, whatever they look like: --text=zip,phone' }
const noIds: Option = { help: 'leaves out the _id of documents' }

/** By name. */
export const commands: Readonly<Record<string, Command>> = {
  query: {
    arguments: ['<database>', '[question]'],
    summary: 'prints what a question finds: text, a filter or SQL',
    about: `The question is a condition as text ("age > 30"), a filter as JSON ('{"age": {"$gt": 30}}') or a statement of SQL, also one
that changes something. Without a question, all documents of a collection are printed. In place of a database, a file of
documents (people.csv) may be asked.`,
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
    about: `A file is JSON (an array of documents, or an export), NDJSON (a document a line), CSV, MessagePack, a file of the Python
library, or an SQLite database, whose tables become collections. "-" is the standard input.

A document without an _id gets a new one. In CSV, the first line has the paths of the fields (address.city), a column of
numbers or of true and false has such values, and an empty field is left out. After an error, what came before the faulty
line is stored. An encrypted file of Python needs its key in ATOMICDB_KEY, or its password in ATOMICDB_PASSWORD and its salt,
in hexadecimal digits, in ATOMICDB_SALT; the database is encrypted with the same key or password then.`,
    options: {
      collection: { ...collection, help: "into which collection; otherwise 'default', or what the file says" },
      format: format(formats, 'what the name of the file ends in, or what it looks like'),
      duplicates: { short: 'd', value: 'what', help: 'replace, skip or error: what to do with an _id that is taken; otherwise replace' },
      text: columns,
    },
    run: importFiles,
  },
  export: {
    arguments: ['<database>', '[file]'],
    summary: 'writes the documents into a file, or to the standard output',
    about: 'json and msgpack hold all collections, indexes and schemas, if no collection is named.',
    options: {
      collection,
      format: format(formats, 'what the name of the file ends in, json without a name'),
      where: { short: 'w', value: 'condition', help: 'only those of which it holds, as "age > 30"' },
      'no-ids': noIds,
    },
    run: exportFile,
  },
  convert: {
    arguments: ['<from>', '<to>'],
    summary: 'writes the documents of one file into another of another format',
    about: `Each is what import and export take, or a database: people.csv into people.ndjson, notes.json into notes.atomicdb. The
documents are in memory meanwhile.`,
    options: { collection, from: { value: 'format', help: `${formats.join(', ')}; otherwise what the name ends in` }, to: { value: 'format', help: 'the same' }, text: columns, 'no-ids': noIds },
    run: convert,
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
  serve: {
    arguments: ['<database>'],
    summary: 'answers HTTP and connect() for a database, until it is stopped',
    about: `A database that is not there is made. notes.atomicdb is at http://127.0.0.1:8080/notes: GET and POST /notes/people, GET, PUT, PATCH and DELETE /notes/people/1,
POST /notes/query, GET /notes/changes. Programs and pages open it with all calls, live queries too:

  import { connect } from 'atomicdb/worker'
  const db = await connect('http://127.0.0.1:8080/notes', { token })

Only this machine can reach it unless --host says otherwise, which needs a token. The environment variable ATOMICDB_TOKEN
hides it from those who see the processes of this machine. Pages of other origins are refused unless --cors names them.`,
    options: {
      port: { short: 'p', value: 'port', help: '0 for any that is free; otherwise 8080' },
      host: { value: 'address', help: 'on which address to listen; otherwise 127.0.0.1' },
      token: { value: 'token', help: 'what callers have to know: Authorization: Bearer <token>' },
      cors: { value: 'origins', help: 'pages that may call it, as https://app.example.org, with commas between; * for all' },
      'read-only': { help: 'nobody may change anything' },
    },
    run: serve,
  },
  bench: {
    arguments: ['<file>'],
    summary: 'measures how long questions take with documents of your own',
    about: 'The file is what import takes. It is stored in a folder for temporary files, which is removed.',
    options: { format: format(formats, 'what the name of the file ends in'), text: columns },
    run: async (given) => void print(await bench(given.names[0]!, importOptions(given), new Progress())),
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
  const [path, question = ''] = given.names as [string, string | undefined]
  const { sort } = given.options
  const limit = countOf(given, 'limit')
  const format = oneOf(given, 'format', printFormats, process.stdout.isTTY ? 'table' : 'ndjson')
  const rows = await withDocuments(path, async (db): Promise<object[]> => {
    if (isSQL.test(question)) {
      const rows = await db.sql<object>(question)
      if (rows.length === 0) await noteUnknown(db, question)
      return rows
    }
    const filter = /^\s*\{/.test(question) ? filterOf(question) : undefined
    const options = { collection: await collectionOf(db, given), ...(limit !== undefined && { limit }), ...(sort !== undefined && { sort }) }
    if (question.trim() === '') return (await db.search(undefined, options)).asList()
    const rows = (await db.search(filter ?? question, options)).asList()
    if (rows.length === 0) await noteFields(db, filter ?? question, options.collection)
    return rows
  })
  await write(printed(rows, format))
}

/** Says which collections are not there that a statement without an answer reads: most likely another one was meant. */
async function noteUnknown(db: AtomicDB, statement: string): Promise<void> {
  const all = await db.collections()
  const named = [...statement.matchAll(/\b(?:from|join)\s+["`]?([\w$]+)/gi)].map(([, name]) => name!)
  const unknown = named.filter((name) => !all.includes(name) && !new RegExp(`\\b${name.replaceAll('$', '\\$')}\\s+as\\s*\\(`, 'i').test(statement))
  if (unknown.length > 0 && all.length > 0) process.stderr.write(`atomicdb: there is no collection ${unknown.join(', ')}; there is ${all.join(', ')}\n`)
  const [, name] = /(?:=|<>|<|>|\blike|\bin\s*\()\s*"([^"]*)"/i.exec(statement) ?? []
  if (name !== undefined) process.stderr.write(`atomicdb: in SQL, "${name}" is the field of that name; a text stands in single quotes: '${name}'\n`)
}

/** Says which fields of a condition without an answer no document has. */
async function noteFields(db: AtomicDB, where: Where, collection: string): Promise<void> {
  for (const { condition } of (await db.explain(where, collection)).leaves) {
    const [, path] = /^(?:not )?([a-z_$][\w$]*(?:\.[\w$]+)*)\s/i.exec(condition) ?? []
    if (path !== undefined && (await db.count(`${path} exists`, collection)) === 0) process.stderr.write(`atomicdb: no document of ${collection} has the field ${path}\n`)
  }
}

/** Opens a database, or reads a file of documents into one in memory. */
async function withDocuments<R>(path: string, work: (db: AtomicDB) => Promise<R>): Promise<R> {
  if (!['csv', 'ndjson'].includes(formatOf(path) ?? '')) return withDatabase(path, work)
  if (!existsSync(path)) throw new Error(`${path} does not exist`)
  await using db = await AtomicDB.open('documents', { inMemory: true })
  const progress = new Progress()
  await importFile(db, path, {}, progress)
  progress.end()
  return await work(db)
}

/** The collection that is meant: the one that is named, or the only one, or 'default'. */
async function collectionOf(db: AtomicDB, { options: { collection } }: Given): Promise<string> {
  const all = await db.collections()
  if (collection === undefined && all.length === 1) return all[0]!
  if (all.length === 0 || all.includes(collection ?? 'default')) return collection ?? 'default'
  throw new UsageError(collection === undefined ? `--collection says which: ${all.join(', ')}` : `there is no collection ${collection}; there is ${all.join(', ')}`)
}

function filterOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    throw new UsageError(`the filter is no JSON: ${(error as Error).message}`)
  }
}

const formatGiven = (given: Given, option = 'format') => (given.options[option] === undefined ? undefined : oneOf(given, option, formats, 'json'))

function importOptions(given: Given, format = formatGiven(given)): ImportOptions {
  const { collection, text } = given.options
  return {
    ...(format && { format }),
    ...(collection !== undefined && { collection }),
    ...(given.options.duplicates !== undefined && { onDuplicate: oneOf(given, 'duplicates', ['replace', 'skip', 'error'] as const, 'replace') }),
    ...(text !== undefined && { columns: Object.fromEntries(text.split(',').map((column) => [column, 'text' as const])) }),
  }
}

async function importFiles(given: Given): Promise<void> {
  const [path, ...files] = given.names as [string, ...string[]]
  const options = importOptions(given)
  for (const file of files) if (file !== '-' && !existsSync(file)) throw new Error(`${file} does not exist`)
  if (files.length === 0 && process.stdin.isTTY) throw new UsageError('import: name a file, or give documents to the standard input')
  await withDatabase(path, async (db) => {
    const progress = new Progress()
    let count = 0
    try {
      for (const file of files.length > 0 ? files : ['-']) count += await importFile(db, file, options, progress)
    } finally {
      progress.end()
    }
    progress.end(`${counted(count, 'document')} imported; ${path} has ${(await db.usage()).documents.toLocaleString('en')}`)
  }, false)
}

async function exportFile(given: Given): Promise<void> {
  const [path, file] = given.names as [string, string | undefined]
  const options = exportOptions(given, file)
  const isWhole = given.options.collection === undefined && (options.format === 'json' || options.format === 'msgpack')
  await withDatabase(path, async (db) => writeOut(db, file, isWhole ? options : { ...options, collection: await collectionOf(db, given) }))
}

function exportOptions(given: Given, file: string | undefined, format = formatGiven(given)): ExportOptions {
  const { collection, where } = given.options
  const known = format ?? (file === undefined ? 'json' : formatOf(file))
  if (!known) throw new UsageError(`${file}: --format says which format it is to have: ${formats.join(', ')}`)
  return {
    format: known,
    ...(collection !== undefined && { collection }),
    ...(where !== undefined && { where }),
    ...(given.options['no-ids'] !== undefined && { fields: ['-_id'] }),
  }
}

/** Writes documents into a file, or to the standard output. */
async function writeOut(db: AtomicDB, file: string | undefined, options: ExportOptions): Promise<void> {
  const progress = new Progress()
  const { documents } = await db.usage()
  const shown = progress.of(file ?? 'standard output')
  const stream = Readable.fromWeb(db.exportStream({ ...options, onProgress: shown }) as never)
  if (file === undefined) await pipeline(stream, process.stdout, { end: false })
  else await pipeline(stream, createWriteStream(file))
  progress.end(file === undefined ? '' : `${file} is written; the database has ${counted(documents, 'document')}`)
}

async function convert(given: Given): Promise<void> {
  const [from, to] = given.names as [string, string]
  const isFromFile = !isDatabase(from) || (await holdsTables(from))
  const target = formatGiven(given, 'to') ?? formatOf(to)
  if (!isDatabase(to) && !target) throw new UsageError(`${to}: --to says which format it is to have: ${formats.join(', ')}`)
  const fill = async (db: AtomicDB) => {
    const progress = new Progress()
    await importFile(db, from, importOptions(given, formatGiven(given, 'from')), progress)
    progress.end()
  }
  if (isDatabase(to)) {
    if (!isFromFile) return copy(given)
    return withDatabase(to, fill, false)
  }
  const options = exportOptions(given, to, target)
  if (!isFromFile) return withDatabase(from, async (db) => writeOut(db, to, target === 'json' || target === 'msgpack' ? options : { ...options, collection: await collectionOf(db, given) }))
  await using db = await AtomicDB.open('convert', { inMemory: true })
  await fill(db)
  const [only, ...others] = await db.collections()
  // Of a file with one collection, that one is meant.
  const isList = others.length === 0 && only !== undefined
  await writeOut(db, to, { ...options, ...(isList && { collection: only }) })
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
  for (const name of ['atomicdb.wasm', 'atomicdb-first.wasm', 'atomicdb-rest.wasm', 'index.js', 'worker.js', 'libraries.js', 'streams.js', 'csv.js']) {
    await copyFile(fileURLToPath(new URL(name, import.meta.url)), join(folder!, name))
    print(join(folder!, name))
  }
}

const print = (text: string) => process.stdout.write(`${text}\n`)

/** Writes to the standard output, and waits until it is taken. */
const write = (content: string) => new Promise<void>((resolve, reject) => process.stdout.write(content, (error) => (error ? reject(error) : resolve())))
