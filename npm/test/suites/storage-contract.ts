import type { StorageBackend } from '../../src/index.js'
import { equal, ok } from './check.js'

const batch = (text: string) => new TextEncoder().encode(text)

/** What a storage holds after a number: "2 b, 3 c", snapshots with a star. */
async function held(storage: StorageBackend, after = 0): Promise<string> {
  const records = await storage.read(after)
  return records.map(({ seq, snapshot, bytes }) => `${seq}${snapshot ? '*' : ''} ${new TextDecoder().decode(bytes)}`).join(', ')
}

async function append(storage: StorageBackend, ...texts: string[]): Promise<void> {
  let seq = (await storage.read(0)).at(-1)?.seq ?? 0
  for (const text of texts) ok(await storage.append(++seq, batch(text), 'relaxed'), `${text} is refused`)
}

/** What every StorageBackend has to do. `open` opens the same stored data each time. */
export const contract: { name: string; run(open: () => StorageBackend): Promise<void> }[] = [
  {
    name: 'reads back in order, after a number',
    async run(open) {
      const storage = open()
      equal(await held(storage), '')
      await append(storage, 'a', 'b', 'c')
      equal(await held(storage), '1 a, 2 b, 3 c')
      equal(await held(storage, 1), '2 b, 3 c')
      equal(await held(storage, 3), '')
      equal(await held(storage, 9), '')
      await storage.close()
    },
  },
  {
    name: 'refuses a number that is taken or not the next, and stores nothing then',
    async run(open) {
      const [one, other] = [open(), open()]
      await append(one, 'a', 'b')
      for (const seq of [1, 2, 4, 100]) equal(await other.append(seq, batch('x'), 'relaxed'), false, `append ${seq}`)
      equal(await other.append(3, batch('c'), 'strict'), true)
      equal(await one.append(3, batch('x'), 'relaxed'), false)
      equal(await held(one), '1 a, 2 b, 3 c')
      await Promise.all([one.close(), other.close()])
    },
  },
  {
    name: 'gives one number to one of many writers',
    async run(open) {
      const storages = Array.from({ length: 5 }, open)
      for (let seq = 1; seq <= 10; seq++) {
        const won = await Promise.all(storages.map((storage, i) => storage.append(seq, batch(`${i}`), 'relaxed')))
        equal(won.filter(Boolean).length, 1, `winners of ${seq}`)
        ok((await held(storages[0]!)).endsWith(`${seq} ${won.indexOf(true)}`), 'another batch is stored than the one acknowledged')
      }
      await Promise.all(storages.map((storage) => storage.close()))
    },
  },
  {
    name: 'compacts to a snapshot, and keeps later batches',
    async run(open) {
      const storage = open()
      await append(storage, 'a', 'b', 'c')
      await storage.compact(2, batch('ab'))
      equal(await held(storage), '2* ab, 3 c')
      equal(await held(storage, 2), '3 c')
      await storage.compact(1, batch('late'))
      equal(await held(storage), '2* ab, 3 c')
      await storage.compact(3, batch('abc'))
      equal(await held(storage), '3* abc')
      for (const seq of [1, 2, 3]) equal(await storage.append(seq, batch('x'), 'relaxed'), false, `append ${seq}`)
      await append(storage, 'd')
      equal(await held(storage), '3* abc, 4 d')
      await storage.close()
    },
  },
  {
    name: 'keeps every byte of large batches and of empty ones',
    async run(open) {
      const storage = open()
      const bytes = (length: number) => Uint8Array.from({ length }, (_, n) => (n * 31) ^ (n >> 8))
      const lengths = [0, 1, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3_000_000]
      for (const [n, length] of lengths.entries()) ok(await storage.append(n + 1, bytes(length), 'relaxed'), `${length} bytes are refused`)
      const sizes = async () => (await storage.read(0)).map(({ bytes }) => bytes.length).join()
      equal(await sizes(), lengths.join())
      for (const { bytes: found } of await storage.read(0)) ok(bytes(found.length).every((byte, n) => byte === found[n]), `of ${found.length} bytes, some are others`)
      await storage.compact(lengths.length, bytes(2_500_000))
      equal(await sizes(), '2500000')
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
      equal(await held(again), '1 a')
      await again.destroy()
      equal(await held(open()), '')
    },
  },
  {
    name: 'tells of what others append, until it is told to stop',
    async run(open) {
      const [one, other] = [open(), open()]
      const heard = (storage: StorageBackend) => new Promise<number>((resolve) => {
        const stop = storage.watch!((seq) => (stop(), resolve(seq)))
      })
      await held(one) // so that the watching has begun by the time of the append
      const hearing = heard(one)
      await held(one)
      await append(other, 'a')
      ok([0, 1].includes(await hearing), 'another number is told')
      await Promise.all([one.close(), other.close()])
    },
  },
]
