import { openAsBlob } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { AtomicDB, SecurityManager, type ImportOptions, type StreamSource } from '../index.js'
import { UsageError } from './arguments.js'
import { extended } from '../streams/extended.js'
import { sqliteDatabase, type SQLiteDatabase } from './database.js'
import { formatOf } from './formats.js'
import type { Progress } from './progress.js'

/**
 * Stores the documents of a file, or of the standard input if it is '-': JSON, NDJSON, CSV, MessagePack, a file of the Python
 * library, or the tables of an SQLite database. Resolves to how many.
 */
export async function importFile(db: AtomicDB, file: string, options: ImportOptions, progress: Progress): Promise<number> {
  if (file === '-') return db.importStream(process.stdin, { ...options, onProgress: progress.of('standard input') })
  const { size } = await stat(file)
  const head = await firstBytes(file)
  const text = head.toString('latin1')
  if (text.startsWith('SQLite format 3\0')) return importTables(db, file, options, progress)
  // A file of the Python library that is encrypted or compressed is read at once, as its formats are.
  if (text.startsWith('gAAAA') || (head[0] === 0x78 && head.readUInt16BE(0) % 31 === 0)) return importPacked(db, file, text.startsWith('gAAAA'))
  const format = options.format ?? formatOf(file)
  return db.importStream(await source(file), { ...options, ...(format && { format }), onProgress: progress.of(file, size) })
}

/** A Blob can be read twice, as CSV is. */
const source = (file: string): Promise<StreamSource> => openAsBlob(file) as Promise<Blob>

async function firstBytes(file: string): Promise<Buffer> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

async function importPacked(db: AtomicDB, file: string, isEncrypted: boolean): Promise<number> {
  const { ATOMICDB_PASSWORD: password, ATOMICDB_KEY: key, ATOMICDB_SALT: salt = '' } = process.env
  if (isEncrypted && !key && !(password && /^([0-9a-f]{2})+$/i.test(salt))) {
    throw new UsageError(`${file} is encrypted: put its key into ATOMICDB_KEY, or its password into ATOMICDB_PASSWORD and its salt, in hexadecimal digits, into ATOMICDB_SALT`)
  }
  const before = (await db.usage()).documents
  const manager = () => (key ? SecurityManager.fromKey(key) : SecurityManager.create({ password: password!, salt: new Uint8Array(Buffer.from(salt, 'hex')) }))
  await db.import(await readFile(file), isEncrypted ? { securityManager: await manager() } : {})
  return (await db.usage()).documents - before
}

/** Whether a file is an SQLite database of another program. */
export async function holdsTables(file: string): Promise<boolean> {
  if (!(await firstBytes(file)).toString('latin1').startsWith('SQLite format 3\0')) return false
  const sqlite = await sqliteDatabase(file, true)
  try {
    return !tablesOf(sqlite).includes(ownTable)
  } finally {
    sqlite.close()
  }
}

const tablesOf = (sqlite: SQLiteDatabase) => (sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name").all() as { name: string }[]).map(({ name }) => name)

/** The name of the table that AtomicDB keeps a database in; see SQLiteStorage. */
const ownTable = 'atomicdb'

/** Each table becomes a collection of its name; its primary key, if it is one column, the _id. */
async function importTables(db: AtomicDB, file: string, { collection, onDuplicate }: ImportOptions, progress: Progress): Promise<number> {
  const sqlite = await sqliteDatabase(file, true)
  try {
    const tables = tablesOf(sqlite)
    if (tables.includes(ownTable)) throw new UsageError(`${file} is a database of AtomicDB: use atomicdb copy`)
    const wanted = collection === undefined ? tables : tables.filter((name) => name === collection)
    if (wanted.length === 0) throw new UsageError(`${file} has no table ${collection ?? ''}: it has ${tables.join(', ') || 'none'}`)
    let count = 0
    for (const table of wanted) {
      const keys = (sqlite.prepare('SELECT name FROM pragma_table_info(?) WHERE pk > 0').all(table) as { name: string }[]).map(({ name }) => name)
      const rows = sqlite.prepare(`SELECT * FROM "${table.replaceAll('"', '""')}"`)
      rows.setReadBigInts(true) // a number would lose digits
      const lines = linesOf(rows.iterate() as Iterable<Record<string, unknown>>, keys.length === 1 ? keys[0] : undefined)
      count += await db.importStream(lines, { format: 'ndjson', collection: table, ...(onDuplicate && { onDuplicate }), onProgress: progress.of(table) })
    }
    return count
  } finally {
    sqlite.close()
  }
}

/** Rows as lines of JSON. NULL is left out, as an empty field of CSV is. */
function* linesOf(rows: Iterable<Record<string, unknown>>, key: string | undefined): Generator<string> {
  let lines = ''
  for (const row of rows) {
    const fields: Record<string, unknown> = {}
    const id = key === undefined || row._id !== undefined ? undefined : smallest(row[key])
    const isId = typeof id === 'string' || Number.isSafeInteger(id)
    if (isId) fields._id = id
    for (const [name, value] of Object.entries(row)) if (value !== null && !(isId && name === key)) fields[name] = smallest(value)
    lines += `${extended(fields)}\n`
    if (lines.length < 1 << 16) continue
    yield lines
    lines = ''
  }
  yield lines
}

const smallest = (value: unknown) => (typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value)
