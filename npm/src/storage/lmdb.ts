import { checkName } from '../checks.js'
import { AtomicDBError, unsupported } from '../errors.js'
import { isNode, nodeFiles, nodeModule } from '../node-modules.js'
import type { SealOptions } from '../security/seal-options.js'
import type { Batch, StorageBackend } from '../types.js'
import { checkPath } from './disk-path.js'
import { isForeign } from './identity.js'
import { ensured, SamePageListeners } from './same-page-listeners.js'
import { SealedStorage } from './sealed.js'
import { newTraits, traits, type Traits } from './traits.js'

/**
 * Keeps batches in LMDB, a memory-mapped file, in Node. It needs the package
 * `lmdb`, which is not installed with this one. Several processes may share the
 * file; each notices what others wrote when it next writes.
 *
 * Every batch is flushed to the disk, so `relaxed` and `strict` are the same:
 * without flushing, a power cut could destroy LMDB's whole file. Destroying
 * leaves an empty file. A Go program opens the same file with
 * storage/lmdblog, if both have LMDB's data format 1: see there.
 *
 * @example
 * ```js
 * const db = await AtomicDB.open('notes', { storage: new LMDBStorage('notes.mdb') })
 * ```
 */
export class LMDBStorage extends SealedStorage {
  /**
   * @param path The path of the file. Beside it is another whose name ends in -lock.
   * @param options How batches are compressed and encrypted. Default: not at all.
   */
  constructor(path: string, options?: SealOptions) {
    checkName('path', path)
    super(new LMDBLog(path), options)
  }
}

/** What is used of the package. With its own types, programs that use ours would need them too. */
interface LMDB {
  readonly version: { readonly patch: number } // of LMDB: 0.9 and this
  open(options: { path: string; noSubdir: true; encoding: 'binary' }): Environment
}
interface Environment {
  transactionSync<R>(work: () => R): R
  getBinary(seq: number): Uint8Array | undefined
  getKeys(range: { start?: number; end?: number; reverse?: boolean; limit?: number }): Iterable<number>
  getRange(range: { start: number }): Iterable<{ key: number; value: Uint8Array }>
  putSync(seq: number, value: Uint8Array): void
  removeSync(seq: number): void
  clearSync(): void
  close(): Promise<void>
}

/** The key is the number. The value is one byte, which says whether it is a batch or a snapshot, and then the frame. */
const isBatch = 0
const isSnapshot = 1

class LMDBLog implements StorageBackend {
  readonly [traits]: Traits = newTraits({ atOnce: { method: LMDBLog.prototype.append, append: (seq, bytes) => this.appendNow(seq, bytes) } })
  private readonly listeners: SamePageListeners
  private opened: Promise<Opened> | undefined
  private file: Opened | undefined // what `opened` has resolved to

  constructor(private readonly path: string) {
    this.listeners = new SamePageListeners(ensured(listeners, path, () => new Set()))
  }

  read(after: number): Promise<Batch[]> {
    return this.run((lmdb) =>
      Array.from(lmdb.getRange({ start: after + 1 }), ({ key, value }) => ({ seq: key, snapshot: value[0] === isSnapshot, bytes: value.slice(1) })),
    )
  }

  append(seq: number, bytes: Uint8Array): Promise<boolean> {
    return this.run((lmdb) => this.appendTo(lmdb, seq, bytes))
  }

  /** Appends at once, if the file is open and still there. */
  private appendNow(seq: number, bytes: Uint8Array): boolean | Promise<boolean> {
    const { file } = this
    if (!file || file.closing || !file.isThere()) return this.append(seq, bytes)
    try {
      return this.appendTo(file.environment, seq, bytes)
    } catch (error) {
      return this.fail(error)
    }
  }

  private appendTo(lmdb: Environment, seq: number, bytes: Uint8Array): boolean {
    const stored = lmdb.transactionSync(() => {
      const [last = 0] = lmdb.getKeys({ reverse: true, limit: 1 })
      if (seq !== last + 1 || isForeign(lmdb.getBinary(last)?.subarray(1), bytes)) return false
      lmdb.putSync(seq, valueOf(isBatch, bytes))
      return true
    })
    if (stored) this.listeners.notify(seq)
    return stored
  }

  compact(seq: number, snapshot: Uint8Array): Promise<void> {
    return this.run((lmdb) =>
      lmdb.transactionSync(() => {
        const batch = lmdb.getBinary(seq)
        if (batch?.[0] !== isBatch || isForeign(batch.subarray(1), snapshot)) return // a newer snapshot was faster
        for (const key of [...lmdb.getKeys({ end: seq })]) lmdb.removeSync(key)
        lmdb.putSync(seq, valueOf(isSnapshot, snapshot))
      }),
    )
  }

  watch(listener: (seq: number) => void): () => void {
    return this.listeners.watch(listener)
  }

  async destroy(): Promise<void> {
    // The file stays: another process that has it mapped would go on with a deleted file.
    await this.run((lmdb) => lmdb.clearSync())
    await this.close()
  }

  async close(): Promise<void> {
    this.listeners.close()
    const { opened } = this
    this.opened = this.file = undefined
    const file = await opened?.catch(() => undefined)
    if (file && --file.users === 0) await this.leave(file)
  }

  private async run<R>(work: (lmdb: Environment) => R | Promise<R>): Promise<R> {
    try {
      await this.leaveDeleted()
      const opened = (this.opened ??= this.open())
      const file = await opened
      if (this.opened === opened) this.file = file
      return await work(file.environment)
    } catch (error) {
      return this.fail(error)
    }
  }

  private async fail(error: unknown): Promise<never> {
    if (error instanceof AtomicDBError) throw error
    const { message } = error as Error
    // If there was room for only a part of a write, the error is "Input/output error".
    const full = /ENOSPC|No space|MDB_MAP_FULL/i.test(message) || (/input\/output/i.test(message) && (await isDiskFull(this.path)))
    throw new AtomicDBError(full ? 'quota' : 'storage', `LMDB: ${message}`, { cause: error })
  }

  /** Closes a file that was deleted or replaced: LMDB would go on with it, and nobody would find what it writes. */
  private async leaveDeleted(): Promise<void> {
    const { opened } = this
    const file = await opened?.catch(() => undefined)
    if (!file || (!file.closing && file.isThere())) return
    await this.leave(file)
    if (this.opened === opened) this.opened = this.file = undefined
  }

  /** Closes the file for all storages of this process. */
  private leave(file: Opened): Promise<void> {
    if (!file.closing) openFiles.delete(this.path)
    return (file.closing ??= file.environment.close())
  }

  /** Opens the file, once for all storages of this process: after it was deleted, LMDB would mix up two. */
  private async open(): Promise<Opened> {
    let opening = openFiles.get(this.path)
    if (!opening) openFiles.set(this.path, (opening = this.openFile()))
    try {
      const file = await opening
      if (file.closing) {
        await file.closing
        return await this.open()
      }
      file.users++
      return file
    } catch (error) {
      if (openFiles.get(this.path) === opening) openFiles.delete(this.path)
      this.opened = undefined // so that the next call tries again
      throw error
    }
  }

  private async openFile(): Promise<Opened> {
    if (!isNode) throw unsupported('LMDB is for Node; in a page, use OPFSStorage')
    const { open, version } = await nodeModule<LMDB>('lmdb').catch((error: Error & { code?: string }) => {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
      throw unsupported('LMDBStorage needs the package lmdb: run "npm install lmdb"')
    })
    await checkPath(this.path)
    await checkFormat(this.path, version.patch < 90 ? 1 : 2)
    const environment = open({ path: this.path, noSubdir: true, encoding: 'binary' })
    const { statSync } = await nodeModule<{ statSync(path: string, options: { throwIfNoEntry: false }): { dev: number; ino: number } | undefined }>('node:fs')
    const stat = () => statSync(this.path, { throwIfNoEntry: false })
    const { dev, ino } = stat() ?? {}
    const isThere = () => {
      try {
        const now = stat()
        return now !== undefined && now.ino === ino && now.dev === dev
      } catch {
        return false // a folder of the path may not be read any more
      }
    }
    return { environment, isThere, users: 0, closing: undefined }
  }
}

/** Throws if the file is not LMDB's, or has another format: opening such a file ends the process (lmdb 3.5.6). */
async function checkFormat(path: string, format: 1 | 2): Promise<void> {
  const file = await (await nodeFiles()).open(path, 'r').catch((error: Error & { code?: string }) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!file) return
  const words = new Uint32Array(8)
  try {
    const { bytesRead } = await file.read(new Uint8Array(words.buffer), 0, words.byteLength, 0)
    if (bytesRead === 0) return // a new file
  } finally {
    await file.close()
  }
  const magic = 0xbeefc0de // it follows the header of a page, which is longer in format 2
  if (words[format === 1 ? 6 : 4] === magic) {
    throw unsupported(`${path} has LMDB's data format ${3 - format}, and the package lmdb that is installed has ${format}; "npm install lmdb --build-from-source --use_data_v1=true" has 1`)
  }
  if (!words.includes(magic)) throw new AtomicDBError('corrupt', `${path} is not an LMDB file`)
}

/** Whether the disk of a file has less room than LMDB may need for one page. */
async function isDiskFull(path: string): Promise<boolean> {
  const disk = await (await nodeFiles()).statfs(path).catch(() => undefined)
  return disk !== undefined && disk.bavail * disk.bsize < 64 << 10
}

/** A file that is open, for all storages of this process on its path. */
interface Opened {
  readonly environment: Environment
  /** Whether the path still leads to this file. */
  readonly isThere: () => boolean
  users: number
  closing: Promise<void> | undefined
}

/** By path. */
const openFiles = new Map<string, Promise<Opened>>()

/** The listeners of all storages on a file, by its path. */
const listeners = new Map<string, Set<(seq: number) => void>>()

function valueOf(kind: number, frame: Uint8Array): Uint8Array {
  const value = new Uint8Array(1 + frame.length)
  value[0] = kind
  value.set(frame, 1)
  return value
}
