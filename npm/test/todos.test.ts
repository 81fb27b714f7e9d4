// The to-do app of demo/todos, the same in each framework, as its visitors use it: served by the server of the demo.
import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { launchChromium, openPage } from './harness/chromium.js'
import { within } from './harness/deadline.js'
import { packageFolder } from './harness/site.js'

const demo = join(packageFolder, '../demo')
const frameworks = ['react', 'vue', 'svelte', 'solid', 'angular'].filter((name) => existsSync(join(demo, 'todos', name)))

/** What is to be seen: the rows, each as "[x] text", and the two lines below them. */
interface Seen {
  rows: string[]
  left: string
  status: string
}

describe('the to-do app', { timeout: 600_000 }, () => {
  let server: ChildProcess
  let address: string
  let browser: Browser

  before(async () => {
    server = spawn(process.execPath, [join(demo, 'serve.mjs'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: server.stdout! })
    address = await within(60_000, 'the address of the server', new Promise<string>((resolve) => lines.on('line', resolve)))
    browser = await launchChromium()
  })
  after(async () => {
    await browser?.close()
    server?.kill()
  })

  test('is there in each framework', () => {
    assert.deepEqual(frameworks.filter((name) => name !== 'react'), ['vue', 'svelte', 'solid', 'angular'])
  })

  test('in Angular fits the types of the package', async () => {
    const paths = { 'atomicdb': ['../dist/index.d.ts'], 'atomicdb/*': ['../dist/*/index.d.ts'], '@angular/*': ['../node_modules/@angular/*'] } // from .build
    const compilerOptions = { noEmit: true, strict: true, target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom', 'dom.iterable'], types: [], experimentalDecorators: true, skipLibCheck: true, paths }
    const config = join(packageFolder, '.build/todos-angular.json')
    await writeFile(config, JSON.stringify({ compilerOptions, files: ['main.ts', 'app.ts', 'todo-item.ts'].map((name) => join(demo, 'todos/angular', name)) }))
    await promisify(execFile)(process.execPath, [join(packageFolder, 'node_modules/typescript/bin/tsc'), '-p', config]).catch((error: { stdout: string }) => assert.fail(error.stdout))
  })

  for (const framework of frameworks) {
    describe(`in ${framework}`, () => {
      /** Runs `work` with a page of the app, and fails if the page has an error. */
      async function withApp(work: (page: Page, context: BrowserContext) => Promise<void>, prepare?: (context: BrowserContext) => Promise<unknown>): Promise<void> {
        const context = await browser.newContext()
        const errors: Error[] = []
        context.on('weberror', (error) => errors.push(error.error()))
        try {
          await context.addInitScript(`globalThis.__name = (f) => f; globalThis.seen = ${seen}`) // tsx calls __name
          await prepare?.(context)
          await work(await open(context), context)
          assert.deepEqual(errors, [])
        } finally {
          await context.close()
        }
      }

      async function open(context: BrowserContext): Promise<Page> {
        const page = await openPage(context, `${address}todos/${framework}/`)
        await page.waitForSelector('#status')
        return page
      }

      test('adds to-dos, in the order in which they were made', () => withApp(async (page) => {
        await come(page, { rows: [], left: '0 left', status: 'saved' })
        await add(page, 'milk', 'bread', 'eggs')
        await come(page, { rows: ['[ ] milk', '[ ] bread', '[ ] eggs'], left: '3 left', status: 'saved' })
        assert.equal(await page.inputValue('#add input[name=text]'), '')
      }))

      test('has the same elements as the others', () => withApp(async (page) => {
        await add(page, 'milk')
        await come(page, { rows: ['[ ] milk'] })
        for (const selector of ['form#add > input[name=text]', 'ul#todos > li[data-id] > input[type=checkbox]', 'li[data-id] > span.text', 'li[data-id] > button.delete', 'select#show', 'p#left', 'p#status']) {
          assert.equal(await page.locator(selector).count(), 1, selector)
        }
        assert.deepEqual(await page.locator('select#show option').evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value)), ['all', 'open', 'done'])
        assert.equal(await page.inputValue('select#show'), 'all')
      }))

      test('marks, edits and deletes them', () => withApp(async (page) => {
        await add(page, 'milk', 'bread', 'eggs')
        await come(page, { rows: ['[ ] milk', '[ ] bread', '[ ] eggs'] })
        await row(page, 'bread').locator('input[type=checkbox]').click()
        await come(page, { rows: ['[ ] milk', '[x] bread', '[ ] eggs'], left: '2 left', status: 'saved' })
        await row(page, 'bread').locator('input[type=checkbox]').click()
        await come(page, { rows: ['[ ] milk', '[ ] bread', '[ ] eggs'], left: '3 left' })
        await row(page, 'eggs').locator('.text').dblclick()
        await page.waitForSelector('input.edit:focus')
        assert.equal(await page.inputValue('input.edit'), 'eggs')
        await page.fill('input.edit', '12 eggs')
        await page.press('input.edit', 'Enter')
        await come(page, { rows: ['[ ] milk', '[ ] bread', '[ ] 12 eggs'], status: 'saved' })
        assert.equal(await page.locator('input.edit').count(), 0)
        await row(page, 'milk').locator('button.delete').click()
        await come(page, { rows: ['[ ] bread', '[ ] 12 eggs'], left: '2 left', status: 'saved' })
      }))

      test('shows those that are asked for', () => withApp(async (page) => {
        await add(page, 'milk', 'bread', 'eggs')
        await row(page, 'bread').locator('input[type=checkbox]').click()
        await come(page, { rows: ['[ ] milk', '[x] bread', '[ ] eggs'] })
        await page.selectOption('#show', 'done')
        await come(page, { rows: ['[x] bread'], left: '2 left' })
        await page.selectOption('#show', 'open')
        await come(page, { rows: ['[ ] milk', '[ ] eggs'], left: '2 left' })
        await row(page, 'milk').locator('input[type=checkbox]').click()
        await come(page, { rows: ['[ ] eggs'], left: '1 left' })
        await page.selectOption('#show', 'all')
        await come(page, { rows: ['[x] milk', '[x] bread', '[ ] eggs'], left: '1 left' })
      }))

      test('keeps them when the page is loaded again', () => withApp(async (page) => {
        await add(page, 'milk', 'bread')
        await row(page, 'milk').locator('input[type=checkbox]').click()
        await come(page, { rows: ['[x] milk', '[ ] bread'], status: 'saved' })
        await page.reload()
        await come(page, { rows: ['[x] milk', '[ ] bread'], left: '1 left', status: 'saved' })
      }))

      test('agrees with another tab', () => withApp(async (page, context) => {
        const other = await open(context)
        await add(page, 'milk')
        await come(other, { rows: ['[ ] milk'], left: '1 left' })
        await add(other, 'bread')
        await row(other, 'milk').locator('input[type=checkbox]').click()
        for (const each of [page, other]) await come(each, { rows: ['[x] milk', '[ ] bread'], left: '1 left', status: 'saved' })
        await row(page, 'milk').locator('button.delete').click()
        await come(other, { rows: ['[ ] bread'] })
      }))

      test('shows a write before it is stored, and takes back one that is refused', () => withApp(async (page) => {
        await add(page, 'milk')
        await come(page, { rows: ['[ ] milk'], left: '1 left', status: 'saving' })
        await settle(page, true)
        await come(page, { rows: ['[ ] milk'], left: '1 left', status: 'saved' })

        await add(page, 'bread')
        await come(page, { rows: ['[ ] milk', '[ ] bread'], left: '2 left', status: 'saving' })
        await settle(page, false)
        await come(page, { rows: ['[ ] milk'], left: '1 left', status: 'failed' })

        await row(page, 'milk').locator('input[type=checkbox]').click()
        await come(page, { rows: ['[x] milk'], left: '0 left', status: 'saving' })
        await settle(page, false)
        await come(page, { rows: ['[ ] milk'], left: '1 left', status: 'failed' })

        await row(page, 'milk').locator('.text').dblclick()
        await page.fill('input.edit', 'oat milk')
        await page.press('input.edit', 'Enter')
        await come(page, { rows: ['[ ] oat milk'], status: 'saving' })
        await settle(page, false)
        await come(page, { rows: ['[ ] milk'], status: 'failed' })

        await row(page, 'milk').locator('button.delete').click()
        await come(page, { rows: [], left: '0 left', status: 'saving' })
        await settle(page, false)
        await come(page, { rows: ['[ ] milk'], left: '1 left', status: 'failed' })

        await add(page, 'eggs')
        await settle(page, true)
        await come(page, { rows: ['[ ] milk', '[ ] eggs'], left: '2 left', status: 'saved' })
      }, (context) => context.addInitScript(controlStorage)))

      test('keeps the elements of a row, and touches none of another row', () => withApp(async (page) => {
        await add(page, 'milk', 'bread', 'eggs', 'tea')
        await come(page, { rows: ['[ ] milk', '[ ] bread', '[ ] eggs', '[ ] tea'], status: 'saved' })
        await watchRows(page)
        await row(page, 'bread').locator('input[type=checkbox]').click()
        await come(page, { rows: ['[ ] milk', '[x] bread', '[ ] eggs', '[ ] tea'], left: '3 left', status: 'saved' })
        assert.deepEqual(await watched(page, 'bread'), { touched: [], kept: ['milk', 'bread', 'eggs', 'tea'] })

        await watchRows(page)
        await row(page, 'eggs').locator('.text').dblclick()
        await page.fill('input.edit', '12 eggs')
        await page.press('input.edit', 'Enter')
        await come(page, { rows: ['[ ] milk', '[x] bread', '[ ] 12 eggs', '[ ] tea'], status: 'saved' })
        assert.deepEqual(await watched(page, 'eggs'), { touched: [], kept: ['milk', 'bread', 'eggs', 'tea'] })

        await watchRows(page)
        await row(page, 'milk').locator('button.delete').click()
        await add(page, 'jam')
        await come(page, { rows: ['[x] bread', '[ ] 12 eggs', '[ ] tea', '[ ] jam'], status: 'saved' })
        assert.deepEqual(await watched(page, 'milk'), { touched: [], kept: ['bread', '12 eggs', 'tea'] })
      }, async (context) => {
        await context.route('**/app.js', async (route) => {
          const response = await route.fetch()
          await route.fulfill({ response, body: `import * as recorded from '/atomicdb/index.js'\n;(${recordLives})(recorded.AtomicDB)\n${await response.text()}` })
        })
      }))
    })
  }
})

async function add(page: Page, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    await page.fill('#add input[name=text]', text)
    await page.press('#add input[name=text]', 'Enter')
  }
}

function row(page: Page, text: string) {
  return page.locator('#todos > li').filter({ has: page.getByText(text, { exact: true }) })
}

/** Waits until a page shows this. */
async function come(page: Page, expected: Partial<Seen>): Promise<void> {
  const names = Object.keys(expected) as (keyof Seen)[]
  const part = (seen: Seen) => Object.fromEntries(names.map((name) => [name, seen[name]]))
  const isThere = ([names, wanted]: [string[], string]) => {
    const now = (globalThis as unknown as InPage).seen()
    return JSON.stringify(names.map((name) => now[name as keyof Seen])) === wanted
  }
  await page.waitForFunction(isThere, [names, JSON.stringify(names.map((name) => expected[name]))] as [string[], string], { timeout: 15_000 }).catch(async (error: Error) => {
    assert.deepEqual(part(await page.evaluate(() => (globalThis as unknown as InPage).seen())), expected)
    throw error
  })
}

interface InPage {
  seen(): Seen
}

/** What a page shows. */
function seen(): Seen {
  const text = (selector: string) => document.querySelector(selector)?.textContent?.trim() ?? ''
  const rows = [...document.querySelectorAll('#todos > li')].map((li) => `[${li.querySelector<HTMLInputElement>('input[type=checkbox]')!.checked ? 'x' : ' '}] ${li.querySelector('.text')?.textContent ?? '…'}`)
  return { rows, left: text('#left'), status: text('#status') }
}

interface Control {
  todosOptions: object
  storing: ((isStored: boolean) => void)[]
}

/** Runs in the page before the app: gives it a storage that stores a batch when the test says so, or refuses it. */
function controlStorage(): void {
  const control = globalThis as unknown as Control
  const batches: { seq: number; bytes: Uint8Array }[] = []
  control.storing = []
  control.todosOptions = {
    storage: {
      read: async (after: number) => batches.filter(({ seq }) => seq > after),
      append: async (seq: number, bytes: Uint8Array) => {
        if (!(await new Promise<boolean>((settle) => control.storing.push(settle)))) throw new Error('the disk is full')
        if (seq !== (batches.at(-1)?.seq ?? 0) + 1) return false
        batches.push({ seq, bytes: bytes.slice() })
        return true
      },
      compact: async () => {},
      destroy: async () => {},
      close: async () => {},
    },
  }
}

/** Stores the batch that waits, or refuses it. */
async function settle(page: Page, isStored: boolean): Promise<void> {
  await page.waitForFunction(() => (globalThis as unknown as Control).storing.length > 0)
  await page.evaluate((isStored) => (globalThis as unknown as Control).storing.shift()!(isStored), isStored)
}

interface Recorded {
  lives: { current: unknown }[]
  watching: { rows: Map<string, Element>; records: MutationRecord[]; observer: MutationObserver; rendered: Set<string> }
}

/** Runs in the page before the app: keeps each live query that the app makes. */
function recordLives(database: { prototype: object }): void {
  const recorded = globalThis as unknown as Recorded
  recorded.lives = []
  for (let each = database.prototype; each; each = Object.getPrototypeOf(each) as object) {
    if (!Object.hasOwn(each, 'live')) continue
    const owner = each as { live(...args: unknown[]): { current: unknown } }
    const { live } = owner
    owner.live = function (...args) {
      const made = live.apply(this, args)
      recorded.lives.push(made)
      return made
    }
  }
}

/**
 * Begins to watch the rows: which elements change, and which documents are read again. The documents of a live query stay
 * the same objects while they do not change, so that a row which reads one again is one that was rendered again. Solid has
 * copies of them; it renders no row again.
 */
async function watchRows(page: Page): Promise<void> {
  await page.evaluate(() => {
    const recorded = globalThis as unknown as Recorded
    const list = document.querySelector('#todos')!
    const rows = new Map([...list.children].map((li) => [li.querySelector('.text')!.textContent!, li]))
    const records: MutationRecord[] = []
    const observer = new MutationObserver((more) => records.push(...more))
    observer.observe(list, { subtree: true, childList: true, attributes: true, characterData: true })
    const rendered = new Set<string>()
    for (const live of recorded.lives) {
      for (const document of live.current as { text: string }[]) {
        const { text } = document
        Object.defineProperty(document, 'text', { configurable: true, enumerable: true, get: () => (rendered.add(text), text), set: (value: string) => Object.defineProperty(document, 'text', { value, writable: true, configurable: true, enumerable: true }) })
      }
    }
    recorded.watching = { rows, records, observer, rendered }
  })
}

/** Ends it: the rows besides this one that were touched or rendered again, and those whose element is there still. */
async function watched(page: Page, besides: string): Promise<{ touched: string[]; kept: string[] }> {
  return page.evaluate(async (besides) => {
    await new Promise(requestAnimationFrame)
    const { rows, records, observer, rendered } = (globalThis as unknown as Recorded).watching
    records.push(...observer.takeRecords())
    observer.disconnect()
    const list = document.querySelector('#todos')!
    const touched = [...rows].filter(([text, li]) => rendered.has(text) || records.some(({ target }) => li.contains(target))).map(([text]) => text)
    return { touched: touched.filter((text) => text !== besides), kept: [...rows].filter(([, li]) => list.contains(li)).map(([text]) => text) }
  }, besides)
}
