/** Whether two values that a decoder has read are the same, in all that can be seen of them: also in the order of fields. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && sameElements(a, b)
  if (Array.isArray(b)) return false
  if (a instanceof Date) return b instanceof Date && Object.is(a.getTime(), b.getTime())
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameElements(a, b)
  if (b instanceof Date || b instanceof Uint8Array) return false
  return sameFields(a as Fields, b as Fields)
}

type Fields = Record<string, unknown>

function sameElements(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false
  return true
}

function sameFields(a: Fields, b: Fields): boolean {
  const names = Object.keys(a)
  const others = Object.keys(b)
  if (names.length !== others.length) return false
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!
    if (name !== others[i] || !same(a[name], b[name])) return false
  }
  return true
}
