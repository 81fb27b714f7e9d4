import { checkName } from '../checks.js'
import type { SealOptions } from '../security/seal-options.js'
import { OPFSLog } from './opfs-log.js'
import { SealedStorage } from './sealed.js'
import { newTraits, traits, type Traits } from './traits.js'

/**
 * Keeps batches in files of the origin private file system. It needs a page that
 * is served with https. In a dedicated worker it has synchronous access to the
 * files, and in the worker of `{ worker: true }` too, if batches are neither
 * compressed nor encrypted; elsewhere it uses the asynchronous interface, and
 * each batch has a file. Both may use one database.
 *
 * Tabs exclude each other by a lock of the browser, held for one call, and by a
 * dedicated worker that writes for up to 50 ms, until another tab wants it: what
 * it writes meanwhile goes into one file, at once. The browser does not freeze a
 * page that holds a lock, and releases the locks of a page that crashes. If a
 * page blocks its thread while it holds the lock, the calls of others reject
 * with `timeout` after 30 s.
 *
 * A `relaxed` batch survives the end of the page and of the browser. A `strict`
 * one is flushed to the disk in a worker. But Chromium 156 has not synced the
 * name of its file then, so a power cut in the next half minute takes it back:
 * what must survive that belongs into IndexedDB.
 */
export class OPFSStorage extends SealedStorage {
  /**
   * @param name The name of the database; the files are in the folder atomicdb/<name>.
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
    return this.sealed ? super[traits] : newTraits({ ...super[traits], inWorker: { kind: 'opfs', name: this.name } })
  }
}
