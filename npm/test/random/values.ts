import type { Random } from './random.js'

/** A document as a test makes it: plain data. */
export type Plain = { [name: string]: unknown }

// Few values, so that conditions often meet them; for each kind, those around
// which code goes wrong.
const numbers = [0, 1, 2, 3, -1, 1.5, -2.5, 127, 128, 65536, 2 ** 31, 2 ** 40, 1e-7]
const strings = ['', 'a', 'ab', 'abc', 'B', 'Oslo', "it's", 'two words', 'é', 'e\u0301', 'ß', '日本', '🦀', 'line\nbreak', '0', '10', '9', 'null', '$a', '\\new "quoted"', '\0\u200b']
const dates = [new Date(0), new Date('2024-02-29T12:30:00.250Z'), new Date('1969-12-31T23:59:59.999Z'), new Date('+012345-01-01T00:00:00Z')]
const bytes = [new Uint8Array(), Uint8Array.of(0), Uint8Array.of(1, 2), Uint8Array.of(1, 2, 255)]

/** Values that only the exactly defined order agrees on; mingo's own order does not. */
const awkward = [NaN, Infinity, -Infinity, -0, 1e300, 2 ** 53, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), '\uffee', '\u{10000}']

/** A value without others inside. */
export function scalar(random: Random): unknown {
  switch (random.int(0, 9)) {
    case 0:
      return null
    case 1:
      return random.chance(0.5)
    case 2:
    case 3:
    case 4:
      return random.pick(numbers)
    case 5:
    case 6:
    case 7:
      return random.pick(strings)
    case 8:
      return new Date(random.pick(dates))
    default:
      return random.pick(bytes).slice()
  }
}

/** Any value, up to `depth` containers deep, {@link awkward} ones too. */
export function value(random: Random, depth: number): unknown {
  if (depth > 0 && random.chance(0.25)) return random.list(0, 3, () => value(random, depth - 1))
  if (depth > 0 && random.chance(0.25)) return map(random, depth)
  return random.chance(0.1) ? random.pick(awkward) : scalar(random)
}

/** Field names: some look like positions, some need quotes in text. */
export const names = ['a', 'b', 'c', '0', '1', 'and', 'two words', 'ø`'] as const

/** A map of a few of the {@link names}, `depth` containers deep at most, this one counted. */
export function map(random: Random, depth: number): Plain {
  const fields: Plain = {}
  for (let count = random.int(0, 3); count > 0; count--) fields[random.pick(names)] = value(random, depth - 1)
  return fields
}

/** A document of any shape. */
export function document(random: Random): Plain {
  const fields = map(random, 3)
  for (const name of ['a', 'b']) if (random.chance(0.6)) fields[name] = value(random, 3)
  return fields
}

/** A path of one to three of the {@link names}. */
export function path(random: Random): string {
  // Long paths often lead nowhere.
  const length = random.pick([1, 1, 1, 2, 2, 3])
  return random.list(length, length, () => random.pick(random.chance(0.7) ? (['a', 'b'] as const) : names)).join('.')
}
