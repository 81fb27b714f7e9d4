import { AtomicDBError, unsupported } from '../errors.js'
import { newChannel } from '../node-modules.js'
import type { Batch, StorageBackend } from '../types.js'
import { isForeign } from './identity.js'
import { withLock } from './web-lock.js'
import { checked, headOf, unchecked, writeChecked } from './opfs-file.js'

/** The files of a log: "17" is a batch, and "17.snapshot" replaces that batch and all before it. */
interface Listing {
  batches: number[]
  snapshots: number[]
}

/** The log under an OPFSStorage. It has a file of its own because worker.js contains it, and no cryptography. */
export class OPFSLog implements StorageBackend {
  private channel: BroadcastChannel | undefined
  private readonly listeners = new Set<(seq: number) => void>()

  constructor(private readonly name: string) {}

  read(after: number): Promise<Batch[]> {
    return this.withLock((folder) => readLog(folder, after))
  }

  salvage(): Promise<Batch[]> {
    return this.withLock((folder) => readLog(folder, 0, (name) => unchecked(folder, name)))
  }

  async append(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean> {
    const stored = await this.withLock(async (folder) => {
      if (!(await isNext(folder, seq, bytes))) return false
      await writeChecked(folder, `${seq}`, bytes, durability)
      return true
    })
    if (stored) this.channelNow().postMessage(seq)
    return stored
  }

  compact(seq: number, snapshot: Uint8Array): Promise<void> {
    return this.withLock(async (folder) => {
      const batch = await found(folder, `${seq}`)
      if (!batch || isForeign(await headOf(batch), snapshot)) return // a newer snapshot was faster
      // Always strict: it replaces batches that may be strict.
      await writeChecked(folder, `${seq}.snapshot`, snapshot, 'strict')
      const { batches, snapshots } = await list(folder)
      for (const older of snapshots) if (older < seq) await folder.removeEntry(`${older}.snapshot`)
      // The newest batch last: as long as it is there, a snapshot that is not whole counts for nothing.
      for (const older of batches) if (older <= seq) await folder.removeEntry(`${older}`)
    })
  }

  watch(listener: (seq: number) => void): () => void {
    const own = (seq: number) => listener(seq) // wrapped, so that the same function may watch twice
    this.listeners.add(own)
    this.channelNow()
    return () => this.listeners.delete(own)
  }

  async destroy(): Promise<void> {
    await this.withLock(async (folder) => {
      // From the last on: a crash leaves a log that ends earlier.
      const { batches, snapshots } = await list(folder)
      for (const seq of batches.reverse()) await folder.removeEntry(`${seq}`)
      for (const seq of snapshots.reverse()) await folder.removeEntry(`${seq}.snapshot`)
    })
    await this.close()
  }

  async close(): Promise<void> {
    this.listeners.clear()
    this.channel?.close()
    this.channel = undefined
  }

  private channelNow(): BroadcastChannel {
    if (!this.channel) {
      this.channel = newChannel(`atomicdb opfs:${this.name}`)
      this.channel.onmessage = ({ data }) => {
        // Any script of the origin may post messages here.
        if (!Number.isSafeInteger(data) || data < 1) return
        for (const listener of this.listeners) listener(data as number)
      }
    }
    return this.channel
  }

  /** Runs `work` on the folder of the database while nobody else does. */
  private async withLock<R>(work: (folder: FileSystemDirectoryHandle) => Promise<R>): Promise<R> {
    const { locks, storage } = (globalThis as { navigator?: Partial<Navigator> }).navigator ?? {}
    if (!locks || !storage?.getDirectory) throw unsupported('this host has no origin private file system: it needs a browser, and a page that is served with https')
    try {
      return await withLock(locks, `atomicdb opfs:${this.name}`, 'OPFS', async () => {
        const all = await (await storage.getDirectory()).getDirectoryHandle('atomicdb', { create: true })
        return work(await all.getDirectoryHandle(encodeURIComponent(this.name), { create: true }))
      })
    } catch (error) {
      if (error instanceof AtomicDBError) throw error
      const { name, message } = error as DOMException
      // Other scripts of the origin can delete files without the lock.
      if (name === 'NotFoundError') throw new AtomicDBError('closed', `OPFS: files of the database were deleted; open it again (${message})`, { cause: error })
      throw new AtomicDBError(name === 'QuotaExceededError' ? 'quota' : 'storage', `OPFS: ${message}`, { cause: error })
    }
  }
}

/**
 * Whether batch `seq` is the next: the one before is there and of the same database, and this one is not. It lists the
 * folder only for batch 1.
 */
async function isNext(folder: FileSystemDirectoryHandle, seq: number, bytes: Uint8Array): Promise<boolean> {
  const recordOf = async (n: number) => (await found(folder, `${n}`)) ?? found(folder, `${n}.snapshot`)
  if (await recordOf(seq)) return false
  if (seq > 1) {
    const before = await recordOf(seq - 1)
    return before !== undefined && !isForeign(await headOf(before), bytes)
  }
  const { batches, snapshots } = await list(folder)
  return batches.length + snapshots.length === 0
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
  const listing: Listing = { batches: [], snapshots: [] }
  for await (const name of folder.keys()) {
    const [, seq, snapshot] = /^(\d+)(\.snapshot)?$/.exec(name) ?? []
    if (seq) listing[snapshot ? 'snapshots' : 'batches'].push(Number(seq))
  }
  listing.batches.sort((a, b) => a - b)
  listing.snapshots.sort((a, b) => a - b)
  return listing
}

/**
 * @param damaged Returns what is left of a file that was finished and fails its check. If it is given, nothing is
 * removed.
 */
async function readLog(folder: FileSystemDirectoryHandle, after: number, damaged?: (name: string) => Promise<Uint8Array>): Promise<Batch[]> {
  const remove = async (name: string) => {
    if (!damaged) await folder.removeEntry(name)
  }
  const leftOf = damaged ?? refuse

  const { batches, snapshots } = await list(folder)
  const read: Batch[] = []
  let newest = 0
  for (const seq of snapshots.reverse()) {
    const bytes = (await checked(folder, `${seq}.snapshot`)) ?? (batches.includes(seq) ? undefined : await leftOf(`${seq}.snapshot`))
    if (bytes) {
      newest = seq
      if (seq > after) read.push({ seq, snapshot: true, bytes })
      break
    }
    await remove(`${seq}.snapshot`) // it was never finished
  }
  const wanted = batches.filter((seq) => seq > Math.max(after, newest))
  const contents = await Promise.all(wanted.map((seq) => checked(folder, `${seq}`)))
  for (const [n, seq] of wanted.entries()) {
    const bytes = contents[n]
    if (bytes) {
      read.push({ seq, snapshot: false, bytes })
    } else if (n === wanted.length - 1) {
      await remove(`${seq}`) // it was never finished, so its write never resolved
    } else {
      read.push({ seq, snapshot: false, bytes: await leftOf(`${seq}`) })
    }
  }
  return read
}

function refuse(name: string): never {
  throw new AtomicDBError('corrupt', `OPFS: the file ${name} is damaged`)
}
