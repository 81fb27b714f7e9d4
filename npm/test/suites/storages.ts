import type { StorageBackend } from '../../src/index.js'
import { contract } from './storage-contract.js'
import type { Context, Suite } from './suite.js'

let stores = 0

function kinds({ atomicdb }: Context): Record<string, () => () => StorageBackend> {
  const memory = () => {
    const storage = new atomicdb.MemoryStorage()
    return () => storage
  }
  const indexeddb = () => {
    const name = `storage ${++stores}`
    return () => new atomicdb.IndexedDBStorage(name)
  }
  return typeof indexedDB === 'undefined' ? { memory } : { memory, indexeddb }
}

/** The contract, over each storage that the package brings and the host can have. */
export const storages: Suite = contract.map(({ name, run }) => ({
  name: `each storage ${name}`,
  async run(context) {
    for (const [kind, make] of Object.entries(kinds(context))) {
      await run(make()).catch((error: Error) => {
        throw new Error(`${kind}: ${error.message}`, { cause: error })
      })
    }
  },
}))
