import type { LocalConnection } from '../connection/local-connection.js'
import { closedError } from '../connection/errors.js'
import type { EngineCall } from '../connection/engine-calls.js'
import { AtomicDBError, invalid, messageOf } from '../errors.js'
import { DatabaseServer } from '../thread/database-server.js'
import { packed, type Port } from '../thread/rpc.js'
import type { Access } from './access.js'
import { packedMessage, unpackedMessage } from './wire.js'

/** What is used of a WebSocket that outlives the object in memory. */
export interface LastingSocket {
  send(message: string): void
  close(code?: number, reason?: string): void
  serializeAttachment(value: unknown): void
  deserializeAttachment(): any
}

/** What a socket carries, for the object that is made anew when it has slept. */
interface Attachment {
  readonly access: Access
  /** The live queries, by number. */
  readonly lives: readonly { readonly id: number; readonly call: EngineCall | undefined }[]
  /** Whether there is more than an attachment holds: the caller has to connect again then. */
  readonly isMore: boolean
}

interface Message {
  readonly id: number
  readonly name?: string
  readonly argument?: any
}

/** What one who may only read cannot call. */
const writing = new Set(['write', 'transaction', 'inTransaction', 'commit'])

/** What an attachment may take: Cloudflare's limit is 2,048 bytes, and a little is for its own form. */
const maxAttachment = 1_500

/** For how many seconds others wait for a transaction. */
const maxLooks = 10

/** How many live queries, feeds and earlier states one caller may have. */
const maxHeld = 1000

/** Serves the database of an object to the other end of a socket. */
export class SocketServer extends DatabaseServer {
  private readonly lasting = new Map<number, EngineCall | undefined>()
  private isOpened = false
  private attached: string | undefined // what the attachment was made of
  private deliver!: (message: unknown) => void
  private isGone = false
  private onReply: ((id: number) => void) | undefined

  private constructor(
    private readonly socket: LastingSocket,
    private readonly access: Access,
    private readonly database: () => LocalConnection,
    port: Port & { server?: SocketServer },
  ) {
    super(port)
    port.server = this
  }

  static of(socket: LastingSocket, access: Access, open: () => LocalConnection): SocketServer {
    let deliver!: (message: unknown) => void
    const port: Port & { server?: SocketServer } = {
      listen: (listener) => (deliver = listener),
      post: (messages) => port.server!.send(messages as Message[]),
    }
    const server = new SocketServer(socket, access, open, port)
    server.deliver = deliver
    return server
  }

  /** Serves a new socket. */
  static start(socket: LastingSocket, access: Access, open: () => LocalConnection): SocketServer {
    const server = SocketServer.of(socket, access, open)
    server.attach()
    return server
  }

  /** Goes on with a socket of an object that has slept. Undefined if its caller has to connect again. */
  static async wake(socket: LastingSocket, open: () => LocalConnection): Promise<SocketServer | undefined> {
    const { access, lives, isMore } = socket.deserializeAttachment() as Attachment
    if (isMore) {
      socket.close(4000, 'the object has slept')
      return undefined
    }
    const server = SocketServer.of(socket, access, open)
    await new Promise<void>((resolve) => {
      server.onReply = () => resolve()
      server.deliver([{ id: -1, name: 'open' }])
    })
    server.onReply = undefined
    server.isOpened = true
    for (const { id, call } of lives) server.lasting.set(id, call)
    server.deliver(lives.map(({ id, call }) => ({ id: 0, name: 'live', argument: { id, call, after: 0 } })))
    return server
  }

  /** Takes what the socket has received. */
  receive(text: unknown): void {
    try {
      const messages = unpackedMessage(text) as Message[]
      if (!Array.isArray(messages) || messages.some((message) => typeof message !== 'object' || message === null || !Number.isInteger(message.id))) throw new AtomicDBError('invalid', 'the message is no list of calls')
      const refusals: unknown[] = []
      for (const message of messages) {
        const error = this.refusal(message)
        if (error) refusals.push(answerTo(message, error))
        else this.take(message)
      }
      if (refusals.length > 0) this.send(refusals as Message[])
      this.attach()
    } catch (error) {
      this.socket.close(1007, messageOf(error).slice(0, 100))
      this.leave()
    }
  }

  /** Why a message is not delivered; undefined if it is. */
  private refusal({ name, argument }: Message): AtomicDBError | undefined {
    if (name === undefined) return undefined
    if (name === 'open') {
      if (this.isOpened) return invalid('open: it is open')
      this.isOpened = true
    } else if (!this.isOpened) return invalid(`${name}: it is not open`)
    if (this.access !== 'write' && writing.has(name)) return new AtomicDBError('unsupported', `${name}: this connection may only read`)
    const isNew = name === 'live' ? !this.lasting.has(argument.id) : name === 'openFeed' || name === 'at'
    if (isNew && this.lasting.size + this.held >= maxHeld) return invalid(`${name}: a connection may have at most ${maxHeld.toLocaleString('en')} live queries, feeds and earlier states`)
    return undefined
  }

  private take(message: Message): void {
    const { name, argument } = message
    if (name === 'live') this.lasting.set(argument.id, argument.call)
    else if (name === 'endLive') this.lasting.delete(argument)
    this.deliver([message])
  }

  private attach(): void {
    const lives = [...this.lasting].map(([id, call]) => ({ id, call }))
    const size = lives.reduce((size, { call }) => size + 60 + (call?.args.length ?? 0), 0)
    const isMore = this.held > 0 || size > maxAttachment
    const attached = isMore ? 'more' : lives.map(({ id }) => id).join()
    if (attached === this.attached) return
    this.attached = attached
    this.socket.serializeAttachment({ access: this.access, lives: isMore ? [] : lives, isMore } satisfies Attachment)
  }

  private send(messages: Message[]): void {
    if (this.isGone) return
    if (this.onReply) return this.onReply(messages[0]!.id)
    const text = packedMessage(messages) // the channel tells the call why it throws
    try {
      this.socket.send(text)
    } catch {
      this.leave() // it is closed, which an event tells too
    }
  }

  /** The socket is closed: what its caller has begun ends. */
  leave(): void {
    if (this.isGone) return
    this.isGone = true
    this.channel.stop(closedError())
    void this.stopListening()
  }

  protected override async connect(): Promise<LocalConnection> {
    return this.database()
  }

  /** The object keeps its database open. */
  protected override close(): Promise<void> {
    return this.stopListening()
  }

  /** Others wait for the end of a transaction, which a caller may never tell. */
  protected override limitRun(): () => void {
    let looks = 0
    const timer = setInterval(() => {
      looks = this.connection.waitingCalls > 0 ? looks + 1 : 0
      if (looks < maxLooks) return
      clearInterval(timer)
      this.stopped = new AtomicDBError('timeout', `transaction: it has taken ${maxLooks} seconds while other calls waited`)
      this.connection.stopTransaction(this.stopped)
    }, 1000)
    return () => clearInterval(timer)
  }
}

/** A live query is told of its error as of its answers. */
function answerTo({ id, name, argument }: Message, error: AtomicDBError): object {
  if (name !== 'live') return { id, error: packed(error) }
  return { id: 0, name: 'told', argument: { id: argument.id, head: 0, update: { error: packed(error) } } }
}
