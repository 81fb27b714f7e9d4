/** How the page writes numbers, times and documents. */

/** 171075 → "171,075". */
export const count = number => number.toLocaleString('en')

/** "1 city", "20 cities". */
export const cities = number => `${count(number)} ${number === 1 ? 'city' : 'cities'}`

/** Milliseconds with the digits that mean something: "0.31 ms", "12 ms", "1.4 s". */
export function time(millis) {
  if (millis < 0.01) return '<0.01 ms'
  if (millis < 10) return `${millis.toFixed(2)} ms`
  if (millis < 1000) return `${Math.round(millis)} ms`
  return `${(millis / 1000).toFixed(1)} s`
}

/** Runs an asynchronous call. Resolves to [its result, its wall time in milliseconds]. */
export async function timed(work) {
  const start = performance.now()
  const result = await work()
  return [result, performance.now() - start]
}

/** A value as one line of JavaScript. Keys have quotes only where JavaScript needs them. */
export function source(value) {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map(source).join(', ')}]`
  if (value === null || typeof value !== 'object') return String(value)
  const fields = Object.entries(value).map(([key, field]) => `${/^[\w$]+$/.test(key) ? key : quoted(key)}: ${source(field)}`)
  return fields.length ? `{ ${fields.join(', ')} }` : '{}'
}

/** A JavaScript string literal, in quotes that need no escapes where that is possible. */
function quoted(text) {
  if (!/['\\\n]/.test(text)) return `'${text}'`
  if (!/["\\\n]/.test(text)) return `"${text}"`
  return JSON.stringify(text)
}
