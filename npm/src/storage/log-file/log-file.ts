import type { FileStat } from '../../node-modules.js'
import type { Batch } from '../../types.js'
import { lockFile } from './flock.js'
import { decodeHeader, decodeRecordHeader, encodeHeader, encodeRecordHeader, headerBytes, isUnfinished, recordHeaderBytes, type Header } from './format.js'
import { Fault, type Host } from './host.js'
import { LockKeeper } from './lock-keeper.js'
import { firstRecord, recordsOf, salvagedRecords, type Found } from './records.js'

/** What is used of node:fs. Calls that wait take less time than to let another thread do the work, but for flushing. */
interface Files {
  readonly constants: { readonly O_RDWR: number; readonly O_CREAT: number }
  openSync(path: string, flags: string | number, mode: number): number
  closeSync(fd: number): void
  readSync(fd: number, into: Uint8Array, offset: number, length: number, position: number): number
  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number
  ftruncateSync(fd: number, size: number): void
  fchmodSync(fd: number, mode: number): void
  fsync(fd: number, done: (error: Error | null) => void): void
  fstatSync(fd: number): FileStat & { readonly size: number }
  statSync(path: string, options: { throwIfNoEntry: false }): (FileStat & { readonly size: number }) | undefined
}

/**
 * To take the lock starts a process, which takes some milliseconds. So a program that has made `fewCalls`, each within `soon`
 * milliseconds of the one before, keeps it for as long as `lease` before others may have it, and loses a few hundredths of its
 * time. Otherwise the lock is given back after each call. A program may block its thread, as execSync does, while it waits for
 * a process that wants the lock: see LockKeeper.
 */
const lease = 100
const soon = 20
const fewCalls = 8

/** Where the file ends. */
interface Tail {
  readonly last: Found | undefined
  /** What a crash has left behind the last record: the next append cuts it off. */
  readonly end: number
}

/** A file that this thread has open, once for all storages on its path. */
export class LogFile {
  /** How many storages use it. */
  users = 0
  private fd: number | undefined // locked, unless the keeper has given it back meanwhile
  private readonly keeper = new LockKeeper()
  private isInUse = false // the lock, by a call of this thread
  private node = '' // the device and inode of the file that `tail` is of
  private named = '' // the same, of the file whose name is on the disk
  private tail: Tail | undefined
  private turn: Promise<unknown> = Promise.resolve()
  private busy = 0 // calls that have or wait for their turn
  private calls = 0 // that took the lock, one soon after the other
  private lockedAt = 0
  private endedAt = 0

  private constructor(
    private readonly host: Host,
    private readonly fs: Files,
    /** Behind links. */
    readonly path: string,
    private readonly partPath: string,
  ) {}

  static async at(path: string, host: Host): Promise<LogFile> {
    const { basename, dirname } = host.paths
    return new LogFile(host, await host.nodeModule<Files>('node:fs'), path, `${dirname(path)}/.${basename(path)}.atomicdb-part`)
  }

  read(after: number): Promise<Batch[]> {
    return this.alone((fd) => {
      const { size } = this.fs.fstatSync(fd)
      const head = this.bytes(fd, 0, Math.min(size, headerBytes))
      if (size <= headerBytes && isUnfinished(head)) return []
      const { snapshot } = decodeHeader(head)
      const known = this.knownTail(fd, size)?.last
      const isLater = known !== undefined && known.seq <= after
      const from = isLater ? known.end : headerBytes
      const bytes = this.bytes(fd, from, size - from)
      const found = isLater ? recordsOf(bytes, 0, known.seq + 1, false) : recordsOf(bytes, 0, snapshot || 1, snapshot > 0)
      this.tail = tailOf(found, from) ?? (isLater ? { last: known, end: known.end } : undefined)
      return found.filter(({ seq }) => seq > after).map((record) => batchOf(bytes, record))
    })
  }

  salvage(): Promise<Batch[]> {
    return this.alone((fd) => {
      const { bytes, records } = this.salvaged(fd)
      return records.map((record) => batchOf(bytes, record))
    })
  }

  /** Writes the header anew if it is damaged: a repair may trust the records behind it. Returns what was wrong with it. */
  renewHeader(): Promise<string | undefined> {
    return this.alone(async (fd) => {
      const { bytes, records } = this.salvaged(fd)
      if (isUnfinished(bytes) || this.headerOf(fd)) return undefined
      const identity = records.map(({ frame, end }) => this.host.identityOf(bytes.subarray(frame, end))).find((identity) => identity)
      const [{ seq, snapshot }] = records as [Found]
      this.writeBytes(fd, encodeHeader({ identity: identity ?? this.host.newIdentity(), snapshot: snapshot ? seq : 0 }), 0)
      await this.sync(fd)
      return "the file's header was damaged"
    })
  }

  /** Appends at once, if this process has the lock and need not flush. */
  append(seq: number, frame: Uint8Array, durability: 'relaxed' | 'strict' | undefined): boolean | Promise<boolean> {
    if (this.busy === 0 && durability !== 'strict' && this.isHeld()) {
      try {
        const stored = this.mayKeep() ? this.appendNow(this.fd!, seq, frame) : undefined
        if (stored !== undefined) return stored
      } catch (error) {
        throw this.host.asError(error)
      } finally {
        this.keep()
      }
    }
    return this.alone(async (fd) => {
      const stored = this.appendNow(fd, seq, frame) ?? (await this.appendFirst(fd, frame))
      if (!stored || durability !== 'strict') return stored
      const { start } = this.tail!.last!
      await this.sync(fd).catch((error: unknown) => {
        this.tail = undefined
        this.fs.ftruncateSync(fd, start)
        throw error
      })
      return true
    })
  }

  /** Returns undefined if the file needs a header first. */
  private appendNow(fd: number, seq: number, frame: Uint8Array): boolean | undefined {
    const { last, end } = (this.tail ??= this.findTail(fd))
    if (seq !== (last?.seq ?? 0) + 1) return false
    const held = last && this.bytes(fd, last.frame, Math.min(last.end - last.frame, 48))
    if (this.host.isForeign(held, frame)) return false
    if (!last || (!this.host.identityOf(held!) && this.host.identityOf(frame))) return undefined
    this.write(fd, seq, frame, end)
    return true
  }

  /** Appends a record with which the file gets its identity: the first, or the first of version 2. */
  private async appendFirst(fd: number, frame: Uint8Array): Promise<boolean> {
    const { last, end } = this.tail!
    this.fs.ftruncateSync(fd, end)
    const header = this.headerOf(fd)
    this.writeBytes(fd, encodeHeader({ identity: this.host.identityOf(frame) ?? header?.identity ?? this.host.newIdentity(), snapshot: header?.snapshot ?? 0 }), 0)
    // A crash never leaves records behind a damaged header, nor a file without a name.
    await this.sync(fd)
    this.write(fd, (last?.seq ?? 0) + 1, frame, Math.max(end, headerBytes))
    return true
  }

  private write(fd: number, seq: number, frame: Uint8Array, at: number): void {
    const bytes = new Uint8Array(recordHeaderBytes + frame.length)
    bytes.set(encodeRecordHeader({ seq, snapshot: false, length: frame.length }))
    bytes.set(frame, recordHeaderBytes)
    try {
      this.writeBytes(fd, bytes, at)
      const end = at + bytes.length
      // What a crash has left, which the record may not have covered.
      if (this.fs.fstatSync(fd).size > end) this.fs.ftruncateSync(fd, end)
      this.tail = { last: { seq, snapshot: false, torn: false, start: at, frame: at + recordHeaderBytes, end }, end }
    } catch (error) {
      this.tail = undefined
      this.fs.ftruncateSync(fd, at) // so that nothing of it is stored
      throw error
    }
  }

  private writeBytes(fd: number, bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; ) done += this.fs.writeSync(fd, bytes, done, bytes.length - done, at + done)
  }

  cutTail(seq: number, torn: Uint8Array): Promise<void> {
    return this.alone((fd) => {
      const { size } = this.fs.fstatSync(fd)
      const { snapshot } = decodeHeader(this.bytes(fd, 0, headerBytes))
      const last = recordsOf(this.bytes(fd, headerBytes, size - headerBytes), 0, snapshot || 1, snapshot > 0).at(-1)
      if (last?.seq !== seq || last.snapshot) return
      const held = this.bytes(fd, headerBytes + last.frame, last.end - last.frame)
      if (held.length !== torn.length || held.some((byte, n) => byte !== torn[n])) return
      this.fs.ftruncateSync(fd, headerBytes + last.start)
      this.tail = undefined
    })
  }

  compact(seq: number, snapshot: Uint8Array): Promise<void> {
    return this.alone(async (fd) => {
      const { bytes, records } = this.salvaged(fd)
      const record = records.find((record) => record.seq === seq)
      if (!record || record.snapshot || this.host.isForeign(bytes.subarray(record.frame, record.end), snapshot)) return // a newer snapshot was faster
      const { end } = tailOf(records, 0)!
      const identity = this.host.identityOf(snapshot) ?? this.headerOf(fd)?.identity ?? this.host.newIdentity()
      const header = encodeHeader({ identity, snapshot: seq })
      const start = encodeRecordHeader({ seq, snapshot: true, length: snapshot.length })
      const fs = this.host.files
      await fs.rm(this.partPath, { force: true }) // a crash has left it: only the holder of the lock writes one
      const part = this.fs.openSync(this.partPath, 'wx+', 0o600)
      try {
        let at = 0
        for (const piece of [header, start, snapshot, bytes.subarray(record.end, end)]) {
          this.writeBytes(part, piece, at)
          at += piece.length
        }
        this.fs.fchmodSync(part, this.fs.fstatSync(fd).mode & 0o777)
        await this.flush(part) // it is on the disk before it gets the name
        await fs.rename(this.partPath, this.path)
      } catch (error) {
        await fs.rm(this.partPath, { force: true })
        throw error
      } finally {
        this.fs.closeSync(part)
      }
      this.unlock() // the lock is that of the file that was replaced
      this.tail = undefined
      await this.host.syncFolder(fs, this.path)
    })
  }

  destroy(): Promise<void> {
    return this.alone(async () => {
      const fs = this.host.files
      await fs.rm(this.path, { force: true })
      await fs.rm(this.partPath, { force: true })
      this.unlock()
      this.tail = undefined
      await this.host.syncFolder(fs, this.path)
    })
  }

  /** Gives the lock back, after the calls that are running. */
  close(): Promise<void> {
    return this.alone(() => this.unlock(), false)
  }

  /** Whether the file is as this thread has left it, once it has ended what it is doing. */
  async isAsKnown(): Promise<boolean> {
    await this.turn
    const now = this.fs.statSync(this.path, { throwIfNoEntry: false })
    return now !== undefined && nodeOf(now) === this.node && now.size === this.tail?.end
  }

  /** Whether the lock may be kept for one more call. */
  private mayKeep(): boolean {
    return performance.now() - this.lockedAt < lease && this.isThere()
  }

  /** Whether the file that this thread has locked still has its name: somebody may have deleted it. */
  private isThere(): boolean {
    const now = this.fs.statSync(this.path, { throwIfNoEntry: false })
    return now !== undefined && nodeOf(now) === this.node
  }

  /** Runs `work` with the file that is at the path now, while no other process and no other call does. */
  private async alone<R>(work: (fd: number) => R | Promise<R>, isLocked = true): Promise<R> {
    this.busy++
    const before = this.turn
    let end!: () => void
    this.turn = new Promise<void>((resolve) => (end = resolve))
    await before
    try {
      if (this.isHeld() && !(isLocked && this.mayKeep())) this.unlock()
      if (isLocked) this.fd ??= await this.lock()
      return await work(this.fd!)
    } catch (error) {
      throw this.host.asError(error)
    } finally {
      this.endedAt = performance.now()
      if (this.calls >= fewCalls) this.keeper.prepare(this.host)
      if (--this.busy === 0) {
        if (this.calls < fewCalls || !this.keeper.isReady) this.unlock()
        else this.keep()
      }
      end()
    }
  }

  /** Whether this thread still has the lock of an earlier call, which is in use then. */
  private isHeld(): boolean {
    if (this.fd === undefined || this.isInUse) return this.fd !== undefined
    this.isInUse = this.keeper.use(this.fd)
    if (!this.isInUse) this.fd = undefined
    return this.isInUse
  }

  /** Keeps the lock for the next call, unless the keeper gives it back before. */
  private keep(): void {
    this.isInUse = false
    if (this.fd !== undefined) this.keeper.keep(this.fd)
  }

  private async lock(): Promise<number> {
    for (;;) {
      const { O_RDWR, O_CREAT } = this.fs.constants
      const fd = this.fs.openSync(this.path, O_RDWR | O_CREAT, 0o600)
      try {
        await lockFile(this.host, fd, this.path)
        const here = this.fs.fstatSync(fd)
        if (nodeOf(here) !== this.node) this.tail = undefined
        this.node = nodeOf(here)
        if (this.isThere()) {
          this.lockedAt = performance.now()
          this.isInUse = true
          this.keeper.locked()
          this.calls = this.lockedAt - this.endedAt < soon + lease ? this.calls + 1 : 0
          this.tail = this.grownTail(fd, here.size)
          const timer: unknown = setTimeout(() => this.busy === 0 && this.isHeld() && this.unlock(), lease)
          ;(timer as { unref(): void }).unref()
          return fd
        }
      } catch (error) {
        this.fs.closeSync(fd)
        throw error
      }
      this.fs.closeSync(fd) // a compaction or destroy() of another process was faster
    }
  }

  private unlock(): void {
    if (this.fd !== undefined) this.fs.closeSync(this.fd)
    this.fd = undefined
    this.isInUse = false
    this.keeper.freed()
  }

  /** The tail that this thread knows, if its last record is there. Another process may have written since. */
  private knownTail(fd: number, size: number): Tail | undefined {
    const { tail } = this
    if (!tail?.last || size < tail.end) return undefined
    const { seq, start, end } = tail.last
    const header = decodeRecordHeader(this.bytes(fd, start, recordHeaderBytes), 0)
    return header?.seq === seq && start + recordHeaderBytes + header.length === end ? tail : undefined
  }

  /** The same, with what other processes have written behind it. */
  private grownTail(fd: number, size: number): Tail | undefined {
    const tail = this.knownTail(fd, size)
    if (!tail || size === tail.end) return tail
    try {
      return tailOf(recordsOf(this.bytes(fd, tail.end, size - tail.end), 0, tail.last!.seq + 1, false), tail.end) ?? tail
    } catch {
      return undefined // damaged: the whole file tells more
    }
  }

  private findTail(fd: number): Tail {
    const { bytes, records } = this.salvaged(fd)
    return tailOf(records, 0) ?? { last: undefined, end: Math.min(bytes.length, headerBytes) }
  }

  /** The whole file, and its records, as many as there are. */
  private salvaged(fd: number): { bytes: Uint8Array; records: Found[] } {
    const bytes = this.bytes(fd, 0, this.fs.fstatSync(fd).size)
    if (isUnfinished(bytes)) return { bytes, records: [] }
    const header = this.headerOf(fd)
    if (header) {
      try {
        return { bytes, records: recordsOf(bytes, headerBytes, header.snapshot || 1, header.snapshot > 0) }
      } catch {
        return { bytes, records: salvagedRecords(bytes, headerBytes, header.snapshot || 1, header.snapshot > 0) }
      }
    }
    const first = firstRecord(bytes, Math.min(headerBytes, bytes.length))
    if (!first) throw new Fault('corrupt', `${this.path} holds no record of a database`)
    return { bytes, records: salvagedRecords(bytes, headerBytes, first.snapshot ? first.seq : 1, first.snapshot) }
  }

  /** The header of the file. Undefined if it has none, or a damaged one. */
  private headerOf(fd: number): Header | undefined {
    try {
      return decodeHeader(this.bytes(fd, 0, Math.min(headerBytes, this.fs.fstatSync(fd).size)))
    } catch (error) {
      if ((error as Fault).code !== 'corrupt') throw error
      return undefined
    }
  }

  private bytes(fd: number, at: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.max(0, length))
    for (let done = 0; done < bytes.length; ) {
      const read = this.fs.readSync(fd, bytes, done, bytes.length - done, at + done)
      if (read === 0) throw new Fault('storage', `${this.path} has become shorter while it was read`)
      done += read
    }
    return bytes
  }

  /** Flushes the file, and the name that leads to it: without a name, what is on the disk is lost. */
  private async sync(fd: number): Promise<void> {
    await this.flush(fd)
    if (this.named === this.node) return
    await this.host.syncFolder(this.host.files, this.path)
    this.named = this.node
  }

  private flush(fd: number): Promise<void> {
    return new Promise((resolve, reject) => this.fs.fsync(fd, (error) => (error ? reject(error) : resolve())))
  }
}

const nodeOf = ({ dev, ino }: FileStat) => `${dev} ${ino}`

/** Where records that were found in a part of the file end; `from` is where the part begins. Undefined if none is whole. */
function tailOf(records: readonly Found[], from: number): Tail | undefined {
  const last = records.filter(({ torn }) => !torn).at(-1)
  return last && { last: { ...last, start: from + last.start, frame: from + last.frame, end: from + last.end }, end: from + last.end }
}

const batchOf = (bytes: Uint8Array, { seq, snapshot, frame, end }: Found): Batch => ({ seq, snapshot, bytes: bytes.slice(frame, end) })
