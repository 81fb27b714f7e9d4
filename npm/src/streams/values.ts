// Where values of MessagePack begin and end.

/** How deep values may nest here; the engine has its own limit. */
const maxDepth = 1000

/** The header of a value: how many bytes it takes with what is no value of its own, and how many values follow as parts of it. */
export function headerAt(bytes: Uint8Array, at: number): { size: number; parts: number } | undefined {
  const code = bytes[at]
  if (code === undefined) return undefined
  if (code < 0x80 || code >= 0xe0) return { size: 1, parts: 0 }
  if (code < 0x90) return { size: 1, parts: 2 * (code & 0xf) }
  if (code < 0xa0) return { size: 1, parts: code & 0xf }
  if (code < 0xc0) return { size: 1 + (code & 0x1f), parts: 0 }
  const number = (width: number) => {
    let n = 0
    for (let i = 1; i <= width; i++) n = n * 256 + (bytes[at + i] ?? NaN)
    return n
  }
  const size = sizes[code - 0xc0]!
  if (size > 0) return { size, parts: 0 }
  const width = widths[code]
  if (width === undefined) throw new RangeError(`the byte 0x${code.toString(16)} begins no value`)
  const n = number(width)
  if (Number.isNaN(n)) return undefined
  if (code >= 0xde) return { size: 1 + width, parts: 2 * n }
  if (code >= 0xdc) return { size: 1 + width, parts: n }
  return { size: 1 + width + n + (code >= 0xc7 && code <= 0xc9 ? 1 : 0), parts: 0 }
}

/** The sizes of values from 0xc0 on; 0 for those that say their own. */
const sizes = [1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 3, 4, 6, 10, 18, 0, 0, 0, 0, 0, 0, 0]

/** How many bytes the length of other values has. */
const widths: Readonly<Record<number, number>> = { 0xc4: 1, 0xc5: 2, 0xc6: 4, 0xc7: 1, 0xc8: 2, 0xc9: 4, 0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4 }

/** Where the value that begins at `at` ends; undefined if there are not enough bytes. */
export function endOf(bytes: Uint8Array, at: number, depth = maxDepth): number | undefined {
  const header = headerAt(bytes, at)
  if (!header) return undefined
  if (depth === 0) throw new RangeError('values nest too deep')
  let end = at + header.size
  if (end > bytes.length) return undefined
  for (let n = 0; n < header.parts; n++) {
    const next = endOf(bytes, end, depth - 1)
    if (next === undefined) return undefined
    end = next
  }
  return end
}

/** Whether a value that begins with this byte is a map. */
export const isMap = (code: number | undefined) => code !== undefined && ((code & 0xf0) === 0x80 || code === 0xde || code === 0xdf)
/** Whether a value that begins with this byte is an array. */
export const isArray = (code: number | undefined) => code !== undefined && ((code & 0xf0) === 0x90 || code === 0xdc || code === 0xdd)

/** Values one after the other, which are whole. */
export function* valuesIn(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) yield bytes.subarray(at, (at = endOf(bytes, at)!))
}

/** The elements of an array, all of which is there; undefined for one that is no map. */
export function documentsIn(array: Uint8Array): (Uint8Array | undefined)[] {
  const { size } = headerAt(array, 0)!
  return [...valuesIn(array.subarray(size))].map((value) => (isMap(value[0]) ? value : undefined))
}

/** The _id of a map: a string, an integer, or null for what is no id. Undefined if it has none. */
export function idIn(map: Uint8Array): unknown {
  const { size, parts } = headerAt(map, 0)!
  let at = size
  for (let n = 0; n < parts; n += 2) {
    const value = endOf(map, at)!
    const isId = map[at] === 0xa3 && map[at + 1] === 0x5f && map[at + 2] === 0x69 && map[at + 3] === 0x64
    if (isId) return scalarAt(map, value)
    at = endOf(map, value)!
  }
  return undefined
}

/** A string or an integer; null for any other value. */
export function scalarAt(bytes: Uint8Array, at: number): string | number | null {
  const code = bytes[at]!
  if (code < 0x80) return code
  if (code >= 0xe0) return code - 0x100
  const { size } = headerAt(bytes, at)!
  if ((code >= 0xa0 && code < 0xc0) || (code >= 0xd9 && code <= 0xdb)) {
    const start = at + 1 + (widths[code] ?? 0)
    return new TextDecoder().decode(bytes.subarray(start, at + size))
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  switch (code) {
    case 0xcc: return view.getUint8(at + 1)
    case 0xcd: return view.getUint16(at + 1)
    case 0xce: return view.getUint32(at + 1)
    case 0xcf: return Number(view.getBigUint64(at + 1))
    case 0xd0: return view.getInt8(at + 1)
    case 0xd1: return view.getInt16(at + 1)
    case 0xd2: return view.getInt32(at + 1)
    case 0xd3: return Number(view.getBigInt64(at + 1))
  }
  return null
}
