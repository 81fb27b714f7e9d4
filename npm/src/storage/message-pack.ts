import { checkName } from '../checks.js'
import { unsupported } from '../errors.js'
import { isNode } from '../node-modules.js'
import { checkSealOptions } from '../security/packing.js'
import type { SealOptions } from '../security/seal-options.js'
import { DocumentFileStorage } from './document-file.js'
import { Disk } from './file-places/disk.js'
import { IndexedDBItem } from './file-places/indexeddb-item.js'
import type { Place } from './file-places/place.js'

/**
 * Keeps a database as one file of MessagePack, a map of arrays of documents: on
 * disk in Node, and elsewhere a value in IndexedDB. The Python library reads
 * it, and the other way round. The file is written whole for each batch, so it
 * is for small data, as {@link JSONStorage} is.
 */
export class MessagePackStorage extends DocumentFileStorage {
  /**
   * @param path Of the file, or the key of the value.
   * @param options How the file is compressed and encrypted. Default: not at all.
   */
  constructor(path: string, options: SealOptions = {}) {
    checkName('path', path)
    checkSealOptions(options)
    super(placeOf(path), 'msgpack', options)
  }
}

function placeOf(path: string): Place {
  if (isNode) return new Disk(path)
  if (typeof indexedDB !== 'undefined') return new IndexedDBItem(path)
  throw unsupported('path: this host has neither files nor IndexedDB')
}
