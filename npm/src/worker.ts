/**
 * The program of a thread of `{worker: true}`, which serves one database to the thread that has started it; and of
 * `{worker: 'shared'}`, which serves one to all pages that connect.
 */
import { isNode, nodeModule } from './node-modules.js'
import type { NodeThreads } from './thread.js'
import { serve } from './thread/server.js'
import { SharedServer } from './thread/shared-server.js'

if (isNode) {
  void nodeModule<NodeThreads>('node:worker_threads').then(({ parentPort }) => {
    serve({
      post: (message, transfer) => parentPort.postMessage(message, transfer),
      listen: (listener) => parentPort.on('message', listener),
    })
  })
} else if ('onconnect' in globalThis) {
  const server = new SharedServer(navigator.locks, () => close())
  globalThis.addEventListener('connect', (event) => void server.connect((event as MessageEvent).ports[0]!))
} else {
  // Synchronously, because messages that arrive before there is a listener are lost.
  const scope = globalThis as unknown as Pick<Worker, 'postMessage' | 'addEventListener'>
  serve({
    post: (message, transfer) => scope.postMessage(message, transfer),
    listen: (listener) => scope.addEventListener('message', ({ data }) => listener(data)),
  }, navigator.locks)
}
