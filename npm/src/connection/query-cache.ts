import type { MessagePackWriter } from '../msgpack/writer.js'
import { cachedOps, type Op } from '../engine/ops.js'

/** What was answered to a question, for copies of it. */
export interface Kept {
  readonly question: Uint8Array
  readonly answer: unknown
  readonly bytes: number // of both, as MessagePack
  version: number // the newest of which it is known to be the answer
  used: boolean
}

/**
 * The answers to questions that were asked twice, as pages do that render
 * again. A third time costs a copy of the answer, 0.15 us for a document of
 * 280 B, and not the engine's work and decoding, which takes 1.1 us for each
 * such document; if something has changed meanwhile, the engine is asked
 * whether that is of any concern, which it tells from the few documents that
 * changed. Callers get copies: what one does to its documents, no other sees.
 *
 * A question is an op and the bytes of its arguments; each has one place, by a
 * hash of these, which the next question of that place takes over.
 */
export class Answers {
  private readonly hashes = new Int32Array(places)
  private readonly versions = new Float64Array(places) // when the question was asked last
  private readonly vain = new Uint8Array(places) // 1: the last answer was kept for nothing
  private readonly kept = new Array<Kept | undefined>(places) // at its full length, or V8 makes it a dictionary
  private bytes = 0 // of all that is kept
  // Of the question that was asked last:
  private place = -1 // -1: nothing is to be noted of it
  private question: Question = nothing

  /**
   * The answer to a question, to be copied by {@link copyOf}; if there is
   * none, what the engine answers is to be told to {@link note}, at once.
   *
   * @param version The state of the database that the question is about, which is never 0 if it is usable.
   * @param holds Whether what is kept is the answer still, so many changes later. It may be mistaken in saying no.
   */
  find(version: number, op: Op, question: Question, holds: (op: Op, kept: Kept, changes: number) => boolean): Kept | undefined {
    this.place = -1
    if (version === 0 || question.length > longestQuestion) return undefined
    const bytes = bytesOf(question)
    const { length } = question
    let hash: number = op
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) // as MurmurHash3 ends: texts that differ in few bytes would meet
    hash ^= hash >>> 13
    const place = hash & (places - 1)
    const last = this.versions[place]
    this.versions[place] = version
    if (this.hashes[place] !== hash) {
      this.hashes[place] = hash
      this.vain[place] = 0
      this.drop(place)
      return undefined
    }
    const kept = this.kept[place]
    if (kept && isSame(kept.question, bytes, length)) {
      const changes = version - kept.version
      if (changes === 0 || (changes <= mostChanges && cachedOps.has(op) && holds(op, kept, changes))) {
        kept.version = version
        kept.used = true
        return kept
      }
      this.vain[place] = Number(!kept.used)
      this.drop(place)
    }
    // What is asked anew after each change is kept only if it is also asked twice in between.
    if (this.vain[place] === 1 && last !== version) return undefined
    this.place = place
    this.question = question
    return undefined
  }

  /** Keeps a copy of the answer to the last question, of so many bytes, if that is worth it. */
  note(answer: unknown, bytes: number): void {
    const { place, question } = this
    if (place < 0) return
    this.question = nothing
    this.drop(place) // another question with the same hash
    if (bytes > mostOfOne) return
    bytes += question.length
    if (this.bytes + bytes > mostOfAll) {
      this.kept.fill(undefined)
      this.bytes = 0
    }
    this.bytes += bytes
    this.kept[place] = { question: bytesOf(question).slice(0, question.length), answer: copyOf(answer), bytes, version: this.versions[place]!, used: false }
  }

  private drop(place: number): void {
    const kept = this.kept[place]
    if (!kept) return
    this.bytes -= kept.bytes
    this.kept[place] = undefined
  }
}

/** A deep copy of what a decoder has read. */
export function copyOf<V>(value: V): V
export function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const list: unknown[] = Array.prototype.slice.call(value) // a plain array, also of a QueryResult
    for (let i = 0; i < list.length; i++) {
      if (typeof list[i] === 'object') list[i] = copyOf(list[i])
    }
    return list
  }
  if (value instanceof Date) return new Date(value)
  if (value instanceof Uint8Array) return value.slice()
  const object: Record<string, unknown> = { ...value }
  for (const key in object) {
    // A page may have given Object.prototype properties that for-in lists too.
    if (typeof object[key] === 'object' && Object.hasOwn(object, key)) object[key] = copyOf(object[key])
  }
  return object
}

/** The arguments of an op, as MessagePack. */
type Question = MessagePackWriter | Uint8Array

const bytesOf = (question: Question) => (question instanceof Uint8Array ? question : question.bytes)

const nothing = new Uint8Array()

/** A power of two. Of 64 questions, about four share one if there are 1,024. */
const places = 4096

/** After more of them the engine knows nothing; see engine/history.go. */
const mostChanges = 1000

// In bytes of MessagePack; objects take about four times as much.
const longestQuestion = 1 << 10
const mostOfOne = 512 << 10
const mostOfAll = 2 << 20

function isSame(a: Uint8Array, b: Uint8Array, length: number): boolean {
  if (a.length !== length) return false
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return false
  }
  return true
}
