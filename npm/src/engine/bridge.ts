import { AtomicDBError, EngineEndError, invalid, isThrown, messageOf, type ErrorCode } from '../errors.js'
import { compiled, type WasmSource } from '../load.js'
import { Decoder } from '../msgpack/decode.js'
import type { Encoder } from '../msgpack/encode.js'
import type { AsyncEngine } from './async-engine.js'
import { instantiate, type Instance } from './go-runtime.js'
import { maxInput, Op, protocol, readingOps } from './ops.js'
import { unsure, type Tables } from './tables.js'
import type { Program } from '../program.js'
import type { Id } from '../types.js'

/** The engine: one instance of its wasm, and the memory through which calls pass their bytes. */
export class Bridge {
  /** How many bytes the last result had. */
  resultBytes = 0
  /** If the engine has ended: the error of the calls that were in flight, and of later ones. */
  ended: EngineEndError | undefined

  private bytes = new Uint8Array()
  private view = new DataView(this.bytes.buffer)
  private words = new Uint32Array(this.bytes.buffer)
  private moves = 0 // calls that may have moved documents
  private readonly decoder = new Decoder()
  private instance: Instance | undefined // until it ends
  private isPatient = false // what runs can be run again
  private readonly endListeners = new Set<(error: EngineEndError) => void>()

  private constructor(
    /** The wasm of the engine. */
    readonly program: Program,
    instance: Instance,
  ) {
    this.instance = instance
  }

  /** Starts an instance of the engine. */
  static async start(program: Program): Promise<Bridge> {
    let bridge: Bridge | undefined
    const instance = await instantiate(program, (reason) => bridge?.noteEnd(reason))
    if (instance.engine.protocol !== protocol) {
      throw new AtomicDBError('unsupported', 'atomicdb.wasm comes from another release than this JavaScript; serve the one of the same package')
    }
    bridge = new Bridge(program, instance)
    return bridge
  }

  /** Calls `listener` when the engine ends. Returns a function that stops this. */
  onEnd(listener: (error: EngineEndError) => void): () => void {
    this.endListeners.add(listener)
    return () => this.endListeners.delete(listener)
  }

  /** The version of a database: while it is the same, every answer is the same. 0 if the database is not usable. */
  version(handle: number): number {
    if (!this.instance) return 0
    try {
      return this.instance.exports.adb_version(handle)
    } catch (error) {
      throw this.end(error)
    }
  }

  /** The number of the newest batch that a database holds. */
  head(handle: number): number {
    return this.running.exports.adb_head(handle)
  }

  /**
   * Runs `work`, which can be run again. Where a call needs functions that are still on their way, this throws
   * {@link StillToCome}, and nothing of that call has been done.
   */
  patiently<R>(work: () => R): R {
    this.isPatient = true
    try {
      return work()
    } finally {
      this.isPatient = false
    }
  }

  /** Whether no call has to wait for functions. */
  get isWhole(): boolean {
    return !this.instance?.rest?.isAwaited
  }

  /** Throws {@link StillToCome} if `op` needs functions that are worth waiting for, and can be waited for. */
  checkThere(op: Op): void {
    const rest = this.instance?.rest
    if (this.isPatient && rest?.isAwaited && !firstOps.has(op)) throw new StillToCome(rest.arrival())
  }

  /** Resolves when all functions are there, if that is worth waiting for: a call loads at once what it still lacks. */
  async whole(): Promise<void> {
    const { rest } = this.running
    if (rest?.isAwaited) await rest.arrival()
  }

  /** Calls `op` and returns how many bytes its result has. Read the result with the decoder before the next call. */
  call(handle: number, op: Op, args: Encoder | Uint8Array): number {
    const { exports } = this.running
    this.checkThere(op)
    if (!readingOps.has(op)) this.moves++
    const { length } = args
    if (length > maxInput) throw invalid(`the arguments take ${length >> 20} MiB; the limit of one call is ${maxInput >> 20} MiB`)
    let result: number
    let out: number
    try {
      const at = address(exports.adb_in(length))
      if (this.bytes.length === 0) this.renewViews()
      if (args instanceof Uint8Array) this.bytes.set(args, at)
      else args.copyTo(this.bytes, at)
      result = exports.adb_call(handle, op, length)
      out = address(exports.adb_out())
    } catch (error) {
      throw this.end(error)
    }
    // After a fatal error of Go, an export returns normally.
    if (this.ended) throw this.ended.ofCulprit()
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

  /** Where the documents of a collection are, by what they have at a path; undefined if only the engine finds them. */
  tables(handle: number, args: Encoder): Tables | undefined {
    const found = this.value(handle, Op.tables, args) as [...addresses: [number, number, number, number, number, number], isTest: boolean] | null
    if (!found) return undefined
    const [table, length, refs, sizes, chunks, yields, isTest] = found
    return { table: table / 4, mask: length - 1, refs: refs / 4, sizes: sizes / 4, chunks: chunks / 4, yields: yields / 4, count: this.words[yields / 4]!, moves: this.moved, isTest }
  }

  /** Changes whenever documents may have been moved, but for what {@link Tables} tell themselves. */
  get moved(): number {
    return this.moves + this.running.go.runs
  }

  /** Whether documents still are where `tables` says. */
  areCurrent(tables: Tables): boolean {
    if (this.moved !== tables.moves) return false
    if (this.bytes.length === 0) this.renewViews()
    return this.words[tables.yields] === tables.count
  }

  /**
   * The document with `key` at `path`, a plain name, by `tables`, which are current; undefined if none has it. `hash` is
   * that of the key. {@link resultBytes} is then the size of the document.
   */
  find(tables: Tables, path: string, key: Id, hash: number): unknown {
    const { words } = this
    const { table, mask } = tables
    let found: unknown
    this.resultBytes = 0
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const slot = words[table + 2 * i]!
      if (slot === 0) return found
      if (words[table + 2 * i + 1] !== hash) continue
      const ref = words[tables.refs + slot - 1]!
      this.decoder.begin(this.bytes, this.view, words[tables.chunks + 6 * (ref >>> 20)]! + (ref & 0xfffff))
      const document = this.decoder.value() as Record<string, unknown>
      if (document[path] !== key) continue
      if (found !== undefined) return unsure // in a transaction, several may have it
      found = document
      this.resultBytes = words[tables.sizes + slot - 1]!
    }
  }

  /** Calls `op` and returns the bytes of its result. */
  resultOf(handle: number, op: Op, args: Uint8Array): Uint8Array<ArrayBuffer> {
    const length = this.call(handle, op, args)
    const at = address(this.running.exports.adb_out())
    return this.bytes.slice(at, at + length) as Uint8Array<ArrayBuffer>
  }

  /**
   * Takes what a database has not stored as the frame of batch `seq`, which is 0 if there is nothing. After appending it,
   * call {@link endFlush}, or, if that has not gone well, flush. Undefined: flush has to do it all.
   */
  beginFlush(handle: number): { seq: number; frame: Uint8Array } | undefined {
    const length = this.call(handle, Op.beginFlush, emptyArray)
    if (length === 0) return undefined
    const at = address(this.running.exports.adb_out())
    return { seq: this.view.getFloat64(at, true), frame: this.bytes.slice(at + 8, at + length) }
  }

  /** Says that the frame of {@link beginFlush} is stored. */
  endFlush(handle: number): void {
    if (!this.value(handle, Op.endFlush, emptyArray)) return
    try {
      this.running.engine.wake()
    } catch (error) {
      throw this.end(error)
    }
  }

  /**
   * Calls a function that waits for storage. Its errors become AtomicDBErrors.
   *
   * @param mayEnd Whether the call does so much that the engine may end because of it.
   */
  wait<R>(work: (engine: AsyncEngine) => Promise<R>, mayEnd = false): Promise<R> {
    return new Promise((resolve, reject) => {
      const { engine } = this.running
      const stopListening = this.onEnd((error) => reject(mayEnd ? error.ofCulprit() : error))
      try {
        work(engine).then(
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
        this.end(error) // Go never throws here unless the instance is broken
      }
    })
  }

  private get running(): Instance {
    if (!this.instance) throw this.ended
    return this.instance
  }

  private readError(): AtomicDBError {
    const [code, message, faults] = this.decoder.value() as [ErrorCode, string, Fault[]?]
    return schemaError(new AtomicDBError(code, message), faults)
  }

  // When the memory grows, every view of it is detached, and its length is 0.
  private renewViews(): void {
    const { buffer } = this.running.exports.mem
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.words = new Uint32Array(buffer)
  }

  /** Ends the instance, which has thrown. Returns the error of the call that it was in. */
  private end(thrown: unknown): AtomicDBError {
    this.instance?.end(thrown as Error)
    return this.ended!.ofCulprit()
  }

  private noteEnd(reason: Error): void {
    // Others may hold this object for long, and it holds the memory of the engine.
    this.instance = undefined
    this.bytes = new Uint8Array()
    this.view = new DataView(this.bytes.buffer)
    this.words = new Uint32Array(this.bytes.buffer)
    this.decoder.begin(this.bytes, this.view, 0)
    this.ended = new EngineEndError(messageOf(reason), reason)
    const listeners = [...this.endListeners]
    this.endListeners.clear()
    for (const listener of listeners) listener(this.ended)
  }
}

/** A call needs functions that are still on their way. */
class StillToCome extends Error {
  constructor(readonly arrival: Promise<void>) {
    super('the rest of the engine is still to come')
  }
}

/** When what a call has lacked is there; undefined if the call has thrown something else, which may be anything. */
export function arrivalOf(thrown: unknown): Promise<void> | undefined {
  return isThrown(thrown, StillToCome) ? thrown.arrival : undefined
}

/** Runs `again` when what a call has lacked is there. Other errors are passed on. */
export function whenThere<R>(thrown: unknown, again: () => Promise<R>): Promise<R> {
  return arrivalOf(thrown)?.then(again) ?? Promise.reject(thrown as Error)
}

/** The calls that the first module is enough for, but for unusual arguments: those that first-functions.mjs makes. */
const firstOps = new Set<Op>([
  Op.insert, Op.find, Op.more, Op.get, Op.tables, Op.count, Op.ids, Op.update, Op.modify, Op.remove, Op.createIndex, Op.stillValid, Op.live, Op.endLive, Op.liveChanges,
  Op.savepoint, Op.release, Op.rollback, Op.suspend, Op.resume, Op.settle, Op.cut, Op.apply, Op.beginFlush, Op.endFlush, Op.collections, Op.metadata, Op.parse, Op.dataVersion, Op.relationships, Op.schema,
])

/** WebAssembly returns addresses as signed numbers: from 2 GiB of memory on they would be below 0. */
const address = (pointer: number) => pointer >>> 0

/** No arguments, as MessagePack. */
const emptyArray = Uint8Array.of(0x90)

/** How many documents are still to come after a piece of a result. */
export function documentsLeft(piece: Uint8Array): number {
  return new DataView(piece.buffer, piece.byteOffset).getUint32(4, true)
}

let current: Promise<Bridge> | undefined

/** The engine of this page or isolate: the one that runs, or a new one, of a program that is known or from `source`. */
export function startBridge(source: WasmSource | undefined, known?: Program): Promise<Bridge> {
  if (current) return current
  const starting = known ? Bridge.start(known) : compiled(source).then((program) => Bridge.start(program))
  current = starting
  const forget = () => {
    if (current === starting) current = undefined
  }
  starting.then((bridge) => bridge.onEnd(forget), forget)
  return starting
}

/** An error of the engine's promises, which is a plain Error with a code, as an AtomicDBError. */
function asAtomicDBError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AtomicDBError) return error
  const { code, faults } = error as Error & { code?: ErrorCode; faults?: Fault[] }
  return schemaError(new AtomicDBError(code ?? 'internal', error.message, { cause: error.cause }), faults)
}

/** What is wrong with a document that breaks a schema: path, keyword and message. */
type Fault = [path: string, keyword: string, message: string]

function schemaError(error: AtomicDBError, faults: Fault[] | undefined): AtomicDBError {
  return faults ? Object.assign(error, { errors: faults.map(([path, keyword, message]) => ({ path, keyword, message })) }) : error
}
