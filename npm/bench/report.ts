import type { Machine } from './environment.js'
import { reasons } from './reasons.js'
import { steps, type Samples } from './rxdb-suite/suite.js'
import type { LibraryKey } from './site.js'
import { workloads, type Figure } from './workloads.js'

/** One figure, and what it is of. */
export interface Measurement extends Figure {
  library: LibraryKey
  size: number
  round: number
  workload: string
}

/** A workload that a peer did not do: the later ones of that library and round are left out. */
export interface Failure {
  library: LibraryKey
  size: number
  round: number
  workload: string
  message: string
}

/** Everything a run found out: the .json file. */
export interface Run {
  date: string
  command: string
  machine: Machine & { /** Processes that wanted a core in the minute before the run. */ loadAtStart: number }
  browser: string
  versions: Record<string, string>
  seed: number
  rounds: number
  measurements: Measurement[]
  /** What RxDB's suite measured, in milliseconds. */
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
  tinybase: 'TinyBase',
}

/** Those that keep nothing. */
const inMemoryOnly: LibraryKey[] = ['rxdbmemory']

/** Those whose answers are the objects they hold, not copies. */
const handOut: LibraryKey[] = ['lokijs', 'nedb', 'rxdbdexie', 'rxdbmemory', 'signaldb']

/** Those whose writes resolve before they are stored: in durable rows they are shown and not ranked. */
const early: LibraryKey[] = ['pglite']

/** The rows: the workloads, and what a page of the library loads. */
const allRows: Record<string, { title: string; unit?: 'bytes'; durable?: true }> = { ...workloads, downloaded: { title: 'bytes downloaded, compressed', unit: 'bytes' } }

/** The run as Markdown: medians, and how many times AtomicDB's median each of them is. */
export function comparison(run: Run): string {
  const { machine, versions } = run
  const sizes = [...new Set(run.measurements.map((m) => m.size))]
  return `# AtomicDB beside its peers

- ${run.date.slice(0, 10)}, \`${run.command}\`, medians of ${run.rounds} rounds, each round of each library in a fresh browser
- ${machine.cores} cores, ${machine.model}, ${machine.memoryGiB} GiB; load ${machine.loadAtStart.toFixed(1)} before the run${machine.loadAtStart > 0.5 ? ': **other work may have disturbed it**' : ''}
${spread(run.measurements)}- Chromium ${run.browser} headless; ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')}

Time for one operation; in brackets, how many times as long as AtomicDB. Every answer was compared with plain JavaScript's.
"durable" is stored in IndexedDB: AtomicDB, Dexie as they are; LokiJS by saveDatabase() with its incremental adapter after
each write; sql.js by export() into IndexedDB after each write; TinyBase by its IndexedDB persister, which stores everything;
NeDB by its file in localforage; SignalDB by its IndexedDB adapter; sqlite-wasm in the origin private file system. PGlite resolves
writes before they are stored (relaxedDurability, as it recommends): its durable figures have a star and are not ranked. Single inserts go into an empty database, which favours those
that store everything. Dexie, PouchDB and RxDB over Dexie keep nothing in memory; RxDB in memory keeps nothing stored. LokiJS, NeDB,
SignalDB and RxDB hand out the objects they hold; the others copy. AtomicDB and RxDB keep the answers of queries, so asking again
while nothing changes, as the rows of queries do, costs them little: the second table shows what a query itself costs, right after a write. Memory is what Chromium's
measureUserAgentSpecificMemory() counts of the page and its workers above the page before the database; bytes stored are what
navigator.storage.estimate() counts, both left out where they are less than the documents need: a worker's memory and files in a pool
are not in them, nor what is not stored yet.
${failed(run.failures)}${withReasons(sizes.map((size) => sizeSection(run, size)).join('') + suiteSection(run.suite))}`
}

/** The sections, and for each row that they say AtomicDB is behind in, why. */
function withReasons(sections: string): string {
  const behind = [...new Set([...sections.matchAll(/^- (.*): \S+x that of /gm)].map(([, title]) => title!))]
  if (behind.length === 0) return sections
  return `${sections}
## Why AtomicDB is behind where it is

${behind.map((title) => `- ${title}: ${reasons[title] ?? 'not known yet.'}\n`).join('')}`
}

function failed(failures: Failure[]): string {
  if (failures.length === 0) return ''
  const lines = failures.map(({ library, size, round, workload, message }) => `- ${names[library]}, ${size.toLocaleString('en')} documents, round ${round + 1}, ${allRows[workload]?.title ?? workload}: ${message.split('\n')[0]!.replace(/^.*?: page\.evaluate: (Error: )?/, '')}\n`)
  return `\nNot done, and with it what comes after it in that page:\n\n${lines.join('')}`
}

/** How far the rounds of one cell lie apart: what the numbers are worth. */
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
  const table = (micros: (m: Measurement) => number | undefined) => {
    const rows = Object.entries(allRows).map(([workload, { title, unit, durable }]) => ({
      title,
      unit,
      early: libraries.map((library) => Boolean(durable) && early.includes(library)),
      medians: libraries.map((library) => median(measured.filter((m) => m.library === library && m.workload === workload).map(micros))),
    }))
    return rows.filter((row) => row.medians.some((m) => m !== undefined))
  }
  const all = table((m) => m.micros)
  const first = table((m) => m.firstMicros)
  const changed = table((m) => m.changedMicros)
  const joined = table((m) => m.joinedMicros)
  return `
## ${size.toLocaleString('en')} documents

${markdown(libraries, all)}
The same queries, each asked for the first time since a document came that is in the answer:

${markdown(libraries, joined)}
Each asked for the first time since one document was changed, which is in few of the answers. Who keeps answers, AtomicDB and RxDB, finds out whether they still hold:

${markdown(libraries, changed)}
The very first call of each query, which may build what later calls reuse:

${markdown(libraries, first)}${libraries[0] === 'atomicdb' ? `\nOf the first table:\n\n${standing(libraries, all)}\nOf the second:\n\n${standing(libraries, joined)}\nOf the third:\n\n${standing(libraries, changed)}` : ''}`
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

3,000 documents of 330 B in one of four collections with four indexes each, ${suite[libraries[0]!]!.firstInsert.length} runs in one browser for each library; see npm/bench/rxdb-suite/. What is durable
in the tables above is here; RxDB in memory keeps nothing. Medians:

${markdown(libraries, medians)}
The means of the fastest 5 %, which is what RxDB publishes:

${markdown(libraries, table(meanOfFastest))}${libraries[0] === 'atomicdb' ? `\nOf the medians:\n\n${standing(libraries, medians)}` : ''}`
}

/** Of the fastest 5 %. */
function meanOfFastest(values: number[]): number {
  const fastest = [...values].sort((a, b) => a - b).slice(0, Math.max(1, Math.ceil(values.length * 0.05)))
  return fastest.reduce((sum, value) => sum + value, 0) / fastest.length
}

/** Whether a figure can be right: no library holds documents of 280 bytes in a tenth of that. */
const isWhole = ({ workload, size, micros }: Measurement) => !(workload === 'stored' || workload === 'memoryUsed') || micros > 28 * size

interface Row {
  title: string
  unit: 'bytes' | undefined
  /** By library: not ranked. */
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

/** Where AtomicDB is not the first, said rather than left to be found: among those that keep what they hold, and among all. */
function standing(libraries: LibraryKey[], rows: Row[]): string {
  const verdict = (among: string, counts: (library: LibraryKey) => boolean) => {
    const behind = rows.flatMap(({ title, early, medians: [own, ...peers] }) => {
      const others = peers.map((peer, n) => (counts(libraries[1 + n]!) && !early[1 + n] ? (peer ?? Infinity) : Infinity))
      const best = Math.min(...others)
      if (own === undefined || own <= best) return []
      return [`- ${title}: ${ratio(own / best)} that of ${names[libraries[1 + others.indexOf(best)]!]}\n`]
    })
    if (behind.length === 0) return `Among ${among}, AtomicDB is the first in all ${rows.length} rows.\n`
    return `Among ${among}, AtomicDB is the first in ${rows.length - behind.length} of ${rows.length} rows, and behind in:\n\n${behind.join('')}`
  }
  const copies = (library: LibraryKey) => !handOut.includes(library)
  return [
    verdict('all', () => true),
    verdict('those that keep what they hold', (library) => !inMemoryOnly.includes(library)),
    verdict('those that copy what they answer', copies),
  ].join('\n')
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

/** Two significant digits are more than a median of a few rounds is sure of; large numbers keep all theirs. */
const digits = (n: number) => (n >= 10 ? n.toFixed(0) : n >= 1 ? n.toFixed(1) : n.toPrecision(2))
