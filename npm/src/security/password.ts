import { invalid } from '../errors.js'
import { sameBytes } from '../checks.js'
import { libraries } from './web-crypto.js'

/**
 * The costs of a new hash: OWASP's first choice for argon2id, in KiB, passes and threads. It takes about 0.2 s in V8 on
 * a slow core.
 */
const costs = { m: 19 << 10, t: 2, p: 1 }
const hashBytes = 32
const saltBytes = 16

/** The most threads that a hash from elsewhere may ask for. They cost little, because no two run at a time. */
const maxThreads = 16

/** An argon2id hash of `password` in the PHC string format: github.com/P-H-C/phc-string-format. */
export async function hashPassword(password: string): Promise<string> {
  const { argon2idAsync } = await libraries()
  const salt = crypto.getRandomValues(new Uint8Array(saltBytes))
  const hash = await argon2idAsync(password, salt, { ...costs, dkLen: hashBytes })
  return `$argon2id$v=19$m=${costs.m},t=${costs.t},p=${costs.p}$${base64(salt)}$${base64(hash)}`
}

/**
 * Whether `hash` is the hash of `password`: argon2id, or the SHA-256 of the password and `salt` that the Python library
 * wrote.
 *
 * @param maxCost The most that argon2id may cost: KiB times passes.
 */
export async function verifyPassword(password: string, hash: string, salt: Uint8Array, maxCost: number): Promise<boolean> {
  const { argon2idAsync, sha256 } = await libraries()
  if (/^[\da-f]{64}$/i.test(hash)) {
    const digest = sha256.create().update(new TextEncoder().encode(password)).update(salt).digest()
    return sameBytes(digest, Uint8Array.from(hash.match(/../g)!, (pair) => parseInt(pair, 16)))
  }
  const { salt: own, hash: expected, ...found } = parsePHC(hash, maxCost)
  return sameBytes(await argon2idAsync(password, own, { ...found, dkLen: expected.length }), expected)
}

function parsePHC(text: string, maxCost: number) {
  const [, m, t, p, salt, hash] = /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$([A-Za-z\d+/]{11,86})\$([A-Za-z\d+/]{22,86})$/.exec(text) ?? []
  if (!hash) throw invalid('hash: expected $argon2id$v=19$m=…,t=…,p=…$salt$hash or 64 hexadecimal digits')
  const found = { m: Number(m), t: Number(t), p: Number(p) }
  if (found.t < 1 || found.p < 1 || found.p > maxThreads || found.m < 8 * found.p) {
    throw invalid(`hash: expected costs of m=8,t=1,p=1 or more, with p up to ${maxThreads} and m from 8 times p, not m=${found.m},t=${found.t},p=${found.p}`)
  }
  if (found.m * found.t > maxCost) {
    throw invalid(`hash: m=${found.m} KiB times t=${found.t} passes cost more than ${maxCost}; the option maxHashCost of the SecurityManager allows more`)
  }
  try {
    return { ...found, salt: unbase64(salt!), hash: unbase64(hash) }
  } catch {
    throw invalid('hash: the salt or the hash in it is not base64')
  }
}

const base64 = (data: Uint8Array) => btoa(String.fromCharCode(...data)).replace(/=+$/, '')
const unbase64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
