/** Takes out of Go's memory image, which begins at the address `start`, what only tracebacks read; see drop-tracebacks.mjs. */
export function dropTracebacks(image: Uint8Array, start: number): void
