import type { ErrorCode } from '../../atomicdb-error.js'
import type { NodeFiles, NodePath } from '../../node-modules.js'

/**
 * What this folder uses of the rooms that index.js has too. It is handed over: if both imported it, bundlers would put it into
 * a file of its own, which every page would load first.
 */
export interface Host {
  nodeModule<Module>(name: string): Promise<Module>
  readonly files: NodeFiles
  readonly paths: NodePath
  identityOf(record: Uint8Array): Uint8Array | undefined
  isForeign(held: Uint8Array | undefined, bytes: Uint8Array): boolean
  newIdentity(): Uint8Array
  syncFolder(fs: NodeFiles, path: string): Promise<void>
  /** Makes an AtomicDBError of a {@link Fault}, and of what Node has thrown. */
  asError(error: unknown): Error
}

/** What is to become an AtomicDBError. */
export class Fault extends Error {
  override readonly name = 'Fault'

  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message)
  }
}
