import { commands } from './commands.js'

/** The text that `atomicdb --help` prints. */
export function help(): string {
  return `atomicdb: what a terminal may ask of a stored database

usage: atomicdb <command> <database> …

${listed(Object.entries(commands).map(([name, { arguments: names, summary }]) => [[name, ...names].join(' '), summary]))}

A database is a file: notes.atomicdb (an append-only log), notes.json, notes.msgpack (documents), notes.mdb (LMDB,
with the package lmdb) or notes.sqlite (with Node 22.13 or newer). If it is encrypted, its password is in the
environment variable ATOMICDB_PASSWORD, or its key in ATOMICDB_KEY.

examples:
  atomicdb import notes.atomicdb people.csv --collection people
  atomicdb query notes.atomicdb "age >= 30 and city = 'Oslo'" --collection people
  atomicdb query notes.atomicdb "SELECT city, COUNT(*) AS n FROM people GROUP BY city"
  atomicdb export notes.atomicdb --format ndjson | wc -l

atomicdb <command> --help says more about one.
`
}

/** The text that `atomicdb <command> --help` prints. */
export function helpOf(name: string): string {
  const { arguments: names, summary, about = '', options } = commands[name]!
  const rows = Object.entries(options).map(([option, { short, value, help }]): [string, string] => [`${short ? `-${short}, ` : '    '}--${option}${value ? ` <${value}>` : ''}`, help])
  return `atomicdb ${[name, ...names].join(' ')}

${summary}
${about && `\n${about}\n`}${rows.length > 0 ? `\noptions:\n${listed(rows)}\n` : ''}`
}

function listed(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}
