import { and, not, or } from 'atomicdb'
import { readBuilder } from './builder.js'
import { source } from './format.js'

/**
 * The three ways to write a condition. `read` turns the text of the editor into
 * the argument for AtomicDB; `code` is the same call as a program writes it.
 *
 * All three become the same query in the engine, so the rest of the page does
 * not tell them apart.
 */
export const spellings = {
  text: {
    note: 'Comparisons, and, or, not, in (…), between … and …, matches, startsWith, contains, exists.',
    read: text => text.trim() || undefined,
    code: (text, options) => `await cities.search(${args(text.trim() && source(text.trim().replace(/\s+/g, ' ')), options)})`,
  },
  filter: {
    note: 'JSON, with $eq $ne $gt $gte $lt $lte $in $nin $exists $type $regex $all $elemMatch $not $and $or $nor.',
    read: text => JSON.parse(text.trim() || '{}'),
    code: (text, options) => `await cities.find(${args(source(JSON.parse(text.trim() || '{}')), options)})`,
  },
  builder: {
    note: 'q.path.operator(value), .and(…), .or(…), .not(); and(…), or(…), not(…) are there too. q is cities.query().',
    read: (text, q) => text.trim() ? readBuilder(text, { q, and, or, not }) : undefined,
    code: (text, options) => `const q = cities.query()\nawait cities.search(${args(text.trim(), options)})`,
  },
}

/** The arguments of a search as source code; arguments that say nothing are left out. */
function args(where, options) {
  const chosen = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== 0))
  const last = Object.keys(chosen).length ? source(chosen) : ''
  if (!where) return last && `undefined, ${last}`
  return last ? `${where}, ${last}` : where
}

/** Asks a query in its spelling: a filter goes to find, the other two to search. */
export function ask(cities, { spelling, where }, options) {
  return spelling === 'filter' ? cities.find(where, options) : cities.search(where, options)
}
