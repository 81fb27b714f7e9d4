import type { QueryResult } from '../index.js'
import { same } from '../live/same.js'

/** The first `limit` documents of `now`. Those that are the same as in `before` are the same objects. */
export function sharedWith<T>(before: QueryResult<T>, now: QueryResult<T>, limit: number): QueryResult<T> {
  const byId = new Map(before.map((document) => [document._id, document]))
  const shown = now.slice(0, limit)
  for (const [i, document] of shown.entries()) {
    const was = byId.get(document._id)
    if (same(was, document)) shown[i] = was!
  }
  return shown
}
