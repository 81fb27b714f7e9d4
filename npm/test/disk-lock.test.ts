// The lock of a file on disk dies with its owner: killed at any point, with its pid taken by another process, or in
// another container.
import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import * as nodePath from 'node:path'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import * as esbuild from 'esbuild'
import { AtomicDB, AtomicDBError, FileStorage, JSONStorage, LMDBStorage, MessagePackStorage } from '../src/index.js'
import type { NodeFiles } from '../src/node-modules.js'
import { DiskLock } from '../src/storage/stored-file/disk-lock.js'
import { ownOwner } from '../src/storage/stored-file/disk-owner.js'
import { testWasm } from './harness/node.js'
import { packageFolder } from './harness/site.js'
import { Random } from './random/random.js'

/** What a lock needs of Node, with this file system. */
const nodeWith = (fs: NodeFiles) => ({ fs, path: nodePath, process })

const seed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 32))

// Counts in the file at argv[2], once for each line that it is sent, and prints what it has stored. At the call of
// node:fs/promises whose number is argv[3], it sends itself the signal argv[4]. To a thief, every other process seems to
// have ended.
const program = `
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { createInterface } from 'node:readline'
import { DiskFile } from './src/storage/stored-file/disk-file.ts'

const [path, signalAt, signal, role] = process.argv.slice(2)
const { kill } = process
if (role === 'thief') process.kill = () => { throw Object.assign(new Error('no such process'), { code: 'ESRCH' }) }
let calls = 0
for (const [name, call] of Object.entries(fs)) {
  if (typeof call !== 'function') continue
  fs[name] = (...args) => {
    if (++calls === Number(signalAt)) kill.call(process, process.pid, signal)
    if (role === 'thief' && /^\\/proc\\/\\d/.test(args[0]) && !args[0].startsWith('/proc/' + process.pid + '/')) return Promise.reject(new Error('hidden'))
    return call(...args)
  }
}
syncBuiltinESMExports()
const file = new DiskFile(path)
console.log('ready')
for await (const _ of createInterface({ input: process.stdin })) {
  for (;;) {
    const seen = await file.read()
    const next = String(Number(new TextDecoder().decode(seen ?? new Uint8Array())) + 1)
    if (!(await file.replace(seen, new TextEncoder().encode(next), 'relaxed'))) continue
    console.log(next)
    break
  }
}
console.log('calls ' + calls)
`

let folder: string
let script: string
before(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'atomicdb-lock-'))
  script = join(folder, 'count.mjs')
  await esbuild.build({ stdin: { contents: program, resolveDir: packageFolder }, bundle: true, platform: 'node', format: 'esm', outfile: script, logLevel: 'silent' })
})
after(() => fs.rm(folder, { recursive: true, force: true }))

/** A process that counts in a file. */
interface Counter {
  readonly child: ChildProcess
  /** Counts so many times; resolves to the lines that were printed when the process has ended or done that. */
  count(times: number): Promise<string[]>
  readonly ended: Promise<unknown>
}

async function counter(path: string, { signalAt = 0, signal = 'SIGKILL', namespace = false, role = '' } = {}): Promise<Counter> {
  const node = [process.execPath, script, path, String(signalAt), signal, role]
  const [command, ...args] = namespace ? [...unshare, ...node] : node
  const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  child.stdin.on('error', () => {}) // it may be killed before it has read everything
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ready = await lines.next()
  assert.equal(ready.value, 'ready')
  return {
    child,
    ended,
    async count(times) {
      child.stdin.end('\n'.repeat(times))
      const printed: string[] = []
      for (let line = await lines.next(); !line.done; line = await lines.next()) printed.push(line.value)
      return printed
    },
  }
}

// A shell is number 1 of the namespace: the kernel does not let a process stop number 1 from inside.
const unshare = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', '"$@"; exit $?', 'sh']
const noNamespaces = spawnSync(unshare[0]!, [...unshare.slice(1), 'true']).status === 0 ? false : 'this host does not let us make PID namespaces'

/** The only child of a process, as this host counts. */
const childOf = async (pid: number) => Number(await fs.readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'))

let folders = 0
/** A path in a folder of its own. */
async function newPath(): Promise<string> {
  const own = join(folder, `${++folders}`)
  await fs.mkdir(own)
  return join(own, 'x.json')
}

const numberIn = async (path: string) => Number(await fs.readFile(path, 'utf8').catch(() => '0'))

/** Fails unless the next writer gets the lock, and nothing but the file is left. */
async function assertFree(path: string): Promise<void> {
  const { count } = await counter(path)
  const before = await numberIn(path)
  assert.equal((await count(1))[0], String(before + 1))
  assert.deepEqual(await fs.readdir(join(path, '..')), ['x.json'])
}

describe(`the lock of a file on disk (replay: CRASH_SEED=${seed})`, { timeout: 360_000 }, () => {
  const random = new Random(seed)

  test('is taken over, whatever is left of it', async () => {
    const own = await ownOwner(nodeWith(fs as NodeFiles))
    const ended = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
    await once(ended, 'close')
    const elsewhere = await newPath()
    await fs.mkdir(elsewhere)
    await fs.writeFile(`${elsewhere}/kept`, 'kept')
    const locks: Record<string, string | Record<string, string> | { link: string }> = {
      empty: '',
      garbage: '\0\xff{"pid":',
      'our own pid': String(process.pid),
      'pid 1': '1',
      'an ended process': String(ended.pid),
      'an empty folder': {},
      'a folder in the folder': { 'abc/def': '' },
      'a folder in the place of an owner': { 'abc/abc': '', 'abc.tmp': '' },
      'a link to nothing': { link: `${elsewhere}/nothing` },
      'a link to a folder': { link: elsewhere },
      'a folder without an owner': { 'abc.tmp': '' },
      'a folder with an unreadable owner': { abc: '{"pid": "x"}', 'abc.tmp': '' },
      'an owner that has ended': { abc: JSON.stringify({ ...own, pid: ended.pid, thread: 'x' }), 'abc.tmp': 'half' },
      'an owner whose pid another process has': { abc: JSON.stringify({ ...own, start: '1', thread: 'x' }), 'abc.tmp': '' },
      'a lock of this thread that it does not hold': { abc: JSON.stringify(own) },
      'an owner in another container': { abc: JSON.stringify({ ...own, pid: 1, scope: 'elsewhere', thread: 'x' }), 'abc.tmp': '' },
    }
    await Promise.all(Object.entries(locks).map(async ([kind, content]) => {
      const path = await newPath()
      if (typeof content === 'string') {
        await fs.writeFile(`${path}.lock`, content, 'latin1')
      } else if ('link' in content) {
        await fs.symlink(content.link!, `${path}.lock`)
      } else {
        await fs.mkdir(`${path}.lock`)
        for (const [name, text] of Object.entries(content)) {
          await fs.mkdir(dirname(`${path}.lock/${name}`), { recursive: true })
          await fs.writeFile(`${path}.lock/${name}`, text)
        }
      }
      // What a process leaves that ends while it waits, and what an older version left.
      await fs.mkdir(`${path}.lock.1b2c3d4e5f`)
      await fs.writeFile(`${path}.lock.1b2c3d4e5f/1b2c3d4e5f`, '')
      await fs.writeFile(`${path}.k2j3h4g5f6.tmp`, 'half')
      const db = await AtomicDB.open('file', { storage: new JSONStorage(path), wasm: testWasm })
      await db.insert({ kind })
      await db.close()
      assert.deepEqual(await fs.readdir(join(path, '..')), ['x.json'], kind)
    }))
    assert.equal(await fs.readFile(`${elsewhere}/kept`, 'utf8'), 'kept')
  })

  test('names the start of its process as the host counts it, since a number alone can be another process later', { skip: process.platform !== 'linux' }, async () => {
    const [, start] = /^starttime (\d+)$/m.exec(spawnSync('sh', ['-c', `sed 's/.*) //' /proc/${process.pid}/stat | awk '{ print "starttime " $20 }'`], { encoding: 'utf8' }).stdout)!
    assert.equal((await ownOwner(nodeWith(fs as NodeFiles))).start, start)
  })

  test('goes with a process that is killed at any call of the file system, and the file is as before or as after', async () => {
    const path = await newPath()
    const whole = await (await counter(path)).count(2)
    const calls = Number(/calls (\d+)/.exec(whole.at(-1)!)![1])
    assert.ok(calls > 20, `${calls} calls`)
    for (let round = 0; round < 12; round++) {
      const killAt = random.int(1, calls)
      const before = await numberIn(path)
      const killed = await counter(path, { signalAt: killAt })
      const acknowledged = (await killed.count(3)).filter((line) => /^\d+$/.test(line)).length
      const found = await numberIn(path)
      assert.ok(found === before + acknowledged || found === before + acknowledged + 1, `killed at call ${killAt}: ${before}, ${acknowledged} acknowledged, ${found} found`)
      await assertFree(path)
    }
  })

  test('goes to one of many processes when its owner is killed, and no count is lost', async () => {
    for (let round = 0; round < 3; round++) {
      const path = await newPath()
      const killed = await counter(path, { signalAt: 0 })
      const others = await Promise.all(Array.from({ length: 5 }, () => counter(path)))
      const killing = killed.count(10_000)
      const counts = others.map(({ count }) => count(30))
      while ((await numberIn(path)) < random.int(10, 100)) await new Promise(setImmediate)
      killed.child.kill('SIGKILL')
      const acknowledged = (await killing).filter((line) => /^\d+$/.test(line)).length
      for (const count of counts) assert.equal((await count).length, 31)
      const found = await numberIn(path)
      assert.ok(found === 150 + acknowledged || found === 151 + acknowledged, `${found} of 150 and ${acknowledged}`)
      await assertFree(path)
    }
  })

  test('is taken from owners that live by processes that believe them ended, and no count is lost', async () => {
    const path = await newPath()
    const thieves = await Promise.all(Array.from({ length: 5 }, () => counter(path, { role: 'thief' })))
    for (const printed of await Promise.all(thieves.map(({ count }) => count(20)))) assert.equal(printed.length, 21)
    assert.equal(await numberIn(path), 100)
    await assertFree(path)
  })

  for (const lost of ['', '.tmp']) {
    test(`of which another process has removed ${lost ? 'the content' : 'the owner'} when it is taken is taken again`, async () => {
      const path = await newPath()
      let renames = 0
      const rename = async (from: string, to: string) => {
        if (++renames === 1) await fs.rm(`${from}/${/[0-9a-z]+$/.exec(from)![0]}${lost}`)
        await fs.rename(from, to)
      }
      const lock = new DiskLock(nodeWith({ ...fs, rename } as unknown as NodeFiles), path, Error)
      await lock.hold(async ({ content, owner }) => {
        await fs.stat(owner)
        await fs.stat(content)
      })
      assert.equal(renames, 2)
      assert.deepEqual(await fs.readdir(dirname(path)), [])
    })
  }

  /** The files of node, in which `rename` tells how often the lock was tried. */
  function watched(onTry: (tries: number) => void): NodeFiles {
    let tries = 0
    return { ...fs, rename: (from: string, to: string) => (onTry(++tries), fs.rename(from, to)) } as unknown as NodeFiles
  }

  test('of an owner that is slow is respected, also if it is in another container', { skip: noNamespaces }, async () => {
    const holder = `
import { DiskLock } from './src/storage/stored-file/disk-lock.ts'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
await new DiskLock({ fs, path, process }, process.argv[2], Error).hold(async () => {
  console.log('held')
  await new Promise((resolve) => process.stdin.once('data', resolve))
})
process.exit()`
    const script = join(folder, 'hold.mjs')
    await esbuild.build({ stdin: { contents: holder, resolveDir: packageFolder }, bundle: true, platform: 'node', format: 'esm', outfile: script, logLevel: 'silent' })
    await Promise.all([[], unshare].map(async (prefix) => {
      const path = await newPath()
      const [command, ...args] = [...prefix, process.execPath, script, path]
      const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
      const ended = once(child, 'close')
      await once(child.stdout, 'data')
      let isReleased = false
      const longEnough = 100 // tries: some 5 s, while a silent owner is respected for 3 s
      const lock = new DiskLock(nodeWith(watched((tries) => {
        if (tries !== longEnough) return
        isReleased = true
        child.stdin.write('\n')
      })), path, Error)
      await lock.hold(async () => assert.ok(isReleased, 'the lock was taken from an owner that lives'))
      await ended
    }))
  })

  test('of a killed process in another container is taken over', { skip: noNamespaces }, async () => {
    const path = await newPath()
    const killed = await counter(path, { namespace: true })
    const killing = killed.count(10_000)
    while ((await numberIn(path)) < 20) await new Promise(setImmediate)
    killed.child.kill('SIGKILL')
    await killing
    await assertFree(path)
  })

  test('of a process that was stopped and goes on after another took its lock: it begins again, and nothing is lost', { skip: noNamespaces }, async () => {
    const path = await newPath()
    const calls = Number(/calls (\d+)/.exec((await (await counter(path)).count(1)).at(-1)!)![1])
    let overtaken = 0
    for (let round = 0; round < 4; round++) {
      const stopAt = random.int(1, calls)
      const stopped = await counter(path, { signalAt: stopAt, signal: 'SIGSTOP', namespace: true })
      const before = await numberIn(path)
      const counting = stopped.count(1)
      const pid = await childOf(await childOf(stopped.child.pid!))
      while (!/\) [Tt] /.test(await fs.readFile(`/proc/${pid}/stat`, 'utf8'))) await new Promise(setImmediate)
      const between = await numberIn(path)
      const [second] = await (await counter(path)).count(1)
      assert.equal(second, String(between + 1))
      process.kill(pid, 'SIGCONT')
      await counting
      overtaken++
      assert.equal(await numberIn(path), before + 2, `stopped at call ${stopAt}`)
      await assertFree(path)
    }
    assert.equal(overtaken, 4)
  })
})

describe('a path', () => {
  const kinds = {
    JSONStorage: (path: string) => new JSONStorage(path),
    MessagePackStorage: (path: string) => new MessagePackStorage(path),
    LMDBStorage: (path: string) => new LMDBStorage(path),
    FileStorage: (path: string) => new FileStorage(path),
  }
  for (const [kind, make] of Object.entries(kinds)) {
    test(`of ${kind} that cannot hold a database is refused when it is opened, with the reason`, async () => {
      const path = await newPath()
      await fs.writeFile(path, '')
      const cases: [string, RegExp][] = [
        [join(folder, 'no', 'such', 'x'), new RegExp(`the folder ${join(folder, 'no', 'such')} does not exist`)],
        [join(path, 'x'), /x\.json is not a folder/],
        [folder, /is a folder, and not a file/],
      ]
      for (const [wrong, message] of cases) {
        await assert.rejects(AtomicDB.open('wrong', { storage: make(wrong), wasm: testWasm }), (error) => {
          assert.ok(error instanceof AtomicDBError && error.code === 'storage', String(error))
          assert.match(error.message, message)
          return true
        })
      }
      await assert.rejects(fs.stat(join(folder, 'no')), { code: 'ENOENT' })
    })
  }
})
