// The entry for Cloudflare Workers, where a module of WebAssembly can only be imported. The name is the package's own, so
// that a bundler treats it as it does the same import in a program.
import wasm from 'atomicdb/atomicdb.wasm'

Object.assign(globalThis, { [Symbol.for('atomicdb.wasm')]: wasm })

export * from './index.js'
