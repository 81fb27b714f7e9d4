// The package as it would be published: packed, installed elsewhere, and started in every way the manual names.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import * as esbuild from 'esbuild'
import type { Browser } from 'playwright-core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import * as vite from 'vite'
import { launchChromium, openPage, waitForValue } from './harness/chromium.js'
import { installPacked, type Consumer } from './harness/packed.js'
import { packageFolder, serve, type Content } from './harness/site.js'
import { showsPlainTypes, typeCheck, typeCheckWorker, typeScriptSettings, workerSettings } from './harness/typescript.js'

const run = promisify(execFile)

// A user's program. It ends with the one line that shows that the engine ran.
const program = `
import { AtomicDB } from 'atomicdb'
const db = await AtomicDB.open('packed')
await db.insertMany([{ name: 'Ada', age: 36 }, { name: 'Kim', age: 12 }])
const adults = await db.search(db.query().age.gte(18))
const own = await AtomicDB.open('packed too', { worker: true })
await own.insert({ name: 'Bob' })
const all = await AtomicDB.open('packed three', { worker: 'shared' })
await all.insert({ name: 'Eve' })
const answer = [...adults, await own.get(1), await all.get(1)].map((d) => d.name).join() + ' ' + all.worker
await own.close()
await all.close()
Object.assign(globalThis, { answer })
console.log(answer)
`
const answer = 'Ada,Bob,Eve shared'
/** Where pages cannot share a worker. */
const unsharedAnswer = 'Ada,Bob,Eve true'

const html = (script: string) => `<!doctype html><meta charset="utf-8"><script type="module" src="${script}"></script>`

describe('the packed package', { timeout: 540_000 }, () => {
  let consumer: Consumer
  let browser: Browser

  before(async () => {
    consumer = await installPacked()
    browser = await launchChromium()
  })
  after(async () => {
    await browser.close()
    await consumer[Symbol.asyncDispose]()
  })

  /** Loads `address` in a fresh profile and returns the program's answer. */
  async function answerOf(address: string): Promise<string> {
    const context = await browser.newContext()
    try {
      const page = await openPage(context, address)
      // Bundlers may make a top-level await outlast the load event.
      return await waitForValue(page, () => (globalThis as { answer?: string }).answer)
    } finally {
      await context.close()
    }
  }

  async function answerOfSite(content: Record<string, Content>): Promise<string> {
    const site = await serve(content)
    try {
      return await answerOf(site.origin)
    } finally {
      await site.close()
    }
  }

  test('runs in Node', async () => {
    assert.equal(await consumer.node(await consumer.write('node.js', program)), unsharedAnswer)
  })

  test('has classes of the names that it exports them by', async () => {
    const program = "import * as all from 'atomicdb'; for (const [name, value] of Object.entries(all)) if (value.name !== name) console.log(name, value.name)"
    assert.equal(await consumer.node(await consumer.write('names.js', program)), '')
  })

  test('has the contract of storages', async () => {
    const claims = await consumer.node(await consumer.write('contract.js', `
      import { MemoryStorage } from 'atomicdb'
      import { contract } from 'atomicdb/testing'
      for (const { name, run } of contract) {
        const storage = new MemoryStorage()
        await run(() => storage).catch((error) => console.log(name, error))
      }
    `))
    assert.equal(claims, '')
  })

  test('runs from static files in a page with a module script', async () => {
    const plain = program.replace(`'atomicdb'`, `'/node_modules/atomicdb/dist/index.js'`)
    const found = await answerOfSite({
      '/': html('/main.js'),
      '/main.js': plain,
      '/node_modules/': { folder: join(consumer.folder, 'node_modules') },
    })
    assert.equal(found, answer)
  })

  test('runs from another origin, as a CDN is', async () => {
    const cdn = await serve({ '/atomicdb/': { folder: join(consumer.folder, 'node_modules/atomicdb') } })
    try {
      const main = program.replace(`'atomicdb'`, `'${cdn.origin}/atomicdb/dist/index.js'`)
      assert.equal(await answerOfSite({ '/': html('/main.js'), '/main.js': main }), unsharedAnswer)
    } finally {
      await cdn.close()
    }
  })

  test('runs as an esbuild bundle beside its wasm', async () => {
    const folder = join(consumer.folder, 'esbuild')
    await mkdir(folder)
    await esbuild.build({
      entryPoints: [await consumer.write('main.js', program)],
      outdir: folder,
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
    })
    for (const name of ['atomicdb.wasm', 'worker.js']) await copyFile(join(consumer.folder, 'node_modules/atomicdb/dist', name), join(folder, name))
    assert.equal(await answerOfSite({ '/': html('/app/main.js'), '/app/': { folder } }), answer)
  })

  test('runs as an esbuild bundle that is no ES module, beside its wasm', async () => {
    const folder = join(consumer.folder, 'esbuild-iife')
    await mkdir(folder)
    await bundled(folder)
    for (const name of ['atomicdb.wasm', 'worker.js']) await copyFile(join(consumer.folder, 'node_modules/atomicdb/dist', name), join(folder, name))
    const page = '<!doctype html><meta charset="utf-8"><script src="/app/iife.js"></script>'
    assert.equal(await answerOfSite({ '/': page, '/app/': { folder } }), answer)
  })

  test('says what was fetched and what to do if the wasm is not there', async () => {
    const folder = join(consumer.folder, 'esbuild-alone')
    await mkdir(folder)
    await bundled(folder)
    const page = '<!doctype html><meta charset="utf-8"><script src="/app/iife.js"></script>'
    assert.match(await answerOfSite({ '/': page, '/app/': { folder }, '/app/atomicdb.wasm': page }), /^unsupported: the engine could not be loaded: http:\S+\/app\/atomicdb\.wasm: .*magic word.*\. Serve atomicdb\.wasm/)
    assert.match(await answerOfSite({ '/': page, '/app/': { folder } }), /^unsupported: the engine could not be loaded: http:\S+\/app\/atomicdb\.wasm answered 404\. Serve/)
    const script = await readFile(join(folder, 'iife.js'), 'utf8')
    const unknown = `<!doctype html><meta charset="utf-8"><script>${script}</script>`
    assert.match(await answerOfSite({ '/': unknown }), /^unsupported: the engine could not be loaded: this bundle does not know its own address\. .*to open\(\) as wasm$/)
  })

  describe('with the wasm in the JavaScript', () => {
    /** A bundle that is no ES module, as one text: it can be in a page, in a worker or in a userscript. */
    async function oneText(): Promise<string> {
      const folder = join(consumer.folder, 'esbuild-inline')
      await mkdir(folder, { recursive: true })
      await bundled(folder, 'atomicdb/inline')
      return readFile(join(folder, 'iife.js'), 'utf8')
    }

    test('runs as one script that has no address and loads nothing', async () => {
      assert.equal(await answerOfSite({ '/': `<!doctype html><meta charset="utf-8"><script>${await oneText()}</script>` }), unsharedAnswer)
    })

    test('runs in a page that is opened from the disk', async () => {
      const page = await consumer.write('page.html', `<!doctype html><meta charset="utf-8"><script>${await oneText()}</script>`)
      assert.equal(await answerOf(pathToFileURL(page).href), unsharedAnswer)
    })

    test('runs in a worker that is no ES module', async () => {
      const page = `<!doctype html><meta charset="utf-8"><script>
        const worker = new Worker('/worker.js')
        worker.onmessage = ({ data }) => (globalThis.answer = data)
      </script>`
      assert.equal(await answerOfSite({ '/': page, '/worker.js': `${await oneText()}\nconst wait = setInterval(() => globalThis.answer && (clearInterval(wait), postMessage(answer)), 10)` }), unsharedAnswer)
    })

    test('runs from another origin that has neither the wasm nor worker.js', async () => {
      const dist = join(consumer.folder, 'node_modules/atomicdb/dist')
      const file = (name: string) => readFile(join(dist, name), 'utf8')
      const cdn = await serve({ '/inline.js': await file('inline.js'), '/index.js': await file('index.js') })
      try {
        const main = program.replace(`'atomicdb'`, `'${cdn.origin}/inline.js'`)
        assert.equal(await answerOfSite({ '/': html('/main.js'), '/main.js': main }), unsharedAnswer)
      } finally {
        await cdn.close()
      }
    })

    test('runs in Node, with the classes that hooks know', async () => {
      const folder = join(consumer.folder, 'inline')
      await mkdir(folder)
      for (const name of ['inline.js', 'index.js']) await copyFile(join(consumer.folder, 'node_modules/atomicdb/dist', name), join(folder, name))
      await consumer.write('inline/package.json', '{ "type": "module" }')
      assert.equal(await consumer.node(await consumer.write('inline/node.js', program.replace(`'atomicdb'`, `'./inline.js'`))), unsharedAnswer)
      assert.equal(await consumer.node(await consumer.write('same.js', "import { AtomicDB } from 'atomicdb'\nimport * as inline from 'atomicdb/inline'\nconsole.log(AtomicDB === inline.AtomicDB)")), 'true')
    })
  })

  async function bundled(outdir: string, name = 'atomicdb'): Promise<void> {
    const asynchronous = `(async () => {${program.replace(/^import.*$/m, '')}})().catch(({ code, message }) => (globalThis.answer = code + ': ' + message))`
    const main = await consumer.write('iife.js', `import { AtomicDB } from '${name}'\n${asynchronous}`)
    await esbuild.build({ entryPoints: [main], outdir, bundle: true, minify: true, logLevel: 'error' }) // format: 'iife' is esbuild's own choice
  }

  test('runs as a Vite build', async () => {
    const root = await viteProject(consumer)
    await vite.build({ root, configFile: false, logLevel: 'error' })
    assert.equal(await answerOfSite({ '/': { folder: join(root, 'dist') } }), answer)
  })

  test('runs in Vite’s development server', async () => {
    const root = await viteProject(consumer)
    const server = await vite.createServer({ root, configFile: false, logLevel: 'error', server: { host: '127.0.0.1', port: 0 } })
    try {
      await server.listen()
      assert.equal(await answerOf(server.resolvedUrls!.local[0]!), answer)
    } finally {
      await server.close()
    }
  })

  describe('type-checks in a strict project, its declarations included', () => {
    const tsc = join(packageFolder, 'node_modules/typescript/bin/tsc')
    for (const settings of Object.keys(typeScriptSettings)) {
      test(settings, () => typeCheck(consumer, tsc, settings))
    }
    test('shows plain types', () => showsPlainTypes(consumer, tsc))
    for (const settings of Object.keys(workerSettings)) {
      test(`a Worker: ${settings}`, () => typeCheckWorker(consumer, tsc, settings))
    }
  })

  test('has no fault that publint knows', async () => {
    const { messages, pkg } = await publint({ pkgDir: packageFolder, strict: true })
    assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), [])
  })

  test('has no fault that attw knows', async () => {
    const attw = join(packageFolder, 'node_modules/.bin/attw')
    await run(attw, [consumer.tarball, '--profile', 'esm-only', '--no-color']).catch((error: { stdout: string }) => {
      assert.fail(error.stdout)
    })
  })
})

async function viteProject(consumer: Consumer): Promise<string> {
  await consumer.write('main.js', program)
  await consumer.write('index.html', html('/main.js'))
  return consumer.folder
}
