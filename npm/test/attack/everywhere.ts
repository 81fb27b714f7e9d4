import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import * as esbuild from 'esbuild'
import type * as Library from '../../src/index.js'
import { launchChromium, openPage } from '../harness/chromium.js'
import { packageFolder, serveProduct } from '../harness/site.js'
import { attack, type Attacked } from './attack.js'
import { surfaceOfPackage } from './surface.js'

/** Where the package is attacked. The variable ATTACK_IN chooses one. */
const places = ['node', 'node worker', 'page', 'page worker'] as const
type Place = (typeof places)[number]

/** Attacks the built package in each place for so many seconds. Returns whether there was a fault. */
export async function attackEverywhere(seed: number, seconds: number, report: (line: string) => void): Promise<boolean> {
  let failed = false
  for (const place of places) {
    if (process.env.ATTACK_IN && process.env.ATTACK_IN !== place) continue
    const { rounds, calls, messages, fault, seed: last } = await attackIn(place, seed, seconds)
    report(`${place}: ${calls} calls and ${messages} messages in ${rounds} rounds from seed ${seed}, ${fault ? `FAULT in the round of seed ${last}` : 'no fault'}`)
    if (!fault) continue
    failed = true
    report(`  ${fault}\n  replay: cd npm && ATTACK_IN='${place}' SEED=${last} ATTACK_SECONDS=0 node --import tsx test/attack/run.ts`)
  }
  return failed
}

function attackIn(place: Place, seed: number, seconds: number): Promise<Attacked> {
  const worker = place.endsWith('worker')
  return place.startsWith('node') ? attackInNode(worker, seed, seconds) : attackInPage(worker, seed, seconds)
}

async function attackInNode(worker: boolean, seed: number, seconds: number): Promise<Attacked> {
  const library = (await import(join(packageFolder, 'dist/index.js'))) as typeof Library
  const wasm = await WebAssembly.compile(await readFile(join(packageFolder, 'dist/atomicdb.wasm')))
  // Storages of files are made with hostile paths.
  const folder = await mkdtemp(join(tmpdir(), 'attack-'))
  const before = process.cwd()
  const watched = watch(worker ? 'node worker' : 'node')
  process.chdir(folder)
  try {
    return await attack({ library, surface: surfaceOfPackage(), wasm, worker, onRound: watched.onRound }, seed, seconds)
  } finally {
    process.chdir(before)
    await watched.end()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Longer than the longest wait of a round: whoever is silent for so long is in a loop without an end. */
const maxRoundMillis = 300_000

/** Ends the process, and says in which round, when a round of this thread takes too long. */
function watch(place: Place): { onRound(seed: number): void; end(): Promise<unknown> } {
  const rounds = new Float64Array(new SharedArrayBuffer(8))
  const watchdog = new Worker(`
    const { rounds, place, maxRoundMillis } = require('node:worker_threads').workerData
    let last = rounds[0]
    setInterval(() => {
      if (rounds[0] !== last) return void (last = rounds[0])
      require('node:fs').writeSync(1, place + ': FAULT in the round of seed ' + last + ': it has no end\\n')
      process.kill(process.pid, 'SIGKILL')
    }, maxRoundMillis)
  `, { eval: true, workerData: { rounds, place, maxRoundMillis } })
  return { onRound: (seed) => void (rounds[0] = seed), end: () => watchdog.terminate() }
}

const script = `
  import { attack, listenForChannels } from './attack/attack.js'
  listenForChannels()
  const library = await import(['', 'dist', 'index.js'].join('/'))
  const wasm = await WebAssembly.compileStreaming(fetch('/dist/atomicdb.wasm'))
  globalThis.attackPackage = (surface, worker, seed, seconds) => attack({ library, surface, wasm, worker, onRound: (seed) => console.debug(seed) }, seed, seconds)
`

declare global {
  /** Attacks the package in the page. */
  function attackPackage(surface: unknown, worker: boolean, seed: number, seconds: number): Promise<Attacked>
}

async function attackInPage(worker: boolean, seed: number, seconds: number): Promise<Attacked> {
  const bundle = await esbuild.build({ stdin: { contents: script, resolveDir: join(packageFolder, 'test') }, bundle: true, format: 'esm', target: 'es2022', write: false })
  const site = await serveProduct({
    '/attack': '<!doctype html><meta charset="utf-8"><script type="module" src="/attack.js"></script>',
    '/attack.js': bundle.outputFiles[0]!.text,
  })
  const browser = await launchChromium()
  try {
    const page = await openPage(await browser.newContext(), `${site.origin}/attack`)
    await page.waitForFunction(() => typeof attackPackage === 'function')
    let round = ''
    let late: NodeJS.Timeout | undefined
    const endless = new Promise<never>((_, reject) => {
      page.on('console', (message) => {
        if (message.type() !== 'debug') return
        round = message.text()
        clearTimeout(late)
        late = setTimeout(() => reject(new Error(`the round of seed ${round} has no end`)), maxRoundMillis)
      })
    })
    const attacked = page.evaluate(([surface, worker, seed, seconds]) => attackPackage(surface, worker, seed, seconds), [surfaceOfPackage(), worker, seed, seconds] as const)
    return await Promise.race([attacked, endless]).finally(() => clearTimeout(late))
  } finally {
    await browser.close()
    await site.close()
  }
}
