import { AtomicDBError, describe, invalid, readingError } from '../errors.js'
import { joined } from '../security/compress.js'
import { takenSealOptions } from '../security/packing.js'
import type { SealOptions } from '../security/seal-options.js'
import type { Batch, StorageBackend } from '../types.js'
import { identityOf } from './identity.js'
import { ensured, SamePageListeners } from './same-page-listeners.js'
import { SealedStorage } from './sealed.js'
import { driverOf, sqliteError, type Driver, type Row, type Statement } from './sqlite-drivers.js'
import { newTraits, traits, type Traits } from './traits.js'

/**
 * Keeps batches in a table of a SQLite database that you pass: Cloudflare D1, a
 * Durable Object's `ctx.storage.sql`, sqlite-wasm's `oo1.DB`, or `DatabaseSync`
 * of node:sqlite. With a Durable Object's `ctx.storage` itself, `strict` waits for
 * its `sync()`. It leaves other tables alone, and does not close your SQLite
 * database.
 *
 * SQLite decides how durable a batch is (`PRAGMA synchronous`), so `relaxed`
 * and `strict` are the same. Databases that are opened with the same object hear
 * of each other's writes; those of other processes are noticed at the next write.
 * Over D1, all requests of an isolate may use one database, and a query sees a
 * write when it is stored, and not before.
 *
 * @example
 * ```js
 * import { DatabaseSync } from 'node:sqlite'
 * const db = await AtomicDB.open('notes', { storage: new SQLiteStorage(new DatabaseSync('notes.sqlite')) })
 * ```
 */
export class SQLiteStorage extends SealedStorage {
  /**
   * @param database The SQLite database.
   * @param options.table The name of the table, which is created if there is none. Default: 'atomicdb'.
   * @param options How batches are compressed and encrypted. Default: not at all.
   */
  constructor(database: any, options: SealOptions & { table?: string } = {}) {
    const { table = 'atomicdb', ...seal } = takenSealOptions(options, 'table')
    if (typeof table !== 'string' || !/^[a-z_]\w*$/i.test(table) || /^sqlite_/i.test(table)) {
      throw invalid(`options.table: expected letters, digits and _, not ${describe(table)}`)
    }
    super(new SQLiteLog(database, table), seal)
  }
}

class SQLiteLog implements StorageBackend {
  readonly [traits]: Traits
  private readonly driver: Driver
  private readonly listeners: SamePageListeners
  private readonly appendings: Appendings
  private isCreated = false

  constructor(
    database: object,
    private readonly table: string,
  ) {
    this.appendings = appendingsTo(table)
    try {
      this.driver = driverOf(database)
    } catch (error) {
      throw readingError('database', error)
    }
    const { kind } = this.driver
    // A failed ctx.storage.transaction takes back what it held; D1 can go back to an earlier time.
    this[traits] = newTraits({ stateless: kind === 'D1', mayRevoke: kind === 'D1' || kind === 'Durable Object' })
    this.listeners = new SamePageListeners(ensured(ensured(listeners, database, () => new Map()), table, () => new Set()))
  }

  read(after: number): Promise<Batch[]> {
    return this.batches(after, (seq, found, parts) => {
      throw new AtomicDBError('corrupt', `batch ${seq} of this SQLite table has ${found} of its ${parts} parts`)
    })
  }

  salvage(): Promise<Batch[]> {
    return this.batches(0, () => {})
  }

  private async batches(after: number, onDamaged: OnDamaged): Promise<Batch[]> {
    // One statement, so that no compaction comes between two.
    const [rows] = await this.run([[`SELECT seq, snapshot, parts, bytes FROM ${this.table} WHERE seq > ? ORDER BY seq, snapshot DESC, part`, after]])
    return batchesOf(rows!, onDamaged)
  }

  append(seq: number, bytes: Uint8Array, durability?: 'relaxed' | 'strict'): boolean | Promise<boolean> {
    const { driver, appendings } = this
    const writer = newWriter()
    const parts = partsOf(bytes)
    const identity = identityOf(bytes)
    const done = this.runNow(
      parts.map((part, n): Statement => {
        const row = [seq, n, parts.length, writer, part] as const
        if (n > 0) return [appendings.other, ...row, writer]
        return identity ? [appendings.ofDatabase, ...row, seq - 1, seq - 1, identity.slice()] : [appendings.ofAny, ...row, seq - 1]
      }),
      [appendings.undo, writer],
    )
    const ended = ([first]: Row[][]) => {
      if (first!.length === 0) return false
      this.listeners.notify(seq)
      return durability === 'strict' && driver.sync ? driver.sync().then(() => true) : true
    }
    return done instanceof Promise ? done.then(ended) : ended(done)
  }

  async compact(seq: number, snapshot: Uint8Array): Promise<void> {
    const { table } = this
    const writer = newWriter()
    const parts = partsOf(snapshot)
    // If it is not there, another snapshot was faster.
    const isBatch = `EXISTS (SELECT 1 FROM ${table} WHERE seq = ? AND snapshot = 0)`
    const [isOwn, ...own] = ofOneDatabase(table, seq, snapshot)
    await this.run(
      [
        // Removes a snapshot that was never finished.
        [`DELETE FROM ${table} WHERE seq = ? AND snapshot = 1 AND ${isBatch}`, seq, seq],
        ...parts.map((part, n): Statement => [`INSERT INTO ${table} SELECT ?, 1, ?, ?, ?, ? WHERE ${isBatch}${isOwn}`, seq, n, parts.length, writer, part, seq, ...own]),
        [`DELETE FROM ${table} WHERE seq <= ? AND writer != ? AND EXISTS (SELECT 1 FROM ${table} WHERE writer = ?)`, seq, writer, writer],
      ],
      [`DELETE FROM ${table} WHERE writer = ?`, writer],
    )
  }

  watch(listener: (seq: number) => void): () => void {
    return this.listeners.watch(listener)
  }

  async destroy(): Promise<void> {
    await this.run([[`DROP TABLE ${this.table}`]])
    await this.close()
  }

  /** The user's SQLite database stays open. */
  async close(): Promise<void> {
    this.isCreated = false
    this.listeners.close()
  }

  /** As {@link run}: at once, where SQLite answers at once. */
  private runNow(statements: readonly Statement[], undo: Statement): Row[][] | Promise<Row[][]> {
    if (!this.isCreated || this.driver.kind === 'D1') return this.run(statements, undo)
    try {
      return this.driver.run(statements, undo)
    } catch (error) {
      this.isCreated = false
      if (isMissingTable(error)) return this.run(statements, undo, true)
      throw sqliteError(error)
    }
  }

  /** Creates the table if need be, and runs statements in one transaction. */
  private async run(statements: readonly Statement[], undo?: Statement, isAgain = false): Promise<Row[][]> {
    try {
      // Each caller by itself until one is done: a request in a Cloudflare Worker must not wait for another one's.
      if (!this.isCreated) await this.driver.run([
        [`CREATE TABLE IF NOT EXISTS ${this.table} (seq INTEGER, snapshot INTEGER, part INTEGER, parts INTEGER, writer INTEGER, bytes BLOB, PRIMARY KEY (seq, snapshot, part))`],
      ])
      this.isCreated = true
      return await this.driver.run(statements, undo)
    } catch (error) {
      this.isCreated = false
      // Somebody has dropped the table. A new one lacks the batches, which tells an open database that it was deleted.
      if (!isAgain && isMissingTable(error)) return this.run(statements, undo, true)
      throw sqliteError(error)
    }
  }
}

const isMissingTable = (error: unknown) => error instanceof Error && /no such table/i.test(error.message)

/** The statements of an append. SQLite looks up what it has compiled by the text, which is long: it is made once. */
interface Appendings {
  /** Stores the first part, if its number is the next, of a batch that any database may have made. */
  readonly ofAny: string
  /** As `ofAny`, if the batch before it is of the same database. */
  readonly ofDatabase: string
  /** Stores another part, if the first was stored. */
  readonly other: string
  readonly undo: string
}

function appendingsTo(table: string): Appendings {
  const storing = (condition: string) => `INSERT INTO ${table} SELECT ?, 0, ?, ?, ?, ? WHERE ${condition} RETURNING seq`
  const isNext = `(SELECT coalesce(max(seq), 0) FROM ${table}) = ?`
  return {
    ofAny: storing(isNext),
    ofDatabase: storing(isNext + isOwnOf(table)),
    other: storing(`EXISTS (SELECT 1 FROM ${table} WHERE writer = ?)`),
    undo: `DELETE FROM ${table} WHERE writer = ?`,
  }
}

/**
 * A condition, to be added to others, that record `seq` is not of another database than `bytes`, and its values. See
 * isForeign in identity.ts; this is its meaning in SQL.
 */
function ofOneDatabase(table: string, seq: number, bytes: Uint8Array): [string, ...(number | Uint8Array)[]] {
  const identity = identityOf(bytes)
  return identity ? [isOwnOf(table), seq, identity.slice()] : ['']
}

function isOwnOf(table: string): string {
  const held = "CASE substr(bytes, 1, 5) WHEN x'4174444202' THEN substr(bytes, 17, 16) WHEN x'4174445302' THEN substr(bytes, 21, 16) END"
  return ` AND NOT EXISTS (SELECT 1 FROM ${table} WHERE seq = ? AND part = 0 AND ${held} NOT IN (?, zeroblob(16)))`
}

/** The listeners of all storages on a table, by SQLite database and table. */
const listeners = new WeakMap<object, Map<string, Set<(seq: number) => void>>>()

/** A number that distinguishes the rows of one call from all others. */
const newWriter = () => 1 + Math.floor(Math.random() * (Number.MAX_SAFE_INTEGER - 1))

/** D1 and Durable Objects take values of up to 2 MB. */
const maxRowBytes = 1 << 20

function partsOf(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let start = 0; start === 0 || start < bytes.length; start += maxRowBytes) parts.push(bytes.subarray(start, start + maxRowBytes))
  return parts
}

/** Called for a batch that lacks parts. */
type OnDamaged = (seq: number, found: number, parts: number) => void

/**
 * Joins the parts of each batch. A snapshot counts instead of the batch of its number; one that lacks parts was never
 * finished.
 */
function batchesOf(rows: readonly Row[], onDamaged: OnDamaged): Batch[] {
  const batches: Batch[] = []
  for (let n = 0; n < rows.length; ) {
    const first = rows[n]!
    // A database may be set to return BigInts.
    const [seq, snapshot, parts] = [Number(first.seq), Number(first.snapshot), Number(first.parts)]
    const own: Uint8Array[] = []
    for (; n < rows.length && rows[n]!.seq === first.seq && rows[n]!.snapshot === first.snapshot; n++) own.push(bytesIn(rows[n]!.bytes))
    if (batches.at(-1)?.seq === seq) continue
    if (own.length === parts) {
      if (snapshot) batches.length = 0
      batches.push({ seq, snapshot: Boolean(snapshot), bytes: joined(own) })
    } else if (!snapshot) {
      onDamaged(seq, own.length, parts)
      batches.push({ seq, snapshot: false, bytes: joined(own) })
    }
  }
  return batches
}

/** D1 gives a BLOB as an array of numbers; it takes 2 MB. */
const maxArray = 2 ** 24

/** The bytes of a BLOB, which is a view, an ArrayBuffer, or in D1 an array of numbers. */
function bytesIn(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  if (Array.isArray(value) && value.length <= maxArray) return Uint8Array.from(value as number[])
  throw new AtomicDBError('corrupt', 'this SQLite table holds a value that is not a BLOB')
}
