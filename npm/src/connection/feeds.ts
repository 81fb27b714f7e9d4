import type { AtomicDBError } from '../errors.js'
import type { EngineCalls } from './engine-calls.js'

/** Hands out the changes of a database. It has one call at a time. */
export interface Feed {
  /** The batch after which its changes come. */
  readonly after: Promise<number>
  /** The changes that come next, in the parts that Feed.Next in Go writes; no bytes: there are none at present. */
  next(): Promise<Uint8Array>
  close(): void
}

/** Who takes from a feed. */
export interface FeedListener {
  /** There may be something to take. */
  stored(): void
  /** Nothing more comes: the database was closed or, with an error, its engine has ended. */
  ended(error: AtomicDBError | undefined): void
}

/** The listeners of a connection. */
export class FeedListeners {
  private readonly all = new Set<FeedListener>()

  get isEmpty(): boolean {
    return this.all.size === 0
  }

  /** Returns what removes the listener. */
  add(listener: FeedListener): () => void {
    this.all.add(listener)
    return () => void this.all.delete(listener)
  }

  stored(): void {
    for (const listener of [...this.all]) listener.stored()
  }

  end(error: AtomicDBError | undefined): void {
    const all = [...this.all]
    this.all.clear()
    for (const listener of all) listener.ended(error)
  }
}

/** A feed that is opened later. */
export function laterFeed(opening: Promise<Feed>): Feed {
  const after = opening.then((feed) => feed.after)
  after.catch(() => {}) // next() says it too
  return {
    after,
    next: async () => (await opening).next(),
    close: () => void opening.then((feed) => feed.close(), () => {}),
  }
}

/** An earlier state of a database, for reading. */
export interface EarlierState {
  read<R>(work: (engine: EngineCalls) => R, signal?: AbortSignal): Promise<R>
  close(): Promise<void>
}
