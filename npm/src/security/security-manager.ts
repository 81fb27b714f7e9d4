import { checkCount, isBytes, takenOptions } from '../checks.js'
import { describe, invalid } from '../errors.js'
import { isWellFormed } from '../msgpack/writer.js'
import { fromBase64Url, toBase64Url } from './base64url.js'
import { FernetKey, refused } from './fernet.js'
import { bytes, libraries, webCrypto } from './web-crypto.js'
import { hashPassword, verifyPassword } from './password.js'

const keyBytes = 32
const saltBytes = 16
const defaultIterations = 480_000
const maxSaltBytes = 255
/** The most that options may ask for: 10,000,000 iterations took 19 s in Node 20 on a slow core. */
const mostIterations = 10_000_000
/** What stored bytes may ask for, unless options allow more: about 4 s. What is more has been tampered with. */
const defaultMaxIterations = 2_000_000
/** 64 MiB four times, about 1.5 s. */
const defaultMaxHashCost = 4 << 16
/** 1 GiB 64 times: minutes. */
const mostHashCost = 1 << 26

/** A function that returns the manager itself, also in a Proxy of it, which has no #private fields. */
const own = Symbol('own')

/** How a key is derived from the password. */
export interface Derivation {
  readonly salt: Uint8Array
  readonly iterations: number
}

/**
 * Encrypts with Fernet (AES-128-CBC and HMAC-SHA256), with a key that is derived
 * from a password or given, and hashes passwords. Python's `cryptography` reads
 * what it writes, and it reads what that writes.
 *
 * Neither the password nor the key is ever written anywhere.
 *
 * @example
 * ```js
 * const securityManager = await SecurityManager.create({ password })
 * const db = await AtomicDB.open('notes', { storage: new IndexedDBStorage('notes', { securityManager }) })
 * ```
 */
export class SecurityManager {
  /**
   * The salt of the key and of old password hashes. It is not secret. It is
   * empty if the key was given.
   */
  readonly salt: Uint8Array
  /** 0 if the key was given or is random. */
  readonly #iterations: number
  readonly #maxIterations: number
  readonly #maxHashCost: number
  readonly #password: string | undefined
  /** By salt and iterations. */
  readonly #keys = new Map<string, Promise<Uint8Array<ArrayBuffer>>>()
  readonly #fernets = new Map<string, Promise<FernetKey>>()

  declare private readonly [own]: () => SecurityManager

  private constructor(password: string | undefined, { salt, iterations }: Derivation, bounds: Bounds, key?: Uint8Array<ArrayBuffer>) {
    Object.defineProperty(this, own, { value: () => this })
    this.#password = password
    this.salt = salt
    this.#iterations = iterations
    this.#maxIterations = Math.max(iterations, bounds.maxIterations)
    this.#maxHashCost = bounds.maxHashCost
    if (key) this.#keys.set(nameOf(this.derivation()), Promise.resolve(key))
  }

  /**
   * @param options.password What the key is derived from. Default: a random key, which exportKey() returns.
   * @param options.salt Default: 16 random bytes. Databases contain their salt. Files of the *JSONStorage classes and
   * hashes of the Python library do not: keep `salt` for those.
   * @param options.iterations The rounds of PBKDF2-HMAC-SHA256. Default 480,000, 0.1 s with WebCrypto. Up to 10,000,000.
   * @param options.maxIterations The most that a stored database may ask for: its header says how its key was derived,
   * and whoever can write there must not decide how long opening takes. Default 2,000,000, or `iterations` if those are
   * more. Beyond it, opening is `decrypt`. Up to 10,000,000.
   * @param options.maxHashCost The most that a hash may cost in {@link verifyPassword}: its memory in KiB, times its
   * passes. Default 262,144: 64 MiB four times, about 1.5 s. Beyond it, the hash is `invalid`. Up to 67,108,864.
   */
  static async create(options: { password?: string; salt?: Uint8Array; iterations?: number; maxIterations?: number; maxHashCost?: number } = {}): Promise<SecurityManager> {
    options = takenOptions(options, ['password', 'salt', 'iterations', 'maxIterations', 'maxHashCost'])
    const bounds = boundsOf(options)
    const { password, salt = crypto.getRandomValues(new Uint8Array(saltBytes)), iterations = defaultIterations } = options
    if (password !== undefined && (typeof password !== 'string' || password === '')) {
      // The value may be a secret, so the error does not have it.
      throw invalid('options.password: expected a text that is not empty')
    }
    if (!isBytes(salt) || salt.length === 0 || salt.length > maxSaltBytes) {
      throw invalid(`options.salt: expected a Uint8Array of 1 to ${maxSaltBytes} bytes, not ${isBytes(salt) ? salt.length : describe(salt)}`)
    }
    checkCount('options.iterations', iterations, 1, mostIterations)
    if (password === undefined) return new SecurityManager(undefined, { salt: salt.slice(), iterations: 0 }, bounds, crypto.getRandomValues(new Uint8Array(keyBytes)))
    return new SecurityManager(password, { salt: salt.slice(), iterations }, bounds)
  }

  /**
   * Uses a given key.
   *
   * @param key A Fernet key: 32 bytes as url-safe base64.
   * @param options.maxHashCost See {@link create}.
   */
  static fromKey(key: string, options: { maxHashCost?: number } = {}): SecurityManager {
    const decoded = typeof key === 'string' ? fromBase64Url(key) : undefined
    if (decoded?.length !== keyBytes) throw invalid('key: expected 32 bytes as url-safe base64')
    return new SecurityManager(undefined, { salt: new Uint8Array(), iterations: 0 }, boundsOf(takenOptions(options, ['maxHashCost'])), decoded)
  }

  /** The key as url-safe base64, for {@link fromKey} and Python's Fernet. With it, anyone can read everything. */
  async exportKey(): Promise<string> {
    return toBase64Url(await this.keyOf(this.derivation()))
  }

  /** Encrypts `data`; a text is encoded as UTF-8. Returns a Fernet token: url-safe base64, as bytes. */
  async encrypt(data: Uint8Array | string): Promise<Uint8Array> {
    checkData('data', data)
    if (typeof data === 'string' && !isWellFormed(data)) throw invalid('data: the text holds a lone surrogate, half of a character, which UTF-8 cannot hold')
    const token = await (await this.fernet()).seal(typeof data === 'string' ? new TextEncoder().encode(data) : data)
    return new TextEncoder().encode(toBase64Url(token))
  }

  /**
   * Decrypts a token of {@link encrypt}.
   *
   * @throws decrypt if the password or key is another one, or the token has been changed.
   */
  async decrypt(token: Uint8Array | string): Promise<Uint8Array> {
    checkData('token', token)
    const decoded = fromBase64Url(typeof token === 'string' ? token : new TextDecoder('latin1').decode(token))
    if (!decoded) throw refused('a Fernet token is url-safe base64')
    return (await this.fernet()).open(decoded)
  }

  /** An argon2id hash of `password` with a random salt, in PHC string format. */
  async hashPassword(password: string): Promise<string> {
    if (typeof password !== 'string') throw invalid('password: expected a text')
    return hashPassword(password)
  }

  /**
   * Whether `hash` is the hash of `password`. The time it takes does not tell
   * how much of it agrees. It also takes the Python library's SHA-256 of the
   * password and `salt`, as hexadecimal digits.
   *
   * @throws invalid if `hash` is none, or costs more than `maxHashCost`.
   */
  async verifyPassword(password: string, hash: string): Promise<boolean> {
    if (typeof password !== 'string') throw invalid('password: expected a text')
    if (typeof hash !== 'string') throw invalid('hash: expected a text')
    const self = this[own]()
    return verifyPassword(password, hash, self.salt, self.#maxHashCost)
  }

  /** @internal How the key of new tokens is derived. A function, because Proxies wrap what a getter returns. */
  derivation(): Derivation {
    const self = this[own]()
    const { salt } = self
    const iterations = self.#iterations
    return { salt: iterations === 0 ? new Uint8Array() : salt, iterations }
  }

  /**
   * @internal The key of a derivation, by default that of new tokens.
   *
   * @throws decrypt if there is no password to derive it from.
   */
  fernet(derivation: Derivation = this.derivation()): Promise<FernetKey> {
    const name = nameOf(derivation)
    const fernets = this[own]().#fernets
    let fernet = fernets.get(name)
    if (!fernet) {
      fernet = this.keyOf(derivation).then((key) => new FernetKey(key))
      fernets.set(name, fernet)
      fernet.catch(() => fernets.delete(name))
    }
    return fernet
  }

  private async keyOf(derivation: Derivation): Promise<Uint8Array<ArrayBuffer>> {
    const name = nameOf(derivation)
    const self = this[own]()
    const known = self.#keys.get(name)
    if (known) return known
    if (self.#password === undefined) throw refused('the data was encrypted with a password, not with a key')
    if (derivation.iterations === 0) throw refused('the data was encrypted with a key, not with a password')
    if (derivation.iterations > self.#maxIterations) {
      throw refused(`the key would take ${derivation.iterations} iterations, more than the ${self.#maxIterations} that are allowed; if the data can be trusted, the option maxIterations of SecurityManager.create allows more`)
    }
    const derived = derive(self.#password, derivation)
    self.#keys.set(name, derived)
    derived.catch(() => self.#keys.delete(name))
    return derived
  }
}

/** Checks the argument. The value may be a secret, so the error does not have it. */
function checkData(name: string, data: unknown): void {
  if (typeof data !== 'string' && !isBytes(data)) throw invalid(`${name}: expected a Uint8Array or a text`)
}

/** What the bytes and hashes of others may ask for. */
interface Bounds {
  readonly maxIterations: number
  readonly maxHashCost: number
}

function boundsOf({ maxIterations = defaultMaxIterations, maxHashCost = defaultMaxHashCost }: Partial<Bounds>): Bounds {
  checkCount('options.maxIterations', maxIterations, 1, mostIterations)
  checkCount('options.maxHashCost', maxHashCost, 8, mostHashCost)
  return { maxIterations, maxHashCost }
}

/** @internal A text that is the same for the same derivation. */
export const nameOf = ({ salt, iterations }: Derivation) => `${iterations} ${salt.join()}`

async function derive(password: string, { salt, iterations }: Derivation): Promise<Uint8Array<ArrayBuffer>> {
  const secret = new TextEncoder().encode(password)
  const subtle = webCrypto()
  if (subtle) {
    try {
      const key = await subtle.importKey('raw', secret, 'PBKDF2', false, ['deriveBits'])
      return new Uint8Array(await subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: bytes(salt), iterations }, key, keyBytes * 8))
    } catch {
      // Cloudflare refuses more than 100,000 iterations.
    }
  }
  const { pbkdf2Async, sha256 } = await libraries()
  return bytes(await pbkdf2Async(sha256, secret, salt, { c: iterations, dkLen: keyBytes }))
}
