/**
 * Bundles the to-do app of one framework: with esbuild, and with the framework's own compiler where it has one.
 * `node demo/serve.mjs` serves the apps at /todos/react/, /todos/vue/, /todos/svelte/, /todos/solid/ and /todos/angular/.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const npm = join(here, '../../npm')
const ofThePackage = createRequire(join(npm, 'package.json'))

/** The frameworks of the apps that are here. */
export const frameworks = ['react', 'vue', 'svelte', 'solid', 'angular'].filter((name) => existsSync(join(here, name)))

/** The page of every app. */
export const page = (framework) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>To do, in ${framework}</title>
<link rel="stylesheet" href="/todos/style.css">
<div id="app"></div>
<script type="module" src="/todos/${framework}/app.js"></script>
</html>
`

/** Whatever compiles the files of one framework. */
const compilers = {
  vue: {
    filter: /\.vue$/,
    async compile(source, filename) {
      const { compileScript, parse } = ofThePackage('vue/compiler-sfc')
      const { descriptor, errors } = parse(source, { filename })
      if (errors.length > 0) throw errors[0]
      return compileScript(descriptor, { id: basename(filename), inlineTemplate: true }).content
    },
  },
  svelte: {
    filter: /\.svelte$/,
    async compile(source, filename) {
      const { compile } = ofThePackage('svelte/compiler')
      return compile(source, { filename, runes: true }).js.code
    },
  },
  solid: {
    filter: /\.jsx$/,
    async compile(source, filename) {
      const { transformAsync } = ofThePackage('@babel/core')
      return (await transformAsync(source, { filename, presets: [ofThePackage('babel-preset-solid')], babelrc: false, configFile: false })).code
    },
  },
}

const built = new Map()

/** The script of an app, which is built again when a file of it or of the package has changed. */
export async function app(framework) {
  const files = [join(here, framework), join(npm, 'dist')].flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  const version = Math.max(...files.map((file) => statSync(file).mtimeMs))
  if (built.get(framework)?.version !== version) built.set(framework, { version, text: bundle(framework) })
  return built.get(framework).text
}

/**
 * The script of an app. It imports AtomicDB from /atomicdb/index.js, and holds all else.
 *
 * @param entry The file to bundle. Default: main.js, .jsx or .ts of the app.
 */
export async function bundle(framework, entry = entryOf(framework)) {
  const esbuild = ofThePackage('esbuild')
  const atomicdb = {
    name: 'the package that was built',
    setup(build) {
      build.onResolve({ filter: /^(atomicdb|\.\/index\.js)$/ }, ({ path, importer }) => {
        if (path === 'atomicdb' || importer.startsWith(join(npm, 'dist'))) return { path: '/atomicdb/index.js', external: true }
      })
      build.onResolve({ filter: /^atomicdb\// }, ({ path }) => ({ path: join(npm, 'dist', `${path.slice('atomicdb/'.length)}.js`) }))
    },
  }
  const compiler = compilers[framework] && {
    name: framework,
    setup(build) {
      build.onLoad({ filter: compilers[framework].filter }, async ({ path }) => ({ contents: await compilers[framework].compile(await readFile(path, 'utf8'), path) }))
    },
  }
  const { outputFiles } = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    minifySyntax: true, // which takes out what is for development alone
    nodePaths: [join(npm, 'node_modules')],
    conditions: ['production', 'svelte', 'module'],
    define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false' },
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false, jsx: 'react-jsx' } },
    plugins: [atomicdb, compiler].filter(Boolean),
    logLevel: 'silent', // the error has it all
    write: false,
  })
  return outputFiles[0].text
}

function entryOf(framework) {
  const found = ['main.js', 'main.jsx', 'main.ts', 'main.tsx'].map((name) => join(here, framework, name)).find(existsSync)
  if (!found) throw new Error(`there is no main file in demo/todos/${framework}`)
  return found
}
