type Listener = (seq: number) => void

/**
 * The listeners of one storage, among those of all storages in this page or
 * process that keep the same data: each hears what the others append.
 */
export class SamePageListeners {
  private readonly own = new Set<Listener>()

  /** @param all The listeners of all these storages. */
  constructor(private readonly all: Set<Listener>) {}

  /** Tells the listeners of the other storages, in a microtask. */
  notify(seq: number): void {
    for (const listener of this.all) {
      if (!this.own.has(listener)) queueMicrotask(() => listener(seq))
    }
  }

  /** Adds a listener for what the others append. Returns a function that removes it. */
  watch(listener: Listener): () => void {
    const wrapped: Listener = (seq) => listener(seq) // so that the same function may watch twice
    this.own.add(wrapped)
    this.all.add(wrapped)
    return () => this.remove(wrapped)
  }

  /** Removes all listeners of this storage. */
  close(): void {
    for (const listener of this.own) this.remove(listener)
  }

  private remove(listener: Listener): void {
    this.own.delete(listener)
    this.all.delete(listener)
  }
}

/** The value of `key` in a Map or WeakMap, which `make` makes if there is none. */
export function ensured<K, V>(map: { get(key: K): V | undefined; set(key: K, value: V): unknown }, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}
