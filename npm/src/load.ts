import { isA } from './checks.js'
import { AtomicDBError, describe, invalid, messageOf } from './errors.js'
import { nodeFiles, nodeProcess } from './node-modules.js'
import { movedByVite, ownFile } from './own-files.js'
import type { OpenOptions } from './types.js'

/** Where the engine's wasm comes from. */
export type WasmSource = NonNullable<OpenOptions['wasm']>

const modules = new Map<string, Promise<WebAssembly.Module>>()

/**
 * As {@link compiled}, but wasm from the same address is compiled once.
 *
 * @param isGiven Whether the user has said where it is.
 */
export function moduleOf(source: WasmSource | undefined, isGiven = source !== undefined): Promise<WebAssembly.Module> {
  if (source !== undefined && typeof source !== 'string' && !(source instanceof URL)) return compiled(source)
  const address = String(source)
  const known = modules.get(address)
  if (known) return known
  const module = compiled(source, isGiven)
  modules.set(address, module)
  module.catch(() => modules.delete(address))
  return module
}

/**
 * The last module. Storages need an engine too, and do not know the options of open(); and when an engine has ended, the
 * next one starts without a download.
 */
let last: WebAssembly.Module | undefined

/** Compiles the engine's wasm. Without a source, it is the last module, or else the file beside this one. */
export async function compiled(source: WasmSource | undefined, isGiven = source !== undefined): Promise<WebAssembly.Module> {
  if (source !== undefined || !last) last = await compiledFrom(source, isGiven)
  return last
}

/** The address of the wasm, for a thread that loads it itself. */
export async function wasmAddress(source: string | URL | undefined): Promise<string> {
  try {
    return String(source === undefined ? await ownWasm() : urlOf(String(source)))
  } catch (error) {
    throw loadError(error, source !== undefined)
  }
}

// Written exactly like this, because bundlers look for it to bring the file along.
const ownWasm = () => ownFile('atomicdb.wasm', () => new URL('./atomicdb.wasm', import.meta.url))

/**
 * Where the entry for Workers puts the module, which only an import can load there, and inline.ts a function that returns
 * the wasm which is in it.
 */
const bundledWasm: unique symbol = Symbol.for('atomicdb.wasm')

async function compiledFrom(source: WasmSource | undefined, isGiven: boolean): Promise<WebAssembly.Module> {
  const bundled = (globalThis as { [bundledWasm]?: WebAssembly.Module | (() => Response) })[bundledWasm]
  if (source === undefined && typeof bundled === 'object') source = bundled
  if (isA('options.wasm', source, WebAssembly.Module)) return source as WebAssembly.Module
  try {
    if (source === undefined && typeof bundled === 'function') return await fromResponse(bundled())
    if (source === undefined) return await fromURL(await ownWasm())
    if (typeof source === 'string') return await fromURL(urlOf(source))
    if (source instanceof URL) return await fromURL(source)
    if (typeof Response !== 'undefined' && source instanceof Response) return await fromResponse(source)
    if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return await WebAssembly.compile(source as BufferSource)
  } catch (error) {
    throw loadError(error, isGiven)
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

async function fromURL(url: URL): Promise<WebAssembly.Module> {
  if (url.protocol !== 'file:') {
    const response = await fetch(url).catch((error: Error) => {
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
