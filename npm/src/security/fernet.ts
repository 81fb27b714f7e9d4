import { sameBytes } from '../checks.js'
import { AtomicDBError } from '../errors.js'
import { bytes, libraries, webCrypto } from './web-crypto.js'

// A token, before base64: version, seconds since 1970, IV, AES-128-CBC of the data with PKCS #7 padding, and the
// HMAC-SHA256 of all that. https://github.com/fernet/spec/blob/master/Spec.md
const version = 0x80
const atTime = 1
const atIV = 9
const atCiphertext = 25
const macBytes = 32
const blockBytes = 16

/**
 * A Fernet key of 32 bytes: the first half signs and the second encrypts. It
 * uses WebCrypto, or JavaScript where there is none, as in pages that are served
 * without https.
 */
export class FernetKey {
  readonly #bytes: Uint8Array<ArrayBuffer>
  #imported: Promise<{ sign: CryptoKey; encrypt: CryptoKey }> | undefined

  /** @param key 32 bytes, which are borrowed. */
  constructor(key: Uint8Array<ArrayBuffer>) {
    this.#bytes = key
  }

  /**
   * A token of `data`, made at `seconds` since 1970.
   *
   * @param header Bytes to put before the token, which are signed with it. With a header, the token is no Fernet token
   * by itself.
   */
  async seal(data: Uint8Array, seconds = Math.floor(Date.now() / 1000), iv = crypto.getRandomValues(new Uint8Array(blockBytes)), header = new Uint8Array()): Promise<Uint8Array<ArrayBuffer>> {
    const ciphertext = await this.encrypt(data, iv)
    const sealed = new Uint8Array(header.length + atCiphertext + ciphertext.length + macBytes)
    sealed.set(header)
    const token = sealed.subarray(header.length)
    token[0] = version
    new DataView(sealed.buffer).setBigUint64(header.length + atTime, BigInt(seconds))
    token.set(iv, atIV)
    token.set(ciphertext, atCiphertext)
    sealed.set(await this.sign(sealed.subarray(0, -macBytes)), sealed.length - macBytes)
    return sealed
  }

  /**
   * The data of a token, however old it is.
   *
   * @param header Bytes before the token that were signed with it.
   * @throws decrypt if the key is another one or a byte has been changed.
   */
  async open(sealed: Uint8Array, header = 0): Promise<Uint8Array<ArrayBuffer>> {
    const token = sealed.subarray(header)
    const signed = token.length - macBytes
    if (signed < atCiphertext + blockBytes || (signed - atCiphertext) % blockBytes !== 0 || token[0] !== version) {
      throw refused('these bytes are not encrypted, or have been changed')
    }
    if (!(await this.verify(token.subarray(signed), sealed.subarray(0, -macBytes)))) {
      throw refused('the password or key is another one, or bytes have been changed')
    }
    try {
      return await this.decrypt(token.subarray(atCiphertext, signed), token.subarray(atIV, atCiphertext))
    } catch (cause) {
      throw refused('the padding of the token is wrong', cause)
    }
  }

  private async sign(data: Uint8Array): Promise<Uint8Array> {
    const subtle = webCrypto()
    if (subtle) return new Uint8Array(await subtle.sign('HMAC', (await this.keys(subtle)).sign, bytes(data)))
    const { hmac, sha256 } = await libraries()
    return hmac(sha256, this.#bytes.subarray(0, 16), data)
  }

  private async verify(mac: Uint8Array, data: Uint8Array): Promise<boolean> {
    const subtle = webCrypto()
    if (subtle) return subtle.verify('HMAC', (await this.keys(subtle)).sign, bytes(mac), bytes(data))
    return sameBytes(mac, await this.sign(data))
  }

  private async encrypt(data: Uint8Array, iv: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const subtle = webCrypto()
    if (subtle) return new Uint8Array(await subtle.encrypt({ name: 'AES-CBC', iv }, (await this.keys(subtle)).encrypt, bytes(data)))
    return (await libraries()).cbc(this.#bytes.subarray(16), iv).encrypt(data)
  }

  private async decrypt(ciphertext: Uint8Array, iv: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const subtle = webCrypto()
    if (subtle) return new Uint8Array(await subtle.decrypt({ name: 'AES-CBC', iv: bytes(iv) }, (await this.keys(subtle)).encrypt, bytes(ciphertext)))
    return bytes((await libraries()).cbc(this.#bytes.subarray(16), iv).decrypt(ciphertext))
  }

  private keys(subtle: SubtleCrypto): Promise<{ sign: CryptoKey; encrypt: CryptoKey }> {
    const key = (half: Uint8Array<ArrayBuffer>, algorithm: HmacImportParams | AesKeyAlgorithm, ...usages: KeyUsage[]) => subtle.importKey('raw', half, algorithm, false, usages)
    return (this.#imported ??= Promise.all([
      key(this.#bytes.subarray(0, 16), { name: 'HMAC', hash: 'SHA-256' }, 'sign', 'verify'),
      key(this.#bytes.subarray(16), { name: 'AES-CBC', length: 128 }, 'encrypt', 'decrypt'),
    ]).then(([sign, encrypt]) => ({ sign, encrypt })))
  }
}

/** @internal The error for data that cannot be decrypted. */
export function refused(message: string, cause?: unknown): AtomicDBError {
  return new AtomicDBError('decrypt', message, { cause })
}
