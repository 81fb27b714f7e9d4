import { checkCount, isA, takenOptions } from '../checks.js'
import { describe, invalid } from '../errors.js'
import type { SealOptions } from './seal-options.js'
import { deflate, inflate, maxUnpacked } from './compress.js'
import { refused } from './fernet.js'
import { SecurityManager } from './security-manager.js'

/** A checked copy of the options of packing. `others` are the names of options that are allowed and checked elsewhere. */
export function takenSealOptions<O extends SealOptions>(given: O, ...others: (keyof O & string)[]): O {
  const options = takenOptions<O>(given, [...others, 'compressionLevel', 'securityManager', 'maxUnpackedBytes'])
  const { compressionLevel, securityManager, maxUnpackedBytes } = options
  if (maxUnpackedBytes !== undefined) checkCount('options.maxUnpackedBytes', maxUnpackedBytes, 1, 2 ** 32)
  if (compressionLevel !== undefined) checkLevel(compressionLevel, 0)
  if (securityManager !== undefined) checkManager('options.securityManager', securityManager)
  return options
}

/** Checks that `level` is a zlib level from `lowest` to 9. */
export function checkLevel(level: unknown, lowest: number): void {
  if (!Number.isInteger(level) || (level as number) < lowest || (level as number) > 9) {
    throw invalid(`options.compressionLevel: expected a whole number from ${lowest} to 9, not ${describe(level)}`)
  }
}

/** Checks that `manager` is a SecurityManager. `what` names the argument in the error. */
export function checkManager(what: string, manager: unknown): void {
  if (!isA(what, manager, SecurityManager)) throw invalid(`${what}: expected a SecurityManager, not ${describe(manager)}`)
}

/** Packs a file as the Python library does: compressed with zlib, and then encrypted as a Fernet token. */
export async function packFile(content: Uint8Array, options: SealOptions): Promise<Uint8Array> {
  const { securityManager } = options
  const packed = (await compressed(content, options)) ?? content
  return securityManager ? securityManager.encrypt(packed) : packed
}

/** `content` at the level that the options ask for; undefined for level 0, and if reading would refuse the result. */
export async function compressed(content: Uint8Array, { compressionLevel = 0, maxUnpackedBytes }: SealOptions): Promise<Uint8Array | undefined> {
  if (compressionLevel === 0) return undefined
  const packed = await deflate(content, compressionLevel)
  return content.length > maxUnpacked(packed.length, maxUnpackedBytes) ? undefined : packed
}

/**
 * The content of a file that {@link packFile} has packed at any level, or that was never packed.
 *
 * @throws decrypt if the file is not encrypted with the manager's key, or if it is encrypted and there is no manager;
 * corrupt if it is more than maxUnpackedBytes when it is decompressed.
 */
export async function unpackFile(file: Uint8Array, { securityManager, maxUnpackedBytes }: SealOptions): Promise<Uint8Array> {
  let content = file
  if (securityManager) content = await securityManager.decrypt(file)
  else if (isToken(file)) throw refused('the file is encrypted: opening it needs the securityManager that it was written with')
  return isCompressed(content) ? inflate(content, maxUnpacked(content.length, maxUnpackedBytes)) : content
}

/** A Fernet token begins with a version and a time, whose first four bytes are 0 until the year 2106. */
const isToken = (file: Uint8Array) => startsWith(file, 'gAAAA')

/** Whether a file begins with a zlib header. Neither JSON nor a MessagePack map does. */
export const isCompressed = (file: Uint8Array) => file[0] === 0x78 && ((file[0] << 8) | file[1]!) % 31 === 0

const startsWith = (file: Uint8Array, text: string) => [...text].every((character, n) => file[n] === character.charCodeAt(0))
