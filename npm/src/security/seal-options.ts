import type { SecurityManager } from './security-manager.js'

/** How batches or files are packed: compressed first, then encrypted. */
export interface SealOptions {
  /** The level of zlib, from 0 (none) to 9. Default 0. Reading takes every level. */
  compressionLevel?: number
  /** Encrypts what is written, and refuses to read what is not encrypted with its key. Default: not encrypted. */
  securityManager?: SecurityManager
  /**
   * How many bytes a compressed batch or file may have when it is decompressed. Default: 64 MiB, or 200 times its
   * compressed bytes, and 512 MiB at most. What would be more is written uncompressed, and refused as `corrupt` when it
   * is read. Up to 4 GiB.
   */
  maxUnpackedBytes?: number
}

/** How a database is written as one file. */
export interface FileFormat extends SealOptions {
  type?: 'json' | 'msgpack'
}
