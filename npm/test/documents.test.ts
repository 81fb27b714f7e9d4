// The documents point at what is there: each link to a file and each heading, and each path that a sentence names.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, test } from 'node:test'
import { newest, quotation, quoted } from '../bench/readme.js'
import { packageFolder } from './harness/site.js'

const top = join(packageFolder, '..')
const generated = join(top, 'demo/docs/api') // by typedoc, from the declarations
const copied = ['npm/README.md', 'npm/CHANGELOG.md'] // by the build, from the top
const documents = markdownBelow(top).filter((path) => !copied.includes(path))

describe('documents', () => {
  test('are found', () => {
    for (const path of ['README.md', '.github/CONTRIBUTING.md', '.github/RATIONALE.md', 'storage/FORMAT.md']) assert.ok(documents.includes(path), path)
  })

  for (const path of documents) {
    const text = readFileSync(join(top, path), 'utf8')
    const prose = text.replaceAll(/^```.*?^```/gms, '').replaceAll(/^<!-- given$.*?^-->$/gms, '')

    test(`${path}: every link leads somewhere`, () => {
      for (const [, target] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target!)) continue
        const [file, anchor] = target!.split('#') as [string, string?]
        const found = file === '' ? join(top, path) : join(top, dirname(path), file)
        assert.ok(existsSync(found), `${target}: there is no such file`)
        if (anchor !== undefined) assert.ok(anchorsOf(readFileSync(found, 'utf8')).has(anchor), `${target}: there is no such heading`)
      }
    })

    test(`${path}: every path that it names exists`, () => {
      for (const [, named] of prose.matchAll(/`((?:engine|storage|jsbridge|wasm|npm|demo)\/[\w./-]+)`/g)) {
        assert.ok(existsSync(join(top, named!)), `${named}: there is no such file or folder`)
      }
    })

    test(`${path}: prose has lines of at most 120 columns`, () => {
      for (const line of prose.split('\n')) {
        const isOneWord = /^\s*(\S+ )?\S+$/.test(line) // a long link, which cannot be broken
        assert.ok(line.length <= 120 || line.startsWith('|') || isOneWord || path.startsWith('npm/bench/results/'), line)
      }
    })
  }
})

describe('the figures in README', () => {
  test('are those of the newest results', () => {
    assert.equal(quoted(readFileSync(join(top, 'README.md'), 'utf8')), newest(), 'run: cd npm && node --import tsx bench/readme.ts')
  })

  test('name the fastest peer of each row, also where it is ahead', () => {
    const results = [
      '- 2026-01-02, `make bench SIZES=7`, one round, each round of each library in a fresh browser',
      '- 2 cores, AMD EPYC, 24 GiB; load 3.0 before the run: **other work may have disturbed it**',
      '- Chromium 156.0.1 headless; atomicdb 0.1.0',
      '\n## 7 documents\n\n### Once, in a new page\n',
      '| | AtomicDB | Dexie | LokiJS | PGlite |',
      '| - | -: | -: | -: | -: |',
      '| ahead | **1.0 ms** | 2.0 ms (2.0x) | 3.0 ms (3.0x) | 0.5 ms* (0.50x) |',
      '| behind | 1.0 ms | 2.0 ms (2.0x) | **0.98 ms** (0.98x) | - |',
      '\n### Asked again\n',
      '| | AtomicDB | Dexie |',
      '| - | -: | -: |',
      '| ahead | **1.0 µs** | 2.0 ms (2000x) |',
      '\n## 70 documents\n',
    ].join('\n')
    const text = quotation('2026-01-02.md', results)
    assert.match(text, /^\| 7 documents \| AtomicDB \| fastest of 3 peers \|$/m)
    assert.match(text, /^\| ahead \| \*\*1\.0 ms\*\* \| Dexie 2\.0 ms \|$/m)
    assert.match(text, /^\| behind \| 1\.0 ms \| \*\*LokiJS 0\.98 ms\*\* \|$/m)
    assert.match(text, /\*\*while other work may have disturbed it\*\*/)
    assert.match(text, /the first in 1 of\s2 rows/)
    assert.match(text, /^\| asked again \| 1 of 1 rows \|$/m)
  })
})

/** The Markdown files below a folder, by their paths from the top. */
function markdownBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ['node_modules', 'dist', '.build', '.git'].includes(entry.name) || path === generated ? [] : markdownBelow(path)
    return entry.name.endsWith('.md') ? [relative(top, path)] : []
  })
}

/** The anchors that GitHub gives to headings. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!)
  return new Set(headings.map((heading) => heading.toLowerCase().replaceAll(/[^\w\s-]/g, '').trim().replaceAll(' ', '-')))
}
