import type { Bridge } from '../engine/bridge.js'
import { Op } from '../engine/ops.js'
import { Encoder } from '../msgpack/encode.js'
import type { Id } from '../types.js'
import type { Keeping } from './connection.js'
import { LocalConnection } from './local-connection.js'
import { copyOf, QueryCache, type Bucket, type CachedAnswer } from './query-cache.js'
import { TableReads } from './table-reads.js'
import { whenIdle } from './wake.js'

/** An index of so many documents is built in 25 to 45 ms of an idle page, where all is new. More would be felt. */
const idleDocuments = 20_000

/** A database whose engine runs in this thread, with the query cache. */
export class CachingConnection extends LocalConnection {
  private readonly queryCache = new QueryCache()
  private readonly validityArguments = new Encoder()
  private readonly tableReads = new TableReads(this.bridge, this.handle)

  protected constructor(bridge: Bridge, handle: number, keeping: Keeping) {
    super(bridge, handle, keeping)
    if (keeping !== 'never') whenIdle(() => this.prepareWrites())
  }

  /** Builds what the first write of a page would wait for: 45 ms with 20,000 documents and a unique index. */
  private prepareWrites(): void {
    if (!this.closing) this.buildIndexes(idleDocuments, true).catch(() => {}) // the engine has ended
  }

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

  override lookup(collection: string, path: string, key: Id): unknown {
    return this.tableReads.lookup(collection, path, key)
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
