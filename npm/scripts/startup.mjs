/**
 * Prints what starting the built package costs, in Node and in Chromium. Fails
 * if a figure is above "startupBudgets" in package.json:
 *
 *     node npm/scripts/startup.mjs
 *
 * "compile" is the time from the bytes of the first module to a compiled one, and "ready" from making an instance of it
 * to the first open database; "memory" is its linear memory then. "visit" is the time that the first open()
 * takes in all: in a page, the download from a server on this machine is in it. Each sample is a new process or a
 * new page. The best sample counts: the others differ only in what else the
 * machine was doing.
 */
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { chromium } from 'playwright-core'
import { chromiumArguments, chromiumPath } from './chromium.mjs'

const samples = 9
const npm = new URL('..', import.meta.url)
const { startupBudgets: budgets } = JSON.parse(await readFile(new URL('package.json', npm), 'utf8'))

/** Takes one sample, in the host that runs it; `read` returns the bytes of a file in dist/. */
async function probe(dist, read) {
  const { instantiate } = WebAssembly
  let instance
  let instantiating
  WebAssembly.instantiate = async (...args) => {
    instantiating ??= performance.now()
    return (instance ??= await instantiate(...args))
  }
  const { AtomicDB, MemoryStorage } = await import(`${dist}index.js`)
  const bytes = await read(`${dist}atomicdb-first.wasm`)
  const began = performance.now()
  await WebAssembly.compile(bytes)
  const compiled = performance.now()
  await AtomicDB.open('startup', { storage: new MemoryStorage() })
  const ready = performance.now()
  return { compileMs: compiled - began, readyMs: ready - instantiating, visitMs: ready - compiled, memoryMiB: instance.exports.mem.buffer.byteLength / 2 ** 20 }
}

function inNode() {
  const program = `
    import { readFile } from 'node:fs/promises'
    ${probe}
    console.log(JSON.stringify(await probe('${new URL('dist/', npm)}', (url) => readFile(new URL(url)))))`
  return Array.from({ length: samples }, () =>
    JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })),
  )
}

async function inChromium() {
  const types = { js: 'text/javascript', wasm: 'application/wasm' }
  const server = createServer(async (request, response) => {
    const [, file, type] = /^\/(dist\/[\w-]+\.(js|wasm))$/.exec(request.url) ?? []
    response.setHeader('Content-Type', types[type] ?? 'text/html')
    response.end(file ? await readFile(new URL(file, npm)) : '<!doctype html>')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${server.address().port}/`
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArguments })
  try {
    const measured = []
    while (measured.length < samples) {
      const context = await browser.newContext()
      const page = await context.newPage()
      await page.goto(origin)
      const read = async (url) => (await fetch(url)).arrayBuffer()
      measured.push(await page.evaluate(`(${probe})('/dist/', ${read})`))
      await context.close()
    }
    return measured
  } finally {
    await browser.close()
    server.close()
  }
}

let over = 0
for (const [host, measured] of [['Node', inNode()], ['Chromium', await inChromium()]]) {
  const cells = Object.keys(measured[0]).map((name) => {
    const value = Math.min(...measured.map((m) => m[name]))
    const budget = budgets[name]
    const isOver = value > budget
    if (isOver) over++
    return `${name} ${value.toFixed(1)}${budget === undefined ? '' : ` of ${budget}`}${isOver ? ' OVER' : ''}`
  })
  console.log(host.padEnd(10), cells.join(', '))
}
if (over > 0) process.exit(1)
