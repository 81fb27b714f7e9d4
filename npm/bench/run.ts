// Measures AtomicDB beside its peers: one fresh Chromium for each library and round.
//
//   ROUNDS=5           medians are of this many
//   SIZES=20000,100000 documents
//   LIBRARIES=…        only these, by the names of the files in libraries/
//   SUITE=people       only the workloads of workloads.ts, or SUITE=rxdb only RxDB's own suite
//   KEEP=1             writes the tables to results/ and their figures to README, also if libraries are missing
//   QUICK=1            a small smoke run, whose numbers mean nothing
//   PROFILE=filter     instead: writes a CPU profile of AtomicDB in that workload to .build/
//
// The tables of a run of every library go to results/ and to README, others to .build/bench/. Each figure of each round
// is in the .json file in .build/bench/, which is not kept.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, type BrotliOptions } from 'node:zlib'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { chromiumArguments, chromiumPath } from '../scripts/chromium.mjs'
import { packageFolder } from '../test/harness/site.js'
import { machine, versions } from './environment.js'
import type { PageOptions } from './page.js'
import { profile } from './profile.js'
import { writeReadme } from './readme.js'
import { comparison, type Failure, type Measurement, type Run } from './report.js'
import type { Samples } from './rxdb-suite/suite.js'
import { libraryKeys, maxPeople, serveLibraries, onceSeconds, smokeKeys, suiteKeys, type LibraryKey } from './site.js'
import { workloads } from './all.js'
import type { Figure } from './workloads.js'

const quick = process.env.QUICK === '1'
const rounds = Number(process.env.ROUNDS ?? (quick ? 1 : 3))
const sizes = (process.env.SIZES ?? (quick ? '2000' : '20000,100000')).split(',').map(Number)
const libraries = (process.env.LIBRARIES?.split(',') as LibraryKey[] | undefined) ?? (quick ? smokeKeys : libraryKeys)
const suites = process.env.SUITE?.split(',') ?? ['people', 'rxdb']
const profiled = process.env.PROFILE
const suiteRuns = quick ? 2 : 40 // RxDB's number
const seed = 42
/** How long questions are asked. The once-asked row of a slow library stops early, and has fewer questions. */
const budgets = { againMillis: quick ? 5 : 100, onceMillis: quick ? 50 : onceSeconds * 1_000 }
/** A workload that takes longer is stopped, and all later ones of that library are left out. */
const maxMillis = 120_000
const brotli = promisify<Buffer, BrotliOptions, Buffer>(brotliCompress)
const compressed = new Map<string, number>()
const failures: Failure[] = []

const site = await serveLibraries(profiled ? ['atomicdb'] : libraries, { named: profiled !== undefined })
try {
  await (profiled ? runProfile(profiled) : runComparison())
} finally {
  await site.close()
}

/** Waits until the build is no longer in the load, which is an average over a minute. Gives up after three minutes. */
async function quiet(): Promise<void> {
  for (let waited = 0; waited < 180 && loadavg()[0]! > 0.3; waited++) await new Promise((resolve) => setTimeout(resolve, 1000))
}

async function runComparison(): Promise<void> {
  if (!quick) await quiet()
  const run: Run = {
    date: new Date().toISOString(),
    command: commandLine(),
    machine: { ...(await machine()), loadAtStart: loadavg()[0]! },
    versions: await versions(),
    browser: await withBrowser(async (context) => context.browser()!.version()),
    seed,
    rounds,
    measurements: [],
    suite: {},
    failures,
  }
  for (const size of suites.includes('people') ? sizes : []) {
    for (let round = 0; round < rounds; round++) {
      for (const library of inOrder(libraries, round)) {
        if (size > (maxPeople[library] ?? Infinity)) continue
        console.error(`${size} documents, round ${round + 1} of ${rounds}: ${library}`)
        run.measurements.push(...(await withBrowser((context) => measure(context, library, size, round))))
      }
    }
  }

  for (const library of suites.includes('rxdb') ? libraries : []) {
    if (!suiteKeys.includes(library)) continue
    console.error(`RxDB's suite, ${suiteRuns} runs: ${library}`)
    try {
      run.suite[library] = await withBrowser((context) => measureSuite(context.pages()[0]!, library))
    } catch (error) {
      if (library === 'atomicdb') throw error
      failures.push({ library, size: 3_000, round: 0, workload: "RxDB's suite", message: (error as Error).message })
    }
  }

  const text = comparison(run)
  console.log(text)
  const kept = process.env.KEEP === '1' || (!quick && libraries.length === libraryKeys.length && suites.length === 2)
  const name = quick ? 'quick' : run.date.slice(0, 10)
  await writeOut(join(packageFolder, kept ? 'bench/results' : '.build/bench', `${name}.md`), text)
  if (kept) writeReadme()
  await writeOut(join(packageFolder, '.build/bench', `${name}.json`), JSON.stringify(run, null, 1) + '\n')
}

async function writeOut(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  console.log(`written to ${file}`)
}

/** All workloads of one library, in one browser: each in a new page, unless it belongs to the one before it. */
async function measure(context: BrowserContext, library: LibraryKey, size: number, round: number): Promise<Measurement[]> {
  const options = { people: size, seed, ...budgets }
  const loaded = new Set<string>() // by the pages and their workers
  context.on('request', (request) => {
    if (request.resourceType() !== 'document' && request.url().startsWith(site.origin)) loaded.add(request.url())
  })
  const measured: Measurement[] = []
  let does: typeof libraryDoes | undefined
  let page: Page | undefined
  for (const [workload, { inMemory: needsMemory, durable, samePage, needs }] of Object.entries(workloads)) {
    if ((needsMemory && !does?.inMemory) || (needs && !does?.[needs]) || (does?.onlyLive && !needs)) continue
    // The memory of a library that stores nothing is measured after the same insert.
    if (durable && does?.persistent === false && workload !== 'insertDurable') continue
    if (!samePage) {
      await leave(page)
      page = await newPage(context, library, options, workload)
      does ??= await page.evaluate(() => libraryDoes)
      if (does.onlyLive && !needs) continue
    }
    let figure: Figure | undefined
    try {
      figure = await withinTime(runWorkload(page!, library, workload))
      if (!figure) throw new Error(`not done in ${maxMillis / 1_000} s`)
    } catch (error) {
      if (library === 'atomicdb') throw error
      failures.push({ library, size, round, workload, message: (error as Error).message })
      console.error(`${size} documents, ${(error as Error).message}; the rest is left out`)
      return measured
    }
    // What the browser cannot count, such as the files of a pool, it counts as 0.
    if ((!durable || does!.persistent) && figure.micros > 0) measured.push({ library, size, round, workload, ...figure })
  }
  await leave(page)
  if (round === 0) measured.push({ library, size, round, workload: 'downloaded', micros: await downloaded(loaded), operations: 1 })
  return measured
}

/** A new page of a library. It has a process of its own, since it is a tab of its own. */
async function newPage(context: BrowserContext, library: LibraryKey, options: PageOptions, workload: string): Promise<Page> {
  const page = await context.newPage()
  await load(page, library, options)
  if (workload === 'reopen') await load(page, library, { ...options, reopen: true })
  return page
}

/** Closes a page, and first what it has opened: the next page opens the same database. */
async function leave(page: Page | undefined): Promise<void> {
  if (!page || page.isClosed()) return
  await page.evaluate(() => leavePage())
  const opened = page.context().pages().filter((other) => other !== page && other.url().startsWith(site.origin)) // by the page
  await Promise.all([page, ...opened].map((each) => each.close()))
}

/** All runs of RxDB's suite with one library, in one browser. */
async function measureSuite(page: Page, library: LibraryKey): Promise<Samples> {
  await page.goto(`${site.origin}/suite-${library}`)
  return page.evaluate(({ suiteRuns, seed }) => runRxDBSuite(suiteRuns, seed), { suiteRuns, seed })
}

function withinTime<R>(work: Promise<R>): Promise<R | undefined> {
  let timer: NodeJS.Timeout
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), maxMillis)))
  work.catch(() => {}) // rejects when the page is closed before the work is done
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Bytes of everything that was loaded, compressed as a server does it. */
async function downloaded(urls: ReadonlySet<string>): Promise<number> {
  let bytes = 0
  for (const url of urls) {
    if (!compressed.has(url)) {
      const body = Buffer.from(await (await fetch(url)).arrayBuffer())
      // Not brotliCompressSync: the site is served by this process, and would miss that fetch uses a connection again.
      compressed.set(url, (await brotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })).length)
    }
    bytes += compressed.get(url)!
  }
  return bytes
}

async function runProfile(workload: string): Promise<void> {
  if (!(workload in workloads)) throw new Error(`PROFILE must be one of ${Object.keys(workloads).join(', ')}`)
  const size = sizes[0]!
  const options = { people: size, seed, againMillis: 2_000, onceMillis: budgets.onceMillis }
  await withBrowser(async (context) => {
    let page: Page | undefined
    for (const [name, { samePage }] of Object.entries(workloads)) {
      if (!samePage) {
        await leave(page)
        page = await newPage(context, 'atomicdb', options, name)
      }
      if (name === workload) {
        console.log(await profile(page!, join(packageFolder, `.build/${workload}-${size}.cpuprofile`), () => runWorkload(page!, 'atomicdb', name)))
        return
      }
      await runWorkload(page!, 'atomicdb', name)
    }
  })
}

async function runWorkload(page: Page, library: LibraryKey, workload: string) {
  try {
    return await page.evaluate((name) => globalThis.runWorkload(name), workload)
  } catch (error) {
    throw new Error(`${library}, ${workload}: ${(error as Error).message}`)
  }
}

/** Loads the page of a library; `runWorkload` works from then on. */
async function load(page: Page, library: LibraryKey, options: PageOptions): Promise<void> {
  await page.goto(`${site.origin}/${library}?${encodeURIComponent(JSON.stringify(options))}`)
}

/** Gives `work` a new Chromium with a profile on disk: in a private window, IndexedDB would be kept in memory. */
async function withBrowser<R>(work: (context: BrowserContext) => Promise<R>): Promise<R> {
  const folder = await mkdtemp(join(tmpdir(), 'atomicdb-bench-'))
  let context: BrowserContext | undefined
  try {
    context = await chromium.launchPersistentContext(folder, {
      executablePath: chromiumPath(),
      // Memory is measured at once instead of after some seconds.
      args: [...chromiumArguments, '--js-flags=--expose-gc', '--enable-blink-features=ForceEagerMeasureMemory'],
    })
    context.setDefaultTimeout(0)
    context.on('weberror', (error) => console.error(error.error().stack))
    return await work(context)
  } finally {
    await context?.close()
    await rm(folder, { recursive: true, maxRetries: 5 })
  }
}

/** Each round starts with another library, and every second one runs backwards. */
function inOrder<T>(all: readonly T[], round: number): T[] {
  const start = round % all.length
  const turned = [...all.slice(start), ...all.slice(0, start)]
  return round % 2 === 0 ? turned : turned.reverse()
}

function commandLine(): string {
  const set = ['ROUNDS', 'SIZES', 'LIBRARIES', 'SUITE', 'QUICK'].filter((name) => process.env[name])
  return ['make bench', ...set.map((name) => `${name}=${process.env[name]}`)].join(' ')
}
