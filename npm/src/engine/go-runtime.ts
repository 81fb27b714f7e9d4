import { loadGo } from '../../.build/wasm_exec.js'
import type { Host } from './bridge.js'

/** What the engine's wasm exports. See jsbridge/exports_js.go. */
export interface Exports {
  readonly mem: WebAssembly.Memory
  /** The address of the in-buffer, with room for `n` bytes. */
  adb_in(n: number): number
  /** Runs an op on the first `n` bytes of the in-buffer. Below 0: the complement of how many bytes of error there are. */
  adb_call(handle: number, op: number, n: number): number
  /** The number of the state of a database: while it is the same, so is every answer. 0: it is not usable. */
  adb_version(handle: number): number
  /** The number of the newest batch that a database holds. */
  adb_head(handle: number): number
  /** The address of the out-buffer. */
  adb_out(): number
}

/**
 * Runs `module`, a Go program, until it has filled in its host object.
 *
 * @param onEnd Called with the reason if the program ends after that.
 */
export async function instantiate(module: WebAssembly.Module, onEnd: (reason: Error) => void): Promise<{ exports: Exports; host: Host }> {
  let ready = false
  const host = { ready: () => (ready = true), defer }
  const scope = goGlobal({ atomicdbBridge: host })
  const go = new (loadGo(scope))()

  let said = ''
  const utf8 = new TextDecoder()
  scope.fs!.writeSync = (_, bytes) => {
    said += utf8.decode(bytes, { stream: true })
    return bytes.length
  }
  let end: Error | undefined
  const ended = (reason: Error) => {
    end ??= reason
    onEnd(end)
  }
  go.exit = (code) => ended(new Error(said.trim().split('\n')[0] || `exit code ${code}`, { cause: said }))
  // An event that traps would go unheard, and what waits for it would wait for
  // ever. One that comes after the end is nobody's fault: it was under way.
  const resume = go._resume.bind(go)
  go._resume = () => {
    if (end) return
    try {
      resume()
    } catch (error) {
      ended(asError(error))
    }
  }

  const instance = await WebAssembly.instantiate(module, go.importObject)
  go.run(instance).catch((error: unknown) => ended(asError(error)))
  if (end) throw end
  if (!ready) throw new Error('the wasm is not the engine of AtomicDB')
  return { exports: instance.exports as unknown as Exports, host: host as unknown as Host }
}

/** A Promise and its two ends, which the engine asks for: making one takes it twice as long. */
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
 * The global object as Go sees it: the real one, behind `own`. Go's runtime
 * sets fs, process, path and Go on it, which must not become globals of the
 * page, nor change with those that a page or Node has.
 */
function goGlobal(own: Record<string, unknown>): GoGlobal {
  const hidden = Object.assign(Object.create(null) as GoGlobal, { fs: undefined, process: undefined, path: undefined }, own)
  return new Proxy(hidden, {
    get(own, name) {
      if (name in own) return own[name as string]
      const value: unknown = Reflect.get(globalThis, name)
      // Functions of the host (setTimeout, fetch) want the real global as `this`; classes do not care.
      if (typeof value !== 'function' || !/^[a-z]/.test(String(name))) return value
      return (own[name as string] = value.bind(globalThis))
    },
  })
}
