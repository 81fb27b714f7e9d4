/**
 * Lists whose code the package ships and the Go packages need, with the
 * licences, in npm/THIRD-PARTY.md, which the package contains:
 *
 *     node npm/scripts/licences.mjs           writes it
 *     node npm/scripts/licences.mjs --check   fails if it says anything else
 *
 * What is shipped is asked of the tools that put it together: esbuild and go.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const npm = fileURLToPath(new URL('..', import.meta.url))
const root = join(npm, '..')
const file = join(npm, 'THIRD-PARTY.md')

const text = await thirdParty()
if (process.argv[2] !== '--check') writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('npm/THIRD-PARTY.md is not what is shipped; run: node npm/scripts/licences.mjs')
  process.exit(1)
}

async function thirdParty() {
  const inWasm = go(['list', '-deps', '-f', '{{with .Module}}{{.Path}}{{end}}', './wasm/atomicdb'], { GOOS: 'js', GOARCH: 'wasm' }).split('\n')
  const modules = modulesOf(JSON.parse(go(['mod', 'edit', '-json'])).Require.map(({ Path, Version }) => `${Path}@${Version}`))
  const shipped = [...(await bundledPackages(['index', 'worker', 'testing'], '`libraries.js`', 'neutral', ['./csv.js'])), ...(await bundledPackages(['streams/csv'], '`csv.js`, `cli.js`', 'node')), ...(await bundledPackages(['cli/index'], '`cli.js`', 'node', ['../index.js', 'papaparse'])), goItself(), ...modules.filter(({ name }) => inWasm.includes(name)).map((module) => ({ ...module, of: '`atomicdb.wasm`' }))]
  const rows = (all) => all.map(({ name, version, licences, of }) => `| ${name} | ${version} | ${licences.join(', ')} | ${of} |\n`).join('')
  return `# Code of others

Written by \`npm/scripts/licences.mjs\` from what the builds contain. AtomicDB itself is MIT licensed.

## In the npm package

| | version | licence | in |
|---|---|---|---|
${rows(shipped)}
The package has no dependencies: what it needs is bundled, except \`lmdb\`, which \`LMDBStorage\` loads if the program has
installed it.

## Needed by the Go packages and their tests

The modules of AtomicDB's go.mod. Only those that \`atomicdb.wasm\` contains are in the npm package.

| | version | licence | files |
|---|---|---|---|
${rows(modules)}
## The licences of what is in the npm package
${shipped.map(({ name, texts }) => `\n### ${name}\n${texts.map((text) => `\n\`\`\`\n${text.trim()}\n\`\`\`\n`).join('')}`).join('')}`
}

/** The npm packages that esbuild finds in the bundles. */
async function bundledPackages(entries, of, platform = 'neutral', external = []) {
  const { metafile } = await build({
    entryPoints: entries.map((name) => join(npm, `src/${name}.ts`)),
    outdir: join(npm, '.build/licences'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform,
    metafile: true,
    write: false,
    external: ['*/wasm_exec.js', ...external], // Go's, which the build makes first
    absWorkingDir: npm,
  })
  const names = Object.keys(metafile.inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [])
  return [...new Set(names)].sort().map((name) => {
    const folder = join(npm, 'node_modules', name)
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const texts = licenceFiles(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
    const licences = kindsOf(name, texts)
    if (!licences.includes(license)) throw new Error(`${name} says that its licence is ${license}, and its files say ${licences}`)
    return { name, version, licences, texts, of }
  })
}

/** Go's runtime and standard library. */
function goItself() {
  const texts = [readFileSync(join(go(['env', 'GOROOT']).trim(), 'LICENSE'), 'utf8')]
  return { name: 'Go', version: `from ${JSON.parse(go(['mod', 'edit', '-json'])).Go}`, licences: kindsOf('Go', texts), texts, of: '`atomicdb.wasm`, `index.js`, `worker.js`' }
}

/** @param {string[]} versions Each as name@version. */
function modulesOf(versions) {
  // One JSON value after the other.
  const all = JSON.parse(`[${go(['mod', 'download', '-json', ...versions]).replaceAll(/^\}\n\{/gm, '},\n{')}]`)
  return all.map(({ Path: name, Version: version, Dir: folder }) => {
    const files = licenceFiles(folder)
    const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'))
    return { name, version, licences: kindsOf(name, texts), texts, of: files.join(', ') }
  })
}

function licenceFiles(folder) {
  return readdirSync(folder).filter((file) => /^(licen[sc]e|copying|notice)/i.test(file)).sort()
}

/** The licences that texts are, by their SPDX names. */
function kindsOf(name, texts) {
  const kinds = texts.flatMap((text) => {
    if (/third-party (software notices|licenses)/i.test(text)) return 'those of its parts'
    if (/The OpenLDAP Public License/.test(text)) return 'OLDAP-2.8'
    if (/Apache License\s+Version 2\.0/.test(text)) return 'Apache-2.0'
    if (/Permission is hereby granted, free of charge/.test(text)) return 'MIT'
    if (/Redistribution and use in source and binary forms/.test(text)) return /neither the names? of/i.test(text) ? 'BSD-3-Clause' : 'BSD-2-Clause'
    if (/dedicated to the public\s+domain/.test(text)) return 'public domain'
    return /^https?:\S+\s*$/.test(text) ? [] : 'unknown' // the address of a logo
  })
  if (kinds.length === 0 || kinds.includes('unknown')) throw new Error(`${name} has a licence that is not known here: name it in kindsOf`)
  return [...new Set(kinds)]
}

/** What go prints. */
function go(args, environment = {}) {
  return execFileSync('go', args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...environment } })
}
