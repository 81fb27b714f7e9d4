import type { EngineCalls } from './engine-calls.js'

/** A write, as it was asked for: it changes the database and returns what the call resolves to. It does everything or, when it throws, nothing. */
export type Write<R> = (engine: EngineCalls) => R

/** What the calls of the API go through: a connection, a transaction on one, or a pool of them. */
export interface Calls {
  /** Runs `work`, which changes nothing; resolves to what it returns. It may run again. */
  read<R>(work: (engine: EngineCalls) => R): Promise<R>

  /**
   * Prepares a write and does it; resolves to what it returns once that is
   * stored, in a transaction at once.
   *
   * @param prepare Runs at once, and copies the arguments, which the caller may
   * change later. The write that it returns may run several times.
   */
  write<R>(prepare: () => Write<R>): Promise<R>
}

/** The calls of a database that is no transaction. */
export interface ConnectionCalls extends Calls {
  /**
   * Runs `work` while nobody else may write, and stores what it did as one
   * batch. If another writer was faster, `work` runs again from the start.
   */
  transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R>
}
