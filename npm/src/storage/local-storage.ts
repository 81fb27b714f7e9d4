import { checkName } from '../checks.js'
import { AtomicDBError, unsupported } from '../errors.js'
import type { SealOptions } from '../security/seal-options.js'
import type { Batch, StorageBackend } from '../types.js'
import { headBytes, isForeign } from './identity.js'
import { LocalStorageLock } from './local-storage-lock.js'
import { PageChannel } from './page-channel.js'
import { SealedStorage } from './sealed.js'
import { bytesOfText, textOfBytes } from './text-bytes.js'

/**
 * Keeps batches in localStorage, for pages that may not use IndexedDB. It takes
 * 9 MB in Chromium 156, 3 in Firefox 153 and 1.6 in WebKitGTK 2.50, shared with
 * everything else that the origin keeps there.
 *
 * Tabs exclude each other by a lock of the browser, held for one write only.
 * Pages that are served without https have no such locks, and tabs that write at
 * the same time can lose writes: keep only one tab open there.
 *
 * `relaxed` and `strict` are the same: a stored write survives the end of the
 * page, but browsers write localStorage to the disk much later. Of 41 writes, 1
 * was left when Chromium 156 was killed 30 s after the last, and 41 after 65 s.
 */
export class LocalStorageStorage extends SealedStorage {
  /**
   * @param name The name of the database.
   * @param options How batches are compressed and encrypted. Default: not at all.
   */
  constructor(name: string, options?: SealOptions) {
    checkName('name', name)
    super(new LocalStorageLog(name), options)
  }
}

/** Each batch is an item: "atomicdb:notes:17" → "b40:…", with s for a snapshot, and the number of its bytes. */
class LocalStorageLog implements StorageBackend {
  private readonly prefix: string
  private readonly lock: LocalStorageLock
  private readonly channel: PageChannel
  private readonly listeners = new Set<(seq: number) => void>()

  constructor(name: string) {
    this.prefix = `atomicdb:${name}:`
    this.lock = new LocalStorageLock(`atomicdb localStorage:${name}`)
    this.channel = new PageChannel(this.prefix, (data) => {
      if (Number.isSafeInteger(data) && (data as number) > 0) this.notify(data as number)
    }, () => this.notify(0))
  }

  read(after: number): Promise<Batch[]> {
    return this.batches(after, (seq) => {
      throw new AtomicDBError('corrupt', `localStorage: batch ${seq} is damaged`)
    })
  }

  salvage(): Promise<Batch[]> {
    return this.batches(0, (seq) => ({ seq, snapshot: false, bytes: new Uint8Array() }))
  }

  private batches(after: number, damaged: (seq: number) => Batch): Promise<Batch[]> {
    return this.withLock((items) => {
      const batches: Batch[] = []
      for (const seq of this.numbers(items).reverse()) {
        if (seq <= after) break
        const batch = batchOf(seq, items.getItem(this.key(seq))!) ?? damaged(seq)
        batches.push(batch)
        if (batch.snapshot) break // the batches before it have not been removed yet
      }
      return batches.reverse()
    })
  }

  async append(seq: number, bytes: Uint8Array): Promise<boolean> {
    const item = itemOf('b', bytes)
    const stored = await this.withLock((items, announce) => {
      const numbers = this.numbers(items)
      if (seq !== (numbers.at(-1) ?? 0) + 1 || !this.isWhole(items, numbers) || this.isForeign(items, seq - 1, bytes)) return false
      items.setItem(this.key(seq), item)
      announce(`b${seq}`)
      return true
    })
    if (stored) this.channel.post(seq)
    return stored
  }

  compact(seq: number, snapshot: Uint8Array): Promise<void> {
    const item = itemOf('s', snapshot)
    return this.withLock((items, announce) => {
      if (items.getItem(this.key(seq))?.[0] !== 'b' || this.isForeign(items, seq, snapshot)) return // a newer snapshot was faster
      // Replaces the batch in one step; from here on, the batches before it count for nothing.
      items.setItem(this.key(seq), item)
      const numbers = this.numbers(items)
      for (const older of numbers) if (older < seq) items.removeItem(this.key(older))
      announce(numbers.at(-1) === seq ? `s${seq}` : `b${numbers.at(-1)}`)
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
    await this.withLock((items, announce) => {
      // First the batches that a snapshot replaces, then from the last on: a crash leaves a log that ends earlier.
      const numbers = this.numbers(items).reverse()
      const snapshot = numbers.findIndex((seq) => items.getItem(this.key(seq))?.[0] === 's')
      const order = snapshot < 0 ? numbers : [...numbers.slice(snapshot + 1), ...numbers.slice(0, snapshot + 1)]
      for (const seq of order) items.removeItem(this.key(seq))
      announce('nothing')
    })
    await this.close()
  }

  async close(): Promise<void> {
    this.listeners.clear()
    this.channel.close()
    await this.lock.close()
  }

  private key(seq: number): string {
    return this.prefix + seq
  }

  /** The numbers that are stored, in order. */
  private numbers(items: Storage): number[] {
    const numbers: number[] = []
    for (let n = 0; n < items.length; n++) {
      const key = items.key(n)!
      if (key.startsWith(this.prefix) && /^[1-9]\d*$/.test(key.slice(this.prefix.length))) numbers.push(Number(key.slice(this.prefix.length)))
    }
    return numbers.sort((a, b) => a - b)
  }

  /** Whether the item of that number and `bytes` are of two databases. */
  private isForeign(items: Storage, seq: number, bytes: Uint8Array): boolean {
    const held = seq > 0 && items.getItem(this.key(seq))
    return Boolean(held) && isForeign(headOf(held as string), bytes)
  }

  /** Whether none is missing between the last number and a snapshot, or the first. */
  private isWhole(items: Storage, numbers: readonly number[]): boolean {
    let start = numbers.length - 1
    while (numbers[start - 1] === numbers[start]! - 1) start--
    return start < 0 || numbers[start] === 1 || numbers.slice(start).some((seq) => items.getItem(this.key(seq))![0] === 's')
  }

  /**
   * Runs `work` while no other tab does, and when what the others have written is visible here. It announces the last
   * item: "b17", or s for a snapshot.
   */
  private async withLock<R>(work: (items: Storage, announce: (last: string) => void) => R): Promise<R> {
    try {
      const items = itemsOrThrow()
      const isSeen = (last: string) => {
        const numbers = this.numbers(items)
        if (last === 'nothing') return (numbers.at(-1) ?? 0) <= 1
        const since = numbers.filter((seq) => seq >= Number(last.slice(1)))
        return last[0] === 'b' ? since.length > 0 : since.some((seq) => items.getItem(this.key(seq))![0] === 's')
      }
      return await this.lock.withLock(isSeen, (announce) => work(items, announce))
    } catch (error) {
      throw localStorageError(error)
    }
  }
}

function itemsOrThrow(): Storage {
  if (typeof localStorage === 'undefined') throw unsupported('this host has no localStorage; in a worker, use IndexedDBStorage or OPFSStorage')
  return localStorage
}

function localStorageError(error: unknown): AtomicDBError {
  if (error instanceof AtomicDBError) return error
  const { name, message } = error as DOMException
  return new AtomicDBError(name === 'QuotaExceededError' ? 'quota' : 'storage', `localStorage: ${message}`, { cause: error })
}

const itemOf = (kind: 'b' | 's', bytes: Uint8Array) => `${kind}${bytes.length}:${textOfBytes(bytes)}`

/** Undefined if the item is damaged. */
function batchOf(seq: number, item: string): Batch | undefined {
  const [start, kind, length] = /^([bs])(\d{1,10}):/.exec(item) ?? []
  const bytes = start && bytesOfText(item.slice(start.length), Number(length))
  if (!bytes) return undefined
  return { seq, snapshot: kind === 's', bytes }
}

/** The first bytes of a batch; undefined if the item is damaged. */
function headOf(item: string): Uint8Array | undefined {
  const { length } = item.slice(0, 12).split(':')[0]!
  return bytesOfText(item.slice(length + 1, length + 1 + Math.ceil((headBytes * 8) / 15)), headBytes)
}
