import { takenBytes } from '../checks.js'
import { reportOf } from '../connection/report.js'
import type { NativeBackend } from '../engine/async-engine.js'
import { startBridge } from '../engine/bridge.js'
import { AtomicDBError } from '../errors.js'
import { newIdentity } from '../storage/identity.js'
import { traitsOf } from '../storage/traits.js'
import type { OpenOptions, Report, StorageBackend } from '../types.js'

/** Repairs what is stored; see AtomicDB.repair. */
export async function repair(backend: Backend, { storage, wasm, maxDocumentBytes, maxDepth }: OpenOptions): Promise<Report> {
  const bridge = await startBridge(wasm)
  const mended = await traitsOf(bareStorage(storage)).prepareRepair?.()
  const report = await bridge.wait((engine) => engine.repair(backend, { maxDocumentBytes, maxDepth }))
  return reportOf({ ...report, problems: [...(mended ? [{ seq: 0, code: 'corrupt' as const, message: mended, ids: [] }] : []), ...report.problems] })
}

/** Everything that is stored, unchanged, as one file; see AtomicDB.exportRaw. */
export async function exportRaw(backend: Backend, wasm: OpenOptions['wasm']): Promise<Uint8Array> {
  const bridge = await startBridge(wasm)
  return bridge.wait((engine) => engine.exportRaw(backend, newIdentity()))
}

/** Stores a file of exportRaw; see AtomicDB.importRaw. */
export async function importRaw(backend: Backend, file: unknown, { storage, wasm }: OpenOptions): Promise<void> {
  const bytes = takenBytes('file', file)
  const bridge = await startBridge(wasm)
  return bridge.wait((engine) => engine.importRaw(backend, bytes, newIdentity(), traitsOf(storage).sealer))
}

/** The storage that holds the batches as they are stored: compressed and encrypted. */
export function bareStorage(storage: StorageBackend | undefined): StorageBackend | undefined {
  const { bare } = traitsOf(storage)
  return bare ? bareStorage(bare) : storage
}

type Backend = NativeBackend | StorageBackend

/** An error of open(). To `corrupt` it adds how to save what is stored. */
export function withAdvice(error: unknown, name: string, storage: StorageBackend | undefined): unknown {
  if (!(error instanceof AtomicDBError) || error.code !== 'corrupt') return error
  const { rescue = `AtomicDB.exportRaw(${JSON.stringify(name)}) saves what is stored as it is, and AtomicDB.repair keeps what is sound of it` } = traitsOf(storage)
  return new AtomicDBError('corrupt', `${error.message}; ${rescue}`, { cause: error.cause })
}
