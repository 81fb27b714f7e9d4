import type { SecurityManager } from './security-manager.js'

/** How batches or files are packed: compressed first, then encrypted. */
export interface SealOptions {
  /** The level of zlib, from 0 (none) to 9. Default 0. Reading takes every level. */
  compressionLevel?: number
  /** Encrypts what is written, and refuses to read what is not encrypted with its key. Default: not encrypted. */
  securityManager?: SecurityManager
}

/** How a database is written as one file. */
export interface FileFormat extends SealOptions {
  type?: 'json' | 'msgpack'
}
