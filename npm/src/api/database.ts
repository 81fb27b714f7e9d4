import { checkName, takenOptions } from '../checks.js'
import { CachingConnection } from '../connection/caching-connection.js'
import type { Connection } from '../connection/connection.js'
import { HeldConnections } from '../connection/held-connection.js'
import { Opening } from '../connection/opening.js'
import { askToPersist } from '../connection/quota.js'
import { RevivingConnection } from '../connection/reviving-connection.js'
import { StatelessConnection } from '../connection/stateless-connection.js'
import type { NativeBackend } from '../engine/async-engine.js'
import { startBridge } from '../engine/bridge.js'
import { EngineEndError, invalid } from '../errors.js'
import type { LiveWriteStatus } from '../live/write-status.js'
import type { FileFormat } from '../security/seal-options.js'
import { RemoteConnection } from '../thread/remote-connection.js'
import type { Thread } from '../thread.js'
import type { Report, StorageBackend } from '../types.js'
import { exportFile, importFile } from './export-import.js'
import type { OpenOptions } from './database-options.js'
import { migrate } from './migrate.js'
import { OpenDatabase } from './open-database.js'
import { backendOf, checkedOptions, isStateless, keyOfSame, keyStart, withStorage } from './open-options.js'
import { bareStorage, exportRaw, importRaw, repair, withAdvice } from './repair.js'

/**
 * A database: collections of documents, held in memory and, if it has one,
 * kept in a storage.
 *
 * Every call rejects with an {@link AtomicDBError}: `invalid` if an argument
 * is wrong, `closed` after close(). A write rejects with `quota` or `storage` if
 * the storage fails; then nothing of it is stored. What a function of yours
 * throws is passed on unchanged. The promise of a write resolves when the write
 * is stored; queries see it at once, over D1 and KV when it is stored. A call that names no collection is about
 * the collection `default`.
 *
 * @example
 * ```ts
 * const db = await AtomicDB.open('users')
 * await db.insert({ name: 'Alice', age: 30 })
 * const young = await db.search(db.query().age.lt(40))
 * ```
 */
export class AtomicDB<Schema = any> extends OpenDatabase<Schema> {
  /**
   * Where the engine runs: 'shared' if in a worker with that of other tabs, true if in a worker of its own, false if in
   * this thread. It differs from the option where a host has no shared workers.
   */
  readonly worker: boolean | 'shared'

  private readonly connection: Connection

  private constructor(name: string, connection: Connection, worker: boolean | 'shared', undoSteps?: number, writeStatus?: LiveWriteStatus) {
    // Only a program without types can get here.
    if (!(connection as Connection | undefined)) throw invalid('new AtomicDB: expected await AtomicDB.open(name), which opens a database')
    super(name, connection, undoSteps, writeStatus)
    this.connection = connection
    this.worker = worker
  }

  /**
   * Opens a database. One that does not exist is created.
   *
   * @param name Databases of different names share nothing. In Node, where there is no IndexedDB, a name that has a slash or
   * ends in `.atomicdb` is the path of a file, as with {@link FileStorage}. Default: 'default'.
   * @throws `storage` or `quota` if the storage fails, `corrupt` if what it holds
   * fails its checks, `unsupported` for an option of a later version, and for data of a
   * later one; what a migration throws, with the data as the migration before left it.
   */
  static open<Schema = any>(name = 'default', options: OpenOptions = {}): Promise<AtomicDB<Schema>> {
    if (!isStateless(options)) return AtomicDB.openOnce<Schema>(name, options)
    return new Opening(() => AtomicDB.openOnce<Schema>(name, options), (db) => db.close())
  }

  private static async openOnce<Schema>(name: string, given: OpenOptions): Promise<AtomicDB<Schema>> {
    checkName('name', name)
    const options = withStorage(name, checkedOptions(given))
    const backend = backendOf(name, options)
    if (options.persist && backend !== null) askToPersist()
    const stateless = isStateless(options)
    const kind = options.worker ? RemoteConnection : stateless ? StatelessConnection : CachingConnection
    try {
      // The function of the user is for open() alone: if it fails later, nobody can be told.
      const { onProgress, undoSteps, ...later } = options
      const group = crypto.getRandomValues(new Uint8Array(4))
      const open = async () => {
        const connection = await RevivingConnection.open(backend, (backend, before) => {
          return kind.open(name, backend, { ...(before ? later : options), ...(before?.program && { program: before.program }), group })
        }, stateless)
        await migrate(connection, options).catch(async (error: unknown) => {
          await connection.close()
          throw error
        })
        return connection
      }
      const key = keyOfSame(name, options, backend)
      const { held, connection } = key ? await opened.hold(key, open) : await open().then((connection) => ({ held: connection, connection }))
      const worker = options.worker ? (connection.isShared ? 'shared' : true) : false
      return new AtomicDB<Schema>(name, held, worker, undoSteps)
    } catch (error) {
      throw withAdvice(error, name, options.storage)
    }
  }

  /** @internal A database over a connection of a pool, whose writes are told to `writeStatus`. */
  static over<Schema>(name: string, connection: Connection, writeStatus: LiveWriteStatus): AtomicDB<Schema> {
    return new AtomicDB(name, connection, true, undefined, writeStatus)
  }

  /** @internal A database that is open elsewhere, at the other end of what `start` connects to. */
  static async remote<Schema>(name: string, start: (ended: (reason: string) => EngineEndError) => Promise<Thread>): Promise<AtomicDB<Schema>> {
    return new AtomicDB(name, await RevivingConnection.open(null, async () => RemoteConnection.over(await start((reason) => new EngineEndError(reason))), false, true), 'shared')
  }

  /** Deletes a stored database, which must not be open anywhere. Does nothing if it does not exist. */
  static async destroy(name: string, given: StoredOptions = {}): Promise<void> {
    checkName('name', name)
    const options = withStorage(name, takenOptions(given, ['storage', 'wasm']))
    const backend = backendOf(name, options)
    if (!backend) return
    opened.forget((key) => key.startsWith(keyStart(name)))
    const bridge = await startBridge(options.wasm)
    await bridge.wait((engine) => engine.destroy(backend))
  }

  /**
   * Brings a damaged stored database to a state that can be opened: to what the
   * newest sound snapshot and all sound batches after it hold. What a damaged
   * batch did is lost, and the report lists it: a document that the batch changed
   * or removed may be there as it was before. A sound database is left unchanged.
   * If the repair fails or is cut off, nothing is lost. Tabs that have the
   * database open receive the result.
   *
   * @throws `decrypt` with a wrong password; `unsupported` if a newer AtomicDB has written it;
   * `conflict` if another writer writes at the same time; `quota` or `storage`.
   */
  static async repair(name: string, given: StoredOptions = {}): Promise<Report> {
    const options = withStorage(name, takenOptions(given, ['storage', 'wasm']))
    return repair(storedBackend(name, options), options)
  }

  /**
   * What is stored, unchanged, as one file: also if it is damaged or encrypted.
   * Keep it before {@link repair}, or inspect it elsewhere. It needs no password.
   * {@link importRaw}, {@link MemoryStorage.fromRaw} and Go programs read the file.
   */
  static async exportRaw(name: string, given: StoredOptions = {}): Promise<Uint8Array> {
    const options = withStorage(name, takenOptions(given, ['storage', 'wasm']))
    return exportRaw(storedBackend(name, bare(options)), options.wasm)
  }

  /**
   * Stores a file of {@link exportRaw} under a name, or in a storage. Nothing may
   * be stored there yet. The copy is a database of its own, with a new identity.
   * If it is encrypted, that needs a storage with its key; without the key the copy keeps the identity.
   *
   * @throws `invalid` if something is stored there; `corrupt` if `file` is not a whole file of exportRaw;
   * `unsupported` if a newer AtomicDB has written it; `quota` or `storage`. Nothing is stored then.
   */
  static async importRaw(name: string, file: Uint8Array, given: StoredOptions = {}): Promise<void> {
    const options = withStorage(name, takenOptions(given, ['storage', 'wasm']))
    return importRaw(storedBackend(name, bare(options)), file, options)
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
   * Adds the documents of a file of {@link export}, of a storage of one file or of
   * the Python library: all of them, or, if anything is wrong, none. A document
   * replaces one with the same `_id`; a document without `_id` gets a new one.
   *
   * @param format.type Default: what the file looks like. Compression is always recognized.
   * @throws `invalid` if the file is in no such format, `decrypt` if its password is another one, `corrupt` if it is damaged.
   */
  async import(file: Uint8Array, format: FileFormat = {}): Promise<void> {
    return importFile(this.connection, this.calls, file, format)
  }

  /**
   * With `inMemory` and a storage: stores everything since the last commit, as
   * one batch. If that fails, nothing is lost or undone, and commit can be
   * called again. Otherwise the same as {@link flush}.
   *
   * @throws `conflict` if another writer has stored something since then; {@link export}
   * still saves what is in memory. `quota` or `storage`.
   */
  commit(): Promise<void> {
    return this.connection.commit()
  }

  /** Resolves when every write so far is stored; rejects with the first that could not be. With `inMemory`, at once. */
  flush(): Promise<void> {
    return this.connection.flush()
  }

  /**
   * Reads everything that is stored again, and checks the checksum and number of
   * each batch, that all batches together lead to what is in memory, and that
   * what is in memory is consistent. It takes about as long as opening the database.
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

/** The databases that this thread has open in the storage of their name. */
const opened = new HeldConnections<RevivingConnection>()

/** The options of a static call. */
type StoredOptions = Pick<OpenOptions, 'storage' | 'wasm'>

/** Where the database of a static call is stored. */
function storedBackend(name: string, options: StoredOptions): NativeBackend | StorageBackend {
  checkName('name', name)
  const backend = backendOf(name, options)
  if (!backend) throw invalid('options.storage: this host keeps databases in memory alone unless a storage is given')
  return backend
}

function bare(options: StoredOptions): StoredOptions {
  const storage = bareStorage(options.storage)
  return storage ? { ...options, storage } : options
}
