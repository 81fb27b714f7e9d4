import type { LiveUpdate } from '../connection/live.js'
import type { LocalConnection } from '../connection/local-connection.js'
import type { LiveReply, LiveRequest } from './remote-live.js'
import { packed, type RpcChannel } from './rpc.js'

/** Keeps answers current for the other end of a channel. */
export class LiveServer {
  private readonly stops = new Map<number, (() => void) | undefined>() // by id; undefined until it is open

  /** @param reached Undefined if the engine holds a batch; otherwise a promise that resolves when it does. */
  constructor(
    private readonly channel: RpcChannel,
    private readonly connection: LocalConnection,
    private readonly reached: (after: number) => Promise<void> | undefined,
  ) {}

  async open({ id, call, after }: LiveRequest): Promise<void> {
    this.stops.set(id, undefined)
    const reached = this.reached(after)
    if (reached) await reached
    if (!this.stops.has(id)) return
    const ask = () => (call ? this.connection.resultOf(call.op, call.args, call.pieces) : [])
    this.stops.set(id, this.connection.live({ call, ask }, { told: (update) => this.tell(id, update), ended: () => {} }))
  }

  end(id: number): void {
    this.stops.get(id)?.()
    this.stops.delete(id)
  }

  endAll(): void {
    for (const id of [...this.stops.keys()]) this.end(id)
  }

  private tell(id: number, update: LiveUpdate<Uint8Array<ArrayBuffer>[]>): void {
    const { head } = this.connection
    const reply = (update: LiveReply['update']): LiveReply => ({ id, head, update })
    if ('answer' in update) this.channel.notify('told', reply({ pieces: update.answer }), update.answer.map(({ buffer }) => buffer))
    else this.channel.notify('told', reply('error' in update ? { error: packed(update.error) } : update))
  }
}
