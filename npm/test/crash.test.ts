// Something close to a power cut: every process of a real Chromium is killed at a seeded point in the middle of
// writing,
// and the profile is opened again. And smaller accidents: of a tab, and of the worker of a database.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import type { Id } from '../src/index.js'
import { crasherOf, openPage, spawnChromium, type KillableChromium } from './harness/chromium.js'
import { chromiumWithSite } from './harness/chromium-with-site.js'
import { within } from './harness/deadline.js'
import { serveProduct, type Site } from './harness/site.js'
import { Random } from './random/random.js'

// More than are done before the kill, so that it comes in the middle of a write.
const inserts = 20_000
const groupSize = 5
const latestKill = 500
/** How often each test runs; `make crash` sets more. */
const rounds = Number(process.env.CRASH_ROUNDS ?? 1)
const seed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 32))

describe(`a browser killed in the middle (replay: CRASH_SEED=${seed})`, { timeout: 900_000 * rounds }, () => {
  let site: Site
  before(async () => {
    site = await serveProduct()
  })
  after(() => site.close())

  const random = new Random(seed)
  for (const durability of Array.from({ length: rounds }, () => ['relaxed', 'relaxed', 'relaxed', 'strict'] as const).flat()) {
    const killAfter = random.int(1, latestKill)

    test(`keeps each ${durability} insert up to acknowledgement ${killAfter}, and each batch whole`, async () => {
      await using profile = await newProfile()
      const acknowledged = await killedWhile(profile, site, killAfter, insertEach, { inserts, groupSize, durability })
      assertKept(acknowledged, await reopened(profile, site, () => db.documentIds()))
    })
  }

  for (const killAfter of Array.from({ length: 2 * rounds }, () => random.int(1, latestKill))) {
    test(`keeps the newest acknowledged version when killed after ${killAfter} replacements, with the log compacted meanwhile`, async () => {
      await using profile = await newProfile()
      const acknowledged = await killedWhile(profile, site, killAfter, replaceEach, { inserts, groupSize, durability: 'relaxed' })
      assert.ok(acknowledged.length < inserts, 'everything was done before the kill')

      const versions = new Map(await reopened(profile, site, async () => (await db.all()).map((d) => [d._id, d.version] as const)))
      for (const version of acknowledged) {
        const id = version % 8
        const stored = versions.get(id)
        assert.ok(stored !== undefined && stored >= version, `document ${id} is at version ${stored}, acknowledged at ${version}`)
      }
    })
  }

  // In a profile on disk, Chromium compresses values of more than 64 KiB and keeps them in files of their own.
  test('keeps large documents, and verify and exportRaw read them', async () => {
    await using profile = await newProfile()
    await killedWhile(profile, site, 30, insertLarge, { inserts, groupSize, durability: 'relaxed' })
    const { lengths, isSound, exported, inFile } = await reopened(profile, site, async () => ({
      lengths: (await db.all<{ bytes: Uint8Array }>()).map(({ bytes }) => bytes.length).sort((a, b) => a - b),
      isSound: (await db.verify()).ok,
      exported: (await atomicdb.AtomicDB.exportRaw('crash')).length,
      inFile: (await (await atomicdb.AtomicDB.open('file', { storage: new atomicdb.MessagePackStorage('file') })).get<{ bytes: Uint8Array }>(1))?.bytes.length,
    }))
    assert.deepEqual(lengths, Array.from({ length: 20 }, (_, n) => 100_000 + n))
    assert.ok(isSound)
    assert.ok(exported > 20 * 100_000)
    assert.equal(inFile, 300_000)
  })
})

describe(`a tab or a worker killed in the middle (replay: CRASH_SEED=${seed})`, { timeout: 360_000 * rounds }, () => {
  const chromium = chromiumWithSite()

  const random = new Random(seed)
  /** Prepares to kill each, so that the kill itself waits for nothing. */
  const killers = {
    tab: crasherOf,
    worker: async (page: Page) => () =>
      page.evaluate(() => {
        const { thread } = (db as unknown as { connection: { inner: { current: { thread: { terminate(): Promise<void> } } } } }).connection.inner.current
        return thread.terminate()
      }),
  }
  for (const [what, prepareKill] of Object.entries(killers)) {
    for (const killAfter of Array.from({ length: 4 * rounds }, () => random.int(1, latestKill))) {
      test(`keeps each insert up to acknowledgement ${killAfter}, and each batch whole, when the ${what} is killed`, async () => {
        const context = await chromium.browser.newContext()
        const page = await openPage(context, chromium.site.origin)
        const acknowledged = await acknowledgedBefore(page, killAfter, await prepareKill(page), insertEach, { inserts, groupSize, durability: 'relaxed', worker: what === 'worker' })
        const reader = await openPage(context, chromium.site.origin)
        assertKept(acknowledged, await within(20_000, 'reading', reader.evaluate(async () => {
          const db = await atomicdb.AtomicDB.open('crash')
          const ids = await db.documentIds()
          await db.insert({ _id: 'after' })
          return ids
        })))
        await context.close()
      })
    }
  }
})

/** Fails unless every acknowledged task is among the ids, and each group is whole or absent. */
function assertKept(acknowledged: number[], ids: Id[]): void {
  assert.ok(acknowledged.length < inserts, 'everything was done before the kill')
  const found = new Set(ids)
  for (const task of acknowledged) {
    for (const id of isGroup(task) ? groupIds(task) : [`${task}`]) assert.ok(found.has(id), `document ${id} was acknowledged and is missing`)
  }
  for (let task = 0; task < inserts; task++) {
    if (!isGroup(task)) continue
    const there = groupIds(task).filter((id) => found.has(id)).length
    assert.ok(there === 0 || there === groupSize, `batch ${task} has ${there} of its ${groupSize} documents`)
  }
}

/** The work in the page: 8 lanes share the tasks, and each acknowledges a task when it is stored. */
interface Work {
  inserts: number
  groupSize: number
  durability: 'relaxed' | 'strict'
  worker?: boolean
}

async function insertEach({ inserts, groupSize, durability, worker = false }: Work): Promise<void> {
  globalThis.db = await atomicdb.AtomicDB.open('crash', { durability, worker })
  let next = 0
  const lane = async () => {
    for (let task = next++; task < inserts; task = next++) {
      const document = { text: 'x'.repeat(task % 700) }
      if (task % 10 !== 9) await db.insert({ _id: `${task}`, ...document })
      else await db.insertMany(Array.from({ length: groupSize }, (_, n) => ({ _id: `${task}.${n}`, ...document })))
      acknowledge(task)
    }
  }
  await Promise.all(Array.from({ length: 8 }, lane))
}

async function replaceEach({ inserts, durability }: Work): Promise<void> {
  const db = await atomicdb.AtomicDB.open('crash', { durability })
  const lane = async (_: unknown, id: number) => {
    for (let version = id; version < inserts; version += 8) {
      await db.upsert({ _id: id, version, text: 'x'.repeat(20_000) })
      acknowledge(version)
    }
  }
  await Promise.all(Array.from({ length: 8 }, lane))
}

declare function acknowledge(task: number): void

async function insertLarge({ inserts }: Work): Promise<void> {
  const random = (length: number) => {
    const bytes = new Uint8Array(length)
    // Its limit for one call.
    for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
    return bytes
  }
  const file = await atomicdb.AtomicDB.open('file', { storage: new atomicdb.MessagePackStorage('file') })
  await file.insert({ bytes: random(300_000) })
  const db = await atomicdb.AtomicDB.open('crash')
  for (let task = 0; task < inserts; task++) {
    await db.upsert({ _id: task % 20, bytes: random(100_000 + (task % 20)) })
    acknowledge(task)
  }
}

const isGroup = (task: number) => task % 10 === 9
const groupIds = (task: number) => Array.from({ length: groupSize }, (_, n) => `${task}.${n}`)

/**
 * Runs `work` in a page until it has acknowledged `killAfter` tasks, and kills the browser. Returns the acknowledged
 * tasks.
 */
async function killedWhile(profile: Profile, site: Site, killAfter: number, work: (work: Work) => Promise<void>, options: Work): Promise<number[]> {
  const chromium = await profile.start()
  const page = await openPage(chromium.context, site.origin)
  return acknowledgedBefore(page, killAfter, () => chromium.kill(), work, options)
}

/**
 * Runs `work` in the page until it has acknowledged `killAfter` tasks, and then `kill`. Returns the acknowledged tasks.
 */
async function acknowledgedBefore(page: Page, killAfter: number, kill: () => Promise<unknown>, work: (work: Work) => Promise<void>, options: Work): Promise<number[]> {
  const acknowledged: number[] = []
  const killed = new Promise<unknown>((resolve, reject) => {
    void page.exposeBinding('acknowledge', (_, task: number) => {
      acknowledged.push(task)
      if (acknowledged.length === killAfter) kill().then(resolve, reject)
    }).then(() => page.evaluate(work, options)).catch((error: Error) => {
      // After the kill, the page fails because its browser is gone; before it, the work has failed.
      if (acknowledged.length < killAfter) reject(error)
    })
  })
  await killed
  return acknowledged
}

/** Opens the database again in a new browser on the same profile, runs `ask` there, and writes once more. */
async function reopened<R>(profile: Profile, site: Site, ask: () => Promise<R>): Promise<R> {
  const chromium = await profile.start()
  const page = await openPage(chromium.context, site.origin)
  await page.evaluate(async () => {
    globalThis.db = await atomicdb.AtomicDB.open('crash')
  })
  const result = await page.evaluate(ask)
  await page.evaluate(() => db.insert({ _id: 'after' }))
  await chromium.kill()
  return result
}

interface Profile extends AsyncDisposable {
  start(): Promise<KillableChromium>
}

/** A profile folder that outlives the browsers started on it, and is removed with the test. */
async function newProfile(): Promise<Profile> {
  const folder = await mkdtemp(join(tmpdir(), 'atomicdb-crash-'))
  const started: KillableChromium[] = []
  return {
    start: async () => {
      const chromium = await spawnChromium(folder)
      started.push(chromium)
      return chromium
    },
    [Symbol.asyncDispose]: async () => {
      for (const chromium of started) await chromium.kill()
      await rm(folder, { recursive: true, maxRetries: 5 })
    },
  }
}
