const { get: sourceOf } = Object.getOwnPropertyDescriptor(RegExp.prototype, 'source')!
const { get: flagsOf } = Object.getOwnPropertyDescriptor(RegExp.prototype, 'flags')!

/** Whether `value` is a RegExp, also of another realm, such as a frame, and not an object that calls itself one. */
export function isRegExp(value: unknown): value is RegExp {
  if (Object.prototype.toString.call(value) !== '[object RegExp]') return false
  try {
    sourceOf!.call(value)
    return true
  } catch {
    return false
  }
}

/**
 * A RegExp in RE2's syntax, which the engine uses: flags in front, \x{} for \u.
 * The engine refuses what RE2 lacks: look-around and back-references.
 */
export function patternOf(regexp: RegExp): string {
  const source = sourceOf!.call(regexp) as string // its own properties of these names may be anything
  const known = (flagsOf!.call(regexp) as string).replace(/[^ims]/g, '')
  const escaped = source.replace(/\\(?:u([0-9a-fA-F]{4})|u(\{[0-9a-fA-F]+\})|[^])/g, (escape, hex?: string, braced?: string) => {
    return hex ? `\\x{${hex}}` : braced ? `\\x${braced}` : escape
  })
  return (known && `(?${known})`) + escaped
}
