import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageFolder } from './site.js'

const run = promisify(execFile)

/** A project outside this repository that has installed the package as it would be published. */
export interface Consumer extends AsyncDisposable {
  readonly folder: string
  /** The published file. */
  readonly tarball: string
  /** Writes a file of the project and returns its path. */
  write(name: string, text: string): Promise<string>
  /** Runs node in the project and returns what it printed. */
  node(...args: string[]): Promise<string>
}

/** Packs the built package and installs the tarball into a fresh folder, without a network. */
export async function installPacked(): Promise<Consumer> {
  const folder = await mkdtemp(join(tmpdir(), 'atomicdb-consumer-'))
  const write = async (name: string, text: string) => {
    const path = join(folder, name)
    await writeFile(path, text)
    return path
  }

  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: packageFolder })
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }]
  const tarball = join(folder, filename)
  await write('package.json', JSON.stringify({ private: true, type: 'module' }))
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder })

  return {
    folder,
    tarball,
    write,
    node: async (...args) => (await run(process.execPath, args, { cwd: folder })).stdout.trim(),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}
