import type { ConnectionCalls } from '../connection/calls.js'
import type { AtomicDBError } from '../errors.js'
import { Decoder } from '../msgpack/decode.js'
import type { Change, Id } from '../types.js'
import { Alarm, Follower, type Part } from './follower.js'
import { guarded, report } from './report.js'

/** What the changes of a database are asked for. */
export interface StreamOptions {
  readonly since: number | undefined
  readonly collection: string | undefined
  readonly signal: AbortSignal | undefined
}

/** The changes of a database, one by one. It begins where it is made, and ends when the database is closed. */
export class ChangeStream<T = any> implements AsyncIterableIterator<Change<T>> {
  private readonly alarm = new Alarm()
  private readonly follower: Follower
  private readonly reader: PartReader
  private isOver = false
  private ready: Change<T>[] = [] // to be handed out, from `taken` on
  private taken = 0
  private last: Promise<unknown> = Promise.resolve()
  private readonly stopListening: () => void

  constructor(calls: ConnectionCalls, { since, collection, signal }: StreamOptions) {
    this.reader = new PartReader(collection)
    this.follower = new Follower(calls, since, this.alarm.wake)
    const end = () => this.end()
    this.stopListening = () => signal?.removeEventListener('abort', end)
    signal?.addEventListener('abort', end)
    if (signal?.aborted) this.end()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Change<T>, undefined>> {
    const next = this.last.then(async () => {
      if (this.taken === this.ready.length && !(await this.fill())) return { done: true, value: undefined } as const
      if (this.isOver) return { done: true, value: undefined } as const
      return { done: false, value: this.ready[this.taken++]! } as const
    })
    this.last = next.catch(() => {})
    return next
  }

  async return(): Promise<IteratorResult<Change<T>, undefined>> {
    this.end()
    return { done: true, value: undefined }
  }

  /** Calls `listener` with each change until the stream ends. What it throws is reported. */
  async tell(listener: (change: Change<T>) => void): Promise<void> {
    while (await this.fill()) {
      for (const change of this.ready) {
        if (this.isOver) return
        try {
          listener(change)
        } catch (error) {
          report(error)
        }
      }
    }
  }

  /** Waits for changes. Resolves to whether there are some; otherwise the stream is over. */
  private async fill(): Promise<boolean> {
    try {
      while (!this.isOver) {
        this.alarm.reset()
        const parts = await this.follower.next()
        this.ready = this.reader.read(parts) as Change<T>[]
        this.taken = 0
        if (this.ready.length > 0) return !this.isOver
        if (this.follower.isClosed) this.end()
        if (parts.length === 0 && !this.isOver) await this.alarm.wait()
      }
    } catch (error) {
      const isExpected = this.isOver || this.follower.isClosed
      this.end()
      if (!isExpected) throw error
    }
    return false
  }

  private end(): void {
    if (this.isOver) return
    this.isOver = true
    this.ready = []
    this.taken = 0
    this.stopListening()
    this.follower.close()
    this.alarm.wake()
  }
}

/** Calls `listener` with each change from now on, and `onError` if no more can be told. Returns what stops that. */
export function onChange(calls: ConnectionCalls, listener: (change: Change) => void, onError: (error: AtomicDBError) => void = report): () => void {
  const stream = new ChangeStream(calls, { since: undefined, collection: undefined, signal: undefined })
  void stream.tell(listener).catch((error: AtomicDBError) => guarded(() => onError(error)))
  return () => void stream.return()
}

/** Makes changes of the parts of batches. */
class PartReader {
  private readonly decoder = new Decoder()
  private batch = { seq: -1, read: 0 } // the batch that is not over, and how many changes of it were read
  private pending: Change | undefined // the last change of it: when the next comes, it is known not to be the last of all

  constructor(private readonly collection: string | undefined) {}

  read(parts: readonly Part[]): Change[] {
    const changes: Change[] = []
    for (const part of parts) this.readPart(part, changes)
    return changes
  }

  private readPart({ seq, local, isLast, from, count, bytes }: Part, changes: Change[]): void {
    const before = this.batch.seq === seq ? this.batch.read : 0 // after the end of an engine, the batch comes again
    this.decoder.begin(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0)
    for (let i = from; i < from + count; i++) {
      const [collection, type, id, document, was] = this.decoder.value() as [string, number, Id, unknown, unknown]
      if (i < before || (this.collection !== undefined && collection !== this.collection)) continue
      if (this.pending) changes.push(this.pending)
      this.pending = { seq, collection, type: types[type]!, id, local, last: false }
      if (document !== null) this.pending.document = document
      if (was !== null) this.pending.before = was
    }
    this.batch = isLast ? { seq: -1, read: 0 } : { seq, read: Math.max(before, from + count) }
    if (!isLast || !this.pending) return
    changes.push({ ...this.pending, last: true })
    this.pending = undefined
  }
}

const types = ['insert', 'update', 'remove'] as const
