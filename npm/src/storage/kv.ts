import { checkName, sameBytes } from '../checks.js'
import { AtomicDBError, describe, invalid, messageOf, readingError } from '../errors.js'
import { joined } from '../security/compress.js'
import type { SealOptions } from '../security/seal-options.js'
import type { Batch, StorageBackend } from '../types.js'
import { identityOf } from './identity.js'
import { ensured, SamePageListeners } from './same-page-listeners.js'
import { SealedStorage } from './sealed.js'
import { newTraits, traits, type Traits } from './traits.js'
import { Turns } from './turns.js'

/**
 * Keeps batches in Cloudflare Workers KV: for data that is read far more often
 * than it is written. KV shows what is written elsewhere in the world about a
 * minute later, and cannot store a value only if there is none yet. So only one
 * isolate may write at a time; data that is written from many places belongs in
 * a Durable Object. Readers see a whole version of the database, perhaps an
 * older one.
 *
 * If two isolates do write, `conflict` tells it as soon as it shows, and the
 * batches of both are still there. All requests of one isolate may use one
 * database. A query sees a write when it is stored, and not before. `relaxed` and
 * `strict` are the same.
 *
 * @example
 * ```js
 * const db = await AtomicDB.open('settings', { wasm, storage: new KVStorage(env.KV, 'settings') })
 * ```
 */
export class KVStorage extends SealedStorage {
  /**
   * @param namespace A KV namespace binding.
   * @param name The name of the database: its keys start with `atomicdb/<name>/`.
   * @param options How batches are compressed and encrypted. Default: not at all.
   */
  constructor(namespace: any, name: string, options?: SealOptions) {
    checkName('name', name)
    if (!isNamespace(namespace)) throw invalid(`namespace: expected a KV namespace binding, not ${describe(namespace)}`)
    const prefix = `atomicdb/${encodeURIComponent(name)}/`
    if (prefix.length > 400) throw invalid('name: a key in KV has at most 512 bytes')
    super(new KVLog(namespace, prefix), options)
  }
}

function isNamespace(value: any): value is Namespace {
  try {
    return ['get', 'put', 'list', 'delete'].every((method) => typeof value?.[method] === 'function')
  } catch (error) {
    throw readingError('namespace', error)
  }
}

/** What is used of a KV namespace. */
interface Namespace {
  get(key: string, type: 'arrayBuffer'): Promise<ArrayBuffer | null>
  put(key: string, value: Uint8Array, options: { metadata: Metadata }): Promise<void>
  delete(key: string): Promise<void>
  list(options: { prefix: string; cursor?: string }): Promise<{ keys: { name: string; metadata?: unknown }[]; list_complete: boolean; cursor?: string }>
}

/** What the list of keys tells of a batch or snapshot, so that an append need not read the one before. */
interface Metadata {
  readonly parts: number
  /** Of its database, in base64; not there if it has none. */
  readonly identity?: string | undefined
}

/** A batch or snapshot in the list of keys. */
interface Entry {
  readonly seq: number
  readonly snapshot: boolean
  /** The key of its first part; to the keys of the others, a dot and a number are added. */
  readonly key: string
  readonly parts: number
  readonly identity: string | undefined
}

/** What the databases of one isolate share, because the list of keys may be older than their last write. */
interface Shared {
  last: number // the number of the last batch
  /** A batch whose append has begun. If its request was cut off, KV may store it now, later or never. */
  unfinished: { readonly seq: number; readonly key: string; readonly bytes: Uint8Array } | undefined
  readonly turns: Turns
  readonly listeners: Set<(seq: number) => void>
}

const databases = new WeakMap<object, Map<string, Shared>>()

/** How much goes into one value. KV takes 25 MiB. */
const maxValueBytes = 20 << 20

class KVLog implements StorageBackend {
  /** Each batch takes a request when the database is opened; a free plan allows 50. */
  readonly compactEvery = 24

  readonly [traits]: Traits = newTraits({ stateless: true })

  private readonly writer = crypto.randomUUID().slice(0, 8)
  private readonly shared: Shared
  private readonly listeners: SamePageListeners

  constructor(
    private readonly namespace: Namespace,
    private readonly prefix: string,
  ) {
    this.shared = ensured(ensured(databases, namespace, () => new Map<string, Shared>()), prefix, () => ({ last: 0, unfinished: undefined, turns: new Turns(), listeners: new Set() }))
    this.listeners = new SamePageListeners(this.shared.listeners)
  }

  read(after: number): Promise<Batch[]> {
    return this.run(async () => {
      const entries = await this.list()
      for (const chain of chainsOf(entries)) {
        const batches = await this.batchesOf(chain.filter(({ seq }) => seq > after))
        if (batches) return batches
        // The snapshot is listed but cannot be read yet. The batches that it replaces are still there.
      }
      if (entries.length > 0) throw notYetVisible()
      return []
    })
  }

  append(seq: number, bytes: Uint8Array): Promise<boolean> {
    return this.inTurn(async () => {
      if (await this.finish(seq, bytes)) return true
      const entries = await this.list()
      const newest = entries.at(-1)?.seq ?? 0
      if (newest > (chainsOf(entries)[0]?.at(-1)?.seq ?? 0)) throw notYetVisible()
      if (seq !== Math.max(this.shared.last, newest) + 1 || isForeign(entries.at(-1), bytes)) return false
      this.shared.unfinished = { seq, key: `${this.prefix}${padded(seq)}-${this.writer}`, bytes }
      await this.store(this.shared.unfinished)
      return true
    })
  }

  /**
   * Stores the batch that a request has left unfinished, under the same key: another batch of its number would be the
   * second one. Returns whether it is this batch.
   */
  private async finish(seq: number, bytes: Uint8Array): Promise<boolean> {
    const { unfinished } = this.shared
    if (!unfinished) return false
    await this.store(unfinished)
    return unfinished.seq === seq && sameBytes(unfinished.bytes, bytes)
  }

  private async store(batch: NonNullable<Shared['unfinished']>): Promise<void> {
    try {
      await this.put(batch.key, batch.bytes)
    } finally {
      if (this.shared.unfinished === batch) this.shared.unfinished = undefined
    }
    this.shared.last = Math.max(this.shared.last, batch.seq)
    this.listeners.notify(batch.seq)
  }

  /**
   * The batches that the snapshot replaces stay until the next snapshot, for readers elsewhere that do not see this one
   * yet.
   */
  compact(seq: number, snapshot: Uint8Array): Promise<void> {
    return this.inTurn(async () => {
      const entries = await this.list()
      const [newest] = chainsOf(entries)
      const batch = newest?.find((entry) => entry.seq === seq && !entry.snapshot)
      if (!batch || isForeign(batch, snapshot)) return // a newer snapshot was faster
      await this.put(`${this.prefix}${padded(seq)}*${this.writer}`, snapshot)
      const [first] = newest!
      if (!first!.snapshot) return
      for (const entry of entries) {
        if (entry.seq < first!.seq || (entry.seq === first!.seq && !entry.snapshot)) await this.remove(entry)
      }
    })
  }

  watch(listener: (seq: number) => void): () => void {
    return this.listeners.watch(listener)
  }

  async destroy(): Promise<void> {
    await this.inTurn(async () => {
      this.shared.unfinished = undefined
      for (const entry of (await this.list()).reverse()) await this.remove(entry)
      this.shared.last = 0
    })
    await this.close()
  }

  async close(): Promise<void> {
    this.listeners.close()
  }

  /** Writes the first part last: where that is, all parts are. */
  private async put(key: string, bytes: Uint8Array): Promise<void> {
    const parts = Math.max(1, Math.ceil(bytes.length / maxValueBytes))
    for (let part = parts - 1; part >= 0; part--) {
      await this.namespace.put(partKey(key, part), bytes.subarray(part * maxValueBytes, (part + 1) * maxValueBytes), { metadata: { parts, identity: textOf(bytes) } })
    }
  }

  /** Deletes the first part first: without it, nobody looks for the others. */
  private async remove({ key, parts }: Entry): Promise<void> {
    for (let part = 0; part < parts; part++) await this.namespace.delete(partKey(key, part))
  }

  /** The batches before the first that cannot be read yet; undefined if that is the very first. */
  private async batchesOf(entries: readonly Entry[]): Promise<Batch[] | undefined> {
    const values = await Promise.all(entries.map((entry) => this.bytesOf(entry)))
    const end = values.indexOf(undefined)
    if (end === 0) return undefined
    return entries.slice(0, end < 0 ? undefined : end).map(({ seq, snapshot }, n) => ({ seq, snapshot, bytes: values[n]! }))
  }

  private async bytesOf({ key, parts }: Entry): Promise<Uint8Array | undefined> {
    const values = await Promise.all(Array.from({ length: parts }, (_, part) => this.namespace.get(partKey(key, part), 'arrayBuffer')))
    if (values.includes(null)) return undefined
    return joined(values.map((value) => new Uint8Array(value!)))
  }

  private async list(): Promise<Entry[]> {
    const entries: Entry[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await this.namespace.list({ prefix: this.prefix, ...(cursor !== undefined && { cursor }) })
      for (const { name, metadata } of page.keys) {
        // The keys of other parts have a dot.
        const [, seq, kind] = /^(\d{12})([-*])\w+$/.exec(name.slice(this.prefix.length)) ?? []
        const { parts = 1, identity } = (metadata ?? {}) as Partial<Metadata>
        if (seq) entries.push({ seq: Number(seq), snapshot: kind === '*', key: name, parts, identity })
      }
      if (page.list_complete) return entries.sort((a, b) => a.seq - b.seq || Number(a.snapshot) - Number(b.snapshot))
      cursor = page.cursor
    }
  }

  /** As {@link run}, while no other database of this isolate writes. */
  private inTurn<R>(work: () => Promise<R>): Promise<R> {
    return this.run(() => this.shared.turns.alone(work))
  }

  private async run<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof AtomicDBError) throw error
      const message = messageOf(error)
      throw new AtomicDBError(/\b429\b|limit exceeded/i.test(message) ? 'quota' : 'storage', `KV: ${message}`, { cause: error })
    }
  }
}

/**
 * The series of batches that can be read, the newest first. Each starts with a
 * snapshot or with batch 1, and ends before the first number that is missing.
 */
function chainsOf(entries: readonly Entry[]): Entry[][] {
  const batches = new Map<number, Entry>()
  const starts: Entry[] = []
  for (const entry of entries) {
    const same = entry.snapshot ? starts.find(({ seq }) => seq === entry.seq) : batches.get(entry.seq)
    if (same) throw new AtomicDBError('conflict', `KV: two isolates have stored number ${entry.seq}; only one may write at a time`)
    if (entry.snapshot || entry.seq === 1) starts.push(entry)
    if (!entry.snapshot) batches.set(entry.seq, entry)
  }
  return starts.reverse().map((start) => {
    const chain = [start]
    for (let next; (next = batches.get(chain.at(-1)!.seq + 1)); ) chain.push(next)
    return chain
  })
}

/** The identity in a batch or snapshot, as text. */
function textOf(bytes: Uint8Array): string | undefined {
  const identity = identityOf(bytes)
  return identity && btoa(String.fromCharCode(...identity))
}

/** Whether `held` and `bytes` are of two databases. */
function isForeign(held: Entry | undefined, bytes: Uint8Array): boolean {
  const own = textOf(bytes)
  return own !== undefined && held?.identity !== undefined && held.identity !== own
}

function notYetVisible(): AtomicDBError {
  return new AtomicDBError('storage', 'KV: what was written elsewhere is not visible here yet; try again in a minute')
}

// KV lists keys in the order of their text.
const padded = (seq: number) => String(seq).padStart(12, '0')

const partKey = (key: string, part: number) => (part === 0 ? key : `${key}.${part}`)
