import { checkCount, checkName, checkOptionsObject } from '../checks.js'
import { readArguments } from '../connection/errors.js'
import { describe, invalid } from '../errors.js'
import { processors } from '../node-modules.js'
import { deferredStorage, sharedStorage } from '../storage/backend.js'
import { MemoryStorage } from '../storage/memory.js'
import { PoolCalls } from '../thread/pool-calls.js'
import { Pool } from '../thread/pool.js'
import { RemoteConnection, Seen } from '../thread/remote-connection.js'
import { AtomicDB } from './database.js'
import type { OpenOptions } from './database-options.js'
import { migrate } from './migrate.js'
import { OpenDatabase } from './open-database.js'
import { backendOf, checkedOptions, withStorage } from './open-options.js'

/** Options of {@link ThreadSafeDatabase.open}. */
export interface PoolOptions extends OpenOptions {
  /** How many engines there may be at most. Each is in a worker and has the whole database in its memory. They are made when they are needed. Default 10. */
  maxConnections?: number
  /** How long a call waits for a free connection, in milliseconds. Default 30,000. */
  timeout?: number
}

/**
 * Several engines, each in a worker of its own, over one database: reads run
 * side by side, and writes one after the other. A call sees everything that
 * calls before it have stored, by whichever engine. If a connection dies, as
 * when its worker runs out of memory, the calls that it runs fail, and another
 * connection replaces it.
 *
 * The calls mean what the calls of {@link AtomicDB} mean. They make as many
 * connections as the machine has processors; {@link execute} makes up to
 * `maxConnections`.
 *
 * @example
 * ```ts
 * await using pool = await ThreadSafeDatabase.open('users', { maxConnections: 5 })
 * const [old, young] = await Promise.all([pool.count('age >= 40'), pool.count('age < 40')])
 * ```
 */
export class ThreadSafeDatabase<Schema = any> extends OpenDatabase<Schema> {
  private readonly pool: Pool<RemoteConnection>
  private readonly databases = new WeakMap<RemoteConnection, AtomicDB<Schema>>() // what execute() passes
  private closing: Promise<void> | undefined

  private constructor(name: string, pool: Pool<RemoteConnection>, undoSteps: number | undefined) {
    super(name, new PoolCalls(pool), undoSteps)
    this.pool = pool
  }

  /**
   * Opens a database with one connection. A database that does not exist is created.
   *
   * @throws What {@link AtomicDB.open} throws; `unsupported` where there are no workers.
   */
  static async open<Schema = any>(name = 'default', options: PoolOptions = {}): Promise<ThreadSafeDatabase<Schema>> {
    checkName('name', name)
    checkOptionsObject(options)
    const { maxConnections = 10, timeout = 30_000, ...given } = readArguments(() => ({ ...options }))
    const rest = withStorage(name, checkedOptions(given))
    checkCount('options.maxConnections', maxConnections, 1, 1000)
    checkCount('options.timeout', timeout, 0, 2 ** 31 - 1)
    if (rest.worker === 'shared') throw invalid("options.worker: a pool has workers of its own, and cannot use a shared one")
    // The engines, in several threads, have no memory in common: they meet in the storage.
    if (rest.inMemory && rest.storage) throw invalid('options.inMemory: the engines of a pool see each other\'s writes in the storage, where commit() would put them too late')
    const backend = backendOf(name, rest) ?? deferredStorage(new MemoryStorage())
    const forOne = 'append' in backend ? sharedStorage(backend) : () => backend
    const seen = new Seen()
    const group = crypto.getRandomValues(new Uint8Array(4))
    const make = async () => {
      const own = forOne()
      const connection = await RemoteConnection.open(name, own, { ...rest, inMemory: false, group }, seen)
      connection.onEnd = () => {
        if ('append' in own) own.close().catch(() => {}) // as the engine would have done
      }
      return connection
    }
    const pool = new Pool(make, (connection) => connection.hasEnded, maxConnections, Math.min(maxConnections, await processors()), timeout)
    await pool.start()
    await pool.exclusive((connection) => migrate(connection, rest)).catch(async (error: unknown) => {
      await Promise.all((await pool.close()).map((connection) => connection.close()))
      throw error
    })
    return new ThreadSafeDatabase<Schema>(name, pool, rest.undoSteps)
  }

  /**
   * Runs `operation` with a database that no other call uses meanwhile.
   *
   * @returns What it resolves to.
   * @throws What it throws; `timeout` if no connection was free in time. That
   * happens if `operation` calls the pool instead of the database that it is
   * given, while all connections are in use.
   */
  execute<R>(operation: (db: AtomicDB<Schema>) => Promise<R>): Promise<R> {
    if (typeof operation !== 'function') return Promise.reject(invalid(`operation: expected a function, not ${describe(operation)}`))
    return this.pool.exclusive(async (connection) => operation(this.databaseOf(connection)))
  }

  private databaseOf(connection: RemoteConnection): AtomicDB<Schema> {
    let db = this.databases.get(connection)
    if (!db) this.databases.set(connection, (db = AtomicDB.over(this.name, connection, this.writeStatus)))
    return db
  }

  /** Waits for the calls that run, and closes all connections; calls that wait for a connection reject with `closed`. Closing twice is closing once. */
  close(): Promise<void> {
    return (this.closing ??= this.closeOnce())
  }

  private async closeOnce(): Promise<void> {
    const connections = await this.pool.close()
    await Promise.all(connections.map((connection) => connection.close()))
  }
}
