/**
 * Merges the data segments of a wasm module. Go's linker begins a new segment at every few bytes of zeros, some 52,000 of
 * them, each with a header that does not compress, and each an entry that a browser reads and copies by itself.
 * The functions stay as Go's compiler wrote them.
 */
import { dataCountSection, dataSection, customSection, Reader, signed, unsigned } from './wasm-format.mjs'

/** Zeros up to so many bytes between two segments become part of one: they compress to nothing. */
const maxGap = 1024

/**
 * Returns the module with its data in as few segments as that allows.
 *
 * @param {Uint8Array} wasm A module of the core specification 2.0, whose data segments all lie in the first memory, at
 *   constant places, none over another. Anything else throws.
 * @param {(image: Uint8Array, start: number) => void} [change] Changes the data, which lies from the address `start` on.
 * @returns {Uint8Array}
 */
export function mergeSegments(wasm, change) {
  const reader = new Reader(wasm, 8)
  const parts = [wasm.subarray(0, 8)]
  while (reader.at < wasm.length) {
    const start = reader.at
    const id = reader.byte()
    const end = reader.unsigned() + reader.at
    if (id === dataCountSection) throw new Error('the module counts its data segments, so that functions may refer to them')
    if (id === dataSection) {
      const body = dataOf(mergedOf(segmentsOf(reader), change))
      parts.push(Uint8Array.of(id), unsigned(body.length), body)
    } else if (id !== customSection || start < end) {
      parts.push(wasm.subarray(start, end))
    }
    reader.at = end
  }
  return Buffer.concat(parts)
}

/**
 * The data segments of a module, sorted by their places.
 *
 * @param {Uint8Array} wasm
 * @returns {{ offset: number, bytes: Uint8Array }[]}
 */
export function segmentsIn(wasm) {
  const reader = new Reader(wasm, 8)
  while (reader.at < wasm.length) {
    const id = reader.byte()
    const end = reader.unsigned() + reader.at
    if (id === dataSection) return segmentsOf(reader)
    reader.at = end
  }
  return []
}

function segmentsOf(reader) {
  const segments = []
  for (let left = reader.unsigned(); left > 0; left--) {
    if (reader.unsigned() !== 0 || reader.byte() !== 0x41) throw new Error('a data segment has no constant place in the first memory')
    const offset = reader.signed() >>> 0
    if (reader.byte() !== 0x0b) throw new Error('the place of a data segment is more than a constant')
    segments.push({ offset, bytes: reader.bytes(reader.unsigned()) })
  }
  return segments.sort((a, b) => a.offset - b.offset)
}

function mergedOf(segments, change) {
  if (segments.length === 0) return []
  const start = segments[0].offset
  const last = segments.at(-1)
  const image = new Uint8Array(last.offset + last.bytes.length - start)
  let end = start
  for (const { offset, bytes } of segments) {
    if (offset < end) throw new Error('the data segments overlap')
    image.set(bytes, offset - start)
    end = offset + bytes.length
  }
  change?.(image, start)
  return [...withoutGaps(image)].map(([from, to]) => ({ offset: start + from, bytes: image.subarray(from, to) }))
}

/** The ranges of an image between more zeros than maxGap. */
function* withoutGaps(image) {
  let from = -1
  let to = 0
  for (let at = 0; at < image.length; at++) {
    if (image[at] === 0) continue
    if (from < 0) from = at
    else if (at - to > maxGap) {
      yield [from, to]
      from = at
    }
    to = at + 1
  }
  if (from >= 0) yield [from, to]
}

function dataOf(segments) {
  return Buffer.concat([unsigned(segments.length), ...segments.flatMap(({ offset, bytes }) => [Uint8Array.of(0, 0x41), signed(offset | 0), Uint8Array.of(0x0b), unsigned(bytes.length), bytes])])
}
