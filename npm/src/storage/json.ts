import { checkName } from '../checks.js'
import { unsupported } from '../errors.js'
import { isNode } from '../node-modules.js'
import { checkLevel, checkManager, takenSealOptions } from '../security/packing.js'
import type { SecurityManager } from '../security/security-manager.js'
import type { SealOptions } from '../security/seal-options.js'
import { DocumentFileStorage } from './document-file.js'
import { DiskFile } from './stored-file/disk-file.js'
import { LocalStorageFile } from './stored-file/local-storage-file.js'
import type { StoredFile } from './stored-file/stored-file.js'

/**
 * Keeps a database as one file of JSON that people can read, `{"default":
 * [...], "users": [...]}`: on disk in Node, and elsewhere as an item of
 * localStorage. The Python library reads it, and this reads what that writes.
 *
 * Each batch writes the whole file, so it is for settings and small data. The
 * next id is not in the file: after opening, it is one more than the highest.
 *
 * On disk, the file keeps its permissions, and links to it stay. Processes that
 * write at the same time exclude each other by a lock beside it, which ends with
 * its owner; demo/docs/guide/tabs.md tells what holds on volumes that containers share. In
 * localStorage, tabs exclude each other by locks of the browser; a page without
 * https has no such locks, so keep only one tab open there.
 *
 * Values that JSON lacks are written as in MongoDB's Extended JSON:
 * `{"$date": "2026-11-23T18:00:00Z"}`, `{"$binary": {...}}`.
 */
export class JSONStorage extends DocumentFileStorage {
  /**
   * @param path The path of the file, or the key of the item.
   * @param options.compressionLevel zlib, 0 (none) to 9. Default 0. A file is read at any level.
   * @param options.maxUnpackedBytes See {@link SealOptions}.
   */
  constructor(path: string, options?: Omit<SealOptions, 'securityManager'>)
  /** @internal */
  constructor(path: string, options: SealOptions)
  constructor(path: string, options: SealOptions = {}) {
    checkName('path', path)
    super(storedFile(path), 'json', takenSealOptions(options))
  }
}

/** As {@link JSONStorage}, but compressed. It also reads files that are not compressed. */
export class CompressedJSONStorage extends JSONStorage {
  /** @param options.compressionLevel zlib, 1 to 9. Default 6. */
  constructor(path: string, options: { compressionLevel?: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9; maxUnpackedBytes?: number } = {}) {
    const { compressionLevel = 6, ...rest } = takenSealOptions<SealOptions>(options)
    checkLevel(compressionLevel, 1)
    super(path, { ...rest, compressionLevel })
  }
}

/**
 * As {@link JSONStorage}, but compressed and then encrypted. The salt of the key
 * is not in the file: keep `securityManager.salt`, or choose the salt yourself.
 */
export class EncryptedJSONStorage extends JSONStorage {
  /** @param options.compressionLevel zlib, 0 (none) to 9. Default 6. */
  constructor(path: string, securityManager: SecurityManager, options: Omit<SealOptions, 'securityManager'> = {}) {
    checkManager('securityManager', securityManager)
    const { compressionLevel = 6, ...rest } = takenSealOptions<SealOptions>(options)
    super(path, { ...rest, compressionLevel, securityManager } as SealOptions)
  }
}

function storedFile(path: string): StoredFile {
  if (isNode) return new DiskFile(path)
  if (typeof localStorage !== 'undefined') return new LocalStorageFile(path)
  throw unsupported('path: this host has neither files nor localStorage')
}
