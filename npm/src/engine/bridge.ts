import { Decoder } from '../msgpack/decode.js'
import { Encoder } from '../msgpack/encode.js'
import { AtomicDBError, invalid, type ErrorCode } from '../errors.js'
import { instantiate, type Exports } from './go-runtime.js'
import { compiled, type WasmSource } from '../load.js'
import { maxInput, protocol, type Op } from './ops.js'
import type { Batch, Report, StorageBackend } from '../types.js'

/** A log kept by an adapter written in Go. */
export interface NativeBackend {
  readonly kind: 'indexeddb'
  readonly name: string
}

/** What the engine tells a database. */
export interface Listeners {
  readonly durability: 'relaxed' | 'strict'
  readonly maxDocumentBytes?: number
  readonly maxDepth?: number
  readonly onProgress?: (done: number, total: number) => void
  /** Called as everything not yet stored is undone. Go is on the stack: it may only take a note. */
  readonly onRollback: () => void
  /** Called when batches of others wait for what has begun to end: catchUp then. Go is on the stack: it may only take a note. */
  readonly onPutOff: () => void
}

/** The functions that wait for storage, which the engine puts here when it starts. See jsbridge/async_js.go. */
export interface Host {
  protocol: number
  open(name: string, backend: NativeBackend | StorageBackend | null, listeners: Listeners): Promise<number>
  /** 0: stored. 1: another writer was faster; everything not yet stored is undone, and the caller does it again. */
  flush(handle: number): Promise<0 | 1>
  /** Stores everything at once; on an error nothing is undone. */
  commit(handle: number): Promise<void>
  /** Applies what others have stored. */
  catchUp(handle: number): Promise<void>
  close(handle: number): Promise<void>
  destroy(backend: NativeBackend | StorageBackend): Promise<void>
  log(backend: NativeBackend): Promise<StorageBackend>
  exportFile(handle: number, type: FileType): Promise<Uint8Array>
  parseFile(file: Uint8Array, type: FileType): Promise<ParsedFile>
  documentFile(type: FileType): Promise<DocumentFile>
  verify(handle: number): Promise<Omit<Report, 'ok'>>
  repair(backend: NativeBackend | StorageBackend, options: object): Promise<Omit<Report, 'ok'>>
  /** See storage/logfile. */
  exportRaw(backend: NativeBackend | StorageBackend, identity: Uint8Array): Promise<Uint8Array>
  importRaw(backend: NativeBackend | StorageBackend, file: Uint8Array): Promise<void>
  parseRawFile(file: Uint8Array): Promise<Batch[]>
}

/** How a file of documents is written. */
export type FileType = 'json' | 'msgpack'

/** What a file of documents holds: pieces of documents to insert, in this order, and then indexes to create. */
export interface ParsedFile {
  readonly sections: readonly { readonly collection: string; readonly upsert: boolean; readonly pieces: readonly Uint8Array[] }[]
  readonly indexes: readonly { readonly collection: string; readonly paths: readonly string[]; readonly unique: boolean; readonly sparse: boolean; readonly name: string }[]
}

/** What is in one file of documents. See storage/documentfile.go. */
export interface DocumentFile {
  load(file: Uint8Array | null): Promise<void>
  /** A frame with everything, as number `seq`. */
  snapshot(seq: number): Promise<Uint8Array>
  /** The file as it has to be after the frame of batch `seq`. */
  apply(seq: number, frame: Uint8Array): Promise<Uint8Array>
  close(): Promise<void>
}

/** The engine: one instance of its wasm, and the memory that calls pass through. */
export class Bridge {
  /** How many bytes the last answer had. */
  answered = 0

  private bytes = new Uint8Array()
  private view = new DataView(this.bytes.buffer)
  private readonly decoder = new Decoder()
  private death: AtomicDBError | undefined
  private readonly mourners = new Set<(death: AtomicDBError) => void>()

  private constructor(
    private readonly exports: Exports,
    private readonly host: Host,
  ) {}

  /** Starts an instance of the engine in `module`. */
  static async start(module: WebAssembly.Module): Promise<Bridge> {
    let bridge: Bridge | undefined
    const { exports, host } = await instantiate(module, (reason) => bridge?.die(reason))
    if (host.protocol !== protocol) {
      throw new AtomicDBError('unsupported', 'atomicdb.wasm comes from another release than this JavaScript; serve the one of the same package')
    }
    bridge = new Bridge(exports, host)
    return bridge
  }

  /** Whether the instance has ended; then every call fails. */
  get dead(): boolean {
    return this.death !== undefined
  }

  /** Calls `listener` if the instance ends, until the returned function is called. */
  onDeath(listener: (death: AtomicDBError) => void): () => void {
    this.mourners.add(listener)
    return () => this.mourners.delete(listener)
  }

  /** The number of the state that a database is in: while it is the same, so is every answer. 0 is for one that is not usable. */
  version(handle: number): number {
    if (this.death) return 0
    try {
      return this.exports.adb_version(handle)
    } catch (error) {
      this.die(error)
      throw this.death
    }
  }

  /** The number of the newest batch that a database holds. */
  head(handle: number): number {
    if (this.death) throw this.death
    return this.exports.adb_head(handle)
  }

  /** Calls `op` with `input` and returns how many bytes the answer has; read it with the decoder, at once. */
  call(handle: number, op: Op, input: Encoder | Uint8Array): number {
    if (this.death) throw this.death
    const { length } = input
    if (length > maxInput) throw invalid(`the arguments take ${length >> 20} MiB; the limit of one call is ${maxInput >> 20} MiB`)
    let result: number
    let answer: number
    try {
      const at = address(this.exports.adb_in(length))
      if (this.bytes.length === 0) this.renewViews()
      if (input instanceof Encoder) input.copyTo(this.bytes, at)
      else this.bytes.set(input, at)
      result = this.exports.adb_call(handle, op, length)
      answer = address(this.exports.adb_out())
    } catch (error) {
      this.die(error)
      throw this.death
    }
    // After a fatal error of Go, an export returns normally.
    if (this.death) throw this.death
    if (this.bytes.length === 0) this.renewViews()
    this.decoder.begin(this.bytes, this.view, answer)
    if (result < 0) throw this.refusal()
    this.answered = result
    return result
  }

  /** Calls `op` and returns the one value that it answers. */
  value(handle: number, op: Op, input: Encoder | Uint8Array): unknown {
    return this.call(handle, op, input) === 0 ? undefined : this.decoder.value()
  }

  /**
   * Calls `op`, find or more, appends the documents of its answer to
   * `documents`, and returns how many are still to come.
   */
  documents(handle: number, op: Op, input: Encoder | Uint8Array, documents: unknown[]): number {
    this.call(handle, op, input)
    return this.decoder.piece(documents)
  }

  /** Calls `op` and returns the bytes of its answer. */
  answer(handle: number, op: Op, input: Uint8Array): Uint8Array<ArrayBuffer> {
    const length = this.call(handle, op, input)
    const at = address(this.exports.adb_out())
    return this.bytes.slice(at, at + length) as Uint8Array<ArrayBuffer>
  }

  /** Calls a function that waits for storage. Its errors become AtomicDBErrors. */
  wait<R>(work: (host: Host) => Promise<R>): Promise<R> {
    if (this.death) return Promise.reject(this.death)
    return new Promise((resolve, reject) => {
      const stop = this.onDeath(reject)
      try {
        work(this.host).then(
          (result) => {
            stop()
            resolve(result)
          },
          (error: unknown) => {
            stop()
            reject(asAtomicDBError(error))
          },
        )
      } catch (error) {
        this.die(error) // Go never throws here: the instance is gone
      }
    })
  }

  private refusal(): AtomicDBError {
    const [code, message] = this.decoder.value() as [ErrorCode, string]
    return new AtomicDBError(code, message)
  }

  // Memory that has grown has detached every view of it, whose length is 0 then.
  private renewViews(): void {
    this.bytes = new Uint8Array(this.exports.mem.buffer)
    this.view = new DataView(this.exports.mem.buffer)
  }

  private die(cause: unknown): void {
    if (this.death) return
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.death = new AtomicDBError('internal', `the engine has stopped and needs to be opened again: ${reason}`, { cause })
    const mourners = [...this.mourners]
    this.mourners.clear()
    for (const mourn of mourners) mourn(this.death)
  }
}

/** What WebAssembly gives out is signed: from 2 GiB of memory on, an address would be below 0. */
const address = (pointer: number) => pointer >>> 0

/** How many documents are still to come after a piece of an answer. */
export function documentsLeft(piece: Uint8Array): number {
  return new DataView(piece.buffer, piece.byteOffset).getUint32(4, true)
}

let current: Promise<Bridge> | undefined

/** The engine of this page or isolate: the one that runs, or else a new one from `source`. */
export function startBridge(source: WasmSource | undefined): Promise<Bridge> {
  if (current) return current
  const starting = compiled(source).then((module) => Bridge.start(module))
  current = starting
  const forget = () => {
    if (current === starting) current = undefined
  }
  starting.then((bridge) => bridge.onDeath(forget), forget)
  return starting
}

/** The error of a Promise of the engine, which has made it from a plain Error with a code. */
function asAtomicDBError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AtomicDBError) return error
  const { code } = error as Error & { code?: ErrorCode }
  return new AtomicDBError(code ?? 'internal', error.message, { cause: error.cause })
}
