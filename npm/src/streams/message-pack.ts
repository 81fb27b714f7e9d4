import type { Fail, Part } from './host.js'
import { partBytes } from './source.js'

/** How deep values may nest here; the engine has its own limit. */
const maxDepth = 1000

/** The header of a value: how many bytes it takes with what is no value of its own, and how many values follow as parts of it. */
function headerAt(bytes: Uint8Array, at: number): { size: number; parts: number } | undefined {
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
function endOf(bytes: Uint8Array, at: number, depth = maxDepth): number | undefined {
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

const isMap = (code: number | undefined) => code !== undefined && ((code & 0xf0) === 0x80 || code === 0xde || code === 0xdf)
const isArray = (code: number | undefined) => code !== undefined && ((code & 0xf0) === 0x90 || code === 0xdc || code === 0xdd)

/** The elements of an array, all of which is there; undefined for one that is no map. */
export function documentsIn(array: Uint8Array): (Uint8Array | undefined)[] {
  const { size, parts } = headerAt(array, 0)!
  let at = size
  return Array.from({ length: parts }, () => {
    const end = endOf(array, at)!
    const document = array.subarray(at, end)
    at = end
    return isMap(document[0]) ? document : undefined
  })
}

/** The _id of a map: a string, an integer, or null for what is no id. Undefined if it has none. */
export function idOf(map: Uint8Array): unknown {
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
function scalarAt(bytes: Uint8Array, at: number): string | number | null {
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

/**
 * The documents of MessagePack: of an array, of maps one after the other, or of maps of arrays, each a collection. A first map
 * whose first value is an array is one of the latter.
 */
export async function* valuesOf(chunks: AsyncIterable<Uint8Array>, fail: Fail): AsyncGenerator<Part> {
  const reader = new ByteReader(chunks, fail)
  let holdsCollections: boolean | undefined
  while (await reader.has(1)) {
    if (isArray(reader.code)) {
      yield* reader.documents(undefined, (await reader.header()).parts)
      continue
    }
    if (!isMap(reader.code)) reader.fail('expected a map or an array')
    holdsCollections ??= await reader.beginsCollections()
    if (!holdsCollections) {
      yield* reader.documents(undefined, Infinity)
      return
    }
    const { parts } = await reader.header()
    for (let n = 0; n < parts; n += 2) {
      const name = await reader.value()
      const collection = scalarAt(name, 0)
      if (typeof collection !== 'string') return reader.fail('expected the name of a collection')
      if (!(await reader.has(1)) || !isArray(reader.code)) reader.fail(`collection ${JSON.stringify(collection)}: expected an array of documents`)
      const { parts: count } = await reader.header()
      if (count === 0) yield { collection, documents: [], ids: [], place: reader.place }
      yield* reader.documents(collection, count)
    }
  }
}

class ByteReader {
  private bytes: Uint8Array = new Uint8Array()
  private at = 0
  private before = 0 // bytes that were dropped
  private readonly chunks: AsyncIterator<Uint8Array>

  constructor(
    chunks: AsyncIterable<Uint8Array>,
    private readonly raise: Fail,
  ) {
    this.chunks = chunks[Symbol.asyncIterator]()
  }

  get code(): number | undefined {
    return this.bytes[this.at]
  }

  get place(): string {
    return `byte ${this.before + this.at}`
  }

  fail(why: string): never {
    return this.raise(this.place, why)
  }

  /** Adds bytes behind those that are not taken yet, at least as many as there are. Returns whether there were any. */
  private async more(): Promise<boolean> {
    const rest = this.bytes.subarray(this.at)
    const all = [rest]
    let size = rest.length
    // As many again, so that a large value is not copied for each small chunk.
    for (const wanted = Math.max(2 * size, 1); size < wanted; ) {
      const { done, value } = await this.chunks.next()
      if (done) break
      all.push(value)
      size += value.length
    }
    if (size === rest.length) return false
    this.before += this.at
    this.at = 0
    this.bytes = new Uint8Array(size)
    let at = 0
    for (const chunk of all) {
      this.bytes.set(chunk, at)
      at += chunk.length
    }
    return true
  }

  /** Whether so many bytes come. */
  async has(count: number): Promise<boolean> {
    while (this.bytes.length - this.at < count) if (!(await this.more())) return false
    return true
  }

  async header(): Promise<{ size: number; parts: number }> {
    for (;;) {
      const header = headerAt(this.bytes, this.at)
      if (header) {
        this.at += header.size
        return header
      }
      if (!(await this.more())) this.fail('the bytes end within a value')
    }
  }

  /** The next value, in bytes of its own. */
  async value(): Promise<Uint8Array> {
    const end = this.end() ?? (await this.laterEnd())
    const value = this.bytes.slice(this.at, end)
    this.at = end
    return value
  }

  private end(): number | undefined {
    try {
      return endOf(this.bytes, this.at)
    } catch (error) {
      return this.fail((error as Error).message)
    }
  }

  private async laterEnd(): Promise<number> {
    for (;;) {
      if (!(await this.more())) this.fail('the bytes end within a value')
      const end = this.end()
      if (end !== undefined) return end
    }
  }

  /** Whether the map that comes next holds arrays, as collections are. */
  async beginsCollections(): Promise<boolean> {
    const { at, before } = this
    const start = before + at
    const { parts } = headerAt(this.bytes, this.at) ?? { parts: 0 }
    if (parts === 0) return false
    await this.has(5)
    const head = headerAt(this.bytes, this.at)!.size
    for (;;) {
      const offset = start - this.before + head
      const value = this.endFrom(offset)
      if (value !== undefined && value < this.bytes.length) return isArray(this.bytes[value])
      if (!(await this.more())) return false
    }
  }

  private endFrom(at: number): number | undefined {
    try {
      return endOf(this.bytes, at)
    } catch (error) {
      return this.fail((error as Error).message)
    }
  }

  /** So many documents, or as many as there are, in parts of about {@link partBytes}. */
  async *documents(collection: string | undefined, count: number): AsyncGenerator<Part> {
    let documents: Uint8Array[] = []
    let size = 0
    let place = this.place
    const part = (): Part => ({ collection, documents, ids: documents.map(idOf), place: documents.length === 1 ? `the document at ${place}` : `the documents from ${place} to ${this.place}` })
    for (let n = 0; n < count; n++) {
      if (count === Infinity && !(await this.has(1))) break
      if (!isMap(this.code) && ((await this.has(1)), !isMap(this.code))) {
        if (documents.length > 0) yield part()
        this.fail(this.code === undefined ? 'the bytes end before the last document' : 'expected a map')
      }
      let document: Uint8Array
      try {
        document = await this.value()
      } catch (error) {
        if (documents.length > 0) yield part() // what is sound is stored
        throw error
      }
      documents.push(document)
      if ((size += document.length) < partBytes) continue
      yield part()
      documents = []
      size = 0
      place = this.place
    }
    if (documents.length > 0) yield part()
  }
}
