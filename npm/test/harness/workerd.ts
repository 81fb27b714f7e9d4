import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import * as esbuild from 'esbuild'
import { Miniflare, type MiniflareOptions } from 'miniflare'
import { Agent, setGlobalDispatcher } from 'undici'
import { packageFolder } from './site.js'

// Each request over a connection of its own. workerd closes one that has had no request for 5 seconds, by a reset if a
// request is on its way, and on a busy machine all timers of a client that keeps it are late.
setGlobalDispatcher(new Agent({ pipelining: 0 }))

/** The modules of a Worker, as miniflare takes them. */
export type Modules = { type: 'ESModule' | 'CompiledWasm'; path: string; contents: string | Uint8Array<ArrayBuffer> }[]

/** Bundles a Worker as wrangler does: the built package inside, and the wasm beside it. */
export async function workerModules(source: string, options: esbuild.BuildOptions = {}): Promise<Modules> {
  const bundle = await esbuild.build({
    stdin: { contents: source, resolveDir: packageFolder },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['*.wasm', 'cloudflare:workers'],
    ...options,
    write: false,
  })
  return [
    { type: 'ESModule', path: 'worker.js', contents: bundle.outputFiles[0]!.text },
    { type: 'CompiledWasm', path: 'atomicdb/atomicdb.wasm', contents: new Uint8Array(await readFile(join(packageFolder, 'dist/atomicdb.wasm'))) },
  ]
}

/** A Worker that runs in a workerd of its own. */
export interface RunningWorker {
  readonly miniflare: Miniflare
  readonly address: URL
  /** Ends workerd as `kill -9` does. */
  kill(): void
}

/** Starts a Worker in a new workerd. */
export async function startWorker(modules: Modules, options: Omit<Partial<MiniflareOptions>, 'workers'> = {}): Promise<RunningWorker> {
  const before = runningWorkerds()
  const miniflare = new Miniflare({ compatibilityDate: '2026-04-20', modules, ...options } as MiniflareOptions)
  const address = await miniflare.ready
  const own = runningWorkerds().filter((pid) => !before.includes(pid))
  return {
    miniflare,
    address,
    kill() {
      if (own.length !== 1) throw new Error(`expected one new workerd, not ${own.length}`)
      process.kill(own[0]!, 'SIGKILL')
    },
  }
}

/** The processes of workerd that this one has started. Miniflare tells nobody which it has. */
function runningWorkerds(): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      const [, command, parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
      return command === 'workerd' && Number(parent) === process.pid
    } catch {
      return false // it has ended
    }
  }).map(Number)
}

/** Asks over a connection of its own: workerd ends that of a request whose object is aborted. Resolves whatever comes of it. */
export function askApart(address: URL): Promise<void> {
  return new Promise((resolve) => {
    get(address, { agent: false }, (response) => response.resume().on('close', resolve)).on('error', () => resolve())
  })
}
