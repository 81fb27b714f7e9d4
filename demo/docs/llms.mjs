/**
 * Writes what language models read of the manual beside the site: llms.txt, a list of the pages with their first sentence,
 * and llms-full.txt, all pages that people have written.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const site = join(here, '../dist/docs')

/** A page without what only its test needs. */
const read = (path) => readFileSync(join(here, path), 'utf8').replaceAll(/<!-- given.*?-->\n+/gs, '')
const pagesOf = (folder) => readdirSync(join(here, folder)).filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`)

const sections = { Guides: pagesOf('guide'), Recipes: pagesOf('recipes'), 'Coming from other libraries': pagesOf('from'), Errors: pagesOf('errors') }
const title = (text) => /^# (.*)$/m.exec(text)[1]
const first = (text) => /^(?:#.*\n+)+([A-Z*`][^|]*?[.:])(?:\s|$)/m.exec(text)?.[1].replaceAll('\n', ' ').replaceAll(/\[(.*?)\]\(.*?\)/g, '$1') ?? ''
const intro = read('index.md').split('\n\n')[1].replaceAll('\n', ' ')

const list = Object.entries(sections).map(([name, pages]) => `## ${name}\n\n${pages.map((path) => `- [${title(read(path))}](${path.replace(/md$/, 'html')}): ${first(read(path))}\n`).join('')}`)
writeFileSync(join(site, 'llms.txt'), `# AtomicDB\n\n> ${intro}\n\nInstall it with \`npm install atomicdb\`. All pages in one file: [llms-full.txt](llms-full.txt).\n\n${list.join('\n')}`)
writeFileSync(join(site, 'llms-full.txt'), [read('index.md'), ...Object.values(sections).flat().map(read)].join('\n'))
