import { headBytes } from './identity.js'

// A file begins with the length and a checksum of its bytes, because a crash can leave it half written.
const atLength = 4
const atCheck = 8
const headerBytes = 12
const magic = 0x41744446 // AtDF

/** Writes a file that {@link checked} reads. If that fails, it removes the file. */
export async function writeChecked(folder: FileSystemDirectoryHandle, name: string, bytes: Uint8Array, durability: 'relaxed' | 'strict'): Promise<void> {
  const content = new Uint8Array(headerBytes + bytes.length)
  const view = new DataView(content.buffer)
  view.setUint32(0, magic)
  view.setUint32(atLength, bytes.length)
  view.setUint32(atCheck, checkOf(bytes))
  content.set(bytes, headerBytes)
  const file = await folder.getFileHandle(name, { create: true })
  try {
    await write(file, content, durability)
  } catch (error) {
    await folder.removeEntry(name).catch(() => {})
    throw error
  }
}

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

async function write(file: FileSystemFileHandle & { createSyncAccessHandle?(): Promise<SyncFile> }, content: Uint8Array<ArrayBuffer>, durability: 'relaxed' | 'strict'): Promise<void> {
  if (!file.createSyncAccessHandle) {
    const stream = await file.createWritable()
    await stream.write(content).catch(async (error: unknown) => {
      throw await whyRefused(file, content.length, error)
    })
    return stream.close() // which replaces the file in one step
  }
  const open = await file.createSyncAccessHandle()
  try {
    open.truncate(0)
    for (let at = 0; at < content.length; ) {
      const left = content.subarray(at)
      const written = open.write(left, { at })
      if (written === 0 || written === noSpace) throw new DOMException('the file cannot grow', 'QuotaExceededError')
      if (written > left.length) throw new Error(`the file cannot be written: ${written | 0}`)
      at += written
    }
    if (open.getSize() !== content.length) throw new Error(`the file has ${open.getSize()} bytes instead of ${content.length}`)
    if (durability === 'strict') open.flush()
  } finally {
    open.close()
  }
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

/** What {@link writeChecked} has written; undefined if it has not finished. */
export async function checked(folder: FileSystemDirectoryHandle, name: string): Promise<Uint8Array | undefined> {
  const content = await contentOf(folder, name)
  if (content.byteLength < headerBytes) return undefined
  const view = new DataView(content)
  const bytes = new Uint8Array(content, headerBytes)
  const isWhole = view.getUint32(0) === magic && view.getUint32(atLength) === bytes.length && view.getUint32(atCheck) === checkOf(bytes)
  return isWhole ? bytes : undefined
}

/** The first of the bytes in a file, whatever they are. */
export async function headOf(file: FileSystemFileHandle): Promise<Uint8Array> {
  return new Uint8Array(await (await file.getFile()).slice(headerBytes, headerBytes + headBytes).arrayBuffer())
}

/** The bytes in a file, whatever they are. */
export async function unchecked(folder: FileSystemDirectoryHandle, name: string): Promise<Uint8Array> {
  return new Uint8Array(await contentOf(folder, name)).subarray(headerBytes)
}

const contentOf = async (folder: FileSystemDirectoryHandle, name: string) => (await (await folder.getFileHandle(name)).getFile()).arrayBuffer()

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
