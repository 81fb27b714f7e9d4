import type { Bridge } from '../engine/bridge.js'
import { Op } from '../engine/ops.js'
import { hashOf, unsure, type Tables } from '../engine/tables.js'
import { AtomicDBError } from '../errors.js'
import { Encoder } from '../msgpack/encode.js'
import type { Id } from '../types.js'
import { copyOf } from './query-cache.js'

/**
 * Finds documents by one key in the memory of the engine, without a call: from the second read of a collection by a path
 * on, while nothing is written. The addresses are asked for then, which takes a call itself.
 */
export class TableReads {
  private readonly known: KnownTables[] = []
  private readonly args = new Encoder()

  constructor(
    private readonly bridge: Bridge,
    private readonly handle: number,
  ) {}

  /** As {@link EngineCalls.lookup}. */
  lookup(collection: string, path: string, key: Id): unknown {
    const known = this.knownTables(collection, path)
    const tables = this.current(known)
    const hash = tables && hashOf(key)
    if (hash === undefined) return unsure
    const bucket = hash & (bucketCount - 1)
    const isAskedAgain = known.keys[bucket] === key
    const kept = isAskedAgain ? known.documents[bucket] : undefined
    const found = kept === undefined ? this.bridge.find(tables!, path, key, hash) : copyOf(kept)
    if (!isAskedAgain) {
      known.keys[bucket] = key
      known.documents[bucket] = undefined
    } else if (kept === undefined && this.bridge.resultBytes <= maxKeptBytes) {
      known.documents[bucket] = copyOf(found)
    }
    if (tables!.isTest && found !== unsure) this.compare(collection, path, key, found)
    return found
  }

  private knownTables(collection: string, path: string): KnownTables {
    for (const known of this.known) {
      if (known.path === path && known.collection === collection) return known
    }
    if (this.known.length === maxKnown) this.known.shift()
    const known = { collection, path, tables: undefined, read: -1, refused: -1, keys: [], documents: [] }
    this.known.push(known)
    return known
  }

  private current(known: KnownTables): Tables | undefined {
    const { bridge } = this
    if (known.tables && bridge.areCurrent(known.tables)) return known.tables
    const { moved } = bridge
    if (known.read !== moved) {
      known.read = moved
      return undefined
    }
    if (known.refused === moved) return undefined
    known.tables = bridge.tables(this.handle, this.args.begin('arguments').array(2).string(known.collection).string(known.path))
    if (known.tables) {
      known.keys = new Array<undefined>(bucketCount).fill(undefined)
      known.documents = new Array<undefined>(bucketCount).fill(undefined)
    } else {
      known.refused = moved
    }
    return known.tables
  }

  private compare(collection: string, path: string, key: Id, found: unknown): void {
    const { args } = this
    args.begin('arguments').array(6).string(collection).value(['eq', path, key]).nil().number(0).number(-1).nil()
    const documents: unknown[] = []
    this.bridge.documents(this.handle, Op.find, args, documents)
    const [expected, ...others] = documents.map(textOf)
    if (others.length > 0 || expected !== textOf(found)) throw new AtomicDBError('internal', `${path} = ${key} is ${documents.map(textOf)} to the engine, and ${textOf(found)} in its tables`)
  }
}

/** What is known of a collection and a path. */
interface KnownTables {
  readonly collection: string
  readonly path: string
  tables: Tables | undefined
  /** {@link Bridge.moved} at the last read that was no lookup. */
  read: number
  /** The same when there were no tables. */
  refused: number
  /** By hash, the key of the last lookup. */
  keys: (Id | undefined)[]
  /** By hash, what two lookups in a row have found. A copy of it takes 0.15 us, to decode it 1.1. */
  documents: unknown[]
}

const maxKnown = 8
const bucketCount = 1024 // a power of two
const maxKeptBytes = 2048 // of a document as MessagePack

const textOf = (document: unknown) => JSON.stringify(document, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
