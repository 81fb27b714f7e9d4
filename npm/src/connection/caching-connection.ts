import { Op } from '../engine/ops.js'
import { Encoder } from '../msgpack/encode.js'
import type { Id } from '../types.js'
import { LocalConnection } from './local-connection.js'
import { copyOf, QueryCache, type Bucket, type CachedAnswer } from './query-cache.js'

/** A database whose engine runs in this thread, with the query cache. */
export class CachingConnection extends LocalConnection {
  private readonly queryCache = new QueryCache()
  private readonly validityArguments = new Encoder()

  override cachedValue(op: Op, args: Encoder): unknown {
    const cached = this.cached(op, args)
    if (typeof cached === 'object') return copyOf(cached.answer)
    const answer = this.value(op, args)
    this.queryCache.keep(cached, args, answer, this.bridge.resultBytes)
    return answer
  }

  override cachedRows(op: Op, args: Encoder | Uint8Array, rows: any[] = []): any[] {
    const cached = this.cached(op, args)
    if (typeof cached === 'object') {
      for (const row of cached.answer as unknown[]) rows.push(copyOf(row))
    } else {
      const bytes = this.pieces(op, args, rows)
      this.queryCache.keep(cached, args, rows, bytes)
    }
    return rows
  }

  private cached(op: Op, args: Encoder | Uint8Array): CachedAnswer | Bucket {
    return this.queryCache.find(this.bridge.version(this.handle), op, args, this.stillValid)
  }

  /** Asks the engine whether a cached answer is right after so many changes. */
  private readonly stillValid = (op: Op, { args, answer }: CachedAnswer, changes: number): boolean => {
    const documents = op === Op.find ? (answer as { _id: Id }[]) : []
    const last = documents[documents.length - 1]?._id ?? null
    this.validityArguments.begin('arguments').array(4).number(op).number(changes).number(documents.length).value(last).raw(args)
    return this.value(Op.stillValid, this.validityArguments) as boolean
  }
}
