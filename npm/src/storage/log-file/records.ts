import { decodeRecordHeader, nextRecordMagic, recordHeaderBytes, type RecordHeader } from './format.js'
import { Fault } from './host.js'

/** A record of a file, and where it is. */
export interface Found {
  readonly seq: number
  readonly snapshot: boolean
  /** Whether it is the rest of the file, and not whole: a crash has left it. */
  readonly torn: boolean
  /** Where the record starts, its frame, and what is behind it. A torn one has no header: its bytes are its frame. */
  readonly start: number
  readonly frame: number
  readonly end: number
}

/**
 * The records of a file from one on.
 *
 * @param bytes The file, or the end of it.
 * @param from Where the first record starts.
 * @param seq The number that it must have.
 * @param snapshot Whether it must be a snapshot.
 * @throws `corrupt` if a record is damaged that a crash cannot have left so.
 */
export function recordsOf(bytes: Uint8Array, from: number, seq: number, snapshot: boolean): Found[] {
  const records: Found[] = []
  if (snapshot && from >= bytes.length) throw corrupt(seq, 'the snapshot is missing')
  for (let start = from; start < bytes.length; seq++, snapshot = false) {
    const header = decodeRecordHeader(bytes, start)
    const torn = !header || header.length > bytes.length - start - recordHeaderBytes
    if (header && (header.seq !== seq || header.snapshot !== snapshot)) throw corrupt(seq, 'another record is in its place')
    if (torn && snapshot) throw corrupt(seq, 'the snapshot is damaged')
    const later = header ? undefined : laterHeader(bytes, start + 1, seq)
    if (later) throw corrupt(seq, `its header is damaged, and batch ${later.seq} follows`)
    const frame = torn ? start : start + recordHeaderBytes
    const end = torn ? bytes.length : frame + header!.length
    records.push({ seq, snapshot, torn, start, frame, end })
    start = end
  }
  return records
}

/**
 * The records of a file that is damaged. One with a damaged header extends to the next record that can be found.
 *
 * @param from Where the first record starts, and `seq` is the number that it must have.
 */
export function salvagedRecords(bytes: Uint8Array, from: number, seq: number, snapshot: boolean): Found[] {
  const records: Found[] = []
  for (let start = from; start < bytes.length; seq++, snapshot = false) {
    const header = wholeHeader(bytes, start)
    let frame = start
    let end = bytes.length
    if (header && header.seq >= seq) {
      ;({ seq, snapshot } = header)
      frame = start + recordHeaderBytes
      end = frame + header.length
    } else {
      end = nextRecord(bytes, start + 1, seq) ?? laterHeader(bytes, start + 1, seq)?.at ?? end
    }
    records.push({ seq, snapshot, torn: false, start, frame, end })
    start = end
  }
  return records
}

/** Where the first record is that a damaged file still has, and its header. */
export function firstRecord(bytes: Uint8Array, from: number): (RecordHeader & { readonly at: number }) | undefined {
  const at = nextRecord(bytes, from, 0)
  return at === undefined ? undefined : { ...wholeHeader(bytes, at)!, at }
}

function wholeHeader(bytes: Uint8Array, at: number): RecordHeader | undefined {
  const header = decodeRecordHeader(bytes, at)
  return header && header.length <= bytes.length - at - recordHeaderBytes ? header : undefined
}

/** The first header from `from` on whose number is greater than `seq`, also of a record that is torn. */
function laterHeader(bytes: Uint8Array, from: number, seq: number): (RecordHeader & { readonly at: number }) | undefined {
  for (let at = nextRecordMagic(bytes, from); at >= 0; at = nextRecordMagic(bytes, at + 1)) {
    const header = decodeRecordHeader(bytes, at)
    if (header && header.seq > seq) return { ...header, at }
  }
  return undefined
}

/**
 * Where the first record from `from` on starts that is numbered after `seq` and is one of the file's own. Documents may hold
 * files like this one, but their records end within the damaged record. So the file's own record is the one from which the
 * chain of records is longest.
 */
function nextRecord(bytes: Uint8Array, from: number, seq: number): number | undefined {
  let best: number | undefined
  let furthest = 0
  for (let at = nextRecordMagic(bytes, from); at >= 0; at = nextRecordMagic(bytes, at + 1)) {
    const header = wholeHeader(bytes, at)
    if (!header || header.seq <= seq) continue
    const end = chainEnd(bytes, at)
    if (end > furthest) {
      best = at
      furthest = end
    }
    if (end === bytes.length) return best
  }
  return best
}

/** Where the chain of records ends that starts at `at`. */
function chainEnd(bytes: Uint8Array, at: number): number {
  for (let seq = 0; at < bytes.length; ) {
    const header = wholeHeader(bytes, at)
    if (!header || (seq > 0 && header.seq !== seq + 1)) break
    at += recordHeaderBytes + header.length
    seq = header.seq
  }
  return at
}

const corrupt = (seq: number, why: string) => new Fault('corrupt', `batch ${seq}: ${why}`)
