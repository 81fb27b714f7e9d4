import { AtomicDBError, type ErrorCode } from '../errors.js'

/** One end of a channel between threads. */
export interface Port {
  post(message: unknown, transfer: Transferable[]): void
  listen(listener: (message: unknown) => void): void
}

/** What one end can be asked: each name is a function of one argument. */
export type Handlers = Record<string, (argument: any) => unknown>

/** Bytes to be given away with an answer, instead of copied. */
export class Given {
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
 * Questions and answers between two threads, both of which may ask. They
 * arrive in the order they were sent; those of one tick together, so that all
 * writes of a tick are stored as one batch, as they are without a thread.
 */
export class Wire {
  private readonly waiting = new Map<number, { resolve(value: any): void; reject(error: unknown): void }>()
  private asked = 0
  private leaving: Message[] = [] // when this tick is over
  private transfer: Transferable[] = [] // of them
  private end: AtomicDBError | undefined

  /** @param onBusy Called when the first answer is waited for, and when there is none left to wait for. */
  constructor(
    private readonly port: Port,
    private readonly handlers: Handlers,
    private readonly onBusy: (busy: boolean) => void = () => {},
  ) {
    port.listen((messages) => {
      for (const message of messages as Message[]) this.receive(message)
    })
  }

  /** Asks the other end, at once. Its errors become the rejection, AtomicDBErrors as such. */
  ask<R = any>(name: string, argument?: unknown, transfer: Transferable[] = []): Promise<R> {
    if (this.end) return Promise.reject(this.end)
    return new Promise((resolve, reject) => {
      const id = ++this.asked
      this.send({ id, name, argument }, transfer)
      if (this.waiting.size === 0) this.onBusy(true)
      this.waiting.set(id, { resolve, reject })
    })
  }

  /** Tells the other end, which answers nothing. */
  tell(name: string, argument?: unknown): void {
    if (!this.end) this.send({ id: 0, name, argument })
  }

  /** Whether it has been stopped. */
  get isStopped(): boolean {
    return this.end !== undefined
  }

  /** Rejects all that waits for an answer, and all that is asked later. */
  stop(error: AtomicDBError): void {
    this.end ??= error
    const waiting = [...this.waiting.values()]
    this.waiting.clear()
    if (waiting.length > 0) this.onBusy(false)
    for (const { reject } of waiting) reject(this.end)
  }

  private receive(message: Message): void {
    if ('name' in message) {
      void this.answer(message.id, message.name, message.argument)
      return
    }
    const asker = this.waiting.get(message.id)
    if (!asker) return
    this.waiting.delete(message.id)
    if (this.waiting.size === 0) this.onBusy(false)
    if ('error' in message) asker.reject(unpacked(message.error))
    else asker.resolve(message.value)
  }

  private async answer(id: number, name: string, argument: unknown): Promise<void> {
    try {
      const answer = await this.handlers[name]!(argument)
      if (id === 0 || this.end) return
      if (answer instanceof Given) this.send({ id, value: answer.value }, answer.transfer)
      else this.send({ id, value: answer })
    } catch (error) {
      if (id !== 0 && !this.end) this.send({ id, error: packed(error) })
    }
  }

  private send(message: Message, transfer: Transferable[] = []): void {
    if (this.leaving.push(message) === 1) queueMicrotask(() => this.post())
    this.transfer.push(...transfer)
  }

  private post(): void {
    const { leaving, transfer } = this
    this.leaving = []
    this.transfer = []
    this.port.post(leaving, transfer)
  }
}

/** An error on its way: copying one keeps neither its class nor, always, its name. */
interface Packed {
  readonly code: ErrorCode | undefined
  readonly name: string
  readonly message: string
  readonly cause: Packed | undefined
  readonly usage: number | undefined
  readonly quota: number | undefined
}

/** How many causes go along: they are the user's, and can go round in a circle. */
const mostCauses = 8

function packed(error: unknown, causes = mostCauses): Packed {
  try {
    const { name = 'Error', message = String(error ?? ''), cause, usage, quota } = Object(error) as Partial<AtomicDBError>
    const code = error instanceof AtomicDBError ? error.code : undefined
    return { code, name: String(name), message: String(message), cause: cause === undefined || causes === 0 ? undefined : packed(cause, causes - 1), usage, quota }
  } catch {
    return { code: undefined, name: 'Error', message: 'an object that does not say what it is', cause: undefined, usage: undefined, quota: undefined }
  }
}

function unpacked({ code, name, message, cause, usage, quota }: Packed): Error {
  const options = cause && { cause: unpacked(cause) }
  if (!code) return Object.assign(new Error(message, options), { name })
  return Object.assign(new AtomicDBError(code, message, options), quota !== undefined && { usage, quota })
}
