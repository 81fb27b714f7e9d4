// The sources of the wasm, and the state of the host after loading it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { compiled } from '../src/load.js'
import { launchChromium, openPage } from './harness/chromium.js'
import { packageFolder, serveProduct } from './harness/site.js'

const run = promisify(execFile)
const wasm = new URL('dist/atomicdb.wasm', pathToFileURL(packageFolder))

describe('the wasm is compiled', { timeout: 180_000 }, () => {
  let bytes: Buffer<ArrayBuffer>
  let origin: string
  const server = createServer((request, response) => {
    const type = request.url!.slice(1)
    if (type === 'missing') response.writeHead(404).end()
    else if (type === 'page') response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>')
    else response.writeHead(200, type === 'none' ? {} : { 'Content-Type': type }).end(bytes)
  })

  before(async () => {
    bytes = (await readFile(wasm)) as Buffer<ArrayBuffer>
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  })
  after(() => new Promise((resolve) => server.close(resolve)))

  const sources: Record<string, () => Promise<Parameters<typeof compiled>[0]>> = {
    'a file’s URL': async () => wasm,
    'a file’s URL as text': async () => wasm.href,
    'a file’s path': async () => fileURLToPath(wasm),
    'bytes': async () => bytes,
    'an ArrayBuffer': async () => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    'a module': () => WebAssembly.compile(bytes),
    'a web address': async () => new URL(`${origin}application/wasm`),
    'a web address as text': async () => `${origin}application/wasm`,
    'a response': () => fetch(`${origin}application/wasm`),
    'a response of another type': () => fetch(`${origin}text/plain`),
    'a response of no type': () => fetch(`${origin}none`),
  }
  for (const [name, source] of Object.entries(sources)) {
    test(`from ${name}`, async () => {
      const { module } = await compiled(await source())
      assert.ok(WebAssembly.Module.exports(module).some(({ name }) => name === 'adb_call'))
    })
  }

  const wrong: [name: string, source: unknown, message: RegExp][] = [
    ['an address that is missing', 'missing', /missing answered 404/],
    ['an address that answers with a page', 'page', /^options\.wasm: .*\/page answered with an HTML page and not with WebAssembly$/],
    ['a file that is missing', '/no/such/file.wasm', /ENOENT/],
    ['bytes that are no wasm', Uint8Array.of(1, 2, 3, 4), /WebAssembly\.compile/],
    ['a number', 5, /^options\.wasm: expected a WebAssembly\.Module, its bytes, a Response, a URL or a string, not 5$/],
    ['null', null, /not null$/],
  ]
  for (const [name, source, message] of wrong) {
    test(`never from ${name}`, async () => {
      const from = source === 'missing' || source === 'page' ? origin + source : source
      await assert.rejects(compiled(from as never), (error: { code: string; message: string }) => {
        assert.equal(error.code, 'invalid')
        assert.match(error.message, message)
        return true
      })
    })
  }
})

describe('the built package', { timeout: 180_000 }, () => {
  const inNode = async (program: string, ...flags: string[]) => {
    const { stdout } = await run(process.execPath, [...flags, '--input-type=module', '-e', program], { cwd: packageFolder, timeout: 30_000 })
    return stdout.trim()
  }

  test('leaves no global behind and changes none', async () => {
    const program = `
      const before = Object.getOwnPropertyDescriptors(globalThis)
      const { AtomicDB } = await import('atomicdb')
      const db = await AtomicDB.open()
      await db.insert({ n: 1 })
      const after = Object.getOwnPropertyDescriptors(globalThis)
      // A getter that has become a value is Node's doing: Node makes some globals when they are first used.
      const changed = Object.keys(after).filter((name) => !before[name] || 'value' in before[name] && !Object.is(before[name].value, after[name].value))
      console.log(JSON.stringify(changed))`
    assert.equal(await inNode(program), '[]')
  })

  // Rollup indents what it puts into a function, and with it the second half of a text that goes on in the next line.
  test('has no text that goes on in another line, and no line that fills a terminal', async () => {
    for (const name of ['index.js', 'worker.js', 'testing.js']) {
      const lines = (await readFile(join(packageFolder, 'dist', name), 'utf8')).split('\n')
      assert.deepEqual(lines.filter((line) => line.endsWith('\\')), [], name)
      assert.ok(Math.max(...lines.map(({ length }) => length)) < 4000, name)
    }
  })

  test('runs where eval is not allowed', async () => {
    const program = `
      const { AtomicDB } = await import('atomicdb')
      const db = await AtomicDB.open()
      await db.insertMany([{ n: 1 }, { n: 2 }])
      let forbidden = false
      try { new Function('return 1')() } catch { forbidden = true }
      console.log(await db.count('n > 1'), forbidden)`
    assert.equal(await inNode(program, '--disallow-code-generation-from-strings'), '1 true')
  })

  test('lets Node exit when nothing is left to do', async () => {
    const program = `
      const { AtomicDB } = await import('atomicdb')
      await (await AtomicDB.open()).insert({ n: 1 })
      console.log('done')`
    assert.equal(await inNode(program), 'done')
  })

  test('lets Node exit while a database over an IndexedDB of JavaScript is open', async () => {
    const program = `
      await import('fake-indexeddb/auto')
      const { AtomicDB } = await import('atomicdb')
      const db = await AtomicDB.open('left open')
      await db.insert({ n: 1 })
      console.log(await db.count())`
    assert.equal(await inNode(program), '1')
  })

  test('uses the given wasm for storages that need an engine too, whether or not the database is in a worker', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'atomicdb-load-'))
    try {
      const program = `
        import { readFile } from 'node:fs/promises'
        const { AtomicDB, JSONStorage } = await import('atomicdb')
        const wasm = await readFile(new URL(import.meta.resolve('atomicdb/atomicdb.wasm')))
        const { compile } = WebAssembly
        WebAssembly.compile = async (bytes) => {
          // Node compiles small ones of its own.
          if (bytes !== wasm && bytes.length > 1e6) throw new Error('another engine was compiled')
          return compile(bytes)
        }
        for (const worker of [true, false]) {
          const db = await AtomicDB.open('a', { wasm, worker, storage: new JSONStorage(${JSON.stringify(join(folder, 'a.json'))}) })
          await db.insert({})
          console.log(await db.count())
          await db.close()
        }`
      assert.equal(await inNode(program), '1\n2')
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('loads one engine for many databases, and tries again after a failure', async () => {
    const program = `
      const { AtomicDB } = await import('atomicdb')
      const codes = []
      await AtomicDB.open('a', { wasm: '/no/such/file' }).catch((error) => codes.push(error.code))
      const { compile } = WebAssembly
      let compilations = 0
      WebAssembly.compile = (...args) => (compilations++, compile(...args))
      const dbs = await Promise.all(['a', 'b', 'c'].map((name) => AtomicDB.open(name)))
      await dbs[0].insert({ n: 1 })
      console.log(codes, compilations, await Promise.all(dbs.map((db) => db.count())))`
    assert.equal(await inNode(program), `[ 'invalid' ] 1 [ 1, 0, 0 ]`)
  })
})

describe('in a page with a strict Content-Security-Policy', { timeout: 180_000 }, () => {
  /** The result of a program in a page whose policy allows scripts of its own origin, and `more`. */
  async function answerUnder(more: string): Promise<unknown> {
    const site = await serveProduct({
      '/strict': `<!doctype html><meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; connect-src 'self'; script-src 'self' ${more}">
        <script type="module" src="/strict.js"></script>`,
      '/strict.js': `import * as atomicdb from '/dist/index.js'\nglobalThis.atomicdb = atomicdb`,
    })
    const browser = await launchChromium()
    try {
      const page = await openPage(await browser.newContext(), `${site.origin}/strict`)
      return await page.evaluate(async () => {
        try {
          const db = await atomicdb.AtomicDB.open('strict')
          await db.insert({ n: 1 })
          return await db.count('n = 1')
        } catch (error) {
          return (error as { code: string }).code
        }
      })
    } finally {
      await browser.close()
      await site.close()
    }
  }

  test('it runs if WebAssembly is allowed', async () => {
    assert.equal(await answerUnder("'wasm-unsafe-eval'"), 1)
  })

  test('it is unsupported otherwise', async () => {
    assert.equal(await answerUnder(''), 'unsupported')
  })
})
