import type { Connection } from '../connection/connection.js'
import { noArguments, type EngineCalls } from '../connection/engine-calls.js'
import { Op } from '../engine/ops.js'
import { AtomicDBError } from '../errors.js'
import { command } from '../operations/writes.js'
import type { OpenOptions } from './database-options.js'
import { Transaction } from './transaction.js'

/** The version of the data, 0 if it says none, and whether there is no collection. */
const versionOf = (engine: EngineCalls) => engine.value(Op.dataVersion, noArguments) as [version: number, isEmpty: boolean]

/**
 * Brings the data to the version that the options want, step by step. Go programs
 * have the same in storage/migrate.go. The version is read again inside each
 * transaction: another tab may have come first.
 */
export async function migrate(connection: Connection, { version, migrations = {}, ifNewer }: OpenOptions): Promise<void> {
  if (version === undefined) return
  const steps = Object.keys(migrations).map(Number).sort((a, b) => a - b)
  for (;;) {
    const [found] = await connection.read(versionOf)
    if (found === version || (found > version && ifNewer === 'read')) return
    if (found > version) {
      throw new AtomicDBError('unsupported', `open: the data is of version ${found}, and this program knows versions up to ${version}: load the newer program; { ifNewer: 'read' } opens the data for reading`)
    }
    await connection.transaction(async (calls) => {
      const [now, isEmpty] = await calls.read(versionOf)
      if (now >= version) return
      const from = now || (!isEmpty ? 1 : migrations[1] ? 0 : version)
      const next = steps.find((step) => step > from) ?? version
      if (next > from) await migrations[next]?.(new Transaction(calls))
      await calls.write(() => command(Op.setDataVersion, [next]))
    })
  }
}
