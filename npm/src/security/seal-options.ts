import type { SecurityManager } from './security-manager.js'

/** How batches or files are packed: compressed first, then encrypted. */
export interface SealOptions {
  /** zlib, 0 (none) to 9. Default 0. What is there already is read at any level. */
  compressionLevel?: number
  /** Encrypts what is written, and refuses what is not encrypted under its key. Default: not encrypted. */
  securityManager?: SecurityManager
}

/** How a database is written as one file. */
export interface FileFormat extends SealOptions {
  type?: 'json' | 'msgpack'
}
