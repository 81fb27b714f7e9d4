import { AtomicDBError, unsupported } from '../errors.js'
import type { Batch } from '../types.js'
import type { HostStorage } from './appending-log.js'
import { headBytes, isForeign } from './identity.js'
import { newTraits, traits, type Traits } from './traits.js'
import { PageChannel } from './page-channel.js'
import { withLock } from './web-lock.js'
import { begin, headOf, lastOf, partsOf, withoutTail, writeChecked, type OpenFile, type Part } from './opfs-file.js'

/**
 * The files of a log: "17" is a run of batches, the first of which is 17, and "17.snapshot" replaces that batch and all
 * before it.
 */
interface Listing {
  runs: number[]
  snapshots: number[]
}

/**
 * A run that a worker has begun. It keeps the lock of the database and the file open for a moment, in which it appends at
 * once, without a promise: until another page wants the lock, and no longer than {@link maxLease}.
 */
interface Lease {
  readonly file: OpenFile
  readonly until: number
  next: number // batch
  head: Uint8Array // the first bytes of the last batch
  readonly end: () => void
}

/** In milliseconds. A worker that appends all the time hears nothing of those who wait. */
const maxLease = 50

/** For how many milliseconds a worker keeps no lock after another page has wanted it. */
const contended = 500

/** Told to all who use the files, by one who is about to ask for the lock. */
const wanted = 'wanted'

/** The log under an OPFSStorage. It has a file of its own because worker.js contains it, and no cryptography. */
export class OPFSLog implements HostStorage {
  readonly [traits]: Traits = newTraits({ atOnce: { method: OPFSLog.prototype.append, append: (...args) => this.appendNow(...args) } })
  private lease: Lease | undefined
  private calls = 0 // that have the lock or wait for it
  private wantedAt = -Infinity // when another page has wanted the lock
  private newest = 0 // the first batch of the newest run that was seen
  private readonly channel: PageChannel
  private readonly listeners = new Set<(seq: number) => void>()

  constructor(private readonly name: string) {
    this.channel = new PageChannel(`atomicdb opfs:${name}`, (data) => {
      if (data === wanted) {
        this.wantedAt = performance.now()
        this.lease?.end()
      }
      if (Number.isSafeInteger(data) && (data as number) > 0) this.notify(data as number)
    }, () => this.notify(0))
  }

  read(after: number): Promise<Batch[]> {
    return this.withLock((folder) => this.readLog(folder, after, false))
  }

  salvage(): Promise<Batch[]> {
    return this.withLock((folder) => this.readLog(folder, 0, true))
  }

  append(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean> {
    // It resolves before the lock is released, if that is kept.
    return new Promise((resolve, reject) => {
      this.withLock(async (folder) => {
        const stored = await this.isNext(folder, seq, bytes)
        const file = stored ? await begin(folder, `${seq}`, bytes, durability) : undefined
        if (stored) {
          this.newest = seq
          this.channel.post(seq)
        }
        const ended = file && this.keep(file, seq, bytes)
        resolve(stored)
        await ended
      }).catch(reject)
    })
  }

  /** Appends at once, if this holds the lock. */
  appendNow(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict'): boolean | Promise<boolean> {
    const { lease } = this
    if (!lease || lease.next !== seq || !lease.file.hasRoomFor(bytes) || performance.now() > lease.until || isForeign(lease.head, bytes)) return this.append(seq, bytes, durability)
    try {
      lease.file.append(bytes, durability)
    } catch (error) {
      lease.end()
      return Promise.reject(readable(error))
    }
    lease.next++
    lease.head = bytes.slice(0, headBytes)
    this.channel.post(seq)
    return true
  }

  /** Whether the next append is likely to need no promise. */
  answersAtOnce(): boolean {
    return this.lease !== undefined
  }

  /** Keeps the lock and the file for a moment, unless somebody waits. Resolves when it has ended. */
  private keep(file: OpenFile, seq: number, bytes: Uint8Array): Promise<void> | undefined {
    const now = performance.now()
    if (this.calls > 1 || now - this.wantedAt < contended) {
      file.close()
      return undefined
    }
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.lease = undefined
        file.close()
        resolve()
      }
      const timer = setTimeout(end, maxLease)
      this.lease = { file, until: now + maxLease, next: seq + 1, head: bytes.slice(0, headBytes), end }
    })
  }

  compact(seq: number, snapshot: Uint8Array): Promise<void> {
    return this.withLock(async (folder) => {
      const { runs, snapshots } = await list(folder)
      const first = runs.filter((first) => first <= seq).at(-1)
      const parts = first === undefined ? [] : withoutTail(await partsOf(await folder.getFileHandle(`${first}`)))
      const batch = parts[seq - first!]
      if (!batch || isForeign(batch.bytes, snapshot)) return // a newer snapshot was faster
      // Always strict: it replaces batches that may be strict.
      await writeChecked(folder, `${seq}.snapshot`, snapshot, 'strict')
      for (const older of snapshots) if (older < seq) await folder.removeEntry(`${older}.snapshot`)
      // From the first run on: what is left is then no whole log, and nobody takes the snapshot for one that was never finished.
      for (const older of runs) if (older < first! || (older === first && first + parts.length - 1 === seq)) await folder.removeEntry(`${older}`)
    })
  }

  private notify(seq: number): void {
    for (const listener of this.listeners) listener(seq)
  }

  watch(listener: (seq: number) => void): () => void {
    const own = (seq: number) => listener(seq) // wrapped, so that the same function may watch twice
    this.listeners.add(own)
    this.channel.open()
    return () => this.listeners.delete(own)
  }

  async destroy(): Promise<void> {
    await this.withLock(async (folder) => {
      // From the last on: a crash leaves a log that ends earlier.
      const { runs, snapshots } = await list(folder)
      for (const seq of runs.reverse()) await folder.removeEntry(`${seq}`)
      for (const seq of snapshots.reverse()) await folder.removeEntry(`${seq}.snapshot`)
    })
    await this.close()
  }

  async close(): Promise<void> {
    this.lease?.end()
    this.listeners.clear()
    this.channel.close()
  }

  /** Runs `work` on the folder of the database while nobody else does. */
  private async withLock<R>(work: (folder: FileSystemDirectoryHandle) => Promise<R>): Promise<R> {
    const { locks, storage } = (globalThis as { navigator?: Partial<Navigator> }).navigator ?? {}
    if (!locks || !storage?.getDirectory) throw unsupported('this host has no origin private file system: it needs a browser, and a page that is served with https')
    this.lease?.end()
    this.calls++
    try {
      this.channel.post(wanted)
      return await withLock(locks, `atomicdb opfs:${this.name}`, 'OPFS', async () => {
        const all = await (await storage.getDirectory()).getDirectoryHandle('atomicdb', { create: true })
        return work(await all.getDirectoryHandle(encodeURIComponent(this.name), { create: true }))
      })
    } catch (error) {
      throw readable(error)
    } finally {
      this.calls--
    }
  }

  /**
   * Whether batch `seq` is the next: the one before is there and of the same database, and this one is not. It lists the
   * folder only if the one before is in a run that this has not seen.
   */
  private async isNext(folder: FileSystemDirectoryHandle, seq: number, bytes: Uint8Array): Promise<boolean> {
    if (await found(folder, `${seq}`)) return false
    for (const first of new Set([seq - 1, this.newest])) {
      const run = first > 0 && first < seq ? await found(folder, `${first}`) : undefined
      const last = run && (await lastOf(run))
      if (last && first + last.count >= seq) return first + last.count === seq && !isForeign(last.head, bytes)
    }
    const { runs, snapshots } = await list(folder)
    const first = runs.filter((first) => first < seq).at(-1)
    const last = first === undefined ? undefined : await lastOf(await folder.getFileHandle(`${first}`))
    if (last && first! + last.count >= seq) return first! + last.count === seq && !isForeign(last.head, bytes)
    if (seq === 1) return runs.length + snapshots.length === 0
    // A snapshot of a later batch replaces this one, too.
    return snapshots.at(-1) === seq - 1 && !isForeign(await headOf(await folder.getFileHandle(`${seq - 1}.snapshot`)), bytes)
  }

  /** @param isSalvage Whether what is damaged is to be returned as it is; nothing is removed then. */
  private async readLog(folder: FileSystemDirectoryHandle, after: number, isSalvage: boolean): Promise<Batch[]> {
    const remove = async (name: string) => {
      if (!isSalvage) await folder.removeEntry(name)
    }
    const left = (name: string, bytes: Uint8Array): Uint8Array => {
      if (!isSalvage) throw new AtomicDBError('corrupt', `OPFS: the file ${name} is damaged`)
      return bytes
    }
    const partsIn = async (name: string) => partsOf(await folder.getFileHandle(name))
    const missing: Part = { bytes: new Uint8Array(), isWhole: false }

    const { runs, snapshots } = await list(folder)
    const read: Batch[] = []
    let newest = 0
    for (const [n, seq] of [...snapshots.entries()].reverse()) {
      const name = `${seq}.snapshot`
      const [part = missing] = await partsIn(name)
      // Compacting removes what a snapshot replaces when that is whole, and not before.
      const isUnfinished = runs.length > 0 && (runs[0] === 1 || snapshots.slice(0, n).some((older) => runs[0]! <= older + 1))
      const bytes = part.isWhole ? part.bytes : isUnfinished ? undefined : left(name, part.bytes)
      if (bytes) {
        newest = seq
        if (seq > after) read.push({ seq, snapshot: true, bytes })
        break
      }
      await remove(name)
    }
    const from = Math.max(after, newest) + 1
    const contents = await Promise.all(runs.map((first, n) => ((runs[n + 1] ?? Infinity) <= from ? undefined : partsIn(`${first}`))))
    for (const [n, first] of runs.entries()) {
      if (!contents[n]) continue
      const end = runs[n + 1] ?? Infinity // the batch of the next run
      // The end of a run that was never finished counts for nothing, since its write never resolved: the next run has that batch.
      let parts = withoutTail(contents[n])
      if (first + parts.length < end && end !== Infinity) parts = contents[n].length > 0 ? contents[n] : [missing]
      if (parts.length === 0) await remove(`${first}`)
      for (const [k, { bytes, isWhole }] of parts.entries()) {
        if (first + k >= from && first + k < end) read.push({ seq: first + k, snapshot: false, bytes: isWhole ? bytes : left(`${first}`, bytes) })
      }
    }
    this.newest = runs.at(-1) ?? 0
    return read
  }
}

/** An error of the browser as an AtomicDBError. */
function readable(error: unknown): AtomicDBError {
  if (error instanceof AtomicDBError) return error
  const { name, message } = error as DOMException
  // Other scripts of the origin can delete files without the lock.
  if (name === 'NotFoundError') return new AtomicDBError('closed', `OPFS: files of the database were deleted; open it again (${message})`, { cause: error })
  return new AtomicDBError(name === 'QuotaExceededError' ? 'quota' : 'storage', `OPFS: ${message}`, { cause: error })
}

/** The file of that name; undefined if there is none. */
async function found(folder: FileSystemDirectoryHandle, name: string): Promise<FileSystemFileHandle | undefined> {
  try {
    return await folder.getFileHandle(name)
  } catch (error) {
    if ((error as DOMException).name === 'NotFoundError') return undefined
    throw error
  }
}

async function list(folder: FileSystemDirectoryHandle): Promise<Listing> {
  const listing: Listing = { runs: [], snapshots: [] }
  for await (const name of folder.keys()) {
    const [, seq, snapshot] = /^(\d+)(\.snapshot)?$/.exec(name) ?? []
    if (seq) listing[snapshot ? 'snapshots' : 'runs'].push(Number(seq))
  }
  listing.runs.sort((a, b) => a - b)
  listing.snapshots.sort((a, b) => a - b)
  return listing
}
