import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  process.chdir(folder)
  try {
    return await attack({ library, surface: surfaceOfPackage(), wasm, worker }, seed, seconds)
  } finally {
    process.chdir(before)
    await rm(folder, { recursive: true, force: true })
  }
}

const script = `
  import { attack, listenForChannels } from './attack/attack.js'
  listenForChannels()
  const library = await import(['', 'dist', 'index.js'].join('/'))
  const wasm = await WebAssembly.compileStreaming(fetch('/dist/atomicdb.wasm'))
  globalThis.attackPackage = (surface, worker, seed, seconds) => attack({ library, surface, wasm, worker }, seed, seconds)
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
    return await page.evaluate(([surface, worker, seed, seconds]) => attackPackage(surface, worker, seed, seconds), [surfaceOfPackage(), worker, seed, seconds] as const)
  } finally {
    await browser.close()
    await site.close()
  }
}
