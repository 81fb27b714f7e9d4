/** What a thread of `{worker: true}` runs: it serves one database to whoever has started it. */
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
  // At once: what arrives before anybody listens is lost.
  const scope = globalThis as unknown as Pick<Worker, 'postMessage' | 'addEventListener'>
  serve({
    post: (message, transfer) => scope.postMessage(message, transfer),
    listen: (listener) => scope.addEventListener('message', ({ data }) => listener(data)),
  })
}
