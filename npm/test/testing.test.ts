// The contract of storages finds faults: each storage below fails a test that a MemoryStorage passes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MemoryStorage, type Batch, type StorageBackend } from '../src/index.js'
import { contract } from '../src/testing.js'

/** A MemoryStorage with one or two methods replaced. */
const faulty = (change: (right: MemoryStorage) => Partial<StorageBackend>) => () => {
  const right = new MemoryStorage()
  const methods: StorageBackend = {
    read: (after) => right.read(after),
    append: (seq, bytes) => right.append(seq, bytes),
    compact: (seq, snapshot) => right.compact(seq, snapshot),
    watch: (listener) => right.watch(listener),
    destroy: () => right.destroy(),
    close: () => right.close(),
  }
  return { ...methods, ...change(right) }
}

const mapped = (change: (batches: Batch[], after: number) => Batch[]) => faulty((right) => ({ read: async (after) => change(await right.read(0), after) }))

const faults: Record<string, () => StorageBackend> = {
  'reads everything again': mapped((batches) => batches),
  'reads from a number on, and not after it': mapped((batches, after) => batches.filter(({ seq }) => seq >= after)),
  'orders numbers as text': mapped((batches, after) => batches.filter(({ seq }) => seq > after).sort((a, b) => (`${a.seq}` < `${b.seq}` ? -1 : 1))),
  'takes a snapshot for a batch': mapped((batches, after) => batches.filter(({ seq }) => seq > after).map((batch) => ({ ...batch, snapshot: false }))),
  'cuts off large batches': faulty((right) => ({ append: (seq, bytes) => right.append(seq, bytes.slice(0, 2 ** 20)) })),
  'stores whatever comes': faulty((right) => ({ append: async (seq, bytes) => (await right.append(seq, bytes)) || true })),
  'looks first and stores later': faulty((right) => ({
    append: async (seq, bytes) => {
      const last = (await right.read(0)).at(-1)?.seq ?? 0
      await new Promise((resolve) => setTimeout(resolve))
      if (seq === last + 1) await right.append(seq, bytes)
      return seq === last + 1
    },
  })),
  'compacts to nothing': faulty((right) => ({ compact: () => right.destroy() })),
  'never compacts': faulty(() => ({ compact: async () => {} })),
  'forgets nothing': faulty(() => ({ destroy: async () => {} })),
  'forgets when it is closed': faulty((right) => ({ close: () => right.destroy() })),
  'goes on telling': faulty((right) => ({ watch: (listener) => (right.watch(listener), () => {}) })),
}

describe('the contract of storages', () => {
  for (const { name, run } of contract) {
    test(`a MemoryStorage ${name}`, () => {
      const storage = new MemoryStorage()
      return run(() => storage)
    })
  }

  for (const [fault, make] of Object.entries(faults)) {
    test(`finds one that ${fault}`, async () => {
      const failed: string[] = []
      for (const { name, run } of contract) {
        const storage = make()
        await run(() => storage).catch(() => failed.push(name))
      }
      assert.notDeepEqual(failed, [])
    })
  }
})
