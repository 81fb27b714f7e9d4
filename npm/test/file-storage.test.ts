// FileStorage: one file on disk, which Go's filelog reads and writes too.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { blake2b } from '@noble/hashes/blake2.js'
import { AtomicDB, AtomicDBError, FileStorage, SecurityManager, type OpenOptions, type SealOptions } from '../src/index.js'
import * as lib from '../src/index.js'
import { contract } from '../src/testing.js'
import { within } from './harness/deadline.js'
import { testWasm as wasm } from './harness/node.js'
import { countTogether } from './harness/processes.js'
import { packageFolder } from './harness/site.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'
import { sharesObject } from './suites/storages.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
let folder: string
before(async () => (folder = await mkdtemp(join(tmpdir(), 'atomicdb-file-'))))
after(() => rm(folder, { recursive: true, force: true }))

let files = 0
const newPath = () => join(folder, `${++files}.atomicdb`)
const open = (path: string, options: SealOptions & Pick<OpenOptions, 'durability' | 'worker'> = {}) => {
  const { durability, worker, ...seal } = options
  return AtomicDB.open('file', { storage: new FileStorage(path, seal), wasm, ...(durability && { durability }), ...(worker && { worker }) })
}
const isCode = (code: string, pattern = /./) => (error: unknown) => error instanceof AtomicDBError && error.code === code && pattern.test(error.message)
const ids = async (path: string, options?: SealOptions) => {
  const db = await open(path, options)
  const ids = await db.documentIds()
  assert.deepEqual((await db.verify()).problems, [])
  await db.close()
  return ids
}

describe('FileStorage', () => {
  for (const { name, run } of contract) test(name, () => (path => run(() => new FileStorage(path)))(newPath()))
  for (const { name, run } of contract) {
    test(`sealed: ${name}`, async () => {
      const securityManager = await SecurityManager.create()
      const path = newPath()
      await run(() => new FileStorage(path, { compressionLevel: 6, securityManager }))
    })
  }

  test('one FileStorage may be used by several databases at once, and again after it was closed', async () => {
    await sharesObject(lib, new FileStorage(newPath()), { wasm })
  })

  test('processes that share a file lose no write, also when one is killed', { timeout: 360_000 }, async () => {
    const path = newPath()
    await countTogether(`new FileStorage(${JSON.stringify(path)})`, () => new FileStorage(path))
  })

  test('hears of what another process writes', async () => {
    const path = newPath()
    const db = await open(path)
    await db.insert({ _id: 'here' })
    const heard = new Promise<void>((resolve) => void db.liveCount().subscribe((count) => count === 2 && resolve()))
    execFileSync(process.execPath, ['--input-type=module', '--eval', `
      import { AtomicDB, FileStorage } from ${JSON.stringify(join(packageFolder, 'dist/index.js'))}
      const db = await AtomicDB.open('file', { storage: new FileStorage(${JSON.stringify(path)}) })
      await db.insert({ _id: 'there' })
      await db.close()`])
    await within(20_000, 'the callback', heard)
    await db.close()
  })

  test('a program that waits for another one, with its thread blocked, does not keep the file from it', { timeout: 360_000 }, () => {
    const path = JSON.stringify(newPath())
    const index = JSON.stringify(join(packageFolder, 'dist/index.js'))
    const other = `
      import { AtomicDB, FileStorage } from ${index}
      const db = await AtomicDB.open('file', { storage: new FileStorage(${path}) })
      await db.insert({ _id: 'other' })
      await db.close()`
    const said = execFileSync(process.execPath, ['--input-type=module', '--eval', `
      import { execFileSync } from 'node:child_process'
      import { AtomicDB, FileStorage } from ${index}
      const db = await AtomicDB.open('file', { storage: new FileStorage(${path}) })
      for (let round = 0; round < 3; round++) {
        for (let n = 0; n < 500; n++) await db.insert({ n })
        execFileSync(process.execPath, ['--input-type=module', '--eval', ${JSON.stringify(other)}.replace("'other'", "'other" + round + "'")], { stdio: 'inherit' })
      }
      await db.insert({ _id: 'after' })
      console.log((await db.all()).filter(({ _id }) => typeof _id === 'string').map(({ _id }) => _id).sort().join(), await db.count(), (await db.verify()).ok)
      await db.close()`], { encoding: 'utf8' })
    assert.equal(said, 'after,other0,other1,other2 1504 true\n')
  })

  test('a program that is done ends, although it has not closed the database', () => {
    execFileSync(process.execPath, ['--input-type=module', '--eval', `
      import { AtomicDB, FileStorage } from ${JSON.stringify(join(packageFolder, 'dist/index.js'))}
      const db = await AtomicDB.open('file', { storage: new FileStorage(${JSON.stringify(newPath())}) })
      db.onChange(() => {})
      await db.insert({})`], { timeout: 60_000 })
  })

  test('a name that is a path means a file, for every call that takes a name', async () => {
    const path = newPath()
    const db = await AtomicDB.open(path, { wasm })
    await db.insert({ _id: 'stored' })
    await db.close()
    assert.deepEqual(await ids(path), ['stored'])
    assert.equal((await AtomicDB.repair(path, { wasm })).ok, true)
    const copy = `${path}.copy` // a path because of its slashes
    await AtomicDB.importRaw(copy, await AtomicDB.exportRaw(path, { wasm }), { wasm })
    assert.deepEqual(await ids(copy), ['stored'])
    await AtomicDB.destroy(copy, { wasm })
    await assert.rejects(stat(copy), { code: 'ENOENT' })
    const [named, inMemory] = [await AtomicDB.open('no path', { wasm }), await AtomicDB.open(newPath(), { wasm, inMemory: true })]
    await named.insert({})
    await inMemory.insert({})
    for (const db of [named, inMemory]) await db.close()
    assert.deepEqual((await readdir('.')).filter((name) => name === 'no path'), [])
    await assert.rejects(stat(join(folder, `${files}.atomicdb`)), { code: 'ENOENT' })
  })

  test('works with the engine in a worker, torn batches too', async () => {
    const path = newPath()
    const db = await open(path)
    for (const _id of ['a', 'b']) await db.insert({ _id })
    await db.close()
    const whole = await readFile(path)
    await writeFile(path, whole.subarray(0, -1))
    const { AtomicDB: Built, FileStorage: BuiltStorage } = (await import(join(packageFolder, 'dist/index.js'))) as typeof lib
    const inWorker = await Built.open('file', { storage: new BuiltStorage(path), worker: true })
    assert.deepEqual(await inWorker.documentIds(), ['a'])
    await inWorker.insert({ _id: 'c' })
    await inWorker.close()
    assert.deepEqual(await ids(path), ['a', 'c'])
  })
})

describe('what a crash leaves in a file', () => {
  const kinds: Record<string, () => Promise<SealOptions>> = {
    plain: async () => ({}),
    encrypted: async () => ({ compressionLevel: 1, securityManager: await SecurityManager.create() }),
  }
  for (const [kind, options] of Object.entries(kinds)) {
    test(`${kind}: a batch that is torn, or not all written, is cut off, and the next takes its place`, async () => {
      const path = newPath()
      const seal = await options()
      const db = await open(path, seal)
      await db.insert({ _id: 'a' })
      await db.insert({ _id: 'b' })
      const { size } = await stat(path)
      await db.insert({ _id: 'c', text: 'x'.repeat(40) })
      await db.close()
      const whole = await readFile(path)
      const torn: [string, Uint8Array][] = []
      // In the header of the record, where it ends, and in the frame; see storage/filelog/crash_test.go for every byte.
      for (const length of [size + 1, size + 4, size + 20, size + 31, size + 32, size + 33, size + 70, whole.length - 1]) {
        const zeros = new Uint8Array(whole.length)
        zeros.set(whole.subarray(0, length))
        torn.push([`${length} bytes`, whole.subarray(0, length)], [`${length} bytes and zeros`, zeros])
      }
      for (const [what, bytes] of torn) {
        await writeFile(path, bytes)
        const again = await open(path, seal)
        assert.deepEqual(await again.documentIds(), ['a', 'b'], what)
        await again.insert({ _id: 'd' })
        await again.close()
        assert.deepEqual(await ids(path, seal), ['a', 'b', 'd'], what)
      }
    })

    test(`${kind}: damage elsewhere is corrupt, whose repair keeps the rest`, async () => {
      const path = newPath()
      const seal = await options()
      const db = await open(path, seal)
      const starts: number[] = []
      for (const _id of ['a', 'b', 'c', 'd']) {
        await db.insert({ _id })
        starts.push((await stat(path)).size)
      }
      await db.close()
      const whole = await readFile(path)
      // In the file's header, in the header of record 2, in its frame.
      for (const [at, kept] of [[9, ['a', 'b', 'c', 'd']], [starts[0]! + 9, ['a', 'c', 'd']], [starts[1]! - 1, ['a', 'c', 'd']]] as const) {
        const damaged = Buffer.from(whole)
        damaged[at]! ^= 1
        await writeFile(path, damaged)
        await assert.rejects(open(path, seal), isCode('corrupt'), `byte ${at}`)
        await AtomicDB.repair('file', { storage: new FileStorage(path, seal), wasm })
        assert.deepEqual(await ids(path, seal), kept, `byte ${at}`)
      }
    })
  }

  test('while the file is made: it is empty then', async () => {
    for (const bytes of [new Uint8Array(), new Uint8Array(40), new TextEncoder().encode('AtDL\x01')]) {
      const path = newPath()
      await writeFile(path, bytes)
      const db = await open(path)
      await db.insert({ _id: 'first' })
      await db.close()
      assert.deepEqual(await ids(path), ['first'])
    }
  })

  test('a file of anything else is refused and stays as it is', async () => {
    const path = newPath()
    for (const text of ['{"default": []}', 'x'.repeat(1000)]) {
      await writeFile(path, text)
      await assert.rejects(open(path), isCode('corrupt'))
      assert.equal(await readFile(path, 'utf8'), text)
    }
  })
})

/** How often a process is killed in each test; `make crash` sets more. */
const rounds = Number(process.env.CRASH_ROUNDS ?? 2)

describe(`a process that is killed while it writes (${replayOf('file-storage.test.ts')})`, { timeout: 360_000 * (rounds + 1) }, () => {
  const random = new Random(seed)
  const works: Record<string, string> = {
    // Each batch has five documents of one number. Two are under way at a time.
    'batches': `
      for (let n = first; ; n += 2) {
        const write = (n) => db.transaction(async (tx) => void (await tx.insertMany(Array.from({ length: 5 }, (_, part) => ({ _id: n + '.' + part, n }))))).then(() => say(n))
        await Promise.all([write(n), write(n + 1)])
      }`,
    // So much that the log is compacted again and again.
    'large batches, with compactions': `
      for (let n = first; ; n++) {
        await db.transaction(async (tx) => {
          if (n > 3) for (let part = 0; part < 5; part++) await tx.remove("_id = '" + (n - 3) + '.' + part + "'")
          await tx.insertMany(Array.from({ length: 5 }, (_, part) => ({ _id: n + '.' + part, n, text: 'x'.repeat(60_000) })))
        })
        say(n)
      }`,
  }
  for (const [what, work] of Object.entries(works)) {
    for (const durability of ['relaxed', 'strict'] as const) {
      test(`${durability} ${what}: each that was acknowledged is there, and each is whole`, async (t) => {
        const path = newPath()
        let first = 1
        for (let round = 0; round < rounds; round++) {
          const program = `
            import { writeSync } from 'node:fs'
            import { AtomicDB, FileStorage } from ${JSON.stringify(join(packageFolder, 'dist/index.js'))}
            const db = await AtomicDB.open('file', { storage: new FileStorage(${JSON.stringify(path)}), durability: '${durability}' })
            const first = ${first}
            const say = (n) => writeSync(1, n + '\\n')
            ${work}`
          const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] })
          const until = random.int(1, 120)
          let acknowledged = 0
          for await (const line of createInterface({ input: child.stdout })) {
            acknowledged = Math.max(acknowledged, Number(line))
            if (acknowledged >= first + until) child.kill('SIGKILL')
          }
          if (child.signalCode === null) await once(child, 'close')
          assert.equal(child.signalCode, 'SIGKILL', 'it has ended by itself')
          const db = await open(path)
          assert.deepEqual((await db.verify()).problems, [])
          const numbers = new Map<number, number>()
          for (const { n } of await db.all<{ n: number }>()) numbers.set(n, (numbers.get(n) ?? 0) + 1)
          await db.close()
          assert.ok([...numbers.values()].every((parts) => parts === 5), `round ${round}: a batch is there in part`)
          const newest = Math.max(...numbers.keys())
          assert.ok(newest >= acknowledged && newest <= acknowledged + 2, `round ${round}: ${acknowledged} was acknowledged, and ${newest} is the newest`)
          for (const n of what === 'batches' ? Array.from({ length: acknowledged }, (_, n) => n + 1) : [acknowledged - 1, acknowledged]) assert.ok(numbers.has(n) || n < 1, `round ${round}: ${n} is lost`)
          t.diagnostic(`${acknowledged} acknowledged, ${newest} stored`)
          first = newest + 1
        }
      })
    }
  }
})

describe('a compaction', () => {
  test('replaces the file by one with a snapshot, keeps its permissions, and leaves no other', async () => {
    const path = join(await mkdtemp(join(folder, 'compacted-')), 'notes.atomicdb')
    const linked = `${folder}/linked.atomicdb`
    await symlink(path, linked)
    const [db, other] = [await open(linked), await open(path)]
    await chmod(path, 0o640)
    await writeFile(join(path, '../.notes.atomicdb.atomicdb-part'), 'what a crash has left')
    const text = 'y'.repeat(100_000)
    for (let n = 0; n < 40; n++) await db.upsert({ _id: n % 2, n, text })
    await other.insert({ _id: 'other' })
    const { size, mode } = await stat(path)
    assert.ok(size < 3_000_000, `${size} bytes after 4 MB were written`)
    assert.equal(mode & 0o777, 0o640)
    assert.deepEqual(await readdir(join(path, '..')), ['notes.atomicdb'])
    await Promise.all([db.close(), other.close()])
    assert.deepEqual(await ids(linked), [0, 1, 'other'])
  })

  test('of another process is noticed, also if the file was replaced by one of the same name', async () => {
    const path = newPath()
    const db = await open(path)
    await db.insert({ _id: 1 })
    await link(path, `${path}.old`) // so that the new file cannot have its inode
    execFileSync(process.execPath, ['--input-type=module', '--eval', `
      import { AtomicDB, FileStorage } from ${JSON.stringify(join(packageFolder, 'dist/index.js'))}
      const db = await AtomicDB.open('file', { storage: new FileStorage(${JSON.stringify(path)}) })
      for (let n = 0; n < 30; n++) await db.upsert({ _id: 2, text: 'z'.repeat(100_000) })
      await db.close()`])
    await db.insert({ _id: 3 })
    await db.close()
    assert.deepEqual(await ids(path), [1, 2, 3])
  })
})

describe('Go and Node on one file', () => {
  const token = 'of-this-test'
  let server: string
  before(() => {
    server = join(folder, 'server')
    execFileSync('go', ['build', '-o', server, './wasm/worker'], { cwd: root })
  })

  /** Serves the databases of a folder by Go's filelog and httpapi. */
  async function serve(databases: string) {
    const hash = Buffer.from(blake2b(new TextEncoder().encode(token), { dkLen: 32 })).toString('base64url')
    const child = spawn(server, ['-folder', databases, '-address', '127.0.0.1:0'], { env: { ...process.env, TOKENS: hash }, stdio: ['ignore', 'ignore', 'pipe'] })
    const [line] = (await once(createInterface({ input: child.stderr }), 'line')) as [string]
    const address = /http:\/\/[\d.:]+/.exec(line)![0]
    return {
      ask: async (line: string, body?: unknown) => {
        const [method, path] = line.split(' ') as [string, string]
        const response = await fetch(`${address}${path}`, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, ...(body !== undefined && { body: JSON.stringify(body) }) })
        const text = await response.text()
        if (!response.ok) throw new Error(text)
        return text && JSON.parse(text)
      },
      end: async () => {
        child.kill()
        await once(child, 'close')
      },
    }
  }

  test('each reads what the other has written, while both have it open, and no increment is lost', async () => {
    const databases = await mkdtemp(join(folder, 'served-'))
    const db = await open(join(databases, 'notes.atomicdb'))
    await db.insert({ _id: 'counter', n: 0 })
    const go = await serve(databases)
    try {
      assert.deepEqual(await go.ask('GET /notes/default/counter'), { _id: 'counter', n: 0 })
      await go.ask('PUT /notes/default/go', { from: 'Go' })
      await db.insert({ _id: 'node', from: 'Node' })
      assert.deepEqual(await db.documentIds(), ['counter', 'go', 'node'])
      await Promise.all([
        (async () => {
          for (let n = 0; n < 100; n++) await db.update({ $inc: { n: 1 } }, "_id = 'counter'")
        })(),
        (async () => {
          for (let n = 0; n < 100; n++) await go.ask('PATCH /notes/default/counter', { $inc: { n: 1 } })
        })(),
      ])
      // Enough for both to compact.
      for (let n = 0; n < 15; n++) {
        await db.upsert({ _id: 'large', n, text: 'x'.repeat(100_000) })
        await go.ask('PUT /notes/default/large', { n, text: 'y'.repeat(100_000) })
      }
      await db.insert({ _id: 'last' })
      assert.equal((await db.get<{ n: number }>('counter'))!.n, 200)
      assert.equal((await go.ask('GET /notes/default/counter')).n, 200)
      assert.deepEqual((await db.verify()).problems, [])
    } finally {
      await go.end()
      await db.close()
    }
  })

  test('opens what Go has sealed', async () => {
    const path = newPath()
    await copyFile(join(root, 'storage/sealedlog/testdata/go-key.atomicdb'), path)
    const db = await open(path, { securityManager: SecurityManager.fromKey('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=') })
    assert.deepEqual(await db.collection('notes').get('first'), { _id: 'first' })
    await db.close()
  })

  test('a file that exportRaw has written is such a file', async () => {
    const db = await open(newPath())
    await db.insert({ _id: 'kept' })
    const path = newPath()
    await writeFile(path, await AtomicDB.exportRaw('file', { storage: new FileStorage(join(folder, `${files - 1}.atomicdb`)), wasm }))
    await db.close()
    assert.deepEqual(await ids(path), ['kept'])
  })
})

test('without the command flock, the error says what to use', async () => {
  const empty = join(folder, 'no commands')
  await mkdir(empty)
  const program = `
    import { FileStorage } from ${JSON.stringify(join(packageFolder, 'dist/index.js'))}
    await new FileStorage(${JSON.stringify(newPath())}).read(0).catch((error) => console.log(error.code, error.message))`
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { env: { PATH: empty }, encoding: 'utf8' })
  assert.match(said, /^unsupported FileStorage needs the command flock/)
})
