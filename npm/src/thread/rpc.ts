import { AtomicDBError, EngineEndError, type ErrorCode } from '../errors.js'

/** One end of a channel between threads. */
export interface Port {
  post(message: unknown, transfer: Transferable[]): void
  listen(listener: (message: unknown) => void): void
}

/** What one end can be called for: each name is a function of one argument. */
export type Handlers = Record<string, (argument: any) => unknown>

/** The result of a handler, with the buffers in it that are transferred instead of copied. */
export class Transferred {
  constructor(
    readonly value: unknown,
    readonly transfer: Transferable[],
  ) {}
}

type Message =
  | { readonly id: number; readonly name: string; readonly argument: unknown }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: Packed }

/**
 * Calls between two threads, in both directions. Messages arrive in the order
 * in which they were sent, all messages of a tick together: so all writes of
 * a tick are stored as one batch, as they are without a thread.
 */
export class RpcChannel {
  // Calls without a reply, by id.
  private readonly waiting = new Map<number, { resolve(value: any): void; reject(error: unknown): void }>()
  private lastId = 0
  private outgoing: Message[] = [] // to be posted at the end of this tick
  private transfer: Transferable[] = [] // with them
  private stopError: AtomicDBError | undefined

  /**
   * @param onBusy Called with true when the first call waits for its reply, and with false when none waits any more.
   * @param schedule Starts the calls of the other end, in their order. Default: at once.
   */
  constructor(
    private readonly port: Port,
    private readonly handlers: Handlers,
    private readonly onBusy: (busy: boolean) => void = () => {},
    private readonly schedule: (start: () => Promise<void>) => void = (start) => void start(),
  ) {
    port.listen((messages) => {
      for (const message of messages as Message[]) this.receive(message)
    })
  }

  /** Calls a handler of the other end. If that throws an AtomicDBError, the promise rejects with an equal one. */
  call<R = any>(name: string, argument?: unknown, transfer: Transferable[] = []): Promise<R> {
    if (this.stopError) return Promise.reject(this.stopError)
    return new Promise((resolve, reject) => {
      const id = ++this.lastId
      this.send({ id, name, argument }, transfer)
      if (this.waiting.size === 0) this.onBusy(true)
      this.waiting.set(id, { resolve, reject })
    })
  }

  /** Calls a handler of the other end, without a reply. */
  notify(name: string, argument?: unknown, transfer?: Transferable[]): void {
    if (!this.stopError) this.send({ id: 0, name, argument }, transfer)
  }

  /** Rejects every call that waits for its reply, and every later one. */
  stop(error: AtomicDBError): void {
    this.stopError ??= error
    const waiting = [...this.waiting.values()]
    this.waiting.clear()
    if (waiting.length > 0) this.onBusy(false)
    for (const { reject } of waiting) reject(this.stopError)
  }

  private receive(message: Message): void {
    if ('name' in message) {
      this.schedule(() => this.handle(message.id, message.name, message.argument))
      return
    }
    const caller = this.waiting.get(message.id)
    if (!caller) return
    this.waiting.delete(message.id)
    if (this.waiting.size === 0) this.onBusy(false)
    if ('error' in message) caller.reject(unpacked(message.error))
    else caller.resolve(message.value)
  }

  private async handle(id: number, name: string, argument: unknown): Promise<void> {
    try {
      if (!Object.hasOwn(this.handlers, name)) throw new AtomicDBError('invalid', `the message is no call: there is no ${String(name)}`)
      const result = await this.handlers[name]!(argument)
      if (id === 0 || this.stopError) return
      if (result instanceof Transferred) this.send({ id, value: result.value }, result.transfer)
      else this.send({ id, value: result })
    } catch (error) {
      if (id !== 0 && !this.stopError) this.send({ id, error: packed(error) })
    }
  }

  private send(message: Message, transfer: Transferable[] = []): void {
    if (this.outgoing.push(message) === 1) queueMicrotask(() => this.post())
    for (const buffer of transfer) this.transfer.push(buffer)
  }

  private post(): void {
    const { outgoing, transfer } = this
    this.outgoing = []
    this.transfer = []
    try {
      this.port.post(outgoing, transfer)
    } catch (error) {
      this.postSingly(outgoing, error)
    }
  }

  /** Posts messages of which one cannot be cloned or transferred, so that only its call fails. */
  private postSingly(messages: Message[], error: unknown): void {
    for (const message of messages) {
      try {
        this.port.post([message], [])
      } catch {
        if (!('name' in message)) this.port.post([{ id: message.id, error: packed(error) } satisfies Message], [])
        else this.receive({ id: message.id, error: packed(error) })
      }
    }
  }
}

/** An error as a message carries it: a structured clone loses the class and sometimes the name. */
export interface Packed {
  /** Whether it is an AtomicDBError. */
  readonly isOurs: boolean
  readonly name: string
  readonly message: string
  /** An error of the host may have one too, such as ENOSPC. */
  readonly code?: string
  readonly cause?: Packed
  readonly usage?: number
  readonly quota?: number
  readonly errors?: AtomicDBError['errors']
  /** Of an EngineEndError. */
  readonly reason?: string
}

/** How many causes are sent with an error. They come from the user, and may form a cycle. */
const maxCauses = 8

export function packed(error: unknown, causes = maxCauses): Packed {
  try {
    const { name = 'Error', message = String(error ?? ''), code, cause, usage, quota, errors, reason } = Object(error) as Partial<EngineEndError>
    const isOurs = error instanceof AtomicDBError
    return {
      isOurs,
      name: String(name),
      message: String(message),
      ...(typeof code === 'string' && { code }),
      ...(cause !== undefined && causes > 0 && { cause: packed(cause, causes - 1) }),
      ...(isOurs && { usage, quota, errors, reason }),
    } as Packed
  } catch {
    return { isOurs: false, name: 'Error', message: 'an error that cannot be read' }
  }
}

export function unpacked({ isOurs, name, message, code, cause, usage, quota, errors, reason }: Packed): Error {
  const options = cause && { cause: unpacked(cause) }
  if (!isOurs) return Object.assign(new Error(message, options), { name }, code !== undefined && { code })
  if (reason !== undefined) return Object.assign(new EngineEndError(reason, options?.cause, code as ErrorCode), { message })
  return Object.assign(new AtomicDBError(code as ErrorCode, message, options), quota !== undefined && { usage, quota }, errors && { errors })
}
