import type { Document, Run } from './host.js'
import { idIn, valuesIn } from './values.js'

/** The documents in runs, of which all have an _id or none has. */
export function runsOf(documents: readonly Document[]): Run[] {
  const runs: { isNamed: boolean; documents: Document[] }[] = []
  for (const document of documents) {
    const isNamed = idOf(document) !== undefined
    const last = runs.at(-1)
    if (last?.isNamed === isNamed) last.documents.push(document)
    else runs.push({ isNamed, documents: [document] })
  }
  return runs
}

/** The documents of a run, each by itself. */
export function documentsOf({ documents }: Run): Document[] {
  return documents.flatMap((document) => (document instanceof Uint8Array ? [...valuesIn(document)] : document))
}

/** The _id of one document; undefined if it has none. */
export function idOf(document: Document): unknown {
  if (document instanceof Uint8Array) return idIn(document)
  return Object.hasOwn(document, '_id') ? (document as { _id: unknown })._id : undefined
}
