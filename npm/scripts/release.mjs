/**
 * Packs the built package as a release, tests what is in it, and says how large it is:
 *
 *     node npm/scripts/release.mjs          packs into npm/.build/release, and tags the commit
 *     node npm/scripts/release.mjs --check  packs and tests, and changes nothing; the workflow does this before it publishes
 *
 * It publishes nothing. A release needs a date in CHANGELOG.md, and a tag needs a clean tree.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const npm = fileURLToPath(new URL('..', import.meta.url))
const root = join(npm, '..')

/**
 * The date of a version in a changelog, and what it says of it.
 * @param {string} changelog
 * @param {string} version
 * @returns {{ date: string | undefined, text: string }} No date: it is not released.
 */
export function changesOf(changelog, version) {
  const part = changelog.split(/^## /m).find((part) => part.startsWith(`${version} `) || part.startsWith(`${version}\n`))
  if (part === undefined) throw new Error(`CHANGELOG.md has no part "## ${version}"`)
  return { date: /^\S+ \((\d{4}-\d\d-\d\d)\)/.exec(part)?.[1], text: part.slice(part.indexOf('\n')).trim() }
}

/**
 * What is wrong with the files of a package.
 * @param {string[]} files Their paths in the package.
 * @param {object} manifest package.json
 * @returns {string[]}
 */
export function faultsOf(files, manifest) {
  const targets = (value) => (typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(targets))
  const named = [manifest.main, manifest.module, manifest.types, ...targets(manifest.bin), ...targets(manifest.exports)].map((path) => path.replace(/^\.\//, ''))
  const wanted = [...new Set([...named, 'README.md', 'LICENSE', 'CHANGELOG.md', 'THIRD-PARTY.md', 'dist/worker.js'])]
  const allowed = /^(dist\/[\w./-]+\.(js|d\.ts|wasm)|README\.md|LICENSE|CHANGELOG\.md|THIRD-PARTY\.md|package\.json)$/
  return [...wanted.filter((path) => !files.includes(path)).map((path) => `${path} is missing`), ...files.filter((path) => !allowed.test(path)).map((path) => `${path} does not belong into the package`)]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) release(process.argv.includes('--check'))

/** @param {boolean} isCheck */
function release(isCheck) {
  const manifest = JSON.parse(readFileSync(join(npm, 'package.json'), 'utf8'))
  const tag = `v${manifest.version}`
  const { date, text } = changesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), manifest.version)
  const problems = []
  if (!isCheck) {
    if (date === undefined) problems.push(`CHANGELOG.md has no date yet: write "## ${manifest.version} (${new Date().toISOString().slice(0, 10)})"`)
    if (git('status', '--porcelain') !== '') problems.push('the tree has changes that are not committed')
    if (git('tag', '--list', tag) !== '') problems.push(`there is a tag ${tag}`)
  }

  const folder = join(npm, '.build/release')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: npm, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  problems.push(...faultsOf(packed.files.map(({ path }) => path), manifest))
  if (problems.length === 0) tryOut(join(folder, packed.filename))
  if (problems.length > 0) {
    console.error(problems.join('\n'))
    process.exit(1)
  }

  const bytes = readFileSync(join(folder, packed.filename))
  const sizes = {
    version: manifest.version,
    commit: git('rev-parse', 'HEAD'),
    tarball: { name: packed.filename, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
    files: Object.fromEntries(packed.files.map(({ path, size }) => [path, size])),
  }
  writeFileSync(join(folder, 'sizes.json'), JSON.stringify(sizes, null, 2) + '\n')
  writeFileSync(join(folder, 'notes.md'), text + '\n')
  console.log(`${packed.filename}: ${packed.files.length} files, ${(bytes.length / 1e6).toFixed(2)} MB, ${(packed.unpackedSize / 1e6).toFixed(2)} MB unpacked\nsha256 ${sizes.tarball.sha256}`)
  if (isCheck) return
  git('tag', '-a', tag, '-m', `AtomicDB ${manifest.version}`)
  console.log(`tagged ${tag}; to publish it: git push origin ${tag}`)
}

/** Installs the tarball into an empty folder, and keeps a document with it. */
function tryOut(tarball) {
  const folder = mkdtempSync(join(tmpdir(), 'atomicdb-release-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
    execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    const program = "const { AtomicDB } = await import('atomicdb'); const db = await AtomicDB.open('release'); await db.insert({ n: 1 }); console.log(await db.count('n = 1'))"
    const answer = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: folder, encoding: 'utf8' }).trim()
    if (answer !== '1') throw new Error(`the installed package answers ${answer}, not 1`)
    execFileSync(join(folder, 'node_modules/.bin/atomicdb'), ['--help'], { stdio: 'ignore' })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
}
