// The tests of the public API again, on the built package and IndexedDB, in real Chromium: with the engine in
// the page, and in workers. `make browsers` runs them in other browsers.
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchChromium, openPage, waitForValue } from './harness/chromium.js'
import { within } from './harness/deadline.js'
import type { Site } from './harness/site.js'
import { serveSuites } from './harness/suites-page.js'
import { apiSuites, workerSuites } from './suites/api.js'

describe('in Chromium', { timeout: 300_000 }, () => {
  let site: Site
  let browser: Browser
  let page: Page

  before(async () => {
    site = await serveSuites()
    browser = await launchChromium()
    page = await openPage(await browser.newContext(), `${site.origin}/suites`)
    await waitForValue(page, () => 'runOne' in globalThis || undefined)
  })
  after(async () => {
    await browser.close()
    await site.close()
  })

  for (const [suites, worker] of [[apiSuites, false], [workerSuites, true]] as const) {
    for (const [name, suite] of Object.entries(suites)) {
      describe(worker ? `${name}, in a worker` : name, () => {
        for (const [index, { name: claim }] of suite.entries()) {
          test(claim, () =>
            within(60_000, claim, page.evaluate(({ name, index, worker }) => runOne(name, index, worker), { name, index, worker })),
          )
        }
      })
    }
  }
})
