import type { Calls } from '../connection/calls.js'
import { encoding } from '../msgpack/encode.js'
import { describe, invalid, readingError } from '../errors.js'
import { Op } from '../engine/ops.js'
import { isMap } from '../query/paths.js'
import { isWriting } from './writing-sql.js'

/** A statement and its parameters, as the engine reads them. */
interface Request {
  readonly input: Uint8Array
  readonly writes: boolean
}

/** Runs an SQL statement, or several, given as text and parameters or as a tagged template. */
export function sql(calls: Calls, text: unknown, params: readonly unknown[]): Promise<any[]> {
  let request: Request
  try {
    // Read once, now: a write may run several times, and a read may have to wait.
    request = isTemplate(text) ? ofTemplate(text, params) : ofText(text, params[0])
  } catch (error) {
    return Promise.reject(readingError('params', error) as Error)
  }
  const { input, writes } = request
  if (writes) return calls.write(() => (engine) => engine.rows(Op.sqlWrite, input))
  return calls.read((engine) => engine.cachedRows(Op.sql, input))
}

/** The arguments of Op.sql for a statement that changes nothing. */
export function selecting(text: unknown, params: readonly unknown[]): Uint8Array {
  let request: Request
  try {
    request = isTemplate(text) ? ofTemplate(text, params) : ofText(text, params[0])
  } catch (error) {
    throw readingError('params', error)
  }
  if (request.writes) throw invalid('liveSql: expected a SELECT; a statement that changes something has no result that could be kept current')
  return request.input
}

function ofTemplate(strings: readonly (string | undefined)[], values: readonly unknown[]): Request {
  for (const [i, string] of strings.entries()) {
    if (string === undefined) throw invalid(`sql: the text ${i === 0 ? 'before the first value' : `after value ${i}`} has a backslash that starts no escape; write \\\\ for one`)
  }
  for (const [i, value] of values.entries()) {
    if (value === undefined) throw invalid(`sql: value ${i + 1}, after ${describe(tail(strings[i]!))}, is undefined`)
  }
  return requestOf(strings.join('?'), values)
}

/** The end of a text, by which the reader finds the place. */
function tail(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  return line.length > 30 ? `…${line.slice(-29)}` : line
}

function ofText(text: unknown, params: unknown): Request {
  if (typeof text !== 'string') throw invalid(`sql: expected a statement, not ${describe(text)}`)
  if (params === undefined) return requestOf(text, null)
  if (!Array.isArray(params) && !isMap(params)) {
    throw invalid(`params: expected an array for ?, or an object for :name, not ${describe(params)}`)
  }
  return requestOf(text, params)
}

function requestOf(text: string, params: unknown): Request {
  const input = encoding('arguments', (encoder) => encoder.array(2).value(text, 'sql').operand(params, 'params').taken())
  return { input, writes: isWriting(text) }
}

function isTemplate(text: unknown): text is readonly (string | undefined)[] {
  return Array.isArray(text) && Array.isArray((text as unknown as TemplateStringsArray).raw)
}
