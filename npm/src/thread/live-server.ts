import type { LiveUpdate } from '../connection/live.js'
import type { LocalConnection } from '../connection/local-connection.js'
import type { LiveReply, LiveRequest } from './remote-live.js'
import { packed, type RpcChannel } from './rpc.js'

interface Served {
  readonly call: LiveRequest['call']
  readonly watch: LiveRequest['watch']
  /** Undefined until it is open. */
  stop: (() => void) | undefined
}

/** Keeps answers current for the other end of a channel, and tells its feeds when there are changes. */
export class LiveServer {
  private readonly all = new Map<number, Served>() // by id
  private missed: Set<number> | undefined // while nothing is told: what would have been
  private hasMissedChanges = false

  /** @param reached Undefined if the engine holds a batch; otherwise a promise that resolves when it does. */
  constructor(
    private readonly channel: RpcChannel,
    private readonly connection: LocalConnection,
    private readonly reached: (after: number) => Promise<void> | undefined,
  ) {}

  async open({ id, call, watch, after }: LiveRequest): Promise<void> {
    this.end(id)
    const served: Served = { call, watch, stop: undefined }
    this.all.set(id, served)
    const reached = this.reached(after)
    if (reached) await reached
    this.start(id, served)
  }

  private start(id: number, served: Served): void {
    if (this.all.get(id) !== served) return
    const { call, watch } = served
    const ask = () => (call ? this.connection.resultOf(call.op, call.args, call.pieces) : [])
    served.stop = this.connection.live({ call, watch, ask }, { told: (update) => this.tell(id, update), ended: () => {} })
  }

  end(id: number): void {
    this.all.get(id)?.stop?.()
    this.all.delete(id)
  }

  endAll(): void {
    for (const id of [...this.all.keys()]) this.end(id)
  }

  /** Tells nothing until {@link goOn}: the other end is a page that is about to be frozen. */
  pause(): void {
    this.missed ??= new Set()
  }

  /** Asks once what has changed meanwhile. */
  goOn(): void {
    const missed = this.missed ?? []
    this.missed = undefined
    if (this.hasMissedChanges) this.tellStored()
    this.hasMissedChanges = false
    for (const id of missed) {
      const served = this.all.get(id)
      if (!served) continue
      served.stop?.()
      this.start(id, served)
    }
  }

  /** Tells the feeds of the other end that changes are stored. */
  tellStored(): void {
    if (this.missed) this.hasMissedChanges = true
    else this.channel.notify('stored', this.connection.head)
  }

  private tell(id: number, update: LiveUpdate<Uint8Array<ArrayBuffer>[]>): void {
    if (this.missed) {
      this.missed.add(id)
      return
    }
    const { head } = this.connection
    const reply = (update: LiveReply['update']): LiveReply => ({ id, head, update })
    if ('answer' in update) this.channel.notify('told', reply({ pieces: update.answer }), update.answer.map(({ buffer }) => buffer))
    else this.channel.notify('told', reply('error' in update ? { error: packed(update.error) } : update))
  }
}
