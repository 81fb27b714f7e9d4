import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { AtomicDB, FileStorage, JSONStorage, LMDBStorage, MessagePackStorage, EncryptedJSONStorage, SecurityManager, SQLiteStorage, type SealOptions, type StorageBackend } from '../index.js'
import { UsageError } from './arguments.js'

/** The storages by the ends of names. */
const storages: Record<string, (path: string, seal: SealOptions) => StorageBackend | Promise<StorageBackend>> = {
  '.atomicdb': (path, seal) => new FileStorage(path, seal),
  '.json': (path, { securityManager }) => (securityManager ? new EncryptedJSONStorage(path, securityManager) : new JSONStorage(path)),
  '.msgpack': (path, seal) => new MessagePackStorage(path, seal),
  '.mp': (path, seal) => new MessagePackStorage(path, seal),
  '.mdb': (path, seal) => new LMDBStorage(path, seal),
  '.sqlite': openSQLite,
  '.db': openSQLite,
}

async function openSQLite(path: string, seal: SealOptions): Promise<StorageBackend> {
  const name = 'node:sqlite' // newer than the types that this is checked with
  const { DatabaseSync } = (await import(name).catch(() => {
    throw new UsageError(`${path}: this Node has no node:sqlite; 22.13 and newer ones have`)
  })) as { DatabaseSync: new (path: string) => object }
  return new SQLiteStorage(new DatabaseSync(path), seal)
}

/** The storage of a database, by the end of its name. */
export async function storageOf(path: string, mustExist = true): Promise<StorageBackend> {
  const open = storages[extname(path)]
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
