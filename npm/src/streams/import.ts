import { collectionsOf, linesOf } from './json.js'
import { valuesOf } from './message-pack.js'
import type { CheckedImport, Document, Engine, Fail, Host, Part, Run } from './host.js'
import { documentsOf, idOf, runsOf } from './runs.js'
import { chunksOf, textOf } from './source.js'
import type { Id } from '../types.js'

export type Format = 'json' | 'ndjson' | 'csv' | 'msgpack'

/** The collection that declares the indexes and schemas of the others. */
const catalog = '_catalog'

/** Stores the documents of a source, as it comes. Resolves to how many. */
export async function importStream(source: unknown, options: CheckedImport, host: Host): Promise<number> {
  const { onProgress, signal } = options
  let bytes = 0
  let documents = 0
  const fail: Fail = (place, why) => {
    throw host.error('invalid', `importStream: ${place}: ${why}`)
  }
  const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      bytes += chunk.length
      yield chunk
    }
  }
  const parts = partsOf(source, options, host, counted, fail)
  const stopped = signal && new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  stopped?.catch(() => {})
  const storing = new Storing(options, host)
  try {
    for (;;) {
      // The next part is read while this one is being stored.
      const next = parts.next()
      next.catch(() => {})
      const { done, value } = await (stopped ? Promise.race([next, stopped]) : next)
      documents = await storing.ended()
      if (done) break
      onProgress?.(bytes, documents)
      storing.begin(value)
    }
    onProgress?.(bytes, documents)
    return documents
  } catch (error) {
    void parts.return(undefined).catch(() => {}) // a source that does not answer is not waited for
    // What had begun to be stored is stored, or is what has failed.
    const failed = await storing.ended().then(() => error, (failed: unknown) => failed)
    if (signal?.aborted && failed === signal.reason) throw failed
    throw withCount(failed, storing.documents, host)
  }
}

/** What went wrong, with how many documents are stored. What a source or a listener has thrown stays as it is. */
function withCount(error: unknown, imported: number, host: Host): unknown {
  const code = host.codeOf(error)
  if (!code) return error
  const { message, errors } = error as { message: string; errors?: unknown }
  const stored = imported === 0 ? 'nothing is stored' : `${imported.toLocaleString('en')} ${imported === 1 ? 'document' : 'documents'} before ${imported === 1 ? 'is' : 'are'} stored`
  return host.error(code, `${message}; ${stored}`, { imported, ...(errors !== undefined && { errors }) }, error)
}

type Counted = (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>

async function* partsOf(source: unknown, options: CheckedImport, host: Host, counted: Counted, fail: Fail): AsyncGenerator<Part> {
  const all = chunksOf(source, host, options.signal)
  const { format, chunks } = await formatOf(source, options, counted(all), host)
  if (format === 'msgpack') return yield* valuesOf(chunks, fail)
  if (format === 'ndjson') return yield* linesOf(chunks, host, fail)
  if (format === 'json') return yield* collectionsOf(chunks, host, fail)
  const csv = await import('./csv.js')
  // A Blob can be read twice.
  const whole = source instanceof Blob ? await csv.kindsOf(textOf(chunksOf(source, host), host), fail) : undefined
  yield* csv.documentsOf(textOf(chunks, host), options.columns ?? {}, whole, fail)
}

const ends = new Map<string, Format>([['json', 'json'], ['ndjson', 'ndjson'], ['jsonl', 'ndjson'], ['csv', 'csv'], ['tsv', 'csv'], ['msgpack', 'msgpack'], ['mp', 'msgpack']])

/** The format that a file's name or a response's type says, or else the first bytes; and all chunks again. */
async function formatOf(source: unknown, options: CheckedImport, chunks: AsyncIterable<Uint8Array>, host: Host): Promise<{ format: Format; chunks: AsyncIterable<Uint8Array> }> {
  if (typeof source === 'string' && ends.has(endOf(source)) && !/[,\s{[]/.test(source)) {
    throw host.error('invalid', `source: expected the text itself, not the name of a file; in Node, createReadStream(${JSON.stringify(source)}) of node:fs reads it`)
  }
  const said = options.format ?? ends.get(endOf(nameOf(source))) ?? typed(typeOf(source))
  if (said) return { format: said, chunks }
  const iterator = chunks[Symbol.asyncIterator]()
  let first: Uint8Array = new Uint8Array()
  // Enough to see the first line, but not all of a file that is one.
  while (first.length < 1 << 16 && !first.includes(10)) {
    const { done, value } = await iterator.next()
    if (done) break
    const longer = new Uint8Array(first.length + value.length)
    longer.set(first)
    longer.set(value, first.length)
    first = longer
  }
  const format = looksLike(first)
  if (!format) throw host.error('invalid', "options.format: the source does not show whether it is json, ndjson, csv or msgpack; say it, as { format: 'csv' }")
  return {
    format,
    chunks: (async function* () {
      if (first.length > 0) yield first
      yield* { [Symbol.asyncIterator]: () => iterator }
    })(),
  }
}

function looksLike(bytes: Uint8Array): Format | undefined {
  if (bytes.length === 0) return 'ndjson'
  if (bytes[0]! >= 0x80 && !(bytes[0] === 0xef && bytes[1] === 0xbb)) return 'msgpack'
  const text = new TextDecoder().decode(bytes).trimStart()
  if (text.startsWith('[')) return 'json'
  if (!text.startsWith('{')) return undefined
  // A whole object in one line is a document, or a database that has been exported.
  const isLine = text.split('\n', 1)[0]!.trimEnd().endsWith('}')
  return isLine && !/^\{\s*("[^"]*"\s*:\s*\[\s*[\]{]|\}\s*$)/.test(text) ? 'ndjson' : 'json'
}

/** What a name ends in, behind the last dot. */
const endOf = (name: string) => /^[^\n]*\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? ''

function nameOf(source: unknown): string {
  if (typeof File !== 'undefined' && source instanceof File) return source.name
  if (typeof Response !== 'undefined' && source instanceof Response && source.url) return new URL(source.url).pathname
  const { path } = Object(source) as { path?: unknown } // of what createReadStream() of node:fs returns
  return typeof path === 'string' ? path : ''
}

function typeOf(source: unknown): string {
  if (typeof Blob !== 'undefined' && source instanceof Blob) return source.type
  return (typeof Response !== 'undefined' && source instanceof Response && source.headers.get('Content-Type')) || ''
}

function typed(type: string): Format | undefined {
  const [, name] = /^\w+\/(?:x-|vnd\.)?([\w-]+)/.exec(type) ?? []
  return ends.get(name ?? '')
}

/** Stores one part at a time. */
class Storing {
  /** How many documents are stored. */
  documents = 0
  private last: Promise<void> | undefined
  /** The ids that this import has given to documents without one, for each collection: from the first to the last. */
  private readonly given = new Map<string, readonly [number, number]>()

  constructor(
    private readonly options: CheckedImport,
    private readonly host: Host,
  ) {}

  begin(part: Part): void {
    this.last = this.store(part)
    this.last.catch(() => {}) // ended() says it
  }

  async ended(): Promise<number> {
    const { last } = this
    this.last = undefined
    await last
    return this.documents
  }

  private async store({ collection: own, runs, place }: Part): Promise<void> {
    const { collection: wanted } = this.options
    if (own !== undefined && wanted !== undefined && own !== wanted) return
    if (own === catalog) return this.declare(runs)
    const collection = own ?? wanted ?? 'default'
    if (runs.length === 0) return this.host.importFile(new TextEncoder().encode(JSON.stringify({ [collection]: [] })), 'json')
    const given = this.given.get(collection)
    try {
      const done = await this.host.write(() => this.writing(collection, runs, given))
      this.documents += done.count
      if (done.given) this.given.set(collection, done.given)
    } catch (error) {
      const code = this.host.codeOf(error)
      if (!code) throw error
      throw this.host.error(code, `importStream: ${place}: ${(error as Error).message}`, { errors: (error as { errors?: unknown }).errors }, error)
    }
  }

  /** Stores the declarations of indexes, schemas and relationships. */
  private declare(runs: readonly Run[]): Promise<void> {
    const documents = runs.flatMap(documentsOf)
    const bytes = this.host.encoding('documents', (encoder) => {
      encoder.raw(Uint8Array.of(0x81)).string(catalog).array(documents.length)
      for (const document of documents) write(encoder, document)
      return encoder.taken()
    })
    return this.host.importFile(bytes, 'msgpack')
  }

  /** The write of one part. It may run several times. */
  private writing(collection: string, runs: readonly Run[], before: readonly [number, number] | undefined): (engine: Engine) => { count: number; given: readonly [number, number] | undefined } {
    const { host } = this
    const { onDuplicate = 'replace' } = this.options
    if (onDuplicate === 'skip') return (engine) => ({ count: this.insertNew(engine, collection, runs.flatMap(documentsOf)), given: before })
    const upserts = onDuplicate === 'replace'
    const pieces = runs.map((run) => piecesOf(host, collection, upserts && run.isNamed, run))
    const insert = (engine: Engine) => {
      let count = 0
      let given = before
      for (const [n, run] of runs.entries()) {
        if (run.isNamed && given && upserts) this.checkNotGiven(run, given)
        for (const bytes of pieces[n]!) {
          const stored = engine.value(host.insert, bytes) as Id[]
          count += stored.length
          if (!run.isNamed) given = [Math.min(given?.[0] ?? Infinity, stored[0] as number), stored.at(-1) as number]
        }
      }
      return { count, given }
    }
    return pieces.flat().length === 1 ? insert : (engine) => engine.whole(() => insert(engine))
  }

  /** Inserts the documents whose _id no document has. Returns how many these are. */
  private insertNew(engine: Engine, collection: string, documents: readonly Document[]): number {
    const { host } = this
    const ids = documents.map(idOf)
    const known = new Set<unknown>(host.known(engine, collection, ids.filter((id): id is Id => typeof id === 'string' || typeof id === 'number')))
    const isNew = ids.map((id) => id === undefined || (!known.has(id) && known.add(id)))
    return engine.whole(() => {
      let count = 0
      for (const run of runsOf(documents.filter((_, n) => isNew[n]))) {
        for (const bytes of piecesOf(host, collection, false, run)) count += (engine.value(host.insert, bytes) as Id[]).length
      }
      return count
    })
  }

  /** Refuses an _id that this import has given to another document. */
  private checkNotGiven(run: Run, [first, last]: readonly [number, number]): void {
    const taken = documentsOf(run).map(idOf).find((id) => typeof id === 'number' && id >= first && id <= last)
    if (taken !== undefined) throw this.host.error('duplicate_id', `the _id ${String(taken)} was given to a document before that has none: import the documents that have one first`)
  }
}

/** About how many bytes of documents go to the engine in one call. */
const pieceBytes = 1 << 20

/** The arguments of the op that inserts, for each of its calls. */
function piecesOf(host: Host, collection: string, upsert: boolean, { documents, room = 0 }: Run): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let i = 0; i < documents.length; ) {
    pieces.push(host.encoding('documents', (encoder) => {
      encoder.array(2).string(collection).boolean(upsert)
      const { length } = encoder
      const [bytes] = documents
      if (length <= room && bytes instanceof Uint8Array) {
        i++
        const piece = new Uint8Array(bytes.buffer, bytes.byteOffset - length, length + bytes.length)
        piece.set(encoder.borrowed())
        return piece
      }
      while (i < documents.length && encoder.length < pieceBytes) write(encoder, documents[i++]!)
      return encoder.taken()
    }))
  }
  return pieces
}

function write(encoder: Parameters<Parameters<Host['encoding']>[1]>[0], document: Document): void {
  if (document instanceof Uint8Array) encoder.raw(document)
  else encoder.object(document, 'the document')
}
