import { isA } from '../checks.js'
import type { ConnectionCalls } from '../connection/calls.js'
import { hostUsage } from '../connection/quota.js'
import { describe, invalid } from '../errors.js'
import * as reads from '../operations/reads.js'
import type { StopSignal, Usage } from '../types.js'
import { DatabaseCalls } from './database-calls.js'
import { StoppableCalls } from './stoppable-calls.js'
import { Transaction } from './transaction.js'

declare global {
  // Programs need not have the library esnext.disposable to use these declarations. They merge with it.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol
  }
  interface AsyncDisposable {
    [Symbol.asyncDispose](): PromiseLike<void>
  }
}

/** Symbol.asyncDispose. In hosts without it, `await using` is compiled to code that looks for the other one. */
export const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')

/** An open database: what {@link AtomicDB} and {@link ThreadSafeDatabase} have in common. */
export abstract class OpenDatabase<Schema = any> extends DatabaseCalls<Schema> implements AsyncDisposable {
  readonly name: string
  /** @internal */
  declare readonly calls: ConnectionCalls

  /** @internal */
  constructor(name: string, calls: ConnectionCalls) {
    super(calls)
    this.name = name
  }

  /**
   * The calls of this database, until `signal` is aborted: a read then rejects with the signal's reason, and a write that
   * has not begun too. A write that has begun is done.
   *
   * Without a worker, a call of the engine blocks the page, so nothing can abort it while it runs: `maxQueryTime` limits
   * it. With `{ worker: true }` and in pools, the engine stops within a few milliseconds where threads share memory: in
   * Node, and in pages that are isolated from other origins (`crossOriginIsolated`). In other pages the read rejects at
   * once, and the worker goes on until it is done or `maxQueryTime` is over.
   *
   * @example
   * ```ts
   * const found = await db.withSignal(AbortSignal.timeout(500)).search("name matches 'a'")
   * ```
   */
  withSignal(signal: StopSignal): StoppableCalls {
    if (!isA('signal', signal, AbortSignal)) throw invalid(`signal: expected an AbortSignal, not ${describe(signal)}`)
    return new StoppableCalls(this.calls, signal as AbortSignal)
  }

  /**
   * Runs `work`, and stores everything that it did through `tx`, in any
   * collections, as one batch: all or nothing.
   *
   * No other writer comes between what `work` reads and what it writes. Other
   * writes of this database wait until the transaction has ended; reads see the
   * state before it. If another tab stores something meanwhile, `work` runs again
   * from the start, with a new `tx`; so it should have no effects but those of
   * `tx`. If `work` calls nothing of `tx` for 10 seconds, the transaction ends.
   *
   * @returns What `work` resolves to, once the batch is stored.
   * @throws What `work` throws, that very value, with everything undone;
   * `conflict` if other writers were faster 1,000 times; `timeout` after 10 seconds
   * without a call of `tx`, as when `work` awaits `db.insert` instead of
   * `tx.insert`; `invalid` inside another transaction; `quota` or `storage`.
   *
   * @example
   * ```ts
   * await db.transaction(async (tx) => {
   *   const from = await tx.get('ada', 'accounts')
   *   if (from.money < 5) throw new Error('too little')
   *   await tx.update({ $inc: { money: -5 } }, "_id = 'ada'", 'accounts')
   *   await tx.update({ $inc: { money: 5 } }, "_id = 'bob'", 'accounts')
   * })
   * ```
   */
  transaction<R>(work: (tx: Transaction<Schema>) => Promise<R>): Promise<R> {
    return this.calls.transaction((calls) => {
      if (typeof work !== 'function') throw invalid(`work: expected a function, not ${describe(work)}`)
      return work(new Transaction<Schema>(calls))
    })
  }

  /**
   * What the whole database takes: documents, their bytes as MessagePack, the
   * batches in the log, and, if the browser tells, how many bytes the site has
   * stored and may store.
   */
  async usage(): Promise<Usage> {
    const usage = await this.calls.read(reads.usage)
    return { ...usage, ...(await hostUsage()) }
  }

  abstract close(): Promise<void>

  /** What `await using` calls: close(). */
  [asyncDispose](): Promise<void> {
    return this.close()
  }
}
