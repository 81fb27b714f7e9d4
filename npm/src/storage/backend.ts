import { plainBytes } from '../checks.js'
import { AtomicDBError, describe, invalid, messageOf } from '../errors.js'
import type { Batch, StorageBackend } from '../types.js'
import type { HostStorage } from './appending-log.js'
import { ensured, SamePageListeners } from './same-page-listeners.js'
import { appendTo, traitsOf } from './traits.js'

const requiredMethods = ['read', 'append', 'compact', 'destroy', 'close'] as const

/** How many databases use each storage now: the last one closes it. */
const users = new WeakMap<StorageBackend, number>()

/** The listeners of all databases on a storage: each hears what the others append, which a storage need not tell. */
const listeners = new WeakMap<StorageBackend, Set<(seq: number) => void>>()

/**
 * A user's storage for one database. Its methods are called when the engine is
 * off the stack: a storage may use a database of its own, and the engine must
 * not be entered twice. The last database that uses the storage closes it.
 *
 * What the storage answers, throws and tells is read here, once, and handed on
 * as plain values: a getter that throws, a proxy or a BigInt would end the
 * engine.
 */
export function deferredStorage(storage: StorageBackend): HostStorage {
  if (typeof storage !== 'object' || storage === null) throw invalid(`options.storage: expected a storage, not ${describe(storage)}`)
  const missing = requiredMethods.filter((method) => typeof property(storage, method) !== 'function')
  if (missing.length > 0) throw invalid(`options.storage: it has no method ${missing.join(', ')}`)
  const [salvages, watches] = (['salvage', 'watch'] as const).map((name) => isMethod(name, property(storage, name)))
  const compactEvery = countOf(property(storage, 'compactEvery'))
  const { mayRevoke, cutTail, atOnce } = traitsOf(storage)
  const own = new SamePageListeners(ensured(listeners, storage, () => new Set()))
  const count = (change: number) => {
    const left = (users.get(storage) ?? 0) + change
    users.set(storage, left)
    return left
  }
  let isUsed = false
  let isLeft = false
  /** Ends the use of the storage. Returns whether it was the last. */
  const leave = () => {
    if (isLeft) return false
    isLeft = true
    own.close()
    return count(isUsed ? -1 : 0) === 0
  }
  const use = () => {
    if (isUsed || isLeft) return
    isUsed = true
    count(1)
  }
  const soon = async <R>(work: () => R | Promise<R>): Promise<R> => {
    use()
    await undefined
    try {
      return await work()
    } catch (error) {
      throw readable(error)
    }
  }
  const appended = (seq: number, stored: unknown): boolean => {
    if (typeof stored !== 'boolean') throw wrongAnswer('append', 'must resolve to true, or to false if the number is taken')
    if (stored) own.notify(seq)
    return stored
  }
  let hasAnsweredAtOnce = false
  const appendNow = (...[seq, bytes, durability]: Parameters<StorageBackend['append']>): boolean | Promise<boolean> => {
    use()
    try {
      const stored: unknown = appendTo(storage, atOnce, seq, bytes, durability)
      hasAnsweredAtOnce = typeof stored === 'boolean'
      if (typeof stored === 'boolean') return appended(seq, stored)
      return Promise.resolve(stored).then((stored) => appended(seq, stored)).catch((error: unknown) => {
        throw readable(error)
      })
    } catch (error) {
      throw readable(error)
    }
  }
  return {
    read: (after) => soon(async () => batchesOf('read', await storage.read(after))),
    append: (...args) => soon(() => appendNow(...args)),
    appendNow,
    answersAtOnce: () => hasAnsweredAtOnce && users.get(storage) === 1,
    compact: (seq, snapshot) => soon(async () => void (await storage.compact(seq, snapshot))),
    destroy: () => soon(async () => {
      leave()
      await storage.destroy()
    }),
    close: () => soon(async () => {
      if (leave()) await storage.close()
    }),
    ...(mayRevoke && { mayRevoke: true }), // the engine asks for it
    ...(cutTail && { cutTail: (seq, torn) => soon(() => cutTail(seq, torn)) }),
    ...(compactEvery !== undefined && { compactEvery }),
    ...(salvages && { salvage: () => soon(async () => batchesOf('salvage', await storage.salvage!())) }),
    ...(watches && {
      watch: (listener) => watchSoon(storage, own, listener),
    }),
  }
}

/**
 * For several databases that use one storage object: the returned function
 * makes a storage for each of them. When the last is closed, the object is.
 *
 * @param storage Its methods must not need `this`; those of {@link deferredStorage} do not.
 */
export function sharedStorage(storage: StorageBackend): () => StorageBackend {
  let open = 0
  return () => {
    open++
    let closing: Promise<void> | undefined
    return { ...storage, close: () => (closing ??= --open === 0 ? storage.close() : Promise.resolve()) }
  }
}

/** A property of a user's storage, whose getter may throw. */
function property(storage: StorageBackend, name: keyof StorageBackend): unknown {
  try {
    return storage[name]
  } catch (cause) {
    throw new AtomicDBError('invalid', `options.storage: its property ${name} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/** Whether a storage has a method that it need not have. */
function isMethod(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'function') return value !== undefined
  throw invalid(`options.storage: ${name}: expected a method, not ${describe(value)}`)
}

function countOf(compactEvery: unknown): number | undefined {
  if (compactEvery === undefined || (typeof compactEvery === 'number' && compactEvery >= 0)) return compactEvery
  throw invalid(`options.storage: compactEvery: expected a number of batches, not ${describe(compactEvery)}`)
}

/** The batches that a method of a user's storage has answered. */
function batchesOf(method: string, answer: unknown): Batch[] {
  if (!Array.isArray(answer)) throw wrongAnswer(method, 'must resolve to an array of {seq, snapshot, bytes}')
  const batches: Batch[] = []
  for (let i = 0; i < answer.length; i++) {
    const { seq, snapshot, bytes } = Object(answer[i]) as { [K in keyof Batch]?: unknown }
    if (!Number.isSafeInteger(seq) || (seq as number) < 1) throw wrongAnswer(method, 'must give each batch a seq of 1 or more')
    // SQL keeps a boolean as 0 or 1.
    batches.push({ seq: seq as number, snapshot: Boolean(snapshot), bytes: plainBytes(bytes) ?? missingBytes(method, seq as number) })
  }
  return batches
}

function missingBytes(method: string, seq: number): never {
  throw wrongAnswer(method, `must give the bytes as a Uint8Array: batch ${seq} has none that can be read`)
}

function wrongAnswer(method: string, rule: string): AtomicDBError {
  return new AtomicDBError('storage', `the storage's method ${method}() ${rule}`)
}

/** What a storage has thrown, as an error that the engine can read: its properties are strings. */
function readable(thrown: unknown): Error {
  try {
    const { name, message, code } = Object(thrown) as { [name: string]: unknown }
    const text = typeof message === 'string' ? message : ''
    if (thrown instanceof AtomicDBError && typeof code === 'string') return new AtomicDBError(code as AtomicDBError['code'], text, { cause: thrown })
    if (typeof thrown !== 'object' && typeof thrown !== 'function') return new Error(thrown === undefined ? '' : String(thrown), { cause: thrown })
    return Object.assign(new Error(text, { cause: thrown }), typeof name === 'string' && { name }, typeof code === 'string' && { code })
  } catch (cause) {
    return new Error('the storage has rejected with an error that cannot be read', { cause })
  }
}

function watchSoon(storage: StorageBackend, own: SamePageListeners, listener: (seq: number) => void): () => void {
  let isStopped = false
  const whileWatching = (seq: unknown) => {
    // A notification may already be on its way when the watching ends. 0 says that there is something to read.
    if (!isStopped) listener(Number.isSafeInteger(seq) && (seq as number) > 0 ? (seq as number) : 0)
  }
  const leave = own.watch(whileWatching)
  let stop: unknown
  queueMicrotask(() => {
    if (!isStopped) stop = ignoringErrors(() => storage.watch!(whileWatching))
  })
  return () => {
    isStopped = true
    leave()
    queueMicrotask(() => {
      if (typeof stop === 'function') ignoringErrors(stop as () => unknown)
    })
  }
}

/**
 * The result of `call`, undefined if that throws. Nobody waits for the call: without watching, conflicts tell of other
 * writers.
 */
function ignoringErrors(call: () => unknown): unknown {
  try {
    const result = call()
    // An async function is no valid watch, but its rejection would end Node.
    if (result instanceof Promise) result.catch(() => {})
    return result
  } catch {
    return undefined
  }
}
