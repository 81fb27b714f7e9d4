import { join } from 'node:path'
import * as esbuild from 'esbuild'
import { packageFolder, serveProduct, type Site } from './site.js'

const script = `
  import { apiSuites, sharedSuites, workerSuites } from './suites/api.js'
  import { runTest } from './suites/suite.js'
  const address = '/build/atomicdb-test.wasm'
  const wasm = await WebAssembly.compileStreaming(fetch(address))
  globalThis.runOne = (suite, index, worker) => runTest((worker === 'shared' ? sharedSuites : worker ? workerSuites : apiSuites)[suite][index], atomicdb, () => ({ wasm: worker === 'shared' ? address : wasm, worker }))
  globalThis.runAll = async (report) => {
    for (const [suites, worker, where] of [[apiSuites, false, ''], [workerSuites, true, ', in a worker'], [sharedSuites, 'shared', ', in a shared worker']]) {
      for (const [suite, tests] of Object.entries(suites)) {
        for (const [index, { name }] of tests.entries()) {
          const claim = suite + where + ': ' + name
          await report(claim, await runOne(suite, index, worker).then(() => '', (error) => error + '\\n' + error.stack))
        }
      }
    }
  }
`

declare global {
  /** Runs one test of a suite in the page. */
  function runOne(suite: string, index: number, worker: boolean | 'shared'): Promise<void>
  /** Runs all tests, one after the other, and reports each with its failure, '' if there is none. */
  function runAll(report: (claim: string, failure: string) => Promise<unknown>): Promise<void>
}

/**
 * Serves `/suites`, a page that can run the tests of the public API on the built
 * package. It has the test build of the engine, which answers each query a second
 * time by the definition of its meaning.
 */
export async function serveSuites(more: Record<string, string> = {}): Promise<Site> {
  const bundle = await esbuild.build({
    stdin: { contents: script, resolveDir: join(packageFolder, 'test') },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  })
  return serveProduct({
    '/suites': '<!doctype html><meta charset="utf-8"><script type="module" src="/suites.js"></script>',
    '/suites.js': `import * as atomicdb from '/dist/index.js'\nglobalThis.atomicdb = atomicdb\n${bundle.outputFiles[0]!.text}`,
    '/build/': { folder: join(packageFolder, '.build') },
    ...more,
  })
}
