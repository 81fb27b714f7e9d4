import type { AtomicDBError } from '../errors.js'
import type { EngineCalls } from './engine-calls.js'

/** Who wants to know when what reads see has changed. */
export interface Watcher {
  /**
   * What reads see may have changed. Called at most once a turn: for all writes of the turn, and for all batches of others
   * that were applied in it. What a running transaction has done does not count.
   */
  changed(): void

  /** Nothing will change any more: the database was closed, or, with an error, has ended. */
  ended(error: AtomicDBError | undefined): void
}

/** What a watcher gets. */
export interface Watch {
  /**
   * Reads what {@link Watcher.changed} told of, as {@link Calls.read} does. If the engine runs in this thread, and no
   * transaction is being stored, `done` is called before this returns.
   */
  read<R>(work: (engine: EngineCalls) => R, done: (end: ReadEnd<R>) => void): void

  /** Ends the watching. */
  stop(): void
}

/** How a read has ended. */
export type ReadEnd<R> = { readonly result: R } | { readonly error: unknown }

/** Calls `done` as `reading` settles. */
export function whenRead<R>(reading: Promise<R>, done: (end: ReadEnd<R>) => void): void {
  reading.then((result) => done({ result }), (error: unknown) => done({ error }))
}

/** The watchers of a connection. */
export class Watchers {
  private readonly all = new Set<Watcher>()

  get isEmpty(): boolean {
    return this.all.size === 0
  }

  /** Returns what removes the watcher. */
  add(watcher: Watcher): () => void {
    const own: Watcher = { changed: () => watcher.changed(), ended: (error) => watcher.ended(error) } // the same may watch twice
    this.all.add(own)
    return () => void this.all.delete(own)
  }

  /** Tells all that the database may have changed. */
  tell(): void {
    for (const watcher of [...this.all]) if (this.all.has(watcher)) watcher.changed()
  }

  /** Tells all that nothing will change any more, and forgets them. */
  end(error?: AtomicDBError): void {
    const all = [...this.all]
    this.all.clear()
    for (const watcher of all) watcher.ended(error)
  }
}

/** The watchers of a connection whose engine runs in this thread. */
export class LocalWatchers extends Watchers {
  private isNoted = false
  private version = 0 // of the database when they were told last

  /**
   * @param versionNow The version of the database that a read would see.
   * @param settled A promise for which reads would wait; undefined if they need not.
   */
  constructor(
    private readonly versionNow: () => number,
    private readonly settled: () => Promise<void> | undefined,
  ) {
    super()
  }

  override add(watcher: Watcher): () => void {
    if (this.isEmpty) this.version = this.versionNow()
    return super.add(watcher)
  }

  /** The database may have changed: at the end of the turn, all are told. It does not call the engine. */
  note(): void {
    if (this.isNoted || this.isEmpty) return
    this.isNoted = true
    queueMicrotask(this.look)
  }

  private readonly look = () => {
    const settled = this.settled()
    if (settled) {
      void settled.then(this.look, this.look)
      return
    }
    this.isNoted = false
    const version = this.versionNow()
    if (version === this.version) return
    this.version = version
    this.tell()
  }
}
