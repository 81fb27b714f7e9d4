import { LocalConnection } from '../connection/local-connection.js'
import type { NativeBackend } from '../engine/async-engine.js'
import type { SentProgram } from '../program.js'
import { programAt, receivedProgram, type WasmAddress } from '../load.js'
import { OPFSLog } from '../storage/opfs-log.js'
import type { WorkerBackend } from '../storage/traits.js'
import type { OpenOptions, StorageBackend } from '../types.js'
import { DatabaseServer } from './database-server.js'
import { lockName } from './lock-name.js'
import { RemoteSealer } from './remote-sealer.js'
import { RemoteStorage, type StorageKind } from './remote-storage.js'
import type { Port } from './rpc.js'

/** What the other thread wants opened. */
export interface Opening {
  readonly name: string
  /** 'other thread': the storage is there, and is called by messages. */
  readonly backend: NativeBackend | WorkerBackend | 'other thread' | null
  readonly storage: StorageKind | undefined
  /** Whether the other thread has a sealer for the backend. */
  readonly isSealed: boolean
  /** A shared worker cannot be sent a module: it gets the address. */
  readonly wasm: SentProgram | WasmAddress
  /** See Listeners.group. */
  readonly group: Uint8Array | undefined
  readonly options: Pick<OpenOptions, 'inMemory' | 'durability' | 'maxDocumentBytes' | 'maxDepth' | 'maxQueryMemory' | 'maxQueryTime' | 'version'>
  readonly reportsProgress: boolean
  /** The Web Lock that the page of a shared worker holds as long as it has the database open. */
  readonly lock?: string
}

/**
 * Serves one database to the other end of `port`, a RemoteConnection.
 *
 * @param locks If they are given, a lock is held for as long as this thread lives: whoever gets it knows that the thread
 * has died. The lock has a name of its own, so several pages may wait for it.
 */
export function serve(port: Port, locks?: LockManager): void {
  const server = new ThreadServer(port)
  const lock = lockName()
  locks?.request(lock, () => (server.channel.notify('lives', lock), new Promise(() => {}))).catch(() => {}) // where the origin is opaque
}

/** Serves a database that is opened in this thread. */
export class ThreadServer extends DatabaseServer {
  private storage: RemoteStorage | undefined

  protected override async connect(opening: Opening): Promise<LocalConnection> {
    const connection = await this.opened(opening, opening.reportsProgress ? (done, total) => this.tellProgress(done, total) : undefined)
    connection.onEnd = () => this.tellEnd(connection.ended!.reason)
    return connection
  }

  /** Opens what the other end wants, in this thread. */
  async opened({ name, backend, storage, isSealed, wasm, group, options }: Opening, onProgress: OpenOptions['onProgress']): Promise<LocalConnection> {
    // OPFSLog needs no deferredStorage: it never calls the engine while that is on the stack.
    let where: NativeBackend | StorageBackend | null
    if (backend === 'other thread') where = this.storage = new RemoteStorage(this.channel, storage!)
    else if (backend?.kind === 'opfs') where = new OPFSLog(backend.name)
    else where = backend && isSealed ? { ...backend, sealer: new RemoteSealer(this.channel) } : backend
    const program = 'module' in wasm ? await receivedProgram(wasm) : await programAt(wasm)
    return LocalConnection.open(name, where, { ...options, program, ...(group && { group }), ...(onProgress && { onProgress }) })
  }

  tellProgress(done: number, total: number): void {
    this.channel.notify('progress', [done, total])
  }

  protected override storageChanged(seq: number): void {
    this.storage?.notify(seq)
  }
}
