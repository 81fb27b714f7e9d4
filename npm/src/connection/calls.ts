import type { FileType, ParsedFile } from '../engine/async-engine.js'
import type { EngineCalls } from './engine-calls.js'
import type { LiveSource } from './live.js'
import type { EarlierState, Feed, FeedListener } from './feeds.js'

/**
 * What a write does: it changes the database and returns what the call resolves to. If it throws, it has done nothing.
 */
export type Write<R> = (engine: EngineCalls) => R

/** What the calls of the API go through: a connection, a transaction on one, or a pool of them. */
export interface Calls {
  /**
   * Runs `work`, which changes nothing and may run again; resolves to what it returns.
   *
   * @param signal Says when nobody waits for the result any more; the engine then stops where that can be told to it.
   */
  read<R>(work: (engine: EngineCalls) => R, signal?: AbortSignal): Promise<R>

  /**
   * Prepares a write and does it; resolves to what the write returns, once it
   * is stored. In a transaction it resolves at once.
   *
   * @param prepare Runs at once, and copies the arguments, because the caller
   * may change them later. The write that it returns may run several times.
   */
  write<R>(prepare: () => Write<R>): Promise<R>

  /** Keeps an answer current. A transaction has no such answers. */
  live?: LiveSource['live']

  /** If the calls are only until a signal is aborted: the signal. */
  readonly signal?: AbortSignal
}

/** The calls of a database that is no transaction. */
export interface ConnectionCalls extends Calls {
  live: LiveSource['live']

  /**
   * Runs `work` while nobody else may write, and stores what it did as one
   * batch. If another writer was faster, `work` runs again from the start.
   */
  transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R>

  /**
   * Opens a feed of the changes after batch `since`; undefined: from now on. Throws if the database is closed. When its
   * engine ends, the feed does, and another can be opened.
   */
  feed(since: number | undefined, listener: FeedListener): Feed

  /** The state that batch `seq` has left. */
  at(seq: number): Promise<EarlierState>

  /** What a file holds. */
  parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile>
}
