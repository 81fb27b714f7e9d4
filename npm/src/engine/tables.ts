import type { Id } from '../types.js'

/**
 * Where the engine has the documents of a collection in its memory, and how they are found there by a key: their id, or
 * what a unique index has at a path.
 *
 * `table`, `refs`, `sizes`, `chunks` and `yields` are places in the memory, in words of 32 bits. See engine/tables.go and
 * engine/idtable.go.
 */
export interface Tables {
  /** Open addressing with linear probing: in pairs, slot + 1 and hash. 0: empty. */
  readonly table: number
  /** The length of `table` in pairs, a power of two, less 1. */
  readonly mask: number
  /** By slot: the number of a chunk above 20 bits of offset. */
  readonly refs: number
  /** By slot. */
  readonly sizes: number
  /** Of each chunk, six words, of which the first is its address in bytes. */
  readonly chunks: number
  /** The engine counts there how often its goroutines have run, which was `count` times. */
  readonly yields: number
  readonly count: number
  /** How often the engine was asked to do what may move documents. */
  readonly moves: number
  /** Whether the engine wants what is found compared with what it finds. */
  readonly isTest: boolean
}

/** What {@link Tables} cannot tell: the engine has to be asked. */
export const unsure = Symbol('unsure')

/** The hash of a key; undefined of a text that is long or not ASCII. The same as hashID and hashValue of engine/hash.go. */
export function hashOf(key: Id): number | undefined {
  return typeof key === 'number' ? finished((key | 0) ^ scrambled(Math.floor(key / 0x100000000) | 0)) : hashOfText(key)
}

/** MurmurHash3_x86_32 by Austin Appleby, with the seed 0. */
function hashOfText(text: string): number | undefined {
  const { length } = text
  if (length > maxText) return undefined
  let hash = 0
  let block = 0
  let units = 0 // all of them, by `|`
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    units |= unit
    block |= unit << ((i & 3) << 3)
    if ((i & 3) === 3) {
      hash ^= scrambled(block)
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
      block = 0
    }
  }
  return units < 0x80 ? finished(hash ^ scrambled(block) ^ length) : undefined
}

const maxText = 256

function scrambled(block: number): number {
  const mixed = Math.imul(block, 0xcc9e2d51)
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
}

/** The end of MurmurHash3_x86_32, from 0 on. */
function finished(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
