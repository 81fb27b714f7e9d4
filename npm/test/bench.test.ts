// The benchmark cannot rot: every workload runs once, small, against AtomicDB and each peer. The run
// fails if one answer differs from plain JavaScript's.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { steps } from '../bench/rxdb-suite/suite.js'
import { workloads } from '../bench/workloads.js'
import { packageFolder } from './harness/site.js'

test('make bench runs, and every answer is right', { timeout: 300_000 }, async () => {
  const env = { ...process.env, QUICK: '1', SIZES: '1000' }
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/run.ts'], { cwd: packageFolder, env })
  for (const { title } of Object.values(workloads)) assert.ok(stdout.includes(`| ${title} `), `no row "${title}" in:\n${stdout}`)
  for (const title of Object.values(steps)) assert.ok(stdout.includes(`| ${title} `), `no row "${title}" in:\n${stdout}`)
  assert.match(stdout, /\| +AtomicDB +\| +Dexie +\| +LokiJS +\| +sql\.js +\| +sqlite-wasm +\|/)
})
