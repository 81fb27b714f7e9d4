import { equal, ok, rejects } from './check.js'
import type { Suite } from './suite.js'

/** What comes back as it went in, by what is special about it. */
const kept: Record<string, unknown> = {
  null: null,
  booleans: [true, false],
  'small integers': [0, 1, 127, 128, 255, 256, 65_535, 65_536, -1, -32, -33, -128, -129, -32_768, -32_769],
  'large integers': [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53 - 1), 1_767_225_600_000],
  floats: [0.1, -1.5, 1e300, 5e-324, 2 ** 53, -(2 ** 60), 1e21],
  'minus nought': [-0, [-0, 0], { a: -0 }],
  'not finite': [NaN, Infinity, -Infinity],
  bigints: [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 60n + 1n],
  'unsigned bigints': [2n ** 63n, 2n ** 63n + 1n, 2n ** 64n - 1n],
  'empty text': '',
  'text of every width': ['a', 'é', '€', '😀', 'a'.repeat(31), 'a'.repeat(32), 'é'.repeat(16), '€'.repeat(39), '€'.repeat(40), '😀'.repeat(100)],
  'long text': ['x'.repeat(255), 'x'.repeat(256), 'é'.repeat(200), 'x'.repeat(65_535), 'x'.repeat(65_536), '€'.repeat(30_000)],
  'text that looks like something': ['\0', '\ufeffbom', "'; drop", '__proto__', '\u{10ffff}', 'a\nb\r\n\tc'],
  dates: [new Date(0), new Date(1), new Date(-1), new Date(1e12), new Date(1.7e12 + 0.5), new Date(2 ** 32 * 1000), new Date(2 ** 34 * 1000), new Date(8.64e15), new Date(-8.64e15)],
  bytes: [new Uint8Array(), Uint8Array.of(0, 255), new Uint8Array(300).fill(7), new Uint8Array(70_000).fill(8)],
  arrays: [[], [[]], [[[1]], [2, [3]]], Array.from({ length: 15 }, (_, i) => i), Array.from({ length: 16 }, (_, i) => i), new Array(70_000).fill(1)],
  objects: [{}, { a: {} }, { '': 1 }, { 'a.b': 1 }, { $a: 1 }, { constructor: 1, toString: 2, hasOwnProperty: 3 }, { ключ: 1, '😀': 2 }],
  'an object of many fields': Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`field${i}`, i])),
  // The first name as Latin-1 is the second as UTF-8, and the decoder keeps both in one place.
  'field names that are easily taken for each other': [{ 'Æ\x80ss': 1 }, { 'ƀss': 2 }, { 'Æ\x80ss': 3 }],
  'a field name of many characters': { ['k'.repeat(300)]: 1, ['é'.repeat(20)]: 2 },
}

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
  get sum(): number {
    return this.x + this.y
  }
}

class Money {
  constructor(private readonly cents: number) {}
  toJSON(): unknown {
    return { cents: this.cents, at: new Date(5) }
  }
}

/** What is stored as something else, each with what comes back. */
const changed: Record<string, [unknown, unknown]> = {
  'numbers in a typed array, as their bytes': [[new Uint16Array([1, 258]), new Float64Array([-0]), new BigInt64Array([-1n])], [Uint8Array.of(1, 0, 2, 1), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128), new Uint8Array(8).fill(255)]],
  'a part of a buffer, as the bytes of the part': [[new DataView(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2), new Int8Array(Uint8Array.of(1, 2, 255).buffer, 2), new Uint8ClampedArray([300])], [Uint8Array.of(2, 3), Uint8Array.of(255), Uint8Array.of(255)]],
  'a buffer, as its bytes': [[Uint8Array.of(1, 2).buffer, new ArrayBuffer(0), new Float32Array()], [Uint8Array.of(1, 2), new Uint8Array(), new Uint8Array()]],
  'a small bigint, as a number': [[5n, -(2n ** 53n) + 1n], [5, -(2 ** 53) + 1]],
  'an undefined field, not at all': [{ a: undefined, b: 1, c: { d: undefined } }, { b: 1, c: {} }],
  'undefined in an array, as null': [[1, undefined, 2], [1, null, 2]],
  'a hole, as null': [[1, , 2], [1, null, 2]],
  'an instance of a class, as its own fields': [new Point(1, 2), { x: 1, y: 2 }],
  'an object with toJSON, as what that returns': [[new Money(5)], [{ cents: 5, at: new Date(5) }]],
  'an object without a prototype, as any other': [Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
  'a field of a symbol, not at all': [{ a: 1, [Symbol('s')]: 2 }, { a: 1 }],
  'a getter, as its value': [{ get a() { return 7 } }, { a: 7 }],
}

const cycle: Record<string, unknown> = { deep: { list: [1] } }
;(cycle.deep as { list: unknown[] }).list.push({ again: cycle.deep })
const endless = { get next(): unknown { return Object.create(null, Object.getOwnPropertyDescriptors(endless)) } }

/** What cannot be stored, each with the words of the refusal. */
const refused: Record<string, [unknown, RegExp]> = {
  'a function': [{ f: () => 1 }, /^document\.value\.f is a function$/],
  'a symbol': [[Symbol('s')], /^document\.value\[0\] is a symbol$/],
  'a method of a class': [Object.assign(new Point(1, 2), { m() {} }), /^document\.value\.m is a function$/],
  'a cycle': [cycle, /^document\.value\.deep\.list\[1\]\.again is a cycle: it is document\.value\.deep itself$/],
  'an object without end': [endless, /goes on for more than 1100 levels$/],
  'an invalid Date': [[[new Date(NaN)]], /^document\.value\[0\]\[0\] is an invalid Date$/],
  'a bigint above 64 bits': [2n ** 64n, /^document\.value is 18446744073709551616, outside the range of a 64-bit integer$/],
  'a bigint below 64 bits': [-(2n ** 63n) - 1n, /outside the range of a 64-bit integer$/],
  'a Map': [new Map(), /^document\.value is a Map; Object\.fromEntries/],
  'a Set': [new Set(), /^document\.value is a Set; spread it into an array$/],
  'a RegExp': [/a/, /^document\.value is a RegExp/],
  'an Error': [new Error('no'), /^document\.value is an Error$/],
  'a Promise': [Promise.resolve(), /^document\.value is a Promise$/],
  'a Blob': [new Blob(['x']), /^document\.value is a Blob; await bytesOf\(it\) makes bytes of it$/],
  'a buffer that was transferred': [transferred(), /^document\.value is an ArrayBuffer that was transferred$/],
  'a view of one': [viewOfTransferred(), /^document\.value is a Float32Array whose buffer was transferred$/],
  'what calls itself a buffer': [Object.create({ [Symbol.toStringTag]: 'ArrayBuffer' }), /^document\.value is an ArrayBuffer$/],
  'a boxed number': [Object(1), /^document\.value is a Number$/],
  'a lone surrogate in short text': ['a\ud800b', /^document\.value holds a lone surrogate/],
  'a lone surrogate at the end of short text': ['a\ud800', /^document\.value holds a lone surrogate/],
  'the wrong half first, in short text': ['\udc00\ud800', /^document\.value holds a lone surrogate/],
  'a lone surrogate in long text': [`${'a'.repeat(500)}\ud800`, /^document\.value holds a lone surrogate/],
  'a lone surrogate in a field name': [{ '\ud800': 1 }, /holds a lone surrogate/],
  'a field named __proto__': [JSON.parse('{"a": {"__proto__": 1}}'), /^document\.value\.a\.__proto__ is a field that objects cannot hold safely$/],
  'a document of more than 16 MiB': ['x'.repeat(17 << 20), /16777216/],
  'a document of more than 100 levels': [nested(100), /100 levels/],
}

function viewOfTransferred(): Float32Array {
  const view = new Float32Array(2)
  structuredClone(view.buffer, { transfer: [view.buffer] })
  return view
}

/** A buffer that another thread could have now. */
function transferred(size = 1): ArrayBuffer {
  const buffer = new ArrayBuffer(size)
  structuredClone(buffer, { transfer: [buffer] })
  return buffer
}

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)]
}

/** Values, through the engine and back. */
export const values: Suite = [
  ...Object.entries(kept).map(([name, value]) => ({
    name: `comes back as it was: ${name}`,
    async run({ open }: Parameters<Suite[number]['run']>[0]) {
      const db = await open()
      const id = await db.insert({ before: 1, value, after: 2 })
      equal(await db.get(id), { _id: id, before: 1, value, after: 2 })
      equal((await db.search()).first(), { _id: id, before: 1, value, after: 2 })
    },
  })),
  ...Object.entries(changed).map(([name, [value, stored]]) => ({
    name: `is stored: ${name}`,
    async run({ open }: Parameters<Suite[number]['run']>[0]) {
      const db = await open()
      await db.insert({ value })
      equal(await db.get(1), { _id: 1, value: stored })
    },
  })),
  ...Object.entries(refused).map(([name, [value, message]]) => ({
    name: `cannot be stored: ${name}`,
    async run({ open }: Parameters<Suite[number]['run']>[0]) {
      const db = await open()
      await db.insert({ keep: 1 })
      await rejects('invalid', () => db.insert({ value }), message)
      await rejects('invalid', () => db.insertMany([{ fine: 1 }, { value }]))
      await rejects('invalid', () => db.upsert({ _id: 1, value }))
      await rejects('invalid', () => db.update({ value }))
      await rejects('invalid', () => db.update(() => ({ value })))
      equal(await db.all(), [{ _id: 1, keep: 1 }])
      equal(await db.insert({ value: 'still works' }), 2)
    },
  })),
  {
    name: '-0 is equal to 0, and stays -0 wherever it goes',
    async run({ open }) {
      const db = await open()
      await db.createIndex('i')
      await db.insertMany([{ n: -0, i: -0 }, { n: 0, i: 0 }, { n: 1, i: 1 }])
      for (const nought of [0, -0]) {
        for (const where of [{ n: nought }, { i: nought }, { i: { $in: [nought, 5] } }, { n: { $gte: nought, $lt: 1 } }]) equal(await db.count(where), 2)
      }
      equal((await db.search(undefined, { sort: 'i' })).map(({ i }) => i), [-0, 0, 1])
      await db.update({ m: -0, 'list.a': [-0] }, { _id: 2 })
      equal(await db.get(2), { _id: 2, n: 0, i: 0, m: -0, list: { a: [-0] } })
      equal(await db.update({ n: -0 }, { _id: 2 }), 1)
      equal(await db.update({ $mul: { n: 3 } }, { _id: 2 }), 0)
      equal(await db.update({ $setOnInsert: {} }, { z: -0 }, { upsert: true, many: false, returnDocuments: 'after' }), { _id: 4, z: -0 })
      equal(await db.sql('SELECT n, ? AS p FROM default WHERE n = ? AND _id = 2', [-0, 0]), [{ n: -0, p: -0 }])
      await db.sql('UPDATE default SET z = ? WHERE _id = 3', [-0])
      equal((await db.get<any>(3)).z, -0)
      equal((await db.distinct('n')).length, 2)
      equal((await db.aggregate({ groupBy: 'n', select: { count: { $count: true } } })).length, 3)
      await rejects('invalid', () => db.insert({ _id: -0 }), /_id must be a string or a safe integer, not -0/)
      await db.insert({ _id: 0 })
      equal(await db.get(-0), { _id: 0 })
      for (const type of ['json', 'msgpack'] as const) {
        const copy = await open()
        await copy.import(await db.export({ type }))
        equal((await copy.all()).asList(), (await db.all()).asList())
      }
    },
  },
  {
    name: 'bytesOf makes bytes of a Blob',
    async run({ open, atomicdb: { bytesOf } }) {
      const db = await open()
      const bytes = await bytesOf(new Blob([Uint8Array.of(1, 2), 'a']))
      await db.insert({ bytes })
      equal((await db.get<any>(1)).bytes, Uint8Array.of(1, 2, 97))
      for (const other of [5, null, undefined, {}, 'x']) await rejects('invalid', () => bytesOf(other as never), /^source: expected a Blob/)
      for (const answer of [5, undefined, 'x', new Uint8Array(1)]) await rejects('invalid', () => bytesOf({ arrayBuffer: async () => answer } as never), /^source: its arrayBuffer\(\) has answered with /)
      const { proxy, revoke } = Proxy.revocable(() => {}, {})
      revoke()
      await rejects('invalid', () => bytesOf(proxy as never), /^source: a proxy in it has been revoked$/)
    },
  },
  {
    name: 'a document must be an object, and the error says which one is not',
    async run({ open }) {
      const db = await open()
      for (const document of [5, 'text', null, undefined, [], [{}], new Date(), new Uint8Array(), () => 1, Symbol('s'), new Map()] as never[]) {
        await rejects('invalid', () => db.insert(document), /^document /)
        await rejects('invalid', () => db.insertMany([{}, document]), /^documents\[1\] /)
        await rejects('invalid', () => db.upsert(document), /^document /)
        if (typeof document !== 'function') await rejects('invalid', () => db.update(document), /^fields /)
      }
      for (const documents of [5, 'text', null, undefined, {}, new Set([{}])] as never[]) {
        await rejects('invalid', () => db.insertMany(documents), /^documents: expected an array/)
      }
      equal(await db.count(), 0)
    },
  },
  {
    name: 'an _id must be a string or a safe integer',
    async run({ open }) {
      const db = await open()
      for (const _id of [null, true, 1.5, NaN, Infinity, 2 ** 53, -(2 ** 53), 2n ** 60n, [], {}, new Date(), Uint8Array.of(1)] as never[]) {
        await rejects('invalid', () => db.insert({ _id }), /_id/)
        await rejects('invalid', () => db.insertMany([{ _id }]), /_id/)
        await rejects('invalid', () => db.upsert({ _id }), /_id/)
      }
      for (const id of [1.5, NaN, 2 ** 53, Infinity]) await rejects('invalid', () => db.get(id), /ids are strings and safe integers/)
      await rejects('invalid', () => db.insert({ _id: '\ud800' }), /^document\._id holds a lone surrogate/)
      await rejects('invalid', () => db.get('\ud800'))
      equal(await db.insert({ _id: 5n }), 5)
      equal(await db.count(), 1)
    },
  },
  {
    name: 'integers are integers at any size, and floats are not',
    async run({ open }) {
      const db = await open()
      await db.insertMany([1, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53 - 1, -(2 ** 40), 2n ** 60n, -0].map((n) => ({ n })))
      await db.insertMany([0.5, 1e300, NaN, 2 ** 53].map((n) => ({ n })))
      const { n } = db.query<{ n: number }>()
      equal(await db.count(n.type('int')), 7)
      equal(await db.count(n.type('float')), 5)
      equal(await db.count(n.eq(2n ** 60n)), 1)
      equal(await db.count(n.eq(2 ** 40)), 1)
      equal(await db.count(n.eq(NaN)), 1)
      equal(await db.count(n.eq(-0)), 1)
    },
  },
  {
    name: 'bytes that come out are not a view of the engine’s memory',
    async run({ open }) {
      const db = await open()
      await db.insert({ bytes: Uint8Array.of(1, 2, 3) })
      const { bytes } = (await db.get<{ bytes: Uint8Array }>(1))!
      equal(bytes.buffer.byteLength, 3)
      bytes[0] = 9
      equal((await db.get<any>(1)).bytes, Uint8Array.of(1, 2, 3))
    },
  },
  {
    name: 'a toJSON that inserts into the database disturbs nothing',
    async run({ open }) {
      const db = await open()
      const inner: Promise<unknown>[] = []
      const sly = { toJSON: () => (inner.push(db.insert({ from: 'toJSON' })), 'outer') }
      Object.setPrototypeOf(sly, Point.prototype)
      await db.insert({ before: 'x'.repeat(100), sly, after: 'y'.repeat(100) })
      await Promise.all(inner)
      const found = await db.all()
      equal(found.pluck('before', 'sly', 'after', 'from').length, 2)
      ok(found.some((d) => d.sly === 'outer' && d.before === 'x'.repeat(100) && d.after === 'y'.repeat(100)), 'the outer document is damaged')
      ok(found.some((d) => d.from === 'toJSON'), 'the inner document is missing')
    },
  },
]
