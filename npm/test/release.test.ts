// What make release refuses, and what package.json says of where the project is.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { changesOf, faultsOf } from '../scripts/release.mjs'
import { packageFolder } from './harness/site.js'

const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))

describe('a release', () => {
  test('has what its manifest names, and nothing else', () => {
    const small = { main: './dist/index.js', module: './dist/index.js', types: './dist/index.d.ts', exports: { '.': { default: './dist/index.js' }, './react': './dist/react.js' } }
    const files = ['dist/index.js', 'dist/index.d.ts', 'dist/react.js', 'dist/worker.js', 'README.md', 'LICENSE', 'CHANGELOG.md', 'THIRD-PARTY.md', 'package.json']
    assert.deepEqual(faultsOf(files, small), [])
    assert.deepEqual(faultsOf(files.filter((path) => path !== 'dist/react.js'), small), ['dist/react.js is missing'])
    assert.deepEqual(faultsOf([...files, 'src/index.ts'], small), ['src/index.ts does not belong into the package'])
    assert.deepEqual(faultsOf([...files, '.npmrc'], small), ['.npmrc does not belong into the package'])
  })

  test('has a part of the changelog, with its date', () => {
    const changelog = '# Changelog\n\n## 0.2.0 (not released)\n\n- new\n\n## 0.1.0 (2026-12-01)\n\n- first\n'
    assert.deepEqual(changesOf(changelog, '0.1.0'), { date: '2026-12-01', text: '- first' })
    assert.deepEqual(changesOf(changelog, '0.2.0'), { date: undefined, text: '- new' })
    assert.throws(() => changesOf(changelog, '0.3.0'), /no part "## 0.3.0"/)
  })

  test('of this tree would pass', { timeout: 360_000 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/release.mjs', '--check'], { cwd: packageFolder })
    assert.match(stdout, new RegExp(`^atomicdb-${manifest.version}\\.tgz: \\d+ files, [\\d.]+ MB`))
  })

  test('has a README whose links lead somewhere from a page of a registry too', () => {
    const links = [...readFileSync(join(packageFolder, 'README.md'), 'utf8').matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target!)
    assert.ok(links.length > 20)
    assert.deepEqual(links.filter((target) => !/^(https:|#)/.test(target)), [])
    assert.ok(links.some((target) => target.endsWith('/raw/main/demo/og.jpg')), 'a picture is no page about it')
  })

  test('says where the project is, as go.mod does', () => {
    const [, module] = /^module (\S+)$/m.exec(readFileSync(join(packageFolder, '../go.mod'), 'utf8'))!
    assert.equal(manifest.repository.url, `git+https://${module}.git`)
    assert.equal(manifest.homepage, `https://${module}#readme`)
    assert.equal(manifest.bugs, `https://${module}/issues`)
    assert.equal(manifest.author, 'AtomicDB authors')
  })
})
