// Runs a Go test binary that is built for js/wasm in a page of a real Chromium:
//
//   GOOS=js GOARCH=wasm go test -exec "node $PWD/npm/scripts/go-test-chromium.mjs" ./storage/...
//
// The page gets two functions that need the browser's debugger. Each returns a
// promise:
//
//   setQuota(bytes)   limits what this origin may store; no argument lifts the limit
//   clearStorage()    deletes the origin's data, as a user does in the settings
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { chromiumArguments, chromiumPath } from './chromium.mjs'

const [binary, ...args] = process.argv.slice(2)
if (!binary) {
  console.error('usage: go-test-chromium.mjs <test binary> [argument]...')
  process.exit(2)
}

// These flags name files to write, and a page has none.
const needsFiles = /^-test\.(testlogfile|gocoverdir|coverprofile|cpuprofile|memprofile|blockprofile|mutexprofile|trace|outputdir)\b/

/** The page. Its file system answers every call with "no such file". */
const page = `<!doctype html><meta charset="utf-8"><title>go test</title><link rel="icon" href="data:,">
<script>
  const missing = () => Object.assign(new Error('no such file or directory'), { code: 'ENOENT' })
  const answer = (...args) => args.at(-1)(missing())
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() }
  globalThis.fs = new Proxy({
    constants: { O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_TRUNC: 512, O_APPEND: 1024, O_EXCL: 128, O_DIRECTORY: 65536 },
    writeSync(fd, bytes) { print(fd, decoders[fd].decode(bytes, { stream: true })); return bytes.length },
    write(fd, bytes, offset, length, position, done) { done(null, this.writeSync(fd, bytes.subarray(offset, offset + length))) },
    fsync(fd, done) { done(null) },
  }, { get: (target, name) => target[name] ?? answer })
</script>
<script src="/wasm_exec.js"></script>
<script type="module">
  const { args, env } = await (await fetch('/run.json')).json()
  const go = new Go()
  go.argv = ['test', ...args]
  go.env = env
  go.exit = exit
  const { instance } = await WebAssembly.instantiateStreaming(fetch('/test.wasm'), go.importObject)
  await go.run(instance)
</script>`

const goroot = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim()
const files = {
  '/': ['text/html', page],
  '/wasm_exec.js': ['text/javascript', await readFile(join(goroot, 'lib/wasm/wasm_exec.js'))],
  '/test.wasm': ['application/wasm', await readFile(binary)],
  '/run.json': ['application/json', JSON.stringify({
    args: args.filter((arg) => !needsFiles.test(arg)),
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => /^GO(DEBUG|TRACEBACK|MAXPROCS)$/.test(name))),
  })],
}
const server = createServer((request, response) => {
  const [type, body] = files[new URL(request.url, 'http://127.0.0.1').pathname] ?? ['text/plain', undefined]
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body)
})
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const origin = `http://127.0.0.1:${server.address().port}`

const browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArguments })
// go test ends a run that takes too long with SIGQUIT.
process.on('SIGQUIT', () => browser.close().finally(() => process.exit(2)))

const context = await browser.newContext()
const tab = await context.newPage()
const debug = await context.newCDPSession(tab)
const code = await new Promise((resolve) => {
  const fail = (why) => {
    console.error(`go-test-chromium: ${why}`)
    resolve(2)
  }
  tab.on('crash', () => fail('the page has crashed'))
  tab.on('pageerror', (error) => fail(error.stack || error))
  tab.on('console', (message) => process.stderr.write(message.text() + '\n'))
  const offer = (name, offered) => tab.exposeFunction(name, offered)
  Promise.all([
    offer('print', (fd, text) => { (fd === 2 ? process.stderr : process.stdout).write(text) }),
    offer('exit', resolve),
    offer('setQuota', (quotaSize) => debug.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: quotaSize ?? undefined })),
    offer('clearStorage', () => debug.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' })),
  ]).then(() => tab.goto(origin + '/')).catch(fail)
})
await browser.close()
process.exit(code)
