import type { SealOptions, StorageBackend } from '../../src/index.js'
import { contract } from '../../src/testing.js'
import type { Context, Suite } from './suite.js'

let stores = 0

async function kinds({ atomicdb }: Context): Promise<Record<string, () => () => StorageBackend>> {
  const securityManager = await atomicdb.SecurityManager.create()
  const memory = () => {
    const storage = new atomicdb.MemoryStorage()
    return () => storage
  }
  const sealed = (options: SealOptions) => () => {
    const storage = new atomicdb.MemoryStorage()
    return () => new atomicdb.SealedStorage(storage, options)
  }
  const indexeddb = (options?: SealOptions) => () => {
    const name = `storage ${++stores}`
    return () => new atomicdb.IndexedDBStorage(name, options)
  }
  const local = (options?: SealOptions) => () => {
    const name = `storage ${++stores}`
    return () => new atomicdb.LocalStorageStorage(name, options)
  }
  const opfs = (options?: SealOptions) => () => {
    const name = `storage / ${++stores}`
    return () => new atomicdb.OPFSStorage(name, options)
  }
  const everywhere = { memory, compressed: sealed({ compressionLevel: 6 }), encrypted: sealed({ compressionLevel: 1, securityManager }) }
  if (typeof indexedDB === 'undefined') return everywhere
  const page = { ...everywhere, indexeddb: indexeddb(), localStorage: local(), 'encrypted localStorage': local({ compressionLevel: 6, securityManager }), 'encrypted indexeddb': indexeddb({ compressionLevel: 6, securityManager }) }
  if (!navigator.storage?.getDirectory) return page // WebKitGTK
  return { ...page, opfs: opfs(), 'encrypted opfs': opfs({ compressionLevel: 1, securityManager }) }
}

/** The contract, over each storage that the package brings and the host can have. */
export const storages: Suite = contract.map(({ name, run }) => ({
  name: `each storage ${name}`,
  async run(context) {
    for (const [kind, make] of Object.entries(await kinds(context))) {
      await run(make()).catch((error: Error) => {
        throw new Error(`${kind}: ${error.message}`, { cause: error })
      })
    }
  },
}))
