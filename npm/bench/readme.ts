// Writes the figures in README from the newest file in results/:
//
//   cd npm && node --import tsx bench/readme.ts
//
// documents.test.ts fails while README says anything else.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const results = fileURLToPath(new URL('results/', import.meta.url))
const readme = fileURLToPath(new URL('../../README.md', import.meta.url))
const begin = '<!-- from npm/bench/results, by npm/bench/readme.ts -->\n'
const end = '<!-- end -->\n'

if (process.argv[1] === fileURLToPath(import.meta.url)) writeReadme()

/** Replaces the figures in README by those of the newest results. */
export function writeReadme(): void {
  const text = readFileSync(readme, 'utf8')
  const from = text.indexOf(begin) + begin.length
  writeFileSync(readme, text.slice(0, from) + newest() + text.slice(from + quoted(text).length))
}

/** The part of README between the two comments. */
export function quoted(text: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`README has no part between ${begin.trim()} and ${end.trim()}`)
  return text.slice(from + begin.length, to)
}

/** What that part has to be. */
export function newest(): string {
  const file = readdirSync(results).filter((name) => name.endsWith('.md')).sort().at(-1)!
  return quotation(file, readFileSync(join(results, file), 'utf8'))
}

/** The figures of a file of results, as README gives them. */
export function quotation(file: string, text: string): string {
  const [, date, command, rounds] = match(text, /^- (\S+), `(.+?)`, (one round|medians of \d+ rounds),/m)
  const [, machine] = match(text, /^- (\d+ cores, .+?), \d+ GiB; load/m)
  const [, busy] = match(text, /; load [\d.]+ before the run(.*)$/m)
  const [, chromium] = match(text, /^- Chromium (\d+)/m)
  const tables = tablesOf(text)
  const rows = tables[0]!.rows.map(({ title, own, isFirst, best }) => (isFirst ? `| ${title} | **${own}** | ${best} |\n` : `| ${title} | ${own} | **${best}** |\n`))
  const count = ({ rows }: Table) => `${rows.filter(({ isFirst }) => isFirst).length} of ${rows.length} rows`
  return `
| ${tables[0]!.size} documents | AtomicDB | fastest of ${tables[0]!.peers.length} peers |
|---|---:|---:|
${rows.join('')}
${filled(`Measured on ${date}, ${rounds}, on ${machine}, in Chromium ${chromium}${busy ? ', **while other work may have disturbed it**' : ''},
by \`${command}\`. [results/${file}](npm/bench/results/${file}) has every library's figures. AtomicDB is the first in ${count(tables[0]!)}.`)}

| the same, in other tables of that file | AtomicDB is the first in |
|---|---:|
${tables.slice(1).map((table) => `| ${table.heading[0]!.toLowerCase()}${table.heading.slice(1)} | ${count(table)} |\n`).join('')}`
}

interface Table {
  /** "20,000" */
  size: string
  heading: string
  peers: string[]
  rows: { title: string; own: string; /** Bold in the results. */ isFirst: boolean; /** A peer and its figure. */ best: string }[]
}

/** The tables of the first size in the file. A figure with a star is not ranked. */
function tablesOf(text: string): Table[] {
  const [, size, section] = match(text, /^## (\S+) documents\n(.*?)(?=^## |$(?![^]))/ms)
  return section!.split(/^### /m).slice(1).map((part) => {
    const [heading, ...lines] = part.split('\n')
    const [head, , ...rows] = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
    if (head?.[1] !== 'AtomicDB') throw new Error(`"${heading}" does not begin with AtomicDB`)
    const peers = head.slice(2)
    return {
      size: size!,
      heading: heading!,
      peers,
      rows: rows.flatMap(([title, own, ...cells]) => {
        const ranked = cells.flatMap((cell, n) => {
          const [, figure, ratio] = /^(.*?[^*]) \(([\d.]+)x\)$/.exec(cell.replaceAll('**', '')) ?? []
          return figure ? [{ best: `${peers[n]} ${figure}`, ratio: cell.startsWith('**') ? 0 : Number(ratio) }] : []
        })
        // A row that only AtomicDB has is in the file; it is first in nothing.
        if (ranked.length === 0) return []
        const { best } = ranked.reduce((a, b) => (b.ratio < a.ratio ? b : a))
        return [{ title: title!, own: own!.replaceAll('**', ''), isFirst: own!.startsWith('**'), best }]
      }),
    }
  })
}

function match(text: string, pattern: RegExp): RegExpExecArray {
  const found = pattern.exec(text)
  if (!found) throw new Error(`the results have nothing like ${pattern}`)
  return found
}

/** Lines of at most 120 columns. */
function filled(text: string): string {
  const lines = ['']
  for (const word of text.split(/\s+/)) {
    if (lines.at(-1) !== '' && lines.at(-1)!.length + 1 + word.length > 120) lines.push('')
    lines[lines.length - 1] += (lines.at(-1) ? ' ' : '') + word
  }
  return lines.join('\n')
}
