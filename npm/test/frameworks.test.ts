// What the hooks of each framework promise, in Chromium: one component that asks by every call, in test/probes, is the
// same in each. And what they do on a server.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { AtomicDB } from '../src/index.js'
import { launchChromium, openPage } from './harness/chromium.js'
import { blockOf } from './harness/pages.js'
import { packageFolder, serve, type Site } from './harness/site.js'
import { replayOf, seed } from './random/seed.js'

const probes = join(packageFolder, 'test/probes')
const frameworks = { vue: 'vue.js', svelte: 'svelte.js', solid: 'solid.jsx', angular: 'angular.js' }

/** What a probe shows; see probes/common.js. */
interface Shown {
  list: string[]
  error: string | undefined
  isLoading: boolean
  document: string | undefined
  count: number
  rows: string[]
  groups: number[]
  tags: string[] | undefined
  isPending: boolean
  failure: string | undefined
  status: string
}

/** The globals of a page with a probe. */
interface InPage {
  atomicdb: typeof import('../src/index.js')
  shown: Shown[]
  probe(database?: unknown, of?: unknown): Mounted | Promise<Mounted>
  db: AtomicDB
  mounted: Mounted
  asked: string[]
  /** The live queries of the probe. */
  found: { current: unknown }[]
  held: Promise<void>
  release(): void
  written: Promise<unknown>
  frame(): Promise<void>
  /** Opens a database with three to-dos, and shows the probe with what `given` makes of it. */
  start(options?: object, given?: (db: AtomicDB) => unknown, of?: (db: AtomicDB) => unknown): Promise<void>
}

interface Mounted {
  set(name: string, value: unknown): void
  write(text: string, failure?: string): Promise<unknown>
  mutate(text: string, failure?: string): void
  reset(): void
  unmount(): void
}

/** What it shows at the start. */
const start: Shown = { list: ['milk', 'eggs'], error: undefined, isLoading: false, document: 'milk', count: 2, rows: ['bread', 'eggs'], groups: [2, 1], tags: ['bread', 'eggs'], isPending: false, failure: undefined, status: 'saved' }

describe('hooks of frameworks', { timeout: 900_000 }, () => {
  let site: Site
  let browser: Browser

  let bundle: (framework: string, entry: string) => Promise<string>

  before(async () => {
    ;({ bundle } = (await import(pathToFileURL(join(packageFolder, '../demo/todos/build.mjs')).href)) as { bundle: typeof bundle })
    const scripts = await Promise.all(Object.entries(frameworks).map(async ([name, entry]) => [`/${name}/app.js`, await bundle(name, join(probes, entry))]))
    const pages = Object.keys(frameworks).map((name) => [`/${name}/`, `<!doctype html><meta charset="utf-8"><script type="module">
      import * as atomicdb from '/atomicdb/index.js'
      globalThis.atomicdb = atomicdb
      import('/${name}/app.js').then(() => (globalThis.isReady = true))
    </script>`])
    site = await serve({ ...Object.fromEntries([...pages, ...scripts]), '/atomicdb/': { folder: join(packageFolder, 'dist') } })
    browser = await launchChromium()
  })
  after(async () => {
    await browser?.close()
    await site?.close()
  })

  test('each framework has a probe', () => {
    assert.deepEqual(readdirSync(join(packageFolder, 'dist')).filter((name) => Object.keys(frameworks).some((framework) => name === `${framework}.js`)).sort(), Object.keys(frameworks).map((name) => `${name}.js`).sort())
  })

  /** Where the examples of the guide are put, each with what it leaves to the reader. */
  const examples: Record<string, Record<string, (example: string) => string>> = {
    vue: {
      'Todos.vue': (example) => example,
      'main.js': () => `import { AtomicDB } from 'atomicdb'
        import { atomicdb } from 'atomicdb/vue'
        import { createApp } from 'vue'
        import Todos from './Todos.vue'
        createApp(Todos, { list: 'home' }).use(atomicdb(() => AtomicDB.open('todos'))).mount(document.body)`,
    },
    svelte: {
      'Todos.svelte': (example) => example,
      'Above.svelte': () => `<script>
        import { AtomicDB } from 'atomicdb'
        import { setDatabase } from 'atomicdb/svelte'
        import Todos from './Todos.svelte'
        setDatabase(() => AtomicDB.open('todos'))
      </script>
      <Todos list="home" />`,
      'main.js': () => `import { mount } from 'svelte'
        import Above from './Above.svelte'
        mount(Above, { target: document.body })`,
    },
    jsx: {
      'main.jsx': (example) => `import { AtomicDB } from 'atomicdb'
        import { AtomicDBProvider } from 'atomicdb/solid'
        import { render } from 'solid-js/web'
        ${example}
        const open = () => AtomicDB.open('todos')
        render(() => <AtomicDBProvider database={open}><Todos list="home" /></AtomicDBProvider>, document.body)`,
    },
    typescript: {
      'main.ts': (example) => `import '@angular/compiler'
        import { Component, input } from '@angular/core'
        import { bootstrapApplication } from '@angular/platform-browser'
        import { AtomicDB, type Id } from 'atomicdb'
        import { provideAtomicDB } from 'atomicdb/angular'
        interface Todo { text: string; list: string; done: boolean; created: number }
        ${example}
        document.body.append(document.createElement('app-todos'))
        bootstrapApplication(Todos, { providers: [provideAtomicDB(() => AtomicDB.open('todos'))] })`,
    },
  }
  const frameworkOf: Record<string, string> = { vue: 'vue', svelte: 'svelte', jsx: 'solid', typescript: 'angular' }

  for (const [language, files] of Object.entries(examples)) {
    test(`the example in ${language} of the guide works, in at most ten lines`, async () => {
      const example = blockOf('demo/docs/guide/frameworks.md', language).trimEnd()
      assert.ok(example.split('\n').length <= 10)
      const folder = join(packageFolder, '.build/examples', language)
      await mkdir(folder, { recursive: true })
      for (const [name, textOf] of Object.entries(files)) await writeFile(join(folder, name), textOf(example))
      const framework = frameworkOf[language]!
      const script = await bundle(framework, join(folder, Object.keys(files).at(-1)!))
      const itsSite = await serve({ '/': '<!doctype html><meta charset="utf-8"><body><script type="module" src="/app.js"></script>', '/app.js': script, '/atomicdb/': { folder: join(packageFolder, 'dist') } })
      const context = await browser.newContext()
      try {
        const page = await openPage(context, itsSite.origin)
        await page.evaluate(async () => {
          const { AtomicDB } = (await import('/atomicdb/index.js' as string)) as InPage['atomicdb']
          const db = await AtomicDB.open('todos')
          await db.insertMany([{ text: 'milk', list: 'home', done: false, created: 2 }, { text: 'bread', list: 'home', done: false, created: 1 }, { text: 'report', list: 'work', done: false, created: 3 }], 'todos')
        })
        const shows = (texts: string) => page.waitForFunction((texts) => [...document.querySelectorAll('li')].map((li) => li.textContent).join() === texts, texts)
        await shows('bread,milk')
        await page.getByText('bread').click()
        await shows('milk')
      } finally {
        await context.close()
        await itsSite.close()
      }
    })
  }

  for (const framework of Object.keys(frameworks)) {
    describe(`in ${framework}`, () => {
      let page: Page
      const errors: Error[] = []

      before(async () => {
        const context = await browser.newContext()
        context.on('weberror', (error) => errors.push(error.error()))
        page = await openPage(context, `${site.origin}/${framework}/`)
        await page.waitForFunction(() => 'isReady' in globalThis)
        await page.evaluate(prepare)
      })
      after(() => page?.context().close())

      /** What the probe shows after `work` in the page, once nothing comes any more. */
      async function shownAfter(work: (page: InPage) => unknown): Promise<Shown> {
        await page.evaluate(`(async () => { await (${work})(globalThis); await globalThis.frame() })()`)
        return page.evaluate(() => (globalThis as unknown as InPage).shown.at(-1)!)
      }
      const pick = async <N extends keyof Shown>(shown: Promise<Shown>, ...names: N[]) => {
        const all = await shown
        return Object.fromEntries(names.map((name) => [name, all[name]]))
      }
      const askedSince = () => page.evaluate(() => (globalThis as unknown as InPage).asked.splice(0))
      const livesLeft = () => page.evaluate(() => {
        const { current } = ((globalThis as unknown as InPage).db as unknown as { connection: { current: Record<'hub' | 'lives', { all: { size: number } }> } }).connection
        return (current.hub ?? current.lives).all.size
      })
      const noErrors = () => assert.deepEqual(errors.splice(0), [])

      test('show what is there when they are drawn for the first time, and all that changes it', async () => {
        assert.deepEqual(await shownAfter(({ start }) => start()), start)
        assert.deepEqual(await page.evaluate(() => (globalThis as unknown as InPage).shown[0]), start)
        assert.deepEqual((await askedSince()).sort(), ['live', 'liveAggregate', 'liveCount', 'liveDistinct', 'liveGet', 'liveSql'])
        assert.deepEqual(await shownAfter(({ db }) => db.update({ text: 'oat milk', done: true }, { _id: 1 }, 'todos')), { ...start, list: ['eggs'], document: 'oat milk', count: 1, groups: [1, 2] })
        assert.deepEqual(await shownAfter(({ db }) => db.remove({ _id: 1 }, 'todos')), { ...start, list: ['eggs'], document: undefined, count: 1, groups: [1, 1] })
        assert.deepEqual(await askedSince(), [])
        noErrors()
      })

      test('take a collection, and what is in it', async () => {
        assert.deepEqual(await shownAfter(({ start }) => start({}, undefined, (db) => db.collection('todos'))), start)
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.set('id', 2)), 'document'), { document: 'bread' })
        noErrors()
      })

      test('ask anew when an argument means something else, and only then', async () => {
        await shownAfter(({ start }) => start())
        await askedSince()
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.set('where', { done: true })), 'list', 'count'), { list: ['bread'], count: 1 })
        assert.deepEqual(await askedSince(), ['live', 'liveCount'])
        assert.equal(await livesLeft(), 6)
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.set('options', { sort: '-n', fields: ['text'] })), 'list'), { list: ['bread'] })
        assert.deepEqual(await askedSince(), ['live'])
        await shownAfter(({ mounted }) => {
          mounted.set('where', { done: true })
          mounted.set('options', { sort: '-n', fields: ['text'] })
          mounted.set('id', 1)
          mounted.set('over', 1)
          mounted.set('by', 'done')
        })
        assert.deepEqual(await askedSince(), [])
        assert.deepEqual(await pick(shownAfter(({ mounted, db }) => mounted.set('where', db.query().n!.gte(2))), 'list'), { list: ['eggs', 'bread'] })
        await askedSince()
        await shownAfter(({ mounted, db }) => mounted.set('where', db.query().n!.gte(2)))
        assert.deepEqual(await askedSince(), [])
        assert.deepEqual(await pick(shownAfter(({ mounted }) => [mounted.set('id', 3), mounted.set('over', 2), mounted.set('by', 'n')]), 'document', 'rows', 'groups', 'tags'), { document: 'eggs', rows: ['eggs'], groups: [1, 1, 1], tags: ['eggs'] })
        assert.deepEqual((await askedSince()).sort(), ['liveAggregate', 'liveDistinct', 'liveGet', 'liveSql'])
        assert.equal(await livesLeft(), 6)
        noErrors()
      })

      test('take a function of a document in a function', async () => {
        await shownAfter(({ start }) => start())
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.set('where', (todo: { n: number }) => todo.n > 2)), 'list', 'count', 'error'), { list: ['eggs'], count: 1, error: undefined })
        noErrors()
      })

      test('ask nothing when they are told so, and for the document of no id', async () => {
        await shownAfter(({ start }) => start())
        assert.deepEqual(await pick(shownAfter(({ mounted }) => [mounted.set('options', { enabled: false }), mounted.set('id', undefined)]), 'list', 'document', 'isLoading', 'error'), { list: [], document: undefined, isLoading: false, error: undefined })
        assert.equal(await livesLeft(), 4)
        assert.deepEqual(await pick(shownAfter(({ mounted }) => [mounted.set('options', { enabled: true, sort: '-n' }), mounted.set('id', 2)]), 'list', 'document'), { list: ['eggs', 'milk'], document: 'bread' })
        noErrors()
      })

      test('take no text as the id of a document that is a condition', async () => {
        await shownAfter(({ start }) => start())
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.set('id', 'n > 2')), 'document'), { document: undefined })
        noErrors()
      })

      test('show an error, and what comes after it', async () => {
        await shownAfter(({ start }) => start())
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.set('where', 'no condition')), 'list', 'error', 'isLoading', 'count'), { list: [], error: 'invalid', isLoading: false, count: 0 })
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.set('where', 5)), 'list', 'error', 'isLoading', 'count'), { list: [], error: 'invalid', isLoading: false, count: 0 })
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.set('where', 'n > 2')), 'list', 'error', 'count'), { list: ['eggs'], error: undefined, count: 1 })
        // A function that fails for one document, until that is gone: the answer is then the same as before the error.
        await shownAfter(({ mounted }) => mounted.set('where', (todo: { n: number }) => {
          if (todo.n === 7) throw new Error('seven')
          return todo.n > 2
        }))
        assert.deepEqual(await pick(shownAfter(({ db }) => db.insert({ _id: 7, n: 7 }, 'todos')), 'list', 'error', 'isLoading'), { list: ['eggs'], error: 'seven', isLoading: false })
        assert.deepEqual(await pick(shownAfter(({ db }) => db.remove({ _id: 7 }, 'todos')), 'list', 'error', 'isLoading'), { list: ['eggs'], error: undefined, isLoading: false })
        noErrors()
      })

      test('end with the component', async () => {
        await shownAfter(({ start }) => start())
        assert.equal(await livesLeft(), 6)
        const shown = await page.evaluate(async () => {
          const { mounted, db, shown, frame } = globalThis as unknown as InPage
          mounted.unmount()
          await frame()
          const before = shown.length
          await db.insert({ _id: 9, text: 'tea', n: 9, done: false }, 'todos')
          await frame()
          return shown.length - before
        })
        assert.equal(await livesLeft(), 0)
        assert.equal(shown, 0)
        assert.equal(await page.evaluate(() => ((globalThis as unknown as InPage).db.writeStatus as unknown as { listeners: Set<unknown> }).listeners.size), 0)
        noErrors()
      })

      test('tell how a write goes, and whether all are stored', async () => {
        await shownAfter(({ start }) => start())
        await shownAfter((page) => {
          page.held = new Promise((resolve) => (page.release = resolve))
          page.written = page.mounted.write('tea')
        })
        assert.deepEqual(await pick(shownAfter(() => {}), 'list', 'isPending'), { list: ['milk', 'eggs', 'tea'], isPending: true })
        assert.equal(await page.evaluate(() => ((globalThis as unknown as InPage).release(), (globalThis as unknown as InPage).written.then((id) => typeof id))), 'number')
        assert.deepEqual(await pick(shownAfter(() => {}), 'list', 'isPending', 'status'), { list: ['milk', 'eggs', 'tea'], isPending: false, status: 'saved' })
        // Nobody catches it, and it is no error of the page.
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.mutate('jam', 'no jam')), 'failure', 'isPending', 'status'), { failure: 'no jam', isPending: false, status: 'saved' })
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.reset()), 'failure'), { failure: undefined })
        assert.equal(await page.evaluate(() => (globalThis as unknown as InPage).mounted.write('jam', 'no jam').catch((error: Error) => error.message)), 'no jam')
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.write('jam')), 'failure', 'isPending'), { failure: undefined, isPending: false })
        noErrors()
      })

      test('load while the engine of a worker answers, and keep what was there until then if they are told so', async () => {
        assert.deepEqual(await shownAfter(({ start }) => start({ worker: true })), start)
        const first = await page.evaluate(() => (globalThis as unknown as InPage).shown[0]!)
        assert.deepEqual(first, { ...start, list: [], isLoading: true, document: undefined, count: 0, rows: [], groups: [], tags: undefined })
        const changing = (options: object, where: object) => page.evaluate(async ([options, where]) => {
          const { mounted, shown, frame } = globalThis as unknown as InPage
          mounted.set('options', options)
          await frame()
          const from = shown.length
          mounted.set('where', where)
          await frame()
          return shown.slice(from).map(({ list, isLoading }) => `${list.join()} ${isLoading}`)
        }, [options, where])
        const loading = await changing({ sort: 'n' }, { done: true })
        assert.ok(loading.includes(' true') && loading.at(-1) === 'bread false', loading.join('; '))
        const kept = await changing({ sort: 'n', keepPrevious: true }, { done: false })
        assert.ok(kept.includes('bread true') && kept.at(-1) === 'milk,eggs false' && !kept.some((each) => each.startsWith(' ')), kept.join('; '))
        assert.equal(await livesLeft(), 6)
        await shownAfter(({ mounted }) => mounted.unmount())
        assert.equal(await livesLeft(), 0)
        noErrors()
      })

      test('load while the database is being opened, with what they are given until then', async () => {
        await shownAfter((page) => page.start({}, (db) => ((page.held = new Promise((resolve) => (page.release = resolve))), page.held.then(() => db))))
        assert.deepEqual(await pick(shownAfter(() => {}), 'list', 'isLoading', 'count', 'status'), { list: [], isLoading: true, count: 0, status: 'saved' })
        assert.deepEqual(await pick(shownAfter(({ mounted }) => mounted.set('options', { sort: 'n', initialData: [{ text: 'given' }] })), 'list', 'isLoading'), { list: ['given'], isLoading: false })
        // A write waits too.
        const written = shownAfter((page) => (page.mounted.mutate('tea'), page.release(), page.held))
        assert.deepEqual(await pick(written, 'list', 'isLoading', 'count'), { list: ['milk', 'eggs', 'tea'], isLoading: false, count: 3 })
        noErrors()
      })

      test('show what a search finds, after any writes, and change no document of others', async (t) => {
        t.diagnostic(replayOf('frameworks.test.ts'))
        await shownAfter(({ start }) => start())
        const wrong = await page.evaluate(async (seed) => {
          const { db, shown, mounted, found } = globalThis as unknown as InPage
          const random = (below: number) => {
            seed = (seed * 48271) % 2147483647
            return seed % below
          }
          const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
          for (let round = 0; round < 60; round++) {
            // What other components see too: the hooks share one live query.
            const before = found.map(({ current }) => current)
            const text = JSON.stringify(before)
            await db.transaction(async (tx) => {
              for (let writes = 1 + random(3); writes > 0; writes--) {
                const _id = 1 + random(12)
                const todo = { _id, text: `t${random(50)}`, n: random(30), done: random(4) === 0, at: { deep: [random(3)] } }
                if (random(3) === 0) await tx.remove({ _id }, 'todos')
                else if (random(2) === 0) await tx.update({ text: todo.text, n: todo.n }, { _id }, 'todos')
                else await tx.upsert(todo, 'todos')
              }
            })
            if (random(8) === 0) mounted.set('options', { sort: random(2) === 0 ? ['n', '-_id'] : 'n' })
            await frame()
            await frame()
            if (JSON.stringify(before) !== text) return `round ${round}: a document of others has changed`
            const { list, count } = shown.at(-1)!
            const all = await db.search({ done: false }, { collection: 'todos' })
            // Those of the same n may come in any order.
            const wanted = (texts: string[]) => [...texts].sort().join()
            if (wanted(list) !== wanted(all.map(({ text }) => text as string)) || count !== all.length) return `round ${round}: ${list} and ${count}, not ${all.map(({ text }) => text as string)}`
            const numbers = list.map((text) => all.filter((each) => each.text === text).map(({ n }) => n as number))
            for (const [place, n] of numbers.entries()) if (place > 0 && Math.max(...n) < Math.min(...numbers[place - 1]!)) return `round ${round}: ${list} in another order`
          }
          return 'nothing'
        }, (seed % 2147483646) + 1)
        assert.equal(wrong, 'nothing')
        noErrors()
      })

      test('show why the database cannot be opened', async () => {
        const shown = pick(shownAfter((page) => page.start({}, () => Promise.reject(Object.assign(new Error('no'), { code: 'quota' })))), 'list', 'error', 'isLoading')
        assert.deepEqual(await shown, { list: [], error: 'quota', isLoading: false })
        noErrors()
      })

      test('open a database by a function, and close it with the app', async () => {
        await shownAfter((page) => page.start({}, (db) => () => Promise.resolve(db)))
        assert.deepEqual(await pick(shownAfter(() => {}), 'list', 'isLoading'), { list: ['milk', 'eggs'], isLoading: false })
        await shownAfter(({ mounted }) => mounted.unmount())
        const closed = await page.evaluate(() => (globalThis as unknown as InPage).db.insert({}).then(() => 'open', ({ code }) => code as string))
        assert.equal(closed, 'closed')
        noErrors()
      })

      test('say what is missing where there is no database', async () => {
        const message = await page.evaluate(async () => {
          const { probe } = globalThis as unknown as InPage
          try {
            await probe(undefined)
            return 'nothing'
          } catch (error) {
            return `${(error as { code: string }).code}: ${(error as Error).message}`
          }
        })
        assert.match(message, /^invalid: these components have no database/)
        errors.length = 0 // a framework may report it too
      })
    })
  }
})

describe('hooks of frameworks, on a server', { timeout: 360_000 }, () => {
  const folder = join(packageFolder, '.build/probes') // in the package, so that its name resolves to what was built

  /** How the page of a component is made in each framework, with its database or without one. */
  const rendering: Record<string, (db: AtomicDB | undefined) => Promise<string>> = {
    async vue(db) {
      const [{ atomicdb, useCount, useLiveQuery, useWriteStatus }, { createSSRApp, h }, { renderToString }] = await Promise.all([built<typeof import('../src/vue/index.js')>('vue'), import('vue'), import('vue/server-renderer')])
      const app = createSSRApp({
        setup() {
          const { data, isLoading } = useLiveQuery<{ text: string; done: boolean; n: number }>('todos', { done: false }, { sort: 'n' })
          const count = useCount('todos')
          const { status } = useWriteStatus()
          return () => h('p', `${data.value.pluck('text').map(({ text }) => text)} ${isLoading.value} ${count.data.value} ${status.value}`)
        },
      })
      if (db) app.use(atomicdb(db))
      return renderToString(app)
    },
    async svelte(db) {
      const { compile } = await import('svelte/compiler')
      const source = `<script>
        import { liveCount, liveQuery, setDatabase, writeStatus } from 'atomicdb/svelte'
        const { db } = $props()
        if (db) setDatabase(db)
        const list = liveQuery('todos', { done: false }, { sort: 'n' })
        const count = liveCount('todos')
        const saved = writeStatus()
      </script>
      <p>{list.data.map(({ text }) => text)} {list.isLoading} {count.data} {saved.status}</p>`
      const module = await written('svelte.mjs', compile(source, { generate: 'server', filename: 'Server.svelte' }).js.code)
      const { render } = await import('svelte/server')
      return (await render(module.default as never, { props: { db } as never })).body
    },
    async solid(db) {
      const { transformAsync } = (await import('@babel/core' as string)) as { transformAsync(source: string, options: object): Promise<{ code: string }> }
      const source = `
        import { AtomicDBProvider, createCount, createLiveQuery, createWriteStatus } from 'atomicdb/solid'
        import { renderToString } from 'solid-js/web'
        function List() {
          const list = createLiveQuery('todos', { done: false }, { sort: 'n' })
          const count = createCount('todos')
          const saved = createWriteStatus()
          return <p>{list.data.map(({ text }) => text).join()} {String(list.isLoading)} {count.data} {saved.status}</p>
        }
        export default (db) => renderToString(() => db ? <AtomicDBProvider database={db}><List /></AtomicDBProvider> : <List />)`
      const options = { presets: [['solid', { generate: 'ssr' }]], babelrc: false, configFile: false, cwd: packageFolder }
      const module = await written('solid.mjs', (await transformAsync(source, options)).code)
      return (module.default as (db: AtomicDB | undefined) => string)(db)
    },
    async angular(db) {
      await import('@angular/compiler')
      const [{ liveCount, liveQuery, provideAtomicDB, writeStatus }, { createEnvironmentInjector, Injector, runInInjectionContext }] = await Promise.all([built<typeof import('../src/angular/index.js')>('angular'), import('@angular/core')])
      const injector = createEnvironmentInjector(db ? [provideAtomicDB(db)] : [], Injector.NULL as never)
      const text = runInInjectionContext(injector, () => {
        const list = liveQuery<{ text: string; done: boolean; n: number }>('todos', { done: false }, { sort: 'n' })
        const count = liveCount('todos')
        const saved = writeStatus()
        return `<p>${list.data().map(({ text }) => text)} ${list.isLoading()} ${count.data()} ${saved.status()}</p>`
      })
      injector.destroy()
      return text
    },
  }

  const built = async <M>(name: string) => (await import(`atomicdb/${name}`)) as M

  async function written(name: string, text: string): Promise<{ default: unknown }> {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, name), text)
    return (await import(pathToFileURL(join(folder, name)).href)) as { default: unknown }
  }

  const plain = (html: string) => html.replace(/<!--.*?-->|<[^>]*>/g, '').trim()

  for (const [framework, render] of Object.entries(rendering)) {
    test(`${framework} shows what is there, and leaves no live query`, async () => {
      const { AtomicDB } = (await import('atomicdb' as string)) as typeof import('../src/index.js')
      const db = await AtomicDB.open('server', { inMemory: true })
      await db.insertMany([{ text: 'milk', n: 1, done: false }, { text: 'bread', n: 2, done: true }, { text: 'eggs', n: 3, done: false }], 'todos')
      assert.equal(plain(await render(db)), 'milk,eggs false 3 saved')
      await new Promise((resolve) => setTimeout(resolve)) // a live query ends a tick after the last who follows it
      assert.equal((db as unknown as { connection: { current: { hub: { all: { size: number } } } } }).connection.current.hub.all.size, 0)
      await db.close()
    })

    test(`${framework} shows that it loads, without a database`, async () => {
      assert.equal(plain(await render(undefined)), 'true 0 saved')
    })
  }
})

/** Runs in a page: `start` opens a database with three to-dos, and shows the probe. */
function prepare(): void {
  const page = globalThis as unknown as InPage
  page.frame = async () => {
    for (let frames = 0; frames < 3; frames++) await new Promise((resolve) => requestAnimationFrame(resolve))
    await page.db?.count().catch(() => {}) // a worker has answered what came before
    for (let frames = 0; frames < 2; frames++) await new Promise((resolve) => requestAnimationFrame(resolve))
  }
  page.start = async (options = {}, given = (db) => db, of = () => 'todos') => {
    page.mounted?.unmount()
    await page.db?.close()
    const db = (page.db = await page.atomicdb.AtomicDB.open('probe', { inMemory: true, ...options }))
    await db.insertMany([{ _id: 1, text: 'milk', n: 1, done: false }, { _id: 2, text: 'bread', n: 2, done: true }, { _id: 3, text: 'eggs', n: 3, done: false }], 'todos')
    await db.sql('SELECT 1') // all of the engine is there
    page.asked = []
    page.found = []
    // Of a database, and of its collections.
    for (const name of ['live', 'liveGet', 'liveCount', 'liveSql', 'liveAggregate', 'liveDistinct'] as const) counted(db, name)
    const { collection } = db
    db.collection = (name: string) => {
      const found = collection.call(db, name)
      for (const name of ['live', 'liveGet', 'liveCount', 'liveAggregate'] as const) counted(found, name)
      return found
    }
    page.mounted = await page.probe(given(db), of(db))
  }
  function counted(of: object, name: string): void {
    const call = (of as Record<string, (...args: unknown[]) => unknown>)[name]!
    Object.assign(of, {
      [name]: (...args: unknown[]) => {
        page.asked.push(name)
        const made = call.apply(of, args)
        if (name === 'live') page.found.push(made as { current: unknown })
        return made
      },
    })
  }
}

describe('hooks of frameworks, where a server has rendered the page', { timeout: 720_000 }, () => {
  const folder = join(packageFolder, '.build/hydrated')
  const write = async (name: string, source: string) => {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, name), source)
    return join(folder, name)
  }
  const open = `const open = async () => {
    const db = await atomicdb.AtomicDB.open('hydrated', { inMemory: true })
    await db.insertMany([{ text: 'milk' }, { text: 'eggs' }], 'todos')
    return db
  }`
  let bundle: (framework: string, entry: string) => Promise<string>
  let browser: Browser

  before(async () => {
    ;({ bundle } = (await import(pathToFileURL(join(packageFolder, '../demo/todos/build.mjs')).href)) as { bundle: typeof bundle })
    browser = await launchChromium()
  })
  after(() => browser?.close())

  /** The page that a server renders in each framework, and the script that takes it over. */
  const rendering: Record<string, () => Promise<{ html: string; head?: string; script: string }>> = {
    async vue() {
      const component = await write('vue-list.mjs', `
        import { useCount, useLiveQuery } from 'atomicdb/vue'
        import { h } from 'vue'
        export default { setup() {
          const { data, isLoading } = useLiveQuery('todos')
          const count = useCount('todos')
          return () => h('p', [data.value.map(({ text }) => text).join(), ' ', String(isLoading.value), h('b', count.data.value)])
        } }`)
      const [{ createSSRApp }, { renderToString }, { default: List }] = await Promise.all([import('vue'), import('vue/server-renderer'), import(pathToFileURL(component).href)])
      const script = `import { createSSRApp } from 'vue'
        import { atomicdb as plugin } from 'atomicdb/vue'
        import List from './vue-list.mjs'
        ${open}
        createSSRApp(List).use(plugin(open)).mount('#app')`
      return { html: await renderToString(createSSRApp(List)), script }
    },
    async svelte() {
      const { compile } = await import('svelte/compiler')
      const source = `<script>
          import { liveCount, liveQuery, setDatabase } from 'atomicdb/svelte'
          const { open } = $props()
          if (open) setDatabase(open)
          const list = liveQuery('todos')
          const count = liveCount('todos')
        </script>
        <p>{list.data.map(({ text }) => text).join()} {String(list.isLoading)}<b>{count.data}</b></p>`
      const server = await write('svelte-server.mjs', compile(source, { generate: 'server', filename: 'List.svelte' }).js.code)
      await write('svelte-list.js', compile(source, { generate: 'client', filename: 'List.svelte' }).js.code)
      const [{ render }, { default: List }] = await Promise.all([import('svelte/server'), import(pathToFileURL(server).href)])
      const script = `import { hydrate } from 'svelte'
        import List from './svelte-list.js'
        ${open}
        hydrate(List, { target: document.querySelector('#app'), props: { open } })`
      return { html: (await render(List, { props: {} })).body, script }
    },
    async solid() {
      const { transformAsync } = (await import('@babel/core' as string)) as { transformAsync(source: string, options: object): Promise<{ code: string }> }
      const source = `
        import { AtomicDBProvider, createCount, createLiveQuery } from 'atomicdb/solid'
        function List() {
          const list = createLiveQuery('todos')
          const count = createCount('todos')
          return <p>{list.data.map(({ text }) => text).join()} {String(list.isLoading)}<b>{count.data}</b></p>
        }
        export default (props) => <AtomicDBProvider database={props.open}><List /></AtomicDBProvider>`
      const compiled = async (generate: 'dom' | 'ssr') => (await transformAsync(source, { presets: [['solid', { generate, hydratable: true }]], babelrc: false, configFile: false, cwd: packageFolder })).code
      const server = await write('solid-server.mjs', `${await compiled('ssr')}
        import { createComponent, generateHydrationScript, renderToString } from 'solid-js/web'
        import App from './solid-server.mjs'
        export const head = () => generateHydrationScript()
        export const html = () => renderToString(() => createComponent(App, { open: async () => { throw new Error('a server opens nothing') } }))`)
      await write('solid-list.js', await compiled('dom'))
      const { head, html } = (await import(pathToFileURL(server).href)) as Record<'head' | 'html', () => string>
      const script = `import { createComponent, hydrate } from 'solid-js/web'
        import App from './solid-list.js'
        ${open}
        hydrate(() => createComponent(App, { open }), document.querySelector('#app'))`
      return { html: html!(), head: head!(), script }
    },
  }

  for (const [framework, render] of Object.entries(rendering)) {
    test(`${framework} takes over the elements as they are, and the data come`, async () => {
      const { html, head = '', script } = await render()
      assert.match(html.replaceAll(/<!--.*?-->/g, ''), /<p[^>]*> true<b[^>]*>0<\/b><\/p>/)
      await using site = await serve({
        '/': `<!doctype html><meta charset="utf-8">${head}<body><div id="app">${html}</div><script type="module">
          globalThis.rendered = document.querySelectorAll('p, b')
          globalThis.atomicdb = await import('/atomicdb/index.js')
          await import('/app.js')
        </script>`,
        '/favicon.ico': '',
        '/app.js': await bundle(framework, await write(`${framework}-main.js`, script)),
        '/atomicdb/': { folder: join(packageFolder, 'dist') },
      }).then((site) => Object.assign(site, { [Symbol.asyncDispose]: () => site.close() }))
      const context = await browser.newContext()
      const said: string[] = []
      context.on('console', (message) => ['warning', 'error'].includes(message.type()) && said.push(message.text()))
      const page = await openPage(context, site.origin)
      await page.getByText('milk,eggs false').waitFor()
      await page.locator('b', { hasText: '2' }).waitFor()
      const stayed = await page.evaluate(() => [...(globalThis as unknown as { rendered: Iterable<Element> }).rendered].map((element) => element.isConnected))
      assert.deepEqual([stayed, said], [[true, true], []])
      await context.close()
    })
  }
})
