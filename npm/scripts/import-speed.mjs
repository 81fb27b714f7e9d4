/**
 * Measures importStream of 200 MB of NDJSON, 867,509 documents, with the built package:
 *
 *     node npm/scripts/import-speed.mjs [--chromium] [--storage memory|file|indexeddb|opfs] [--worker] [--export] [--floor]
 *         [--documents n]
 *
 * Prints the time on the clock, that of the processor, and how much larger the process was at its largest than just
 * before: of Node, or of the renderer of Chromium. --export then reads the documents as NDJSON, and measures that.
 * --floor reads the lines and gives each to JSON.parse, and does nothing else. Memory is told on Linux alone.
 */
import { spawn } from 'node:child_process'
import { createReadStream, readFileSync } from 'node:fs'
import { open, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    chromium: { type: 'boolean', default: false },
    storage: { type: 'string', default: 'memory' },
    worker: { type: 'boolean', default: false },
    export: { type: 'boolean', default: false },
    floor: { type: 'boolean', default: false },
    documents: { type: 'string', default: '867509' },
    file: { type: 'string' }, // of the documents, for the process that is measured
  },
})

/** The text of a document: text, numbers, an array and an object. */
function lineOf(n) {
  const pick = (list, salt) => list[(Math.imul(n ^ (salt << 20), 0x9e3779b1) >>> 8) % list.length]
  const number = (below, salt) => (Math.imul(n ^ (salt << 20), 0x85ebca6b) >>> 4) % below
  return `${JSON.stringify({
    name: `${pick(['Ada', 'Bjørn', 'Chloé', 'Dmitri', 'Eve', 'Farid'], 1)} ${pick(['Lovelace', 'Åberg', 'Martin', 'Petrov', 'Stone', 'Haddad'], 2)}`,
    email: `person${n}@example.com`,
    age: 18 + number(70, 3),
    score: number(100_000, 4) / 100,
    active: n % 3 > 0,
    joined: `2026-${10 + number(3, 5)}-${10 + number(19, 6)}T08:30:00Z`,
    tags: [pick(['red', 'green', 'blue'], 7), `t${number(100, 8)}`],
    note: 'lorem ipsum dolor sit'.slice(number(12, 9)),
    address: { city: pick(['Oslo', 'Bergen', 'Paris'], 10), zip: String(10_000 + number(90_000, 11)), lat: number(18_000_000, 12) / 100_000 - 90 },
  })}\n`
}

/** Runs in the process or the page that is measured. `make` returns a stream of the bytes. */
async function measure(index, make, { storage, worker, floor, isExport, file }, now) {
  let documents = 0
  if (floor) {
    await now('before')
    let rest = ''
    for await (const text of (await make()).pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      for (const line of lines) if (JSON.parse(line)) documents++
    }
    await now('after')
    return documents
  }
  const { AtomicDB, IndexedDBStorage, OPFSStorage, FileStorage } = await import(index)
  const storages = { indexeddb: () => new IndexedDBStorage('import-speed'), opfs: () => new OPFSStorage('import-speed'), file: () => new FileStorage(file) }
  const db = await AtomicDB.open('import-speed', { worker, ...(storages[storage] ? { storage: storages[storage]() } : { inMemory: true }) })
  await db.importStream('{"n":1}\n', { format: 'ndjson', collection: 'first' })
  if (!isExport) await now('before')
  documents = await db.importStream(await make(), { format: 'ndjson' })
  if (isExport) {
    await now('before')
    let bytes = 0
    for await (const chunk of db.exportStream({ format: 'ndjson' })) bytes += chunk.length
    if (bytes < 200 * documents) throw new Error(`the export has ${bytes} bytes`)
  }
  await now('after')
  await db.close()
  return documents
}

const figure = (pid, name) => {
  try {
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1000
  } catch {
    return NaN
  }
}

/** Notes time, the processor's time and memory of a process. */
function watch(pid, processor) {
  const noted = {}
  const note = async (when) => (noted[when] = { at: performance.now(), cpu: await processor(), now: figure(pid, 'VmRSS'), most: figure(pid, 'VmHWM') })
  const report = (documents) => {
    const { before, after } = noted
    return { documents, seconds: (after.at - before.at) / 1000, processor: after.cpu - before.cpu, before: before.now, most: after.most - before.now, after: after.now - before.now }
  }
  return { note, report }
}

const streamOf = (file) => new ReadableStream({
  async start() {
    this.chunks = createReadStream(file, { highWaterMark: 1 << 16 })[Symbol.asyncIterator]()
  },
  async pull(controller) {
    const { done, value } = await this.chunks.next()
    if (done) controller.close()
    else controller.enqueue(value)
  },
}, { highWaterMark: 0 })

const given = { storage: options.storage, worker: options.worker, floor: options.floor, isExport: options.export }

async function inNode(file, folder) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...process.argv.slice(2), '--file', file], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TMPDIR: folder } })
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  await new Promise((resolve) => child.on('close', resolve))
  return JSON.parse(out)
}

async function asChild(file) {
  const cpu = () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6
  const { note, report } = watch('self', cpu)
  const index = new URL('../dist/index.js', import.meta.url).href
  const documents = await measure(index, async () => (options.floor ? streamOf(file) : createReadStream(file)), { ...given, file: join(tmpdir(), 'documents.atomicdb') }, note)
  console.log(JSON.stringify(report(documents)))
}

async function inChromium(file) {
  const { chromium } = await import('playwright-core')
  const { chromiumArguments, chromiumPath } = await import('./chromium.mjs')
  const dist = new URL('../dist/', import.meta.url)
  const server = createServer(async (request, response) => {
    if (request.url === '/documents.ndjson') return createReadStream(file).pipe(response)
    const [, name, end] = /^\/dist\/([\w-]+\.(js|wasm))$/.exec(request.url) ?? []
    response.setHeader('Content-Type', { js: 'text/javascript', wasm: 'application/wasm' }[end] ?? 'text/html')
    response.end(name ? await readFile(new URL(name, dist)) : '<!doctype html>')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArguments })
  try {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    const session = await browser.newBrowserCDPSession()
    const processes = async () => (await session.send('SystemInfo.getProcessInfo')).processInfo.filter(({ type }) => type === 'renderer')
    // There may be a spare renderer: that of the page is the one that works.
    const watches = (await processes()).map(({ id }) => watch(id, async () => (await processes()).find((process) => process.id === id)?.cpuTime ?? 0))
    await page.exposeFunction('note', (when) => Promise.all(watches.map(({ note }) => note(when))))
    const documents = await page.evaluate(`(${measure})('/dist/index.js', async () => (await fetch('/documents.ndjson')).body, ${JSON.stringify(given)}, window.note)`)
    return watches.map(({ report }) => report(documents)).sort((a, b) => b.processor - a.processor)[0]
  } finally {
    await browser.close()
    server.close()
    server.closeAllConnections()
  }
}

if (options.file) await asChild(options.file)
else {
  const folder = await mkdtemp(join(tmpdir(), 'import-speed-'))
  try {
    const file = join(folder, 'documents.ndjson')
    const handle = await open(file, 'w')
    for (let n = 0, count = Number(options.documents); n < count; n += 10_000) {
      await handle.write(Array.from({ length: Math.min(10_000, count - n) }, (_, i) => lineOf(n + i)).join(''))
    }
    await handle.close()
    const size = (await stat(file)).size / 1e6
    const load = loadavg()[0].toFixed(1)
    const { documents, seconds, processor, before, most, after } = await (options.chromium ? inChromium(file) : inNode(file, folder))
    console.log(`${process.argv.slice(2).join(' ') || 'in Node'}: ${documents} documents, ${size.toFixed(0)} MB, load ${load}`)
    console.log(`  ${seconds.toFixed(1)} s on the clock, ${processor.toFixed(1)} s of processors; ${most.toFixed(0)} MB at most and ${after.toFixed(0)} MB after, above ${before.toFixed(0)}: ${(most / size).toFixed(2)} times the documents`)
  } finally {
    await rm(folder, { recursive: true })
  }
}
