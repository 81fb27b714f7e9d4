import { after, before } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchChromium } from './chromium.js'
import { serveProduct, type Site } from './site.js'

/** What the tests of a describe block share: a site, and a Chromium to open it in. */
export interface ChromiumWithSite {
  readonly site: Site
  readonly browser: Browser
}

/**
 * Starts a site and a headless Chromium before the tests of the describe block
 * that calls this, and ends both after them. Tests read the result; while the
 * block is being defined, it is empty.
 *
 * @param serve Starts the site. Default: the built package alone.
 */
export function chromiumWithSite(serve: () => Promise<Site> = () => serveProduct()): ChromiumWithSite {
  const started = {} as { site: Site; browser: Browser }
  before(async () => {
    started.site = await serve()
    started.browser = await launchChromium()
  })
  after(async () => {
    await started.browser?.close()
    await started.site?.close()
  })
  return started
}
