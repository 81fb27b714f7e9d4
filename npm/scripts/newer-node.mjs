// A Node that has node:sqlite. The oldest Node that the package supports, 20, has no such module.
//
//   node npm/scripts/newer-node.mjs --install   installs one, if the Node that runs this is too old
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const version = '24.21.0'
const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
const folder = fileURLToPath(new URL(`../.build/node-${version}`, import.meta.url))
const isNewEnough = Number(process.versions.node.split('.')[0]) >= 24

/** The path of that Node. */
export const newerNode = isNewEnough ? process.execPath : join(folder, 'node_modules', name, 'bin/node')

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--install') && !existsSync(newerNode)) {
    execFileSync('npm', ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--prefix', folder, `${name}@${version}`], { stdio: 'inherit' })
  }
}
