// Decides which Chromium the tests and benchmarks use; nothing else does.
//
//   node npm/scripts/chromium.mjs             prints its path
//   node npm/scripts/chromium.mjs --install   first installs Debian's, if there is none
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installPackages } from './apt.mjs'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** Arguments for every Chromium that is started here: no GPU, and no requests of the browser's own. */
export const chromiumArguments = [
  // Containers and CI run as root, and Chromium's sandbox does not start as root.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * The path of the browser: the variable CHROMIUM, or the first known name on the PATH.
 * @returns {string | undefined}
 */
export function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, name)
      if (isExecutable(path)) return path
    }
  }
  return undefined
}

/**
 * {@link findChromium}; throws an error that says how to get a Chromium if there is none.
 * @returns {string}
 */
export function chromiumPath() {
  const path = findChromium()
  if (!path) throw new Error('no Chromium found: run "make setup", or set CHROMIUM to the path of one')
  return path
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--install') && !findChromium()) installPackages('chromium')
  console.log(chromiumPath())
}
