/**
 * Builds the package into dist/, and files for the tests into .build/:
 *
 *     node npm/scripts/build.mjs [wasm] [test-wasm] [js] [types]
 *
 * Without a name it builds all four, and inline.js, which holds two of them. Go, esbuild and tsc run side by side. The wasm needs no package of npm: `make demo`
 * builds it while npm installs.
 */
import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { dropTracebacks } from './drop-tracebacks.mjs'
import { firstFunctions } from './first-functions.mjs'
import { mergeSegments } from './merge-segments.mjs'
import { splitModule, withoutNames } from './split-module.mjs'

const run = promisify(execFile)
const npm = fileURLToPath(new URL('..', import.meta.url))
const root = join(npm, '..')
const dist = join(npm, 'dist')
const scratch = join(npm, '.build')

/** Builds the engine: as one module, and as the two that pages load one after the other. */
function buildWasm() {
  return buildEngine('go.wasm', [], ['atomicdb.wasm', 'atomicdb-first.wasm', 'atomicdb-rest.wasm'].map((name) => join(dist, name)), async (linked) => {
    const whole = mergeSegments(linked, dropTracebacks)
    const { first, rest } = splitModule(whole, await firstFunctions())
    return [withoutNames(whole), first, rest]
  })
}

/** Builds the engine of the tests, which checks every query against its definition. */
const buildTestWasm = () => buildEngine('go-test.wasm', ['-tags=invariants'], [join(scratch, 'atomicdb-test.wasm')], (linked) => [mergeSegments(linked)])

/**
 * Builds an engine: as Go's linker has it, in .build/, and what `steps` makes of it. Go does not rewrite what is up to
 * date, and neither does this.
 */
async function buildEngine(linked, flags, outputs, steps) {
  const env = { ...process.env, GOOS: 'js', GOARCH: 'wasm' }
  const path = join(scratch, linked)
  await run('go', ['build', '-trimpath', ...flags, '-o', path, './wasm/atomicdb'], { cwd: root, env })
  const scripts = ['build.mjs', 'merge-segments.mjs', 'drop-tracebacks.mjs', 'split-module.mjs', 'wasm-format.mjs', 'first-functions.mjs', 'first-functions.txt'].map((name) => new URL(name, import.meta.url))
  const changed = (file) => stat(file).then(({ mtimeMs }) => mtimeMs, () => 0)
  const [made, sources] = await Promise.all([outputs, [path, ...scripts]].map((files) => Promise.all(files.map(changed))))
  if (Math.min(...made) > Math.max(...sources)) return
  const files = await steps(await readFile(path))
  await Promise.all(files.map((bytes, i) => writeFile(outputs[i], bytes)))
}

/** esbuild's options for every bundle. */
const bundling = {
  outdir: dist,
  bundle: true,
  // A dynamic import is a file of its own.
  splitting: true,
  chunkNames: '[name]',
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  // Names are kept, since they are in the stack traces that users send.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'inline',
  logLevel: 'warning',
  write: false,
  define: { atomicdbRelease: JSON.stringify(JSON.parse(await readFile(join(npm, 'package.json'), 'utf8')).version) },
}

/** A file of its own: esbuild would put what a CommonJS package needs into a further one. */
const csvApart = { name: 'csv.js is a file of its own', setup: (build) => build.onResolve({ filter: /^\.\/csv\.js$/ }, () => ({ path: './csv.js', external: true })) }

/** papaparse can be a stream of Node, which nothing here uses, and which bundlers for pages could not resolve. */
const withoutNodeStreams = {
  name: 'papaparse has no streams of Node',
  setup: (build) => {
    build.onResolve({ filter: /^stream$/ }, () => ({ path: 'stream', namespace: 'nothing' }))
    build.onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: '' }))
  },
}

/** Builds what reads and writes CSV, for importStream and exportStream. */
async function buildCSV() {
  await esbuild.build({
    ...bundling,
    splitting: false,
    mainFields: ['main'], // papaparse has no module
    entryPoints: [join(npm, 'src/streams/csv.ts')],
    plugins: [withoutNodeStreams],
    write: true,
  })
}

/**
 * Builds index.js, testing.js, the hooks, and worker.js for the threads of `{worker: true}`.
 * worker.js is a bundle of its own, so that a page without threads loads one file.
 */
async function buildJavaScript() {
  const [index, worker, testing] = await Promise.all(['index', 'worker', 'testing'].map((name) => esbuild.build({ ...bundling, lineLimit, entryPoints: [join(npm, `src/${name}.ts`)], plugins: [csvApart] })))
  const written = [...index.outputFiles, ...testing.outputFiles, ...worker.outputFiles.filter(({ path }) => path.endsWith('/worker.js'))]
  const same = worker.outputFiles.every(({ path, text }) => path.endsWith('/worker.js') || index.outputFiles.find((other) => other.path === path)?.text === text)
  if (!same) throw new Error('index.js and worker.js import different versions of the same file')
  // A comment tells webpack and Vite to leave this import alone. esbuild removes comments, so it is added afterwards.
  const hidden = 'import(name)'
  for (const { outputFiles } of [index, worker]) {
    if (outputFiles.filter(({ text }) => text.includes(hidden)).length !== 1) throw new Error(`expected ${hidden} in exactly one file`)
  }
  await Promise.all([buildHooks(), buildForWorkers(), buildCommand(), buildCSV(), ...written.map(({ path, text }) => writeFile(path, withNames(withWholeTexts(text).replace(hidden, 'import(/* webpackIgnore: true */ /* @vite-ignore */ name)'))))])
}

/** The frameworks with hooks of their own, each in a folder of src and, as `atomicdb/react`, a file of dist. */
const frameworks = ['react', 'vue', 'svelte', 'solid', 'angular']

/** Builds the hooks for frameworks: no file of them holds a framework, or anything that index.js has. */
async function buildHooks() {
  const ofThePackage = {
    name: 'index.js is not bundled',
    setup: (build) => build.onResolve({ filter: /^\.\.\/index\.js$/ }, () => ({ path: './index.js', external: true })),
  }
  await Promise.all(frameworks.map((name) => esbuild.build({
    ...bundling,
    splitting: false,
    outdir: undefined,
    outfile: join(dist, `${name}.js`),
    entryPoints: [join(npm, `src/${name}/index.ts`)],
    packages: 'external',
    plugins: [ofThePackage],
    write: true,
  })))
}

/** Builds the command `atomicdb`, which shares the classes of index.js. */
async function buildCommand() {
  const outfile = join(dist, 'cli.js')
  await esbuild.build({
    ...bundling,
    splitting: false,
    outdir: undefined,
    outfile,
    entryPoints: [join(npm, 'src/cli/index.ts')],
    platform: 'node',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" }, // ws is CommonJS
    external: ['bufferutil', 'utf-8-validate'], // ws asks for them, and goes on without
    plugins: [{
      name: 'index.js is not bundled',
      setup: (build) => build.onResolve({ filter: /^\.\.\/index\.js$|\/atomicdb-error\.js$/ }, () => ({ path: './index.js', external: true })),
    }],
    write: true,
  })
  await chmod(outfile, 0o755)
}

/** Builds the entries for Cloudflare, which share the classes of index.js: an error is the same error in both. */
async function buildForWorkers() {
  const ofThePackage = {
    name: 'index.js is not bundled',
    setup: (build) => {
      build.onResolve({ filter: /^\.\.?\/index\.js$/ }, ({ kind }) => (kind === 'entry-point' ? undefined : { path: './index.js', external: true }))
      build.onResolve({ filter: /^\.\.\/workerd\.js$/ }, () => ({ path: './workerd.js', external: true, sideEffects: true }))
      build.onResolve({ filter: /\/atomicdb-error\.js$/ }, () => ({ path: './index.js', external: true }))
    },
  }
  await Promise.all(Object.entries({ workerd: 'workerd.ts', cloudflare: 'cloudflare/index.ts', connect: 'cloudflare/elsewhere.ts' }).map(([name, entry]) => esbuild.build({
    ...bundling,
    splitting: false,
    outdir: undefined,
    outfile: join(dist, `${name}.js`),
    entryPoints: [join(npm, 'src', entry)],
    packages: 'external',
    plugins: [ofThePackage],
    write: true,
  })))
}

/** Builds inline.js of the wasm and worker.js: index.js stays a file of its own, so that hooks share its classes. */
async function buildInline() {
  const { outputFiles } = await esbuild.build({ ...bundling, splitting: false, format: 'iife', entryPoints: [join(npm, 'src/worker.ts')], logOverride: { 'empty-import-meta': 'silent' } }) // it needs no address
  const wasm = await promisify(gzip)(await readFile(join(dist, 'atomicdb.wasm')), { level: 9 })
  await esbuild.build({
    ...bundling,
    splitting: false,
    entryPoints: [join(npm, 'src/inline.ts')],
    external: ['./index.js'],
    define: { inlinedWasm: JSON.stringify(wasm.toString('base64')), inlinedWorker: JSON.stringify(outputFiles.find(({ path }) => path.endsWith('/worker.js')).text) },
    write: true,
  })
}

/** Node prints the line in which an error was thrown. A file of one line would fill the terminal. */
const lineLimit = 500

/** Undoes the line breaks that `lineLimit` has put into texts: bundlers that indent a file would change what the texts say. */
const withWholeTexts = (text) => text.replaceAll(/(?<!\\)((?:\\\\)*)\\\n/g, '$1')

/** Restores the names of classes, which people see in a console: esbuild renames a class that refers to itself to _AtomicDB. */
function withNames(text) {
  return [...text.matchAll(/\b(\w+)=class _\1\b/g)].reduce((text, [, name]) => text.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name), text)
}

/**
 * Makes a module of Go's wasm_exec.js: a function whose argument stands in for
 * globalThis, so that the file never touches the real one. It must be the file
 * of the Go version that compiles the wasm.
 */
async function wrapWasmExec() {
  const { stdout } = await run('go', ['env', 'GOROOT'], { cwd: root })
  const source = await readFile(join(stdout.trim(), 'lib/wasm/wasm_exec.js'), 'utf8')
  const [licence] = /^(\/\/.*\n)+/.exec(source)
  const bare = 'fs.writeSync(fd, new Uint8Array('
  const script = source.slice(licence.length).replace(bare, `globalThis.${bare}`)
  if (script.split(bare).length !== 2 || !script.includes(`globalThis.${bare}`)) throw new Error('wasm_exec.js uses fs in a way that this script does not know')
  await writeChanged(
    join(scratch, 'wasm_exec.js'),
    `/*!\n${licence.replace(/^\/\/ ?/gm, ' * ')} */\nexport function loadGo(globalThis) {${script}\nreturn globalThis.Go\n}\n`,
  )
  await writeChanged(
    join(scratch, 'wasm_exec.d.ts'),
    `export interface Go {
  importObject: WebAssembly.Imports
  exit(code: number): void
  run(instance: WebAssembly.Instance): Promise<void>
  _resume(): void
  _resolveExitPromise(): void
  _scheduledTimeouts: Map<number, ReturnType<typeof setTimeout>>
  _values?: unknown[]
  _inst?: unknown
  mem?: unknown
  _ids?: unknown
  _goRefCounts?: unknown
  _pendingEvent?: unknown
}
/** Runs wasm_exec.js with \`scope\` as its global object. */
export function loadGo(scope: object): new () => Go
`,
  )
}

/** Builds the declarations. dist/ gets index.d.ts, testing.d.ts, those of the hooks, and every file that they import. */
async function buildTypes() {
  const declarations = join(scratch, 'declarations')
  await rm(declarations, { recursive: true, force: true })
  const tsc = join(npm, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [tsc, '-p', join(npm, 'tsconfig.declarations.json')]).catch((error) => {
    throw new Error(error.stdout || error.message)
  })

  for (const name of await readdir(dist, { recursive: true })) if (name.endsWith('.d.ts')) await rm(join(dist, name))
  await copyFile(join(npm, 'src/atomicdb.wasm.d.ts'), join(dist, 'atomicdb.wasm.d.ts'))
  const waiting = new Set(['index.d.ts', 'testing.d.ts', 'cloudflare/index.d.ts', ...frameworks.map((name) => `${name}/index.d.ts`)])
  for (const name of waiting) {
    const text = await readFile(join(declarations, name), 'utf8')
    await mkdir(dirname(join(dist, name)), { recursive: true })
    await writeFile(join(dist, name), text.replaceAll(/^import '.+';\n/gm, '')) // an import for its effect has no types
    for (const [, imported] of text.matchAll(/(?:from|import\() ?['"](\.{1,2}\/.+?)\.js['"]/g)) waiting.add(join(dirname(name), `${imported}.d.ts`))
  }
}

/** Copies the files that npm publishes beside dist/ and that are kept at the top level. Their links and pictures are the project's. */
async function copyDocuments() {
  const { repository } = JSON.parse(await readFile(join(npm, 'package.json'), 'utf8'))
  const source = repository.url.replace(/^git\+(.*)\.git$/, '$1/blob/main/')
  for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE']) {
    const text = await readFile(join(root, name), 'utf8')
    const withPictures = text.replaceAll(/(!\[[^\]]*\])\((?!https?:)/g, `$1(${source.replace('/blob/', '/raw/')}`)
    await writeFile(join(npm, name), withPictures.replaceAll(/\]\((?!https?:|#)/g, `](${source}`))
  }
}

/** Writes a file unless it has this text already: other files are built again when it changes. */
async function writeChanged(path, text) {
  await mkdir(dirname(path), { recursive: true })
  if ((await readFile(path, 'utf8').catch(() => undefined)) !== text) await writeFile(path, text)
}

const parts = { wasm: buildWasm, 'test-wasm': buildTestWasm, js: buildJavaScript, types: buildTypes }
const asked = process.argv.slice(2)
const building = asked.length > 0 ? asked : Object.keys(parts)
const unknown = asked.filter((name) => !(name in parts))
if (unknown.length > 0) {
  console.error(`there is no part ${unknown.join(', ')}; the parts are ${Object.keys(parts).join(', ')}`)
  process.exit(2)
}

const esbuild = building.includes('js') ? await import('esbuild') : undefined // npm may not have installed it yet

await mkdir(dist, { recursive: true })
await mkdir(scratch, { recursive: true })
await wrapWasmExec()
try {
  await Promise.all([copyDocuments(), ...building.map(build)])
  if (asked.length === 0) await buildInline()
} catch (error) {
  console.error(error.stderr || error.message)
  process.exit(1)
}
for (const name of building.includes('js') ? ['atomicdb.wasm', 'index.js', 'worker.js', 'libraries.js'] : []) {
  const found = await stat(join(dist, name)).catch(() => undefined)
  if (found) console.log(`dist/${name}  ${(found.size / 1000).toFixed(0)} kB`)
}

/** Builds a part, and says so if it took long enough to wonder. */
async function build(name) {
  const start = performance.now()
  await parts[name]()
  const seconds = (performance.now() - start) / 1000
  if (seconds > 5) console.log(`built ${name} in ${seconds.toFixed(0)} s`)
}
