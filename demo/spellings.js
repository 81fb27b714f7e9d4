import { and, not, or } from 'atomicdb'
import { readBuilder } from './builder.js'
import { source } from './format.js'

/**
 * The ways to write a query. `read` turns the text of the editor into
 * the argument for AtomicDB; `code` is the same call as a program writes it.
 *
 * The first three are conditions and become the same query in the engine. SQL and
 * groups answer with rows, which are no stored documents.
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
  sql: {
    rows: true,
    note: 'SELECT, JOIN, GROUP BY, INSERT, UPDATE, DELETE; several statements are one transaction.',
    read: text => text.trim(),
    code: text => `await db.sql(\`${text.trim()}\`)`,
  },
  aggregate: {
    rows: true,
    note: 'JSON: groupBy, select with $count $sum $avg $min $max $distinct, where, having, sort, limit.',
    read: text => JSON.parse(text),
    code: text => `await cities.aggregate(${source(JSON.parse(text))})`,
  },
}

/** The arguments of a search as source code; arguments that say nothing are left out. */
function args(where, options) {
  const chosen = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== 0))
  const last = Object.keys(chosen).length ? source(chosen) : ''
  if (!where) return last && `undefined, ${last}`
  return last ? `${where}, ${last}` : where
}

/** Asks a condition in its spelling: a filter goes to find, the other two to search. */
export function ask(cities, { spelling, where }, options) {
  return spelling === 'filter' ? cities.find(where, options) : cities.search(where, options)
}

/** The rows of SQL or of groups. */
export function rowsOf(db, { spelling, where }) {
  return spelling === 'sql' ? db.sql(where) : db.collection('cities').aggregate(where)
}

/** Whether a query can be run without a click: it is no SQL, or one SELECT. A link must change nothing. */
export function onlyReads({ spelling, where }) {
  return spelling !== 'sql' || (/^select\b/i.test(where) && !/;\s*\S/.test(where))
}
