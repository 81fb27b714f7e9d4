import { AtomicDB } from '../index.js'
import { AtomicDBError, describe, invalid, type EngineEndError } from '../errors.js'
import type { Thread } from '../thread.js'
import { packedMessage, unpackedMessage } from './wire.js'

/** What {@link connect} uses of a WebSocket. */
interface Socket {
  send(message: string): void
  close(code?: number, reason?: string): void
  /** Of a socket that a fetch in a Worker has answered with: nothing arrives before it is called. */
  accept?(): void
  addEventListener(event: string, listener: (event: any) => void): void
}

/** A stub of an {@link AtomicDurableObject}. */
export interface ObjectStub {
  fetch(url: string, init: { headers: Record<string, string> }): Promise<any>
}

/** Where a database is: an address of HTTP, a stub of its object, or, to get a new one, a function that returns a stub. */
export type Target = string | URL | ObjectStub | (() => ObjectStub)

/** The options of {@link connect}. */
export interface ConnectOptions {
  /** What `authorise` of the object gets, as the header `Authorization: Bearer …`. */
  token?: string
  /** For how many milliseconds it tries to connect, at first and when the connection was lost. Default: 10,000. */
  retryFor?: number
  /** The class of sockets, where the host has none of that name, as Node 20. */
  WebSocket?: new (address: string, protocols: string[]) => object
}

/**
 * Opens the database of an {@link AtomicDurableObject}, from another Worker, a browser or Node: with all calls of
 * AtomicDB, transactions and live queries included.
 *
 * When the connection is lost, reads are asked again, and live queries go on. A write rejects with `storage`: it may be
 * stored or not.
 *
 * @throws `invalid` if the object refuses the token, `storage` if it cannot be reached.
 *
 * @example
 * ```ts
 * const db = await connect('https://notes.example.org/mine', { token })
 * const open = db.live('done = false')
 * ```
 */
export function connect<Schema = any>(target: Target, options: ConnectOptions = {}): Promise<AtomicDB<Schema>> {
  const stubOf = isStub(target) ? () => target : typeof target === 'function' ? target : undefined
  if (!stubOf && typeof target !== 'string' && !(target instanceof URL)) return Promise.reject(invalid(`target: expected an address or the stub of an object, not ${describe(target)}`))
  const open = stubOf ? () => openByStub(stubOf(), options) : async () => openByAddress(target as string | URL, options)
  return AtomicDB.remote<Schema>(String(stubOf ? 'object' : target), (ended) => persistently(open, ended, options.retryFor ?? 10_000))
}

/** Whether it is the stub of an object: one of Cloudflare's has whatever it is asked for, and no URL has a fetch. */
function isStub(target: unknown): target is ObjectStub {
  return ((typeof target === 'object' && target !== null) || typeof target === 'function') && typeof (target as Partial<ObjectStub>).fetch === 'function'
}

/** Makes the error of an end of a connection: the class of index.js, which knows it by that. */
type Ended = (reason: string) => EngineEndError

/** Tries to connect until it succeeds, or the object refuses. */
async function persistently(open: () => Promise<Socket>, ended: Ended, retryFor: number): Promise<Thread> {
  const last = performance.now() + retryFor
  for (let pause = 50; ; pause = Math.min(2 * pause, 2000)) {
    try {
      return await threadOf(await open(), ended)
    } catch (error) {
      if ((error instanceof AtomicDBError && error.code === 'invalid') || performance.now() + pause > last) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

function protocolsOf({ token }: ConnectOptions): string[] {
  if (token !== undefined && typeof token !== 'string') throw invalid(`options.token: expected a string, not ${describe(token)}`)
  // Browsers let nobody set headers of a socket, but the protocols. They take no `=`, `/` or `+`.
  return token === undefined ? [protocol] : [protocol, tokenPrefix + btoa(encodeURIComponent(token)).replaceAll('=', '')]
}

/** The protocol of the sockets; its number changes with the messages. */
export const protocol = 'atomicdb.1'
const tokenPrefix = 'token.'

/** The token in the protocols that a socket was asked for with. */
export function tokenOf(protocols: string): string | undefined {
  const packed = protocols.split(/, */).find((one) => one.startsWith(tokenPrefix))
  try {
    return packed && decodeURIComponent(atob(packed.slice(tokenPrefix.length)))
  } catch {
    return undefined
  }
}

async function openByAddress(address: string | URL, options: ConnectOptions): Promise<Socket> {
  const Class = options.WebSocket ?? (globalThis as { WebSocket?: ConnectOptions['WebSocket'] }).WebSocket
  if (!Class) throw invalid('options.WebSocket: this host has no class WebSocket; Node has one from version 22, and before pass that of the package ws')
  const page = (globalThis as { location?: { href: string } }).location?.href
  let url: URL
  try {
    url = new URL(address, page)
  } catch (cause) {
    throw new AtomicDBError('invalid', `target: ${String(address)} is no address`, { cause })
  }
  url.protocol = url.protocol.replace('http', 'ws')
  if (!/^wss?:$/.test(url.protocol)) throw invalid(`target: expected an address of HTTP, not ${url.href}`)
  const protocols = protocolsOf(options)
  const socket = new Class(url.href, protocols) as Socket
  // In a Worker it has the method, and throws: it is accepted.
  return { send: (message) => socket.send(message), close: (code, reason) => socket.close(code, reason), addEventListener: (event, listener) => socket.addEventListener(event, listener) }
}

async function openByStub(stub: ObjectStub, options: ConnectOptions): Promise<Socket> {
  if (!isStub(stub)) throw invalid(`target: expected a function that returns the stub of an object, not ${describe(stub)}`)
  const response = await stub.fetch('http://object/database', { headers: { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': protocolsOf(options).join(', ') } })
  const socket = response.webSocket as Socket | null
  if (!socket) throw new AtomicDBError('storage', `connect: the object has answered ${response.status} and opened no socket`)
  return socket
}

/** The other end of a socket, once it has greeted. */
function threadOf(socket: Socket, ended: Ended): Promise<Thread> {
  return new Promise((resolve, reject) => {
    let listener: ((message: unknown) => void) | undefined
    let end: EngineEndError | undefined
    const listeners = new Set<(error: EngineEndError) => void>()
    const lost = (why: string) => {
      end ??= ended(`the connection to its object was lost: ${why}`)
      reject(new AtomicDBError('storage', `connect: the object cannot be reached: ${why}`))
      for (const told of listeners) told(end)
    }
    socket.addEventListener('message', ({ data }) => {
      try {
        const message = unpackedMessage(data)
        if (listener) listener(message)
        else if (message === protocol) resolve(thread)
        else throw invalid('its first message is no greeting')
      } catch (error) {
        socket.close(1002)
        lost((error as Error).message)
      }
    })
    socket.addEventListener('error', ({ message = 'the socket has failed' }) => lost(message))
    socket.addEventListener('close', ({ code, reason }) => {
      if (code === refused) reject(invalid(`options.token: the object refuses it${reason && `: ${reason}`}`))
      lost(`closed with ${code} ${reason}`)
    })
    const thread: Thread = {
      post: (message) => socket.send(packedMessage(message)),
      listen: (own) => (listener = own),
      onExit(told) {
        listeners.add(told)
        if (end) told(end)
      },
      onRelease() {},
      setBusy() {},
      async terminate() {
        socket.close(1000)
      },
    }
    socket.accept?.()
  })
}

/** The code with which an object closes the socket of a caller that it refuses. */
export const refused = 4401
