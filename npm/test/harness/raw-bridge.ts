import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Packr, Unpackr } from 'msgpackr'
import { Op } from '../../src/engine/ops.js'
import type { StorageBackend } from '../../src/types.js'

/** The exports of the engine. */
interface Exports {
  readonly mem: WebAssembly.Memory
  adb_in(length: number): number
  adb_call(handle: number, op: number, length: number): number
  adb_out(): number
}

/** The functions that the engine adds to the object that it is started with. */
export interface RawBridge {
  readonly protocol: number
  open(name: string, backend: StorageBackend | { kind: string; name?: string } | null, options: RawOptions): Promise<number>
  /** 0: stored. 1: rolled back because another session was faster. */
  flush(handle: number): Promise<0 | 1>
  catchUp(handle: number): Promise<void>
  close(handle: number): Promise<void>
  destroy(backend: StorageBackend): Promise<void>
  log(backend: StorageBackend): Promise<StorageBackend>
}

export interface RawOptions {
  durability?: 'relaxed' | 'strict'
  maxDocumentBytes?: number
  maxDepth?: number
  onProgress?: (done: number, total: number) => void
  onForeign?: () => void
  onRollback?: () => void
}

/** An op that only the test build has: it inserts a document, then fails in the way that its second argument says. */
export const faultOp = 255
/** An op that only the test build has: it starts a goroutine, and returns how many earlier ones have run. */
export const spawnOp = 254

/** An error as the engine returns it. */
export interface Failure {
  code: string
  message: string
}

/**
 * One instance of the test build, called as `src/engine/bridge.ts` calls it, but
 * with nothing in between: it does not notice that the engine exits, and has no
 * group commit.
 */
export class RawEngine {
  /** The exit codes of the Go program: none while it runs. */
  readonly exits: number[] = []

  private constructor(
    readonly exports: Exports,
    readonly bridge: RawBridge,
    /** The output of the Go runtime, which writes only when it exits. */
    readonly output: readonly string[],
  ) {}

  static async start(): Promise<RawEngine> {
    const scope: Record<string, unknown> = {
      ...{ Object, Array, Promise, Error, Uint8Array, Reflect, Date, crypto, performance, TextEncoder, TextDecoder },
      ...{ queueMicrotask, setTimeout, clearTimeout },
    }
    const output: string[] = []
    const fs = { constants: {}, writeSync: (_: number, bytes: Uint8Array) => output.push(Buffer.from(bytes).toString()) && bytes.length }
    new Function('globalThis', 'fs', wasmExec)(Object.assign(scope, { fs }), fs)
    const go = new (scope.Go as new () => { importObject: WebAssembly.Imports; exit(code: number): void; run(i: WebAssembly.Instance): void })()
    const { instance } = await WebAssembly.instantiate(wasm, go.importObject)
    return new Promise((resolve) => {
      const object = {
        defer() {
          const deferred: Record<string, unknown> = {}
          deferred.promise = new Promise((yes, no) => Object.assign(deferred, { resolve: yes, reject: no }))
          return deferred
        },
        ready: () => resolve(engine),
      }
      const engine = new RawEngine(instance.exports as unknown as Exports, object as unknown as RawBridge, output)
      go.exit = (code) => engine.exits.push(code)
      scope.atomicdbBridge = object
      go.run(instance)
    })
  }

  /** Bytes of linear memory. */
  get memory(): number {
    return this.exports.mem.buffer.byteLength
  }

  /** Makes one call and returns a copy of its result; throws a Failure. */
  call(handle: number, op: number, args: unknown[], ...documents: unknown[]): Uint8Array {
    return this.send(handle, op, Buffer.concat([args, ...documents].map((v) => packr.pack(v))))
  }

  /** Makes one call with these bytes as its arguments. */
  send(handle: number, op: number, input: Uint8Array): Uint8Array {
    const at = this.exports.adb_in(input.length)
    if (at === 0) throw { code: 'invalid', message: 'the input is too large' } satisfies Failure
    new Uint8Array(this.exports.mem.buffer).set(input, at)
    const length = this.exports.adb_call(handle, op, input.length)
    const answer = new Uint8Array(this.exports.mem.buffer, this.exports.adb_out(), length < 0 ? ~length : length).slice()
    if (length >= 0) return answer
    const [code, message] = unpackr.unpack(answer) as [string, string]
    throw { code, message } satisfies Failure
  }

  /** The value of a call's result. */
  value(handle: number, op: number, args: unknown[], ...documents: unknown[]): any {
    return unpackr.unpack(this.call(handle, op, args, ...documents))
  }

  insert(handle: number, collection: string, ...documents: object[]): any[] {
    return this.value(handle, Op.insert, [collection, false], ...documents)
  }

  ids(handle: number, collection: string): any[] {
    return this.value(handle, Op.ids, [collection])
  }

  /** The failure of a call that must fail. */
  refused(handle: number, op: number, args: unknown[], ...documents: unknown[]): Failure {
    try {
      this.call(handle, op, args, ...documents)
    } catch (error) {
      return error as Failure
    }
    throw new Error('the call has succeeded')
  }
}

/** The documents of one result of find or more, and how many are still to come. */
export function piece(answer: Uint8Array): { documents: any[]; left: number } {
  const view = new DataView(answer.buffer, answer.byteOffset)
  const documents = answer.length > 8 ? (unpackr.unpackMultiple(answer.subarray(8)) as any[]) : []
  if (documents.length !== view.getUint32(0, true)) throw new Error(`the count does not fit the ${documents.length} documents`)
  return { documents, left: view.getUint32(4, true) }
}

const packr = new Packr({ useRecords: false, variableMapSize: true })
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true })
const wasmExec = readFileSync(execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim() + '/lib/wasm/wasm_exec.js', 'utf8')
const wasm = readFileSync(new URL('../../.build/atomicdb-test.wasm', import.meta.url))
