import { checkName } from '../checks.js'
import type { SealOptions } from '../security/seal-options.js'
import { OPFSLog } from './opfs-log.js'
import { SealedStorage } from './sealed.js'
import { traits, type Traits } from './traits.js'

/**
 * Keeps batches in the origin private file system, a file for each: with
 * synchronous access in a dedicated worker, also in that of `{ worker: true }` if
 * batches are neither compressed nor encrypted, and elsewhere by the asynchronous
 * interface; both share one database. Needs a page that is served with https.
 *
 * Tabs take turns by a lock of the browser, held for one call only; the browser
 * does not freeze a page that holds one, and takes it from one that dies. Where a
 * page blocks its thread in the middle of a turn, calls of others reject with
 * `timeout` after 30 s.
 *
 * `relaxed` survives the end of the page and the browser. `strict` is flushed to
 * the disk in a worker; elsewhere browsers do not promise it.
 */
export class OPFSStorage extends SealedStorage {
  /**
   * @param name Of the database; the files are in the folder atomicdb/<name>.
   * @param options How batches are compressed and encrypted. Default: not at all.
   */
  constructor(
    readonly name: string,
    options?: SealOptions,
  ) {
    checkName('name', name)
    super(new OPFSLog(name), options)
  }

  /** @internal */
  override get [traits](): Traits {
    return this.sealed ? super[traits] : { ...super[traits], inWorker: { kind: 'opfs', name: this.name } }
  }
}
