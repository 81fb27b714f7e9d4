// The bytes of a log in one file; storage/FORMAT.md, section File, has the tables.
import { Fault } from './host.js'
import { xxh64 } from './xxh64.js'

export const headerBytes = 40
export const recordHeaderBytes = 32

const fileMagic = [0x41, 0x74, 0x44, 0x4c] // AtDL
const fileVersion = 1
const atVersion = 4
const atIdentity = 8
const identityBytes = 16
const atSnapshot = 24
const atFileSum = 32

const recordMagic = [0x41, 0x74, 0x44, 0x52] // AtDR
const atKind = 4
const atSeq = 8
const atLength = 16
const atRecordSum = 24
const kindBatch = 1
const kindSnapshot = 2

/** The start of a file. */
export interface Header {
  readonly identity: Uint8Array
  /** The number of the snapshot that the first record is; 0: there is none, and the first record is batch 1. */
  readonly snapshot: number
}

/** What comes before each frame. */
export interface RecordHeader {
  readonly seq: number
  readonly snapshot: boolean
  /** Bytes of the frame. */
  readonly length: number
}

export function encodeHeader({ identity, snapshot }: Header): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(headerBytes)
  bytes.set(fileMagic)
  bytes[atVersion] = fileVersion
  bytes.set(identity, atIdentity)
  viewOf(bytes).setBigUint64(atSnapshot, BigInt(snapshot), true)
  viewOf(bytes).setBigUint64(atFileSum, xxh64(bytes.subarray(0, atFileSum)), true)
  return bytes
}

/** @throws `corrupt` for bytes that are no header, `unsupported` for one of a later version. */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length < headerBytes || !startsWith(bytes, 0, fileMagic)) throw corrupt('the file does not start like a database of AtomicDB: it is another kind of file, or damaged')
  const view = viewOf(bytes)
  if (view.getBigUint64(atFileSum, true) !== xxh64(bytes.subarray(0, atFileSum))) throw corrupt("the checksum of the file's header differs")
  if (bytes[atVersion] !== fileVersion) throw new Fault('unsupported', 'a newer AtomicDB wrote the file')
  return { identity: bytes.slice(atIdentity, atIdentity + identityBytes), snapshot: Number(view.getBigUint64(atSnapshot, true)) }
}

/**
 * Whether a file is empty although it has these bytes: a crash has interrupted its creation, and left a part of a header,
 * or space that was never written.
 */
export function isUnfinished(file: Uint8Array): boolean {
  if (file.length > headerBytes) return false
  const isStart = file.length < headerBytes && startsWith(file, 0, fileMagic.slice(0, file.length))
  return isStart || file.every((byte) => byte === 0)
}

export function encodeRecordHeader({ seq, snapshot, length }: RecordHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(recordHeaderBytes)
  const view = viewOf(bytes)
  bytes.set(recordMagic)
  bytes[atKind] = snapshot ? kindSnapshot : kindBatch
  view.setBigUint64(atSeq, BigInt(seq), true)
  view.setBigUint64(atLength, BigInt(length), true)
  view.setBigUint64(atRecordSum, xxh64(bytes.subarray(0, atRecordSum)), true)
  return bytes
}

/** The header of the record that begins at `at`. Undefined if there is none. */
export function decodeRecordHeader(bytes: Uint8Array, at: number): RecordHeader | undefined {
  if (at + recordHeaderBytes > bytes.length || !startsWith(bytes, at, recordMagic)) return undefined
  const header = bytes.subarray(at, at + recordHeaderBytes)
  const view = viewOf(header)
  if (view.getBigUint64(atRecordSum, true) !== xxh64(header.subarray(0, atRecordSum))) return undefined
  const kind = view.getUint32(atKind, true) // with the reserved bytes, which are 0
  const seq = Number(view.getBigUint64(atSeq, true))
  const length = Number(view.getBigUint64(atLength, true))
  if ((kind !== kindBatch && kind !== kindSnapshot) || seq < 1 || !Number.isSafeInteger(seq) || !Number.isSafeInteger(length)) return undefined
  return { seq, snapshot: kind === kindSnapshot, length }
}

/** Where the next header of a record can begin, from `at` on; -1 if nowhere. */
export function nextRecordMagic(bytes: Uint8Array, at: number): number {
  for (let found = bytes.indexOf(recordMagic[0]!, at); found >= 0; found = bytes.indexOf(recordMagic[0]!, found + 1)) {
    if (startsWith(bytes, found, recordMagic)) return found
  }
  return -1
}

const startsWith = (bytes: Uint8Array, at: number, start: readonly number[]) => start.every((byte, n) => bytes[at + n] === byte)
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const corrupt = (message: string) => new Fault('corrupt', message)
