// The tests of the public API again, on IndexedDB, in Debian's Firefox and WebKitGTK. `make browsers` installs and
// runs them; they are no part of `make test`. Nothing drives these browsers: the page runs all tests, and reports.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { within } from './harness/deadline.js'
import { serveSuites } from './harness/suites-page.js'

interface OtherBrowser {
  /** The command that opens `url` with nothing but the empty folder `home`. */
  command(url: string, home: string): string[]
  /** What it cannot do, by the claim that fails for it. */
  lacks: Record<string, string>
}

const browsers: Record<string, OtherBrowser> = {
  Firefox: {
    command: (url, home) => ['firefox-esr', '--headless', '--no-remote', '--profile', home, url],
    lacks: {},
  },
  WebKitGTK: {
    command: (url) => ['xvfb-run', '--auto-servernum', miniBrowser(), url],
    lacks: { 'storages: each storage keeps every byte of large batches and of empty ones': 'localStorage: The quota has been exceeded' }, // it holds 1.6 MB
  },
}

for (const [name, { command, lacks }] of Object.entries(browsers)) {
  test(`${name} passes the tests of the API`, async (t) => {
    const failures: Record<string, string> = {}
    let passed = 0
    let finish!: () => void
    const finished = new Promise<void>((resolve) => (finish = resolve))
    const reports = createServer(async (request, response) => {
      const { claim, failure, done } = JSON.parse((await request.toArray()).join('')) as { claim?: string; failure?: string; done?: string }
      response.setHeader('Access-Control-Allow-Origin', '*').end()
      if (claim && failure) failures[claim] = failure
      else if (claim) passed++
      if (done) {
        t.diagnostic(`${passed} passed in ${done}`)
        finish()
      }
    }).listen(0, '127.0.0.1')
    await once(reports, 'listening')
    const site = await serveSuites({
      '/': `<!doctype html><meta charset="utf-8"><script type="module">
        const post = (report) => fetch('http://127.0.0.1:${(reports.address() as AddressInfo).port}', { method: 'POST', body: JSON.stringify(report) })
        addEventListener('error', ({ message, filename, lineno }) => post({ claim: 'the page', failure: message + ' at ' + filename + ':' + lineno }))
        await import('/suites.js')
        await runAll((claim, failure) => post({ claim, failure }))
        await post({ done: navigator.userAgent })
      </script>`,
    })
    const home = await mkdtemp(join(tmpdir(), 'atomicdb-browser-'))
    const [program, ...args] = command(site.origin, home)
    const browser = spawn(program!, args, { detached: true, stdio: 'ignore', env: { ...process.env, HOME: home, XDG_RUNTIME_DIR: home, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' } }) // a container has no user namespaces
    try {
      await within(300_000, `the end of the tests, of which ${name} has passed some`, finished)
    } finally {
      process.kill(-browser.pid!, 'SIGKILL')
      reports.close()
      reports.closeAllConnections()
      await site.close()
      await rm(home, { recursive: true, maxRetries: 5 })
    }
    for (const [claim, failure] of Object.entries(failures)) assert.ok(lacks[claim] && failure.includes(lacks[claim]), `${claim}: ${failure}`)
    assert.deepEqual(Object.keys(failures), Object.keys(lacks))
  })
}

/** WebKitGTK's browser for tests is not on the PATH. */
function miniBrowser(): string {
  const libraries = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`
  const found = readdirSync(libraries).map((name) => join(libraries, name, 'MiniBrowser')).find((path) => existsSync(path))
  if (!found) throw new Error('there is no MiniBrowser of WebKitGTK: run "make browsers"')
  return found
}
