import { describe, invalid, readingError } from '../errors.js'

/** What {@link bytesOf} reads: a Blob, a File, a Response. */
export interface BytesSource {
  arrayBuffer(): Promise<ArrayBuffer>
}

/**
 * The bytes of a Blob or File, as a document holds them. Their type and name are fields of yours.
 *
 * @example
 * ```ts
 * await db.insert({ name: file.name, type: file.type, bytes: await bytesOf(file) })
 * ```
 */
export async function bytesOf(source: BytesSource): Promise<Uint8Array> {
  if (typeof methodOf(source) !== 'function') throw invalid(`source: expected a Blob or File, not ${describe(source)}`)
  const bytes: unknown = await source.arrayBuffer()
  if (!isBuffer(bytes)) throw invalid(`source: its arrayBuffer() has answered with ${describe(bytes)}`)
  return new Uint8Array(bytes)
}

/** Whether a value is an ArrayBuffer, of whatever window. */
function isBuffer(value: unknown): value is ArrayBuffer {
  try {
    return byteLength.call(value) >= 0
  } catch {
    return false
  }
}

const byteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')!.get as (this: unknown) => number

function methodOf(source: BytesSource | null | undefined): unknown {
  try {
    return source?.arrayBuffer
  } catch (error) {
    throw readingError('source', error)
  }
}
