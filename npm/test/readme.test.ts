// The README cannot lie: its TypeScript is one program, which is type-checked, and run in Node and in
// Chromium. A line that ends in `// → value` must have that value, and one that ends in
// `// rejects code` must reject with that code.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import * as esbuild from 'esbuild'
import { launchChromium, openPage, waitForValue } from './harness/chromium.js'
import { packageFolder, serve } from './harness/site.js'

const run = promisify(execFile)
// Inside the package, so that its own name resolves to what was built.
const folder = join(packageFolder, '.build/readme')
const program = join(folder, 'readme.ts')

const checks = `
let checked = 0
function check(line: number, found: unknown, expected: unknown): void {
  checked++
  const [f, e] = [JSON.stringify(found), JSON.stringify(expected)]
  if (f !== e) throw new Error(\`README.md:\${line} says \${e}, and it is \${f}\`)
}
async function checkRejects(line: number, code: string, work: () => unknown): Promise<void> {
  checked++
  const found = await Promise.resolve().then(work).then(() => 'resolved', (error) => error.code)
  if (found !== code) throw new Error(\`README.md:\${line} says it rejects with \${code}, and it is \${found}\`)
}
`

describe('README.md', { timeout: 60_000 }, () => {
  let promises: number

  before(async () => {
    const source = await readFile(join(packageFolder, '../README.md'), 'utf8')
    const { text, count } = toProgram(source)
    promises = count
    await mkdir(folder, { recursive: true })
    await writeFile(program, text)
  })

  test('opens with the two commands and an example of at most 10 lines', async () => {
    const source = await readFile(join(packageFolder, '../README.md'), 'utf8')
    const [commands, example] = [...source.matchAll(/```(\w+)\n(.*?)```/gs)]
    assert.match(commands![2]!, /^make demo .*\nmake test .*\n$/)
    assert.equal(example![1], 'ts')
    assert.ok(example![2]!.trimEnd().split('\n').length <= 10)
  })

  test('type-checks', async () => {
    const tsc = join(packageFolder, 'node_modules/typescript/bin/tsc')
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,esnext.disposable,dom']
    // The folder's own tsconfig is for the sources, not for a user's program.
    await run(process.execPath, [tsc, '--ignoreConfig', ...options, program]).catch((error: { stdout: string }) => assert.fail(error.stdout))
  })

  test('keeps its promises in Node', async () => {
    const { stdout } = await run(process.execPath, ['--import', 'tsx', program], { cwd: packageFolder })
    assert.equal(stdout.trim().split('\n').at(-1), `kept ${promises}`)
  })

  test('keeps its promises in Chromium', async () => {
    const bundle = await esbuild.build({ entryPoints: [program], bundle: true, format: 'esm', target: 'es2022', write: false })
    const site = await serve({
      '/': '<!doctype html><meta charset="utf-8"><script type="module" src="/app/readme.js"></script>',
      '/app/readme.js': bundle.outputFiles[0]!.text,
      '/app/': { folder: join(packageFolder, 'dist') },
    })
    const browser = await launchChromium()
    try {
      const page = await openPage(await browser.newContext(), site.origin)
      assert.equal(await waitForValue(page, () => (globalThis as { kept?: number }).kept), promises)
    } finally {
      await browser.close()
      await site.close()
    }
  })
})

/** The TypeScript blocks of a Markdown text as one program that checks itself, and how many checks it makes. */
function toProgram(markdown: string): { text: string; count: number } {
  const imports: string[] = []
  const body: string[] = []
  let count = 0
  let inside = false
  let statement = ''

  for (const [index, line] of markdown.split('\n').entries()) {
    if (!inside || line === '```') {
      inside = line === '```ts'
      continue
    }
    if (line.startsWith('import ')) {
      imports.push(line)
      continue
    }
    // A statement spans lines until one that closes at the margin.
    statement += `${line}\n`
    if (line === '' || /^\s/.test(line) || /[[({`]$/.test(line)) continue

    const [, value] = / \/\/ → (.+)$/.exec(line) ?? []
    const [, code] = / \/\/ rejects (\w+)$/.exec(line) ?? []
    const expression = statement.replace(/ \/\/ (→|rejects) .+\n$/, '').replace(/^console\.log\((.*)\)$/s, '$1')
    statement = ''
    if (value !== undefined) body.push(`;check(${index + 1}, ${expression}, ${value})`)
    else if (code !== undefined) body.push(`;await checkRejects(${index + 1}, '${code}', async () => ${expression})`)
    else body.push(`;${expression}`)
    if (value !== undefined || code !== undefined) count++
  }
  const text = [...imports, checks, ...body, `Object.assign(globalThis, { kept: checked })`, 'console.log(`kept ${checked}`)', 'export {}', ''].join('\n')
  return { text, count }
}
