// What is used of Cloudflare's module, so that this package needs no types of another.
declare module 'cloudflare:workers' {
  export const DurableObject: unknown
}
declare module 'atomicdb/atomicdb.wasm' {
  const wasm: object
  export default wasm
}
