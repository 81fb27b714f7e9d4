import { checkFunction, checkSeq, takenBytes } from '../checks.js'
import type { DocumentFile, FileType } from '../engine/async-engine.js'
import { startBridge, type Bridge } from '../engine/bridge.js'
import { packFile, unpackFile } from '../security/packing.js'
import type { SealOptions } from '../security/seal-options.js'
import type { Batch, StorageBackend } from '../types.js'
import { same, type StoredFile } from './stored-file/stored-file.js'
import { newTraits, traits, type Traits } from './traits.js'
import { WriteLock } from './write-lock.js'

/**
 * A storage that is one file of documents, written anew for each batch: what
 * JSONStorage and MessagePackStorage have in common.
 *
 * The numbers of batches are not in the file. Each storage object counts for
 * itself, and counts a file that somebody else has replaced as the next batch.
 */
export abstract class DocumentFileStorage implements StorageBackend {
  private readonly listeners = new Set<(seq: number) => void>()
  private readonly lock = new WriteLock() // one call at a time
  private engine: { bridge: Bridge; documents: DocumentFile } | undefined
  /** The content of the file, which the engine holds as number `seq`. */
  private seen: Uint8Array | undefined
  private seq = 0
  /** The last number before the file was deleted: a database that is open at an older one cannot follow. */
  private deleted = 0
  /** Whether the engine may hold something else than the file. */
  private inDoubt = true

  protected constructor(
    private readonly stored: StoredFile,
    private readonly type: FileType,
    private readonly options: SealOptions,
  ) {}

  /** @internal Of a damaged file, nobody can tell which parts are sound. */
  get [traits](): Traits {
    return newTraits({ rescue: "the storage's file() gives the file as it is" })
  }

  /**
   * The bytes of the file, even if they are packed or damaged; undefined if there is no file. {@link AtomicDB.import}
   * takes them.
   */
  file(): Promise<Uint8Array | undefined> {
    return this.lock.exclusive(() => this.stored.read())
  }

  /** The file as one snapshot, if it is newer than `after`. */
  read(after: number): Promise<Batch[]> {
    return this.lock.exclusive(async () => {
      checkSeq('after', after, 0)
      const isThere = await this.refresh(after === 0)
      if (!isThere || (after > 0 && after <= this.deleted)) return []
      return after < this.seq ? [{ seq: this.seq, snapshot: true, bytes: await this.inEngine((documents) => documents.snapshot(this.seq)) }] : []
    })
  }

  append(seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean> {
    return this.lock.exclusive(async () => {
      checkSeq('seq', seq)
      const batch = takenBytes('bytes', bytes)
      if (this.inDoubt || !this.engine || this.engine.bridge.ended) {
        if (!(await this.refresh(false))) return false
      }
      if (seq !== this.seq + 1) return false
      this.inDoubt = true
      const next = await packFile(await this.inEngine((documents) => documents.apply(seq, batch)), this.options)
      if (!(await this.stored.replace(this.seen, next, durability))) return false
      this.inDoubt = false
      this.seen = next
      this.seq = seq
      for (const listener of this.listeners) queueMicrotask(() => listener(seq))
      return true
    })
  }

  /** Does nothing: the file holds no old versions. */
  compact(): Promise<void> {
    return this.lock.exclusive(async () => {})
  }

  watch(listener: (seq: number) => void): () => void {
    checkFunction('listener', listener)
    const own = (seq: number) => listener(seq) // wrapped, so that the same function may watch twice
    this.listeners.add(own)
    const stop = this.stored.watch?.(() => own(0))
    return () => {
      this.listeners.delete(own)
      stop?.()
    }
  }

  async destroy(): Promise<void> {
    await this.lock.exclusive(() => this.stored.remove())
    await this.close()
  }

  /** A later call opens it again. */
  close(): Promise<void> {
    return this.lock.exclusive(async () => {
      this.listeners.clear()
      await this.stored.close?.()
      const { engine } = this
      this.engine = undefined
      this.inDoubt = true
      if (engine && !engine.bridge.ended) await engine.bridge.wait(() => engine.documents.close())
    })
  }

  /**
   * Loads the file into the engine if it has changed. Returns false if it was deleted, which a database that is open does
   * not survive. Some editors delete a file before they write it, so if it comes back, its content counts again.
   *
   * @param begins Whether it is for a database that is being opened: for that, a deleted file is an empty one.
   */
  private async refresh(begins: boolean): Promise<boolean> {
    if (!this.engine || this.engine.bridge.ended) {
      await this.stored.check?.()
      const bridge = await startBridge(undefined)
      this.engine = { bridge, documents: await bridge.wait((engine) => engine.documentFile(this.type)) }
      this.inDoubt = true
    }
    const file = await this.stored.read()
    if (!this.inDoubt && same(file, this.seen)) return true
    this.inDoubt = true
    if (this.seen && !file) {
      if (!begins) return false
      this.deleted = this.seq
    }
    const content = file ? await unpackFile(file, this.options) : null
    await this.inEngine((documents) => documents.load(content))
    if (this.seq > 0 || file) this.seq++
    this.seen = file
    this.inDoubt = false
    return true
  }

  private inEngine<R>(work: (documents: DocumentFile) => Promise<R>): Promise<R> {
    const { bridge, documents } = this.engine!
    return bridge.wait(() => work(documents))
  }
}
