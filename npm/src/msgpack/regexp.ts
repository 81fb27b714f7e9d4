/**
 * A RegExp in RE2's syntax, which the engine uses: flags in front, \x{} for \u.
 * The engine refuses what RE2 lacks: look-around and back-references.
 */
export function patternOf({ source, flags }: RegExp): string {
  const known = flags.replace(/[^ims]/g, '')
  const escaped = source.replace(/\\(?:u([0-9a-fA-F]{4})|u(\{[0-9a-fA-F]+\})|[^])/g, (escape, hex?: string, braced?: string) => {
    return hex ? `\\x{${hex}}` : braced ? `\\x${braced}` : escape
  })
  return (known && `(?${known})`) + escaped
}
