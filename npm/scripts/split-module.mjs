/**
 * Splits Go's module in two: the first has the memory and the functions that a page needs until it has its first answers,
 * the rest has the other functions, and comes later. Functions stay as Go's compiler wrote them, but for the numbers of
 * those that they call.
 *
 * In the first module, a function of the rest is a stub: its number goes into the global `$missed`, and it calls its own
 * place in the table, which is the one at `$miss` + 1 + that number. All these places hold one function at first, which
 * calls the place `$miss`: there, JavaScript puts a function that instantiates the rest and goes on in it (src/program.ts).
 * The rest, once it is there, has filled the places with its own functions, and Go's own places of them too, through which
 * it calls methods and closures.
 *
 * Binaryen can split modules, but its mere round trip makes Go's code slower to start: 102 to 146 ms until a database was
 * open, instead of 71 to 98.
 */
import {
  codeSection, customSection, elementSection, exportSection, functionSection, functionNames, globalSection, importSection, list,
  memorySection, Reader, section, sectionsOf, signed, skipInstruction, tableSection, text, typeSection, unsigned,
} from './wasm-format.mjs'

/** What the rest imports everything from. */
const from = 'first'

/** A stub is longer than a function of so many bytes, or no shorter. */
const minBytes = 40

const i32 = 0x7f

/**
 * @param {Uint8Array} wasm A module of Go's, with the names of its functions.
 * @param {(name: string) => boolean} isFirst Whether the first module has a function.
 * @returns {{ first: Uint8Array, rest: Uint8Array, names: string[] }} Without names in them. `names` are those of the
 *   functions in the rest, by the numbers that `$missed` has.
 */
export function splitModule(wasm, isFirst) {
  const module = parsed(wasm)
  const names = functionNames(wasm)
  const { imports, bodies, types } = module
  const moved = []
  for (let i = 0; i < bodies.length; i++) {
    const index = imports.length + i
    if (types[i] === module.goType && bodies[i].length > minBytes && !module.isExported.has(index) && !isFirst(names[index] ?? '')) moved.push(i)
  }
  if (moved.length === 0) throw new Error('the rest would have no functions')
  const plan = { ...module, moved, miss: module.table.min, places: module.table.min + 1 }
  return { ...modulesOf(plan), names: moved.map((i) => names[imports.length + i] ?? '') }
}

/**
 * The same module, in which each function that is called sets a global: `called(exports)` says which were called by now.
 *
 * @param {Uint8Array} wasm A module of Go's, with the names of its functions.
 * @returns {{ wasm: Uint8Array, names: string[] }} The global of the function `names[n]` is exported as `$n`.
 */
export function instrumented(wasm) {
  const module = parsed(wasm)
  const names = functionNames(wasm)
  const { bodies, imports, globals } = module
  const marked = bodies.map((body, i) => {
    const start = endOfLocals(body)
    return Buffer.concat([body.subarray(0, start), Uint8Array.of(0x41, 1, 0x24), unsigned(globals.length + i), body.subarray(start)])
  })
  const changed = new Map([
    [globalSection, list([...globals.map(({ bytes }) => bytes), ...bodies.map(() => zero)])],
    [exportSection, list([...module.exports, ...bodies.map((_, i) => exported(`$${i}`, 3, globals.length + i))])],
    [codeSection, list(marked.map(sized))],
  ])
  return { wasm: joined(module.sections, changed), names: bodies.map((_, i) => names[imports.length + i] ?? '') }
}

/** The same module without the names of its functions. */
export const withoutNames = (wasm) => joined(sectionsOf(wasm), [[customSection, undefined]])

const zero = Uint8Array.of(i32, 1, 0x41, 0, 0x0b) // a global that changes, 0 at first
const constant = (number) => Buffer.concat([Uint8Array.of(i32, 0, 0x41), signed(number), Uint8Array.of(0x0b)])
const sized = (body) => Buffer.concat([unsigned(body.length), body])
const exported = (name, kind, index) => Buffer.concat([text(name), Uint8Array.of(kind), unsigned(index)])
const imported = (name, ...description) => Buffer.concat([text(from), text(name), ...description])

function modulesOf(plan) {
  const { sections, imports, bodies, types, globals, moved, goType, miss, places, table } = plan
  const size = { min: places + moved.length, max: undefined }
  const count = imports.length + bodies.length
  const place = new Map(moved.map((i, k) => [imports.length + i, places + k]))

  const firstBodies = [...bodies]
  moved.forEach((i, k) => (firstBodies[i] = stub(k, count)))
  firstBodies.push(passing(places, globals.length, goType), missing(miss, goType))

  const { bodies: restBodies, needed } = renumbered(moved.map((i) => bodies[i]), new Map(moved.map((i, k) => [imports.length + i, k])))
  const typeOf = (index) => (index < imports.length ? imports[index] : types[index - imports.length])

  const first = joined(sections, new Map([
    [typeSection, list([...plan.signatures, passingType])],
    [functionSection, list([...types, plan.signatures.length, goType].map(unsigned))],
    [tableSection, tableOf(table, size)],
    [globalSection, list([...globals.map(({ bytes }) => bytes), zero, constant(miss)])],
    [exportSection, list([
      ...plan.exports, exported('$table', 1, 0), exported('$missed', 3, globals.length), exported('$miss', 3, globals.length + 1),
      ...globals.map((_, i) => exported(`$g${i}`, 3, i)), ...needed.map((index) => exported(shortName(index), 0, index)),
    ])],
    [elementSection, list([...plan.elements, segment(places, moved.map(() => count + 1))])],
    [codeSection, list(firstBodies.map(sized))],
    [customSection, undefined],
  ]))

  const own = (k) => needed.length + k
  const rest = Buffer.concat([
    wasmHeader,
    section(typeSection, sections.get(typeSection)),
    section(importSection, list([
      ...needed.map((index) => imported(shortName(index), Uint8Array.of(0), unsigned(typeOf(index)))),
      imported('$table', Uint8Array.of(1), tableType(table, size)),
      imported('mem', Uint8Array.of(2), plan.memory),
      ...globals.map(({ type }, i) => imported(`$g${i}`, Uint8Array.of(3), type)),
    ])),
    section(functionSection, list(moved.map(() => unsigned(goType)))),
    section(elementSection, list([segment(places, moved.map((_, k) => own(k))), ...runsOf(plan.slots, place).map(([slot, places_]) => segment(slot, places_.map((at) => own(at - places))))])),
    section(codeSection, list(restBodies.map(sized))),
  ])
  return { first, rest }
}

/** Passes on the one argument that Go's functions have, and the number of the function. Some 2,700 times: it is short. */
function stub(number, passing) {
  return Buffer.concat([Uint8Array.of(0, 0x20, 0, 0x41), signed(number), Uint8Array.of(0x10), unsigned(passing), Uint8Array.of(0x0b)])
}

/** (argument, number) -> result: notes the number, and calls the function's place in the table. */
function passing(places, missed, goType) {
  return Buffer.concat([
    Uint8Array.of(0, 0x20, 1, 0x24), unsigned(missed), Uint8Array.of(0x20, 0, 0x20, 1, 0x41), signed(places), Uint8Array.of(0x6a, 0x11), unsigned(goType), Uint8Array.of(0, 0x0b),
  ])
}

const passingType = Uint8Array.of(0x60, 2, i32, i32, 1, i32)

/** What stands in the places of the functions before they are there. */
function missing(miss, goType) {
  return Buffer.concat([Uint8Array.of(0, 0x20, 0, 0x41), signed(miss), Uint8Array.of(0x11), unsigned(goType), Uint8Array.of(0, 0x0b)])
}

/** The bodies as they are in a module of their own; and which functions of the first they need, by index, in order. */
function renumbered(bodies, own) {
  const calls = bodies.map((body) => callsIn(body))
  const needed = [...new Set(calls.flat().map(({ index }) => index))].filter((index) => !own.has(index)).sort((a, b) => a - b)
  const numbers = new Map(needed.map((index, i) => [index, i]))
  for (const [index, k] of own) numbers.set(index, needed.length + k)
  return {
    needed,
    bodies: bodies.map((body, i) => {
      const parts = []
      let at = 0
      for (const { start, end, index } of calls[i]) {
        parts.push(body.subarray(at, start), unsigned(numbers.get(index)))
        at = end
      }
      return Buffer.concat([...parts, body.subarray(at)])
    }),
  }
}

/** Where a body has the numbers of the functions that it calls. */
function callsIn(body) {
  const reader = new Reader(body, endOfLocals(body))
  const calls = []
  while (reader.at < body.length) {
    const start = reader.at + 1
    const index = skipInstruction(reader)
    if (index !== undefined) calls.push({ start, end: reader.at, index })
  }
  return calls
}

function endOfLocals(body) {
  const reader = new Reader(body, 0)
  for (let left = reader.unsigned(); left > 0; left--) {
    reader.unsigned()
    reader.byte()
  }
  return reader.at
}

/** Places in the table that follow each other, and where what is called there is now. */
function runsOf(slots, place) {
  const runs = []
  for (const [slot, index] of slots) {
    const at = place.get(index)
    if (at === undefined) continue
    const last = runs.at(-1)
    if (last && last[0] + last[1].length === slot) last[1].push(at)
    else runs.push([slot, [at]])
  }
  return runs
}

const segment = (place, functions) => Buffer.concat([Uint8Array.of(0, 0x41), signed(place), Uint8Array.of(0x0b), list(functions.map(unsigned))])
const shortName = (index) => index.toString(36)

function tableType({ type }, { min, max }) {
  return Buffer.concat([Uint8Array.of(type, max === undefined ? 0 : 1), unsigned(min), ...(max === undefined ? [] : [unsigned(max)])])
}

const tableOf = (table, size) => list([tableType(table, size)])

const wasmHeader = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

/** A module of these sections, some of them changed, or left out. */
function joined(sections, changed) {
  const bodies = new Map([...sections, ...changed])
  const ids = [...bodies.keys()].filter((id) => bodies.get(id) !== undefined).sort((a, b) => a - b)
  return Buffer.concat([wasmHeader, ...ids.map((id) => section(id, bodies.get(id)))])
}

/** The parts of a module of Go's, which imports nothing but functions and has one table and one memory. */
function parsed(wasm) {
  const sections = sectionsOf(wasm)
  const read = (id, each) => {
    const reader = new Reader(sections.get(id), 0)
    return Array.from({ length: reader.unsigned() }, () => each(reader))
  }
  const imports = read(importSection, (reader) => {
    reader.text()
    reader.text()
    if (reader.byte() !== 0) throw unknown('an import that is no function')
    return reader.unsigned()
  })
  const signatures = read(typeSection, (reader) => {
    const start = reader.at
    reader.byte()
    for (let part = 0; part < 2; part++) reader.bytes(reader.unsigned())
    return reader.buffer.subarray(start, reader.at)
  })
  const types = read(functionSection, (reader) => reader.unsigned())
  const [table, ...tables] = read(tableSection, (reader) => {
    const type = reader.byte()
    const hasMax = reader.byte() === 1
    const min = reader.unsigned()
    if (hasMax) reader.unsigned()
    return { type, min }
  })
  if (tables.length > 0) throw unknown('a second table')
  const globals = read(globalSection, (reader) => {
    const start = reader.at
    const type = reader.bytes(2)
    if (![0x41, 0x42].includes(reader.byte())) throw unknown('a global of a fraction')
    while (reader.byte() > 127);
    if (reader.byte() !== 0x0b) throw unknown('a global that is more than a constant')
    return { type, bytes: reader.buffer.subarray(start, reader.at) }
  })
  const isExported = new Set()
  const exports = read(exportSection, (reader) => {
    const start = reader.at
    reader.text()
    const kind = reader.byte()
    const index = reader.unsigned()
    if (kind === 0) isExported.add(index)
    return reader.buffer.subarray(start, reader.at)
  })
  const slots = []
  const elements = read(elementSection, (reader) => {
    const start = reader.at
    if (reader.byte() !== 0 || reader.byte() !== 0x41) throw unknown('elements that have no constant place')
    let slot = reader.signed()
    reader.byte()
    for (let left = reader.unsigned(); left > 0; left--) slots.push([slot++, reader.unsigned()])
    return reader.buffer.subarray(start, reader.at)
  })
  const memory = sections.get(memorySection).subarray(1)
  const bodies = read(codeSection, (reader) => reader.bytes(reader.unsigned()))
  return { sections, signatures, imports, types, table, globals, exports, isExported, slots, elements, memory, bodies, goType: mostOf(types) }
}

/** The type that most functions have: Go's own (i32) -> i32. */
function mostOf(types) {
  const counts = new Map()
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1)
  return [...counts].reduce((most, next) => (next[1] > most[1] ? next : most))[0]
}

const unknown = (what) => new Error(`Go's linker has changed: the module has ${what}`)
