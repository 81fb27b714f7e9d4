/**
 * The engine, compiled: what `import wasm from 'atomicdb/atomicdb.wasm'` gives
 * in Cloudflare Workers, for {@link OpenOptions.wasm}. Bundlers for pages give
 * its address instead, which is as good.
 */
declare const wasm: WebAssembly.Module
export default wasm
