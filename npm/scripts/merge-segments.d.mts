/** The module with its data in few segments; see merge-segments.mjs. */
export function mergeSegments(wasm: Uint8Array): Uint8Array<ArrayBuffer>

/** The data segments of a module, sorted by their places. */
export function segmentsIn(wasm: Uint8Array): { offset: number; bytes: Uint8Array }[]
