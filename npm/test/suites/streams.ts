import type { AtomicDB, ExportOptions, ImportOptions, StreamSource } from '../../src/index.js'
import { equal, ok, rejects } from './check.js'
import type { Suite } from './suite.js'

const utf8 = new TextEncoder()

/** A stream of these pieces, and whether it was cancelled. */
function streamOf(pieces: Iterable<Uint8Array | string>): { stream: ReadableStream<Uint8Array>; isCancelled(): boolean; pulled(): number } {
  const iterator = pieces[Symbol.iterator]()
  let isCancelled = false
  let pulled = 0
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = iterator.next()
      pulled++
      if (done) controller.close()
      else controller.enqueue(typeof value === 'string' ? utf8.encode(value) : value)
    },
    cancel() {
      isCancelled = true
    },
  }, { highWaterMark: 0 })
  return { stream, isCancelled: () => isCancelled, pulled: () => pulled }
}

/** The bytes of a file, one by one: each place that a chunk may end at. */
function* singly(bytes: Uint8Array): Generator<Uint8Array> {
  for (let n = 0; n < bytes.length; n++) yield bytes.subarray(n, n + 1)
}

const bytesOf = async (db: Pick<AtomicDB, 'exportStream'>, options?: ExportOptions) => new Uint8Array(await new Response(db.exportStream(options) as ReadableStream).arrayBuffer())
const textOf = async (db: Pick<AtomicDB, 'exportStream'>, options?: ExportOptions) => new TextDecoder().decode(await bytesOf(db, options))

/** How many documents an import that fails has stored, and why it failed. */
async function failing(db: AtomicDB, code: string, source: StreamSource, options?: ImportOptions, message?: RegExp): Promise<number | undefined> {
  let imported: number | undefined
  await rejects(code, () => db.importStream(source, options).catch((error: { imported?: number }) => {
    imported = error.imported
    throw error
  }), message)
  return imported
}

function* manyLines(count: number): Generator<string> {
  for (let n = 0; n < count; n++) yield `{"_id":${n},"text":"${'x'.repeat(1000)}"}\n`
}

/** Documents with what formats have trouble with. */
const odd = [
  { _id: 'a', text: 'a "quoted"\r\n, ü \u{1f600} text', list: [1, [2, { x: ']}' }], null], empty: {}, none: null },
  { _id: 2, at: new Date('2026-11-30T01:02:03.004Z'), big: 9007199254740993n, bytes: Uint8Array.of(0, 255, 128) },
  { _id: 3, n: NaN, m: -Infinity, small: 1e-300, literal: { $date: 'none' }, deep: { $literal: { $binary: 1 } } },
  { _id: '__proto__', ['x.y']: true, '': 'no name' },
]

/** importStream and exportStream. */
export const streams: Suite = [
  {
    name: 'what exportStream writes, importStream reads, wherever its chunks end',
    async run({ open }) {
      const db = await open()
      await db.insertMany(odd, 'odd')
      await db.insertMany(Array.from({ length: 1_234 }, (_, n) => ({ n })), 'many')
      await db.createCollection('empty', { properties: { age: { type: 'integer' } } })
      await db.createIndex('n', { collection: 'many', unique: true })
      for (const format of ['json', 'msgpack'] as const) {
        const file = await bytesOf(db, { format })
        for (const source of [file, new Blob([file]), new Response(file), streamOf([file]).stream, singly(file), streamOf(singly(file)).stream]) {
          const to = await open()
          equal(await to.importStream(source as StreamSource), 1_238, format)
          equal(await to.collections(), ['empty', 'many', 'odd'], format)
          equal((await to.all('odd')).asList(), odd, format)
          equal((await to.all('many')).asList(), (await db.all('many')).asList(), format)
          equal((await to.metadata('many')).indexes.map(({ paths, unique }) => ({ paths, unique })), [{ paths: ['n'], unique: true }], format)
          equal(await to.schema('empty'), await db.schema('empty'), format)
          await to.close()
        }
      }
      equal((await open().then(async (to) => (await to.import(await bytesOf(db)), to.all('odd')))).asList(), odd, 'by import()')
      for (const text of ['n,m\n1,2\n', '{"n":[]}\n{"n":[]}\n']) {
        await rejects('invalid', () => db.import(utf8.encode(text)), /: expected (a value|the end); importStream\(\) reads CSV, and files with a document a line$/)
      }
      for (const format of ['json', 'ndjson', 'msgpack'] as const) {
        const to = await open()
        equal(await to.importStream(singly(await bytesOf(db, { format, collection: 'odd' })), { collection: 'odd', format }), 4, format)
        equal((await to.all('odd')).asList(), odd, format)
      }
      const one = await open()
      await one.importStream(await bytesOf(db), { collection: 'odd' })
      equal(await one.collections(), ['odd'], 'only that collection')
      equal(await textOf(db, { collection: 'many', format: 'ndjson', where: 'n > 1231' }), '{"_id":1233,"n":1232}\n{"_id":1234,"n":1233}\n')
      equal([await textOf(await open()), await textOf(await open(), { collection: 'none' }), await textOf(await open(), { format: 'csv' })], ['{}\n', '[]\n', ''])
    },
  },
  {
    name: 'a source may be a file with a name, a response with a type, text, or a generator, and shows its format by its first bytes',
    async run({ open }) {
      const cases: [StreamSource, ImportOptions, unknown[]][] = [
        [new File(['n,m\n1,x\n'], 'a.csv'), {}, [{ _id: 1, n: 1, m: 'x' }]],
        [new Response('{"n":1}', { headers: { 'Content-Type': 'application/x-ndjson; charset=utf-8' } }), {}, [{ _id: 1, n: 1 }]],
        ['\ufeff[{"n":1}, {"n":2}]', {}, [{ _id: 1, n: 1 }, { _id: 2, n: 2 }]],
        ['{"n":1}\r\n\r\n{"n":2}', {}, [{ _id: 1, n: 1 }, { _id: 2, n: 2 }]],
        ['{"default":[{"n":1}]}', {}, [{ _id: 1, n: 1 }]],
        [(async function* () {
          yield '{"n"'
          yield utf8.encode(':1}')
        })(), {}, [{ _id: 1, n: 1 }]],
        [Uint8Array.of(0x81, 0xa1, 0x6e, 1, 0x81, 0xa1, 0x6e, 0xcd, 1, 0), {}, [{ _id: 1, n: 1 }, { _id: 2, n: 256 }]],
        [Uint8Array.of(0x91, 0x81, 0xa1, 0x6e, 1), {}, [{ _id: 1, n: 1 }]],
        // As createReadStream() of node:fs returns it.
        [Object.assign(singly(utf8.encode('n\n1\n')), { path: 'folder/a.CSV' }), {}, [{ _id: 1, n: 1 }]],
        [Object.assign(singly(utf8.encode('{"n":1}')), { path: 'a.constructor' }), {}, [{ _id: 1, n: 1 }]],
        ['', {}, []],
        ['a;b\n1;"2\n3"\n', { format: 'csv' }, [{ _id: 1, a: 1, b: '2\n3' }]],
      ]
      for (const [n, [source, options, documents]] of cases.entries()) {
        const db = await open()
        equal(await db.importStream(source, options), documents.length, `source ${n}`)
        equal((await db.all()).asList(), documents, `source ${n}`)
      }
    },
  },
  {
    name: 'CSV has the types of its columns, and goes out as it came in',
    async run({ open }) {
      const db = await open()
      const file = 'name,age,address.city,zip,active\r\nAda,36,Oslo,0150,true\r\nBob,19,Bergen,,false\r\n"Cy, the ""third""",52.5,Oslo,77,\r\n'
      for (const source of [new Blob([file]), singly(utf8.encode(file))] as StreamSource[]) {
        await db.clear()
        equal(await db.importStream(source, { format: 'csv' }), 3)
        equal((await db.all()).exclude('_id').asList(), [
          { name: 'Ada', age: 36, address: { city: 'Oslo' }, zip: '0150', active: true },
          { name: 'Bob', age: 19, address: { city: 'Bergen' }, active: false },
          { name: 'Cy, the "third"', age: 52.5, address: { city: 'Oslo' }, zip: '77' },
        ])
      }
      equal((await textOf(db, { format: 'csv' })).replaceAll(/^\d+,|^_id,/gm, ''), file)
      // Of a Blob, the whole column is looked at; of a stream, what is in the first part.
      const late = `n,pad\n${`1,${'p'.repeat(600)}\n`.repeat(3_000)}x,\n`
      equal(await db.importStream(new Blob([late]), { format: 'csv', collection: 'blob' }), 3_001)
      equal((await db.get("n = 'x'", 'blob'))?.n, 'x')
      equal(await db.count("n = '1'", 'blob'), 3_000)
      const stored = await failing(db, 'invalid', streamOf([late.slice(0, 1 << 20), late.slice(1 << 20)]).stream, { format: 'csv', collection: 'stream' }, /line 3002: the column n was of numbers before, and here it is "x"; options\.columns may say what it is: \{ "n": 'text' \}/)
      equal([stored, await db.count(undefined, 'stream')], [3_000, 3_000])
      equal(await db.importStream(streamOf(['n,m\n1,2\n']).stream, { format: 'csv', columns: { n: 'text' }, collection: 'given' }), 1)
      equal((await db.all('given')).asList(), [{ _id: 1, n: '1', m: 2 }])
      for (const [csv, message] of [['a,a.b\n1,2\n', /column a\.b: there is a column a with a value/], ['__proto__.x\n1\n', /__proto__ is a field/], ['a,b\n"1,2\n', /line 2: /], ['a,a\n1,2\n', /two columns/], ['a\n1,2\n', /line 2: has 2 fields/]] as const) {
        await failing(db, 'invalid', csv, { format: 'csv' }, message)
      }
    },
  },
  {
    name: 'after an error all that came before it is stored, and the error says how much, and where it was',
    async run({ open }) {
      const cases: [source: StreamSource, imported: number, message: RegExp, options?: ImportOptions][] = [
        ['{"n":1}\n{"n":2}\n{"n": oh}\n{"n":4}\n', 2, /^importStream: line 3: expected a value; 2 documents before are stored$/],
        ['{"n":1}\n[{"n":2}]\n', 1, /line 2: expected an object; 1 document before is stored/],
        ['{"at":{"$date":"2026-01-01T00:00:00Z"}}\n{"at":{"$date":1}}\n', 1, /line 2: this is no \$date/],
        ['{"n":1},{"n":2}\n', 0, /line 1: .*; nothing is stored$/, { format: 'ndjson' }],
        ['{"a": [{"n":1},\n{"n":2},\n{"n"', 2, /line 3: the text ends within a document/],
        ['[{"n":1}\n{"n":2}]', 1, /line 2: expected , or \], not \{/],
        ['[{"n":1}]]', 1, /expected the end/],
        ['{"a": 1}', 0, /a document a line is the format ndjson/, { format: 'json' }],
        [Uint8Array.of(0x81, 0xa1, 0x6e, 1, 5), 1, /byte 4: expected a map/],
        [Uint8Array.of(0x81, 0xa1, 0x6e, 1, 0x81, 0xa1), 1, /byte 4: the bytes end within a value/],
        [Uint8Array.of(0x92, 0x80, 0xc1), 1, /byte 2: expected a map/],
        [Uint8Array.of(0x7b, 0xff, 0x0a), 0, /no UTF-8/, { format: 'ndjson' }],
        ['n', 0, /options\.format: the source does not show .*, as { format: 'csv' }; nothing is stored$/],
        ['people.csv', 0, /^source: expected the text itself, not the name of a file; in Node, createReadStream\("people\.csv"\) of node:fs reads it/],
        ['people.csv', 0, /^source: expected the text itself, not the name of a file/, { format: 'csv' }],
        ['{"_id":1}\n{"_id":[]}\n', 0, /^importStream: lines 1 to 2: /],
      ]
      for (const [source, imported, message, options] of cases) {
        const db = await open()
        equal(await failing(db, 'invalid', source, options, message), imported, String(message))
        equal((await db.usage()).documents, imported, String(message))
      }
      const db = await open()
      await db.createCollection('default', { required: ['n'] })
      equal(await failing(db, 'schema', '{"n":1}\n{"m":1}\n', undefined, /lines 1 to 2/), 0)
      equal(await db.count(), 0, 'a batch is stored whole or not at all')
    },
  },
  {
    name: 'a document replaces the one that has its _id, is left out, or ends the import',
    async run({ open }) {
      const file = '{"_id":1,"n":1}\n{"_id":"x","n":2}\n{"_id":1,"n":3}\n{"n":4}\n'
      for (const [onDuplicate, stored, first] of [['replace', 4, 3], ['skip', 2, 0]] as const) {
        const db = await open()
        await db.insert({ _id: 1, n: 0 })
        equal(await db.importStream(file, { onDuplicate }), stored, onDuplicate)
        equal((await db.all()).map(({ n }) => n), [first, 2, 4], onDuplicate)
      }
      const db = await open()
      equal(await failing(db, 'duplicate_id', file, { onDuplicate: 'error' }, /lines 1 to 4/), 0)
      // An _id that the import itself has given is nobody's name.
      equal(await failing(db, 'duplicate_id', '{"n":1}\n{"n":2}\n{"_id":2}\n', undefined, /the _id 2 was given to a document before that has none/), 0)
      equal(await db.importStream('{"_id":2}\n{"n":1}\n{"_id":"b"}\n{"n":2}\n'), 4)
      equal(await db.documentIds(), [2, 3, 'b', 4])
    },
  },
  {
    name: 'reads no more than it stores, tells how far it is, and stops when it is told to',
    async run({ open }) {
      const db = await open()
      const told: [number, number][] = []
      const source = streamOf(manyLines(5_000))
      equal(await db.importStream(source.stream, { onProgress: (...how) => void told.push(how) }), 5_000)
      ok(told.length >= 4 && told.every(([bytes, documents], n) => n === 0 || (bytes >= told[n - 1]![0] && documents >= told[n - 1]![1])), JSON.stringify(told))
      equal(told.at(-1), [5_091_890, 5_000].map((_, n) => told.at(-1)![n]!))
      equal(told.at(-1)![1], 5_000)
      equal(await db.count(), 5_000, 'no part was overwritten before it was stored')

      const stop = new AbortController()
      const reason = new Error('enough')
      const endless = streamOf((function* () {
        for (;;) yield* manyLines(1_000)
      })())
      const stopped = await db.importStream(endless.stream, { collection: 'stopped', signal: stop.signal, onProgress: (_, documents) => documents > 0 && stop.abort(reason) }).catch((error: unknown) => error)
      ok(stopped === reason, String(stopped))
      ok(endless.isCancelled(), 'the source is cancelled')
      ok(endless.pulled() < 5_000, `it has read ${endless.pulled()} chunks`)
      const { documents } = await db.usage()
      await db.flush()
      equal((await db.usage()).documents, documents, 'nothing is stored after it')
      ok((await db.importStream('{}', { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error)) === reason, 'a signal that is aborted before')
      ok((await db.importStream({ async *[Symbol.asyncIterator]() {
        yield '{"n":1}\n'
        throw reason
      } } as AsyncIterable<string>, { collection: 'broken', format: 'ndjson' }).catch((error: unknown) => error)) === reason, 'what the source throws')
    },
  },
  {
    name: 'an export is written as it is read, and ends when nobody wants it',
    async run({ open }) {
      const db = await open()
      await db.insertMany(Array.from({ length: 5_000 }, (_, n) => ({ n, text: 'x'.repeat(300) })))
      const told: number[] = []
      const reader = (db.exportStream({ format: 'ndjson', fields: ['n', 'late'], onProgress: (_, documents) => void told.push(documents) }) as ReadableStream<Uint8Array>).getReader()
      await reader.read()
      ok(told.length <= 3, `it has read ${told.length} pages`)
      // What comes later is as it is then.
      await db.remove('n >= 3000')
      await db.update({ late: true }, 'n = 2999')
      let text = ''
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        text += new TextDecoder().decode(value)
      }
      ok(text.endsWith('{"_id":3000,"n":2999,"late":true}\n'), text.slice(-100))
      const given = (db.exportStream() as ReadableStream<Uint8Array>).getReader()
      await given.read()
      await given.cancel()
      const stop = new AbortController()
      const stopped = (db.exportStream({ signal: stop.signal }) as ReadableStream<Uint8Array>).getReader()
      stop.abort(new Error('enough'))
      equal(await stopped.read().then(() => '', (error: Error) => error.message), 'enough')
      await rejects('invalid', () => (db.exportStream({ where: 'n = = 1' }) as ReadableStream).getReader().read())
    },
  },
  {
    name: 'options of a stream that mean nothing are refused',
    async run({ open }) {
      const db = await open()
      for (const [options, message] of [[{ format: 'xml' }, /options\.format: expected json, ndjson, csv, msgpack, not "xml"/], [{ collection: '' }, /options\.collection/], [{ onDuplicate: 'x' }, /options\.onDuplicate/], [{ columns: { a: 'date' } }, /options\.columns/], [{ signal: {} }, /options\.signal/], [{ onProgress: 1 }, /options\.onProgress/], [{ colection: 'x' }, /there is no option colection/]] as const) {
        await rejects('invalid', () => db.importStream('{}', options as unknown as ImportOptions), message)
      }
      for (const source of [undefined, 5, {}, new Response('', { status: 404 }), [5]]) await rejects('invalid', () => db.importStream(source as unknown as StreamSource, { format: 'ndjson' }), /^(importStream|source)/)
      const { proxy, revoke } = Proxy.revocable(() => {}, {})
      revoke()
      await rejects('invalid', () => db.importStream([proxy] as never, { format: 'ndjson' }), /^source: a proxy in it has been revoked$/)
      for (const name of ['collection', 'fields', 'signal']) await rejects('invalid', async () => db.exportStream({ [name]: proxy }), /./)
      for (const name of ['collection', 'columns', 'signal', 'onDuplicate']) await rejects('invalid', () => db.importStream('{}', { format: 'ndjson', [name]: proxy }), /./)
      const bytes = new Uint8Array(8)
      structuredClone(bytes, { transfer: [bytes.buffer] })
      await rejects('invalid', () => db.importStream(bytes, { format: 'ndjson' }), /^source: its bytes were transferred to elsewhere$/)
      equal(await db.collections(), [])
    },
  },
]
