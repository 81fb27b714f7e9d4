import type { Machine } from './environment.js'
import { steps, type Samples } from './rxdb-suite/suite.js'
import { onceSeconds, type LibraryKey } from './site.js'
import { workloads } from './all.js'
import { onceQuestions, type Figure } from './workloads.js'

/** One figure, with the library, the size, the round and the workload that it belongs to. */
export interface Measurement extends Figure {
  library: LibraryKey
  size: number
  round: number
  workload: string
}

/** A workload that a peer could not do. Its later ones in that round are left out. */
export interface Failure {
  library: LibraryKey
  size: number
  round: number
  workload: string
  message: string
}

/** Everything that a run has measured; the .json file in .build/bench/ holds it. */
export interface Run {
  date: string
  command: string
  machine: Machine & { /** The load average of the minute before the run. */ loadAtStart: number }
  browser: string
  versions: Record<string, string>
  seed: number
  rounds: number
  measurements: Measurement[]
  /** The samples of RxDB's suite, in milliseconds. */
  suite: Partial<Record<LibraryKey, Samples>>
  failures: Failure[]
}

const names: Record<LibraryKey, string> = {
  atomicdb: 'AtomicDB',
  dexie: 'Dexie',
  lokijs: 'LokiJS',
  nedb: 'NeDB',
  pglite: 'PGlite',
  pouchdb: 'PouchDB',
  rxdbdexie: 'RxDB (Dexie)',
  rxdbmemory: 'RxDB (memory)',
  signaldb: 'SignalDB',
  sqljs: 'sql.js',
  sqlitewasm: 'sqlite-wasm',
  tanstackdb: 'TanStack DB',
  tinybase: 'TinyBase',
}

/** The libraries that store nothing. */
const inMemoryOnly: LibraryKey[] = ['rxdbmemory', 'tanstackdb']

/** The libraries that answer with the objects they hold, not with copies. */
const handOut: LibraryKey[] = ['lokijs', 'nedb', 'rxdbdexie', 'rxdbmemory', 'signaldb', 'tanstackdb']

/** The libraries whose writes resolve before they are stored. Durable rows show them and do not rank them. */
const early: LibraryKey[] = ['pglite']

/** The rows: each workload, and the bytes that a page of the library loads. */
const allRows: Record<string, { title: string; unit?: 'bytes'; durable?: true; again?: true }> = { ...workloads, downloaded: { title: 'bytes downloaded, compressed', unit: 'bytes' } }

/** The run as Markdown: medians, each with its ratio to AtomicDB's. */
export function comparison(run: Run): string {
  const { machine, versions } = run
  const sizes = [...new Set(run.measurements.map((m) => m.size))]
  return `# AtomicDB beside its peers

- ${run.date.slice(0, 10)}, \`${run.command}\`, ${run.rounds === 1 ? 'one round' : `medians of ${run.rounds} rounds`}, each round of each library in a fresh browser
- ${machine.cores} cores, ${machine.model}, ${machine.memoryGiB} GiB; load ${machine.loadAtStart.toFixed(1)} before the run${machine.loadAtStart > 0.5 ? ': **other work may have disturbed it**' : ''}
${run.rounds > 1 ? spread(run.measurements) : ''}- Chromium ${run.browser} headless; ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')}

Each cell is the time for one operation and, in brackets, how many times AtomicDB's time that is. Every answer was compared
with plain JavaScript's. npm/bench/PROFILE.md says where AtomicDB's time goes, and why a peer is faster where one is.

Each row of the first table ran in a new tab, whose process nothing else had used. A row of questions opens the stored
database there, and asks up to ${onceQuestions.toLocaleString('en')} different questions, once each, about documents all over the database. Its cell
is the mean of all of them: the first, which may build an index, counts, and so does code that the browser has not optimized
yet. Reading the database is not in it. A slow library is asked fewer questions, as many as it begins in ${onceSeconds} s. The
browser itself is new for each library; its cache has the files that the first tab has loaded.

All libraries declare a unique index on the email and indexes on age and score before documents come, as far as they have
such indexes: RxDB, PouchDB, SignalDB and TinyBase have no unique ones.

"durable" rows are stored in the browser. AtomicDB and Dexie store in IndexedDB as they are. LokiJS calls saveDatabase() of its
incremental adapter after each write, and sql.js stores its export() in IndexedDB after each write. TinyBase has its IndexedDB
persister, which stores everything; NeDB its file in localforage; SignalDB its IndexedDB adapter; sqlite-wasm the origin private
file system. PGlite resolves a write before it is stored (relaxedDurability, which it recommends): its durable figures have a
star and are not ranked. Single inserts go into an empty database, which favours libraries that store everything each time.

Rows of live queries take the time from the call that writes to the callback that has the document in its result, the mean of
50 calls, one after the other. Libraries use what they document for that: observables of Dexie, RxDB and TanStack DB, dynamic
views of LokiJS, queries of TinyBase, cursors of SignalDB, the live extension of PGlite. The callback gets the whole result, as
a page needs it. Another tab has a process of its own; a second tab opens while the first has the database open.

Dexie, PouchDB and RxDB over Dexie keep nothing in memory. RxDB in memory stores nothing: its page inserts all documents
before it asks. LokiJS, NeDB, SignalDB and RxDB hand out the objects they hold; the others copy. AtomicDB and RxDB cache the
answers of queries. That helps in the tables of questions that are asked again, and in no row of the first table.

Memory is what Chromium's measureUserAgentSpecificMemory() counts, less what it counted before the database was opened. Bytes
stored are what navigator.storage.estimate() counts. Both can miss something (SQLite's memory in a worker, files in a pool,
writes that are not stored yet): a figure that is less than the documents need is left out.
${failed(run.failures)}${sizes.map((size) => sizeSection(run, size)).join('')}${suiteSection(run.suite)}`
}

function failed(failures: Failure[]): string {
  if (failures.length === 0) return ''
  const lines = failures.map(({ library, size, round, workload, message }) => `- ${names[library]}, ${size.toLocaleString('en')} documents, round ${round + 1}, ${allRows[workload]?.title ?? workload}: ${message.split('\n')[0]!.replace(/^.*?: page\.evaluate: (Error: )?/, '')}\n`)
  return `\nNot done, with every later workload of that page:\n\n${lines.join('')}`
}

/** How far the rounds of one cell lie apart, which says how far the numbers can be trusted. */
function spread(measurements: Measurement[]): string {
  const cells = new Map<string, number[]>()
  for (const { library, size, workload, micros } of measurements) {
    const cell = `${size} ${library} ${workload}`
    cells.set(cell, [...(cells.get(cell) ?? []), micros])
  }
  const ratios = [...cells.values()].map((rounds) => Math.max(...rounds) / Math.min(...rounds))
  if (ratios.length === 0) return ''
  return `- the slowest round takes ${ratio(median(ratios)!)} the time of the fastest in the median cell, ${ratio(Math.max(...ratios))} in the worst\n`
}

function sizeSection(run: Run, size: number): string {
  const measured = run.measurements.filter((m) => m.size === size && isWhole(m))
  const libraries = [...new Set(measured.map((m) => m.library))].sort((a, b) => names[a].localeCompare(names[b]))
  const table = (micros: (m: Measurement) => number | undefined, counts: (workload: string) => boolean = () => true) => {
    const rows = Object.entries(allRows).filter(([workload]) => counts(workload)).map(([workload, { title, unit, durable }]) => ({
      title,
      unit,
      early: libraries.map((library) => Boolean(durable) && early.includes(library)),
      medians: libraries.map((library) => median(measured.filter((m) => m.library === library && m.workload === workload).map(micros))),
    }))
    return rows.filter((row) => row.medians.some((m) => m !== undefined))
  }
  const tables: [heading: string, rows: Row[]][] = [
    ['Once, in a new page', table((m) => m.micros, (workload) => !allRows[workload]!.again)],
    ['The first question of each row, which may build what later ones use', table((m) => m.firstMicros)],
    ['Some of the questions asked again, right after a document was added that is in the answer', table((m) => m.joinedMicros)],
    ['Some of the questions asked again, right after a change of one document that is in few answers', table((m) => m.changedMicros)],
    ['Some of the questions asked again and again, while nothing changes', table((m) => m.micros, (workload) => Boolean(allRows[workload]!.again))],
  ]
  const sections = tables.map(([heading, rows]) => `
### ${heading}

${markdown(libraries, rows)}${libraries[0] === 'atomicdb' ? `\n${standing(libraries, rows)}` : ''}`)
  return `\n## ${size.toLocaleString('en')} documents\n${sections.join('')}`
}

function suiteSection(suite: Run['suite']): string {
  const libraries = (Object.keys(suite) as LibraryKey[]).sort((a, b) => names[a].localeCompare(names[b]))
  if (libraries.length === 0) return ''
  const table = (figure: (millis: number[]) => number | undefined) =>
    Object.entries(steps).map(([step, title]) => ({
      title,
      unit: undefined,
      early: libraries.map(() => false),
      medians: libraries.map((library) => figure(suite[library]![step as keyof Samples].map((millis) => millis * 1_000))),
    }))
  const medians = table(median)
  return `
## RxDB's own suite

3,000 documents of 330 B in one of four collections with four indexes each, ${suite[libraries[0]!]!.firstInsert.length} runs in one browser for each library; see
npm/bench/rxdb-suite/. Writes are durable as in the tables above; RxDB in memory stores nothing. Medians:

${markdown(libraries, medians)}
The means of the fastest 5 %, which RxDB publishes:

${markdown(libraries, table(meanOfFastest))}${libraries[0] === 'atomicdb' ? `\n${standing(libraries, medians)}` : ''}`
}

/** The mean of the fastest 5 %. */
function meanOfFastest(values: number[]): number {
  const fastest = [...values].sort((a, b) => a - b).slice(0, Math.max(1, Math.ceil(values.length * 0.05)))
  return fastest.reduce((sum, value) => sum + value, 0) / fastest.length
}

/** Whether a figure of bytes can be right: no library holds documents of 280 bytes in a tenth of that. */
const isWhole = ({ workload, size, micros }: Measurement) => !(workload === 'stored' || workload === 'memoryUsed') || micros > 28 * size

interface Row {
  title: string
  unit: 'bytes' | undefined
  /** By library: true is not ranked. */
  early: boolean[]
  medians: (number | undefined)[]
}

function markdown(libraries: LibraryKey[], rows: Row[]): string {
  const base = libraries.indexOf('atomicdb')
  const cells = rows.map(({ title, unit, early, medians }) => {
    const best = Math.min(...medians.map((m, n) => (m === undefined || early[n] ? Infinity : m)))
    return [
      title,
      ...medians.map((figure, n) => {
        if (figure === undefined) return '-'
        const own = medians[base]
        const text = (unit ? bytes : time)(figure) + (early[n] ? '*' : '')
        const cell = figure === best ? `**${text}**` : text
        return n === base || own === undefined ? cell : `${cell} (${ratio(figure / own)})`
      }),
    ]
  })
  const head = ['', ...libraries.map((library) => names[library])]
  const widths = head.map((title, n) => Math.max(title.length, 3, ...cells.map((row) => row[n]!.length)))
  const line = (row: string[]) => `| ${row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!))).join(' | ')} |\n`
  const rule = `| ${widths.map((width, n) => (n === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |\n`
  return line(head) + rule + cells.map(line).join('')
}

/** The rows in which AtomicDB is not the first, among all libraries and among those that do what it does. */
function standing(libraries: LibraryKey[], rows: Row[]): string {
  const verdict = (among: string, counts: (library: LibraryKey) => boolean) => {
    const behind = rows.flatMap(({ title, early, medians: [own, ...peers] }) => {
      const others = peers.map((peer, n) => (counts(libraries[1 + n]!) && !early[1 + n] ? (peer ?? Infinity) : Infinity))
      const best = Math.min(...others)
      if (own === undefined || own <= best) return []
      return [`- ${title}: ${ratio(own / best)} that of ${described(libraries[1 + others.indexOf(best)]!)}\n`]
    })
    if (behind.length === 0) return `Among ${among}, AtomicDB is the first in all ${rows.length} rows.\n`
    return `Among ${among}, AtomicDB is the first in ${rows.length - behind.length} of ${rows.length} rows, and behind in:\n\n${behind.join('')}`
  }
  const stores = (library: LibraryKey) => !inMemoryOnly.includes(library)
  const copies = (library: LibraryKey) => !handOut.includes(library)
  return [
    verdict('all', () => true),
    ...(libraries.every(stores) ? [] : [verdict('those that store what they hold', stores)]),
    ...(libraries.every(copies) ? [] : [verdict('those that copy what they answer', copies)]),
  ].join('\n')
}

/** A library's name, with what it does not do for the time it takes. */
function described(library: LibraryKey): string {
  const without = [inMemoryOnly.includes(library) && 'stores nothing', handOut.includes(library) && 'hands out the objects it holds'].filter(Boolean)
  return without.length === 0 ? names[library] : `${names[library]}, which ${without.join(' and ')}`
}

function median(values: (number | undefined)[]): number | undefined {
  const sorted = values.filter((v) => v !== undefined).sort((a, b) => a - b)
  if (sorted.length === 0) return undefined
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function time(micros: number): string {
  if (micros < 1_000) return `${digits(micros)} µs`
  if (micros < 1_000_000) return `${digits(micros / 1_000)} ms`
  return `${digits(micros / 1_000_000)} s`
}

function bytes(count: number): string {
  return count < 1_000_000 ? `${digits(count / 1_000)} kB` : `${digits(count / 1_000_000)} MB`
}

const ratio = (times: number) => `${digits(times)}x`

/** Two significant digits, which is more than a median of a few rounds is sure of. Numbers from 10 on keep all their whole digits. */
const digits = (n: number) => (n >= 10 ? n.toFixed(0) : n >= 1 ? n.toFixed(1) : n.toPrecision(2))
