/*! fflate - MIT License (c) 2026 Arjun Barrett, github.com/101arrowz/fflate */
// What WebCrypto and CompressionStream lack, and what replaces them in hosts without them. It is loaded when it is
// first
// needed, because it is half as large as the rest.
//
// Go's packages were measured as js/wasm, compressed with brotli. AES, HMAC and PBKDF2 take 90 kB, and 930 ms for
// 480,000
// iterations (here 667 ms); zlib takes 144 kB. argon2 takes 13 kB and is faster (69 ms, here 175 to 215), but hashing a
// password would then need the engine.
export { cbc } from '@noble/ciphers/aes.js'
export { argon2idAsync } from '@noble/hashes/argon2.js'
export { hmac } from '@noble/hashes/hmac.js'
export { pbkdf2Async } from '@noble/hashes/pbkdf2.js'
export { sha256 } from '@noble/hashes/sha2.js'
export { Unzlib, zlibSync } from 'fflate'
