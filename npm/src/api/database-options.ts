import type { OpenOptions as ConnectionOptions } from '../types.js'
import type { Transaction } from './transaction.js'

/** The options of open(). They are here because a transaction is a thing of this room. */
export interface OpenOptions extends ConnectionOptions {
  /**
   * What leads to a version from the one before: `{ 2: async (tx) => …, 3: async (tx) => … }`.
   * Each runs in a transaction of its own, which also stores the version: if the tab is
   * killed, the next open() goes on there, and of two tabs one runs it. A version that
   * needs no change needs no migration. A new database runs none, unless there is a
   * migration 1: then it runs all.
   */
  migrations?: Readonly<Record<number, (tx: Transaction) => Promise<unknown>>>
  /** What open() does with data of a later version than `version`: 'refuse' it, or open it for reading alone ('read'). Default 'refuse'. */
  ifNewer?: 'refuse' | 'read'
}
