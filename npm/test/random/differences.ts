import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plain } from './values.js'

/** One row of the tables in engine/query/MONGODB.md: where AtomicDB, MongoDB and the peer do not agree. */
export interface Difference {
  /** The row's first cell. */
  what: string
  /** The table's third heading: what is asked for. */
  kind: 'filter' | 'update'
  document: Plain
  request: Plain
  /** A filter: 'yes', 'no' or 'invalid'. An update: 'invalid' or the document after it. */
  atomicdb: unknown
  mongodb: unknown
  peer: unknown
}

/** Every row of the tables about one peer, their last column, in order. The document is the list; there is no second one. */
export function differences(peer: 'mingo' | 'NeDB'): Difference[] {
  const text = readFileSync(fileURLToPath(new URL('../../../engine/query/MONGODB.md', import.meta.url)), 'utf8')
  let kind: Difference['kind'] | undefined
  const found: Difference[] = []
  for (const line of text.split('\n')) {
    if (!line.startsWith('| ')) continue
    const [what, ...cells] = line.split('|').slice(1, -1).map((cell) => cell.trim()) as [string, ...string[]]
    if (what === 'what') {
      kind = cells.at(-1) === peer ? (cells[1] as Difference['kind']) : undefined
      continue
    }
    if (!kind) continue
    const [document, request, atomicdb, mongodb, other] = cells.map(read) as [Plain, Plain, unknown, unknown, unknown]
    found.push({ what, kind, document, request, atomicdb, mongodb, peer: other })
  }
  return found
}

/** A cell between back-quotes is JavaScript. */
function read(cell: string): unknown {
  const code = /^`(.*)`$/.exec(cell)
  return code ? new Function(`return (${code[1]})`)() : cell
}
