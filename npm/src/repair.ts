import { startBridge, type NativeBackend } from './bridge.js'
import { AtomicDBError } from './errors.js'
import { IndexedDBStorage } from './storage/indexeddb.js'
import { SealedStorage } from './storage/sealed.js'
import type { OpenOptions, Report, StorageBackend } from './types.js'

/** The report of the engine. */
export function reportOf(report: Omit<Report, 'ok'>): Report {
  return { ok: report.problems.length === 0, ...report }
}

/** Brings what is stored to a state that can be opened; see AtomicDB.repair. */
export async function repair(backend: NativeBackend | StorageBackend, { wasm, maxDocumentBytes, maxDepth }: OpenOptions): Promise<Report> {
  const salvaging = 'append' in backend && backend.salvage ? { ...backend, read: (after: number) => salvagedAfter(backend, after) } : backend
  const bridge = await startBridge(wasm)
  return reportOf(await bridge.wait((host) => host.repair(salvaging, { maxDocumentBytes, maxDepth })))
}

async function salvagedAfter(backend: StorageBackend, after: number) {
  return (await backend.salvage!()).filter(({ seq }) => seq > after)
}

/** Everything that is stored, as one file and as it is. */
export async function exportRaw(backend: NativeBackend | StorageBackend, storage: StorageBackend | undefined, wasm: OpenOptions['wasm']): Promise<Uint8Array> {
  const bridge = await startBridge(wasm)
  const source = storage ?? new IndexedDBStorage((backend as NativeBackend).name)
  try {
    const batches = source instanceof SealedStorage ? await source.salvageSealed() : await (source.salvage?.() ?? source.read(0))
    return await bridge.wait((host) => host.rawFile(batches, crypto.getRandomValues(new Uint8Array(16))))
  } finally {
    await source.close()
  }
}

/** An error of opening, with what can be done about it. */
export function withAdvice(error: unknown, name: string): unknown {
  if (!(error instanceof AtomicDBError) || error.code !== 'corrupt') return error
  return new AtomicDBError('corrupt', `${error.message}; AtomicDB.exportRaw(${JSON.stringify(name)}) saves what is stored as it is, and AtomicDB.repair keeps what is sound of it`, { cause: error.cause })
}
