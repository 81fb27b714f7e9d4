import { headBytes } from './identity.js'

// A file holds records, one after the other. Each begins with the length and a checksum of its bytes, because a crash can
// leave the last one half written.
const atLength = 4
const atCheck = 8
const headerBytes = 12
const magic = 0x41744446 // AtDF

/** What is longer has one record alone: the end of a run can be found without reading much. */
const maxRunBytes = 1 << 20

/** Writes a file of one record. If that fails, it removes the file. */
export async function writeChecked(folder: FileSystemDirectoryHandle, name: string, bytes: Uint8Array, durability: Durability): Promise<void> {
  const open = await begin(folder, name, bytes, durability)
  open?.close()
}

/**
 * As {@link writeChecked}, and leaves the file open, for {@link OpenFile.append}. Undefined where there is no synchronous
 * access.
 */
export async function begin(folder: FileSystemDirectoryHandle, name: string, bytes: Uint8Array, durability: Durability): Promise<OpenFile | undefined> {
  const file: FileSystemFileHandle & { createSyncAccessHandle?(): Promise<SyncFile> } = await folder.getFileHandle(name, { create: true })
  let open: OpenFile | undefined
  try {
    if (!file.createSyncAccessHandle) await write(file, recordOf(bytes))
    else {
      open = new OpenFile(await file.createSyncAccessHandle())
      open.append(bytes, durability)
    }
    return open
  } catch (error) {
    open?.close()
    await folder.removeEntry(name).catch(() => {})
    throw error
  }
}

type Durability = 'relaxed' | 'strict'

/** Only dedicated workers have this; TypeScript keeps its types apart from those of pages. */
interface SyncFile {
  write(content: Uint8Array, options: { at: number }): number
  getSize(): number
  truncate(length: number): void
  flush(): void
  close(): void
}

/**
 * What write() returns in Chromium 156, instead of throwing, when the disk is full: its error -8 as an unsigned number.
 * Some of the bytes are written then.
 */
const noSpace = 2 ** 32 - 8

/** A file that a dedicated worker has open, so that nobody else can. It is written from the start. */
export class OpenFile {
  /** How many bytes it has. */
  length = 0

  constructor(private readonly file: SyncFile) {}

  /** Whether another record may follow. */
  hasRoomFor(bytes: Uint8Array): boolean {
    return this.length + headerBytes + bytes.length <= maxRunBytes
  }

  /** Appends a record. If that fails, none of it stays. */
  append(bytes: Uint8Array, durability: Durability): void {
    const { file, length } = this
    const record = recordOf(bytes)
    try {
      if (length === 0) file.truncate(0)
      for (let at = 0; at < record.length; ) {
        const left = record.subarray(at)
        const written = file.write(left, { at: length + at })
        if (written === 0 || written === noSpace) throw new DOMException('the file cannot grow', 'QuotaExceededError')
        if (written > left.length) throw new Error(`the file cannot be written: ${written | 0}`)
        at += written
      }
      const size = file.getSize()
      if (size !== length + record.length) throw new Error(`the file has ${size} bytes instead of ${length + record.length}`)
      if (durability === 'strict') file.flush()
      this.length = size
    } catch (error) {
      try {
        file.truncate(length)
      } catch {
        // What is left of the record fails its check, or the next record follows it in a file of its own.
      }
      throw error
    }
  }

  close(): void {
    this.file.close()
  }
}

async function write(file: FileSystemFileHandle, content: Uint8Array<ArrayBuffer>): Promise<void> {
  const stream = await file.createWritable()
  await stream.write(content).catch(async (error: unknown) => {
    throw await whyRefused(file, content.length, error)
  })
  await stream.close() // which replaces the file in one step
}

/**
 * Why a file could not be written. When the disk is full, the error of Chromium
 * 156 is sometimes only that it "failed to write data to data pipe" (4 times of
 * 12). Asked for the room alone, it always says that the disk is full.
 */
async function whyRefused(file: FileSystemFileHandle, length: number, error: unknown): Promise<unknown> {
  if ((error as DOMException).name === 'QuotaExceededError') return error
  try {
    const stream = await file.createWritable()
    await stream.truncate(length)
    await stream.abort()
  } catch (refusal) {
    if ((refusal as DOMException).name === 'QuotaExceededError') return refusal
  }
  return error
}

function recordOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(headerBytes + bytes.length)
  const view = new DataView(record.buffer)
  view.setUint32(0, magic)
  view.setUint32(atLength, bytes.length)
  view.setUint32(atCheck, checkOf(bytes))
  record.set(bytes, headerBytes)
  return record
}

/** A record of a file, or what damage has left of one. */
export interface Part {
  readonly bytes: Uint8Array
  readonly isWhole: boolean
}

/** Reads all records of a file. The last one may never have been finished. */
export async function partsOf(file: FileSystemFileHandle): Promise<Part[]> {
  const content = new Uint8Array(await (await file.getFile()).arrayBuffer())
  const parts: Part[] = []
  for (let at = 0; at < content.length; ) {
    const record = recordAt(content, at)
    const next = record ? at + headerBytes + record.length : nextRecord(content, at + 1)
    parts.push({ bytes: record ?? content.subarray(at + headerBytes, next), isWhole: record !== undefined })
    at = next
  }
  return parts
}

/** The parts without the last one, if that is not whole. */
export const withoutTail = (parts: Part[]) => (parts.at(-1)?.isWhole === false ? parts.slice(0, -1) : parts)

/** Where the first whole record from `at` on begins: damage can hide how long a record is. */
function nextRecord(content: Uint8Array, at: number): number {
  for (; at < content.length; at++) if (content[at] === magic >>> 24 && recordAt(content, at)) return at
  return content.length
}

/** The bytes of the record at `at`; undefined if there is no whole one. */
function recordAt(content: Uint8Array, at: number): Uint8Array | undefined {
  if (content.length - at < headerBytes) return undefined
  const view = new DataView(content.buffer, at)
  const start = at + headerBytes
  const length = view.getUint32(atLength)
  if (view.getUint32(0) !== magic || length > content.length - start) return undefined
  const bytes = content.subarray(start, start + length)
  return view.getUint32(atCheck) === checkOf(bytes) ? bytes : undefined
}

/** How many records a file has, and the first bytes of the last one. */
export async function lastOf(file: FileSystemFileHandle): Promise<{ count: number; head: Uint8Array }> {
  const { size } = await file.getFile()
  if (size > maxRunBytes) return { count: 1, head: await headOf(file) }
  const parts = withoutTail(await partsOf(file))
  return { count: parts.length, head: parts.at(-1)?.bytes.slice(0, headBytes) ?? new Uint8Array() }
}

/** The first bytes of the first record of a file, whatever they are. */
export async function headOf(file: FileSystemFileHandle): Promise<Uint8Array> {
  return new Uint8Array(await (await file.getFile()).slice(headerBytes, headerBytes + headBytes).arrayBuffer())
}

/**
 * FNV-1a (RFC 9923), but of four bytes at a time. It is enough to detect an unfinished file; frames have a checksum of
 * their own.
 */
function checkOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  let n = 0
  for (; n + 4 <= bytes.length; n += 4) {
    hash = Math.imul(hash ^ (bytes[n]! | (bytes[n + 1]! << 8) | (bytes[n + 2]! << 16) | (bytes[n + 3]! << 24)), 0x01000193)
    hash ^= hash >>> 15 // so that high bits reach low ones
  }
  for (; n < bytes.length; n++) hash = Math.imul(hash ^ bytes[n]!, 0x01000193)
  return hash >>> 0
}
