import { AtomicDBError } from '../errors.js'
import { bytes, libraries } from './web-crypto.js'

/** The level of the host's CompressionStream. */
const hostLevel = 6

/** Compresses as zlib (RFC 1950), at a level from 1, the fastest, to 9, the smallest. */
export async function deflate(data: Uint8Array, level: number): Promise<Uint8Array> {
  if (level !== hostLevel || typeof CompressionStream === 'undefined') return (await libraries()).zlibSync(data, { level: level as 1 })
  const packed = new Blob([bytes(data)]).stream().pipeThrough(new CompressionStream('deflate'))
  return new Uint8Array(await new Response(packed).arrayBuffer())
}

/**
 * How many bytes `packed` bytes of zlib may stand for. Compressed data can be a thousand times as many, so what is more
 * than 64 MiB may be 200 times as many at most, and 512 MiB at most. Real documents seldom reach 20 times.
 *
 * @param max What the caller allows instead.
 */
export function maxUnpacked(packed: number, max?: number): number {
  return max ?? Math.min(512 << 20, Math.max(64 << 20, 200 * packed))
}

/** Throws if `length` bytes are more than `max`, which {@link maxUnpacked} gave. */
export function checkUnpacked(length: number, max: number): void {
  if (length <= max) return
  throw new AtomicDBError('corrupt', `the data is more than ${max.toLocaleString('en')} bytes when it is decompressed; if it can be trusted, options.maxUnpackedBytes allows more`)
}

/**
 * Decompresses zlib data, piece by piece: next to nothing is allocated beyond what is allowed.
 *
 * @param max How many bytes the result may have; see {@link maxUnpacked}.
 * @throws corrupt if the result is longer, or the data is damaged.
 */
export async function inflate(data: Uint8Array, max: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  const take = (piece: Uint8Array) => {
    length += piece.length
    checkUnpacked(length, max)
    pieces.push(piece)
  }
  try {
    if (typeof DecompressionStream === 'undefined') await inflateHere(data, take)
    else await inflateInHost(data, take)
  } catch (error) {
    if (error instanceof AtomicDBError) throw error
    throw new AtomicDBError('corrupt', `the compressed bytes are damaged: ${(error as Error).message}`, { cause: error })
  }
  return joined(pieces, length)
}

async function inflateInHost(data: Uint8Array, take: (piece: Uint8Array) => void): Promise<void> {
  const unpacked = new Blob([bytes(data)]).stream().pipeThrough(new DecompressionStream('deflate'))
  for (const reader = unpacked.getReader(); ; ) {
    const { done, value } = await reader.read()
    if (done) return
    try {
      take(value)
    } catch (error) {
      reader.cancel().catch(() => {})
      throw error
    }
  }
}

async function inflateHere(data: Uint8Array, take: (piece: Uint8Array) => void): Promise<void> {
  const { Unzlib } = await libraries()
  let ended = false
  const stream = new Unzlib((piece, final) => {
    take(piece)
    ended = final
  })
  const step = 0x4000 // each step decompresses to at most a thousand times as much at once
  for (let start = 0; start < data.length || start === 0; start += step) {
    stream.push(data.subarray(start, start + step), start + step >= data.length)
  }
  if (!ended) throw new Error('the data ends too early')
}

/** The pieces joined, `length` bytes together. */
export function joined(pieces: readonly Uint8Array[], length = pieces.reduce((sum, piece) => sum + piece.length, 0)): Uint8Array {
  if (pieces.length === 1) return pieces[0]!
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
