/**
 * Takes out of Go's memory image what only tracebacks read: the lines and files of every instruction, the tree of inlined
 * calls, how arguments are printed, and the names of functions. A program that crashes still says why; its goroutines are
 * listed without names and places.
 *
 * What the collector, growing stacks and panics read stays: the size of the frame at each instruction, and what in it is
 * a pointer. The runtime compares some names; see keptNames. As js/wasm nothing reads where it is unsafe to be stopped, or
 * which bounds an index has broken.
 *
 * The tables are those of src/runtime/symtab.go (pcHeader, moduledata), runtime2.go (_func) and src/internal/abi/symtab.go
 * of Go 1.26. Anything else throws.
 */

const magic = 0xfffffff1
const stackMaps = 1 // of pcdata, the only one that is kept
const inlinedCalls = 3 // of funcdata, as are the next two
const argumentInfo = 5
const inlinedCallBytes = 16
const none = 0xffffffff

/**
 * Names that the runtime compares: whether a goroutine is its own (isSystemGoroutine), and two functions of reflect whose
 * arguments it describes itself (argMapInternal).
 */
const keptNames = /^(?:reflect\.makeFuncStub|reflect\.methodValueCall)$/
const ofTheRuntime = 'runtime.'

/**
 * Changes an image in place.
 *
 * @param {Uint8Array} image The memory from the address `start` on, as the linker has filled it.
 * @param {number} start
 */
export function dropTracebacks(image, start) {
  const memory = Buffer.from(image.buffer, image.byteOffset, image.byteLength)
  const header = headerOf(memory)
  const word = (at) => Number(memory.readBigUInt64LE(header + at))
  const functions = word(8)
  const [names, units, files, pcs, table] = [32, 40, 48, 56, 64].map((at) => header + word(at))
  const calls = callsOf(memory, header, start, names)

  const kept = new Map([[0, 0]]) // offsets in the table of instructions, old to new
  const tables = [] // what is kept of it
  let size = 1 // no table is at 0
  const moved = (offset) => {
    if (!kept.has(offset)) {
      const bytes = memory.subarray(pcs + offset, endOfTable(memory, pcs + offset))
      kept.set(offset, size)
      tables.push(bytes)
      size += bytes.length
    }
    return kept.get(offset)
  }
  const texts = new Map([['', 0]])
  const name = (offset) => {
    const text = memory.toString('latin1', names + offset, memory.indexOf(0, names + offset))
    const short = keptNames.test(text) ? text : text.startsWith(ofTheRuntime) ? ofTheRuntime : ''
    if (!texts.has(short)) texts.set(short, [...texts.keys()].reduce((end, other) => end + other.length + 1, 0))
    return texts.get(short)
  }

  const data = { dropped: [], kept: new Set() } // places of what functions refer to
  for (let i = 0; i < functions; i++) {
    const at = table + memory.readUInt32LE(table + 8 * i + 4)
    const pcdataCount = memory.readUInt32LE(at + 28)
    const funcdataCount = memory[at + 43]
    const pcdata = at + 44
    const funcdata = pcdata + 4 * pcdataCount
    memory.writeInt32LE(name(memory.readInt32LE(at + 4)), at + 4)
    memory.writeUInt32LE(moved(memory.readUInt32LE(at + 16)), at + 16)
    const inlined = pcdataCount > 2 ? greatest(memory, pcs, memory.readUInt32LE(pcdata + 8)) + 1 : 0
    memory.fill(0, at + 20, at + 28) // pcfile, pcln
    memory.fill(0, at + 32, at + 40) // cuOffset, startLine
    for (let k = 0; k < pcdataCount; k++) {
      const offset = memory.readUInt32LE(pcdata + 4 * k)
      memory.writeUInt32LE(k === stackMaps ? moved(offset) : 0, pcdata + 4 * k)
    }
    for (let k = 0; k < funcdataCount; k++) {
      const offset = memory.readUInt32LE(funcdata + 4 * k)
      if (offset === none) continue
      if (k === inlinedCalls) data.dropped.push([calls + offset, calls + offset + inlinedCallBytes * inlined])
      else if (k === argumentInfo) data.dropped.push([calls + offset, memory.indexOf(0xff, calls + offset) + 1])
      else data.kept.add(calls + offset)
      if (k === inlinedCalls || k === argumentInfo) memory.writeUInt32LE(none, funcdata + 4 * k)
    }
  }
  const starts = [...data.kept].sort((a, b) => a - b)
  for (const [from, to] of data.dropped) memory.fill(0, from, Math.min(to, next(starts, from)))

  memory.fill(0, names, units)
  memory.write([...texts.keys()].join('\0'), names, 'latin1')
  memory.fill(0, units, pcs) // the files' table follows that of the units
  if (units > files || files > pcs) throw unknown('the order of its tables')
  if (size > table - pcs) throw unknown('the length of its table of instructions')
  const packed = Buffer.concat([Buffer.alloc(1), ...tables])
  memory.fill(0, pcs, table)
  packed.copy(memory, pcs)
}

const unknown = (what) => new Error(`Go's linker has changed: ${what} is not what drop-tracebacks.mjs knows`)

/** Where the tables begin. */
function headerOf(memory) {
  const start = Buffer.from([0, 0, 0, 0, 0, 0, 1, 8])
  start.writeUInt32LE(magic)
  const at = memory.indexOf(start)
  if (at < 0 || memory.indexOf(start, at + 1) >= 0) throw unknown('the header of its tables')
  return at
}

/** Where the data begins that functions refer to, go:func.*, which moduledata says. */
function callsOf(memory, header, start, names) {
  const pointers = Buffer.alloc(16)
  pointers.writeBigUInt64LE(BigInt(start + header))
  pointers.writeBigUInt64LE(BigInt(start + names), 8)
  const at = memory.indexOf(pointers)
  if (at < 0 || memory.indexOf(pointers, at + 1) >= 0) throw unknown('moduledata')
  const address = Number(memory.readBigUInt64LE(at + 320)) - start
  if (address < 0 || address >= memory.length) throw unknown('the place of go:func.* in moduledata')
  return address
}

/** The end of a table that gives each instruction of a function a value. */
function endOfTable(memory, at) {
  for (let first = true; first || memory[at] !== 0; first = false) for (let part = 0; part < 2; part++) while (memory[at++] > 127);
  return at + 1
}

/** The greatest value in such a table; -1 if there is none. */
function greatest(memory, pcs, offset) {
  let most = -1
  if (offset === 0) return most
  let value = -1
  for (let at = pcs + offset, first = true; first || memory[at] !== 0; first = false) {
    let change = 0
    for (let shift = 0, more = true; more; shift += 7) {
      change |= (memory[at] & 127) << shift
      more = memory[at++] > 127
    }
    value += change & 1 ? ~(change >>> 1) : change >>> 1
    most = Math.max(most, value)
    while (memory[at++] > 127);
  }
  return most
}

/** The first of the sorted numbers that is at least `from`. */
function next(sorted, from) {
  let low = 0
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >> 1
    if (sorted[middle] < from) low = middle + 1
    else high = middle
  }
  return sorted[low] ?? Infinity
}
