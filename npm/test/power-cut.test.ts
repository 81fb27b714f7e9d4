// The power is cut while a database is written: everything is gone that was not synced. Each strict write that was
// acknowledged is there afterwards; of relaxed ones the newest may be gone, and none before.
//
// Not tried: a disk that forgets what it was told to flush, and one that writes pages out of order, but for Go's files
// (storage/filelog/powercut_test.go).
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test, type TestContext } from 'node:test'
import { newerNode } from '../scripts/newer-node.mjs'
import { openPage, spawnChromium } from './harness/chromium.js'
import { poweredDisk } from './harness/powered-disk.js'
import { packageFolder, serveProduct, type Site } from './harness/site.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

const cuts = Number(process.env.CRASH_ROUNDS ?? 2)
const ring = 10

type Durability = 'relaxed' | 'strict'

/** Where a database is written, and read after the power has come back. */
interface Writer {
  /** Writes n, n + 1, … until `acknowledge` resolves to true for one, and is killed then. */
  write(folder: string, durability: Durability, from: number, acknowledge: (n: number) => boolean): Promise<void>
  /** The numbers that are stored. */
  read(folder: string): Promise<number[]>
}

/** The newest number, and that each of the last ones is there; 0 if there is none. */
function newestOf(numbers: number[], what: string): number {
  const sorted = numbers.sort((a, b) => a - b)
  const newest = sorted.at(-1) ?? 0
  assert.deepEqual(sorted, Array.from({ length: Math.min(ring, newest) }, (_, i) => newest - Math.min(ring, newest) + 1 + i), what)
  return newest
}

async function cutAgainAndAgain(t: TestContext, size: number, writer: Writer, durability: Durability, mayLose: 'nothing' | 'newest' = durability === 'strict' ? 'nothing' : 'newest'): Promise<void> {
  const random = new Random(seed)
  await using disk = await poweredDisk(size)
  if (!disk) return t.skip('cannot mount a disk')
  let last = 0
  for (let cut = 1; cut <= cuts; cut++) {
    const until = last + random.int(1, 40)
    let acknowledged = last
    await writer.write(disk.folder, durability, last + 1, (n) => (acknowledged = n) >= until)
    assert.ok(acknowledged >= until, `it ended by itself at ${acknowledged}`)
    await disk.cut()
    const newest = newestOf(await writer.read(disk.folder), `cut ${cut} at ${acknowledged}`)
    // A page does not wait for its acknowledgements to arrive here: on a busy machine it may be some writes ahead.
    assert.ok(newest <= acknowledged + ring && newest >= (mayLose === 'nothing' ? acknowledged : last), `cut ${cut}: ${acknowledged} was acknowledged, and ${last} after the last cut; ${newest} is stored`)
    t.diagnostic(`${acknowledged} acknowledged, ${newest} stored`)
    await disk.sync()
    last = newest
  }
}

describe(`the power is cut (${replayOf('power-cut.test.ts')})`, { timeout: 360_000 * (cuts + 1) }, () => {
  let site: Site
  before(async () => {
    site = await serveProduct()
  })
  after(() => site.close())

  const inNode: Record<string, { storage: string; more?: string }> = {
    JSONStorage: { storage: 'new JSONStorage(path)' },
    MessagePackStorage: { storage: 'new MessagePackStorage(path)' },
    LMDBStorage: { storage: 'new LMDBStorage(path)' },
    FileStorage: { storage: 'new FileStorage(path)' },
    // FULL would do for a journal that is a WAL. With the usual one it takes the last batch back: SQLite deletes the
    // journal and does not sync that.
    SQLiteStorage: { storage: 'new SQLiteStorage(sqlite)', more: "import { DatabaseSync } from 'node:sqlite'\nconst sqlite = new DatabaseSync(path)\nsqlite.exec('PRAGMA synchronous = EXTRA')" },
  }
  for (const [name, { storage, more = '' }] of Object.entries(inNode)) {
    for (const durability of ['strict', 'relaxed'] as const) {
      test(`under ${durability} writes to ${name}`, (t) => cutAgainAndAgain(t, 48, nodeWriter(storage, more), durability))
    }
  }
  test('under strict writes of a page to IndexedDB', (t) => cutAgainAndAgain(t, 256, chromiumWriter('{}', () => site), 'strict'))

  // When flush() returns, Chromium 156 has not synced the name of a new file, which a batch that is alone has.
  test('under strict writes of a page to OPFSStorage, which are like relaxed ones', (t) =>
    cutAgainAndAgain(t, 256, chromiumWriter("{ storage: new atomicdb.OPFSStorage('power'), worker: true }", () => site), 'strict', 'newest'))
})

function nodeWriter(storage: string, more: string): Writer {
  const start = (folder: string, program: string) => {
    const source = `
const path = ${JSON.stringify(join(folder, 'data'))}
const { AtomicDB, ${/\w+Storage/.exec(storage)![0]} } = await import(${JSON.stringify(join(packageFolder, 'dist/index.js'))})
${more.replace(/import (.*) from (.*)/, 'const $1 = await import($2)')}
const open = (options) => AtomicDB.open('power', { storage: ${storage}, ...options })
${program}`
    // Node 20 has no node:sqlite.
    return spawn(newerNode, ['--no-warnings', '--input-type=module', '--eval', source], { cwd: packageFolder, stdio: ['ignore', 'pipe', 'inherit'] })
  }
  return {
    async write(folder, durability, from, acknowledge) {
      const child = start(folder, `
const db = await open({ durability: '${durability}' })
for (let n = ${from}; ; n++) {
  await db.upsert({ _id: n % ${ring}, n, text: 'x'.repeat(n * 7919 % 30_000) })
  process.stdout.write(n + '\\n')
}`)
      const ended = once(child, 'close')
      let isOver = false
      for await (const line of createInterface({ input: child.stdout })) {
        if (acknowledge(Number(line)) && !isOver) child.kill('SIGKILL') // its last lines are read too
        isOver ||= child.killed
      }
      await ended
    },
    async read(folder) {
      const child = start(folder, `
const db = await open()
if (!(await db.verify()).ok) throw new Error('verify finds damage')
process.stdout.write(JSON.stringify((await db.all()).map(({ n }) => n)))
await db.close()`)
      const ended = once(child, 'close')
      let text = ''
      for await (const part of child.stdout) text += part
      assert.deepEqual(await ended, [0, null])
      return JSON.parse(text) as number[]
    },
  }
}

declare function acknowledge(n: number): Promise<void>

function chromiumWriter(options: string, site: () => Site): Writer {
  return {
    async write(folder, durability, from, acknowledgeHere) {
      const chromium = await spawnChromium(join(folder, 'profile'))
      try {
        const page = await openPage(chromium.context, site().origin)
        let isOver = false
        const killed = new Promise<void>((resolve, reject) => {
          void page.exposeBinding('acknowledge', (_, n: number) => {
            if (!acknowledgeHere(n) || isOver) return
            isOver = true
            chromium.kill().then(resolve, reject)
          }).then(() => page.evaluate(async ([options, durability, from, ring]) => {
            const db = await atomicdb.AtomicDB.open('power', { ...new Function('atomicdb', `return ${options}`)(atomicdb), durability })
            for (let n = from; ; n++) {
              await db.upsert({ _id: n % ring, n, text: 'x'.repeat((n * 7919) % 30_000) })
              void acknowledge(n)
            }
          }, [options, durability, from, ring] as const)).catch((error: Error) => {
            if (!isOver) reject(error) // after the kill, the page fails because its browser is gone
          })
        })
        await killed
      } finally {
        await chromium.kill()
      }
    },
    async read(folder) {
      const chromium = await spawnChromium(join(folder, 'profile'))
      try {
        const page = await openPage(chromium.context, site().origin)
        return await page.evaluate(async (options) => {
          const db = await atomicdb.AtomicDB.open('power', new Function('atomicdb', `return ${options}`)(atomicdb))
          if (!(await db.verify()).ok) throw new Error('verify finds damage')
          const numbers = (await db.all<{ n: number }>()).map(({ n }) => n)
          await db.close()
          return numbers
        }, options)
      } finally {
        await chromium.kill()
      }
    },
  }
}
