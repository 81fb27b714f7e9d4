/**
 * The contract of {@link StorageBackend} as tests: your own storage is right
 * when all of them pass.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { contract } from 'atomicdb/testing'
 *
 * for (const { name, run } of contract) test(name, () => run(openerOfNewData()))
 * ```
 *
 * @packageDocumentation
 */
import type { StorageBackend } from './types.js'

/** One claim of the contract. */
export interface StorageTest {
  /** What the storage has to do, such as 'reads back in order, after a number'. */
  readonly name: string
  /**
   * Runs the test. Rejects with an Error that says what was found, if the storage does not do that.
   *
   * @param open Opens the same stored data each time, as another page or
   * process would; the data is empty at first. It may return the same object
   * each time, if several databases can share one.
   */
  run(open: () => StorageBackend): Promise<void>
}

const batch = (text: string) => new TextEncoder().encode(text)

function ok(condition: boolean, message: string): void {
  if (!condition) throw new Error(message)
}

function equal(found: unknown, expected: unknown, what: string): void {
  ok(found === expected, `${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`)
}

/** What a storage holds after a number, such as "2 b, 3 c"; snapshots have a star. */
async function held(storage: StorageBackend, after = 0): Promise<string> {
  const batches = await storage.read(after)
  return batches.map(({ seq, snapshot, bytes }) => `${seq}${snapshot ? '*' : ''} ${new TextDecoder().decode(bytes)}`).join(', ')
}

async function expectHeld(storage: StorageBackend, expected: string, after = 0): Promise<void> {
  equal(await held(storage, after), expected, `read(${after})`)
}

async function expectRefused(storage: StorageBackend, ...seqs: number[]): Promise<void> {
  for (const seq of seqs) equal(await storage.append(seq, batch('x'), 'relaxed'), false, `append(${seq})`)
}

async function append(storage: StorageBackend, ...texts: string[]): Promise<void> {
  let seq = (await storage.read(0)).at(-1)?.seq ?? 0
  for (const text of texts) equal(await storage.append(++seq, batch(text), 'relaxed'), true, `append(${seq})`)
}

/**
 * What every storage has to do. Only storages that keep a database as one file
 * of documents, such as JSONStorage, do not: they store the meaning of batches, and not their bytes.
 */
export const contract: readonly StorageTest[] = [
  {
    name: 'reads back in order, after a number',
    async run(open) {
      const storage = open()
      await expectHeld(storage, '')
      await append(storage, 'a', 'b', 'c')
      await expectHeld(storage, '1 a, 2 b, 3 c')
      await expectHeld(storage, '2 b, 3 c', 1)
      await expectHeld(storage, '', 3)
      await expectHeld(storage, '', 9)
      await storage.close()
    },
  },
  {
    name: 'reads more than a hundred in the order of their numbers',
    async run(open) {
      const storage = open()
      const texts = Array.from({ length: 112 }, (_, n) => `of ${n + 1}`)
      for (const [n, text] of texts.entries()) equal(await storage.append(n + 1, batch(text), 'relaxed'), true, `append(${n + 1})`)
      await expectHeld(storage, texts.map((text, n) => `${n + 1} ${text}`).join(', '))
      await storage.compact(100, batch('all'))
      await expectHeld(storage, ['100* all', ...texts.slice(100).map((text, n) => `${n + 101} ${text}`)].join(', '))
      await storage.close()
    },
  },
  {
    name: 'refuses a number that is taken or not the next, and stores nothing then',
    async run(open) {
      const [one, other] = [open(), open()]
      await append(one, 'a', 'b')
      await expectRefused(other, 1, 2, 4, 100)
      equal(await other.append(3, batch('c'), 'strict'), true, 'append(3)')
      await expectRefused(one, 3)
      await expectHeld(one, '1 a, 2 b, 3 c')
      await Promise.all([one.close(), other.close()])
    },
  },
  {
    name: 'gives one number to one of many writers',
    async run(open) {
      const storages = Array.from({ length: 5 }, open)
      for (let seq = 1; seq <= 10; seq++) {
        const won = await Promise.all(storages.map((storage, i) => storage.append(seq, batch(`${i}`), 'relaxed')))
        equal(won.filter(Boolean).length, 1, `how many were given ${seq}`)
        ok((await held(storages[0]!)).endsWith(`${seq} ${won.indexOf(true)}`), `number ${seq} is not the batch whose append resolved to true`)
      }
      await Promise.all(storages.map((storage) => storage.close()))
    },
  },
  {
    name: 'compacts to a snapshot, and keeps later batches',
    async run(open) {
      const [storage, other] = [open(), open()]
      await append(storage, 'a', 'b', 'c')
      await storage.compact(2, batch('ab'))
      await expectHeld(storage, '2* ab, 3 c')
      await expectHeld(storage, '3 c', 2)
      await storage.compact(1, batch('late'))
      await storage.compact(9, batch('of a missing batch'))
      await expectHeld(storage, '2* ab, 3 c')
      await other.compact(3, batch('abc'))
      await expectHeld(storage, '3* abc')
      await expectHeld(storage, '3* abc', 1)
      await expectRefused(storage, 1, 2, 3, 5)
      await append(other, 'd')
      await expectRefused(storage, 4)
      await expectHeld(storage, '3* abc, 4 d')
      await Promise.all([storage.close(), other.close()])
    },
  },
  {
    name: 'keeps every byte of large batches and of empty ones',
    async run(open) {
      const storage = open()
      const bytes = (length: number) => Uint8Array.from({ length }, (_, n) => (n * 31) ^ (n >> 8))
      const lengths = [0, 1, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3_000_000]
      for (const [n, length] of lengths.entries()) equal(await storage.append(n + 1, bytes(length), 'relaxed'), true, `append of ${length} bytes`)
      const sizes = async () => (await storage.read(0)).map(({ bytes }) => bytes.length).join()
      equal(await sizes(), lengths.join(), 'the lengths')
      for (const { bytes: found } of await storage.read(0)) ok(bytes(found.length).every((byte, n) => byte === found[n]), `of ${found.length} bytes, some have changed`)
      await storage.compact(lengths.length, bytes(2_500_000))
      equal(await sizes(), '2500000', 'the length of the snapshot')
      await storage.close()
    },
  },
  {
    name: 'keeps what is stored when it is closed, and forgets it when it is destroyed',
    async run(open) {
      const storage = open()
      await append(storage, 'a')
      await storage.close()
      const again = open()
      await expectHeld(again, '1 a')
      await again.destroy()
      const anew = open()
      await expectHeld(anew, '')
      await append(anew, 'b')
      await expectHeld(anew, '1 b')
      await anew.close()
    },
  },
  {
    name: 'tells of batches that others append until the watching ends, if it has watch',
    async run(open) {
      const [one, other] = [open(), open()]
      if (!one.watch) return
      let calls = 0
      const hearing = new Promise<number>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('the listener was not called within 5 seconds')), 5_000)
        const stop = one.watch!((seq) => {
          calls++
          clearTimeout(timer)
          stop()
          resolve(seq)
        })
      })
      await held(one) // so that the watching begins before the append
      await append(other, 'a')
      ok([0, 1].includes(await hearing), 'the listener was called with another number')
      await append(other, 'b')
      await held(one)
      equal(calls, 1, 'how often the listener was called')
      await Promise.all([one.close(), other.close()])
    },
  },
]
