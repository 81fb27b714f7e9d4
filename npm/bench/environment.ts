import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageFolder } from '../test/harness/site.js'

/** The machine on which a run was made. */
export interface Machine {
  cores: number
  model: string
  memoryGiB: number
}

/** This machine. */
export async function machine(): Promise<Machine> {
  return { cores: cpus().length, model: await processorModel(), memoryGiB: Math.round(totalmem() / 2 ** 30) }
}

/** The packages of the peers. */
const peers = [
  '@electric-sql/pglite', '@seald-io/nedb', '@signaldb/core', '@sqlite.org/sqlite-wasm', '@tanstack/db', 'dexie', 'lokijs', 'pouchdb-browser', 'pouchdb-find', 'rxdb', 'sql.js', 'tinybase',
]

/** The versions of everything that was measured, by package name; Go's as `go`. */
export async function versions(): Promise<Record<string, string>> {
  const versions: Record<string, string> = { atomicdb: await ownVersion() }
  for (const name of peers) {
    versions[name] = (await packageJson(installed(name))).version
  }
  versions.go = (await output('go', 'env', 'GOVERSION')).replace(/^go/, '')
  return versions
}

/** A file or folder of an installed package, from npm/: the peers are in bench/node_modules, what tests use too beside it. */
export function installed(path: string): string {
  const own = join('bench/node_modules', path)
  return existsSync(join(packageFolder, own)) ? own : join('node_modules', path)
}

/** The version in package.json, with the commit it was built from if git knows one. */
async function ownVersion(): Promise<string> {
  const { version } = await packageJson('.')
  const commit = await output('git', 'describe', '--always', '--dirty').catch(() => '')
  return commit ? `${version} (${commit})` : version
}

async function packageJson(folder: string): Promise<{ version: string }> {
  return JSON.parse(await readFile(join(packageFolder, folder, 'package.json'), 'utf8'))
}

async function output(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd: packageFolder })
  return stdout.trim()
}

/** The processor's model; its family and speed on virtual machines whose kernel says that the model is "unknown". */
async function processorModel(): Promise<string> {
  const fields = new Map<string, string>()
  if (existsSync('/proc/cpuinfo')) {
    for (const line of (await readFile('/proc/cpuinfo', 'utf8')).split('\n')) {
      const [, name, value] = /^(.*?)\s*:\s*(.*)$/.exec(line) ?? []
      if (name && value && !fields.has(name)) fields.set(name, value)
    }
  }
  const model = fields.get('model name') ?? cpus()[0]?.model ?? 'unknown'
  if (model !== 'unknown') return model
  return `${fields.get('vendor_id') ?? 'unknown'} family ${fields.get('cpu family')} model ${fields.get('model')} at ${fields.get('cpu MHz')} MHz`
}
