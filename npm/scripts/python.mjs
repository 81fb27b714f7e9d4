// The Python with which tests read and write our files: Debian's, with its packages cryptography and msgpack.
//
//   node npm/scripts/python.mjs --install   installs what is missing
import { execFileSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { installPackages } from './apt.mjs'

/** The path of that Python; the variable PYTHON overrides it. */
export const pythonPath = process.env.PYTHON ?? '/usr/bin/python3'

function isComplete() {
  try {
    execFileSync(pythonPath, ['-c', 'import cryptography.fernet, msgpack'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--install') && !isComplete()) installPackages('python3', 'python3-cryptography', 'python3-msgpack')
}
