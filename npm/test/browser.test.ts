// The tests of the public API again, on the built package and IndexedDB, in real Chromium: with the engine in
// the page, in workers and in shared workers. `make browsers` runs them in other browsers.
import { before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { openPage, waitForValue } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'
import { within } from './harness/deadline.js'
import { serveSuites } from './harness/suites-page.js'
import { apiSuites, sharedSuites, workerSuites } from './suites/api.js'

describe('in Chromium', { timeout: 900_000 }, () => {
  const chromium = chromiumWithSite(serveSuites)
  let page: Page

  before(async () => {
    page = await openPage(await chromium.browser.newContext(), `${chromium.site.origin}/suites`)
    await waitForValue(page, () => 'runOne' in globalThis || undefined)
  })

  for (const [suites, worker, where] of [[apiSuites, false, ''], [workerSuites, true, ', in a worker'], [sharedSuites, 'shared', ', in a shared worker']] as const) {
    for (const [name, suite] of Object.entries(suites)) {
      describe(`${name}${where}`, () => {
        for (const [index, { name: claim }] of suite.entries()) {
          test(claim, () =>
            within(60_000, claim, page.evaluate(({ name, index, worker }) => runOne(name, index, worker), { name, index, worker })),
          )
        }
      })
    }
  }
})
