/**
 * What the steps after Go's linker know of the binary format of WebAssembly modules: numbers, sections, and how long each
 * instruction is. See https://webassembly.github.io/spec/core/binary/.
 */

export const customSection = 0
export const typeSection = 1
export const importSection = 2
export const functionSection = 3
export const tableSection = 4
export const memorySection = 5
export const globalSection = 6
export const exportSection = 7
export const elementSection = 9
export const codeSection = 10
export const dataSection = 11
export const dataCountSection = 12

/** Reads numbers in LEB128. */
export class Reader {
  constructor(buffer, at) {
    this.buffer = buffer
    this.at = at
  }

  byte() {
    if (this.at >= this.buffer.length) throw new Error('the module ends too early')
    return this.buffer[this.at++]
  }

  bytes(length) {
    const bytes = this.buffer.subarray(this.at, (this.at += length))
    if (bytes.length < length) throw new Error('the module ends too early')
    return bytes
  }

  text() {
    return Buffer.from(this.bytes(this.unsigned())).toString()
  }

  unsigned() {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  signed() {
    let value = 0
    for (let shift = 0; ; ) {
      const byte = this.byte()
      value |= (byte & 127) << shift
      shift += 7
      if (byte < 128) return shift < 32 && byte & 64 ? value | (-1 << shift) : value
    }
  }
}

/** A number in LEB128. */
export function unsigned(value) {
  const bytes = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128)
  return Uint8Array.of(...bytes, value)
}

/** A signed number in LEB128. */
export function signed(value) {
  const bytes = []
  for (; value < -64 || value > 63; value >>= 7) bytes.push((value & 127) | 128)
  return Uint8Array.of(...bytes, value & 127)
}

/** A name, or other text. */
export function text(name) {
  const bytes = Buffer.from(name)
  return Buffer.concat([unsigned(bytes.length), bytes])
}

/** A section with this body. */
export function section(id, ...parts) {
  const body = Buffer.concat(parts)
  return Buffer.concat([Uint8Array.of(id), unsigned(body.length), body])
}

/** A list, as most sections have one: its length, and its elements. */
export function list(elements) {
  return Buffer.concat([unsigned(elements.length), ...elements])
}

/** The bodies of a module's sections, by id. Of custom sections, those called "name" count as the only one. */
export function sectionsOf(wasm) {
  const reader = new Reader(wasm, 8)
  const bodies = new Map()
  while (reader.at < wasm.length) {
    const id = reader.byte()
    const body = reader.bytes(reader.unsigned())
    if (id !== customSection || new Reader(body, 0).text() === 'name') bodies.set(id, body)
  }
  return bodies
}

/** The names of functions that a module tells, by index. */
export function functionNames(wasm) {
  const names = []
  const body = sectionsOf(wasm).get(customSection)
  if (!body) return names
  const reader = new Reader(body, 0)
  reader.text()
  while (reader.at < body.length) {
    const id = reader.byte()
    const part = new Reader(reader.bytes(reader.unsigned()), 0)
    if (id !== 1) continue
    for (let left = part.unsigned(); left > 0; left--) names[part.unsigned()] = part.text()
  }
  return names
}

/**
 * Skips one instruction at `reader.at`, which is one of those that Go's compiler writes; others throw.
 *
 * @returns {number | undefined} The index of the function if it is a call.
 */
export function skipInstruction(reader) {
  const code = reader.byte()
  if (code === 0x10) return reader.unsigned()
  if (code === 0x02 || code === 0x03 || code === 0x04) reader.signed() // block, loop, if: a type
  else if (code === 0x0c || code === 0x0d || (code >= 0x20 && code <= 0x24)) reader.unsigned() // br, br_if, local, global
  else if (code === 0x0e) for (let left = reader.unsigned() + 1; left > 0; left--) reader.unsigned() // br_table
  else if (code === 0x11) (reader.unsigned(), reader.unsigned()) // call_indirect
  else if (code >= 0x28 && code <= 0x3e) (reader.unsigned(), reader.unsigned()) // loads and stores
  else if (code === 0x3f || code === 0x40) reader.byte() // memory.size, memory.grow
  else if (code === 0x41 || code === 0x42) while (reader.byte() > 127); // i32.const, i64.const
  else if (code === 0x43) reader.bytes(4)
  else if (code === 0x44) reader.bytes(8)
  else if (code === 0xfc) skipLong(reader)
  else if (!isBare(code)) throw new Error(`the module has an instruction 0x${code.toString(16)}, which nothing here knows`)
  return undefined
}

function skipLong(reader) {
  const code = reader.unsigned()
  if (code === 10) reader.bytes(2) // memory.copy
  else if (code === 11) reader.bytes(1) // memory.fill
  else if (code > 7) throw new Error(`the module has an instruction 0xfc ${code}, which nothing here knows`)
}

/** Whether an instruction has nothing but its code: unreachable, nop, else, end, return, drop, select, and what counts. */
const isBare = (code) => code <= 0x01 || code === 0x05 || code === 0x0b || code === 0x0f || code === 0x1a || code === 0x1b || (code >= 0x45 && code <= 0xc4)
