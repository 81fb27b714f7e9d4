import { AtomicDBError, EngineEndError, unsupported } from './errors.js'
import { isNode, nodeModule } from './node-modules.js'
import { nodeWorker, ownWorker } from './own-files.js'
import type { Port } from './thread/rpc.js'

// This file is not in thread/: bundlers bring along the URLs that it names, and worker.js is beside index.js.

/** A thread that serves a database; see worker.ts. */
export interface Thread extends Port {
  /** Calls `listener` when the thread ends; perhaps several times. */
  onExit(listener: (error: EngineEndError) => void): void
  /** The same for a thread that has said which Web Lock it holds: some die without an event. */
  onRelease(lock: string, listener: (error: EngineEndError) => void): void
  /** Says whether a call waits for the thread. Node keeps running while one does. */
  setBusy(busy: boolean): void
  terminate(): Promise<unknown>
}

/** Starts a thread: a Web Worker, or in Node one of worker_threads. */
export function startThread(): Promise<Thread> {
  return isNode ? startInNode() : startInPage()
}

async function startInPage(): Promise<Thread> {
  if (typeof Worker === 'undefined') throw unsupported('options.worker: this host has no Web Workers')
  const address = await ownWorker()
  const worker = trusted(() => (address ? new Worker(address, { type: 'module' }) : newWorker()))
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen: (listener) => worker.addEventListener('message', ({ data }) => listener(data)),
    onExit: (listener) => worker.addEventListener('error', (event) => listener(exitError(event.message || notLoaded))),
    onRelease: (lock, listener) => void navigator.locks.request(lock, () => listener(exitError('it is gone'))).catch(() => {}),
    setBusy: () => {},
    terminate: async () => worker.terminate(),
  }
}

function newWorker(): Worker {
  try {
    // Written exactly like this, because bundlers look for it.
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  } catch (error) {
    if ((error as DOMException).name !== 'SecurityError') throw error
    // A worker has to come from the origin of the page, but may import from others.
    const file = new URL('worker.js', String(import.meta.url)).href
    const script = URL.createObjectURL(new Blob([`import ${JSON.stringify(file)}`], { type: 'text/javascript' }))
    try {
      return new Worker(script, { type: 'module' })
    } finally {
      URL.revokeObjectURL(script)
    }
  }
}

/**
 * Runs `start` so that `new Worker(address)` works in it, also in a page whose Content-Security-Policy requires Trusted
 * Types and allows the policy `atomicdb`. Nobody but this file has that policy, so it need not look at what it trusts.
 */
function trusted(start: () => Worker): Worker {
  const { trustedTypes, Worker: ofPage } = globalThis as { trustedTypes?: TrustedTypes; Worker: typeof Worker }
  try {
    policy ??= trustedTypes!.createPolicy('atomicdb', { createScriptURL: (address) => address })
    // Bundlers put the address inside `new Worker(…)`: only its constructor can hand it to the policy. Nothing else runs
    // meanwhile. Reflect.set does not throw in a page that has fixed its globals.
    Reflect.set(globalThis, 'Worker', function (address: URL, options: WorkerOptions) {
      return new ofPage(policy!.createScriptURL(String(address)), options)
    })
  } catch {
    // This browser has no Trusted Types, or the page does not allow the policy.
  }
  try {
    return start()
  } catch (error) {
    // Chromium throws a TypeError for an address that no policy has made, and no other.
    if (trustedTypes && error instanceof TypeError) throw unsupported(`options.worker: the Content-Security-Policy needs trusted-types atomicdb: ${error.message}`)
    throw error
  } finally {
    Reflect.set(globalThis, 'Worker', ofPage)
  }
}

/** What is used of Trusted Types. The address that a policy has made is an object, which a Worker takes for a text. */
interface TrustedTypes {
  createPolicy(name: string, rules: Policy): Policy
}
interface Policy {
  createScriptURL(address: string): string
}
let policy: Policy | undefined

async function startInNode(): Promise<Thread> {
  const worker = await newNodeWorker()
  worker.unref()
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen: (listener) => worker.on('message', listener),
    onExit: (listener) => {
      worker.on('error', (error: Error) => listener(exitError(error.message)))
      worker.on('exit', () => listener(exitError('it has exited')))
    },
    onRelease: () => {},
    setBusy: (busy) => (busy ? worker.ref() : worker.unref()),
    terminate: () => worker.terminate(),
  }
}

async function newNodeWorker(): Promise<NodeWorker> {
  try {
    const { Worker } = await nodeModule<NodeThreads>('node:worker_threads')
    // Without the options of this process: some, such as --input-type, are for its first file only.
    return new Worker(await nodeWorker(), { execArgv: [] })
  } catch (error) {
    // Some hosts that are like Node have the module, but it cannot start threads.
    throw new AtomicDBError('unsupported', `options.worker: this host cannot start threads: ${(error as Error).message}`, { cause: error })
  }
}

/** What is used of node:worker_threads. */
export interface NodeThreads {
  readonly Worker: new (file: URL, options: { execArgv: string[] }) => NodeWorker
  readonly parentPort: {
    postMessage(message: unknown, transfer: readonly unknown[]): void
    on(event: 'message', listener: (message: unknown) => void): void
  }
}

interface NodeWorker {
  postMessage(message: unknown, transfer: readonly unknown[]): void
  on(event: string, listener: (value: any) => void): void
  ref(): void
  unref(): void
  terminate(): Promise<number>
}

function exitError(why: string): EngineEndError {
  return new EngineEndError(`its worker has stopped: ${why}`)
}

const notLoaded = 'is worker.js served beside index.js, and does worker-src allow it?'
