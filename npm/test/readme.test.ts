// README and the manual cannot lie: the TypeScript of each page is one program, which is type-checked, and run in Node and
// in Chromium. Blocks in other languages run too, here or in the test that `ranElsewhere` names.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import * as esbuild from 'esbuild'
import type { Browser } from 'playwright-core'
import { launchChromium, openPage, waitForValue } from './harness/chromium.js'
import { blockOf, blocksOf, check, manual, page, programOf, type Program } from './harness/pages.js'
import { packageFolder, serve } from './harness/site.js'

const run = promisify(execFile)
// Inside the package, so that its own name resolves to what was built.
const folder = join(packageFolder, '.build/readme')
const pages = manual()
const programs = { node: programsOf(true), chromium: programsOf(false) }
const checks = (programs: Program[]) => programs.reduce((sum, { checks }) => sum + checks, 0)

function programsOf(inNode: boolean): Program[] {
  return pages.flatMap((page) => programOf(page, inNode) ?? [])
}

/** The program that runs those of a host one after the other, and says how many checks they made. */
function runner(programs: Program[]): string {
  const imports = programs.map(({ path }) => `await import('./${fileOf(path)}').catch((error) => faults.push('${path}: ' + error.message))`)
  return ['const faults: string[] = []', ...imports, "if (faults.length > 0) throw new Error(faults.join('\\n'))", "const { checked } = await import('./check.js')", 'Object.assign(globalThis, { kept: checked })', 'console.log(`kept ${checked}`)', 'export {}', ''].join('\n')
}

const fileOf = (path: string) => path.replaceAll(/[/.]/g, '-') + '.js'

describe('README and the manual', { timeout: 900_000 }, () => {
  let browser: Browser

  before(async () => {
    await rm(folder, { recursive: true, force: true })
    for (const [host, all] of Object.entries(programs)) {
      await mkdir(join(folder, host), { recursive: true })
      await writeFile(join(folder, host, 'check.ts'), check)
      await writeFile(join(folder, host, 'all.ts'), runner(all))
      for (const { path, text } of all) await writeFile(join(folder, host, fileOf(path).replace(/js$/, 'ts')), text)
    }
    browser = await launchChromium()
  })
  after(() => browser.close())

  test('README opens with the install line and an example of at most 10 lines', () => {
    const [install, example] = blocksOf(page('README.md'))
    assert.equal(install!.text, 'npm install atomicdb\n')
    assert.equal(example!.info, 'ts')
    assert.ok(example!.text.trimEnd().split('\n').length <= 10)
  })

  test('README is short', () => {
    const prose = page('README.md').text.replaceAll(/^```.*?^```$/gms, '').replace(/<!-- from.*?<!-- end -->/s, '')
    assert.ok(prose.split(/\s+/).length < 1_500, 'what is longer belongs to demo/docs')
  })

  test('every page of an error code is there', async () => {
    const declared = await readFile(join(packageFolder, 'src/atomicdb-error.ts'), 'utf8')
    const index = page('demo/docs/errors/index.md').text
    const codes = [...index.matchAll(/^\| \[`(\w+)`\]/gm)].map(([, code]) => code!)
    assert.deepEqual([...codes].sort(), [...declared.matchAll(/^  \| '(\w+)'/gm)].map(([, code]) => code!).sort())
    for (const code of codes) assert.match(page(`demo/docs/errors/${code}.md`).text, new RegExp(`^# \`${code}\`\n`))
  })

  test('type-check', async () => {
    const tsc = join(packageFolder, 'node_modules/typescript/bin/tsc')
    const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,esnext.disposable,dom', '--types', 'node', '--skipLibCheck']
    // The folder's own tsconfig is for the sources, not for a user's program.
    await run(process.execPath, [tsc, '--ignoreConfig', ...options, join(folder, 'node/all.ts')]).catch((error: { stdout: string }) => assert.fail(error.stdout))
  })

  test('keep their promises in Node', async () => {
    const files = await mkdtemp(join(tmpdir(), 'atomicdb-manual-'))
    const tsx = join(packageFolder, 'node_modules/tsx/dist/loader.mjs')
    const { stdout } = await run(process.execPath, ['--import', tsx, join(folder, 'node/all.ts')], { cwd: files }).finally(() => rm(files, { recursive: true }))
    assert.equal(stdout.trim().split('\n').at(-1), `kept ${checks(programs.node)}`)
  })

  test('keep their promises in Chromium', async () => {
    const bundle = await esbuild.build({ entryPoints: [join(folder, 'chromium/all.ts')], bundle: true, format: 'esm', target: 'es2022', write: false, splitting: true, outdir: join(folder, 'site') })
    const scripts = Object.fromEntries(bundle.outputFiles.map(({ path, text }) => [`/app/${path.slice(join(folder, 'site').length + 1)}`, text]))
    const site = await serve({ '/': '<!doctype html><meta charset="utf-8"><script type="module" src="/app/all.js"></script>', ...scripts, '/app/': { folder: join(packageFolder, 'dist') } })
    try {
      const page = await openPage(await browser.newContext(), site.origin)
      assert.equal(await waitForValue(page, () => (globalThis as { kept?: number }).kept), checks(programs.chromium))
    } finally {
      await site.close()
    }
  })

  test('the page from a CDN works in two tabs, from an origin of its own', async () => {
    const cdn = await serve({ '/npm/atomicdb@0.1.0/dist/': { folder: join(packageFolder, 'dist') } }, { 'Access-Control-Allow-Origin': '*' })
    const text = blockOf('README.md', 'html')
    assert.match(text, /'https:\/\/cdn\.jsdelivr\.net\/npm\/atomicdb@0\.1\.0\/dist\/index\.js'/)
    const site = await serve({ '/': text.replace('https://cdn.jsdelivr.net', cdn.origin) })
    try {
      const context = await browser.newContext()
      const [first, second] = [await openPage(context, site.origin), await openPage(context, site.origin)]
      await first.locator('input').fill('milk')
      await first.getByText('Add').click()
      for (const tab of [first, second]) await tab.locator('li').getByText('milk').waitFor()
      await second.reload()
      await second.locator('li').getByText('milk').waitFor()
    } finally {
      await site.close()
      await cdn.close()
    }
  })

  test("README's program in React works", async () => {
    const program = `${blockOf('README.md', 'jsx')}\nimport { createRoot } from 'react-dom/client'\ncreateRoot(document.querySelector('main')).render(<App />)`
    const bundle = await esbuild.build({ stdin: { contents: program, loader: 'jsx', resolveDir: packageFolder }, bundle: true, format: 'esm', jsx: 'automatic', write: false })
    const site = await serve({ '/': '<!doctype html><meta charset="utf-8"><main></main><script type="module" src="/app/app.js"></script>', '/app/app.js': bundle.outputFiles[0]!.text, '/app/': { folder: join(packageFolder, 'dist') } })
    try {
      const page = await openPage(await browser.newContext(), site.origin)
      await page.getByText('Add').click()
      await page.getByText('Another note 0').click()
      await page.getByText('Another note 1').waitFor()
    } finally {
      await site.close()
    }
  })

  test('the commands in a terminal do what they say', async () => {
    const files = await mkdtemp(join(tmpdir(), 'atomicdb-commands-'))
    const command = join(packageFolder, 'dist/cli.js')
    try {
      await writeFile(join(files, 'people.csv'), 'name,age,city\nAda,36,Oslo\nKim,12,Oslo\n')
      let ran = 0
      for (const page of pages) {
        for (const { info, text } of blocksOf(page)) {
          if (info !== 'sh') continue
          for (const line of text.trim().split('\n')) {
            if (/^(npm install |make |npx serve|npx atomicdb serve )/.test(line)) continue // serve.test.ts serves
            assert.match(line, /^npx atomicdb /, `${page.path}: ${line}: no test runs it`)
            await run('bash', ['-ec', line.replace('npx atomicdb', `'${process.execPath}' '${command}'`)], { cwd: files })
            ran++
          }
        }
      }
      assert.ok(ran > 0)
    } finally {
      await rm(files, { recursive: true })
    }
  })

  test('the JavaScript of Cloudflare compiles', async () => {
    for (const page of pages) {
      for (const { info, text, line } of blocksOf(page)) {
        if (info !== 'js') continue
        // A method of a class, and calls after it, are shown without the class.
        const isMethod = text.startsWith('async backup() {')
        const [method, rest] = isMethod ? [text.slice(0, text.indexOf('\n}\n') + 3), text.slice(text.indexOf('\n}\n') + 3)] : ['', text]
        await esbuild.transform(`${isMethod ? `class Shown {\n${method}}\n` : ''}${rest}`, { loader: 'js', format: 'esm' }).catch((error) => assert.fail(`${page.path}:${line}: ${error.message}`))
      }
    }
  })

  test('what wrangler is given names the class of the Durable Object, as demo/worker does', async () => {
    const given = JSON.parse(blockOf('demo/docs/guide/cloudflare.md', 'json')) as Record<string, any>
    const demo = JSON.parse(await readFile(join(packageFolder, '../demo/worker/wrangler.jsonc'), 'utf8')) as Record<string, any>
    const [binding] = given.durable_objects.bindings
    assert.deepEqual(given.migrations[0].new_sqlite_classes, [binding.class_name])
    assert.equal(given.compatibility_date, demo.compatibility_date)
    const { text } = page('demo/docs/guide/cloudflare.md')
    assert.match(text, new RegExp(`export class ${binding.class_name} extends AtomicDurableObject`))
    assert.match(text, new RegExp(`env\\.${binding.name}\\.`))
  })

  test('every block is run by a test', () => {
    const here = ['ts', 'ts node', 'sh', 'js', 'json', 'html']
    for (const page of pages) {
      for (const { info, line } of blocksOf(page)) {
        const test = ranElsewhere[page.path] ?? (page.path === 'README.md' && info === 'jsx' ? 'here' : undefined)
        assert.ok(here.includes(info) || test, `${page.path}:${line}: no test runs a block of '${info}'`)
      }
    }
  })
})

/** The pages whose other blocks a test of their own runs. */
const ranElsewhere: Record<string, string> = {
  'demo/docs/guide/react.md': 'react.test.ts',
  'demo/docs/guide/frameworks.md': 'frameworks.test.ts',
  'demo/docs/guide/bundlers.md': 'csp.test.ts', // its header
  'demo/docs/guide/go.md': 'storage/typed/example_test.go',
}
