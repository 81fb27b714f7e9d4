import { build } from 'esbuild'
import { execFile } from 'node:child_process'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageFolder, serve, type Site } from '../test/harness/site.js'

/** The libraries under test, by the name of their file in `libraries/`. */
export const libraryKeys = ['atomicdb', 'dexie', 'lokijs', 'sqljs'] as const
export type LibraryKey = (typeof libraryKeys)[number]

const folder = join(packageFolder, '.build/bench/site')

/**
 * Bundles each library with the workloads into one script, as an app would, and
 * serves a page for each.
 * @param named AtomicDB's wasm keeps its function names, for profiles.
 */
export async function serveLibraries(libraries: readonly LibraryKey[], { named }: { named: boolean }): Promise<Site> {
  await mkdir(folder, { recursive: true })
  for (const library of libraries) {
    await build({
      stdin: {
        contents: `
          import { library } from './libraries/${library}.js'
          import { startPage } from './page.js'
          startPage(library)`,
        resolveDir: join(packageFolder, 'bench'),
      },
      bundle: true,
      format: 'esm',
      minify: !named,
      outfile: join(folder, `${library}.js`),
      logLevel: 'warning',
      // LokiJS asks for it where it finds Node.
      external: ['fs'],
    })
  }
  if (libraries.includes('sqljs')) {
    const file = 'sql-wasm-browser.wasm'
    await copyFile(join(packageFolder, 'node_modules/sql.js/dist', file), join(folder, file))
  }
  if (libraries.includes('atomicdb')) {
    const file = join(folder, 'atomicdb.wasm')
    if (named) await buildNamedWasm(file)
    else await copyFile(join(packageFolder, 'dist/atomicdb.wasm'), file)
  }

  const pages = Object.fromEntries(libraries.map((library) => [`/${library}`, `<!doctype html><script type="module" src="/${library}.js"></script>`]))
  return serve({ ...pages, '/': { folder } }, {
    // With cross-origin isolation, performance.now() steps by 5 instead of 100 microseconds.
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    // What a site sends for files with a hash in their name: a reload does not load them again.
    'Cache-Control': 'max-age=86400',
  })
}

async function buildNamedWasm(file: string): Promise<void> {
  await promisify(execFile)('go', ['build', '-o', file, './wasm/atomicdb'], {
    cwd: join(packageFolder, '..'),
    env: { ...process.env, GOOS: 'js', GOARCH: 'wasm' },
  })
}
