/** A value as JSON, with MongoDB's Extended JSON for what JSON lacks; see storage/FORMAT.md. */
export function extended(value: unknown): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'number':
      return Number.isFinite(value) ? (Object.is(value, -0) ? '-0.0' : JSON.stringify(value)) : `{"$numberDouble":"${value}"}`
    case 'bigint':
      return String(value)
    case 'object':
      break
    default:
      return 'null'
  }
  if (value === null) return 'null'
  if (value instanceof Date) return `{"$date":${JSON.stringify(value)}}`
  if (value instanceof Uint8Array) return `{"$binary":{"base64":"${base64(value)}","subType":"00"}}`
  if (Array.isArray(value)) return `[${value.map(extended).join(',')}]`
  const names = Object.keys(value)
  const object = `{${names.map((name) => `${JSON.stringify(name)}:${extended((value as Record<string, unknown>)[name])}`).join(',')}}`
  return special.has(names[0] ?? '') ? `{"$literal":${object}}` : object
}

/** The first fields by which an object is read as another value. */
const special = new Set(['$date', '$binary', '$numberDouble', '$literal'])

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += 0x8000) text += String.fromCharCode(...bytes.subarray(start, start + 0x8000))
  return btoa(text)
}

/** The fields of a document by path, those of objects in it too, as text. */
export function flat(document: object, into: Record<string, string> = Object.create(null) as Record<string, string>, before = ''): Record<string, string> {
  for (const [name, value] of Object.entries(document) as [string, unknown][]) {
    const isObject = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
    if (isObject) flat(value, into, `${before}${name}.`)
    else into[before + name] = value instanceof Date ? value.toISOString() : typeof value === 'string' ? value : value === null || value === undefined ? '' : extended(value)
  }
  return into
}
