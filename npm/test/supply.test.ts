// What the package takes from others: the list of licences is true, and audits fail for what they should.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { verdict } from '../scripts/audit.mjs'
import { packageFolder } from './harness/site.js'

test('THIRD-PARTY.md lists what is shipped, and is shipped', async () => {
  await promisify(execFile)(process.execPath, ['scripts/licences.mjs', '--check'], { cwd: packageFolder })
  const { files, dependencies } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))
  assert.ok(files.includes('THIRD-PARTY.md'))
  assert.equal(dependencies, undefined, 'THIRD-PARTY.md says that there are none')
})

describe('an audit', () => {
  const found = (severity: string) => JSON.stringify({ vulnerabilities: { left: { name: 'left', severity, range: '<2' } } })

  test('passes if nothing is known', () => {
    assert.deepEqual(verdict('{"vulnerabilities":{}}', 'info'), { line: 'nothing known', failed: false })
  })

  test('fails from a severity on, and names what is below it', () => {
    assert.deepEqual(verdict(found('low'), 'info'), { line: '1 vulnerable: left <2 (low)', failed: true })
    assert.deepEqual(verdict(found('moderate'), 'high'), { line: 'nothing of severity high; below it left <2 (moderate)', failed: false })
    assert.equal(verdict(found('high'), 'high').failed, true)
    assert.equal(verdict(found('critical'), 'high').failed, true)
    assert.equal(verdict(found('unheard of'), 'high').failed, true)
  })

  test('is skipped, with a reason, where the registry does not answer', () => {
    assert.deepEqual(verdict('{"message":"405 Method Not Allowed","error":{"summary":""}}', 'info'), {
      line: 'skipped: the registry does not answer audits: 405 Method Not Allowed',
      failed: false,
    })
    assert.deepEqual(verdict('', 'info'), { line: 'skipped: the answer is no JSON: ', failed: false })
  })
})
