// No clock decides what is stored, in what order, or which writer was first: clocks of tabs and machines may differ, and
// jump.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { AtomicDB, MemoryStorage, SealedStorage, SecurityManager } from '../src/index.js'
import { testWasm as wasm } from './harness/node.js'
import { packageFolder } from './harness/site.js'
import { Random } from './random/random.js'
import { replayOf, seed } from './random/seed.js'

// The engine and the logs in its wasm cannot read a clock: see engine/architecture_test.go and jsbridge/imports_test.go.
test('the sources read a clock only to limit, to measure, and for the time in a token', async () => {
  const readers: string[] = []
  for (const name of await readdir(join(packageFolder, 'src'), { recursive: true })) {
    if (name.endsWith('.ts') && /Date\.now|performance\.now|new Date\(\)/.test(await readFile(join(packageFolder, 'src', name), 'utf8'))) readers.push(name)
  }
  // fernet: a token has a time, which nobody reads. where-key: to warn of renders without end. durable-object: for
  // the time of an alarm. go-runtime: what a batch says about when it was cut, which metadata tells.
  assert.deepEqual(readers.sort(), ['cli/bench.ts', 'cloudflare/connect.ts', 'cloudflare/durable-object.ts', 'connection/interrupter.ts', 'engine/go-runtime.ts', 'operations/reads.ts', 'react/where-key.ts', 'security/fernet.ts', 'storage/local-storage-lock.ts', 'storage/log-file/lock-keeper.ts', 'storage/log-file/log-file.ts', 'storage/opfs-log.ts', 'storage/turns.ts', 'thread/round-robin.ts'])
})

test(`databases whose clocks jump lose no increment (${replayOf('clock.test.ts')})`, async () => {
  const { now } = Date
  const random = new Random(seed)
  Date.now = () => Math.floor(random.next() * 4e12)
  try {
    const securityManager = await SecurityManager.create({ password: 'x', iterations: 1000 })
    const storage = new MemoryStorage()
    const open = () => AtomicDB.open('clock', { storage: new SealedStorage(storage, { securityManager }), wasm })
    const first = await open()
    await first.insert({ _id: 'counter', n: 0 })
    const dbs = [first, await open(), await open()]
    await Promise.all(dbs.map(async (db) => {
      for (let n = 0; n < 30; n++) {
        await db.atomicUpdate<{ n: number }>((counter) => ({ n: counter.n + 1 }), "_id = 'counter'")
      }
    }))
    const again = await open()
    assert.equal((await again.get('counter'))!.n, 90)
    assert.equal((await again.verify()).ok, true)
    await Promise.all([...dbs, again].map((db) => db.close()))
  } finally {
    Date.now = now
  }
})
