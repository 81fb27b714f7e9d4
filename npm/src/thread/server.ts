import type { Calls } from '../connection/calls.js'
import type { FileType, NativeBackend } from '../engine/bridge.js'
import { AtomicDBError } from '../errors.js'
import { LocalConnection } from '../connection/local-connection.js'
import { writingOps } from '../engine/ops.js'
import type { OpenOptions, StorageBackend } from '../types.js'
import { OPFSLog } from '../storage/opfs-log.js'
import type { WorkerBackend } from '../storage/traits.js'
import { RemoteStorage, type StorageKind } from './remote-storage.js'
import type { Question } from './replay.js'
import { Given, Wire, type Handlers, type Port } from './rpc.js'

/** What the other thread wants opened. */
export interface Opening {
  readonly name: string
  /** 'other thread': a storage that is there, and is asked for by messages. */
  readonly backend: NativeBackend | WorkerBackend | 'other thread' | null
  readonly storage: StorageKind | undefined
  readonly wasm: WebAssembly.Module
  readonly options: Pick<OpenOptions, 'inMemory' | 'durability' | 'maxDocumentBytes' | 'maxDepth'>
  readonly reportsProgress: boolean
}

/** What was answered, and of which state of the database. */
export interface Reply {
  readonly pieces: Uint8Array[]
  readonly version: number
  /** The newest batch that the answer has seen. */
  readonly head: number
}

/** Serves one database to the other end of `port`, a RemoteConnection. */
export function serve(port: Port): void {
  new Host(port)
}

interface Asked {
  readonly question: Question
  /** The batch that the answer has to have seen, and all before it. */
  readonly after: number
}

class Host {
  private readonly wire: Wire
  private storage: RemoteStorage | undefined
  private connection!: LocalConnection
  private readonly attempts = new Map<number, Calls>() // by transaction

  constructor(port: Port) {
    const handlers: Handlers = {
      open: (opening: Opening) => this.open(opening),
      read: ({ question, after }: Asked) => this.read(question, after),
      write: ({ question, after }: Asked) => this.write(question, after),
      transaction: ({ id, after }: { id: number; after: number }) => this.transaction(id, after),
      inside: ({ id, question }: { id: number; question: Question }) => this.inside(id, question),
      exportFile: async (type: FileType) => given([await this.connection.exportFile(type) as Uint8Array<ArrayBuffer>], ([file]) => file),
      parseFile: ({ file, type }: { file: Uint8Array; type: FileType }) => this.connection.parseFile(file, type),
      verify: () => this.connection.verify(),
      flush: () => this.connection.flush(),
      commit: () => this.connection.commit(),
      close: () => this.connection.close(),
      storageChanged: (seq: number) => this.storage?.tell(seq),
    }
    this.wire = new Wire(port, handlers)
  }

  private async open({ name, backend, storage, wasm, options, reportsProgress }: Opening): Promise<void> {
    let where: NativeBackend | StorageBackend | null
    if (backend === 'other thread') where = this.storage = new RemoteStorage(this.wire, storage!)
    else if (backend?.kind === 'opfs') where = new OPFSLog(backend.name) // which calls nobody before the engine is off the stack
    else where = backend
    const onProgress = reportsProgress ? (done: number, total: number) => this.wire.tell('progress', [done, total]) : undefined
    this.connection = await LocalConnection.open(name, where, { ...options, wasm, ...(onProgress && { onProgress }) })
  }

  /** Undefined, if the database holds that batch; otherwise resolves when it does. */
  private reached(after: number): Promise<void> | undefined {
    return this.connection.head < after ? this.catchUpTo(after) : undefined
  }

  private async catchUpTo(after: number): Promise<void> {
    for (let tries = 0; this.connection.head < after && tries < 10; tries++) {
      await this.connection.catchUp()
      // What others have stored waits while writes are on their way here; storing these meets it.
      if (this.connection.head < after && this.attempts.size === 0) await this.connection.flush().catch(() => {})
    }
  }

  private async read(question: Question, after: number): Promise<Given> {
    const reached = this.reached(after)
    if (reached) await reached
    return this.connection.read(() => this.reply(question))
  }

  /** Several times if another writer is faster; the answer is that of the last. */
  private async write(question: Question, after: number): Promise<Given> {
    const reached = this.reached(after)
    if (reached) await reached
    const pieces = await this.connection.write(() => () => this.connection.answer(question.op, question.input, question.pieces))
    return this.given(pieces)
  }

  /** What the function over there has thrown stays there. */
  private async transaction(id: number, after: number): Promise<Given> {
    const reached = this.reached(after)
    if (reached) await reached
    const failed = new AtomicDBError('internal', 'the function has thrown')
    try {
      await this.connection.transaction(async (calls) => {
        this.attempts.set(id, calls)
        if (!(await this.wire.ask<boolean>('attempt', id))) throw failed
      })
    } catch (error) {
      if (error !== failed) throw error
    } finally {
      this.attempts.delete(id)
    }
    return this.given([])
  }

  private inside(id: number, question: Question): Promise<Given> {
    const calls = this.attempts.get(id)
    if (!calls) throw new AtomicDBError('closed', 'the transaction has ended')
    const ask = () => this.reply(question)
    return writingOps.has(question.op) ? calls.write(() => ask) : calls.read(ask)
  }

  private reply({ op, input, pieces }: Question): Given {
    return this.given(this.connection.answer(op, input, pieces))
  }

  private given(pieces: Uint8Array<ArrayBuffer>[]): Given {
    const { version, head } = this.connection
    return given(pieces, () => ({ pieces, version, head }) satisfies Reply)
  }
}

function given(bytes: Uint8Array<ArrayBuffer>[], value: (bytes: Uint8Array[]) => unknown): Given {
  return new Given(value(bytes), bytes.map(({ buffer }) => buffer))
}
