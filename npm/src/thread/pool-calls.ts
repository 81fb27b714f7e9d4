import type { Calls, ConnectionCalls, Write } from '../connection/calls.js'
import type { EngineCalls } from '../connection/engine-calls.js'
import type { ReadEnd, Watch, Watcher } from '../connection/watchers.js'
import { closedError, readArguments } from '../connection/errors.js'
import { EngineEndError, type AtomicDBError } from '../errors.js'
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

  /** Watches one connection, which hears of what the others have stored; if it ends, another one. */
  watch(watcher: Watcher): Watch {
    if (this.pool.isClosed) throw closedError()
    let isOver = false
    let inner: Promise<Watch> | undefined
    const end = (error: AtomicDBError | undefined) => {
      if (isOver) return
      isOver = true
      watcher.ended(error)
    }
    const watchOne = (): void => {
      inner = this.pool.shared(async (connection) => {
        const watch = connection.watch({
          changed: () => watcher.changed(),
          ended: (error) => {
            if (isOver) return
            if (!error) return end(undefined)
            watchOne()
            watcher.changed()
          },
        })
        if (isOver) watch.stop()
        return watch
      })
      inner.catch(end)
    }
    watchOne()
    return {
      read: (work, done) => {
        const read = (inner: Promise<Watch>, done: (end: ReadEnd<any>) => void) => void inner.then((watch) => watch.read(work, done), (error: unknown) => done({ error }))
        const first = inner!
        // A read whose engine ends is done once more, by another.
        read(first, (end) => ('error' in end && end.error instanceof EngineEndError && inner !== first ? read(inner!, done) : done(end)))
      },
      stop: () => {
        isOver = true
        inner!.then((watch) => watch.stop(), () => {})
      },
    }
  }
}
