import type { Calls } from '../connection/calls.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import { count, explain, find } from '../operations/reads.js'
import { schema } from '../operations/schemas.js'
import { queryBuilder } from '../query/builder.js'
import { everything } from '../query/find-options.js'

declare const process: { env: { NODE_ENV?: string } }

/** Whether the bundler or Node says that this is development. Bundlers put the value in the place of this very expression. */
function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV === 'development'
  } catch {
    return false // a page has no process
  }
}

/** In development: warns if a statement has found nothing and may mean a text by what is a field to it. */
export function noteNoRows(rows: Promise<readonly unknown[]>, statement: unknown): void {
  if (!isDevelopment()) return
  rows.then(async ({ length }) => {
    if (length === 0) (await import('../hints/mistyped.js')).warnOfQuotes(String(statement))
  }).catch(() => {}) // it is a hint, and the caller has the promise too
}

/** In development: warns of mistyped fields of a condition that has found nothing. */
export function noteEmpty(calls: Calls, collection: unknown, where: unknown): void {
  if (where === undefined || typeof where === 'function' || !isDevelopment()) return
  const read = <R>(work: (engine: EngineCalls) => R) => calls.read(work)
  void import('../hints/mistyped.js').then(({ warnOfMistyped }) => warnOfMistyped({
    name: String(collection),
    parts: () => read((engine) => explain(engine, collection, where, everything).leaves.map(({ condition }) => condition)),
    schema: () => read((engine) => schema(engine, collection as string)),
    sample: () => read((engine) => {
      const found: object[] = []
      find(engine, collection, undefined, { ...everything, limit: 100 }, found)
      return found
    }),
    has: (path) => read((engine) => count(engine, collection, queryBuilder().field(path).exists(), 1) > 0),
  })).catch(() => {}) // it is a hint: the database may be closed
}
