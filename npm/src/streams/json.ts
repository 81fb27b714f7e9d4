import type { Document, Fail, Host, Part } from './host.js'
import { headRoom, JSONBytes } from './json-bytes.js'
import { idOf } from './runs.js'
import { partBytes, Window } from './source.js'
import { documentsIn } from './values.js'

/** The documents of NDJSON: a document a line. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, host: Host, fail: Fail): AsyncGenerator<Part> {
  const window = new Window(chunks, host)
  const documents = new Documents(undefined, new JSONBytes(false), host, fail)
  let line = 1
  for (let isLast = false; !isLast; ) {
    await window.more()
    isLast = window.isOver
    const { bytes } = window
    // Without an end of a line, there is only the begin of one.
    const end = isLast ? window.end : bytes.subarray(0, window.end).lastIndexOf(10) + 1
    try {
      for (; window.start < end; line++) {
        const after = documents.line(bytes, window.start, line)
        if (after >= 0) {
          window.start = after
          continue
        }
        const found = bytes.subarray(window.start, end).indexOf(10)
        const lineEnd = found < 0 ? end : window.start + found
        const text = window.text(window.start, lineEnd)
        if (text.trim() !== '') documents.text(text, line)
        window.start = lineEnd + 1
      }
    } catch (error) {
      yield* documents.taken() // what is sound is stored
      throw error
    }
    yield* documents.taken()
  }
}

/** The documents of JSON: of an array, or of an object of arrays, each a collection. */
export async function* collectionsOf(chunks: AsyncIterable<Uint8Array>, host: Host, fail: Fail): AsyncGenerator<Part> {
  const reader = new Reader(chunks, host, fail)
  if ((await reader.next()) === '[') yield* reader.elements(undefined)
  else {
    await reader.take('{', 'an array of documents, or an object of such arrays; a document a line is the format ndjson')
    for (let isFirst = true; (await reader.next()) !== '}'; isFirst = false) {
      if (!isFirst) await reader.take(',', ', or }')
      const collection = await reader.name()
      await reader.take(':', ':')
      if ((await reader.next()) !== '[') reader.fail(`collection ${JSON.stringify(collection)}: expected an array of documents; a document a line is the format ndjson`)
      let isEmpty = true
      for await (const part of reader.elements(collection)) {
        isEmpty = false
        yield part
      }
      if (isEmpty) yield { collection, runs: [], place: reader.place }
    }
    await reader.take('}', '}')
  }
  if ((await reader.next()) !== '') reader.fail('expected the end')
}

/** Finds where the documents of a text begin and end. */
class Reader {
  private line = 1
  private readonly json = new JSONBytes(true)
  private readonly window: Window

  constructor(
    chunks: AsyncIterable<Uint8Array>,
    private readonly host: Host,
    private readonly raise: Fail,
  ) {
    this.window = new Window(chunks, host)
  }

  get place(): string {
    return `line ${this.line}`
  }

  fail(why: string): never {
    return this.raise(this.place, why)
  }

  /** The next character that is no space; '' at the end. */
  async next(): Promise<string> {
    for (;;) {
      const { window } = this
      for (; window.start < window.end; window.start++) {
        const c = window.bytes[window.start]!
        if (c === 10) this.line++
        else if (c !== 32 && c !== 9 && c !== 13) return c < 0x80 ? String.fromCharCode(c) : window.text(window.start, characterEnd(window))
      }
      if (!(await window.more())) return ''
    }
  }

  async take(character: string, expected: string): Promise<void> {
    const found = await this.next()
    if (found !== character) this.fail(`expected ${expected}, not ${found === '' ? 'the end' : found}`)
    this.window.start++
  }

  async name(): Promise<string> {
    if ((await this.next()) !== '"') this.fail('expected a name in double quotes')
    const { window } = this
    for (let i = 1; ; i++) {
      while (window.start + i >= window.end) if (!(await window.more())) this.fail('the text ends within a name')
      const c = window.bytes[window.start + i]
      if (c === 0x5c) i++
      else if (c === 0x22) {
        const quoted = window.text(window.start, (window.start += i + 1))
        try {
          return JSON.parse(quoted) as string
        } catch (error) {
          this.fail((error as Error).message)
        }
      }
    }
  }

  /** The elements of an array, in parts of about {@link partBytes}. */
  async *elements(collection: string | undefined): AsyncGenerator<Part> {
    const { window } = this
    const documents = new Documents(collection, this.json, this.host, this.raise)
    window.start++
    try {
      // Without a promise where the window has what comes next: a stream has as many elements as documents.
      for (let isFirst = true; (this.soon() ?? (await this.next())) !== ']'; isFirst = false) {
        if (!isFirst) {
          if (this.soon() === ',') window.start++
          else await this.take(',', ', or ]')
          if (this.soon() === undefined) await this.next()
        }
        const { line } = this
        let after = documents.object(window.bytes, window.start, line)
        if (after >= 0) this.line += documents.lines
        else {
          let end = this.endOf()
          if (end === undefined) {
            end = await this.laterEnd()
            after = documents.object(window.bytes, window.start, line)
          }
          if (after < 0) documents.text(window.text(window.start, (after = end)), line)
        }
        window.start = after
        if (documents.size >= partBytes) yield* documents.taken()
      }
    } catch (error) {
      yield* documents.taken() // what is sound is stored
      throw error
    }
    window.start++
    yield* documents.taken()
  }

  /** As {@link next}; undefined if that takes more bytes than there are. */
  private soon(): string | undefined {
    const { window } = this
    const { bytes, end } = window
    for (; window.start < end; window.start++) {
      const c = bytes[window.start]!
      if (c === 10) this.line++
      else if (c !== 32 && c !== 9 && c !== 13) return c < 0x80 ? characters[c] : undefined
    }
    return undefined
  }

  private async laterEnd(): Promise<number> {
    for (;;) {
      const { line } = this
      if (!(await this.window.more())) this.fail('the text ends within a document')
      const end = this.endOf()
      if (end !== undefined) return end
      this.line = line
    }
  }

  /** Where the value ends that comes next; undefined if the window ends before. */
  private endOf(): number | undefined {
    const { bytes, start, end } = this.window
    if (bytes[start] !== 0x7b) return this.fail(`expected an object, not ${start < end ? this.window.text(start, characterEnd(this.window)) : 'the end'}`)
    let depth = 0
    let inString = false
    let lines = 0
    for (let i = start; i < end; i++) {
      const c = bytes[i]!
      if (inString) {
        if (c === 92) i++
        else if (c === 34) inString = false
      } else if (c === 34) inString = true
      else if (c === 123 || c === 91) depth++
      else if (c === 10) lines++
      else if ((c === 125 || c === 93) && --depth === 0) {
        this.line += lines
        return i + 1
      }
    }
    return undefined
  }
}

/** Where the character ends that comes next. */
function characterEnd({ bytes, start, end }: Window): number {
  let at = start + 1
  while (at < end && (bytes[at]! & 0xc0) === 0x80) at++
  return at
}

/** Where the space of a line ends. */
function spaceEnd(bytes: Uint8Array, at: number): number {
  for (;; at++) {
    const c = bytes[at]
    if (c !== 0x20 && c !== 0x0d && c !== 0x09) return at
  }
}

/** ASCII. */
const characters = Array.from({ length: 0x80 }, (_, c) => String.fromCharCode(c))

/** A document as text, and the line that it begins in. */
interface Piece {
  readonly text: string
  readonly line: number
}

/** Documents that are written, one after the other: from where to where, and in which lines they begin. */
interface Written {
  readonly isNamed: boolean
  readonly from: number
  to: number
  readonly line: number
  lastLine: number
}

/** Collects the documents of a part. */
class Documents {
  private entries: (Piece | Written)[] = []
  private texts = 0 // how long they are

  constructor(
    private readonly collection: string | undefined,
    private readonly json: JSONBytes,
    private readonly host: Host,
    private readonly fail: Fail,
  ) {}

  /** About how many bytes the documents have. */
  get size(): number {
    return this.json.length - headRoom + this.texts
  }

  /** How many ends of lines the last object had in it. */
  get lines(): number {
    return this.json.lines
  }

  /** Adds the object that begins at `at`, in `line`, and returns where it ends; -1 if its text has to be given. */
  object(bytes: Uint8Array, at: number, line: number): number {
    const from = this.json.length
    const end = this.json.object(bytes, at)
    if (end >= 0) this.add(from, line)
    return end
  }

  /** Adds the document of a line, if there is one, and returns where the next line begins; -1 if its text has to be given. */
  line(bytes: Uint8Array, at: number, line: number): number {
    const start = spaceEnd(bytes, at)
    if (bytes[start] === 0x0a) return start + 1
    const from = this.json.length
    let end = this.json.object(bytes, start)
    if (end < 0) return -1
    end = spaceEnd(bytes, end)
    if (bytes[end] === 0x0a) {
      this.add(from, line)
      return end + 1
    }
    this.json.length = from
    return -1
  }

  /** Notes what has been written since `from`. */
  private add(from: number, line: number): void {
    const { length, isNamed } = this.json
    const last = this.entries.at(-1)
    if (last && 'to' in last && last.isNamed === isNamed) {
      last.to = length
      last.lastLine = line
    } else this.entries.push({ isNamed, from, to: length, line, lastLine: line })
  }

  /** Adds the text of a document. */
  text(text: string, line: number): void {
    this.entries.push({ text, line })
    this.texts += text.length
  }

  /** The documents as a part; those before a faulty one come before it is thrown. */
  async *taken(): AsyncGenerator<Part> {
    const { entries } = this
    if (entries.length === 0) return
    const bytes = this.json.taken()
    this.entries = []
    this.texts = 0
    const pieces = entries.filter((entry) => 'text' in entry)
    const { documents, why } = pieces.length === 0 ? { documents: [] } : await read(pieces, this.host)
    const runs: { isNamed: boolean; documents: Document[]; room: number }[] = []
    const add = (isNamed: boolean, document: Document, room = 0) => {
      const run = runs.at(-1)
      if (run?.isNamed !== isNamed) runs.push({ isNamed, documents: [document], room })
      else {
        run.documents.push(document)
        run.room = 0
      }
    }
    let next = 0
    let last: number | undefined
    let wrong: Piece | undefined
    for (const entry of entries) {
      if ('to' in entry) {
        add(entry.isNamed, bytes.subarray(entry.from, entry.to), entry.from === headRoom ? headRoom : 0)
        last = entry.lastLine
        continue
      }
      const document = documents[next++]
      if (!document) {
        wrong = entry
        break
      }
      add(idOf(document) !== undefined, document)
      last = entry.line
    }
    const { line } = entries[0]!
    if (last !== undefined) yield { collection: this.collection, runs, place: line === last ? `line ${line}` : `lines ${line} to ${last}` }
    if (wrong) this.fail(`line ${wrong.line}`, why!)
  }
}

/**
 * What JSON.parse reads otherwise than the engine's reader of files, which has the meaning: Extended JSON, digits beyond what a
 * number holds, and floats that are whole. Text that looks like one of these goes to the engine.
 */
const needsEngine = /"\$|[\s:,[](?:-0+(?![.\d])|-?(?:\d{16}|\d+\.0+(?!\d)|\d+(?:\.\d+)?[eE]))/

/** The documents of texts, up to one that is wrong, and then why. */
async function read(pieces: readonly Piece[], host: Host): Promise<{ readonly documents: readonly Document[]; readonly why?: string }> {
  const documents = pieces.map(({ text }) => parsed(text))
  const left = [...documents.keys()].filter((at) => !documents[at])
  const found = await readByEngine(left.map((at) => pieces[at]!), host)
  found.documents.forEach((document, n) => (documents[left[n]!] = document))
  return { documents: documents as Document[], why: found.why }
}

/** The object that a text means to JSON.parse; undefined if the engine has to read it. */
function parsed(text: string): object | undefined {
  if (needsEngine.test(text)) return undefined
  try {
    const document: unknown = JSON.parse(text)
    return typeof document === 'object' && document !== null && !Array.isArray(document) ? document : undefined
  } catch {
    return undefined // the engine knows more, such as NaN
  }
}

/** The documents of texts, up to one that is wrong, and then why. */
async function readByEngine(pieces: readonly Piece[], host: Host): Promise<{ readonly documents: readonly Uint8Array[]; readonly why?: string }> {
  if (pieces.length === 0) return { documents: [] }
  const found = await readAtOnce(pieces, host)
  if (!('wrong' in found)) return found
  const { wrong } = found
  const why = (await readAtOnce([pieces[wrong]!], host) as { why?: string }).why ?? 'expected an object'
  const { documents } = await readByEngine(pieces.slice(0, wrong), host)
  return { documents, why }
}

/** The documents, or which text is wrong, and why. */
async function readAtOnce(pieces: readonly Piece[], host: Host): Promise<{ readonly documents: Uint8Array[] } | { readonly wrong: number; readonly why: string }> {
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
