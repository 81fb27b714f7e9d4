// The pages of the manual, README and demo/docs, and the programs in them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from './site.js'

const top = join(packageFolder, '..')

/** A page by its path from the top of the project, with its text. */
export interface Page {
  path: string
  text: string
}

/** A fenced block: what stands behind the fence, its text, and the line on which the text begins. */
export interface Block {
  info: string
  text: string
  line: number
}

/** README and the pages of the manual that people have written. */
export function manual(): Page[] {
  const written = readdirSync(join(top, 'demo/docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !/^(node_modules|api|\.vitepress)\//.test(path))
    .map((path) => `demo/docs/${path}`)
  return ['README.md', ...written.sort()].map(page)
}

/** One page. */
export function page(path: string): Page {
  return { path, text: readFileSync(join(top, path), 'utf8') }
}

/** The fenced blocks of a page, in order. */
export function blocksOf({ text }: Page): Block[] {
  const lineOf = (index: number) => text.slice(0, index).split('\n').length
  return [...text.matchAll(/^```([^\n`]*)\n(.*?)^```$/gms)].map((found) => ({ info: found[1]!.trim(), text: found[2]!, line: lineOf(found.index) + 1 }))
}

/** The text of the only block of a page with this behind its fence, or of the first one. */
export function blockOf(path: string, info: string): string {
  const block = blocksOf(page(path)).find((block) => block.info === info)
  if (!block) throw new Error(`${path} has no block of ${info}`)
  return block.text
}

/** A program of a page, which checks itself; and how many checks it makes. */
export interface Program {
  path: string
  text: string
  checks: number
}

/**
 * The TypeScript of a page as one module: what a comment `<!-- given … -->` leaves to the reader, then its blocks of `ts`.
 * A line that ends in `// → value` must have that value, and one that ends in `// rejects code` must reject so.
 * A block of `ts node` runs in Node alone.
 */
export function programOf(page: Page, inNode: boolean): Program | undefined {
  const imports = new Set<string>()
  const body: string[] = []
  let checks = 0
  let statement = ''
  let place: 'prose' | 'given' | 'skipped' | 'code' = 'prose'

  for (const [index, line] of page.text.split('\n').entries()) {
    if (place === 'prose') {
      const [, info] = /^```(.*)$/.exec(line) ?? []
      if (line === '<!-- given') place = 'given'
      else if (info !== undefined) place = info === 'ts' || (info === 'ts node' && inNode) ? 'code' : 'skipped'
      continue
    }
    if (line === '```' || (place === 'given' && line === '-->')) {
      place = 'prose'
      continue
    }
    if (place === 'skipped') continue
    if (line.startsWith('import ')) {
      imports.add(line)
      continue
    }
    // A statement spans lines until one that closes at the margin.
    statement += `${line}\n`
    const inTemplate = statement.split('`').length % 2 === 0
    if (line === '' || /^\s/.test(line) || /[[({]$/.test(line) || inTemplate) continue

    const [, value] = / \/\/ → (.+)$/.exec(line) ?? []
    const [, code] = / \/\/ rejects (\w+)$/.exec(line) ?? []
    const expression = statement.replace(/ \/\/ (→|rejects) .+\n$/, '').replace(/^console\.log\((.*)\)$/s, '$1')
    statement = ''
    const where = `'${page.path}:${index + 1}'`
    if (value !== undefined) body.push(`;check(${where}, ${expression}, ${value})`)
    else if (code !== undefined) body.push(`;await checkRejects(${where}, '${code}', async () => ${expression})`)
    else body.push(`;${expression}`)
    if (value !== undefined || code !== undefined) checks++
  }
  if (body.length === 0) return undefined
  return { path: page.path, checks, text: [...merged(imports), "import { check, checkRejects } from './check.js'", ...body, 'export {}', ''].join('\n') }
}

/** One import for each module: a page may import more of it as it goes on. */
function merged(imports: Set<string>): string[] {
  const names = new Map<string, Set<string>>()
  const others: string[] = []
  for (const line of imports) {
    const [, type, list, module] = /^import (type )?\{ (.*) \} from '(.*)'$/.exec(line) ?? []
    if (!module) others.push(line)
    else for (const name of list!.split(', ')) (names.get(module) ?? names.set(module, new Set()).get(module)!).add(type ? `type ${name}` : name)
  }
  return [...others, ...[...names].map(([module, list]) => `import { ${[...list].join(', ')} } from '${module}'`)]
}

/** What the programs of pages import. */
export const check = `
export let checked = 0
export function check(where: string, found: unknown, expected: unknown): void {
  checked++
  const [f, e] = [JSON.stringify(found), JSON.stringify(expected)]
  if (f !== e) throw new Error(\`\${where} says \${e}, and it is \${f}\`)
}
export async function checkRejects(where: string, code: string, work: () => unknown): Promise<void> {
  checked++
  const found = await Promise.resolve().then(work).then(() => 'resolved', (error) => error.code)
  if (found !== code) throw new Error(\`\${where} says it rejects with \${code}, and it is \${found}\`)
}
`
