import { isNode, nodeFiles, nodeModule, nodeProcess } from './node-modules.js'

// Bundlers bring along the files that they see in `new URL('./name', import.meta.url)`. Here is what is done where they
// do not, or where the address that they put in its place is none.

/** The address of this module. Bundles that are no ES modules have none; webpack gives the file that it was made from. */
const ownAddress = String(import.meta.url)

/** The address of the script that this is in, if it is no ES module. */
const scriptAddress = (globalThis as { document?: { currentScript?: { src?: string } | null } }).document?.currentScript?.src

/**
 * The address of a file that lies beside index.js. It is only looked for if `bundled`, which is the address as bundlers
 * understand it, cannot be right.
 */
export async function ownFile(name: string, bundled: () => URL): Promise<URL> {
  let url: URL
  try {
    url = bundled()
  } catch {
    const found = scriptAddress ? new URL(name, scriptAddress) : await inNode(name)
    if (found) return found
    throw new Error('this bundle does not know its own address')
  }
  // Next.js gives server components a path of the site, which has no protocol.
  if (isNode && !/^https?:/.test(url.protocol)) return (await inNode(name, url)) ?? url
  return (await fromVite(name, url.href)) ?? url
}

/**
 * The worker's address, where bundlers do not know it. They look for a whole `new Worker(new URL(…))`, so it is not made
 * with {@link ownFile}.
 */
export async function ownWorker(): Promise<URL | undefined> {
  if (inlined()) return (inlinedWorker ??= new URL(URL.createObjectURL(new Blob([inlined()!], { type: 'text/javascript' }))))
  if (!/^[a-z]+:/.test(ownAddress)) return scriptAddress ? new URL('worker.js', scriptAddress) : undefined
  return fromVite('worker.js', ownAddress)
}

/** The program of workers, where inline.ts has put it. */
const inlined = () => (globalThis as { [workerText]?: string })[workerText]
const workerText: unique symbol = Symbol.for('atomicdb.worker')
let inlinedWorker: URL | undefined

/** The same in Node. */
export async function nodeWorker(): Promise<URL> {
  if (inlined()) return new URL(`data:text/javascript,${encodeURIComponent(inlined()!)}`)
  return ownFile('worker.js', () => new URL('worker.js', ownAddress))
}

/**
 * Whether Vite has moved a file that has this address: its development server bundles dependencies into
 * node_modules/.vite/deps or a folder like it. Before version 8 it leaves their other files where they were.
 */
export const movedByVite = (address: string) => viteFolder.exec(address)?.[1]
const viteFolder = /^(https?:.*?)(?:\/@fs\/.*)?\/node_modules\/\.(?:[^/]+\/)+deps\w*\/[^/]*$/

/** The address that Vite serves a file of this package at; undefined if Vite has not moved the package. */
async function fromVite(name: string, address: string): Promise<URL | undefined> {
  const base = movedByVite(address)
  if (base === undefined) return undefined
  try {
    // Only Vite knows where the package is: in this node_modules, in one of a folder above, or behind a link. It refuses
    // to tell the address (`?url`) of a package's file, but the function that it makes of a wasm names it.
    const { default: instantiate } = await nodeModule<{ default: unknown }>(`${base}/@id/atomicdb/atomicdb.wasm?import&init`)
    const [, wasm] = /"([^"]+)\/atomicdb\.wasm\b/.exec(String(instantiate))!
    return new URL(`${wasm}/${name}`, address)
  } catch {
    return undefined
  }
}

/** The file on the disk: at `url`, or where the package is installed. Bundles for servers often run beside it. */
async function inNode(name: string, url?: URL): Promise<URL | undefined> {
  if (!isNode) return undefined
  try {
    const { stat } = await nodeFiles()
    const exists = (file: string) => stat(new URL(file)).then(() => true, () => false)
    const beside = ownAddress.startsWith('file:') ? new URL(name, ownAddress).href : undefined
    for (const file of [url?.href, beside]) {
      if (file?.startsWith('file:') && (await exists(file))) return new URL(file)
    }
    const { createRequire } = await nodeModule<{ createRequire(from: string): { resolve(name: string): string } }>('node:module')
    const { pathToFileURL } = await nodeModule<{ pathToFileURL(path: string): URL }>('node:url')
    return new URL(name, pathToFileURL(createRequire(`${nodeProcess!.cwd()}/`).resolve('atomicdb/atomicdb.wasm')))
  } catch {
    return undefined // the package is not installed, or the host only resembles Node
  }
}
