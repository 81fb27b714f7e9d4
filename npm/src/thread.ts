import { AtomicDBError, EngineEndError, unsupported } from './errors.js'
import { isNode, nodeModule } from './node-modules.js'
import { nodeWorker, ownWorker } from './own-files.js'
import { release } from './release.js'
import type { Port } from './thread/rpc.js'
import { lockName } from './thread/lock-name.js'
import type { Greeting } from './thread/shared-server.js'

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
  const worker = started(await ownWorker())
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
 * Starts a worker, also in a page whose Content-Security-Policy requires Trusted Types and allows the policy `atomicdb`.
 * Nobody but this file has that policy, so it need not look at what it trusts.
 *
 * @param address Of worker.js, where bundlers do not know it.
 * @param make Makes something else than a Worker of the address.
 */
function started(address: URL | undefined, make?: (address: URL, options?: WorkerOptions) => object): Worker {
  const { trustedTypes, Worker: ofPage } = globalThis as { trustedTypes?: TrustedTypes; Worker: typeof Worker }
  try {
    policy ??= trustedTypes!.createPolicy('atomicdb', { createScriptURL: (address) => address })
  } catch {
    // This browser has no Trusted Types, or the page does not allow the policy.
  }
  // Bundlers put the address inside `new Worker(…)`: only its constructor can hand it on. Nothing else runs meanwhile.
  // Reflect.set does not throw in a page that has fixed its globals.
  if (policy || make) {
    make ??= (address, options) => new ofPage(address, options)
    Reflect.set(globalThis, 'Worker', function (address: URL, options?: WorkerOptions) {
      return make!(policy ? policy.createScriptURL(String(address)) as unknown as URL : address, options)
    })
  }
  try {
    // The text that inline.ts has is no module: a page that is opened from the disk may start no other from a blob.
    return address ? new Worker(address, address.protocol === 'blob:' ? {} : { type: 'module' }) : newWorker()
  } catch (error) {
    // Chromium throws a TypeError for an address that no policy has made, and no other.
    if (trustedTypes && error instanceof TypeError) throw unsupported(`options.worker: the Content-Security-Policy needs trusted-types atomicdb: ${error.message}`)
    throw error
  } finally {
    Reflect.set(globalThis, 'Worker', ofPage)
  }
}

/** A thread that serves all pages of an origin. */
export interface SharedThread extends Thread {
  /** The Web Lock that this page holds until it ends the connection, or is gone. */
  readonly lock: string
}

/** Whether this host has workers that pages share, and Web Locks, by which they notice each other's end. */
export function hasSharedThreads(): boolean {
  return typeof SharedWorker !== 'undefined' && lockManager() !== undefined
}

/**
 * Connects to the shared worker of that name; the first page of the origin starts it. Undefined where pages cannot share
 * one: without an origin of their own, and where worker.js comes from another origin or from a blob, of which each page
 * has its own.
 */
export async function shareThread(name: string): Promise<SharedThread | undefined> {
  const locks = lockManager()!
  const lock = lockName()
  const address = await ownWorker()
  const start = () => {
    const worker: object = started(address, (script, options) => {
      if (String(script).startsWith('blob:')) throw new NotShareable()
      return new SharedWorker(script, { ...options, name })
    })
    if (worker instanceof SharedWorker) return worker
    ;(worker as Worker).terminate() // this page has fixed its globals
    throw new NotShareable()
  }
  const [hold, greeted] = await Promise.allSettled([held(locks, lock), greetingOf(start)])
  if (hold.status === 'rejected' || greeted.status === 'rejected') {
    if (hold.status === 'fulfilled') hold.value()
    if (greeted.status === 'fulfilled') greeted.value.port.close()
    // Without an origin of its own, a page has no locks.
    if (greeted.status === 'fulfilled' || greeted.reason instanceof NotShareable) return undefined
    throw greeted.reason
  }
  const letGo = hold.value
  const { port, greeting } = greeted.value
  const ended = new AbortController()
  return {
    lock,
    post: (message, transfer) => port.postMessage(message, transfer),
    listen: (listener) => (port.onmessage = ({ data }) => listener(data)),
    onExit: (listener) => {
      locks.request(greeting.lock, { signal: ended.signal }, () => listener(exitError('it is gone'))).catch(() => {})
    },
    onRelease: () => {},
    setBusy: () => {},
    terminate: async () => {
      ended.abort()
      port.close()
      letGo()
    },
  }
}

/** Workers cannot be shared here. */
class NotShareable extends Error {}

/** Takes a Web Lock. Returns what releases it. */
function held(locks: LockManager, lock: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    locks.request(lock, () => new Promise<void>((release) => resolve(release))).catch(reject)
  })
}

/**
 * The greeting of a shared worker, and its port. While it does not come, this connects again: a connection to a worker
 * that is about to die is lost without an event. A worker that is busy with a call of another page greets later.
 */
async function greetingOf(start: () => SharedWorker): Promise<{ port: MessagePort; greeting: Greeting }> {
  const ports: MessagePort[] = []
  let timer: ReturnType<typeof setInterval> | undefined
  let used: MessagePort | undefined
  try {
    const found = await new Promise<{ port: MessagePort; greeting: Greeting }>((resolve, reject) => {
      const connect = () => {
        if (ports.length === maxConnects) return reject(new AtomicDBError('timeout', `open: the shared worker has not answered for ${maxConnects * connectEvery / 1000} s; a call of another tab may keep it busy`))
        try {
          const worker = start()
          worker.onerror = () => reject(unsupported(`options.worker: the shared worker has not started: ${notLoaded}`))
          ports.push(worker.port)
          worker.port.onmessage = ({ data }) => resolve({ port: worker.port, greeting: data })
        } catch (error) {
          reject(error as Error)
        }
      }
      timer = setInterval(connect, connectEvery)
      connect()
    })
    if (found.greeting.release !== release) throw unsupported(`options.worker: worker.js comes from release ${found.greeting.release}, and this JavaScript from ${release}; serve the one of the same package`)
    used = found.port
    return found
  } finally {
    clearInterval(timer)
    for (const port of ports) if (port !== used) port.close()
  }
}

/** In milliseconds. */
const connectEvery = 2000
const maxConnects = 45

const lockManager = () => (globalThis as { navigator?: Partial<Navigator> }).navigator?.locks

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
