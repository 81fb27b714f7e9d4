import type { ConnectionCalls } from '../connection/calls.js'
import type { Feed } from '../connection/feeds.js'
import { EngineEndError } from '../errors.js'

/** Some changes of one batch, one after the other. */
export interface Part {
  /** The number of the batch. */
  readonly seq: number
  /** Whether this database has written it. */
  readonly local: boolean
  /** Whether the batch has no more changes. */
  readonly isLast: boolean
  /** How many changes of the batch come before these. */
  readonly from: number
  /** How many changes these are. */
  readonly count: number
  /** The changes, each as DocumentChange.AppendTo in Go writes it. */
  readonly bytes: Uint8Array
}

/**
 * Follows the changes of a database. When its engine ends, it goes on in the next one after the last batch that it has
 * handed out whole: a batch of which it has handed out a part comes again from its start.
 */
export class Follower {
  /** Whether the database has been closed. */
  isClosed = false

  private feed: Feed | undefined
  private after: number | undefined // the last batch that was handed out whole
  private part = { seq: -1, told: 0 } // the batch of which a part was handed out, and how many changes that had
  private ends = 0 // of engines, without a change in between

  /**
   * @param since The batch after which to begin; undefined: now.
   * @param wake Called when there may be more, and when there will be no more.
   */
  constructor(
    private readonly calls: ConnectionCalls,
    since: number | undefined,
    private readonly wake: () => void,
  ) {
    this.after = since
    this.open()
  }

  private open(): Feed {
    return (this.feed ??= this.calls.feed(this.after, {
      stored: this.wake,
      ended: (error) => {
        if (!error) this.isClosed = true
        this.wake()
      },
    }))
  }

  /** The parts that come next; none if there is nothing at present. */
  async next(): Promise<Part[]> {
    for (;;) {
      try {
        const feed = this.open()
        this.after ??= await feed.after
        const parts = this.partsOf(await feed.next())
        this.ends = 0
        return parts
      } catch (error) {
        if (!(error instanceof EngineEndError) || error.code !== 'storage' || ++this.ends > maxEnds) throw error
        this.feed = undefined
        this.part = { seq: -1, told: 0 }
      }
    }
  }

  close(): void {
    this.feed?.close()
  }

  private partsOf(bytes: Uint8Array): Part[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const parts: Part[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = view.getUint32(at, true)
      const count = view.getUint32(at + 4, true)
      const seq = view.getFloat64(at + 8, true)
      const flags = view.getUint8(at + 16)
      at += 17
      const from = this.part.seq === seq ? this.part.told : 0
      const isLast = (flags & 2) !== 0
      parts.push({ seq, local: (flags & 1) !== 0, isLast, from, count, bytes: bytes.subarray(at, at + length) })
      this.part = isLast ? { seq: -1, told: 0 } : { seq, told: from + count }
      if (isLast) this.after = seq
      at += length
    }
    return parts
  }
}

/** After so many ends of engines in a row, it gives up. */
const maxEnds = 10

/** Lets one wait for a call of `wake`. A call that came before counts, since `reset`. */
export class Alarm {
  private isOn = false
  private resolve: (() => void) | undefined

  readonly wake = (): void => {
    this.isOn = true
    this.resolve?.()
  }

  reset(): void {
    this.isOn = false
  }

  async wait(): Promise<void> {
    if (!this.isOn) await new Promise<void>((resolve) => (this.resolve = resolve))
    this.resolve = undefined
  }
}
