import type { Calls, ConnectionCalls } from '../connection/calls.js'
import { Op } from '../engine/ops.js'
import { AtomicDBError } from '../errors.js'
import { encoding } from '../msgpack/encode.js'
import { Alarm, Follower, type Part } from './follower.js'

/** The changes of one batch. */
interface Step {
  parts: Uint8Array[]
  bytes: number
}

/** How many bytes of changes are kept. Of a larger batch, and of what is before it, nothing can be undone. */
const maxBytes = 32 << 20

/**
 * What a database has written, to be undone batch by batch. To undo a batch is to write the opposite of it, which is a
 * batch too; to redo is to undo that one.
 */
export class UndoHistory {
  private readonly undoable: Step[] = [] // the newest last
  private readonly redoable: Step[] = []
  private bytes = 0 // of all these
  private readonly expected = new Map<number, Step[]>() // where batches that undo or redo has written go, by number
  private collecting: Step = { parts: [], bytes: 0 } // the batch that is not over
  private alarm = new Alarm()
  private follower: Follower
  private isTaking: Promise<void> | undefined
  private last: Promise<unknown> | undefined // undo and redo, one after the other
  private isOver = false

  /** @param maxSteps How many batches are kept. */
  constructor(
    private readonly calls: ConnectionCalls,
    private readonly maxSteps: number,
  ) {
    this.follower = new Follower(calls, undefined, this.alarm.wake)
    void this.run()
  }

  undo(): Promise<boolean> {
    return this.serial(() => this.revert('undo', this.undoable, this.redoable))
  }

  redo(): Promise<boolean> {
    return this.serial(() => this.revert('redo', this.redoable, this.undoable))
  }

  private serial<R>(work: () => Promise<R>): Promise<R> {
    // At once if it can: then the transaction knows whether it is called inside another one.
    const result = this.last ? this.last.then(work) : work()
    const last = (this.last = result.catch(() => {}).then(() => {
      if (this.last === last) this.last = undefined
    }))
    return result
  }

  /** Undoes the newest of the steps `from`; its opposite goes to the steps `to`. Resolves to whether there was one. */
  private async revert(name: string, from: Step[], to: Step[]): Promise<boolean> {
    let step: Step | undefined
    let seq = 0 // of the batch that the transaction writes
    let changed = 0
    const run = async (tx: Calls) => {
      this.expected.delete(seq)
      await this.take() // nobody writes now, so the newest step is the newest batch
      step = from[from.length - 1]
      if (!step) return
      const args = encoding('arguments', (encoder) => {
        encoder.array(1).string(name)
        for (const part of step!.parts) encoder.raw(part)
        return encoder.taken()
      })
      const written = await tx.write(() => (engine) => engine.value(Op.revert, args) as [changed: number, head: number])
      changed = written[0]
      seq = written[1] + 1 // nobody else writes, or this runs again
      if (changed > 0) this.expected.set(seq, to)
    }
    try {
      await this.calls.transaction(run)
    } catch (error) {
      this.expected.delete(seq)
      throw error
    }
    if (!step) return false
    const at = from.lastIndexOf(step)
    if (at >= 0) {
      from.splice(at, 1)
      this.bytes -= step.bytes
    }
    if (changed === 0) this.keep(step, to) // the changes of the batch have cancelled each other: there is no other batch
    await this.take()
    return true
  }

  /** Notes every batch until the database is closed. */
  private async run(): Promise<void> {
    while (!this.isOver) {
      this.alarm.reset()
      await this.take()
      if (this.follower.isClosed) this.isOver = true
      else await this.alarm.wait()
    }
  }

  /** Notes what there is at present. */
  private take(): Promise<void> {
    return (this.isTaking = (this.isTaking ?? Promise.resolve()).then(() => this.takeOnce()))
  }

  private async takeOnce(): Promise<void> {
    try {
      for (let parts = await this.follower.next(); parts.length > 0; parts = await this.follower.next()) {
        for (const part of parts) this.note(part)
      }
    } catch (error) {
      if (this.follower.isClosed) return
      // What has been missed cannot be undone, and nothing before it.
      this.forget()
      if (error instanceof AtomicDBError && error.code === 'not_found') this.follower = new Follower(this.calls, undefined, this.alarm.wake)
      else this.isOver = true
    }
  }

  private note({ seq, local, isLast, from, bytes }: Part): void {
    if (!local) return
    if (from === 0) this.collecting = { parts: [], bytes: 0 }
    const step = this.collecting
    step.bytes += bytes.length
    if (step.bytes <= maxBytes) step.parts.push(bytes.slice())
    else step.parts = [] // it will not be kept
    if (!isLast) return
    this.collecting = { parts: [], bytes: 0 }
    const to = this.expected.get(seq)
    this.expected.delete(seq)
    if (!to) {
      for (const step of this.redoable.splice(0)) this.bytes -= step.bytes
    }
    this.keep(step, to ?? this.undoable)
  }

  private keep(step: Step, to: Step[]): void {
    to.push(step)
    this.bytes += step.bytes
    while (to.length > 0 && (to.length > this.maxSteps || this.bytes > maxBytes)) this.bytes -= to.shift()!.bytes
  }

  private forget(): void {
    this.undoable.length = this.redoable.length = this.bytes = 0
    this.expected.clear()
  }
}
