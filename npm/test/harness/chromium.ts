import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { chromiumArguments, chromiumPath } from '../../scripts/chromium.mjs'
import { within } from './deadline.js'

declare global {
  /** The built package, in pages of `serveProduct`. */
  var atomicdb: typeof import('../../src/index.js')
  /** The database that a test keeps open in such a page. */
  var db: import('../../src/index.js').AtomicDB
}

/** Starts a headless Chromium. Each of its contexts is a fresh private profile. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), args: chromiumArguments })
}

/** A page of `origin` whose scripts have run. Fails if one of them threw. */
export async function openPage(context: BrowserContext, origin: string): Promise<Page> {
  const page = await context.newPage()
  const errors: Error[] = []
  page.on('pageerror', (error) => errors.push(error))
  // tsx runs this file through esbuild, which adds calls of __name to the functions
  // that a test sends to the page. The page has no such function.
  await page.addInitScript('globalThis.__name = (f) => f')
  // goto waits for the load event, and module scripts run before it.
  await page.goto(origin)
  if (errors.length > 0) throw new AggregateError(errors, `${origin}: ${errors[0]!.message}`)
  return page
}

/** Waits until `read` returns a value in the page, and returns it. Fails with the page's error, if one comes first. */
export async function waitForValue<T>(page: Page, read: () => T | undefined): Promise<T> {
  const failed = new Promise<never>((_, reject) => page.once('pageerror', reject))
  const [earlier] = await page.pageErrors()
  if (earlier) throw earlier
  const found = await Promise.race([page.waitForFunction(read), failed])
  return (await found.jsonValue()) as T
}

/** Prepares to crash the process of a page. The returned function does it, and resolves when the page is gone. */
export async function crasherOf(page: Page): Promise<() => Promise<void>> {
  const crashed = new Promise<void>((resolve) => page.once('crash', () => resolve()))
  const devtools = await page.context().newCDPSession(page)
  return () => {
    devtools.send('Page.crash').catch(() => {}) // the page crashes before it can answer
    return within(60_000, 'the crash', crashed) // a busy page takes some seconds
  }
}

/** A Chromium with a profile on disk that can be killed at any time. */
export interface KillableChromium {
  readonly context: BrowserContext
  /** Kills every process of the browser at once, as a power cut would. */
  kill(): Promise<void>
}

/**
 * Starts a Chromium on the profile in `userDataFolder`, as the leader of a process group.
 *
 * @param seesPages Whether only the page in front is visible, as it is for people. Otherwise, because of Playwright,
 * every page is.
 */
export async function spawnChromium(userDataFolder: string, seesPages = false): Promise<KillableChromium> {
  const child = spawn(
    chromiumPath(),
    [...chromiumArguments, '--headless', '--remote-debugging-port=0', `--user-data-dir=${userDataFolder}`],
    { detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL')
    await exited
  }
  try {
    const browser = await connected(await devToolsAddress(child.stderr), seesPages)
    return { context: browser.contexts()[0]!, kill }
  } catch (error) {
    await kill()
    throw error
  }
}

/**
 * Connects Playwright to a Chromium that has just started. On a loaded machine
 * it sometimes waits for ever for a target that went away while it connected (in
 * two of two runs of all tests, with a benchmark beside them). No page of a test
 * is open yet, so it can connect once more.
 */
async function connected(address: string, noDefaults: boolean): Promise<Browser> {
  return chromium.connectOverCDP(address, { timeout: 10_000, noDefaults }).catch((error: Error) => {
    if (error.name !== 'TimeoutError') throw error
    return chromium.connectOverCDP(address, { noDefaults })
  })
}

/** The address that Chromium prints to stderr when it listens. Later output is read and dropped. */
function devToolsAddress(stderr: NodeJS.ReadableStream): Promise<string> {
  const output: string[] = []
  const lines = createInterface({ input: stderr })
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const address = /DevTools listening on (ws:\S+)/.exec(line)?.[1]
      if (address) resolve(address)
      else output.push(line)
    })
    lines.on('close', () => reject(new Error(`Chromium ended before it listened:\n${output.join('\n')}`)))
  })
}
