// The reader that writes JSON as MessagePack from bytes to bytes: what it takes, JSON.parse takes, and means the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AtomicDB } from '../src/index.js'
import { encoding } from '../src/msgpack/encode.js'
import { headRoom, JSONBytes } from '../src/streams/json-bytes.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

const utf8 = new TextEncoder()
const json = new JSONBytes(true)

/** What the reader makes of a text that is one object; undefined if it leaves it to others. */
function read(text: Uint8Array, reader = json): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length + 1)
  bytes.set(text)
  const end = reader.object(bytes, 0)
  const { length } = reader
  const written = reader.taken().slice(headRoom, length)
  if (end < 0) assert.equal(length, headRoom, 'nothing is written of what is left to others')
  return end === text.length ? written : undefined
}

/** What JSON.parse and the encoder make of it; undefined if they refuse it, or if it is no object. */
function expected(text: Uint8Array): Uint8Array | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? encoding('it', (encoder) => encoder.object(value, 'it').taken()) : undefined
  } catch {
    return undefined
  }
}

/** Fails unless both are the same bytes, or undefined. */
function same(found: Uint8Array | undefined, wanted: Uint8Array | undefined, text: Uint8Array): void {
  if (found && wanted && Buffer.compare(found, wanted) === 0) return
  assert.deepEqual(found, wanted, `${new TextDecoder().decode(text).slice(0, 1000)}\n${replayOf('json-bytes.test.ts')}`)
}

/** The spelling of random objects. */
class Spelling {
  constructor(
    private readonly random: Random,
    private readonly names: readonly string[],
    private readonly numbers: readonly (() => string)[],
  ) {}

  object(depth: number): string {
    const names = new Set(this.random.list(0, this.random.pick([3, 3, 20]), () => this.random.pick(this.names)))
    return `{${this.space()}${[...names].map((name) => `"${name}"${this.space()}:${this.value(depth - 1)}`).join(`,${this.space()}`)}}`
  }

  private value(depth: number): string {
    const { random } = this
    const make = random.pick([() => random.pick(this.numbers)(), () => `"${this.text()}"`, () => random.pick(['true', 'false', 'null']), () => (depth > 0 ? this.object(depth) : '{}'), () => (depth > 0 ? `[${random.list(0, random.pick([2, 20]), () => this.value(depth - 1)).join(',')}${this.space()}]` : '[]')])
    return `${this.space()}${make()}${this.space()}`
  }

  private text(): string {
    const parts = ['a', ' ', 'abcdefgh', '0', '$', '/', 'ü', '€', '\u{1f600}', '\x7f', '\\n', '\\"', '\\\\', '\\/', '\\b\\f\\r\\t', '\\u0041', '\\u00fc', '\\u20AC', '\\ud83d\\ude00', '\\u0000', '{', ']', ',']
    return this.random.list(0, this.random.pick([2, 5, 60]), () => this.random.pick(parts)).join('')
  }

  private space = () => this.random.pick(['', '', '', ' ', '\t', '\r\n', '  '])
}

const names = ['a', 'b', 'name', '_id', '', 'x.y', 'Ü', '\u{1f600}', 'n'.repeat(40), 'm'.repeat(300), ...Array.from({ length: 30 }, (_, n) => `field${n}`)]

const digits = (random: Random, most: number) => random.list(1, most, () => random.pick([...'0123456789'])).join('')
/** Whole numbers that a number holds, and floats that are not whole: JSON.parse and the encoder have the meaning. */
const plainNumbers = (random: Random) => [
  () => String(random.pick([0, 1, 31, 32, 127, 128, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) * random.pick([1, -1])).replace('-0', '0'),
  () => String(random.int(-(2 ** 40), 2 ** 40)),
  () => `${random.pick(['', '-'])}${random.int(0, 99)}.${digits(random, 25)}5`,
  () => `${random.pick(['', '-'])}${random.int(1, 1e9)}${digits(random, 4)}.5`,
  () => `0.${'0'.repeat(random.int(0, 30))}${digits(random, 3)}1`,
]
/** All numbers. */
const anyNumbers = (random: Random) => [...plainNumbers(random), () => `${random.pick(['', '-'])}${random.int(0, 9)}${random.pick(['', '.0', '.50', '.25'])}${random.pick(['e', 'E'])}${random.pick(['', '+', '-'])}${random.int(0, 20)}`, () => random.pick(['0.0', '-0.0', '-0', '1.0', '100.000', '12345678901234567', '-9223372036854775808', '18446744073709551615', '99999999999999999999'])]

test('what it takes, JSON.parse takes, and the bytes are those of the encoder', (t) => {
  const random = new Random(seed)
  t.diagnostic(replayOf('json-bytes.test.ts'))
  const spelling = new Spelling(random, names, plainNumbers(random))
  const odd = [...'{}[]":,\\0123-.eEu/\n\r\t a', '\0', '\x1f', '\xff', '\xc3', '\xc0', '\xed', '\xf4', '\x80', '__proto__', '"a":1,', '"1":', '\\ud800', '\\u12', 'true', 'nul', '00', '"$date"'].map((text) => Uint8Array.from(text, (c) => c.charCodeAt(0)))
  for (let n = 0; n < 5_000; n++) {
    const text = utf8.encode(spelling.object(4))
    same(read(text), expected(text), text)
    const at = random.int(0, text.length)
    const changed = Uint8Array.from([...text.subarray(0, at), ...random.pick(odd), ...text.subarray(at + random.int(0, 2))])
    const taken = read(changed)
    // Numbers may be floats now that are whole or have an exponent, which are the engine's.
    if (!taken) continue
    if (!/[.eE]/.test(new TextDecoder().decode(changed))) same(taken, expected(changed), changed)
    else assert.ok(expected(changed), `${new TextDecoder().decode(changed)}\n${replayOf('json-bytes.test.ts')}`)
  }
})

test('it leaves to others what means more than it says, or is wrong', () => {
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  const left = [
    '', ' {}', '[]', '1', '{', '{}}', '{,}', '{"a"}', '{"a":}', '{"a":1,}', '{"a" 1}', "{'a':1}", '{"a":1 "b":2}', '{a:1}', '{"a":[}', '{"a":[1,]}', '{"a":[,]}', '{"a":tru}', '{"a":nulll}', '{"a":NaN}', '{"a":-Infinity}',
    '{"a":01}', '{"a":-}', '{"a":+1}', '{"a":.5}', '{"a":1.}', '{"a":1e}', '{"a":1e+}', '{"a":0x1}', '{"a":1e400}', '{"a":9007199254740992}', '{"a":-9007199254740992}', `{"a":${'1'.repeat(400)}.5}`,
    '{"a":"\n"}', '{"a":"\t"}', '{"a":"\\x"}', '{"a":"\\u12g4"}', '{"a":"\\ud800"}', '{"a":"\\ude00\\ud83d"}', '{"a":"\\', '{"a":"\\"}',
    '{"a":1,"a":2}', '{"b":{"a":1,"b":1,"a":2}}', '{"__proto__":1}', '{"\\u0061":1}', '{"b":1,"1":2}', '{"a":{"$date":1}}', '{"$x":1}', '\ufeff{}', '{\u00a0}', nested(101),
  ]
  for (const text of left) assert.equal(read(utf8.encode(text)), undefined, text)
  for (const text of ['{}', '{ }', '{"a":"\x7f"}', '{"1a":1,"-1":2}', '{"a":{"a":1},"b":{"b":1,"a":2}}', '{"__proto":1}', nested(100), `{"a":[${'1,'.repeat(70_000)}1]}`, `{"a":"${'ü'.repeat(40_000)}"}`]) same(read(utf8.encode(text)), expected(utf8.encode(text)), utf8.encode(text))
  // Not UTF-8: cut, longer than it must be, a surrogate, beyond the last character.
  for (const wrong of [[0xc3], [0x80], [0xc0, 0xaf], [0xe0, 0x80, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
    assert.equal(read(Uint8Array.from([...utf8.encode('{"a":"'), ...wrong, ...utf8.encode('"}')])), undefined, String(wrong))
    assert.equal(read(Uint8Array.from([...utf8.encode('{"'), ...wrong, ...utf8.encode('":1}')])), undefined, String(wrong))
  }
  assert.equal(read(utf8.encode('{"a":\n1}'), new JSONBytes(false)), undefined, 'an object that goes on in the next line')
})

test('documents that all have other names are read, and do not stay in memory', () => {
  const reader = new JSONBytes(true)
  for (let n = 0; n < 20_000; n++) {
    const text = utf8.encode(`{"name":1,"field${n}":{"a${n}":1,"b${n % 7}":2}}`)
    same(read(text, reader), expected(text), text)
  }
  const many = (count: number) => utf8.encode(`{${Array.from({ length: count }, (_, n) => `"f${n}":1`).join()}}`)
  assert.ok(read(many(256), reader))
  assert.equal(read(many(100_000), reader), undefined, 'each name would be compared with all before')
})

test('lines are stored as the engine reads them from a file', async (t) => {
  const random = new Random(seed)
  t.diagnostic(replayOf('json-bytes.test.ts'))
  const spelling = new Spelling(random, names.filter((name) => name !== '_id'), anyNumbers(random))
  const texts = Array.from({ length: 5_000 }, () => spelling.object(3).replace(/[\r\n]/g, ' '))
  const expected = await AtomicDB.open('file', { inMemory: true })
  await expected.import(utf8.encode(`{"default":[${texts.join()}]}`))
  for (const [format, file] of [['ndjson', texts.join('\n')], ['json', `[${texts.join(',\n')}]`]] as const) {
    const db = await AtomicDB.open('lines', { inMemory: true })
    assert.equal(await db.importStream(file, { format }), texts.length)
    const [found, wanted] = await Promise.all([db, expected].map((one) => one.export({ type: 'msgpack' })))
    assert.ok(Buffer.from(found!).equals(Buffer.from(wanted!)), `${format}: ${replayOf('json-bytes.test.ts')}`)
    await db.close()
  }
  await expected.close()
})
