import { AtomicDBError } from '../../errors.js'
import { isCompressed } from '../../security/packing.js'
import { LocalTurns } from '../local-turns.js'
import { hear, same, tell, type Place } from './place.js'

/**
 * An item of localStorage, as text that people can read if the file is one, and
 * else with a character for each byte.
 */
export class LocalItem implements Place {
  private readonly turns: LocalTurns

  constructor(private readonly key: string) {
    this.turns = new LocalTurns(`atomicdb file:${key}`)
  }

  read(): Promise<Uint8Array | undefined> {
    return this.alone(() => this.now())
  }

  async replace(seen: Uint8Array | undefined, next: Uint8Array): Promise<boolean> {
    const replaced = await this.alone((announce) => {
      if (!same(this.now(), seen)) return false
      try {
        localStorage.setItem(this.key, isCompressed(next) ? characters(next) : new TextDecoder().decode(next))
      } catch (error) {
        const { name, message } = error as DOMException
        throw new AtomicDBError(name === 'QuotaExceededError' ? 'quota' : 'storage', `localStorage: ${message}`, { cause: error })
      }
      announce(this.summary())
      return true
    })
    if (replaced) tell(this.key)
    return replaced
  }

  async remove(): Promise<void> {
    await this.alone((announce) => {
      localStorage.removeItem(this.key)
      announce(this.summary())
    })
    tell(this.key)
  }

  watch(listener: () => void): () => void {
    return hear(this.key, listener)
  }

  private now(): Uint8Array | undefined {
    const text = localStorage.getItem(this.key)
    if (text === null) return undefined
    if (isCompressed(Uint8Array.of(text.charCodeAt(0), text.charCodeAt(1)))) return Uint8Array.from(text, (character) => character.charCodeAt(0))
    return new TextEncoder().encode(text)
  }

  /** What tells one content from others: its length and a hash, FNV-1a (RFC 9923). */
  private summary(): string {
    const text = localStorage.getItem(this.key) ?? ''
    let hash = 0x811c9dc5
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    return `${text.length} ${hash}`
  }

  /** Runs `work` while no other tab does, on what all others have written. */
  private alone<R>(work: (announce: (written: string) => void) => R): Promise<R> {
    return this.turns.take((written) => written === this.summary(), work)
  }

  close(): Promise<void> {
    return this.turns.close()
  }
}

function characters(content: Uint8Array): string {
  let text = ''
  for (let start = 0; start < content.length; start += 0x8000) text += String.fromCharCode(...content.subarray(start, start + 0x8000))
  return text
}
