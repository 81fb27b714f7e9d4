/** The program of a thread of `{worker: true}`: it serves one database to the thread that has started it. */
import { isNode, nodeModule } from './node-modules.js'
import type { NodeThreads } from './thread.js'
import { serve } from './thread/server.js'

if (isNode) {
  void nodeModule<NodeThreads>('node:worker_threads').then(({ parentPort }) => {
    serve({
      post: (message, transfer) => parentPort.postMessage(message, transfer),
      listen: (listener) => parentPort.on('message', listener),
    })
  })
} else {
  // Synchronously, because messages that arrive before there is a listener are lost.
  const scope = globalThis as unknown as Pick<Worker, 'postMessage' | 'addEventListener'>
  serve({
    post: (message, transfer) => scope.postMessage(message, transfer),
    listen: (listener) => scope.addEventListener('message', ({ data }) => listener(data)),
  }, navigator.locks)
}
