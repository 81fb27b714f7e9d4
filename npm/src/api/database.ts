import type { NativeBackend } from '../engine/async-engine.js'
import { startBridge } from '../engine/bridge.js'
import { checkKnown, checkName } from '../checks.js'
import type { Connection } from '../connection/connection.js'
import { exportFile, importFile } from './export-import.js'
import { invalid } from '../errors.js'
import { LocalConnection } from '../connection/local-connection.js'
import { OpenDatabase } from './open-database.js'
import { backendOf, checkOptions } from './open-options.js'
import { bareStorage, exportRaw, importRaw, repair, withAdvice } from './repair.js'
import type { FileFormat } from '../security/seal-options.js'
import type { OpenOptions, Report, StorageBackend } from '../types.js'
import { askToPersist } from '../connection/quota.js'
import { RemoteConnection } from '../thread/remote-connection.js'

/**
 * A database: collections of documents, in memory and, unless it lives in
 * memory alone, kept in a storage.
 *
 * Every call rejects with an {@link AtomicDBError}: `invalid` if an argument
 * is wrong, `closed` after close(), and a write with `quota` or `storage` if
 * the storage fails; nothing of it is stored then. What a function of yours
 * throws is passed on as it is. A write's promise resolves when it is stored;
 * queries see it at once. A call that names no collection is about `default`.
 *
 * @example
 * ```ts
 * const db = await AtomicDB.open('users')
 * await db.insert({ name: 'Alice', age: 30 })
 * const young = await db.search(db.query().age.lt(40))
 * ```
 */
export class AtomicDB extends OpenDatabase {
  private readonly connection: Connection

  private constructor(name: string, connection: Connection) {
    super(name, connection)
    this.connection = connection
  }

  /**
   * Opens a database, creating it if need be.
   *
   * @param name Databases of other names share nothing. Default: 'default'.
   * @throws `storage` or `quota` if the storage refuses, `corrupt` if what it
   * holds fails its checks, `unsupported` for an option of a later version.
   */
  static async open(name = 'default', options: OpenOptions = {}): Promise<AtomicDB> {
    checkName('name', name)
    checkOptions(options)
    const backend = backendOf(name, options)
    if (options.persist && backend !== null) askToPersist()
    const connection = options.worker ? RemoteConnection : LocalConnection
    try {
      return new AtomicDB(name, await connection.open(name, backend, options))
    } catch (error) {
      throw withAdvice(error, name, options.storage)
    }
  }

  /** @internal */
  static over(name: string, connection: Connection): AtomicDB {
    return new AtomicDB(name, connection)
  }

  /** Deletes a stored database, open nowhere. One that does not exist is deleted already. */
  static async destroy(name: string, options: Pick<OpenOptions, 'storage' | 'wasm'> = {}): Promise<void> {
    checkName('name', name)
    checkKnown(options, ['storage', 'wasm'])
    const backend = backendOf(name, options)
    if (!backend) return
    const bridge = await startBridge(options.wasm)
    await bridge.wait((engine) => engine.destroy(backend))
  }

  /**
   * Brings a stored database that is damaged to a state that can be opened:
   * what the newest sound snapshot and every sound batch after it say. What a
   * damaged batch did is lost, and the report tells of it: a document that it
   * changed or removed may be there as it was before. What others did is kept.
   * A sound database is left as it is. If this fails or is cut off, nothing is
   * lost. Tabs that have the database open take in the result.
   *
   * @throws `decrypt` with a wrong password; `unsupported` if a newer AtomicDB has written it;
   * `conflict` if somebody writes meanwhile; `quota` or `storage`.
   */
  static async repair(name: string, options: Pick<OpenOptions, 'storage' | 'wasm'> = {}): Promise<Report> {
    return repair(storedBackend(name, options), options)
  }

  /**
   * What is stored, damaged or encrypted as it may be, as one file: to be kept
   * before {@link repair}, or looked at elsewhere. It needs no password.
   * {@link importRaw} and {@link MemoryStorage.fromRaw} take it, and so do Go programs.
   */
  static async exportRaw(name: string, options: Pick<OpenOptions, 'storage' | 'wasm'> = {}): Promise<Uint8Array> {
    return exportRaw(storedBackend(name, bare(options)), options.wasm)
  }

  /**
   * Stores what {@link exportRaw} has written under a name, or in a storage,
   * where nothing is stored yet.
   *
   * @throws `invalid` if something is; `corrupt` if the file is none or not whole, `unsupported` if a
   * newer AtomicDB has written it; `quota` or `storage`. Nothing is stored then.
   */
  static async importRaw(name: string, file: Uint8Array, options: Pick<OpenOptions, 'storage' | 'wasm'> = {}): Promise<void> {
    return importRaw(storedBackend(name, bare(options)), file, options.wasm)
  }

  /**
   * The whole database as one file: `{"default": [...], "users": [...]}`.
   *
   * @param format.type 'json', the default, or 'msgpack'.
   * @param format How the file is compressed and encrypted. Default: not at all.
   */
  async export(format: FileFormat = {}): Promise<Uint8Array> {
    return exportFile(this.connection, format)
  }

  /**
   * Adds what a file holds that {@link export}, a storage of one file or the
   * Python library has written: all of it, or, if anything is wrong, nothing. A
   * document takes the place of one with the same `_id`; one without gets a new one.
   *
   * @param format.type Default: what the file looks like. Compressed files are known by themselves.
   * @throws invalid if the file is none, `decrypt` if its password is another one, `corrupt` if it is damaged.
   */
  async import(file: Uint8Array, format: FileFormat = {}): Promise<void> {
    return importFile(this.connection, file, format)
  }

  /**
   * With `inMemory` and a storage: stores everything since the last commit, as
   * one batch. If that fails, nothing is lost or undone, and commit can be
   * called again. Otherwise the same as {@link flush}.
   *
   * @throws `conflict` if another writer has stored something meanwhile, which
   * {@link export} can save what is here from; `quota` or `storage`.
   */
  commit(): Promise<void> {
    return this.connection.commit()
  }

  /** Resolves when every write so far is stored; rejects with the first that could not be. With `inMemory`, at once. */
  flush(): Promise<void> {
    return this.connection.flush()
  }

  /**
   * Reads everything that is stored again, and compares: each batch with its
   * checksum and number, what they lead to with what is in memory, and that
   * with itself. It takes about as long as opening the database.
   *
   * @throws `invalid` with `inMemory` and a storage, while something is not committed.
   */
  verify(): Promise<Report> {
    return this.connection.verify()
  }

  /** Stores what is not stored yet and closes the database. Closing twice is closing once. */
  close(): Promise<void> {
    return this.connection.close()
  }
}

/** Where a database is stored that a static call is about. */
function storedBackend(name: string, options: Pick<OpenOptions, 'storage' | 'wasm'>): NativeBackend | StorageBackend {
  checkName('name', name)
  checkKnown(options, ['storage', 'wasm'])
  const backend = backendOf(name, options)
  if (!backend) throw invalid('options.storage: this host keeps databases in memory alone unless a storage is given')
  return backend
}

function bare<O extends Pick<OpenOptions, 'storage'>>(options: O): O {
  return { ...options, storage: bareStorage(options.storage) }
}
