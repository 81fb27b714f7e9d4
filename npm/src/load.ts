import { isA } from './checks.js'
import { AtomicDBError, describe, invalid, messageOf } from './errors.js'
import { Rest, type Program, type SentProgram } from './program.js'
import { nodeFiles, nodeModule, nodeProcess } from './node-modules.js'
import { movedByVite, ownFile } from './own-files.js'
import type { OpenOptions } from './types.js'

/** Where the engine's wasm comes from. */
export type WasmSource = NonNullable<OpenOptions['wasm']>

const programs = new Map<string, Promise<Program>>()

/** As {@link compiled}, but wasm from the same address is compiled once. */
export function programOf(source: WasmSource | undefined): Promise<Program> {
  if (source !== undefined && typeof source !== 'string' && !(source instanceof URL)) return compiled(source)
  return once(String(source), () => compiled(source))
}

function once(address: string, load: () => Promise<Program>): Promise<Program> {
  const known = programs.get(address)
  if (known) return known
  const program = load()
  programs.set(address, program)
  program.catch(() => programs.delete(address))
  return program
}

/**
 * The last program. Storages need an engine too, and do not know the options of open(); and when an engine has ended, the
 * next one starts without a download.
 */
let last: Program | undefined

/** Compiles the engine's wasm. Without a source, it is the last program, or else the files beside this one. */
export async function compiled(source: WasmSource | undefined): Promise<Program> {
  if (source !== undefined || !last) last = await compiledFrom(source)
  return last
}

/** A program that another thread has compiled. It is the last one here, too. */
export async function receivedProgram({ module, rest }: SentProgram): Promise<Program> {
  last = rest === undefined ? { module } : await inTwo(module, new URL(rest))
  return last
}

/** Where the wasm is, for a thread that loads it itself. */
export interface WasmAddress {
  readonly address: string
  /** Where the rest is; undefined if the module at `address` is whole. */
  readonly rest: string | undefined
}

/** The {@link WasmAddress} of what open() was given. */
export async function wasmAddress(source: string | URL | undefined): Promise<WasmAddress> {
  try {
    if (source !== undefined) return { address: String(urlOf(String(source))), rest: undefined }
    return { address: String(await ownFirst()), rest: String(await ownRest()) }
  } catch (error) {
    throw loadError(error, source !== undefined)
  }
}

// Written exactly like this, because bundlers look for it to bring the files along.
const ownFirst = () => ownFile('atomicdb-first.wasm', () => new URL('./atomicdb-first.wasm', import.meta.url))
const ownRest = () => ownFile('atomicdb-rest.wasm', () => new URL('./atomicdb-rest.wasm', import.meta.url))

/** The program beside this file: in two modules, or in one where somebody has put only that. */
async function own(first: URL, rest: URL): Promise<Program> {
  try {
    return await inTwo(first, rest)
  } catch {
    return { module: await fromURL(new URL('atomicdb.wasm', first)) }
  }
}

/** The program at an address that another thread knows. It is compiled once. */
export function programAt({ address, rest }: WasmAddress): Promise<Program> {
  if (rest === undefined) return programOf(address)
  return once(address, async () => {
    try {
      return (last = await own(new URL(address), new URL(rest)))
    } catch (error) {
      throw loadError(error, false)
    }
  })
}

/** A program of two modules, of which the second is still to come. */
async function inTwo(first: WebAssembly.Module | URL, address: URL): Promise<Program> {
  const { readFileSync } = address.protocol === 'file:' ? await nodeModule<{ readFileSync(url: URL): Uint8Array<ArrayBuffer> }>('node:fs') : {}
  const rest = new Rest(address.href, fromURL, readFileSync)
  const module = first instanceof URL ? await fromURL(first) : first
  if (!rest.canLoadAtOnce) await rest.arrival()
  return { module, rest }
}

/**
 * Where the entry for Workers puts the module, which only an import can load there, and inline.ts a function that returns
 * the wasm which is in it.
 */
const bundledWasm: unique symbol = Symbol.for('atomicdb.wasm')

async function compiledFrom(given: WasmSource | undefined): Promise<Program> {
  const bundled = (globalThis as { [bundledWasm]?: WebAssembly.Module | (() => Response) })[bundledWasm]
  const source = given === undefined && typeof bundled === 'object' ? bundled : given
  if (isA('options.wasm', source, WebAssembly.Module)) return { module: source as WebAssembly.Module }
  try {
    if (source === undefined && typeof bundled === 'function') return { module: await fromResponse(bundled()) }
    if (source === undefined) return await own(await ownFirst(), await ownRest())
    if (typeof source === 'string') return { module: await fromURL(urlOf(source)) }
    if (source instanceof URL) return { module: await fromURL(source) }
    if (typeof Response !== 'undefined' && source instanceof Response) return { module: await fromResponse(source) }
    if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return { module: await WebAssembly.compile(source as BufferSource) }
  } catch (error) {
    throw loadError(error, given !== undefined)
  }
  throw invalid(`options.wasm: expected a WebAssembly.Module, its bytes, a Response, a URL or a string, not ${describe(source)}`)
}

/** The URL that a string means: relative to the page if there is one, otherwise the path of a file. */
function urlOf(text: string): URL {
  const page = (globalThis as { location?: { href: string } }).location?.href
  try {
    return new URL(text, page)
  } catch {
    return new URL(text, `file://${nodeProcess?.cwd() ?? ''}/`)
  }
}

async function fromURL(url: URL, signal?: AbortSignal): Promise<WebAssembly.Module> {
  if (url.protocol !== 'file:') {
    const response = await fetch(url, { signal: signal ?? null }).catch((error: Error) => {
      throw new Error(`${url.href}: ${error.message}`, { cause: error })
    })
    return fromResponse(response)
  }
  // Node's fetch does not read files.
  const { readFile } = await nodeFiles()
  return WebAssembly.compile(await readFile(url))
}

async function fromResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) throw new LoadError(response, ` answered ${response.status}`)
  const type = response.headers.get('Content-Type') ?? ''
  // Many servers answer with a page for what they do not have.
  if (/html/i.test(type)) throw new LoadError(response, ' answered with an HTML page and not with WebAssembly')
  try {
    // compileStreaming refuses every other type, and many servers have no type for .wasm.
    if (/^application\/wasm\s*(;|$)/i.test(type)) return await WebAssembly.compileStreaming(response)
    return await WebAssembly.compile(await response.arrayBuffer())
  } catch (error) {
    throw new LoadError(response, `: ${(error as Error).message}`)
  }
}

/** The answer to a request for the wasm that is not the wasm. */
class LoadError extends Error {
  constructor(
    readonly response: Response,
    what: string,
  ) {
    super((response.url || 'the response') + what)
  }
}

/** @param isGiven Whether the caller of open() said where the wasm is. */
function loadError(error: unknown, isGiven: boolean): AtomicDBError {
  const message = messageOf(error)
  // Chromium and Node: "Wasm code generation disallowed by embedder"; Firefox: "call to WebAssembly.compile() blocked
  // by CSP".
  if (/disallowed|blocked by CSP|unsafe-eval/i.test(message)) {
    return new AtomicDBError('unsupported', `this host does not allow WebAssembly to be compiled here (in a page, the Content-Security-Policy needs 'wasm-unsafe-eval'): ${message}`, { cause: error })
  }
  const what = `the engine could not be loaded: ${message}`
  if (isGiven) return new AtomicDBError('invalid', `options.wasm: ${what}`, { cause: error })
  const moved = error instanceof LoadError && movedByVite(error.response.url) !== undefined
  const cure = isCloudflareWorker()
    ? "A Worker has to import it: import wasm from 'atomicdb/atomicdb.wasm', and pass { wasm } to open()"
    : moved
    ? "Vite has bundled AtomicDB without its wasm: add optimizeDeps: { exclude: ['atomicdb'] } to the configuration of Vite"
    : 'Serve atomicdb.wasm of the package beside the JavaScript (npx atomicdb copy-assets copies it), import atomicdb/inline, which holds it, or pass its address to open() as wasm'
  return new AtomicDBError('unsupported', `${what}. ${cure}`, { cause: error })
}

/** Whether this is an isolate of Cloudflare Workers. */
export function isCloudflareWorker(): boolean {
  return (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === 'Cloudflare-Workers'
}
