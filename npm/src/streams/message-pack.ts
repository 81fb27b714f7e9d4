import type { Fail, Part } from './host.js'
import { runsOf } from './runs.js'
import { partBytes } from './source.js'
import { endOf, headerAt, isArray, isMap, scalarAt } from './values.js'

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
      if (count === 0) yield { collection, runs: [], place: reader.place }
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
    const part = (): Part => ({ collection, runs: runsOf(documents), place: documents.length === 1 ? `the document at ${place}` : `the documents from ${place} to ${this.place}` })
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
