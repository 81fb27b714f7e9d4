import type * as Library from '../../src/index.js'
import type { Batch, StorageBackend } from '../../src/types.js'
import { Random } from '../random/random.js'
import { Hostility, Thrown, type Named } from './hostile.js'
import type { Surface } from './surface.js'

/** What an attack needs from its host. */
export interface Host {
  readonly library: typeof Library
  readonly surface: Surface
  readonly wasm: WebAssembly.Module
  /** Whether the databases that are attacked have their engine in a worker. */
  readonly worker: boolean
  /** Is told each round before it runs: a call that never returns stops everything else. */
  onRound?(seed: number): void
}

/** What a series of rounds has done. */
export interface Attacked {
  readonly rounds: number
  readonly calls: number
  readonly messages: number
  /** The first fault, with the calls before it; undefined if there was none. */
  readonly fault: string | undefined
  /** The seed of the last round. */
  readonly seed: number
}

/** How long a call may take, in milliseconds. A transaction that stands still ends after 10,000. */
const maxWait = 30_000

/** Methods that are not attacked, and why. */
const spared: Record<string, string> = {
  hashPassword: 'one takes half a second of argon2id',
  verifyPassword: 'the same',
}

/**
 * Attacks the package in rounds, of which each has its own seed: `seed`, `seed` + 1 and so on. Stops at the first fault:
 * an error that is none of ours, an error of the code `internal`, a call without an end, an error that nobody has caught,
 * or an engine that has ended.
 *
 * @param seconds 0: one round.
 */
export async function attack(host: Host, seed: number, seconds: number): Promise<Attacked> {
  const uncaught: unknown[] = []
  const stopListening = onUncaught((error) => uncaught.push(error))
  // In memory alone: it does not come back after the end of its engine, which no other call may have noticed.
  const canary = await host.library.AtomicDB.open('canary', { inMemory: true, wasm: host.wasm })
  const end = performance.now() + seconds * 1000
  let calls = 0
  let messages = 0
  let rounds = 0
  let fault: string | undefined
  const thrown = new Thrown()
  try {
    for (; !fault && (rounds === 0 || performance.now() < end); rounds++) {
      host.onRound?.(seed + rounds)
      const round = new Round(host, seed + rounds, thrown)
      fault = await round.run().catch((error: unknown) => `the attack itself has failed: ${textOf(error)}`)
      await new Promise((resolve) => setTimeout(resolve, 0)) // so that errors which nobody caught are told
      const [stray] = uncaught.filter((error) => !(thrown.has(error) || isUncallable(error)) || isInternal(error))
      if (stray !== undefined) fault ??= `nobody caught ${textOf(stray)}`
      uncaught.length = 0
      await canary.insert({ n: rounds }).then(() => {}, (error: unknown) => (fault ??= `another database has ended: ${textOf(error)}`))
      if (fault) fault += `\n  the last calls of the round:\n${round.log.slice(-12).map((line) => `    ${line}`).join('\n')}`
      calls += round.calls
      messages += round.messages
    }
  } finally {
    stopListening()
    await canary.close().catch(() => {})
  }
  return { rounds, calls, messages, fault, seed: seed + rounds - 1 }
}

class Round {
  readonly log: string[] = []
  calls = 0
  messages = 0
  readonly hostility: Hostility
  private readonly random: Random
  private fault: string | undefined

  constructor(
    private readonly host: Host,
    private readonly seed: number,
    thrown: Thrown,
  ) {
    this.random = new Random(seed)
    this.hostility = new Hostility(this.random, thrown)
  }

  /** Attacks new databases. Resolves to the fault. */
  async run(): Promise<string | undefined> {
    const kind = this.random.int(0, 9)
    if (kind < 2) await this.attackStorage()
    else if (kind < 4) await this.attackStorageCalls()
    else await this.attackCalls(kind < 6)
    return this.fault
  }

  /** @param inPool Whether the database is a pool. */
  private async attackCalls(inPool: boolean): Promise<void> {
    const { random, host } = this
    const { AtomicDB, ThreadSafeDatabase } = host.library
    const name = `attacked-${this.seed}`
    const storage = this.soundStorage(name)
    const options = { wasm: host.wasm, ...(storage && { storage }) }
    const db = inPool ? await ThreadSafeDatabase.open(name, { ...options, maxConnections: 2, timeout: 15_000 }) : await AtomicDB.open(name, { ...options, worker: host.worker })
    const engines = enginesOf(db)
    await db.insertMany([1, 2, 3].map((n) => ({ n, a: { b: [n, { c: n }] }, text: 'x' })))
    try {
      const targets = await this.targets(db)
      for (let i = 0; i < 12 && !this.fault; i++) {
        if (random.chance(0.2)) this.postMessages()
        await Promise.all(random.list(1, 3, () => this.attackOne(random.pick(targets))))
      }
      if (random.chance(0.3)) await this.attackInside(db)
      if (!this.fault) await this.survives(db)
      // A new engine takes the place of one that has ended, and perhaps no call was in flight then.
      if (enginesOf(db).some((engine, n) => engine !== engines[n])) this.fault ??= 'the engine of the database has ended'
    } finally {
      await this.settled('close', db.close())
    }
    await this.settled('destroy', AtomicDB.destroy(name, { ...(storage && { storage }), wasm: host.wasm }))
  }

  /** A storage of the package; undefined for the default. */
  private soundStorage(name: string): StorageBackend | undefined {
    const { IndexedDBStorage, LocalStorageStorage, MemoryStorage, OPFSStorage, SealedStorage, SecurityManager } = this.host.library
    const inPage = typeof document !== 'undefined'
    const securityManager = SecurityManager.fromKey('A'.repeat(43) + '=')
    const kinds: (() => StorageBackend | undefined)[] = [() => new MemoryStorage(), () => undefined, () => new SealedStorage(new MemoryStorage(), { securityManager, compressionLevel: 1 })]
    if (inPage) kinds.push(() => new IndexedDBStorage(name), () => new LocalStorageStorage(name), () => new OPFSStorage(name))
    return this.random.pick(kinds)()
  }

  /** What is called: each exported function and class, and an object of each type that calls return. */
  private async targets(db: Database): Promise<Target[]> {
    const { library, surface } = this.host
    const exports = library as unknown as Record<string, Callable>
    const targets: Target[] = surface.functions.filter((name) => name in exports).map((name) => ({ name, call: (...args) => exports[name]!(...args) }))
    for (const [type, { statics, isMade }] of Object.entries(surface.types)) {
      const Class = exports[type] as unknown as (new (...args: unknown[]) => object) & Record<string, Callable>
      if (typeof Class !== 'function') continue
      for (const method of statics) targets.push({ name: `${type}.${method}`, call: (...args) => Class[method]!(...args) })
      if (isMade && type !== 'QueryResult' && type !== 'AtomicDBError') targets.push({ name: `new ${type}`, call: (...args) => new Class(...args) })
    }
    const results = async () => {
      const result = await db.search()
      if (this.random.chance(0.3) && result[0]) Object.assign(result[0], { n: this.hostility.value().value })
      if (this.random.chance(0.3)) result.push(this.hostility.value().value as never)
      return result
    }
    const q = db.query<Record<string, any>>()
    const objects: [string, string, () => unknown][] = [
      [db instanceof library.ThreadSafeDatabase ? 'ThreadSafeDatabase' : 'AtomicDB', 'db', () => db],
      ['Collection', 'collection', () => db.collection('more')],
      ['QueryResult', 'result', results],
      ['QueryResult', 'tracked', async () => (await db.search()).tracked()],
      ['FieldOps', 'q.a', () => q.a],
      ['QueryBuilder', 'q', () => q],
      ['Condition', 'condition', () => q.a!.eq(1)],
      ['SecurityManager', 'manager', () => library.SecurityManager.fromKey('A'.repeat(43) + '=')],
      ['MemoryStorage', 'memory', () => new library.MemoryStorage()],
      ['SealedStorage', 'sealed', () => new library.SealedStorage(new library.MemoryStorage(), { compressionLevel: 1 })],
    ]
    for (const [type, name, make] of objects) {
      const methods = surfaceOf(surface, type)
      for (const method of methods) {
        if (method === 'close' || method in spared) continue
        targets.push({ name: `${name}.${method}`, make, method })
      }
    }
    return targets
  }

  private async attackOne(target: Target): Promise<void> {
    const { name } = target
    const args = this.random.list(0, 4, () => (this.random.chance(0.5) ? this.hostility.value() : this.plausible()))
    const said = `${name}(${args.map((arg) => arg.name).join(', ')})`
    this.log.push(said.length > 400 ? `${said.slice(0, 400)}…` : said)
    this.calls++
    const values = args.map(({ value }) => value)
    const result = await this.settled(said, (async () => {
      if ('call' in target) return { answer: await boxed(() => target.call(...values)) }
      const { value } = await boxed(target.make)
      return { answer: await boxed(() => (value as Record<string, Callable>)[target.method]!(...values)) }
    })())
    const made = result?.answer.value
    const { AtomicDB, ThreadSafeDatabase } = this.host.library
    if (isA(AtomicDB, made) || isA(ThreadSafeDatabase, made)) await this.settled(`close of ${said}`, (made as Database).close())
  }

  /** Calls from within: a transaction, and the functions that users give to queries and updates. */
  private async attackInside(db: Database): Promise<void> {
    const methods = surfaceOf(this.host.surface, 'Transaction')
    await this.settled('transaction', db.transaction(async (tx) => {
      for (let i = 0; i < 6 && !this.fault; i++) {
        const method = this.random.pick(methods)
        await this.attackOne({ name: `tx.${method}`, call: (...args) => (tx as unknown as Record<string, Callable>)[method]!(...args) })
      }
    }))
  }

  /** The database goes on, and what it holds is sound. */
  private async survives(db: Database): Promise<void> {
    await this.settled('insert after the attack', db.insert({ n: 4 }, 'after'))
    const found = await this.settled('count after the attack', db.count('n = 4', 'after'))
    if (found !== undefined && found < 1) this.fault ??= 'what was inserted after the attack is not found'
    if (!('verify' in db)) return
    const report = await this.settled('verify', db.verify())
    if (report && !report.ok) this.fault ??= `verify: ${JSON.stringify(report.problems)}`
  }

  private async attackStorage(): Promise<void> {
    const { AtomicDB } = this.host.library
    const name = `hostile-${this.seed}`
    const storage = new HostileStorage(this)
    const options = { storage: storage.asBackend(), wasm: this.host.wasm }
    const db = await this.settled('open', AtomicDB.open(name, { ...options, worker: this.host.worker }))
    if (db) {
      for (let i = 0; i < 8 && !this.fault; i++) {
        const writes = this.random.list(1, 3, () => this.settled('insert', db.insert({ n: i, text: 'x'.repeat(this.random.int(0, 200)) })))
        await Promise.all([...writes, this.settled('count', db.count())])
        if (this.random.chance(0.2)) await this.settled('transaction', db.transaction((tx) => tx.insert({ n: i })))
        if (this.random.chance(0.1)) await this.settled('verify', db.verify())
        if (this.random.chance(0.1)) await this.settled('flush', db.flush())
        this.calls += 4
      }
      await this.settled('close', db.close())
    }
    if (this.random.chance(0.2)) await this.settled('repair', AtomicDB.repair(name, options))
    if (this.random.chance(0.2)) await this.settled('exportRaw', AtomicDB.exportRaw(name, options))
    await this.settled('destroy', AtomicDB.destroy(name, options))
  }

  /** Calls the methods of a storage, as the engine does and as nobody should; a database over it then fails or works. */
  private async attackStorageCalls(): Promise<void> {
    const { host, random } = this
    const { AtomicDB } = host.library
    const name = `storage-${this.seed}`
    const [type, make] = random.pick(Object.entries(this.storages(name)))
    const storage = make() as unknown as Record<string, Callable>
    const options = { storage: storage as unknown as StorageBackend, wasm: host.wasm }
    for (let i = 0; i < 10 && !this.fault; i++) {
      if (random.chance(0.2)) {
        const db = await this.settled('open', AtomicDB.open(name, { ...options, worker: host.worker }))
        await Promise.all([1, 2].map((n) => db && this.settled('insert', db.insert({ n }))))
        if (db) await this.settled('close', db.close())
      }
      const method = random.pick(surfaceOf(host.surface, type))
      const seq = random.pick([0, 1, 2, 3, 7])
      const sound = random.pick<[string, unknown[]]>([
        ['', []],
        [`${seq}`, [seq]],
        [`${seq}, bytes, 'relaxed'`, [seq, new Uint8Array(random.list(0, 40, () => random.int(0, 255))), 'relaxed']],
        ['() => {}', [() => {}]],
      ])
      const args = random.chance(0.5) ? undefined : sound
      const call = (...given: unknown[]) => storage[method]!(...(args?.[1] ?? given))
      await this.attackOne({ name: args ? `${type}.${method}(${args[0]}), ignoring` : `${type}.${method}`, call })
    }
    await this.settled('destroy', AtomicDB.destroy(name, options))
  }

  /** An object of each class of storages that this host has. */
  private storages(name: string): Record<string, () => StorageBackend> {
    const { library } = this.host
    const securityManager = library.SecurityManager.fromKey('A'.repeat(43) + '=')
    const everywhere = {
      MemoryStorage: () => new library.MemoryStorage(),
      SealedStorage: () => new library.SealedStorage(new library.MemoryStorage(), { securityManager, compressionLevel: 1 }),
      KVStorage: () => new library.KVStorage(namespace(), name),
      JSONStorage: () => new library.JSONStorage(`${name}.json`),
      CompressedJSONStorage: () => new library.CompressedJSONStorage(`${name}.json.gz`),
      EncryptedJSONStorage: () => new library.EncryptedJSONStorage(`${name}.enc`, securityManager),
      MessagePackStorage: () => new library.MessagePackStorage(`${name}.mp`),
    }
    if (typeof document === 'undefined') return { ...everywhere, LMDBStorage: () => new library.LMDBStorage(name), FileStorage: () => new library.FileStorage(`${name}.atomicdb`) }
    return {
      ...everywhere,
      IndexedDBStorage: () => new library.IndexedDBStorage(name),
      LocalStorageStorage: () => new library.LocalStorageStorage(name),
      OPFSStorage: () => new library.OPFSStorage(name),
    }
  }

  /** Tells every channel that the page has opened something hostile. */
  private postMessages(): void {
    for (const channel of channelNames()) {
      const { name, value } = this.hostility.message()
      this.log.push(`message to ${channel}: ${name}`)
      this.messages++
      const sender = new BroadcastChannel(channel)
      sender.postMessage(value)
      sender.close()
    }
  }

  /** What a promise resolves to; undefined if it rejects, which is a fault unless it does as documented. */
  async settled<R>(said: string, promise: Promise<R>): Promise<R | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, maxWait, 'late')))
    try {
      const end = await Promise.race([promise.then((value) => ({ value })), late])
      if (end === 'late') this.fault ??= `${said}: has not ended after ${maxWait / 1000} s`
      else return end.value
    } catch (error) {
      const why = this.notDocumented(error)
      if (why) this.fault ??= `${said}: ${why}`
    } finally {
      clearTimeout(timer)
    }
    return undefined
  }

  private notDocumented(error: unknown): string | undefined {
    if (this.hostility.thrown.has(error)) return undefined
    if (this.hostility.hasReturnedRevoked && error instanceof TypeError && error.message.includes('revoked')) return undefined
    if (error instanceof this.host.library.AtomicDBError && !isInternal(error) && !hasEnded(error)) return undefined
    if (isUncallable(error)) return undefined
    return textOf(error)
  }

  /** A value that a call may well take. */
  private plausible(): Named {
    const { random } = this
    const choices: [string, () => unknown][] = [
      ["'n = 1'", () => 'n = 1'],
      ['{n: 1}', () => ({ n: 1 })],
      ['{_id: 1, n: 5}', () => ({ _id: 1, n: 5 })],
      ['[{n: 1}]', () => [{ n: 1 }]],
      ['1', () => 1],
      ["'n'", () => 'n'],
      ["'a.b'", () => 'a.b'],
      ["'more'", () => 'more'],
      ["'SELECT * FROM more'", () => 'SELECT * FROM more'],
      ["'SELECT a, COUNT(*) AS n FROM default GROUP BY a'", () => 'SELECT a, COUNT(*) AS n FROM "default" GROUP BY a'],
      ["'UPDATE more SET n = ? WHERE n = ?'", () => 'UPDATE more SET n = ? WHERE n = ?'],
      ['{select: {n: {$count: true}}}', () => ({ select: { n: { $count: true } } })],
      ['() => true', () => () => true],
      ['() => ({n: 2})', () => () => ({ n: 2 })],
      ['async () => {}', () => async () => {}],
      ['{}', () => ({})],
      ['a file', () => new TextEncoder().encode('{"users": [{"n": 1}]}')],
      ['a function', () => this.hostility.function().value],
    ]
    const keys = ['limit', 'skip', 'sort', 'fields', 'collection', 'unique', 'where', 'groupBy', 'select', 'having', 'reverse', 'type', 'compressionLevel', 'securityManager', 'storage', 'inMemory', 'onProgress', 'maxDepth', '$set', '$inc', '$push', '$pull', '$unset', '$rename', '$and', '$in', '$elemMatch', '$regex', 'n']
    if (random.chance(0.3)) {
      const [key, { name, value }] = [random.pick(keys), this.hostility.value()]
      return { name: `{${key}: ${name}}`, value: { [key]: value } }
    }
    const [name, make] = random.pick(choices)
    return { name, value: make() }
  }
}

/** Whether it is what the host throws for functions of ours that cannot be called; the package passes it on. */
function isUncallable(error: unknown): boolean {
  return error instanceof TypeError && /^(Cannot perform 'apply' on a proxy that has been revoked|Class constructor.* cannot be invoked without 'new')$/.test(error.message)
}

/** A function, or a method of an object that is made for the call. */
type Target = { readonly name: string } & ({ readonly call: Callable } | { readonly make: () => unknown; readonly method: string })

type Callable = (...args: unknown[]) => unknown

/** A storage that sometimes answers, throws or tells what it should not. */
class HostileStorage {
  private readonly random: Random
  private readonly inner: StorageBackend
  private isGood = true

  constructor(private readonly round: Round) {
    this.random = new Random(round['seed'] + 1)
    this.inner = new round['host'].library.MemoryStorage()
    this.isGood = this.random.chance(0.5) // while the database is opened
  }

  asBackend(): StorageBackend {
    const { inner, random } = this
    const method = <A extends unknown[], R>(name: string, sound: (...args: A) => Promise<R>) => (...args: A): Promise<R> => {
      if (this.isGood && name === 'read') {
        this.isGood = false
        return sound(...args)
      }
      if (!random.chance(0.25)) return sound(...args)
      const { name: said, value } = this.round.hostility.function()
      this.round.log.push(`storage.${name}: ${said}`)
      return speaking(random.chance(0.5) ? value() : this.nearly(name, sound(...args))) as Promise<R>
    }
    return {
      read: method('read', (after: number) => inner.read(after)),
      append: method('append', async (seq: number, bytes: Uint8Array, durability: 'relaxed' | 'strict') => inner.append(seq, bytes, durability)),
      compact: method('compact', (seq: number, snapshot: Uint8Array) => inner.compact(seq, snapshot)),
      destroy: method('destroy', () => inner.destroy()),
      close: method('close', () => inner.close()),
      ...(random.chance(0.5) && { salvage: method('salvage', () => inner.read(0)) }),
      ...(random.chance(0.5) && { compactEvery: random.chance(0.5) ? 2 : (this.round.hostility.value().value as number) }),
      ...(random.chance(0.7) && {
        watch: (listener: (seq: number) => void) => {
          const tell = () => listener(this.round.hostility.value().value as number)
          const timers = [0, 5, 20].map((delay) => setTimeout(tell, delay))
          if (random.chance(0.3)) return this.round.hostility.function().value() as () => void
          return () => timers.forEach(clearTimeout)
        },
      }),
    }
  }

  /** A sound answer with one thing wrong. */
  private async nearly(name: string, answer: Promise<unknown>): Promise<unknown> {
    const sound = await answer
    const { value } = this.round.hostility.value()
    if (!Array.isArray(sound) || sound.length === 0) return name === 'append' ? value : sound
    const batches = (sound as Batch[]).map((batch) => ({ ...batch }) as Record<keyof Batch, unknown>)
    const { random } = this
    const at = random.int(0, batches.length - 1)
    batches[at]![random.pick(['seq', 'snapshot', 'bytes'] as const)] = value
    if (random.chance(0.2)) batches.splice(at, 1)
    if (random.chance(0.2)) return Object.assign(new Array(batches.length + 2), batches)
    return batches
  }
}

/** An answer whose promise settles: that a storage never answers is no fault of the package. */
function speaking(answer: unknown): unknown {
  try {
    if (typeof (answer as PromiseLike<unknown>)?.then !== 'function') return answer
  } catch {
    return answer
  }
  let timer: ReturnType<typeof setTimeout>
  const silent = new Promise((_, reject) => (timer = setTimeout(reject, 1000, new Error('silent'))))
  return Promise.race([answer, silent]).finally(() => clearTimeout(timer))
}

/** What the call answers, in a box: an answer may have a method then. */
async function boxed(call: () => unknown): Promise<{ value: unknown }> {
  const answer = call()
  return isA(Promise, answer) ? { value: await answer } : { value: answer }
}

/** A method may return what its owner has put into a result, such as a proxy that was revoked. */
function isA(Class: Function, answer: unknown): boolean {
  try {
    return answer instanceof Class
  } catch {
    return false
  }
}

/** The methods of a type. Those of a builder are in types that index.d.ts does not export by these names. */
function surfaceOf(surface: Surface, type: string): string[] {
  const known: Record<string, string[]> = { QueryBuilder: ['field'] }
  return known[type] ?? surface.types[type]?.methods ?? []
}

type Database = Library.AtomicDB | Library.ThreadSafeDatabase

/** What ends with the engines of a database: its connection, or the first of a pool. */
function enginesOf(db: Database): unknown[] {
  const { calls, pool } = db as unknown as { calls: { current?: unknown }; pool?: { members: { item: unknown }[] } }
  return [pool ? pool.members[0]?.item : calls.current]
}

/** A namespace of KV. */
function namespace() {
  const values = new Map<string, { value: Uint8Array; metadata: unknown }>()
  return {
    get: async (key: string) => values.get(key)?.value.slice().buffer ?? null,
    put: async (key: string, value: Uint8Array, { metadata }: { metadata: unknown }) => void values.set(key, { value: value.slice(), metadata }),
    delete: async (key: string) => void values.delete(key),
    list: async ({ prefix }: { prefix: string }) => ({ keys: [...values].filter(([key]) => key.startsWith(prefix)).map(([name, { metadata }]) => ({ name, metadata })).sort((a, b) => (a.name < b.name ? -1 : 1)), list_complete: true }),
  }
}

/** Whether an engine has ended: all such errors say so, whatever their code. */
function hasEnded({ message }: Error): boolean {
  return /^the engine has ended/.test(message)
}

function isInternal(error: unknown): boolean {
  try {
    return (error as { code?: unknown } | null | undefined)?.code === 'internal' && (error as Error).name === 'AtomicDBError' && !/^hostile$/.test((error as Error).message)
  } catch {
    return false
  }
}

function textOf(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message} ${(error as { code?: string }).code ?? ''}\n${error.stack ?? ''}` : `the thrown value ${String(error)}`
  } catch {
    return 'an error that cannot be read'
  }
}

/** Calls `listener` for each error that nobody catches, in this thread. Returns a function that ends this. */
function onUncaught(listener: (error: unknown) => void): () => void {
  if (typeof document !== 'undefined') {
    const onError = (event: ErrorEvent) => (event.preventDefault(), listener(event.error))
    const onRejection = (event: PromiseRejectionEvent) => (event.preventDefault(), listener(event.reason))
    addEventListener('error', onError)
    addEventListener('unhandledrejection', onRejection)
    return () => {
      removeEventListener('error', onError)
      removeEventListener('unhandledrejection', onRejection)
    }
  }
  process.on('uncaughtException', listener)
  process.on('unhandledRejection', listener)
  return () => {
    process.off('uncaughtException', listener)
    process.off('unhandledRejection', listener)
  }
}

/** The names of the channels that were opened here; see listenForChannels. */
const opened = new Set<string>()
const channelNames = () => [...opened]

/** Notes the name of every channel that is opened from now on. Call it before the package is loaded. */
export function listenForChannels(): void {
  if (typeof BroadcastChannel === 'undefined') return
  globalThis.BroadcastChannel = class extends BroadcastChannel {
    constructor(name: string) {
      super(name)
      opened.add(name)
      if (opened.size > 8) opened.delete([...opened][0]!)
    }
  }
}
