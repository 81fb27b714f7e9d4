import { extended, flat } from './extended.js'
import type { CheckedExport, Host } from './host.js'

/** Writes the documents as they are read from the stream. */
export function exportStream(options: CheckedExport, host: Host): ReadableStream<Uint8Array> {
  const { signal, onProgress } = options
  const utf8 = new TextEncoder()
  const pieces = piecesOf(options, host)
  let bytes = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        signal?.throwIfAborted()
        const { done, value } = await pieces.next()
        signal?.throwIfAborted()
        if (done) return controller.close()
        const chunk = typeof value.content === 'string' ? utf8.encode(value.content) : value.content
        bytes += chunk.length
        controller.enqueue(chunk)
        onProgress?.(bytes, value.documents)
      },
      async cancel() {
        await pieces.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

/** A piece of the file, and how many documents it and all before have. */
interface Piece {
  readonly content: string | Uint8Array
  readonly documents: number
}

async function* piecesOf({ format = 'json', collection, where }: CheckedExport, host: Host): AsyncGenerator<Piece> {
  await host.check()
  let documents = 0
  const names = collection === undefined && format !== 'ndjson' && format !== 'csv' ? await host.collections() : [collection ?? 'default']
  const pages = async function* (name: string, make: (page: object[]) => string | Uint8Array): AsyncGenerator<Piece> {
    for await (const page of host.pages(name, where)) {
      documents += page.length
      yield { content: make(page), documents }
    }
  }
  switch (format) {
    case 'ndjson':
      return yield* pages(names[0]!, (page) => page.map((document) => `${extended(document)}\n`).join(''))
    case 'msgpack':
      for (const name of names) {
        let isEmpty = true
        for await (const piece of pages(name, (page) => file(name, page, host))) {
          isEmpty = false
          yield piece
        }
        if (isEmpty) yield { content: file(name, [], host), documents }
      }
      return
    case 'csv': {
      const { csvOf } = await import('./csv.js')
      // What columns there are is known when all documents have been looked at.
      const columns = new Set<string>()
      for await (const page of host.pages(names[0]!, where)) for (const document of page) for (const path of Object.keys(flat(document))) columns.add(path)
      if (columns.size === 0) return
      yield { content: csvOf([[...columns]]), documents }
      return yield* pages(names[0]!, (page) => csvOf(page.map((document) => {
        const fields = flat(document)
        return [...columns].map((path) => fields[path] ?? '')
      })))
    }
    case 'json': {
      const array = async function* (name: string, before: string): AsyncGenerator<Piece> {
        let separator = `${before}[\n`
        for await (const piece of pages(name, (page) => page.map((document) => `${separator}${((separator = ',\n'), extended(document))}`).join(''))) yield piece
        yield { content: separator === ',\n' ? '\n]' : `${before}[]`, documents }
      }
      if (collection !== undefined) yield* array(collection, '')
      else {
        for (const [n, name] of names.entries()) yield* array(name, `${n === 0 ? '{' : ',\n'}${JSON.stringify(name)}: `)
        yield { content: names.length === 0 ? '{}' : '}', documents }
      }
      yield { content: '\n', documents }
    }
  }
}

/** A file of MessagePack with some documents of one collection. Several, one after the other, hold a whole database. */
function file(name: string, page: readonly object[], host: Host): Uint8Array {
  return host.encoding('documents', (encoder) => {
    encoder.raw(Uint8Array.of(0x81)).string(name).array(page.length)
    for (const document of page) encoder.object(document, 'the document')
    return encoder.taken()
  })
}
