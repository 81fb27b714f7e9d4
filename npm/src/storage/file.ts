import { checkName } from '../checks.js'
import { AtomicDBError, unsupported } from '../errors.js'
import { isNode, nodeFiles, nodeModule, nodePath } from '../node-modules.js'
import type { SealOptions } from '../security/seal-options.js'
import type { Batch, StorageBackend } from '../types.js'
import { checkPath } from './disk-path.js'
import { identityOf, isForeign, newIdentity } from './identity.js'
import type { Fault } from './log-file/host.js'
import type { LogFile } from './log-file/log-file.js'
import { ensured, SamePageListeners } from './same-page-listeners.js'
import { SealedStorage } from './sealed.js'
import { diskError, syncFolder } from './stored-file/disk-file.js'
import { newTraits, traits, type Traits } from './traits.js'

/**
 * Keeps a database in one file on disk, in Node on Linux: an append-only log,
 * the same that Go's storage/filelog and typed.Open read and write. Several
 * processes, of Go too, may have it open, on a local disk. They exclude each
 * other by the file's lock (flock), which ends with its process.
 *
 * A batch is written behind the last one, so an insert costs what it adds, and a
 * crash can tear only the last: it is cut off when the file is next read. A
 * `relaxed` batch survives the end of the process; a `strict` one is flushed to
 * the disk and survives a power cut. A compaction writes a new file beside the
 * old one and renames it.
 *
 * @example
 * ```js
 * const db = await AtomicDB.open('notes', { storage: new FileStorage('notes.atomicdb') })
 * ```
 */
export class FileStorage extends SealedStorage {
  /**
   * @param path The path of the file, which is created if there is none. Its folder must exist.
   * @param options How batches are compressed and encrypted. Default: not at all.
   */
  constructor(path: string, options?: SealOptions) {
    checkName('path', path)
    super(new FileLog(path), options)
  }
}

class FileLog implements StorageBackend {
  readonly [traits]: Traits = newTraits({
    cutTail: async (seq, torn) => (await this.open()).cutTail(seq, torn),
    prepareRepair: async () => (await this.open()).renewHeader(),
  })
  private readonly listeners: SamePageListeners
  private opening: Promise<LogFile> | undefined
  private file: LogFile | undefined

  constructor(private readonly path: string) {
    this.listeners = new SamePageListeners(ensured(listeners, path, () => new Set()))
  }

  async read(after: number): Promise<Batch[]> {
    return (await this.open()).read(after)
  }

  async salvage(): Promise<Batch[]> {
    return (await this.open()).salvage()
  }

  append(seq: number, bytes: Uint8Array, durability?: 'relaxed' | 'strict'): boolean | Promise<boolean> {
    const appended = this.file?.append(seq, bytes, durability) ?? this.open().then((file) => file.append(seq, bytes, durability))
    const ended = (stored: boolean) => {
      if (stored) this.listeners.notify(seq)
      return stored
    }
    return typeof appended === 'boolean' ? ended(appended) : appended.then(ended)
  }

  async compact(seq: number, snapshot: Uint8Array): Promise<void> {
    return (await this.open()).compact(seq, snapshot)
  }

  watch(listener: (seq: number) => void): () => void {
    const stop = this.listeners.watch(listener)
    const stopping = new AbortController()
    this.listen(listener, stopping.signal).catch(() => {}) // then the next write notices what others have written
    return () => {
      stop()
      stopping.abort()
    }
  }

  /** Hears of what other processes write. */
  private async listen(listener: (seq: number) => void, signal: AbortSignal): Promise<void> {
    const [file, fs, { basename, dirname }] = await Promise.all([this.open(), nodeFiles(), nodePath()])
    // The folder, because a compaction replaces the file.
    for await (const { filename } of fs.watch(dirname(file.path), { persistent: false, signal })) {
      if (filename === basename(file.path) && !(await file.isAsKnown())) listener(0)
    }
  }

  async destroy(): Promise<void> {
    await (await this.open()).destroy()
    await this.close()
  }

  async close(): Promise<void> {
    this.listeners.close()
    const { opening } = this
    this.opening = this.file = undefined
    const file = await opening?.catch(() => undefined)
    if (!file || --file.users > 0) return
    openFiles.delete(file.path)
    await file.close()
  }

  private open(): Promise<LogFile> {
    return (this.opening ??= this.openFile().catch((error: unknown) => {
      this.opening = undefined // so that the next call tries again
      throw error
    }))
  }

  private async openFile(): Promise<LogFile> {
    if (!isNode) throw unsupported('FileStorage is for Node; in a page, use IndexedDBStorage or OPFSStorage')
    await checkPath(this.path)
    const [files, paths, { LogFile }] = await Promise.all([nodeFiles(), nodePath(), import('./log-file/log-file.js')])
    // Behind links, since a compaction would replace a link by a file; and whole, since a program may change its folder.
    const whole = paths.resolve(this.path)
    await (await files.open(whole, 'a', 0o600)).close() // also behind a link that leads to nothing yet
    const path = await files.realpath(whole)
    const file = await ensured(openFiles, path, () => LogFile.at(path, { nodeModule, files, paths, identityOf, isForeign, newIdentity, syncFolder, asError }))
    file.users++
    return (this.file = file)
  }
}

function asError(error: unknown): Error {
  const { name, code, message } = error as Fault
  return name === 'Fault' ? new AtomicDBError(code, message, { cause: error }) : diskError(error)
}

/** The files that are open in this thread, by their whole paths. */
const openFiles = new Map<string, Promise<LogFile>>()

/** The listeners of all storages on a file, by its path. */
const listeners = new Map<string, Set<(seq: number) => void>>()
