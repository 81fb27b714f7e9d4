import type { Calls, ConnectionCalls, Write } from '../connection/calls.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import type { EarlierState, Feed, FeedListener } from '../connection/feeds.js'
import type { LiveListener, LiveQuestion } from '../connection/live.js'
import type { LiveWriteStatus } from './write-status.js'

/** Calls whose writes and transactions are told to a {@link LiveWriteStatus}. */
export class TrackedCalls implements ConnectionCalls {
  constructor(
    private readonly inner: ConnectionCalls,
    private readonly writes: LiveWriteStatus,
  ) {}

  read<R>(work: (engine: EngineCalls) => R, signal?: AbortSignal): Promise<R> {
    return this.inner.read(work, signal)
  }

  write<R>(prepare: () => Write<R>): Promise<R> {
    return this.writes.track(this.inner.write(prepare))
  }

  transaction<R>(work: (calls: Calls) => Promise<R>): Promise<R> {
    return this.writes.track(this.inner.transaction(work))
  }

  live<A>(question: LiveQuestion<A>, listener: LiveListener<A>): () => void {
    return this.inner.live(question, listener)
  }

  feed(since: number | undefined, listener: FeedListener): Feed {
    return this.inner.feed(since, listener)
  }

  at(seq: number): Promise<EarlierState> {
    return this.inner.at(seq)
  }

  parseFile(...file: Parameters<ConnectionCalls['parseFile']>): ReturnType<ConnectionCalls['parseFile']> {
    return this.inner.parseFile(...file)
  }
}
