import { DurableObject } from 'cloudflare:workers'
import { AtomicDB, AtomicDBError, SQLiteStorage, type OpenOptions } from '../index.js'
import type { LocalConnection } from '../connection/local-connection.js'
import { invalid } from '../errors.js'
import { packed } from '../thread/rpc.js'
import type { Access } from './access.js'
import { protocol, refused, tokenOf } from './connect.js'
import { answer, denied, problem } from './http.js'
import { SocketServer, type LastingSocket } from './socket-server.js'
import { packedMessage } from './wire.js'

/** What is used of the state of an object. */
interface ObjectState {
  readonly storage: { readonly sql: object; sync(): Promise<void>; getAlarm(): Promise<number | null>; setAlarm(time: number): Promise<void> }
  blockConcurrencyWhile<R>(work: () => Promise<R>): Promise<R>
  acceptWebSocket(socket: object): void
  getWebSockets(): LastingSocket[]
}

/** The base class of Cloudflare, whose types need a package that not every program has. */
const Base = DurableObject as unknown as new (ctx: any, env: any) => object

/** What {@link AtomicDurableObject.call} answers: an error is a value, since RPC keeps only the message of one. */
export type Answer = { value: any } | { error: AnswerError }

/** An error in an {@link Answer}. */
export interface AnswerError {
  readonly name: string
  readonly message: string
  /** The code of an AtomicDBError. */
  readonly code?: string
}

/** After how many batches a snapshot replaces them: the next boot reads each of them. */
const compactEvery = 1000

/** After how many batches a snapshot replaces them when nothing has been written for some milliseconds. */
const compactIdleAfter = 100
const idleTime = 5_000

/**
 * The indexes of collections of at most so many documents are built at boot. With 20,000 in a snapshot, a boot took 90 ms
 * (p50) without, and 230 ms with two indexes: larger ones are built when they are asked for the second time.
 */
const smallCollection = 10_000

/** The calls of AtomicDB whose arguments and results can cross. */
const callable = new Set(['insert', 'insertMany', 'upsert', 'get', 'search', 'find', 'findOne', 'count', 'contains', 'all', 'documentIds', 'distinct', 'aggregate', 'update', 'remove', 'clear', 'metadata', 'explain', 'sql', 'createIndex', 'dropIndex', 'createCollection', 'dropCollection', 'collections', 'schema', 'setSchema', 'addRelationship', 'removeRelationship', 'relationships', 'usage', 'export', 'import', 'verify', 'flush'])

/**
 * A Durable Object that is a database, in its own SQLite. Extend it and say who may use it:
 *
 * @example
 * ```ts
 * export class Notes extends AtomicDurableObject {
 *   authorise(request) {
 *     return request.headers.get('Authorization') === `Bearer ${this.env.TOKEN}` && 'write'
 *   }
 * }
 * ```
 *
 * It answers requests of HTTP, and the sockets of `connect`. Methods of yours use `await this.database()`. Everything
 * that is answered is stored: Cloudflare holds answers back until it is.
 */
export class AtomicDurableObject extends Base {
  /** @internal */
  declare readonly ctx: ObjectState
  /** By this the types of Cloudflare know the class of an object. */
  declare readonly __DURABLE_OBJECT_BRAND: never
  /** The bindings of the Worker. */
  declare readonly env: any

  // Names of a class that extends this one are its own.
  #opening: Promise<AtomicDB> | undefined
  #batches = 0 // that the log holds, the snapshot included
  #isAlarmSet = false
  #lastBatch = 0 // when it was written
  readonly #servers = new Map<LastingSocket, SocketServer>()

  constructor(ctx: any, env: any) {
    super(ctx, env)
    // The sockets of an object that has slept go on.
    if (this.ctx.getWebSockets().length > 0) void this.ctx.blockConcurrencyWhile(() => this.#wake())
  }

  /**
   * Who may do what: 'read', 'write', or, for nothing, anything else. Default: nobody may do anything. It is asked for each
   * request, and once for each socket.
   */
  authorise(_request: Request): Access | false | undefined | null | Promise<Access | false | undefined | null> {
    return undefined
  }

  /** The options of its database. */
  protected options(): Omit<OpenOptions, 'storage' | 'worker' | 'inMemory'> {
    return {}
  }

  /** Called when the database is open, before anything else: the place to create indexes. */
  protected async prepare(_db: AtomicDB): Promise<void> {}

  /** The database, which is opened once while nothing else of the object runs. */
  database(): Promise<AtomicDB> {
    return (this.#opening ??= this.ctx.blockConcurrencyWhile(() => this.#open()).catch((error: unknown) => {
      this.#opening = undefined
      throw error
    }))
  }

  async #open(): Promise<AtomicDB> {
    const db = await AtomicDB.open('object', { ...this.options(), storage: new ObjectStorage(this.ctx.storage) })
    await this.prepare(db)
    await connectionOf(db).buildIndexes(smallCollection)
    this.#batches = (await db.usage()).log.batches
    this.#isAlarmSet = this.#hasOwnAlarm || (await this.ctx.storage.getAlarm()) !== null
    new ObjectStorage(this.ctx.storage).watch!(() => this.#noteBatch())
    this.#setAlarm()
    return db
  }

  /** Whether a class of the user has an alarm of its own: an object has only one, which is left to it then. */
  get #hasOwnAlarm(): boolean {
    return this.alarm !== AtomicDurableObject.prototype.alarm
  }

  #noteBatch(): void {
    this.#batches++
    this.#lastBatch = Date.now()
    this.#setAlarm()
  }

  /** Sets the alarm that compacts, if the log is long. */
  #setAlarm(): void {
    if (this.#isAlarmSet || this.#batches < compactIdleAfter) return
    this.#isAlarmSet = true
    void this.ctx.storage.setAlarm(Date.now() + idleTime)
  }

  /**
   * Cloudflare calls it, some seconds after many batches have been written: it compacts. A class with an `alarm` of its own
   * has the alarm of the object to itself, and may call `compact` from it.
   */
  async alarm(): Promise<void> {
    await this.database()
    if (Date.now() - this.#lastBatch < idleTime) {
      await this.ctx.storage.setAlarm(Date.now() + idleTime)
      return
    }
    this.#isAlarmSet = this.#hasOwnAlarm
    await this.compact()
  }

  /** Replaces what was written by one snapshot, which the next boot reads faster. */
  protected async compact(): Promise<void> {
    await connectionOf(await this.database()).compact()
    this.#batches = 1
  }

  /** All that is stored, unchanged, as one file: a backup. Who has a binding of the object may call it by RPC. */
  async exportRaw(): Promise<Uint8Array> {
    await (await this.database()).flush()
    return AtomicDB.exportRaw('object', { storage: new ObjectStorage(this.ctx.storage) })
  }

  /**
   * Stores a file of {@link exportRaw}, in an object that holds nothing yet.
   *
   * @throws `invalid` if it has been used before.
   */
  async importRaw(file: Uint8Array): Promise<void> {
    if (this.#opening) throw invalid('importRaw: the database of this object is open; import into a new object, before any other call')
    await this.ctx.blockConcurrencyWhile(() => AtomicDB.importRaw('object', file, { storage: new ObjectStorage(this.ctx.storage) }).then(() => ({}), (error: unknown) => ({ error }))).then((done: { error?: unknown }) => {
      if (done.error) throw done.error
    })
  }

  /**
   * A call of AtomicDB by RPC, for other Workers: `stub.call('insert', [{ n: 1 }])`. Who has a binding of the object may
   * call it: it does not ask `authorise`.
   */
  async call(name: string, args: readonly unknown[] = []): Promise<Answer> {
    try {
      if (!callable.has(name)) throw new AtomicDBError('unsupported', `${String(name)}: it cannot be called by RPC; use connect()`)
      if (!Array.isArray(args)) throw invalid('args: expected an array')
      const db = (await this.database()) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
      const value = await db[name]!(...args)
      return { value: Array.isArray(value) ? [...value] : value }
    } catch (error) {
      return { error: packed(error) }
    }
  }

  /** Answers requests; see demo/docs/guide/cloudflare.md. */
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url)
    if (url.pathname === '/health') return new Response('{"ok":true}', { headers: { 'Content-Type': 'application/json' } })
    const protocols = request.headers.get('Sec-WebSocket-Protocol')
    const token = protocols && tokenOf(protocols)
    let access: Access | undefined
    try {
      const authorised = await this.authorise(token ? withToken(request, token) : request)
      if (authorised === 'read' || authorised === 'write') access = authorised
    } catch (error) {
      return problem(error)
    }
    if (request.headers.get('Upgrade')?.toLowerCase() === 'websocket') return this.#accept(access, protocols)
    if (!access) return denied()
    try {
      return await answer(await this.database(), request, access)
    } catch (error) {
      return problem(error)
    }
  }

  async #accept(access: Access | undefined, protocols: string | null): Promise<Response> {
    const pair = new (globalThis as any).WebSocketPair() as [object, LastingSocket & { accept(): void }]
    const [client, socket] = [pair[0], pair[1]]
    const headers: Record<string, string> = protocols ? { 'Sec-WebSocket-Protocol': protocol } : {}
    if (access) {
      const db = await this.database()
      this.ctx.acceptWebSocket(socket)
      this.#servers.set(socket, SocketServer.start(socket, access, () => connectionOf(db)))
      socket.send(packedMessage(protocol))
    } else {
      socket.accept()
      socket.close(refused, 'the object has not authorised it')
    }
    return new Response(null, { status: 101, webSocket: client, headers } as ResponseInit)
  }

  async #wake(): Promise<void> {
    const db = await (this.#opening ??= this.#open())
    for (const socket of this.ctx.getWebSockets()) {
      const server = await SocketServer.wake(socket, () => connectionOf(db))
      if (server) this.#servers.set(socket, server)
    }
  }

  /** Cloudflare calls it. */
  async webSocketMessage(socket: any, message: unknown): Promise<void> {
    this.#servers.get(socket)?.receive(message)
  }

  /** Cloudflare calls it. */
  async webSocketClose(socket: any): Promise<void> {
    this.#servers.get(socket)?.leave()
    this.#servers.delete(socket)
  }

  /** Cloudflare calls it. */
  webSocketError(socket: any): Promise<void> {
    return this.webSocketClose(socket)
  }
}

function withToken(request: Request, token: string): Request {
  const headers = new Headers(request.headers)
  headers.set('Authorization', `Bearer ${token}`)
  return new Request(request.url, { method: request.method, headers })
}

/** Its boot is paid by the batch: 9,872 took a second, and one snapshot of the same documents a quarter of it. */
class ObjectStorage extends SQLiteStorage {
  override get compactEvery(): number {
    return compactEvery
  }
}

/** The connection of a database in this thread. Its engine may have been replaced: ask again for each use. */
function connectionOf(db: AtomicDB): LocalConnection {
  return (db as unknown as { connection: { current: LocalConnection } }).connection.current
}
