import { checkKnown } from '../checks.js'
import { describe, invalid } from '../errors.js'
import type { SealOptions } from './seal-options.js'
import { deflate, inflate } from './compress.js'
import { refused } from './fernet.js'
import { SecurityManager } from './security-manager.js'

/** What a file may hold when it is decompressed: more is taken for a trap. */
const maxUnpackedBytes = 512 << 20

/** Refuses options of packing that are wrong; `others` are the names of options that belong to somebody else. */
export function checkSealOptions(options: SealOptions, ...others: string[]): void {
  checkKnown(options, [...others, 'compressionLevel', 'securityManager'])
  const { compressionLevel, securityManager } = options
  if (compressionLevel !== undefined) checkLevel(compressionLevel, 0)
  if (securityManager !== undefined) checkManager('options.securityManager', securityManager)
}

/** Refuses what is no level of zlib. */
export function checkLevel(level: unknown, lowest: number): void {
  if (!Number.isInteger(level) || (level as number) < lowest || (level as number) > 9) {
    throw invalid(`options.compressionLevel: expected a whole number from ${lowest} to 9, not ${describe(level)}`)
  }
}

/** Refuses what is no SecurityManager; `what` says which argument it is. */
export function checkManager(what: string, manager: unknown): void {
  if (!(manager instanceof SecurityManager)) throw invalid(`${what}: expected a SecurityManager, not ${describe(manager)}`)
}

/** A file as the Python library packs it: compressed as zlib, and then a Fernet token. */
export async function packFile(content: Uint8Array, { compressionLevel = 0, securityManager }: SealOptions): Promise<Uint8Array> {
  const packed = compressionLevel > 0 ? await deflate(content, compressionLevel) : content
  return securityManager ? securityManager.encrypt(packed) : packed
}

/**
 * What {@link packFile} has packed, at whatever level, and what never was.
 *
 * @throws decrypt if the file is not encrypted under the manager's key, or is encrypted and there is no manager.
 */
export async function unpackFile(file: Uint8Array, securityManager: SecurityManager | undefined): Promise<Uint8Array> {
  let content = file
  if (securityManager) content = await securityManager.decrypt(file)
  else if (isToken(file)) throw refused('the file is encrypted: it needs the securityManager that it was written with')
  return isCompressed(content) ? inflate(content, maxUnpackedBytes) : content
}

/** A Fernet token begins with its version and four bytes of a time that are 0 until the year 2106. */
const isToken = (file: Uint8Array) => startsWith(file, 'gAAAA')

/** The header of zlib, which neither JSON nor a map of MessagePack begins with. */
export const isCompressed = (file: Uint8Array) => file[0] === 0x78 && ((file[0] << 8) | file[1]!) % 31 === 0

const startsWith = (file: Uint8Array, text: string) => [...text].every((character, n) => file[n] === character.charCodeAt(0))
