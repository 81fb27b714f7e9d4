import { execFileSync } from 'node:child_process'

/** Installs Debian packages; through sudo if this user is not root. */
export function installPackages(...names) {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo']
  const apt = (...args) => {
    const [command, ...rest] = [...asRoot, 'apt-get', ...args]
    execFileSync(command, rest, { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  }
  apt('update')
  apt('install', '--yes', '--no-install-recommends', ...names)
}
