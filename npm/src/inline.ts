// The entry for those who want one file: the wasm and the program of workers are texts in it. Whatever has imported it
// once needs no other file, so that hooks, which import index.js, find both too.
export * from './index.js'

/** What build.mjs puts in: the wasm, compressed by gzip, as base64; and worker.js. */
declare const inlinedWasm: string
declare const inlinedWorker: string

Object.assign(globalThis, { [Symbol.for('atomicdb.wasm')]: wasm, [Symbol.for('atomicdb.worker')]: inlinedWorker })

function wasm(): Response {
  const text = atob(inlinedWasm)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i)
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')))
}
