import { AtomicDBError } from '../../errors.js'
import { isCompressed } from '../../security/packing.js'
import { LocalStorageLock } from '../local-storage-lock.js'
import { onReplaced, same, notifyReplaced, type StoredFile } from './stored-file.js'

/**
 * An item of localStorage, as text that people can read if the file is one, and
 * else with a character for each byte.
 */
export class LocalStorageFile implements StoredFile {
  private readonly lock: LocalStorageLock

  constructor(private readonly key: string) {
    this.lock = new LocalStorageLock(`atomicdb file:${key}`)
  }

  read(): Promise<Uint8Array | undefined> {
    return this.withLock(() => this.now())
  }

  async replace(seen: Uint8Array | undefined, next: Uint8Array): Promise<boolean> {
    const replaced = await this.withLock((announce) => {
      if (!same(this.now(), seen)) return false
      try {
        this.version += 0 // so that there is one
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

  private now(): Uint8Array | undefined {
    const text = localStorage.getItem(this.key)
    if (text === null) return undefined
    if (isCompressed(Uint8Array.of(text.charCodeAt(0), text.charCodeAt(1)))) return Uint8Array.from(text, (character) => character.charCodeAt(0))
    return new TextEncoder().encode(text)
  }

  /** How often the item has been written: the item beside it is written after it, so who sees this has seen that. */
  private get version(): number {
    return Number(localStorage.getItem(this.versionKey))
  }

  /** In digits that leave room for all that follow, so that a full localStorage does not refuse them. */
  private set version(version: number) {
    localStorage.setItem(this.versionKey, String(version).padStart(12, '0'))
  }

  private get versionKey(): string {
    return `atomicdb version:${this.key}`
  }

  /** Runs `work` while no other tab does, on what all others have written. */
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
