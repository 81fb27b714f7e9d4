import { describe, invalid } from '../errors.js'

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
  if (typeof (source as BytesSource | null | undefined)?.arrayBuffer !== 'function') throw invalid(`source: expected a Blob or File, not ${describe(source)}`)
  return new Uint8Array(await source.arrayBuffer())
}
