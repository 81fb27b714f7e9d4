/** Bytes as url-safe base64 with padding, as Python writes it. */
export function toBase64Url(data: Uint8Array): string {
  let binary = ''
  // In pieces, because a call takes a limited number of arguments.
  for (let start = 0; start < data.length; start += 0x8000) binary += String.fromCharCode(...data.subarray(start, start + 0x8000))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_')
}

/** The bytes of url-safe base64; undefined if `text` is not exactly what {@link toBase64Url} writes for them. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  let binary: string
  try {
    binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    return undefined
  }
  const data = new Uint8Array(binary.length)
  for (let i = 0; i < data.length; i++) data[i] = binary.charCodeAt(i)
  const lastThree = data.subarray((text.length / 4) * 3 - 3)
  return text.endsWith(toBase64Url(lastThree)) ? data : undefined
}
