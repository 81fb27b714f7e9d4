import { AtomicDBError } from '../../errors.js'
import { isCompressed } from '../../security/packing.js'
import { hear, same, tell, type Place } from './place.js'

/**
 * An item of localStorage, as text that people can read if the file is one, and
 * else with a character for each byte.
 */
export class LocalItem implements Place {
  constructor(private readonly key: string) {}

  async read(): Promise<Uint8Array | undefined> {
    return this.now()
  }

  async replace(seen: Uint8Array | undefined, next: Uint8Array): Promise<boolean> {
    const replaced = await this.alone(async () => {
      if (!same(this.now(), seen)) return false
      try {
        localStorage.setItem(this.key, isCompressed(next) ? characters(next) : new TextDecoder().decode(next))
      } catch (error) {
        const { name, message } = error as DOMException
        throw new AtomicDBError(name === 'QuotaExceededError' ? 'quota' : 'storage', `localStorage: ${message}`, { cause: error })
      }
      return true
    })
    if (replaced) tell(this.key)
    return replaced
  }

  async remove(): Promise<void> {
    await this.alone(async () => localStorage.removeItem(this.key))
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

  private alone<R>(work: () => Promise<R>): Promise<R> {
    // Tabs in processes of their own may both read before either writes. Without https there are no locks to exclude that.
    const { locks } = navigator
    return locks ? locks.request(`atomicdb:file:${this.key}`, work) : work()
  }
}

function characters(content: Uint8Array): string {
  let text = ''
  for (let start = 0; start < content.length; start += 0x8000) text += String.fromCharCode(...content.subarray(start, start + 0x8000))
  return text
}
