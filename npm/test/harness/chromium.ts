import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { chromiumArguments, chromiumPath } from '../../scripts/chromium.mjs'
import { within } from './deadline.js'

declare global {
  /** The built package, in pages of `serveProduct`. */
  var atomicdb: typeof import('../../src/index.js')
  /** The database a test keeps open in such a page. */
  var db: import('../../src/index.js').AtomicDB
}

/** Starts a headless Chromium; each of its contexts is a fresh private profile. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), args: chromiumArguments })
}

/** A page of `origin` whose scripts have run. Fails if one of them threw. */
export async function openPage(context: BrowserContext, origin: string): Promise<Page> {
  const page = await context.newPage()
  const errors: Error[] = []
  page.on('pageerror', (error) => errors.push(error))
  // esbuild, through which tsx runs this file, calls __name in the functions that
  // a test hands to the page; the page has none.
  await page.addInitScript('globalThis.__name = (f) => f')
  // Module scripts run before the load event, for which goto waits.
  await page.goto(origin)
  if (errors.length > 0) throw new AggregateError(errors, `${origin}: ${errors[0]!.message}`)
  return page
}

/** What `read` finds in the page, once it finds something; the page's error, if one comes first. */
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
    return within(10_000, 'the crash', crashed)
  }
}

/** A Chromium with a profile on disk that can be killed as a power cut would kill it. */
export interface MortalChromium {
  readonly context: BrowserContext
  /** Ends every process of the browser at once, without a word to any of them. */
  kill(): Promise<void>
}

/**
 * Starts a Chromium on the profile in `userDataFolder`, as the leader of a process group.
 *
 * @param seesPages Whether only the page in front is visible, as it is for people; otherwise Playwright has all pages take themselves for it.
 */
export async function spawnChromium(userDataFolder: string, seesPages = false): Promise<MortalChromium> {
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
 * Playwright connected to a Chromium that has just started. On a loaded machine
 * it sometimes waits for ever for a target that went while it connected (in two
 * of two runs of all tests, with a benchmark beside them); no page of a test is
 * open yet, so it connects once more.
 */
async function connected(address: string, noDefaults: boolean): Promise<Browser> {
  return chromium.connectOverCDP(address, { timeout: 10_000, noDefaults }).catch((error: Error) => {
    if (error.name !== 'TimeoutError') throw error
    return chromium.connectOverCDP(address, { noDefaults })
  })
}

/** The address that Chromium prints to stderr once it listens; what follows is read and dropped. */
function devToolsAddress(stderr: NodeJS.ReadableStream): Promise<string> {
  const said: string[] = []
  const lines = createInterface({ input: stderr })
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const address = /DevTools listening on (ws:\S+)/.exec(line)?.[1]
      if (address) resolve(address)
      else said.push(line)
    })
    lines.on('close', () => reject(new Error(`Chromium ended before it listened:\n${said.join('\n')}`)))
  })
}
