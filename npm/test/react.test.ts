// atomicdb/react: the claims of react/claims.tsx in Chromium, with the development builds of React 19 and 18, and what a
// server renders.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import * as esbuild from 'esbuild'
import type { Page } from 'playwright-core'
import { createElement, type ReactNode } from 'react'
import { renderToReadableStream, renderToString } from 'react-dom/server'
import { openPage, waitForValue } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'
import { within } from './harness/deadline.js'
import { testWasm } from './harness/node.js'
import { blocksOf, page } from './harness/pages.js'
import { packageFolder, serve } from './harness/site.js'
import { Opening } from '../src/hooks/opening.js'
import { AtomicDB } from '../src/index.js'
import type { DatabaseSource } from '../src/react/index.js'
import { claims } from './react/claims.js'

declare global {
  /** Runs one claim in the page. */
  function runClaim(index: number): Promise<void>
  /** Renders the program of the guide. */
  function showGuide(): void
  var reactVersion: string
}

const run = promisify(execFile)
const folder = join(packageFolder, '.build/react')

/** The JSX of the guide to React. */
function guideProgram(): string {
  return blocksOf(page('demo/docs/guide/react.md')).flatMap(({ info, text }) => (info === 'jsx' ? [text] : [])).join('\n')
}

/** A program with the types of its collections, which are named once. */
const registered = `
import { AtomicDB } from 'atomicdb'
import { AtomicDBProvider, useAggregate, useCount, useDatabase, useDocument, useInfiniteQuery, useLiveQuery, useMutation, useSuspenseLiveQuery } from 'atomicdb/react'

interface Todo { text: string; done: boolean; created: number; tags?: string[] }
declare module 'atomicdb/react' {
  interface Register { schema: { todos: Todo; lists: { name: string } } }
}

export function Todos() {
  const { data } = useLiveQuery('todos', { done: false }, { sort: '-created', limit: 3, fields: ['text'] })
  data.map((todo) => todo.text satisfies string)
  // @ts-expect-error: no such field
  data[0]?.title
  // @ts-expect-error: no such collection
  useLiveQuery('todo')
  // @ts-expect-error: no such field
  useLiveQuery('todos', { title: 'x' })
  // @ts-expect-error: no such field
  useLiveQuery('todos', {}, { sort: 'title' })
  // @ts-expect-error: a number
  useLiveQuery('todos', { created: { $gt: 'x' } })
  useLiveQuery('todos', (todo) => todo.tags?.includes('a') ?? false, { deps: [] })
  useDocument('lists', 1).data?.name satisfies string | undefined
  // @ts-expect-error: it may not be there
  useDocument('lists', 1).data.name
  useCount('todos', 'done = true').data satisfies number
  // @ts-expect-error: no such collection
  useCount('todo')
  useInfiniteQuery('todos', undefined, { sort: 'created', pageSize: 5 }).data.first()?.text satisfies string | undefined
  useAggregate('todos', { groupBy: 'done', select: { n: { $count: true } } })
  // @ts-expect-error: no such field
  useAggregate('todos', { groupBy: 'title', select: { n: { $count: true } } })
  useSuspenseLiveQuery('todos').first()?.created satisfies number | undefined
  const { data: db } = useDatabase()
  db?.collection('todos').insert({ text: '', done: false, created: 1 })
  // @ts-expect-error: no such collection
  db?.collection('todo')
  const add = useMutation((db, text: string) => db.collection('todos').insert({ text, done: false, created: 1 }))
  add.mutate('x')
  // @ts-expect-error: a text
  add.mutate(5)
  return <AtomicDBProvider database={() => AtomicDB.open('todos')} />
}
`

/** A page of the claims, with what was built in the place of the sources. */
async function serveClaims(version: 18 | 19) {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'readme.jsx'), guideProgram())
  const bundle = await esbuild.build({
    stdin: {
      contents: `
        import './refresh.js' // before React
        import { createElement, version } from 'react'
        import { createRoot } from 'react-dom/client'
        import { claims } from './claims.js'
        import { App } from '../../.build/react/readme.jsx'
        globalThis.reactVersion = version
        globalThis.runClaim = (index) => claims[index].run()
        globalThis.showGuide = () => createRoot(document.body.appendChild(document.createElement('main'))).render(createElement(App))`,
      resolveDir: join(packageFolder, 'test/react'),
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    write: false,
    define: { 'process.env.NODE_ENV': '"development"' },
    logOverride: { 'import-is-undefined': 'silent' }, // what React 18 does not have
    plugins: [{
      name: 'the version of React',
      setup: (build) => build.onResolve({ filter: /^react(-dom)?(\/|$)/ }, ({ path, pluginData }) => {
        if (version === 19 || pluginData) return undefined
        return build.resolve(path.replace(/^react(-dom)?/, '$&-18'), { resolveDir: packageFolder, kind: 'import-statement', pluginData: true })
      }),
    }, {
      name: 'what was built',
      setup: (build) => build.onResolve({ filter: /src\/(react\/)?index\.js$|^atomicdb(\/react)?$/ }, ({ path }) => ({ path: join(packageFolder, 'dist', path.includes('react') ? 'react.js' : 'index.js') })),
    }],
  })
  return serve({
    '/': '<!doctype html><meta charset="utf-8"><body><script type="module" src="/app/claims.js"></script>',
    '/app/claims.js': bundle.outputFiles[0]!.text,
    '/app/': { folder: join(packageFolder, 'dist') },
  })
}

for (const version of [19, 18] as const) describe(`atomicdb/react in Chromium, with React ${version}`, { timeout: 360_000 }, () => {
  const chromium = chromiumWithSite(() => serveClaims(version))
  let page: Page

  before(async () => {
    page = await openPage(await chromium.browser.newContext(), chromium.site.origin)
    await waitForValue(page, () => 'runClaim' in globalThis || undefined)
  })

  for (const [index, { name, throws = false, since19 = false }] of claims.entries()) {
    if (version < 19 && since19) continue
    test(name, async () => {
      const errors: Error[] = []
      const note = (error: Error) => void errors.push(error)
      page.on('pageerror', note)
      await within(30_000, name, page.evaluate((index) => runClaim(index), index))
      page.off('pageerror', note)
      if (version >= 19 || !throws) assert.deepEqual(errors, [])
    })
  }

  test('is the React that was asked for', async () => {
    assert.equal(Number.parseInt(await page.evaluate(() => reactVersion)), version)
  })

  test('the program of the guide does what it says', async () => {
    await page.evaluate(() => showGuide())
    const main = page.locator('main')
    await main.getByText('0 done, saved').waitFor()
    await main.getByText('Add').click()
    await main.getByText('Add').click()
    await main.locator('li').nth(1).waitFor()
    await main.locator('li').first().click()
    await main.getByText('1 done, saved').waitFor()
    assert.deepEqual(await main.locator('li').allTextContents(), ['Buy milk'])
  })
})

test('the types of collections that are registered are those of all hooks', { timeout: 180_000 }, async () => {
  await mkdir(folder, { recursive: true })
  const program = join(folder, 'registered.tsx') // inside the package, so that its own name resolves to what was built
  await writeFile(program, registered)
  const tsc = join(packageFolder, 'node_modules/typescript/bin/tsc')
  const options = ['--noEmit', '--strict', '--jsx', 'react-jsx', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,esnext.disposable,dom']
  await run(process.execPath, [tsc, '--ignoreConfig', ...options, program]).catch((error: { stdout: string }) => assert.fail(error.stdout))
})

test('writes are counted from when the database is open, before a component asks for that', async () => {
  for (const isPromised of [false, true]) {
    const db = await AtomicDB.open('todos', { inMemory: true, wasm: testWasm })
    await new Opening(isPromised ? Promise.resolve(db) : db).ready()
    const writing = db.insert({ text: 'milk' })
    assert.equal(db.writeStatus.current.status, 'saving')
    await writing
    assert.equal(db.writeStatus.current.status, 'saved')
    await db.close()
  }
})

describe('atomicdb/react on a server', { timeout: 180_000 }, () => {
  let lib: typeof import('../src/react/index.js')
  let atomicdb: typeof import('../src/index.js')

  before(async () => {
    lib = await import(new URL('../dist/react.js', import.meta.url).href) as typeof lib
    atomicdb = await import(new URL('../dist/index.js', import.meta.url).href) as typeof atomicdb
  })

  /** The text of what a component renders inside a provider, by both ways of rendering on a server. */
  async function rendered(database: DatabaseSource, component: () => ReactNode, fallback?: ReactNode): Promise<string[]> {
    const node = () => createElement(lib.AtomicDBProvider, { database, fallback }, createElement(component))
    const stream = await renderToReadableStream(node(), { onError: () => {} })
    const texts = [renderToString(node()), await new Response(stream).text()]
    return texts.map((html) => html.replaceAll(/<!--.*?-->|<template.*?<\/template>|<script.*?<\/script>/gs, ''))
  }

  test('every hook renders that it is loading, or its initial data, and opens and asks nothing', async () => {
    let opens = 0
    const open = async (): Promise<never> => {
      opens++
      throw new Error('a server opens nothing')
    }
    const initialData = [{ _id: 1, title: 'first' }]
    const texts = await rendered(open, () => {
      const db = lib.useDatabase()
      const { mutate, isPending } = lib.useMutation((db) => db.clear())
      const { data, loadMore, hasMore } = lib.useInfiniteQuery<any>('todos')
      return JSON.stringify([
        [db.data ?? 'none', db.isLoading],
        lib.useLiveQuery('todos', { done: true }),
        lib.useLiveQuery<any>('todos', undefined, { initialData }),
        lib.useLiveQuery('todos', 'faulty >', { enabled: false }),
        [lib.useLiveQuery<any>('todos', undefined, { initialData }).data.first()!.title, data.isEmpty(), hasMore, typeof loadMore],
        lib.useDocument('todos', 1),
        lib.useCount('todos', undefined, { initialData: 3 }),
        lib.useAggregate('todos', { select: { n: { $count: true } } }),
        lib.useLiveSql('SELECT 1 FROM todos'),
        lib.useLive((db) => db.liveCount(), []),
        lib.useSuspenseCount('todos', undefined, { initialData: 4 }),
        lib.useWriteStatus(),
        [typeof mutate, isPending],
      ])
    })
    const loading = { data: [], isLoading: true }
    const expected = [
      ['none', true], loading, { data: initialData, isLoading: false }, { data: [], isLoading: false }, ['first', true, false, 'function'], { isLoading: true },
      { data: 3, isLoading: false }, loading, loading, { isLoading: true }, 4, { status: 'saved' }, ['function', false],
    ]
    for (const text of texts) assert.deepEqual(JSON.parse(text.replaceAll('&quot;', '"')), expected)
    assert.equal(opens, 0)
  })

  test('what suspends without initial data is left to the browser', async () => {
    await using db = await atomicdb.AtomicDB.open('server', { inMemory: true })
    for (const component of [() => lib.useSuspenseDatabase().name, () => lib.useSuspenseLiveQuery('todos').length]) {
      for (const text of await rendered(db, component, 'later')) assert.equal(text, 'later')
    }
  })

  test('a wrong use is refused in words', () => {
    assert.throws(() => renderToString(createElement(() => lib.useCount('todos').data)), { name: 'AtomicDBError', code: 'invalid', message: /AtomicDBProvider/ })
  })
})
