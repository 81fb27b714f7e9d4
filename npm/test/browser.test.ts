// The tests of the public API again, on the built package and IndexedDB, in real Chromium: with the engine in
// the page, and in workers. It is the test build, which answers each query a second time by the definition of its meaning.
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as esbuild from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { launchChromium, openPage, waitForValue } from './harness/chromium.js'
import { within } from './harness/deadline.js'
import { packageFolder, serveProduct, type Site } from './harness/site.js'
import { apiSuites, workerSuites } from './suites/api.js'

const script = `
  import { apiSuites, workerSuites } from './suites/api.js'
  import { runTest } from './suites/suite.js'
  const wasm = await WebAssembly.compileStreaming(fetch('/build/atomicdb-test.wasm'))
  globalThis.runOne = (suite, index, worker) => runTest((worker ? workerSuites : apiSuites)[suite][index], atomicdb, () => ({ wasm, worker }))
`

declare global {
  /** Runs one test of a suite in the page. */
  function runOne(suite: string, index: number, worker: boolean): Promise<void>
}

describe('in Chromium', { timeout: 300_000 }, () => {
  let site: Site
  let browser: Browser
  let page: Page

  before(async () => {
    const bundle = await esbuild.build({
      stdin: { contents: script, resolveDir: join(packageFolder, 'test') },
      bundle: true,
      format: 'esm',
      write: false,
    })
    site = await serveProduct({
      '/suites': '<!doctype html><meta charset="utf-8"><script type="module" src="/suites.js"></script>',
      '/suites.js': `import * as atomicdb from '/dist/index.js'\nglobalThis.atomicdb = atomicdb\n${bundle.outputFiles[0]!.text}`,
      '/build/': { folder: join(packageFolder, '.build') },
    })
    browser = await launchChromium()
    page = await openPage(await browser.newContext(), `${site.origin}/suites`)
    await waitForValue(page, () => 'runOne' in globalThis || undefined)
  })
  after(async () => {
    await browser.close()
    await site.close()
  })

  for (const [suites, worker] of [[apiSuites, false], [workerSuites, true]] as const) {
    for (const [name, suite] of Object.entries(suites)) {
      describe(worker ? `${name}, in a worker` : name, () => {
        for (const [index, { name: claim }] of suite.entries()) {
          test(claim, () =>
            within(60_000, claim, page.evaluate(({ name, index, worker }) => runOne(name, index, worker), { name, index, worker })),
          )
        }
      })
    }
  }
})
