import type { Host } from './host.js'

/** About how many bytes of a stream are stored as one batch. */
export const partBytes = 1 << 20

/** The chunks of a source, whatever it is. When the loop over them is left, the source is cancelled. */
export async function* chunksOf(source: unknown, host: Host, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const utf8 = new TextEncoder()
  for await (const chunk of iterable(source, host, signal)) {
    if (typeof chunk === 'string') yield utf8.encode(chunk)
    else if (ArrayBuffer.isView(chunk)) yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    else if (chunk instanceof ArrayBuffer) yield new Uint8Array(chunk)
    else throw host.error('invalid', `source: expected bytes or text in it, not ${host.describe(chunk)}`)
  }
}

function iterable(source: unknown, host: Host, signal: AbortSignal | undefined): AsyncIterable<unknown> | Iterable<unknown> {
  if (typeof source === 'string') return [source]
  if (typeof source === 'object' && source !== null) {
    if (ArrayBuffer.isView(source) || source instanceof ArrayBuffer) return [source]
    if (source instanceof Blob) return streamed(source.stream(), signal)
    if (typeof Response !== 'undefined' && source instanceof Response) return streamed(bodyOf(source, host), signal)
    if (source instanceof ReadableStream) return streamed(source, signal)
    if (Symbol.asyncIterator in source) return source as AsyncIterable<unknown>
    if (Symbol.iterator in source) return source as Iterable<unknown>
  }
  throw host.error('invalid', `source: expected a Blob, a ReadableStream, a Response, bytes, text or an iterable of them, not ${host.describe(source)}`)
}

function bodyOf(response: Response, host: Host): ReadableStream<Uint8Array> {
  if (!response.ok) throw host.error('invalid', `source: the response has the status ${response.status}`)
  if (!response.body || response.bodyUsed) throw host.error('invalid', 'source: the response has no body, or it was read before')
  return response.body
}

/** Not every browser iterates over a ReadableStream. A read that waits is ended by the signal. */
async function* streamed(stream: ReadableStream<unknown>, signal: AbortSignal | undefined): AsyncGenerator<unknown> {
  const reader = stream.getReader()
  let isOver = false
  const stop = () => void reader.cancel(signal!.reason).catch(() => {})
  signal?.addEventListener('abort', stop, { once: true })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) {
        isOver = true
        return
      }
      yield value
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    if (!isOver) reader.cancel().catch(() => {}) // it has failed, which was thrown
    reader.releaseLock()
  }
}

/** The text of UTF-8, in pieces of about {@link partBytes}. */
export async function* textOf(chunks: AsyncIterable<Uint8Array>, host: Host): AsyncGenerator<string> {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let pieces = ''
  let size = 0
  let read = 0
  const decoded = (chunk?: Uint8Array) => {
    try {
      return utf8.decode(chunk, { stream: chunk !== undefined })
    } catch (cause) {
      throw host.error('invalid', `source: between byte ${read} and byte ${read + (chunk?.length ?? 0)} it is no UTF-8`, {}, cause)
    }
  }
  for await (const chunk of chunks) {
    pieces += decoded(chunk)
    read += chunk.length
    size += chunk.length
    if (size < partBytes) continue
    yield pieces
    pieces = ''
    size = 0
  }
  pieces += decoded()
  if (pieces !== '') yield pieces
}

/** What of a stream of bytes has come and is not taken yet, with a zero behind it. */
export class Window {
  /** The bytes, from {@link start} to {@link end}. They move when {@link more} is called. */
  bytes = new Uint8Array(partBytes + spare)
  start = 0
  end = 0
  /** Whether all has come. */
  isOver = false
  private before = 0 // bytes that came before the first of `bytes`
  private chunk = new Uint8Array() // what of it does not fit yet
  private readonly chunks: AsyncIterator<Uint8Array>

  constructor(
    chunks: AsyncIterable<Uint8Array>,
    private readonly host: Host,
  ) {
    this.chunks = chunks[Symbol.asyncIterator]()
  }

  /** Adds bytes until there are {@link partBytes}, or twice as many as there are, so that what is large is not moved often. Returns whether any came. */
  async more(): Promise<boolean> {
    const isFirst = this.before + this.end === 0
    const had = this.end - this.start
    const wanted = Math.max(partBytes, 2 * had)
    if (wanted + spare > this.bytes.length) {
      const larger = new Uint8Array(wanted + spare)
      larger.set(this.bytes.subarray(this.start, this.end))
      this.bytes = larger
    } else this.bytes.copyWithin(0, this.start, this.end)
    this.before += this.start
    this.start = 0
    this.end = had
    while (this.end < wanted) {
      if (this.chunk.length === 0) {
        const { done, value } = await this.chunks.next()
        if (done) {
          this.isOver = true
          break
        }
        this.chunk = value as Uint8Array<ArrayBuffer>
      }
      const some = this.chunk.subarray(0, wanted + spare - 1 - this.end)
      this.bytes.set(some, this.end)
      this.end += some.length
      this.chunk = this.chunk.subarray(some.length)
    }
    this.bytes[this.end] = 0
    const hasCome = this.end > had
    // The mark of UTF-8 that some editors write first is no part of the text.
    if (isFirst && this.bytes[0] === 0xef && this.bytes[1] === 0xbb && this.bytes[2] === 0xbf) this.start = 3
    return hasCome
  }

  /** The text from one place of {@link bytes} to another. */
  text(from: number, to: number): string {
    try {
      return utf8.decode(this.bytes.subarray(from, to))
    } catch (cause) {
      throw this.host.error('invalid', `source: between byte ${this.before + from} and byte ${this.before + to} it is no UTF-8`, {}, cause)
    }
  }
}

/** How many bytes more than wanted a window takes, so that a chunk mostly fits whole. */
const spare = 64 << 10

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
