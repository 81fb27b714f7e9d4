import { AtomicDBError, describe, invalid } from './errors.js'
import { nodeFiles, nodeProcess } from './node-modules.js'
import type { OpenOptions } from './types.js'

/** Where the wasm comes from. */
export type WasmSource = NonNullable<OpenOptions['wasm']>

const modules = new Map<string, Promise<WebAssembly.Module>>()

/** As {@link compiled}, but what comes from the same place is compiled once. */
export function moduleOf(source: WasmSource | undefined): Promise<WebAssembly.Module> {
  if (source !== undefined && typeof source !== 'string' && !(source instanceof URL)) return compiled(source)
  const place = String(source)
  const known = modules.get(place)
  if (known) return known
  const module = compiled(source)
  modules.set(place, module)
  module.catch(() => modules.delete(place))
  return module
}

/** The last that came from a source. Storages need an engine too, and are not told what open() was. */
let given: WebAssembly.Module | undefined

/** Compiles the engine's wasm; without a source, it is what was given before, or else the file beside this one. */
export async function compiled(source: WasmSource | undefined): Promise<WebAssembly.Module> {
  if (source !== undefined) return (given = await compiledFrom(source))
  return given ?? compiledFrom(undefined)
}

async function compiledFrom(source: WasmSource | undefined): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source
  try {
    // In these very words, which bundlers look for to bring the file along.
    if (source === undefined) return await fromURL(new URL('./atomicdb.wasm', import.meta.url))
    if (typeof source === 'string') return await fromURL(urlOf(source))
    if (source instanceof URL) return await fromURL(source)
    if (typeof Response !== 'undefined' && source instanceof Response) return await fromResponse(source)
    if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return await WebAssembly.compile(source)
  } catch (error) {
    throw loadError(error)
  }
  throw invalid(`options.wasm: expected a WebAssembly.Module, its bytes, a Response, a URL or a string, not ${describe(source)}`)
}

/** A string is a URL, relative to the page if there is one, and else a file's path. */
function urlOf(text: string): URL {
  const page = (globalThis as { location?: { href: string } }).location?.href
  try {
    return new URL(text, page)
  } catch {
    return new URL(text, `file://${nodeProcess?.cwd() ?? ''}/`)
  }
}

async function fromURL(url: URL): Promise<WebAssembly.Module> {
  if (url.protocol !== 'file:') return fromResponse(await fetch(url))
  // Node's fetch reads no files.
  const { readFile } = await nodeFiles()
  return WebAssembly.compile(await readFile(url))
}

async function fromResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`)
  const type = response.headers.get('Content-Type') ?? ''
  // compileStreaming refuses every other type, and servers without a type for .wasm are common.
  if (/^application\/wasm\s*(;|$)/i.test(type)) return WebAssembly.compileStreaming(response)
  return WebAssembly.compile(await response.arrayBuffer())
}

function loadError(error: unknown): AtomicDBError {
  const message = error instanceof Error ? error.message : String(error)
  // Chromium and Node: "Wasm code generation disallowed by embedder"; Firefox: "call to WebAssembly.compile() blocked by CSP".
  if (/disallowed|blocked by CSP|unsafe-eval/i.test(message)) {
    return new AtomicDBError('unsupported', `this host does not allow WebAssembly to be compiled here (in a page, the Content-Security-Policy needs 'wasm-unsafe-eval'): ${message}`, { cause: error })
  }
  return new AtomicDBError('invalid', `options.wasm: the engine could not be loaded: ${message}`, { cause: error })
}
