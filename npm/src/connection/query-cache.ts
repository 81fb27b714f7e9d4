import { cachedOps, type Op } from '../engine/ops.js'
import type { MessagePackWriter } from '../msgpack/writer.js'

/** The answer of a query, kept so that the same query gets a copy of it. */
export interface CachedAnswer {
  /** The arguments of the query, as MessagePack. */
  readonly args: Uint8Array
  readonly answer: unknown
  readonly bytes: number // of arguments and answer, as MessagePack
  version: number // the newest version of the database for which the answer is known to be right
  isUsed: boolean
}

/** Where an answer can be kept; {@link noBucket} if it is not to be kept. */
export type Bucket = number

/** The arguments of an op, as MessagePack. */
type Arguments = MessagePackWriter | Uint8Array

/**
 * The answers of queries that were asked twice, as pages do that render
 * again. From the third time on, the caller gets a copy of the answer: 0.15 us
 * for a document of 280 B, where the engine's work and decoding take 1.1 us.
 * If the database has changed meanwhile, the engine is asked whether the
 * answer is still valid; it tells that from the few documents that changed.
 *
 * A query is an op and the bytes of its arguments. Its hash chooses a bucket,
 * which holds one answer; the next query with that bucket takes it over.
 */
export class QueryCache {
  private readonly hashes = new Int32Array(bucketCount) // of the query that used the bucket last
  private readonly versions = new Float64Array(bucketCount) // of the database then
  private readonly wasted = new Uint8Array(bucketCount) // 1: the last answer was kept and never used
  // At its full length: otherwise V8 makes it a dictionary.
  private readonly answers = new Array<CachedAnswer | undefined>(bucketCount)
  private bytes = 0 // of all answers

  /**
   * The cached answer of a query, for {@link copyOf}. If there is none, the
   * bucket for the answer of the engine; hand both to {@link keep} before
   * the database changes.
   *
   * @param version The version of the database. 0: it is not usable, and no answer is kept.
   * @param stillValid Whether a cached answer is right after so many changes. It may say no when in doubt.
   */
  find(version: number, op: Op, args: Arguments, stillValid: (op: Op, cached: CachedAnswer, changes: number) => boolean): CachedAnswer | Bucket {
    if (version === 0 || args.length > maxArgumentBytes) return noBucket
    const bytes = bytesOfArguments(args)
    const { length } = args
    let hash: number = op
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
    // As MurmurHash3 ends: otherwise arguments that differ in few bytes share a bucket.
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash ^= hash >>> 13
    const bucket = hash & (bucketCount - 1)
    const last = this.versions[bucket]
    this.versions[bucket] = version
    if (this.hashes[bucket] !== hash) {
      this.hashes[bucket] = hash
      this.wasted[bucket] = 0
      this.drop(bucket)
      return noBucket
    }
    const cached = this.answers[bucket]
    if (cached && isSame(cached.args, bytes, length)) {
      const changes = version - cached.version
      if (changes === 0 || (changes <= maxChanges && cachedOps.has(op) && stillValid(op, cached, changes))) {
        cached.version = version
        cached.isUsed = true
        return cached
      }
      this.wasted[bucket] = Number(!cached.isUsed)
      this.drop(bucket)
    }
    // A query that is asked once after each change is not kept until it is asked twice without a change in between.
    return this.wasted[bucket] === 1 && last !== version ? noBucket : bucket
  }

  /**
   * Keeps a copy of an answer, of so many bytes of MessagePack, in the bucket that {@link find} returned for these
   * arguments.
   */
  keep(bucket: Bucket, args: Arguments, answer: unknown, bytes: number): void {
    if (bucket === noBucket) return
    this.drop(bucket) // another query with the same hash
    if (bytes > maxAnswerBytes) return
    bytes += args.length
    if (this.bytes + bytes > maxTotalBytes) {
      this.answers.fill(undefined)
      this.bytes = 0
    }
    this.bytes += bytes
    this.answers[bucket] = { args: bytesOfArguments(args).slice(0, args.length), answer: copyOf(answer), bytes, version: this.versions[bucket]!, isUsed: false }
  }

  private drop(bucket: Bucket): void {
    const cached = this.answers[bucket]
    if (!cached) return
    this.bytes -= cached.bytes
    this.answers[bucket] = undefined
  }
}

/** A deep copy of what a decoder has read. */
export function copyOf<V>(value: V): V
export function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const list: unknown[] = Array.prototype.slice.call(value) // a plain array, also if value is a QueryResult
    for (let i = 0; i < list.length; i++) {
      if (typeof list[i] === 'object') list[i] = copyOf(list[i])
    }
    return list
  }
  if (value instanceof Date) return new Date(value)
  if (value instanceof Uint8Array) return value.slice()
  const object: Record<string, unknown> = { ...value }
  for (const key in object) {
    // for-in also lists properties that a page may have given Object.prototype.
    if (typeof object[key] === 'object' && Object.hasOwn(object, key)) object[key] = copyOf(object[key])
  }
  return object
}

const bytesOfArguments = (args: Arguments) => (args instanceof Uint8Array ? args : args.bytes)

const noBucket: Bucket = -1

/** A power of two. With 1,024, about four of 64 queries share a bucket. */
const bucketCount = 4096

/** The engine remembers no more changes; see engine/history.go. */
const maxChanges = 1000

// In bytes of MessagePack; the objects take about four times as much memory.
const maxArgumentBytes = 1 << 10
const maxAnswerBytes = 512 << 10
const maxTotalBytes = 2 << 20

function isSame(a: Uint8Array, b: Uint8Array, length: number): boolean {
  if (a.length !== length) return false
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return false
  }
  return true
}
