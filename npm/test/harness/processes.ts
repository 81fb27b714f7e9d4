import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { AtomicDB, type StorageBackend } from '../../src/index.js'
import { testWasm } from './node.js'
import { packageFolder } from './site.js'

/**
 * Lets three processes count in one document, and kills one of them in the
 * middle. Fails unless every acknowledged increment is stored.
 *
 * @param storage The storage as an expression, for the other processes.
 * @param open The same storage, for this one.
 */
export async function countTogether(storage: string, open: () => StorageBackend): Promise<void> {
  const db = await AtomicDB.open('shared', { storage: open(), wasm: testWasm })
  await db.insert({ _id: 'counter', n: 0 })
  await db.close()

  const killed = count(storage, 1e6)
  const others = [count(storage, 100), count(storage, 100)]
  while (killed.acknowledged() < 30) await once(killed.child.stdout!, 'data')
  killed.child.kill('SIGKILL')
  await killed.ended
  for (const { ended } of others) assert.deepEqual(await ended, [0, null])

  const again = await AtomicDB.open('shared', { storage: open(), wasm: testWasm })
  const { n } = (await again.get<{ n: number }>('counter'))!
  // The killed process may have stored its last write without acknowledging it.
  assert.ok(n === 200 + killed.acknowledged() || n === 201 + killed.acknowledged(), `${n} of 200 and ${killed.acknowledged()}`)
  await again.insert({ after: 'the kill' })
  await again.close()
}

/** Starts a process that adds one to the counter so many times, and acknowledges each. */
function count(storage: string, times: number) {
  const program = `
import * as atomicdb from ${JSON.stringify(join(packageFolder, 'src/index.ts'))}
const { AtomicDB, ${/\w+Storage/.exec(storage)![0]} } = atomicdb
const db = await AtomicDB.open('shared', { storage: ${storage}, wasm: new URL(${JSON.stringify(testWasm.href)}) })
for (let n = 0; n < ${times}; n++) {
  await db.atomicUpdate(({ n }) => ({ n: n + 1 }), "_id = 'counter'")
  process.stdout.write('.')
}
await db.close()`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], { cwd: packageFolder, stdio: ['ignore', 'pipe', 'inherit'] })
  let acknowledged = 0
  child.stdout.on('data', (dots: Buffer) => (acknowledged += dots.length))
  return { child, ended: once(child, 'close') as Promise<[number | null, string | null]>, acknowledged: () => acknowledged }
}
