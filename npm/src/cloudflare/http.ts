import type { AtomicDB } from '../index.js'
import { AtomicDBError, invalid, messageOf } from '../errors.js'
import { isWriting } from '../operations/writing-sql.js'
import { allMatching } from '../query/update-options.js'
import type { Id } from '../types.js'
import type { Access } from './access.js'
import { toBase64 } from './wire.js'

/** The statuses of errors, by their codes. Others are 500. */
const statuses: Record<string, number> = { invalid: 400, schema: 422, duplicate_id: 409, unique: 409, not_found: 404, relationship: 409, conflict: 409, quota: 507, timeout: 503, closed: 503, unsupported: 501, denied: 403, changed: 412, too_large: 413 }

/** An error that only HTTP has. */
class HTTPError extends Error {
  constructor(
    readonly code: 'denied' | 'changed' | 'too_large',
    message: string,
  ) {
    super(message)
  }
}

/** How many bytes a body may have, and how many documents an answer. */
const maxBody = 16 << 20
const maxPage = 1000

/** Answers a request for a database. Every error is an answer too: application/problem+json, with the code. */
export async function answer(db: AtomicDB, request: Request, access: Access): Promise<Response> {
  try {
    return await route(db, request, access)
  } catch (error) {
    return problem(error)
  }
}

/** An error as an answer. */
export function problem(error: unknown): Response {
  const isOurs = error instanceof AtomicDBError || error instanceof HTTPError
  const code = isOurs ? error.code : 'internal'
  const status = statuses[code] ?? 500
  const faults = error instanceof AtomicDBError && error.errors ? { errors: error.errors } : {}
  return new Response(JSON.stringify({ type: 'about:blank', title: code.replaceAll('_', ' '), status, code, detail: isOurs ? messageOf(error) : 'the request has failed', ...faults }), { status, headers: { 'Content-Type': 'application/problem+json' } })
}

/** The answer to one whom nobody has allowed anything. */
export const denied = () => problem(new HTTPError('denied', 'the object has not authorised this request'))

async function route(db: AtomicDB, request: Request, access: Access): Promise<Response> {
  const url = new URL(request.url)
  const path = url.pathname.split('/').slice(2).map(segment)
  const [collection = '', id = ''] = path
  const method = request.method === 'HEAD' ? 'GET' : request.method // the host leaves the body out
  const may = (needed: Access) => {
    if (needed === 'write' && access !== 'write') throw new HTTPError('denied', 'this token may only read')
  }
  switch (`${method} ${path.length}`) {
    case 'GET 1':
      if (collection === 'changes') return changes(db, url, request)
      if (collection === 'export') return new Response(await db.export() as BodyInit, { headers: { 'Content-Type': 'application/json' } })
      return page(db, { collection, where: url.searchParams.get('where') ?? undefined, sort: url.searchParams.get('sort') ?? undefined, limit: count(url.searchParams.get('limit')), cursor: url.searchParams.get('cursor') ?? undefined })
    case 'POST 1': {
      if (collection === 'query') return query(db, await body(request), access)
      may('write')
      const given = /ndjson/.test(request.headers.get('Content-Type') ?? '') ? lines(await text(request)) : await body(request)
      return Array.isArray(given) ? json({ ids: await db.insertMany(given, collection) }, 201) : json({ id: await db.insert(given as object, collection) }, 201)
    }
    case 'GET 2': {
      const found = await db.findOne({ _id: idOf(id) }, collection)
      if (!found) throw missing(id)
      return documentAs(found, 200, request.headers.get('If-None-Match'))
    }
    case 'PUT 2':
    case 'PATCH 2':
    case 'DELETE 2': {
      may('write')
      const given = method === 'DELETE' ? undefined : await body(request)
      if (given !== undefined && !isObject(given)) throw invalid('the body: expected an object')
      return change(db, collection, idOf(id), method, given, request.headers)
    }
  }
  throw new AtomicDBError('not_found', `${method} ${url.pathname}: there is no such thing here`)
}

/** Changes one document, if it is as the request expects. */
async function change(db: AtomicDB, collection: string, id: Id, method: string, given: object | undefined, headers: Headers): Promise<Response> {
  const done = headers.has('If-Match') || headers.has('If-None-Match')
    ? await db.transaction(async (tx) => {
      check(await tx.findOne({ _id: id }, collection), headers)
      return changed(tx, collection, id, method, given)
    })
    : await changed(db, collection, id, method, given)
  if (!done.after) return new Response(null, { status: 204 })
  return documentAs(done.after, done.isNew ? 201 : 200)
}

/** Throws if a document, if there is one, is not as the request expects. */
function check(before: object | undefined, headers: Headers): void {
  const match = headers.get('If-Match')
  if (match !== null && (!before || (match !== '*' && match !== etagOf(stringify(before))))) throw new HTTPError('changed', 'the document is another one than If-Match says')
  if (headers.get('If-None-Match') === '*' && before) throw new HTTPError('changed', 'the document is there already')
}

/** Changes one document: in one call of the engine. */
async function changed(db: Pick<AtomicDB, 'modified' | 'remove'>, collection: string, id: Id, method: string, given: object | undefined): Promise<{ after?: object | undefined; isNew?: boolean }> {
  const where = { _id: id }
  if (method === 'DELETE') {
    if ((await db.remove(where, collection)) === 0) throw missing(id)
    return {}
  }
  const replaces = method === 'PUT'
  const query = { ...allMatching, one: true, upsert: replaces, returned: 'after' } as const
  return db.modified(() => ({ collection, change: replaces ? { ...given, _id: id } : given, where, query, replaces }), ({ added, documents }) => {
    if (!documents![0]) throw missing(id)
    return { after: documents![0], isNew: added !== null }
  })
}

interface Query {
  readonly collection?: string
  readonly where?: string
  readonly filter?: object
  readonly sql?: string
  readonly params?: any
  readonly sort?: any
  readonly fields?: any
  readonly limit?: number
  readonly cursor?: string
}

async function query(db: AtomicDB, given: unknown, access: Access): Promise<Response> {
  if (!isObject(given)) throw invalid('the body: expected an object with where, filter or sql')
  const { sql, params, ...rest } = given as Query
  if (sql === undefined) return page(db, rest)
  if (typeof sql !== 'string') throw invalid('sql: expected text')
  if (access !== 'write' && isWriting(sql)) throw new HTTPError('denied', 'this token may only read')
  return json({ rows: await db.sql(sql, params) })
}

/** A part of an answer, and the cursor of the next: how many documents came before. */
async function page(db: AtomicDB, { collection, where, filter, sort, fields, limit = 100, cursor }: Query): Promise<Response> {
  const skip = cursor === undefined ? 0 : count(cursor)!
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > maxPage) throw invalid(`limit: expected 1 to ${maxPage}`)
  const found = await db.search((filter ?? where) as string | undefined, { collection, sort, fields, skip, limit: limit + 1 } as never)
  const documents = found.slice(0, limit)
  return json({ documents, ...(found.length > limit && { cursor: String(skip + limit) }) })
}

/** The changes after a batch, as server-sent events; each has the number of its batch as its id. */
function changes(db: AtomicDB, url: URL, request: Request): Response {
  const since = count(request.headers.get('Last-Event-ID') ?? url.searchParams.get('since'))
  const collection = url.searchParams.get('collection') ?? undefined
  const stream = db.changes({ since, collection })
  const utf8 = new TextEncoder()
  let isFirst = true
  return new Response(new ReadableStream({
    async pull(controller) {
      if (isFirst) { // so that the headers are sent
        isFirst = false
        controller.enqueue(utf8.encode(': changes\n\n'))
        return
      }
      try {
        const { done, value } = await stream.next()
        if (done) return controller.close()
        controller.enqueue(utf8.encode(`${value.last ? `id: ${value.seq}\n` : ''}data: ${stringify(value)}\n\n`))
      } catch (error) {
        controller.enqueue(utf8.encode(`event: error\ndata: ${stringify({ code: (error as AtomicDBError).code ?? 'internal', detail: messageOf(error) })}\n\n`))
        controller.close()
      }
    },
    async cancel() {
      await stream.return?.()
    },
  }), { headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' } })
}

function json(value: unknown, status = 200): Response {
  return new Response(stringify(value), { status, headers: { 'Content-Type': 'application/json' } })
}

/** A document as an answer, or, if the caller has the one of this tag, that nothing has changed. */
function documentAs(document: object, status: number, known: string | null = null): Response {
  const text = stringify(document)
  const headers = { 'Content-Type': 'application/json', ETag: etagOf(text) }
  return known === headers.ETag ? new Response(null, { status: 304, headers: { ETag: known } }) : new Response(text, { status, headers })
}

/** A value as JSON. What JSON does not have is text. */
function stringify(value: unknown): string {
  return isJSON(value) ? JSON.stringify(value) : JSON.stringify(value, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? toBase64(value) : value))
}

/** Whether JSON has all of a value. To look first takes a part of the time that a function for each value takes. */
function isJSON(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint'
  if (Array.isArray(value)) return value.every(isJSON)
  if (value instanceof Uint8Array) return false
  for (const name in value) if (!isJSON((value as Record<string, unknown>)[name])) return false
  return true
}

async function text(request: Request): Promise<string> {
  if (Number(request.headers.get('Content-Length') ?? 0) > maxBody) throw tooLarge()
  const bytes = await request.arrayBuffer()
  if (bytes.byteLength > maxBody) throw tooLarge()
  return new TextDecoder().decode(bytes)
}

async function body(request: Request): Promise<unknown> {
  const given = await text(request)
  try {
    return JSON.parse(given)
  } catch (cause) {
    throw new AtomicDBError('invalid', `the body is no JSON: ${messageOf(cause)}`, { cause })
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

function lines(text: string): unknown[] {
  return text.split('\n').filter((line) => line.trim()).map((line, n) => {
    try {
      return JSON.parse(line) as unknown
    } catch (cause) {
      throw new AtomicDBError('invalid', `the body: line ${n + 1} is no JSON: ${messageOf(cause)}`, { cause })
    }
  })
}

/** An id in an address: a number is one, and in quotes it is text. */
function idOf(text: string): Id {
  if (/^(0|-?[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  return /^".*"$/.test(text) ? text.slice(1, -1) : text
}

function count(text: string | null): number | undefined {
  if (text === null) return undefined
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) throw invalid(`expected a number, not ${String(text).slice(0, 20)}`)
  return Number(text)
}

function segment(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid(`the address: ${text.slice(0, 40)} is wrongly encoded`)
  }
}

/** What changes with the contents of a document, its JSON: two hashes of 32 bits, FNV-1a and one that mixes it in. */
function etagOf(text: string): string {
  let a = 0x811c9dc5
  let b = 0x1000193
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    b = Math.imul(b ^ code ^ (a >>> 7), 0x85ebca6b)
  }
  return `"${[a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')}"`
}

const missing = (id: Id) => new AtomicDBError('not_found', `there is no document ${JSON.stringify(id)}`)
const tooLarge = () => new HTTPError('too_large', `the body: expected at most ${maxBody >> 20} MiB`)
