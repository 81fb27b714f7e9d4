import type { Document, Fail, Host, Part } from './host.js'
import { partBytes } from './source.js'
import { documentsIn, idOf } from './message-pack.js'

/** A document as text, and the line that it begins in. */
interface Piece {
  readonly text: string
  readonly line: number
}

/** The documents of NDJSON: a document a line. */
export async function* linesOf(texts: AsyncIterable<string>, host: Host, fail: Fail): AsyncGenerator<Part> {
  let line = 1
  const pieces = function* (text: string): Generator<Piece> {
    for (const one of text.split('\n')) {
      if (one.trim() !== '') yield { text: one, line }
      line++
    }
  }
  let begun: string[] = [] // of a line whose end has not come
  for await (const text of texts) {
    const end = text.lastIndexOf('\n')
    if (end < 0) {
      begun.push(text)
      continue
    }
    const whole = begun.join('') + text.slice(0, end)
    begun = [text.slice(end + 1)]
    yield* partsOf(undefined, [...pieces(whole)], host, fail)
  }
  yield* partsOf(undefined, [...pieces(begun.join(''))], host, fail)
}

/** The documents of JSON: of an array, or of an object of arrays, each a collection. */
export async function* collectionsOf(texts: AsyncIterable<string>, host: Host, fail: Fail): AsyncGenerator<Part> {
  const reader = new Reader(texts, fail)
  if ((await reader.next()) === '[') {
    for await (const pieces of reader.elements()) yield* partsOf(undefined, pieces, host, fail)
  } else {
    await reader.take('{', 'an array of documents, or an object of such arrays; a document a line is the format ndjson')
    for (let isFirst = true; (await reader.next()) !== '}'; isFirst = false) {
      if (!isFirst) await reader.take(',', ', or }')
      const collection = await reader.name()
      await reader.take(':', ':')
      if ((await reader.next()) !== '[') reader.fail(`collection ${JSON.stringify(collection)}: expected an array of documents; a document a line is the format ndjson`)
      let isEmpty = true
      for await (const pieces of reader.elements()) {
        isEmpty = false
        yield* partsOf(collection, pieces, host, fail)
      }
      if (isEmpty) yield { collection, documents: [], ids: [], place: reader.place }
    }
    await reader.take('}', '}')
  }
  if ((await reader.next()) !== '') reader.fail('expected the end')
}

/** Finds where the values of a text begin and end. What is in them is looked at later. */
class Reader {
  private text = ''
  private at = 0
  private line = 1
  private readonly texts: AsyncIterator<string>

  constructor(
    texts: AsyncIterable<string>,
    private readonly raise: Fail,
  ) {
    this.texts = texts[Symbol.asyncIterator]()
  }

  get place(): string {
    return `line ${this.line}`
  }

  fail(why: string): never {
    return this.raise(this.place, why)
  }

  /** Adds text behind what is not taken yet. Returns whether there was any. */
  private async more(): Promise<boolean> {
    const { done, value } = await this.texts.next()
    if (done) return false
    this.text = this.text.slice(this.at) + value
    this.at = 0
    return true
  }

  /** The next character that is no space; '' at the end. */
  async next(): Promise<string> {
    for (;;) {
      for (; this.at < this.text.length; this.at++) {
        const c = this.text.charCodeAt(this.at)
        if (c === 10) this.line++
        else if (c !== 32 && c !== 9 && c !== 13) return this.text[this.at]!
      }
      if (!(await this.more())) return ''
    }
  }

  async take(character: string, expected: string): Promise<void> {
    const found = await this.next()
    if (found !== character) this.fail(`expected ${expected}, not ${found === '' ? 'the end' : found}`)
    this.at++
  }

  async name(): Promise<string> {
    if ((await this.next()) !== '"') this.fail('expected a name in double quotes')
    for (let i = 1; ; i++) {
      while (this.at + i >= this.text.length) if (!(await this.more())) this.fail('the text ends within a name')
      const c = this.text[this.at + i]
      if (c === '\\') i++
      else if (c === '"') {
        const quoted = this.text.slice(this.at, (this.at += i + 1))
        try {
          return JSON.parse(quoted) as string
        } catch (error) {
          this.fail((error as Error).message)
        }
      }
    }
  }

  /** The elements of an array, in lists of about {@link partBytes}. */
  async *elements(): AsyncGenerator<Piece[]> {
    this.at++
    let pieces: Piece[] = []
    let size = 0
    try {
      for (let isFirst = true; (await this.next()) !== ']'; isFirst = false) {
        if (!isFirst) {
          await this.take(',', ', or ]')
          await this.next()
        }
        const { line } = this
        // Without a promise where the text has all of it: a stream has as many elements as documents.
        const end = this.endOf() ?? (await this.laterEnd())
        const text = this.text.slice(this.at, this.at + end)
        this.at += end
        pieces.push({ text, line })
        if ((size += end) < partBytes) continue
        yield pieces
        pieces = []
        size = 0
      }
    } catch (error) {
      if (pieces.length > 0) yield pieces // what is sound is stored
      throw error
    }
    this.at++
    if (pieces.length > 0) yield pieces
  }

  private async laterEnd(): Promise<number> {
    for (;;) {
      const { line } = this
      if (!(await this.more())) this.fail('the text ends within a document')
      const end = this.endOf()
      if (end !== undefined) return end
      this.line = line
    }
  }

  /** How long the value is that comes next; undefined if the text ends before. */
  private endOf(): number | undefined {
    const { text, at } = this
    if (text[at] !== '{') return this.fail(`expected an object, not ${text[at] ?? 'the end'}`)
    let depth = 0
    let inString = false
    let lines = 0
    for (let i = at; i < text.length; i++) {
      const c = text.charCodeAt(i)
      if (inString) {
        if (c === 92) i++
        else if (c === 34) inString = false
      } else if (c === 34) inString = true
      else if (c === 123 || c === 91) depth++
      else if (c === 10) lines++
      else if ((c === 125 || c === 93) && --depth === 0) {
        this.line += lines
        return i + 1 - at
      }
    }
    return undefined
  }
}

/**
 * What JSON.parse reads otherwise than the engine's reader of files, which has the meaning: Extended JSON, digits beyond what a
 * number holds, and floats that are whole. Text that looks like one of these goes to the engine, at a third of the speed:
 * 197 MB of 867,509 lines took 2.4 s here and 6.9 there.
 */
const needsEngine = /"\$|[\s:,[](?:-0+(?![.\d])|-?(?:\d{16}|\d+\.0+(?!\d)|\d+(?:\.\d+)?[eE]))/

/** The documents of texts; those before a faulty one come before it is thrown. */
async function* partsOf(collection: string | undefined, pieces: readonly Piece[], host: Host, fail: Fail): AsyncGenerator<Part> {
  if (pieces.length === 0) return
  const documents: Document[] = []
  for (const { text } of pieces) {
    if (needsEngine.test(text)) break
    let document: unknown
    try {
      document = JSON.parse(text)
    } catch {
      break // the engine knows more, such as NaN
    }
    if (!isObject(document)) break
    documents.push(document)
  }
  const part = (documents: readonly Document[], ids: readonly unknown[], from: number): Part => ({ collection, documents, ids, place: placeOf(pieces[from]!, pieces[from + documents.length - 1]!) })
  if (documents.length > 0) yield part(documents, documents.map((document) => (Object.hasOwn(document, '_id') ? (document as { _id: unknown })._id : undefined)), 0)
  const rest = pieces.slice(documents.length)
  if (rest.length === 0) return
  let found = await readByEngine(rest, host)
  if ('wrong' in found) {
    const { wrong } = found
    found = await readByEngine(rest.slice(0, wrong), host)
    if (!('wrong' in found) && wrong > 0) yield part(found.documents, found.documents.map(idOf), documents.length)
    fail(`line ${rest[wrong]!.line}`, (await readByEngine([rest[wrong]!], host) as { why?: string }).why ?? 'expected an object')
  }
  yield part(found.documents, found.documents.map(idOf), documents.length)
}

/** The documents, or which text is wrong, and why. */
async function readByEngine(pieces: readonly Piece[], host: Host): Promise<{ readonly documents: Uint8Array[] } | { readonly wrong: number; readonly why: string }> {
  if (pieces.length === 0) return { documents: [] }
  // One document that has all in a list: the engine leaves their order, and does not look at their ids. Each is in a line of
  // its own, so that its error says which it is.
  const texts = pieces.map(({ text }) => text.replace(/[\r\n]+/g, ' '))
  const file = new TextEncoder().encode(`{"_": [{"_": [\n${texts.join(',\n')}]}]}`)
  try {
    const { sections } = await host.parseFile(file, 'json')
    const documents = documentsIn(sections[0]!.pieces[0]!.subarray(3))
    const wrong = documents.findIndex((document) => !document)
    if (wrong >= 0 || documents.length !== pieces.length) return { wrong: Math.max(wrong, 0), why: 'expected an object' }
    return { documents: documents as Uint8Array[] }
  } catch (error) {
    const [, line, why] = /line (\d+) column \d+: (.*)$/s.exec((error as Error).message) ?? []
    if (line === undefined) throw error
    return { wrong: Math.min(Math.max(Number(line) - 2, 0), pieces.length - 1), why: why! }
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

function placeOf(first: Piece, last: Piece): string {
  return first.line === last.line ? `line ${first.line}` : `lines ${first.line} to ${last.line}`
}
