// A step after Go's linker: the module has the same memory and the same functions as the one that Go has linked.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { mergeSegments, segmentsIn } from '../scripts/merge-segments.mjs'
import { packageFolder } from './harness/site.js'

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const memoryOfOnePage = [5, 3, 1, 0, 1]
const custom = [0, 3, 1, 0x61, 9]

/** A module with one page of memory and these data segments, each with its place as signed LEB128. */
function moduleWith(...segments: { place: number[]; bytes: number[] }[]): Uint8Array {
  const body = [segments.length, ...segments.flatMap(({ place, bytes }) => [0, 0x41, ...place, 0x0b, bytes.length, ...bytes])]
  return Uint8Array.from([...header, ...memoryOfOnePage, 11, body.length, ...body, ...custom])
}

/** What is in memory, by address, but for zeros. */
function memoryOf(wasm: Uint8Array): Map<number, number> {
  return new Map(segmentsIn(wasm).flatMap(({ offset, bytes }) => [...bytes].map((byte, i) => [offset + i, byte] as const)).filter(([, byte]) => byte !== 0))
}

/** The sections of a module, but for its data. */
function othersIn(wasm: Uint8Array): Buffer[] {
  const found: Buffer[] = []
  for (let at = 8; at < wasm.length; ) {
    const start = at
    const id = wasm[at++]!
    let length = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = wasm[at++]!
      length += (byte & 127) * scale
      if (byte < 128) break
    }
    at += length
    if (id !== 11) found.push(Buffer.from(wasm.subarray(start, at)))
  }
  return found
}

describe('the data segments of a module', () => {
  test('become few, and the module is otherwise as Go has linked it', async () => {
    const linked = await readFile(join(packageFolder, '.build/go.wasm'))
    const merged = mergeSegments(linked)
    assert.ok(segmentsIn(linked).length > 10_000 && segmentsIn(merged).length < 100)
    assert.deepEqual(othersIn(merged), othersIn(linked))
    const image = (wasm: Uint8Array) => {
      const memory = Buffer.alloc(Math.max(...segmentsIn(linked).slice(-1).map(({ offset, bytes }) => offset + bytes.length)))
      for (const { offset, bytes } of segmentsIn(wasm)) memory.set(bytes, offset)
      return memory
    }
    assert.ok(image(merged).equals(image(linked)))
  })

  test('become one where little lies between them, in any order, and none far away', () => {
    const merged = mergeSegments(moduleWith({ place: [0x88, 0x08], bytes: [7] }, { place: [8], bytes: [1, 2] }, { place: [10], bytes: [3] }, { place: [0x80, 0xc0, 0x00], bytes: [9] }))
    assert.deepEqual(segmentsIn(merged).map(({ offset, bytes }) => [offset, bytes.length]), [[8, 1025], [8192, 1]])
    assert.deepEqual(memoryOf(merged), new Map([[8, 1], [9, 2], [10, 3], [1032, 7], [8192, 9]]))
    assert.deepEqual([...merged.slice(-5)], custom)
    assert.ok(WebAssembly.validate(merged))
  })

  test('are given to who changes them, as one image', () => {
    const merged = mergeSegments(moduleWith({ place: [8], bytes: [1, 2] }, { place: [12], bytes: [3] }), (image, start) => {
      assert.deepEqual([start, ...image], [8, 1, 2, 0, 0, 3])
      image[1] = 0
      image[3] = 7
    })
    assert.deepEqual(memoryOf(merged), new Map([[8, 1], [11, 7], [12, 3]]))
  })

  test('keep their places beyond 2 GiB', () => {
    const merged = mergeSegments(moduleWith({ place: [0x80, 0x80, 0x80, 0x80, 0x78], bytes: [1] }))
    assert.deepEqual(segmentsIn(merged), [{ offset: 2 ** 31, bytes: Buffer.from([1]) }])
  })

  test('are left alone in a module that this step does not know', () => {
    const [one, two] = [{ place: [8], bytes: [1, 2] }, { place: [9], bytes: [3] }]
    assert.throws(() => mergeSegments(moduleWith(one!, two!)), /overlap/)
    assert.throws(() => mergeSegments(moduleWith(one!).subarray(0, 20)), /too early/)
    const counted = Uint8Array.from([...header, ...memoryOfOnePage, 12, 1, 1, 11, 7, 1, 0, 0x41, 8, 0x0b, 1, 5])
    assert.throws(() => mergeSegments(counted), /counts its data segments/)
    const passive = Uint8Array.from([...header, ...memoryOfOnePage, 11, 4, 1, 1, 1, 5])
    assert.throws(() => mergeSegments(passive), /no constant place/)
    const byGlobal = Uint8Array.from([...header, ...memoryOfOnePage, 11, 7, 1, 0, 0x23, 0, 0x0b, 1, 5])
    assert.throws(() => mergeSegments(byGlobal), /no constant place/)
  })
})
