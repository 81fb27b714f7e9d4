/** How many bytes of a record {@link isForeign} looks at. */
export const headBytes = 48

/** Of an identity. */
export const identityBytes = 16

// A frame and an envelope begin with a magic and the version, 2; the identity has a place in each. See
// storage/FORMAT.md.
const places = [
  { start: [0x41, 0x74, 0x44, 0x42, 2], at: 16, size: headBytes }, // AtDB
  { start: [0x41, 0x74, 0x44, 0x53, 2], at: 20, size: 36 }, // AtDS
]

/** The identity of a new database. */
export const newIdentity = () => crypto.getRandomValues(new Uint8Array(identityBytes))

/** The identity of the database in a record, or in the first bytes of one. Undefined if it has none. */
export function identityOf(record: Uint8Array): Uint8Array | undefined {
  const place = places.find(({ start, size }) => record.length >= size && start.every((byte, n) => record[n] === byte))
  const identity = place && record.subarray(place.at, place.at + identityBytes)
  return identity?.some((byte) => byte !== 0) ? identity : undefined
}

/**
 * Whether two records are of two databases. A storage asks it before it puts `bytes` behind `held`, or in its place:
 * somebody may have deleted the data of a database that is open, and created other data.
 */
export function isForeign(held: Uint8Array | undefined, bytes: Uint8Array): boolean {
  const own = identityOf(bytes)
  const there = own && held && identityOf(held)
  return there !== undefined && there.some((byte, n) => byte !== own![n])
}
