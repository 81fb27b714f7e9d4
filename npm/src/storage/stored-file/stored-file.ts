import { newChannel } from '../../node-modules.js'
import { PageChannel } from '../page-channel.js'

/** A file that is replaced as a whole, wherever it is stored. */
export interface StoredFile {
  /** Rejects if there can be no such file, and says why. */
  check?(): Promise<void>
  /** The content; undefined if there is no file. */
  read(): Promise<Uint8Array | undefined>
  /**
   * Replaces `seen` by `next`, in one step. Resolves to false, and changes
   * nothing, if the content is not `seen`.
   */
  replace(seen: Uint8Array | undefined, next: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean>
  remove(): Promise<void>
  /**
   * Calls `listener` when somebody else has replaced the file, where that can be known. Returns a function that ends
   * this.
   */
  watch?(listener: () => void): () => void
  close?(): Promise<void>
}

/** Whether both are the same bytes, or both undefined. */
export function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (!a || !b || a.length !== b.length) return a === b
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/**
 * Tells the listeners of {@link onReplaced}, in this page and in others, that the file of that name has been replaced.
 */
export function notifyReplaced(name: string): void {
  const channel = newChannel(`atomicdb file:${name}`)
  channel.postMessage(null)
  channel.close()
}

/**
 * Calls `listener` after each {@link notifyReplaced} of that name, and when the page was frozen and goes on. Returns a
 * function that ends this.
 */
export function onReplaced(name: string, listener: () => void): () => void {
  const channel = new PageChannel(`atomicdb file:${name}`, listener, listener)
  channel.open()
  return () => channel.close()
}
