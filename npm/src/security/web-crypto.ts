/** The host's WebCrypto; undefined where it has none, as in pages that are served without https. */
export const webCrypto = (): SubtleCrypto | undefined => globalThis.crypto?.subtle

/** Implementations of what the host lacks. */
export const libraries = () => import('./libraries.js')

/** The same bytes, never in a SharedArrayBuffer: the functions of the host do not take one. */
export function bytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return data.buffer instanceof ArrayBuffer ? (data as Uint8Array<ArrayBuffer>) : new Uint8Array(data)
}
