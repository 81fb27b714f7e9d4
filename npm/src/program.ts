import { AtomicDBError, messageOf } from './errors.js'

// The engine's wasm is one module, or the first of two: the first has what a page needs until its first answers, and the
// rest comes after it. npm/scripts/split-module.mjs makes the two.

/** The engine's wasm, compiled. */
export interface Program {
  readonly module: WebAssembly.Module
  /** Undefined if the module is whole. */
  readonly rest?: Rest
}

/** A program as it is sent to a thread. */
export interface SentProgram {
  readonly module: WebAssembly.Module
  readonly rest: string | undefined
}

/** Where the second module of a program comes from. */
export class Rest {
  private module: WebAssembly.Module | undefined
  private arriving: Promise<WebAssembly.Module> | undefined
  private stop: AbortController | undefined // of the fetch that is under way

  /**
   * @param fetch Fetches and compiles what is at an address.
   * @param read Reads a file at once. Undefined if the address is none of a file.
   */
  constructor(
    readonly address: string,
    private readonly fetch: (url: URL, signal: AbortSignal) => Promise<WebAssembly.Module>,
    private readonly read?: (url: URL) => Uint8Array<ArrayBuffer>,
  ) {}

  /** Whether it is worth waiting for: a file is read when it is called, which takes no longer. */
  get isAwaited(): boolean {
    return this.module === undefined && this.read === undefined
  }

  /** Whether it can be loaded while a call of the engine waits for it. */
  get canLoadAtOnce(): boolean {
    return this.read !== undefined || typeof XMLHttpRequest !== 'undefined'
  }

  /** Fetches it, unless that is under way. After a failure, the next call tries again. */
  arrival(): Promise<WebAssembly.Module> {
    if (this.arriving) return this.arriving
    this.stop = new AbortController()
    this.arriving = this.fetch(new URL(this.address), this.stop.signal).then(
      (module) => (this.module ??= module),
      (error: unknown) => {
        if (this.module) return this.module // it was loaded at once
        this.arriving = undefined
        throw new AtomicDBError('unsupported', `the rest of the engine could not be loaded: ${messageOf(error)}`, { cause: error })
      },
    )
    return this.arriving
  }

  /** Loads it at once, in the middle of a call of the engine that has begun without it. */
  loadAtOnce(): WebAssembly.Module {
    if (this.module) return this.module
    this.stop?.abort()
    this.module = new WebAssembly.Module(this.read ? this.read(new URL(this.address)) : requestAtOnce(this.address))
    return this.module
  }
}

/** Only in a worker may a synchronous request ask for bytes. In a page, this charset hands them over one by one. */
function requestAtOnce(address: string): Uint8Array<ArrayBuffer> {
  const url = new URL(address)
  // Of two requests for one address, Chromium lets the second wait for the first, up to 20 s; and that does not go on now.
  if (/^https?:/.test(url.protocol)) url.searchParams.set('at-once', '')
  const request = new XMLHttpRequest()
  request.open('GET', url, false)
  request.overrideMimeType('text/plain; charset=x-user-defined')
  request.send()
  if (request.status !== 200) throw new Error(`${address} answered ${request.status}`)
  return Uint8Array.from(request.responseText, (character) => character.charCodeAt(0))
}

/** The rest of an instance: which of Go's functions are there. */
export interface RestOfInstance {
  /** Whether calls of its functions are worth waiting for; see {@link Rest.isAwaited}. */
  readonly isAwaited: boolean
  /** Resolves when it is there. */
  arrival(): Promise<void>
}

/** What split-module.mjs adds to the exports of the first module. */
interface FirstExports {
  readonly $table: WebAssembly.Table
  readonly $miss: WebAssembly.Global<'i32'>
  readonly $missed: WebAssembly.Global<'i32'>
}

/**
 * Adds the rest to an instance of the first module: when it has come, or, if one of its functions is called before, at
 * once. That throws if it cannot be loaded, which ends the instance.
 */
export function addRest(instance: WebAssembly.Instance, rest: Rest): RestOfInstance {
  const { $table: table, $miss, $missed: missed } = instance.exports as unknown as FirstExports
  const miss = $miss.value
  let isThere = false
  const add = (module: WebAssembly.Module) => {
    if (isThere) return
    new WebAssembly.Instance(module, { first: instance.exports })
    isThere = true
  }
  table.set(miss, functionOfWasm((resumed) => {
    add(rest.loadAtOnce())
    return (table.get(miss + 1 + missed.value) as (resumed: number) => number)(resumed)
  }))
  const arrival = async () => add(await rest.arrival())
  if (rest.isAwaited) arrival().catch(() => {}) // the calls that need it try again
  return {
    get isAwaited() {
      return !isThere && rest.isAwaited
    },
    arrival,
  }
}

/** A table takes functions of wasm alone. This module calls a function of JavaScript, `$.$`, as its own. */
const passingOn = Uint8Array.of(
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f, // a type: (i32) -> i32
  2, 7, 1, 1, 0x24, 1, 0x24, 0, 0, // an import of it, $.$
  3, 2, 1, 0, // a function of it,
  7, 5, 1, 1, 0x24, 0, 1, // exported as $,
  10, 8, 1, 6, 0, 0x20, 0, 0x10, 0, 0x0b, // which calls the import
)

function functionOfWasm(call: (argument: number) => number): unknown {
  return new WebAssembly.Instance(new WebAssembly.Module(passingOn), { $: { $: call } }).exports.$
}
