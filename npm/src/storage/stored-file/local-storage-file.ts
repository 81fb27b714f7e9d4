import { AtomicDBError } from '../../errors.js'
import { isCompressed } from '../../security/packing.js'
import { LocalStorageLock } from '../local-storage-lock.js'
import { onReplaced, same, notifyReplaced, type StoredFile } from './stored-file.js'

/**
 * A file as an item of localStorage. A text file is an item that people can
 * read; in any other, each byte is one character.
 */
export class LocalStorageFile implements StoredFile {
  private readonly lock: LocalStorageLock

  constructor(private readonly key: string) {
    this.lock = new LocalStorageLock(`atomicdb file:${key}`)
  }

  read(): Promise<Uint8Array | undefined> {
    return this.withLock(() => this.content())
  }

  async replace(seen: Uint8Array | undefined, next: Uint8Array): Promise<boolean> {
    const replaced = await this.withLock((announce) => {
      if (!same(this.content(), seen)) return false
      try {
        this.version += 0 // creates the item, in case localStorage gets full
        localStorage.setItem(this.key, isCompressed(next) ? characters(next) : new TextDecoder().decode(next))
      } catch (error) {
        const { name, message } = error as DOMException
        throw new AtomicDBError(name === 'QuotaExceededError' ? 'quota' : 'storage', `localStorage: ${message}`, { cause: error })
      }
      announce()
      return true
    })
    if (replaced) notifyReplaced(this.key)
    return replaced
  }

  async remove(): Promise<void> {
    await this.withLock((announce) => {
      localStorage.removeItem(this.key)
      announce()
    })
    notifyReplaced(this.key)
  }

  watch(listener: () => void): () => void {
    return onReplaced(this.key, listener)
  }

  private content(): Uint8Array | undefined {
    const text = localStorage.getItem(this.key)
    if (text === null) return undefined
    if (isCompressed(Uint8Array.of(text.charCodeAt(0), text.charCodeAt(1)))) return Uint8Array.from(text, (character) => character.charCodeAt(0))
    return new TextEncoder().encode(text)
  }

  /**
   * How often the item has been written. The version is written after it, so a tab that sees this version also sees the
   * item.
   */
  private get version(): number {
    return Number(localStorage.getItem(this.versionKey))
  }

  /** With leading zeros, so that a larger number needs no more room in a full localStorage. */
  private set version(version: number) {
    localStorage.setItem(this.versionKey, String(version).padStart(12, '0'))
  }

  private get versionKey(): string {
    return `atomicdb version:${this.key}`
  }

  /** Runs `work` while no other tab does, and when what the others have written is visible here. */
  private withLock<R>(work: (announce: () => void) => R): Promise<R> {
    return this.lock.withLock(
      (version) => this.version >= Number(version),
      (announce) => work(() => announce(String(++this.version))),
    )
  }

  close(): Promise<void> {
    return this.lock.close()
  }
}

function characters(content: Uint8Array): string {
  let text = ''
  for (let start = 0; start < content.length; start += 0x8000) text += String.fromCharCode(...content.subarray(start, start + 0x8000))
  return text
}
