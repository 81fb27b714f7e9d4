// Our MessagePack compared with msgpackr's, on random values. The tests of what is special about ours are in
// suites/api-values.ts.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { Packr, Unpackr } from 'msgpackr'
import { decoded } from '../src/msgpack/decode.js'
import { encoding } from '../src/msgpack/encode.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'
import { value } from './random/values.js'

const packr = new Packr({ useRecords: false, variableMapSize: true })
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'auto' as never })

describe(`10,000 random values (${replayOf('codec.test.ts')})`, () => {
  const random = new Random(seed)
  const values = random.list(10_000, 10_000, () => value(random, 4))
  const encode = (one: unknown) => encoding('value', (encoder) => encoder.value(one).taken())

  test('are read by msgpackr as they are read here', () => {
    for (const one of values) assert.deepEqual(plain(unpackr.unpack(encode(one))), plain(decoded(encode(one))))
  })

  test('are read here as msgpackr writes them', () => {
    for (const one of values) assert.deepEqual(plain(decoded(packr.pack(one))), plain(decoded(encode(one))))
  })

  test('come back as they were', () => {
    for (const one of values) assert.deepEqual(plain(decoded(encode(one))), plain(one))
  })

  test('are written in the fewest bytes', () => {
    for (const one of values) {
      const ours = encode(one).length
      const theirs = packr.pack(one).length
      // msgpackr writes a float instead of an integer of 9 bytes, every bigint in 9 bytes, and 0 for -0.
      assert.ok(ours <= theirs || inspect(one, { depth: null, maxArrayLength: null }).includes('-0'), `${ours} bytes, msgpackr ${theirs}: ${JSON.stringify(plain(one))}`)
    }
  })
})

describe('an encoder', () => {
  for (const count of [0, 15, 16, 17, 65_535, 65_536]) {
    test(`writes a map of ${count} pairs, some of them maps, without those that are undefined`, () => {
      const fields = Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, n % 1000 === 7 ? { a: [n], gone: undefined } : n]))
      const bytes = encoding('value', (encoder) => encoder.value(['before', { gone: undefined, ...fields }, 'after']).taken())
      assert.deepEqual(bytes, new Uint8Array(packr.pack(['before', JSON.parse(JSON.stringify(fields)), 'after'])))
    })
  }

  test('writes text of every length around its limits as msgpackr does', () => {
    for (const character of ['a', 'é', '€', '😀']) {
      for (let length = 0; length < 300; length++) {
        const text = character.repeat(length)
        assert.deepEqual(encoding('value', (encoder) => encoder.value([text]).taken()), new Uint8Array(packr.pack([text])), `${length} of ${character}`)
      }
    }
  })

  test('leaves out what an object inherits', () => {
    class Plain {
      own = 1
    }
    Object.assign(Plain.prototype, { inherited: 2 })
    assert.deepEqual(decoded(encoding('value', (encoder) => encoder.value(new Plain()).taken())), { own: 1 })

    Object.assign(Object.prototype, { polluting: 3 })
    try {
      const bytes = encoding('value', (encoder) => encoder.value({ own: 1, below: { own: 2 } }).taken())
      assert.deepEqual(JSON.stringify(decoded(bytes)), '{"own":1,"below":{"own":2}}')
    } finally {
      delete (Object.prototype as { polluting?: number }).polluting
    }
  })

  test('returns bytes that later encodings do not change', () => {
    for (const size of [10, 70_000]) {
      const first = encoding('first', (encoder) => encoder.value('a'.repeat(size)).taken())
      encoding('second', (encoder) => encoder.value('b'.repeat(size)).taken())
      assert.equal(decoded(first), 'a'.repeat(size))
    }
  })

  test('works after an error', () => {
    assert.throws(() => encoding('value', (encoder) => encoder.value([1, [2, () => 3]])), /value\[1\]\[1\] is a function/)
    assert.deepEqual(encoding('value', (encoder) => encoder.value([1]).taken()), Uint8Array.of(0x91, 1))
  })

  test('can be used while another is in use', () => {
    const sly = Object.assign(Object.create({}) as object, { toJSON: () => encoding('inner', (e) => e.value('inner').taken().length) })
    const bytes = encoding('outer', (encoder) => encoder.value(['before', sly, 'after']).taken())
    assert.deepEqual(decoded(bytes), ['before', 6, 'after'])
  })

  test('passes on what a getter throws', () => {
    const own = new Error('own')
    const object = { get broken() { throw own } }
    assert.throws(() => encoding('value', (encoder) => encoder.value(object)), own)
  })
})

/** Values in a form that deepEqual compares: one spelling of each number, bytes without their class. */
function plain(one: unknown): unknown {
  if (typeof one === 'bigint') return Number.isSafeInteger(Number(one)) ? Number(one) : `${one}n`
  // msgpackr reads 2^53 and -2^53 as numbers, and writes them as floats, because they are not safe integers.
  if (typeof one === 'number') return Math.abs(one) === 2 ** 53 ? `${one}n` : one === 0 ? 0 : one
  if (one instanceof Uint8Array) return { bytes: [...one] }
  if (Array.isArray(one)) return one.map(plain)
  if (typeof one !== 'object' || one === null || one instanceof Date) return one
  return Object.fromEntries(Object.entries(one).map(([key, field]) => [key, plain(field)]))
}
