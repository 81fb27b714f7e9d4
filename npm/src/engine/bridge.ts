import { AtomicDBError, invalid, type ErrorCode } from '../errors.js'
import { compiled, type WasmSource } from '../load.js'
import { Decoder } from '../msgpack/decode.js'
import { Encoder } from '../msgpack/encode.js'
import type { AsyncEngine } from './async-engine.js'
import { instantiate, type Exports } from './go-runtime.js'
import { maxInput, protocol, type Op } from './ops.js'

/** The engine: one instance of its wasm, and the memory through which calls pass their bytes. */
export class Bridge {
  /** How many bytes the last result had. */
  resultBytes = 0

  private bytes = new Uint8Array()
  private view = new DataView(this.bytes.buffer)
  private readonly decoder = new Decoder()
  private exitError: AtomicDBError | undefined
  private readonly exitListeners = new Set<(error: AtomicDBError) => void>()

  private constructor(
    private readonly exports: Exports,
    private readonly engine: AsyncEngine,
  ) {}

  /** Starts an instance of the engine in `module`. */
  static async start(module: WebAssembly.Module): Promise<Bridge> {
    let bridge: Bridge | undefined
    const { exports, engine } = await instantiate(module, (reason) => bridge?.exit(reason))
    if (engine.protocol !== protocol) {
      throw new AtomicDBError('unsupported', 'atomicdb.wasm comes from another release than this JavaScript; serve the one of the same package')
    }
    bridge = new Bridge(exports, engine)
    return bridge
  }

  /** Whether the engine has exited; then every call fails. */
  get hasExited(): boolean {
    return this.exitError !== undefined
  }

  /** Calls `listener` if the engine exits. Returns a function that ends this. */
  onExit(listener: (error: AtomicDBError) => void): () => void {
    this.exitListeners.add(listener)
    return () => this.exitListeners.delete(listener)
  }

  /** The version of a database: while it is the same, every answer is the same. 0 if the database is not usable. */
  version(handle: number): number {
    if (this.exitError) return 0
    try {
      return this.exports.adb_version(handle)
    } catch (error) {
      this.exit(error)
      throw this.exitError
    }
  }

  /** The number of the newest batch that a database holds. */
  head(handle: number): number {
    if (this.exitError) throw this.exitError
    return this.exports.adb_head(handle)
  }

  /** Calls `op` and returns how many bytes its result has. Read the result with the decoder before the next call. */
  call(handle: number, op: Op, args: Encoder | Uint8Array): number {
    if (this.exitError) throw this.exitError
    const { length } = args
    if (length > maxInput) throw invalid(`the arguments take ${length >> 20} MiB; the limit of one call is ${maxInput >> 20} MiB`)
    let result: number
    let out: number
    try {
      const at = address(this.exports.adb_in(length))
      if (this.bytes.length === 0) this.renewViews()
      if (args instanceof Encoder) args.copyTo(this.bytes, at)
      else this.bytes.set(args, at)
      result = this.exports.adb_call(handle, op, length)
      out = address(this.exports.adb_out())
    } catch (error) {
      this.exit(error)
      throw this.exitError
    }
    // After a fatal error of Go, an export returns normally.
    if (this.exitError) throw this.exitError
    if (this.bytes.length === 0) this.renewViews()
    this.decoder.begin(this.bytes, this.view, out)
    if (result < 0) throw this.readError()
    this.resultBytes = result
    return result
  }

  /** Calls `op` and returns its one value. */
  value(handle: number, op: Op, args: Encoder | Uint8Array): unknown {
    return this.call(handle, op, args) === 0 ? undefined : this.decoder.value()
  }

  /**
   * Calls `op`, which is find or more, appends the documents of its result to
   * `documents`, and returns how many are still to come.
   */
  documents(handle: number, op: Op, args: Encoder | Uint8Array, documents: unknown[]): number {
    this.call(handle, op, args)
    return this.decoder.piece(documents)
  }

  /** Calls `op` and returns the bytes of its result. */
  resultOf(handle: number, op: Op, args: Uint8Array): Uint8Array<ArrayBuffer> {
    const length = this.call(handle, op, args)
    const at = address(this.exports.adb_out())
    return this.bytes.slice(at, at + length) as Uint8Array<ArrayBuffer>
  }

  /** Calls a function that waits for storage. Its errors become AtomicDBErrors. */
  wait<R>(work: (engine: AsyncEngine) => Promise<R>): Promise<R> {
    if (this.exitError) return Promise.reject(this.exitError)
    return new Promise((resolve, reject) => {
      const stopListening = this.onExit(reject)
      try {
        work(this.engine).then(
          (result) => {
            stopListening()
            resolve(result)
          },
          (error: unknown) => {
            stopListening()
            reject(asAtomicDBError(error))
          },
        )
      } catch (error) {
        this.exit(error) // Go never throws here unless the instance is broken
      }
    })
  }

  private readError(): AtomicDBError {
    const [code, message] = this.decoder.value() as [ErrorCode, string]
    return new AtomicDBError(code, message)
  }

  // When the memory grows, every view of it is detached, and its length is 0.
  private renewViews(): void {
    this.bytes = new Uint8Array(this.exports.mem.buffer)
    this.view = new DataView(this.exports.mem.buffer)
  }

  private exit(cause: unknown): void {
    if (this.exitError) return
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.exitError = new AtomicDBError('internal', `the engine has stopped and needs to be opened again: ${reason}`, { cause })
    const listeners = [...this.exitListeners]
    this.exitListeners.clear()
    for (const listener of listeners) listener(this.exitError)
  }
}

/** WebAssembly returns addresses as signed numbers: from 2 GiB of memory on they would be below 0. */
const address = (pointer: number) => pointer >>> 0

/** How many documents are still to come after a piece of a result. */
export function documentsLeft(piece: Uint8Array): number {
  return new DataView(piece.buffer, piece.byteOffset).getUint32(4, true)
}

let current: Promise<Bridge> | undefined

/** The engine of this page or isolate: the one that runs, or a new one from `source`. */
export function startBridge(source: WasmSource | undefined): Promise<Bridge> {
  if (current) return current
  const starting = compiled(source).then((module) => Bridge.start(module))
  current = starting
  const forget = () => {
    if (current === starting) current = undefined
  }
  starting.then((bridge) => bridge.onExit(forget), forget)
  return starting
}

/** An error of the engine's promises, which is a plain Error with a code, as an AtomicDBError. */
function asAtomicDBError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AtomicDBError) return error
  const { code } = error as Error & { code?: ErrorCode }
  return new AtomicDBError(code ?? 'internal', error.message, { cause: error.cause })
}
