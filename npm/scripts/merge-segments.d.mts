/** The module with its data in few segments, changed by `change` if there is one; see merge-segments.mjs. */
export function mergeSegments(wasm: Uint8Array, change?: (image: Uint8Array, start: number) => void): Uint8Array<ArrayBuffer>

/** The data segments of a module, sorted by their places. */
export function segmentsIn(wasm: Uint8Array): { offset: number; bytes: Uint8Array }[]
