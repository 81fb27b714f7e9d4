import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { AtomicDB, FileStorage, JSONStorage, LMDBStorage, MessagePackStorage, EncryptedJSONStorage, SecurityManager, SQLiteStorage, type SealOptions, type StorageBackend } from '../index.js'
import { UsageError } from './arguments.js'
import { formatOf } from './formats.js'

/** The storages by the ends of names. */
const storages: Readonly<Record<string, (path: string, seal: SealOptions) => StorageBackend | Promise<StorageBackend>>> = {
  '.atomicdb': (path, seal) => new FileStorage(path, seal),
  '.json': (path, { securityManager }) => (securityManager ? new EncryptedJSONStorage(path, securityManager) : new JSONStorage(path)),
  '.msgpack': (path, seal) => new MessagePackStorage(path, seal),
  '.mp': (path, seal) => new MessagePackStorage(path, seal),
  '.mdb': (path, seal) => new LMDBStorage(path, seal),
  '.sqlite': (path, seal) => openSQLite(path, seal),
  '.db': (path, seal) => openSQLite(path, seal),
}

/** What is used of a database of node:sqlite. */
export interface SQLiteDatabase {
  prepare(sql: string): { all(...params: unknown[]): unknown[]; iterate(...params: unknown[]): Iterable<unknown>; setReadBigInts(on: boolean): void }
  close(): void
}

/** Opens an SQLite database, with what newer Nodes have. */
export async function sqliteDatabase(path: string, readOnly = false): Promise<SQLiteDatabase> {
  const name = 'node:sqlite' // newer than the types that this is checked with
  const { DatabaseSync } = (await import(name).catch(() => {
    throw new UsageError(`${path}: Node ${process.version} has no node:sqlite; 22.13 and newer ones have`)
  })) as { DatabaseSync: new (path: string, options: object) => SQLiteDatabase }
  return new DatabaseSync(path, { readOnly })
}

const openSQLite = async (path: string, seal: SealOptions) => new SQLiteStorage(await sqliteDatabase(path), seal)

/** Whether the name of a file is that of a database which a command changes in place, and not of documents. */
export const isDatabase = (path: string) => ['.atomicdb', '.mdb', '.sqlite', '.db'].includes(extname(path))

/** The storage of a database, by the end of its name. */
export async function storageOf(path: string, mustExist = true): Promise<StorageBackend> {
  const open = storages[extname(path)]
  if (!open && formatOf(path)) throw new UsageError(`${path} holds documents; the database comes first, as in notes.atomicdb ${path}`)
  if (!open) throw new UsageError(`${path}: expected a database, whose name ends in ${Object.keys(storages).join(', ')}`)
  if (mustExist && !existsSync(path)) throw new Error(`${path} does not exist`)
  return open(path, await seal())
}

async function seal(): Promise<SealOptions> {
  const { ATOMICDB_PASSWORD: password, ATOMICDB_KEY: key } = process.env
  if (password) return { securityManager: await SecurityManager.create({ password }) }
  return key ? { securityManager: SecurityManager.fromKey(key) } : {}
}

/** Opens a database, lets `work` use it, and closes it. */
export async function withDatabase<R>(path: string, work: (db: AtomicDB) => Promise<R>, mustExist = true): Promise<R> {
  const db = await AtomicDB.open(path, { storage: await storageOf(path, mustExist) })
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}
