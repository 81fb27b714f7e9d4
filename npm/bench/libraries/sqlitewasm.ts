import type { Database, Library } from '../library.js'

/**
 * The SQLite project's own WebAssembly, in a worker. Its files are in the origin
 * private file system, through its "SAH pool" VFS, the faster of its two.
 */
export const library: Library = {
  name: 'sqlite-wasm',
  inMemory: true,
  persistent: true,
  oneTab: true,
  async open(name, durable) {
    const handle = await call('open', [name, durable])
    const methods = ['insert', 'insertMany', 'get', 'withEmail', 'withScore', 'inCity', 'countInCity', 'groupByCity', 'nextByScore', 'nextByName', 'setActive', 'updateAged', 'removeAged', 'close'] as const
    const entries = methods.map((method) => [method, (...args: unknown[]) => call(method, args, handle as number)])
    return Object.fromEntries(entries) as Database
  },
}

/** A call, from the page to the worker. */
export interface Request {
  id: number
  method: string
  args: unknown[]
  handle: number
}

/** The worker's reply. */
export interface Response {
  id: number
  result?: unknown
  error?: string
}

let worker: Worker | undefined
let lastId = 0
const waiting = new Map<number, { resolve: (result: any) => void; reject: (error: Error) => void }>()

function call(method: string, args: unknown[], handle = 0): Promise<unknown> {
  if (!worker) {
    worker = new Worker('/sqlitewasm.worker.js', { type: 'module' })
    worker.onmessage = ({ data: { id, result, error } }: MessageEvent<Response>) => {
      const { resolve, reject } = waiting.get(id)!
      waiting.delete(id)
      if (error === undefined) resolve(result)
      else reject(new Error(error))
    }
  }
  const id = ++lastId
  worker.postMessage({ id, method, args, handle } satisfies Request)
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
}
