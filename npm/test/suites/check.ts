// Assertions that also run in a page, where node:assert does not.

/** Fails unless `found` is what was expected: the same values, types and order of elements; fields in any order. */
export function equal(found: unknown, expected: unknown, what = 'value'): void {
  const difference = differenceOf(found, expected, what)
  if (difference) throw new Error(difference)
}

export function ok(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what)
}

/** Fails unless `work` rejects, without throwing at once, with an AtomicDBError of that code; returns its message. */
export async function rejects(code: string, work: () => Promise<unknown>, message?: RegExp): Promise<string> {
  let promise: Promise<unknown>
  try {
    promise = work()
  } catch (error) {
    throw new Error(`threw instead of rejecting: ${error}`)
  }
  const error = await promise.then(
    (value) => {
      throw new Error(`resolved to ${show(value)}, expected ${code}`)
    },
    (error: unknown) => error as Error & { code?: string },
  )
  return checkError(error, code, message)
}

/** As rejects, for what throws at once. */
export function throws(code: string, work: () => unknown, message?: RegExp): string {
  try {
    work()
  } catch (error) {
    return checkError(error as Error, code, message)
  }
  throw new Error(`did not throw, expected ${code}`)
}

function checkError(error: Error & { code?: string }, code: string, message?: RegExp): string {
  if (error.name !== 'AtomicDBError' || error.code !== code) throw new Error(`failed with ${error.name} ${error.code}, expected ${code}: ${error.stack}`)
  if (error.message.includes(`${code}: `)) throw new Error(`the message repeats the code ${code}: ${error.message}`)
  if (message && !message.test(error.message)) throw new Error(`the message is ${JSON.stringify(error.message)}, expected ${message}`)
  return error.message
}

function differenceOf(found: unknown, expected: unknown, path: string): string | undefined {
  if (Object.is(found, expected)) return undefined
  const different = `${path} is ${show(found)}, expected ${show(expected)}`
  if (typeof found !== 'object' || typeof expected !== 'object' || !found || !expected) return different
  if (kindOf(found) !== kindOf(expected)) return different
  if (expected instanceof Date) return Object.is(Number(found), Number(expected)) ? undefined : different
  if (expected instanceof Uint8Array) return String(found) === String(expected) ? undefined : different
  const [a, b] = [found, expected] as [Record<string, unknown>, Record<string, unknown>]
  if (Object.keys(a).length !== Object.keys(b).length) return different
  for (const key of Object.keys(b)) {
    if (!Object.hasOwn(a, key)) return different
    const inside = differenceOf(a[key], b[key], `${path}.${key}`)
    if (inside) return inside
  }
  return undefined
}

function kindOf(value: object): string {
  return Array.isArray(value) ? 'array' : value instanceof Date ? 'date' : value instanceof Uint8Array ? 'bytes' : 'object'
}

function show(value: unknown): string {
  if (value === undefined || typeof value === 'bigint' || typeof value === 'number') return `${typeof value} ${value}`
  const text = JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v)) ?? String(value)
  return text.length > 500 ? `${text.slice(0, 499)}…` : text
}

/** Waits for what is stored elsewhere to arrive. */
export async function until(holds: () => Promise<boolean>, claim: string): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    ok(tries < 1000, `not so after 1,000 tries: ${claim}`)
    await new Promise((resolve) => setTimeout(resolve))
  }
}
