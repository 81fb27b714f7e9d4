type Listener = (seq: number) => void

/**
 * The storages of this page or process that are over the same place: each
 * hears of what the others append.
 */
export class SamePageListeners {
  private readonly own = new Set<Listener>()

  /** @param all The listeners of everybody there. */
  constructor(private readonly all: Set<Listener>) {}

  /** Tells the others, soon. */
  notify(seq: number): void {
    for (const listener of this.all) {
      if (!this.own.has(listener)) queueMicrotask(() => listener(seq))
    }
  }

  /** Calls `listener` with what the others tell, until the returned function is called. */
  watch(listener: Listener): () => void {
    const one: Listener = (seq) => listener(seq) // wrapped, so that the same function may watch twice
    this.own.add(one)
    this.all.add(one)
    return () => this.leave(one)
  }

  /** Ends all watching. */
  close(): void {
    for (const listener of this.own) this.leave(listener)
  }

  private leave(listener: Listener): void {
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
