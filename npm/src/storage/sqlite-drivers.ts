import { AtomicDBError, describe, invalid, messageOf } from '../errors.js'

/** A SQL statement, and the values for its question marks. */
export type Statement = readonly [sql: string, ...values: (number | Uint8Array)[]]

/** The values of a row, by column name. */
export type Row = Record<string, unknown>

/**
 * Runs statements in one transaction, and returns the rows of each: at once, but for D1. If one fails where there is no
 * transaction to roll back, it runs `undo`.
 */
export type Run = (statements: readonly Statement[], undo?: Statement) => Row[][] | Promise<Row[][]>

/** The way to run statements in a SQLite database that the user has passed. */
export interface Driver {
  readonly kind: 'D1' | 'sqlite-wasm' | 'Durable Object' | 'node:sqlite'
  readonly run: Run
  /** Waits until what was run is on the disk, where that takes a call of its own. */
  readonly sync?: () => Promise<void>
}

/** The driver of a SQLite database that the user has passed. */
export function driverOf(database: unknown): Driver {
  const candidate = database as Partial<D1 & WasmDB & DurableObjectSQL & NodeDB & DurableObjectStorage> | null
  if (typeof candidate === 'object' && candidate !== null) {
    if (isFunction(candidate.sync) && candidate.sql) return { ...driverOf(candidate.sql), sync: () => candidate.sync!() }
    if (isFunction(candidate.batch) && isFunction(candidate.prepare)) return { kind: 'D1', run: d1(candidate as D1) }
    if (isFunction(candidate.selectObjects) && isFunction(candidate.transaction)) return { kind: 'sqlite-wasm', run: wasm(candidate as WasmDB) }
    if (isFunction(candidate.exec) && 'databaseSize' in candidate) return { kind: 'Durable Object', run: durableObject(candidate as DurableObjectSQL) }
    if (isFunction(candidate.exec) && isFunction(candidate.prepare)) return { kind: 'node:sqlite', run: node(candidate as NodeDB) }
  }
  throw invalid(`database: expected a SQLite database (D1, a Durable Object's ctx.storage.sql, sqlite-wasm's oo1.DB or node:sqlite's DatabaseSync), not ${describe(database)}`)
}

const isFunction = (value: unknown) => typeof value === 'function'

/** Cloudflare's D1. */
interface D1 {
  prepare(sql: string): { bind(...values: unknown[]): object }
  batch(statements: object[]): Promise<{ results: Row[] }[]>
}

function d1(database: D1): Run {
  return async (statements) => {
    const results = await database.batch(statements.map(([sql, ...values]) => database.prepare(sql).bind(...values)))
    return results.map((result) => result.results)
  }
}

/** The DB of @sqlite.org/sqlite-wasm's object-oriented interface. */
interface WasmDB {
  selectObjects(sql: string, values: unknown[]): Row[]
  transaction(qualifier: string, work: () => Row[][]): Row[][]
}

function wasm(database: WasmDB): Run {
  // Without values, bind must be undefined.
  const all = ([sql, ...values]: Statement) => database.selectObjects(sql, values.length > 0 ? values : undefined!)
  return (statements) => database.transaction('IMMEDIATE', () => statements.map(all))
}

/** ctx.storage of a Durable Object. */
interface DurableObjectStorage {
  readonly sql: object
  sync(): Promise<void>
}

/**
 * ctx.storage.sql of a Durable Object. Writes between two awaits are stored together, but a failing statement does not
 * undo the others.
 */
interface DurableObjectSQL {
  exec(sql: string, ...values: unknown[]): { toArray(): Row[] }
  readonly databaseSize: number
}

function durableObject(database: DurableObjectSQL): Run {
  const all = ([sql, ...values]: Statement) => database.exec(sql, ...values).toArray()
  return (statements, undo) => {
    try {
      return statements.map(all)
    } catch (error) {
      if (undo) all(undo)
      throw error
    }
  }
}

/** DatabaseSync of node:sqlite. */
interface NodeDB {
  exec(sql: string): void
  prepare(sql: string): { all(...values: unknown[]): Row[] }
}

function node(database: NodeDB): Run {
  return (statements) => {
    database.exec('BEGIN IMMEDIATE')
    try {
      const rows = statements.map(([sql, ...values]) => database.prepare(sql).all(...values))
      database.exec('COMMIT')
      return rows
    } catch (error) {
      try {
        database.exec('ROLLBACK')
      } catch {
        // SQLite has already rolled back, as it does when the disk is full.
      }
      throw error
    }
  }
}

/** An error of SQLite as an AtomicDBError. */
export function sqliteError(error: unknown): AtomicDBError {
  const message = messageOf(error)
  const isFull = /\bSQLITE_FULL\b|disk is full|storage limit|exceeded maximum/i.test(message)
  return new AtomicDBError(isFull ? 'quota' : 'storage', `SQLite: ${message}`, { cause: error })
}
