/*! fflate - MIT License (c) 2026 Arjun Barrett, github.com/101arrowz/fflate */
// What WebCrypto and CompressionStream lack, or hosts without them: loaded when it is first needed, since it is as large
// as half of the rest. Go's packages instead were measured as js/wasm, compressed with brotli: 90 kB for AES, HMAC and
// PBKDF2, which takes 930 ms for 480,000 iterations (here 667 ms), 144 kB for zlib, and 13 kB for argon2, which is
// faster (69 ms, here 175 to 215), but would need the engine for hashing a password.
export { cbc } from '@noble/ciphers/aes.js'
export { argon2idAsync } from '@noble/hashes/argon2.js'
export { hmac } from '@noble/hashes/hmac.js'
export { pbkdf2Async } from '@noble/hashes/pbkdf2.js'
export { sha256 } from '@noble/hashes/sha2.js'
export { Unzlib, zlibSync } from 'fflate'
