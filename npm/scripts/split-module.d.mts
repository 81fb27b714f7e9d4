/** Splits Go's module in two, by the names of its functions; see split-module.mjs. */
export function splitModule(wasm: Uint8Array, isFirst: (name: string) => boolean): { first: Uint8Array<ArrayBuffer>; rest: Uint8Array<ArrayBuffer>; names: string[] }

/** The same module without the names of its functions. */
export function withoutNames(wasm: Uint8Array): Uint8Array<ArrayBuffer>
