import { build, type Plugin } from 'esbuild'
import { execFile } from 'node:child_process'
import { copyFile, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { packageFolder, serve, type Site } from '../test/harness/site.js'
import { installed } from './environment.js'

/** The libraries under test, by the name of their file in `libraries/`. */
export const libraryKeys = [
  'atomicdb', 'dexie', 'lokijs', 'nedb', 'pglite', 'pouchdb', 'rxdbdexie', 'rxdbmemory', 'signaldb', 'sqlitewasm', 'sqljs', 'tanstackdb', 'tinybase',
] as const
export type LibraryKey = (typeof libraryKeys)[number]

/** The libraries that run RxDB's suite. */
export const suiteKeys: LibraryKey[] = ['atomicdb', 'dexie', 'lokijs', 'nedb', 'rxdbdexie', 'rxdbmemory']

/** The libraries of the smoke run. */
export const smokeKeys: LibraryKey[] = ['atomicdb', 'dexie', 'lokijs', 'sqlitewasm', 'sqljs']

/** How many documents a library gets at most: with more, these take many minutes or all of the memory. */
export const maxPeople: Partial<Record<LibraryKey, number>> = { nedb: 20_000, pouchdb: 20_000, rxdbdexie: 20_000, rxdbmemory: 20_000, signaldb: 20_000 }

/** No further question is asked after this. */
export const onceSeconds = 2

const folder = join(packageFolder, '.build/bench/site')

/** The files in node_modules that a library loads beside its script. */
const assets: Partial<Record<LibraryKey, string[]>> = {
  sqljs: ['sql.js/dist/sql-wasm-browser.wasm'],
  sqlitewasm: ['@sqlite.org/sqlite-wasm/dist/sqlite3.wasm', '@sqlite.org/sqlite-wasm/dist/sqlite3-opfs-async-proxy.js'],
  pglite: ['pglite.wasm', 'pglite.data', 'initdb.wasm'].map((file) => `@electric-sql/pglite/dist/${file}`),
}

/**
 * Bundles each library with the workloads into one script, as an app does, and
 * serves a page for each. RxDB's suite has a page of its own at /suite-<library>.
 * @param named AtomicDB's wasm keeps the names of its functions, for profiles.
 */
export async function serveLibraries(libraries: readonly LibraryKey[], { named }: { named: boolean }): Promise<Site> {
  await mkdir(folder, { recursive: true })
  const page = (library: LibraryKey) => ({ name: library as string, contents: `import { library } from './libraries/${library}.js'; import { startPage } from './page.js'; startPage(library)` })
  const suitePage = (library: LibraryKey) => ({ name: `suite-${library}`, contents: `import { library } from './rxdb-suite/libraries/${library}.js'; import { startSuitePage } from './page.js'; startSuitePage(library)` })
  const scripts = [...libraries.map(page), ...libraries.filter((library) => suiteKeys.includes(library)).map(suitePage)]
  for (const { name, contents } of scripts) {
    await build({
      stdin: { contents, resolveDir: join(packageFolder, 'bench') },
      bundle: true,
      format: 'esm',
      minify: !named,
      outfile: join(folder, `${name}.js`),
      logLevel: 'warning',
      plugins: [withoutNode],
      // NeDB and PouchDB expect these of a bundler.
      define: { global: 'globalThis' },
      banner: { js: 'globalThis.process ??= { env: {}, nextTick: (f, ...args) => queueMicrotask(() => f(...args)) };' },
    })
  }
  for (const library of libraries) {
    for (const file of assets[library] ?? []) await copyFile(join(packageFolder, installed(file)), join(folder, basename(file)))
  }
  if (libraries.includes('sqlitewasm')) {
    await build({ entryPoints: [join(packageFolder, 'bench/libraries/sqlitewasm.worker.ts')], bundle: true, format: 'esm', minify: true, outdir: folder, logLevel: 'warning', plugins: [withoutNode] })
  }
  if (libraries.includes('atomicdb')) {
    if (named) await buildNamedWasm(join(folder, 'atomicdb.wasm')) // which is loaded where there are not two
    for (const name of [...(named ? [] : ['atomicdb-first.wasm', 'atomicdb-rest.wasm']), 'worker.js', 'libraries.js']) await copyFile(join(packageFolder, 'dist', name), join(folder, name))
  }

  const pages = Object.fromEntries(scripts.map(({ name }) => [`/${name}`, `<!doctype html><script type="module" src="/${name}.js"></script>`]))
  return serve({ ...pages, '/': { folder } }, {
    // With cross-origin isolation, performance.now() steps by 5 instead of 100 microseconds.
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    // What a site sends for files with a hash in their name: a reload does not load them again.
    'Cache-Control': 'max-age=86400',
  })
}

/** Stands in for Node's modules: some libraries import them in a page too, and use them only in Node. */
const withoutNode: Plugin = {
  name: 'without Node',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:.*|fs|module|path|url|crypto|os)$/ }, ({ path }) => ({ path, namespace: 'nothing' }))
    onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'module.exports = {}' }))
  },
}

async function buildNamedWasm(file: string): Promise<void> {
  await promisify(execFile)('go', ['build', '-o', file, './wasm/atomicdb'], {
    cwd: join(packageFolder, '..'),
    env: { ...process.env, GOOS: 'js', GOARCH: 'wasm' },
  })
}
