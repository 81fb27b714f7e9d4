// The packed package in bundlers and frameworks of other versions than package.test.ts has, with the configuration that
// they come with, in Chromium. `make bundlers` installs them into .build/bundlers and runs this; it is no part of
// `make test`, because they are 1 GB of other people's packages.
//
//   BUNDLERS=vite-5,nuxt make bundlers   only these
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify, stripVTControlCharacters } from 'node:util'
import type { Browser } from 'playwright-core'
import { newerNode } from '../scripts/newer-node.mjs'
import { launchChromium, openPage, waitForValue } from './harness/chromium.js'
import { within } from './harness/deadline.js'
import { installPacked, type Consumer } from './harness/packed.js'
import { packageFolder } from './harness/site.js'
import { typeCheck, typeScriptSettings, typeTests } from './harness/typescript.js'

const run = promisify(execFile)

/** A user's program: it ends with an answer that shows that the engine ran, in the page and in a worker. */
const program = `
import { AtomicDB } from 'atomicdb'
export async function answer() {
  const db = await AtomicDB.open('bundled')
  await db.clear()
  await db.insertMany([{ name: 'Ada', age: 36 }, { name: 'Kim', age: 12 }])
  const adults = await db.search(db.query().age.gte(18))
  const own = await AtomicDB.open('bundled too', { worker: true })
  await own.clear()
  await own.insert({ _id: 1, name: 'Bob' })
  const all = await AtomicDB.open('bundled three', { worker: 'shared' })
  await all.upsert({ _id: 1, name: 'Eve' })
  const names = [...adults, await own.get(1), await all.get(1)].map((document) => document.name).join()
  await own.close()
  await all.close()
  await db.close()
  return names
}
`
const inPage = `import { answer } from './program.js'
answer().then((found) => (globalThis.answer = found), (error) => (globalThis.answer = String(error)))
`
const html = '<!doctype html><meta charset="utf-8"><script type="module" src="./main.js"></script>'

/** The same in a program on a server, with a file beside it and one of SQLite. */
const onHost = `
import { AtomicDB, SQLiteStorage } from 'atomicdb'
const { DatabaseSync } = await import('node:sqlite')
async function named(name, options) {
  const db = await AtomicDB.open('hosted', options)
  await db.insert({ name })
  await db.close()
  return name
}
const names = [await named('Memory'), await named('Worker', { worker: true }), await named('SQLite', { storage: new SQLiteStorage(new DatabaseSync(process.argv[2] + '.sqlite')) })]
for (const name of ['File', 'File in a worker']) {
  const db = await AtomicDB.open(process.argv[2], { worker: name !== 'File' })
  await db.insert({ name })
  await db.close()
}
const file = await AtomicDB.open(process.argv[2])
console.log([...names, ...(await file.all()).map(({ name }) => name)].join())
await file.close()
`
const hostAnswer = 'Memory,Worker,SQLite,File,File in a worker'

/** Hosts that are like Node: their packages, and the arguments that run a file, which may be allowed what the guide says. */
const hosts: Record<string, { readonly packages: Record<string, string>; readonly run: readonly string[]; readonly allow: readonly string[] }> = {
  bun: { packages: { bun: '1.4.5' }, run: ['bun', 'run'], allow: [] },
  deno: { packages: { deno: '2.9.6' }, run: ['deno', 'run', '--no-prompt'], allow: ['--allow-read', '--allow-write', '--allow-env', '--allow-run=flock'] },
}

/** A project as its tool's guide makes it. */
interface Project {
  readonly packages: Record<string, string>
  readonly files: Record<string, string>
  /** The command of the development server, and commands that build and then serve; PORT stands for the port. */
  readonly servers: Record<string, { readonly build?: string[]; readonly serve: string[] }>
  /** The folder of the project, if its packages are installed in the folder above, as in a workspace. */
  readonly inside?: string
  /** The folder that files are served from as they are, where `atomicdb copy-assets` is to put the package's. */
  readonly assets?: string
  /** Whether the server answers with the program's answer in its HTML. */
  readonly onServer?: boolean
}

/** Serves a folder, for tools that only build: the folder, the port. */
const staticServer = `
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
const [, , folder, port] = process.argv
const types = { html: 'text/html', js: 'text/javascript', wasm: 'application/wasm' }
createServer(async ({ url }, response) => {
  const name = url === '/' ? '/index.html' : url.split('?')[0]
  const file = await readFile(folder + name).catch(() => undefined)
  response.writeHead(file ? 200 : 404, { 'Content-Type': types[name.split('.').pop()] ?? 'text/plain' }).end(file)
}).listen(port, '127.0.0.1', () => console.log('http://127.0.0.1:' + port))
`

const plainPage = { 'index.html': html, 'main.js': inPage, 'program.js': program }
const vite = (version: string): Project => ({
  packages: { vite: version },
  files: plainPage,
  servers: {
    dev: { serve: ['vite', '--host', '127.0.0.1', '--port', 'PORT', '--strictPort'] },
    build: { build: ['vite', 'build'], serve: ['vite', 'preview', '--host', '127.0.0.1', '--port', 'PORT', '--strictPort'] },
  },
})
const next = (bundler: '--webpack' | '--turbopack'): Project => ({
  packages: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' },
  files: {
    'program.js': program,
    'app/layout.jsx': 'export default function Layout({ children }) { return <html><body>{children}</body></html> }',
    'app/page.jsx': `import { answer } from '../program.js'
      export const dynamic = 'force-dynamic'
      export default async function Page() { return <p>{await answer().catch(String)}</p> }`,
  },
  servers: {
    dev: { serve: ['next', 'dev', bundler, '--hostname', '127.0.0.1', '--port', 'PORT'] },
    build: { build: ['next', 'build', bundler], serve: ['next', 'start', '--hostname', '127.0.0.1', '--port', 'PORT'] },
  },
  onServer: true,
})

/** As `ng new` has it, without what this needs not. */
const angular = (from: string, assets?: string): Project => ({
  packages: { '@angular/cli': '22.2.6', ...Object.fromEntries(['build', 'common', 'compiler', 'compiler-cli', 'core', 'platform-browser'].map((name) => [`@angular/${name}`, '22.2.6'])), rxjs: '7.8.2', tslib: '2.8.1', typescript: '6.0.3' },
  files: {
    'angular.json': JSON.stringify({
      version: 1,
      cli: { analytics: false, cache: { environment: 'all' } }, // as on a developer's machine
      projects: { app: { projectType: 'application', root: '', sourceRoot: 'src', architect: {
        build: { builder: '@angular/build:application', options: { outputPath: 'dist', browser: 'src/main.ts', index: 'src/index.html', tsConfig: 'tsconfig.json', assets: [{ glob: '**/*', input: 'public' }] }, configurations: { development: { optimization: false } } },
        serve: { builder: '@angular/build:dev-server', options: { buildTarget: 'app:build:development' } },
      } } },
    }),
    'tsconfig.json': JSON.stringify({ compilerOptions: { strict: true, target: 'ES2022', module: 'preserve', experimentalDecorators: true, skipLibCheck: true, allowJs: true }, files: ['src/main.ts'] }),
    'src/index.html': '<!doctype html><meta charset="utf-8"><base href="/"><app-root></app-root>',
    'src/program.js': program.replace("'atomicdb'", `'${from}'`),
    'src/main.ts': `import { Component } from '@angular/core'
      import { bootstrapApplication } from '@angular/platform-browser'
      import { answer } from './program.js'
      @Component({ selector: 'app-root', template: '<p>Angular</p>' })
      class App {
        readonly asked = answer().then((found) => Object.assign(globalThis, { answer: found }))
      }
      bootstrapApplication(App)`,
    'public/robots.txt': '',
    'serve.mjs': staticServer,
  },
  ...(assets && { assets }),
  servers: {
    ...(assets && { dev: { serve: ['@angular/cli', 'serve', '--host', '127.0.0.1', '--port', 'PORT'] } }),
    build: { build: ['@angular/cli', 'build'], serve: ['./serve.mjs', 'dist/browser', 'PORT'] },
  },
})

const projects: Record<string, Project> = {
  'vite-5': vite('5.4.21'),
  'vite-6': vite('6.4.6'),
  'vite-7': vite('7.3.8'),
  'vite-7-workspace': {
    packages: { vite: '7.3.8' },
    inside: 'app',
    files: { 'package.json': '{"private":true,"workspaces":["app"]}', 'app/package.json': '{"name":"app","private":true,"type":"module"}', ...Object.fromEntries(Object.entries(plainPage).map(([name, text]) => [`app/${name}`, text])) },
    servers: { dev: { serve: ['vite', '--host', '127.0.0.1', '--port', 'PORT', '--strictPort'] } },
  },
  'nuxt': {
    packages: { nuxt: '4.4.5', vite: '8.3.8' },
    files: {
      'program.js': program,
      'app/app.vue': `<template><p>{{ found }}</p></template>
        <script setup>
        import { answer } from '../program.js'
        const found = ref('')
        onMounted(async () => { globalThis.answer = found.value = await answer().catch(String) })
        </script>`,
    },
    servers: { dev: { serve: ['nuxt', 'dev', '--host', '127.0.0.1', '--port', 'PORT'] } },
  },
  'astro': {
    packages: { astro: '6.0.5' },
    files: { 'src/program.js': program, 'src/main.js': inPage, 'src/pages/index.astro': '<p>Astro</p>\n<script>import "../main.js"</script>\n' },
    servers: { dev: { serve: ['astro', 'dev', '--host', '127.0.0.1', '--port', 'PORT'] } },
  },
  'parcel': {
    packages: { parcel: '2.16.4' },
    files: plainPage,
    servers: { dev: { serve: ['parcel', 'index.html', '--port', 'PORT', '--cache-dir', 'node_modules/.cache/parcel'] } },
  },
  'webpack': {
    packages: { webpack: '5.112.2', 'webpack-cli': '7.3.1', 'webpack-dev-server': '6.1.0' },
    files: { 'src/index.js': inPage, 'src/program.js': program, 'public/index.html': '<!doctype html><meta charset="utf-8"><script src="main.js"></script>' },
    servers: { dev: { serve: ['webpack', 'serve', '--mode', 'development', '--host', '127.0.0.1', '--port', 'PORT'] } },
  },
  'sveltekit': {
    packages: { '@sveltejs/kit': '3.2.0', '@sveltejs/vite-plugin-svelte': '7.3.1', svelte: '5.57.3', vite: '8.3.8' },
    files: {
      'vite.config.js': "import { sveltekit } from '@sveltejs/kit/vite'\nexport default { plugins: [sveltekit()] }",
      'src/app.html': '<!doctype html><html lang="en"><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>',
      'src/program.js': program,
      'src/routes/+page.svelte': `<script>
        import { onMount } from 'svelte'
        import { answer } from '../program.js'
        onMount(async () => { globalThis.answer = await answer().catch(String) })
      </script>`,
    },
    servers: { dev: { serve: ['vite', '--host', '127.0.0.1', '--port', 'PORT', '--strictPort'] } },
  },
  'rollup': {
    packages: { rollup: '4.68.8', '@rollup/plugin-node-resolve': '16.0.3' },
    assets: 'dist',
    files: {
      'main.js': inPage,
      'program.js': program,
      'dist/index.html': html,
      'rollup.config.js': "import resolve from '@rollup/plugin-node-resolve'\nexport default { input: 'main.js', output: { dir: 'dist' }, plugins: [resolve({ browser: true })] }",
      'serve.mjs': staticServer,
    },
    servers: { build: { build: ['rollup', '--config'], serve: ['./serve.mjs', 'dist', 'PORT'] } },
  },
  'angular': angular('atomicdb', 'public'),
  'angular-inline': angular('atomicdb/inline'),
  'next-turbopack': next('--turbopack'),
  'next-webpack': next('--webpack'),
}
const others = [...Object.keys(hosts), 'typescript', 'wrangler']
const asked = process.env.BUNDLERS?.split(',') ?? [...Object.keys(projects), ...others]

describe('the packed package, without configuration', { timeout: 1_800_000 }, () => {
  let consumer: Consumer
  let browser: Browser

  before(async () => {
    consumer = await installPacked()
    browser = await launchChromium()
  })
  after(async () => {
    await browser.close()
    await consumer[Symbol.asyncDispose]()
  })

  for (const name of asked.filter((name) => name in hosts)) {
    const { packages, run: [program, ...args], allow } = hosts[name]!
    const prepared = async () => {
      const folder = await installed(name, { packages, files: { 'program.js': onHost, 'people.csv': 'name,age\nAda,36\nKim,12\n' }, servers: {} }, consumer.tarball)
      for (const file of await readdir(folder)) if (/^(file|people)\..*(atomicdb|sqlite)/.test(file)) await rm(join(folder, file), { recursive: true })
      const path = join(folder, 'node_modules/.bin', program!)
      return async (allowed: readonly string[], ...rest: string[]) => (await run(path, [...args, ...allowed, ...rest], { cwd: folder, env: environment })).stdout.trim()
    }

    test(`${name}: in memory, in a worker, in a file and in SQLite`, async () => {
      const run = await prepared()
      assert.equal(await run(allow, 'program.js', 'file.atomicdb'), hostAnswer)
    })

    test(`${name}: the command`, async () => {
      const run = await prepared()
      const command = 'node_modules/atomicdb/dist/cli.js'
      const all = allow.length > 0 ? ['--allow-all'] : []
      await run(all, command, 'import', 'people.atomicdb', 'people.csv', '--collection', 'people')
      assert.equal(await run(all, command, 'query', 'people.atomicdb', 'SELECT name FROM people WHERE age > 18', '--format', 'csv'), 'name\r\nAda')
    })
  }

  for (const name of asked.filter((name) => !others.includes(name))) {
    const project = projects[name]
    assert.ok(project, `there is no ${name}; there are ${[...Object.keys(projects), ...others].join(', ')}`)
    for (const [kind, { build, serve }] of Object.entries(project.servers)) {
      test(`${name}: ${kind}`, async () => {
        const folder = await installed(name, project, consumer.tarball)
        if (build) await run(newerNode, await command(folder, build), { cwd: folder, env: environment })
        await withServer(folder, project.inside ?? '.', serve, async (address) => {
          assert.equal(await (project.onServer ? answerInHTML(address) : answerInPage(browser, address)), 'Ada,Bob,Eve')
        })
      })
    }
  }
})

describe('demo/worker', { timeout: 1_800_000 }, () => {
  for (const version of asked.includes('wrangler') ? ['4.84.0'] : []) {
    test(`is deployed by wrangler ${version}, as far as that goes without Cloudflare`, async () => {
      const consumer = await installPacked()
      try {
        const demo = join(packageFolder, '../demo/worker')
        const files = await Promise.all(['wrangler.jsonc', 'src/index.js', 'src/page.html'].map(async (path) => [path, await readFile(join(demo, path), 'utf8')]))
        const folder = await installed('wrangler', { packages: { wrangler: version }, files: Object.fromEntries(files), servers: {} }, consumer.tarball)
        const { stdout } = await run(newerNode, await command(folder, ['wrangler', 'deploy', '--dry-run', '--outdir', 'dist']), { cwd: folder, env: { ...environment, WRANGLER_SEND_METRICS: 'false' } })
        assert.match(stdout, /env\.LISTS \(List\)/)
        const names = await readdir(join(folder, 'dist'))
        assert.ok(names.some((name) => name.endsWith('atomicdb.wasm')), `there is no wasm in ${names}`)
        assert.match(await readFile(join(folder, 'dist/index.js'), 'utf8'), /AtomicDurableObject/)
      } finally {
        await consumer[Symbol.asyncDispose]()
      }
    })
  }
})

describe('the declarations', { timeout: 1_800_000 }, () => {
  let consumer: Consumer
  before(async () => {
    consumer = await installPacked()
  })
  after(() => consumer[Symbol.asyncDispose]())

  for (const version of asked.includes('typescript') ? ['5.4.5', '5.9.3', '6.0.3'] : []) {
    const folder = join(packageFolder, '.build/bundlers', `typescript-${version}`)
    const tsc = join(folder, 'node_modules/typescript/bin/tsc')
    before(() => install(folder, { typescript: version }))
    for (const settings of Object.keys(typeScriptSettings)) {
      test(`in TypeScript ${version}: ${settings}`, () => typeCheck(consumer, tsc, settings))
    }
    for (const options of [[], ['--exactOptionalPropertyTypes']]) {
      test(`in TypeScript ${version}: all that test/types claims ${options}`, () => typeTests(consumer, tsc, ...options))
    }
  }
})

/** Nobody is asked, nothing is reported, and nothing is found in the PATH but the Node that runs it. */
const environment = { ...process.env, CI: '1', NEXT_TELEMETRY_DISABLED: '1', NUXT_TELEMETRY_DISABLED: '1', ASTRO_TELEMETRY_DISABLED: '1', PATH: `${dirname(newerNode)}:${process.env.PATH}`, NODE_OPTIONS: '' }

/** A folder with the files and packages of a project, and this package as it would be published. */
async function installed(name: string, project: Project, tarball: string): Promise<string> {
  const folder = join(packageFolder, '.build/bundlers', name)
  await install(folder, project.packages)
  const own = join(folder, 'node_modules/atomicdb')
  await rm(own, { recursive: true, force: true })
  await mkdir(own, { recursive: true })
  await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1'])
  // What was made of an earlier build of this package.
  for (const cache of ['node_modules/.vite', 'node_modules/.cache', '.angular', '.svelte-kit', '.next', '.nuxt', '.astro', 'dist', 'app/node_modules']) await rm(join(folder, cache), { recursive: true, force: true })
  for (const [path, text] of Object.entries(project.files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  if (project.assets) await run(newerNode, [join(own, 'dist/cli.js'), 'copy-assets', project.assets], { cwd: folder })
  return folder
}

/** Installs packages into a folder, unless they are there. */
async function install(folder: string, packages: Record<string, string>): Promise<void> {
  if (existsSync(join(folder, 'node_modules', Object.keys(packages)[0]!))) return
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`)
  await run('npm', ['install', '--save-exact', '--no-package-lock', '--no-audit', '--no-fund', ...wanted], { cwd: folder, env: environment, maxBuffer: 1 << 26 })
}

/** The arguments of Node for a command of a package, or for a file. */
async function command(folder: string, [name, ...args]: string[]): Promise<string[]> {
  if (name!.startsWith('.')) return [join(folder, name!), ...args]
  const { bin } = JSON.parse(await readFile(join(folder, 'node_modules', name!, 'package.json'), 'utf8')) as { bin: string | Record<string, string> }
  return [join(folder, 'node_modules', name!, typeof bin === 'string' ? bin : (bin[name!] ?? Object.values(bin)[0]!)), ...args]
}

/** Runs `use` with the address of a server that answers, and ends the server and all that it has started. */
async function withServer(folder: string, inside: string, serve: string[], use: (address: string) => Promise<void>): Promise<void> {
  const port = await freePort()
  const args = (await command(folder, serve)).map((arg) => (arg === 'PORT' ? String(port) : arg))
  const server = spawn(newerNode, args, { cwd: join(folder, inside), env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  // Each of them prints its address when it listens.
  const listens = new Promise<void>((resolve) => {
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (text: Buffer) => {
        output += stripVTControlCharacters(String(text))
        if (output.includes(`:${port}`)) resolve()
      })
    }
  })
  const ended = new Promise<never>((_, reject) => {
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`the server has ended:\n${output}`)))
  })
  ended.catch(() => {})
  const address = `http://127.0.0.1:${port}/`
  try {
    await Promise.race([within(180_000, 'the server', listens), ended])
    await Promise.race([use(address), ended])
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${output.slice(-2000)}`, { cause: error })
  } finally {
    if (server.exitCode === null && server.signalCode === null) process.kill(-server.pid!, 'SIGKILL')
  }
}

async function answerInPage(browser: Browser, address: string): Promise<string> {
  const context = await browser.newContext()
  context.setDefaultTimeout(180_000)
  try {
    const page = await openPage(context, address)
    return await waitForValue(page, () => (globalThis as { answer?: string }).answer)
  } finally {
    await context.close()
  }
}

async function answerInHTML(address: string): Promise<string | undefined> {
  const response = await fetch(address, { signal: AbortSignal.timeout(180_000) })
  return /<p>(.*?)<\/p>/s.exec(await response.text())?.[1]
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
