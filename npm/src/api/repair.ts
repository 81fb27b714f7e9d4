import type { NativeBackend } from '../engine/async-engine.js'
import { startBridge } from '../engine/bridge.js'
import { checkFile } from '../checks.js'
import { reportOf } from '../connection/report.js'
import { AtomicDBError } from '../errors.js'
import { traitsOf } from '../storage/traits.js'
import type { OpenOptions, Report, StorageBackend } from '../types.js'

/** Brings what is stored to a state that can be opened; see AtomicDB.repair. */
export async function repair(backend: Backend, { wasm, maxDocumentBytes, maxDepth }: OpenOptions): Promise<Report> {
  const bridge = await startBridge(wasm)
  return reportOf(await bridge.wait((engine) => engine.repair(backend, { maxDocumentBytes, maxDepth })))
}

/** Everything that is stored, as one file and as it is. */
export async function exportRaw(backend: Backend, wasm: OpenOptions['wasm']): Promise<Uint8Array> {
  const bridge = await startBridge(wasm)
  return bridge.wait((engine) => engine.exportRaw(backend, crypto.getRandomValues(new Uint8Array(16))))
}

/** Stores what exportRaw has written. */
export async function importRaw(backend: Backend, file: unknown, wasm: OpenOptions['wasm']): Promise<void> {
  checkFile(file)
  const bridge = await startBridge(wasm)
  return bridge.wait((engine) => engine.importRaw(backend, file))
}

/** The storage that holds what is stored as it is: compressed and encrypted. */
export function bareStorage(storage: StorageBackend | undefined): StorageBackend | undefined {
  const { bare } = traitsOf(storage)
  return bare ? bareStorage(bare) : storage
}

type Backend = NativeBackend | StorageBackend

/** An error of opening, with what can be done about it. */
export function withAdvice(error: unknown, name: string, storage: StorageBackend | undefined): unknown {
  if (!(error instanceof AtomicDBError) || error.code !== 'corrupt') return error
  const { rescue = `AtomicDB.exportRaw(${JSON.stringify(name)}) saves what is stored as it is, and AtomicDB.repair keeps what is sound of it` } = traitsOf(storage)
  return new AtomicDBError('corrupt', `${error.message}; ${rescue}`, { cause: error.cause })
}
