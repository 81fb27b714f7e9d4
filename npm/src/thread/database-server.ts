import type { Calls } from '../connection/calls.js'
import type { EngineCall } from '../connection/engine-calls.js'
import { closedError, transactionEndedError } from '../connection/errors.js'
import type { Feed } from '../connection/feeds.js'
import type { LocalConnection } from '../connection/local-connection.js'
import type { FileType } from '../engine/async-engine.js'
import { Op, writingOps } from '../engine/ops.js'
import { AtomicDBError } from '../errors.js'
import { LiveServer } from './live-server.js'
import type { LiveRequest } from './remote-live.js'
import { RpcChannel, Transferred, type Handlers, type Port } from './rpc.js'

/** The result of an engine call, and the state of the database that it is of. */
export interface Reply {
  readonly pieces: Uint8Array[]
  readonly version: number
  /** The newest batch that the engine held. */
  readonly head: number
}

interface Request {
  readonly call: EngineCall
  /** The newest batch that the caller has seen: the engine must hold it, and all before it. */
  readonly after: number
  /** Becomes 1 when nobody waits for the reply any more. */
  readonly stop?: Int32Array
  /** Which earlier state is to be read. */
  readonly state?: number
}

/** A transaction whose function runs in the other thread. */
interface Run {
  readonly calls: Calls
  /** How many savepoints in it are open. */
  savepoints: number
}

/** The other end of a RemoteConnection. */
export abstract class DatabaseServer {
  readonly channel: RpcChannel
  protected connection!: LocalConnection
  private lives: LiveServer | undefined
  private readonly feeds = new Map<number, Feed>()
  private readonly states = new Map<number, LocalConnection>() // earlier ones
  private lastState = 0
  private openingStates = 0
  private readonly runs = new Map<number, Run>() // by transaction

  /** Why the last transaction of the other end was stopped, which ends those that it has called before that too. */
  protected stopped: AtomicDBError | undefined

  /** @param schedule See RpcChannel. */
  constructor(port: Port, schedule?: (start: () => Promise<void>) => void) {
    const handlers: Handlers = {
      open: (opening: unknown) => this.open(opening),
      read: (request: Request) => this.read(request),
      write: (request: Request) => this.write(request),
      transaction: ({ id, after }: { id: number; after: number }) => this.transaction(id, after),
      inTransaction: ({ id, call }: { id: number; call: EngineCall }) => this.inTransaction(id, call),
      live: (request: LiveRequest) => {
        for (const call of [request.call, request.watch]) if (call) checkCall(call, isRead(call))
        return this.lives!.open(request)
      },
      endLive: (id: number) => this.lives!.end(id),
      reach: (head: number) => this.reached(head),
      catchUp: () => this.connection.catchUp(),
      goOn: () => this.connection.catchUp().finally(() => this.lives!.goOn()),
      pause: () => this.lives!.pause(),
      openFeed: ({ id, since }: { id: number; since: number | undefined }) => this.openFeed(id, since),
      nextChanges: ({ id, after }: { id: number; after: number }) => this.nextChanges(id, after),
      closeFeed: (id: number) => {
        this.feeds.get(id)?.close()
        this.feeds.delete(id)
      },
      at: ({ seq, after }: { seq: number; after: number }) => this.at(seq, after),
      closeState: async (id: number) => {
        await this.states.get(id)?.close()
        this.states.delete(id)
      },
      exportFile: async (type: FileType) => transferred([await this.connection.exportFile(type) as Uint8Array<ArrayBuffer>], ([file]) => file),
      parseFile: ({ file, type }: { file: Uint8Array; type: FileType }) => {
        if (!(file instanceof Uint8Array)) throw notACall()
        return this.connection.parseFile(file, type)
      },
      verify: () => this.connection.verify(),
      flush: () => this.connection.flush(),
      commit: () => this.connection.commit(),
      close: () => this.close(),
      storageChanged: (seq: number) => this.storageChanged(seq),
    }
    this.channel = new RpcChannel(port, handlers, undefined, schedule)
  }

  private async open(opening: unknown): Promise<void> {
    this.connection = await this.connect(opening)
    this.lives = new LiveServer(this.channel, this.connection, (after) => this.reached(after))
  }

  /** The connection that the other end is to use. */
  protected abstract connect(opening: unknown): Promise<LocalConnection>

  /** The storage in the other thread holds a new batch. */
  protected storageChanged(_seq: number): void {}

  /** Tells of the end of the engine, later than the errors of the calls, which say more. */
  tellEnd(reason: string): void {
    setTimeout(() => this.channel.notify('ended', reason))
  }

  protected close(): Promise<void> {
    return this.connection.close()
  }

  /** Ends the live queries, feeds and earlier states of the other end: others may use the connection. */
  protected async stopListening(): Promise<void> {
    this.lives?.endAll()
    for (const feed of this.feeds.values()) feed.close()
    this.feeds.clear()
    const states = [...this.states.values()]
    this.states.clear()
    for (const state of states) await state.close()
  }

  /** How many feeds and earlier states the other end has. */
  protected get held(): number {
    return this.feeds.size + this.states.size + this.openingStates
  }

  /** Undefined if the engine holds batch `after`; otherwise a promise that resolves when it does. */
  private reached(after: number): Promise<void> | undefined {
    return this.connection.head < after ? this.catchUpTo(after) : undefined
  }

  private async catchUpTo(after: number): Promise<void> {
    for (let tries = 0; this.connection.head < after && tries < 10; tries++) {
      await this.connection.catchUp()
      // The engine cannot apply batches of others while it is storing writes of its own; storing those applies them.
      if (this.connection.head < after && this.runs.size === 0) await this.connection.flush().catch(() => {})
    }
  }

  private openFeed(id: number, since: number | undefined): Promise<number> {
    if (![id, since ?? 0].every(Number.isSafeInteger)) throw notACall()
    const feed = this.connection.feed(since, { stored: () => this.lives!.tellStored(), ended: () => {} })
    this.feeds.get(id)?.close()
    this.feeds.set(id, feed)
    return feed.after
  }

  private async nextChanges(id: number, after: number): Promise<Transferred> {
    await this.reached(after)
    const feed = this.feeds.get(id)
    if (!feed) throw closedError()
    return transferred([await feed.next() as Uint8Array<ArrayBuffer>], ([changes]) => changes)
  }

  private async at(seq: number, after: number): Promise<number> {
    if (!Number.isSafeInteger(seq)) throw notACall()
    this.openingStates++
    try {
      await this.reached(after)
      const state = await this.connection.earlierState(seq)
      this.states.set(++this.lastState, state)
      return this.lastState
    } finally {
      this.openingStates--
    }
  }

  private async read({ call, after, stop, state }: Request): Promise<Transferred> {
    checkCall(call, isRead(call))
    if (state !== undefined) return this.readState(state, call, stop)
    const reached = this.reached(after)
    if (reached) await reached
    return this.connection.read(() => this.connection.interrupter.until(stop, () => this.reply(call)))
  }

  private readState(state: number, call: EngineCall, stop: Int32Array | undefined): Promise<Transferred> {
    const connection = this.states.get(state)
    if (!connection) throw closedError()
    return connection.read(() => connection.interrupter.until(stop, () => this.replyWith(connection.resultOf(call.op, call.args, call.pieces), connection)))
  }

  /** The write runs several times if another writer is faster; the reply has the result of the last run. */
  private async write({ call, after }: Request): Promise<Transferred> {
    checkCall(call, writingOps.has(call.op))
    const reached = this.reached(after)
    if (reached) await reached
    const pieces = await this.connection.write(() => () => this.connection.resultOf(call.op, call.args, call.pieces))
    return this.replyWith(pieces)
  }

  /** The function of the transaction runs in the other thread, which keeps its result or the error that it throws. */
  private async transaction(id: number, after: number): Promise<Transferred> {
    const reached = this.reached(after)
    if (reached) await reached
    const { stopped } = this
    const failed = new AtomicDBError('internal', 'the function of the transaction has thrown')
    try {
      await this.connection.transaction(async (calls) => {
        if (this.stopped !== stopped) throw this.stopped
        const run: Run = { calls, savepoints: 0 }
        this.runs.set(id, run)
        const stop = this.limitRun()
        try {
          if (!(await this.channel.call<boolean>('runTransaction', id))) throw failed
        } finally {
          stop()
          this.runs.delete(id)
          for (; run.savepoints > 0; run.savepoints--) await calls.read((engine) => engine.command(Op.rollback)).catch(() => {})
        }
      })
    } catch (error) {
      if (error !== failed) throw error
    } finally {
      this.runs.delete(id)
    }
    return this.replyWith([])
  }

  /** Limits how long the function of a transaction may run. Returns what ends the limit. */
  protected limitRun(): () => void {
    return () => {}
  }

  private inTransaction(id: number, call: EngineCall): Promise<Transferred> {
    const run = this.runs.get(id)
    if (!run) throw transactionEndedError()
    const { op } = call
    const change = op === Op.savepoint ? 1 : op === Op.release || op === Op.rollback ? -1 : 0
    checkCall(call, !ownOps.has(call.op))
    if (run.savepoints + change < 0) throw notACall()
    const reply = () => {
      const transferred = this.reply(call)
      run.savepoints += change
      return transferred
    }
    return writingOps.has(op) ? run.calls.write(() => reply) : run.calls.read(reply)
  }

  private reply({ op, args, pieces }: EngineCall): Transferred {
    return this.replyWith(this.connection.resultOf(op, args, pieces))
  }

  private replyWith(pieces: Uint8Array<ArrayBuffer>[], of = this.connection): Transferred {
    const { version, head } = of
    return transferred(pieces, () => ({ pieces, version, head }) satisfies Reply)
  }
}

const savepointOps: ReadonlySet<Op> = new Set([Op.savepoint, Op.release, Op.rollback])

/** The calls that only the connection in this thread makes. */
const ownOps: ReadonlySet<Op> = new Set([Op.more, Op.stillValid, Op.live, Op.endLive, Op.liveChanges, Op.suspend, Op.resume, Op.settle, Op.beginFlush, Op.endFlush, Op.cut, Op.apply, Op.snapshot, Op.parse])

const isRead = ({ op }: EngineCall) => !writingOps.has(op) && !savepointOps.has(op) && !ownOps.has(op)

/** Throws unless `call` is one, and the other end may make it there. Any script of the origin may post to a shared worker. */
function checkCall({ op, args }: EngineCall, isAllowed: boolean): void {
  if (!isAllowed || !Number.isInteger(op) || !(args instanceof Uint8Array)) throw notACall()
}

const notACall = () => new AtomicDBError('invalid', 'the message is no call of the engine')

function transferred(bytes: Uint8Array<ArrayBuffer>[], value: (bytes: Uint8Array[]) => unknown): Transferred {
  return new Transferred(value(bytes), bytes.map(({ buffer }) => buffer))
}
