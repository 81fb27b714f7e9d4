import type { Calls, ConnectionCalls, Write } from '../connection/calls.js'
import type { FileType, ParsedFile } from '../engine/async-engine.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import { LastingQuestion, type LiveListener, type LiveQuestion } from '../connection/live.js'
import { closedError, readArguments } from '../connection/errors.js'
import type { AtomicDBError } from '../errors.js'
import { laterFeed, type EarlierState, type Feed, type FeedListener } from '../connection/feeds.js'
import type { Pool } from './pool.js'
import type { RemoteConnection } from './remote-connection.js'

/**
 * The calls of a pool: reads run side by side, and everything that writes runs on one connection while that is
 * possible.
 */
export class PoolCalls implements ConnectionCalls {
  constructor(private readonly pool: Pool<RemoteConnection>) {}

  read<R>(work: (engine: EngineCalls) => R, signal?: AbortSignal): Promise<R> {
    return this.pool.shared((connection) => connection.read(work, signal))
  }

  write<R>(prepare: () => Write<R>): Promise<R> {
    try {
      const write = readArguments(prepare) // now, and not when a connection is free
      return this.pool.serial((connection) => connection.write(() => write))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    return this.pool.serial((connection) => connection.transaction(work))
  }

  /** Asks one connection, which hears of what the others have stored; if it ends, another one. */
  live<A>(question: LiveQuestion<A>, listener: LiveListener<A>): () => void {
    if (this.pool.isClosed) throw closedError()
    const open = (own: LastingQuestion) => {
      this.pool.shared(async (connection) => own.openIn(connection)).catch((error: AtomicDBError) => own.end(error.code === 'closed' ? undefined : error))
    }
    const own = new LastingQuestion(question, listener, open)
    open(own)
    return () => own.stop()
  }

  /** The feed of one connection, which hears of what the others have stored. */
  feed(since: number | undefined, listener: FeedListener): Feed {
    if (this.pool.isClosed) throw closedError()
    return laterFeed(this.pool.serial(async (connection) => connection.feed(since, listener)))
  }

  at(seq: number): Promise<EarlierState> {
    return this.pool.shared((connection) => connection.at(seq))
  }

  parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile> {
    return this.pool.shared((connection) => connection.parseFile(file, type))
  }
}
