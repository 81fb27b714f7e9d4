import { loadGo, type Go } from '../../.build/wasm_exec.js'
import { isCloudflareWorker } from '../load.js'
import type { AsyncEngine } from './async-engine.js'
import { addRest, type Program, type RestOfInstance } from '../program.js'

/** What the engine's wasm exports. See jsbridge/exports_js.go. */
export interface Exports {
  readonly mem: WebAssembly.Memory
  /** The address of the in-buffer, with room for `n` bytes. */
  adb_in(n: number): number
  /**
   * Runs an op on the first `n` bytes of the in-buffer. Returns the length of the result; below 0, the complement of
   * the length of an error.
   */
  adb_call(handle: number, op: number, n: number): number
  /** The version of a database: while it is the same, every answer is the same. 0 if the database is not usable. */
  adb_version(handle: number): number
  /** The number of the newest batch that a database holds. */
  adb_head(handle: number): number
  /** The address of the out-buffer. */
  adb_out(): number
}

/** A Go program that runs. */
export interface Instance {
  readonly exports: Exports
  readonly engine: AsyncEngine
  /** How often the program was resumed, as it is by each event that it waits for and by each function of `engine`. */
  readonly go: { readonly runs: number }
  /** Undefined if the module is whole. */
  readonly rest: RestOfInstance | undefined
  /** Ends it, after an export has thrown. */
  end(reason: Error): void
}

/**
 * Runs a Go program until it has added its functions to the object
 * that it finds as `atomicdbBridge`.
 *
 * @param onEnd Called with the reason if the program ends after that.
 */
export async function instantiate({ module, rest }: Program, onEnd: (reason: Error) => void): Promise<Instance> {
  let isReady = false
  const engine = { ready: () => (isReady = true), defer, now: () => Date.now() }
  const scope = goGlobal({ atomicdbBridge: engine })
  const go = new (loadGo(scope))()

  let output = ''
  const utf8 = new TextDecoder()
  scope.fs!.writeSync = (_, bytes) => {
    output += utf8.decode(bytes, { stream: true })
    return bytes.length
  }
  let held: readonly unknown[] = [] // the values that Go refers to; at its own exit, Go forgets where they are
  let ended: Error | undefined
  const end = (reason: Error) => {
    if (ended) return
    ended = reason
    release(go, held)
    held = []
    onEnd(reason)
  }
  go.exit = (code) => end(new Error(output.trim().split('\n')[0] || `exit code ${code}`, { cause: output }))
  // If wasm traps in an event, nothing else reports it, and what waits for the event would wait for ever.
  // Events that were under way arrive after the end, and are ignored.
  const resume = go._resume.bind(go)
  const counted = { runs: 0 }
  go._resume = () => {
    if (ended) return
    counted.runs++
    try {
      resume()
    } catch (error) {
      end(asError(error))
    }
  }

  // A Worker's first request may be cut off while it waits, and every later one would wait for it.
  const instance = isCloudflareWorker() ? new WebAssembly.Instance(module, go.importObject) : await WebAssembly.instantiate(module, go.importObject)
  const added = rest && addRest(instance, rest)
  go.run(instance).catch((error: unknown) => end(asError(error)))
  if (ended) throw ended
  if (!isReady) throw new Error('the wasm is not the engine of AtomicDB')
  held = go._values!
  return { exports: instance.exports as unknown as Exports, engine: engine as unknown as AsyncEngine, go: counted, rest: added, end }
}

/**
 * Lets go of the memory of a program that has ended, since functions of it may live on as listeners; and closes what it
 * has opened, which would keep others from deleting a database.
 */
function release(go: Go, held: readonly unknown[]): void {
  for (const value of held) {
    try {
      if (/ (IDBDatabase|BroadcastChannel)]$/.test(Object.prototype.toString.call(value))) (value as IDBDatabase).close()
    } catch {
      // A value of the user that cannot be read.
    }
  }
  // A timer of Go calls it again and again until Go has taken note.
  for (const timer of go._scheduledTimeouts.values()) clearTimeout(timer)
  go._resolveExitPromise()
  for (const name of ['_inst', 'mem', '_values', '_ids', '_goRefCounts', '_pendingEvent', '_scheduledTimeouts'] as const) delete go[name]
}

/**
 * A Promise with its resolve and reject. The engine asks for all three at once, which takes half the time of making
 * them from Go.
 */
function defer(): { promise: Promise<unknown>; resolve: (value: unknown) => void; reject: (error: unknown) => void } {
  let resolve!: (value: unknown) => void
  let reject!: (error: unknown) => void
  const promise = new Promise((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

interface GoGlobal {
  fs?: { writeSync(file: number, bytes: Uint8Array): number }
  [name: string]: unknown
}

/**
 * The global object that Go sees: `own`, and behind it the real one. Go's
 * runtime sets fs, process, path and Go on it. They must not become globals of
 * the page, nor replace those that a page or Node has.
 */
function goGlobal(own: Record<string, unknown>): GoGlobal {
  const hidden = Object.assign(Object.create(null) as GoGlobal, { fs: undefined, process: undefined, path: undefined }, own)
  return new Proxy(hidden, {
    get(own, name) {
      if (name in own) return own[name as string]
      const value: unknown = Reflect.get(globalThis, name)
      // The host's functions (setTimeout, fetch) need the real global as `this`; its classes do not.
      if (typeof value !== 'function' || !/^[a-z]/.test(String(name))) return value
      return (own[name as string] = value.bind(globalThis))
    },
  })
}
