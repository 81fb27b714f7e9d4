/** Where one file is kept, which is replaced as a whole. */
export interface StoredFile {
  /** What is there; undefined if nothing is. */
  read(): Promise<Uint8Array | undefined>
  /**
   * Puts `next` in the place of `seen`, in one step: resolves false, and
   * changes nothing, if something else is there.
   */
  replace(seen: Uint8Array | undefined, next: Uint8Array, durability: 'relaxed' | 'strict'): Promise<boolean>
  remove(): Promise<void>
  /** Calls `listener` when somebody else has replaced the file, where that can be known. */
  watch?(listener: () => void): () => void
  close?(): Promise<void>
}

/** Whether both hold the same, or nothing. */
export function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (!a || !b || a.length !== b.length) return a === b
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Tells who {@link onReplaced}s, in this page and in others, that the file of that name has been replaced. */
export function notifyReplaced(name: string): void {
  const channel = new BroadcastChannel(`atomicdb file:${name}`)
  channel.postMessage(null)
  channel.close()
}

/** Calls `listener` when somebody {@link notifyReplaced}s of that name, until the returned function is called. */
export function onReplaced(name: string, listener: () => void): () => void {
  const channel = new BroadcastChannel(`atomicdb file:${name}`)
  channel.onmessage = listener
  return () => channel.close()
}
