import { checkName } from '../checks.js'
import { unsupported } from '../errors.js'
import { isNode } from '../node-modules.js'
import { takenSealOptions } from '../security/packing.js'
import type { SealOptions } from '../security/seal-options.js'
import { DocumentFileStorage } from './document-file.js'
import { DiskFile } from './stored-file/disk-file.js'
import { IndexedDBFile } from './stored-file/indexeddb-file.js'
import type { StoredFile } from './stored-file/stored-file.js'

/**
 * Keeps a database as one file of MessagePack, a map of arrays of documents: on
 * disk in Node, and elsewhere as a value in IndexedDB. The Python library reads
 * it, and this reads what that writes. Each batch writes the whole file, so it
 * is for small data, as {@link JSONStorage} is.
 */
export class MessagePackStorage extends DocumentFileStorage {
  /**
   * @param path The path of the file, or the key of the value.
   * @param options How the file is compressed and encrypted. Default: not at all.
   */
  constructor(path: string, options: SealOptions = {}) {
    checkName('path', path)
    super(storedFile(path), 'msgpack', takenSealOptions(options))
  }
}

function storedFile(path: string): StoredFile {
  if (isNode) return new DiskFile(path)
  if (typeof indexedDB !== 'undefined') return new IndexedDBFile(path)
  throw unsupported('path: this host has neither files nor IndexedDB')
}
