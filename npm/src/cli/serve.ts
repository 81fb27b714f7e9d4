import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, extname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WebSocketServer, type WebSocket } from 'ws'
import type { AtomicDB } from '../index.js'
import type { Access } from '../cloudflare/access.js'
import { protocol, refused, tokenOf } from '../cloudflare/connect.js'
import { answer, denied, problem } from '../cloudflare/http.js'
import { SocketServer, type LastingSocket } from '../cloudflare/socket-server.js'
import { packedMessage } from '../cloudflare/wire.js'
import { countOf, UsageError, type Given } from './arguments.js'
import { withDatabase } from './database.js'

/** The addresses that no other machine can reach, as a page or a program writes them. */
const loopback = new Set(['127.0.0.1', 'localhost', '::1', '[::1]'])

/** Who may do what. */
interface Rules {
  readonly token: string | undefined
  /** Origins of pages that may call; '*' for all. */
  readonly origins: readonly string[]
  readonly access: Access
  /** The names by which callers may reach the server; undefined if it is not for this machine alone. */
  readonly hosts: ReadonlySet<string> | undefined
}

/** Serves a database until the process is told to end. */
export async function serve(given: Given): Promise<void> {
  const [path] = given.names as [string]
  const { host = '127.0.0.1', cors = '', token = process.env.ATOMICDB_TOKEN || undefined } = given.options
  const port = countOf(given, 'port') ?? 8080
  if (port > 65_535) throw new UsageError(`--port: expected a number up to 65535, not ${port}`)
  const isLocal = loopback.has(host)
  if (!isLocal && token === undefined) throw new UsageError(`--host ${host} lets other machines in: give --token, or ATOMICDB_TOKEN in the environment`)
  const rules: Rules = { token, origins: cors.split(',').filter(Boolean), access: given.options['read-only'] === undefined ? 'write' : 'read', hosts: isLocal ? loopback : undefined }
  await withDatabase(path, async (db) => {
    const name = basename(path, extname(path))
    const server = new Server(db, name, rules)
    const address = await server.listen(port, host)
    process.stdout.write(`${path} is at http://${host.includes(':') ? `[${host}]` : host}:${address.port}/${encodeURIComponent(name)}\n`)
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
    })
    await server.close()
  }, false)
}

/** Answers HTTP and sockets, as the object of a Worker does. */
class Server {
  private readonly http = createServer((request, response) => void this.respond(request, response))
  private readonly sockets = new WebSocketServer({ noServer: true, maxPayload: 32 << 20, handleProtocols: () => protocol })
  private readonly open = new Set<WebSocket>()

  constructor(
    private readonly db: AtomicDB,
    private readonly name: string,
    private readonly rules: Rules,
  ) {
    this.http.on('upgrade', (request: IncomingMessage, socket, head) => {
      const refusal = this.refusal(request)
      if (refusal) {
        socket.end(`HTTP/1.1 ${refusal.status} Refused\r\nConnection: close\r\n\r\n`)
        return
      }
      const protocols = request.headers['sec-websocket-protocol'] ?? ''
      const isAllowed = this.isAllowed(tokenOf(protocols) ?? bearer(request))
      this.sockets.handleUpgrade(request, socket, head, (webSocket) => {
        if (isAllowed) this.serve(webSocket)
        else webSocket.close(refused, 'another token is needed')
      })
    })
  }

  async listen(port: number, host: string): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', reject)
      this.http.listen(port, host, resolve)
    })
    return this.http.address() as AddressInfo
  }

  async close(): Promise<void> {
    for (const socket of this.open) socket.close(1001, 'the server ends')
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }

  private async respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let response: Response
    try {
      response = await this.answer(incoming)
    } catch (error) {
      response = problem(error)
    }
    const { origin } = incoming.headers
    if (origin !== undefined && this.isKnown(origin)) {
      outgoing.setHeader('Access-Control-Allow-Origin', origin)
      outgoing.setHeader('Vary', 'Origin')
      outgoing.setHeader('Access-Control-Expose-Headers', 'ETag')
    }
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    if (!response.body) return void outgoing.end()
    await pipeline(Readable.fromWeb(response.body as never), outgoing).catch(() => {}) // the caller has gone
  }

  private async answer(incoming: IncomingMessage): Promise<Response> {
    const refusal = this.refusal(incoming)
    if (refusal) return refusal
    const { method = 'GET' } = incoming
    if (method === 'OPTIONS') return new Response(null, { status: 204, headers: { 'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE', 'Access-Control-Allow-Headers': 'Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID', 'Access-Control-Max-Age': '600' } })
    if (!this.isAllowed(bearer(incoming))) return denied()
    const aborted = new AbortController()
    incoming.once('close', () => incoming.complete || aborted.abort())
    const headers = new Headers()
    for (const [name, value] of Object.entries(incoming.headers)) if (typeof value === 'string') headers.set(name, value)
    const hasBody = method !== 'GET' && method !== 'HEAD'
    return answer(this.db, new Request(this.urlOf(incoming), { method, headers, signal: aborted.signal, ...(hasBody && { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' }) } as RequestInit), this.rules.access)
  }

  private urlOf({ url = '/' }: IncomingMessage): URL {
    return new URL(url, 'http://database')
  }

  /** Why a request is not even looked at; undefined if it is. */
  private refusal(request: IncomingMessage): Response | undefined {
    const { host = '', origin } = request.headers
    const { hosts } = this.rules
    // A page may have a name of its own lead to this machine.
    if (hosts && !hosts.has(host.replace(/:\d+$/, ''))) return new Response(null, { status: 421 })
    // A page can send some requests, and open sockets, without asking first.
    if (origin !== undefined && !this.isKnown(origin) && origin !== `http://${host}`) return denied()
    const [, name = ''] = this.urlOf(request).pathname.split('/')
    return decoded(name) === this.name ? undefined : new Response(JSON.stringify({ database: `/${encodeURIComponent(this.name)}` }), { status: 404, headers: { 'Content-Type': 'application/json' } })
  }

  private isKnown(origin: string): boolean {
    return this.rules.origins.includes('*') || this.rules.origins.includes(origin)
  }

  /** The time that it takes does not depend on where a token is wrong. */
  private isAllowed(token: string | undefined): boolean {
    const digest = (text: string) => createHash('sha256').update(text).digest()
    return this.rules.token === undefined || (token !== undefined && timingSafeEqual(digest(token), digest(this.rules.token)))
  }

  /** Serves one caller of connect(). */
  private serve(socket: WebSocket): void {
    this.open.add(socket)
    const lasting: LastingSocket = {
      send: (message) => socket.send(message),
      close: (code, reason) => socket.close(code, reason),
      serializeAttachment: () => {}, // this process does not sleep
      deserializeAttachment: () => undefined,
    }
    const server = SocketServer.start(lasting, this.rules.access, () => (this.db as unknown as { connection: { current: never } }).connection.current)
    socket.on('message', (data, isBinary) => server.receive(isBinary ? data : String(data)))
    socket.once('close', () => {
      this.open.delete(socket)
      server.leave()
    })
    socket.on('error', () => {}) // it closes then
    socket.send(packedMessage(protocol))
  }
}

function bearer({ headers }: IncomingMessage): string | undefined {
  return /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
}

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name)
  } catch {
    return undefined
  }
}
